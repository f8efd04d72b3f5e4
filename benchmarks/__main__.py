"""`python -m benchmarks [refresh|events|memory|behavior|volumes|monitoring|status …]`.

In this order, whatever the order of the names; the last two stop the worker and the listener.
"""

from __future__ import annotations

import argparse

from benchmarks.behavior import behavior
from benchmarks.events import events
from benchmarks.ground import ground
from benchmarks.memory import memory
from benchmarks.monitoring import monitoring
from benchmarks.refresh import refresh
from benchmarks.status import status
from benchmarks.volumes import volumes
from synctasks.monitoring import logs


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    names = ("refresh", "events", "memory", "behavior", "volumes", "monitoring", "status")
    parser.add_argument("what", nargs="*", help=f"any of {', '.join(names)}; default: all")
    parser.add_argument("--records", type=int, default=100_000, help="golden records")
    parser.add_argument("--dirty", type=float, default=0.005, help="share that breaks a rule")
    parser.add_argument("--rounds", type=int, default=3, help="pairs of runs of a case")
    parser.add_argument("--seconds", type=float, default=20, help="of each events case")
    parser.add_argument("--times", type=float, default=10, help="the specification's rates")
    chosen = parser.parse_args()
    unknown = set(chosen.what) - set(names)
    if unknown:
        parser.error(f"unknown: {', '.join(sorted(unknown))}; there are {', '.join(names)}")
    what = chosen.what or names
    logs.for_commands()
    with ground(chosen.records, chosen.dirty) as made:
        if "refresh" in what:
            refresh(made, chosen.records, chosen.rounds)
        if "events" in what:
            events(made, chosen.records, chosen.seconds)
        if "memory" in what:
            memory(made, chosen.records)
        if "behavior" in what:
            behavior(made, chosen.rounds)
        if "volumes" in what:
            volumes(made, chosen.records, chosen.seconds, chosen.times)
        if "monitoring" in what:
            monitoring(made, chosen.rounds, chosen.seconds)
        if "status" in what:
            status(made)


if __name__ == "__main__":
    main()
