"""The conditions of what all flows need, and what nobody can say while something is away."""

from __future__ import annotations

from datetime import timedelta

import pytest

from synctasks.errors import TransientError
from synctasks.flow import Database
from synctasks.monitoring.alerts.condition import Condition
from synctasks.monitoring.alerts.of_all import of_all, unseen
from synctasks.monitoring.alerts.store import home
from synctasks.monitoring.surroundings import Surroundings
from synctasks.monitoring.thresholds import DEFAULTS
from tests.figures import EVERYBODY, around, entry, figures

WORKERS = ("worker events", "worker batch", "worker control", "worker dlq")
GONE = TransientError("it does not answer")


def found(surroundings: Surroundings) -> list[tuple[str, str]]:
    return [(each.name, each.about) for each in of_all(surroundings, DEFAULTS)]


def letters(**open_by_flow: int) -> Surroundings:
    flows = {name: entry(dead_letters_open=count) for name, count in open_by_flow.items()}
    half = len(flows) // 2
    parts = dict(list(flows.items())[:half]), dict(list(flows.items())[half:])
    return around(*(figures(*each) for each in zip(Database, parts, strict=True)))


def test_where_all_is_well_nothing_is_found() -> None:
    assert found(around(heartbeats={"to_citizen": 30.0, "to_warehouse": 0.1})) == []


def test_dead_letters_are_counted_over_all_flows() -> None:
    assert found(letters(schemes=500, ml_alerts=500)) == []
    [condition] = of_all(letters(schemes=1, a=2, golden_records=500, ml_alerts=498), DEFAULTS)
    assert (condition.name, condition.about) == ("dead letters", "")
    assert "1,001 dead letters are open, more than 1,000" in condition.reason
    assert "(golden_records 500, ml_alerts 498, a 2)" in condition.reason


def test_refused_messages_and_books_that_do_not_add_up() -> None:
    wrong = [figures(database, refused=1, unbalanced=2) for database in Database]
    assert found(around(*wrong)) == [
        ("messages refused", "unknown"),
        ("books out of balance", "warehouse"),
        ("books out of balance", "citizen"),
    ]


def test_what_does_not_answer_is_away_with_its_reason() -> None:
    [condition] = of_all(around(away={"broker": GONE}), DEFAULTS)
    assert (condition.name, condition.about, condition.reason) == ("away", "broker", str(GONE))


@pytest.mark.parametrize(
    ("process", "limit"), [("listener", 30), ("beat", 60), *((each, 120) for each in WORKERS)]
)
def test_a_process_of_which_nothing_is_heard_is_named(process: str, limit: int) -> None:
    def silent_for(seconds: float) -> Surroundings:
        heard = {**EVERYBODY, process: seconds}
        return around(*(figures(database, presence=heard) for database in Database))

    assert found(silent_for(limit)) == []
    [condition] = of_all(silent_for(limit + 1), DEFAULTS)
    assert (condition.name, condition.about) == ("no heartbeat", process)
    assert f"longer than {limit} s" in condition.reason


def test_who_was_never_heard_of_is_silent_since_the_installation() -> None:
    def installed(seconds: int) -> Surroundings:
        ago = timedelta(seconds=seconds)
        made = [figures(each, presence={}, installed_ago=ago) for each in Database]
        return around(*made)

    assert found(installed(30)) == []
    assert found(installed(59)) == [("no heartbeat", "listener")]
    assert found(installed(61)) == [("no heartbeat", "listener"), ("no heartbeat", "beat")]


def test_each_database_has_a_listener_and_one_note_of_the_others_is_enough() -> None:
    silent = {**EVERYBODY, "listener": 99.0, "beat": 999.0, "worker events": 999.0}
    one = around(figures(presence=silent), figures(Database.CITIZEN))
    assert found(one) == [("no heartbeat", "listener")]


def test_without_a_listener_nobody_asks_the_workers() -> None:
    heard = {"listener": 31.0, "beat": 61.0}
    alone = around(*(figures(each, presence=heard) for each in Database))
    assert found(alone) == [("no heartbeat", "listener"), ("no heartbeat", "beat")]
    # A worker that was silent before may be so still.
    assert unseen(alone, DEFAULTS) == ("no heartbeat",)


def test_without_the_broker_nobody_asks_them_either() -> None:
    heard = {"listener": 1.0, "beat": 1.0}
    made = [figures(each, presence=heard) for each in Database]
    assert found(around(*made, away={"broker": GONE})) == [("away", "broker")]
    assert {about for _, about in found(around(*made))} == set(WORKERS)


def test_a_heartbeat_is_late_by_direction() -> None:
    late = around(heartbeats={"to_citizen": 31.0, "to_warehouse": 30.0})
    [condition] = of_all(late, DEFAULTS)
    assert (condition.name, condition.about) == ("heartbeat late", "to_citizen")
    assert "sent 31.0 s ago, more than 30 s" in condition.reason


def test_a_heartbeat_that_never_arrived_is_late_since_both_were_installed() -> None:
    def installed(*seconds: int) -> Surroundings:
        ages = [timedelta(seconds=each) for each in seconds]
        pairs = zip(Database, ages, strict=True)
        made = [figures(database, installed_ago=age) for database, age in pairs]
        return around(*made, heartbeats={"to_citizen": None, "to_warehouse": 1.0})

    assert found(installed(999, 30)) == []
    assert found(installed(999, 31)) == [("heartbeat late", "to_citizen")]


def test_with_a_database_away_the_rest_is_judged_and_what_needs_both_does_not_end() -> None:
    one = around(figures(presence={**EVERYBODY, "beat": 61.0}), away={"citizen": GONE})
    assert found(one) == [("away", "citizen"), ("no heartbeat", "beat")]
    assert set(unseen(one, DEFAULTS)) == {"dead letters", "heartbeat late", "no heartbeat"}
    assert unseen(around(), DEFAULTS) == ()


def test_with_both_away_only_that_is_said() -> None:
    both = Surroundings([], {}, {str(each): GONE for each in Database})
    assert found(both) == [("away", "warehouse"), ("away", "citizen")]


def test_an_alert_is_kept_where_it_can_be_seen() -> None:
    def at(name: str, about: str) -> Database:
        return home(Condition(name, about, "why"))

    assert at("removals held", "profile_data") is Database.WAREHOUSE
    assert at("removals held", "golden_records") is Database.CITIZEN
    assert at("books out of balance", "citizen") is Database.CITIZEN
    assert at("away", "citizen") is Database.WAREHOUSE
    assert at("away", "warehouse") is Database.CITIZEN
    assert at("away", "broker") is Database.WAREHOUSE
    assert at("dead letters", "") is Database.WAREHOUSE
