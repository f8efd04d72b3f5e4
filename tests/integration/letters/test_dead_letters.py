"""A record that is rejected opens a dead letter, and is counted when it is rejected again."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any

import pytest

from synctasks.dead_letters.seal import unseal
from synctasks.flows.to_citizen.profile_data import PROFILE_DATA
from tests.letters import UNMISTAKABLE, full_run, happened, letter, letters
from tests.rows import PERSON, Connection, add_record, execute, names_at_portal, rows, value

Work = Callable[[], None]

LONG_AGO = "2001-01-01 00:00+00"

# By record: what is wrong with it, and what its letter must say.
WRONG: dict[str, tuple[dict[str, Any], str, dict[str, list[str]]]] = {
    "GR-nameless": ({"full_name": " "}, "completeness", {"full_name": ["is missing"]}),
    "GR-gender": ({"gender": "female"}, "accuracy", {"gender": ["is none of M, F, O"]}),
    # Recent: by event, a record that is older than 30 days is deferred before it is judged.
    "GR-order": (
        {"created_at": "today", "updated_at": "yesterday"},
        "consistency",
        {"updated_at": ["is before created_at"]},
    ),
    "GR-district": (
        {"district_id": 4711},
        "consistency",
        {"district_id": ["is unknown to public.districts"]},
    ),
    "GR-many": (
        {"full_name": None, "jan_aadhaar": "12345", "family_id": "F1"},
        "completeness",
        {
            "family_id": ["is no UUID in its canonical form"],
            "jan_aadhaar": ["is no number of 12 digits"],
            "full_name": ["is missing"],
        },
    ),
}

# What the portal may have against a row, and how that ends.
REFUSE = {
    "check": ("ADD CONSTRAINT known CHECK (city <> 'Nowhere')", "DROP CONSTRAINT known"),
    "null": ("ALTER COLUMN date_of_birth SET NOT NULL", "ALTER COLUMN date_of_birth DROP NOT NULL"),
    "length": ("ALTER COLUMN city TYPE varchar(10)", "ALTER COLUMN city TYPE text"),
    "unique": ("ADD CONSTRAINT alone UNIQUE (city)", "DROP CONSTRAINT alone"),
}

UPDATE = "UPDATE golden_records SET {what}, updated_at = clock_timestamp() WHERE gr_id = 'GR-1'"


@pytest.fixture(params=["by event", "by full run"])
def work(request: pytest.FixtureRequest, carry: Work, warehouse: Connection) -> Work:
    """Carry over what has changed."""

    def by_full_run() -> None:
        execute(warehouse, "DELETE FROM synctasks.change_log")
        full_run(PROFILE_DATA)

    return carry if request.param == "by event" else by_full_run


def test_a_rejected_record_opens_a_letter_that_says_what_is_wrong(
    work: Work, warehouse: Connection, citizen: Connection
) -> None:
    add_record(warehouse, "GR-right")
    for record, (columns, _, _) in WRONG.items():
        add_record(warehouse, record, **columns)
    work()
    assert sorted(each["record"] for each in letters(warehouse)) == sorted(WRONG)
    for each in letters(warehouse):
        _, category, messages = WRONG[each["record"]]
        assert (each["flow"], each["kind"], each["unit"]) == (
            "profile_data",
            "record",
            each["record"],
        )
        assert (each["category"], each["messages"]) == (category, messages)
        error = "; ".join(f"{column}: {said}" for column, (said,) in messages.items())
        assert each["error"] == error
        assert (each["state"], each["count"], each["stack_trace"]) == ("open", 1, None)
        assert (each["acted_by"], each["reason"]) == (None, None)
        assert each["first_seen"] == each["last_seen"]
        assert [(at["what"], at["error"]) for at in each["attempts"]] == [("rejected", error)]
    assert names_at_portal(citizen).keys() == {"GR-right"}


def test_the_source_row_is_kept_whole_and_encrypted(work: Work, warehouse: Connection) -> None:
    columns = {**UNMISTAKABLE, "gender": "female", "date_of_birth": None}
    add_record(warehouse, "GR-1", **columns)
    work()
    texts = value(warehouse, "SELECT dead_letter::text FROM synctasks.dead_letter")
    assert not [text for text in (*UNMISTAKABLE.values(), PERSON["family_id"]) if text in texts]
    row = unseal(letter(warehouse, "GR-1")["source_row"])
    assert row.keys() == set(PROFILE_DATA.watched)
    for column, expected in columns.items():
        assert row[column] == expected
    assert (row["gr_id"], row["district_id"]) == ("GR-1", "8")
    assert (
        datetime.fromisoformat(row["created_at"] or "").isoformat() == "2024-01-01T00:00:00+00:00"
    )


@pytest.fixture
def refusal(request: pytest.FixtureRequest, citizen: Connection) -> Iterator[str]:
    """The name of what the portal has against rows now."""
    begin, end = REFUSE[request.param]
    execute(citizen, f"ALTER TABLE profile_data {begin}")
    yield request.param
    execute(citizen, f"TRUNCATE profile_data; ALTER TABLE profile_data {end}")


@pytest.mark.parametrize(
    ("refusal", "columns", "category", "error"),
    [
        (
            "check",
            {"city_village": "Nowhere"},
            "consistency",
            "citizen: check violation (table profile_data, constraint known) [23514]",
        ),
        (
            "null",
            {"date_of_birth": None},
            "completeness",
            "citizen: not null violation (table profile_data, column date_of_birth) [23502]",
        ),
        (
            "unique",
            {"city_village": "Jaipur"},
            "consistency",
            "citizen: unique violation (table profile_data, constraint alone) [23505]",
        ),
        (
            "length",
            {"city_village": "Zzyzxpur-an-der-Quelle"},
            "accuracy",
            "citizen: string data right truncation [22001]",
        ),
    ],
    indirect=["refusal"],
)
def test_a_row_that_the_target_refuses_has_a_stack_trace_without_values(
    carry: Work,
    warehouse: Connection,
    citizen: Connection,
    refusal: str,
    columns: dict[str, Any],
    category: str,
    error: str,
) -> None:
    for number in range(20):
        add_record(warehouse, f"GR-{number}", city_village=f"City {number}")
    if refusal == "unique":
        execute(citizen, "INSERT INTO profile_data (record_id, city) VALUES ('GR-0', 'Jaipur')")
        execute(warehouse, "UPDATE golden_records SET city_village = 'Jaipur' WHERE gr_id = 'GR-0'")
    add_record(warehouse, "GR-wrong", **{**UNMISTAKABLE, **columns})
    carry()
    (found,) = letters(warehouse)
    assert (found["record"], found["unit"], found["kind"]) == ("GR-wrong", "GR-wrong", "record")
    assert (found["category"], found["error"]) == (category, error)
    assert found["messages"] == {"": [error]}
    assert "Traceback (most recent call last)" in found["stack_trace"]
    assert "merge_staged" in found["stack_trace"]
    assert not [text for text in (*UNMISTAKABLE.values(), "1980") if text in found["stack_trace"]]
    assert unseal(found["source_row"])["jan_aadhaar"] == UNMISTAKABLE["jan_aadhaar"]
    assert len(names_at_portal(citizen)) == 20


def test_a_row_that_turned_invalid_keeps_its_old_row_at_the_portal(
    work: Work, warehouse: Connection, citizen: Connection
) -> None:
    add_record(warehouse, "GR-1", full_name="As it was")
    work()
    before = rows(citizen, "SELECT xmin, * FROM profile_data")
    execute(warehouse, UPDATE.format(what="full_name = 'Changed', gender = 'female'"))
    work()
    assert rows(citizen, "SELECT xmin, * FROM profile_data") == before
    assert letter(warehouse, "GR-1")["state"] == "open"


def test_the_same_record_rejected_again_is_counted(carry: Work, warehouse: Connection) -> None:
    add_record(warehouse, "GR-1", gender="female")
    carry()
    first = letter(warehouse, "GR-1")
    for city in ("Ajmer", "Kota"):
        execute(warehouse, UPDATE.format(what=f"city_village = '{city}'"))
        carry()
    for _ in range(2):
        full_run(PROFILE_DATA)
    last = letter(warehouse, "GR-1")
    assert (last["id"], last["count"], last["state"]) == (first["id"], 5, "open")
    assert last["first_seen"] == first["first_seen"] < last["last_seen"]
    assert last["attempts"] == first["attempts"]
    assert unseal(last["source_row"])["city_village"] == "Kota", "the row is the newest"


def test_a_record_that_is_wrong_in_another_way_adds_an_attempt(
    work: Work, warehouse: Connection
) -> None:
    add_record(warehouse, "GR-1", gender="female")
    work()
    first = letter(warehouse, "GR-1")
    execute(warehouse, UPDATE.format(what="gender = 'F', full_name = ''"))
    work()
    last = letter(warehouse, "GR-1")
    assert (last["id"], last["count"], last["category"]) == (first["id"], 2, "completeness")
    assert last["messages"] == {"full_name": ["is missing"]}
    assert last["error"] == "full_name: is missing"
    assert last["attempts"][:1] == first["attempts"]
    assert (happened(last), last["attempts"][1]["error"]) == (
        ["rejected", "rejected"],
        "full_name: is missing",
    )


@pytest.mark.parametrize("columns", [{"gender": "female"}, {"updated_at": LONG_AGO}], ids=str)
def test_the_longest_keys_have_room_in_our_own_tables(
    carry: Work, warehouse: Connection, columns: dict[str, str]
) -> None:
    """As long as the source's index takes them; what is random cannot be compressed."""
    key = secrets.token_urlsafe(2_690)[:2_690]
    add_record(warehouse, key, **columns)
    carry()
    noted = "SELECT record FROM synctasks.dead_letter UNION ALL SELECT key FROM synctasks.deferred"
    assert rows(warehouse, noted) == [key]
