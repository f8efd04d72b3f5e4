"""What the clock asks of a flow beside its sync: verify with repair, and review, step by step."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from synctasks import dispatch, rounds
from synctasks.audit import Act
from synctasks.capture import change_log
from synctasks.database import CHUNK, Transaction, transaction
from synctasks.dead_letters import failed
from synctasks.engine import review, walk
from synctasks.engine.verify import CLASSES, Verified, verify
from synctasks.flow import Duty, Flow

#: A repair goes through the change log, as any change: some at a time, so that others come by.
REPAIRED_AT_ONCE = 1_000

# A step should take seconds at the most, where every record has to be looked at, too.
_STEP_ROWS = 5_000

# The latest repair, whoever asked for it: how much of it is open.
_REPAIR = """\
SELECT state, planned - done
FROM synctasks.run
WHERE flow = %(flow)s AND kind = 'keys' AND reason = 'repair' AND id > %(run)s
ORDER BY id DESC
LIMIT 1
"""


@dataclass(frozen=True)
class Step:
    """What a step came to, in words without values, and how many records the round has looked at.

    `more`: the next one can be taken at once.
    """

    said: str
    done: int = 0
    more: bool = False


def request(flow: Flow, duty: Duty, reason: str, *, act: Act | None = None) -> int:
    """Begin a round anew, whatever is under way; its run. Raises SynctasksError."""
    with transaction(flow.source.database) as source:
        expected, _ = walk.source_size(flow, source)
        run = rounds.begin(source, flow, duty, reason, anew=True, expected=expected)
        if act:
            act.note(source, flow.name, run)
        return run


def step(flow: Flow, duty: Duty) -> Step:
    """Take the next step of the flow's round, if one is under way. Raises SynctasksError."""
    return _review(flow) if duty is Duty.REVIEW else _verify(flow)


def fail(flow: Flow, duty: Duty, error: str) -> None:
    """End the flow's round that is under way: it cannot go on. Raises SynctasksError."""
    with transaction(flow.source.database) as source:
        under_way = rounds.standing(source, flow, duty)
        if under_way:
            rounds.end(source, under_way.run, "failed", error)


def repair(flow: Flow, keys: Sequence[str], *, act: Act | None = None) -> int:
    """Put the keys of what is wrong into the change log; their run. Raises SynctasksError."""
    run, lanes = change_log.request(flow, keys, origin="repair", act=act)
    dispatch.send_drains((flow.name, lane) for lane in lanes)
    return run


def held(flow: Flow) -> str:
    """What is said where a guard holds back what a repair would remove."""
    return (
        f"{flow.name}: the repair would remove more than 1,000 rows and a fifth of the target, so "
        "those are held. Look at the source first; if it is right: "
        f"synctasks sync {flow.name} --accept-shrink"
    )


def _review(flow: Flow) -> Step:
    """A page and the note that it is done are one transaction."""
    with transaction(flow.source.database, CHUNK, by_key=True) as source:
        review.alone(flow, source)
        was = rounds.standing(source, flow, Duty.REVIEW)
        if was is None:
            return _NOTHING
        looked = review.look(flow, was.place, source)
        done = was.done + looked.rows
        found = {"stale": was.found.get("stale", 0) + looked.stale}
        rounds.save(source, was, looked.next or was.place, done, found)
        if looked.next:
            return Step("more", done, more=True)
        return _end(source, flow, Duty.REVIEW, was.run, found)


def _verify(flow: Flow) -> Step:
    with transaction(flow.source.database) as source:
        was = rounds.standing(source, flow, Duty.VERIFY)
        if was is None:
            return _NOTHING
        state, open_units = source.row(_REPAIR, {"flow": flow.name, "run": was.run}) or (None, 0)
        if state == "guarded":
            rounds.end(source, was.run, "guarded", held(flow))
            return Step(f"guarded: {_words(was.found)}")
    if state == "running" and open_units >= REPAIRED_AT_ONCE:
        return Step("what was repaired is on its way")
    wrong: list[str] = []
    counts = {each: was.found.get(each, 0) for each in CLASSES}
    so_far = Verified(counts, was.done, was.place)
    lanes = change_log.lane_count(flow)
    next(verify(flow, lanes, found=wrong.extend, so_far=so_far, range_rows=_STEP_ROWS))
    # Asked for before the step is noted: one that is repeated asks once more, which is harmless.
    if wrong:
        repair(flow, wrong)
    found = {**so_far.counts, "repaired": was.found.get("repaired", 0) + len(wrong)}
    with transaction(flow.source.database) as source:
        is_mine = rounds.save(source, was, so_far.next or was.place, so_far.looked_at, found)
        if so_far.next or not is_mine:
            return Step("more", so_far.looked_at, more=True)
        return _end(source, flow, Duty.VERIFY, was.run, found)


def _end(source: Transaction, flow: Flow, duty: Duty, run: int, found: Mapping[str, int]) -> Step:
    rounds.end(source, run, "succeeded")
    failed.close(source, flow, str(duty))
    return Step(f"succeeded: {_words(found)}")


def _words(found: Mapping[str, int]) -> str:
    """Counts as a log has them."""
    told = (f"{count:,} {name.replace('_', ' ')}" for name, count in found.items() if count)
    return ", ".join(told) or "nothing"


_NOTHING = Step("nothing to do")
