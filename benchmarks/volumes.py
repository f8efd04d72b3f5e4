"""All twelve flows at the specification's volumes at once, while full runs go round."""

from __future__ import annotations

import contextlib
import random
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass

from benchmarks.ground import Connection, Ground, run, value
from synctasks import dispatch
from synctasks.embedded.waiting import wait_until
from synctasks.flow import Database, Everything, Flow, Selected
from synctasks.flows import FLOWS
from synctasks.monitoring.status import status
from synctasks.sample.generate import CITIZEN, WAREHOUSE, Plan, fill_tables
from synctasks.tasks import ask_for_all

_A_DAY = 86_400


@dataclass(frozen=True)
class _Change:
    """What an application does so often a day; `{one}` is somebody whom both sides know."""

    a_day: int
    database: Database
    sql: str


_KNOWN = "(SELECT id FROM public.citizens WHERE id = '{one}')"
_SCHEME = "(SELECT id FROM public.schemes ORDER BY random() LIMIT 1)"

# By the specification's own figures; of what it counts by the hour a day's worth.
_CHANGES = (
    _Change(
        2_400,
        Database.WAREHOUSE,
        "UPDATE public.golden_records SET city_village = 'City {number}', updated_at = now()"
        " WHERE gr_id = '{record}'",
    ),
    _Change(
        12_000,
        Database.WAREHOUSE,
        "UPDATE public.profile_360 SET cluster_id = 'C{number}', updated_at = now()"
        " WHERE gr_id = '{record}'",
    ),
    _Change(
        50_000,
        Database.WAREHOUSE,
        "INSERT INTO eligibility.eligibility_snapshots (family_id, scheme_code, evaluation_status,"
        " eligibility_score, confidence_score, explanation, evaluation_timestamp)"
        " SELECT '{family}', scheme_code, 'RULE_ELIGIBLE', random()::numeric, 0.5, 'because', now()"
        " FROM eligibility.scheme_master WHERE status = 'ACTIVE' ORDER BY random() LIMIT 1",
    ),
    _Change(
        50_000,
        Database.WAREHOUSE,
        "INSERT INTO forecast.benefit_forecasts"
        " VALUES (gen_random_uuid(), '{family}', 12, {number}, 3, '[]', now())",
    ),
    _Change(
        10_000,
        Database.WAREHOUSE,
        "INSERT INTO decision.applications"
        " VALUES ('{application}', 'AUTO_APPROVED', 0.1, 0.9, '[]', now())"
        " ON CONFLICT (application_id) DO UPDATE SET decision_timestamp = now()",
    ),
    _Change(
        20_000,
        Database.WAREHOUSE,
        "INSERT INTO ai.predictive_alerts VALUES (gen_random_uuid(), '{family}', 'deadline', 'LOW',"
        " 'soon', '/schemes', now())",
    ),
    _Change(
        20_000,
        Database.CITIZEN,
        "UPDATE public.citizens SET city = 'City {number}', updated_at = now() WHERE id = '{one}'",
    ),
    _Change(
        5_000,
        Database.CITIZEN,
        "INSERT INTO public.service_applications VALUES (gen_random_uuid(), '{one}',"
        f" {_SCHEME}, 'submitted', now(), NULL, now(), now())",
    ),
    _Change(
        15_000,
        Database.CITIZEN,
        "INSERT INTO public.documents VALUES (gen_random_uuid(), '{one}', 'income_certificate',"
        " 'income.pdf', 1024, 'vault', now(), 'pending')",
    ),
    _Change(
        1_000,
        Database.CITIZEN,
        "INSERT INTO public.feedback VALUES (gen_random_uuid(), '{one}', 'praise', 5, 'fine', NULL,"
        " now())",
    ),
    _Change(
        500_000,
        Database.CITIZEN,
        "INSERT INTO public.page_views (citizen_id, path, duration_seconds, occurred_at)"
        " VALUES ('{one}', '/', 3.5, now())",
    ),
)

_ASK = """\
INSERT INTO synctasks.run (flow, reason, units) VALUES ('{flow}', 'benchmark', {units})
RETURNING id
"""
_LAST_DAYS = "ARRAY[current_date - 3, current_date - 2, current_date - 1]::text[]"
_ENDED = "SELECT finished_at IS NOT NULL FROM synctasks.run WHERE id = {run}"

_SOMEBODY = """\
SELECT citizen.id::text, citizen.aadhaar_number, citizen.family_id
FROM public.citizens AS citizen
WHERE citizen.verification_status = 'verified'
"""
_RECORDS = (
    "SELECT jan_aadhaar, min(gr_id) FROM public.golden_records GROUP BY 1 HAVING count(*) = 1"
)
_APPLICATIONS = "SELECT id::text FROM public.service_applications"


def volumes(ground: Ground, records: int, seconds: float, times: float) -> None:
    """Print the percentiles of each event flow, at so many times the specification's rates."""
    _fill(ground, records)
    for database in (ground.warehouse, ground.citizen):
        with contextlib.closing(database()) as each:
            run(each, "DELETE FROM synctasks.history")
    people = _People(ground)
    with _refreshing(ground) as runs:
        threads = [
            threading.Thread(target=_at_work, args=(ground, people, database, seconds, times))
            for database in Database
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    ground.settle()
    entries = status(FLOWS)["flows"]
    print(
        f"\nAll flows at {times:g} times the specification's rates for {seconds:g} s, "
        f"{runs[0]} full runs meanwhile; commit to commit, milliseconds"
    )
    print(f"{'flow':<24}{'p50':>8}{'p95':>8}{'p99':>8}")
    for flow in FLOWS:
        latency = entries[flow.name]["latency_seconds"]
        if latency["p50"] is not None:
            shown = "".join(f"{latency[each] * 1000:>8.1f}" for each in ("p50", "p95", "p99"))
            print(f"{flow.name:<24}{shown}", flush=True)


def _fill(ground: Ground, records: int) -> None:
    """Both databases, beside the golden records that are there already."""
    plan = Plan.of_records(records)
    have = {"public.districts", "public.golden_records"}
    with contextlib.closing(ground.warehouse()) as warehouse:
        warehouse.autocommit = False
        names = [table.name for table in WAREHOUSE if table.name not in have]
        fill_tables(warehouse, names, plan)
    with contextlib.closing(ground.citizen()) as citizen:
        # Whatever another benchmark has left there.
        run(citizen, "TRUNCATE public.citizens, public.page_views, public.scheme_clicks CASCADE")
        run(citizen, "TRUNCATE public.eligibility_checks, public.search_queries")
        citizen.autocommit = False
        fill_tables(citizen, [table.name for table in CITIZEN], plan)
    for flow in FLOWS:
        ask_for_all(flow)
    ground.settle()


class _People:
    """Citizens whom both sides know, and the applications there are."""

    def __init__(self, ground: Ground) -> None:
        with (
            contextlib.closing(ground.warehouse()) as warehouse,
            contextlib.closing(ground.citizen()) as citizen,
        ):
            record_of = dict(_rows(warehouse, _RECORDS))
            self.known = [
                (one, family, record_of[number])
                for one, number, family in _rows(citizen, _SOMEBODY)
                if number in record_of
            ]
            self.applications = [each for (each,) in _rows(citizen, _APPLICATIONS)]

    def fill_in(self, sql: str, pick: random.Random) -> str:
        """A statement about somebody."""
        one, family, record = pick.choice(self.known)
        return sql.format(
            one=one,
            family=family,
            record=record,
            application=pick.choice(self.applications),
            number=pick.randrange(10**6),
        )


def _at_work(
    ground: Ground, people: _People, database: Database, seconds: float, times: float
) -> None:
    """An application that does to one database what is done there, each in its own transaction."""
    pick = random.Random(str(database))
    kinds = [change for change in _CHANGES if change.database is database]
    weights = [change.a_day for change in kinds]
    pause = _A_DAY / (sum(weights) * times)
    connect = ground.warehouse if database is Database.WAREHOUSE else ground.citizen
    with contextlib.closing(connect()) as connection:
        due = until = time.monotonic()
        until += seconds
        while due < until:
            time.sleep(max(0.0, due - time.monotonic()))
            change = pick.choices(kinds, weights)[0]
            run(connection, people.fill_in(change.sql, pick))
            due += pause


@contextlib.contextmanager
def _refreshing(ground: Ground) -> Iterator[list[int]]:
    """What the schedules of batch flows ask for, one run after the other; how many so far."""
    stop, count = threading.Event(), [0]
    scheduled = [flow for flow in FLOWS if flow.schedule and _in_chunks(flow.schedule.asks_for)]

    def again() -> None:
        while not stop.is_set():
            for flow in scheduled:
                _run(ground, flow)
                count[0] += 1
                if stop.is_set():
                    return

    thread = threading.Thread(target=again)
    thread.start()
    try:
        yield count
    finally:
        stop.set()
        thread.join()


def _in_chunks(asked: object) -> bool:
    return isinstance(asked, Everything | Selected)


def _run(ground: Ground, flow: Flow) -> None:
    """A run as the flow's slot asks for it, until it has ended."""
    connect = ground.warehouse if flow.source.database is Database.WAREHOUSE else ground.citizen
    units = _LAST_DAYS if flow.schedule and isinstance(flow.schedule.asks_for, Selected) else "NULL"
    with contextlib.closing(connect()) as source:
        number = value(source, _ASK.format(flow=flow.name, units=units))
        dispatch.send_refresh(flow.name)
        ended = _ENDED.format(run=number)
        wait_until(lambda: bool(value(source, ended)), 300, f"a run of {flow.name}")


def _rows(connection: Connection, sql: str) -> list[tuple[str, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(sql)
        return list(cursor.fetchall())
