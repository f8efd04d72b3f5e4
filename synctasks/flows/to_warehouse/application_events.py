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
    Time,
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

# The kept changes of an application, and its row as it is now where that is not what the last of
# them says (it is older than we are, or nobody logged it). What a statement left open the next
# ones may have set, until the application is begun anew; one that only clears times is none of
# its transitions. The same event is one record, named by the first change that says it, with the
# latest approval; what is wrong with a change stays with that change.
_TRANSITIONS = """\
WITH logged AS (
    SELECT log.id AS number, 'change ' || log.id AS change, log.captured_at, entry.*
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
),
kept AS (
    TABLE logged
    UNION ALL
    SELECT
        9223372036854775807,
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
        AND ROW (application.status, application.submitted_at, application.approved_at)
            IS DISTINCT FROM (
                SELECT ROW (logged.status, logged.submitted_at, logged.approved_at)
                FROM logged
                ORDER BY logged.number DESC
                LIMIT 1
            )
),
begun AS (
    SELECT
        followed.*,
        count(*) FILTER (
            WHERE (followed.status = 'draft' AND followed.before <> 'draft')
                OR (followed.status = 'submitted'
                    AND followed.before IN ('approved', 'rejected', 'withdrawn'))
        ) OVER so_far AS beginning,
        followed.submitted_at IS NOT NULL OR coalesce(
            bool_or(followed.before IN ('submitted', 'under_review', 'approved', 'rejected'))
                OVER so_far,
            false
        ) AS was_submitted
    FROM (
        SELECT
            kept.*,
            lag(kept.status) OVER told AS before,
            kept.status = lag(kept.status) OVER told
                AND coalesce(
                    kept.submitted_at = lag(kept.submitted_at) OVER told,
                    kept.submitted_at IS NULL
                )
                AND coalesce(
                    kept.approved_at = lag(kept.approved_at) OVER told,
                    kept.approved_at IS NULL
                ) AS only_clears
        FROM kept
        WINDOW told AS (ORDER BY kept.number)
    ) AS followed
    WINDOW so_far AS (ORDER BY followed.number)
),
completed AS (
    SELECT
        begun.*,
        (
            array_agg(begun.submitted_at) FILTER (WHERE begun.submitted_at IS NOT NULL)
                OVER from_here
        )[1] AS submission,
        CASE
            WHEN begun.status = 'approved' THEN (
                array_agg(begun.approved_at) FILTER (WHERE begun.approved_at IS NOT NULL)
                    OVER from_here
            )[1]
        END AS approval
    FROM begun
    WINDOW from_here AS (
        PARTITION BY begun.beginning
        ORDER BY begun.number
        ROWS BETWEEN CURRENT ROW AND UNBOUNDED FOLLOWING
    )
),
said AS (
    SELECT
        completed.*,
        CASE
            WHEN completed.status IN ('submitted', 'approved', 'rejected', 'withdrawn')
                AND completed.citizen_id IS NOT NULL
                AND completed.scheme_id IS NOT NULL
                AND completed.submission IS NOT NULL
                AND (completed.status <> 'approved' OR completed.approval IS NOT NULL)
                AND (completed.status <> 'withdrawn' OR completed.was_submitted)
                AND (completed.updated_at < completed.created_at) IS NOT TRUE
                AND least(
                    completed.submission, completed.approval,
                    completed.created_at, completed.updated_at
                ) >= '0001-01-01 00:00:00+00'
                AND greatest(
                    completed.submission, completed.approval,
                    completed.created_at, completed.updated_at
                ) <= statement_timestamp() + interval '5 minutes'
                THEN completed.status || ' ' || completed.submission
            ELSE completed.change
        END AS event
    FROM completed
    WHERE completed.only_clears IS NOT TRUE
)
SELECT DISTINCT ON (said.event)
    {unit}::uuid AS id,
    said.change,
    said.captured_at,
    said.citizen_id,
    said.scheme_id,
    said.status,
    said.submission AS submitted_at,
    max(said.approval) OVER (PARTITION BY said.event) AS approved_at,
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
        time=Time("updated_at"),
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
        " AND (source.status <> 'withdrawn' OR source.was_submitted)"
        ", true)",
        reads=("status", "was_submitted"),
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
