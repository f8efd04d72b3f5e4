"""A callback that is as it should be: what is recorded, and what is said about it."""

from __future__ import annotations

import json
import secrets
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from redis import Redis

from synctasks.embedded.waiting import wait_until
from tests.callbacks import PATH, SECRET, Web, add_forecast, answer_on, forecast_id, signed
from tests.rows import Connection, execute, rows

REQUESTED = "SELECT key FROM synctasks.change_log WHERE origin = 'callback' ORDER BY key"
RUNS = "SELECT flow, kind, reason, planned FROM synctasks.run"
_MANY = """\
INSERT INTO forecast.benefit_forecasts (forecast_id)
SELECT ('00000000-0000-4000-b000-' || lpad(number::text, 12, '0'))::uuid
FROM generate_series(1, %s) AS numbered (number)
"""


@pytest.fixture
def warehouse(warehouse: Connection) -> Connection:
    """The warehouse; what its triggers see of forecasts is out of the way."""
    table = "forecast.benefit_forecasts"
    execute(warehouse, f"ALTER TABLE {table} DISABLE TRIGGER USER")
    return warehouse


@pytest.mark.parametrize(
    "body", [{"forecast_id": forecast_id()}, {"forecast_ids": [forecast_id()]}]
)
def test_a_known_forecast_is_recorded_and_a_worker_sent_for(
    web: Web, warehouse: Connection, broker: Redis, body: dict[str, Any]
) -> None:
    add_forecast(warehouse)
    answer = web.post(json.dumps(body).encode())
    assert (answer.status, answer.json) == (202, {"accepted": [forecast_id()], "unknown": []})
    assert rows(warehouse, REQUESTED) == [forecast_id()]
    assert rows(warehouse, RUNS) == [("benefit_forecasts", "keys", "callback", 1)]
    wait_until(lambda: broker.llen("events") == 1, 10, "the message")


def test_unknown_forecasts_are_named_and_not_recorded(web: Web, warehouse: Connection) -> None:
    for number in (2, 4):
        add_forecast(warehouse, number)
    answer = web.announce(*map(forecast_id, (4, 3, 2, 1)))
    assert answer.status == 202
    assert answer.json == {
        "accepted": [forecast_id(4), forecast_id(2)],
        "unknown": [forecast_id(3), forecast_id(1)],
    }
    assert rows(warehouse, REQUESTED) == [forecast_id(2), forecast_id(4)]


def test_where_none_is_known_the_caller_may_come_again(web: Web, warehouse: Connection) -> None:
    refused = web.announce(forecast_id(1), forecast_id(2))
    assert (refused.status, rows(warehouse, RUNS)) == (404, [])
    assert "Commit them before you announce them" in refused.error
    assert forecast_id(1) not in refused.error
    add_forecast(warehouse)
    assert web.announce(forecast_id(1), forecast_id(2)).status == 202


def test_what_is_not_committed_is_not_known(web: Web, warehouse: Connection) -> None:
    execute(warehouse, "BEGIN")
    add_forecast(warehouse)
    assert web.announce(forecast_id()).status == 404
    execute(warehouse, "COMMIT")
    assert web.announce(forecast_id()).status == 202


def test_a_forecast_named_twice_counts_once(web: Web, warehouse: Connection) -> None:
    add_forecast(warehouse)
    answer = web.announce(forecast_id(), forecast_id(7), forecast_id(), forecast_id(7))
    assert answer.json == {"accepted": [forecast_id()], "unknown": [forecast_id(7)]}
    assert rows(warehouse, REQUESTED) == [forecast_id()]


def test_the_same_request_again_is_taken_again(web: Web, warehouse: Connection) -> None:
    add_forecast(warehouse)
    body = json.dumps({"forecast_id": forecast_id()}).encode()
    headers = signed(body)
    answers = [web.ask("POST", PATH, body, headers) for _ in range(3)]
    assert [each.status for each in answers] == [202, 202, 202]
    assert answers[0].json == answers[2].json


def test_values_beside_the_ids_are_not_looked_at(web: Web, warehouse: Connection) -> None:
    add_forecast(warehouse)
    body = {"forecast_id": forecast_id(), "total_annual_value": "987.65", "family_id": None}
    assert web.post(json.dumps(body).encode()).status == 202
    [logged] = rows(warehouse, "SELECT to_jsonb(change_log)::text FROM synctasks.change_log")
    assert (forecast_id() in logged, "987.65" in logged) == (True, False)


def test_as_many_as_fit_are_taken(web: Web, warehouse: Connection) -> None:
    count = 24_000
    execute(warehouse, _MANY, [count])
    answer = web.announce(*(forecast_id(number) for number in range(1, count + 1)))
    assert (answer.status, len(answer.json["accepted"])) == (202, count)
    assert len(rows(warehouse, REQUESTED)) == count


def test_many_callbacks_at_once_are_all_recorded(
    web: Web, warehouse: Connection, broker: Redis
) -> None:
    count = 100
    execute(warehouse, _MANY, [count])
    with ThreadPoolExecutor(count) as callers:
        answers = list(callers.map(web.announce, map(forecast_id, range(1, count + 1))))
    assert {each.status for each in answers} == {202}
    assert len(rows(warehouse, REQUESTED)) == count
    lanes = "SELECT count(DISTINCT lane) FROM synctasks.change_log"
    wait_until(
        lambda: broker.llen("events") == rows(warehouse, lanes)[0], 10, "each lane's message"
    )


def test_a_body_in_chunks_is_taken(web: Web, warehouse: Connection) -> None:
    add_forecast(warehouse)
    body = json.dumps({"forecast_id": forecast_id()}).encode()
    assert web.ask("POST", PATH, iter([body[:9], body[9:]]), signed(body)).status == 202


def test_one_connection_takes_one_callback_after_the_other(web: Web, warehouse: Connection) -> None:
    add_forecast(warehouse)
    known, unknown = (
        json.dumps({"forecast_id": forecast_id(number)}).encode() for number in (1, 2)
    )
    with web.connection() as connection:
        for body, status in ((known, 202), (unknown, 404), (b"{", 422), (known, 202)):
            connection.request("POST", PATH, body, signed(body))
            assert answer_on(connection).status == status


def test_neither_secrets_nor_bodies_are_logged(web: Web, warehouse: Connection) -> None:
    add_forecast(warehouse)
    word = secrets.token_hex(8)
    body = json.dumps({"forecast_id": forecast_id(), "note": word}).encode()
    headers = signed(body)
    assert web.ask("POST", PATH, body, headers).status == 202
    assert web.ask("POST", f"{PATH}?{word}", word, headers).status == 401
    assert web.post(word.encode()).status == 422
    words = web.words()
    assert "callback.recorded" in words
    assert "callback.refused" in words
    for hidden in (SECRET, word, *headers.values()):
        assert hidden not in words
