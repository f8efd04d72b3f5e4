"""A quick look at the broker says yes only where it answers; what is wrong its library says."""

from __future__ import annotations

import os
from contextlib import closing
from urllib.parse import urlsplit

import pytest
from redis import Redis

from synctasks import dispatch, ping, settings
from synctasks.embedded.directory import LeasedDirectory
from synctasks.embedded.redis import RedisServer
from synctasks.errors import TransientError
from synctasks.settings import BROKER_VARIABLE


def test_only_a_broker_that_lets_us_in_answers(databases: dict[str, str]) -> None:
    url = os.environ[BROKER_VARIABLE]
    parts = urlsplit(url)
    place = parts.netloc.rpartition("@")[2]
    assert ping.answers(url)
    for login in (":wrong", "nobody:wrong"):
        assert not ping.answers(parts._replace(netloc=f"{login}@{place}").geturl())
    assert not ping.answers(parts._replace(netloc="127.0.0.1:1").geturl())
    assert not ping.answers(parts._replace(scheme="rediss").geturl())


def test_a_broker_that_wants_no_password_refuses_ours() -> None:
    with LeasedDirectory() as home:
        server = RedisServer(home.path / "broker", lease=home.lease)
        server.start()
        with closing(Redis.from_url(server.url)) as client:
            client.config_set("requirepass", "")
        parts = urlsplit(server.url)
        assert ping.answers(parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl())
        assert not ping.answers(server.url)
        server.stop()


def test_what_is_wrong_is_said_by_the_library(
    databases: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    dispatch.check()
    monkeypatch.setenv(BROKER_VARIABLE, "redis://127.0.0.1:1/0")
    settings.load.cache_clear()
    dispatch._flags.cache_clear()
    try:
        with pytest.raises(TransientError, match="broker: no answer"):
            dispatch.check()
    finally:
        settings.load.cache_clear()
        dispatch._flags.cache_clear()
