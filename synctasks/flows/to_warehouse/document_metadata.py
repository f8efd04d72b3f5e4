"""Specification 2.3: what documents citizens have uploaded; never their content or its place."""

from synctasks.contracts import Contract, Number, Text, Timestamp, Uuid, Word
from synctasks.flow import Column, Database, Flow, OnUpdate, Operation, Source, Target, Time
from synctasks.flows.people import golden_record_of


class Document(Contract):
    """The document's own columns; whose it is, the warehouse has to know."""

    id = Uuid(required=True)
    citizen_id = Uuid(required=True)
    document_type = Word(required=True)
    file_name = Text(required=True)
    file_size = Number(0, required=True)
    uploaded_at = Timestamp(required=True)
    verification_status = Word()


DOCUMENT_METADATA = Flow(
    name="document_metadata",
    specification="2.3",
    summary="Metadata of uploaded documents; waits for their citizens' golden records.",
    source=Source(
        Database.CITIZEN, "public.documents", key="id", key_type="uuid", time=Time("uploaded_at")
    ),
    target=Target(Database.WAREHOUSE, "public.document_metadata", key="document_id"),
    columns=(
        Column("document_id", "uuid", source="id"),
        Column("citizen_id", "text", reference=golden_record_of("citizen_id")),
        Column("document_type", "text"),
        Column("file_name", "text"),
        Column("file_size", "bigint"),
        Column("uploaded_at", "timestamptz"),
        # On insert only: what becomes of it later is the portal's own matter.
        Column("verification_status", "text", on_update=OnUpdate.KEEP),
    ),
    contract=Document,
    capture=(Operation.INSERT,),
)
