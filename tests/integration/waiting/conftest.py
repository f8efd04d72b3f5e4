"""Tests of waiting share their databases within a file, emptied each time but for a citizen."""

import pytest

from tests.emptied import databases, renewed
from tests.flows.citizens import given_citizen
from tests.rows import Connection

__all__ = ["databases", "renewed"]


@pytest.fixture(autouse=True)
def asha(citizen: Connection) -> None:
    """A citizen of the portal whom the warehouse does not know yet."""
    given_citizen(citizen, verification_status="pending")
