"""The callback for forecasts with everything at work, and with parts of it away."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from synctasks.embedded.waiting import wait_until
from tests.acceptance.system import System
from tests.callbacks import SECRET, Web, add_forecast, forecast_id, serving
from tests.rows import execute

TABLE = "forecast.benefit_forecasts"
ROWS = """\
SELECT
    forecast_id, family_id, horizon_months, total_annual_value, scheme_count, projections,
    generated_at
FROM {table}
ORDER BY forecast_id
"""
WRITTEN = """\
SELECT coalesce(sum(written), 0)::integer
FROM synctasks.history
WHERE flow = 'benefit_forecasts'
"""
RECOVERY_SECONDS = 30


@pytest.fixture
def web(system: System, tmp_path: Path) -> Iterator[Web]:
    """The server beside one worker and one listener; no forecasts on either side."""
    with system.warehouse() as warehouse, system.citizen() as citizen:
        for connection, table in ((warehouse, TABLE), (citizen, "benefit_forecasts")):
            execute(connection, f"TRUNCATE {table}")
    with serving(tmp_path, system.environment) as web:
        yield web


def agree(system: System) -> int:
    """Assert that both sides hold the same forecasts; how many."""
    here = system.at_warehouse(ROWS.format(table=TABLE))
    assert system.at_citizen(ROWS.format(table="benefit_forecasts")) == here
    return len(here)


def add_unseen(system: System, number: int = 1) -> str:
    """A forecast that nobody captured; its id."""
    with system.warehouse() as warehouse:
        execute(warehouse, "BEGIN")
        known = add_forecast(warehouse, number)
        execute(warehouse, "DELETE FROM synctasks.change_log")
        execute(warehouse, "COMMIT")
    return known


def test_the_row_arrives_by_the_callback_alone(system: System, web: Web) -> None:
    system.kill("listener")
    assert web.announce(add_unseen(system)).status == 202
    system.quiesce()
    assert agree(system) == 1


def test_with_the_warehouse_down_nothing_is_recorded_until_it_is_back(
    system: System, web: Web
) -> None:
    known = add_unseen(system)
    system.servers.warehouse.kill()
    refused = web.announce(known)
    assert (refused.status, "warehouse" in refused.error) == (503, True)
    ready = web.get("/readyz")
    assert (ready.status, ready.json["checks"]["citizen"]) == (503, "ok")
    system.servers.warehouse.start()
    assert web.get("/readyz").status == 200
    assert web.announce(known).status == 202
    system.quiesce(RECOVERY_SECONDS)
    assert agree(system) == 1


def test_with_the_portal_down_it_is_recorded_and_arrives_later(system: System, web: Web) -> None:
    system.servers.citizen.kill()
    assert web.announce(add_unseen(system)).status == 202
    assert web.get("/readyz").json["checks"]["warehouse"] == "ok"
    system.servers.citizen.start()
    system.quiesce(RECOVERY_SECONDS)
    assert agree(system) == 1


def test_with_the_broker_down_it_is_recorded_and_arrives_later(system: System, web: Web) -> None:
    system.servers.broker.kill()
    known = add_unseen(system)
    assert web.announce(known).json == {"accepted": [known], "unknown": []}
    wait_until(lambda: "callback.not_sent" in web.words(), 10, "a word that nobody was sent for")
    assert web.get("/readyz").json["checks"]["broker"].startswith("broker: no answer")
    system.servers.broker.start()
    system.quiesce(RECOVERY_SECONDS)
    assert agree(system) == 1
    assert web.get("/readyz").status == 200


def test_trigger_and_callback_for_the_same_forecasts_at_once(system: System, web: Web) -> None:
    """Whoever comes second finds nothing to write."""
    count = 60

    def commit_and_announce(number: int) -> int:
        with system.warehouse() as warehouse:
            known = add_forecast(warehouse, number)
        return web.announce(known, known).status

    with ThreadPoolExecutor(6) as callers:
        assert set(callers.map(commit_and_announce, range(1, count + 1))) == {202}
    system.quiesce()
    assert agree(system) == count
    assert system.at_warehouse(WRITTEN) == [count]


def test_the_newest_state_arrives_however_often_it_is_announced(system: System, web: Web) -> None:
    known = add_unseen(system)
    for horizon in range(1, 21):
        with system.warehouse() as warehouse:
            execute(warehouse, f"UPDATE {TABLE} SET horizon_months = %s", [horizon])
        assert web.announce(known).status == 202
    system.quiesce()
    assert agree(system) == 1
    assert system.at_citizen("SELECT horizon_months FROM benefit_forecasts") == [20]


def test_no_secret_stands_in_any_log(system: System, web: Web) -> None:
    with system.warehouse() as warehouse:
        family = "3d1f7a52-0000-4000-8000-00000000feed"
        known = add_forecast(warehouse, family_id=family, total_annual_value="987654.32")
    assert web.announce(known, forecast_id(9)).status == 202
    system.quiesce()
    assert agree(system) == 1
    words = [web.words(), *(system.program(name).words() for name in ("worker", "listener"))]
    for log in words:
        assert log
        assert not [hidden for hidden in (SECRET, family, "987654") if hidden in log]
