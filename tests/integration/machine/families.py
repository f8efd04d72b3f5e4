"""What the warehouse's models say of families, and what the portal must show of it."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from tests.evaluations import best, latest, shown
from tests.integration.machine.broken import Differs, LettersWrong
from tests.integration.machine.people import at
from tests.integration.machine.sessions import Sessions
from tests.rows import Connection, rows

FAMILIES = tuple(f"10000000-0000-4000-8000-00000000000{place}" for place in (1, 2, 3))
FORECASTS = tuple(f"40000000-0000-4000-8000-00000000000{place}" for place in (1, 2, 3))
PROFILES = ("GR-1", "GR-2", "GR-3")
# More than five; the portal learns of the last ones with its next full run of the schemes.
SCHEMES = tuple(f"RJ-{number}" for number in range(8))
#: What makes an evaluation: how it is said to be, how long ago it was, whether it has a score.
KINDS = {
    "eligible": ("RULE_ELIGIBLE", "0 days", True),
    "possible": ("POSSIBLE_ELIGIBLE", "0 days", True),
    "not eligible": ("NOT_ELIGIBLE", "0 days", True),
    # Committed after others that were made later.
    "late": ("RULE_ELIGIBLE", "1 day", True),
    "old": ("RULE_ELIGIBLE", "40 days", True),
    "wrong": ("RULE_ELIGIBLE", "0 days", False),
}

A_SCHEME_MASTER = """\
INSERT INTO eligibility.scheme_master (scheme_id, scheme_code, scheme_name, status, updated_at)
SELECT gen_random_uuid(), code, 'A scheme', 'ACTIVE', '2025-01-01Z'
FROM unnest(%s) AS named (code)
"""
# A time that grows with every write, of the last days.
_NOW = "statement_timestamp() - interval '2 days' + make_interval(secs => %(number)s)"
_EVALUATE = f"""\
INSERT INTO eligibility.eligibility_snapshots (
    family_id, scheme_code, evaluation_status, eligibility_score, explanation, evaluation_timestamp
)
SELECT
    %(family)s, scheme, %(status)s, CASE WHEN %(scored)s THEN score END, %(number)s,
    {_NOW} - %(ago)s::interval
FROM unnest(%(schemes)s, %(scores)s::numeric[]) AS chosen (scheme, score)
"""
_FORECAST = f"""\
INSERT INTO forecast.benefit_forecasts (
    forecast_id, family_id, horizon_months, total_annual_value, scheme_count, generated_at
)
SELECT id::uuid, '{FAMILIES[0]}', 12, %(number)s, 1, {_NOW}
FROM unnest(%(ids)s) AS wanted (id)
ON CONFLICT (forecast_id) DO UPDATE SET
    total_annual_value = EXCLUDED.total_annual_value,
    generated_at = EXCLUDED.generated_at
"""
_PROFILE = """\
INSERT INTO profile_360 (gr_id, vulnerability_level, cluster_id, updated_at)
SELECT key, 'HIGH', lpad(%(number)s::text, 6, '0'), clock_timestamp()
FROM unnest(%(keys)s) AS wanted (key)
ON CONFLICT (gr_id) DO UPDATE SET cluster_id = EXCLUDED.cluster_id
"""
_ERASE = "DELETE FROM profile_360 WHERE gr_id = ANY (%(keys)s)"

# Of each target: the key, and what only grows.
HINTS = "SELECT family_id || ' ' || scheme_code, updated_at FROM public.eligibility_hints"
VALUES = "SELECT forecast_id, total_annual_value FROM public.benefit_forecasts"
SUMMARIES = "SELECT family_id, region FROM public.profile_summary"

_FORECASTS = "SELECT forecast_id::text, total_annual_value FROM {schema}.benefit_forecasts"
_PROFILES = "SELECT gr_id, cluster_id FROM profile_360"
_RECORDS = """\
SELECT record FROM synctasks.dead_letter
WHERE flow = 'eligibility_hints' AND state <> 'resolved' AND kind <> 'crash'
"""


class Models(Sessions):
    """Several schemes of one family at once; forecasts and profiles."""

    def evaluate(
        self, session: str, place: int, kind: str, schemes: Sequence[int], scores: Sequence[int]
    ) -> None:
        status, ago, scored = KINDS[kind]
        named = {"family": FAMILIES[place], "status": status, "ago": ago, "scored": scored}
        codes = [SCHEMES[scheme] for scheme in schemes]
        # Thousandths: some are equal once they are rounded.
        some = [scores[each % len(scores)] / 1000 for each in schemes]
        self.write(session, _EVALUATE, **named, schemes=codes, scores=some)

    def forecast(self, session: str, places: Sequence[int]) -> None:
        self.write(session, _FORECAST, ids=at(FORECASTS, places))

    def profile(self, session: str, places: Sequence[int]) -> None:
        self.write(session, _PROFILE, keys=at(PROFILES, places))

    def erase(self, session: str, places: Sequence[int]) -> None:
        self.write(session, _ERASE, keys=at(PROFILES, places))


def look(warehouse: Connection, portal: Connection, spared: Mapping[str, Collection[str]]) -> None:
    """All is worked off, and the schemes are known. Raises BrokenPromise."""
    _look_at_hints(warehouse, portal, spared["eligibility_hints"])
    forecasts = dict(rows(warehouse, _FORECASTS.format(schema="forecast")))
    there = dict(rows(portal, _FORECASTS.format(schema="public")))
    _differ("benefit_forecasts", forecasts, there, spared["benefit_forecasts"])
    profiles, summaries = dict(rows(warehouse, _PROFILES)), dict(rows(portal, SUMMARIES))
    _differ("profile_summary", profiles, summaries, spared["profile_summary"])


def _look_at_hints(warehouse: Connection, portal: Connection, spared: Collection[str]) -> None:
    """Families of which no evaluation is wrong; those that are wrong have their letters."""
    evaluated = latest(warehouse)
    wrong = {
        f"{family} {scheme}"
        for family, schemes in evaluated.items()
        for scheme, each in schemes.items()
        if each.is_wrong and family not in spared
    }
    letters = {each for each in rows(warehouse, _RECORDS) if each.split()[0] not in spared}
    if letters != wrong:
        raise LettersWrong(f"open: {letters}, wrong: {wrong}")
    doubtful = {*spared, *(each.split()[0] for each in wrong)}
    sound = {family: each for family, each in evaluated.items() if family not in doubtful}
    there = {name: hint for name, hint in shown(portal).items() if name[0] not in doubtful}
    _differ("eligibility_hints", best(sound), there, ())


def _differ(
    flow: str,
    wanted: Mapping[object, object] | Mapping[tuple[str, str], object],
    there: Mapping[object, object] | Mapping[tuple[str, str], object],
    spared: Collection[str],
) -> None:
    said, found = dict(wanted), dict(there)
    wrong = {
        name: (found.get(name), said.get(name))
        for name in said.keys() | found.keys()
        if found.get(name) != said.get(name) and name not in spared
    }
    if wrong:
        raise Differs(f"{flow}, what is there and what should be: {wrong}")
