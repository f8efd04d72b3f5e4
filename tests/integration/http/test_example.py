"""The example that the forecast service may copy does what it says."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from synctasks.embedded.waiting import wait_until
from synctasks.settings import SECRET_VARIABLE
from tests.callbacks import SECRET, Web, add_forecast, forecast_id
from tests.rows import Connection, rows

EXAMPLE = Path(__file__).parents[3] / "examples" / "forecast_callback.py"


def started(*arguments: str, secret: str = SECRET) -> subprocess.Popen[str]:
    """The example, isolated: nothing of ours can be imported."""
    return subprocess.Popen(
        [sys.executable, "-I", "-S", str(EXAMPLE), *arguments],
        env={SECRET_VARIABLE: secret},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def ended(*arguments: str, secret: str = SECRET) -> tuple[int, str, str]:
    """Its exit code and what it said."""
    with started(*arguments, secret=secret) as example:
        said, complained = example.communicate(timeout=30)
        return example.returncode, said, complained


def test_it_announces_forecasts(web: Web, warehouse: Connection) -> None:
    add_forecast(warehouse)
    code, said, _ = ended("--url", web.url, forecast_id(1), forecast_id(2))
    assert (code, forecast_id(1) in said, forecast_id(2) in said) == (0, True, True)
    requested = "SELECT key FROM synctasks.change_log WHERE origin = 'callback'"
    assert rows(warehouse, requested) == [forecast_id()]


def test_it_comes_again_until_they_are_committed(web: Web, warehouse: Connection) -> None:
    before = web.refused(404)
    with started("--url", web.url, forecast_id()) as example:
        wait_until(lambda: web.refused(404) > before, 20, "its first try")
        add_forecast(warehouse)
        said, _ = example.communicate(timeout=60)
    assert (example.returncode, forecast_id() in said) == (0, True)


def test_it_says_why_it_was_refused(web: Web) -> None:
    code, _, complained = ended("--url", web.url, forecast_id(), secret="another")
    assert (code, "the signature does not fit" in complained) == (1, True)


def test_it_says_that_nobody_answers() -> None:
    code, _, complained = ended("--once", "--url", "http://127.0.0.1:1/x", forecast_id())
    assert (code, complained.startswith("no answer: ")) == (1, True)


def test_it_teaches_its_use() -> None:
    code, said, _ = ended("--help")
    assert (code, SECRET_VARIABLE in said, "--url" in said) == (0, True, True)
    code, _, complained = ended(forecast_id(), secret="")
    assert (code, f"{SECRET_VARIABLE} is not set" in complained) == (2, True)
