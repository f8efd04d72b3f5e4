"""synctasks without its monitoring, to measure what that costs.

There is no such switch in the product. `celery -A benchmarks.bare worker` and
`python -m benchmarks.bare listen` take it out of our modules before they start.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence

from synctasks.app import app as app
from synctasks.capture import listener, pulse
from synctasks.capture.ears import Ears
from synctasks.cli import main
from synctasks.database import Transaction
from synctasks.engine import drain, history, turn
from synctasks.engine.books import Books
from synctasks.engine.history import Forgotten
from synctasks.monitoring.watch import Watch

# Without what only figures want to know: how long it took, and on which day it was captured.
_FORGET = f"""\
WITH {turn.ENDED},
forgotten AS (
    DELETE FROM synctasks.change_log AS change
    WHERE flow = %(flow)s AND lane = %(lane)s AND id = ANY (%(ids)s)
    RETURNING key, run
)
SELECT
    ended.overtaken,
    forgotten.key,
    count(*),
    array_agg(forgotten.run) FILTER (WHERE forgotten.run IS NOT NULL),
    NULL::integer[],
    0,
    NULL::date[]
FROM ended
LEFT JOIN forgotten ON true
GROUP BY ended.overtaken, forgotten.key
"""


def _answer_runs(
    source: Transaction,
    where: Mapping[str, object],
    forgotten: Sequence[Forgotten],
    books: Books,
    accepted: frozenset[str],
) -> None:
    """Keep no minute; but whoever asked for keys waits for his run."""
    for run in sorted({run for each in forgotten for run in each.runs}):
        of_run = [each.key for each in forgotten if run in each.runs]
        history.answer(source, run, len(of_run), books.only(of_run), held=False)


def _nothing(*_: object, **__: object) -> None:
    """What is done instead."""


def _wait(watch: Watch) -> None:
    watch._stopped.wait()


def _take_out() -> None:
    for module, name in ((drain, "_FORGET"), (history, "keep"), (history, "keep_of_run")):
        if not hasattr(module, name):
            raise RuntimeError(f"{module.__name__} has no {name}: this benchmark is out of date")
    drain._FORGET = _FORGET
    history.keep = _answer_runs
    history.keep_of_run = _nothing
    pulse.tick = _nothing
    Ears.beat = _nothing
    listener.ledger.close = _nothing
    listener.Listener._call_workers = _nothing
    Watch.run = _wait
    app.conf.worker_send_task_events = False


_take_out()

if __name__ == "__main__":
    sys.exit(main())
