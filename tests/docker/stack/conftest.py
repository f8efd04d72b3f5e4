"""One composed stack for all tests here, which are run in an order of their own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.docker.stack.composed import Composed, composed
from tests.docker.stack.engine import compose_is_there
from tests.docker.stack.place import Place
from tests.faults.witness import Witness

HERE = Path(__file__).parent
# The demo wants tables that were never filled; what comes after it empties them. The last one
# takes the stack down.
ORDER = ("image", "up", "demo", "scale", "stopped", "killed", "down")
TOLD: dict[str, str] = {}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    places = [number for number, item in enumerate(items) if HERE in item.path.parents]
    mine = sorted((items[number] for number in places), key=_in_order)
    for number, item in zip(places, mine, strict=True):
        items[number] = item
        item.add_marker(pytest.mark.timeout(300))
        if not compose_is_there():
            item.add_marker(
                pytest.mark.skip(reason="needs docker compose 2, or docker-compose 1.29")
            )


def _in_order(item: pytest.Item) -> int:
    return ORDER.index(item.path.stem.removeprefix("test_"))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """What was measured."""
    for what, number in TOLD.items():
        terminalreporter.write_line(f"Composed stack: {what}: {number}")


@pytest.fixture(scope="session")
def told() -> dict[str, str]:
    """What is told at the end of the run, by what it is."""
    return TOLD


@pytest.fixture(scope="session")
def place(image: str, tmp_path_factory: pytest.TempPathFactory) -> Place:
    """A copy of docker/ of our own; the image is built, so a build there takes what is there."""
    return Place(tmp_path_factory.mktemp("stack"))


@pytest.fixture(scope="session")
def stack(place: Place) -> Iterator[Composed]:
    """The composed stack as docker/up brings it up."""
    with composed(place) as made:
        yield made


@pytest.fixture
def empty(stack: Composed) -> Composed:
    """The stack at work, without rows."""
    stack.renew()
    return stack


@pytest.fixture
def witness(empty: Composed) -> Witness:
    """Who has seen nothing yet, and sees what happens from now on."""
    return Witness(empty)
