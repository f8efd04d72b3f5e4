"""The arguments of each task: what they must be, and what is said where they are not.

What is said names the problem, never the value: anybody's may have ended up there.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from synctasks import dispatch
from synctasks.dead_letters import failed, refused
from synctasks.flow import Flow
from synctasks.flows import ALL_FLOWS
from synctasks.lane import MOST_LANES
from synctasks.rounds import ROUNDS

#: What is wrong with a value, or None. One that is left away is judged as null.
Check = Callable[[Any], str | None]

_NAMES = frozenset(flow.name for flow in ALL_FLOWS)


def _lane(value: Any) -> str | None:
    return None if _counts(value, MOST_LANES) else "it is no lane's number"


def _lane_or_none(value: Any) -> str | None:
    return None if value is None else _lane(value)


def _slot(value: Any) -> str | None:
    return None if _counts(value, dispatch.REFRESH_SLOTS) else "it is no slot's number"


def _counts(value: Any, end: int) -> bool:
    # What JSON calls true is an integer to Python, too.
    return type(value) is int and 0 <= value < end


def _keys(flow: Flow) -> Check:
    def check(value: Any) -> str | None:
        if value is None:
            return None
        if not isinstance(value, list) or not value:
            return "it is no list of keys"
        wrong = next(filter(None, map(problem_of, value)), None)
        return wrong and f"one of them is no key: {wrong}"

    def problem_of(key: Any) -> str | None:
        return flow.source.key_problem(key) if isinstance(key, str) else "it is no text"

    return check


def _flow(value: Any) -> str | None:
    return None if isinstance(value, str) and value in _NAMES else "there is no such flow"


def _queue(value: Any) -> str | None:
    known = isinstance(value, str) and value in dispatch.QUEUES
    return None if known else "there is no such queue"


def _flow_or_unknown(value: Any) -> str | None:
    return None if value == refused.UNKNOWN else _flow(value)


def _work(value: Any) -> str | None:
    known = isinstance(value, str) and failed.is_known(value)
    return None if known else "it is no work of a flow's"


def _text(value: Any) -> str | None:
    """A text that PostgreSQL takes."""
    if not isinstance(value, str) or "\0" in value:
        return "it is no text"
    if any("\ud800" <= character <= "\udfff" for character in value):
        return "it is no text"
    return None


def _message(value: Any) -> str | None:
    told = isinstance(value, str) and value.startswith(refused.PREFIX)
    return _text(value) if told else "it is no message's description"


ARGUMENTS: Mapping[str, Mapping[str, Check]] = {
    "control.knock": {"flow": _flow},
    "control.presence": {"queue": _queue},
    "control.purge": {},
    "dlq.keep": {
        "flow": _flow,
        "task": _work,
        "lane": _lane_or_none,
        "error": _text,
        "trace": _text,
    },
    "dlq.refused": {"flow": _flow_or_unknown, "what": _message, "problem": _text},
    **{f"sync.{flow.name}": {"keys": _keys(flow)} for flow in ALL_FLOWS},
    **{f"drain.{flow.name}": {"lane": _lane} for flow in ALL_FLOWS},
    **{f"refresh.{flow.name}": {"slot": _slot} for flow in ALL_FLOWS},
    **{f"{duty}.{flow.name}": {} for flow in ALL_FLOWS for duty in flow.duties if duty in ROUNDS},
}


def problem(task: str, given: Mapping[str, Any]) -> str | None:
    """What is wrong with the arguments of a task that exists, or None."""
    expected = ARGUMENTS[task]
    if given.keys() - expected.keys():
        return f"it has arguments other than those of its task: {', '.join(expected) or 'none'}"
    for name, check in expected.items():
        if wrong := check(given.get(name)):
            return f"argument {name}: {wrong}"
    return None


def flow_of(task: str) -> str:
    """The flow whose task it is, by name."""
    name = task.partition(".")[2]
    return name if name in _NAMES else refused.UNKNOWN
