"""The end of a life: everything is worked off, and then every promise can be checked."""

from __future__ import annotations

from synctasks.capture import change_log
from synctasks.engine import refresh
from synctasks.engine.drain import drain
from tests import oracle
from tests.integration.machine import books
from tests.integration.machine.application import AT_ONCE, Application
from tests.integration.machine.broken import Differs, LettersWrong, NotAtRest
from tests.integration.machine.ground import FLOW, Ground
from tests.refreshing import finish, run_of, versions
from tests.rows import execute, rows

# Many more than there are keys: what is still pending after that, goes in a circle.
_MOST_DRAINS = 50

_PENDING = "SELECT flow, key, origin FROM synctasks.change_log"
_UNFINISHED = "SELECT id, state FROM synctasks.run WHERE state IN ('requested', 'running')"
_MARKED = "SELECT key FROM synctasks.deferred"
_LETTERS = "SELECT unit FROM synctasks.dead_letter WHERE state <> 'resolved'"
_CRASHED = f"{_LETTERS} AND kind = 'crash'"
_BAD = "SELECT gr_id FROM golden_records WHERE full_name IS NULL"
_GOOD = "SELECT gr_id FROM golden_records WHERE full_name IS NOT NULL"
# Every key is reconciled under its lane's lock: no range is compared.
_NO_PREFILTER = "UPDATE synctasks.run SET prefilter = 'none' WHERE id = %s"


def come_to_rest(ground: Ground, application: Application) -> None:
    """Work everything off by events, by a full run, with all records put right; check each time.

    Nobody else is at work any more, and no transaction is open.
    """
    drain_all(ground)
    finish(FLOW)
    _full_run(ground)
    carry(ground)
    _check_refreshed(ground)
    application.save(AT_ONCE, ground.keys, "good")
    carry(ground)
    _check_put_right(ground)
    _check_nothing_to_write(ground)
    books.look(ground.warehouse)
    books.look_at_answers(ground.warehouse)


def drain_all(ground: Ground) -> None:
    """Events alone carry everything, but for what is marked."""
    ground.let_time_pass()
    carry(ground)
    pending = rows(ground.warehouse, _PENDING)
    if pending:
        raise NotAtRest(f"pending after all drains: {pending}")
    _check_letters(ground)
    marked = {*rows(ground.warehouse, _MARKED), *rows(ground.warehouse, _LETTERS)}
    _check_alike(ground, but_for=marked)


def _check_letters(ground: Ground) -> None:
    """What is wrong at the source has its letter, what is valid has none, but for what is marked.

    A letter of a crash is about a record that nobody has judged.
    """
    marked = {*rows(ground.warehouse, _MARKED), *rows(ground.warehouse, _CRASHED)}
    bad, good = set(rows(ground.warehouse, _BAD)), set(rows(ground.warehouse, _GOOD))
    letters = set(rows(ground.warehouse, _LETTERS))
    if (bad - letters - marked) or (letters & good - marked):
        raise LettersWrong(f"open: {letters}, wrong: {bad}, valid: {good}, marked: {marked}")


def carry(ground: Ground) -> None:
    """Work off what is pending; a drain that has found poison says nothing of the rest."""
    for lane in ground.lanes:
        for _ in range(_MOST_DRAINS):
            if not change_log.pending(FLOW, lane):
                break
            drain(FLOW, lane)


def _check_refreshed(ground: Ground) -> None:
    """A full run leaves nothing deferred; what is wrong at the source has its letter."""
    marked = rows(ground.warehouse, _MARKED)
    if marked:
        raise NotAtRest(f"deferred after a full run: {marked}")
    _check_letters(ground)
    bad = set(rows(ground.warehouse, _BAD))
    _check_alike(ground, but_for=bad)


def _check_put_right(ground: Ground) -> None:
    letters = rows(ground.warehouse, _LETTERS)
    if letters:
        raise LettersWrong(f"open, and all records are valid: {letters}")
    _check_alike(ground, but_for=set())


def _check_nothing_to_write(ground: Ground) -> None:
    before = versions(ground.citizen)
    run = _full_run(ground)
    left = rows(ground.warehouse, _PENDING) + rows(ground.warehouse, _UNFINISHED)
    if run["written"] or run["removed"] or versions(ground.citizen) != before or left:
        raise NotAtRest(f"one more run wrote {run['written']}, removed {run['removed']}; {left}")


def _check_alike(ground: Ground, *, but_for: set[str]) -> None:
    found = oracle.profile_data(ground.warehouse, ground.citizen)
    wrong = {*found.missing, *found.extra, *found.different} - but_for
    if wrong:
        raise Differs(f"{sorted(wrong)}: {found}")


def _full_run(ground: Ground) -> dict[str, object]:
    """A run of its own, in which every key is reconciled."""
    asked = refresh.request(FLOW, "test", accepts_shrink=True)
    refresh.start(FLOW)
    execute(ground.warehouse, _NO_PREFILTER, [asked])
    finish(FLOW)
    run = run_of(ground.warehouse, asked)
    if run["state"] != "succeeded":
        raise NotAtRest(f"run {run['id']} is {run['state']}")
    return run
