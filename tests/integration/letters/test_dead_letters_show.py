"""A letter's row is shown masked, with the right keys only; no value stands anywhere else."""

from __future__ import annotations

import json
import os
from typing import Any

import pytest
from cryptography.fernet import Fernet
from structlog.testing import capture_logs

from synctasks.flows.to_citizen.profile_data import PROFILE_DATA
from synctasks.settings import KEYS_VARIABLE
from tests.conftest import connected
from tests.flows.citizens import ASHA, given_citizen
from tests.letters import UNMISTAKABLE, drain_pending, full_run, letter, one_line, typed
from tests.programs import run
from tests.rows import add_record, execute, rows, value
from tests.workspace import CITIZEN, WAREHOUSE, Workspace

# What stands in the source rows and in nothing that anybody may read.
HIDDEN = [
    UNMISTAKABLE["jan_aadhaar"],
    UNMISTAKABLE["mobile_number"].removeprefix("+91"),
    UNMISTAKABLE["email"],
    "864209751359",
    "7086420915",
    "4798317",
]
MASKED = {
    "jan_aadhaar": "****-****-1357",
    "mobile_number": "******0913",
    "email": "z***@hidden.example",
}
# As people type them: what a mask does not know, it must not show in part.
DOUBTFUL = {
    "jan_aadhaar": "864209751359 ",
    "mobile_number": "70864 20915",
    "email": "zzyzx.q@hidden.example@4798317",
}
RECORDS: dict[str, dict[str, Any]] = {
    "GR-rejected": {**UNMISTAKABLE, "gender": "female"},
    "GR-refused": {**UNMISTAKABLE, "city_village": "Zzyzxpur-Nowhere"},
    "GR-doubtful": DOUBTFUL,
    "GR-unmapped": {**UNMISTAKABLE, "district_id": "4798317"},
    "GR-right": {},
}
REFUSE = """\
CREATE FUNCTION public.refuse() RETURNS trigger LANGUAGE plpgsql AS $body$
BEGIN
    RAISE EXCEPTION 'not %', NEW USING DETAIL = NEW::text, HINT = NEW::text, ERRCODE = '23001';
END
$body$;
CREATE TRIGGER refuse BEFORE INSERT OR UPDATE ON public.profile_data
FOR EACH ROW WHEN (NEW.city = 'Zzyzxpur-Nowhere') EXECUTE FUNCTION public.refuse();
ALTER TABLE profile_data ALTER COLUMN district_id TYPE smallint
"""
COLUMNS = "id, error, messages, stack_trace, record, unit, attempts, category, acted_by, reason"


@pytest.fixture(scope="module", autouse=True)
def logged(place: Workspace) -> str:
    """Letters of each kind of fault, by event and once more by full run; what was logged."""
    place.renew()
    with (
        capture_logs() as collected,
        connected(place.environment[WAREHOUSE]) as warehouse,
        connected(place.environment[CITIZEN]) as citizen,
    ):
        execute(citizen, REFUSE)
        execute(warehouse, "INSERT INTO districts VALUES (4798317, 'Too far')")
        for key, columns in RECORDS.items():
            add_record(warehouse, key, **columns)
        drain_pending()
        full_run(PROFILE_DATA)
        assert value(warehouse, "SELECT count(*) FROM synctasks.dead_letter") == 4
    return "\n".join(map(str, collected))


@pytest.fixture
def number(environment: dict[str, str]) -> str:
    """The number of the letter of GR-rejected."""
    return number_of(environment, "GR-rejected")


def number_of(environment: dict[str, str], record: str) -> str:
    with connected(environment[WAREHOUSE]) as warehouse:
        return str(letter(warehouse, record)["id"])


def test_a_letter_is_shown_with_all_that_is_known_and_its_row_masked(number: str) -> None:
    outcome = typed("dead-letters", "show", number)
    assert (outcome.returncode, outcome.stderr) == (0, "")
    for said in (
        "profile_data",
        "GR-rejected",
        "gender is none of M, F, O",
        "rejected  gender: is none of M, F, O",
        "gender = 'female'",
        "date_of_birth = '1980-02-03'",
        *(f"{column} = '{text}'" for column, text in MASKED.items()),
    ):
        assert said in outcome.stdout
    assert not [text for text in HIDDEN if text in outcome.stdout]


def test_programs_get_the_same_as_json(number: str, environment: dict[str, str]) -> None:
    outcome = typed("dead-letters", "show", number, "--json")
    assert outcome.returncode == 0
    shown = json.loads(outcome.stdout)
    with connected(environment[WAREHOUSE]) as warehouse:
        stored = letter(warehouse, "GR-rejected")
    assert shown.keys() == stored.keys() - {"xmin"}
    for name in ("id", "kind", "unit", "error", "messages", "attempts", "state", "count"):
        assert shown[name] == stored[name]
    assert shown["source_row"].keys() == set(PROFILE_DATA.watched)
    assert shown["source_row"].items() >= {**MASKED, "gender": "female"}.items()
    assert not [text for text in HIDDEN if text in outcome.stdout]


def test_a_doubtful_value_is_shown_not_even_in_part(environment: dict[str, str]) -> None:
    outcome = typed("dead-letters", "show", number_of(environment, "GR-doubtful"), "--json")
    row = json.loads(outcome.stdout)["source_row"]
    assert [row[column] for column in DOUBTFUL] == ["****"] * 3


def test_of_what_crosses_unmasked_the_same_is_masked(environment: dict[str, str]) -> None:
    with connected(environment[CITIZEN]) as citizen:
        given_citizen(
            citizen,
            aadhaar_number=UNMISTAKABLE["jan_aadhaar"],
            mobile_number=UNMISTAKABLE["mobile_number"],
            email=UNMISTAKABLE["email"],
            gender="female",
        )
        drain_pending()
        number = str(letter(citizen, ASHA)["id"])
    outcome = typed("dead-letters", "show", number)
    assert outcome.returncode == 0
    assert [text for text in MASKED.values() if text not in outcome.stdout] == []
    assert not [text for text in HIDDEN if text in outcome.stdout]


def test_a_stack_trace_is_shown(environment: dict[str, str]) -> None:
    outcome = typed("dead-letters", "show", number_of(environment, "GR-refused"))
    assert "Traceback (most recent call last)" in outcome.stdout
    assert "citizen: restrict violation [23001]" in outcome.stdout


@pytest.mark.parametrize("words", [("list",), ("list", "--json"), ("list", "--group-by", "error")])
def test_lists_show_no_value(words: tuple[str, ...]) -> None:
    outcome = typed("dead-letters", *words)
    assert outcome.returncode == 0
    assert not values_in(outcome.stdout + outcome.stderr)


@pytest.mark.parametrize("words", [(), ("--json",)])
def test_checks_show_no_value(words: tuple[str, ...]) -> None:
    outcome = typed("dead-letters", "check", "--flow", "profile_data", *words)
    assert outcome.returncode == 1
    assert [outcome.stdout.count(record) for record in RECORDS] == [1, 1, 1, 1, 0]
    assert not values_in(outcome.stdout + outcome.stderr)


def test_no_value_stands_in_our_tables_or_was_logged(
    environment: dict[str, str], logged: str
) -> None:
    assert logged.count("'letter.opened'") == 4
    assert not values_in(logged)
    with connected(environment[WAREHOUSE]) as warehouse:
        stored = rows(warehouse, f"SELECT ({COLUMNS})::text FROM synctasks.dead_letter")
        others = rows(warehouse, "SELECT run::text FROM synctasks.run AS run")
        others += rows(warehouse, "SELECT chunk::text FROM synctasks.chunk AS chunk")
        tokens = rows(warehouse, "SELECT source_row FROM synctasks.dead_letter")
    assert len(stored) == 4
    assert not values_in("\n".join([*stored, *others, *tokens]))


def values_in(text: str) -> list[str]:
    """Values of the rejected records that stand in a text."""
    values = [*HIDDEN, *UNMISTAKABLE.values(), "Zzyzx", "female", "1980-02-03", "70864 20915"]
    return [each for each in values if each in text]


# The keys that open the rows.


@pytest.mark.parametrize(
    ("keys", "said"),
    [
        (None, f"environment: {KEYS_VARIABLE} is not set: rows of dead letters are stored"),
        (" , ", f"environment: {KEYS_VARIABLE} is not set: rows of dead letters are stored"),
        ("hushhush", f"environment: {KEYS_VARIABLE}: key 1 of 1 is no Fernet key (a new one: "),
    ],
    ids=["missing", "blank", "malformed"],
)
@pytest.mark.parametrize("command", ["show", "worker"])
def test_without_keys_one_line_says_so(
    number: str, command: str, keys: str | None, said: str
) -> None:
    words = {
        "show": ("synctasks", "dead-letters", "show", number),
        "worker": ("celery", "-A", "synctasks", "worker"),
    }
    # Celery itself warns whoever runs a worker as root.
    env = {KEYS_VARIABLE: keys, "PYTHONWARNINGS": "ignore"}
    line = one_line(run(*words[command], env=env))
    assert line.startswith(f"synctasks: {said}")
    assert "Fernet.generate_key()" in line
    assert "hush" not in line


def test_another_key_opens_nothing_and_one_line_says_what_to_do(number: str) -> None:
    other = Fernet.generate_key().decode()
    line = one_line(run("synctasks", "dead-letters", "show", number, env={KEYS_VARIABLE: other}))
    assert line == (
        "synctasks: dead letter: none of the encryption keys opens its source row. Add the key "
        f"that was in use then to {KEYS_VARIABLE}, behind the newest."
    )


def test_what_an_old_key_sealed_is_shown_with_a_new_key_in_front(
    number: str,
) -> None:
    keys = f"{Fernet.generate_key().decode()},{os.environ[KEYS_VARIABLE]}"
    outcome = run("synctasks", "dead-letters", "show", number, "--json", env={KEYS_VARIABLE: keys})
    assert outcome.returncode == 0, outcome.stderr
    assert json.loads(outcome.stdout)["source_row"].items() >= MASKED.items()


def test_a_list_needs_no_keys(number: str) -> None:
    outcome = run("synctasks", "dead-letters", "list", "--json", env={KEYS_VARIABLE: None})
    assert (outcome.returncode, outcome.stderr) == (0, "")
    assert int(number) in {each["id"] for each in json.loads(outcome.stdout)}
