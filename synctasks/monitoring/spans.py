"""A span of time in words."""

from __future__ import annotations

_UNITS = ((86_400, "d"), (3_600, "h"), (60, "min"))


def span(seconds: float) -> str:
    """A duration for people: `8 ms`, `1.3 s`, `5 min`, `3 h`, `12 d`."""
    if seconds < 1:
        return f"{seconds * 1000:.0f} ms"
    if seconds < 120:
        return f"{seconds:.1f} s"
    unit, name = next(each for each in _UNITS if seconds >= 2 * each[0])
    return f"{seconds / unit:.0f} {name}"
