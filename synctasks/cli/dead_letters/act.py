"""`dead-letters replay` and `dead-letters discard`."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Sequence
from typing import Any

import click

from synctasks.cli.dead_letters.choose import ACT_EXAMPLES, by_flow, filters
from synctasks.cli.dead_letters.choose import letters as letters_of
from synctasks.cli.follow import NoWorker, follow
from synctasks.cli.moment import reason_option, text
from synctasks.cli.output import confirm, console, json_option, notices, print_json
from synctasks.dead_letters import act, find
from synctasks.dead_letters.letter import Kind
from synctasks.dead_letters.refused import is_refused
from synctasks.embedded.waiting import wait_until
from synctasks.flow import Flow
from synctasks.flows import any_by_name

# Bulk replays are paced: so many at a time, each lot worked off before the next one.
_AT_ONCE = 500
# A task that does not succeed by then is still being tried: its letter stays.
_TASK_SECONDS = 10


@click.command(epilog=ACT_EXAMPLES.format(name="replay", reason=""))
@click.argument("numbers", metavar="[ID …]", type=int, nargs=-1)
@filters
@reason_option
@click.option("--yes", is_flag=True, help="Do not ask.")
@json_option
def replay(
    numbers: tuple[int, ...], reason: str | None, yes: bool, as_json: bool, **options: Any
) -> None:
    """Reconcile their units once more, and say what became of them.

    Exits 1 if any did not pass, or no worker answers within 10 seconds. Of messages that were
    refused there is nothing to replay: they are left as they are.
    """
    chosen = letters_of(numbers, options)
    letters = [letter for letter in chosen if not is_refused(letter)]
    if left := len(chosen) - len(letters):
        notices.print(f"{left:,} are messages that were refused: send them as they should be.")
    if len(letters) > 1:
        confirm(f"Replay {len(letters):,} dead letters?", yes=yes)
    for name, some in by_flow(letters):
        flow = any_by_name(name)
        _replay(flow, [letter for letter in some if letter["kind"] != Kind.TASK], reason)
        _replay_tasks(flow, [letter for letter in some if letter["kind"] == Kind.TASK], reason)
    ids = [letter["id"] for letter in letters]
    outcomes = find.outcomes(ids)
    passed, rejected = outcomes.pop("passed", 0), outcomes.pop("rejected", 0)
    if as_json:
        neither = sum(outcomes.values())
        counts = {"passed": passed, "rejected": rejected, "neither": neither}
        print_json({"replayed": len(ids), **counts})
    else:
        others = (f", {count:,} {what}" for what, count in outcomes.items())
        console.print(
            f"{len(ids):,} replayed: {passed:,} passed, {rejected:,} rejected again"
            + "".join(others)
        )
    if passed < len(chosen):
        sys.exit(1)


def _replay(flow: Flow, letters: Sequence[dict[str, Any]], reason: str | None) -> None:
    """Some at a time, each lot worked off before the next one."""
    # Imported here: the app reads the environment, and `--help` must not need one.
    import synctasks.app  # noqa: F401
    from synctasks import tasks

    for start in range(0, len(letters), _AT_ONCE):
        some = letters[start : start + _AT_ONCE]
        ids = [letter["id"] for letter in some]
        act.mark_replayed(flow.source.database, flow.name, ids, reason)
        units = list(dict.fromkeys(letter["unit"] for letter in some))
        run = tasks.ask_for_keys(flow, units, origin="replay")
        try:
            for _ in follow(flow, run):
                pass
        except NoWorker as problem:
            click.echo(f"synctasks: {problem}", err=True)
            sys.exit(1)
        if len(letters) > _AT_ONCE:
            notices.print(f"{flow.name}: {start + len(some):,} of {len(letters):,}")


def _replay_tasks(flow: Flow, letters: Sequence[dict[str, Any]], reason: str | None) -> None:
    """Let failed tasks be tried once more; what succeeds closes their letters."""
    import synctasks.app  # noqa: F401
    from synctasks import tasks

    ids = [letter["id"] for letter in letters]
    act.mark_replayed(flow.source.database, flow.name, ids, reason)
    for letter in letters:
        tasks.try_again(flow, letter["unit"])
    with contextlib.suppress(TimeoutError):
        wait_until(lambda: find.outcomes(ids).keys() <= {"passed"}, _TASK_SECONDS, "the tasks")


@click.command(epilog=ACT_EXAMPLES.format(name="discard", reason=' --reason "…"'))
@click.argument("numbers", metavar="[ID …]", type=int, nargs=-1)
@filters
@click.option("--reason", required=True, callback=text, help="Why; it is kept with them.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@json_option
def discard(
    numbers: tuple[int, ...], reason: str, yes: bool, as_json: bool, **options: Any
) -> None:
    """Give them up. They stay quiet until their records are wrong in another way, or pass.

    That of a message that was refused stays quiet until such a message comes again.
    """
    if not reason.strip():
        raise click.UsageError("--reason is blank: say why, it is all that a later reader has.")
    letters = letters_of(numbers, options)
    if len(letters) > 1:
        confirm(f"Discard {len(letters):,} dead letters?", yes=yes)
    done = 0
    for flow, some in by_flow(letters):
        ids = [letter["id"] for letter in some]
        done += len(act.discard(find.database_of(ids[0]), flow, ids, reason))
    if as_json:
        print_json({"discarded": done})
    else:
        console.print(f"{done:,} discarded")
