"""The databases under the machine: emptied for each of its lives, with a counter of our own."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from psycopg2.errors import LockNotAvailable

from synctasks.capture.change_log import lane_count
from synctasks.database import transaction
from synctasks.flow import Flow
from synctasks.flows.to_citizen.profile_data import PROFILE_DATA
from synctasks.lane import lane_sql
from tests.emptied import empty_tables
from tests.integration.machine.worker import Worker
from tests.rows import Connection, execute, rows

FLOW: Flow = PROFILE_DATA

# Counts what is forgotten in the transaction that forgets it, independently of the books.
_COUNTER = """\
CREATE TABLE public.forgotten (changes bigint NOT NULL);

CREATE FUNCTION public.count_forgotten() RETURNS trigger
LANGUAGE plpgsql
AS $body$
BEGIN
    INSERT INTO public.forgotten SELECT count(*) FROM old_rows;
    RETURN NULL;
END
$body$;

CREATE TRIGGER count_forgotten
AFTER DELETE ON synctasks.change_log
REFERENCING OLD TABLE AS old_rows
FOR EACH STATEMENT
EXECUTE FUNCTION public.count_forgotten();
"""

_EMPTY_COUNTER = "TRUNCATE public.forgotten"

# Two keys in each of two lanes: enough to collide all the time.
_KEYS = f"""\
SELECT key
FROM (
    SELECT key, lane, row_number() OVER (PARTITION BY lane ORDER BY key) AS place
    FROM generate_series(1, 99) AS number,
        LATERAL (SELECT 'GR-' || lpad(number::text, 2, '0')) AS named (key),
        LATERAL (SELECT {lane_sql("named.key", PROFILE_DATA.lanes)}) AS hashed (lane)
) AS numbered
WHERE lane < 2 AND place <= 2
ORDER BY lane, key
"""

# A claim outlives its worker by 10 s; a change or a lane in its ladder waits for its moment, and
# so does what the next statement may complete.
_TIME_PASSES = """\
UPDATE synctasks.chunk
SET claimed_at = claimed_at - interval '11 seconds'
WHERE claimed_at IS NOT NULL AND finished_at IS NULL;
UPDATE synctasks.change_log SET not_before = NULL WHERE not_before IS NOT NULL;
UPDATE synctasks.lane SET retry_at = NULL WHERE retry_at IS NOT NULL;
UPDATE synctasks.event_log SET captured_at = captured_at - interval '30 seconds'
"""
# A worker may be in the middle of settling, and goes on only when the machine lets it.
_NO_WAITING = "SET lock_timeout = '3ms'"
_LIMIT = "UPDATE synctasks.lane SET batch_limit = %s WHERE flow = %s AND lane = %s"

_ALIVE = "SELECT pid FROM pg_stat_activity WHERE pid = ANY (%s)"
_PATIENCE_SECONDS = 10


@dataclass(frozen=True)
class Ground:
    """Both databases, a connection to each, and the keys that the machine plays with."""

    warehouse: Connection
    citizen: Connection
    warehouse_url: str
    keys: tuple[str, ...]
    lanes: tuple[int, ...]

    def empty(self) -> None:
        """Nothing on either side, nothing pending, nothing remembered."""
        for connection in (self.warehouse, self.citizen):
            # A server that cleans up by itself may be at a table.
            execute(connection, "SET lock_timeout = '10s'")
            empty_tables(connection)
            execute(connection, _EMPTY_COUNTER)
            execute(connection, _NO_WAITING)

    def let_time_pass(self, *, at_portal: bool = False) -> None:
        """As much as anybody waits for; not where a worker is in the middle of settling."""
        _try(self.citizen if at_portal else self.warehouse, _TIME_PASSES)

    def limit_batches(self, place: int, limit: int) -> None:
        """So many keys at a time in a lane; not where a worker is in the middle of settling."""
        _try(self.warehouse, _LIMIT, [limit, FLOW.name, self.lanes[place]])

    def await_end(self, worker: Worker) -> None:
        """Until the servers have noticed that a worker is dead: only then its locks are gone."""
        for place, connection in (("warehouse", self.warehouse), ("citizen", self.citizen)):
            lost = worker.lost(place)
            deadline = time.monotonic() + _PATIENCE_SECONDS
            while lost and rows(connection, _ALIVE, [lost]):
                if time.monotonic() > deadline:
                    raise TimeoutError(f"{worker!r} is dead, and its server process is not")


def _try(connection: Connection, statement: str, parameters: Sequence[object] = ()) -> None:
    with contextlib.suppress(LockNotAvailable):
        execute(connection, statement, parameters)


def ground(warehouse: Connection, citizen: Connection, warehouse_url: str) -> Ground:
    """The ground on databases that were just installed."""
    for connection in (warehouse, citizen):
        execute(connection, _COUNTER)
        execute(connection, _NO_WAITING)
    keys = tuple(rows(warehouse, _KEYS))
    return Ground(warehouse, citizen, warehouse_url, keys, tuple(_lanes(keys)))


def _lanes(keys: Iterable[str]) -> list[int]:
    lane = lane_sql("named.key", lane_count(FLOW))
    statement = f"SELECT DISTINCT {lane} FROM unnest(%(keys)s) AS named (key) ORDER BY 1"
    with transaction(FLOW.source.database) as source:
        return [each for (each,) in source.rows(statement, {"keys": list(keys)})]
