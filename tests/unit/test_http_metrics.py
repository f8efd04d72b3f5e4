"""Scrapes that come in crowds, and where something does not answer."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator

import pytest

from synctasks.errors import TransientError
from synctasks.http import metrics
from tests.scraping import OPENMETRICS, Scrape, answered


@pytest.fixture
def released() -> Iterator[threading.Event]:
    """What a silent server waits for; at the end it is there, so that threads end."""
    event = threading.Event()
    yield event
    event.set()


@pytest.fixture
def looks(monkeypatch: pytest.MonkeyPatch) -> dict[str, Callable[[], object]]:
    """What a scrape looks at: a broker with a message."""
    found: dict[str, Callable[[], object]] = {"broker": lambda: {"events": 1}}
    monkeypatch.setattr(metrics, "LOOKS", found)
    return found


def test_scrapes_that_come_together_look_once(
    looks: dict[str, Callable[[], object]], monkeypatch: pytest.MonkeyPatch
) -> None:
    looked: list[str] = []

    def look() -> dict[str, int]:
        looked.append("broker")
        return {"events": len(looked)}

    looks["broker"] = look
    web = metrics.Metrics()

    async def crowd() -> set[str]:
        return set(await asyncio.gather(*(answered(web) for _ in range(20))))

    monkeypatch.setattr(metrics, "_FRESH_SECONDS", 60)
    [said] = asyncio.run(crowd())
    assert Scrape(said).value("synctasks_queue_messages", queue="events") == 1
    monkeypatch.setattr(metrics, "_FRESH_SECONDS", 0)
    assert 'queue="events"} 2.0' in asyncio.run(answered(web))


def test_what_is_silent_is_given_up_and_the_rest_is_said(
    looks: dict[str, Callable[[], object]],
    monkeypatch: pytest.MonkeyPatch,
    released: threading.Event,
) -> None:
    monkeypatch.setattr(metrics, "_LOOK_SECONDS", 0.05)
    looks["warehouse"] = released.wait
    said = Scrape(asyncio.run(answered(metrics.Metrics())))
    assert said.by_label("synctasks_up", "dependency") == {
        "warehouse": 0,
        "citizen": 0,
        "broker": 1,
    }
    assert said.value("synctasks_queue_messages", queue="events") == 1


def test_what_fails_is_missing_and_its_error_is_not_told(
    looks: dict[str, Callable[[], object]],
) -> None:
    def fail() -> None:
        raise TransientError("SECRET")

    looks["broker"] = fail
    said = Scrape(asyncio.run(answered(metrics.Metrics())))
    assert said.value("synctasks_up", dependency="broker") == 0
    assert said.metrics["synctasks_queue_messages"].samples == []
    assert "SECRET" not in said.text


@pytest.mark.parametrize("accept", ["", "*/*", "text/plain;version=x", "\xff", "q=q=,;;"])
def test_whoever_asks_oddly_gets_the_plain_format(
    looks: dict[str, Callable[[], object]], accept: str
) -> None:
    said = asyncio.run(answered(metrics.Metrics(), accept))
    assert not said.endswith("# EOF\n")
    assert Scrape(said).value("synctasks_up", dependency="broker") == 1


def test_whoever_can_read_openmetrics_gets_it(looks: dict[str, Callable[[], object]]) -> None:
    assert asyncio.run(answered(metrics.Metrics(), OPENMETRICS)).endswith("# EOF\n")
