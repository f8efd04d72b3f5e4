"""Promise 5: no unmasked value of a golden record stands anywhere but in the warehouse's tables."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from redis import Redis

from synctasks.embedded.waiting import wait_until
from synctasks.sample.generate import Plan, fill_tables
from tests.acceptance.eavesdropper import Eavesdropper, Secrets
from tests.acceptance.system import System
from tests.rows import Connection, add_record, execute, rows

RECORDS = 1_000
# Values as people type them: what a mask does not know, it must not show.
DOUBTFUL = {
    "GR-grouped": {"jan_aadhaar": "5521 4478 9903", "mobile_number": "98290-55512"},
    "GR-longer": {"jan_aadhaar": "0552144789904", "mobile_number": "09829055513"},
    "GR-mobile": {"mobile_number": "+91 98290 55514", "email": "asha@home@example.com"},
    "GR-devanagari": {"jan_aadhaar": "\u0967\u0968\u0969\u096a" * 3, "email": "asha.example.com"},
}
SYNC = ("synctasks", "sync", "profile_data", "--json")

_TABLES = """\
SELECT format('%%I.%%I', schemaname, tablename)
FROM pg_tables
WHERE schemaname = ANY (%s)
"""
_TOUCH = """\
UPDATE golden_records SET full_name = full_name || ' Devi', updated_at = clock_timestamp()
WHERE gr_id < 'GR-00000200'
"""
_DEAD = "SELECT count(*) FROM synctasks.dead_letter"


@pytest.mark.parametrize(
    "text",
    [
        "Key (jan_aadhaar)=(963661064793)",
        "+919977266060",
        'e-mail "asha@example.com" is',
        "x 98290-55512 x",
        '{"body": "eyJrZXlzIjogWyI5NjM2NjEwNjQ3OTMiXX0="}',
    ],
)
def test_the_search_finds_what_it_looks_for(text: str) -> None:
    secrets = Secrets(["963661064793", "9977266060", "asha@example.com", "98290-55512", "", None])
    assert len(secrets.within(text)) == 1
    assert not secrets.within("****-****-4793, ******6060, a***@example.com, 1977266060, ****")


def test_nothing_personal_leaves_the_warehouses_own_tables(system: System) -> None:
    system.start("beat")
    with (
        Eavesdropper(system.environment["SYNCTASKS_BROKER_URL"]) as eavesdropper,
        system.warehouse() as warehouse,
    ):
        fill_tables(warehouse, ["public.golden_records"], Plan.of_records(RECORDS))
        for key, columns in DOUBTFUL.items():
            add_record(warehouse, key, **columns)
        personal = "SELECT unnest(ARRAY[jan_aadhaar, mobile_number, email]) FROM golden_records"
        secrets = Secrets(rows(warehouse, personal))
        system.quiesce()
        execute(warehouse, _TOUCH)
        said = [system.run(*SYNC).stdout]
        with failure_at_the_portal(system, warehouse):
            failed = system.run(*SYNC)
            said += [failed.stdout, failed.stderr]
        with failure_at_the_warehouse(system, warehouse):
            pass
        system.quiesce()
    places = {**tables(system), **logs(system), "what commands say": "\n".join(said)}
    with system.broker() as broker:
        places["what Redis holds"] = contents(broker)
    places["what Redis was told"] = eavesdropper.text
    for place, text in places.items():
        assert text, f"there is something to search in {place}"
        assert not secrets.within(text), f"{place} has personal values"


@contextmanager
def failure_at_the_portal(system: System, warehouse: Connection) -> Iterator[None]:
    """A row that a constraint refuses: PostgreSQL's DETAIL then shows all of it."""
    with system.citizen() as citizen:
        execute(citizen, "ALTER TABLE profile_data ADD CONSTRAINT known CHECK (city <> 'Nowhere')")
        execute(
            warehouse,
            "UPDATE golden_records SET city_village = 'Nowhere' WHERE gr_id = 'GR-00000001'",
        )
        try:
            await_failure(system, "constraint known")
            yield
        finally:
            execute(citizen, "ALTER TABLE profile_data DROP CONSTRAINT known")
    go_on(warehouse)


@contextmanager
def failure_at_the_warehouse(system: System, warehouse: Connection) -> Iterator[None]:
    """An Aadhaar number where a date belongs: PostgreSQL's message then repeats it."""
    execute(warehouse, "ALTER TABLE golden_records ALTER COLUMN date_of_birth TYPE text")
    execute(
        warehouse,
        "UPDATE golden_records SET date_of_birth = jan_aadhaar WHERE gr_id = 'GR-00000002'",
    )
    try:
        await_failure(system, "[22007]", "[22008]", "[42883]")
        yield
    finally:
        execute(warehouse, "UPDATE golden_records SET date_of_birth = NULL")
        execute(
            warehouse,
            "ALTER TABLE golden_records ALTER COLUMN date_of_birth TYPE date "
            "USING date_of_birth::date",
        )
    go_on(warehouse)


def await_failure(system: System, *signs: str) -> None:
    """Wait until the worker has logged one of the signs, or stored a dead letter more."""
    before = system.at_warehouse(_DEAD)

    def failed() -> bool:
        words = system.worker.words()
        return any(sign in words for sign in signs) or system.at_warehouse(_DEAD) > before

    wait_until(failed, 15, f"a failure that says {signs[0]!r}")


def go_on(warehouse: Connection) -> None:
    """What failed is mended: end the pause of its lane."""
    execute(warehouse, "UPDATE synctasks.lane SET retry_at = NULL")


def tables(system: System) -> dict[str, str]:
    """Every column of the portal's tables and of our own in both databases, as text."""
    with system.citizen() as citizen, system.warehouse() as warehouse:
        return {
            "the portal's side": dump(citizen, ["public", "synctasks"]),
            "our bookkeeping at the warehouse": dump(warehouse, ["synctasks"]),
        }


def dump(connection: Connection, schemas: list[str]) -> str:
    texts = []
    for table in rows(connection, _TABLES, [schemas]):
        with connection.cursor() as cursor:
            cursor.execute(f"SELECT * FROM {table}")
            texts += [as_text(value) for row in cursor for value in row]
    return "\n".join(texts)


def as_text(value: object) -> str:
    return bytes(value).decode("latin-1") if isinstance(value, memoryview) else str(value)


def logs(system: System) -> dict[str, str]:
    """What our processes and the portal's own server have logged."""
    found = {
        f"{name}'s log": system.program(name).words() for name in ("worker", "listener", "beat")
    }
    found["the portal's server log"] = system.servers.citizen.log.read_text(errors="replace")
    return found


def contents(broker: Redis) -> str:
    """All keys with their values."""
    return "\n".join(
        f"{key!r} {READERS[broker.type(key)](broker, key)!r}" for key in broker.scan_iter()
    )


READERS: dict[bytes, Callable[[Redis, bytes], object]] = {
    b"string": lambda broker, key: broker.get(key),
    b"list": lambda broker, key: broker.lrange(key, 0, -1),
    b"set": lambda broker, key: broker.smembers(key),
    b"zset": lambda broker, key: broker.zrange(key, 0, -1),
    b"hash": lambda broker, key: broker.hgetall(key),
    # A key may expire before it is read.
    b"none": lambda broker, key: None,
}
