"""Logs: one line an event, on standard error, without values.

Whatever our processes say comes through here and looks alike: events of our own, which
docs/logs.md lists, and what Celery, kombu, uvicorn and Flower have to say.
"""

from __future__ import annotations

import logging
import sys
from typing import Any

import structlog
from structlog.processors import JSONRenderer
from structlog.stdlib import ProcessorFormatter
from structlog.typing import EventDict, Processor, WrappedLogger

from synctasks import settings
from synctasks.monitoring.redact import Redactor
from synctasks.monitoring.traces import trace

log = structlog.get_logger()

_LEVELS = {
    "debug": logging.DEBUG,
    "info": logging.INFO,
    "warning": logging.WARNING,
    "error": logging.ERROR,
}

#: What they say below these levels, events of ours say with flow and counts: a task came,
#: succeeded, is tried again, failed; a server listens.
QUIETER = {
    "celery.app.trace": logging.CRITICAL,
    "celery.worker.strategy": logging.WARNING,
    "uvicorn.error": logging.WARNING,
}


def configure() -> None:
    """Set this process' logs up as the settings say. Raises SetupError."""
    chosen = settings.load()
    level = _LEVELS[chosen.log_level]
    terminal = sys.stderr.isatty()
    console = chosen.log_format == "console" or (chosen.log_format == "auto" and terminal)
    form = _console(terminal) if console else _JSON
    ending: tuple[Processor, ...] = (*form, Redactor.of(chosen))
    structlog.configure(
        processors=[*_BEGINNING, *ending],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.WriteLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )
    _take_over(level, ending)
    sys.excepthook = _crashed


def for_commands() -> None:
    """A command's output is what it is for: beside it, only warnings and worse are said."""
    structlog.configure(
        processors=[*_BEGINNING, *_console(terminal=False), Redactor(())],
        wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING),
        # Whatever is standard error then.
        logger_factory=lambda *_: structlog.WriteLogger(sys.stderr),
    )


def _take_over(level: int, ending: tuple[Processor, ...]) -> None:
    """Let the lines of others end like ours. What they have to say at `debug` nobody asked for."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        ProcessorFormatter(
            foreign_pre_chain=[structlog.stdlib.add_logger_name, *_BEGINNING],
            processors=[ProcessorFormatter.remove_processors_meta, *ending],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(max(level, logging.INFO))
    for name, least in QUIETER.items():
        logging.getLogger(name).setLevel(max(level, least))


def _crashed(kind: type[BaseException], error: BaseException, frames: Any) -> None:
    """What nobody has caught ends a process, and is logged like everything else."""
    if issubclass(kind, KeyboardInterrupt):
        sys.__excepthook__(kind, error, frames)
    else:
        log.critical("process.crashed", exc_info=error)


def _headed(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    """When, how bad and what come first."""
    head = {name: event.pop(name) for name in ("timestamp", "level", "event")}
    return {**head, **event}


def _traced(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    """An error as its trace, without what only the error's author knows to be no value."""
    info: Any = event.pop("exc_info", None)
    if info:
        error = info if isinstance(info, BaseException) else _current(info)
        if error is not None:
            event["exception"] = trace(error)
    return event


def _current(info: Any) -> BaseException | None:
    return info[1] if isinstance(info, tuple) else sys.exc_info()[1]


def _printable(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    """No value steers the terminal, or looks like a line of its own."""
    return {
        name: value.encode("unicode_escape").decode()
        if isinstance(value, str) and name != "exception" and not value.isprintable()
        else value
        for name, value in event.items()
    }


_BEGINNING: tuple[Processor, ...] = (
    structlog.processors.add_log_level,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
    _headed,
    _traced,
)

_JSON: tuple[Processor, ...] = (JSONRenderer(ensure_ascii=False, default=str),)


def _console(terminal: bool) -> tuple[Processor, ...]:
    renderer = structlog.dev.ConsoleRenderer(
        colors=terminal,
        sort_keys=False,
        exception_formatter=structlog.dev.plain_traceback,
    )
    return _printable, renderer
