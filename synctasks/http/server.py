"""The server under the web application: its socket, its end."""

from __future__ import annotations

import contextlib
import signal
import socket
import threading
from collections.abc import Iterator

import structlog
import uvicorn

from synctasks.errors import SetupError
from synctasks.http.application import make_application
from synctasks.monitoring.watch import Watch

log = structlog.get_logger("serve")

# How long requests may take to their end once we are told to stop.
_STOP_SECONDS = 10


def serve(secret: bytes, host: str, port: int) -> None:
    """Answer requests until SIGTERM or Ctrl-C. Raises SetupError if it cannot listen there."""
    with _listening(host, port) as listening:
        config = uvicorn.Config(
            make_application(secret),
            http="h11",
            ws="none",
            loop="asyncio",
            lifespan="off",
            log_config=None,
            access_log=False,
            server_header=False,
            proxy_headers=False,
            timeout_graceful_shutdown=_STOP_SECONDS,
        )
        server = uvicorn.Server(config)

        def stop(*_: object) -> None:
            server.should_exit = True

        # uvicorn has handlers of its own while it runs. When it has stopped, it raises the signal
        # once more for whoever had it before: by default that would not be a clean end.
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, stop)
        log.info("serve.listening", host=host, port=port)
        with _watching():
            server.run(sockets=[listening])
    log.info("serve.stopped")


@contextlib.contextmanager
def _watching() -> Iterator[None]:
    """Look for alerts beside the requests: where the listener has died, somebody has to say so."""
    watch = Watch()
    thread = threading.Thread(target=watch.run, name="watch")
    thread.start()
    try:
        yield
    finally:
        watch.stop()
        thread.join()


def _listening(host: str, port: int) -> socket.socket:
    try:
        family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        return socket.create_server(address, family=family)
    except (OSError, UnicodeError) as error:
        cause = getattr(error, "strerror", None) or "it is no host name"
        raise SetupError(
            f"address {host}, port {port}",
            f"cannot listen there: {cause}",
            "Give another one by --host and --port, or stop the program that holds it",
        ) from None
