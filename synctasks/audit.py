"""Who did what, when and why: rows that are only added, in the transaction that does it."""

from __future__ import annotations

import getpass
import heapq
import socket
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from synctasks import settings
from synctasks.database import Transaction, transaction
from synctasks.flow import Database

#: Who acts where a message does (`celery call`): it says nothing of who sent it.
MESSAGE = "a message"

# A subject may name keys, a reason is anybody's prose.
_MOST_CHARACTERS = {"subject": 300, "reason": 2_000}

_ADD = """\
INSERT INTO synctasks.audit (actor, action, flow, subject, reason)
VALUES (%(actor)s, %(action)s, %(flow)s, %(subject)s, %(reason)s)
"""

_COLUMNS = ("at", "actor", "action", "flow", "subject", "reason")

_PAGE = f"""\
SELECT {", ".join(_COLUMNS)}, id
FROM synctasks.audit
WHERE (%(flow)s::text IS NULL OR flow = %(flow)s)
    AND (%(action)s::text IS NULL OR action = %(action)s)
    AND (%(since)s::timestamptz IS NULL OR at >= %(since)s)
    AND (%(at)s::timestamptz IS NULL OR (at, id) < (%(at)s, %(id)s))
ORDER BY at DESC, id DESC
LIMIT %(page)s
"""

_PAGE_ROWS = 1_000


class Action(StrEnum):
    """What people do."""

    SYNC = "sync"
    REPLAY = "replay"
    ACCEPT_SHRINK = "accept-shrink"
    REPAIR = "repair"
    REVIEW = "review"
    REVEAL = "reveal"
    DISCARD = "discard"
    PAUSE = "pause"
    RESUME = "resume"
    INSTALL = "install"
    UNINSTALL = "uninstall"


@dataclass(frozen=True)
class Act:
    """What somebody asks for and why, to be noted with the run that comes of it.

    `actor` is who runs this command, unless it says otherwise.
    """

    action: Action
    what: str
    reason: str | None = None
    actor: str = ""

    def note(self, tx: Transaction, flow: str, run: int) -> None:
        add(tx, self.action, flow, f"run {run}: {self.what}", self.reason, by=self.actor)


def actor() -> str:
    """Who runs this command: the user's name on this machine, of a sudo the one behind it."""
    try:
        name = settings.behind_sudo() or getpass.getuser()
    except (KeyError, OSError):
        name = "unknown"
    return f"{_plain(name)}@{socket.gethostname()}"


def add(
    tx: Transaction,
    action: str,
    flow: str | None,
    subject: str,
    reason: str | None = None,
    *,
    by: str = "",
) -> None:
    """Note what the person at this command (or `by`) has done, to a flow or to all of them."""
    told = {"subject": subject, "reason": reason}
    noted = {name: _short(text, _MOST_CHARACTERS[name]) for name, text in told.items()}
    tx.execute(_ADD, {"actor": by or actor(), "action": str(action), "flow": flow, **noted})


def of_keys(keys: Sequence[str]) -> str:
    """Keys as a subject names them: how many, and the first of them."""
    return f"{len(keys):,} key{'s' if len(keys) > 1 else ''}: {', '.join(keys[:10])}"


def find(
    flow: str | None = None, action: str | None = None, since: datetime | None = None
) -> Iterator[dict[str, Any]]:
    """What was done, the newest first, a page at a time of each database."""
    wanted = {"flow": flow, "action": action, "since": since}
    both = (_find_in(database, wanted) for database in Database)
    for found in heapq.merge(*both, key=lambda found: found["at"], reverse=True):
        yield {**found, "at": found["at"].isoformat()}


def _find_in(database: Database, wanted: dict[str, Any]) -> Iterator[dict[str, Any]]:
    after: dict[str, Any] = {"at": None, "id": None}
    while True:
        with transaction(database) as tx:
            rows = tx.rows(_PAGE, {**wanted, **after, "page": _PAGE_ROWS})
        for row in rows:
            yield dict(zip(_COLUMNS, row[:-1], strict=True))
        if len(rows) < _PAGE_ROWS:
            return
        after = {"at": rows[-1][0], "id": rows[-1][-1]}


def _short(text: str | None, most: int) -> str | None:
    if text is None or not text.strip():
        return None
    plain = _plain(text)
    return plain if len(plain) <= most else f"{plain[: most - 1]}…"


def _plain(text: str) -> str:
    """What no terminal could decode is no text to PostgreSQL: it becomes question marks."""
    return text.encode(errors="replace").decode()
