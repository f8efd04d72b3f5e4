"""A flow synced in this thread, by its events or by a full run, and the books of it."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from synctasks.flow import Flow
from tests.refreshing import BOXES, COUNTS, books, carry, full_run
from tests.rows import Connection, execute, rows

_SINCE = f"""\
SELECT
    coalesce(sum(taken - units - coalesced), 0)::bigint,
    coalesce(sum(units), 0)::bigint,
    {", ".join(f"coalesce(sum({count}), 0)::bigint" for count in COUNTS)}
FROM synctasks.history
WHERE flow = %s
"""

Sync = Callable[[Connection, Flow], dict[str, int]]


def by_events(source: Connection, flow: Flow) -> dict[str, int]:
    """Work off what is due now; the counts that are not 0. These books balance."""
    execute(source, "DELETE FROM synctasks.history WHERE flow = %s", [flow.name])
    carry(flow)
    [(unbalanced, units, *counts)] = rows(source, _SINCE, [flow.name])
    found = dict(zip(COUNTS, counts, strict=True))
    assert unbalanced == 0
    assert found["read"] == sum(found[box] for box in BOXES)
    # A unit is one record, or none where it is gone; a wide one may have any number of them.
    assert flow.wide or found["read"] <= units
    return {count: number for count, number in found.items() if number}


def by_full_run(source: Connection, flow: Flow) -> dict[str, int]:
    """A full run as if no event had been seen; the counts that are not 0. These books balance."""
    execute(source, "DELETE FROM synctasks.change_log WHERE flow = %s", [flow.name])
    run = full_run(source, flow)
    assert run["state"] == "succeeded", run
    return books(run)


either_way = pytest.mark.parametrize("sync", [by_events, by_full_run], ids=["events", "full run"])


def pending(source: Connection, flow: Flow) -> list[tuple[str, str]]:
    """The changes of a flow that are in the change log, due or not: (key, origin), oldest first."""
    return rows(
        source,
        "SELECT key, origin FROM synctasks.change_log WHERE flow = %s ORDER BY id",
        [flow.name],
    )
