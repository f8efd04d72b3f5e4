"""Databases emptied instead of made anew: a tenth of the time, where no test changes a schema."""

from __future__ import annotations

from contextlib import ExitStack, closing

import psycopg2
import pytest
from psycopg2.extensions import TRANSACTION_STATUS_IDLE
from redis import Redis

from synctasks.database import forget_connections
from synctasks.database.lender import lender
from synctasks.database.pool import Pool, pool_url
from synctasks.flow import Database
from tests.rows import Connection, execute
from tests.workspace import BROKER, Workspace

# The applications' tables first: what our triggers capture of it goes with ours. Of those not the
# ones that say how we are installed. TRUNCATE makes a file for the table and each of its indexes,
# which pays only for large ones. Foreign keys are not asked: all of them are emptied.
_EMPTY = """\
SET session_replication_role = replica;
DO $$
DECLARE
    name regclass;
BEGIN
    FOR name IN
        SELECT format('%I.%I', schemaname, tablename)
        FROM pg_catalog.pg_tables
        WHERE schemaname IN ('public', 'eligibility', 'forecast', 'decision', 'ai', 'analytics')
            AND tablename <> 'districts'
            OR schemaname = 'synctasks'
            AND tablename NOT IN ('lane', 'lane_count', 'installation', 'alembic_version')
        ORDER BY schemaname = 'synctasks'
    LOOP
        CONTINUE WHEN pg_relation_size(name) = 0;
        IF pg_relation_size(name) > 1048576 THEN
            EXECUTE format('TRUNCATE %s CASCADE', name);
        ELSE
            EXECUTE format('DELETE FROM %s', name);
        END IF;
    END LOOP;
END
$$;
SET session_replication_role = origin;
UPDATE synctasks.lane
SET (started_at, retry_at, batch_limit, deaths) = ROW (DEFAULT, DEFAULT, DEFAULT, DEFAULT);
UPDATE synctasks.installation SET installed_at = clock_timestamp();
"""


def empty(place: Workspace) -> None:
    """No rows on either side, nothing pending, no run asked for, nothing in the broker.

    Of the workspace's databases, which were renewed once and whose schemas nobody has changed.
    """
    place.resume()
    if not all(map(_stands, Database)):
        forget_connections()
    for each in Database:
        with closing(lender(str(each)).raw_connection()) as connection:
            empty_tables(connection)
    with closing(Redis.from_url(place.environment[BROKER])) as broker:
        broker.flushdb()


def _stands(side: Database) -> bool:
    """Whether the pool leads to where it should, and all its connections are alive and at rest.

    New ones would be as good, but slow: a server's process has everything to learn.
    """
    pool = lender(str(side))
    if not isinstance(pool, Pool):
        return False
    found = pool.engine
    if found.url != pool_url(side) or found.pool.checkedout():
        return False
    with ExitStack() as ends:
        pooled = [
            ends.enter_context(closing(found.raw_connection()))
            for _ in range(found.pool.checkedin())
        ]
        try:
            for each in pooled:
                if each.driver_connection.info.transaction_status != TRANSACTION_STATUS_IDLE:
                    return False
                execute(each, "SELECT")
        except psycopg2.Error:
            return False
    return True


def empty_tables(connection: Connection) -> None:
    """No rows at one of the two databases, nothing pending, no run asked for."""
    execute(connection, _EMPTY)


@pytest.fixture(scope="module")
def renewed(place: Workspace) -> Workspace:
    """The workspace as a fresh installation leaves it, once a file."""
    place.renew()
    return place


@pytest.fixture
def databases(renewed: Workspace) -> dict[str, str]:
    """Both databases installed, without rows or requests, the broker empty; their URLs."""
    empty(renewed)
    return renewed.environment
