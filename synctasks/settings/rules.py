"""What is wrong with a value, in words that do not repeat it (it may hold a password)."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import urlsplit

_KEY_BYTES = 32

NEW_KEY = (
    "python -c 'from cryptography.fernet import Fernet; print(Fernet.generate_key().decode())'"
)


def database_url(name: str, value: str) -> str | None:
    expected = f"expected postgresql://user:password@host:5432/smart_{_side(name)}"
    wrong = _url(value, ("postgresql", "postgres"))
    if wrong is None and not urlsplit(value).path.removeprefix("/"):
        wrong = "names no database"
    return wrong and f"{name} {wrong} ({expected})"


def _side(name: str) -> str:
    return name.split("_")[1].lower()


def broker_url(name: str, value: str) -> str | None:
    wrong = _url(value, ("redis", "rediss"))
    if wrong is None:
        place = urlsplit(value).path.removeprefix("/")
        wrong = "names a database that is no number" if place and not place.isdecimal() else None
    return wrong and f"{name} {wrong} (expected redis://:password@host:6379/0)"


def _url(value: str, schemes: Sequence[str]) -> str | None:
    if not value:
        return "is not set"
    try:
        url = urlsplit(value)
        port = url.port
    except ValueError:
        return "is no valid URL"
    if url.scheme not in schemes:
        return f"starts with '{url.scheme}:'" if url.scheme else "is no URL"
    if not url.hostname or port == 0:
        return "names no host"
    return None


def encryption_keys(name: str, value: str) -> str | None:
    keys = list_of(value)
    wrong = [
        f"{name}: key {number} of {len(keys)} is no Fernet key (a new one: {NEW_KEY})"
        for number, key in enumerate(keys, start=1)
        if not _is_key(key)
    ]
    return "; ".join(wrong) or None


def list_of(value: str) -> tuple[str, ...]:
    """What stands between commas."""
    return tuple(filter(None, (each.strip() for each in value.split(","))))


def _is_key(key: str) -> bool:
    """By Fernet's own rule; to load it takes longer than most of what commands ask."""
    try:
        return len(base64.urlsafe_b64decode(key)) == _KEY_BYTES
    except ValueError:
        return False


def port(name: str, value: str) -> str | None:
    good = value.isascii() and value.isdecimal() and len(value) <= 5 and 1 <= int(value) <= 65_535
    return None if good else f"{name} is no port (expected a number from 1 to 65535)"


def one_of(words: Sequence[str], name: str, value: str) -> str | None:
    return None if value in words else f"{name} is none of {', '.join(words)}"


def directory(name: str, value: str) -> str | None:
    if not value or Path(value).is_dir():
        return None
    return f"{name} names {value}, which is no directory"
