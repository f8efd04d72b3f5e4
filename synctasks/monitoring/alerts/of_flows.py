"""The conditions of a flow: each looks at its figures, and says its reason or nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import timedelta
from typing import Any

from synctasks.flow import Flow
from synctasks.monitoring.alerts.condition import Condition, anchor
from synctasks.monitoring.figures.gather import Figures
from synctasks.monitoring.spans import span

Entry = Mapping[str, Any]
Told = Mapping[str, Any]


def failure_rate(flow: Flow, entry: Entry, told: Told) -> str | None:
    records, rejected = entry.get("records") or 0, entry.get("rejected") or 0
    stopped = (entry.get("ended") or {}).get("state") == "stopped"
    # A contract that does not fit is one alert, and says so itself.
    if stopped or records < told["of-at-least"] or rejected <= told["share"] * records:
        return None
    return (
        f"{rejected:,} of {records:,} records of the last {told['minutes']:g} minutes were "
        f"rejected ({rejected / records:.1%}, more than {told['share']:.1%}): "
        f"synctasks dead-letters list --flow {flow.name} --group-by error"
    )


def latency(flow: Flow, entry: Entry, told: Told) -> str | None:
    limit = told["seconds"]
    if entry["late"]:
        return (
            f"{entry['late']:,} of {entry['changes']:,} changes of the last {told['minutes']:g} "
            f"minutes took more than {limit:g} s from the source's commit to the target's"
        )
    seconds = entry.get("late_seconds")
    if seconds and seconds > limit and not entry["paused"] and not entry["breaker"]:
        return f"a change has been pending for {span(seconds)}, more than {limit:g} s"
    return None


def volume_drop(flow: Flow, entry: Entry, told: Told) -> str | None:
    ended = _ended(entry, "guarded", told)
    if not ended:
        return None
    return (
        f"the last full run found {ended['in_scope']:,} records, less than half of what is usual, "
        "so it removed nothing. If the source is right: "
        f"synctasks sync {flow.name} --accept-shrink"
    )


def volume_drop_of_events(flow: Flow, entry: Entry, told: Told) -> str | None:
    captured, usual = entry.get("captured") or (0, 0)
    if usual < told["of-at-least"] or captured >= told["share"] * usual:
        return None
    return (
        f"yesterday captured {captured:,} changes, less than {told['share']:.0%} of the "
        f"{usual:,.0f} that are usual on that weekday"
    )


def run_failed(flow: Flow, entry: Entry, told: Told) -> str | None:
    ended = _ended(entry, "failed", told)
    return f"the last full run failed: {ended['error']}" if ended else None


def contract_mismatch(flow: Flow, entry: Entry, told: Told) -> str | None:
    ended = _ended(entry, "stopped", told)
    return f"the last full run was stopped: {ended['error']}" if ended else None


def breaker_open(flow: Flow, entry: Entry, told: Told) -> str | None:
    if not entry["breaker"] or entry["breaker_seconds"] < told["seconds"]:
        return None
    return f"it does not work, and is tried every 5 s: {entry['breaker']}"


def removals_held(flow: Flow, entry: Entry, told: Told) -> str | None:
    if entry["held"] <= told["units"]:
        return None
    return (
        f"{entry['held']:,} removals are held: more than 1,000 and a fifth of the target. "
        f"If the source is right: synctasks sync {flow.name} --accept-shrink"
    )


def waiting_too_long(flow: Flow, entry: Entry, told: Told) -> str | None:
    seconds = entry["oldest_waiting_seconds"] or 0
    if seconds <= told["days"] * 86_400:
        return None
    return (
        f"of {entry['waiting']:,} records that wait for their reference one has waited for "
        f"{span(seconds)}, longer than {told['days']:g} days"
    )


def stale_data(flow: Flow, entry: Entry, told: Told) -> str | None:
    stale, looked_at = entry["review"], entry.get("reviewed") or 0
    if looked_at < told["of-at-least"] or stale <= told["share"] * looked_at:
        return None
    return (
        f"{stale:,} of {looked_at:,} source rows were not updated for 180 days "
        f"({stale / looked_at:.0%}, more than {told['share']:.0%}): "
        f"synctasks review list --flow {flow.name}"
    )


def paused_too_long(flow: Flow, entry: Entry, told: Told) -> str | None:
    seconds = entry.get("paused_seconds") or 0
    if seconds <= told["hours"] * 3_600:
        return None
    return (
        f"it has been paused for {span(seconds)}, and {entry['pending']:,} changes are pending: "
        f"synctasks resume {flow.name}"
    )


def _ended(entry: Entry, state: str, told: Told) -> Mapping[str, Any] | None:
    ended: Mapping[str, Any] | None = entry.get("ended")
    return ended if ended and ended["state"] == state and ended["times"] >= told["runs"] else None


def slot_missed(flow: Flow, entry: Entry, told: Told, figures: Figures) -> str | None:
    due = _due(flow, entry, figures)
    if due is None:
        return None
    slot = entry.get("slot")
    late = timedelta(seconds=told["seconds"])
    if slot is None or slot["due_at"] < due:
        if figures.now - due <= late:
            return None
        return f"nobody has taken the slot of {due:%Y-%m-%d %H:%M} UTC"
    taken_late = slot["taken_at"] - slot["due_at"]
    if taken_late <= late or figures.now - slot["taken_at"] > timedelta(hours=1):
        return None
    return f"the slot of {due:%H:%M} UTC was taken {span(taken_late.total_seconds())} late"


def batch_window_missed(flow: Flow, entry: Entry, told: Told, figures: Figures) -> str | None:
    minutes, due = told["minutes"].get(flow.name), _due(flow, entry, figures)
    if minutes is None or due is None or figures.now <= due + timedelta(minutes=minutes):
        return None
    slot = entry.get("slot")
    taken = slot if slot and slot["due_at"] == due else {"state": "not begun", "finished_at": None}
    finished = taken["finished_at"]
    if finished and finished <= due + timedelta(minutes=minutes):
        return None
    took = f"took until {finished:%H:%M:%S}" if finished else f"is {taken['state']}"
    return f"the run that was due at {due:%H:%M} UTC {took}; its window is {minutes:g} minutes"


def _due(flow: Flow, entry: Entry, figures: Figures) -> Any:
    """The flow's last slot; None if it was nobody's to take: before we came, or during a pause."""
    if flow.schedule is None or entry["paused"]:
        return None
    due = flow.schedule.latest(figures.now)
    since = max(figures.installed_at, entry.get("resumed_at") or figures.installed_at)
    return due if due > since else None


_OF_ITS_FIGURES: Mapping[str, Callable[[Flow, Entry, Told], str | None]] = {
    "failure rate": failure_rate,
    "latency": latency,
    "volume drop": volume_drop,
    "volume drop of events": volume_drop_of_events,
    "run failed": run_failed,
    "contract mismatch": contract_mismatch,
    "breaker open": breaker_open,
    "removals held": removals_held,
    "waiting too long": waiting_too_long,
    "stale data": stale_data,
    "paused too long": paused_too_long,
}
_OF_ITS_SLOTS: Mapping[str, Callable[[Flow, Entry, Told, Figures], str | None]] = {
    "slot missed": slot_missed,
    "batch window missed": batch_window_missed,
}

NAMES = (*_OF_ITS_FIGURES, *_OF_ITS_SLOTS)


def of_flow(flow: Flow, figures: Figures, told: Mapping[str, Told]) -> Iterator[Condition]:
    """What somebody has to look at in a flow."""
    entry = figures.flows[flow.name]
    reasons = {
        **{name: look(flow, entry, told[anchor(name)]) for name, look in _OF_ITS_FIGURES.items()},
        **{
            name: look(flow, entry, told[anchor(name)], figures)
            for name, look in _OF_ITS_SLOTS.items()
        },
    }
    return (Condition(name, flow.name, reason) for name, reason in reasons.items() if reason)
