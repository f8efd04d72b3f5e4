"""Resolve: what only the target can say of a staged row, set-based, in the merge's own statement.

References become the keys of rows that the target knows. Where the target has keys of its own,
each unit finds its row there. Every row comes out with a verdict: `pass`, `waiting` (a reference
is not there yet), `unknown` (it never will be, and no more is said of it), `refused_…` (it will not
do as it is: see `refusals`), or `tangled` (units of this batch that come to the same target row;
they are taken one by one, in their order).
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from uuid import UUID, uuid5

from synctasks import sql
from synctasks.flow import Column, Flow, Match, Missing, OnUpdate

TANGLED = "tangled"
WAITING = "waiting"

# The space in which a unit's key becomes the key of the row that is made for it.
_MADE = UUID("5d0c5d0e-0c1b-5b8e-9a4b-6f1f0e3c2a77")

_RESOLVED = """\
{references}{matched}resolved AS MATERIALIZED (
    SELECT
        staged.key,
        {named}CASE
            WHEN staged.verdict <> 'pass' THEN staged.verdict
            {verdicts}
            ELSE 'pass'
        END AS verdict,
        {made_key}{columns}
    FROM staged
    {joins}
),
"""

_REFERENCE = """\
{alias} AS MATERIALIZED (
    SELECT
        staged.{name},
        (array_agg(known.{key} ORDER BY {first}))[1] AS found,
        {several} AS several{all_found}
    FROM staged
    JOIN {table} AS known ON {meant}
    WHERE staged.verdict {carrying}
    GROUP BY staged.{name}
),
"""

_AMBIGUOUS = """\
EXISTS (
            SELECT
            FROM staged
            JOIN {alias} AS meant ON meant.{name} = staged.{name}
            WHERE meant.several AND target.{column} = ANY (meant.all_found) AND {same}
        )"""

_JOIN = "LEFT JOIN {alias} ON {alias}.{name} = staged.{name}"

# The rows that a unit could be, in the target's own keys. Those that were made for a unit whose
# number has changed are about to get the new one: nobody else finds them by the old one. (Unless
# one of the unit's references is missing: then nothing is written.)
_MATCHED = """\
candidate AS MATERIALIZED (
    SELECT staged.key, known.{key} AS found
    FROM staged
    JOIN {table} AS known ON known.{column} = staged.{column}
    WHERE staged.verdict = 'pass'
),
corrected AS MATERIALIZED (
    SELECT made.{key} AS found
    FROM staged
    JOIN {table} AS made ON made.{key} = staged.{key}
    {joins}
    WHERE staged.verdict = 'pass'
        AND made.{column} IS DISTINCT FROM staged.{column}
        AND {is_later}
        AND {sound}
        AND NOT EXISTS (SELECT FROM candidate WHERE candidate.key = staged.key)
),
matched AS MATERIALIZED (
    SELECT
        staged.key,
        coalesce(min(candidate.found), staged.{key}) AS found,
        count(candidate.found) > 1 AS several,
        min(made.{key}) AS made
    FROM staged
    LEFT JOIN candidate ON candidate.key = staged.key
        AND candidate.found NOT IN (SELECT corrected.found FROM corrected)
    LEFT JOIN {table} AS made ON made.{key} = staged.{key}
    WHERE staged.verdict = 'pass'
    GROUP BY staged.key, staged.{key}
),
tangled AS MATERIALIZED (
    SELECT unnest(array_agg(touched.key)) AS key
    FROM (
        SELECT key, found FROM matched WHERE NOT several
        UNION
        SELECT key, made FROM matched WHERE made IS NOT NULL
    ) AS touched
    GROUP BY touched.found
    HAVING count(*) > 1
),
"""


def made_keys(flow: Flow, keys: Sequence[str]) -> list[str]:
    """In step with the units' keys: those of the rows that would be made for them."""
    return [str(uuid5(_MADE, key)) for key in keys] if flow.target.match else []


@cache
def resolved_sql(flow: Flow) -> str:
    """The common table expression `resolved`, with those that it needs, made from `staged`."""
    match = flow.target.match
    columns = (_value(flow, column) for column in flow.columns)
    joins = _joins(flow)
    if match:
        joins.append("LEFT JOIN matched ON matched.key = staged.key")
    named = ["staged.record"] if flow.source.query else []
    named += ["staged.standing"] if flow.target.best else []
    return _RESOLVED.format(
        references="".join(_reference(flow, *each) for each in _references(flow)),
        named="".join(f"{each},\n        " for each in named),
        matched=_matched(flow, match) if match else "",
        verdicts=sql.lines(_verdicts(flow), separator="", indent=12),
        made_key="matched.made AS made_key,\n        " if match else "",
        columns=sql.lines(columns, indent=8),
        joins=sql.lines(joins, separator=""),
    )


def is_later(flow: Flow, of: str, than: str, *, or_same: bool = False) -> str:
    """Whether a row's state is later than that of the target's row, whose time may be unknown."""
    assert flow.target.newest is not None, "asked of a flow whose newest state wins"
    newest = sql.name(flow.target.newest)
    later = ">=" if or_same else ">"
    return f"({than}.{newest} IS NULL OR {of}.{newest} {later} {than}.{newest})"


def name_of(flow: Flow) -> str:
    """The staged column that names a record."""
    return "record" if flow.source.query else "key"


def same_row(flow: Flow, left: str, right: str) -> str:
    """The condition that two rows have the same key at the target."""
    names = map(sql.name, flow.target.row_key)
    return " AND ".join(f"{left}.{name} = {right}.{name}" for name in names)


def ambiguous_sql(flow: Flow) -> list[str]:
    """For each reference within a row's key, whether some record may mean the row `target`, among
    others.
    """
    found = []
    for place, column in _references(flow):
        others = [sql.name(each) for each in flow.target.row_key if each != column.name]
        if column.name in flow.target.row_key:
            found.append(
                _AMBIGUOUS.format(
                    alias=f"reference_{place}",
                    name=name_of(flow),
                    column=sql.name(column.name),
                    same=" AND ".join(f"target.{each} = staged.{each}" for each in others),
                )
            )
    return found


@cache
def refusals(flow: Flow) -> dict[str, tuple[str, str]]:
    """The verdicts by which the target refuses a record: (source column, what is said of it)."""
    found = {}
    for place, column in _references(flow):
        assert column.reference is not None
        name = column.reads
        found[f"refused_several_{place}"] = (name, column.reference.ambiguous)
        found[f"refused_unknown_{place}"] = (name, column.reference.unknown)
    if flow.identity_column:
        found["taken"] = (flow.identity_column.reads, "is known at the target under another key")
    if flow.target.claimed:
        found["taken"] = (flow.key_column.reads, "is known at the target from another unit")
    match = flow.target.match
    if match:
        column = next(each for each in flow.columns if each.name == match.column)
        found["refused_several"] = (column.reads, f"means several rows of {flow.target.table}")
    return found


def _references(flow: Flow) -> list[tuple[int, Column]]:
    return list(enumerate(flow.references))


def _value(flow: Flow, column: Column) -> str:
    name = sql.name(column.name)
    # What waits, or was refused, still tells which row it is about.
    tells = column.name in flow.target.row_key and column.reference and column.reference.is_by_key
    if column.reference and not tells:
        place = flow.references.index(column)
        return f"reference_{place}.found AS {name}"
    if flow.target.match and column.name == flow.target.key:
        return f"matched.found AS {name}"
    return f"staged.{name}"


def _joins(flow: Flow) -> list[str]:
    return [
        _JOIN.format(alias=f"reference_{place}", name=name_of(flow))
        for place, _ in _references(flow)
    ]


def _reference(flow: Flow, place: int, column: Column) -> str:
    reference = column.reference
    assert reference is not None
    key = sql.name(reference.key)
    return _REFERENCE.format(
        alias=f"reference_{place}",
        name=name_of(flow),
        key=key,
        table=sql.name(reference.table),
        meant=reference.meant.format(value=f"staged.{sql.name(column.name)}"),
        first=reference.first or f"known.{key}",
        several="false" if reference.first else "count(*) > 1",
        all_found=f",\n        array_agg(known.{key}) AS all_found" if flow.wide else "",
        carrying="<> 'out_of_scope'" if flow.wide else "= 'pass'",
    )


_VERDICTS = {
    Missing.WAIT: WAITING,
    Missing.REJECT: "refused_unknown_{place}",
    Missing.FILTER: "unknown",
}


def _verdicts(flow: Flow) -> list[str]:
    """Refusals first: a record that is wrong need not wait for anything."""
    refused, waiting = [], []
    if flow.target.match:
        refused.append("WHEN matched.several THEN 'refused_several'")
        waiting.append(
            "WHEN EXISTS (SELECT FROM tangled WHERE tangled.key = staged.key)"
            f" THEN {sql.literal(TANGLED)}"
        )
    if flow.target.claimed:
        key = sql.name(flow.target.key)
        waiting.append(
            f"WHEN count(*) OVER (PARTITION BY staged.{key}) > 1 THEN {sql.literal(TANGLED)}"
        )
    for place, column in _references(flow):
        reference = column.reference
        assert reference is not None
        refused.append(f"WHEN reference_{place}.several THEN 'refused_several_{place}'")
        missing = _missing(flow, column, place)
        verdict = _VERDICTS[reference.missing].format(place=place)
        (waiting if reference.missing is Missing.WAIT else refused).append(
            f"WHEN {missing} THEN {sql.literal(verdict)}"
        )
    return refused + waiting


def _missing(flow: Flow, column: Column, place: int) -> str:
    """Whether the reference that stands at a place is needed and not there."""
    missing = f"reference_{place}.found IS NULL"
    if column.reference and column.reference.optional:
        missing += f" AND staged.{sql.name(column.name)} IS NOT NULL"
    if column.on_update is OnUpdate.KEEP and not flow.target.match:
        # Of a row that is there, what it once meant stays.
        table, same = sql.name(flow.target.table), same_row(flow, "kept", "staged")
        missing += f" AND NOT EXISTS (SELECT FROM {table} AS kept WHERE {same})"
    return missing


def _sound(flow: Flow) -> str:
    """Whether all of a row's references are there, and mean one row each."""
    doubts = [
        f"reference_{place}.several IS TRUE OR ({_missing(flow, column, place)})"
        for place, column in _references(flow)
    ]
    return f"NOT ({' OR '.join(doubts)})" if doubts else "true"


def _matched(flow: Flow, match: Match) -> str:
    return _MATCHED.format(
        key=sql.name(flow.target.key),
        table=sql.name(flow.target.table),
        column=sql.name(match.column),
        is_later=is_later(flow, "staged", "made"),
        joins=sql.lines(_joins(flow), separator=""),
        sound=_sound(flow),
    )
