"""The last line of defence: no password leaves in a log's line, whatever line it is.

Nothing of ours logs one. But libraries put addresses into their messages, and their next version
may put one there as it was given.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from typing import Any
from urllib.parse import unquote, urlsplit

from structlog.typing import WrappedLogger

from synctasks.settings import Settings

HIDDEN = "***"

# Shorter ones are words that stand in many lines; the patterns below find them where they matter.
_LONG_ENOUGH = 8

_IN_ADDRESS = re.compile(r"(://[^\s:/@\"']*:)[^\s@\"']+(?=@)")
_NAMED = re.compile(r"(?i)(\b(?:password|passwd|pwd)\\?[\"']?\s*[=:]\s*\\?[\"']?)[^\s\"',;&)\\]+")


class Redactor:
    """A processor of finished lines that hides what looks like a password, and all we know of."""

    def __init__(self, secrets: Iterable[str]) -> None:
        known = {form for secret in secrets for form in _forms(secret)}
        # The longest first: one may be part of another.
        ordered = sorted((each for each in known if len(each) >= _LONG_ENOUGH), key=len)
        self._known = re.compile("|".join(map(re.escape, reversed(ordered)))) if ordered else None

    @classmethod
    def of(cls, chosen: Settings) -> Redactor:
        """One that knows all secrets of the settings."""
        return cls(_secrets(chosen))

    def __call__(self, _: WrappedLogger, __: str, finished: Any) -> str:
        line: str = finished
        if self._known is not None:
            line = self._known.sub(HIDDEN, line)
        return _NAMED.sub(rf"\g<1>{HIDDEN}", _IN_ADDRESS.sub(rf"\g<1>{HIDDEN}", line))


def _secrets(chosen: Settings) -> Iterator[str]:
    for url in (chosen.warehouse_url, chosen.citizen_url, chosen.broker_url):
        yield urlsplit(url).password or ""
    yield chosen.callback_secret
    yield chosen.flower_basic_auth.partition(":")[2]
    yield from chosen.encryption_keys
    # Of such an address any part may be the secret, a token in its path for one.
    yield from chosen.alert_urls


def _forms(secret: str) -> Iterator[str]:
    """As it was given, as a URL's password means it, and as JSON writes these."""
    for form in (secret, unquote(secret)):
        yield form
        yield json.dumps(form, ensure_ascii=False)[1:-1]
