"""The signature of a callback: HMAC-SHA256 over its timestamp, a dot and its body."""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Mapping
from http import HTTPStatus

from starlette.exceptions import HTTPException

TIMESTAMP_HEADER = "X-Synctasks-Timestamp"
SIGNATURE_HEADER = "X-Synctasks-Signature"
TOLERANCE_SECONDS = 300

_SECONDS = re.compile(r"[0-9]{1,12}")


def sign(secret: bytes, timestamp: str, body: bytes) -> str:
    """What the signature's header must hold."""
    message = timestamp.encode("latin-1") + b"." + body
    return f"sha256={hmac.new(secret, message, hashlib.sha256).hexdigest()}"


def check(secret: bytes, headers: Mapping[str, str], body: bytes, now: float) -> None:
    """Raise HTTPException (401) unless the body was signed with the secret, and lately."""
    timestamp = headers.get(TIMESTAMP_HEADER)
    signature = headers.get(SIGNATURE_HEADER)
    if timestamp is None or signature is None:
        raise _unauthorized(
            f"the request is not signed. Send {TIMESTAMP_HEADER} and {SIGNATURE_HEADER}"
        )
    # As bytes: the comparison in constant time takes no text beyond ASCII.
    given, expected = signature.encode("latin-1").lower(), sign(secret, timestamp, body).encode()
    if not hmac.compare_digest(given, expected):
        raise _unauthorized(
            f"the signature does not fit. {SIGNATURE_HEADER} is sha256= and the hex HMAC-SHA256, "
            f"with our common secret, of {TIMESTAMP_HEADER}, a dot and the body as it is sent"
        )
    if not _SECONDS.fullmatch(timestamp):
        raise _unauthorized(f"{TIMESTAMP_HEADER} is no time. Send Unix seconds, in digits")
    if abs(now - int(timestamp)) > TOLERANCE_SECONDS:
        raise _unauthorized(
            f"{TIMESTAMP_HEADER} is more than {TOLERANCE_SECONDS} s away from the clock here. "
            "Sign each request anew, and compare the clocks"
        )


def _unauthorized(error: str) -> HTTPException:
    return HTTPException(HTTPStatus.UNAUTHORIZED, error)
