"""What the protocol rests on, taken out: the machine must find each of these."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import pytest

from synctasks.capture import bodies, triggers
from synctasks.database import CHUNK, Transaction
from synctasks.engine import drain, lock, reconcile, turn, waiting
from synctasks.flow import Flow
from synctasks.flows.to_warehouse.application_events import APPLICATION_EVENTS
from tests.integration.machine.ground import FLOW, Ground
from tests.rows import execute


@contextmanager
def no_lane_lock(ground: Ground) -> Iterator[None]:
    """Whoever comes takes the lane."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(lock, "wait_for", lambda *_: None)
        patch.setattr(lock, "take_any", lambda target, flow, lanes: next(iter(lanes), None))
        yield


@contextmanager
def snapshot_before_the_lock(ground: Ground) -> Iterator[None]:
    """What is extracted was read before the lane was held."""
    held = threading.local()
    real: Callable[..., Any] = reconcile.transaction

    @contextmanager
    def early(database: str, limits: Any, **more: bool) -> Iterator[Transaction]:
        if more.pop("snapshot", False):
            yield held.source
            return
        with (
            real(FLOW.source.database, CHUNK, snapshot=True, by_key=True) as source,
            real(database, limits, **more) as target,
        ):
            source.execute("SELECT")
            held.source = source
            yield target

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(reconcile, "transaction", early)
        yield


@contextmanager
def only_new_rows_captured(ground: Ground) -> Iterator[None]:
    """The trigger for UPDATE logs the keys that rows have, not those that they had."""
    whole = bodies.CHANGED
    before = "(({before_key})::text, before.{first} IS NOT NULL),"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(bodies, "CHANGED", _replaced(whole, before, ""))
        _capture_updates(ground)
    try:
        yield
    finally:
        _capture_updates(ground)


@contextmanager
def forgets_by_key(ground: Ground) -> Iterator[None]:
    """All changes of the keys are forgotten, instead of those that were read."""
    ids = "id = ANY (%(ids)s)"
    keys = f"key IN (SELECT key FROM synctasks.change_log WHERE {ids})"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(drain, "_FORGET", _replaced(drain._FORGET, ids, keys))
        yield


@contextmanager
def books_what_another_forgot(ground: Ground) -> Iterator[None]:
    """The books tell what was read, whoever was the one to forget it."""
    honest = drain.Drain._forget

    def forget(self: drain.Drain, source: Any, taken: Any, ids: Any, books: Any) -> Any:
        asked = set(ids)
        forgotten, overtaken = honest(self, source, taken, asked, books)
        known = {each.key for each in forgotten}
        more = [
            drain.Forgotten(key, len(read), frozenset(), ())
            for key, read in taken.ids.items()
            if key not in known and asked.issuperset(read)
        ]
        return [*forgotten, *more], overtaken

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(drain.Drain, "_forget", forget)
        yield


@contextmanager
def settles_out_of_turn(ground: Ground) -> Iterator[None]:
    """A chunk puts its letters, though a later state has been settled meanwhile."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(turn, "end", lambda *_: False)
        yield


@contextmanager
def nobody_is_woken(ground: Ground) -> Iterator[None]:
    """Whoever brings what others wait for does not say so."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(waiting, "wake", lambda *_: None)
        yield


@contextmanager
def only_the_row_counts(ground: Ground) -> Iterator[None]:
    """Of an application's changes none is kept: who comes late finds its row as it is now."""
    plain = replace(APPLICATION_EVENTS.source, log=None)
    _capture_transitions(ground, replace(APPLICATION_EVENTS, source=plain))
    try:
        yield
    finally:
        _capture_transitions(ground, APPLICATION_EVENTS)


def _capture_transitions(ground: Ground, flow: Flow) -> None:
    for trigger in triggers.triggers(flow, flow.lanes):
        execute(ground.citizen, trigger.function_sql)


def _capture_updates(ground: Ground) -> None:
    """Put the trigger functions in place as they are generated now."""
    for trigger in triggers.triggers(FLOW, FLOW.lanes):
        execute(ground.warehouse, trigger.function_sql)


def _replaced(text: str, part: str, other: str) -> str:
    """The text with a part replaced, which must be there."""
    assert part in text, f"{part!r} is not there any more: take something else out"
    return text.replace(part, other)
