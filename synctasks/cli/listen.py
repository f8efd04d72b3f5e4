"""`synctasks listen`."""

from __future__ import annotations

import signal
from concurrent.futures import ThreadPoolExecutor

import click

from synctasks.capture import listener as ears
from synctasks.capture.listener import Listener
from synctasks.flows import FLOWS
from synctasks.monitoring import logs


@click.command(epilog="\b\nExample:\n  synctasks listen")
def listen() -> None:
    """Forward what the databases capture to the workers. One is enough; two are harmless.

    Each source database gets a connection that listens and one that checks the first is not
    deaf. Stops on Ctrl-C or SIGTERM.
    """
    # Dispatch sends through the current Celery app: this makes ours the current one.
    import synctasks.app  # noqa: F401

    logs.configure()
    sources = dict.fromkeys(flow.source.database for flow in FLOWS if flow.capture)
    for database in sources:
        ears.check(database)
    listeners = [Listener(database) for database in sources]

    def stop(*_: object) -> None:
        for each in listeners:
            each.stop()

    def run(each: Listener) -> None:
        try:
            each.run()
        finally:
            # Whatever ended one of them: half a listener would look like a whole one.
            stop()

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, stop)
    with ThreadPoolExecutor(len(listeners)) as threads:
        running = [threads.submit(run, each) for each in listeners]
    for ended in running:
        ended.result()
