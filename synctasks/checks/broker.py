"""The broker: does it answer, is it new enough, does it keep what it is given?"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

import redis

from synctasks import dispatch, settings
from synctasks.checks.finding import Finding, could_not_run, problem, warning
from synctasks.errors import PermanentError

PLACE = "broker"

_OLDEST = 6


def connection() -> Iterator[Finding]:
    """Whether it answers and lets us in."""
    try:
        with _client() as client:
            client.ping()
    except redis.AuthenticationError:
        yield problem(
            PLACE,
            "it refuses user or password",
            f"Put the right ones into {settings.BROKER_VARIABLE}",
        )
    except (redis.RedisError, OSError) as error:
        yield could_not_run(
            PLACE,
            f"no answer ({type(error).__name__})",
            f"Start it, or put the right URL into {settings.BROKER_VARIABLE}",
        )
    else:
        yield Finding(PLACE)


def version() -> Iterator[Finding]:
    """Whether it is new enough."""
    yield judged_version(_info("server"))


def policy() -> Iterator[Finding]:
    """Whether it throws messages away when its memory is full."""
    yield judged_policy(_info("memory"))


def persistence() -> Iterator[Finding]:
    """Whether it still takes writes, and keeps them over a restart."""
    yield judged_persistence(_info("persistence"), saves=_saves())


def judged_version(info: dict[str, Any]) -> Finding:
    said = str(info.get("redis_version", "0"))
    if int(said.partition(".")[0]) < _OLDEST:
        return problem(
            f"{PLACE}, version", f"it is Redis {said}", "Use Redis 6 or newer, or Valkey"
        )
    return Finding(f"{PLACE}, version")


def judged_policy(info: dict[str, Any]) -> Finding:
    chosen = info.get("maxmemory_policy")
    if chosen not in (None, "noeviction"):
        return problem(
            f"{PLACE}, maxmemory-policy",
            f"it is {chosen}: with its memory full it would drop messages without a word",
            "redis-cli CONFIG SET maxmemory-policy noeviction, and the same in redis.conf",
        )
    return Finding(f"{PLACE}, maxmemory-policy")


def judged_persistence(info: dict[str, Any], *, saves: bool) -> Finding:
    """`saves`: whether it writes snapshots now and then."""
    thing = f"{PLACE}, persistence"
    failed = [
        name for name in ("rdb_last_bgsave_status", "aof_last_write_status") if _failed(info, name)
    ]
    if failed:
        return problem(
            thing,
            f"it cannot write its data to disk ({', '.join(failed)}), and may refuse messages",
            "Look into its log; make room on its disk; then: redis-cli BGSAVE",
        )
    if not saves and not info.get("aof_enabled"):
        return warning(
            thing,
            "it keeps nothing over a restart: messages are then sent again within seconds, but "
            "notices of tasks that gave up are lost",
            "redis-cli CONFIG SET appendonly yes, and the same in redis.conf",
        )
    return Finding(thing)


def _failed(info: dict[str, Any], name: str) -> bool:
    return str(info.get(name, "ok")) != "ok"


def _saves() -> bool:
    """Whether snapshots are configured; where CONFIG is not for us, we believe so."""
    with dispatch.translated(), _permitted(), _client() as client:
        with contextlib.suppress(redis.ResponseError):
            return bool(client.config_get("save").get("save"))
        return True


def _info(section: str) -> dict[str, Any]:
    with dispatch.translated(), _permitted(), _client() as client:
        return dict(client.info(section))


def _client() -> redis.Redis:
    return redis.Redis.from_url(
        settings.load().broker_url, socket_timeout=3, socket_connect_timeout=3
    )


@contextlib.contextmanager
def _permitted() -> Iterator[None]:
    try:
        yield
    except redis.exceptions.NoPermissionError:
        raise PermanentError(
            f"its user may not look: ACL SETUSER <the user of {settings.BROKER_VARIABLE}> +info"
        ) from None
