"""What our programs have logged, where that is no terminal: a JSON object a line."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import structlog
from structlog.testing import capture_logs


def events(words: str, event: str, **fields: object) -> list[dict[str, Any]]:
    """The events of this name in a log that have all of these fields, oldest first."""
    lines = (json.loads(line) for line in words.splitlines() if line.startswith('{"timestamp": '))
    wanted = {"event": event, **fields}
    return [line for line in lines if wanted.items() <= line.items()]


@contextmanager
def heard() -> Iterator[list[Any]]:
    """All events of the block in this process, whatever their level, as dictionaries."""
    before = structlog.get_config()
    everything = structlog.make_filtering_bound_logger(logging.NOTSET)
    structlog.configure(**{**before, "wrapper_class": everything})
    try:
        with capture_logs() as said:
            yield said
    finally:
        structlog.configure(**before)
