"""Rules between values on a real server: both sides agree on an order and on a reference."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from synctasks.contracts import Category, Contract, Integer, Known, NotBefore, Text, Timestamp
from tests.contract_values import INVISIBLE, moments
from tests.contract_verdicts import Verdict, disagreements, verdicts, warehouse_session
from tests.rows import Connection, execute
from tests.workspace import Workspace

many_rows = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])

Pair = tuple[str | None, str | None]


class Stay(Contract):
    """One moment that is not before another."""

    arrived = Timestamp()
    left = Timestamp()
    rules = (NotBefore("left", earlier="arrived"),)


class Place(Contract):
    """Two references into one table: by number, and by a name that may be null there."""

    number = Integer()
    name = Text()
    rules = (
        Known("number", "pg_temp.places", key="number"),
        Known("name", "pg_temp.places", key="name"),
    )


@pytest.fixture(scope="module")
def server(place: Workspace) -> Iterator[Connection]:
    with warehouse_session(place) as connection:
        execute(connection, "CREATE TEMPORARY TABLE places (number bigint, name text)")
        yield connection


def stays(server: Connection, pairs: Sequence[Pair]) -> list[Verdict]:
    """What both sides say of moments of arrival and departure."""
    source = """(
        SELECT given.arrived, given.left
        FROM unnest(%s::timestamptz[], %s::timestamptz[]) WITH ORDINALITY
            AS given (arrived, "left", place)
        ORDER BY given.place
    ) AS source"""
    return verdicts(server, Stay, source, _columns(pairs))


def places(server: Connection, known: Sequence[Pair], asked: Sequence[Pair]) -> list[Verdict]:
    """What both sides say of numbers and names, where these are known."""
    execute(server, "TRUNCATE pg_temp.places")
    fill = "INSERT INTO pg_temp.places SELECT * FROM unnest(%s::bigint[], %s::text[])"
    execute(server, fill, _columns(known))
    source = """(
        SELECT given.number, given.name
        FROM unnest(%s::bigint[], %s::text[]) WITH ORDINALITY AS given (number, name, place)
        ORDER BY given.place
    ) AS source"""
    return verdicts(server, Place, source, _columns(asked))


def _columns(pairs: Sequence[Pair]) -> list[list[str | None]]:
    return [[one for one, _ in pairs], [two for _, two in pairs]]


EARLY, LATE = "2024-01-01 00:00:00+00", "2024-01-01 00:00:00.000001+00"
ORDERS: dict[Pair, bool] = {
    (EARLY, LATE): True,
    (EARLY, EARLY): True,
    (LATE, EARLY): False,
    ("2024-01-01 05:30:00+05:30", EARLY): True,
    ("2024-01-01 05:30:00.000001+05:30", EARLY): False,
    ("2024-01-01 00:00:00+05:30", EARLY): True,
    ("0001-01-01 00:00:00+00", LATE): True,
    (LATE, "0001-01-01 00:00:00+00"): False,
    # A moment that is refused itself, however it lies.
    ("0044-03-15 00:00:00+00 BC", LATE): False,
    (LATE, "0044-03-15 00:00:00+00 BC"): False,
    ("-infinity", "infinity"): False,
    ("-infinity", LATE): False,
    (None, None): True,
    (EARLY, None): True,
    (None, EARLY): True,
    (None, "infinity"): False,
}


def test_both_sides_give_each_order_the_verdict_it_must_get(server: Connection) -> None:
    found = stays(server, list(ORDERS))
    assert not disagreements(found)
    assert [verdict.gate for verdict in found] == list(ORDERS.values())


near_moments = st.integers(0, 3).map("2024-01-01 00:00:00.00000{}+00".format)
pairs_of_moments = st.tuples(
    *[st.one_of(near_moments, near_moments, moments, st.none()) for _ in range(2)]
)


@many_rows
@given(pairs=st.lists(pairs_of_moments, min_size=10, max_size=40))
def test_both_sides_see_the_same_order(server: Connection, pairs: list[Pair]) -> None:
    assert not disagreements(stays(server, pairs))


@pytest.mark.parametrize(
    "careless",
    [
        "({later} IS NULL OR {earlier} IS NULL OR {earlier} >= {later})",
        "({later} IS NULL OR {earlier} IS NULL OR {later} > {earlier})",
        "({later} IS NULL OR {earlier} IS NULL OR {later} <> {earlier})",
        "({later} IS NULL OR {later} >= {earlier})",
        "({earlier} IS NULL OR {later} >= {earlier})",
        "{later} >= {earlier}",
        "coalesce({later} >= {earlier} - interval '1 microsecond', true)",
        "true",
    ],
)
def test_a_wrong_order_in_the_gate_is_found_out(
    server: Connection, monkeypatch: pytest.MonkeyPatch, careless: str
) -> None:
    def wrong(rule: NotBefore, of: str) -> str:
        return careless.format(later=f'{of}."{rule.column}"', earlier=f'{of}."{rule.earlier}"')

    monkeypatch.setattr(NotBefore, "sql", wrong)
    assert disagreements(stays(server, list(ORDERS)))


KNOWN: list[Pair] = [("1", "Jaipur"), ("2", "Kota "), ("3", None), (None, "Pali")]
REFERENCES: dict[Pair, bool] = {
    ("1", "Jaipur"): True,
    ("2", "Jaipur"): True,
    ("3", None): True,
    (None, None): True,
    (None, "Pali"): True,
    # Where the table holds a null, what it does not hold is neither known nor unknown to SQL.
    ("4", None): False,
    (None, "Kota"): False,
    (None, "JAIPUR"): False,
    (None, ""): False,
    **{(None, text): False for text in INVISIBLE},
}


def test_both_sides_give_each_reference_the_verdict_it_must_get(server: Connection) -> None:
    found = places(server, KNOWN, list(REFERENCES))
    assert not disagreements(found)
    assert [verdict.gate for verdict in found] == list(REFERENCES.values())
    refusals = [verdict.refusal for verdict in found if verdict.refusal]
    assert {refusal.category for refusal in refusals} == {Category.CONSISTENCY}


def test_to_an_empty_table_everything_but_null_is_unknown(server: Connection) -> None:
    found = places(server, [], list(REFERENCES))
    assert not disagreements(found)
    assert [verdict.gate for verdict in found] == [pair == (None, None) for pair in REFERENCES]


numbers = st.integers(-2, 3).map(str) | st.none()
names = st.text("aA \u00e9\u0301", max_size=2) | st.none()
references = st.lists(st.tuples(numbers, names), max_size=12)


@many_rows
@given(known=references, asked=references)
def test_both_sides_know_the_same_values(
    server: Connection, known: list[Pair], asked: list[Pair]
) -> None:
    found = places(server, known, asked)
    assert not disagreements(found)
    known_columns = [{*column, None} for column in _columns(known)]
    assert [verdict.gate for verdict in found] == [
        all(value in column for value, column in zip(pair, known_columns, strict=True))
        for pair in asked
    ]


@pytest.mark.parametrize(
    "loose",
    [
        lambda condition: "true",
        lambda condition: f"({condition}) IS NOT FALSE",
        lambda condition: condition.replace(" IN ", " NOT IN "),
        lambda condition: f"NOT coalesce({condition}, false)",
    ],
    ids=["true", "null", "not in", "not"],
)
def test_a_wrong_reference_in_the_gate_is_found_out(
    server: Connection, monkeypatch: pytest.MonkeyPatch, loose: Callable[[str], str]
) -> None:
    """The gate only: what the server says as a fact stays right."""
    right = Contract.__dict__["gate"].__func__

    def wrong(contract: type[Contract], of: str = "source") -> str:
        gate: str = right(contract, of)
        for rule in contract.rules:
            gate = gate.replace(rule.sql(of), loose(rule.sql(of)))
        return gate

    monkeypatch.setattr(Place, "gate", classmethod(wrong))
    assert disagreements(places(server, KNOWN, list(REFERENCES)))
