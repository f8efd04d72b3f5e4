"""Commands that are imported when they are called are all there, and call for no others."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator

import click
import pytest

from synctasks.cli import cli
from synctasks.cli.dead_letters import dead_letters

HEAVY = {
    "alembic",
    "apprise",
    "celery",
    "kombu",
    "redis",
    "sqlalchemy",
    "starlette",
    "structlog",
}

LOADED = """\
import sys
from synctasks.cli import cli
cli([{command!r}, "--help"], standalone_mode=False)
print(*{{module.split(".")[0] for module in sys.modules}}, file=sys.stderr)
"""


def commands_of(group: click.Group) -> Iterator[tuple[str, click.Command | None]]:
    context = click.Context(group)
    for name in group.list_commands(context):
        yield name, group.get_command(context, name)


@pytest.mark.parametrize("group", [cli, dead_letters], ids=["synctasks", "dead-letters"])
def test_the_help_names_each_command_and_says_what_it_does(group: click.Group) -> None:
    found = dict(commands_of(group))
    assert len(found) > 4
    assert [each.name for each in found.values() if each] == list(found)
    said = group.get_help(click.Context(group))
    for name, command in found.items():
        assert command
        assert f"  {name} " in said
        assert command.get_short_help_str()[:20] in said


def test_a_command_that_is_none_is_not_looked_for() -> None:
    assert cli.get_command(click.Context(cli), "nope") is None


@pytest.mark.parametrize(
    ("command", "needless"),
    [
        ("status", HEAVY),
        ("flows", HEAVY),
    ],
)
def test_a_command_does_not_wait_for_what_only_others_need(
    command: str, needless: set[str]
) -> None:
    """Importing all of it takes longer than everything that `status` does."""
    code = [sys.executable, "-c", LOADED.format(command=command)]
    ended = subprocess.run(code, check=True, capture_output=True, text=True)
    loaded = set(ended.stderr.split())
    assert {"click", "psycopg2"} <= loaded
    assert not loaded & needless
