"""The environment: every bad variable is named at once, and no secret is ever shown."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from synctasks import settings
from synctasks.errors import SetupError

GOOD = {
    "SYNCTASKS_WAREHOUSE_URL": "postgresql://sync:hush-w@db.example/smart_warehouse",
    "SYNCTASKS_CITIZEN_URL": "postgresql://sync:hush-c@db.example:5433/smart_citizen",
    "SYNCTASKS_BROKER_URL": "rediss://:hush-b@redis.example:6379/0",
}


@pytest.fixture(autouse=True)
def _fresh(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for name, value in GOOD.items():
        monkeypatch.setenv(name, value)
    settings.load.cache_clear()
    yield
    settings.load.cache_clear()


def test_good_urls_are_taken_and_hidden() -> None:
    loaded = settings.load()
    assert loaded.database_url("citizen") == GOOD["SYNCTASKS_CITIZEN_URL"]
    assert "hush" not in repr(loaded)


def test_everything_missing_is_named_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in GOOD:
        monkeypatch.delenv(name)
    with pytest.raises(SetupError) as caught:
        settings.load()
    assert all(name in str(caught.value) for name in GOOD)


@pytest.mark.parametrize(
    ("name", "value", "cause"),
    [
        ("SYNCTASKS_WAREHOUSE_URL", "mysql://u:hush@h/d", "starts with 'mysql:'"),
        ("SYNCTASKS_WAREHOUSE_URL", "postgresql://u:hush@/d", "names no host"),
        ("SYNCTASKS_WAREHOUSE_URL", "postgresql://u:hush@h", "names no database"),
        ("SYNCTASKS_CITIZEN_URL", "postgresql://u:hush@h:port/d", "no valid URL"),
        ("SYNCTASKS_CITIZEN_URL", "postgresql://u:hush@[::1/d", "no valid URL"),
        ("SYNCTASKS_BROKER_URL", "amqp://u:hush@h", "starts with 'amqp:'"),
        ("SYNCTASKS_BROKER_URL", "redis://", "names no host"),
    ],
)
def test_a_wrong_url_is_named_with_its_cause_and_without_its_secret(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, cause: str
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(SetupError) as caught:
        settings.load()
    message = str(caught.value)
    assert name in message
    assert cause in message
    assert "hush" not in message
