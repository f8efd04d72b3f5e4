"""requirements.txt pins all that runs synctasks, on every Python that it may run on."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.metadata import requires
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

REQUIREMENTS = Path(__file__).parents[2] / "requirements.txt"
PINNED = [
    Requirement(line)
    for line in REQUIREMENTS.read_text().splitlines()
    if line and not line.startswith("#")
]


@pytest.mark.parametrize("python", ["3.11.2", "3.11.14", "3.12.9", "3.13.5"])
def test_what_a_package_needs_is_pinned_too(python: str) -> None:
    pinned = {canonicalize_name(each.name) for each in PINNED if applies(each, python)}
    missing = {
        f"{name} needs {needed}"
        for name in installed(python)
        for needed in needs(name, python)
        if canonicalize_name(needed) not in pinned
    }
    assert not missing


def installed(python: str) -> Iterator[str]:
    """Those pinned for this Python and for ours, so that they can be asked."""
    for each in PINNED:
        if applies(each, python) and (each.marker is None or each.marker.evaluate()):
            yield each.name


def needs(name: str, python: str) -> Iterator[str]:
    for line in requires(name) or []:
        if applies(needed := Requirement(line), python):
            yield needed.name


def applies(requirement: Requirement, python: str) -> bool:
    """Whether it is for this Python; extras that nobody asks for are not."""
    version = python.rpartition(".")[0]
    where = {"python_full_version": python, "python_version": version, "extra": ""}
    return requirement.marker is None or requirement.marker.evaluate(where)
