"""What stands in the way of a unit's change, or what brings it where none is pending."""

from __future__ import annotations

from dataclasses import dataclass

from synctasks import presence
from synctasks.engine.changes import LADDER_STEPS
from synctasks.engine.explain.facts import Facts
from synctasks.flow import Captured, Duty, Everything

# Who takes what is pending: what he is called, and what starts him.
_TAKES = {
    presence.LISTENER: ("the listener", "synctasks listen"),
    presence.worker_of("events"): ("a worker of the events", "celery -A synctasks worker"),
}


@dataclass(frozen=True)
class Way:
    """Why nothing has happened yet, in words, and the command that comes next."""

    why: str
    command: str | None


def way(facts: Facts) -> Way:
    """Why what a reconcile would do has not been done yet."""
    return _stopped(facts) or (_pending(facts) if facts.marks.pending else _unseen(facts))


def _stopped(facts: Facts) -> Way | None:
    """What stops the whole flow, or the lane."""
    marks, name = facts.marks, facts.flow.name
    if marks.paused:
        since, actor = _minute(marks.paused["since"]), marks.paused["actor"]
        reason = f" ({marks.paused['reason']})" if marks.paused["reason"] else ""
        return Way(
            f"the flow is paused since {since} by {actor}{reason}", f"synctasks resume {name}"
        )
    for breaker in marks.breakers:
        side, reason = breaker["side"], breaker["reason"]
        if breaker["climber"] is None:
            said = f"the breaker of the {side} is open ({reason}): it is tried every 5 seconds"
            return Way(said, "synctasks status")
        if breaker["climber"] != marks.lane.get("lane"):
            said = f"the {side} is slow ({reason}): another lane tries how long the work takes"
            return Way(said, "synctasks status")
    if marks.pending and marks.lane.get("in_ladder"):
        said = f"its lane is in the ladder: the next try is at {marks.lane['retry_at'][:19]}"
        return Way(said, "synctasks status")
    return None


def _pending(facts: Facts) -> Way:
    """What the pending changes themselves wait for."""
    pending, flow = facts.marks.pending, facts.flow
    if any(each["due"] for each in pending):
        if facts.is_busy:
            return Way("a worker is at its lane now", None)
        if silent := facts.marks.silent:
            names = " or ".join(_TAKES[each][0] for each in silent)
            return Way(f"due, but nothing was heard of {names} lately", _TAKES[silent[0]][1])
        return Way("due: workers take it in a moment", "synctasks status")
    tried = [each for each in pending if not each["rests"]]
    if not tried:
        said = f"rests until the flow's slot ({flow.schedule})"
        return Way(said, facts.command)
    attempts = max(each["attempts"] for each in tried)
    moment = min(each["not_before"] for each in tried)[:19]
    return Way(f"tried again at {moment} (so far {attempts} of {LADDER_STEPS} times)", None)


def _unseen(facts: Facts) -> Way:
    """Nothing is pending: what brings it all the same."""
    flow, run = facts.flow, facts.marks.run
    if run:
        state = "under way" if run["state"] == "running" else "asked for"
        return Way(f"a full run is {state} and brings it", "synctasks status")
    if ended := _ended(facts):
        return ended
    said = ["nothing is pending" if flow.capture else "this flow has no events"]
    if flow.schedule and not isinstance(flow.schedule.asks_for, Captured):
        asks_for = flow.schedule.asks_for
        everything = isinstance(asks_for, Everything)
        takes = "all there is" if everything else asks_for.said
        said.append(f"its slot ({flow.schedule}) takes {takes}")
    if nightly := flow.duties.get(Duty.VERIFY):
        said.append(f"the nightly verify ({nightly}) repairs it")
    return Way(", ".join(said), facts.command)


def _ended(facts: Facts) -> Way | None:
    """How the last full run ended, where it did not do all of its work."""
    name, last = facts.flow.name, facts.marks.last_run
    if last is None or last["state"] == "succeeded":
        return None
    if last["state"] == "guarded":
        said = "the last full run found much less than usual, and removed nothing"
        return Way(said, f"synctasks sync {name} --accept-shrink") if facts.is_extra else None
    error = f" ({last['error']})" if last["error"] else ""
    return Way(f"the last full run {last['state']}{error}", "synctasks status")


def _minute(moment: str) -> str:
    return moment[:16].replace("T", " ")
