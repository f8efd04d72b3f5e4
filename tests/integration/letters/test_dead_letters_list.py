"""`dead-letters list`: every filter, every grouping, and the shape that programs rely on."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import pytest

from tests.conftest import connected
from tests.letters import one_line, typed
from tests.rows import insert, value
from tests.workspace import CITIZEN, WAREHOUSE, Workspace

GENDER = "gender: is none of M, F, O"
MISSING = "full_name: is missing"
REFUSED = "citizen: check violation (table schemes, constraint known) [23514]"
LOST = "the portal: 100% of it is gone"


@dataclass(frozen=True)
class Given:
    """A letter that is there; `days` ago it was first seen."""

    record: str
    error: str
    flow: str = "profile_data"
    kind: str = "record"
    category: str | None = "accuracy"
    state: str = "open"
    days: float = 0.01
    count: int = 1
    at: str = WAREHOUSE
    messages: dict[str, list[str]] = field(default_factory=dict)

    def row(self, now: datetime) -> dict[str, Any]:
        own = ("record", "error", "flow", "kind", "category", "state", "count")
        return {
            **{name: getattr(self, name) for name in own},
            "unit": self.record,
            "messages": json.dumps(self.messages),
            "first_seen": now - timedelta(days=self.days),
            "last_seen": now - timedelta(days=self.days / 2),
        }


GIVEN = [
    Given("GR-1", GENDER, messages={"gender": ["is none of M, F, O"]}, days=30, count=7),
    Given("GR-2", GENDER, messages={"gender": ["is none of M, F, O"]}, days=2, count=2),
    Given("GR-3", MISSING, category="completeness", messages={"full_name": ["is missing"]}),
    Given(
        "GR-4",
        f"{MISSING}; {GENDER}",
        category="completeness",
        messages={"full_name": ["is missing"], "gender": ["is none of M, F, O"]},
        days=8,
    ),
    Given("GR-5", MISSING, category="completeness", state="resolved", days=90, count=3),
    Given("GR-6", GENDER, state="discarded", days=15),
    Given("GR-7", GENDER, state="replayed"),
    Given("S-1", REFUSED, flow="schemes", category="consistency", messages={"": [REFUSED]}, days=1),
    Given("lane 3", LOST, kind="task", category=None),
    Given("GR-8", "a worker died of it", kind="crash", category=None, days=400),
    Given("c-1", MISSING, flow="golden_records", category="completeness", at=CITIZEN, days=3),
    Given("c-2", MISSING, flow="golden_records", category="completeness", at=CITIZEN, state="open"),
]
OPEN = {each.record for each in GIVEN if each.state == "open"}
PARTS = ("flow", "kind", "category", "unit", "record", "error", "state", "count")


@pytest.fixture(scope="module", autouse=True)
def given(place: Workspace) -> datetime:
    """All of these are there: one set-up is enough, since nothing here changes it."""
    place.renew()
    with (
        connected(place.environment[WAREHOUSE]) as warehouse,
        connected(place.environment[CITIZEN]) as citizen,
    ):
        now: datetime = value(warehouse, "SELECT clock_timestamp()")
        for each in GIVEN:
            connection = warehouse if each.at == WAREHOUSE else citizen
            insert(connection, "synctasks.dead_letter", each.row(now))
    return now


def as_typed(words: object) -> str | None:
    """A name for a test case from what is typed."""
    return " ".join(map(str, words)) or "nothing" if isinstance(words, list) else None


def listed(*words: str) -> list[dict[str, Any]]:
    """What the list prints for programs."""
    outcome = typed("dead-letters", "list", *words, "--json")
    assert (outcome.returncode, outcome.stderr) == (0, ""), outcome
    found: list[dict[str, Any]] = json.loads(outcome.stdout)
    return found


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ([], OPEN),
        (["--flow", "schemes"], {"S-1"}),
        (["--flow", "profile_data"], {"GR-1", "GR-2", "GR-3", "GR-4", "GR-8", "lane 3"}),
        (["--kind", "record"], OPEN - {"GR-8", "lane 3"}),
        (["--kind", "task"], {"lane 3"}),
        (["--kind", "crash"], {"GR-8"}),
        (["--category", "completeness"], {"GR-3", "GR-4", "c-1", "c-2"}),
        (["--category", "accuracy"], {"GR-1", "GR-2"}),
        (["--category", "consistency"], {"S-1"}),
        (["--error", "NONE of"], {"GR-1", "GR-2", "GR-4"}),
        (["--error", "%"], {"lane 3"}),
        (["--error", "[23514]"], {"S-1"}),
        (["--error", "_"], {"GR-3", "GR-4", "c-1", "c-2"}),
        (["--field", "gender"], {"GR-1", "GR-2", "GR-4"}),
        (["--field", "gend"], set()),
        (["--older-than", "12h"], {"GR-1", "GR-2", "GR-4", "GR-8", "S-1", "c-1"}),
        (["--older-than", "7d"], {"GR-1", "GR-4", "GR-8"}),
        (["--older-than", "2w"], {"GR-1", "GR-8"}),
        (["--older-than", "5m"], OPEN),
        (["--state", "discarded"], {"GR-6"}),
        (["--state", "replayed", "--state", "resolved"], {"GR-5", "GR-7"}),
        (["--state", "all"], {each.record for each in GIVEN}),
        (["--state", "all", "--older-than", "14d", "--error", "gender"], {"GR-1", "GR-6"}),
        (["--flow", "schemes", "--category", "accuracy"], set()),
    ],
    ids=as_typed,
)
def test_a_filter_lists_those_that_fit(words: list[str], expected: set[str]) -> None:
    found = listed(*words)
    assert sorted(each["record"] for each in found) == sorted(expected)


def test_the_shape_is_the_documented_one(given: datetime) -> None:
    found = listed("--state", "all")
    by_record = {each["record"]: each for each in found}
    for expected in GIVEN:
        each = by_record[expected.record]
        assert list(each) == ["id", *PARTS, "first_seen", "last_seen"]
        row = expected.row(given)
        assert {name: each[name] for name in PARTS} == {name: row[name] for name in PARTS}
        for moment in ("first_seen", "last_seen"):
            assert datetime.fromisoformat(each[moment]) == row[moment]
        assert each["id"] % 2 == (expected.at == WAREHOUSE), "a number names its database"
    assert len({each["id"] for each in found}) == len(GIVEN)


@pytest.mark.parametrize("by", ["error", "flow", "category", "kind", "state"])
@pytest.mark.parametrize("words", [(), ("--state", "all")], ids=["open", "all"])
def test_letters_are_counted_by(by: str, words: tuple[str, ...], given: datetime) -> None:
    chosen = [each for each in GIVEN if words or each.state == "open"]
    groups = listed("--group-by", by, *words)
    assert {group[by] for group in groups} == {getattr(each, by) for each in chosen}
    for group in groups:
        of_group = [each for each in chosen if getattr(each, by) == group[by]]
        seen = [each.row(given) for each in of_group]
        assert group == {
            by: group[by],
            "letters": len(of_group),
            "rejections": sum(each.count for each in of_group),
            "first_seen": min(row["first_seen"] for row in seen).isoformat(),
            "last_seen": max(row["last_seen"] for row in seen).isoformat(),
        }
    sizes = [group["letters"] for group in groups]
    assert sizes == sorted(sizes, reverse=True), "the largest first"


def test_people_get_a_table() -> None:
    outcome = typed("dead-letters", "list", "--error", "check violation")
    assert outcome.returncode == 0
    words = outcome.stdout.split()
    assert {"id", "flow", "record", "category", "error", "state", "count", "S-1"} <= set(words)
    assert {"schemes", "consistency", "open", "[23514]"} <= set(words)
    grouped = typed("dead-letters", "list", "--group-by", "error")
    (line,) = (line for line in grouped.stdout.splitlines() if line.strip().endswith(f"  {GENDER}"))
    assert line.split()[:2] == ["2", "9"]
    assert typed("dead-letters", "list", "--flow", "schemes", "--kind", "task").stdout == (
        "No dead letters.\n"
    )


def test_a_long_table_is_cut_and_says_so() -> None:
    outcome = typed("dead-letters", "list", "--limit", "3", "--state", "all")
    shown = [each for each in outcome.stdout.splitlines() if each.strip()[:1].isdecimal()]
    assert shown[-1].startswith(f"{len(GIVEN) - 3} more: count them with --group-by error")
    assert [line.split()[2] for line in shown[:-1]] == ["GR-1", "GR-2", "GR-3"]
    assert len(listed("--limit", "3", "--state", "all")) == len(GIVEN), "programs get all"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--older-than", "7"], "'7' is no age: write it as 30m, 12h, 7d or 2w"),
        (["--older-than", "d"], "'d' is no age"),
        (["--older-than", "-1d"], "'-1d' is no age"),
        (["--state", "closed"], "'closed' is not one of"),
        (["--kind", "letter"], "'letter' is not one of"),
        (["--category", "validity"], "'validity' is not one of"),
        (["--group-by", "unit"], "'unit' is not one of"),
    ],
    ids=as_typed,
)
def test_a_filter_that_cannot_be_is_wrong_usage(words: list[str], said: str) -> None:
    outcome = typed("dead-letters", "list", *words)
    assert (outcome.returncode, outcome.stdout) == (2, "")
    assert said in outcome.stderr
    assert "--help' for help." in outcome.stderr


@pytest.mark.parametrize("age", ["9999999d", "999999999999d", "9" * 5_000 + "d"], ids=len)
def test_an_age_beyond_all_times_is_older_than_all_or_refused(age: str) -> None:
    outcome = typed("dead-letters", "list", "--older-than", age)
    if outcome.returncode == 0:
        assert outcome.stdout == "No dead letters.\n"
    else:
        assert outcome.returncode == 2
        assert "--older-than" in outcome.stderr, "it says what is wrong with what was typed"


def test_an_unknown_flow_is_named_with_those_that_there_are() -> None:
    line = one_line(typed("dead-letters", "list", "--flow", "nope"))
    assert line.startswith("synctasks: flow 'nope': there is no such flow. Choose one of: schemes")


@pytest.mark.parametrize("number", ["4711", "4712", "99999999999999999999", "0"])
@pytest.mark.parametrize(
    "words",
    [["show"], ["check"], ["replay", "--yes"], ["discard", "--yes", "--reason", "old"]],
    ids=lambda words: words[0],
)
def test_a_number_that_no_letter_has(words: list[str], number: str) -> None:
    line = one_line(typed("dead-letters", *words, number))
    assert line == (
        f"synctasks: dead letter {number}: there is none of this number. See: dead-letters list."
    )


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["replay", "--yes"], "Which? Name their ids, or a filter"),
        (["check"], "Which? Name their ids, or a filter"),
        (["discard", "--yes", "--reason", "old"], "Which? Name their ids, or a filter"),
        (["discard", "--flow", "profile_data", "--yes"], "Missing option '--reason'"),
        (["discard", "--flow", "profile_data", "--yes", "--reason", " "], "--reason is blank"),
    ],
    ids=as_typed,
)
def test_nothing_is_done_to_all_of_them_by_mistake_or_without_a_reason(
    words: list[str], said: str
) -> None:
    outcome = typed("dead-letters", *words)
    assert (outcome.returncode, outcome.stdout) == (2, "")
    assert said in outcome.stderr
    assert len(listed()) == len(OPEN)
