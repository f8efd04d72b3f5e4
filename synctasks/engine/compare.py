"""Compare: which keys of a range have to be reconciled, without reading a row out of a server.

First a digest of the range on both sides: the hashes of its rows, combined in any order. Where
they differ, the hashes of the rows. Both are only a prefilter: what they hand on is reconciled
under its lane's lock, and what is equal in two snapshots, whichever came first, needs no write.
A record that fails the gate, or that has a mark (a dead letter, a deferred change), is always
handed on.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from synctasks import sql
from synctasks.database import Row, Transaction
from synctasks.engine import absent, extract, walk
from synctasks.engine.likeness import Prefilter
from synctasks.engine.walk import Range
from synctasks.flow import Column, Flow

_SOURCE = """\
SELECT
    count(*) FILTER (WHERE source.compared_as = 'pass'),
    count(*) FILTER (WHERE source.compared_as = 'out_of_scope'),
    array_agg(source.{key}::text) FILTER (WHERE source.compared_as = 'marked')::text,
    {hashes}
FROM (
    SELECT
        {columns},
        CASE
            WHEN ({scope}) IS NOT TRUE THEN 'out_of_scope'
            WHEN source.{key}::text IN (
                SELECT deferred.key
                FROM synctasks.deferred
                WHERE deferred.flow = %(flow)s
                UNION ALL
                SELECT dead_letter.unit
                FROM synctasks.dead_letter
                WHERE dead_letter.flow = %(flow)s AND dead_letter.state <> 'resolved'
            ){once_keyless} THEN 'marked'
            WHEN (
            {gate}
            ) IS NOT TRUE THEN 'marked'
            ELSE 'pass'
        END AS compared_as
    FROM {table} AS source
    WHERE {within}
    OFFSET 0
) AS source
"""

# A record that had no key when it was rejected.
_ONCE_KEYLESS = """ OR {record} IN (
                SELECT dead_letter.record
                FROM synctasks.dead_letter
                WHERE dead_letter.flow = %(flow)s
                    AND dead_letter.state <> 'resolved'
                    AND dead_letter.unit = ''
            )"""

_DIGEST = """\
bit_xor(
        CASE WHEN source.compared_as = 'pass' THEN {hash} END
    )"""

_HASHES = """\
array_agg(source.{key}::text) FILTER (WHERE source.compared_as = 'pass')::text,
    array_agg({hash}) FILTER (WHERE source.compared_as = 'pass')::text"""

_TARGET_DIGEST = """\
SELECT count(*), bit_xor({hash})
FROM {table} AS target
WHERE {within}
    AND {in_use}
    AND target.{key} <> ALL (%(handed)s::text[]::{key_type}[])
"""

# `extras`: rows of the range beside those that the source sent or hands on.
_TARGET_ROWS = """\
WITH matched AS MATERIALIZED (
    SELECT sent.key, target.{key} IS NOT NULL AND {in_use} AS found, {hash} = sent.hash AS same
    FROM unnest(%(keys)s::text[], %(hashes)s::bigint[]) AS sent (key, hash)
    LEFT JOIN {table} AS target ON target.{key} = sent.key::{key_type}
)
SELECT
    array_agg(matched.key) FILTER (WHERE matched.same IS NOT TRUE)::text,
    count(*) FILTER (WHERE matched.same IS NOT TRUE),
    {extras}
FROM matched
"""

_EXTRAS = """\
(
        SELECT count(*)
        FROM {table} AS target
        WHERE {within}
            AND {in_use}
            AND target.{key} <> ALL (%(handed)s::text[]::{key_type}[])
    ) <> count(*) FILTER (WHERE matched.found)"""

_KEYS = "SELECT %(differing)s::text[] || %(marked)s::text[]"


@dataclass(frozen=True)
class Compared:
    """What a comparison found: records that agree, are out of scope, and the keys to reconcile.

    The keys are array literals, as the servers read and write them: `differing` (that many)
    where the hashes differ, `marked` where no hash decides. `extras`: whether the target holds
    other rows in the range; None where it was not possible to say.
    """

    agreeing: int
    filtered: int
    differing: str
    differing_count: int
    marked: str
    extras: bool | None

    def keys(self, server: Transaction) -> list[str]:
        """The keys to reconcile, read by a server: either may have put quotes around them."""
        parameters = {"differing": self.differing, "marked": self.marked}
        keys: list[str] = server.value(_KEYS, parameters)
        return keys


def compare(
    flow: Flow, within: Range, how: Prefilter, source: Transaction, target: Transaction
) -> Compared:
    """Compare a range by digests, and where these differ by the hashes of its rows."""
    if how is Prefilter.RANGES:
        agreed = _by_digest(flow, within, source, target)
        if agreed is not None:
            return agreed
    return compare_rows(flow, within, how, source, target)


def compare_rows(
    flow: Flow, within: Range, how: Prefilter, source: Transaction, target: Transaction
) -> Compared:
    """Compare by the hashes of the rows at once, where the digests would differ anyhow."""
    passing, filtered, marked, keys, hashes = _ask(
        source, _source_sql(flow, within, _HASHES), within, flow=flow.name
    )
    sent = {"handed": marked or "{}", "keys": keys or "{}", "hashes": hashes or "{}"}
    statement = _target_rows_sql(flow, within, ordered_alike=how is Prefilter.RANGES)
    differing, count, extras = _ask(target, statement, within, **sent)
    return Compared(passing - count, filtered, differing or "{}", count, marked or "{}", extras)


def _by_digest(
    flow: Flow, within: Range, source: Transaction, target: Transaction
) -> Compared | None:
    passing, filtered, marked, digest = _ask(
        source, _source_sql(flow, within, _DIGEST), within, flow=flow.name
    )
    found = _ask(target, _target_digest_sql(flow, within), within, handed=marked or "{}")
    if found != (passing, digest):
        return None
    return Compared(passing, filtered, "{}", 0, marked or "{}", extras=False)


def _ask(tx: Transaction, statement: str, within: Range, **parameters: str) -> Row:
    row = tx.row(statement, {"low": within.low, "high": within.high, **parameters})
    assert row is not None, "an aggregate returns a row"
    return row


def _source_sql(flow: Flow, within: Range, hashes: str) -> str:
    key = sql.name(flow.source.key)
    return _SOURCE.format(
        key=key,
        hashes=hashes.format(
            hash=_hash(extract.value(flow, each) for each in _hashed(flow)), key=key
        ),
        columns=sql.names(flow.watched, of="source", indent=8),
        once_keyless=_ONCE_KEYLESS.format(record=extract.row_name(flow))
        if flow.source.key_nullable
        else "",
        scope=extract.scope(flow),
        gate=flow.contract.gate(),
        table=sql.name(flow.source.table),
        within=walk.within(within, f"source.{key}", flow.source.key_type),
    )


def _target_digest_sql(flow: Flow, within: Range) -> str:
    return _TARGET_DIGEST.format(**_target_parts(flow, within))


def _target_rows_sql(flow: Flow, within: Range, *, ordered_alike: bool) -> str:
    parts = _target_parts(flow, within)
    extras = _EXTRAS.format(**parts) if ordered_alike else "NULL::boolean"
    return _TARGET_ROWS.format(extras=extras, **parts)


def _target_parts(flow: Flow, within: Range) -> dict[str, str]:
    key, key_type = sql.name(flow.target.key), flow.key_column.type
    return {
        "key": key,
        "key_type": key_type,
        "table": sql.name(flow.target.table),
        "hash": _hash(sql.name(f"target.{each.name}") for each in _hashed(flow)),
        "in_use": absent.in_use(flow),
        "within": walk.within(within, f"target.{key}", key_type),
    }


def _hash(values: Iterable[str]) -> str:
    """Of a record, by its columns' own equality, as the merge compares them; null-safe."""
    return f"hash_record_extended(ROW({', '.join(values)}), 0)"


def _hashed(flow: Flow) -> tuple[Column, ...]:
    return flow.key_column, *flow.compared
