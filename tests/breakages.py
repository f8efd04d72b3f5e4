"""What can be broken of an installation, what `synctasks check` says of it, and what mends it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from cryptography.fernet import Fernet

from synctasks.checks import Finding, State
from tests.workspace import CITIZEN, WAREHOUSE

#: Runs the checks of these names (or all), and returns what they find that is not well.
Look = Callable[..., list[Finding]]

INSTALL = "Run: synctasks install"


@dataclass(frozen=True)
class Broken:
    """Something that is broken at a side by `breaks`, and what is to be found of it.

    `mends` is what the remedy says, as SQL; without it the remedy is to install.
    """

    side: str
    breaks: str
    thing: str
    cause: str
    remedy: str = INSTALL
    mends: str = ""
    state: State = State.PROBLEM

    def says(self, finding: Finding) -> bool:
        """Whether this is what is to be found."""
        return (
            finding.state is self.state
            and self.thing in finding.thing
            and self.cause in finding.cause
            and self.remedy in finding.remedy
        )


PROFILES = "citizen database, table public.profile_data"


def trigger(flow: str, operation: str, table: str, breaks: str, cause: str) -> Broken:
    """Something done to a trigger, or to its function, that the next `install` mends."""
    name = f"synctasks_{flow}_{operation}"
    function = f"synctasks.capture_{flow}_{operation}()"
    return Broken(
        WAREHOUSE,
        breaks.format(trigger=name, table=table, function=function),
        f"warehouse database, table {table}, trigger {name}",
        cause,
    )


BREAKAGES = {
    "trigger missing": trigger(
        "profile_data",
        "insert",
        "public.golden_records",
        "DROP TRIGGER {trigger} ON {table}",
        "it is missing",
    ),
    "trigger disabled": trigger(
        "profile_data",
        "update",
        "public.golden_records",
        "ALTER TABLE {table} DISABLE TRIGGER {trigger}",
        "it is disabled",
    ),
    "trigger not always": trigger(
        "profile_data",
        "delete",
        "public.golden_records",
        "ALTER TABLE {table} ENABLE TRIGGER {trigger}",
        "not enabled always",
    ),
    "trigger with a condition": trigger(
        "profile_summary",
        "update",
        "public.profile_360",
        """
        DROP TRIGGER {trigger} ON {table};
        CREATE TRIGGER {trigger} AFTER UPDATE ON {table}
            REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows
            FOR EACH STATEMENT WHEN (pg_backend_pid() > 0) EXECUTE FUNCTION {function};
        ALTER TABLE {table} ENABLE ALWAYS TRIGGER {trigger}
        """,
        "it is not the one that synctasks makes",
    ),
    "function of another version": trigger(
        "profile_summary",
        "insert",
        "public.profile_360",
        """
        CREATE OR REPLACE FUNCTION {function} RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
        SET search_path = pg_catalog, pg_temp AS 'BEGIN RETURN NULL; END'
        """,
        "is not the one that this version of synctasks makes",
    ),
    "function with another search path": trigger(
        "profile_summary",
        "delete",
        "public.profile_360",
        "ALTER FUNCTION {function} RESET search_path",
        "the wrong settings",
    ),
    "function with the caller's rights": trigger(
        "benefit_forecasts",
        "insert",
        "forecast.benefit_forecasts",
        "ALTER FUNCTION {function} SECURITY INVOKER",
        "the wrong role's rights",
    ),
    "function for everybody": trigger(
        "benefit_forecasts",
        "update",
        "forecast.benefit_forecasts",
        "GRANT EXECUTE ON FUNCTION {function} TO PUBLIC",
        "may be called by everybody",
    ),
    "heartbeat's trigger disabled": Broken(
        CITIZEN,
        "ALTER TABLE synctasks.heartbeat DISABLE TRIGGER synctasks_heartbeat_to_warehouse_insert",
        "trigger synctasks_heartbeat_to_warehouse_insert",
        "it is disabled",
    ),
    "trigger of nobody": Broken(
        CITIZEN,
        "CREATE TRIGGER old_one AFTER INSERT ON citizens"
        " EXECUTE FUNCTION synctasks.capture_document_metadata_insert()",
        "citizen database, table public.citizens, trigger old_one",
        "no flow asks for it",
        "DROP TRIGGER old_one ON public.citizens",
        "DROP TRIGGER old_one ON public.citizens",
        State.WARNING,
    ),
    "function that wakes": Broken(
        WAREHOUSE,
        "CREATE OR REPLACE FUNCTION synctasks.wake() RETURNS void LANGUAGE plpgsql"
        " SET search_path = pg_catalog, pg_temp AS 'BEGIN END'",
        "warehouse database, function synctasks.wake",
        "is not the one that this version of synctasks makes",
    ),
    "too few lanes": Broken(
        WAREHOUSE,
        "DELETE FROM synctasks.lane WHERE flow = 'profile_data' AND lane > 4",
        "flow profile_data, lanes",
        "its target says 8 lanes, its source has 5",
    ),
    "too many lanes": Broken(
        WAREHOUSE,
        "INSERT INTO synctasks.lane (flow, lane) VALUES ('profile_summary', 8)",
        "flow profile_summary, lanes",
        "its target says 8 lanes, its source has 9",
        "DELETE FROM synctasks.lane WHERE flow = 'profile_summary' AND lane >= 8",
        "DELETE FROM synctasks.lane WHERE flow = 'profile_summary' AND lane >= 8",
    ),
    "schema of a newer program": Broken(
        CITIZEN,
        "UPDATE synctasks.alembic_version SET version_num = '9999' || version_num",
        "citizen database, version of schema synctasks",
        "which this program does not know",
        "Bring the program on this machine",
        "UPDATE synctasks.alembic_version SET version_num = substr(version_num, 5)",
    ),
    "column missing": Broken(
        CITIZEN,
        "ALTER TABLE profile_data DROP city",
        f"{PROFILES}, column city",
        "it is missing",
        "ALTER TABLE public.profile_data ADD COLUMN city text",
        "ALTER TABLE public.profile_data ADD COLUMN city text",
    ),
    "table missing": Broken(
        CITIZEN,
        "ALTER TABLE profile_summary RENAME TO somewhere_else",
        "citizen database, table public.profile_summary",
        "it does not exist",
        "Check the database in the URL",
        "ALTER TABLE somewhere_else RENAME TO profile_summary",
    ),
    "type of a target": Broken(
        CITIZEN,
        "ALTER TABLE profile_data ALTER COLUMN gender TYPE varchar(20)",
        f"{PROFILES}, type of gender",
        "it is character varying(20), declared is text",
        "ALTER TABLE public.profile_data ALTER COLUMN gender TYPE text USING gender::text",
        "ALTER TABLE public.profile_data ALTER COLUMN gender TYPE text USING gender::text",
    ),
    "sensitive column": Broken(
        WAREHOUSE,
        "ALTER TABLE golden_records ADD COLUMN father_aadhaar text",
        "warehouse database, table public.golden_records, column father_aadhaar",
        "no flow declares it",
        "An unlisted column never leaves; look at it",
        "ALTER TABLE golden_records DROP COLUMN father_aadhaar",
        State.WARNING,
    ),
    "unique index over a mask": Broken(
        CITIZEN,
        "CREATE UNIQUE INDEX by_address ON profile_data (lower(email))",
        f"{PROFILES}, unique index public.by_address",
        "email arrives masked",
        "DROP INDEX public.by_address",
        "DROP INDEX public.by_address",
    ),
    "unique constraint over a mask": Broken(
        CITIZEN,
        "ALTER TABLE profile_data ADD CONSTRAINT one_phone UNIQUE (family_id, mobile_number)",
        f"{PROFILES}, unique index public.one_phone",
        "mobile_number arrives masked",
        "ALTER TABLE public.profile_data DROP CONSTRAINT one_phone",
        "ALTER TABLE public.profile_data DROP CONSTRAINT one_phone",
    ),
    "a child's writes": Broken(
        WAREHOUSE,
        "CREATE TABLE recent_records () INHERITS (golden_records)",
        "warehouse database, table public.golden_records, writes",
        "rows written straight into public.recent_records",
        "ALTER TABLE public.recent_records NO INHERIT",
        "DROP TABLE recent_records",
    ),
    "a subscription's writes": Broken(
        WAREHOUSE,
        """
        CREATE SUBSCRIPTION from_elsewhere CONNECTION 'dbname=elsewhere' PUBLICATION all_of_it
            WITH (connect = false);
        SET allow_system_table_mods = on;
        INSERT INTO pg_subscription_rel (srsubid, srrelid, srsubstate)
        SELECT oid, 'golden_records'::regclass, 'r' FROM pg_subscription
        WHERE subname = 'from_elsewhere'
        """,
        "warehouse database, table public.golden_records, writes",
        "rows that subscription from_elsewhere applies are not captured",
        "ALTER SUBSCRIPTION from_elsewhere REFRESH PUBLICATION",
        """
        ALTER SUBSCRIPTION from_elsewhere SET (slot_name = NONE);
        DROP SUBSCRIPTION from_elsewhere
        """,
    ),
    "beat never heard of": Broken(
        WAREHOUSE,
        "DELETE FROM synctasks.presence WHERE process = 'beat'",
        "beat, as the warehouse database knows it",
        "it was never heard of",
        "Start it (see Procfile): celery -A synctasks beat",
        "INSERT INTO synctasks.presence (process) VALUES ('beat')",
    ),
    "a queue's worker silent": Broken(
        WAREHOUSE,
        "UPDATE synctasks.presence SET seen_at = now() - interval '1 hour'"
        " WHERE process = 'worker dlq'",
        "worker dlq, as the warehouse database knows it",
        "it was last heard of 36",
        "celery -A synctasks worker --without-gossip --without-mingle (with -Q dlq",
        "UPDATE synctasks.presence SET seen_at = now() WHERE process = 'worker dlq'",
    ),
    "a letter of another key": Broken(
        WAREHOUSE,
        "INSERT INTO synctasks.dead_letter (flow, kind, unit, record, error, source_row)"
        f" VALUES ('profile_data', 'record', 'x', 'x', 'x', '{Fernet.generate_key().decode()}')",
        "warehouse database, sealed rows of dead letters",
        "the encryption keys do not open 1 of the 1 newest",
        "Add the key that was in use then to SYNCTASKS_ENCRYPTION_KEYS",
        "DELETE FROM synctasks.dead_letter",
    ),
}
