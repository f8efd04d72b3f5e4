"""The time for a statement: it doubles with each retry, and nobody idles out of a transaction."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from synctasks.database import CHUNK, DRAIN, Limits, transaction
from synctasks.engine.drain import drain
from synctasks.errors import TimeoutExceeded
from synctasks.flow import Database
from synctasks.flows.to_citizen.profile_data import PROFILE_DATA
from tests.rows import Connection, add_record, execute, names_at_portal, value

_SLOW = """\
CREATE FUNCTION public.dawdle() RETURNS trigger LANGUAGE plpgsql AS $body$
BEGIN
    PERFORM pg_catalog.pg_sleep(0.3);
    RETURN NEW;
END
$body$;
CREATE TRIGGER dawdle BEFORE INSERT ON public.profile_data
FOR EACH ROW EXECUTE FUNCTION public.dawdle();
"""


@pytest.fixture
def slow_portal(citizen: Connection) -> Iterator[None]:
    execute(citizen, _SLOW)
    yield
    execute(citizen, "DROP FUNCTION public.dawdle() CASCADE")


@pytest.mark.parametrize(
    ("limits", "seconds"),
    [(DRAIN, [5, 10, 20, 40, 80, 120]), (CHUNK, [30, 60, 120, 120, 120, 120])],
)
def test_it_doubles_with_each_retry_up_to_two_minutes(limits: Limits, seconds: list[int]) -> None:
    doubled = [limits.doubled(times) for times in range(6)]
    assert [each.statement_ms for each in doubled] == [1_000 * each for each in seconds]
    # The other side may take that long; a transaction that waits for it must not be ended.
    assert all(each.idle_ms > each.statement_ms for each in doubled)
    assert {each.lock_ms for each in doubled} == {limits.lock_ms}


def test_the_server_is_told(warehouse: Connection) -> None:
    with transaction(Database.WAREHOUSE, DRAIN.doubled(3)) as source:
        assert source.value("SHOW statement_timeout") == "40s"
        assert source.value("SHOW idle_in_transaction_session_timeout") == "45s"
        assert source.value("SHOW jit") == "off"


@pytest.mark.usefixtures("slow_portal")
def test_what_takes_too_long_says_where_and_passes_with_more_time(
    warehouse: Connection, citizen: Connection
) -> None:
    add_record(warehouse, "GR-1")
    lane = value(warehouse, "SELECT lane FROM synctasks.change_log")
    limits = Limits(statement_ms=100)
    with pytest.raises(TimeoutExceeded) as failure:
        drain(PROFILE_DATA, lane, limits)
    assert failure.value.place == "citizen"
    drain(PROFILE_DATA, lane, limits.doubled(3))
    assert list(names_at_portal(citizen)) == ["GR-1"]
