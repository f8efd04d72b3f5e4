"""What a soak says at its end."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from statistics import median

from rich.console import Console
from rich.table import Table

from tests.faults.bearing import RECOVERY_SECONDS
from tests.faults.fault import Fault
from tests.faults.ground import CITIZEN, WAREHOUSE, Ground
from tests.faults.outcome import doubled, lost, open_letters, unbalanced, verified
from tests.faults.witness import Witness

_SHOWN = 5


class Report:
    """Faults with their recoveries, and what is found wrong when everything is quiet."""

    def __init__(self) -> None:
        self._recoveries: dict[str, list[float]] = defaultdict(list)
        self._wrong: dict[str, list[str]] = {}
        self._changes = 0
        self.statements = 0

    @property
    def faults(self) -> int:
        """How many there were so far."""
        return sum(map(len, self._recoveries.values()))

    @property
    def good(self) -> bool:
        """Nothing is wrong, there were faults, and every recovery was in time."""
        worst = max(self._all(), default=float("inf"))
        return not any(self._wrong.values()) and worst < RECOVERY_SECONDS

    def note(self, wave: Sequence[Fault], recovery: float) -> None:
        """Faults that overlapped share the recovery after the last of them."""
        for each in wave:
            self._recoveries[each.kind].append(recovery)

    def judge(self, ground: Ground, witness: Witness, timeout: float) -> None:
        """Wait until everything is quiet, and look at all that must hold then."""
        self._changes = sum(witness.captured(side) for side in (WAREHOUSE, CITIZEN))
        self._wrong = {
            "not arrived": _not_arrived(ground, timeout),
            "lost": lost(ground) + verified(ground),
            "doubled": doubled(ground) + witness.twice(),
            "gone back": witness.gone_back(),
            "dead letters open": open_letters(ground),
            "books that do not balance": unbalanced(ground, witness),
        }

    def show(self, console: Console) -> None:
        """Print both tables, and some of what is wrong."""
        table = Table("fault", "how often", "recovery, median s", "worst s")
        kinds = sorted(self._recoveries.items())
        for kind, recoveries in (*kinds, ("all", self._all())):
            if recoveries:
                of = (len(recoveries), f"{median(recoveries):.1f}", f"{max(recoveries):.1f}")
                table.add_row(kind, *map(str, of))
        console.print(table)
        console.print(
            f"statements of the applications: {self.statements:,}, "
            f"changes captured: {self._changes:,}"
        )
        for what, found in self._wrong.items():
            console.print(f"{what}: {len(found)}")
            for each in found[:_SHOWN]:
                console.print(f"  {each}", markup=False)

    def _all(self) -> list[float]:
        return [each for recoveries in self._recoveries.values() for each in recoveries]


def _not_arrived(ground: Ground, timeout: float) -> list[str]:
    """Wait until everything is quiet; what is not, if that takes too long."""
    try:
        ground.quiesce(timeout)
    except AssertionError as error:
        return [str(error)]
    return []
