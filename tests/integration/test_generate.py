"""The generated data on a real server: complete, clean where it should be, dirty where asked."""

import os
import secrets
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from typing import Any

import psycopg2
import pytest
from psycopg2 import sql

from synctasks.sample.dirty import KINDS
from synctasks.sample.generate import (
    CITIZEN,
    WAREHOUSE,
    Counts,
    Plan,
    copy_text,
    fill,
    fill_tables,
)
from synctasks.sample.kinds import Kind
from synctasks.schemas import ddl

NOW = datetime(2025, 3, 1, 12, 30, tzinfo=UTC)
TABLES = [table.name for table in (*WAREHOUSE, *CITIZEN)]
GOLDEN = "public.golden_records"

DIGEST = """
import hashlib
from datetime import datetime, UTC
from synctasks.sample.generate import CITIZEN, WAREHOUSE, Plan, copy_text

plan = Plan(households=40, seed=5, dirty=0.1, now=datetime(2025, 3, 1, tzinfo=UTC))
tables = [table.name for table in (*WAREHOUSE, *CITIZEN)]
text = "".join(line for table in tables for line in copy_text(table, plan))
print(len(text), hashlib.sha256(text.encode()).hexdigest())
"""

# How SQL finds each kind of dirt, {} being the column; no clean record answers to any of them.
PREDICATES = {
    "missing": "{} IS NULL",
    "submitted_at_missing": "status = 'submitted' AND submitted_at IS NULL",
    "approved_at_missing": "status = 'approved' AND approved_at IS NULL",
    "blank": "btrim({}) = ''",
    "too_long": "length({}) > 64",
    "horizon_months_too_long": "horizon_months > 600",
    "comment_too_long": "length(comment) > 10000",
    "short": "{} ~ '^[0-9]{5}$|^[0-9]{9}$|^[0-9]{11}$'",
    "long": "{} ~ '^[0-9]{13,}$'",
    "letters": "{} ~ '^[0-9]+[A-Z]'",
    "devanagari": "{} ~ '^[^ -~]{12}$'",
    "grouped": "{} ~ '^[0-9]+ [0-9]+$'",
    "mask": "{} LIKE '%***%'",
    "malformed": "{} ~ '[-(]'",
    "two_ats": "{} LIKE '%@%@%'",
    "upper_case": "{} <> lower({})",
    "lower_case": "{} <> upper({})",
    "braces": "{} ~ '^[{].*[}]$'",
    "without_dashes": "{} ~ '^[0-9a-f]{32}$'",
    "no_uuid": "{} !~* '[0-9a-f]{12}' AND btrim({}) <> ''",
    "before_1900": "{} BETWEEN '1800-01-01' AND '1899-12-31'",
    "before_christ": "isfinite({}) AND {} < '0001-01-01'",
    "future": "{} > now() + interval '5 minutes' AND {} < '9999-01-01'",
    "far_future": "isfinite({}) AND {} > '9999-12-31'",
    "infinite": "{} = 'infinity'",
    "minus_infinite": "{} = '-infinity'",
    "before_created": "updated_at < created_at",
    "gender_unknown": "gender = upper(gender) AND gender NOT IN ('M', 'F', 'O')",
    "word": "length({}) > 1",
    "district_id_unknown": "district_id NOT IN (SELECT district_id FROM districts)",
    "district_unknown": "district = 'Atlantis'",
    "decision_unknown": "decision = 'APPROVED'",
    "severity_unknown": "severity NOT IN ('LOW', 'MEDIUM', 'HIGH', 'CRITICAL', 'high')",
    "status_unknown": "status = 'on_hold'",
    "above_one": "{} > 1 AND {} < 'infinity'",
    "negative": "{} < 0",
    "zero": "{} = 0",
    "nan": "{} = 'NaN'",
    "too_high": "{} > 5",
    "object": "jsonb_typeof({}) = 'object'",
    "scalar": "jsonb_typeof({}) NOT IN ('array', 'object')",
    "javascript": "{} LIKE 'javascript:%'",
    "data": "{} LIKE 'data:%'",
    "other_host": "{} LIKE '//%'",
    "backslash": "{} ~ '^/[\\\\]'",
    "space": "{} LIKE '% %'",
    "control": "{} LIKE '%' || chr(7) || '%'",
    "line_break": "{} LIKE '%' || chr(10) || '%'",
    "without_host": "{} ~ '^https?:///'",
    "other_scheme": "{} LIKE 'ftp:%'",
    "relative": "{} !~ '^/|:'",
    "of_another_source": "{} IN (SELECT alert_id FROM ai.beneficiary_detection_alerts)",
}


def predicate(kind: Kind) -> str:
    """The condition that finds a kind."""
    return (PREDICATES.get(kind.name) or PREDICATES[kind.what]).replace("{}", kind.column)


@contextmanager
def fresh_database(url: str, database: str) -> Iterator[Any]:
    """A connection to a database of its own with the tables of one side, dropped at the end."""
    name = sql.Identifier(f"generate_{secrets.token_hex(6)}")
    with closing(psycopg2.connect(url)) as server:
        server.autocommit = True
        server.cursor().execute(sql.SQL("CREATE DATABASE {}").format(name))
        try:
            with closing(psycopg2.connect(url, dbname=name.string)) as connection:
                with connection, connection.cursor() as cursor:
                    cursor.execute(ddl(database))
                yield connection
        finally:
            server.cursor().execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(name))


@pytest.fixture(scope="module")
def sides(warehouse_url: str) -> Iterator[tuple[Any, Any]]:
    """Both databases with the tables, on one server: the generator does not care."""
    with (
        fresh_database(warehouse_url, "warehouse") as warehouse,
        fresh_database(warehouse_url, "citizen") as citizen,
    ):
        yield warehouse, citizen


@pytest.fixture
def empty(sides: tuple[Any, Any]) -> Iterator[tuple[Any, Any]]:
    """The two databases, without rows."""
    yield sides
    for connection, tables in zip(sides, (WAREHOUSE, CITIZEN), strict=True):
        names = ", ".join(table.name for table in tables)
        with connection, connection.cursor() as cursor:
            cursor.execute(f"TRUNCATE {names} RESTART IDENTITY CASCADE")


def count(connection: Any, table: str, condition: str = "true") -> int:
    with connection, connection.cursor() as cursor:
        cursor.execute(f"SELECT count(*) FROM {table} WHERE {condition}")
        return int(cursor.fetchone()[0])


def counts_by_kind(sides: tuple[Any, Any], of: str) -> dict[str, int]:
    side = sides[0] if of in {table.name for table in WAREHOUSE} else sides[1]
    return {kind.name: count(side, of, predicate(kind)) for kind in KINDS[of]}


def test_fill_writes_what_it_counts_and_nothing_dirty(empty: tuple[Any, Any]) -> None:
    seen: dict[str, int] = {}
    counts = fill(*empty, Plan(households=1_500), progress=lambda *now: seen.update([now]))
    assert list(counts.rows) == TABLES
    assert seen == counts.rows
    for connection, tables in zip(empty, (WAREHOUSE, CITIZEN), strict=True):
        for table in tables:
            assert count(connection, table.name) == counts.rows[table.name] > 0
    assert not any(counts.dirty.values())
    found = {table: counts_by_kind(empty, table) for table in KINDS}
    assert {(t, kind): n for t, kinds in found.items() for kind, n in kinds.items() if n} == {}


def test_the_two_sides_know_the_same_people_applications_and_schemes(
    empty: tuple[Any, Any],
) -> None:
    plan = Plan(households=1_500, now=NOW)
    counts = fill(*empty, plan)
    numbers = [line.split("\t")[1] for line in copy_text("citizens", plan)]
    known = count(empty[0], GOLDEN, f"jan_aadhaar = ANY ('{{{','.join(numbers)}}}')")
    assert 0.95 < known / counts.rows["citizens"] < 1
    decided = [line.split("\t")[0] for line in copy_text("decision.applications", plan)]
    ids = f"id = ANY ('{{{','.join(decided)}}}')"
    assert count(empty[1], "service_applications", ids) == len(decided)
    codes = {line.split("\t")[1] for line in copy_text("eligibility.eligibility_snapshots", plan)}
    scheme = f"code = ANY ('{{{','.join(codes)}}}')"
    assert count(empty[1], "schemes", scheme) == len(codes) > 100


def test_dirty_data_has_every_kind(empty: tuple[Any, Any]) -> None:
    counts = fill(*empty, Plan(households=4_000, dirty=0.2))
    for table, kinds in KINDS.items():
        found = counts_by_kind(empty, table)
        written = counts.dirty[table]
        assert set(written) == {kind.name for kind in kinds}
        assert {name: n for name, n in written.items() if found[name] < n} == {}


def test_the_dirty_share_is_kept_and_the_kinds_take_turns(empty: tuple[Any, Any]) -> None:
    counts = fill_tables(empty[0], [GOLDEN], Plan.of_records(5_000, dirty=0.02))
    written = counts.dirty[GOLDEN]
    assert sum(written.values()) == 100
    assert set(written) == {kind.name for kind in KINDS[GOLDEN]}
    assert max(written.values()) - min(written.values()) <= 1


def test_exactly_as_many_records_as_asked_for_and_no_other_table(empty: tuple[Any, Any]) -> None:
    counts = fill_tables(empty[0], [GOLDEN], Plan.of_records(10_001))
    assert counts == Counts({GOLDEN: 10_001}, {GOLDEN: {}})
    assert count(empty[0], GOLDEN) == 10_001
    assert count(empty[0], "public.profile_360") == 0


def test_a_table_that_is_not_empty_is_refused_and_nothing_is_written(
    empty: tuple[Any, Any],
) -> None:
    plan = Plan(households=10)
    fill_tables(empty[0], [GOLDEN], plan)
    with pytest.raises(ValueError, match=r"public\.golden_records is not empty"):
        fill_tables(empty[0], ["public.profile_360", GOLDEN], plan)
    assert count(empty[0], "public.profile_360") == 0


def test_equal_plans_give_equal_bytes_in_every_process() -> None:
    digests = {
        subprocess.run(
            [sys.executable, "-c", DIGEST],
            env={**os.environ, "PYTHONHASHSEED": hash_seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for hash_seed in ("1", "2")
    }
    assert len(digests) == 1


def test_another_seed_gives_other_people() -> None:
    plans = [Plan(households=40, seed=seed, now=NOW) for seed in (5, 6)]
    for table in set(TABLES) - {"public.districts"}:
        one, other = ("".join(copy_text(table, plan)) for plan in plans)
        assert one != other, table


def test_rows_are_streamed() -> None:
    lines = copy_text(GOLDEN, Plan(households=10**9, now=NOW))
    assert next(lines).startswith("GR-00000001\t")


@pytest.mark.parametrize(
    "wrong",
    [
        {"households": 0},
        {"households": 1, "dirty": 1.1},
        {"households": 1, "records": 7},
        {"households": 1, "now": datetime(2025, 1, 1)},
    ],
)
def test_impossible_plans_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"households|dirty|people|zone"):
        Plan(**wrong)
