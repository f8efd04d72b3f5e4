"""Columns that look sensitive and that no flow declares, and masks that make people alike."""

from __future__ import annotations

import re
from collections.abc import Iterator

from synctasks.capture import preflight
from synctasks.capture.installed import WITH_SCHEMAS
from synctasks.checks.finding import Finding, problem, warning
from synctasks.checks.rights import visible
from synctasks.database import transaction
from synctasks.flow import Database, Flow
from synctasks.flows import FLOWS

# Parts of a name, and whole words of it: "pan" is none of "company" or "explanation".
_PARTS = re.compile(
    r"aadhaa?r|mobile|phone|e?mail|income|salary|passw|passport|biometric|fingerprint|"
    r"disabilit|religion"
)
_WORDS = re.compile(
    r"account|address|bank|birth|caste|cvv|dob|ifsc|iris|otp|pan|pin|secret|ssn|token|uid|upi|voter"
)

#: Somebody has looked at these: the flows leave them where they are.
WITHHELD = frozenset({("public.profile_360", "inferred_income_band")})

# The columns of a unique index: of its key, of its expressions and of its condition.
_UNIQUE = """\
SELECT
    index.indexrelid::regclass::text,
    constraint_of.conname::text,
    array_agg(DISTINCT attribute.attname::text)
FROM pg_catalog.pg_index AS index
LEFT JOIN pg_catalog.pg_constraint AS constraint_of
    ON constraint_of.conindid = index.indexrelid AND constraint_of.contype IN ('p', 'u')
JOIN pg_catalog.pg_attribute AS attribute
    ON attribute.attrelid = index.indrelid
    AND (
        attribute.attnum = ANY ((index.indkey::smallint[])[0:index.indnkeyatts - 1])
        OR EXISTS (
            SELECT
            FROM pg_catalog.pg_depend AS needed
            WHERE needed.classid = 'pg_catalog.pg_class'::regclass
                AND needed.objid = index.indexrelid
                AND needed.refobjid = index.indrelid
                AND needed.refobjsubid = attribute.attnum
        )
    )
WHERE index.indrelid = to_regclass(%(table)s) AND index.indisunique
GROUP BY 1, 2
ORDER BY 1
"""


def undeclared(database: Database) -> Iterator[Finding]:
    """Columns of the flows' tables that no flow names, and whose names sound sensitive."""
    declared = _declared(database)
    with transaction(database) as tx:
        there = {side.table for side in visible(tx, database)}
        for table in sorted(declared.keys() & there):
            thing = f"{database} database, table {table}"
            found = [
                warning(
                    f"{thing}, column {name}",
                    "its name sounds sensitive, and no flow declares it",
                    "An unlisted column never leaves; look at it all the same: if a flow is to "
                    "carry it, declare it there with its mask; if not, name it in WITHHELD of "
                    "synctasks/checks/sensitive.py, and it is not mentioned again",
                )
                for name in sorted(preflight.columns(tx, table))
                if sounds_sensitive(name)
                and name not in declared[table]
                and (table, name) not in WITHHELD
            ]
            yield from found or [Finding(f"{thing}, sensitive columns")]


def unique_masks(database: Database) -> Iterator[Finding]:
    """Unique indexes over what a flow masks: two people may look alike there."""
    with transaction(database) as tx:
        there = {side.table for side in visible(tx, database)}
        for flow in FLOWS:
            hidden = _hidden(flow)
            if flow.target.database is not database or flow.target.table not in there or not hidden:
                continue
            indexes = tx.rows(WITH_SCHEMAS + _UNIQUE, {"table": flow.target.table})
            yield from judged_indexes(flow, indexes)


def judged_indexes(
    flow: Flow, indexes: list[tuple[str, str | None, list[str]]]
) -> Iterator[Finding]:
    """`indexes`: of the target, unique: (index, constraint, columns)."""
    thing = f"{flow.target.database} database, table {flow.target.table}"
    found = []
    for index, constraint, columns in indexes:
        masked = sorted(_hidden(flow).intersection(columns))
        # With the row's own key in it nobody is like another.
        if masked and not {*flow.target.row_key} <= {*columns}:
            drop = (
                f"ALTER TABLE {flow.target.table} DROP CONSTRAINT {constraint}"
                if constraint
                else f"DROP INDEX {index}"
            )
            found.append(
                problem(
                    f"{thing}, unique index {index}",
                    f"{', '.join(masked)} arrives masked, or the same for all: two people may look "
                    "alike, and the second one is rejected",
                    f"{drop} (an index that is not unique may take its place)",
                )
            )
    yield from found or [Finding(f"{thing}, masks on unique keys")]


def sounds_sensitive(name: str) -> bool:
    """Whether a column's name sounds like something that should be looked at."""
    lowered = name.lower()
    words = re.split(r"[^a-z]+", re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name).lower())
    return bool(_PARTS.search(lowered)) or any(map(_WORDS.fullmatch, words))


def _hidden(flow: Flow) -> set[str]:
    """The target columns whose values are masked, or the same for all."""
    return {each.name for each in flow.columns if each.mask or each.constant is not None}


def _declared(database: Database) -> dict[str, set[str]]:
    """The columns that the flows name, by table."""
    found: dict[str, set[str]] = {}
    for flow in FLOWS:
        source, target = flow.source, flow.target
        if source.database is database:
            for table in flow.tables:
                found.setdefault(table.name, set()).update(table.reads, table.primary_key)
        if target.database is database:
            found.setdefault(target.table, set()).update(each.name for each in flow.columns)
    return found
