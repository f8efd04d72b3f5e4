"""A refusal: its category, its messages by column, and rules between columns."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from synctasks.contracts import (
    Aadhaar,
    Category,
    Choice,
    Contract,
    Date,
    Integer,
    Json,
    Key,
    Known,
    NotBefore,
    Number,
    Refusal,
    Text,
    Timestamp,
    Uuid,
    Word,
)
from synctasks.flows.to_citizen.profile_data import GoldenRecord

NOW = datetime(2026, 2, 28, 23, 30, tzinfo=UTC)
BLANK = " \t\u00a0\u3000"


class Visit(Contract):
    """Something of everything."""

    visit_id = Key()
    family_id = Uuid(required=True)
    place = Word(required=True)
    kind = Choice("home", "office", required=True)
    aadhaar = Aadhaar(required=True)
    share = Number(0, 1, required=True)
    size = Integer(required=True)
    born = Date(date(1900, 1, 1), required=True)
    notes = Json(required=True)
    remark = Text(most=5)
    district = Integer()
    began = Timestamp(required=True)
    ended = Timestamp()

    rules = (
        Known("district", "public.districts", key="district_id"),
        NotBefore("ended", earlier="began"),
    )


FACT = Visit.rules[0].fact or ""
GOOD: dict[str, str | None] = {
    "visit_id": "v1",
    "family_id": "7d444840-9dc0-41e0-9a5b-30d4c2f5c8a1",
    "place": "Jaipur",
    "kind": "home",
    "aadhaar": "123456781234",
    "share": "0.5",
    "size": "3",
    "born": "1980-02-03",
    "notes": "{}",
    "remark": None,
    "district": "8",
    "began": "2024-01-01 10:00:00+00",
    "ended": "2024-01-01 11:00:00+00",
}
INACCURATE = {
    "visit_id": "v" * 2_701,
    "family_id": "7D444840-9DC0-41E0-9A5B-30D4C2F5C8A1",
    "place": "x" * 65,
    "kind": "garden",
    "aadhaar": "12345678123",
    "share": "NaN",
    "size": "1.5",
    "born": "1899-12-31",
    "notes": "null",
    "remark": "too long",
    "district": "eight",
    "began": "infinity",
    "ended": "0044-03-15 00:00:00+00 BC",
}
REQUIRED = [name for name, field in Visit.fields_by_column().items() if field.required]
ENDED_EARLY = {"ended": "2024-01-01 09:59:59.999999+00"}


def refusal_of(changes: Mapping[str, str | None], *, known: bool | None = True) -> Refusal | None:
    """What the contract says of a good record with these changes."""
    facts: dict[str, bool] = {FACT: known}  # type: ignore[dict-item]
    return Visit().refusal({**GOOD, **changes}, now=NOW, facts=facts)


def refused(changes: Mapping[str, str | None], *, known: bool | None = True) -> Refusal:
    refusal = refusal_of(changes, known=known)
    assert refusal is not None
    return refusal


def test_a_good_record_is_accepted() -> None:
    assert refusal_of({}) is None
    assert refusal_of({"remark": "short", "unheard": "of"}) is None


@pytest.mark.parametrize("column", REQUIRED)
@pytest.mark.parametrize("value", [None, "", " ", BLANK], ids=["null", "empty", "space", "blank"])
def test_a_required_value_that_is_missing_or_blank_concerns_completeness(
    column: str, value: str | None
) -> None:
    refusal = refused({column: value})
    assert refusal == Refusal(Category.COMPLETENESS, {column: ("is missing",)})
    assert refusal.error == f"{column}: is missing"


@pytest.mark.parametrize("column", INACCURATE)
def test_a_value_of_the_wrong_type_range_or_form_concerns_accuracy(column: str) -> None:
    refusal = refused({column: INACCURATE[column]})
    assert refusal.category == Category.ACCURACY
    assert list(refusal.messages) == [column]
    assert refusal.messages[column][0].startswith("is ")


def test_a_blank_word_that_may_be_null_concerns_accuracy() -> None:
    class Label(Contract):
        word = Word()
        number = Aadhaar()

    refusal = Label().refusal({"word": " ", "number": " "}, now=NOW, facts={})
    assert refusal == Refusal(Category.ACCURACY, {"word": ("is blank",)})


def test_a_wrong_order_concerns_consistency() -> None:
    assert refused(ENDED_EARLY) == Refusal(Category.CONSISTENCY, {"ended": ("is before began",)})
    assert refusal_of({"ended": GOOD["began"]}) is None
    assert refusal_of({"ended": None}) is None


@pytest.mark.parametrize("known", [False, None])
def test_an_unknown_reference_concerns_consistency(known: bool | None) -> None:
    """The server's verdict is null where the other table holds nulls."""
    refusal = refused({}, known=known)
    assert refusal == Refusal(
        Category.CONSISTENCY, {"district": ("is unknown to public.districts",)}
    )
    assert refusal_of({"district": None}, known=True) is None


def test_all_rules_that_do_not_hold_are_said_at_once() -> None:
    refusal = refused(ENDED_EARLY, known=False)
    assert refusal.category == Category.CONSISTENCY
    assert dict(refusal.messages) == {
        "district": ("is unknown to public.districts",),
        "ended": ("is before began",),
    }


def test_two_rules_on_one_column_are_both_said() -> None:
    class Event(Contract):
        made = Timestamp()
        sent = Timestamp()
        seen = Timestamp()
        rules = (NotBefore("seen", earlier="made"), NotBefore("seen", earlier="sent"))

    later, earlier = "2024-01-02 00:00:00+00", "2024-01-01 00:00:00+00"
    record = {"made": later, "sent": later, "seen": earlier}
    refusal = Event().refusal(record, now=NOW, facts={})
    assert refusal is not None
    assert sorted(refusal.messages["seen"]) == ["is before made", "is before sent"]


def test_a_rule_is_not_judged_on_a_value_that_is_refused_itself() -> None:
    refusal = refused({"ended": "infinity", "district": "eight"}, known=False)
    assert refusal.category == Category.ACCURACY
    assert [len(said) for said in refusal.messages.values()] == [1, 1]
    assert list(refused({**ENDED_EARLY, "began": "infinity"}).messages) == ["began"]


FAULTS = st.fixed_dictionaries(
    {},
    optional={
        column: st.sampled_from([None, "", BLANK, INACCURATE[column]])
        if column in REQUIRED
        else st.just(INACCURATE[column])
        for column in INACCURATE
    },
)


@given(faults=FAULTS, known=st.booleans(), ended_early=st.booleans())
def test_the_most_basic_category_counts_and_every_faulty_column_is_named(
    faults: dict[str, str | None], known: bool, ended_early: bool
) -> None:
    changes = {**(ENDED_EARLY if ended_early else {}), **faults}
    refusal = refusal_of(changes, known=known)
    broken = set()
    if not known and "district" not in faults:
        broken.add("district")
    if ended_early and not faults.keys() & {"began", "ended"}:
        broken.add("ended")
    missing = {column for column, value in faults.items() if value in (None, "", BLANK)}
    if not faults and not broken:
        assert refusal is None
        return
    assert refusal is not None
    assert refusal.category == (
        Category.COMPLETENESS if missing else Category.ACCURACY if faults else Category.CONSISTENCY
    )
    assert refusal.messages.keys() == faults.keys() | broken
    said = [f"{column}: {' '.join(told)}" for column, told in refusal.messages.items()]
    assert refusal.error == "; ".join(said)


def test_records_that_are_wrong_in_the_same_way_have_the_same_error() -> None:
    one = refused({"share": "7", "kind": "garden"})
    other = refused({"kind": "roof", "share": "-1.5"})
    assert one.error == other.error


def test_one_contract_judges_one_record_after_another() -> None:
    contract = Visit()
    bad = {**GOOD, "share": None}
    for record, facts in ((GOOD, True), (bad, True), (GOOD, False), (GOOD, True)):
        refusal = contract.refusal(record, now=NOW, facts={FACT: facts})
        assert (refusal is None) == (record is GOOD and facts)


def test_a_golden_record_with_several_faults_names_them_all() -> None:
    record = {
        "gr_id": "g1",
        "family_id": "7",
        "jan_aadhaar": "1234",
        "full_name": BLANK,
        "date_of_birth": "2026-03-01",
        "gender": "X",
        "district_id": "9999",
        "created_at": "2024-01-02 00:00:00+00",
        "updated_at": "2024-01-01 00:00:00+00",
    }
    facts = {"district_id is known": False}
    refusal = GoldenRecord().refusal(record, now=NOW, facts=facts)
    assert refusal is not None
    assert refusal.category == Category.COMPLETENESS
    assert refusal.messages.keys() == record.keys() - {"gr_id", "created_at"}
