"""Specification 1.4: which forecasts are refused, and what is said of them."""

from __future__ import annotations

import pytest

from synctasks.flows.to_citizen.benefit_forecasts import BENEFIT_FORECASTS
from tests.conftest import connected
from tests.emptied import empty
from tests.flows.forecasts import given_forecast
from tests.flows.judged import (
    MISSING,
    MOMENTS,
    NO_MOMENTS,
    NO_NUMBER,
    NO_UUIDS,
    Bad,
    Good,
    Judged,
    judge,
    names_of,
)
from tests.workspace import CITIZEN, WAREHOUSE, Workspace

_HORIZON = ("accuracy", "is not between 1 and 600")
_NEGATIVE = ("accuracy", "is not 0 or more")

BAD: list[Bad] = [
    *(("family_id", *each) for each in NO_UUIDS),
    ("horizon_months", None, MISSING),
    *(("horizon_months", bad, _HORIZON) for bad in (0, -1, 601, 2**31 - 1)),
    ("total_annual_value", None, MISSING),
    ("total_annual_value", "NaN", NO_NUMBER),
    *(("total_annual_value", bad, _NEGATIVE) for bad in ("-0.01", "-999999999999.99")),
    ("scheme_count", None, MISSING),
    *(("scheme_count", bad, _NEGATIVE) for bad in (-1, -(2**31))),
    *(("generated_at", *each) for each in NO_MOMENTS),
]
GOOD: list[Good] = [
    *(("horizon_months", good) for good in (1, 600)),
    *(("total_annual_value", good) for good in (0, "-0.004", "0.01", "999999999999.99")),
    *(("scheme_count", good) for good in (0, 2**31 - 1)),
    # What a projection holds is the forecast service's own business.
    *(("projections", good) for good in (None, [], {}, [None])),
    *(("generated_at", good) for good in MOMENTS),
]


@pytest.fixture(scope="module")
def judged(renewed: Workspace) -> Judged:
    """What became of all of these in one go."""
    empty(renewed)
    with (
        connected(renewed.environment[WAREHOUSE]) as warehouse,
        connected(renewed.environment[CITIZEN]) as citizen,
    ):
        return judge(BENEFIT_FORECASTS, warehouse, citizen, given_forecast, [*BAD, *GOOD])


@pytest.mark.parametrize("number", range(len(BAD)), ids=names_of(BAD))
def test_a_forecast_that_breaks_a_rule_is_refused(judged: Judged, number: int) -> None:
    assert judged.refused(number, BAD[number])


@pytest.mark.parametrize("number", range(len(GOOD)), ids=names_of(GOOD))
def test_one_that_just_keeps_them_crosses(judged: Judged, number: int) -> None:
    assert judged.accepted(len(BAD) + number)
