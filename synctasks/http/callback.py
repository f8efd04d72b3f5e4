"""`POST /callbacks/forecasts`: the forecast service says which forecasts are new or changed."""

from __future__ import annotations

import time
from http import HTTPStatus

import structlog
from anyio import CapacityLimiter, Semaphore, fail_after, to_thread
from starlette.background import BackgroundTask
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse

from synctasks.errors import SynctasksError
from synctasks.http import body, forecasts, signature
from synctasks.http.courier import Courier

log = structlog.get_logger("serve")

# Whose bodies are held at once: with the limit of a body, this bounds the memory.
_MOST_AT_ONCE = 64
# Fewer than the pool has connections.
_MOST_RECORDING = 6
_RECORD_SECONDS = 10.0


class Callback:
    """Takes callbacks that were signed with the secret."""

    def __init__(self, secret: bytes) -> None:
        self._secret = secret
        self._places = Semaphore(_MOST_AT_ONCE)
        self._threads = CapacityLimiter(_MOST_RECORDING)
        self._courier = Courier()

    async def answer(self, request: Request) -> JSONResponse:
        """202 once the known forecasts are recorded. Raises HTTPException for everything else."""
        try:
            async with self._places:
                return await self._take(request)
        except HTTPException as problem:
            log.warning("callback.refused", status=problem.status_code, cause=problem.detail)
            raise

    async def _take(self, request: Request) -> JSONResponse:
        content = await body.read(request)
        signature.check(self._secret, request.headers, content, time.time())
        recorded = await self._record(forecasts.named_in(content))
        counts = {"accepted": len(recorded.accepted), "unknown": len(recorded.unknown)}
        if not recorded.accepted:
            raise HTTPException(
                HTTPStatus.NOT_FOUND,
                "the warehouse has none of these forecasts (yet). Commit them before you announce "
                "them, or send it again in a moment; they are carried over in any case",
            )
        log.info("callback.recorded", run=recorded.run, **counts)
        return JSONResponse(
            {"accepted": recorded.accepted, "unknown": recorded.unknown},
            HTTPStatus.ACCEPTED,
            background=BackgroundTask(self._courier.send, recorded.lanes),
        )

    async def _record(self, ids: list[str]) -> forecasts.Recorded:
        """Raises HTTPException (503). What is given up may be recorded later: it is harmless."""
        try:
            with fail_after(_RECORD_SECONDS):
                return await to_thread.run_sync(
                    forecasts.record, ids, abandon_on_cancel=True, limiter=self._threads
                )
        except TimeoutError:
            raise _unrecorded(f"no answer within {_RECORD_SECONDS:.0f} s") from None
        except SynctasksError as error:
            raise _unrecorded(str(error)) from None


def _unrecorded(cause: str) -> HTTPException:
    return HTTPException(
        HTTPStatus.SERVICE_UNAVAILABLE,
        f"nothing is recorded, send it again later: {cause}",
        headers={"Retry-After": "5"},
    )
