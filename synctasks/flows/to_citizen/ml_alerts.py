"""Specification 1.6: alerts of three AI use cases, each from a table of its own, into one."""

from synctasks.contracts import Choice, Contract, Key, Link, Text, Timestamp, Uuid, Word
from synctasks.flow import (
    Column,
    Database,
    Flow,
    KeyForm,
    Need,
    OnUpdate,
    Operation,
    Query,
    Reference,
    Source,
    Table,
    Target,
    Time,
)
from synctasks.flows.people import FAMILY

_USE_CASES = {
    "AI-PLATFORM-07": "ai.beneficiary_detection_alerts",
    "AI-PLATFORM-09": "ai.proactive_inclusion_alerts",
    "AI-PLATFORM-14": "ai.predictive_alerts",
}
_COLUMNS = (
    "alert_id",
    "family_id",
    "alert_type",
    "severity",
    "message",
    "action_url",
    "created_at",
)


class Alert(Contract):
    """What an alert says, and to which family."""

    alert = Key()
    alert_id = Uuid(required=True)
    family_id = Uuid(required=True)
    alert_type = Word(required=True)
    severity = Choice("LOW", "MEDIUM", "HIGH", "CRITICAL", required=True)
    message = Text(required=True)
    action_url = Link()
    created_at = Timestamp(required=True)


_ALERT = "\nUNION ALL\n".join(
    f"SELECT {{unit}} AS alert, {', '.join(_COLUMNS)}\n"
    f"FROM {table}\n"
    f"WHERE split_part({{unit}}, ':', 1) = '{use_case}'"
    f" AND alert_id = split_part({{unit}}, ':', 2)::uuid"
    for use_case, table in _USE_CASES.items()
)

_ALL = "\nUNION ALL\n".join(
    f"SELECT '{use_case}:' || alert_id AS alert\nFROM {table}"
    for use_case, table in _USE_CASES.items()
)


def _is_key(key: str) -> bool:
    use_case, _, alert_id = key.partition(":")
    return use_case in _USE_CASES and Uuid.FORM.fullmatch(alert_id) is not None


# The family's verified head, else whoever of its verified citizens has been registered longest.
_CITIZEN = Reference(
    table="public.citizens",
    key="id",
    meant="known.family_id = {value} AND known.verification_status = 'verified'",
    value="source.family_id",
    reads=("family_id",),
    # The portal has no index on families.
    scans=True,
    first="known.is_family_head IS TRUE DESC, known.created_at, known.id",
    needs=(Need(FAMILY, "source.family_id"),),
)

ML_ALERTS = Flow(
    name="ml_alerts",
    specification="1.6",
    summary="Alerts of three use cases, to the head of the family that they concern.",
    source=Source(
        Database.WAREHOUSE,
        "ai.beneficiary_detection_alerts",
        key="alert",
        time=Time("created_at"),
        key_form=KeyForm("use case and alert_id (AI-PLATFORM-07:7d444840-…)", _is_key),
        query=Query(
            records=_ALERT,
            units=_ALL,
            record="source.alert",
            tables=tuple(
                Table(table, f"'{use_case}:' || {{row}}.alert_id", _COLUMNS, ("alert_id",))
                for use_case, table in _USE_CASES.items()
            ),
        ),
    ),
    target=Target(Database.CITIZEN, "public.ml_alerts", key="alert_id", claimed=True),
    columns=(
        Column("alert_id", "uuid"),
        # Whose it is, is settled when it is first written.
        Column(
            "citizen_id",
            "uuid",
            source="family_id",
            reference=_CITIZEN,
            on_update=OnUpdate.KEEP,
        ),
        Column("alert_type", "text"),
        Column("severity", "text"),
        Column("message", "text"),
        Column("action_url", "text"),
        Column("created_at", "timestamptz"),
    ),
    contract=Alert,
    capture=(Operation.INSERT, Operation.UPDATE),
    # Two use cases may come to the same alert_id: it belongs to the one that came first.
    lanes=1,
)
