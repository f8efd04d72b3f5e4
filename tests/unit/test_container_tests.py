"""The tests of the containers, where they do not run: they say so, and disturb no others."""

from __future__ import annotations

import subprocess
import sys
from importlib.metadata import entry_points
from pathlib import Path

import pytest

PROJECT = Path(__file__).parents[2]
PLUGINS = {"pytest_celery", "pytest_docker_tools"}


def test_their_plugins_are_installed_and_not_loaded(pytestconfig: pytest.Config) -> None:
    installed = {each.module.partition(".")[0] for each in entry_points(group="pytest11")}
    assert installed >= PLUGINS
    loaded = {
        getattr(each, "__name__", type(each).__module__).partition(".")[0]
        for each in pytestconfig.pluginmanager.get_plugins()
    }
    assert "xdist" in loaded
    assert not loaded & PLUGINS


@pytest.mark.parametrize("name", ["celery_app", "celery_setup", "celery_worker", "docker_client"])
def test_their_fixtures_are_none_of_ours(request: pytest.FixtureRequest, name: str) -> None:
    with pytest.raises(pytest.FixtureLookupError):
        request.getfixturevalue(name)


def test_without_an_engine_they_are_skipped_and_say_why(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCKER_HOST", "unix:///nowhere")
    outcome = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "tests/docker"],
        cwd=PROJECT,
        check=False,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert outcome.returncode == 0, outcome.stdout + outcome.stderr
    assert "needs a Docker engine: " in outcome.stdout
    summary = outcome.stdout.splitlines()[-1]
    assert " skipped in " in summary
    assert "passed" not in summary
