"""Who did what, when and why: rows that are only added."""

from __future__ import annotations

import getpass
import socket

from synctasks.database import Transaction

_ADD = """\
INSERT INTO synctasks.audit (actor, action, flow, subject, reason)
VALUES (%(actor)s, %(action)s, %(flow)s, %(subject)s, %(reason)s)
"""


def actor() -> str:
    """Who runs this command: the user's name on this machine."""
    try:
        name = getpass.getuser()
    except (KeyError, OSError):
        name = "unknown"
    return f"{name}@{socket.gethostname()}"


def add(tx: Transaction, action: str, flow: str, subject: str, reason: str | None = None) -> None:
    """Note what the person at this command has done to a flow."""
    noted = {"action": action, "flow": flow, "subject": subject, "reason": reason}
    tx.execute(_ADD, {"actor": actor(), **noted})
