"""The image: small, nobody's root, with what it needs and nothing else."""

from __future__ import annotations

import json
import re
import subprocess
import tarfile
import tempfile
from pathlib import Path, PurePosixPath

from tests.docker.engine import PROJECT
from tests.docker.stack.engine import docker, inspect
from tests.docker.stack.place import Place

MEGABYTE = 1_000_000
PINNED = re.compile(r"^([\w.-]+)==([^\s;]+)(?: *; *(.+))?$", re.MULTILINE)
_VERSIONS = """\
import json
from importlib.metadata import distributions
print(json.dumps({each.name: each.version for each in distributions()}))
"""
# The engine's, the kernel's, and the base's packages.
NOT_OURS = ("/dev", "/proc", "/sys", "/usr/lib", "/usr/share")
# What somebody may have lying about in a checkout.
LYING_ABOUT = (
    ".git/config",
    ".venv/bin/python",
    "config/.env",
    "docker/.env",
    "docker/secrets/warehouse_url",
    "tests/test_it.py",
    "synctasks/__pycache__/app.cpython-311.pyc",
)


def test_it_is_under_250_megabytes(image: str, told: dict[str, str]) -> None:
    size = inspect(image)["Size"]
    told["image"] = f"{size / MEGABYTE:.0f} MB"
    assert size < 250 * MEGABYTE


def test_it_has_an_init_and_a_health_check_and_runs_as_nobody_special(image: str) -> None:
    config = inspect(image)["Config"]
    assert config["User"] == "synctasks"
    assert config["Healthcheck"]["Test"] == ["CMD", "healthcheck"]
    assert config["StopSignal"] == "SIGTERM"
    said = run(image, "sh", "-c", "cat /proc/1/comm; id -u; id -G")
    assert said.split() == ["tini", "10001", said.split()[-1]]
    assert "0" not in said.split()


def test_the_command_says_what_it_can_do(image: str) -> None:
    assert "Usage: synctasks" in run(image, "synctasks", "--help")


def test_the_packages_are_those_of_requirements_txt(image: str) -> None:
    text = (PROJECT / "requirements.txt").read_text()
    pinned = {plain(name): (version, marker) for name, version, marker in PINNED.findall(text)}
    found = json.loads(run(image, "python", "-c", _VERSIONS))
    ours = found.pop("synctasks")
    # Some are for some versions of Python only.
    assert {name for name, (_, marker) in pinned.items() if not marker} <= set(map(plain, found))
    assert {plain(name): version for name, version in found.items()}.items() <= {
        name: version for name, (version, _) in pinned.items()
    }.items()
    assert f'version = "{ours}"' in (PROJECT / "pyproject.toml").read_text()


def test_no_secret_no_test_and_no_repository_is_in_it(image: str) -> None:
    pruned = [word for path in NOT_OURS for word in ("-path", path, "-prune", "-o")]
    files = run(image, "find", "/", *pruned, "-print", user="root")
    parts = {part for path in files.splitlines() for part in PurePosixPath(path).parts}
    assert {"synctasks", "celeryconfig.py", "healthcheck"} <= parts
    assert not parts & {".git", ".env", "secrets", "tests", "conftest.py", "pytest"}


def test_a_build_sees_only_what_the_image_is_made_of(tmp_path: Path) -> None:
    home = Place(tmp_path).home
    for name in LYING_ABOUT:
        planted = home / name
        planted.parent.mkdir(parents=True, exist_ok=True)
        planted.write_text("planted")
    seen = context(home)
    assert {path.partition("/")[0] for path in seen} == {
        *("README.md", "config", "docker", "pyproject.toml", "requirements.txt", "synctasks"),
    }
    assert [path for path in seen if path.startswith("docker/")] == ["docker/healthcheck"]
    assert not seen & set(LYING_ABOUT)


def run(image: str, *command: str, user: str = "") -> str:
    """What a command says in a container of its own, with the image's entry point."""
    return docker("run", "--rm", "--network", "none", "--user", user, image, *command)


def plain(name: str) -> str:
    """A package's name, however it is written."""
    return re.sub(r"[-_.]+", "-", name).lower()


def context(directory: Path) -> set[str]:
    """The files that a build in a directory is given."""
    built = subprocess.run(
        ["docker", "build", "--quiet", "--file", "-", directory],
        input=b"FROM scratch\nCOPY . /\nCMD none",
        capture_output=True,
        timeout=60,
        check=True,
    )
    whole = built.stdout.decode().strip()
    container = docker("create", whole)
    with tempfile.TemporaryFile() as archive:
        subprocess.run(["docker", "export", container], stdout=archive, timeout=60, check=True)
        archive.seek(0)
        with tarfile.open(fileobj=archive) as files:
            seen = {each.name for each in files if each.isfile()}
    docker("rm", container)
    docker("image", "rm", whole)
    # What every container has.
    return {path for path in seen if not path.startswith(("dev/", "etc/", ".dockerenv"))}
