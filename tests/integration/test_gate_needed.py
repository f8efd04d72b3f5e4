"""Values that must be there where another one says so: both sides agree; a wrong gate is found."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from synctasks.contracts import Category, Choice, Contract, Needed, Timestamp
from tests.contract_values import moments
from tests.contract_verdicts import Verdict, disagreements, verdicts, warehouse_session
from tests.rows import Connection
from tests.workspace import Workspace

many_rows = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])

Pair = tuple[str | None, str | None]


class Letter(Contract):
    """A letter that was read was read at some time."""

    state = Choice("sent", "read")
    read_at = Timestamp()
    rules = (Needed("read_at", where="state", is_="read"),)


@pytest.fixture(scope="module")
def server(place: Workspace) -> Iterator[Connection]:
    with warehouse_session(place) as connection:
        yield connection


def judged(server: Connection, pairs: Sequence[Pair]) -> list[Verdict]:
    """What both sides say of letters: (state, read_at)."""
    source = """(
        SELECT given.state, given.read_at
        FROM unnest(%s::text[], %s::timestamptz[])
            WITH ORDINALITY AS given (state, read_at, place)
        ORDER BY given.place
    ) AS source"""
    return verdicts(server, Letter, source, [[a for a, _ in pairs], [b for _, b in pairs]])


SOME = "2024-01-01 00:00:00+00"
LETTERS: dict[Pair, bool] = {
    ("read", SOME): True,
    ("sent", SOME): True,
    ("sent", None): True,
    (None, None): True,
    (None, SOME): True,
    ("read", None): False,
    ("read", "infinity"): False,
    ("sent", "infinity"): False,
    ("Read", None): False,
    ("read ", SOME): False,
}


def test_both_sides_give_each_pair_the_verdict_it_must_get(server: Connection) -> None:
    found = judged(server, list(LETTERS))
    assert not disagreements(found)
    assert [verdict.gate for verdict in found] == list(LETTERS.values())


def test_what_is_needed_and_missing_concerns_completeness(server: Connection) -> None:
    (missing,) = judged(server, [("read", None)])
    assert missing.refusal is not None
    assert (missing.refusal.category, missing.refusal.error) == (
        Category.COMPLETENESS,
        "read_at: is missing",
    )


def test_a_value_that_is_needed_and_refused_for_itself_is_not_called_missing(
    server: Connection,
) -> None:
    (verdict,) = judged(server, [("read", "infinity")])
    assert verdict.refusal is not None
    assert verdict.refusal.error == "read_at: is no moment of our era"


states = st.none() | st.sampled_from(["sent", "read", "Read", ""])


@many_rows
@given(pairs=st.lists(st.tuples(states, moments | st.none()), min_size=10, max_size=40))
def test_both_sides_miss_the_same_values(server: Connection, pairs: list[Pair]) -> None:
    assert not disagreements(judged(server, pairs))


@pytest.mark.parametrize(
    "careless",
    [
        "true",
        "source.read_at IS NOT NULL",
        "(source.state <> 'read' OR source.read_at IS NOT NULL)",
        "(source.state = 'read' OR source.read_at IS NOT NULL)",
        "source.state IS DISTINCT FROM 'read'",
    ],
)
def test_a_wrong_rule_in_the_gate_is_found_out(
    server: Connection, monkeypatch: pytest.MonkeyPatch, careless: str
) -> None:
    monkeypatch.setattr(Needed, "sql", lambda *_: careless)
    assert disagreements(judged(server, list(LETTERS)))
