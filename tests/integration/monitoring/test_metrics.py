"""Metrics say what the tables say, and of what is away that it is away."""

from __future__ import annotations

import re
from itertools import pairwise

import pytest
from redis import Redis

from synctasks import dispatch, pauses
from synctasks.flows import FLOWS
from synctasks.flows.to_citizen.profile_data import PROFILE_DATA
from synctasks.flows.to_citizen.schemes import SCHEMES
from synctasks.monitoring import watch
from synctasks.monitoring.figures.signs import PROCESSES
from synctasks.monitoring.metrics.collector import ENDS, OUTCOMES
from synctasks.monitoring.metrics.families import METRICS, OF_FLOWS
from synctasks.monitoring.status import status
from synctasks.presence import WATCH
from tests.refreshing import carry, full_run
from tests.rows import Connection, add_record, execute, rows
from tests.scraping import OPENMETRICS, Scrape, rules, scrape

FLOW = "profile_data"

# A little of everything that somebody may have to look at.
_TROUBLE = """\
INSERT INTO synctasks.change_log (flow, lane, key, operation, captured_at, rests)
SELECT 'profile_data', 0, 'GR-' || number, 'update', clock_timestamp() - interval '1 hour', false
FROM generate_series(1, 3) AS numbered (number);
INSERT INTO synctasks.tick (at) VALUES (clock_timestamp() - interval '11 seconds');
INSERT INTO synctasks.waiting (flow, lane, unit, record, needs, since)
VALUES ('profile_data', 0, 'GR-7', 'GR-7', '{x}', clock_timestamp() - interval '2 hours');
INSERT INTO synctasks.dead_letter (flow, kind, unit, record, error)
VALUES
    ('profile_data', 'record', 'GR-SECRET', 'GR-SECRET', 'full_name SECRET'),
    ('unknown', 'task', '', 'SECRET', 'SECRET');
INSERT INTO synctasks.breaker (flow, side, reason) VALUES ('schemes', 'target', 'SECRET');
INSERT INTO synctasks.run (flow, kind, reason, state, done, found, started_at, finished_at)
VALUES ('profile_data', 'review', 'x', 'succeeded', 200, '{"stale": 12}', now(), now());
INSERT INTO synctasks.run (flow, reason, state, error, started_at, finished_at)
VALUES
    ('schemes', 'x', 'succeeded', NULL, 'epoch', 'epoch'::timestamptz + interval '60 s'),
    ('schemes', 'x', 'failed', 'SECRET', now() - interval '5 s', now()),
    ('schemes', 'x', 'failed', 'SECRET', now() - interval '2500 ms', now()),
    ('schemes', 'x', 'running', NULL, now(), NULL);
INSERT INTO synctasks.alert (name, about, reason)
VALUES ('slot missed', 'schemes', 'SECRET'), ('dead letters', '', 'SECRET');
INSERT INTO synctasks.alert (name, about, reason, resolved_at)
VALUES ('run failed', 'schemes', 'x', now());
"""

_ARRIVED = """\
INSERT INTO synctasks.heartbeat_arrived (direction, beat_at)
VALUES (%s, clock_timestamp() - interval '7 seconds')
"""


@pytest.fixture
def in_trouble(warehouse: Connection, citizen: Connection, broker: Redis) -> Scrape:
    """A scrape while there is something of everything."""
    execute(warehouse, _TROUBLE)
    execute(warehouse, _ARRIVED, ["to_warehouse"])
    execute(citizen, _ARRIVED, ["to_citizen"])
    pauses.pause(PROFILE_DATA, "test")
    execute(warehouse, "UPDATE synctasks.pause SET since = since - interval '1 minute'")
    broker.rpush("events", "a message", "another")
    watch._is_my_turn(15)
    return scrape()


def test_from_the_start_each_flow_has_all_its_series_and_they_are_0(
    databases: dict[str, str],
) -> None:
    found = scrape()
    flows = {flow.name for flow in FLOWS}
    for metric in (each.metric for each in OF_FLOWS):
        assert found.by_label(metric.name, "flow") == dict.fromkeys(flows, 0)
    for flow in flows:
        for outcome in OUTCOMES:
            assert found.value("synctasks_records_total", flow=flow, outcome=outcome) == 0
        for state in ENDS:
            assert found.value("synctasks_last_run_state", flow=flow, state=state) == 0
        assert found.value("synctasks_latency_seconds_bucket", flow=flow, le="10.0") == 0
        assert found.value("synctasks_latency_seconds_sum", flow=flow) == 0
        assert found.value("synctasks_last_run_success_timestamp_seconds", flow=flow) == 0
        assert found.value("synctasks_last_run_duration_seconds", flow=flow) == 0
    assert set(found.by_label("synctasks_up", "dependency").items()) == {
        ("warehouse", 1),
        ("citizen", 1),
        ("broker", 1),
    }
    assert found.by_label("synctasks_queue_messages", "queue") == dict.fromkeys(dispatch.QUEUES, 0)
    assert found.by_label("synctasks_heartbeat_age_seconds", "direction") == {}


def test_both_formats_say_the_same(in_trouble: Scrape) -> None:
    other = scrape(OPENMETRICS)
    assert other.text.endswith("# EOF\n")
    assert {each.documentation for each in other.metrics.values()} == {
        each.help for each in METRICS
    }
    assert set(other.metrics) == set(in_trouble.metrics)
    assert other.names == in_trouble.names
    assert other.counters() == in_trouble.counters()


def test_what_status_shows_the_metrics_say(in_trouble: Scrape) -> None:
    shown = status(FLOWS)["flows"]
    for name, entry in shown.items():
        for metric, figure in {
            "synctasks_pending_changes": "pending",
            "synctasks_resting_changes": "resting",
            "synctasks_waiting": "waiting",
            "synctasks_held_removals": "held",
            "synctasks_dead_letters_open": "dead_letters_open",
            "synctasks_review": "review",
            "synctasks_paused": "paused",
        }.items():
            assert in_trouble.value(metric, flow=name) == entry[figure]
        oldest = in_trouble.value("synctasks_oldest_pending_seconds", flow=name)
        assert oldest == pytest.approx(entry["oldest_pending_seconds"] or 0, abs=30)
    assert shown[FLOW]["pending"] == 3
    assert shown[FLOW]["oldest_pending_seconds"] > 3_600


def test_each_trouble_has_its_number(in_trouble: Scrape) -> None:
    value = in_trouble.value
    assert value("synctasks_oldest_waiting_seconds", flow=FLOW) == pytest.approx(7_200, abs=30)
    assert value("synctasks_dead_letters_open", flow=FLOW) == 1
    assert value("synctasks_refused_messages", database="warehouse") == 1
    assert value("synctasks_unbalanced_books", database="citizen") == 0
    assert value("synctasks_reviewed", flow=FLOW) == 200
    assert value("synctasks_paused_seconds", flow=FLOW) == pytest.approx(60, abs=30)
    assert in_trouble.by_label("synctasks_breaker_open", "flow") == {
        flow.name: flow is SCHEMES for flow in FLOWS
    }
    assert value("synctasks_run_active", flow="schemes") == 1
    assert value("synctasks_last_run_repeats", flow="schemes") == 2
    assert [value("synctasks_last_run_state", flow="schemes", state=each) for each in ENDS] == [
        0,
        0,
        0,
        1,
    ]
    assert value("synctasks_last_run_duration_seconds", flow="schemes") == 2.5
    assert value("synctasks_last_run_success_timestamp_seconds", flow="schemes") == 60
    assert value("synctasks_queue_messages", queue="events") == 2
    for direction in ("to_citizen", "to_warehouse"):
        age = value("synctasks_heartbeat_age_seconds", direction=direction)
        assert age == pytest.approx(7, abs=6)
    assert value("synctasks_alert_firing", alert="slot missed", about="schemes") == 1
    assert value("synctasks_alert_firing", alert="dead letters", about="") == 1
    assert value("synctasks_alert_firing", alert="run failed", about="schemes") is None
    ages = in_trouble.by_label("synctasks_presence_age_seconds", "process")
    assert set(ages) == {*PROCESSES, WATCH}
    assert ages[WATCH] < ages["listener"]


def test_a_change_that_is_late_is_none_while_its_flow_is_paused(
    in_trouble: Scrape, warehouse: Connection
) -> None:
    assert in_trouble.value("synctasks_late_pending_seconds", flow=FLOW) == 0
    execute(warehouse, "DELETE FROM synctasks.pause")
    execute(warehouse, "UPDATE synctasks.tick SET snapshot = pg_current_snapshot()")
    late = scrape().value("synctasks_late_pending_seconds", flow=FLOW)
    assert late == pytest.approx(3_600, abs=60)


def test_keys_errors_and_reasons_are_in_no_metric(in_trouble: Scrape) -> None:
    assert "GR-" not in in_trouble.text
    assert "SECRET" not in in_trouble.text


def test_whatever_a_rule_asks_for_a_scrape_has(in_trouble: Scrape, warehouse: Connection) -> None:
    for rule in rules():
        asked = set(re.findall(r"\bsynctasks_\w+", rule["expr"]))
        assert asked
        assert asked <= in_trouble.names, rule["alert"]
        for label, said in re.findall(r'(\w+)="([^"]+)"', rule["expr"]):
            assert f'{label}="{said}"' in in_trouble.text, rule["alert"]


def test_labels_have_few_values(in_trouble: Scrape) -> None:
    for each in METRICS:
        family = in_trouble.metrics[each.name.removesuffix("_total")]
        labels = {label for sample in family.samples for label in sample.labels}
        assert labels - {"le"} == set(each.labels)
        assert len(family.samples) <= len(FLOWS) * 16


def test_full_runs_and_drains_are_counted_by_what_became_of_each_record(
    warehouse: Connection,
) -> None:
    add_record(warehouse, "GR-1")
    carry()
    full_run(warehouse)
    add_record(warehouse, "GR-2", gender="?")
    carry()
    execute(warehouse, "DELETE FROM golden_records WHERE gr_id = 'GR-1'")
    carry()
    found = scrape()
    counts = {
        outcome: found.value("synctasks_records_total", flow=FLOW, outcome=outcome)
        for outcome in OUTCOMES
    }
    assert {outcome: count for outcome, count in counts.items() if count} == {
        "written": 1,
        "unchanged": 1,
        "rejected": 1,
        "removed": 1,
    }
    [taken] = rows(warehouse, "SELECT sum(taken)::float FROM synctasks.history")
    assert found.value("synctasks_latency_seconds_count", flow=FLOW) == taken == 3
    below = found.by_label("synctasks_latency_seconds_bucket", "le")
    assert all(low <= high for low, high in pairwise(below.values()))
