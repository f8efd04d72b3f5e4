"""Hears every command that anybody gives to Redis, and finds personal values in any text."""

from __future__ import annotations

import base64
import binascii
import re
import threading
from collections.abc import Iterable
from types import TracebackType
from typing import Self

from redis import Redis

_LAST_WORDS = "that was all"
_NUMBER = re.compile(r"[0-9]{10,}")
_ADDRESS = re.compile(r"[\w.+-]+@[\w.-]+")
_ENCODED = re.compile(r"[A-Za-z0-9+/]{24,}={0,2}")


class Eavesdropper:
    """Within its block, all commands that Redis gets; `text` is what was heard."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._heard: list[str] = []
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._listen, name="eavesdropper")

    @property
    def text(self) -> str:
        return "\n".join(self._heard)

    def _listen(self) -> None:
        with Redis.from_url(self._url) as client, client.monitor() as monitor:
            self._ready.set()
            for command in monitor.listen():
                self._heard.append(command["command"])
                if _LAST_WORDS in command["command"]:
                    return

    def __enter__(self) -> Self:
        self._thread.start()
        assert self._ready.wait(10)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        with Redis.from_url(self._url) as client:
            client.echo(_LAST_WORDS)
        self._thread.join(10)


class Secrets:
    """Personal values, and where they stand in a text, also in one that is Base64 inside."""

    def __init__(self, values: Iterable[str | None]) -> None:
        given = {value for value in values if value and len(value.strip()) >= 6}
        self._numbers = {value for value in given if re.fullmatch(r"[0-9]{10}|[0-9]{12}", value)}
        self._addresses = {value for value in given if _ADDRESS.fullmatch(value)}
        self._others = given - self._numbers - self._addresses

    def within(self, text: str) -> set[str]:
        """Those of the values that stand in the text as they are."""
        whole = text + _decoded(text)
        found = {each for each in self._others if each in whole}
        found |= self._addresses.intersection(_ADDRESS.findall(whole))
        for digits in _NUMBER.findall(whole):
            found |= self._numbers.intersection(_windows(digits, 10) + _windows(digits, 12))
        return found


def _windows(text: str, length: int) -> list[str]:
    return [text[start : start + length] for start in range(len(text) - length + 1)]


def _decoded(text: str) -> str:
    """What stands behind everything that looks like Base64."""
    return "\n".join(_decode(each) for each in _ENCODED.findall(text))


def _decode(text: str) -> str:
    whole = text.rstrip("=")
    try:
        return base64.b64decode(whole + "=" * (-len(whole) % 4)).decode("latin-1")
    except binascii.Error:
        return ""
