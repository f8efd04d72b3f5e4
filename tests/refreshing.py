"""A worker in this thread: full runs and drains step by step, and what came of them."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from synctasks.capture.change_log import lane_count
from synctasks.database import transaction
from synctasks.embedded.waiting import wait_until
from synctasks.engine import refresh
from synctasks.engine.drain import drain
from synctasks.errors import LaneBusy
from synctasks.flow import Flow
from synctasks.flows.to_citizen.profile_data import PROFILE_DATA
from tests.rows import Connection, execute, rows, value

BOXES = ("written", "unchanged", "filtered", "deferred", "rejected", "waiting", "superseded")
COUNTS = ("read", *BOXES, "removed")
_ENDED = ("succeeded", "guarded", "stopped", "failed")

Run = dict[str, Any]

_RUN = "SELECT to_jsonb(run) FROM synctasks.run WHERE id = %s"
_SUMS = f"""\
SELECT {", ".join(f"coalesce(sum({count}), 0)::bigint" for count in COUNTS)}
FROM synctasks.chunk
WHERE run = %s
"""
_ADD = """\
INSERT INTO golden_records (
    gr_id, family_id, jan_aadhaar, full_name, district_id, city_village, mobile_number, email,
    updated_at
)
SELECT
    'GR-' || lpad(number::text, 6, '0'), '7d444840-9dc0-41e0-9a5b-30d4c2f5c8a1',
    lpad(number::text, 12, '2'), 'Asha Devi', 8, 'Jaipur', '9876543210',
    number || '@example.com', clock_timestamp()
FROM generate_series(%(first)s, %(last)s) AS numbered (number)
"""
_TRIGGERS = """\
SELECT tgname
FROM pg_trigger
WHERE tgrelid = 'golden_records'::regclass AND NOT tgisinternal
"""


def key(number: int) -> str:
    """The key of a record of `add_records`; they sort as their numbers do."""
    return f"GR-{number:06}"


def add_records(warehouse: Connection, first: int, last: int) -> None:
    """Valid golden records of these numbers, by one statement."""
    execute(warehouse, _ADD, {"first": first, "last": last})


def remove(warehouse: Connection, first: int, last: int) -> list[str]:
    """Delete the records of these numbers by one statement; their keys."""
    keys = [key(number) for number in range(first, last + 1)]
    execute(warehouse, "DELETE FROM golden_records WHERE gr_id = ANY (%s)", [keys])
    return keys


def fill_both(warehouse: Connection, count: int) -> None:
    """So many records on both sides, and nothing in the history."""
    with unseen(warehouse):
        add_records(warehouse, 1, count)
    full_run(warehouse)
    execute(warehouse, "DELETE FROM synctasks.run")


@contextmanager
def unseen(warehouse: Connection) -> Iterator[None]:
    """What is done to the golden records in the block, no trigger sees."""
    names = rows(warehouse, _TRIGGERS)
    execute(warehouse, "ALTER TABLE golden_records DISABLE TRIGGER USER")
    try:
        yield
    finally:
        for name in names:
            execute(warehouse, f"ALTER TABLE golden_records ENABLE ALWAYS TRIGGER {name}")


def step(flow: Flow = PROFILE_DATA) -> bool:
    """Take one step of the flow's full run; False if there is none to take."""
    return refresh.step(flow, lane_count(flow)) is not None


def finish(flow: Flow = PROFILE_DATA) -> None:
    """Take steps until there is none left."""
    while step(flow):
        pass


def carry(flow: Flow = PROFILE_DATA) -> None:
    """Work off everything that is pending now."""
    for lane in range(lane_count(flow)):
        while drain(flow, lane):
            pass


def full_run(
    warehouse: Connection, flow: Flow = PROFILE_DATA, *, accepts_shrink: bool = False
) -> Run:
    """Ask for a full run, take all its steps, and return its row; its books balance."""
    asked = refresh.request(flow, "test", accepts_shrink=accepts_shrink)
    wait_until(lambda: _ends(warehouse, flow, asked), 60, "the run to end")
    return run_of(warehouse, asked)


def _ends(warehouse: Connection, flow: Flow, run: int) -> bool:
    """Take all steps that there are, as others may hold a lane now and then."""
    finish(flow)
    return value(warehouse, "SELECT state FROM synctasks.run WHERE id = %s", [run]) in _ENDED


def run_of(warehouse: Connection, run: int) -> Run:
    """A run's row, its books checked: they balance, and are the sums of its chunks'."""
    found: Run = value(warehouse, _RUN, [run])
    assert found["read"] == sum(found[box] for box in BOXES), found
    if found["kind"] == "full" and found["state"] in _ENDED:
        assert tuple(found[count] for count in COUNTS) == value(warehouse, _SUMS, [run]), found
    return found


def books(run: Run) -> dict[str, int]:
    """The counts of a run that are not 0."""
    return {count: run[count] for count in COUNTS if run[count]}


def phases(warehouse: Connection, run: Run) -> set[str]:
    """The phases that a run's chunks were of."""
    return set(rows(warehouse, "SELECT phase FROM synctasks.chunk WHERE run = %s", [run["id"]]))


def versions(
    connection: Connection, table: str = "profile_data", key: str = "record_id"
) -> dict[str, str]:
    """The rows' versions by key: one that was written anew, even as it was, has another."""
    return dict(rows(connection, f"SELECT {key}, xmin || ' ' || ctid::text FROM {table}"))


def held(warehouse: Connection) -> list[str]:
    """The keys whose removals are held."""
    return rows(warehouse, "SELECT key FROM synctasks.held ORDER BY key")


@contextmanager
def drains(flow: Flow = PROFILE_DATA) -> Iterator[None]:
    """Somebody else who drains all the time, until the block ends."""
    stop = threading.Event()
    failures: list[BaseException] = []

    def work() -> None:
        try:
            while not stop.wait(0.01):
                for lane in _pending_lanes(flow):
                    _drain_once(flow, lane)
        except BaseException as failure:  # noqa: BLE001 - raised again where the block ends
            failures.append(failure)

    thread = threading.Thread(target=work, name="drains")
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join(30)
    if failures:
        raise failures[0]


def _pending_lanes(flow: Flow) -> list[int]:
    statement = "SELECT DISTINCT lane FROM synctasks.change_log WHERE flow = %(flow)s"
    with transaction(flow.source.database) as source:
        return [lane for (lane,) in source.rows(statement, {"flow": flow.name})]


def _drain_once(flow: Flow, lane: int) -> None:
    try:
        drain(flow, lane)
    except LaneBusy:
        # As a worker would: somebody is at it, and this one comes again.
        return
