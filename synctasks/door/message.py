"""Items of a queue as messages that any worker understands.

Whoever reaches the broker can leave anything there: bytes of any kind, half a message, a chain of
strangers' tasks, ten megabytes. So nothing of an item is handed on. A message is made anew of the
parts that are needed, each of them checked: the task, its id, its arguments by name, how often it
was tried, and a time that is soon. Where one of them is wrong, or something would be lost that the
sender may rely on, the item is refused: in its place goes a message that says so, for
`dlq.refused` to keep. Like any other it is acknowledged only when that is done.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import structlog

from synctasks.dead_letters import refused
from synctasks.door import arguments

log = structlog.get_logger()

# An item that is larger is not even read. 40,000 keys fit, of which no flow of ours sends any.
MOST_BYTES = 2**20
# What waits longer in a worker's hands is given to a second one.
LATEST = timedelta(hours=1)
# What keeps a dead letter is tried every 8 s until it is kept; a power of two is made of this.
MOST_RETRIES = 1_000_000

_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
# What may be shown of a task that does not exist: a slip of the hand, no number of anybody's.
_NAME = re.compile(r"(?=.{1,60}\Z)[a-z_]+(\.[a-z_]+)*")

_NO_EMBEDDED = dict.fromkeys(("callbacks", "errbacks", "chain", "chord"))


class Refused(Exception):
    """An item that is no message for us: the problem, and the task that it names."""

    def __init__(self, problem: str, task: object = None) -> None:
        super().__init__(problem)
        self.problem = problem
        self.task = task


@dataclass(frozen=True)
class Message:
    """What a worker needs to know."""

    task: str
    id: str
    arguments: Mapping[str, Any]
    retries: int = 0
    eta: datetime | None = None

    def packed(self, queue: str) -> bytes:
        """The message as Celery's own client would have left it in this queue."""
        body = [[], self.arguments, _NO_EMBEDDED]
        headers = {
            "lang": "py",
            "task": self.task,
            "id": self.id,
            "eta": self.eta and self.eta.isoformat(),
            "retries": self.retries,
            "argsrepr": "()",
            "kwargsrepr": repr(self.arguments)[:1_000],
        }
        properties = {
            "correlation_id": self.id,
            "delivery_mode": 2,
            # Straight into the queue: a retry goes where its message came from, and an exchange
            # knows no queue any more once Redis was emptied; it would be dropped without a word.
            "delivery_info": {"exchange": "", "routing_key": queue},
            "priority": 0,
            "body_encoding": "base64",
            # Of our own making: two messages under one tag would be acknowledged together.
            "delivery_tag": str(uuid4()),
        }
        return json.dumps(
            {
                "body": base64.b64encode(json.dumps(body).encode()).decode(),
                "content-encoding": "utf-8",
                "content-type": "application/json",
                "headers": headers,
                "properties": properties,
            }
        ).encode()


def admit(item: bytes, queue: str) -> bytes:
    """What a worker gets to see of a queue's item."""
    try:
        message = read(item)
    except Refused as refusal:
        message = _notice(refusal, queue)
        what = message.arguments["what"]
        log.warning("message.refused", what=what, cause=refusal.problem, bytes=len(item))
    return message.packed(queue)


def read(item: bytes) -> Message:
    """The message that an item is. Raises Refused."""
    if len(item) > MOST_BYTES:
        raise Refused(f"it is larger than {MOST_BYTES:,} bytes")
    match _json(item, "it is no JSON"):
        case {"headers": dict(headers), "properties": dict(properties)} as content:
            pass
        case _:
            raise Refused("it is no message of Celery's")
    task = headers.get("task")
    if not isinstance(task, str) or task not in arguments.ARGUMENTS:
        raise Refused("it is for a task that does not exist", task)
    try:
        given = _arguments(content, headers, properties)
        if wrong := _headers_problem(headers) or arguments.problem(task, given):
            raise Refused(wrong)
        return Message(task, headers["id"], given, headers.get("retries", 0), _eta(headers))
    except Refused as refusal:
        raise Refused(refusal.problem, task) from None


def _arguments(
    content: Mapping[str, Any], headers: Mapping[str, Any], properties: Mapping[str, Any]
) -> dict[str, Any]:
    """What a message's body holds: the arguments by name, and nothing else."""
    if (content.get("content-type"), content.get("content-encoding")) != _JSON:
        raise Refused("it is not application/json in utf-8")
    if headers.get("compression"):
        raise Refused("it is compressed")
    if properties.get("body_encoding") != "base64":
        raise Refused(_NO_BASE64)
    try:
        body = base64.b64decode(content["body"], validate=True)
    except (KeyError, TypeError, ValueError):
        raise Refused(_NO_BASE64) from None
    match _json(body, _NO_BODY):
        case [list(unnamed), dict(named), dict(embedded)]:
            pass
        case _:
            raise Refused(_NO_BODY)
    if any(embedded.values()):
        raise Refused("it carries callbacks, a chain or a chord")
    if unnamed:
        raise Refused("its arguments have no names")
    return named


_JSON = ("application/json", "utf-8")
_NO_BASE64 = "its body is no base64"
_NO_BODY = "its body is not what Celery sends"


def _headers_problem(headers: Mapping[str, Any]) -> str | None:
    """What is wrong with a message's headers, or None."""
    number, retries = headers.get("id"), headers.get("retries", 0)
    if not isinstance(number, str) or not _UUID.fullmatch(number):
        return "its id is no UUID"
    if type(retries) is not int or not 0 <= retries <= MOST_RETRIES:
        return "its number of retries is none that we count to"
    if headers.get("expires") is not None:
        return "it expires, and would then be dropped silently"
    if headers.get("timelimit") not in (None, [None, None]):
        return "it has time limits of its own"
    return None


def _eta(headers: Mapping[str, Any]) -> datetime | None:
    """The time before which it is not to be worked on, if that is to come."""
    text = headers.get("eta")
    if text is None:
        return None
    now = datetime.now(UTC)
    try:
        eta = datetime.fromisoformat(text)
        wait = (eta if eta.tzinfo else eta.replace(tzinfo=UTC)) - now
    except (TypeError, ValueError, OverflowError):
        raise Refused("its time is none") from None
    if wait > LATEST:
        raise Refused("it is for later than an hour from now")
    return now + wait if wait > timedelta(0) else None


def _json(text: bytes, otherwise: str) -> Any:
    try:
        return json.loads(text.decode())
    except (ValueError, RecursionError):
        raise Refused(otherwise) from None


def _notice(refusal: Refused, queue: str) -> Message:
    """The message that goes in in the place of a refused one."""
    task = refusal.task if isinstance(refusal.task, str) else ""
    known = task in arguments.ARGUMENTS
    what = f"for {task}" if known or _NAME.fullmatch(task) else f"in queue {queue}"
    told = {
        "flow": arguments.flow_of(task),
        "what": f"{refused.PREFIX}{what}",
        "problem": refusal.problem,
    }
    return Message("dlq.refused", str(uuid4()), told)
