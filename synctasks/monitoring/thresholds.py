"""When somebody is told: the numbers of `config/alerts.toml`, over those that stand here."""

from __future__ import annotations

import math
import tomllib
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

from synctasks import settings
from synctasks.errors import SetupError

FILE = "config/alerts.toml"

#: By alert. The four of the specification have the numbers of its rulings.
DEFAULTS: Mapping[str, Mapping[str, Any]] = {
    "all": {"look-seconds": 15, "quiet-seconds": 60},
    "failure-rate": {"share": 0.01, "minutes": 15, "of-at-least": 100},
    "latency": {"seconds": 10, "minutes": 5},
    "dead-letters": {"open": 1000},
    "volume-drop": {"runs": 1},
    "volume-drop-of-events": {"share": 0.5, "weeks": 4, "of-at-least": 100},
    "batch-window-missed": {
        "minutes": {
            "schemes": 5,
            "profile_data": 30,
            "profile_summary": 20,
            "user_behavior": 30,
            "feedback_analytics": 10,
        }
    },
    "slot-missed": {"seconds": 300},
    "run-failed": {"runs": 1},
    "breaker-open": {"seconds": 0},
    "no-heartbeat": {"listener-seconds": 30, "beat-seconds": 60, "worker-seconds": 120},
    "heartbeat-late": {"seconds": 30},
    "away": {"tries": 2},
    "removals-held": {"units": 0},
    "waiting-too-long": {"days": 7},
    "stale-data": {"share": 0.5, "of-at-least": 100},
    "contract-mismatch": {"runs": 1},
    "books-out-of-balance": {"rows": 0},
    "messages-refused": {"ways": 0},
    "paused-too-long": {"hours": 24},
}


@lru_cache(maxsize=1)
def thresholds() -> Mapping[str, Mapping[str, Any]]:
    """The numbers by alert. Raises SetupError for a file that says what nobody would look at."""
    file = settings.config_file(Path(FILE).name)
    return read(file.read_text(encoding="utf-8")) if file else DEFAULTS


def read(text: str) -> Mapping[str, Mapping[str, Any]]:
    """The numbers that the text of such a file says. Raises SetupError."""
    try:
        given = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise _wrong(f"it is no TOML: {error}") from None
    merged = _merged(DEFAULTS, given, "")
    if merged["all"]["look-seconds"] < 1:
        raise _wrong("all.look-seconds is less than 1")
    return merged


def _merged(defaults: Mapping[str, Any], given: Mapping[str, Any], where: str) -> dict[str, Any]:
    """What is given over the defaults; batch windows may be of any flow, all else is known."""
    free = where == "batch-window-missed.minutes."
    merged = dict(defaults)
    for name, value in given.items():
        path = f"{where}{name}"
        default = defaults.get(name, 0 if free else None)
        if default is None:
            raise _wrong(f"there is no {path}; there are: {', '.join(defaults)}")
        if isinstance(default, Mapping) != isinstance(value, Mapping):
            kind = "section" if isinstance(default, Mapping) else "number"
            raise _wrong(f"{path} is no {kind}")
        if isinstance(value, Mapping):
            merged[name] = _merged(default, value, f"{path}.")
        elif not _is_number(value):
            raise _wrong(f"{path} is no number of 0 or more")
        else:
            merged[name] = value
    return merged


def _is_number(value: Any) -> bool:
    # What TOML calls true is an integer to Python, too.
    known = isinstance(value, int | float) and not isinstance(value, bool)
    return known and math.isfinite(value) and value >= 0


def _wrong(cause: str) -> SetupError:
    return SetupError(FILE, cause, "Correct it, or leave the number away to keep its default")
