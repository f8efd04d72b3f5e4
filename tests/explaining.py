"""What `synctasks explain` says, to programs and to people alike."""

from __future__ import annotations

import json
from typing import Any

from synctasks.flow import Flow
from tests.letters import typed


def explained(flow: Flow, key: str, *options: str) -> dict[str, Any]:
    """The explanation of a unit, with the exit code as `exit`; a page says the same first."""
    said = typed("explain", flow.name, key, "--json", *options)
    page = typed("explain", flow.name, key, *options)
    assert (said.stderr, page.stderr) == ("", ""), said
    found: dict[str, Any] = json.loads(said.stdout)
    assert page.stdout.splitlines()[0] == found["sentence"]
    assert page.returncode == said.returncode
    return {**found, "exit": said.returncode, "page": page.stdout}


def outcome(found: dict[str, Any]) -> tuple[str, int]:
    """The word for what it comes to, and the exit code."""
    return found["outcome"], found["exit"]


def verdicts(record: dict[str, Any]) -> dict[str, tuple[str, bool]]:
    """What the contract says that is not `passes`, by column, and whether the gate was sure."""
    return {
        each["column"]: (each["verdict"], each["gate"])
        for each in record["contract"]
        if each["verdict"] != "passes"
    }
