"""Alerts arrive by mail and at a web service, or are told later; and nothing secret shows."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from structlog.testing import capture_logs

from synctasks import settings
from synctasks.embedded.ports import free_ports
from synctasks.monitoring.alerts.condition import Condition
from synctasks.monitoring.alerts.store import home, keep
from synctasks.monitoring.watch import look
from tests.letters import one_line, typed
from tests.receivers import mail_server, url_of, web_hook
from tests.rows import Connection, execute, value

SECRETS = ("hush-pass", "hush-path", "hush-token")
UNKNOWN = "gopher://hush-pass@example.org"
_STATE = "SELECT told_at IS NOT NULL, next_try > statement_timestamp() FROM synctasks.alert"

Tell = Callable[..., None]


@pytest.fixture
def tell(databases: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> Iterator[Tell]:
    """Say who is told of alerts."""

    def say(*urls: str) -> None:
        monkeypatch.setenv(settings.ALERTS_VARIABLE, "  ".join(urls))
        settings.load.cache_clear()

    say()
    yield say
    monkeypatch.undo()
    settings.load.cache_clear()


def fire(source: Connection) -> None:
    """Something to tell of."""
    execute(
        source,
        """
        INSERT INTO synctasks.held (flow, lane, key, captured_at)
        VALUES ('profile_data', 0, 'GR-1', clock_timestamp())
        """,
    )


def end(source: Connection) -> None:
    execute(
        source,
        "DELETE FROM synctasks.held; UPDATE synctasks.alert SET seen_at = seen_at - interval '1 h'",
    )


def try_again(source: Connection) -> None:
    """As if the time until the next try had passed."""
    execute(source, "UPDATE synctasks.alert SET next_try = next_try - interval '60 seconds'")


def state(source: Connection) -> Any:
    """Whether the alert was told, and whether nobody tries just now."""
    return value(source, _STATE)


def test_an_alert_and_its_end_arrive_by_mail_and_at_a_web_service(
    warehouse: Connection, tell: Tell
) -> None:
    with mail_server() as (mailbox, mail_url), web_hook() as (hook, url):
        tell(mail_url, url)
        fire(warehouse)
        look()
        end(warehouse)
        look()
    titles = ["removals held, profile_data", "over: removals held, profile_data"]
    assert [title for title, _ in hook.messages] == [f"synctasks: {each}" for each in titles]
    assert [subject for subject, _ in mailbox.texts()] == [f"synctasks: {each}" for each in titles]
    for _, text in (*hook.messages, *mailbox.texts()):
        assert "1 removals are held: more than 1,000 and a fifth of the target" in text
        assert "synctasks sync profile_data --accept-shrink" in text
        assert "docs/runbook.md#removals-held" in text
        assert " UTC" in text


def test_with_nobody_to_tell_nothing_is_told_and_who_comes_later_hears_of_what_fires(
    warehouse: Connection, tell: Tell
) -> None:
    fire(warehouse)
    look()
    assert state(warehouse) == (False, False)
    with web_hook() as (hook, url):
        tell(url)
        look()
        assert len(hook.messages) == 1
    assert state(warehouse) == (True, False)


def test_what_nobody_heard_is_told_later(warehouse: Connection, tell: Tell) -> None:
    with web_hook() as (hook, url):
        hook.status = 500
        tell(url)
        fire(warehouse)
        look()
        look()
        assert (hook.messages, state(warehouse)) == ([], (False, True))
        hook.status = 200
        look()
        assert hook.messages == [], "not before its time"
        try_again(warehouse)
        look()
        look()
        assert len(hook.messages) == 1
    assert state(warehouse) == (True, False)


def test_what_was_over_before_anybody_heard_is_told_within_the_hour_and_then_no_more(
    warehouse: Connection, tell: Tell
) -> None:
    fire(warehouse)
    look()
    end(warehouse)
    look()
    with web_hook() as (hook, url):
        tell(url)
        execute(warehouse, "UPDATE synctasks.alert SET resolved_at = now() - interval '61 minutes'")
        look()
        assert hook.messages == []
        execute(warehouse, "UPDATE synctasks.alert SET resolved_at = now() - interval '59 minutes'")
        look()
        look()
        assert [title.split(",")[0] for title, _ in hook.messages] == [
            "synctasks: removals held",
            "synctasks: over: removals held",
        ]


def test_one_that_is_reached_is_enough_and_secrets_stay_out_of_the_log(
    warehouse: Connection,
    tell: Tell,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
) -> None:
    caplog.set_level(logging.INFO)
    [nobody] = free_ports(1)
    with web_hook() as (hook, url), capture_logs() as logged:
        tell(url_of(nobody), UNKNOWN, url)
        fire(warehouse)
        look()
        try_again(warehouse)
        look()
        assert len(hook.messages) == 1
    assert state(warehouse)[0] is True
    warnings = [each["to"] for each in logged if each["event"] == "alerts.not_delivered"]
    assert warnings == [
        f"json://me:****@127.0.0.1:{nobody}",
        "URL 2 of SYNCTASKS_ALERT_URLS, which nobody knows",
    ]
    said = capfd.readouterr()
    everything = f"{logged}{caplog.text}{said.out}{said.err}"
    assert not [secret for secret in SECRETS if secret in everything]


def test_the_list_shows_what_fires_and_on_demand_what_is_over(
    warehouse: Connection, citizen: Connection, tell: Tell
) -> None:
    assert typed("alerts", "list").stdout == "Nothing fires.\n"
    fire(warehouse)
    look()
    listed = typed("alerts", "list", "--json")
    [alert] = json.loads(listed.stdout)
    assert listed.returncode == 1
    assert {name: alert[name] for name in ("name", "flow", "about", "state", "runbook")} == {
        "name": "removals held",
        "flow": "profile_data",
        "about": "profile_data",
        "state": "firing",
        "runbook": "docs/runbook.md#removals-held",
    }
    assert (alert["resolved_at"], alert["told_at"]) == (None, None)
    assert "profile_data" in typed("alerts", "list").stdout
    end(warehouse)
    look()
    assert (typed("alerts", "list").returncode, typed("alerts", "list", "--json").stdout) == (
        0,
        "[]\n",
    )
    over = typed("alerts", "list", "--all", "--json")
    [alert] = json.loads(over.stdout)
    assert (over.returncode, alert["state"]) == (0, "resolved")
    assert alert["since"] < alert["resolved_at"]


def test_what_fires_comes_first_and_is_not_cut_off(
    warehouse: Connection, citizen: Connection, tell: Tell
) -> None:
    execute(
        citizen,
        """
        INSERT INTO synctasks.alert (name, about, reason, since, resolved_at)
        SELECT 'latency', 'golden_records', 'x', now() + interval '1 h', now()
        FROM generate_series(1, 3)
        """,
    )
    fire(warehouse)
    look()
    listed = typed("alerts", "list", "--all", "--limit", "2", "--json")
    states = [(each["name"], each["state"]) for each in json.loads(listed.stdout)]
    assert states == [("removals held", "firing"), ("latency", "resolved")]
    assert listed.returncode == 1


def test_the_list_shows_what_one_database_knows_while_the_other_is_away(
    warehouse: Connection, citizen: Connection, tell: Tell, monkeypatch: pytest.MonkeyPatch
) -> None:
    fire(warehouse)
    look()
    monkeypatch.setenv("SYNCTASKS_CITIZEN_URL", f"postgresql://x@127.0.0.1:{free_ports(1)[0]}/x")
    _forget()
    listed = typed("alerts", "list", "--json")
    assert [each["about"] for each in json.loads(listed.stdout)] == ["profile_data"]
    assert (listed.returncode, "citizen database: cannot connect" in listed.stderr) == (1, True)
    monkeypatch.setenv("SYNCTASKS_WAREHOUSE_URL", f"postgresql://x@127.0.0.1:{free_ports(1)[0]}/x")
    _forget()
    both = typed("alerts", "list")
    assert (both.returncode, both.stdout) == (2, "")
    assert "no database answers" in both.stderr


def _forget() -> None:
    from synctasks import database

    database.forget_connections()
    settings.load.cache_clear()


def test_the_test_message_says_who_was_reached(tell: Tell) -> None:
    with mail_server() as (mailbox, mail_url), web_hook() as (hook, url):
        tell(mail_url, url)
        outcome = typed("alerts", "test")
    assert (outcome.returncode, outcome.stderr) == (0, "")
    assert [line.rpartition(" ")[2] for line in outcome.stdout.splitlines()] == ["reached"] * 2
    assert mailbox.texts()[0][0] == hook.messages[0][0] == "synctasks: a test"
    assert not [secret for secret in SECRETS if secret in outcome.stdout]


def test_the_test_message_says_who_was_not_reached(tell: Tell) -> None:
    [nobody] = free_ports(1)
    with web_hook() as (hook, url):
        tell(url_of(nobody), UNKNOWN, url)
        outcome = typed("alerts", "test")
    assert (outcome.returncode, len(hook.messages)) == (1, 1)
    first, second, third, advice = outcome.stdout.splitlines()
    assert first == f"json://me:****@127.0.0.1:{nobody}: NOT reached"
    assert second == "URL 2 of SYNCTASKS_ALERT_URLS, which nobody knows: NOT reached"
    assert third.endswith(": reached")
    assert "is the URL right" in advice
    assert not [secret for secret in SECRETS if secret in outcome.stdout + outcome.stderr]


def test_with_nobody_to_tell_the_test_is_set_up_wrongly(tell: Tell) -> None:
    assert "SYNCTASKS_ALERT_URLS is not set" in one_line(typed("alerts", "test"))


def test_an_alert_of_a_database_that_is_back_does_not_fire_twice(
    warehouse: Connection, tell: Tell
) -> None:
    """The row is unique while it fires: whoever keeps it again finds it."""
    condition = Condition("away", "citizen", "first")
    for reason in ("first", "second"):
        keep(home(condition), [Condition("away", "citizen", reason)])
    assert value(warehouse, "SELECT count(*), max(reason) FROM synctasks.alert") == (1, "second")
