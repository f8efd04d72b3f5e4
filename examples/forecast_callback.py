#!/usr/bin/env python3
"""Tell synctasks which forecasts are new or changed: the callback, signed and sent.

Only the standard library is needed. Copy `announce` into your service: call it after the commit
of the forecasts, and let it send again what could not be taken yet.
"""

from __future__ import annotations

import argparse
import hashlib
import hmac
import json
import os
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Sequence

SECRET_VARIABLE = "SYNCTASKS_CALLBACK_SECRET"
WAITS = (1, 2, 4, 8, 8)
# Not committed yet, or nothing can be recorded now: the same request may do later.
AGAIN = (404, 408, 429, 500, 502, 503, 504)


def announce(
    url: str, secret: bytes, forecast_ids: Sequence[str], waits: Sequence[float] = WAITS
) -> tuple[int, str]:
    """Send until it is taken, or refused for good: the last answer's status (0: none) and body."""
    body = json.dumps({"forecast_ids": list(forecast_ids)}).encode()
    status, answer = post(url, secret, body)
    for seconds in waits:
        if status and status not in AGAIN:
            break
        time.sleep(seconds)
        status, answer = post(url, secret, body)
    return status, answer


def post(url: str, secret: bytes, body: bytes) -> tuple[int, str]:
    """Sign a body and send it once: a signature holds for five minutes, each try has its own."""
    timestamp = str(int(time.time()))
    digest = hmac.new(secret, timestamp.encode() + b"." + body, hashlib.sha256).hexdigest()
    request = urllib.request.Request(
        url,
        data=body,
        headers={
            "Content-Type": "application/json",
            "X-Synctasks-Timestamp": timestamp,
            "X-Synctasks-Signature": f"sha256={digest}",
        },
    )
    try:
        with urllib.request.urlopen(request, timeout=30) as response:
            return response.status, response.read().decode()
    except urllib.error.HTTPError as refusal:
        return refusal.code, refusal.read().decode(errors="replace")
    except OSError as error:
        return 0, f"no answer: {getattr(error, 'reason', None) or error}"


def main() -> int:
    """The command line: prints the answer; 0 if it was taken, 1 if not, 2 for wrong usage."""
    parser = argparse.ArgumentParser(
        description="Tell synctasks that these forecasts are new or changed.",
        epilog=f"The secret is read from {SECRET_VARIABLE}. Example: %(prog)s "
        "--url https://sync.example/callbacks/forecasts 3f2b8c1e-5d47-4a09-9c86-0e1d2f3a4b5c",
    )
    parser.add_argument("forecast_ids", nargs="+", metavar="FORECAST_ID")
    parser.add_argument("--url", default="http://127.0.0.1:8080/callbacks/forecasts")
    parser.add_argument(
        "--once", action="store_true", help="do not send again what could not be taken yet"
    )
    arguments = parser.parse_args()
    secret = os.environb.get(SECRET_VARIABLE.encode(), b"")
    if not secret:
        parser.error(f"{SECRET_VARIABLE} is not set: put the secret that both sides know there")
    waits = () if arguments.once else WAITS
    status, answer = announce(arguments.url, secret, arguments.forecast_ids, waits)
    print(answer, file=sys.stdout if status == 202 else sys.stderr)
    return 0 if status == 202 else 1


if __name__ == "__main__":
    sys.exit(main())
