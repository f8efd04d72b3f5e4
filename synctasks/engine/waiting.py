"""Records whose reference is not there yet: stored, woken, and given up after 30 days.

Whoever brings what they wait for announces it, in the transaction that brings it or forgets the
change that did: what waits for it is asked for once more. The rest is looked at hourly.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

from synctasks import sql
from synctasks.database import Transaction, array
from synctasks.engine import extract
from synctasks.engine.books import Books
from synctasks.engine.judge import refused
from synctasks.flow import Flow, Missing

_NEVER_CAME = "never came: the record has waited for 30 days"

_SETTLED = """\
DELETE FROM synctasks.waiting
WHERE flow = %(flow)s
    AND unit = ANY (%(keys)s::text[])
    AND record <> ALL (%(records)s::text[])
"""

_EXPIRED = """\
DELETE FROM synctasks.waiting
WHERE flow = %(flow)s
    AND unit = ANY (%(waiting)s::text[])
    AND record = ANY (%(records)s::text[])
    AND since < statement_timestamp() - interval '30 days'
RETURNING unit, record
"""

# Returns those that wait, whether they were not known to, and of these who rests from now on.
_WAIT = """\
INSERT INTO synctasks.waiting AS kept (flow, lane, unit, record, needs, since)
SELECT
    %(flow)s,
    %(lane)s,
    wanted.key,
    {record},
    ARRAY[
        {needs}
    ],
    CASE WHEN wanted.key = ANY (%(resting)s::text[]) THEN statement_timestamp() END
FROM unnest(%(waiting)s::text[]) AS wanted (key)
JOIN {records} ON {wanted_row}
WHERE {record} = ANY (%(records)s::text[])
ORDER BY wanted.key
ON CONFLICT (
    flow, hashtextextended(record, 0), hashtextextended(record, 1)
) DO UPDATE SET
    lane = EXCLUDED.lane,
    needs = EXCLUDED.needs,
    since = coalesce(kept.since, EXCLUDED.since),
    next_look = EXCLUDED.next_look
RETURNING unit, record, xmax = 0, xmax = 0 AND since IS NOT NULL
"""

_ASK_FOR_RUN = """\
INSERT INTO synctasks.run (flow, reason)
SELECT %(flow)s, %(reason)s
WHERE NOT EXISTS (
    SELECT
    FROM synctasks.run
    WHERE flow = %(flow)s AND kind = 'full' AND state = 'requested'
)
"""

_WAKE = """\
INSERT INTO synctasks.change_log (flow, lane, key, operation, origin)
SELECT waiting.flow, waiting.lane, waiting.unit, 'request', 'woken'
FROM synctasks.waiting
WHERE waiting.needs && (
    SELECT array_agg(kind || ' ' || key)
    FROM unnest(%(kinds)s::text[]) AS announced (kind)
    CROSS JOIN unnest(%(keys)s::text[]) AS brought (key)
)
"""


def settle(
    source: Transaction,
    flow: Flow,
    lane: int,
    books: Books,
    *,
    keys: Sequence[str],
    trying: Sequence[tuple[str, str]] = (),
) -> list[tuple[str, str]]:
    """Keep who waits; `trying` are (unit, record) pairs that are still tried by themselves.

    What has waited for 30 days is rejected in the books. Returns those that are new among the
    ones that wait from now on: what they wait for may have come in this very moment.
    """
    if not flow.needs:
        return []
    resting = [key for key, _ in books.named("waiting")]
    parameters = _parameters(flow, lane, [*books.named("waiting"), *trying])
    parameters |= {"keys": array(keys), "resting": array(resting)}
    source.execute(_SETTLED, parameters)
    if not resting and not trying:
        return []
    _give_up(source, flow, books, parameters)
    parameters |= _parameters(flow, lane, [*books.named("waiting"), *trying])
    rows = source.rows(_wait_sql(flow), parameters)
    if any(is_noted for *_, is_noted, _ in rows):
        _ask_for_runs(source, flow)
    return [(unit, record) for unit, record, _, is_new in rows if is_new]


def _parameters(flow: Flow, lane: int, waiting: Sequence[tuple[str, str]]) -> dict[str, object]:
    """Who waits, as the statements want it."""
    return {
        "flow": flow.name,
        "lane": lane,
        "waiting": array(dict.fromkeys(key for key, _ in waiting)),
        "records": array(record for _, record in waiting),
    }


def _ask_for_runs(source: Transaction, flow: Flow) -> None:
    """Somebody waits who did not before: let those run that may bring what is missing."""
    for need in flow.needs:
        if need.run_of:
            source.execute(_ASK_FOR_RUN, {"flow": need.run_of, "reason": f"{flow.name} waits"})


def wake(source: Transaction, flow: Flow, keys: Sequence[str]) -> None:
    """Ask once more for what waits in the flow's source database for these units."""
    kinds = [wake.kind for wake in flow.wakes if wake.column is None]
    if kinds and keys:
        source.execute(_WAKE, {"kinds": array(kinds), "keys": array(keys)})


def _give_up(source: Transaction, flow: Flow, books: Books, parameters: dict[str, object]) -> None:
    expired = [(unit, record) for unit, record in source.rows(_EXPIRED, parameters)]
    if not expired:
        return
    column = next(
        each.reads
        for each in flow.references
        if each.reference and each.reference.missing is Missing.WAIT
    )
    books.take_some("waiting", [record for _, record in expired])
    books.reject(refused(flow, expired, column, _NEVER_CAME, source))


@cache
def _wait_sql(flow: Flow) -> str:
    names = (f"{sql.literal(need.kind + ' ')} || ({need.sql})" for need in flow.needs)
    return _WAIT.format(
        needs=sql.lines(names, indent=8),
        record=extract.record_name(flow),
        records=extract.records(flow),
        wanted_row=extract.wanted_row(flow),
    )
