"""What all tests of the containers need: an engine, and the image of this checkout."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.docker import engine

HERE = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Without an engine every test here is skipped, and says why."""
    why_not = engine.why_not()
    if not why_not:
        return
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.skip(reason=f"needs a Docker engine: {why_not}"))


@pytest.fixture(scope="session")
def image() -> str:
    """The name of our image, built from this checkout."""
    return engine.build()
