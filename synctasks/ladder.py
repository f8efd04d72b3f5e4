"""What becomes of a task that fails: the ladder, the breaker, a notice in the queue `dlq`."""

from __future__ import annotations

import contextlib
import traceback
from typing import Any

from celery import Task

from synctasks import breaker, dispatch, duties
from synctasks.capture import change_log
from synctasks.database import transaction
from synctasks.dead_letters import failed
from synctasks.errors import SynctasksError, TimeoutExceeded, TransientError
from synctasks.flow import Duty, Flow
from synctasks.flows import any_by_name

_WAIT_SECONDS = 8
# A night is long.
_ROUND_WAIT_SECONDS = 60

# The specification's ladder: waits of 1, 2, 4, 8, 8 s. Only what passes by itself is tried
# again: naming Exception here would swallow time limits and bugs.
RETRY: dict[str, Any] = {
    "autoretry_for": (TransientError,),
    "retry_backoff": 1,
    "retry_backoff_max": 8,
    "retry_jitter": False,
    "max_retries": 5,
}


class FlowTask(Task):  # type: ignore[misc]
    """A task of a flow. When it gives up, a notice of it goes to the queue `dlq`."""

    abstract = True

    @property
    def flow(self) -> Flow:
        return any_by_name(self.name.partition(".")[2])

    def on_failure(
        self, exc: Exception, task_id: str, args: object, kwargs: dict[str, Any], einfo: object
    ) -> None:
        trace = "".join(traceback.format_tb(exc.__traceback__))
        lane = kwargs.get("lane")
        with contextlib.suppress(SynctasksError):
            dispatch.send_failure(self.flow.name, self.known_as(kwargs), lane, _reason(exc), trace)

    def known_as(self, kwargs: dict[str, Any]) -> str:
        """What its letter is called."""
        return failed.SYNC

    def on_success(self, retval: object, task_id: str, args: object, kwargs: object) -> None:
        with contextlib.suppress(SynctasksError), transaction(self.flow.source.database) as source:
            failed.close(source, self.flow, failed.SYNC)


class WorkTask(FlowTask):
    """A task that writes to a target: when that does not work, the flow's breaker opens."""

    abstract = True

    def on_success(self, retval: object, task_id: str, args: object, kwargs: object) -> None:
        """Whoever has settled the work has closed its letter then."""

    def on_failure(
        self, exc: Exception, task_id: str, args: object, kwargs: dict[str, Any], einfo: object
    ) -> None:
        # With the source gone nothing can be noted there, and nobody can start anything.
        with contextlib.suppress(SynctasksError):
            self.hold_off(kwargs, _WAIT_SECONDS)
            breaker.open_for(self.flow, getattr(exc, "place", ""), _reason(exc))
        super().on_failure(exc, task_id, args, kwargs, einfo)

    def on_retry(
        self, exc: Exception, task_id: str, args: object, kwargs: dict[str, Any], einfo: object
    ) -> None:
        with contextlib.suppress(SynctasksError):
            self.hold_off(kwargs, min(8, 2**self.request.retries))

    def hold_off(self, kwargs: dict[str, Any], seconds: int) -> None:
        """Let nobody else start the same work before it is tried again."""
        raise NotImplementedError


class LaneTask(WorkTask):
    """A drain: while it is in its ladder, nobody else starts its lane."""

    abstract = True

    def known_as(self, kwargs: dict[str, Any]) -> str:
        return failed.drain_of(kwargs["lane"])

    def on_retry(
        self, exc: Exception, task_id: str, args: object, kwargs: dict[str, Any], einfo: object
    ) -> None:
        super().on_retry(exc, task_id, args, kwargs, einfo)
        if isinstance(exc, TimeoutExceeded):
            with contextlib.suppress(SynctasksError):
                breaker.let_climb(self.flow, exc.place, str(exc), kwargs["lane"])

    def hold_off(self, kwargs: dict[str, Any], seconds: int) -> None:
        change_log.retry_in(self.flow, kwargs["lane"], seconds)


class RunTask(WorkTask):
    """A share of a full run."""

    abstract = True

    def known_as(self, kwargs: dict[str, Any]) -> str:
        return failed.REFRESH

    def hold_off(self, kwargs: dict[str, Any], seconds: int) -> None:
        dispatch.keep(dispatch.refresh_flag(self.flow.name, kwargs["slot"]), seconds)


class RoundTask(FlowTask):
    """A round. It waits for a side that is away; what else it fails of ends it."""

    abstract = True

    @property
    def duty(self) -> Duty:
        return Duty(self.name.partition(".")[0])

    def known_as(self, kwargs: dict[str, Any]) -> str:
        return str(self.duty)

    def on_success(self, retval: object, task_id: str, args: object, kwargs: object) -> None:
        """Whoever has ended the round has closed its letter then."""

    def on_failure(
        self, exc: Exception, task_id: str, args: object, kwargs: dict[str, Any], einfo: object
    ) -> None:
        with contextlib.suppress(SynctasksError):
            if isinstance(exc, TransientError) and not isinstance(exc, TimeoutExceeded):
                self._hold_off(_ROUND_WAIT_SECONDS)
            else:
                duties.fail(self.flow, self.duty, _reason(exc))
        super().on_failure(exc, task_id, args, kwargs, einfo)

    def on_retry(
        self, exc: Exception, task_id: str, args: object, kwargs: dict[str, Any], einfo: object
    ) -> None:
        with contextlib.suppress(SynctasksError):
            self._hold_off(min(8, 2**self.request.retries))

    def _hold_off(self, seconds: int) -> None:
        dispatch.keep(dispatch.round_flag(self.duty, self.flow.name), seconds)


def _reason(exc: Exception) -> str:
    """What went wrong, without values: only our own errors are free of them."""
    return str(exc) if isinstance(exc, SynctasksError) else type(exc).__name__
