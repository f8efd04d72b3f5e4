"""The books balance, and percentiles come from histograms."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from synctasks.counts import BOXES, LATENCY_BOUNDS_MS, percentile
from synctasks.engine.books import Books

outcomes = st.lists(
    st.tuples(st.sampled_from((*BOXES, "removed")), st.lists(st.uuids().map(str), max_size=5)),
    max_size=8,
)


@given(outcomes)
def test_read_is_the_sum_of_its_boxes_and_removed_stands_beside(
    found: list[tuple[str, list[str]]],
) -> None:
    books = Books.of([])
    for box, keys in found:
        books.put(box, keys)
    assert books.counts["read"] == sum(books.counts[box] for box in BOXES)
    assert books.counts["removed"] == sum(len(keys) for box, keys in found if box == "removed")


@given(outcomes, st.randoms())
def test_counts_of_some_keys_and_of_the_rest_make_the_whole(
    found: list[tuple[str, list[str]]], chance: random.Random
) -> None:
    books = Books.of([])
    for box, keys in found:
        books.put(box, keys)
    keys = {key for some in books.keys.values() for key in some}
    mine = {key for key in keys if chance.random() < 0.5}
    first, second = books.only(mine).counts, books.only(keys - mine).counts
    whole = books.counts
    assert {box: first[box] + second[box] for box in whole} == whole


def test_a_percentile_lies_within_a_fifth_of_the_truth() -> None:
    chance = random.Random(1)
    latencies = sorted(chance.lognormvariate(2.5, 0.8) for _ in range(10_000))
    histogram = [0] * (len(LATENCY_BOUNDS_MS) + 1)
    for latency in latencies:
        histogram[sum(bound <= latency for bound in LATENCY_BOUNDS_MS)] += 1
    for share in (0.5, 0.95, 0.99):
        truth = latencies[int(share * len(latencies))] / 1000
        assert percentile(histogram, share) == pytest.approx(truth, rel=0.2)


def test_without_changes_there_is_no_latency() -> None:
    assert percentile([0] * (len(LATENCY_BOUNDS_MS) + 1), 0.99) is None


def test_what_is_beyond_the_last_bucket_is_the_last_bound() -> None:
    histogram = [0] * len(LATENCY_BOUNDS_MS) + [3]
    assert percentile(histogram, 0.5) == pytest.approx(LATENCY_BOUNDS_MS[-1] / 1000)
