"""Delivery: whoever is named in SYNCTASKS_ALERT_URLS is told once that an alert fires, and once
that it is over.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import structlog

from synctasks import settings
from synctasks.database import transaction
from synctasks.flow import Database
from synctasks.monitoring.alerts.condition import runbook

log = structlog.get_logger("alerts")

# Whoever takes one tells of it; if he dies of it, somebody else does after this. What was over an
# hour before anybody could be told is not worth a message.
_TAKE = """\
UPDATE synctasks.alert
SET next_try = statement_timestamp() + interval '60 seconds'
WHERE next_try NOT BETWEEN
        statement_timestamp() + interval '1 microsecond'
        AND statement_timestamp() + interval '61 seconds'
    AND (
        (told_at IS NULL AND resolved_at IS NULL)
        OR (told_at IS NULL AND resolved_at > statement_timestamp() - interval '1 hour')
        OR (told_at IS NOT NULL AND resolved_at IS NOT NULL AND end_told_at IS NULL)
    )
RETURNING id, name, about, reason, since, told_at IS NOT NULL
"""

_TOLD = """\
UPDATE synctasks.alert
SET
    told_at = coalesce(told_at, statement_timestamp()),
    end_told_at = CASE WHEN told_at IS NOT NULL THEN statement_timestamp() END,
    next_try = statement_timestamp()
WHERE id = ANY (%(ids)s)
"""


@dataclass(frozen=True)
class Attempt:
    """Whether one of those to be told was reached; `to` hides what its URL keeps secret."""

    to: str
    reached: bool


def deliver(database: Database) -> None:
    """Tell of what fires and of what is over, of the alerts at home here. Raises SynctasksError."""
    if not settings.load().alert_urls:
        return
    with transaction(database) as tx:
        taken = tx.rows(_TAKE)
    if not taken:
        return
    if was_told(*_message(taken)):
        with transaction(database) as tx:
            tx.execute(_TOLD, {"ids": [row[0] for row in taken]})
        log.info("alerts.delivered", alerts=len(taken))


def was_told(title: str, body: str) -> bool:
    """Tell everybody; whether anybody was reached."""
    attempts = list(tell(title, body))
    for each in attempts:
        if not each.reached:
            log.warning("alerts.not_delivered", to=each.to)
    return any(each.reached for each in attempts)


def tell(title: str, body: str) -> Iterator[Attempt]:
    """Send a message to everybody; what came of each."""
    # Imported here: it knows a hundred services, and most of our processes tell nobody.
    import apprise

    # It says itself what it could not do, with more of the URL than a log should hold.
    logging.getLogger("apprise").setLevel(logging.CRITICAL)
    for number, url in enumerate(settings.load().alert_urls, start=1):
        service = apprise.Apprise.instantiate(url)
        if not service:
            yield Attempt(f"URL {number} of {settings.ALERTS_VARIABLE}, which nobody knows", False)
            continue
        one = apprise.Apprise()
        one.add(service)
        yield Attempt(_shown(service), bool(one.notify(title=title, body=body)))


def _shown(service: Any) -> str:
    """Where a service is. Apprise hides the password; path and query may hold secrets, too."""
    url = urlsplit(str(service.url(privacy=True)))
    return f"{url.scheme}://{url.netloc}"


def _message(taken: Sequence[tuple[Any, ...]]) -> tuple[str, str]:
    """Title and text of what there is to tell."""
    heads = [_head(*row[1:3], is_over=row[5]) for row in taken]
    title = f"synctasks: {heads[0]}" if len(heads) == 1 else f"synctasks: {len(heads)} alerts"
    texts = (
        f"{head}\n{reason}\nsince {since:%Y-%m-%d %H:%M:%S} UTC\nWhat to do: {runbook(name)}"
        for head, (_, name, _, reason, since, _) in zip(heads, taken, strict=True)
    )
    return title, "\n\n".join(texts)


def _head(name: str, about: str, *, is_over: bool) -> str:
    what = f"{name}, {about}" if about else name
    return f"over: {what}" if is_over else what
