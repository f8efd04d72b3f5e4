"""What a test puts in the way at the portal, for the length of a block."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from tests.acceptance.system import System
from tests.rows import Connection, execute

# How many of our sessions at the portal are in the middle of a slow merge.
MERGING = "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'PgSleep'"

_SLOW = """\
CREATE FUNCTION public.dawdle() RETURNS trigger LANGUAGE plpgsql AS $body$
BEGIN
    PERFORM pg_catalog.pg_sleep({seconds});
    RETURN NEW;
END
$body$;
CREATE TRIGGER dawdle BEFORE INSERT OR UPDATE ON public.profile_data
FOR EACH ROW EXECUTE FUNCTION public.dawdle();
"""

# Neither may run into a limit where the machine is busy: it waits for merges under way.
_NO_LONGER_SLOW = "DROP FUNCTION IF EXISTS public.dawdle() CASCADE"


@contextmanager
def slow_portal(system: System, seconds: float) -> Iterator[None]:
    """Each row that is written to the portal takes that long."""
    with system.citizen() as citizen:
        slow_down(citizen, seconds)
    try:
        yield
    finally:
        with system.citizen() as citizen:
            hurry(citizen)


def slow_down(citizen: Connection, seconds: float) -> None:
    """From now on each profile that is written takes that long."""
    execute(citizen, _SLOW.format(seconds=seconds))


def hurry(citizen: Connection) -> None:
    """From now on none takes long; what is under way ends first."""
    execute(citizen, _NO_LONGER_SLOW)
