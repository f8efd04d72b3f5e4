"""A proxy before PostgreSQL that can lose notifications, as transaction-pooling ones do."""

from __future__ import annotations

import socket
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from urllib.parse import urlsplit

_ENCRYPTION_REQUESTS = (80877103, 80877104)


class Proxy:
    """Forwards connections; while `deaf`, the server's notifications do not reach the client."""

    def __init__(self, url: str) -> None:
        self._parts = urlsplit(url)
        self._listening = socket.create_server(("127.0.0.1", 0))
        self._sockets: list[socket.socket] = []
        self.deaf = False
        self.connections = 0
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def url(self) -> str:
        """The server's URL through the proxy."""
        login = self._parts.netloc.rpartition("@")[0]
        port = self._listening.getsockname()[1]
        return self._parts._replace(netloc=f"{login}@127.0.0.1:{port}").geturl()

    def close(self) -> None:
        for each in (self._listening, *self._sockets):
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
            each.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listening.accept()
                server = socket.create_connection((self._parts.hostname, self._parts.port))
                self._sockets += [client, server]
                self.connections += 1
                for relay in (self._upstream, self._downstream):
                    threading.Thread(target=relay, args=(client, server), daemon=True).start()

    def _upstream(self, client: socket.socket, server: socket.socket) -> None:
        with _ending(client, server), client.makefile("rb") as requests:
            head = requests.read(8)
            while struct.unpack("!ii", head)[1] in _ENCRYPTION_REQUESTS:
                client.sendall(b"N")
                head = requests.read(8)
            server.sendall(head)
            while some := requests.read1():
                server.sendall(some)

    def _downstream(self, client: socket.socket, server: socket.socket) -> None:
        with _ending(client, server), server.makefile("rb") as answers:
            while head := answers.read(5):
                body = answers.read(struct.unpack("!i", head[1:])[0] - 4)
                if not (self.deaf and head[:1] == b"A"):
                    client.sendall(head + body)


@contextmanager
def _ending(client: socket.socket, server: socket.socket) -> Iterator[None]:
    """When one side ends, so does the other."""
    with suppress(OSError, struct.error):
        yield
    for each in (client, server):
        with suppress(OSError):
            each.shutdown(socket.SHUT_RDWR)
