"""An alert_id belongs to the use case that came first, however old the alerts say they are."""

from __future__ import annotations

from datetime import timedelta

import pytest

from synctasks.flows.to_citizen.ml_alerts import ML_ALERTS
from tests.flows.alerts import CREATED, NINTH, SEVENTH, SHOWN, alert_id, given_alert, shown
from tests.flows.citizens import given_citizen
from tests.rows import Connection
from tests.syncing import by_events


@pytest.mark.parametrize("ago", [timedelta(), timedelta(hours=1)], ids=["same time", "older"])
def test_an_id_that_comes_later_is_refused_whenever_it_says_it_was_created(
    warehouse: Connection, citizen: Connection, ago: timedelta
) -> None:
    given_citizen(citizen)
    given_alert(warehouse, 1, NINTH)
    assert by_events(warehouse, ML_ALERTS) == {"read": 1, "written": 1}
    given_alert(warehouse, 1, SEVENTH, created_at=CREATED - ago, message="of another use case")
    assert by_events(warehouse, ML_ALERTS) == {"read": 1, "rejected": 1}
    assert shown(citizen) == {alert_id(): SHOWN}
