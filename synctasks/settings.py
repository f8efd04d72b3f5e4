"""The only reader of the environment.

Every variable that is missing or wrong is named at once, with its remedy. Secrets (the whole
URLs: they carry passwords) do not appear in `repr` or in messages.
"""

from __future__ import annotations

import base64
import os
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from urllib.parse import urlsplit

from environs import Env

from synctasks.errors import SetupError

DATABASE_VARIABLES = {
    "warehouse": "SYNCTASKS_WAREHOUSE_URL",
    "citizen": "SYNCTASKS_CITIZEN_URL",
}
BROKER_VARIABLE = "SYNCTASKS_BROKER_URL"
KEYS_VARIABLE = "SYNCTASKS_ENCRYPTION_KEYS"
SECRET_VARIABLE = "SYNCTASKS_CALLBACK_SECRET"
PORT_VARIABLE = "SYNCTASKS_HTTP_PORT"
FLOWER_VARIABLE = "SYNCTASKS_FLOWER_BASIC_AUTH"
ALERTS_VARIABLE = "SYNCTASKS_ALERT_URLS"
LOGS_VARIABLE = "SYNCTASKS_LOG_FORMAT"
LEVEL_VARIABLE = "SYNCTASKS_LOG_LEVEL"

_NEW_KEY = (
    "python -c 'from cryptography.fernet import Fernet; print(Fernet.generate_key().decode())'"
)

_KEY_BYTES = 32

DEFAULT_PORT = 8080

#: How logs are written; `auto` is console on a terminal and JSON elsewhere.
LOG_FORMATS = ("auto", "console", "json")
#: From where on events are logged; the drains are `debug`.
LOG_LEVELS = ("debug", "info", "warning", "error")
_DEFAULT_LEVEL = "info"

_EXAMPLES = {
    "SYNCTASKS_WAREHOUSE_URL": "postgresql://user:password@host:5432/smart_warehouse",
    "SYNCTASKS_CITIZEN_URL": "postgresql://user:password@host:5432/smart_citizen",
    "SYNCTASKS_BROKER_URL": "redis://:password@host:6379/0",
}


@dataclass(frozen=True)
class Settings:
    """Where the two databases and the broker are, and what some of the programs need besides."""

    warehouse_url: str = field(repr=False)
    citizen_url: str = field(repr=False)
    broker_url: str = field(repr=False)
    encryption_keys: tuple[str, ...] = field(repr=False, default=())
    callback_secret: str = field(repr=False, default="")
    http_port: int = DEFAULT_PORT
    flower_basic_auth: str = field(repr=False, default="")
    alert_urls: tuple[str, ...] = field(repr=False, default=())
    log_format: str = LOG_FORMATS[0]
    log_level: str = _DEFAULT_LEVEL

    def database_url(self, database: str) -> str:
        return {"warehouse": self.warehouse_url, "citizen": self.citizen_url}[database]


@lru_cache(maxsize=1)
def load() -> Settings:
    """Read and check the environment. Raises SetupError naming every bad variable."""
    env = Env()
    values = {name: env.str(name, "") for name in _EXAMPLES}
    problems = [
        problem
        for name, value in values.items()
        if (problem := _problem(name, value, name == BROKER_VARIABLE))
    ]
    keys = tuple(filter(None, (key.strip() for key in env.str(KEYS_VARIABLE, "").split(","))))
    problems += [
        f"{KEYS_VARIABLE}: key {number} of {len(keys)} is no Fernet key (a new one: {_NEW_KEY})"
        for number, key in enumerate(keys, start=1)
        if not _is_key(key)
    ]
    port = env.str(PORT_VARIABLE, "").strip() or str(DEFAULT_PORT)
    if not _is_port(port):
        problems.append(f"{PORT_VARIABLE} is no port (expected a number from 1 to 65535)")
    log_format = env.str(LOGS_VARIABLE, "").strip() or LOG_FORMATS[0]
    if log_format not in LOG_FORMATS:
        problems.append(f"{LOGS_VARIABLE} is none of {', '.join(LOG_FORMATS)}")
    log_level = env.str(LEVEL_VARIABLE, "").strip().lower() or _DEFAULT_LEVEL
    if log_level not in LOG_LEVELS:
        problems.append(f"{LEVEL_VARIABLE} is none of {', '.join(LOG_LEVELS)}")
    if problems:
        raise SetupError(
            thing="environment",
            cause="; ".join(problems),
            remedy="Set it in the environment, see config/.env.example",
        )
    return Settings(
        warehouse_url=values["SYNCTASKS_WAREHOUSE_URL"],
        citizen_url=values["SYNCTASKS_CITIZEN_URL"],
        broker_url=values[BROKER_VARIABLE],
        encryption_keys=keys,
        callback_secret=env.str(SECRET_VARIABLE, ""),
        http_port=int(port),
        flower_basic_auth=env.str(FLOWER_VARIABLE, ""),
        alert_urls=tuple(env.str(ALERTS_VARIABLE, "").split()),
        log_format=log_format,
        log_level=log_level,
    )


def config_file(name: str) -> Path | None:
    """An operator's file in `config/`, beside the package or in the current directory."""
    places = (Path(__file__).parents[1], Path.cwd())
    files = (place / "config" / name for place in places)
    return next(filter(Path.is_file, files), None)


def encryption_keys() -> tuple[str, ...]:
    """The keys, newest first. Raises SetupError without any: only some commands need them."""
    keys = load().encryption_keys
    if not keys:
        raise SetupError(
            "environment",
            f"{KEYS_VARIABLE} is not set: rows of dead letters are stored encrypted",
            f"Set it to a Fernet key, the same for all workers; a new one: {_NEW_KEY}",
        )
    return keys


def callback_secret() -> bytes:
    """What callbacks are signed with. Raises SetupError without one: only `serve` needs it."""
    secret = load().callback_secret
    if not secret.strip():
        raise SetupError(
            "environment",
            f"{SECRET_VARIABLE} is not set: without it anybody could send callbacks",
            "Set it to what the forecast service signs with; a new one: openssl rand -hex 32",
        )
    # What the environment holds, byte by byte, whether it is text or not.
    return os.fsencode(secret)


def flower_basic_auth() -> str:
    """Who may look at Flower, as user:password. Raises SetupError without: only Flower needs it."""
    given = load().flower_basic_auth
    user, colon, password = given.partition(":")
    if given and colon and user and password and given.isascii() and given.isprintable():
        return given
    cause = "is not user:password, in printable ASCII characters" if given else "is not set"
    raise SetupError(
        "environment",
        f"{FLOWER_VARIABLE} {cause}: without it anybody could look at Flower",
        "Set it to a user and a password with a colon between them; "
        "a new password: openssl rand -hex 16",
    )


def behind_sudo() -> str | None:
    """The name of the person behind `sudo`, if there is one."""
    return Env().str("SUDO_USER", "").strip() or None


def _is_port(text: str) -> bool:
    return text.isascii() and text.isdecimal() and len(text) <= 5 and 1 <= int(text) <= 65_535


def _is_key(key: str) -> bool:
    """By Fernet's own rule; to load it takes longer than most of what commands ask."""
    try:
        return len(base64.urlsafe_b64decode(key)) == _KEY_BYTES
    except ValueError:
        return False


def _problem(name: str, value: str, broker: bool) -> str | None:
    """What is wrong with a URL, in words that do not repeat it (it holds a password)."""
    schemes = ("redis", "rediss") if broker else ("postgresql", "postgres")
    expected = f"expected {_EXAMPLES[name]}"
    if not value:
        return f"{name} is not set ({expected})"
    try:
        url = urlsplit(value)
        port = url.port
    except ValueError:
        return f"{name} is no valid URL ({expected})"
    if url.scheme not in schemes:
        wrong = f"starts with '{url.scheme}:'" if url.scheme else "is no URL"
        return f"{name} {wrong} ({expected})"
    if not url.hostname or (port is not None and port == 0):
        return f"{name} names no host ({expected})"
    place = url.path.removeprefix("/")
    if not broker and not place:
        return f"{name} names no database ({expected})"
    if broker and place and not place.isdecimal():
        return f"{name} names a database that is no number ({expected})"
    return None
