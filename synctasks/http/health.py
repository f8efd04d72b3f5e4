"""Whether the process lives, and whether all that it depends on can be worked with."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from http import HTTPStatus

from anyio import create_task_group, fail_after, to_thread
from starlette.requests import Request
from starlette.responses import JSONResponse

from synctasks import dispatch, migrations
from synctasks.database import transaction
from synctasks.errors import SynctasksError
from synctasks.flow import Database
from synctasks.monitoring.figures.signs import PROCESSES, presence, silence

_SECONDS = 5.0
_WELL = "ok"

_INSTALLED = """\
SELECT extract(epoch FROM clock_timestamp() - installed_at)::float
FROM synctasks.installation
"""

Ages = Mapping[str, float]


async def alive(_: Request) -> JSONResponse:
    """200: the process lives."""
    return JSONResponse({"alive": True})


async def ready(_: Request) -> JSONResponse:
    """200 if both databases and the broker can be worked with, else 503 and what is wrong.

    How long ago other processes were heard of is told, and decides nothing: this one can do its
    work without them.
    """
    found = dict.fromkeys(_CHECKS, "")
    heard: list[Ages] = []

    async def check(name: str) -> None:
        found[name] = await _outcome(_CHECKS[name], heard)

    async with create_task_group() as group:
        for name in _CHECKS:
            group.start_soon(check, name)
    is_ready = all(outcome == _WELL for outcome in found.values())
    return JSONResponse(
        {"ready": is_ready, "checks": found, "processes": _silences(heard)},
        HTTPStatus.OK if is_ready else HTTPStatus.SERVICE_UNAVAILABLE,
    )


async def _outcome(look: Callable[[], Ages | None], heard: list[Ages]) -> str:
    """`ok`, or what is wrong; what a look has heard of other processes is added to `heard`."""
    try:
        with fail_after(_SECONDS):
            ages = await to_thread.run_sync(look, abandon_on_cancel=True)
    except TimeoutError:
        return f"no answer within {_SECONDS:.0f} s"
    except SynctasksError as error:
        return str(error)
    if ages:
        heard.append(ages)
    return _WELL


def _silences(heard: list[Ages]) -> dict[str, float]:
    """In seconds by process, if any database answers."""
    return {
        process: round(silence(process, [ages[process] for ages in heard]), 1)
        for process in PROCESSES
        if heard
    }


def _look_at(database: Database) -> Ages:
    """How long ago each process was heard of there, or we were installed."""
    with transaction(database) as tx:
        migrations.require_current(tx, database)
        return {**dict.fromkeys(PROCESSES, tx.value(_INSTALLED)), **presence(tx)}


_CHECKS: dict[str, Callable[[], Ages | None]] = {
    **{str(database): partial(_look_at, database) for database in Database},
    "broker": dispatch.check,
}
