"""`synctasks serve`."""

from __future__ import annotations

import click
import structlog

from synctasks import settings
from synctasks.monitoring import logs

log = structlog.get_logger("serve")

# A shorter one could be found by trying, from one request and its signature.
_LONG_ENOUGH = 16

_EPILOG = """\b
Examples:
  synctasks serve                              for a proxy on this machine
  synctasks serve --host 0.0.0.0 --port 80     for other machines, or in a container
  curl http://localhost:8080/readyz            is all well? what is not?

\b
The callback is signed with the secret that both sides know:
  SYNCTASKS_CALLBACK_SECRET    the same as at the forecast service; a new one:
                               openssl rand -hex 32
How it is called, with an example: docs/callback.md
"""


@click.command(epilog=_EPILOG)
@click.option(
    "--host",
    default="127.0.0.1",
    show_default=True,
    help="The address to listen at; 0.0.0.0 is every one of this machine.",
)
@click.option(
    "--port",
    type=click.IntRange(1, 65_535),
    help="The port to listen at.  [default: SYNCTASKS_HTTP_PORT, or 8080]",
)
def serve(host: str, port: int | None) -> None:
    """Take the forecast service's callbacks over HTTP, and say whether all is well.

    \b
    POST /callbacks/forecasts    these forecasts are new or changed (signed)
    GET  /healthz                200 while the process lives
    GET  /readyz                 200 if both databases and the broker can be worked
                                 with, else 503 and what is wrong with which
    GET  /metrics                for Prometheus (docs/monitoring.md)

    It speaks plain HTTP: put a proxy with TLS before it. Stops on Ctrl-C or SIGTERM.
    """
    secret = settings.callback_secret()
    port = port or settings.load().http_port
    # Dispatch sends through the current Celery app: this makes ours the current one.
    import synctasks.app  # noqa: F401
    from synctasks.http import server

    logs.configure()
    if len(secret) < _LONG_ENOUGH:
        log.warning("serve.short_secret", remedy="a better one: openssl rand -hex 32")
    server.serve(secret, host, port)
