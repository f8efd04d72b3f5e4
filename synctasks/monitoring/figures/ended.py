"""Runs that came to an end: how long the last one took, and when one succeeded last."""

from __future__ import annotations

from collections.abc import Sequence

from synctasks.database import Transaction, array

_ENDED = """\
SELECT
    named.flow,
    extract(epoch FROM last.finished_at - last.started_at)::float,
    extract(epoch FROM good.finished_at)::float
FROM unnest(%(flows)s::text[]) AS named (flow)
CROSS JOIN LATERAL (
    SELECT run.started_at, run.finished_at
    FROM synctasks.run
    WHERE run.flow = named.flow
        AND run.kind IN ('full', 'slot')
        AND run.state NOT IN ('requested', 'running')
    ORDER BY run.id DESC
    LIMIT 1
) AS last
LEFT JOIN LATERAL (
    SELECT run.finished_at
    FROM synctasks.run
    WHERE run.flow = named.flow
        AND run.kind IN ('full', 'slot')
        AND run.state <> 'requested'
        AND run.state = 'succeeded'
    ORDER BY run.id DESC
    LIMIT 1
) AS good ON true
"""


def ended(tx: Transaction, flows: Sequence[str]) -> dict[str, tuple[float | None, float | None]]:
    """By flow, of its full runs and slots: the seconds that the last one took which is over, and
    when the last successful one ended (Unix seconds). Raises SynctasksError.
    """
    rows = tx.rows(_ENDED, {"flows": array(flows)})
    return {flow: (took, succeeded) for flow, took, succeeded in rows}
