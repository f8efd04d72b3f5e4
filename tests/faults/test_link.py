"""The network of the fault tests does what its faults are named for."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import closing, suppress

import pytest

from tests.faults.link import Link

SHORT = 0.3


@pytest.fixture
def link() -> Iterator[Link]:
    """A link to a server that sends back whatever it gets."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        threading.Thread(target=_echo, args=(listening,), daemon=True).start()
        with closing(Link(f"tcp://@127.0.0.1:{listening.getsockname()[1]}/x")) as made:
            yield made
        listening.shutdown(socket.SHUT_RDWR)


def test_what_is_sent_arrives_and_comes_back(link: Link) -> None:
    with _connected(link) as client:
        assert _asked(client, b"word") == b"word"


def test_a_cut_resets_what_is_open_and_takes_what_is_new(link: Link) -> None:
    with _connected(link) as client:
        assert _asked(client, b"word") == b"word"
        link.cut()
        with pytest.raises(ConnectionResetError):
            client.recv(9)
    with _connected(link) as client:
        assert _asked(client, b"word") == b"word"


def test_what_was_swallowed_arrives_when_the_link_heals(link: Link) -> None:
    with _connected(link) as client:
        assert _asked(client, b"word") == b"word"
        with link.swallowing(lost=False), _connected(link) as late:
            for each in (client, late):
                each.settimeout(SHORT)
                with pytest.raises(TimeoutError):
                    _asked(each, b"lost?")
        client.settimeout(5)
        assert client.recv(9) == b"lost?"


def test_what_was_swallowed_for_good_is_reset(link: Link) -> None:
    with _connected(link) as client:
        assert _asked(client, b"word") == b"word"
        with link.swallowing(lost=True):
            client.sendall(b"lost")
        with pytest.raises(ConnectionResetError):
            client.recv(9)


def test_a_refusing_link_comes_back_at_the_same_address(link: Link) -> None:
    before = link.url
    with link.refusing(), pytest.raises(ConnectionRefusedError):
        _connected(link)
    assert link.url == before
    with _connected(link) as client:
        assert _asked(client, b"word") == b"word"


def _connected(link: Link) -> socket.socket:
    return socket.create_connection(("127.0.0.1", int(link.url.split(":")[2].split("/")[0])), 5)


def _asked(client: socket.socket, word: bytes) -> bytes:
    client.sendall(word)
    return client.recv(9)


def _echo(listening: socket.socket) -> None:
    with suppress(OSError):
        while True:
            client, _ = listening.accept()
            threading.Thread(target=_echo_one, args=(client,), daemon=True).start()


def _echo_one(client: socket.socket) -> None:
    with suppress(OSError), client:
        while some := client.recv(100):
            client.sendall(some)
