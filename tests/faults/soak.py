"""`python -m tests.faults.soak`: faults at random for some minutes, and what came of them.

Both applications write; faults come in waves of one to three that overlap. When the last fault of
a wave has ended, it is measured how long everything takes to arrive.
"""

from __future__ import annotations

import argparse
import os
import random
import signal
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from cryptography.fernet import Fernet
from rich.console import Console

from synctasks.settings import KEYS_VARIABLE
from tests.faults.catalogue import FAULTS
from tests.faults.ground import Ground, prepared_ground
from tests.faults.report import Report
from tests.faults.troubles import prepare_troubles
from tests.faults.wave import draw_wave, ride
from tests.faults.witness import Witness
from tests.faults.workload import working
from tests.rows import execute

QUIET_SECONDS = 120
# Records that nobody writes: so many that what the traffic deletes in ten minutes is less than
# a fifth of all, and the guard of removals lets it go.
BYSTANDERS = 30_000
_ADD_BYSTANDERS = f"""\
INSERT INTO golden_records (gr_id, full_name, city_village, updated_at)
SELECT 'GR-X-' || number, 'Bystander', 'Jaipur', clock_timestamp()
FROM generate_series(1, {BYSTANDERS}) AS numbered (number)
"""

console = Console()


def main() -> None:
    """Run until the time is over and enough faults were seen; exit 1 if anything went wrong."""
    parser = argparse.ArgumentParser(prog="python -m tests.faults.soak", description=__doc__)
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--faults", type=int, default=60, help="at least so many")
    parser.add_argument("--seed", type=int, default=None, help="which faults, when; default: any")
    chosen = parser.parse_args()
    seed = random.SystemRandom().randrange(10**6) if chosen.seed is None else chosen.seed
    os.environ[KEYS_VARIABLE] = Fernet.generate_key().decode()
    # Ended politely, everything that was started ends, too.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    console.print(f"Seed {seed}: {chosen.minutes:g} minutes, at least {chosen.faults} faults")
    report = Report()
    with tempfile.TemporaryDirectory(prefix="soak-") as home, _ready(Path(home)) as ground:
        witness = Witness(ground)
        _add_bystanders(ground)
        with working(ground, seed=seed, pause=0.03, ask_pause=5.0) as workload:
            try:
                _waves(ground, report, random.Random(seed), chosen.minutes * 60, chosen.faults)
            except KeyboardInterrupt:
                console.print("Stopped: what has happened until now is looked at")
            report.statements = workload.writes
        report.judge(ground, witness, QUIET_SECONDS)
    report.show(console)
    sys.exit(0 if report.good else 1)


@contextmanager
def _ready(home: Path) -> Iterator[Ground]:
    """A ground at work, without rows."""
    console.print("Starting servers and processes")
    with prepared_ground(home) as ground:
        ground.renew()
        prepare_troubles(ground)
        yield ground


def _add_bystanders(ground: Ground) -> None:
    with ground.warehouse() as warehouse:
        execute(warehouse, _ADD_BYSTANDERS)
    ground.quiesce(QUIET_SECONDS)


def _waves(
    ground: Ground, report: Report, draw: random.Random, seconds: float, faults: int
) -> None:
    """Wave after wave; never more than half as long again as was asked for."""
    began = time.monotonic()
    while (gone := time.monotonic() - began) < seconds or report.faults < faults:
        if gone > 1.5 * seconds:
            break
        wave = draw_wave(draw, FAULTS)
        names = ", ".join(map(str, wave))
        try:
            recovery = ride(ground, wave, draw)
        except TimeoutError as error:
            report.note(wave, float("inf"))
            console.print(f"{gone:5.0f} s  {names}: {error}", soft_wrap=True)
            return
        report.note(wave, recovery)
        told = f"{gone:5.0f} s  {report.faults:3} faults  {recovery:5.1f} s  {names}"
        console.print(told, soft_wrap=True)


if __name__ == "__main__":
    main()
