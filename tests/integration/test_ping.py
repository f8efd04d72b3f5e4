"""A quick look at the broker says yes only where it answers; what is wrong its library says."""

from __future__ import annotations

import os
from urllib.parse import urlsplit

import pytest

from synctasks import dispatch, ping, settings
from synctasks.errors import TransientError
from synctasks.settings import BROKER_VARIABLE


def test_only_a_broker_that_lets_us_in_answers(databases: dict[str, str]) -> None:
    url = os.environ[BROKER_VARIABLE]
    parts = urlsplit(url)
    place = parts.netloc.rpartition("@")[2]
    assert ping.answers(url)
    assert not ping.answers(parts._replace(netloc=f":wrong@{place}").geturl())
    assert not ping.answers(parts._replace(netloc="127.0.0.1:1").geturl())
    assert not ping.answers(parts._replace(scheme="rediss").geturl())


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
