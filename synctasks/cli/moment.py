"""Moments and reasons as people type them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import click


class Moment(click.ParamType[datetime]):
    """A date, or a date and time: UTC, unless it names an offset."""

    name = "time"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        if isinstance(value, datetime):
            return value
        try:
            moment = datetime.fromisoformat(str(value))
            return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
        except (ValueError, OverflowError):
            self.fail(
                f"{str(value)[:40]!r} is no time: write 2026-11-01 or 2026-11-01T12:00 (UTC), "
                "or with an offset: 2026-11-01T12:00+05:30",
                param,
                ctx,
            )


def text(_: click.Context, __: click.Parameter, value: str | None) -> str | None:
    """What was typed as PostgreSQL takes it: what no terminal could decode is no text."""
    return None if value is None else value.encode(errors="replace").decode()


reason_option = click.option(
    "--reason", metavar="TEXT", callback=text, help="Why; it is kept in the audit."
)
