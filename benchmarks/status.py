"""How long `synctasks status` and its like take after ninety days."""

from __future__ import annotations

import contextlib
import json
import statistics
import subprocess
import sys
import time

from benchmarks.ground import Ground, tidy
from benchmarks.ninety_days import LETTERS, MINUTES, PENDING, ninety_days
from benchmarks.processes import answers, milliseconds, program, serving
from synctasks.monitoring.figures.gather import SHOWN

_TIMES = 9
# Longer than an answer to a scrape serves others.
_FRESH_SECONDS = 1.1

_SYNCTASKS = program("synctasks")
_COMMANDS = {
    "--version": ("--version",),
    "status": ("status",),
    "status --json": ("status", "--json"),
    "alerts list": ("alerts", "list"),
    "dead-letters list": ("dead-letters", "list"),
    "dead-letters list --group-by": ("dead-letters", "list", "--group-by", "error"),
}

# What `status` counts, and how it is counted to the last row.
_EXACT = {
    "pending": "SELECT flow, count(*) FROM synctasks.change_log WHERE NOT rests GROUP BY 1",
    "resting": "SELECT flow, count(*) FROM synctasks.change_log WHERE rests GROUP BY 1",
    "waiting": "SELECT flow, count(*) FROM synctasks.waiting WHERE since IS NOT NULL GROUP BY 1",
    "held": "SELECT flow, count(*) FROM synctasks.held GROUP BY 1",
    "dead_letters_open": (
        "SELECT flow, count(*) FROM synctasks.dead_letter WHERE state = 'open' GROUP BY 1"
    ),
}


def status(ground: Ground) -> None:
    """Print milliseconds beyond the interpreter's start, and how far estimates are off."""
    ground.stop_working()
    with ninety_days(ground):
        print(
            f"\nAfter ninety days: {2 * LETTERS:,} dead letters, {2 * PENDING:,} pending changes, "
            f"{2 * MINUTES:,} minutes; milliseconds beyond the interpreter's start"
        )
        print(f"{'':<32}{'at once':>10}{'tidied':>10}")
        at_once = _milliseconds(ground)
        tidy(ground)
        tidied = _milliseconds(ground)
        for name, first in at_once.items():
            print(f"{name:<32}{first:>10.0f}{tidied[name]:>10.0f}", flush=True)
        _tell_estimates(ground)


def _milliseconds(ground: Ground) -> dict[str, float]:
    """By command the median beyond the interpreter's start, taken in turns with it."""
    found: dict[str, list[float]] = {}
    for _ in range(_TIMES):
        bare = milliseconds(sys.executable, "-c", "pass")
        for name, arguments in _COMMANDS.items():
            found.setdefault(name, []).append(milliseconds(_SYNCTASKS, *arguments) - bare)
    with serving(ground.logs) as url:
        found["a scrape of /metrics"] = [_scrape(url) for _ in range(_TIMES)]
    return {name: statistics.median(times) for name, times in found.items()}


def _scrape(url: str) -> float:
    """Milliseconds of a scrape that is not answered by what another one has seen."""
    time.sleep(_FRESH_SECONDS)
    began = time.perf_counter()
    if not answers(f"{url}/metrics"):
        raise RuntimeError("/metrics does not answer")
    return (time.perf_counter() - began) * 1000


def _tell_estimates(ground: Ground) -> None:
    """Which counts are estimated, and how far they are off: of a flow, and of all together."""
    said = subprocess.run((_SYNCTASKS, "status", "--json"), check=True, capture_output=True)
    flows = json.loads(said.stdout)["flows"]
    for name in _EXACT.keys() & set(SHOWN):
        estimated = {
            flow: entry[name] for flow, entry in flows.items() if name in entry["estimated"]
        }
        if not estimated:
            continue
        exact = _exact(ground, name)
        off = {
            flow: abs(count - exact.get(flow, 0)) / max(exact.get(flow, 0), 1)
            for flow, count in estimated.items()
        }
        worst = max(off, key=lambda flow: off[flow])
        total = sum(exact.get(flow, 0) for flow in estimated)
        print(
            f"{name} is estimated: {sum(estimated.values()):,} of {total:,}, "
            f"off by {abs(sum(estimated.values()) - total) / max(total, 1):.1%}; "
            f"at most by {off[worst]:.1%}, for {worst}"
        )


def _exact(ground: Ground, name: str) -> dict[str, int]:
    found: dict[str, int] = {}
    for connect in ground.sides.values():
        with contextlib.closing(connect()) as side, side.cursor() as cursor:
            cursor.execute(_EXACT[name])
            found |= dict(cursor.fetchall())
    return found
