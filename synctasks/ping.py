"""A look whether the broker answers, in less time than it takes to load its library."""

from __future__ import annotations

import socket
from urllib.parse import unquote, urlsplit

_PORT = 6379
_SECONDS = 1.0
_PONG = b"+PONG\r\n"
_REFUSED = b"-"


def answers(url: str) -> bool:
    """Whether a plain `redis:` URL leads to an answer. False leaves it open: ask the library."""
    parts = urlsplit(url)
    if parts.scheme != "redis":
        return False
    login = [unquote(each) for each in (parts.username, parts.password) if each]
    said = (_command("AUTH", *login) if login else b"") + _command("PING")
    try:
        with socket.create_connection(
            (parts.hostname or "localhost", parts.port or _PORT), timeout=_SECONDS
        ) as connection:
            connection.sendall(said)
            heard = b""
            # A broker without a password refuses ours, and answers the PING all the same.
            while not heard.endswith(_PONG) and not heard.startswith(_REFUSED):
                news = connection.recv(256)
                if not news:
                    return False
                heard += news
    except OSError:
        return False
    return heard.endswith(_PONG) and not heard.startswith(_REFUSED)


def _command(*words: str) -> bytes:
    parts = [b"*%d\r\n" % len(words)]
    for word in words:
        encoded = word.encode()
        parts.append(b"$%d\r\n%s\r\n" % (len(encoded), encoded))
    return b"".join(parts)
