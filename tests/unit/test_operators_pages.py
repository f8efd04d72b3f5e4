"""The pages for operators: their commands, variables and links are those that there are."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import click
import pytest

from synctasks import settings
from synctasks.cli import cli

ROOT = Path(__file__).parents[2]
DEPLOY, OPERATIONS = PAGES = [ROOT / "docs" / name for name in ("deploy.md", "operations.md")]
TEXTS = {page: page.read_text(encoding="utf-8") for page in PAGES}
_ROW = re.compile(r"^\| `([A-Z_]+)` \| (?:`(.+?)`|none) \|", re.MULTILINE)

# In blocks, and within sentences; what comes from docker/ is one of ours, too.
_COMMAND = re.compile(r"(?<!-A )(?<![\w/.:=])(?:docker/)?synctasks ([a-z][^`\n|;#>…]*)")
COMMANDS = sorted(
    {
        line.strip()
        for text in TEXTS.values()
        for block in re.findall(r"```sh\n(.*?)```|`([^`\n]+)`", text, re.DOTALL)
        for line in _COMMAND.findall("".join(block).replace("\\\n", " "))
    }
)


def _table(heading: str) -> dict[str, str]:
    """The variables of the first table after a sentence, with their defaults."""
    rows = TEXTS[DEPLOY].partition(heading)[2].partition("\n\n")[2].partition("\n\n")[0]
    return dict(_ROW.findall(rows))


def _named(path: str) -> dict[str, str]:
    """The variables of an example, whether commented out or not."""
    text = (ROOT / path).read_text(encoding="utf-8")
    return dict(re.findall(r"^#?([A-Z_]+)=(.*)$", text, re.MULTILINE))


def test_the_table_names_every_setting_with_its_default() -> None:
    assert _table("at once are an error") == dict(settings.DEFAULTS)


def test_the_example_names_every_setting_too() -> None:
    assert _named("config/.env.example").keys() == settings.DEFAULTS.keys()


def test_the_table_of_the_containers_is_their_example() -> None:
    example = _named("docker/.env.example")
    passed_on = {name: example.pop(name) for name in list(example) if name in settings.DEFAULTS}
    assert _table("And for `docker/`") == example
    assert all(f"`{name}`" in TEXTS[DEPLOY].partition("passed on.")[0] for name in passed_on)
    chosen = re.findall(r"\$\{([A-Z_]+):-([^}]*)\}", (ROOT / "docker/compose.yaml").read_text())
    assert dict(chosen).items() <= (example | passed_on).items()


@pytest.mark.parametrize("line", COMMANDS)
def test_a_command_that_the_pages_name_is_one(line: str) -> None:
    """With the options it has there; capitals and `$` stand for what the reader knows."""
    words = shlex.split(line)
    command: click.Command = cli
    while isinstance(command, click.Group):
        found = command.get_command(click.Context(command), words.pop(0))
        assert found is not None, line
        command = found
    command.make_context(line, words)


def test_the_pages_name_commands() -> None:
    assert len(COMMANDS) > 20
    assert "sync profile_data --failed-chunks 17" in COMMANDS


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_a_link_leads_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)\s]+)\)", TEXTS[page]):
        path, _, anchor = target.partition("#")
        there = (page.parent / path).resolve() if path else page
        assert there.exists(), target
        if anchor:
            headings = re.findall(r"^#+ (.+)$", there.read_text(encoding="utf-8"), re.MULTILINE)
            assert anchor in {each.lower().replace(" ", "-") for each in headings}, target
