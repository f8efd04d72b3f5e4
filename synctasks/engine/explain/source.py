"""A unit's records at the source: shown masked, and what its filters and its contract say."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from synctasks import sql
from synctasks.contracts import Contract
from synctasks.database import Transaction, array
from synctasks.engine import extract
from synctasks.engine.judge import judge
from synctasks.engine.resolve import made_keys
from synctasks.flow import Column, Flow
from synctasks.shown import shown_sql

# Conditions and what travels are asked as the extract asks for them: in scope only.
_READ = """\
SELECT
    {record},
    ({scope}) IS TRUE,
    ({event_filter}) IS TRUE,
    ({unripe}) IS TRUE,
    CASE WHEN ({scope}) IS TRUE THEN ARRAY[
        {gates}
    ]::boolean[] END,
    ARRAY[
        {shown}
    ]::text[],
    CASE WHEN ({scope}) IS TRUE THEN ARRAY[
        {travelling}
    ]::text[] END
FROM unnest(%(keys)s::text[], %(made_keys)s::text[]) AS wanted (key, made_key)
JOIN {records} ON {wanted_row}
WHERE %(records)s::text[] IS NULL OR {record} = ANY (%(records)s::text[])
ORDER BY 1
LIMIT %(most)s
"""

PASSES = "passes"
NOT_JUDGED = "not judged"


@dataclass(frozen=True)
class Record:
    """A record at the source. `travelling` is what the target looks rows up by: never shown."""

    name: str
    in_scope: bool
    filters: list[dict[str, Any]]
    contract: list[dict[str, Any]]
    shown: dict[str, str | None]
    travelling: dict[str, str | None] = field(repr=False)

    @property
    def is_unripe(self) -> bool:
        """Whether the application's next statement may complete it."""
        return any(each["filter"] == "unripe" and each["verdict"] == "yes" for each in self.filters)

    @property
    def is_deferred(self) -> bool:
        """Whether a captured change of it is held back."""
        return any(
            each["filter"] == "event filter" and each["verdict"] == "excludes"
            for each in self.filters
        )


def read(
    flow: Flow, key: str, names: Sequence[str] | None, most: int, source: Transaction
) -> list[Record]:
    """Those of the unit's records that are named (None: any), so many at most."""
    wanted = {
        "keys": array([key]),
        "made_keys": array(made_keys(flow, [key])),
        "records": None if names is None else array(names),
        "most": most,
    }
    rows = source.rows(_read_sql(flow), wanted)
    said = _complaints(flow, key, [name for name, in_scope, *_ in rows if in_scope], source)
    found = [_record(flow, row, said.get(row[0], {})) for row in rows]
    return sorted(found, key=lambda each: names.index(each.name)) if names else found


def _record(flow: Flow, row: Sequence[Any], said: dict[str, Sequence[str]]) -> Record:
    name, in_scope, event_filter, unripe, gates, values, travelling = row
    names = (each.name for each in _travelling(flow))
    return Record(
        name=name,
        in_scope=in_scope,
        filters=_filters(flow, in_scope, event_filter, unripe),
        contract=_verdicts(flow.contract, gates, said) if in_scope else [],
        shown=dict(zip(_shown(flow), values, strict=True)),
        travelling=dict(zip(names, travelling or [], strict=False)),
    )


def _filters(flow: Flow, in_scope: bool, event_filter: bool, unripe: bool) -> list[dict[str, Any]]:
    """Each of the flow's filters: its SQL words, and what it says of the record."""
    judged = (
        ("scope", flow.scope, PASSES if in_scope else "excludes"),
        ("event filter", flow.event_filter, PASSES if event_filter else "excludes"),
        ("unripe", flow.unripe, "yes" if unripe else "no"),
    )
    return [
        {"filter": name, "sql": condition.sql, "verdict": verdict}
        for name, condition, verdict in judged
        if condition
    ]


def _complaints(
    flow: Flow, key: str, names: Sequence[str], source: Transaction
) -> dict[str, dict[str, Sequence[str]]]:
    """What the contract has against the records, by column."""
    _, letters = judge(flow, [(key, name) for name in names], source) if names else ([], [])
    return {letter.record: dict(letter.messages) for letter in letters}


def _verdicts(
    contract: type[Contract], gates: Sequence[bool], said: dict[str, Sequence[str]]
) -> list[dict[str, Any]]:
    """Each rule: what it asks, whether the gate was sure of it, and what the contract says."""
    of_rules = {(rule.column, str(rule.complaint)) for rule in contract.rules}
    against = {
        column: [each for each in messages if (column, each) not in of_rules]
        for column, messages in said.items()
    }
    asked = []
    for column, judged in contract.fields_by_column().items():
        needed = "required" if judged.required else ""
        words = ", ".join(filter(None, (needed, judged.said)))
        asked.append((column, words, "; ".join(against.get(column, ())) or PASSES))
    for rule in contract.rules:
        if str(rule.complaint) in said.get(rule.column, ()):
            verdict = str(rule.complaint)
        else:
            verdict = NOT_JUDGED if any(map(against.get, rule.reads)) else PASSES
        asked.append((rule.column, rule.said, verdict))
    return [
        {"column": column, "rule": words or "anything", "gate": gate, "verdict": verdict}
        for (column, words, verdict), gate in zip(asked, gates, strict=True)
    ]


@cache
def _read_sql(flow: Flow) -> str:
    contract = flow.contract
    gates = [
        each.gate(sql.name(f"source.{column}"))
        for column, each in contract.fields_by_column().items()
    ]
    gates += [rule.sql("source") for rule in contract.rules]
    travelling = (f"({extract.value(flow, each)})::text" for each in _travelling(flow))
    return _READ.format(
        record=extract.record_name(flow),
        scope=extract.scope(flow),
        event_filter=flow.event_filter.sql if flow.event_filter else "true",
        unripe=flow.unripe.sql if flow.unripe else "false",
        gates=sql.lines((f"({gate}) IS TRUE" for gate in gates), indent=8),
        shown=sql.lines(_shown(flow).values(), indent=8),
        travelling=sql.lines(travelling, indent=8),
        records=extract.records(flow),
        wanted_row=extract.wanted_row(flow),
    )


@cache
def _shown(flow: Flow) -> dict[str, str]:
    """What is shown of each source column that the flow reads, as SQL."""
    masks = {column.reads: column.mask for column in flow.columns if column.mask}
    found = {}
    for column in flow.watched:
        value, mask = sql.name(f"source.{column}"), masks.get(column)
        if mask:
            found[column] = mask.sql.format(value=f"{value}::text")
        elif column == flow.source.key:
            # Somebody typed it.
            found[column] = f"{value}::text"
        else:
            found[column] = shown_sql(column, value)
    return found


@cache
def _travelling(flow: Flow) -> tuple[Column, ...]:
    """The columns by which the target finds rows, and says which state is the later one."""
    target = flow.target
    wanted = {*target.row_key, target.newest, target.identity}
    wanted |= {target.match.column} if target.match else set()
    return tuple(each for each in flow.columns if each.reference or each.name in wanted)
