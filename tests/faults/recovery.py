"""How long everything takes to arrive after a fault has ended."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

from synctasks.embedded.waiting import wait_until
from tests.faults.ground import CITIZEN, WAREHOUSE, Ground
from tests.rows import PERSON, Connection, execute, insert, value

# A document whose citizen is not verified has not to arrive: it waits, by rule. A comment rests,
# and what a slot has released was pending before.
_HIGHEST = "SELECT coalesce(max(id), 0) FROM synctasks.change_log"
_LEFT = """\
SELECT string_agg(format('%%s of %%s', changes, flow), ', ')
FROM (
    SELECT flow, count(*) AS changes
    FROM synctasks.change_log AS change
    WHERE id <= %s AND NOT rests AND flow !~ '^heartbeat'
        AND (origin <> 'captured' OR run IS NULL) AND NOT EXISTS (
        SELECT FROM synctasks.waiting WHERE flow = change.flow AND unit = change.key
    )
    GROUP BY flow
) AS pending
"""
_MARK_CITIZEN = """\
INSERT INTO citizens (
    id, aadhaar_number, full_name, city, verification_status, created_at, updated_at
)
VALUES (
    '6f3e1f0a-3c53-4d0e-9f53-0d5a3a0b9a01', '900000999999', 'Marked Citizen', %s, 'verified',
    clock_timestamp(), clock_timestamp()
)
ON CONFLICT (id) DO UPDATE SET city = EXCLUDED.city, updated_at = EXCLUDED.updated_at
"""
_NUMBERS = itertools.count(1)


@dataclass(frozen=True)
class Marker:
    """A row that is written at one side; `arrived` says whether the other side shows it."""

    source: str
    target: str
    write: Callable[[Connection, int], None]
    arrived: str


def _mark_record(warehouse: Connection, number: int) -> None:
    execute(warehouse, "DELETE FROM golden_records WHERE gr_id LIKE 'GR-MARK-%%'")
    now = value(warehouse, "SELECT clock_timestamp()")
    person = {**PERSON, "updated_at": now, "gr_id": f"GR-MARK-{number}"}
    insert(warehouse, "golden_records", person)


def _mark_citizen(portal: Connection, number: int) -> None:
    execute(portal, _MARK_CITIZEN, (f"m{number:09}",))


MARKERS = (
    Marker(
        WAREHOUSE,
        CITIZEN,
        _mark_record,
        "SELECT EXISTS (SELECT FROM profile_data WHERE record_id = 'GR-MARK-' || %s)",
    ),
    Marker(
        CITIZEN,
        WAREHOUSE,
        _mark_citizen,
        "SELECT EXISTS (SELECT FROM golden_records WHERE jan_aadhaar = '900000999999' "
        "AND city_village = 'm' || lpad(%s::text, 9, '0'))",
    ),
)


def await_recovery(ground: Ground, timeout: float) -> float:
    """Wait until all that is pending now, and a row written now, have arrived; the seconds.

    In each direction that there is. Raises TimeoutError, naming what has not arrived.
    """
    began = time.monotonic()
    pending = {side: _ask(ground, side, _HIGHEST) for side in (WAREHOUSE, CITIZEN)}
    await_markers(ground, timeout)
    for side, highest in pending.items():
        _await_none_left(ground, side, highest, timeout - (time.monotonic() - began))
    return time.monotonic() - began


def await_markers(ground: Ground, timeout: float) -> None:
    """Write a row at each side, and wait until the other side has it. Raises TimeoutError."""
    until, number = time.monotonic() + timeout, next(_NUMBERS)
    for marker in MARKERS:
        with ground.at(marker.source) as connection:
            marker.write(connection, number)
    for marker in MARKERS:
        wait_until(
            partial(_ask, ground, marker.target, marker.arrived, number),
            until - time.monotonic(),
            f"a row written at {marker.source} to arrive",
        )


def _await_none_left(ground: Ground, side: str, highest: int, timeout: float) -> None:
    def none_left() -> bool:
        return not _ask(ground, side, _LEFT, highest)

    try:
        wait_until(none_left, timeout, f"what was pending at {side} when the fault ended")
    except TimeoutError as error:
        raise TimeoutError(f"{error}: {_ask(ground, side, _LEFT, highest)}") from error


def _ask(ground: Ground, side: str, question: str, *parameters: object) -> Any:
    with ground.at(side) as connection:
        return value(connection, question, parameters)
