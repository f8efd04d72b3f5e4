"""Specification 2.5: what citizens say about schemes and the portal, once a day."""

from synctasks.contracts import Contract, Known, Number, Text, Timestamp, Uuid, Word
from synctasks.flow import (
    Captured,
    Column,
    Database,
    Flow,
    Operation,
    Schedule,
    Source,
    Target,
    Time,
)
from synctasks.flows.people import golden_record_of


class Feedback(Contract):
    """A rating may be missing, and so may the scheme that it is about."""

    id = Uuid(required=True)
    citizen_id = Uuid(required=True)
    feedback_type = Word(required=True)
    rating = Number(1, 5)
    comment = Text(most=10_000)
    scheme_id = Uuid()
    created_at = Timestamp(required=True)

    rules = (Known("scheme_id", "public.schemes", key="id"),)


FEEDBACK_ANALYTICS = Flow(
    name="feedback_analytics",
    specification="2.5",
    summary="New feedback; what was captured rests until the daily slot.",
    source=Source(
        Database.CITIZEN, "public.feedback", key="id", key_type="uuid", time=Time("created_at")
    ),
    target=Target(Database.WAREHOUSE, "public.feedback_analytics", key="feedback_id"),
    columns=(
        Column("feedback_id", "uuid", source="id"),
        Column("citizen_id", "text", reference=golden_record_of("citizen_id")),
        Column("feedback_type", "text"),
        Column("rating", "integer"),
        Column("comment", "text"),
        Column(
            "scheme_code",
            "text",
            source="scheme_id",
            lookup="(SELECT scheme.code FROM public.schemes AS scheme"
            " WHERE scheme.id = source.scheme_id)",
        ),
        Column("created_at", "timestamptz"),
    ),
    contract=Feedback,
    capture=(Operation.INSERT,),
    # By what was captured, not by its time: that would miss what is committed late.
    schedule=Schedule(hour=1, minute=30, asks_for=Captured()),
)
