"""Our app, but its beat does not wait for the flows' times: it knocks five times a second."""

from synctasks.app import app

for _entry in app.conf.beat_schedule.values():
    _entry["schedule"] = 0.2

__all__ = ["app"]
