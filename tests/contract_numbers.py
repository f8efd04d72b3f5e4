"""Fields for numbers and times on every type of column, with the values at which mistakes show."""

from __future__ import annotations

from datetime import date
from functools import partial

from synctasks.contracts import Date, Integer, Number, Timestamp
from tests import contract_values as values
from tests.contract_case import cases

BORN = partial(Date, date(1900, 1, 1))
# A value that depends on the server's time is given by its distance from it.
_DAYS_FROM_TODAY = "(statement_timestamp() AT TIME ZONE 'UTC')::date + given.text::integer"
_FROM_NOW = "statement_timestamp() + given.text::interval"

SHARE = cases(
    partial(Number, 0, 1),
    "numeric",
    about="from 0 to 1",
    good=["0", "1", "-0", "0.5", "1.0000", "1e-30", f"0.{'9' * 40}", f"1.{'0' * 40}"],
    bad=[*values.NO_NUMBER, *values.BELOW_ZERO, *values.ABOVE_ONE],
    more=values.numbers,
)
AMOUNT = cases(
    partial(Number, 0),
    "numeric",
    about="from 0",
    good=["0", "-0", "1", "1e1000", *values.ABOVE_ONE],
    bad=[*values.NO_NUMBER, *values.BELOW_ZERO],
    more=values.numbers,
)
SIZE = cases(
    partial(Number, 0),
    "bigint",
    about="bigint from 0",
    good=["0", "1", str(2**63 - 1)],
    bad=["-1", str(-(2**63))],
    more=values.integers(63),
)
MONEY = cases(
    partial(Number, 0),
    "numeric(14,2)",
    good=["0", "-0", "-0.004", "0.01", f"{'9' * 12}.99"],
    bad=["NaN", "-0.01", "-1", f"-{'9' * 12}.99"],
    more=values.amounts,
)
MONTHS = cases(
    partial(Number, 1, 600),
    "integer",
    about="from 1 to 600",
    good=["1", "600"],
    bad=["0", "-1", "601", "2147483647", "-2147483648"],
    more=values.integers(31),
)
COUNT = cases(
    partial(Number, 0),
    "integer",
    about="integer from 0",
    good=["0", "1", "2147483647"],
    bad=["-1", "-2147483648"],
    more=values.integers(31),
)
RATING = cases(
    partial(Number, 1, 5),
    "integer",
    about="from 1 to 5",
    good=["1", "5"],
    bad=["0", "6", "-1", "2147483647", "-2147483648"],
    more=values.ratings,
)
INTEGER = cases(
    Integer, "integer", good=["0", "1", "-2147483648", "2147483647"], more=values.integers(31)
)
BIGINT = cases(
    Integer, "bigint", good=["0", str(2**63 - 1), str(-(2**63))], more=values.integers(63)
)
DATE = cases(BORN, "date", good=values.BIRTHDAYS, bad=values.NO_BIRTHDAYS, more=values.dates)
DATE_NEAR_TODAY = cases(
    BORN,
    "date",
    about="counted from today",
    good=["0", "-1", "-365"],
    bad=["1", "2", "36525", "-73050"],
    more=values.days_from_today,
    made=_DAYS_FROM_TODAY,
)
TIMESTAMP = cases(
    Timestamp, "timestamptz", good=values.MOMENTS, bad=values.NO_MOMENTS, more=values.moments
)
TIMESTAMP_NEAR_NOW = cases(
    Timestamp,
    "timestamptz",
    about="counted from now",
    good=["0", "-1 day", "-100 years", "299.999999 seconds", "5 minutes"],
    bad=["300.000001 seconds", "301 seconds", "1 day", "10000 years", "-2100 years"],
    more=values.distances,
    made=_FROM_NOW,
)

CASES_OF_NUMBERS = [
    *(SHARE + AMOUNT + MONEY + SIZE + MONTHS + COUNT + RATING + INTEGER + BIGINT),
    *(DATE + DATE_NEAR_TODAY + TIMESTAMP + TIMESTAMP_NEAR_NOW),
]
