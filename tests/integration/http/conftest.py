"""One `synctasks serve` a file, on databases that are emptied for each test; no worker runs."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.callbacks import Web, serving
from tests.emptied import databases, renewed
from tests.workspace import Workspace

__all__ = ["databases", "renewed"]


@pytest.fixture(scope="module")
def served(renewed: Workspace, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Web]:
    with serving(tmp_path_factory.mktemp("serve")) as web:
        yield web


@pytest.fixture
def web(served: Web, databases: dict[str, str]) -> Web:
    """The server; both databases and the broker are empty."""
    return served
