"""Specification 1.3: the schemes that a family may well be eligible for, at most five of them."""

from synctasks.contracts import Contract, Number, Text, Timestamp, Uuid
from synctasks.flow import (
    Absent,
    Aged,
    Best,
    Column,
    Condition,
    Database,
    Flow,
    Need,
    Operation,
    Query,
    Reference,
    Schedule,
    Source,
    Table,
    Target,
    Time,
)


class Evaluation(Contract):
    """The latest evaluation of a family for a scheme; scores and confidences are shares."""

    family_id = Uuid(required=True)
    scheme_code = Text(required=True)
    eligibility_score = Number(0, 1, required=True)
    confidence_score = Number(0, 1)
    evaluation_timestamp = Timestamp(required=True)


# Of the history the latest evaluation for each scheme. One without a time is the latest until
# another is inserted. Those without a family have nothing in common: each stands for itself.
_LATEST = """\
SELECT DISTINCT ON (
    evaluation.scheme_code,
    CASE WHEN {unit} = '' THEN evaluation.snapshot_id END
)
    evaluation.*
FROM (
    SELECT
        snapshot.*,
        max(snapshot.snapshot_id) OVER (PARTITION BY snapshot.scheme_code) AS last_inserted
    FROM (
        SELECT *
        FROM eligibility.eligibility_snapshots
        WHERE family_id = {unit}
        UNION ALL
        SELECT *
        FROM eligibility.eligibility_snapshots
        WHERE {unit} = '' AND family_id IS NULL
    ) AS snapshot
) AS evaluation
ORDER BY
    evaluation.scheme_code,
    CASE WHEN {unit} = '' THEN evaluation.snapshot_id END,
    (
        evaluation.evaluation_timestamp IS NULL
        AND evaluation.snapshot_id = evaluation.last_inserted
    ) DESC,
    evaluation.evaluation_timestamp DESC NULLS LAST,
    evaluation.snapshot_id DESC"""

_FAMILIES = """\
SELECT DISTINCT family_id
FROM eligibility.eligibility_snapshots
WHERE family_id <> ''"""

# What has no name of its own is named as its row.
_RECORD = """\
CASE
    WHEN wanted.key = '' OR source.scheme_code IS NULL
        THEN concat_ws(' ', 'snapshot_id', source.snapshot_id)
    ELSE concat_ws(' ', wanted.key, source.scheme_code)
END"""

# A code that the portal does not know may be of a scheme that its next full run brings.
_SCHEME = Reference(
    table="public.schemes",
    key="code",
    meant="known.code = {value}",
    value="source.scheme_code",
    reads=("scheme_code",),
    needs=(Need("scheme", "source.scheme_code", run_of="schemes"),),
)

ELIGIBILITY_HINTS = Flow(
    name="eligibility_hints",
    specification="1.3",
    summary="Of each family's latest evaluations the five best of the last 30 days.",
    source=Source(
        Database.WAREHOUSE,
        "eligibility.eligibility_snapshots",
        key="family_id",
        primary_key=("snapshot_id",),
        key_nullable=True,
        time=Time("evaluation_timestamp"),
        query=Query(
            records=_LATEST,
            units=_FAMILIES,
            record=_RECORD,
            tables=(
                Table(
                    "eligibility.eligibility_snapshots",
                    unit="coalesce({row}.family_id, '')",
                    reads=(
                        "family_id",
                        "scheme_code",
                        "evaluation_status",
                        "eligibility_score",
                        "confidence_score",
                        "explanation",
                        "evaluation_timestamp",
                    ),
                    primary_key=("snapshot_id",),
                ),
            ),
        ),
    ),
    target=Target(
        Database.CITIZEN,
        "public.eligibility_hints",
        key="family_id",
        within=("scheme_code",),
        newest="updated_at",
        # The same time is the same evaluation.
        newest_ties=True,
        best=Best(5, "eligibility_score", exact="source.eligibility_score"),
    ),
    columns=(
        Column("family_id", "text"),
        Column("scheme_code", "text", reference=_SCHEME),
        Column("eligibility_status", "text", source="evaluation_status"),
        # The types round half away from zero, and cut after 500 characters.
        Column("eligibility_score", "numeric(5, 2)"),
        Column("confidence", "numeric(5, 2)", source="confidence_score"),
        Column("explanation", "varchar(500)"),
        Column("updated_at", "timestamptz", source="evaluation_timestamp"),
    ),
    contract=Evaluation,
    scope=Condition(
        "source.evaluation_status IN ('RULE_ELIGIBLE', 'POSSIBLE_ELIGIBLE')"
        " AND (source.evaluation_timestamp >= statement_timestamp() - interval '30 days'"
        " OR source.evaluation_timestamp IS NULL)",
        reads=("evaluation_status", "evaluation_timestamp"),
    ),
    absent=Absent.DELETE,
    capture=(Operation.INSERT, Operation.UPDATE),
    schedule=Schedule(
        hour=0,
        minute=15,
        asks_for=Aged(
            "target.updated_at < statement_timestamp() - interval '30 days'",
            said="families with hints of more than 30 days ago",
        ),
    ),
)
