"""A batch that fails as a whole is split until the guilty record stands alone."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from math import log2
from typing import Any
from unittest import mock

import pytest

from synctasks.database import Transaction
from synctasks.engine.drain import drain
from synctasks.flows.to_citizen.profile_data import PROFILE_DATA
from synctasks.lane import lane_sql
from tests.letters import UNMISTAKABLE, full_run, letter, letters
from tests.rows import Connection, add_record, execute, names_at_portal, rows, value

Work = Callable[[], None]

NOWHERE = "ALTER TABLE profile_data ADD CONSTRAINT known CHECK (city <> 'Nowhere')"
REFUSE = """\
CREATE FUNCTION public.refuse() RETURNS trigger LANGUAGE plpgsql AS $body$
BEGIN
    RAISE EXCEPTION 'not %', NEW USING ERRCODE = '{code}';
END
$body$;
CREATE {constraint} TRIGGER refuse {when} INSERT OR UPDATE ON public.profile_data {deferred}
FOR EACH ROW WHEN (NEW.city = 'Nowhere') EXECUTE FUNCTION public.refuse();
"""
AT_COMMIT = {
    "constraint": "CONSTRAINT",
    "when": "AFTER",
    "deferred": "DEFERRABLE INITIALLY DEFERRED",
}
AT_ONCE = {"constraint": "", "when": "BEFORE", "deferred": ""}

INSERT = """\
INSERT INTO golden_records (gr_id, full_name, city_village, updated_at)
SELECT key, 'Asha Devi', 'Jaipur', clock_timestamp() FROM unnest(%s) AS key
"""
# In this order, which is the order in a batch.
ASK = """\
INSERT INTO synctasks.change_log (flow, lane, key, operation, origin)
SELECT 'profile_data', %(lane)s, key, 'request', 'repair'
FROM unnest(%(keys)s) WITH ORDINALITY AS asked (key, place)
ORDER BY place
"""
COUNTS = "SELECT sum(read)::int, sum(written)::int, sum(rejected)::int FROM synctasks.history"
LANE = 3


@contextmanager
def counted() -> Iterator[list[str]]:
    """The statements that reach either server within the block."""
    sent: list[str] = []

    def note(method: Callable[..., Any]) -> Callable[..., Any]:
        def noting(self: Transaction, sql: str, *arguments: Any) -> Any:
            sent.append(sql)
            return method(self, sql, *arguments)

        return noting

    with (
        mock.patch.object(Transaction, "_run", note(Transaction._run)),
        mock.patch.object(Transaction, "copy", note(Transaction.copy)),
    ):
        yield sent


def keys_of_lane(warehouse: Connection, count: int) -> list[str]:
    """So many keys that are worked in one lane."""
    lane = lane_sql("key", PROFILE_DATA.lanes)
    statement = (
        "SELECT key FROM (SELECT 'GR-' || n AS key FROM generate_series(1, %s) AS n) AS made "
        f"WHERE {lane} = {LANE} ORDER BY key LIMIT %s"
    )
    return rows(warehouse, statement, [count * 20, count])


@pytest.mark.parametrize("columns", [{"gender": "female"}, {"city_village": "Nowhere"}])
def test_one_bad_record_among_five_hundred_of_a_lane_delays_none(
    warehouse: Connection, citizen: Connection, columns: dict[str, str]
) -> None:
    """One batch, whether the contract or the portal refuses it."""
    execute(citizen, NOWHERE)
    *keys, wrong = keys_of_lane(warehouse, 500)
    add_record(warehouse, wrong, **columns)
    execute(warehouse, INSERT, [keys])
    assert drain(PROFILE_DATA, LANE) is False
    assert names_at_portal(citizen).keys() == set(keys)
    assert [each["record"] for each in letters(warehouse)] == [wrong]
    assert value(warehouse, COUNTS) == (500, 499, 1)
    assert value(warehouse, "SELECT count(*) FROM synctasks.lane WHERE retry_at IS NOT NULL") == 0


@pytest.mark.parametrize("guilty", [0, 149, 299], ids=["first", "in the middle", "last"])
def test_a_guilty_row_among_three_hundred_of_a_drain_costs_few_statements(
    warehouse: Connection, citizen: Connection, guilty: int
) -> None:
    execute(citizen, NOWHERE)
    keys = keys_of_lane(warehouse, 300)
    execute(warehouse, INSERT, [keys])
    with counted() as without:
        drain(PROFILE_DATA, LANE)
    execute(citizen, "TRUNCATE profile_data")
    spoil(warehouse, keys[guilty])
    execute(warehouse, f"DELETE FROM synctasks.change_log; {ASK}", {"lane": LANE, "keys": keys})
    with counted() as sent:
        drain(PROFILE_DATA, LANE)
    assert names_at_portal(citizen).keys() == set(keys) - {keys[guilty]}
    assert_letters_without_values(warehouse, [keys[guilty]])
    assert_few(sent, without, of=300)


def test_a_guilty_row_among_ten_thousand_of_a_full_run_costs_few_statements(
    warehouse: Connection, citizen: Connection
) -> None:
    execute(citizen, NOWHERE)
    keys = [f"GR-{number:05}" for number in range(10_000)]
    execute(warehouse, INSERT, [keys])
    execute(warehouse, "DELETE FROM synctasks.change_log")
    with counted() as without:
        full_run(PROFILE_DATA)
    execute(citizen, "TRUNCATE profile_data")
    spoil(warehouse, keys[7_777])
    execute(warehouse, "DELETE FROM synctasks.change_log")
    with counted() as sent:
        counts = full_run(PROFILE_DATA)
    assert (counts["read"], counts["written"], counts["rejected"]) == (10_000, 9_999, 1)
    assert names_at_portal(citizen).keys() == set(keys) - {keys[7_777]}
    assert_letters_without_values(warehouse, [keys[7_777]])
    assert_few(sent, without, of=10_000)


def test_several_guilty_rows_stand_alone_each(
    carry: Work, warehouse: Connection, citizen: Connection
) -> None:
    execute(citizen, NOWHERE)
    keys = keys_of_lane(warehouse, 100)
    guilty = [keys[0], keys[1], keys[50], keys[99]]
    execute(warehouse, INSERT, [keys])
    spoil(warehouse, *guilty)
    carry()
    assert names_at_portal(citizen).keys() == set(keys) - set(guilty)
    assert_letters_without_values(warehouse, guilty)


@pytest.mark.parametrize("way", ["drain", "full run"])
def test_a_value_that_cannot_be_mapped_at_the_source_stops_only_its_row(
    carry: Work, warehouse: Connection, citizen: Connection, way: str
) -> None:
    """The source's own query fails, and its message repeats the value."""
    execute(warehouse, "ALTER TABLE golden_records ALTER COLUMN district_id TYPE text")
    execute(warehouse, "ALTER TABLE districts ALTER COLUMN district_id TYPE text")
    keys = keys_of_lane(warehouse, 20)
    execute(warehouse, INSERT, [keys])
    execute(warehouse, "INSERT INTO districts VALUES ('99999999999', 'Too far')")
    far = "district_id = '99999999999', updated_at = clock_timestamp()"
    execute(warehouse, f"UPDATE golden_records SET {far} WHERE gr_id = %s", [keys[10]])
    by(way, carry, warehouse)
    assert names_at_portal(citizen).keys() == set(keys) - {keys[10]}
    found = letter(warehouse, keys[10])
    assert (found["category"], found["error"]) == (
        "accuracy",
        "warehouse: numeric value out of range [22003]",
    )
    assert "99999999999" not in found["stack_trace"]


@pytest.mark.parametrize(
    ("code", "when"),
    [("P0001", AT_ONCE), ("Z0001", AT_ONCE), ("23514", AT_COMMIT)],
    ids=["raised", "a code of its own", "at the commit"],
)
@pytest.mark.parametrize("way", ["drain", "full run"])
def test_whatever_the_portal_has_against_a_row_stops_only_that(
    carry: Work,
    warehouse: Connection,
    citizen: Connection,
    code: str,
    when: dict[str, str],
    way: str,
) -> None:
    """SQLSTATE classes from I on are anybody's own; a deferred constraint speaks at the commit."""
    execute(citizen, REFUSE.format(code=code, **when))
    keys = keys_of_lane(warehouse, 20)
    execute(warehouse, INSERT, [keys])
    spoil(warehouse, keys[10])
    by(way, carry, warehouse)
    assert names_at_portal(citizen).keys() == set(keys) - {keys[10]}
    assert_letters_without_values(warehouse, [keys[10]])


def by(way: str, carry: Work, warehouse: Connection) -> None:
    """Carry over what is there by its events, or by a full run."""
    if way == "full run":
        execute(warehouse, "DELETE FROM synctasks.change_log")
        full_run(PROFILE_DATA)
    else:
        carry()


def spoil(warehouse: Connection, *keys: str) -> None:
    """Make records such that the portal refuses them, with values that stand nowhere else."""
    names = "jan_aadhaar, full_name, mobile_number, email, city_village, updated_at"
    execute(
        warehouse,
        f"UPDATE golden_records SET ({names}) = (%(jan_aadhaar)s, %(full_name)s, "
        "%(mobile_number)s, %(email)s, 'Nowhere', clock_timestamp()) "
        "WHERE gr_id = ANY (%(keys)s)",
        {**UNMISTAKABLE, "keys": list(keys)},
    )


def assert_letters_without_values(warehouse: Connection, records: Sequence[str]) -> None:
    """There is a letter for each of them and for no other, with a trace and no value."""
    found = letters(warehouse)
    assert sorted(each["record"] for each in found) == sorted(records)
    for each in found:
        assert (each["kind"], each["unit"], each["state"]) == ("record", each["record"], "open")
        assert each["category"] in ("consistency", "accuracy")
        assert "Traceback (most recent call last)" in each["stack_trace"]
        shown = str({name: text for name, text in each.items() if name != "source_row"})
        assert not [text for text in (*UNMISTAKABLE.values(), "Nowhere") if text in shown]


def assert_few(sent: Sequence[str], without: Sequence[str], *, of: int) -> None:
    """A guilty row costs so many statements more as halving needs, and far fewer than rows."""
    more = len(sent) - len(without)
    assert 0 < more <= 16 * log2(of) + 20, f"{len(without)} statements without it, {more} more"
