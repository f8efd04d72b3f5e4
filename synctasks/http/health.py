"""Whether the process lives, and whether all that it depends on answers."""

from __future__ import annotations

from collections.abc import Callable
from http import HTTPStatus

from anyio import create_task_group, fail_after, to_thread
from starlette.requests import Request
from starlette.responses import JSONResponse

from synctasks import dispatch
from synctasks.database import transaction
from synctasks.errors import SynctasksError
from synctasks.flow import Database

_SECONDS = 5.0
_WELL = "ok"

_INSTALLED = "SELECT count(*) FROM synctasks.installation"


async def alive(_: Request) -> JSONResponse:
    """200: the process lives."""
    return JSONResponse({"alive": True})


async def ready(_: Request) -> JSONResponse:
    """200 if both databases and the broker answer, else 503 and what is wrong with which."""
    found = dict.fromkeys(_CHECKS, "")

    async def check(name: str) -> None:
        found[name] = await _outcome(_CHECKS[name])

    async with create_task_group() as group:
        for name in _CHECKS:
            group.start_soon(check, name)
    is_ready = all(outcome == _WELL for outcome in found.values())
    return JSONResponse(
        {"ready": is_ready, "checks": found},
        HTTPStatus.OK if is_ready else HTTPStatus.SERVICE_UNAVAILABLE,
    )


async def _outcome(look: Callable[[], None]) -> str:
    """`ok`, or what is wrong."""
    try:
        with fail_after(_SECONDS):
            await to_thread.run_sync(look, abandon_on_cancel=True)
    except TimeoutError:
        return f"no answer within {_SECONDS:.0f} s"
    except SynctasksError as error:
        return str(error)
    return _WELL


def _look_at(database: Database) -> Callable[[], None]:
    def look() -> None:
        with transaction(database) as tx:
            tx.value(_INSTALLED)

    return look


_CHECKS: dict[str, Callable[[], None]] = {
    **{str(database): _look_at(database) for database in Database},
    "broker": dispatch.check,
}
