"""Sees every single write to the targets, every change that was captured, every transition.

A trigger at each target notes what was written, in the transaction that wrote it; polling could
overlook what is put right a moment later. A version that travels with each row only grows, so the
notes tell what went back and what was written twice. Another one notes what an application's
status became, for those rows that are deleted since.
"""

from __future__ import annotations

from dataclasses import dataclass

from tests.faults.ground import CITIZEN, WAREHOUSE, Ground
from tests.rows import execute, rows, value
from tests.transitions import FORGET, WITNESS


@dataclass(frozen=True)
class Watched:
    """A target table: how a row of it is named, what of it only grows, which rows are ours.

    `returns` says that a row may be removed and come again as it was.
    """

    side: str
    table: str
    key: str
    version: str
    ours: str = "true"
    returns: bool = False


WATCHED = (
    Watched(CITIZEN, "public.profile_data", "record_id", "city", "city LIKE 'v0%'"),
    # What goes out of use keeps its version: INACTIVE comes after ACTIVE.
    Watched(CITIZEN, "public.schemes", "code", "description || status"),
    Watched(CITIZEN, "public.profile_summary", "family_id", "region"),
    # One of the best again, when another one is no more.
    Watched(
        CITIZEN,
        "public.eligibility_hints",
        "family_id || ' ' || scheme_code",
        "to_char(updated_at, 'YYYY-MM-DD HH24:MI:SS.US')",
        returns=True,
    ),
    Watched(CITIZEN, "public.benefit_forecasts", "forecast_id::text", "projections ->> 'version'"),
    Watched(
        CITIZEN, "public.application_decisions", "application_id::text", "decision_reasons ->> 0"
    ),
    Watched(CITIZEN, "public.ml_alerts", "alert_id::text", "message"),
    Watched(
        WAREHOUSE,
        "public.golden_records",
        "jan_aadhaar",
        "city_village",
        "updated_by = 'citizen_portal'",
    ),
    # Written once: a transition is complete when it is committed.
    Watched(
        WAREHOUSE,
        "decision.application_events",
        "concat_ws(' ', application_id, event_type, event_timestamp)",
        "''",
    ),
    Watched(WAREHOUSE, "public.document_metadata", "document_id::text", "document_type"),
    Watched(
        WAREHOUSE,
        "analytics.user_behavior",
        "concat_ws(' ', citizen_id, event_type, event_date)",
        "lpad(event_count::text, 9, '0')",
    ),
    Watched(WAREHOUSE, "public.feedback_analytics", "feedback_id::text", "comment"),
)

_NOTES = """\
CREATE SCHEMA IF NOT EXISTS witness;
CREATE TABLE IF NOT EXISTS witness.written (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    place text NOT NULL,
    key text NOT NULL,
    version text COLLATE "C" NOT NULL,
    removed boolean NOT NULL,
    returns boolean NOT NULL
);
CREATE TABLE IF NOT EXISTS witness.captured (changes bigint NOT NULL);

CREATE OR REPLACE FUNCTION witness.count() RETURNS trigger LANGUAGE plpgsql AS $body$
BEGIN
    INSERT INTO witness.captured SELECT count(*) FROM new_rows WHERE flow !~ '^heartbeat';
    RETURN NULL;
END
$body$;
CREATE OR REPLACE TRIGGER count AFTER INSERT ON synctasks.change_log
REFERENCING NEW TABLE AS new_rows
FOR EACH STATEMENT EXECUTE FUNCTION witness.count();
"""

_WATCH = """\
CREATE OR REPLACE FUNCTION witness.{name}() RETURNS trigger LANGUAGE plpgsql AS $body$
DECLARE
    written record := CASE WHEN TG_OP = 'DELETE' THEN OLD ELSE NEW END;
BEGIN
    INSERT INTO witness.written (place, key, version, removed, returns)
    -- The witness must never be what refuses a row: what has no name has an empty one.
    SELECT '{name}', coalesce({key}, ''), coalesce({version}, ''), TG_OP = 'DELETE', {returns}
    FROM (SELECT (written).*) AS row
    WHERE {ours};
    RETURN NULL;
END
$body$;
CREATE OR REPLACE TRIGGER witness AFTER INSERT OR UPDATE OR DELETE ON {table}
FOR EACH ROW EXECUTE FUNCTION witness.{name}();
"""

# Of each write: the newest version that its row had before, and whether the row was gone since.
_STORY = """\
SELECT
    id, place, key, version,
    max(version) OVER before AS newest,
    lag(removed) OVER in_order AS was_removed
FROM witness.written
WINDOW
    in_order AS (PARTITION BY place, key ORDER BY id),
    before AS (in_order ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)
"""

_GONE_BACK = f"""\
WITH story AS ({_STORY})
SELECT format('%s %s from %s to %s', place, key, newest, version)
FROM story
JOIN witness.written USING (id, place, key, version)
WHERE NOT removed AND (version < newest OR version = newest AND was_removed AND NOT returns)
ORDER BY id
"""

_TWICE = f"""\
WITH story AS ({_STORY})
SELECT format('%s %s at %s', place, key, version)
FROM story
JOIN witness.written USING (id, place, key, version)
WHERE NOT removed AND version = newest AND NOT was_removed
ORDER BY id
"""

_CAPTURED = "SELECT coalesce(sum(changes), 0)::bigint FROM witness.captured"


class Witness:
    """Notes what happens at both sides from its making on, across `forget`."""

    def __init__(self, ground: Ground) -> None:
        self._ground = ground
        for side in (WAREHOUSE, CITIZEN):
            statements = [_NOTES, *(_watch(each) for each in WATCHED if each.side == side)]
            with ground.at(side) as connection:
                execute(connection, "".join(statements))
        with ground.citizen() as portal:
            execute(portal, WITNESS)
        self.forget()

    def forget(self) -> None:
        """Begin anew, with the tables of the flows."""
        for side in (WAREHOUSE, CITIZEN):
            with self._ground.at(side) as connection:
                execute(connection, "TRUNCATE witness.written, witness.captured")
        with self._ground.citizen() as portal:
            execute(portal, FORGET)

    def gone_back(self) -> list[str]:
        """The writes that brought an older state, or one that was removed before."""
        return self._found(_GONE_BACK)

    def twice(self) -> list[str]:
        """The writes that brought what was there already."""
        return self._found(_TWICE)

    def captured(self, side: str) -> int:
        """How many changes were put into the change log of a side."""
        with self._ground.at(side) as connection:
            return int(value(connection, _CAPTURED))

    def _found(self, statement: str) -> list[str]:
        found: list[str] = []
        for side in (WAREHOUSE, CITIZEN):
            with self._ground.at(side) as connection:
                found += rows(connection, statement)
        return found


def _watch(watched: Watched) -> str:
    return _WATCH.format(
        name=watched.table.partition(".")[2],
        table=watched.table,
        key=watched.key,
        version=watched.version,
        ours=watched.ours,
        returns=str(watched.returns).lower(),
    )
