"""Source rows in dead letters are encrypted at rest; the keys come from the environment."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import lru_cache

from cryptography.fernet import Fernet, InvalidToken, MultiFernet

from synctasks import settings
from synctasks.errors import SetupError


def seal(row: Mapping[str, str | None]) -> str:
    """The row as a Fernet token, under the newest key. Raises SetupError without keys."""
    return _cipher().encrypt(json.dumps(row).encode()).decode()


def unseal(token: str) -> dict[str, str | None]:
    """The row again, under whichever key sealed it. Raises SetupError if none of ours did."""
    try:
        row: dict[str, str | None] = json.loads(_cipher().decrypt(token))
    except InvalidToken:
        raise SetupError(
            "dead letter",
            "none of the encryption keys opens its source row",
            f"Add the key that was in use then to {settings.KEYS_VARIABLE}, behind the newest",
        ) from None
    return row


@lru_cache(maxsize=1)
def _cipher() -> MultiFernet:
    return MultiFernet([Fernet(key) for key in settings.encryption_keys()])
