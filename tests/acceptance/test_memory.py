"""Promise 8: memory is bounded however large the table."""

from __future__ import annotations

from synctasks.embedded.waiting import POLL_SECONDS
from tests.acceptance.system import System
from tests.acceptance.traffic import Threads
from tests.rows import execute

RECORDS = 100_000
# Of each of these, about 300 bytes of values: 30 MB in all, several times that as Python objects.
_MANY = """\
INSERT INTO golden_records (
    gr_id, family_id, jan_aadhaar, full_name, city_village, mobile_number, email, updated_at
)
SELECT
    'GR-' || lpad(number::text, 8, '0'), gen_random_uuid(), lpad(number::text, 12, '2'),
    repeat('Asha ', 20), repeat('Jaipur ', 14), '9876543210', number || '@example.com',
    clock_timestamp()
FROM generate_series(1, %s) AS numbered (number)
"""
_LIMIT_BYTES = 100 * 2**20


class Scales(Threads):
    """Weighs a worker's children all the time."""

    def __init__(self, system: System) -> None:
        super().__init__(1)
        self._children = system.worker.children()
        self.before = self._weigh()
        self.growth: dict[int, int] = {}

    def work(self, number: int) -> None:
        while not self.stopped:
            for pid, weight in self._weigh().items():
                self.growth[pid] = max(self.growth.get(pid, 0), weight - self.before[pid])
            self.wait(POLL_SECONDS)

    def _weigh(self) -> dict[int, int]:
        return {each.pid: each.memory_info().rss for each in self._children}


def test_a_full_run_needs_no_more_memory_for_a_large_table(system: System) -> None:
    with Scales(system) as scales, system.warehouse() as warehouse:
        execute(warehouse, _MANY, [RECORDS])
        system.quiesce(60)
        outcome = system.run("synctasks", "sync", "profile_data", timeout=60)
    assert outcome.returncode == 0, outcome.stderr
    system.agree()
    assert system.at_citizen("SELECT count(*) FROM profile_data") == [RECORDS]
    heaviest = max(scales.growth.values())
    assert 0 < heaviest < _LIMIT_BYTES, f"{heaviest / 2**20:.0f} MiB more"
