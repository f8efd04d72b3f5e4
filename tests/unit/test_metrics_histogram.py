"""What a histogram for Prometheus makes of the finer one that is kept."""

from __future__ import annotations

from bisect import bisect_right

from hypothesis import given
from hypothesis import strategies as st

from synctasks.counts import LATENCY_BOUNDS_MS
from synctasks.monitoring.figures.totals import NOTHING, Total
from synctasks.monitoring.metrics.collector import buckets, estimated_sum


def total_of(latencies: list[float]) -> Total:
    """As the drains keep them: by `width_bucket`."""
    histogram = list(NOTHING.latency)
    for each in latencies:
        histogram[bisect_right(LATENCY_BOUNDS_MS, each)] += 1
    return Total(NOTHING.counts, histogram)


@given(st.lists(st.floats(0, 200_000)))
def test_buckets_are_exact(latencies: list[float]) -> None:
    found = buckets(total_of(latencies))
    assert found[-1] == ("+Inf", len(latencies))
    assert len(found) == 13
    for bound, below in found:
        assert below == sum(each < float(bound) * 1000 for each in latencies)


@given(st.lists(st.floats(1, 49_999), min_size=1))
def test_the_sum_is_near_what_it_estimates(latencies: list[float]) -> None:
    true = sum(latencies) / 1000
    assert 0.85 * true <= estimated_sum(total_of(latencies)) <= 1.15 * true


@given(st.lists(st.floats(0, 200_000)), st.lists(st.floats(0, 200_000)))
def test_totals_add_up_and_only_grow(some: list[float], more: list[float]) -> None:
    both = total_of(some) + total_of(more)
    assert both == total_of([*some, *more])
    assert estimated_sum(both) >= estimated_sum(total_of(some))


def test_a_histogram_that_nobody_has_written_yet_counts_nothing() -> None:
    empty = Total(NOTHING.counts, ())
    assert buckets(empty + total_of([5.0])) == buckets(total_of([5.0]))
