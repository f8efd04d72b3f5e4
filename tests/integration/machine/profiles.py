"""How much is tried: in the ordinary suite the same few lives each time; by hand, many new ones.

By hand: SYNCTASKS_EXAMPLES=20000 .venv/bin/pytest tests/integration/machine. Then a failure is
also made short, which takes minutes.
"""

from __future__ import annotations

import os

from hypothesis import HealthCheck, Phase, settings

_EXAMPLES = os.environ.get("SYNCTASKS_EXAMPLES")
#: Seconds for one test; 0 is without an end.
TIMEOUT = 0 if _EXAMPLES else 120

_USUAL = settings(
    stateful_step_count=30,
    derandomize=True,
    deadline=None,
    phases=[Phase.generate],
    report_multiple_bugs=False,
    suppress_health_check=list(HealthCheck),
)
_DEEP = settings(stateful_step_count=60, deadline=None, suppress_health_check=list(HealthCheck))


def lives(usual: int) -> settings:
    """So many in the ordinary suite, and by hand as many as were asked for."""
    if _EXAMPLES:
        return settings(_DEEP, max_examples=int(_EXAMPLES))
    return settings(_USUAL, max_examples=usual)


def hunt() -> settings:
    """Until the first failure, which nobody needs short."""
    return settings(_USUAL, max_examples=200)
