"""How long everything takes to arrive after a fault has ended."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable
from dataclasses import dataclass

from synctasks.embedded.waiting import wait_until
from tests.faults.ground import CITIZEN, WAREHOUSE, Ground
from tests.rows import PERSON, Connection, execute, insert, value

_HIGHEST = "SELECT coalesce(max(id), 0) FROM synctasks.change_log"
_LEFT = "SELECT EXISTS (SELECT FROM synctasks.change_log WHERE id <= %s)"
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


MARKERS = (
    Marker(
        WAREHOUSE,
        CITIZEN,
        _mark_record,
        "SELECT EXISTS (SELECT FROM profile_data WHERE record_id = 'GR-MARK-' || %s)",
    ),
)


def await_recovery(ground: Ground, timeout: float) -> float:
    """Wait until all that is pending now, and a row written now, have arrived; the seconds.

    In each direction that there is. Raises TimeoutError, naming what has not arrived.
    """
    began = time.monotonic()
    number = next(_NUMBERS)
    pending = {side: _ask(ground, side, _HIGHEST) for side in (WAREHOUSE, CITIZEN)}
    for marker in MARKERS:
        with ground.at(marker.source) as connection:
            marker.write(connection, number)
    for marker in MARKERS:
        wait_until(
            lambda marker=marker: _ask(ground, marker.target, marker.arrived, number),  # type: ignore[misc]
            timeout - (time.monotonic() - began),
            f"a row written after the fault to arrive at {marker.target}",
        )
    for side, highest in pending.items():
        wait_until(
            lambda side=side, highest=highest: not _ask(ground, side, _LEFT, highest),  # type: ignore[misc]
            timeout - (time.monotonic() - began),
            f"what was pending at {side} when the fault ended",
        )
    return time.monotonic() - began


def _ask(ground: Ground, side: str, question: str, *parameters: object) -> int:
    with ground.at(side) as connection:
        return int(value(connection, question, parameters))
