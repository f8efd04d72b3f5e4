"""docker/down: asks first, and leaves nothing."""

from __future__ import annotations

import os
import pty
import subprocess

from tests.docker.stack.composed import Composed
from tests.docker.stack.engine import docker, labelled

KINDS = ("container", "volume", "network")


def test_without_a_terminal_it_wants_to_be_told(stack: Composed) -> None:
    before = labelled("container", stack.place.project)
    refused = stack.place.run("down")
    assert refused.returncode == 2
    assert refused.stderr.count("\n") == 1
    assert "--yes" in refused.stderr
    assert labelled("container", stack.place.project) == before


def test_on_a_terminal_it_asks(stack: Composed) -> None:
    before = labelled("container", stack.place.project)
    ours, its = pty.openpty()
    os.write(ours, b"\n")
    script = stack.place.home / "docker/down"
    asked = subprocess.run(
        [script], env=stack.place.environment, stdin=its, capture_output=True, timeout=20
    )
    os.close(ours)
    os.close(its)
    assert asked.returncode == 1
    assert b"[y/N]" in asked.stdout
    assert labelled("container", stack.place.project) == before


def test_it_leaves_nothing_of_it(stack: Composed) -> None:
    place = stack.place
    assert all(labelled(kind, place.project) for kind in KINDS)
    place.did("down", "--yes")
    assert not any(labelled(kind, place.project) for kind in KINDS)
    assert docker("image", "ls", "--quiet", place.image) == ""
    assert not (place.home / "docker/secrets").exists()
    # Nor does it mind that there is nothing.
    place.did("down", "--yes")
