"""Whose account a server runs under: PostgreSQL refuses to be root."""

from __future__ import annotations

import contextlib
import os
import pwd
import subprocess
from collections.abc import Sequence
from pathlib import Path

from synctasks.embedded.errors import EmbeddedServerError

UNPRIVILEGED = ("postgres", "nobody")


def server_account() -> str | None:
    """Return the account for PostgreSQL if we are root, None (our own) otherwise.

    Raises EmbeddedServerError where root finds no unprivileged account.
    """
    if os.geteuid() != 0:
        return None
    for name in UNPRIVILEGED:
        with contextlib.suppress(KeyError):
            return pwd.getpwnam(name).pw_name
    raise EmbeddedServerError(
        "PostgreSQL",
        f"it refuses to run as root and there is no account {' or '.join(UNPRIVILEGED)}",
        "Run this as another user, or create one of these accounts",
    )


def refusal(command: Sequence[str], account: str | None) -> str | None:
    """Return why the account cannot execute the command with exit code 0, None if it can.

    It is tried, not computed from modes: parents, ACLs and libraries all have their say.
    """
    group = None if account is None else pwd.getpwnam(account).pw_gid
    try:
        outcome = subprocess.run(
            command,
            check=False,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            cwd="/",
            user=account,
            group=group,
            extra_groups=None if account is None else [],
        )
    except OSError as error:
        return str(error.strerror)
    if outcome.returncode == 0:
        return None
    return (outcome.stderr.splitlines() or [f"exit code {outcome.returncode}"])[-1]


def give(path: Path, account: str | None) -> None:
    """Make the account the owner of the path; nothing to do for our own account."""
    if account is not None:
        owner = pwd.getpwnam(account)
        os.chown(path, owner.pw_uid, owner.pw_gid)
