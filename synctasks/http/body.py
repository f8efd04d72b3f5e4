"""A request's body, within limits of size and time that hold before anybody is known."""

from __future__ import annotations

import asyncio
from http import HTTPStatus

from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request

MOST_BYTES = 1_000_000
MOST_SECONDS = 10.0


async def read(request: Request) -> bytes:
    """The whole body. Raises HTTPException for one that is too long, too slow or broken off."""
    announced = request.headers.get("content-length", "")
    # Refused before a byte of it is read; what is announced wrongly is counted below.
    if announced.isdecimal() and int(announced) > MOST_BYTES:
        raise _too_long()
    try:
        async with asyncio.timeout(MOST_SECONDS):
            return await _read(request)
    except TimeoutError:
        raise HTTPException(
            HTTPStatus.REQUEST_TIMEOUT,
            f"the body did not arrive within {MOST_SECONDS:.0f} s. Send it again",
            headers={"Connection": "close"},
        ) from None
    except ClientDisconnect:
        raise HTTPException(
            HTTPStatus.BAD_REQUEST, "the connection ended before the body did. Send it again"
        ) from None


async def _read(request: Request) -> bytes:
    body = bytearray()
    async for part in request.stream():
        body += part
        if len(body) > MOST_BYTES:
            raise _too_long()
    return bytes(body)


def _too_long() -> HTTPException:
    return HTTPException(
        HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
        f"the body is longer than {MOST_BYTES:,} bytes. Send the ids in several requests",
    )
