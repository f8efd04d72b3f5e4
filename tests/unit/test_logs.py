"""What is logged: as which lines, without which words, and that docs/logs.md lists it all."""

from __future__ import annotations

import ast
import json
import logging
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import psycopg2
import pytest
import structlog
from celery.app.task import Context
from celery.exceptions import Retry
from celery.signals import task_failure, task_retry
from structlog.testing import capture_logs

from synctasks import settings
from synctasks.errors import Mistake, SetupError, TransientError
from synctasks.monitoring import logs
from synctasks.monitoring.redact import Redactor
from synctasks.monitoring.traces import trace
from synctasks.task_events import told_by_kind

ROOT = Path(__file__).parents[2]
NUMBER = "864209751357"
ENVIRONMENT = {
    "SYNCTASKS_WAREHOUSE_URL": "postgresql://sync:hush%2Fwarehouse@db.example/smart_warehouse",
    "SYNCTASKS_CITIZEN_URL": "postgresql://sync:hush-citizen@db.example/smart_citizen",
    "SYNCTASKS_BROKER_URL": "redis://:hush-broker@redis.example:6379/0",
    settings.SECRET_VARIABLE: 'hush "callback"',
    settings.FLOWER_VARIABLE: "watch:hush-flower",
    settings.ALERTS_VARIABLE: "slack://hush-a/hush-b/hush-c json://alerts.example",
}
LEVELS = ("debug", "info", "warning", "error", "critical", "exception")
SECRETS = [
    *("hush/warehouse", "hush%2Fwarehouse", "hush-citizen", "hush-broker", 'hush "callback"'),
    *("hush-flower", "slack://hush-a/hush-b/hush-c"),
]


class Said:
    """What was logged so far."""

    def __init__(self, capsys: pytest.CaptureFixture[str]) -> None:
        self._capsys = capsys
        self._text = ""

    @property
    def text(self) -> str:
        self._text += self._capsys.readouterr().err
        return self._text

    @property
    def lines(self) -> list[dict[str, object]]:
        return [json.loads(line) for line in self.text.splitlines()]


@pytest.fixture
def said(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Iterator[Said]:
    """Nothing is configured yet, and nothing stays so."""
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(sys, "excepthook", sys.excepthook)
    root = logging.getLogger()
    handlers, level, before = root.handlers[:], root.level, structlog.get_config()
    settings.load.cache_clear()
    yield Said(capsys)
    settings.load.cache_clear()
    root.handlers[:] = handlers
    root.setLevel(level)
    for name in logs.QUIETER:
        logging.getLogger(name).setLevel(logging.NOTSET)
    structlog.configure(**before)


def test_an_event_is_one_json_object_that_begins_with_when_how_bad_and_what(
    said: Said,
) -> None:
    logs.configure()
    structlog.get_logger().info("run.ended", flow="profile_data", read=3, cause="a\nb \u0915")
    [line] = said.lines
    assert list(line)[:3] == ["timestamp", "level", "event"]
    assert str(line.pop("timestamp")).endswith("Z")
    assert line == {
        "level": "info",
        "event": "run.ended",
        "flow": "profile_data",
        "read": 3,
        "cause": "a\nb \u0915",
    }


def test_what_others_say_comes_in_the_same_form(said: Said) -> None:
    logs.configure()
    logging.getLogger("celery.apps.worker").info("%s ready.", "first@host")
    logging.getLogger("kombu").debug("nobody asked for it")
    logging.getLogger("celery.app.trace").error("Task %s failed", "drain.schemes")
    logging.getLogger("celery.worker.strategy").info("Task received")
    [line] = said.lines
    assert list(line) == ["timestamp", "level", "event", "logger"]
    assert (line["event"], line["logger"]) == ("first@host ready.", "celery.apps.worker")


def test_console_lines_are_one_line_each_whatever_a_value_holds(
    said: Said, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(settings.LOGS_VARIABLE, "console")
    logs.configure()
    structlog.get_logger().warning("letter.opened", record="GR-1\n\x1b[31m", flow="schemes")
    logging.getLogger("kombu").warning("two\nlines")
    [ours, theirs] = said.text.splitlines()
    assert re.search(r"\[warning +\] letter\.opened +record=\S+ flow=schemes", ours)
    assert "\x1b" not in ours
    assert r"two\nlines" in theirs


@pytest.mark.parametrize(("level", "count"), [("", 2), ("DEBUG", 3), ("error", 1)])
def test_the_level_is_the_environments(
    said: Said, monkeypatch: pytest.MonkeyPatch, level: str, count: int
) -> None:
    monkeypatch.setenv(settings.LEVEL_VARIABLE, level)
    logs.configure()
    log = structlog.get_logger()
    log.debug("drain.done")
    log.info("run.started")
    log.error("task.failed")
    assert len(said.lines) == count


def test_a_level_or_format_that_is_none_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (settings.LEVEL_VARIABLE, settings.LOGS_VARIABLE):
        monkeypatch.setenv(name, "loud")
    settings.load.cache_clear()
    with pytest.raises(SetupError) as caught:
        settings.load()
    assert "SYNCTASKS_LOG_LEVEL is none of debug, info, warning, error" in str(caught.value)
    assert "SYNCTASKS_LOG_FORMAT is none of auto, console, json" in str(caught.value)


def test_no_secret_of_the_environment_leaves_in_any_line(said: Said) -> None:
    logs.configure()
    for secret in SECRETS:
        structlog.get_logger().error("listener.lost", cause=f"<{secret}>", deep=[{"x": secret}])
        logging.getLogger("kombu").error("cannot connect: %s", {"password": secret})
    assert len(said.lines) == 2 * len(SECRETS)
    words = said.text + said.text.replace("\\", "")
    assert not [secret for secret in SECRETS if secret in words]


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        ("redis://:x@host:6379/0 is gone", "redis://:***@host:6379/0 is gone"),
        ("postgresql://u:a%40b@host/d", "postgresql://u:***@host/d"),
        ("host=h user=u password=x dbname=d", "host=h user=u password=*** dbname=d"),
        ('{"event": "{\\"password\\": \\"x\\"}"}', '{"event": "{\\"password\\": \\"***\\"}"}'),
        ("{'passwd': 'x', 'port': 1}", "{'passwd': '***', 'port': 1}"),
        ("broker: the password is wrong. Put", "broker: the password is wrong. Put"),
        ("http://host:5555/ by a@b.example", "http://host:5555/ by a@b.example"),
    ],
)
def test_what_looks_like_a_password_is_hidden(line: str, shown: str) -> None:
    assert Redactor([])(None, "info", line) == shown


def test_a_trace_shows_where_and_of_what_kind_but_no_words_of_strangers(said: Said) -> None:
    def fall_over(number: str) -> None:
        try:
            int(f"x{number}")
        except ValueError:
            raise psycopg2.DataError(f"DETAIL: Key ({number})") from TransientError("citizen: gone")

    logs.configure()
    try:
        fall_over(NUMBER)
    except psycopg2.DataError as error:
        structlog.get_logger().error("task.mistaken", exc_info=True)
        logging.getLogger("uvicorn.error").exception("Exception in ASGI application")
        sys.excepthook(type(error), error, error.__traceback__)
    assert len(said.lines) == 3
    for line in said.lines:
        shown = str(line["exception"])
        assert "in fall_over" in shown
        assert shown.endswith("\nDataError")
        assert "TransientError: citizen: gone" in shown
    assert NUMBER not in said.text
    assert said.lines[-1]["event"] == "process.crashed"


def test_of_a_mistake_only_its_kind_and_place_go_on() -> None:
    def work() -> None:
        raise KeyError(NUMBER)

    with pytest.raises(Mistake) as caught:
        told_by_kind(work)()
    assert str(caught.value) == "KeyError"
    assert "in work" in trace(caught.value)
    assert NUMBER not in trace(caught.value)
    expected = TransientError("citizen: gone")

    def fail() -> None:
        raise expected

    with pytest.raises(TransientError) as passed:
        told_by_kind(fail)()
    assert passed.value is expected


class _Drain:
    name = "drain.profile_data"


def test_a_task_that_fails_is_one_line_with_its_flow_and_place() -> None:
    task, kwargs = _Drain(), {"lane": 3, "keys": [NUMBER]}
    place = {"task": "drain.profile_data", "flow": "profile_data", "lane": 3}
    reason = Retry(exc=TransientError("citizen: slow"), when=4)
    with capture_logs() as said:
        task_failure.send(sender=task, exception=TransientError("citizen: gone"), kwargs=kwargs)
        task_failure.send(sender=task, exception=ValueError(NUMBER), kwargs=kwargs)
        task_retry.send(sender=task, request=Context(kwargs=kwargs, retries=2), reason=reason)
    failed, mistaken, retried = said
    assert failed == {
        "event": "task.failed",
        "log_level": "error",
        **place,
        "cause": "citizen: gone",
    }
    assert (mistaken["event"], mistaken["cause"]) == ("task.mistaken", "ValueError")
    assert retried.items() >= {**place, "retry": 3, "seconds": 4, "cause": "citizen: slow"}.items()


def test_the_docs_list_the_events_that_there_are_with_their_levels() -> None:
    documented = dict(re.findall(r"^\| `([a-z_.]+)` \| ([a-z, ]+) \|", _docs(), flags=re.MULTILINE))
    assert {name: set(levels.split(", ")) for name, levels in documented.items()} == _events()
    assert list(documented) == sorted(documented)


def test_every_field_of_an_event_is_documented() -> None:
    for event, fields in _fields().items():
        [told] = re.findall(rf"^\| `{re.escape(event)}` .* \|([^|]*)\|$", _docs(), re.MULTILINE)
        names = set(re.findall(r"[a-z_]+", told))
        assert fields <= names, event


def _docs() -> str:
    return (ROOT / "docs" / "logs.md").read_text()


def _calls() -> Iterator[tuple[str, ast.Call]]:
    """Each call of a logger, by its level."""
    for file in (ROOT / "synctasks").rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text())):
            match node:
                case ast.Call(func=ast.Attribute(value=ast.Name(id="log"), attr=level)) if (
                    level in LEVELS
                ):
                    yield level, node


def _name(call: ast.Call) -> str:
    [first] = call.args
    assert isinstance(first, ast.Constant), "an event's name is written out"
    assert isinstance(first.value, str)
    return first.value


def _events() -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for level, call in _calls():
        found.setdefault(_name(call), set()).add("error" if level == "exception" else level)
    return found


def _fields() -> dict[str, set[str]]:
    """The fields of each event that its call names."""
    found: dict[str, set[str]] = {}
    for level, call in _calls():
        names = {keyword.arg for keyword in call.keywords if keyword.arg}
        if level == "exception":
            names.add(level)
        renamed = {"exception" if name == "exc_info" else name for name in names}
        found.setdefault(_name(call), set()).update(renamed)
    return found
