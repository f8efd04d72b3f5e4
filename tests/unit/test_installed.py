"""How a trigger and its function as they stand compare with those that would be installed."""

from __future__ import annotations

from dataclasses import replace

import pytest

from synctasks.capture.installed import Body, Standing, function_problem, trigger_problem
from synctasks.capture.preflight import Need
from synctasks.capture.triggers import triggers, wake_sql
from synctasks.flows import ALL_FLOWS, by_name

UPDATE = triggers(by_name("profile_data"), 8)[1]
# As PostgreSQL prints it.
STANDING = Standing(
    "A",
    "CREATE TRIGGER synctasks_profile_data_update AFTER UPDATE ON public.golden_records "
    "REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT "
    "EXECUTE FUNCTION synctasks.capture_profile_data_update()",
)
BODY = Body(
    UPDATE.function_sql.split("$body$")[1],
    True,
    ("search_path=pg_catalog, pg_temp", "jit=off"),
    False,
)


def test_what_stands_as_it_was_installed_is_right() -> None:
    assert trigger_problem(UPDATE, STANDING) is None
    assert function_problem(UPDATE.function_sql, BODY) is None


@pytest.mark.parametrize(
    ("found", "said"),
    [
        (None, "it is missing"),
        (replace(STANDING, enabled="D"), "it is disabled"),
        (replace(STANDING, enabled="O"), "not enabled always"),
        (replace(STANDING, enabled="R"), "not enabled always"),
        (
            replace(STANDING, definition=STANDING.definition.replace("UPDATE ON", "INSERT ON")),
            "not the one that synctasks makes",
        ),
        (
            replace(STANDING, definition=STANDING.definition.replace("public", "other")),
            "not the one that synctasks makes",
        ),
    ],
)
def test_a_trigger_that_differs_is_wrong(found: Standing | None, said: str) -> None:
    assert said in str(trigger_problem(UPDATE, found))


@pytest.mark.parametrize(
    ("found", "said"),
    [
        (None, "its function is missing"),
        (replace(BODY, source=BODY.source + " "), "not the one that this version"),
        (replace(BODY, as_owner=False), "the wrong role's rights"),
        (replace(BODY, settings=()), "the wrong settings"),
        (replace(BODY, settings=BODY.settings[:1]), "the wrong settings"),
        (replace(BODY, for_all=True), "may be called by everybody"),
    ],
)
def test_a_function_that_differs_is_wrong(found: Body | None, said: str) -> None:
    assert said in str(function_problem(UPDATE.function_sql, found))


def test_a_function_made_for_other_lanes_is_of_another_version() -> None:
    other = triggers(by_name("profile_data"), 4)[1]
    assert "not the one" in str(function_problem(other.function_sql, BODY))


@pytest.mark.parametrize("notifies", [True, False])
def test_the_function_that_wakes_is_that_of_the_installation(notifies: bool) -> None:
    source = wake_sql(notifies=notifies).split("$body$")[1]
    found = Body(source, False, BODY.settings[:1], False)
    assert function_problem(wake_sql(notifies=notifies), found) is None
    assert function_problem(wake_sql(notifies=not notifies), found) is not None


def test_every_function_of_a_flow_has_one_body() -> None:
    made = [trigger for flow in ALL_FLOWS for trigger in triggers(flow, flow.lanes)]
    assert {trigger.function_sql.count("$body$") for trigger in made} == {2}


def test_no_function_that_looks_at_rows_is_compiled_in_the_applications_session() -> None:
    for flow in ALL_FLOWS:
        for trigger in triggers(flow, flow.lanes):
            looks = "_rows" in trigger.function_sql
            assert ("\nSET jit = off\n" in trigger.function_sql) == looks, trigger.name


def test_no_need_has_a_value_that_some_pythons_lose() -> None:
    """The enumerations of Python 3.11.2 take an empty tuple for no value at all."""
    assert all(isinstance(each.value, str) for each in Need)
    assert [len(each.privileges) for each in Need] == [0, 1, 4]
