"""Specification 1.6: an alert is asked for by its use case and its id; nothing else is a key."""

from __future__ import annotations

import pytest

from synctasks.door.arguments import problem
from synctasks.flows.to_citizen.ml_alerts import ML_ALERTS
from tests.flows.alerts import FOURTEENTH, NINTH, TABLES, alert_id, given_alert, key_of, shown
from tests.flows.citizens import given_citizen
from tests.flows.told import asked_for
from tests.letters import one_line, typed
from tests.rows import Connection, execute, rows, value

ID = alert_id()
MALFORMED = [
    *("", " ", ":", ID, f":{ID}", "AI-PLATFORM-07", "AI-PLATFORM-07:", f"AI-PLATFORM-08:{ID}"),
    *(f"ai-platform-07:{ID}", f"AI-PLATFORM-07 :{ID}", f" AI-PLATFORM-07:{ID}"),
    *(f"AI-PLATFORM-07: {ID}", f"AI-PLATFORM-07::{ID}", f"AI-PLATFORM-07:{ID}:", f"{ID}:{ID}"),
    *(f"AI-PLATFORM-07:{ID}\n", f"AI-PLATFORM-07:{ID}0", f"AI-PLATFORM-07:{ID[:-1]}"),
    *(f"AI-PLATFORM-07:{ID.upper()}", f"AI-PLATFORM-07:{{{ID}}}", "AI-PLATFORM-07:x' OR '1"),
    *(f"AI-PLATFORM-07:{ID.replace('-', '')}", f"AI-PLATFORM-07:{ID[:-1]}\u0967"),
]


@pytest.mark.parametrize("use_case", TABLES)
def test_an_alert_is_asked_for_by_its_use_case_and_id(
    warehouse: Connection, citizen: Connection, use_case: str
) -> None:
    given_citizen(citizen)
    for number, each in enumerate(TABLES):
        given_alert(warehouse, number, each)
    execute(warehouse, "DELETE FROM synctasks.change_log")
    number = list(TABLES).index(use_case)
    key = key_of(number, use_case)
    assert problem("sync.ml_alerts", {"keys": [key]}) is None
    assert asked_for(warehouse, ML_ALERTS, key) == {"read": 1, "written": 1}
    assert set(shown(citizen)) == {alert_id(number)}


def test_an_id_of_one_use_case_asks_for_nothing_of_another(
    warehouse: Connection, citizen: Connection
) -> None:
    given_citizen(citizen)
    given_alert(warehouse, 1, NINTH)
    execute(warehouse, "DELETE FROM synctasks.change_log")
    assert asked_for(warehouse, ML_ALERTS, key_of(1, FOURTEENTH)) == {}
    assert shown(citizen) == {}


@pytest.mark.parametrize("key", MALFORMED, ids=ascii)
def test_a_malformed_key_is_refused_before_anything_is_written(
    warehouse: Connection, key: str
) -> None:
    said = one_line(typed("sync", "ml_alerts", "--key", key_of(), "--key", key))
    form = "it is no use case and alert_id (AI-PLATFORM-07:7d444840-…)"
    assert form in said
    assert "of flow ml_alerts" in said
    assert rows(warehouse, "SELECT FROM synctasks.change_log") == []
    assert value(warehouse, "SELECT count(*) FROM synctasks.run") == 0
    assert problem("sync.ml_alerts", {"keys": [key]}) == (
        f"argument keys: one of them is no key: {form}"
    )
