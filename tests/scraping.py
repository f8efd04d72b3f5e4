"""A scrape in this process, without a server: what it says, as Prometheus would read it."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from typing import Any

import yaml
from prometheus_client import parser
from prometheus_client.core import Metric
from prometheus_client.openmetrics import parser as openmetrics
from starlette.requests import Request

from synctasks.http.metrics import Metrics

OPENMETRICS = "application/openmetrics-text;version=1.0.0;q=0.6,text/plain;version=0.0.4;q=0.5"
RULES = Path(__file__).parents[1] / "config" / "prometheus-rules.yaml"


class Scrape:
    """The metrics of one scrape by their names, as its header HELP has them."""

    def __init__(self, text: str) -> None:
        self.text = text
        parse = openmetrics if text.endswith("# EOF\n") else parser
        self.metrics: dict[str, Metric] = {
            each.name: each for each in parse.text_string_to_metric_families(text)
        }
        self._series = {
            (sample.name, frozenset(sample.labels.items())): float(sample.value)
            for sample in chain.from_iterable(each.samples for each in self.metrics.values())
        }

    @property
    def names(self) -> set[str]:
        """The names of all samples: those that a rule can ask for."""
        return {name for name, _ in self._series}

    def value(self, name: str, **labels: str) -> float | None:
        """The value of one series; None if there is none."""
        return self._series.get((name, frozenset(labels.items())))

    def counters(self) -> dict[Any, float]:
        """Everything that must never go back, by its series."""
        return {
            series: value
            for series, value in self._series.items()
            if series[0].endswith(("_total", "_bucket", "_count", "_sum"))
        }

    def by_label(self, name: str, label: str) -> dict[str, float]:
        """The values of a metric with one label, by its values."""
        return {
            dict(labels)[label]: value
            for (each, labels), value in self._series.items()
            if each == name
        }


def scrape(accept: str = "") -> Scrape:
    """What a fresh web process says now."""
    return Scrape(asyncio.run(answered(Metrics(), accept)))


async def answered(metrics: Metrics, accept: str = "") -> str:
    """What a web process says; its answer is always a success."""
    headers = [(b"accept", accept.encode())] if accept else []
    request = Request({"type": "http", "method": "GET", "path": "/metrics", "headers": headers})
    answer = await metrics.answer(request)
    assert answer.status_code == 200
    return bytes(answer.body).decode()


def rules() -> Iterator[dict[str, Any]]:
    """The rules for Alertmanager, one after the other."""
    for group in yaml.safe_load(RULES.read_text())["groups"]:
        yield from group["rules"]
