"""The file of thresholds: what it leaves away keeps its number, what nobody looks at is refused."""

from __future__ import annotations

import pytest

from synctasks.errors import SetupError
from synctasks.monitoring.thresholds import DEFAULTS, read


def test_what_is_given_stands_over_what_is_not() -> None:
    told = read("[latency]\nseconds = 2.5\n[batch-window-missed.minutes]\nml_alerts = 7\n")
    assert told["latency"] == {**DEFAULTS["latency"], "seconds": 2.5}
    windows = DEFAULTS["batch-window-missed"]["minutes"]
    assert told["batch-window-missed"]["minutes"] == {**windows, "ml_alerts": 7}
    assert told["failure-rate"] == DEFAULTS["failure-rate"]


@pytest.mark.parametrize(
    ("text", "cause"),
    [
        ("[latency", "it is no TOML"),
        ("[latencies]\nseconds = 1", "there is no latencies"),
        ("[latency]\nsecond = 1", "there is no latency.second"),
        ("latency = 1", "latency is no section"),
        ("[latency.seconds]\na = 1", "latency.seconds is no number"),
        ('[latency]\nseconds = "10"', "latency.seconds is no number of 0 or more"),
        ("[latency]\nseconds = true", "latency.seconds is no number of 0 or more"),
        ("[latency]\nseconds = -1", "latency.seconds is no number of 0 or more"),
        ("[latency]\nseconds = nan", "latency.seconds is no number of 0 or more"),
        ("[latency]\nminutes = inf", "latency.minutes is no number of 0 or more"),
        ("[batch-window-missed.minutes]\nschemes = []", "minutes.schemes is no number"),
        ("[all]\nlook-seconds = 0", "all.look-seconds is less than 1"),
    ],
)
def test_what_nobody_would_look_at_is_refused_by_name(text: str, cause: str) -> None:
    with pytest.raises(SetupError) as caught:
        read(text)
    assert cause in str(caught.value)
    assert "config/alerts.toml" in str(caught.value)
