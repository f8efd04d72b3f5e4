"""Says at the end which tiers of tests ran, so that a log shows what a green run covers."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

TIERS = ("unit", "integration", "flows", "acceptance", "faults", "system", "docker")


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    ran: Counter[str] = Counter()
    for outcome in ("passed", "failed"):
        for report in terminalreporter.stats.get(outcome, []):
            parts = Path(report.nodeid.partition("::")[0]).parts
            ran[parts[1] if len(parts) > 2 else "other"] += 1
    told = ", ".join(f"{tier} {ran[tier]}" for tier in (*TIERS, "other") if ran[tier])
    terminalreporter.write_line(f"Tiers that ran: {told or 'none'}")
