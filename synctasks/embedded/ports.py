"""Ports of 127.0.0.1."""

from __future__ import annotations

import random
import socket

from synctasks.embedded.errors import EmbeddedServerError

HOST = "127.0.0.1"
# Below the range from which Linux and macOS take the ports of outgoing connections: a client
# that retries while its server is down could otherwise be given the server's own port.
FREE_PORTS = range(20_000, 32_768)
TRIES = 200


def free_ports(count: int) -> list[int]:
    """Return different ports on which nobody listens now.

    Raises EmbeddedServerError if a search at random finds too few.
    """
    ports = [port for port in random.sample(FREE_PORTS, TRIES) if _obstacle(port) is None][:count]
    if len(ports) < count:
        raise EmbeddedServerError(
            f"Ports of {HOST}",
            f"nearly all from {FREE_PORTS.start} to {FREE_PORTS.stop - 1} are in use",
            "Stop what holds them",
        )
    return ports


def require_free(port: int, server: str) -> None:
    """Raise EmbeddedServerError, naming the server, if it could not listen on the port."""
    obstacle = _obstacle(port)
    if obstacle is not None:
        raise EmbeddedServerError(
            server,
            f"it cannot listen on {HOST}:{port} ({obstacle})",
            "Give another port, or stop the program that holds this one",
        )


def _obstacle(port: int) -> str | None:
    with socket.socket() as probe:
        # As the servers do it: connections that are just closing are no obstacle.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError as error:
            return error.strerror
    return None
