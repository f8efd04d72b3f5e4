"""Promise 6 and the order of commits: a transaction that stays open delays only itself."""

from __future__ import annotations

import time
from statistics import quantiles

from synctasks.embedded.waiting import wait_until
from tests.acceptance.system import System
from tests.rows import Connection, add_record, execute, value

OPEN_SECONDS = 4
PACE_SECONDS = 0.05


def test_an_open_transaction_delays_nobody_but_itself(system: System) -> None:
    with system.warehouse() as warehouse, system.warehouse() as slow, system.citizen() as citizen:
        for number in range(8):
            add_record(warehouse, f"GR-{number}", city_village="before")
        system.quiesce()
        slow.autocommit = False
        execute(slow, "UPDATE golden_records SET city_village = 'late' WHERE gr_id = 'GR-0'")
        latencies = _latencies_for(OPEN_SECONDS, warehouse, citizen)
        assert value(citizen, _CITY, ["GR-0"]) == "before", "it is not committed"
        slow.commit()
        _await_city(citizen, "GR-0", "late")
    system.quiesce()
    system.agree()
    assert len(latencies) > 10
    assert quantiles(latencies, n=20)[-1] < 1, f"p95 of {sorted(latencies)}"


_CITY = "SELECT city FROM profile_data WHERE record_id = %s"


def _latencies_for(seconds: float, warehouse: Connection, citizen: Connection) -> list[float]:
    """Update records of all lanes, one after the other, and see each arrive: after how long?"""
    latencies = []
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        key, city = f"GR-{1 + len(latencies) % 7}", f"town {len(latencies)}"
        statement = "UPDATE golden_records SET city_village = %s WHERE gr_id = %s"
        execute(warehouse, statement, [city, key])
        began = time.monotonic()
        _await_city(citizen, key, city)
        latencies.append(time.monotonic() - began)
        time.sleep(PACE_SECONDS)
    return latencies


def _await_city(citizen: Connection, key: str, city: str) -> None:
    wait_until(lambda: value(citizen, _CITY, [key]) == city, 5, f"{key} to be in {city}")
