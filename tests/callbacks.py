"""Callbacks for forecasts as their service sends them, and the forecasts that they name."""

from __future__ import annotations

import http.client
import json
import time
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from synctasks.embedded.ports import free_ports
from synctasks.embedded.waiting import wait_until
from synctasks.http.signature import SIGNATURE_HEADER, TIMESTAMP_HEADER, sign
from synctasks.settings import SECRET_VARIABLE
from tests.logs import events
from tests.programs import Changes, running
from tests.rows import Connection, insert

PATH = "/callbacks/forecasts"
SECRET = "what both sides of the callback know"
LISTENING = "serve.listening"

FORECAST: dict[str, Any] = {
    "family_id": "7d444840-9dc0-41e0-9a5b-30d4c2f5c8a1",
    "horizon_months": 12,
    "total_annual_value": "18000.50",
    "scheme_count": 3,
    "projections": '[{"month": 1, "value": 1500}]',
    "generated_at": "2025-04-01 09:15+00",
}


@dataclass(frozen=True)
class Answer:
    """What came back: the status, the headers, and the JSON that every answer is."""

    status: int
    headers: Mapping[str, str]
    json: Any

    @property
    def error(self) -> str:
        """The one thing that an answer says if it is no success."""
        assert list(self.json) == ["error"], self.json
        return str(self.json["error"])


@dataclass(frozen=True)
class Web:
    """A running `synctasks serve`."""

    port: int
    log: Path

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}{PATH}"

    def words(self) -> str:
        """All that it has logged."""
        return self.log.read_text()

    def refused(self, status: int) -> int:
        """How often it has logged that it refused a callback so."""
        return len(events(self.words(), "callback.refused", status=status))

    def get(self, path: str) -> Answer:
        return self.ask("GET", path)

    def announce(self, *forecasts: str) -> Answer:
        """A callback that names these forecasts, as it should be."""
        return self.post(json.dumps({"forecast_ids": forecasts}).encode())

    def post(self, body: bytes) -> Answer:
        """A body as it is, signed as it should be."""
        return self.ask("POST", PATH, body, signed(body))

    def ask(
        self, method: str, path: str, body: Any = None, headers: Mapping[str, str] | None = None
    ) -> Answer:
        """Any request. A body that is an iterator is sent in chunks, its length not announced."""
        with self.connection() as connection:
            connection.request(
                method, path, body, headers or {}, encode_chunked=isinstance(body, Iterator)
            )
            return answer_on(connection)

    def connection(self) -> closing[http.client.HTTPConnection]:
        return closing(http.client.HTTPConnection("127.0.0.1", self.port, timeout=30))


def answer_on(connection: http.client.HTTPConnection) -> Answer:
    """The answer to what was sent on a connection."""
    response = connection.getresponse()
    assert response.headers["content-type"] == "application/json"
    return Answer(response.status, dict(response.headers), json.loads(response.read()))


def signed(body: bytes, *, age: float = 0, secret: str = SECRET) -> dict[str, str]:
    """The headers of a callback that was signed so many seconds ago."""
    timestamp = str(int(time.time() - age))
    return {TIMESTAMP_HEADER: timestamp, SIGNATURE_HEADER: sign(secret.encode(), timestamp, body)}


@contextmanager
def serving(home: Path, env: Changes | None = None) -> Iterator[Web]:
    """A `synctasks serve` for the length of a block; it must live to its end."""
    [port] = free_ports(1)
    web = Web(port, home / f"serve-{port}.log")
    command = ("synctasks", "serve", "--port", str(port))
    with running(*command, log=web.log, env={SECRET_VARIABLE: SECRET, **(env or {})}) as process:
        wait_until(
            lambda: LISTENING in web.words() or process.poll() is not None, 20, "it to listen"
        )
        assert process.poll() is None, web.words()
        yield web
        assert process.poll() is None, web.words()


def forecast_id(number: int = 1) -> str:
    """The id of a forecast; they sort as their numbers do."""
    return f"00000000-0000-4000-b000-{number:012}"


def add_forecast(warehouse: Connection, number: int = 1, **columns: Any) -> str:
    """A valid forecast in the warehouse, but for these columns; its id."""
    row = {**FORECAST, **columns, "forecast_id": forecast_id(number)}
    insert(warehouse, "forecast.benefit_forecasts", row)
    return forecast_id(number)
