"""A network of our own: a TCP proxy that can be cut, swallow everything, refuse, and heal."""

from __future__ import annotations

import asyncio
import socket
import struct
import threading
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager, suppress
from typing import Any
from urllib.parse import urlsplit

HOST = "127.0.0.1"
# Whoever closes with these does it by a reset, and at once.
_ABRUPTLY = struct.pack("ii", 1, 0)
_PIECE = 65_536
_ANSWER_SECONDS = 10


class Link:
    """Forwards connections to the server of a URL; `url` is the way through the link.

    Runs in a thread of its own until `close`. Its methods may be called from any thread, and
    have had their effect when they return.
    """

    def __init__(self, url: str) -> None:
        self._parts = urlsplit(url)
        self._loop = asyncio.new_event_loop()
        self._writers: set[asyncio.StreamWriter] = set()
        self._relays: set[asyncio.Task[None]] = set()
        self._server: asyncio.Server | None = None
        self._port = 0
        self._flows = asyncio.Event()
        self._flows.set()
        self._thread = threading.Thread(target=self._loop.run_forever, name="link", daemon=True)
        self._thread.start()
        self._run(self._listen())

    @property
    def url(self) -> str:
        """The server's URL through the link."""
        login = self._parts.netloc.rpartition("@")[0]
        return self._parts._replace(netloc=f"{login}@{HOST}:{self._port}").geturl()

    def cut(self) -> None:
        """Reset all connections, on both sides; new ones are taken."""
        self._run(self._cut())

    @contextmanager
    def swallowing(self, *, lost: bool) -> Iterator[None]:
        """A black hole: all that is sent within the block stays on the way, also what connects.

        Afterwards it arrives, or (`lost`) every connection of that time is reset.
        """
        self._call(self._flows.clear)
        try:
            yield
        finally:
            if lost:
                self.cut()
            self._call(self._flows.set)

    @contextmanager
    def refusing(self) -> Iterator[None]:
        """Nobody is there for the length of the block: connections are reset, new ones refused."""
        self._run(self._stop_listening())
        self.cut()
        try:
            yield
        finally:
            self._run(self._listen())

    def close(self) -> None:
        """End all connections and the thread."""
        self._run(self._stop_listening())
        self._run(self._cut())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(_ANSWER_SECONDS)
        self._loop.close()

    def _run(self, work: Coroutine[Any, Any, None]) -> None:
        asyncio.run_coroutine_threadsafe(work, self._loop).result(_ANSWER_SECONDS)

    def _call(self, function: Callable[[], object]) -> None:
        async def call() -> None:
            function()

        self._run(call())

    async def _listen(self) -> None:
        self._server = await asyncio.start_server(self._accept, HOST, self._port)
        self._port = self._server.sockets[0].getsockname()[1]

    async def _stop_listening(self) -> None:
        if self._server is not None:
            self._server.close()
            self._server = None

    async def _cut(self) -> None:
        """The relays end, too: nothing that they still hold arrives later."""
        for writer in self._writers:
            _reset(writer)
        relays = list(self._relays)
        for each in relays:
            each.cancel()
        await asyncio.gather(*relays, return_exceptions=True)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection's life: both directions, until either side ends."""
        task = asyncio.current_task()
        assert task is not None, "asyncio calls this in a task"
        self._relays.add(task)
        writers = [writer]
        self._writers.add(writer)
        try:
            with suppress(OSError, asyncio.CancelledError):
                await self._flows.wait()
                answers, server = await asyncio.open_connection(
                    self._parts.hostname, self._parts.port
                )
                writers.append(server)
                self._writers.add(server)
                await self._both_ways((reader, server), (answers, writer))
        finally:
            self._relays.discard(task)
            for each in writers:
                self._writers.discard(each)
                _reset(each)

    async def _both_ways(self, *ways: tuple[asyncio.StreamReader, asyncio.StreamWriter]) -> None:
        directions = [asyncio.ensure_future(self._relay(*way)) for way in ways]
        try:
            await asyncio.wait(directions, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for each in directions:
                each.cancel()
            await asyncio.gather(*directions, return_exceptions=True)

    async def _relay(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while some := await reader.read(_PIECE):
            await self._flows.wait()
            writer.write(some)
            await writer.drain()


def _reset(writer: asyncio.StreamWriter) -> None:
    """End a connection by a reset; nothing happens where it has ended."""
    raw = writer.get_extra_info("socket")
    with suppress(OSError):
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _ABRUPTLY)
    writer.transport.abort()
