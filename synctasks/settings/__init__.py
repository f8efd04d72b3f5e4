"""The only reader of the environment.

Every variable that is missing or wrong is named at once, with its remedy. Secrets (the whole
URLs: they carry passwords) do not appear in `repr` or in messages. Instead of a variable NAME,
NAME_FILE may name a file that holds its value, as containers are given their secrets.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache, partial
from pathlib import Path

from synctasks.errors import SetupError
from synctasks.settings import rules
from synctasks.settings.given import Given as Given

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
CONFIG_VARIABLE = "SYNCTASKS_CONFIG_DIR"
PRESENCE_VARIABLE = "SYNCTASKS_PRESENCE_PATH"

#: How logs are written; `auto` is console on a terminal and JSON elsewhere.
LOG_FORMATS = ("auto", "console", "json")
#: From where on events are logged; the drains are `debug`.
LOG_LEVELS = ("debug", "info", "warning", "error")

#: Every variable that is read, and what holds where it is not set.
DEFAULTS: Mapping[str, str] = {
    **dict.fromkeys(DATABASE_VARIABLES.values(), ""),
    BROKER_VARIABLE: "",
    KEYS_VARIABLE: "",
    SECRET_VARIABLE: "",
    PORT_VARIABLE: "8080",
    FLOWER_VARIABLE: "",
    ALERTS_VARIABLE: "",
    LOGS_VARIABLE: "auto",
    LEVEL_VARIABLE: "info",
    CONFIG_VARIABLE: "",
    PRESENCE_VARIABLE: "",
}

_PROJECT = Path(__file__).parents[2]

# Of these, blanks around them and capital letters mean nothing.
_WORDS = (PORT_VARIABLE, LOGS_VARIABLE, LEVEL_VARIABLE)

_RULES: Mapping[str, Callable[[str, str], str | None]] = {
    **dict.fromkeys(DATABASE_VARIABLES.values(), rules.database_url),
    BROKER_VARIABLE: rules.broker_url,
    KEYS_VARIABLE: rules.encryption_keys,
    PORT_VARIABLE: rules.port,
    LOGS_VARIABLE: partial(rules.one_of, LOG_FORMATS),
    LEVEL_VARIABLE: partial(rules.one_of, LOG_LEVELS),
    CONFIG_VARIABLE: rules.directory,
}


@dataclass(frozen=True)
class Settings:
    """Where the two databases and the broker are, and what some of the programs need besides."""

    warehouse_url: str = field(repr=False)
    citizen_url: str = field(repr=False)
    broker_url: str = field(repr=False)
    encryption_keys: tuple[str, ...] = field(repr=False, default=())
    callback_secret: str = field(repr=False, default="")
    http_port: int = int(DEFAULTS[PORT_VARIABLE])
    flower_basic_auth: str = field(repr=False, default="")
    alert_urls: tuple[str, ...] = field(repr=False, default=())
    log_format: str = DEFAULTS[LOGS_VARIABLE]
    log_level: str = DEFAULTS[LEVEL_VARIABLE]

    def database_url(self, database: str) -> str:
        return {"warehouse": self.warehouse_url, "citizen": self.citizen_url}[database]


@lru_cache(maxsize=1)
def load() -> Settings:
    """Read and check the environment. Raises SetupError naming every bad variable."""
    values, problems = _read()
    if problems:
        raise SetupError(
            thing="environment",
            cause="; ".join(problems),
            remedy="Set it in the environment, see config/.env.example",
        )
    return Settings(
        warehouse_url=values[DATABASE_VARIABLES["warehouse"]],
        citizen_url=values[DATABASE_VARIABLES["citizen"]],
        broker_url=values[BROKER_VARIABLE],
        encryption_keys=rules.list_of(values[KEYS_VARIABLE]),
        callback_secret=values[SECRET_VARIABLE],
        http_port=int(values[PORT_VARIABLE]),
        flower_basic_auth=values[FLOWER_VARIABLE],
        alert_urls=tuple(values[ALERTS_VARIABLE].split()),
        log_format=values[LOGS_VARIABLE],
        log_level=values[LEVEL_VARIABLE],
    )


def _read() -> tuple[dict[str, str], list[str]]:
    """The value of each variable, and what is wrong with them."""
    given = Given()
    values = {name: given.text(name) for name in DEFAULTS}
    for name in _WORDS:
        values[name] = values[name].strip().lower() or DEFAULTS[name]
    wrong = {name: rule(name, values[name]) for name, rule in _RULES.items()}
    wrong.update(given.problems)
    return values, [problem for name in DEFAULTS if (problem := wrong.get(name))]


def holds(name: str) -> bool:
    """Whether a variable is given, itself or as a file."""
    return Given().holds(name)


def config_file(name: str) -> Path | None:
    """An operator's file: in SYNCTASKS_CONFIG_DIR, or in `config/` beside the package or in the
    current directory. Raises SetupError if that variable names no directory.
    """
    named = Given().text(CONFIG_VARIABLE)
    if problem := rules.directory(CONFIG_VARIABLE, named):
        raise SetupError("environment", problem, "Set it to where the files of config/ are")
    places = [Path(named)] if named else [each / "config" for each in (_PROJECT, Path.cwd())]
    return next(filter(Path.is_file, (place / name for place in places)), None)


@lru_cache(maxsize=1)
def presence_file() -> Path | None:
    """The file that a process touches to say that it is there, if it is to."""
    named = Given().text(PRESENCE_VARIABLE)
    return Path(named) if named else None


def encryption_keys() -> tuple[str, ...]:
    """The keys, newest first. Raises SetupError without any: only some commands need them."""
    keys = load().encryption_keys
    if not keys:
        raise SetupError(
            "environment",
            f"{KEYS_VARIABLE} is not set: rows of dead letters are stored encrypted",
            f"Set it to a Fernet key, the same for all workers; a new one: {rules.NEW_KEY}",
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
    return Given().text("SUDO_USER").strip() or None
