"""Beat's scheduler: Celery's own, which also says that it is there."""

from __future__ import annotations

import time

from celery.beat import PersistentScheduler

from synctasks import presence

_SECONDS = 10.0


class Scheduler(PersistentScheduler):  # type: ignore[misc]
    """Says that beat is there in each of its rounds, that is only while it does its work."""

    _said = 0.0

    def tick(self, *args: object, **kwargs: object) -> float:
        """Do what is due; returns after how many seconds to come again."""
        seconds: float = super().tick(*args, **kwargs)
        if time.monotonic() - self._said >= _SECONDS:
            self._said = time.monotonic()
            presence.touch()
            presence.note_everywhere(presence.BEAT)
        return min(seconds, _SECONDS)
