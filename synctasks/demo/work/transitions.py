"""The workload's own record of what became of applications: what the events must say."""

from __future__ import annotations

from typing import NamedTuple

# Every application as it stands; what happened to it before, nobody saw.
ALL = """\
SELECT
    id::text,
    status,
    citizen_id::text,
    scheme_id::text,
    submitted_at::text,
    approved_at::text
FROM public.service_applications
"""

#: To be written behind a statement: its row as a transition.
RETURNING = """\
RETURNING
    id::text,
    status,
    citizen_id::text,
    scheme_id::text,
    submitted_at::text,
    approved_at::text
"""


class Transition(NamedTuple):
    """An application as a committed transaction left it; times as PostgreSQL says them in UTC."""

    application: str
    status: str
    citizen: str | None
    scheme: str | None
    submitted_at: str | None
    approved_at: str | None
