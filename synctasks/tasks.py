"""The Celery tasks: thin, one set a flow.

`sync.<flow>` is for people and schedules; `drain.<flow>`, `refresh.<flow>`, `verify.<flow>` and
`review.<flow>` are "go and look" messages of our own. What they return is what Flower shows: counts
and states, never values.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import structlog
from celery import Celery, current_task

from synctasks import audit, breaker, dispatch, duties, ledger, pauses, presence, slots
from synctasks.audit import Act, Action
from synctasks.capture import change_log
from synctasks.database import CHUNK, DRAIN, transaction
from synctasks.dead_letters import failed, refused
from synctasks.engine import refresh
from synctasks.engine.drain import drain
from synctasks.errors import LaneBusy, SynctasksError, TransientError
from synctasks.flow import Database, Duty, Flow
from synctasks.flows import any_by_name, by_name
from synctasks.ladder import RETRY, FlowTask, LaneTask, RoundTask, RunTask
from synctasks.rounds import ROUNDS
from synctasks.task_events import told_by_kind

log = structlog.get_logger()

# A task works on for a while rather than pay a message for each batch, but gives its slot
# back soon: other lanes and flows wait for it.
_DRAIN_SECONDS = 0.25
_REFRESH_SECONDS = 0.25

# What keeps a letter tries until it is kept: its source may be the one that is gone.
_UNTIL_KEPT: dict[str, Any] = {**RETRY, "max_retries": None}


def register(app: Celery, flows: Sequence[Flow]) -> dict[str, str]:
    """Register the tasks of all flows; returns the queue of each by name."""
    queues = {
        "control.knock": dispatch.CONTROL,
        "control.presence": dispatch.CONTROL,
        "control.purge": dispatch.CONTROL,
        "dlq.keep": dispatch.DLQ,
        "dlq.refused": dispatch.DLQ,
    }
    app.task(told_by_kind(_knock), name="control.knock", **RETRY)
    app.task(told_by_kind(_presence), name="control.presence")
    app.task(told_by_kind(_purge), name="control.purge", **RETRY)
    app.task(told_by_kind(_keep), name="dlq.keep", **_UNTIL_KEPT)
    app.task(told_by_kind(_refused), name="dlq.refused", **_UNTIL_KEPT)
    for flow in flows:
        for prefix, queue, make, kind in _TASKS:
            name = f"{prefix}.{flow.name}"
            app.task(told_by_kind(make(flow)), name=name, base=kind, **RETRY)
            queues[name] = queue
        for duty in ROUNDS:
            if duty in flow.duties:
                name = f"{duty}.{flow.name}"
                work = told_by_kind(_take_steps(flow, duty))
                app.task(work, name=name, base=RoundTask, **RETRY)
                queues[name] = dispatch.BATCH
    return queues


def ask_for_all(flow: Flow, *, accept_shrink: bool = False, act: Act | None = None) -> int:
    """Ask for a full run, or follow the one under way; its id.

    `accept_shrink` asks for one whose removals no guard holds; `act` is what is noted of it.
    """
    run = refresh.request(flow, "by hand", accepts_shrink=accept_shrink, act=act)
    dispatch.send_refresh(flow.name)
    return run


def ask_for_keys(
    flow: Flow, keys: Sequence[str], *, origin: str = "key", act: Act | None = None
) -> int:
    """Ask for some keys: a run whose changes stand in the change log; its id."""
    run, lanes = change_log.request(flow, keys, origin=origin, act=act)
    dispatch.send_drains((flow.name, lane) for lane in lanes)
    return run


def try_again(flow: Flow, task: str) -> None:
    """Send for a task that gave up, by the name that its letter has."""
    lane = failed.lane_of(task)
    if lane is not None:
        change_log.retry_in(flow, lane, 0)
        dispatch.send_drains([(flow.name, lane)], despite_flag=True)
    elif task == failed.REFRESH:
        dispatch.send_refresh(flow.name)
    elif task in ROUNDS:
        duties.request(flow, Duty(task), "by hand")
        dispatch.send_round(Duty(task), flow.name)
    else:
        # Which keys were asked for is lost with the message: a full run covers them.
        ask_for_all(flow)
        with transaction(flow.source.database) as source:
            failed.close(source, flow, task)


def _sync(flow: Flow) -> Any:
    def sync(keys: list[str] | None = None) -> dict[str, int]:
        """A full run, or these keys."""
        what = "all of it" if keys is None else audit.of_keys(keys)
        # Of our own programs none sends this: whoever does is a person, and the message names none.
        act = Act(Action.SYNC, what, actor=audit.MESSAGE)
        run = ask_for_all(flow, act=act) if keys is None else ask_for_keys(flow, keys, act=act)
        return {"run": run}

    return sync


def _drain(flow: Flow) -> Any:
    def drain_lane(lane: int) -> str:
        """Work off what is pending in a lane."""
        flag = dispatch.drain_flag(flow.name, lane)
        until = time.monotonic() + _DRAIN_SECONDS
        tries = current_task.request.retries
        limits = DRAIN.doubled(tries)
        try:
            if tries and breaker.another_climbs(flow, lane):
                # Nobody is sent for it before the other one has arrived; then at once.
                change_log.retry_in(flow, lane, 0)
                dispatch.lower(flag)
                return "another lane climbs"
            more = drain(flow, lane, limits)
            while more and time.monotonic() < until:
                dispatch.keep(flag)
                more = drain(flow, lane, limits)
        except LaneBusy:
            # Whoever holds the lane looks for what is pending when it is done, and sends.
            dispatch.lower(flag)
            return "busy"
        except TransientError:
            if _known_not_to_work(flow):
                change_log.retry_in(flow, lane, 0)
                return "breaker open"
            raise
        dispatch.lower(flag)
        # Looked at again after the flag is gone: a change that came in between is not overlooked.
        if more or change_log.pending(flow, lane):
            dispatch.send_drains([(flow.name, lane)])
        return "more" if more else "drained"

    return drain_lane


def _refresh(flow: Flow) -> Any:
    def refresh_some(slot: int) -> str:
        """Take the flow's full run some steps further."""
        flag = dispatch.refresh_flag(flow.name, slot)
        until = time.monotonic() + _REFRESH_SECONDS
        limits = CHUNK.doubled(current_task.request.retries)
        try:
            lanes = change_log.lane_count(flow)
            while taken := refresh.step(flow, lanes, limits):
                dispatch.keep(flag)
                if taken.made_work:
                    dispatch.send_refresh(flow.name)
                if taken.pending_lane is not None:
                    dispatch.send_drains([(flow.name, taken.pending_lane)])
                if time.monotonic() >= until:
                    break
        except TransientError:
            if _known_not_to_work(flow):
                return "breaker open"
            raise
        dispatch.lower(flag)
        if taken:
            dispatch.send_refresh(flow.name)
        return "more" if taken else "nothing to do"

    return refresh_some


def _take_steps(flow: Flow, duty: Duty) -> Any:
    def take_steps() -> str:
        """Take the flow's round some steps further."""
        flag = dispatch.round_flag(duty, flow.name)
        until = time.monotonic() + _REFRESH_SECONDS
        if pauses.is_paused(flow):
            dispatch.lower(flag)
            return "paused"
        try:
            while (step := duties.step(flow, duty)).more:
                dispatch.keep(flag)
                if time.monotonic() >= until:
                    break
        except TransientError:
            if _known_not_to_work(flow):
                return "breaker open"
            raise
        dispatch.lower(flag)
        if step.more:
            dispatch.send_round(duty, flow.name)
        return step.said

    return take_steps


def _known_not_to_work(flow: Flow) -> bool:
    """Whether a probe will find out soon enough: then nobody climbs a ladder of his own."""
    try:
        return breaker.is_open(flow)
    except SynctasksError:
        return False


def _presence(queue: str) -> str:
    """Say that there is a worker of this queue."""
    dispatch.lower(dispatch.presence_flag(queue))
    presence.note_everywhere(presence.worker_of(queue))
    return "noted"


def _purge() -> str:
    """Forget what is older than 90 days."""
    for database in Database:
        ledger.purge(database)
    return "purged"


def _keep(flow: str, task: str, error: str, trace: str, lane: int | None = None) -> str:
    """Keep the notice of a task that gave up, as a dead letter."""
    failed.store(any_by_name(flow), task, lane, error, trace)
    return "kept"


def _refused(flow: str, what: str, problem: str) -> str:
    """Keep what the door says of a message that it did not let in, as a dead letter."""
    unknown = flow == refused.UNKNOWN
    database = Database.WAREHOUSE if unknown else any_by_name(flow).source.database
    with transaction(database) as tx:
        refused.store(tx, flow, what, problem)
    return "kept"


def _knock(flow: str) -> str:
    """Beat's only message: is a slot of this flow due that nobody has taken?"""
    now = datetime.now(UTC)
    taken = [slots.take(by_name(flow), duty, now) for duty in by_name(flow).duties]
    for slot in filter(None, taken):
        if slot.duty in ROUNDS:
            dispatch.send_round(slot.duty, flow)
        elif slot.in_chunks:
            dispatch.send_refresh(flow)
        # Else its changes are due from now on: the listener sends for them.
    if not any(taken):
        log.info("slot.taken_already", flow=flow)
    return ", ".join(f"run {slot.run}" for slot in taken if slot) or "taken"


# prefix, queue, what makes the function, what the task is
_TASKS = (
    ("sync", dispatch.CONTROL, _sync, FlowTask),
    ("drain", dispatch.EVENTS, _drain, LaneTask),
    ("refresh", dispatch.BATCH, _refresh, RunTask),
)
