"""`GET /metrics`: everything anew from the tables, however many processes work and scrape."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import structlog
from anyio import Lock, create_task_group, fail_after, to_thread
from prometheus_client import exposition
from prometheus_client.openmetrics import exposition as openmetrics
from starlette.requests import Request
from starlette.responses import Response

from synctasks.errors import SynctasksError
from synctasks.monitoring.metrics.collector import Collector
from synctasks.monitoring.metrics.seen import LOOKS, Seen

log = structlog.get_logger("serve")

# Less than Prometheus waits for a scrape by default (10 s).
_LOOK_SECONDS = 5.0
# Several scrapers cost what one does.
_FRESH_SECONDS = 1.0

_OPENMETRICS = "application/openmetrics-text"


class Metrics:
    """Answers scrapes: one look at a time, and none while the last one is fresh."""

    def __init__(self) -> None:
        self._one_at_a_time = Lock()
        self._collector: Collector | None = None
        self._seen_at = 0.0

    async def answer(self, request: Request) -> Response:
        """200 with what there is: what does not answer is missing, and `synctasks_up` says so."""
        async with self._one_at_a_time:
            if self._collector is None or time.monotonic() - self._seen_at > _FRESH_SECONDS:
                self._collector = Collector(await _look_around())
                self._seen_at = time.monotonic()
            collector = self._collector
        if _OPENMETRICS in request.headers.get("accept", ""):
            said = await to_thread.run_sync(openmetrics.generate_latest, collector)
            return Response(said, media_type=openmetrics.CONTENT_TYPE_LATEST)
        said = await to_thread.run_sync(exposition.generate_latest, collector)
        return Response(said, media_type=exposition.CONTENT_TYPE_PLAIN_0_0_4)


async def _look_around() -> Seen:
    """Look at everything at once, as long as a scrape may wait."""
    found: dict[str, Any] = {}

    async def look(name: str, at: Callable[[], Any]) -> None:
        try:
            with fail_after(_LOOK_SECONDS):
                found[name] = await to_thread.run_sync(at, abandon_on_cancel=True)
        except TimeoutError:
            log.warning("metrics.missing", place=name, cause=f"no answer in {_LOOK_SECONDS:.0f} s")
        except SynctasksError as error:
            log.warning("metrics.missing", place=name, cause=str(error))

    async with create_task_group() as group:
        for name, at in LOOKS.items():
            group.start_soon(look, name, at)
    return Seen.of(found)
