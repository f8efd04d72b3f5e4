"""Callbacks that come in crowds, and where a database or the broker does not answer."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from starlette.exceptions import HTTPException
from starlette.requests import Request

from synctasks import dispatch
from synctasks.http import callback, forecasts
from synctasks.http.courier import Courier, Lane


@pytest.fixture
def released() -> Iterator[threading.Event]:
    """What a silent server waits for; at the end it is there, so that threads end."""
    event = threading.Event()
    yield event
    event.set()


def test_only_so_many_bodies_are_held_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(callback, "_MOST_AT_ONCE", 1)
    read: list[str] = []

    async def call() -> None:
        taking = callback.Callback(b"secret")
        let_go = asyncio.Event()

        def request(name: str) -> Request:
            async def receive() -> dict[str, Any]:
                read.append(name)
                await let_go.wait()
                return {"type": "http.request", "body": b"", "more_body": False}

            return Request({"type": "http", "method": "POST", "path": "/", "headers": []}, receive)

        both = [asyncio.create_task(taking.answer(request(name))) for name in ("first", "second")]
        for _ in range(20):
            await asyncio.sleep(0)
        assert read == ["first"]
        let_go.set()
        refused = await asyncio.gather(*both, return_exceptions=True)
        assert [each.status_code for each in refused if isinstance(each, HTTPException)] == [
            401
        ] * 2

    asyncio.run(call())
    assert read == ["first", "second"]


def test_a_database_that_says_nothing_is_given_up(
    monkeypatch: pytest.MonkeyPatch, released: threading.Event
) -> None:
    monkeypatch.setattr(callback, "_RECORD_SECONDS", 0.05)
    monkeypatch.setattr(forecasts, "record", lambda _: released.wait(10))

    async def call() -> None:
        try:
            await callback.Callback(b"secret")._record([])
        finally:
            # The loop itself waits for its threads.
            released.set()

    with pytest.raises(HTTPException) as refused:
        asyncio.run(call())
    assert (refused.value.status_code, refused.value.headers) == (503, {"Retry-After": "5"})
    assert "no answer within" in refused.value.detail


def test_what_comes_while_the_broker_is_silent_goes_together(
    monkeypatch: pytest.MonkeyPatch, released: threading.Event
) -> None:
    sent: list[set[Lane]] = []

    def send_drains(lanes: set[Lane]) -> None:
        sent.append(lanes)
        released.wait(10)

    monkeypatch.setattr(dispatch, "send_drains", send_drains)

    async def call() -> None:
        courier = Courier()
        first = asyncio.create_task(courier.send([("flow", 1)]))
        while not sent:
            await asyncio.sleep(0)
        await courier.send([("flow", 2)])
        await courier.send([("flow", 2), ("flow", 3)])
        released.set()
        await first
        await courier.send([("flow", 1)])

    asyncio.run(call())
    assert sent == [{("flow", 1)}, {("flow", 2), ("flow", 3)}, {("flow", 1)}]
