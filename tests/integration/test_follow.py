"""Following a run from outside: what was asked for twice is run once."""

from __future__ import annotations

import pytest

from synctasks.capture import change_log
from synctasks.cli.follow import follow
from synctasks.engine import refresh
from synctasks.flows.to_citizen.profile_data import PROFILE_DATA
from tests.rows import Connection, execute, value


@pytest.mark.usefixtures("databases")
def test_a_dropped_request_is_followed_into_the_full_run_that_answers_it(
    warehouse: Connection,
) -> None:
    execute(warehouse, "DELETE FROM synctasks.run")
    dropped = refresh.request(PROFILE_DATA, "first")
    change_log.request(PROFILE_DATA, ["GR-1"], origin="key")
    answer = refresh.request(PROFILE_DATA, "second")
    assert refresh.start(PROFILE_DATA)
    assert value(warehouse, f"SELECT count(*) FROM synctasks.run WHERE id = {dropped}") == 0
    execute(warehouse, f"UPDATE synctasks.run SET expected = 4711 WHERE id = {answer}")
    assert next(follow(PROFILE_DATA, dropped))["expected"] == 4711
