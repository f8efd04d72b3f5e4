"""Specification 1.2: how vulnerable a person is; never their income, and nothing of the models."""

from datetime import timedelta

from synctasks.contracts import Contract, Key, Word
from synctasks.flow import (
    Absent,
    Column,
    Database,
    Flow,
    Operation,
    Schedule,
    Source,
    Stale,
    Target,
)


class Profile(Contract):
    """The two columns that have a rule; a profile is rewritten often for columns we never read."""

    gr_id = Key()
    vulnerability_level = Word(required=True)


PROFILE_SUMMARY = Flow(
    name="profile_summary",
    specification="1.2",
    summary="Summaries of the 360-degree profiles; every income is CONFIDENTIAL.",
    # No time: to replay a period, the flow would read a column that it must not.
    source=Source(Database.WAREHOUSE, "public.profile_360", key="gr_id"),
    target=Target(Database.CITIZEN, "public.profile_summary", key="family_id"),
    columns=(
        Column("family_id", "text", source="gr_id"),
        Column("vulnerability", "text", source="vulnerability_level"),
        Column("under_coverage", "boolean", source="under_coverage_indicator"),
        # Fully masked, unknown bands too: so the band itself need not be read at all.
        Column("income_category", "text", constant="CONFIDENTIAL"),
        Column("region", "text", source="cluster_id"),
    ),
    contract=Profile,
    absent=Absent.DELETE,
    capture=(Operation.INSERT, Operation.UPDATE, Operation.DELETE),
    schedule=Schedule(minute=0),
    # Looked at for review only: to watch it would make an event of each rewrite by the models.
    stale=Stale("updated_at", after=timedelta(days=180)),
)
