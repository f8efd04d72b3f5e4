"""Review: the list holds the source rows that are stale and in scope, and no others."""

from __future__ import annotations

import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest

from synctasks import duties
from synctasks.engine import review
from synctasks.flow import Duty, Flow
from synctasks.flows import FLOWS
from synctasks.flows.to_citizen.profile_data import PROFILE_DATA
from synctasks.flows.to_citizen.profile_summary import PROFILE_SUMMARY
from synctasks.flows.to_citizen.schemes import SCHEMES
from synctasks.monitoring.status import status
from tests.programs import run
from tests.refreshing import add_records, run_of, unseen, versions
from tests.rows import Connection, add_record, execute, insert, rows, value

REVIEWED = [flow for flow in FLOWS if flow.stale]
DAY = timedelta(days=1)


def ago(days: float) -> datetime:
    return datetime.now(UTC) - days * DAY


def add_profile(warehouse: Connection, gr_id: str, **columns: Any) -> None:
    insert(
        warehouse,
        "profile_360",
        {"gr_id": gr_id, "vulnerability_level": "HIGH", "updated_at": ago(0), **columns},
    )


def add_scheme(warehouse: Connection, code: str | None, **columns: Any) -> None:
    scheme = {"scheme_id": str(uuid4()), "scheme_code": code, "scheme_name": "x"}
    given = {**scheme, "status": "ACTIVE", "updated_at": ago(0), **columns}
    insert(warehouse, "eligibility.scheme_master", given)


ADD: dict[Flow, Callable[..., None]] = {
    SCHEMES: add_scheme,
    PROFILE_DATA: add_record,
    PROFILE_SUMMARY: add_profile,
}


def look(flow: Flow = PROFILE_DATA) -> None:
    """What `review check` does with a flow."""
    duties.request(flow, Duty.REVIEW, "test")
    carry_on(flow)


def carry_on(flow: Flow = PROFILE_DATA) -> None:
    while duties.step(flow, Duty.REVIEW).more:
        pass


def keys(flow: Flow | None = None) -> list[str]:
    """The keys that are flagged, the longest not updated first."""
    return [each["key"] for each in review.flagged(flow)]


def counted(flow: Flow = PROFILE_DATA) -> int:
    """What `status` shows."""
    count: int = status([flow])["flows"][flow.name]["review"]
    return count


@pytest.fixture
def small_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(review, "_PAGE", 3)
    review._flag_sql.cache_clear()


@pytest.fixture(autouse=True)
def forget_statements() -> Any:
    """They hold the size of a page."""
    yield
    review._flag_sql.cache_clear()


@pytest.mark.parametrize("flow", REVIEWED, ids=lambda flow: flow.name)
def test_a_row_is_stale_that_nobody_has_updated_for_180_days(
    warehouse: Connection, flow: Flow
) -> None:
    add = ADD[flow]
    add(warehouse, "old", updated_at=ago(180.001))
    add(warehouse, "older", updated_at=ago(900))
    add(warehouse, "young", updated_at=ago(179.999))
    add(warehouse, "unknown", updated_at=None)
    look(flow)
    assert keys(flow) == ["older", "old"]
    assert [each["days"] for each in review.flagged(flow)] == [900, 180]
    assert counted(flow) == 2


@pytest.mark.parametrize("flow", REVIEWED, ids=lambda flow: flow.name)
def test_a_row_that_was_updated_or_deleted_is_no_longer_flagged(
    warehouse: Connection, flow: Flow
) -> None:
    for key in ("updated", "deleted", "stays"):
        ADD[flow](warehouse, key, updated_at=ago(200))
    look(flow)
    table, key = flow.source.table, flow.source.key
    execute(warehouse, f"UPDATE {table} SET updated_at = now() WHERE {key} = 'updated'")
    execute(warehouse, f"DELETE FROM {table} WHERE {key} = 'deleted'")
    look(flow)
    assert keys(flow) == ["stays"]
    assert counted(flow) == 1


def test_a_scheme_that_is_not_active_is_nobodys_to_review(warehouse: Connection) -> None:
    add_scheme(warehouse, "active", updated_at=ago(200))
    add_scheme(warehouse, "ended", updated_at=ago(200))
    look(SCHEMES)
    assert keys() == ["active", "ended"]
    ended = "UPDATE eligibility.scheme_master SET status = %s WHERE scheme_code = 'ended'"
    execute(warehouse, ended, ["ENDED"])
    look(SCHEMES)
    assert keys() == ["active"]
    execute(warehouse, ended, [None])
    look(SCHEMES)
    assert keys() == ["active"]


def test_schemes_without_a_code_are_flagged_each_by_its_id(warehouse: Connection) -> None:
    numbers = [str(uuid4()) for _ in range(2)]
    for number in numbers:
        add_scheme(warehouse, None, scheme_id=number, updated_at=ago(200))
    look(SCHEMES)
    assert sorted(keys()) == sorted(f"scheme_id {number}" for number in numbers)
    given = "UPDATE eligibility.scheme_master SET scheme_code = 'late' WHERE scheme_id = %s"
    execute(warehouse, given, numbers[:1])
    look(SCHEMES)
    assert sorted(keys()) == ["late", f"scheme_id {numbers[1]}"]


def test_a_flag_says_when_the_row_was_last_updated(warehouse: Connection) -> None:
    add_record(warehouse, "GR-1", updated_at=ago(400))
    look()
    moment = ago(300).replace(microsecond=0)
    execute(warehouse, "UPDATE golden_records SET updated_at = %s", [moment])
    look()
    [found] = review.flagged()
    assert found == {
        "flow": "profile_data",
        "key": "GR-1",
        "last_updated": moment.isoformat(),
        "days": 300,
    }


def test_a_look_that_finds_nothing_new_writes_no_flag(warehouse: Connection) -> None:
    for key, days in (("GR-1", 200), ("GR-2", 300), ("GR-3", 400)):
        add_record(warehouse, key, updated_at=ago(days))
    look()
    before = versions(warehouse, "synctasks.review", "record")
    execute(warehouse, "UPDATE golden_records SET updated_at = %s WHERE gr_id = 'GR-2'", [ago(250)])
    look()
    after = versions(warehouse, "synctasks.review", "record")
    assert [key for key in before if after[key] != before[key]] == ["GR-2"]
    held = "SELECT count(*) FROM synctasks.review WHERE xmax <> 0 AND record <> 'GR-2'"
    assert value(warehouse, held) == 0, "not even locked"


def test_each_flow_has_its_own_flags(warehouse: Connection) -> None:
    for flow, add in ADD.items():
        add(warehouse, "same", updated_at=ago(200))
        look(flow)
    assert sorted(each["flow"] for each in review.flagged()) == sorted(each.name for each in ADD)
    execute(warehouse, "DELETE FROM profile_360")
    look(PROFILE_SUMMARY)
    assert [counted(flow) for flow in ADD] == [1, 1, 0]
    assert (keys(PROFILE_DATA), keys(PROFILE_SUMMARY)) == (["same"], [])


@pytest.mark.usefixtures("small_pages")
@pytest.mark.parametrize("count", [2, 3, 4, 6, 7])
def test_a_list_of_any_length_is_exact(warehouse: Connection, count: int) -> None:
    odd = ["", "GR-%s", "{a,b}", '"', "\\", "\u0928", "gr"][:count]
    for number, key in enumerate(odd):
        add_record(warehouse, key, updated_at=ago(200 + number))
        add_record(warehouse, f"{key} young")
    look()
    assert set(keys()) == {key or "gr_id " for key in odd}
    assert counted() == count
    execute(warehouse, "UPDATE golden_records SET updated_at = now() WHERE gr_id <> ''")
    look()
    assert keys() == ["gr_id "]


@pytest.mark.usefixtures("small_pages")
def test_a_look_that_died_anywhere_is_carried_on(warehouse: Connection) -> None:
    for number in range(8):
        add_record(warehouse, f"GR-{number}", updated_at=ago(200))
    look()
    execute(warehouse, "UPDATE golden_records SET updated_at = now() WHERE gr_id < 'GR-4'")
    number = duties.request(PROFILE_DATA, Duty.REVIEW, "test")
    steps = 0
    while run_of(warehouse, number)["state"] == "running":
        dies_in_a_step()
        duties.step(PROFILE_DATA, Duty.REVIEW)
        steps += 1
    assert steps > 3
    assert (sorted(keys()), counted()) == (["GR-4", "GR-5", "GR-6", "GR-7"], 4)


def dies_in_a_step() -> None:
    """A worker whose step is not committed."""

    def dies(*_: object, **__: object) -> bool:
        raise KeyboardInterrupt

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(duties.rounds, "save", dies)
        with pytest.raises(KeyboardInterrupt):
            duties.step(PROFILE_DATA, Duty.REVIEW)


@pytest.mark.usefixtures("small_pages")
def test_several_at_once_are_harmless(warehouse: Connection) -> None:
    for number in range(20):
        add_record(warehouse, f"GR-{number:02}", updated_at=ago(200))
    look()
    execute(warehouse, "UPDATE golden_records SET updated_at = now() WHERE gr_id < 'GR-10'")
    with ThreadPoolExecutor(4) as threads:
        for done in [threads.submit(look) for _ in range(4)]:
            done.result(30)
    assert sorted(keys()) == [f"GR-{number}" for number in range(10, 20)]
    assert counted() == 10
    states = rows(warehouse, "SELECT DISTINCT state FROM synctasks.run WHERE kind = 'review'")
    assert set(states) <= {"succeeded", "stopped"}


def test_the_sources_index_serves_however_large_it_is(warehouse: Connection) -> None:
    """Else each page would scan or sort the whole table."""
    with unseen(warehouse):
        add_records(warehouse, 1, 20_000)
    execute(warehouse, "ANALYZE golden_records")
    given = {"flow": "profile_data", "low": "GR-000100", "after": timedelta(days=180)}
    page = "\n".join(rows(warehouse, f"EXPLAIN {review._flag_sql(PROFILE_DATA, False)}", given))
    assert "Index Scan using golden_records_pkey" in page
    given["records"] = '{"GR-000100","GR-000200"}'
    flags = "\n".join(rows(warehouse, f"EXPLAIN {review._unflag_sql(PROFILE_DATA)}", given))
    assert "Index Scan using golden_records_pkey" in flags


def test_what_is_looked_at_for_review_is_no_event(warehouse: Connection) -> None:
    add_profile(warehouse, "GR-1", updated_at=ago(200))
    execute(warehouse, "DELETE FROM synctasks.change_log")
    execute(
        warehouse,
        "UPDATE profile_360 SET updated_at = now(), age_encoded = 0.5, model_version = 'v2'",
    )
    assert value(warehouse, "SELECT count(*) FROM synctasks.change_log") == 0
    assert "updated_at" not in PROFILE_SUMMARY.watched


def test_while_a_look_is_under_way_status_shows_the_last_ones_count(warehouse: Connection) -> None:
    assert counted() == 0
    add_record(warehouse, "GR-1", updated_at=ago(200))
    duties.request(PROFILE_DATA, Duty.REVIEW, "test")
    assert counted() == 0
    carry_on()
    assert counted() == 1
    duties.request(PROFILE_DATA, Duty.REVIEW, "test")
    assert counted() == 1


def test_people_list_what_is_flagged_and_look_anew(warehouse: Connection) -> None:
    nothing = run("synctasks", "review", "list")
    assert (nothing.returncode, nothing.stdout) == (0, "Nothing is flagged for review.\n")
    add_record(warehouse, "GR-1", updated_at=ago(200))
    add_record(warehouse, "GR-2", updated_at=ago(300))
    add_scheme(warehouse, "RJ-1", updated_at=ago(250))
    looked = run("synctasks", "review", "check")
    assert looked.returncode == 0, looked.stderr
    assert looked.stdout.splitlines() == [
        "schemes: 1 flagged for review.",
        "profile_data: 2 flagged for review.",
        "profile_summary: 0 flagged for review.",
    ]
    heading, *lines = run("synctasks", "review", "list").stdout.splitlines()
    assert heading.split() == ["flow", "key", "last", "updated", "(UTC)", "days"]
    assert [(line.split()[1], line.split()[-1]) for line in lines] == [
        ("GR-2", "300"),
        ("RJ-1", "250"),
        ("GR-1", "200"),
    ]
    limited = run("synctasks", "review", "list", "--flow", "profile_data", "--limit", "1").stdout
    assert "GR-2" in limited
    assert "GR-1" not in limited
    assert limited.splitlines()[-1].startswith("1 more")


def test_programs_get_all_of_them(warehouse: Connection) -> None:
    add_record(warehouse, "GR-1", updated_at=ago(200))
    add_scheme(warehouse, "RJ-1", updated_at=ago(250))
    assert run("synctasks", "review", "check", "profile_data").returncode == 0
    listed = json.loads(run("synctasks", "review", "list", "--json", "--limit", "1").stdout)
    [found] = listed
    assert found.keys() == {"flow", "key", "last_updated", "days"}
    assert (found["flow"], found["key"], found["days"]) == ("profile_data", "GR-1", 200)
    shown = json.loads(run("synctasks", "status", "--json").stdout)["flows"]
    assert {name: entry["review"] for name, entry in shown.items() if entry["review"]} == {
        "profile_data": 1
    }


def test_a_flow_whose_rows_are_not_looked_at_is_said_to_be_none(databases: object) -> None:
    for command in (["list", "--flow", "ml_alerts"], ["check", "ml_alerts"]):
        refused = run("synctasks", "review", *command)
        assert refused.returncode == 2
        assert refused.stderr == (
            "synctasks: flow ml_alerts: its source rows are not looked at for review. "
            "Choose one of: schemes, profile_data, profile_summary.\n"
        )
