"""How long a request's body may take, before anybody knows whose it is."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from starlette.exceptions import HTTPException
from starlette.requests import Request

from synctasks.http import body


def request(receive: Callable[[], Awaitable[dict[str, Any]]]) -> Request:
    return Request({"type": "http", "method": "POST", "path": "/", "headers": []}, receive)


def test_one_that_trickles_in_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(body, "MOST_SECONDS", 0.05)

    async def trickle() -> dict[str, Any]:
        await asyncio.sleep(0.01)
        return {"type": "http.request", "body": b" ", "more_body": True}

    with pytest.raises(HTTPException) as refused:
        asyncio.run(body.read(request(trickle)))
    assert (refused.value.status_code, refused.value.headers) == (408, {"Connection": "close"})


def test_no_more_is_read_than_may_be() -> None:
    read: list[int] = []

    async def without_end() -> dict[str, Any]:
        read.append(100_000)
        return {"type": "http.request", "body": bytes(100_000), "more_body": True}

    with pytest.raises(HTTPException) as refused:
        asyncio.run(body.read(request(without_end)))
    assert (refused.value.status_code, sum(read)) == (413, body.MOST_BYTES + 100_000)
