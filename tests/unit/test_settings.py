"""The environment: every bad variable is named at once, and no secret is ever shown."""

from __future__ import annotations

import runpy
from collections.abc import Iterator
from pathlib import Path

import pytest
from flower.options import options

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
    for name in (settings.SECRET_VARIABLE, settings.PORT_VARIABLE):
        monkeypatch.delenv(name, raising=False)
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


def test_the_secret_of_callbacks_is_needed_where_it_is_used_and_hidden(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with pytest.raises(SetupError, match="SYNCTASKS_CALLBACK_SECRET is not set"):
        settings.callback_secret()
    monkeypatch.setenv(settings.SECRET_VARIABLE, "hush-s\u00e9\udcff")
    settings.load.cache_clear()
    assert settings.callback_secret() == b"hush-s\xc3\xa9\xff"
    assert "hush" not in repr(settings.load())


@pytest.mark.parametrize(("value", "port"), [("", 8080), (" 81 ", 81), ("65535", 65_535)])
def test_a_good_port_is_taken(monkeypatch: pytest.MonkeyPatch, value: str, port: int) -> None:
    monkeypatch.setenv(settings.PORT_VARIABLE, value)
    assert settings.load().http_port == port


@pytest.mark.parametrize("value", ["0", "-1", "65536", "8080.0", "http", "\u0661", "9" * 5_000])
def test_a_bad_port_is_named(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    monkeypatch.setenv(settings.PORT_VARIABLE, value)
    with pytest.raises(SetupError, match="SYNCTASKS_HTTP_PORT is no port"):
        settings.load()


@pytest.mark.parametrize("given", ["watch:hush", "watch:hu:sh", "w:h"])
def test_flower_is_looked_at_by_a_user_with_a_password(
    monkeypatch: pytest.MonkeyPatch, given: str
) -> None:
    monkeypatch.setenv(settings.FLOWER_VARIABLE, given)
    assert settings.flower_basic_auth() == given
    assert "hu" not in repr(settings.load())


@pytest.mark.parametrize(
    ("given", "cause"),
    [
        ("", "is not set"),
        ("hush", "is not user:password"),
        (":hush", "is not user:password"),
        ("hush:", "is not user:password"),
        ("g\u00e4nse:hush", "is not user:password, in printable ASCII characters"),
        ("watch:hush\n", "is not user:password, in printable ASCII characters"),
    ],
)
def test_flower_is_looked_at_by_nobody_else(
    monkeypatch: pytest.MonkeyPatch, given: str, cause: str
) -> None:
    monkeypatch.setenv(settings.FLOWER_VARIABLE, given)
    with pytest.raises(SetupError) as caught:
        settings.flower_basic_auth()
    assert f"{settings.FLOWER_VARIABLE} {cause}" in str(caught.value)
    assert "hush" not in str(caught.value)


def test_an_operators_file_is_found_from_wherever_a_process_starts(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    found = settings.config_file("flowerconfig.py")
    assert found is not None
    names = [name for name in runpy.run_path(str(found)) if not name.startswith("_")]
    assert set(names) <= set(options.as_dict()), "each is one of Flower's own"
    assert settings.config_file("nosuchconfig.py") is None
    (tmp_path / "config").mkdir()
    mine = tmp_path / "config" / "nosuchconfig.py"
    mine.touch()
    assert settings.config_file("nosuchconfig.py") == mine
