"""Given evaluations of families in the warehouse, which hints the portal shows."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from synctasks.capture import change_log
from synctasks.capture.change_log import lane_count
from synctasks.engine.verify import verify
from synctasks.flows.to_citizen.eligibility_hints import ELIGIBILITY_HINTS
from synctasks.flows.to_citizen.schemes import SCHEMES
from tests.letters import add_scheme, scheme_id
from tests.refreshing import versions
from tests.rows import Connection, execute, insert, rows, value
from tests.syncing import by_events, by_full_run

FAMILY = "7d444840-9dc0-41e0-9a5b-30d4c2f5c8a1"
OTHER = "0b5bd3c2-8f6f-4f6e-9a55-0f2a3c1d4e5f"
HOUR, SECOND = timedelta(hours=1), timedelta(seconds=1)
YESTERDAY = datetime.now(UTC).replace(microsecond=123_456) - timedelta(days=1)

WRITTEN = {"read": 1, "written": 1}
UNCHANGED = {"read": 1, "unchanged": 1}
REJECTED = {"read": 1, "rejected": 1}

EVALUATION: dict[str, Any] = {
    "family_id": FAMILY,
    "scheme_code": "A",
    "evaluation_status": "RULE_ELIGIBLE",
    "eligibility_score": "0.5",
    "confidence_score": "0.875",
    "explanation": "Over sixty, no pension yet.",
    "evaluation_timestamp": YESTERDAY,
}
# What it comes to at the portal.
HINT: dict[str, Any] = {
    "eligibility_status": "RULE_ELIGIBLE",
    "eligibility_score": Decimal("0.50"),
    "confidence": Decimal("0.88"),
    "explanation": "Over sixty, no pension yet.",
    "updated_at": YESTERDAY,
}

_FAMILIES = """\
INSERT INTO eligibility.eligibility_snapshots (
    family_id, scheme_code, evaluation_status, eligibility_score, evaluation_timestamp
)
SELECT
    md5(family::text)::uuid::text, chr(64 + scheme), 'RULE_ELIGIBLE', scheme / 100.0, %(at)s
FROM generate_series(1, %(count)s) AS family
CROSS JOIN generate_series(1, %(schemes)s) AS scheme
"""
_NAME = "family_id || ' ' || scheme_code"


def given_schemes(citizen: Connection, *codes: str) -> None:
    """Schemes that the portal knows."""
    for code in codes:
        insert(citizen, "schemes", {"id": scheme_id(code), "code": code, "status": "ACTIVE"})


def given(
    warehouse: Connection, scheme: str | None = "A", score: Any = "0.5", **columns: Any
) -> int:
    """An evaluation of yesterday by which a family is eligible, but for these columns; its id."""
    row = {**EVALUATION, "scheme_code": scheme, "eligibility_score": score, **columns}
    insert(warehouse, "eligibility.eligibility_snapshots", row)
    last: int = value(warehouse, "SELECT max(snapshot_id) FROM eligibility.eligibility_snapshots")
    return last


def given_scores(
    warehouse: Connection, scores: Mapping[str, str], family: str = FAMILY, **columns: Any
) -> None:
    """Evaluations of a family for schemes: their scores."""
    for scheme, score in scores.items():
        given(warehouse, scheme, score, family_id=family, **columns)


def given_families(
    warehouse: Connection, count: int, schemes: int = 1, at: datetime = YESTERDAY
) -> None:
    """So many families with so many evaluations each, of A, B, C …, the best the last."""
    execute(warehouse, _FAMILIES, {"count": count, "schemes": schemes, "at": at})


def few_are_usual(warehouse: Connection) -> None:
    """Full runs that found nothing: less than before is nothing for the volume guard."""
    execute(
        warehouse,
        "INSERT INTO synctasks.run (flow, reason, state, in_scope)"
        " SELECT 'eligibility_hints', 'test', 'succeeded', 0 FROM generate_series(1, 7)",
    )


def change(warehouse: Connection, snapshot: int, **columns: Any) -> None:
    """Change an evaluation where it stands."""
    assignments = ", ".join(f"{column} = %({column})s" for column in columns)
    execute(
        warehouse,
        f"UPDATE eligibility.eligibility_snapshots SET {assignments} WHERE snapshot_id = %(id)s",
        {**columns, "id": snapshot},
    )


def delete(warehouse: Connection, family: str = FAMILY) -> None:
    """Delete all evaluations of a family: no event tells of it."""
    statement = "DELETE FROM eligibility.eligibility_snapshots WHERE family_id = %s"
    execute(warehouse, statement, [family])


def given_hint(citizen: Connection, scheme: str = "A", **columns: Any) -> None:
    """A hint that the portal has, of the evaluation of yesterday but for these columns."""
    row = {"family_id": FAMILY, "scheme_code": scheme, **HINT, **columns}
    insert(citizen, "eligibility_hints", row)


def hints(citizen: Connection, family: str = FAMILY) -> dict[str, dict[str, Any]]:
    """The hints of a family by scheme."""
    statement = f"SELECT scheme_code, {', '.join(HINT)} FROM eligibility_hints WHERE family_id = %s"
    found = rows(citizen, statement, [family])
    return {scheme: dict(zip(HINT, values, strict=True)) for scheme, *values in found}


def shown(citizen: Connection, family: str = FAMILY) -> dict[str, str]:
    """The scores of a family's hints by scheme, the best first."""
    statement = (
        "SELECT scheme_code, eligibility_score::text FROM eligibility_hints"
        " WHERE family_id = %s ORDER BY eligibility_score DESC, scheme_code"
    )
    return dict(rows(citizen, statement, [family]))


def row_versions(citizen: Connection) -> dict[str, str]:
    """The versions of the hints' rows by family and scheme: one that was written has another."""
    return versions(citizen, "eligibility_hints", _NAME)


def letters(warehouse: Connection, state: str = "open") -> list[tuple[str, str, str]]:
    """The dead letters in a state: record, category and error."""
    return rows(
        warehouse,
        "SELECT record, category, error FROM synctasks.dead_letter WHERE state = %s ORDER BY id",
        [state],
    )


def record(scheme: str, family: str = FAMILY) -> str:
    """What names the evaluation of a family for a scheme."""
    return f"{family} {scheme}"


def synced(warehouse: Connection) -> dict[str, int]:
    """Work off the events of the flow: the counts."""
    return by_events(warehouse, ELIGIBILITY_HINTS)


def run_in_full(warehouse: Connection) -> dict[str, int]:
    """A full run of the flow: the counts."""
    return by_full_run(warehouse, ELIGIBILITY_HINTS)


def again(warehouse: Connection, *families: str) -> dict[str, int]:
    """Somebody asks for families by their keys: the counts."""
    change_log.request(ELIGIBILITY_HINTS, families or [FAMILY], origin="replay")
    return synced(warehouse)


def verified() -> dict[str, int]:
    """The classes of the flow's records that are not empty."""
    *_, last = verify(ELIGIBILITY_HINTS, lane_count(ELIGIBILITY_HINTS))
    return {name: count for name, count in last.counts.items() if count}


def bring_scheme(warehouse: Connection, code: str) -> None:
    """A scheme of the warehouse that a full run of `schemes` brings to the portal."""
    add_scheme(warehouse, code)
    by_full_run(warehouse, SCHEMES)


def waiting(warehouse: Connection) -> dict[str, bool]:
    """Who waits: by record whether it rests already, instead of being tried by itself."""
    statement = "SELECT record, since IS NOT NULL FROM synctasks.waiting ORDER BY record"
    return dict(rows(warehouse, statement))
