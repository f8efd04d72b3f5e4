"""docs/monitoring.md lists the metrics that there are, and nothing else."""

from __future__ import annotations

import re
from pathlib import Path

from synctasks.monitoring.metrics.collector import Collector
from synctasks.monitoring.metrics.families import METRICS
from synctasks.monitoring.metrics.seen import Seen

PAGE = Path(__file__).parents[2] / "docs" / "monitoring.md"


def test_the_table_is_what_a_scrape_says_of_itself() -> None:
    kinds = {each.documentation: each.type for each in Collector(Seen.of({})).collect()}
    rows = [
        f"| `{each.name}` | {kinds[each.help]} "
        f"| {', '.join(f'`{label}`' for label in each.labels)} | {each.help} |"
        for each in METRICS
    ]
    assert re.findall(r"^\| `synctasks_.*$", PAGE.read_text(), re.M) == rows


def test_every_metric_that_the_page_names_exists() -> None:
    named = set(re.findall(r"\bsynctasks_\w+", PAGE.read_text()))
    parts = {f"synctasks_latency_seconds_{part}" for part in ("bucket", "count", "sum")}
    assert named <= {each.name for each in METRICS} | parts
