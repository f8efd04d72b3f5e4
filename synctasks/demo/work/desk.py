"""What the two applications know of each other, as people in two offices would."""

from __future__ import annotations

from collections import deque
from random import Random

_RECENT = 100


class Desk:
    """Applications under review, for the warehouse to decide; families that are new to the portal.

    One thread puts them there, another one takes them.
    """

    def __init__(self) -> None:
        self._applications: deque[str] = deque()
        self._families: deque[str] = deque(maxlen=_RECENT)

    def put_application(self, application: str) -> None:
        """An application waits for its decision."""
        self._applications.append(application)

    def next_application(self) -> str | None:
        """The application that waits longest; None without any."""
        try:
            return self._applications.popleft()
        except IndexError:
            return None

    def put_family(self, family: str) -> None:
        """Somebody of this family has registered."""
        self._families.append(family)

    def some_family(self, random: Random) -> str | None:
        """One of those that are new; None without any."""
        families = tuple(self._families)
        return random.choice(families) if families else None
