"""Values that must be the same, or must be there: both sides agree, and a wrong gate is found."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from synctasks.contracts import Category, Choice, Contract, Needed, Rule, Same, Text, Timestamp
from tests.contract_values import moments
from tests.contract_verdicts import Verdict, disagreements, verdicts, warehouse_session
from tests.rows import Connection
from tests.workspace import Workspace

many_rows = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])

Pair = tuple[str | None, str | None]


class Parcel(Contract):
    """Whoever sends it takes it."""

    sender = Text()
    taker = Text(most=3)
    rules = (Same("taker", "sender", "is somebody else"),)


class Letter(Contract):
    """A letter that was read was read at some time."""

    state = Choice("sent", "read")
    read_at = Timestamp()
    rules = (Needed("read_at", where="state", is_="read"),)


@pytest.fixture(scope="module")
def server(place: Workspace) -> Iterator[Connection]:
    with warehouse_session(place) as connection:
        yield connection


def judged(server: Connection, contract: type[Contract], pairs: Sequence[Pair]) -> list[Verdict]:
    """What both sides say of pairs of values, in the contract's columns."""
    one, two = contract.fields_by_column()
    type_ = "timestamptz" if contract is Letter else "text"
    source = f"""(
        SELECT given.{one}, given.{two}
        FROM unnest(%s::text[], %s::{type_}[]) WITH ORDINALITY AS given ({one}, {two}, place)
        ORDER BY given.place
    ) AS source"""
    return verdicts(server, contract, source, [[a for a, _ in pairs], [b for _, b in pairs]])


SOME = "2024-01-01 00:00:00+00"
PARCELS: dict[Pair, bool] = {
    ("a", "a"): True,
    ("", ""): True,
    ("a", None): True,
    (None, "a"): True,
    (None, None): True,
    ("a", "b"): False,
    ("a", "A"): False,
    ("a", "a "): False,
    ("a", ""): False,
    # The same letter to a reader, but made of one character and of two.
    ("\u00e9", "e\u0301"): False,
    # One that is refused itself, whether or not it is the same.
    ("abcd", "abcd"): False,
}
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
RULED: list[tuple[type[Contract], Mapping[Pair, bool]]] = [(Parcel, PARCELS), (Letter, LETTERS)]


@pytest.mark.parametrize(("contract", "expected"), RULED)
def test_both_sides_give_each_pair_the_verdict_it_must_get(
    server: Connection, contract: type[Contract], expected: Mapping[Pair, bool]
) -> None:
    found = judged(server, contract, list(expected))
    assert not disagreements(found)
    assert [verdict.gate for verdict in found] == list(expected.values())


def test_what_is_not_the_same_concerns_consistency_and_what_is_needed_completeness(
    server: Connection,
) -> None:
    (other,) = judged(server, Parcel, [("a", "b")])
    (missing,) = judged(server, Letter, [("read", None)])
    assert other.refusal is not None
    assert (other.refusal.category, other.refusal.error) == (
        Category.CONSISTENCY,
        "taker: is somebody else",
    )
    assert missing.refusal is not None
    assert (missing.refusal.category, missing.refusal.error) == (
        Category.COMPLETENESS,
        "read_at: is missing",
    )


def test_a_value_that_is_needed_and_refused_for_itself_is_not_called_missing(
    server: Connection,
) -> None:
    (verdict,) = judged(server, Letter, [("read", "infinity")])
    assert verdict.refusal is not None
    assert verdict.refusal.error == "read_at: is no moment of our era"


short = st.none() | st.text("ab \u00e9", max_size=4)
states = st.none() | st.sampled_from(["sent", "read", "Read", ""])


@many_rows
@given(pairs=st.lists(st.tuples(short, short), min_size=10, max_size=40))
def test_both_sides_see_the_same_sameness(server: Connection, pairs: list[Pair]) -> None:
    assert not disagreements(judged(server, Parcel, pairs))


@many_rows
@given(pairs=st.lists(st.tuples(states, moments | st.none()), min_size=10, max_size=40))
def test_both_sides_miss_the_same_values(server: Connection, pairs: list[Pair]) -> None:
    assert not disagreements(judged(server, Letter, pairs))


@pytest.mark.parametrize(
    ("contract", "rule", "careless"),
    [
        (Parcel, Same, "true"),
        (Parcel, Same, "source.taker = source.sender"),
        (Parcel, Same, "source.taker IS NOT DISTINCT FROM source.sender"),
        (Parcel, Same, "coalesce(lower(source.taker) = lower(source.sender), true)"),
        (Parcel, Same, "coalesce(source.taker::char(9) = source.sender::char(9), true)"),
        (Letter, Needed, "true"),
        (Letter, Needed, "source.read_at IS NOT NULL"),
        (Letter, Needed, "(source.state <> 'read' OR source.read_at IS NOT NULL)"),
        (Letter, Needed, "(source.state = 'read' OR source.read_at IS NOT NULL)"),
        (Letter, Needed, "source.state IS DISTINCT FROM 'read'"),
    ],
)
def test_a_wrong_rule_in_the_gate_is_found_out(
    server: Connection,
    monkeypatch: pytest.MonkeyPatch,
    contract: type[Contract],
    rule: type[Rule],
    careless: str,
) -> None:
    monkeypatch.setattr(rule, "sql", lambda *_: careless)
    pairs = PARCELS if contract is Parcel else LETTERS
    assert disagreements(judged(server, contract, list(pairs)))
