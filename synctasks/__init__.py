"""synctasks keeps a government data warehouse and its citizen portal in step, both ways."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from celery import Celery

    celery: Celery


def __getattr__(name: str) -> Celery:
    """The Celery app, for `celery -A synctasks`; everything else imports light."""
    if name == "celery":
        from synctasks.app import app

        return app
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
