"""Promise 2: a newer state of a record is never overwritten by an older one."""

from __future__ import annotations

import time

from synctasks.embedded.waiting import wait_until
from tests.acceptance.obstacles import slow_portal
from tests.acceptance.system import System
from tests.acceptance.traffic import Traffic, Watch
from tests.rows import execute

SECONDS = 15
# A full run is asked for that often, whether or not one is under way.
ASK_SECONDS = 0.05

# Each row's writing takes a while: time to be overtaken between reading and writing.
WRITING_SECONDS = 0.003

# Records that nobody writes: so many that what the traffic deletes in ten minutes is less than
# a fifth, and the guard of removals lets it go.
_BYSTANDERS = """\
INSERT INTO golden_records (gr_id, full_name, city_village, updated_at)
SELECT 'GR-X-' || number, 'Bystander', 'Jaipur', clock_timestamp()
FROM generate_series(1, 30000) AS numbered (number)
"""

_RUNS = "SELECT count(*) FROM synctasks.run WHERE finished_at IS NOT NULL"


def test_the_portal_never_goes_back_while_refreshes_and_events_race(system: System) -> None:
    with system.warehouse() as warehouse:
        execute(warehouse, _BYSTANDERS)
    system.start("second worker")
    system.quiesce()
    with (
        slow_portal(system, WRITING_SECONDS),
        Traffic(system.environment["SYNCTASKS_WAREHOUSE_URL"], writers=4) as traffic,
        Watch(system.environment["SYNCTASKS_CITIZEN_URL"]) as watch,
    ):
        until = time.monotonic() + SECONDS
        while time.monotonic() < until:
            system.send("sync.profile_data", "control")
            time.sleep(ASK_SECONDS)
    assert watch.setbacks == []
    _await_idle_workers(system)
    system.quiesce()
    system.agree()
    _it_was_a_race(system, traffic, watch)


def _await_idle_workers(system: System) -> None:
    """Wait until all that was asked for is answered: whoever follows a run asks for none."""
    with system.broker() as broker:
        wait_until(
            lambda: not broker.llen("control") and not broker.hlen("unacked"), 30, "idle workers"
        )


def _it_was_a_race(system: System, traffic: Traffic, watch: Watch) -> None:
    """Enough went on at once for the test to mean something."""
    bad = "SELECT state, error FROM synctasks.run WHERE state <> 'succeeded'"
    assert system.at_warehouse(bad) == []
    [runs] = system.at_warehouse(_RUNS)
    [units] = system.at_warehouse(
        "SELECT sum(units) FROM synctasks.history WHERE flow !~ '^heartbeat'"
    )
    told = f"{runs} runs, {units} units, {traffic.writes} writes, {watch.samples} samples"
    assert runs >= 5, told
    assert units > traffic.writes / 10, told
    assert watch.samples > 10 * SECONDS, told
