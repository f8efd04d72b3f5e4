"""What the tests of capture share: sessions of the application, and a worker in this process."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack

import psycopg2
import pytest

from synctasks.capture.change_log import lane_count
from synctasks.engine.drain import drain
from synctasks.flows import FLOWS
from tests.rows import Connection
from tests.workspace import WAREHOUSE


@pytest.fixture
def open_session(databases: dict[str, str]) -> Iterator[Callable[..., Connection]]:
    """Open further sessions at the warehouse, not in autocommit; all end with the test.

    Parameters are those of psycopg2.connect, such as another user.
    """
    with ExitStack() as ends:

        def connect(**parameters: str) -> Connection:
            session = psycopg2.connect(databases[WAREHOUSE], **parameters)
            ends.callback(session.close)
            return session

        yield connect


@pytest.fixture
def carry(databases: dict[str, str]) -> Callable[[], None]:
    """Work off everything that is pending now, as workers would."""

    def carry_all() -> None:
        for flow in FLOWS:
            for lane in range(lane_count(flow)):
                while drain(flow, lane):
                    pass

    return carry_all
