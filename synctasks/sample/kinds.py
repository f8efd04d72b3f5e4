"""The vocabulary of ``dirty``: kinds of dirt, alone and in the families that recur."""

from collections.abc import Callable, Mapping
from typing import Literal, NamedTuple, TypeAlias

from synctasks.sample.plan import DAY, Plan

#: The category of the reject; ``masked`` is no reject: the value crosses as ``****``.
Verdict: TypeAlias = Literal["completeness", "accuracy", "consistency", "masked"]

# Far beyond any population: numbers and families that belong to nobody else.
_NOBODY = 10**9


class Spot(NamedTuple):
    """Where a value goes.

    ``number`` counts the dirty records of the table, ``again`` those of the same kind, from 0.
    """

    plan: Plan
    number: int
    again: int


Value: TypeAlias = str | Callable[[Spot], str] | None


class Kind(NamedTuple):
    """One way for a record to be wrong."""

    column: str
    what: str
    verdict: Verdict
    value: Value
    beside: Mapping[str, Value] = {}

    @property
    def name(self) -> str:
        """For example ``full_name_missing``."""
        return f"{self.column}_{self.what}"

    @property
    def values(self) -> Mapping[str, Value]:
        """The values of all columns that the kind changes."""
        return {**self.beside, self.column: self.value}


def ago(days: float) -> Value:
    """So many days before now; after, where negative."""
    return lambda spot: spot.plan.ago(days * DAY)


def spaces(spot: Spot) -> str:
    """Blank text, different each time, for columns that are unique."""
    return " " * (1 + spot.again)


def number(spot: Spot) -> str:
    """A valid Aadhaar-like number that nobody has."""
    return spot.plan.population.aadhaar(_NOBODY + spot.number)


def family(spot: Spot) -> str:
    """A valid family id that no family has."""
    return spot.plan.population.family_id(_NOBODY + spot.number)


def first_alert(spot: Spot) -> str:
    """The id of an alert of the first use case."""
    return spot.plan.population.uuid("ai.beneficiary_detection_alerts", spot.again)


def devanagari(spot: Spot) -> str:
    """Digits for people, not for the contract: ASCII only."""
    return "".join("०१२३४५६७८९"[int(digit)] for digit in number(spot))


def missing(*columns: str) -> tuple[Kind, ...]:
    """Required values that are null."""
    return tuple(Kind(column, "missing", "completeness", None) for column in columns)


def blank(*columns: str) -> tuple[Kind, ...]:
    """Required texts of spaces only."""
    return tuple(Kind(column, "blank", "completeness", spaces) for column in columns)


def too_long(*columns: str) -> tuple[Kind, ...]:
    """Words of an open vocabulary with more than 64 characters."""
    return tuple(Kind(column, "too_long", "accuracy", "X" * 65) for column in columns)


def numbers(column: str) -> tuple[Kind, ...]:
    """Aadhaar-like numbers that are none."""
    return (
        Kind(column, "short", "accuracy", lambda spot: number(spot)[:11]),
        Kind(column, "long", "accuracy", lambda spot: number(spot) + "7"),
        Kind(column, "letters", "accuracy", lambda spot: number(spot)[:11] + "O"),
        Kind(column, "devanagari", "accuracy", devanagari),
        Kind(column, "grouped", "accuracy", lambda spot: f"{number(spot)[:4]} {number(spot)[4:]}"),
        Kind(column, "mask", "accuracy", lambda spot: f"****-****-{spot.again:04d}"),
    )


def families() -> tuple[Kind, ...]:
    """Family ids that are no UUID in canonical text."""
    return (
        Kind("family_id", "upper_case", "accuracy", lambda spot: family(spot).upper()),
        Kind("family_id", "braces", "accuracy", lambda spot: f"{{{family(spot)}}}"),
        Kind("family_id", "without_dashes", "accuracy", lambda s: family(s).replace("-", "")),
        Kind("family_id", "no_uuid", "accuracy", lambda spot: f"FAM-{spot.number:06d}"),
    )


def births() -> tuple[Kind, ...]:
    """Dates of birth that nobody has."""
    column = "date_of_birth"
    return (
        Kind(column, "before_1900", "accuracy", "1899-12-31"),
        Kind(column, "before_christ", "accuracy", "0044-03-15 BC"),
        Kind(column, "future", "accuracy", lambda spot: spot.plan.ago(-400 * DAY)[:10]),
        Kind(column, "far_future", "accuracy", "12024-01-01"),
        Kind(column, "infinite", "accuracy", "infinity"),
        Kind(column, "minus_infinite", "accuracy", "-infinity"),
    )


def genders() -> tuple[Kind, ...]:
    """Genders in other words than M, F and O."""
    return (
        Kind("gender", "unknown", "accuracy", "X"),
        Kind("gender", "lower_case", "accuracy", "m"),
        Kind("gender", "word", "accuracy", "Male"),
    )


def times(column: str, **beside: Value) -> tuple[Kind, ...]:
    """Timestamps ahead of the source's clock, or at no time at all."""
    return (
        Kind(column, "future", "accuracy", ago(-400), beside),
        Kind(column, "far_future", "accuracy", "12024-12-30 00:00:00+00", beside),
        Kind(column, "infinite", "accuracy", "infinity", beside),
        Kind(column, "minus_infinite", "accuracy", "-infinity", beside),
    )


def disorder() -> tuple[Kind, ...]:
    """A record updated before it was created."""
    beside = {"created_at": ago(1)}
    return (Kind("updated_at", "before_created", "consistency", ago(3), beside),)


def scores(*columns: str) -> tuple[Kind, ...]:
    """Scores, risks and confidences outside 0..1."""
    wrong = {"above_one": "1.0001", "negative": "-0.2", "nan": "NaN", "infinite": "Infinity"}
    return tuple(
        Kind(column, what, "accuracy", value) for column in columns for what, value in wrong.items()
    )


def each(column: str, **wrong: str) -> tuple[Kind, ...]:
    """Values of one column that are not accurate."""
    return tuple(Kind(column, what, "accuracy", value) for what, value in wrong.items())
