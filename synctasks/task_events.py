"""What is logged of a task that did not succeed: one line, in place of Celery's own.

Of a mistake (an error that is none of ours) a trace is logged that holds no values. And only its
kind goes on from there: into Celery's events, which Flower shows, and into a dead letter.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import structlog
from billiard.exceptions import SoftTimeLimitExceeded
from celery import Task
from celery.exceptions import TaskPredicate
from celery.signals import task_failure, task_retry

from synctasks.errors import Mistake, SynctasksError

log = structlog.get_logger()

_AS_THEY_ARE = (SynctasksError, TaskPredicate, SoftTimeLimitExceeded)


def told_by_kind(work: Callable[..., Any]) -> Callable[..., Any]:
    """The work, whose mistakes are told by their kind: their words may repeat anybody's values."""

    @functools.wraps(work)
    def run(*arguments: Any, **named: Any) -> Any:
        try:
            return work(*arguments, **named)
        except _AS_THEY_ARE:
            raise
        except Exception as error:  # noqa: BLE001
            raise Mistake(type(error).__name__).with_traceback(error.__traceback__) from None

    return run


@task_retry.connect  # type: ignore[untyped-decorator]
def _tried_again(sender: Task, request: Any, reason: Any, **_: object) -> None:
    retry, seconds = request.retries + 1, reason.when
    log.warning(
        "task.retried",
        **_named(sender, request.kwargs),
        retry=retry,
        seconds=seconds,
        cause=_cause(reason.exc),
    )


@task_failure.connect  # type: ignore[untyped-decorator]
def _failed(sender: Task, exception: BaseException, kwargs: Any, **_: object) -> None:
    told = _named(sender, kwargs)
    if isinstance(exception, Mistake) or not isinstance(exception, SynctasksError):
        log.error("task.mistaken", **told, cause=_cause(exception), exc_info=exception)
    else:
        log.error("task.failed", **told, cause=_cause(exception))


def _named(task: Task, arguments: Any) -> dict[str, object]:
    """The task, its flow, and where in it: a lane or a slot. Keys are not repeated."""
    flow = task.name.partition(".")[2]
    given = arguments if isinstance(arguments, dict) else {}
    places = {name: given[name] for name in ("lane", "slot") if name in given}
    # Control and dead letter tasks say their flow in an argument.
    return {"task": task.name, "flow": given.get("flow", flow), **places}


def _cause(error: object) -> str:
    return str(error) if isinstance(error, SynctasksError) else type(error).__name__
