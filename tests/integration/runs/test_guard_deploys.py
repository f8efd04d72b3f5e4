"""Bad deploys: a table that lost its rows or its meaning, of which no trigger knows."""

from __future__ import annotations

from synctasks.flows import FLOWS
from synctasks.flows.to_citizen.profile_data import PROFILE_DATA
from synctasks.flows.to_citizen.schemes import SCHEMES
from synctasks.monitoring.status import status
from synctasks.sample.generate import Plan, fill_tables
from tests.refreshing import full_run, unseen, versions
from tests.rows import Connection, execute, rows, value


def test_a_table_that_lost_nine_tenths_behind_the_triggers_is_guarded_with_an_alert(
    warehouse: Connection, citizen: Connection
) -> None:
    fill_tables(warehouse, ["public.golden_records"], Plan.of_records(1_000))
    full_run(warehouse)
    before = versions(citizen)
    with unseen(warehouse):
        execute(
            warehouse,
            "DELETE FROM golden_records WHERE abs(hashtext(gr_id)) %% 10 > 0",
            [],
        )
    run = full_run(warehouse)
    assert (run["state"], run["removed"], run["written"]) == ("guarded", 0, 0)
    assert 0 < run["read"] < 200
    assert versions(citizen) == before
    [alert] = status(FLOWS)["alerts"]
    assert (alert["flow"], alert["name"]) == (PROFILE_DATA.name, "volume drop")
    assert f"found {run['read']:,} records" in alert["reason"]
    assert status(FLOWS)["flows"][PROFILE_DATA.name]["last_run"]["state"] == "guarded"


def test_schemes_that_a_deploy_retired_all_at_once_stay_active(
    warehouse: Connection, citizen: Connection
) -> None:
    fill_tables(warehouse, ["eligibility.scheme_master"], Plan(households=1))
    full_run(warehouse, SCHEMES)
    before = versions(citizen, "schemes", "code")
    active = value(
        warehouse, "SELECT count(*) FROM eligibility.scheme_master WHERE status = 'ACTIVE'"
    )
    execute(warehouse, "UPDATE eligibility.scheme_master SET status = 'RETIRED'")
    run = full_run(warehouse, SCHEMES)
    assert (run["state"], run["in_scope"]) == ("guarded", 0)
    assert run["read"] == run["filtered"] > active
    assert versions(citizen, "schemes", "code") == before
    assert rows(citizen, "SELECT DISTINCT status FROM schemes") == ["ACTIVE"]
    accepted = full_run(warehouse, SCHEMES, accepts_shrink=True)
    assert (accepted["state"], accepted["removed"]) == ("succeeded", active)
    assert rows(citizen, "SELECT DISTINCT status FROM schemes") == ["INACTIVE"]


def test_what_is_out_of_use_at_the_target_is_not_what_it_holds(
    warehouse: Connection, citizen: Connection
) -> None:
    """Schemes that were retired over the years must not make each run look small."""
    fill_tables(warehouse, ["eligibility.scheme_master"], Plan(households=1))
    execute(
        citizen,
        "INSERT INTO schemes (id, code, status) "
        "SELECT gen_random_uuid(), 'old ' || number, 'INACTIVE' "
        "FROM generate_series(1, 1000) AS numbered (number)",
    )
    assert full_run(warehouse, SCHEMES)["state"] == "succeeded"
