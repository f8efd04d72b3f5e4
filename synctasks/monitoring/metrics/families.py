"""Which metrics there are. A flow's gauges say how they are read from its figures."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

Entry = Mapping[str, Any]

_ESTIMATED = "Estimated from a sample of pages where there are very many."


@dataclass(frozen=True)
class Metric:
    """A metric's name, what it says, and by what it is told apart."""

    name: str
    help: str
    labels: tuple[str, ...] = ("flow",)


@dataclass(frozen=True)
class OfFlow:
    """A gauge of each flow, and how it is read from the flow's figures."""

    metric: Metric
    read: Callable[[Entry], float | None]


def _of_flow(name: str, told: str, read: Callable[[Entry], float | None]) -> OfFlow:
    return OfFlow(Metric(name, told), read)


#: What is nothing where the figures say nothing is 0.
OF_FLOWS = (
    _of_flow(
        "synctasks_pending_changes",
        f"Changes that are committed and not carried over yet. {_ESTIMATED}",
        lambda entry: entry["pending"],
    ),
    _of_flow(
        "synctasks_resting_changes",
        f"Captured changes that rest until their flow's slot. {_ESTIMATED}",
        lambda entry: entry["resting"],
    ),
    _of_flow(
        "synctasks_oldest_pending_seconds",
        "Age of the oldest pending change; 0 without any.",
        lambda entry: entry["oldest_pending_seconds"],
    ),
    _of_flow(
        "synctasks_late_pending_seconds",
        "Age of the oldest captured change that nothing holds back and that has been there for "
        "longer than the latency alert allows; 0 without any.",
        lambda entry: not (entry["paused"] or entry["breaker"]) and entry.get("late_seconds"),
    ),
    _of_flow(
        "synctasks_waiting",
        f"Records that wait for their reference. {_ESTIMATED}",
        lambda entry: entry["waiting"],
    ),
    _of_flow(
        "synctasks_oldest_waiting_seconds",
        "For how long the first of the waiting records has waited; 0 without any.",
        lambda entry: entry["oldest_waiting_seconds"],
    ),
    _of_flow(
        "synctasks_held_removals",
        f"Removals by events that the guard holds back. {_ESTIMATED}",
        lambda entry: entry["held"],
    ),
    _of_flow(
        "synctasks_dead_letters_open",
        f"Dead letters that are open. {_ESTIMATED}",
        lambda entry: entry["dead_letters_open"],
    ),
    _of_flow(
        "synctasks_review",
        "Source rows that are flagged for review, as the last review left them.",
        lambda entry: entry["review"],
    ),
    _of_flow(
        "synctasks_reviewed",
        "Source rows that the last review looked at.",
        lambda entry: entry.get("reviewed"),
    ),
    _of_flow(
        "synctasks_paused",
        "1 while somebody has paused the flow.",
        lambda entry: entry["paused"],
    ),
    _of_flow(
        "synctasks_paused_seconds",
        "For how long the flow has been paused; 0 if it is not.",
        lambda entry: entry.get("paused_seconds"),
    ),
    _of_flow(
        "synctasks_breaker_open",
        "1 while the flow's source or target does not work and only a probe tries it.",
        lambda entry: bool(entry["breaker"]),
    ),
    _of_flow(
        "synctasks_run_active",
        "1 while a full run or a slot of the flow is under way.",
        lambda entry: bool(entry["last_run"]) and entry["last_run"]["state"] == "running",
    ),
    _of_flow(
        "synctasks_last_run_repeats",
        "How many full runs and slots in a row ended as the last one did; ten at most are counted.",
        lambda entry: (entry.get("ended") or {}).get("times"),
    ),
)

LAST_RUN_STATE = Metric(
    "synctasks_last_run_state",
    "1 for the state in which the flow's last full run or slot ended that is over.",
    ("flow", "state"),
)
LAST_RUN_DURATION = Metric(
    "synctasks_last_run_duration_seconds",
    "How long the flow's last full run or slot took that is over; 0 before the first.",
)
LAST_RUN_SUCCESS = Metric(
    "synctasks_last_run_success_timestamp_seconds",
    "When a full run or slot of the flow succeeded last (Unix time); 0 before the first.",
)
RECORDS = Metric(
    "synctasks_records_total",
    "Records by what became of them, in drains and full runs, since synctasks was installed. "
    "Each record that was read has one outcome; removed ones are counted beside them.",
    ("flow", "outcome"),
)
LATENCY = Metric(
    "synctasks_latency_seconds",
    "Time from the source's commit to the target's, of captured changes. The buckets are exact; "
    "the sum is estimated from the middles of finer ones.",
)
UNBALANCED = Metric(
    "synctasks_unbalanced_books",
    "Rows of the books of the last two days that do not add up.",
    ("database",),
)
REFUSED = Metric(
    "synctasks_refused_messages",
    "In how many ways messages were refused that are of no flow: open dead letters.",
    ("database",),
)
HEARTBEAT_AGE = Metric(
    "synctasks_heartbeat_age_seconds",
    "How long ago the last heartbeat was sent that has arrived; no series before the first.",
    ("direction",),
)
PRESENCE_AGE = Metric(
    "synctasks_presence_age_seconds",
    "How long ago a process was heard of last, or synctasks was installed. Workers are asked by "
    "the listener.",
    ("process",),
)
QUEUE_MESSAGES = Metric("synctasks_queue_messages", "Messages that wait in a queue.", ("queue",))
UP = Metric(
    "synctasks_up",
    "1 if the web process can work with the dependency, else 0: its series are missing then.",
    ("dependency",),
)
ALERT_FIRING = Metric(
    "synctasks_alert_firing",
    "1 for each alert that fires, as `synctasks alerts list` shows it; no series otherwise.",
    ("alert", "about"),
)
BUILD_INFO = Metric("synctasks_build_info", "1, with the version that answers.", ("version",))

#: All, in the order of a scrape.
METRICS = (
    *(each.metric for each in OF_FLOWS),
    LAST_RUN_STATE,
    LAST_RUN_DURATION,
    LAST_RUN_SUCCESS,
    RECORDS,
    LATENCY,
    UNBALANCED,
    REFUSED,
    HEARTBEAT_AGE,
    PRESENCE_AGE,
    QUEUE_MESSAGES,
    UP,
    ALERT_FIRING,
    BUILD_INFO,
)
