"""`synctasks listen`."""

from __future__ import annotations

import signal
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import click

from synctasks.capture import listener as ears
from synctasks.capture.listener import Listener
from synctasks.errors import TransientError
from synctasks.flow import Database
from synctasks.flows import FLOWS
from synctasks.monitoring import logs
from synctasks.monitoring.watch import Watch


@click.command(epilog="\b\nExample:\n  synctasks listen")
def listen() -> None:
    """Forward what the databases capture to the workers. One is enough; two are harmless.

    Each source database gets a connection that listens and one that checks the first is not
    deaf. A database that is away is waited for, if the other one is there. Beside that it looks
    for alerts (config/alerts.toml) and tells of them (SYNCTASKS_ALERT_URLS). Stops on Ctrl-C or
    SIGTERM.
    """
    # Dispatch sends through the current Celery app: this makes ours the current one.
    import synctasks.app  # noqa: F401

    logs.configure()
    sources = dict.fromkeys(flow.source.database for flow in FLOWS if flow.capture)
    _check(list(sources))
    parts: list[Listener | Watch] = [*map(Listener, sources), Watch()]

    def stop(*_: object) -> None:
        for each in parts:
            each.stop()

    def run(each: Listener | Watch) -> None:
        try:
            each.run()
        finally:
            # Whatever ended one of them: half a listener would look like a whole one.
            stop()

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, stop)
    with ThreadPoolExecutor(len(parts)) as threads:
        running = [threads.submit(run, each) for each in parts]
    for ended in running:
        ended.result()


def _check(sources: Sequence[Database]) -> None:
    """Raise SetupError for what a person must mend, TransientError if no source answers."""
    away: list[TransientError] = []
    for database in sources:
        try:
            ears.check(database)
        except TransientError as problem:
            away.append(problem)
    if len(away) == len(sources):
        raise away[0]
