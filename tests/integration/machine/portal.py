"""The portal as a visitor sees it: what was shown once is never followed by something older."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from tests.integration.machine.broken import WentBack
from tests.rows import Connection, rows

_NUMBERS = "SELECT record_id, substr(city, 2)::integer FROM profile_data"


@dataclass(frozen=True)
class _State:
    """What a key was last seen to be: there with this number, or gone since that one."""

    number: int = 0
    there: bool = False


class Portal:
    """Every look is held against the last; `gone` is when keys went at the source.

    A row may be away only if its key went at the source after what was shown; and come back only
    with what the source wrote after that.
    """

    def __init__(self, citizen: Connection, gone: Mapping[str, Sequence[int]]) -> None:
        self._citizen = citizen
        self._gone = gone
        self._last: dict[str, _State] = {}

    def look(self) -> None:
        """Raises WentBack."""
        there: dict[str, int] = dict(rows(self._citizen, _NUMBERS))
        for key in {*there, *self._last}:
            last = self._last.get(key, _State())
            self._last[key] = self._next(key, last, there.get(key))

    def _next(self, key: str, last: _State, number: int | None) -> _State:
        if number is not None:
            if number < last.number or (number == last.number and not last.there):
                raise WentBack(f"{key}: {number} is shown after {last}")
            return _State(number, there=True)
        if not last.there:
            return last
        later = [gone for gone in self._gone.get(key, ()) if gone > last.number]
        if not later:
            raise WentBack(f"{key}: removed, but at the source it is there since {last}")
        return _State(min(later), there=False)
