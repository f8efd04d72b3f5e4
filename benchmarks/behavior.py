"""A day's raw events aggregated and carried over, against the same by two psql processes."""

from __future__ import annotations

import contextlib
import io
import statistics
import subprocess
import time
from datetime import UTC, datetime, timedelta

from benchmarks.ground import Ground, run, tidy, value
from synctasks import dispatch
from synctasks.embedded.binaries import postgres_binaries
from synctasks.flows.to_warehouse.user_behavior import USER_BEHAVIOR as FLOW

EVENTS = 500_000
_VISITORS = 10_000

_NUMBERS = f"""\
COPY (
    SELECT DISTINCT ON (jan_aadhaar) gen_random_uuid(), jan_aadhaar
    FROM public.golden_records
    WHERE jan_aadhaar ~ '^[0-9]{{12}}$'
    ORDER BY jan_aadhaar
    LIMIT {_VISITORS}
) TO STDOUT
"""
# In the proportions of page views, clicks, checks and searches.
_SHARES = {
    "page_views": 0.6,
    "scheme_clicks": 0.2,
    "eligibility_checks": 0.1,
    "search_queries": 0.1,
}
_HAPPEN = """\
INSERT INTO public.{table} (citizen_id, occurred_at)
SELECT
    visitors.ids[1 + floor(random() * cardinality(visitors.ids))],
    ({day} + random() * interval '1 day') AT TIME ZONE 'UTC'
FROM (SELECT array_agg(id) AS ids FROM public.citizens) AS visitors
CROSS JOIN generate_series(1, {count})
"""
_LASTED = "UPDATE public.{table} SET duration_seconds = random() * 600"

_ASK = "INSERT INTO synctasks.run (flow, reason, units) VALUES ('{flow}', 'benchmark', '{{{day}}}')"

_OUT = """\
COPY (
    SELECT
        citizen.aadhaar_number, happened.event_type, {day}, count(*),
        sum(happened.duration), min(happened.at), max(happened.at)
    FROM (
        SELECT citizen_id, 'PAGE_VIEW' AS event_type,
            duration_seconds AS duration, occurred_at AS at
        FROM public.page_views
        UNION ALL
        SELECT citizen_id, 'SCHEME_CLICK', NULL, occurred_at FROM public.scheme_clicks
        UNION ALL
        SELECT citizen_id, 'ELIGIBILITY_CHECK', duration_seconds, occurred_at
        FROM public.eligibility_checks
        UNION ALL
        SELECT citizen_id, 'SEARCH', NULL, occurred_at FROM public.search_queries
    ) AS happened
    JOIN public.citizens AS citizen ON citizen.id = happened.citizen_id
    GROUP BY 1, 2
) TO STDOUT
"""
_IN = """\
INSERT INTO analytics.user_behavior
SELECT known.gr_id, raw.event_type, raw.event_date, raw.event_count,
    raw.total_duration_seconds, raw.first_event_at, raw.last_event_at
FROM raw
JOIN public.golden_records AS known ON known.jan_aadhaar = raw.citizen_id
ON CONFLICT (citizen_id, event_type, event_date) DO UPDATE SET
    event_count = EXCLUDED.event_count,
    total_duration_seconds = EXCLUDED.total_duration_seconds,
    first_event_at = EXCLUDED.first_event_at,
    last_event_at = EXCLUDED.last_event_at
"""


def behavior(ground: Ground, rounds: int) -> None:
    """Print seconds and ratio, into an empty target and once more with nothing new."""
    day = (datetime.now(UTC) - timedelta(days=1)).date()
    _fill(ground, f"date '{day}'")
    print(f"\n{EVENTS:,} raw events of a day aggregated and carried over (median of {rounds})")
    print(f"{'case':<18}{'raw s':>8}{'ours s':>8}{'ratio':>8}{'rows':>10}")
    for case, before in (("empty target", "TRUNCATE analytics.user_behavior"), ("again", "SELECT")):
        raws, ours = [], []
        for _ in range(rounds):
            raws.append(_timed(ground, before, lambda: _raw(ground, f"date '{day}'")))
            ours.append(_timed(ground, before, lambda: _ours(ground, str(day))))
        raw, our = statistics.median(raws), statistics.median(ours)
        with contextlib.closing(ground.warehouse()) as warehouse:
            rows = value(warehouse, "SELECT count(*) FROM analytics.user_behavior")
        print(f"{case:<18}{raw:>8.2f}{our:>8.2f}{our / raw:>8.2f}{rows:>10,}", flush=True)


def _fill(ground: Ground, day: str) -> None:
    """Visitors whom the warehouse knows, and what they did."""
    numbers = io.StringIO()
    with contextlib.closing(ground.warehouse()) as warehouse, warehouse.cursor() as cursor:
        cursor.copy_expert(_NUMBERS, numbers)
    numbers.seek(0)
    with contextlib.closing(ground.citizen()) as citizen, citizen.cursor() as cursor:
        cursor.copy_expert("COPY public.citizens (id, aadhaar_number) FROM STDIN", numbers)
        for table, share in _SHARES.items():
            count = int(EVENTS * share)
            cursor.execute(_HAPPEN.format(table=table, day=day, count=count))
        for table in ("page_views", "eligibility_checks"):
            cursor.execute(_LASTED.format(table=table))
    ground.settle()


def _timed(ground: Ground, before: str, pipeline: object) -> float:
    with contextlib.closing(ground.warehouse()) as warehouse:
        run(warehouse, before)
    tidy(ground)
    began = time.monotonic()
    pipeline()  # type: ignore[operator]
    return time.monotonic() - began


def _ours(ground: Ground, day: str) -> None:
    with contextlib.closing(ground.citizen()) as citizen:
        run(citizen, _ASK.format(flow=FLOW.name, day=day))
        dispatch.send_refresh(FLOW.name)
        ground.settle()
        state = value(citizen, "SELECT state FROM synctasks.run ORDER BY id DESC LIMIT 1")
    if state != "succeeded":
        raise SystemExit(f"the run ended as {state}")


def _raw(ground: Ground, day: str) -> None:
    psql = str(postgres_binaries() / "psql")
    out = subprocess.Popen(
        [psql, "-Xqc", _OUT.format(day=day), ground.citizen_url], stdout=subprocess.PIPE
    )
    create = "CREATE TEMPORARY TABLE raw AS SELECT * FROM analytics.user_behavior WHERE false"
    steps = ["-c", create, "-c", "COPY raw FROM STDIN", "-c", _IN]
    subprocess.run([psql, "-Xq", *steps, ground.warehouse_url], stdin=out.stdout, check=True)
    assert out.stdout is not None
    out.stdout.close()
    if out.wait():
        raise SystemExit("psql failed")
