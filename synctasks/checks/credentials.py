"""The keys that seal, and the secrets that let people in. Their values are never shown."""

from __future__ import annotations

from collections.abc import Iterator

from synctasks import settings
from synctasks.checks.finding import Finding, problem, warning
from synctasks.database import transaction
from synctasks.dead_letters.seal import unseal
from synctasks.errors import SetupError
from synctasks.flow import Database

_SHORTEST_PASSWORD = 12
_SHORTEST_SECRET = 32
_ENVIRONMENT = "environment"
_NEWEST = 20

_LETTERS = f"""\
SELECT source_row
FROM synctasks.dead_letter
WHERE source_row IS NOT NULL
ORDER BY id DESC
LIMIT {_NEWEST}
"""


def environment() -> Iterator[Finding]:
    """Whether the variables are there and well-formed."""
    settings.load()
    yield Finding(_ENVIRONMENT)


def keys() -> Iterator[Finding]:
    """Whether there are keys to seal with."""
    settings.encryption_keys()
    yield Finding(settings.KEYS_VARIABLE)


def letters(database: Database) -> Iterator[Finding]:
    """Whether our keys open what was sealed last."""
    with transaction(database) as tx:
        tokens = [token for (token,) in tx.rows(_LETTERS)]
    shut = sum(not _opens(token) for token in tokens)
    thing = f"{database} database, sealed rows of dead letters"
    if shut:
        yield problem(
            thing,
            f"the encryption keys do not open {shut} of the {len(tokens)} newest",
            f"Add the key that was in use then to {settings.KEYS_VARIABLE}, behind the newest, for "
            "all workers and whoever opens dead letters",
        )
    else:
        yield Finding(thing)


def flower() -> Iterator[Finding]:
    """Whether Flower's password is there, and hard to guess."""
    yield judged_flower(settings.load().flower_basic_auth)


def judged_flower(value: str) -> Finding:
    """`value`: what the variable holds, one or more user:password, separated by commas."""
    thing = settings.FLOWER_VARIABLE
    new = f'Set it, where Flower runs: {thing}="admin:$(openssl rand -hex 16)"'
    if not value.strip():
        return warning(thing, "it is not set: Flower does not start without", new)
    for login in value.split(","):
        user, colon, password = login.strip().partition(":")
        if not (user and colon and password):
            return problem(thing, "it is not of the form user:password", new)
        if len(password) < _SHORTEST_PASSWORD or password in user * 4 or len({*password}) < 5:
            return problem(
                thing,
                f"a password is easily guessed (shorter than {_SHORTEST_PASSWORD} characters, or "
                "of very few different ones)",
                new,
            )
    return Finding(thing)


def callback() -> Iterator[Finding]:
    """Whether the secret that callbacks are signed with is there, and long enough."""
    yield judged_secret(settings.load().callback_secret)


def judged_secret(value: str) -> Finding:
    thing = settings.SECRET_VARIABLE
    new = f'Set it, here and at the forecast service: {thing}="$(openssl rand -hex 32)"'
    if not value.strip():
        return warning(thing, "it is not set: `synctasks serve` does not start without", new)
    if len(value.strip()) < _SHORTEST_SECRET:
        return problem(
            thing, f"it is shorter than {_SHORTEST_SECRET} characters, and may be guessed", new
        )
    return Finding(thing)


def _opens(token: str) -> bool:
    try:
        unseal(token)
    except SetupError:
        return False
    return True
