"""The Celery app: registers the tasks of all flows, derives queues and the beat schedule.

Nothing else wires. What an operator may tune is in `config/celeryconfig.py`; what the promises
rest on is here.
"""

from __future__ import annotations

import runpy
import sys
from typing import Any

import click
import structlog
from celery import Celery
from celery.schedules import crontab
from celery.signals import heartbeat_sent, setup_logging, worker_init
from kombu import Exchange, Queue

from synctasks import presence, settings, tasks
from synctasks.dispatch import CONTROL, QUEUES
from synctasks.door import transport
from synctasks.errors import SetupError
from synctasks.flow import Duty, Flow, Schedule
from synctasks.flows import ALL_FLOWS, FLOWS
from synctasks.monitoring import flower, logs

# A task or countdown longer than this would run twice at once.
VISIBILITY_TIMEOUT_SECONDS = 3600

_FIXED: dict[str, Any] = {
    # Truth is in PostgreSQL: no result backend (it also makes publishing slow and fragile).
    "task_ignore_result": True,
    # A message is gone only when its task has ended; a worker that dies gives it back.
    "task_acks_late": True,
    "task_reject_on_worker_lost": True,
    "worker_prefetch_multiplier": 1,
    "accept_content": ["json"],
    "task_serializer": "json",
    # A wrong queue name is an error, not a new queue that nobody reads.
    "task_create_missing_queues": False,
    "task_default_queue": CONTROL,
    "timezone": "UTC",
    "broker_connection_retry_on_startup": True,
    # The default gives up after 100 tries.
    "broker_connection_max_retries": None,
    # Without these a frozen Redis would hang the worker for ever.
    "broker_transport_options": {
        "visibility_timeout": VISIBILITY_TIMEOUT_SECONDS,
        "socket_timeout": 3,
        "socket_connect_timeout": 3,
        "socket_keepalive": True,
    },
    # Running tasks end when the broker is lost; they are repeated, and repeats are harmless.
    "worker_cancel_long_running_tasks_on_connection_loss": False,
    "beat_scheduler": "synctasks.beat:Scheduler",
}


# A missed one is made up by the next day's.
_PURGE: dict[str, Any] = {
    "task": "control.purge",
    "schedule": crontab(minute=0, hour=4),
    "options": {"queue": CONTROL},
}


def make_app() -> Celery:
    """The app with everything registered. Raises SetupError for a bad environment."""
    transport.install()
    made = Celery("synctasks", broker=settings.load().broker_url)
    # "Current" is a matter of each thread; the listener sends from several.
    made.set_default()
    made.conf.update(_operators_choice())
    made.conf.update(_FIXED)
    made.conf.task_queues = [
        Queue(name, Exchange(name, type="direct"), routing_key=name) for name in QUEUES
    ]
    knocks = {
        flow.name if duty is Duty.SYNC else f"{flow.name} {duty}": _entry(flow, schedule)
        for flow in FLOWS
        for duty, schedule in flow.duties.items()
    }
    made.conf.beat_schedule = {**knocks, "purge": _PURGE}
    routes = tasks.register(made, ALL_FLOWS)
    made.conf.task_routes = {name: {"queue": queue} for name, queue in routes.items()}
    return made


def _entry(flow: Flow, schedule: Schedule) -> dict[str, Any]:
    """Beat only knocks: whether the slot is due or taken is decided by a row in PostgreSQL."""
    hour = "*" if schedule.hour is None else schedule.hour
    return {
        "task": "control.knock",
        "schedule": crontab(minute=schedule.minute, hour=hour),
        "kwargs": {"flow": flow.name},
        "options": {"queue": CONTROL},
    }


def _operators_choice() -> dict[str, Any]:
    """The names in config/celeryconfig.py."""
    file = settings.config_file("celeryconfig.py")
    names = runpy.run_path(str(file)) if file else {}
    return {name: value for name, value in names.items() if not name.startswith("_")}


@setup_logging.connect  # type: ignore[untyped-decorator]
def _set_up_logging(**_: object) -> None:
    """In Celery's place, which does nothing of the kind if somebody listens to this."""
    logs.configure()


@worker_init.connect  # type: ignore[untyped-decorator]
def _require_keys(**_: object) -> None:
    """A worker that could not seal a dead letter's row must not start."""
    try:
        settings.encryption_keys()
    except SetupError as problem:
        sys.stderr.write(f"synctasks: {problem}\n")
        raise SystemExit(2) from None


@heartbeat_sent.connect  # type: ignore[untyped-decorator]
def _touch(**_: object) -> None:
    """The worker's main process hears of its broker and minds its children."""
    presence.touch()


def _is_flower() -> bool:
    """Whether it is `celery … flower` that loads us, just before it reads its options."""
    context = click.get_current_context(silent=True)
    return context is not None and context.invoked_subcommand == "flower"


try:
    # Commands like `celery call` set up no logs: then as for our own.
    if not structlog.is_configured():
        logs.for_commands()
    app = make_app()
    if _is_flower():
        flower.prepare()
except SetupError as _problem:
    # `celery -A synctasks …` shows whatever this module raises; a plain exit keeps it one line.
    sys.stderr.write(f"synctasks: {_problem}\n")
    raise SystemExit(2) from None
