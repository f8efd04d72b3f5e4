"""Whether the listener, beat and a worker of each queue were heard of lately."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from math import inf

from synctasks import dispatch, presence
from synctasks.checks.finding import Finding, could_not_run, problem
from synctasks.database import transaction
from synctasks.flow import Database
from synctasks.monitoring.figures import signs
from synctasks.monitoring.thresholds import thresholds

_WORKER = "celery -A synctasks worker --without-gossip --without-mingle"
_WORKERS = {presence.worker_of(queue): queue for queue in dispatch.QUEUES}

#: How each process is started.
START = {
    presence.LISTENER: "synctasks listen",
    presence.BEAT: "celery -A synctasks beat",
    **{
        process: f"{_WORKER} (with -Q {queue}, where each queue has workers of its own)"
        for process, queue in _WORKERS.items()
    },
}


def processes(database: Database) -> Iterator[Finding]:
    """Every process that writes at this database that it is there."""
    with transaction(database) as tx:
        seen = signs.presence(tx)
    yield from judged(database, seen, limits())


def limits() -> dict[str, float]:
    """After how many seconds of silence a process is taken for gone: as its alert has it."""
    told = thresholds()["no-heartbeat"]
    return {process: told[f"{process.split()[0]}-seconds"] for process in START}


def judged(
    database: Database, seen: Mapping[str, float], limits: Mapping[str, float]
) -> Iterator[Finding]:
    """`seen`: how many seconds ago each process was heard of at the database."""
    silent = [process for process in START if not seen.get(process, inf) <= limits[process]]
    place = f"as the {database} database knows it"
    unasked = presence.LISTENER in silent
    for process in START:
        thing = f"{process}, {place}"
        if process not in silent:
            yield Finding(thing)
        elif not (unasked and process in _WORKERS):
            yield problem(
                thing,
                _when(seen.get(process)),
                f"Start it (see Procfile): {START[process]}; if it runs, look into its log: it "
                f"does not reach the {database} database, or the broker",
            )
    if unasked and (workers := [process for process in silent if process in _WORKERS]):
        yield could_not_run(
            f"{', '.join(workers)}, {place}",
            "the listener asks for their sign of life, and is not there",
            f"Start the listener (see Procfile): {START[presence.LISTENER]}",
        )


def workers() -> Iterator[Finding]:
    """Whether any worker answers Celery's own question."""
    thing = "workers, by Celery's ping"
    if dispatch.worker_answers():
        yield Finding(thing)
    else:
        yield problem(
            thing,
            "no worker answered within 1 s",
            f"Start one (see Procfile): {_WORKER}; if it runs, look into its log",
        )


def _when(ago: float | None) -> str:
    return "it was never heard of" if ago is None else f"it was last heard of {ago:.0f} s ago"
