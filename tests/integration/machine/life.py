"""How a machine's life ends: at rest, unless something was found broken before."""

from __future__ import annotations

import sys

from hypothesis.stateful import RuleBasedStateMachine


class Life(RuleBasedStateMachine):
    """One life; `rest` lets everybody finish and checks what must hold then, `leave` cleans up."""

    def teardown(self) -> None:
        is_broken = sys.exc_info()[0] is not None
        try:
            if not is_broken:
                self.rest()
        finally:
            self.leave()

    def rest(self) -> None:
        raise NotImplementedError

    def leave(self) -> None:
        raise NotImplementedError
