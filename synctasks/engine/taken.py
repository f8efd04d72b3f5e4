"""Taken: a row at the target belongs to another unit, and this one must not have it.

Either it comes with the identity of another row (it was renamed at its source), or several units
may come with one row and another one was the first (the row is claimed).
"""

from __future__ import annotations

from synctasks import sql
from synctasks.flow import Flow

_BY_IDENTITY = """\
taken AS MATERIALIZED (
    SELECT staged.key
    FROM {rows} AS staged
    JOIN {table} AS target ON target.{identity} = staged.{identity}
    WHERE staged.verdict = 'pass' AND target.{key} <> staged.{key}
),
"""

_BY_CLAIM = """\
taken AS MATERIALIZED (
    SELECT staged.key
    FROM {rows} AS staged
    JOIN synctasks.claim ON claim.flow = {flow} AND claim.row_key = staged.{key}::text
    WHERE staged.verdict = 'pass' AND claim.unit <> staged.key
),
"""

_CLAIM = """\
claims AS (
    INSERT INTO synctasks.claim (flow, row_key, unit)
    SELECT {flow}, staged.{key}::text, staged.key
    FROM {rows} AS staged
    WHERE staged.verdict = 'pass' AND staged.key NOT IN (SELECT taken.key FROM taken)
    ON CONFLICT DO NOTHING
),
"""

NOT_TAKEN = """
        AND NOT EXISTS (SELECT FROM taken WHERE taken.key = staged.key)"""

BOX = """\
WHEN EXISTS (SELECT FROM taken WHERE taken.key = staged.key) THEN 'taken'
            """

COUNTED = """\
    UNION ALL
    SELECT 'unchanged', -count(*), NULL, NULL FROM taken
    UNION ALL
    SELECT 'taken', count(*), array_agg(key), NULL FROM taken
"""


def may_be_taken(flow: Flow) -> bool:
    """Whether a unit's row may belong to another one."""
    return flow.target.identity is not None or flow.target.claimed


def taken_sql(flow: Flow, rows: str) -> str:
    """The common table expression `taken`, made from the rows with their last verdicts."""
    if flow.target.identity:
        return _fill(_BY_IDENTITY, flow, rows)
    return _fill(_BY_CLAIM, flow, rows) if flow.target.claimed else ""


def claims_sql(flow: Flow, rows: str) -> str:
    """The common table expression `claims`: a row that nobody has is this unit's from now on."""
    return _fill(_CLAIM, flow, rows) if flow.target.claimed else ""


def _fill(template: str, flow: Flow, rows: str) -> str:
    return template.format(
        rows=rows,
        flow=sql.literal(flow.name),
        table=sql.name(flow.target.table),
        key=sql.name(flow.target.key),
        identity=sql.name(flow.target.identity or ""),
    )
