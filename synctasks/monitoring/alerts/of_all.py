"""The conditions of what all flows need: databases, the broker, processes, the ways between."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from synctasks import dispatch, presence
from synctasks.flow import UNKNOWN
from synctasks.monitoring.alerts.condition import Condition, anchor
from synctasks.monitoring.figures import signs
from synctasks.monitoring.figures.gather import Figures
from synctasks.monitoring.spans import span
from synctasks.monitoring.surroundings import Surroundings

Told = Mapping[str, Any]

_SHOWN = 3


def dead_letters(around: Surroundings, told: Told) -> Iterator[Condition]:
    open_by_flow = {
        flow: entry["dead_letters_open"]
        for figures in around.figures
        for flow, entry in figures.flows.items()
    }
    total = sum(open_by_flow.values())
    if total > told["open"]:
        most = sorted(open_by_flow.items(), key=lambda each: -each[1])[:_SHOWN]
        where = ", ".join(f"{flow} {count:,}" for flow, count in most if count)
        yield Condition(
            "dead letters",
            "",
            f"{total:,} dead letters are open, more than {told['open']:,} ({where}): "
            "synctasks dead-letters list --group-by error",
        )


def messages_refused(around: Surroundings, told: Told) -> Iterator[Condition]:
    refused = sum(figures.refused for figures in around.figures)
    if refused > told["ways"]:
        yield Condition(
            "messages refused",
            UNKNOWN,
            f"messages were refused, in {refused:,} ways: "
            f"synctasks dead-letters list --flow {UNKNOWN}",
        )


def books_out_of_balance(around: Surroundings, told: Told) -> Iterator[Condition]:
    for figures in around.figures:
        if figures.unbalanced > told["rows"]:
            yield Condition(
                "books out of balance",
                str(figures.database),
                f"{figures.unbalanced:,} rows of synctasks.history and synctasks.run do not add up",
            )


def away(around: Surroundings, told: Told) -> Iterator[Condition]:
    for thing, reason in around.away.items():
        yield Condition("away", thing, str(reason))


def no_heartbeat(around: Surroundings, told: Told) -> Iterator[Condition]:
    """Whom nobody has heard of. Workers are asked by the listener: without it nobody knows."""
    limits = {
        presence.LISTENER: told["listener-seconds"],
        presence.BEAT: told["beat-seconds"],
        **{presence.worker_of(queue): told["worker-seconds"] for queue in dispatch.QUEUES},
    }
    if not around.figures:
        return
    silent = {
        process: age
        for process, limit in limits.items()
        if (age := silence(process, around.figures)) > limit
    }
    asked = presence.LISTENER not in silent and "broker" not in around.away
    for process, age in silent.items():
        if asked or process in (presence.LISTENER, presence.BEAT):
            yield Condition(
                "no heartbeat",
                process,
                f"nothing was heard of it for {span(age)}, longer than {limits[process]:g} s",
            )


def silence(process: str, figures: Sequence[Figures]) -> float:
    """For how long nobody has heard of a process: at most since we were installed."""
    ages = [each.presence.get(process, _installed_for(each)) for each in figures]
    return signs.silence(process, ages)


def _installed_for(figures: Figures) -> float:
    return (figures.now - figures.installed_at).total_seconds()


def heartbeat_late(around: Surroundings, told: Told) -> Iterator[Condition]:
    # Before the first one, as long as both databases have been installed.
    since = min((_installed_for(each) for each in around.figures), default=0.0)
    for direction, age in around.heartbeats.items():
        if age is None and since > told["seconds"]:
            yield Condition(
                "heartbeat late",
                direction,
                f"no heartbeat has arrived since we were installed, {span(since)} ago",
            )
        elif age is not None and age > told["seconds"]:
            yield Condition(
                "heartbeat late",
                direction,
                f"the last heartbeat that arrived was sent {span(age)} ago, "
                f"more than {told['seconds']:g} s",
            )


_LOOKS: Mapping[str, Callable[[Surroundings, Told], Iterator[Condition]]] = {
    "dead letters": dead_letters,
    "messages refused": messages_refused,
    "books out of balance": books_out_of_balance,
    "away": away,
    "no heartbeat": no_heartbeat,
    "heartbeat late": heartbeat_late,
}

NAMES = tuple(_LOOKS)

_OF_BOTH_DATABASES = ("dead letters", "heartbeat late", "no heartbeat")


def unseen(around: Surroundings, told: Mapping[str, Told]) -> Sequence[str]:
    """The alerts of which nobody can say now that they are over: who would know it is away."""
    if around.away:
        return _OF_BOTH_DATABASES
    silent = (each.about for each in no_heartbeat(around, told[anchor("no heartbeat")]))
    return ("no heartbeat",) if presence.LISTENER in silent else ()


def of_all(around: Surroundings, told: Mapping[str, Told]) -> Iterator[Condition]:
    """What somebody has to look at that is no single flow's."""
    for name, look in _LOOKS.items():
        yield from look(around, told[anchor(name)])
