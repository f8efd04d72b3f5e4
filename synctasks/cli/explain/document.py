"""An explanation as programs read it; the page for people is made from it, too."""

from __future__ import annotations

from typing import Any

from synctasks.engine.explain import Explanation
from synctasks.engine.explain.facts import Facts
from synctasks.engine.explain.source import Record
from synctasks.flow import Column, Flow


def document(explanation: Explanation) -> dict[str, Any]:
    """What `explain --json` prints."""
    facts, conclusion = explanation.facts, explanation.conclusion
    marks = facts.marks
    return {
        "flow": facts.flow.name,
        "key": facts.key,
        "outcome": conclusion.outcome,
        "sentence": conclusion.sentence,
        "next": conclusion.next,
        "now": facts.counts,
        "source": {
            "database": str(facts.flow.source.database),
            "table": facts.flow.source.table,
            "constants": {
                each.name: each.constant for each in facts.flow.columns if each.constant is not None
            },
            "records": [_record(facts, each) for each in facts.records],
            "left_out": max(0, facts.record_count - len(facts.records)),
        },
        "target": {
            "database": str(facts.flow.target.database),
            "table": facts.flow.target.table,
            "rows": [_row(facts.flow, row.shown) for row in facts.rows.rows],
            "left_out": facts.rows.count - len(facts.rows.rows),
            "taken_by": facts.rows.taken_by,
        },
        "pending": marks.pending,
        "lane": {**marks.lane, "busy": facts.is_busy},
        "breakers": marks.breakers,
        "paused": marks.paused,
        "silent": marks.silent,
        "run": marks.run,
        "last_run": marks.last_run,
        "held": marks.held,
        "deferred": marks.deferred,
        "waiting": marks.waiting,
        "dead_letters": marks.letters,
        "event_log": marks.event_log,
    }


def _record(facts: Facts, record: Record) -> dict[str, Any]:
    return {
        "record": record.name,
        "now": facts.box_of(record.name),
        "row": record.shown,
        "filters": record.filters,
        "contract": record.contract,
        "gate": all(each["gate"] for each in record.contract) if record.contract else None,
        **facts.details[record.name],
    }


def _row(flow: Flow, shown: dict[str, str | None]) -> dict[str, str | None]:
    """A target row in the order of the flow's columns."""
    columns: tuple[Column, ...] = flow.columns
    return {column.name: shown[column.name] for column in columns}
