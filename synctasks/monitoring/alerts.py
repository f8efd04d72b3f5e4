"""What somebody has to look at, from the figures of `status`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from synctasks.dead_letters.refused import UNKNOWN

_MOST_OPEN_LETTERS = 1_000


def alerts(flow: str, entry: Mapping[str, Any], run_error: str | None) -> list[dict[str, str]]:
    """The alerts of a flow: `{"flow", "name", "reason"}`, the reason with its numbers."""
    reasons = (*_of_the_run(flow, entry["last_run"], run_error), *_of_the_records(flow, entry))
    return [{"flow": flow, "name": name, "reason": reason} for name, reason in reasons]


def refusals(letters: int) -> list[dict[str, str]]:
    """The alert that messages were refused of which nobody knows the flow."""
    if not letters:
        return []
    reason = (
        f"messages were refused, in {letters:,} ways: synctasks dead-letters list --flow {UNKNOWN}"
    )
    return [{"flow": UNKNOWN, "name": "messages refused", "reason": reason}]


def _of_the_run(
    flow: str, run: Mapping[str, Any] | None, error: str | None
) -> Iterator[tuple[str, str]]:
    state = run["state"] if run else None
    if run and state == "guarded":
        yield (
            "volume drop",
            f"the last full run found {run['read'] - run['filtered']:,} records, less than half of "
            "what is usual, so it removed nothing. If the source is right: "
            f"synctasks sync {flow} --accept-shrink",
        )
    elif state == "stopped":
        yield "contract mismatch", f"the last full run was stopped: {error}"
    elif state == "failed":
        yield "run failed", f"the last full run failed: {error}"


def _of_the_records(flow: str, entry: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    if entry["breaker"]:
        yield "breaker open", f"it does not work, and is tried every 5 s: {entry['breaker']}"
    if entry["held"]:
        yield (
            "removals held",
            f"{entry['held']:,} removals are held: more than 1,000 and a fifth of the target. "
            f"If the source is right: synctasks sync {flow} --accept-shrink",
        )
    if entry["dead_letters_open"] > _MOST_OPEN_LETTERS:
        yield (
            "dead letters",
            f"{entry['dead_letters_open']:,} dead letters are open, more than "
            f"{_MOST_OPEN_LETTERS:,}: synctasks dead-letters list --flow {flow} --group-by error",
        )
