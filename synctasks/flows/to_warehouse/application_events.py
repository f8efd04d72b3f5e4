"""Specification 2.2: every transition of an application's status, as an event of the warehouse."""

from synctasks.contracts import (
    Choice,
    Contract,
    Known,
    Needed,
    NotBefore,
    Timestamp,
    Uuid,
)
from synctasks.flow import (
    Column,
    Condition,
    Database,
    Flow,
    Log,
    OnUpdate,
    Operation,
    Query,
    Source,
    Table,
    Target,
)
from synctasks.flows.people import APPLICATION_KNOWN, golden_record_of


class Transition(Contract):
    """A status as a statement left it; one of the next ones may have set its times."""

    id = Uuid(required=True)
    citizen_id = Uuid(required=True)
    scheme_id = Uuid(required=True)
    status = Choice(
        "draft", "submitted", "under_review", "approved", "rejected", "withdrawn", required=True
    )
    submitted_at = Timestamp(required=True)
    approved_at = Timestamp()
    created_at = Timestamp()
    updated_at = Timestamp()

    rules = (
        Needed("approved_at", where="status", is_="approved"),
        NotBefore("updated_at", earlier="created_at"),
        Known("scheme_id", "public.schemes", key="id"),
    )


_KEEPS = (
    "citizen_id",
    "scheme_id",
    "status",
    "submitted_at",
    "approved_at",
    "created_at",
    "updated_at",
)

# The kept changes of an application; of one that has none (older than we are, or long delivered)
# its current row. What a statement left open the next ones may have set. The same event is one
# record, named by the first change that says it, with the latest approval; what is wrong with a
# change stays with that change.
_TRANSITIONS = """\
WITH kept AS (
    SELECT
        log.id AS number,
        'change ' || log.id AS change,
        log.captured_at,
        entry.*
    FROM synctasks.event_log AS log
    CROSS JOIN LATERAL jsonb_to_record(log."row") AS entry (
        citizen_id uuid,
        scheme_id uuid,
        status text,
        submitted_at timestamptz,
        approved_at timestamptz,
        created_at timestamptz,
        updated_at timestamptz
    )
    WHERE log.flow = 'application_events' AND log.key = {unit}
    UNION ALL
    SELECT
        0,
        'application ' || application.id,
        NULL,
        application.citizen_id,
        application.scheme_id,
        application.status,
        application.submitted_at,
        application.approved_at,
        application.created_at,
        application.updated_at
    FROM public.service_applications AS application
    WHERE application.id = {unit}::uuid
        AND NOT EXISTS (
            SELECT
            FROM synctasks.event_log AS log
            WHERE log.flow = 'application_events' AND log.key = {unit}
        )
),
completed AS (
    SELECT
        kept.number,
        kept.change,
        kept.captured_at,
        kept.citizen_id,
        kept.scheme_id,
        kept.status,
        kept.created_at,
        kept.updated_at,
        coalesce(
            kept.submitted_at,
            (
                SELECT later.submitted_at
                FROM kept AS later
                WHERE later.number > kept.number AND later.submitted_at IS NOT NULL
                ORDER BY later.number
                LIMIT 1
            )
        ) AS submitted_at,
        CASE
            WHEN kept.status = 'approved' THEN coalesce(
                kept.approved_at,
                (
                    SELECT later.approved_at
                    FROM kept AS later
                    WHERE later.number > kept.number AND later.approved_at IS NOT NULL
                    ORDER BY later.number
                    LIMIT 1
                )
            )
        END AS approved_at,
        EXISTS (
            SELECT
            FROM kept AS earlier
            WHERE earlier.number < kept.number
                AND earlier.status IN ('submitted', 'under_review', 'approved', 'rejected')
        ) AS was_submitted
    FROM kept
),
said AS (
    SELECT
        completed.*,
        CASE
            WHEN completed.status IN ('submitted', 'approved', 'rejected', 'withdrawn')
                AND completed.submitted_at <= statement_timestamp() + interval '5 minutes'
                AND (
                    completed.status <> 'approved'
                    OR completed.approved_at <= statement_timestamp() + interval '5 minutes'
                )
                AND (completed.updated_at < completed.created_at) IS NOT TRUE
                AND completed.citizen_id IS NOT NULL
                AND completed.scheme_id IS NOT NULL
                THEN completed.status || ' ' || completed.submitted_at
            ELSE completed.change
        END AS event
    FROM completed
)
SELECT DISTINCT ON (said.event)
    {unit}::uuid AS id,
    said.change,
    said.captured_at,
    said.citizen_id,
    said.scheme_id,
    said.status,
    said.submitted_at,
    max(said.approved_at) OVER (PARTITION BY said.event) AS approved_at,
    said.created_at,
    said.updated_at,
    said.was_submitted
FROM said
ORDER BY said.event, said.number"""

_APPLICATIONS = """\
SELECT application.id
FROM public.service_applications AS application
UNION
SELECT log.key::uuid
FROM synctasks.event_log AS log
WHERE log.flow = 'application_events'"""

APPLICATION_EVENTS = Flow(
    name="application_events",
    specification="2.2",
    summary="Each transition of an application's status, even if the row has gone since.",
    source=Source(
        Database.CITIZEN,
        "public.service_applications",
        key="id",
        key_type="uuid",
        query=Query(
            records=_TRANSITIONS,
            units=_APPLICATIONS,
            record="source.change",
            tables=(Table("public.service_applications", "{row}.id", _KEEPS, primary_key=("id",)),),
        ),
        log=Log(of=("status", "submitted_at", "approved_at"), keeps=_KEEPS),
    ),
    target=Target(
        Database.WAREHOUSE,
        "decision.application_events",
        key="application_id",
        within=("event_type", "event_timestamp"),
    ),
    columns=(
        Column("application_id", "uuid", source="id"),
        Column(
            "event_type",
            "text",
            source="status",
            words=(
                ("submitted", "APPLICATION_SUBMITTED"),
                ("approved", "APPLICATION_APPROVED"),
                ("rejected", "APPLICATION_REJECTED"),
                ("withdrawn", "APPLICATION_WITHDRAWN"),
            ),
        ),
        Column("citizen_id", "text", reference=golden_record_of("citizen_id")),
        Column(
            "scheme_code",
            "text",
            source="scheme_id",
            lookup="(SELECT scheme.code FROM public.schemes AS scheme"
            " WHERE scheme.id = source.scheme_id)",
        ),
        Column("event_timestamp", "timestamptz", source="submitted_at"),
        Column(
            "approval_timestamp", "timestamptz", source="approved_at", on_update=OnUpdate.LATEST
        ),
    ),
    contract=Transition,
    # No events, as little as a draft that is withdrawn before it was ever submitted.
    scope=Condition(
        "coalesce("
        "source.status NOT IN ('draft', 'under_review')"
        " AND (source.status <> 'withdrawn'"
        " OR source.submitted_at IS NOT NULL OR source.was_submitted)"
        ", true)",
        reads=("status", "submitted_at", "was_submitted"),
    ),
    # A little less than the ladder takes: at its end the transition is judged as it is.
    unripe=Condition(
        "source.status IN ('submitted', 'approved', 'rejected', 'withdrawn')"
        " AND (source.submitted_at IS NULL"
        " OR (source.status = 'approved' AND source.approved_at IS NULL))"
        " AND source.captured_at > statement_timestamp() - interval '22 seconds'",
        reads=("status", "submitted_at", "approved_at", "captured_at"),
    ),
    capture=(Operation.INSERT, Operation.UPDATE),
    wakes=(APPLICATION_KNOWN,),
)
