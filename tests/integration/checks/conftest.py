"""Tests of the doctor share their databases within a file, emptied each time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import pytest

from synctasks import checks, settings
from synctasks.bind import bound
from synctasks.checks import Check, Finding, State
from synctasks.checks.alive import START
from tests.breakages import Look
from tests.emptied import databases, renewed
from tests.rows import Connection, execute

__all__ = ["databases", "renewed"]

_PRESENT = "INSERT INTO synctasks.presence (process) SELECT unnest(%s)"


@pytest.fixture
def healthy(
    warehouse: Connection, citizen: Connection, monkeypatch: pytest.MonkeyPatch
) -> Iterator[None]:
    """All processes were heard of, a worker answers, and all variables are set."""
    for each in (warehouse, citizen):
        execute(each, _PRESENT, ([*START],))
    monkeypatch.setattr("synctasks.dispatch.worker_answers", lambda: True)
    monkeypatch.setenv(settings.FLOWER_VARIABLE, "clerk:battery horse staple")
    monkeypatch.setenv(settings.SECRET_VARIABLE, "0123456789abcdef" * 4)
    settings.load.cache_clear()
    yield
    monkeypatch.undo()
    settings.load.cache_clear()
    bound.cache_clear()


@pytest.fixture
def look(healthy: None) -> Look:
    """Run the checks of these names (or all): what they find that is not well."""

    def find(*names: str) -> list[Finding]:
        settings.load.cache_clear()
        bound.cache_clear()
        wanted = _needed([each for each in checks.CHECKS if not names or each.name in names])
        chosen = [each for each in checks.CHECKS if each in wanted]
        return [finding for _, finding in checks.run(chosen) if finding.state is not State.OK]

    return find


def _needed(chosen: Sequence[Check]) -> set[Check]:
    """These checks, and all that they need."""
    return {*chosen, *(need for each in chosen for need in _needed(each.needs))}
