"""The collector: metrics out of what was seen. It keeps nothing from one scrape to the next, and
nothing in the process: any number of web processes say the same.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import lru_cache
from importlib import metadata
from itertools import accumulate, pairwise

from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    Metric,
)

from synctasks.counts import BOXES, LATENCY_BOUNDS_MS, ROUND_BOUNDS_MS
from synctasks.monitoring.alerts.of_all import silence
from synctasks.monitoring.figures.signs import PROCESSES
from synctasks.monitoring.figures.totals import NOTHING, Total
from synctasks.monitoring.metrics import families
from synctasks.monitoring.metrics.families import OF_FLOWS, OfFlow
from synctasks.monitoring.metrics.seen import OfDatabase, Seen
from synctasks.presence import WATCH

OUTCOMES = (*BOXES, "removed")
ENDS = ("succeeded", "guarded", "stopped", "failed")

# What lies above the last bound counts as if it were at the bound.
_MIDDLES = (
    *((low + high) / 2000 for low, high in pairwise((0.0, *LATENCY_BOUNDS_MS))),
    LATENCY_BOUNDS_MS[-1] / 1000,
)
_PLACES = tuple(LATENCY_BOUNDS_MS.index(bound) for bound in ROUND_BOUNDS_MS)


_HEARD_OF = (*PROCESSES, WATCH)

_Series = Mapping[tuple[str, ...], float]


class Collector:
    """Yields each metric, with those series that what was seen allows."""

    def __init__(self, seen: Seen) -> None:
        self._seen = seen

    def collect(self) -> Iterator[Metric]:
        """All metrics, always in the same order."""
        for each in OF_FLOWS:
            yield self._of_flows(each)
        yield from self._of_runs()
        yield self._records()
        yield self._latency()
        yield from self._of_databases()
        yield from self._of_surroundings()
        yield _gauge(families.BUILD_INFO, {(_version(),): 1})

    def _flows(self) -> Iterator[tuple[str, OfDatabase]]:
        return ((name, each) for each in self._seen.databases for name in each.figures.flows)

    def _of_flows(self, one: OfFlow) -> Metric:
        return _gauge(
            one.metric,
            {(name,): one.read(each.figures.flows[name]) or 0 for name, each in self._flows()},
        )

    def _of_runs(self) -> Iterator[Metric]:
        states: dict[tuple[str, ...], float] = {}
        for name, each in self._flows():
            last = (each.figures.flows[name].get("ended") or {}).get("state")
            states.update({(name, state): state == last for state in ENDS})
        yield _gauge(families.LAST_RUN_STATE, states)
        ended = {name: each.ended.get(name, (0, 0)) for name, each in self._flows()}
        yield _gauge(
            families.LAST_RUN_DURATION, {(name,): took or 0 for name, (took, _) in ended.items()}
        )
        yield _gauge(
            families.LAST_RUN_SUCCESS, {(name,): at or 0 for name, (_, at) in ended.items()}
        )

    def _totals(self) -> Iterator[tuple[str, Total]]:
        return ((name, each.totals.get(name, NOTHING)) for name, each in self._flows())

    def _records(self) -> Metric:
        told = families.RECORDS
        family = CounterMetricFamily(told.name, told.help, labels=told.labels)
        for name, total in self._totals():
            for outcome in OUTCOMES:
                family.add_metric([name, outcome], total.counts[outcome])
        return family

    def _latency(self) -> Metric:
        told = families.LATENCY
        family = HistogramMetricFamily(told.name, told.help, labels=told.labels)
        for name, total in self._totals():
            family.add_metric([name], buckets(total), estimated_sum(total))
        return family

    def _of_databases(self) -> Iterator[Metric]:
        all_figures = [each.figures for each in self._seen.databases]
        yield _gauge(
            families.UNBALANCED, {(str(each.database),): each.unbalanced for each in all_figures}
        )
        yield _gauge(
            families.REFUSED, {(str(each.database),): each.refused for each in all_figures}
        )

    def _of_surroundings(self) -> Iterator[Metric]:
        seen, figures = self._seen, [each.figures for each in self._seen.databases]
        ages = {process: silence(process, figures) for process in _HEARD_OF if figures}
        beats = {way: age for way, age in seen.heartbeats.items() if age is not None}
        yield _gauge(families.HEARTBEAT_AGE, {(way,): age for way, age in beats.items()})
        yield _gauge(families.PRESENCE_AGE, {(process,): age for process, age in ages.items()})
        yield _gauge(
            families.QUEUE_MESSAGES, {(queue,): length for queue, length in seen.queues.items()}
        )
        yield _gauge(families.UP, {(name,): is_up for name, is_up in seen.up.items()})
        yield _gauge(
            families.ALERT_FIRING, {key: 1 for each in seen.databases for key in each.firing}
        )


def _gauge(told: families.Metric, series: _Series) -> Metric:
    family = GaugeMetricFamily(told.name, told.help, labels=told.labels)
    for labels, value in series.items():
        family.add_metric(labels, value)
    return family


def buckets(total: Total) -> list[tuple[str, float]]:
    """The latencies by upper bound in seconds, as Prometheus has it: all that lie below."""
    sums = list(accumulate(total.latency))
    bounds = (str(bound / 1000) for bound in ROUND_BOUNDS_MS)
    below = zip(bounds, (sums[place] for place in _PLACES), strict=True)
    return [*below, ("+Inf", sums[-1])]


def estimated_sum(total: Total) -> float:
    """The sum of the latencies in seconds, as if each were in the middle of its bucket."""
    return sum(count * middle for count, middle in zip(total.latency, _MIDDLES, strict=True))


@lru_cache(maxsize=1)
def _version() -> str:
    return metadata.version("synctasks")
