"""Heartbeats: a row at each source that travels the way of all changes, to time that way."""

from synctasks.contracts import Choice, Contract, Timestamp
from synctasks.flow import Column, Database, Flow, Operation, Source, Target

_DIRECTIONS = {
    "to_citizen": (Database.WAREHOUSE, Database.CITIZEN),
    "to_warehouse": (Database.CITIZEN, Database.WAREHOUSE),
}


class Beat(Contract):
    """The direction, and when the listener let its row beat."""

    direction = Choice(*_DIRECTIONS, required=True)
    beat_at = Timestamp(required=True)


def _heartbeat(direction: str, source: Database, target: Database) -> Flow:
    return Flow(
        name=f"heartbeat_{direction}",
        specification="monitoring",
        summary="A row that changes every few seconds; the time of its way is the way's health.",
        source=Source(source, "synctasks.heartbeat", key="direction"),
        target=Target(target, "synctasks.heartbeat_arrived", key="direction"),
        columns=(Column("direction", "text"), Column("beat_at", "timestamptz")),
        contract=Beat,
        capture=(Operation.INSERT, Operation.UPDATE),
        lanes=1,
    )


#: By direction.
HEARTBEATS: dict[str, Flow] = {
    direction: _heartbeat(direction, source, target)
    for direction, (source, target) in _DIRECTIONS.items()
}
