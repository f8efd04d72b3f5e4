"""Messages as Celery's own client leaves them in a queue, and such with something amiss."""

from __future__ import annotations

import base64
import json
from typing import Any
from uuid import uuid4


def message(task: Any = "sync.profile_data", /, **kwargs: Any) -> dict[str, Any]:
    """A message as Celery's own client sends it."""
    number = str(uuid4())
    return {
        "body": packed([[], kwargs, dict.fromkeys(("callbacks", "errbacks", "chain", "chord"))]),
        "content-encoding": "utf-8",
        "content-type": "application/json",
        "headers": {
            "lang": "py",
            "task": task,
            "id": number,
            "shadow": None,
            "eta": None,
            "expires": None,
            "group": None,
            "group_index": None,
            "retries": 0,
            "timelimit": [None, None],
            "root_id": number,
            "parent_id": None,
            "argsrepr": "()",
            "kwargsrepr": "{}",
            "origin": "gen1@attacker",
            "ignore_result": True,
            "replaced_task_nesting": 0,
            "stamped_headers": None,
            "stamps": {},
        },
        "properties": {
            "correlation_id": number,
            "reply_to": str(uuid4()),
            "delivery_mode": 2,
            "delivery_info": {"exchange": "control", "routing_key": "control"},
            "priority": 0,
            "body_encoding": "base64",
            "delivery_tag": str(uuid4()),
        },
    }


def packed(body: object) -> str:
    return base64.b64encode(json.dumps(body).encode()).decode()


def item(made: object) -> bytes:
    return json.dumps(made).encode()


def changed(path: str, value: Any) -> bytes:
    """A message in which something stands where it does not belong; `...` removes it."""
    made = message()
    *parents, last = path.split(".")
    inner = made
    for parent in parents:
        inner = inner[parent]
    if value is ...:
        del inner[last]
    else:
        inner[last] = value
    return item(made)


def call(task: str, /, **kwargs: Any) -> bytes:
    return item(message(task, **kwargs))


def body(args: object, kwargs: object, **embedded: object) -> bytes:
    return changed("body", packed([args, kwargs, embedded]))
