"""What a server can be told to do wrong, by a row: no table is locked to begin it or to end it.

Triggers on the flows' tables look whether there is trouble. They are made once; who is told in a
fault is the table `witness.trouble`.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from synctasks.flow import Database
from synctasks.flows import FLOWS
from tests.faults.ground import CITIZEN, WAREHOUSE, Ground
from tests.rows import execute

FULL, SLOW, REFUSED, CLOCK = "full", "slow", "refused", "clock"
# More than a drain allows a statement (5 s).
SLOW_SECONDS = 6

# Full, slow or refusing is every table of a side, or one that is named behind the word.
# Whatever ends a disk in real life: the server says this for everything that needs more room.
# Slow is only who writes for us, so that the applications go on.
_TROUBLES = f"""\
CREATE SCHEMA IF NOT EXISTS witness;
CREATE TABLE IF NOT EXISTS witness.trouble (what text PRIMARY KEY, shift interval);

CREATE OR REPLACE FUNCTION witness.write() RETURNS trigger LANGUAGE plpgsql AS $body$
BEGIN
    IF EXISTS (
        SELECT FROM witness.trouble WHERE what IN ('{FULL}', '{FULL} ' || TG_TABLE_NAME)
    ) THEN
        RAISE EXCEPTION 'could not extend file: no space left on device'
        USING ERRCODE = 'disk_full';
    END IF;
    IF current_setting('application_name') LIKE 'synctasks%'
        AND EXISTS (
            SELECT FROM witness.trouble WHERE what IN ('{SLOW}', '{SLOW} ' || TG_TABLE_NAME)
        )
    THEN
        PERFORM pg_sleep({SLOW_SECONDS});
    END IF;
    IF current_setting('application_name') LIKE 'synctasks%'
        AND EXISTS (
            SELECT FROM witness.trouble WHERE what IN ('{REFUSED}', '{REFUSED} ' || TG_TABLE_NAME)
        )
    THEN
        RAISE EXCEPTION 'no row is right' USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END
$body$;

CREATE OR REPLACE FUNCTION witness.shift() RETURNS trigger LANGUAGE plpgsql AS $body$
DECLARE
    shift interval := (SELECT trouble.shift FROM witness.trouble WHERE what = '{CLOCK}');
BEGIN
    NEW.captured_at := NEW.captured_at + coalesce(shift, interval '0');
    RETURN NEW;
END
$body$;
CREATE OR REPLACE TRIGGER shift BEFORE INSERT ON synctasks.change_log
FOR EACH ROW EXECUTE FUNCTION witness.shift();
"""

_ON_TABLE = """\
CREATE OR REPLACE TRIGGER trouble BEFORE INSERT OR UPDATE ON {table}
FOR EACH ROW EXECUTE FUNCTION witness.write();
"""

TARGETS = {
    side: tuple(flow.target.table for flow in FLOWS if flow.target.database is database)
    for side, database in ((WAREHOUSE, Database.WAREHOUSE), (CITIZEN, Database.CITIZEN))
}


def prepare_troubles(ground: Ground) -> None:
    """Make the triggers at both sides; there is no trouble yet."""
    for side, tables in TARGETS.items():
        with ground.at(side) as connection:
            execute(connection, _TROUBLES + "".join(_ON_TABLE.format(table=t) for t in tables))


@contextmanager
def trouble(ground: Ground, side: str, what: str, shift: str | None = None) -> Iterator[None]:
    """One of the troubles at a side, for the length of the block."""
    with ground.at(side) as connection:
        execute(connection, "INSERT INTO witness.trouble VALUES (%s, %s)", (what, shift))
    try:
        yield
    finally:
        with ground.at(side) as connection:
            execute(connection, "DELETE FROM witness.trouble WHERE what = %s", (what,))
