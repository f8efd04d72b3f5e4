"""All that the flows declare, as a page of Markdown: docs/flows.md is this and nothing else."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from synctasks.flow import Absent, Column, Duty, Flow, Missing, OnUpdate

_HEAD = """\
# Flows

What crosses, and how: printed from the declarations in `synctasks/flows/` by
`synctasks flows --markdown`. Where they differ from the specification's letter on purpose is in
[differences.md](differences.md).

"""

_SECTION = """\
## {flow.name}

Specification {flow.specification}. {flow.summary}

{facts}

| column | type | from | mask | when the row is there |
| --- | --- | --- | --- | --- |
{columns}
| source column | rule |
| --- | --- |
{rules}"""

_ABSENT = {
    Absent.KEEP: "its rows stay",
    Absent.DELETE: "its rows are deleted",
    Absent.DEACTIVATE: "its row is taken out of use",
    Absent.DELETE_WITHIN: "its rows stay; those that a unit no longer has are deleted",
}

_ON_UPDATE = {
    OnUpdate.REPLACE: "",
    OnUpdate.KEEP: "written once",
    OnUpdate.FILL: "a null never erases",
    OnUpdate.STAMP: "whenever the row is written",
    OnUpdate.LATEST: "the later one stays",
}

_MISSING = {
    Missing.WAIT: "waits",
    Missing.REJECT: "is rejected",
    Missing.FILTER: "is filtered",
}


def page(flows: Sequence[Flow]) -> str:
    """The page; it ends with a newline."""
    return _HEAD + "\n".join(_section(flow) for flow in flows)


def _section(flow: Flow) -> str:
    facts = "\n".join(f"- **{name}**: {said}" for name, said in _facts(flow))
    columns = "".join(_column(flow, column) for column in flow.columns)
    rules = "".join(f"| {name} | {rule} |\n" for name, rule in _rules(flow))
    return _SECTION.format(flow=flow, facts=facts, columns=columns, rules=rules)


def _facts(flow: Flow) -> Iterator[tuple[str, str]]:
    source, target = flow.source, flow.target
    tables = ", ".join(dict.fromkeys(f"`{table.name}`" for table in flow.tables))
    yield "source", f"{source.database}, {tables}; a unit is a `{source.key}`"
    row = ", ".join(f"`{each}`" for each in target.row_key)
    yield "target", f"{target.database}, `{target.table}`, by {row}"
    time = f"`{source.time.column}`" if source.time else "none"
    yield "time (`sync --since … --until …`)", time
    yield "filter", _sql(flow.scope.sql) if flow.scope else "none"
    if flow.event_filter:
        yield "filter of events", f"{_sql(flow.event_filter.sql)}; others are deferred"
    if flow.unripe:
        yield "tried again by the ladder", _sql(flow.unripe.sql)
    yield "conflict", "; ".join(_conflict(flow))
    yield "a unit that is absent", _ABSENT[flow.absent]
    yield "capture", ", ".join(flow.capture) or "none"
    schedule = flow.schedule
    yield "schedule (UTC)", f"{schedule}: {schedule.asks_for.said}" if schedule else "none"
    for duty, due in flow.duties.items():
        if duty is not Duty.SYNC:
            yield f"{duty} (UTC)", f"{due}: {due.asks_for.said}"
    if flow.stale:
        yield (
            "stale",
            f"a source row whose `{flow.stale.column}` is {flow.stale.after.days} days old",
        )
    for column in flow.references:
        yield f"`{column.name}`", _reference(column)


def _conflict(flow: Flow) -> Iterator[str]:
    target = flow.target
    if target.newest:
        or_same = "or the same " if target.newest_ties else ""
        yield f"only a later {or_same}`{target.newest}` overwrites"
    else:
        yield "the source's state overwrites what differs"
    if target.best:
        yield f"the best {target.best.most} by `{target.best.score}` stay"
    if target.match:
        yield f"a row is found by `{target.match.column}`, else made"
    if target.identity:
        yield f"`{target.identity}` is never changed"


def _reference(column: Column) -> str:
    reference = column.reference
    assert reference is not None
    what = f"`{reference.key}` of `{reference.table}`"
    optional = "; may be null" if reference.optional else ""
    return f"{what}; a record whose reference is missing {_MISSING[reference.missing]}{optional}"


def _column(flow: Flow, column: Column) -> str:
    mask = column.mask.name if column.mask else ""
    optional = "where both sides have it" if column.optional else ""
    when = "; ".join(filter(None, (_ON_UPDATE[column.on_update], optional)))
    return f"| {column.name} | {column.type} | {_origin(flow, column)} | {mask} | {when} |\n"


def _origin(flow: Flow, column: Column) -> str:
    if column.constant is not None:
        return f"always `{column.constant}`"
    if flow.target.match and column.name == flow.target.key:
        return f"made from `{column.reads}`"
    if column.words:
        words = ", ".join(f"{word} → {becomes}" for word, becomes in column.words)
        return f"`{column.reads}`: {words}"
    return f"`{column.reads}`"


def _rules(flow: Flow) -> Iterator[tuple[str, str]]:
    for name, field in flow.contract.fields_by_column().items():
        required = "required" if field.required else ""
        said = ", ".join(filter(None, (required, field.said)))
        if said:
            yield f"`{name}`", said
    for rule in flow.contract.rules:
        yield f"`{rule.column}`", rule.said


def _sql(text: str) -> str:
    return "`" + " ".join(text.split()) + "`"
