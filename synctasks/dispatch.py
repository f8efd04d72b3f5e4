"""Who may send which message when: the only sender of messages.

A message says "go and look", never what has changed. For each lane at most one waits or is
being worked on: a flag in Redis says so. It expires after 5 s, and the sweep ignores it where a
change has waited too long, so a lost message or a dead worker costs seconds, never data.

The broker's libraries are imported where they are used: to load them takes longer than all that
`synctasks status` asks the databases.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import TYPE_CHECKING

from synctasks import ping, settings
from synctasks.flow import Duty

if TYPE_CHECKING:
    import redis

QUEUES = EVENTS, BATCH, CONTROL, DLQ = "events", "batch", "control", "dlq"

FLAG_SECONDS = 5
# More would only say again what those say: with no worker at all, the queue must not grow.
MOST_WAITING = 500
# How many workers step a flow's full run at once.
REFRESH_SLOTS = 2
# Without a worker its queue gets no more than one of these in so long. One that was lost with its
# worker must not make the next worker look dead: less than that takes (config/alerts.toml).
_PRESENCE_SECONDS = 60


def drain_flag(flow: str, lane: int) -> str:
    return f"synctasks:drain:{flow}:{lane}"


def refresh_flag(flow: str, slot: int) -> str:
    return f"synctasks:refresh:{flow}:{slot}"


def round_flag(duty: Duty, flow: str) -> str:
    return f"synctasks:{duty}:{flow}"


def presence_flag(queue: str) -> str:
    return f"synctasks:presence:{queue}"


def send_drains(lanes: Iterable[tuple[str, int]], *, despite_flag: bool = False) -> int:
    """Send for each (flow, lane) that nobody is at; returns how many. Raises TransientError."""
    wanted = list(lanes) if _has_room(EVENTS) else []
    free = _raise_flags([drain_flag(*each) for each in wanted], despite_flag=despite_flag)
    chosen = [each for each, is_free in zip(wanted, free, strict=True) if is_free]
    for flow, lane in chosen:
        _send(f"drain.{flow}", {"lane": lane}, EVENTS)
    return len(chosen)


def send_refresh(flow: str) -> None:
    """Send for every free slot of a flow's full run. Raises TransientError."""
    slots = range(REFRESH_SLOTS) if _has_room(BATCH) else range(0)
    free = _raise_flags([refresh_flag(flow, slot) for slot in slots])
    for slot, is_free in zip(slots, free, strict=True):
        if is_free:
            _send(f"refresh.{flow}", {"slot": slot}, BATCH)


def send_round(duty: Duty, flow: str) -> None:
    """Send for a flow's round, if nobody is at it. Raises TransientError."""
    flag = round_flag(duty, flow)
    if _has_room(BATCH) and any(_raise_flags([flag])):
        _send(f"{duty}.{flow}", {}, BATCH)


def send_presence(queue: str) -> None:
    """Ask a queue's workers for a sign of life, unless they are asked. Raises TransientError."""
    flag = presence_flag(queue)
    if _has_room(queue) and any(_raise_flags([flag])):
        keep(flag, seconds=_PRESENCE_SECONDS)
        _send("control.presence", {"queue": queue}, queue)


def send_failure(flow: str, task: str, lane: int | None, error: str, trace: str) -> None:
    """Tell that a task has given up; at worst this notice is lost. Raises TransientError."""
    told: dict[str, object] = {
        "flow": flow,
        "task": task,
        "lane": lane,
        "error": error,
        "trace": trace,
    }
    _send("dlq.keep", told, DLQ)


def keep(flag: str, seconds: int = 0) -> None:
    """Renew the flag of work that goes on, or goes on in so many seconds. Raises TransientError."""
    with translated():
        _flags().set(flag, 1, ex=FLAG_SECONDS + seconds)


def lower(flag: str) -> None:
    """Remove a flag: whoever sees new work from now on sends again. Raises TransientError."""
    with translated():
        _flags().delete(flag)


def check() -> None:
    """Raise TransientError if the broker does not answer."""
    if not ping.answers(settings.load().broker_url):
        with translated():
            _flags().ping()


def queue_lengths() -> dict[str, int]:
    """How many messages wait in each queue. Raises TransientError."""
    with translated(), _flags().pipeline(transaction=False) as pipeline:
        for queue in QUEUES:
            pipeline.llen(queue)
        return dict(zip(QUEUES, pipeline.execute(), strict=True))


def worker_answers(within_seconds: float = 1.0) -> bool:
    """Whether any worker answers a ping. Raises TransientError if the broker does not."""
    from celery import current_app

    with translated():
        return bool(current_app.control.ping(timeout=within_seconds))


def _has_room(queue: str) -> bool:
    with translated():
        return int(_flags().llen(queue)) < MOST_WAITING  # type: ignore[arg-type]


def _raise_flags(flags: list[str], *, despite_flag: bool = False) -> list[bool]:
    """Set each flag; True where it was not set before (or where that does not matter)."""
    if not flags:
        return []
    with translated(), _flags().pipeline(transaction=False) as pipeline:
        for flag in flags:
            pipeline.set(flag, 1, ex=FLAG_SECONDS, nx=not despite_flag)
        return [bool(answer) for answer in pipeline.execute()]


def _send(task: str, arguments: dict[str, object], queue: str) -> None:
    from celery import current_app

    with translated():
        current_app.send_task(task, kwargs=arguments, queue=queue, ignore_result=True, retry=False)


@contextlib.contextmanager
def translated() -> Iterator[None]:
    """What the broker's libraries raise where it does not answer is a TransientError."""
    try:
        yield
    except Exception as error:
        from synctasks import broker

        if isinstance(error, broker.UNANSWERED):
            raise broker.translate(error) from None
        raise


@lru_cache(maxsize=1)
def _flags() -> redis.Redis:
    import redis

    return redis.Redis.from_url(
        settings.load().broker_url, socket_timeout=3, socket_connect_timeout=3
    )
