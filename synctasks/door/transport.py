"""kombu's transport for Redis with our door in it.

kombu itself reads whatever stands in a list as a message, and a worker ends where it is none.
Here each item passes the door on its way out of Redis' answer, one step before kombu.
"""

from __future__ import annotations

from typing import Any

import redis
from kombu import transport
from kombu.transport import redis as kombu_redis

from synctasks.dispatch import QUEUES
from synctasks.door.message import admit


class Channel(kombu_redis.Channel):  # type: ignore[misc]
    """A channel that gets an item of ours through the door only."""

    def _create_client(self, asynchronous: bool = False) -> redis.Redis:
        client: redis.Redis = super()._create_client(asynchronous)
        client.set_response_callback("BRPOP", self._admit)
        return client

    def _admit(self, answer: Any, **_: object) -> Any:
        if answer is None:
            return None
        place, item = answer
        queue = place.decode().rsplit(self.sep, 1)[0]
        # Answers to `celery inspect` come out of such lists, too.
        return (place, admit(item, queue)) if queue in QUEUES else (place, item)


class Transport(kombu_redis.Transport):  # type: ignore[misc]
    """kombu's transport with channels of ours."""

    Channel = Channel


def install() -> None:
    """Let the URLs of a broker mean this transport.

    By their scheme rather than by the setting `broker_transport`: that would become the scheme of
    the URL which Celery and Flower show.
    """
    for scheme in ("redis", "rediss"):
        transport.TRANSPORT_ALIASES[scheme] = f"{__name__}:{Transport.__name__}"
