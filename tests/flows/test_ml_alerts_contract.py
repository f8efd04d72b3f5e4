"""Specification 1.6: which alerts are refused, and what is said of them."""

from __future__ import annotations

from typing import Any

import pytest

from synctasks.flows.to_citizen.ml_alerts import ML_ALERTS
from tests.conftest import connected
from tests.emptied import empty
from tests.flows.alerts import TABLES, alert_id, given_alert
from tests.flows.citizens import given_citizen
from tests.flows.judged import (
    LONG_WORD,
    MISSING,
    MOMENTS,
    NO_MOMENTS,
    NO_UUIDS,
    Bad,
    Good,
    Judged,
    judge,
    names_of,
)
from tests.rows import Connection
from tests.workspace import CITIZEN, WAREHOUSE, Workspace

_SEVERITY = ("accuracy", "is none of LOW, MEDIUM, HIGH, CRITICAL")
_LINK = ("accuracy", "is neither an http(s) URL with a host nor a path on the portal")
_HIDDEN = ("accuracy", "holds white space or control characters")

BAD: list[Bad] = [
    *(("family_id", *each) for each in NO_UUIDS),
    *(("alert_type", bad, MISSING) for bad in (None, "", " ")),
    ("alert_type", "x" * 65, LONG_WORD),
    *(("severity", bad, MISSING) for bad in (None, "", "\t")),
    *(("severity", bad, _SEVERITY) for bad in ("high", "HIGH ", "URGENT", "1")),
    *(("message", bad, MISSING) for bad in (None, "", " \u00a0")),
    *(
        ("action_url", bad, _LINK)
        for bad in (
            *("javascript:alert(1)", "JAVASCRIPT:alert(1)", "data:text/html,x", "vbscript:x"),
            *("//evil.example", "///evil.example", "/\\evil.example", "\\\\evil.example"),
            *("http:///x", "https://", "https:/evil.example", "https:evil.example"),
            *("http://user@", "https://a\\@evil.example", "ftp://a.example/", "schemes", ""),
        )
    ),
    *(
        ("action_url", bad, _HIDDEN)
        for bad in (
            *(" ", "/schemes\n", " /schemes", "/a b", "java\nscript:alert(1)", "\tjavascript:x"),
            *("/\t/evil.example", "/a\x1bb", "/a\u00a0b", "/a\u2028b", "/a\u200bb", "/a\u202eb"),
        )
    ),
    *(("created_at", *each) for each in NO_MOMENTS),
]
GOOD: list[Good] = [
    ("alert_type", "x" * 64),
    *(("severity", good) for good in ("LOW", "MEDIUM", "HIGH", "CRITICAL")),
    ("message", "x" * 20_000),
    *(
        ("action_url", good)
        for good in (
            *(None, "/", "/a", "/a//b", "/a?b=c#d", "/a%20b", "/\u0906\u092f", "/a\\b"),
            *("https://a", "HTTPS://Ok", "http://user@host", "http://[::1]/", "https://a:8/b?c"),
            f"/{'x' * 100_000}",
        )
    ),
    *(("created_at", good) for good in MOMENTS),
]
USE_CASES = list(TABLES)


def given_one(warehouse: Connection, number: int, **columns: Any) -> str:
    """The three use cases take turns: what holds of one holds of each."""
    return given_alert(warehouse, number, USE_CASES[number % 3], **columns)


@pytest.fixture(scope="module")
def judged(renewed: Workspace) -> Judged:
    """What became of all of these in one go; alerts that crossed are told by their keys."""
    empty(renewed)
    with (
        connected(renewed.environment[WAREHOUSE]) as warehouse,
        connected(renewed.environment[CITIZEN]) as citizen,
    ):
        given_citizen(citizen)
        found = judge(ML_ALERTS, warehouse, citizen, given_one, [*BAD, *GOOD])
    crossed = {key for number, key in enumerate(found.names) if alert_id(number) in found.crossed}
    return Judged(found.names, crossed, found.said)


@pytest.mark.parametrize("number", range(len(BAD)), ids=names_of(BAD))
def test_an_alert_that_breaks_a_rule_is_refused(judged: Judged, number: int) -> None:
    assert judged.refused(number, BAD[number])


@pytest.mark.parametrize("number", range(len(GOOD)), ids=names_of(GOOD))
def test_one_that_just_keeps_them_crosses(judged: Judged, number: int) -> None:
    assert judged.accepted(len(BAD) + number)
