"""Messages as an attacker, an old client or a slip of the hand would leave them in our queues."""

from __future__ import annotations

import base64
import json
import pickle
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from tests.messages import body, call, changed, item, message, packed

#: Stands for a person's value: it may appear nowhere afterwards.
SECRET = "963661064793"
INJECTION = f"'; DROP TABLE golden_records; -- {SECRET}"
#: What a pickle would do when it is opened.
BOMB = pickle.dumps({"__reduce__": SECRET})


@dataclass(frozen=True)
class Attack:
    """An item for a queue, and the open letter that it must leave: its flow, part of its error."""

    name: str
    item: bytes
    error: str
    flow: str = "unknown"


def attacks() -> Iterator[Attack]:
    """All of them."""
    yield from (Attack(name, made, "it is no JSON") for name, made in _NO_JSON.items())
    yield from (
        Attack(f"JSON {json.dumps(made)[:20]}", item(made), "it is no message of Celery's")
        for made in _NO_MESSAGES
    )
    for name, (made, error) in _MESSAGES.items():
        yield Attack(name, made(), error, flow="profile_data")
    for name, (made, error) in _STRANGERS.items():
        yield Attack(name, made(), error)
    for task, arguments, error in _ARGUMENTS:
        shown = json.dumps(arguments, default=repr)[:40]
        flow = task.partition(".")[2]
        ours = task.startswith(("sync", "drain", "refresh", "verify", "review"))
        yield Attack(f"{task} {shown}", call(task, **arguments), error, flow if ours else "unknown")


_NO_JSON = {
    "raw bytes": bytes(range(256)),
    "an empty item": b"",
    "raw text": b"go and look",
    "half a message": call("sync.profile_data")[:-40],
    "a raw pickle": BOMB,
    "UTF-16": call("sync.profile_data").decode().encode("utf-16"),
    "too deep": b"[" * 200_000,
    "a number of 5,000 digits": b"1" * 5_000,
}

_NO_MESSAGES: list[object] = [
    17,
    None,
    True,
    "text",
    [],
    {},
    {"body": "e30=", "nan": float("nan")},
    {"headers": {"task": "sync.profile_data"}, "properties": []},
    {"headers": [], "properties": 3, "body": None},
    {"__type__": "datetime", "__value__": "never"},
    {"task": "sync.profile_data", "id": SECRET, "args": [], "kwargs": {}},
]


def _compressed() -> bytes:
    made = message()
    made["headers"]["compression"] = "application/x-gzip"
    made["body"] = base64.b64encode(zlib.compress(b" " * 10**8)).decode()
    return item(made)


def _later(days: int) -> str:
    return (datetime.now(UTC) + timedelta(days=days)).isoformat()


_A_KEY = "argument keys: one of them is no key"
_NO_ENCODING = "its body is no base64"
_NO_BODY = "its body is not what Celery sends"
_TYPE = "it is not application/json in utf-8"
_ETA = "it is for later than an hour from now"
_EMBEDDED = "it carries callbacks, a chain or a chord"

_MESSAGES: dict[str, tuple[Callable[[], bytes], str]] = {
    "content type pickle": (
        lambda: changed("content-type", "application/x-python-serialize"),
        _TYPE,
    ),
    "content type unknown": (lambda: changed("content-type", SECRET), _TYPE),
    "content type a list": (lambda: changed("content-type", [1]), _TYPE),
    "content encoding unknown": (lambda: changed("content-encoding", "klingon"), _TYPE),
    "no content type": (lambda: changed("content-type", ...), _TYPE),
    "broken base64": (lambda: changed("body", "%%%"), _NO_ENCODING),
    "body encoding unknown": (lambda: changed("properties.body_encoding", "rot13"), _NO_ENCODING),
    "body a number": (lambda: changed("body", 5), _NO_ENCODING),
    "no body": (lambda: changed("body", ...), _NO_ENCODING),
    "body a pickle": (lambda: changed("body", base64.b64encode(BOMB).decode()), _NO_BODY),
    "body no list": (lambda: changed("body", packed({"args": []})), _NO_BODY),
    "body too short": (lambda: changed("body", packed([[], {}])), _NO_BODY),
    "body with a typed value": (
        lambda: body([], {"keys": [{"__type__": "decimal", "__value__": "x"}]}),
        _A_KEY,
    ),
    "arguments no mapping": (lambda: body([], [1]), _NO_BODY),
    "compressed": (_compressed, "it is compressed"),
    "positional arguments": (lambda: body([["GR-1"]], {}), "its arguments have no names"),
    "a chain": (lambda: body([], {}, chain=[{"task": "sync.schemes"}]), _EMBEDDED),
    "callbacks": (lambda: body([], {}, callbacks=[{"task": SECRET}]), _EMBEDDED),
    "errbacks": (lambda: body([], {}, errbacks=7), _EMBEDDED),
    "a chord": (lambda: body([], {}, chord={"task": "sync.schemes"}), _EMBEDDED),
    "retries a text": (lambda: changed("headers.retries", "x"), "its number of retries"),
    "retries negative": (lambda: changed("headers.retries", -1), "its number of retries"),
    "retries a billion": (lambda: changed("headers.retries", 10**9), "its number of retries"),
    "eta in the year 9999": (lambda: changed("headers.eta", "9999-12-31T23:59:59-14:00"), _ETA),
    "eta in ten days": (lambda: changed("headers.eta", _later(10)), _ETA),
    "eta a text": (lambda: changed("headers.eta", SECRET), "its time is none"),
    "eta a number": (lambda: changed("headers.eta", 10**40), "its time is none"),
    "expires": (lambda: changed("headers.expires", _later(-1)), "it expires"),
    "expires a list": (lambda: changed("headers.expires", [1]), "it expires"),
    "a time limit": (lambda: changed("headers.timelimit", [0.001, 0.001]), "it has time limits"),
    "time limit a text": (lambda: changed("headers.timelimit", SECRET), "it has time limits"),
    "id a list": (lambda: changed("headers.id", [SECRET]), "its id"),
    "id with a NUL": (lambda: changed("headers.id", "a\0b"), "its id"),
    "id of 10 kB": (lambda: changed("headers.id", "x" * 10_000), "its id"),
    "no id": (lambda: changed("headers.id", ...), "its id"),
}

_TOO_LARGE = "it is larger than"
_NO_TASK = "it is for a task that does not exist"
_STRANGERS: dict[str, tuple[Callable[[], bytes], str]] = {
    "10 MB of keys": (lambda: call("sync.profile_data", keys=[SECRET] * 500_000), _TOO_LARGE),
    "10 MB of a header": (lambda: changed("headers.argsrepr", "x" * 10**7), _TOO_LARGE),
    "10 MB of anything": (lambda: b"x" * 10**7, _TOO_LARGE),
    "an unknown task": (lambda: call("wrong.name", keys=[SECRET]), _NO_TASK),
    "a task of Celery's own": (lambda: call("celery.map", task=SECRET, it=[]), _NO_TASK),
    "a task with a value for a name": (lambda: call(INJECTION), _NO_TASK),
    "task a list": (lambda: changed("headers.task", [1]), _NO_TASK),
    "task null": (lambda: changed("headers.task", None), _NO_TASK),
    "no headers": (lambda: changed("headers", ...), "it is no message of Celery's"),
    "no properties": (lambda: changed("properties", ...), "it is no message of Celery's"),
}


_LANE = "argument lane: it is no lane's number"
_NO_KEYS = "argument keys: it is no list of keys"
_SUPERFLUOUS = "it has arguments other than those of its task"
_SLOT = "argument slot: it is no slot's number"
_FLOW = "argument flow: there is no such flow"

_KEPT = {"flow": "profile_data", "task": "sync", "lane": None, "error": "x", "trace": ""}

_ARGUMENTS: list[tuple[str, dict[str, Any], str]] = [
    ("drain.profile_data", {"lane": "x"}, _LANE),
    ("drain.profile_data", {"lane": 10**30}, _LANE),
    ("drain.profile_data", {"lane": -1}, _LANE),
    ("drain.profile_data", {"lane": 7000}, _LANE),
    ("drain.profile_data", {"lane": 1.0}, _LANE),
    ("drain.profile_data", {"lane": True}, _LANE),
    ("drain.profile_data", {"lane": None}, _LANE),
    ("drain.profile_data", {}, _LANE),
    ("drain.profile_data", {"lane": 1, SECRET: 2}, _SUPERFLUOUS),
    ("refresh.profile_data", {"slot": "x"}, _SLOT),
    ("refresh.profile_data", {"slot": 2}, _SLOT),
    ("refresh.profile_data", {}, _SLOT),
    ("sync.profile_data", {"keys": "abc"}, _NO_KEYS),
    ("sync.profile_data", {"keys": {"GR-1": 1}}, _NO_KEYS),
    ("sync.profile_data", {"keys": []}, _NO_KEYS),
    ("sync.profile_data", {"keys": [1, None, {"a": 1}]}, _A_KEY),
    ("sync.profile_data", {"keys": ["GR-1", SECRET * 900]}, _A_KEY),
    ("sync.profile_data", {"keys": ["GR\0" + SECRET]}, _A_KEY),
    ("sync.profile_data", {"keys": ["\ud800" + SECRET]}, _A_KEY),
    ("sync.profile_data", {"keys": ["  "]}, _A_KEY),
    ("sync.profile_data", {"keys": ["GR-1"], "accept_shrink": True}, _SUPERFLUOUS),
    ("sync.document_metadata", {"keys": [INJECTION]}, _A_KEY),
    ("verify.profile_data", {"keys": [SECRET]}, _SUPERFLUOUS),
    ("review.profile_data", {SECRET: 1}, _SUPERFLUOUS),
    ("verify.schemes", {}, _NO_TASK),
    ("control.knock", {"flow": "nope"}, _FLOW),
    ("control.knock", {"flow": ["profile_data"]}, _FLOW),
    ("control.knock", {}, _FLOW),
    ("dlq.keep", {}, _FLOW),
    ("dlq.keep", {**_KEPT, "flow": INJECTION}, _FLOW),
    ("dlq.keep", {**_KEPT, "task": INJECTION}, "argument task: it is no work of a flow's"),
    ("dlq.keep", {**_KEPT, "lane": "x"}, _LANE),
    ("dlq.keep", {**_KEPT, "error": "a\0" + SECRET}, "argument error: it is no text"),
    ("dlq.keep", {**_KEPT, "trace": "\udfff"}, "argument trace: it is no text"),
    ("dlq.keep", {**_KEPT, "trace": "x" * 10**7}, _TOO_LARGE),
    ("dlq.refused", {"flow": "unknown", "what": SECRET, "problem": "x"}, "argument what"),
]
