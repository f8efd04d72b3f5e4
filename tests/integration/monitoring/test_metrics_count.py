"""Counters are the books, whoever works, closes minutes or purges them meanwhile."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from typing import Any

from synctasks import ledger
from synctasks.capture.change_log import lane_count
from synctasks.counts import BOXES, COUNTS
from synctasks.database import transaction
from synctasks.embedded.waiting import wait_until
from synctasks.engine.drain import drain
from synctasks.errors import LaneBusy
from synctasks.flow import Database
from synctasks.flows.to_citizen.profile_data import PROFILE_DATA
from synctasks.monitoring.metrics.collector import OUTCOMES
from tests.refreshing import add_records, carry
from tests.rows import Connection, execute, rows, value
from tests.scraping import Scrape, scrape

# As if all that was done so far had been done days ago.
_LONG_AGO = """\
UPDATE synctasks.history SET minute = minute - interval '2 days';
UPDATE synctasks.installation SET closed_through = closed_through - interval '3 days';
"""

_BOOKS = f"""\
SELECT {", ".join(f"coalesce(sum({each}), 0)::bigint" for each in (*COUNTS, "taken"))}
FROM synctasks.history
"""


def books(warehouse: Connection) -> dict[str, int]:
    """All that stands in the history, whether its minutes are closed or not."""
    return dict(zip((*COUNTS, "taken"), value(warehouse, _BOOKS), strict=True))


def counted(found: Scrape) -> dict[str, Any]:
    """The same as metrics say it."""
    flow = PROFILE_DATA.name
    said = {
        outcome: found.value("synctasks_records_total", flow=flow, outcome=outcome)
        for outcome in OUTCOMES
    }
    read = sum(said[box] or 0 for box in BOXES)
    return {
        "read": read,
        **said,
        "taken": found.value("synctasks_latency_seconds_count", flow=flow),
    }


def work(lane: int) -> None:
    """One drain of a lane, as a worker would."""
    try:
        drain(PROFILE_DATA, lane)
    except LaneBusy:
        return


def test_counters_are_the_books_and_never_go_back_while_many_work(warehouse: Connection) -> None:
    add_records(warehouse, 1, 100)
    carry()
    execute(warehouse, _LONG_AGO)
    add_records(warehouse, 101, 400)
    over = threading.Event()
    scrapes = [scrape()]

    def watch() -> None:
        while not over.is_set():
            scrapes.append(scrape())

    def close() -> None:
        with transaction(Database.WAREHOUSE) as tx:
            ledger.close(tx)

    with ThreadPoolExecutor(5) as threads:
        watching = threads.submit(watch)
        lanes = [lane for lane in range(lane_count(PROFILE_DATA)) for _ in range(3)]
        done = [threads.submit(work, lane) for lane in lanes]
        done += [threads.submit(close) for _ in range(5)]
        for each in done:
            each.result()
        wait_until(lambda: len(scrapes) > 3, 20, "some scrapes")
        over.set()
        watching.result()
    carry()
    scrapes.append(scrape())

    assert counted(scrapes[0])["written"] == 100
    assert value(warehouse, "SELECT written FROM synctasks.total") == 100
    assert counted(scrapes[-1]) == books(warehouse)
    # Not all of them written: who settles a change may have found it written by another.
    assert counted(scrapes[-1])["read"] == counted(scrapes[-1])["taken"] == 400
    for before, after in pairwise(scrapes):
        later = after.counters()
        assert all(later[series] >= was for series, was in before.counters().items())


def test_what_is_purged_stays_counted(warehouse: Connection) -> None:
    add_records(warehouse, 1, 10)
    carry()
    execute(warehouse, _LONG_AGO)
    for _ in range(4):
        with transaction(Database.WAREHOUSE) as tx:
            ledger.close(tx)
    before = scrape()
    execute(warehouse, "UPDATE synctasks.history SET minute = minute - interval '100 days'")
    ledger.purge(Database.WAREHOUSE)
    assert rows(warehouse, "SELECT FROM synctasks.history") == []
    assert counted(before)["written"] == 10
    assert scrape().counters() == before.counters()
