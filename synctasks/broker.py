"""The broker's own words for its failures, and ours for them."""

from __future__ import annotations

import redis
from kombu.exceptions import KombuError

from synctasks import settings
from synctasks.errors import TransientError

#: What the broker's libraries raise where it does not answer; none of it is ours to mend.
UNANSWERED = (redis.RedisError, KombuError, OSError)


def translate(error: Exception) -> TransientError:
    """Our error for what redis, kombu or the network under them raised."""
    variable = settings.BROKER_VARIABLE
    if isinstance(error, redis.AuthenticationError):
        return TransientError(f"broker: the password is wrong. Put the right one into {variable}.")
    return TransientError(
        f"broker: no answer ({type(error).__name__}). Is it running, and is {variable} right?"
    )
