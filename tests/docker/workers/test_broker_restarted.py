"""The broker restarted in the middle of a task, with and without its messages."""

from __future__ import annotations

import pytest
from pytest_celery import CeleryTestSetup
from redis import Redis

from synctasks.embedded.waiting import wait_until
from tests.acceptance.obstacles import MERGING, hurry, slow_down
from tests.docker.workers.arriving import all_arrives, no_letters, the_same
from tests.rows import Connection, add_record, names_at_portal, value

pytestmark = pytest.mark.usefixtures("listener")


# What the worker says when it has tried in vain: by then the broker's name leads nowhere.
_IN_VAIN = "Trying again in 4.00 seconds"


@pytest.mark.parametrize("keeps", [True, False], ids=["keeps all", "loses all"])
def test_the_broker_is_restarted_in_the_middle_of_a_task(
    warehouse: Connection,
    citizen: Connection,
    broker: Redis,
    celery_setup: CeleryTestSetup,
    keeps: bool,
) -> None:
    worker, node = celery_setup.worker, celery_setup.broker
    with the_same(worker):
        slow_down(citizen, 2.0)
        add_record(warehouse, "GR-1")
        wait_until(lambda: value(citizen, MERGING) >= 1, 20, "a task at work")
        broker.set("mark", 1)
        if not keeps:
            node.container.lose_all()
            node.kill()
            worker.wait_for_log(_IN_VAIN)
        node.restart()
        assert bool(broker.exists("mark")) is keeps
        add_record(warehouse, "GR-2")
        hurry(citizen)
        all_arrives(warehouse, citizen, worker)
        assert set(names_at_portal(citizen)) == {"GR-1", "GR-2"}
        wait_until(lambda: answers(celery_setup) == {worker.hostname()}, 30, "its answer")
    assert no_letters(warehouse, citizen)


def answers(setup: CeleryTestSetup) -> set[str]:
    """Who answers a ping."""
    return set(setup.app.control.inspect(timeout=2).ping() or {})
