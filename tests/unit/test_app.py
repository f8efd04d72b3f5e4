"""What the Celery app derives from the declarations."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from celery import Celery
from celery.utils.time import get_exponential_backoff_interval

from synctasks import tasks
from synctasks.flow import Duty
from synctasks.flows import ALL_FLOWS, FLOWS


@pytest.fixture(scope="module")
def app(environment: dict[str, str]) -> Celery:
    assert environment, "the app reads its broker's URL when it is imported"
    from synctasks.app import make_app

    return make_app()


def test_every_flow_has_its_three_tasks_on_their_queues(app: Celery) -> None:
    for flow in FLOWS:
        queues = {"sync": "control", "drain": "events", "refresh": "batch"}
        for prefix, queue in queues.items():
            name = f"{prefix}.{flow.name}"
            assert name in app.tasks
            assert app.amqp.router.route({}, name)["queue"].name == queue


def test_verify_and_review_of_the_flows_that_have_them_are_batch_work(app: Celery) -> None:
    verified = {flow.name for flow in ALL_FLOWS if flow.capture}
    reviewed = {"schemes", "profile_data", "profile_summary"}
    for prefix, names in (("verify", verified), ("review", reviewed)):
        assert {each.partition(".")[2] for each in app.tasks if each.startswith(prefix)} == names
        for name in names:
            assert app.amqp.router.route({}, f"{prefix}.{name}")["queue"].name == "batch"


def test_beat_knocks_at_two_for_each_verify_and_at_three_for_each_review(app: Celery) -> None:
    for flow in FLOWS:
        for duty, hour in ((Duty.VERIFY, 2), (Duty.REVIEW, 3)):
            entry = app.conf.beat_schedule.get(f"{flow.name} {duty}")
            assert (entry is not None) == (duty in flow.duties)
            if entry:
                assert (entry["task"], entry["kwargs"]) == ("control.knock", {"flow": flow.name})
                schedule = entry["schedule"]
                assert (schedule.hour, schedule.minute) == ({hour}, {0})


def test_each_queue_gets_its_own_messages_only(app: Celery) -> None:
    queues = app.amqp.queues
    assert set(queues) == {"events", "batch", "control", "dlq"}
    for name, queue in queues.items():
        assert (queue.exchange.name, queue.routing_key) == (name, name)


def test_the_ladder_waits_1_2_4_8_8_seconds_and_ends(app: Celery) -> None:
    for flow in FLOWS:
        task = app.tasks[f"drain.{flow.name}"]
        waits = [
            get_exponential_backoff_interval(
                factor=task.retry_backoff,
                retries=retry,
                maximum=task.retry_backoff_max,
                full_jitter=task.retry_jitter,
            )
            for retry in range(task.max_retries)
        ]
        assert waits == [1, 2, 4, 8, 8]
        assert task.autoretry_for == tasks.RETRY["autoretry_for"]


def test_beat_knocks_for_profile_data_at_half_past_midnight_utc(app: Celery) -> None:
    entry = app.conf.beat_schedule["profile_data"]
    assert (entry["task"], entry["kwargs"]) == ("control.knock", {"flow": "profile_data"})
    schedule = entry["schedule"]
    midnight = datetime(2026, 3, 1, tzinfo=UTC)
    schedule.nowfun = lambda: midnight + timedelta(minutes=30)
    assert schedule.is_due(midnight - timedelta(hours=23, minutes=30)).is_due
    schedule.nowfun = lambda: midnight + timedelta(minutes=29, seconds=59)
    assert not schedule.is_due(midnight - timedelta(hours=23, minutes=30)).is_due
