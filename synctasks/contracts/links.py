"""A strict field for links that somebody will follow."""

from __future__ import annotations

import re
import unicodedata
from urllib.parse import urlsplit

from synctasks.characters import holds_blank
from synctasks.contracts.complaint import refuse
from synctasks.contracts.fields import Field

_SAID = "is neither an http(s) URL with a host nor a path on the portal"


class Link(Field):
    """An http(s) URL with a host, or a path on the portal: one slash, and no other after it.

    No white space, no control characters, and no backslash where browsers take it for a slash.
    """

    said = "an http(s) URL with a host, or a path on the portal"

    _PATH = re.compile(r"/(?![/\\]).*", re.DOTALL)

    def read(self, text: str) -> str:
        hidden = any(unicodedata.category(each) in ("Cc", "Cf", "Zl", "Zp") for each in text)
        if hidden or holds_blank(text):
            raise refuse("holds white space or control characters")
        if not self._PATH.fullmatch(text) and not _has_host(text):
            raise refuse(_SAID)
        return text

    def sql(self, value: str) -> str:
        # Plain ones; the others are read.
        path = r"^/([A-Za-z0-9._~-][A-Za-z0-9._~/?&=+#-]*)?$"
        url = r"^https?://[A-Za-z0-9][A-Za-z0-9.-]*(:[0-9]+)?(/[A-Za-z0-9._~/?&=+#-]*)?$"
        return f"({value} ~ '{path}' OR {value} ~ '{url}')"


def _has_host(text: str) -> bool:
    if "\\" in text:
        return False
    try:
        url = urlsplit(text)
        return url.scheme in ("http", "https") and bool(url.hostname)
    except ValueError:
        return False
