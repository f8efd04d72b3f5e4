"""Why the record is or is not there, and what to do next: one sentence, and one word for it.

It says what a reconcile would do now, and reads from the marks why that has not happened yet.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from synctasks.engine.explain.facts import Facts
from synctasks.engine.explain.source import Record
from synctasks.engine.explain.way import way
from synctasks.flow import Absent

# What may be said without anything being wrong: nobody has to do anything.
_WELL = ("matched", "superseded", "outranked", "filtered", "kept", "gone")

# The outcome, why, and the command that comes next.
_Reason = tuple[str, str, str | None]

_STATES = {
    "missing": "not at the target yet",
    "different": "not yet at the target as at the source",
    "extra": "still at the target, though the source does not have it, or not in scope",
}


# What leads to the command that comes next, by a part of it.
_LEADS = {
    " --accept-shrink": "if the source is right, let it go",
    " sync ": "at once",
    " show ": "see",
    " status": "see",
    " listen": "start it",
    " worker": "start it",
}


@dataclass(frozen=True)
class Conclusion:
    """What it comes to: a word, a sentence, the command that comes next if one does."""

    outcome: str
    sentence: str
    next: str | None = None
    is_well: bool = False


def conclude(facts: Facts) -> Conclusion:
    """Why the unit is or is not there."""
    outcome, why, command = _reason(facts)
    still_open = [each for each in facts.marks.letters if each["state"] != "discarded"]
    is_well = outcome in _WELL and not still_open
    if still_open and outcome != "rejected":
        number = still_open[0]["id"]
        act = "discard" if outcome in ("gone", "kept") else "replay"
        why += f"; its dead letter {number} is open still"
        reason = ' --reason "…"' if act == "discard" else ""
        command = command or f"synctasks dead-letters {act} {number}{reason}"
    advice = f"; {_lead(command)}: {command}" if command else ""
    return Conclusion(outcome, f"{why}{advice}", command, is_well)


def _lead(command: str) -> str:
    """What leads to a command."""
    return next((lead for part, lead in _LEADS.items() if part in command), "next")


def _reason(facts: Facts) -> _Reason:
    """The outcome, why, and the command that comes next."""
    if facts.worst is None:
        return _nothing(facts)
    return _REASONS[facts.worst](facts)


def _nothing(facts: Facts) -> _Reason:
    """The source has no such unit, and nothing would go."""
    key, flow = facts.name, facts.flow
    if facts.rows.rows:
        if not all(row.in_use for row in facts.rows.rows):
            return "gone", f"{key} is gone from the source, and out of use at the target", None
        return (
            "kept",
            f"{key} is gone from the source, and this flow keeps what the target has",
            None,
        )
    if facts.marks.are_traces:
        return "gone", f"{key} is gone from the source, and not at the target", None
    said = (
        f"There is no {key}: neither {flow.source.table} nor {flow.target.table} has it, "
        f"and nothing is pending; a key of this flow is the source's {flow.source.key}"
    )
    return "unknown", said, None


def _rejected(facts: Facts) -> _Reason:
    subject = _subject(facts, "rejected")
    stays = "what the target has of it" if facts.flow.wide else "its row at the target"
    there = f"{stays} is left as it is" if facts.rows.rows else "so it does not cross"
    why = f"{subject} rejected ({facts.errors()}), {there}"
    if facts.rows.taken_by:
        why += f"; the row belongs to {facts.rows.taken_by}"
    names = {letter.record for letter in facts.books.letters}
    for letter in facts.marks.letters:
        if letter["record"] in names:
            number, state = letter["id"], letter["state"]
            given_up = f", which was discarded ({letter['reason']})" if state == "discarded" else ""
            command = f"synctasks dead-letters show {number}"
            return "rejected", f"{why}; it stands as dead letter {number}{given_up}", command
    if facts.marks.pending:
        why += f"; its dead letter comes with its change, which is pending, and {way(facts).why}"
        return "rejected", why, way(facts).command
    return "rejected", f"{why}; nobody has tried it since", facts.command


def _waiting(facts: Facts) -> _Reason:
    subject = _subject(facts, "waiting")
    if any(record.is_unripe and _is(facts, record, "waiting") for record in facts.records):
        why = f"{subject} not complete: the application's next statement may set what is missing"
        return "waiting", why, None
    needs = dict.fromkeys(need for each in facts.marks.waiting for need in each["needs"] if need)
    missing = dict.fromkeys(
        each["table"]
        for record in facts.records
        if _is(facts, record, "waiting")
        for each in facts.details[record.name]["references"]
        if each["verdict"] == "missing"
    )
    why = f"{subject} waiting for its reference: {' and '.join(missing)} has no such row"
    if needs:
        why += f" ({' or '.join(needs)} would wake it)"
    if facts.marks.pending:
        return "waiting", f"{why}; its change is pending, and {way(facts).why}", way(facts).command
    since = next((each["since"] for each in facts.marks.waiting if each["since"]), None)
    if since is None:
        return "waiting", f"{why}; nobody has noted that yet", facts.command
    return "waiting", f"{why}; since {_minute(since)}, for 30 days at most", None


def _differs(facts: Facts) -> _Reason:
    """What a reconcile would write or remove: why has it not happened?"""
    box, marks = facts.worst or "", facts.marks
    what = f"{_subject(facts, box)} {_STATES[box]}"
    poisonous = [each for each in marks.letters if each["kind"] == "crash"]
    if poisonous:
        command = f"synctasks dead-letters show {poisonous[0]['id']}"
        return "rejected", f"{what}: {poisonous[0]['error']}", command
    if marks.held:
        why = f"{what}: the guard holds its removal since {_minute(marks.held['since'])}, since"
        why += " very many would have gone at once"
        return "held", why, f"synctasks sync {facts.flow.name} --accept-shrink"
    if marks.pending:
        if _held_back(facts):
            why = f"{what}: the event filter will hold its pending change back until the next"
            return "deferred", f"{why} full run ({facts.flow.schedule})", facts.command
        found = way(facts)
        return "in_flight", f"{what}: its change is pending, and {found.why}", found.command
    if marks.deferred:
        why = f"{what}: the event filter has held its change back since"
        why += f" {_minute(marks.deferred['since'])}, until the next full run"
        return "deferred", f"{why} ({facts.flow.schedule})", facts.command
    found = way(facts)
    return box, f"{what}: {found.why}", found.command


def _held_back(facts: Facts) -> bool:
    """Whether the event filter holds back what is pending: it is asked of captures only."""
    only_captured = all(each["origin"] == "captured" for each in facts.marks.pending)
    return only_captured and any(record.is_deferred for record in facts.records)


def _superseded(facts: Facts) -> _Reason:
    found = [
        facts.details[each.name]["conflict"]
        for each in facts.records
        if _is(facts, each, "superseded")
    ]
    times = f" ({found[0]['target']}, here {found[0]['source']})" if any(found) else ""
    why = f"{_subject(facts, 'superseded')} superseded: the target has a later state{times},"
    return "superseded", f"{why} which is never overwritten", None


def _matched(facts: Facts) -> _Reason:
    why = f"{_subject(facts, 'unchanged')} in step: the target has what the source says"
    if facts.counts.get("outranked"):
        why += f"; {facts.counts['outranked']} more are none of the best"
    if facts.marks.pending:
        why += "; a pending change of it will find nothing to write"
    return "matched", why, None


def _outranked(facts: Facts) -> _Reason:
    why = f"{_subject(facts, 'outranked')} outranked: others of {facts.name} are better"
    return "outranked", why, None


def _filtered(facts: Facts) -> _Reason:
    subject = _subject(facts, "filtered")
    reasons = [
        f"{each['table']} does not know whose it is"
        for record in facts.records
        if record.in_scope and _is(facts, record, "filtered")
        for each in facts.details[record.name]["references"]
        if each["verdict"] == "missing"
    ][:1]
    scope = facts.flow.scope
    if scope and not all(record.in_scope for record in facts.records):
        reasons.append(f"it is out of scope ({scope.sql})")
    left = facts.rows.rows and facts.flow.absent is Absent.KEEP
    there = "its row at the target is left as it is" if left else "so it does not cross"
    return "filtered", f"{subject} filtered, {there}: {', or '.join(reasons)}", None


_REASONS: dict[str, Callable[[Facts], _Reason]] = {
    "rejected": _rejected,
    "waiting": _waiting,
    "missing": _differs,
    "different": _differs,
    "extra": _differs,
    "superseded": _superseded,
    "unchanged": _matched,
    "outranked": _outranked,
    "filtered": _filtered,
}


def _is(facts: Facts, record: Record, box: str) -> bool:
    return facts.box_of(record.name) == box


def _subject(facts: Facts, box: str) -> str:
    """What the sentence is about, with its verb: the unit, or some of its records."""
    count, of = facts.counts[box], "rows" if box == "extra" else "records"
    everything = facts.record_count if box != "extra" else max(count, facts.rows.count)
    if not facts.flow.wide:
        return f"{facts.name} is"
    if count == everything == 1:
        return f"The one {of[:-1]} of {facts.name} is"
    return f"{count:,} of {everything:,} {of} of {facts.name} {'is' if count == 1 else 'are'}"


def _minute(moment: str) -> str:
    return moment[:16].replace("T", " ")
