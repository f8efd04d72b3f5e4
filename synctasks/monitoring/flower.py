"""Flower, as we let it run: behind our password, all of it, and with our own settings."""

from __future__ import annotations

import hashlib
import hmac
from http import HTTPStatus
from typing import TYPE_CHECKING

from synctasks import settings
from synctasks.monitoring import logs

if TYPE_CHECKING:
    from tornado.web import RequestHandler

_CONFIG = "flowerconfig.py"


def prepare() -> None:
    """Set Flower up before it reads its own options. Raises SetupError without a password."""
    user_and_password = settings.flower_basic_auth()
    # Imported here: no other process needs Flower and the web server in it.
    from flower.api import BaseApiHandler
    from flower.options import options
    from flower.views import BaseHandler

    logs.configure()
    # It would set up logs of its own.
    options.logging = "none"
    file = settings.config_file(_CONFIG)
    if file is not None:
        # As defaults: its own file, the environment and the command line come later.
        options.parse_config_file(str(file), final=False)
    options.cookie_secret = _derived(user_and_password)

    def let_nobody_else_in() -> None:
        options.basic_auth = [user_and_password]

    # Called when all options are read: whatever they say, the password is this one.
    options.add_parse_callback(let_nobody_else_in)
    for handler in (BaseHandler, BaseApiHandler):
        handler.prepare = _ask_first


def _ask_first(handler: RequestHandler) -> None:
    """Flower asks on most of its pages, but not for its metrics: we ask before any of them."""
    try:
        # It raises 401 by itself, but is surprised by a wrong password that is not ASCII.
        welcome = bool(handler.current_user)
    except TypeError:
        welcome = False
    if not welcome:
        from tornado.web import HTTPError

        raise HTTPError(HTTPStatus.UNAUTHORIZED)


def _derived(user_and_password: str) -> str:
    """The same after a restart, as secret as the password, and no way back to it."""
    return hmac.new(
        user_and_password.encode(), b"synctasks: cookies of Flower", hashlib.sha256
    ).hexdigest()
