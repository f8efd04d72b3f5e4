"""Callbacks and requests that are refused: with which status, and that nothing comes of them."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator

import pytest

from synctasks.embedded.waiting import wait_until
from synctasks.http.body import MOST_BYTES
from synctasks.http.signature import SIGNATURE_HEADER, TIMESTAMP_HEADER, sign
from tests.callbacks import PATH, SECRET, Answer, Web, add_forecast, forecast_id, signed
from tests.conftest import connected
from tests.rows import Connection, rows
from tests.workspace import WAREHOUSE, Workspace

BODY = json.dumps({"forecast_id": forecast_id()}).encode()


@pytest.fixture(scope="module")
def known(renewed: Workspace) -> Iterator[Connection]:
    """The warehouse; it knows the forecast of BODY."""
    with connected(renewed.environment[WAREHOUSE]) as warehouse:
        add_forecast(warehouse)
        yield warehouse


@pytest.fixture
def web(served: Web, known: Connection) -> Iterator[Web]:
    """The server; whatever is asked of it here, nothing comes of it."""
    yield served
    assert rows(known, "SELECT origin FROM synctasks.change_log") == ["captured"]
    assert "Traceback" not in served.words()


def with_headers(web: Web, headers: dict[str, str], body: bytes = BODY) -> Answer:
    return web.ask("POST", PATH, body, headers)


@pytest.mark.parametrize("missing", [TIMESTAMP_HEADER, SIGNATURE_HEADER])
def test_a_request_that_is_not_signed(web: Web, missing: str) -> None:
    headers = signed(BODY)
    del headers[missing]
    answer = with_headers(web, headers)
    assert (answer.status, "the request is not signed" in answer.error) == (401, True)


@pytest.mark.parametrize("body", [BODY, b"", b"{"])
def test_one_signed_with_another_secret_whatever_is_in_it(web: Web, body: bytes) -> None:
    answer = with_headers(web, signed(body, secret="guessed"), body)
    assert (answer.status, "the signature does not fit" in answer.error) == (401, True)


def test_a_body_that_was_changed_on_the_way(web: Web) -> None:
    assert with_headers(web, signed(BODY), BODY + b" ").status == 401


def test_a_timestamp_that_was_changed_on_the_way(web: Web) -> None:
    headers = signed(BODY, age=400) | {TIMESTAMP_HEADER: signed(BODY)[TIMESTAMP_HEADER]}
    assert "the signature does not fit" in with_headers(web, headers).error


@pytest.mark.parametrize("form", ["{}", "sha1={}", "sha256={}0", "sha256=", "", "sha256=\xe9{}"])
def test_a_signature_in_another_form(web: Web, form: str) -> None:
    headers = signed(BODY)
    digest = headers[SIGNATURE_HEADER].removeprefix("sha256=")
    headers[SIGNATURE_HEADER] = form.format(digest)
    assert with_headers(web, headers).status == 401


@pytest.mark.parametrize("age", [320, -320, 10**9])
def test_one_that_was_signed_too_long_ago_or_in_the_future(web: Web, age: int) -> None:
    answer = with_headers(web, signed(BODY, age=age))
    assert (answer.status, "more than 300 s away" in answer.error) == (401, True)


@pytest.mark.parametrize("timestamp", ["", "soon", "-5", "1e9", "1" * 13, "17\xb2"])
def test_a_timestamp_that_is_none(web: Web, timestamp: str) -> None:
    headers = {
        TIMESTAMP_HEADER: timestamp,
        SIGNATURE_HEADER: sign(SECRET.encode(), timestamp, BODY),
    }
    answer = with_headers(web, headers)
    assert (answer.status, "is no time" in answer.error) == (401, True)


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"", "is no JSON"),
        (b"{", "is no JSON"),
        (b"\xff\xfe{", "is no JSON"),
        (b'{"forecast_id": ' + b"7" * 5_000 + b"}", "is no JSON"),
        (b"[" * 400_000, "is nested too deeply"),
        (b'{"a":' * 100_000, "is nested too deeply"),
        (b"null", "no object with one of the two names"),
        (b'["forecast_id"]', "no object with one of the two names"),
        (b"{}", "no object with one of the two names"),
        (b'{"forecast_id": "x", "forecast_ids": []}', "no object with one of the two names"),
        (b'{"forecast_ids": []}', "forecast_ids is empty"),
        (b'{"forecast_ids": null}', "forecast_ids is no list"),
        (b'{"forecast_ids": {"x": 1}}', "forecast_ids is no list"),
        (b'{"forecast_ids": "x"}', "forecast_ids is no list"),
        (b'{"forecast_id": null}', "id 1 of 1: it is no text"),
        (b'{"forecast_id": 17}', "id 1 of 1: it is no text"),
        (b'{"forecast_id": []}', "id 1 of 1: it is no text"),
        (b'{"forecast_id": ""}', "id 1 of 1: it is no UUID"),
        (b'{"forecast_id": "\\ud800"}', "id 1 of 1: it is no UUID"),
        (b'{"forecast_id": "\\u0000"}', "id 1 of 1: it is no UUID"),
    ],
    ids=lambda value: value[:30],
)
def test_a_body_that_is_malformed_or_empty(web: Web, body: bytes, said: str) -> None:
    answer = web.post(body)
    assert (answer.status, said in answer.error) == (422, True), answer


@pytest.mark.parametrize(
    "form", ["{}\n", "{{{}}}", "urn:uuid:{}", "{} OR true", "{}, {}"], ids=lambda form: form
)
def test_an_id_that_only_resembles_a_uuid(web: Web, form: str) -> None:
    wrong = form.format(forecast_id(), forecast_id())
    answer = web.announce(forecast_id(), wrong)
    assert answer.status == 422
    assert "id 2 of 2: it is no UUID in its canonical form" in answer.error
    assert forecast_id() not in answer.error


def test_an_id_in_capitals(web: Web) -> None:
    assert web.announce(forecast_id().upper()).status == 422


def test_a_body_that_is_announced_as_too_long_is_not_even_awaited(web: Web) -> None:
    with web.connection() as connection:
        connection.putrequest("POST", PATH)
        connection.putheader("Content-Length", str(MOST_BYTES + 1))
        connection.endheaders()
        assert connection.getresponse().status == 413


def test_a_body_that_is_too_long_without_a_word_of_it(web: Web) -> None:
    part = b" " * 100_000
    answer = web.ask("POST", PATH, iter([part] * 20), signed(part * 20))
    assert (answer.status, "longer than 1,000,000 bytes" in answer.error) == (413, True)


@pytest.mark.parametrize(("more", "status"), [(0, 422), (1, 413)])
def test_the_limit_is_a_million_bytes(web: Web, more: int, status: int) -> None:
    assert web.post(b" " * (MOST_BYTES + more)).status == status


@pytest.mark.parametrize("length", ["x", "-1", "9" * 30])
def test_a_length_that_is_none(web: Web, length: str) -> None:
    with socket.create_connection(("127.0.0.1", web.port), timeout=10) as raw:
        raw.sendall(f"POST {PATH} HTTP/1.1\r\nHost: x\r\nContent-Length: {length}\r\n\r\n".encode())
        status = int(raw.recv(1_000).split()[1])
    assert status in (400, 413)


def test_a_caller_who_goes_away_in_the_middle(web: Web) -> None:
    before = web.refused(400)
    with web.connection() as connection:
        connection.putrequest("POST", PATH)
        connection.putheader("Content-Length", "100")
        connection.endheaders(b"{")
    assert web.get("/healthz").status == 200
    wait_until(lambda: web.refused(400) > before, 10, "a word about it")


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "PATCH", "OPTIONS"])
def test_another_method(web: Web, method: str) -> None:
    answer = web.ask(method, PATH, BODY, signed(BODY))
    assert (answer.status, answer.headers["allow"]) == (405, "POST")
    assert "The header Allow lists" in answer.error


@pytest.mark.parametrize("path", [f"{PATH}/", f"{PATH}/x", "/callbacks", "/x", "//callbacks"])
def test_another_path(web: Web, path: str) -> None:
    answer = web.ask("POST", path, BODY, signed(BODY))
    assert (answer.status, "there is no such path" in answer.error) == (404, True)
