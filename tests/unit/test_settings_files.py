"""Values given by files, as containers are given them, and where an operator's files lie."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from celery.signals import heartbeat_sent

from synctasks import beat, presence, settings
from synctasks.errors import SetupError

GOOD = {
    "SYNCTASKS_WAREHOUSE_URL": "postgresql://sync:hush-w@db.example/smart_warehouse",
    "SYNCTASKS_CITIZEN_URL": "postgresql://sync:hush-c@db.example:5433/smart_citizen",
    "SYNCTASKS_BROKER_URL": "rediss://:hush-b@redis.example:6379/0",
}
URL = settings.DATABASE_VARIABLES["warehouse"]


@pytest.fixture(autouse=True)
def _fresh(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for name, value in GOOD.items():
        monkeypatch.setenv(name, value)
    _forget()
    yield
    _forget()


def _forget() -> None:
    settings.load.cache_clear()
    settings.presence_file.cache_clear()


def as_file(monkeypatch: pytest.MonkeyPatch, name: str, file: Path) -> None:
    monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv(f"{name}_FILE", str(file))


@pytest.mark.parametrize("name", settings.DEFAULTS)
def test_every_variable_may_be_a_file(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, name: str
) -> None:
    file = tmp_path / "secret"
    file.write_text("hush it is")
    as_file(monkeypatch, name, file)
    assert settings.holds(name)
    given = settings.Given()
    assert given.text(name) == "hush it is"
    assert not given.problems


@pytest.mark.parametrize("held", [b"hush \xff", b"hush \xff\n", b"hush \xff\r\n"])
def test_a_file_holds_the_value_and_at_most_a_line_end(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, held: bytes
) -> None:
    file = tmp_path / "secret"
    file.write_bytes(held)
    as_file(monkeypatch, settings.SECRET_VARIABLE, file)
    assert settings.callback_secret() == b"hush \xff"
    assert "hush" not in repr(settings.load())


def test_what_is_wrong_in_a_file_is_named_without_its_secret(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    file = tmp_path / "url"
    file.write_text("mysql://u:hush@h/d\n")
    as_file(monkeypatch, URL, file)
    with pytest.raises(SetupError, match=f"{URL} starts with 'mysql:'") as caught:
        settings.load()
    assert "hush" not in str(caught.value)


@pytest.mark.parametrize(
    ("name", "cause"),
    [("nowhere", "No such file or directory"), (".", "Is a directory"), ("f/x", "Not a directory")],
)
def test_a_file_that_cannot_be_read_is_named_with_its_cause(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, name: str, cause: str
) -> None:
    (tmp_path / "f").touch()
    as_file(monkeypatch, URL, tmp_path / name)
    with pytest.raises(SetupError) as caught:
        settings.load()
    said = str(caught.value)
    assert f"{URL}_FILE names {tmp_path / name}, which cannot be read: {cause}" in said
    assert "is not set" not in said


def test_a_value_and_a_file_at_once_are_refused(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv(f"{URL}_FILE", str(tmp_path))
    with pytest.raises(SetupError, match=f"{URL} and {URL}_FILE are both set"):
        settings.load()


def test_an_operators_files_lie_where_the_environment_says(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv(settings.CONFIG_VARIABLE, str(tmp_path))
    assert settings.config_file("alerts.toml") is None
    (tmp_path / "alerts.toml").touch()
    assert settings.config_file("alerts.toml") == tmp_path / "alerts.toml"


def test_a_place_for_these_that_is_no_directory_is_named(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv(settings.CONFIG_VARIABLE, str(tmp_path / "nowhere"))
    for read in (settings.load, lambda: settings.config_file("alerts.toml")):
        with pytest.raises(SetupError, match="nowhere, which is no directory"):
            read()


def test_processes_touch_a_file_where_one_is_named(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    import synctasks.app  # noqa: F401

    file = tmp_path / "presence"
    presence.touch()
    monkeypatch.setenv(settings.PRESENCE_VARIABLE, str(file))
    _forget()
    assert not file.exists()
    heartbeat_sent.send(sender=None)
    assert file.exists()

    file.unlink()
    monkeypatch.setattr(beat.presence, "note_everywhere", lambda _: None)
    monkeypatch.setattr(beat.PersistentScheduler, "tick", lambda *_, **__: 300.0)
    scheduler: beat.Scheduler = object.__new__(beat.Scheduler)
    scheduler.tick()
    assert file.exists()


def test_a_file_that_cannot_be_touched_harms_nobody(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv(settings.PRESENCE_VARIABLE, str(tmp_path / "nowhere" / "presence"))
    _forget()
    presence.touch()
    assert not (tmp_path / "nowhere").exists()
