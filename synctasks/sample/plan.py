"""What to generate, and the clock and the draws that make it repeatable."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from functools import cache, cached_property
from itertools import islice
from random import Random

from synctasks.sample.numbers import Draw
from synctasks.sample.people import Person, Population

DAY = 86_400
_FIRST_DAY = date(1970, 1, 1).toordinal()

#: Rows for each household. The sizes of all other tables follow from the people.
PER_HOUSEHOLD = {
    "forecast.benefit_forecasts": 0.5,
    "ai.beneficiary_detection_alerts": 0.08,
    "ai.proactive_inclusion_alerts": 0.06,
    "ai.predictive_alerts": 0.06,
    "service_applications": 0.3,
    "documents": 0.5,
    "feedback": 0.1,
    "page_views": 1.5,
    "scheme_clicks": 0.5,
    "eligibility_checks": 0.3,
    "search_queries": 0.3,
}
# One citizen in so many is nobody whom the warehouse knows: a golden record to create.
_NEWCOMERS = 50


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What to generate: equal plans give equal data, byte for byte.

    Args:
        households: how many families there are; on average they have 3.5 people.
        seed: another seed, other people.
        records: how many golden records there are, if not one for each of the people.
        dirty: the share, 0 to 1, of the records of each source table that break a rule.
        now: nothing (clean) happens later. In UTC, to the second.

    Raises:
        ValueError: a number is out of its range, or ``now`` has no time zone.
    """

    households: int
    seed: int = 1
    records: int | None = None
    dirty: float = 0.0
    now: datetime = field(default_factory=lambda: datetime.now(UTC))

    def __post_init__(self) -> None:
        if self.households < 1:
            raise ValueError(f"households must be 1 or more, not {self.households}")
        if not 0 <= self.dirty <= 1:
            raise ValueError(f"dirty is a share from 0 to 1, not {self.dirty}")
        if self.now.tzinfo is None:
            raise ValueError("now needs a time zone")
        if not 0 <= self.people <= self.population.people_in(self.households):
            raise ValueError(f"{self.households} households do not have {self.records} people")

    @classmethod
    def of_records(
        cls, records: int, *, seed: int = 1, dirty: float = 0.0, now: datetime | None = None
    ) -> "Plan":
        """Return the plan with exactly ``records`` golden records, and as many families."""
        now = now or datetime.now(UTC)
        households = Population(seed, now.date()).households_of(records)
        return cls(households=households, seed=seed, records=records, dirty=dirty, now=now)

    @cached_property
    def population(self) -> Population:
        """The people; those of later households live there too, unknown to the warehouse."""
        return Population(self.seed, self.now.astimezone(UTC).date())

    @cached_property
    def people(self) -> int:
        """How many people the warehouse knows: golden records."""
        if self.records is None:
            return self.population.people_in(self.households)
        return self.records

    @cached_property
    def citizens(self) -> int:
        """How many people use the portal."""
        known = self.population.accounts_in(self.households)
        return max(1, known + known // _NEWCOMERS)

    def size(self, table: str) -> int:
        """Return how many rows a table of ``PER_HOUSEHOLD`` has."""
        return max(1, int(self.households * PER_HOUSEHOLD[table]))

    def draw(self, purpose: str) -> Draw:
        """Return the draws of one purpose; no other purpose changes them."""
        return Random(f"{self.seed}/{purpose}").random

    def everybody(self) -> Iterator[Person]:
        """The people whom the warehouse knows, family by family."""
        family = self.population.family
        people = (person for household in range(self.households) for person in family(household))
        return islice(people, self.people)

    @cached_property
    def _epoch(self) -> int:
        return int(self.now.timestamp())

    def ago(self, seconds: float) -> str:
        """Return the timestamp so long before now; after it, where negative."""
        day, second = divmod(self._epoch - int(seconds), DAY)
        return f"{_day(day)} {_time(second)}+00"


# Two timestamps a row, a million rows, only some thousand days and 86,400 seconds: cached, a
# timestamp costs a third.
@cache
def _day(day: int) -> str:
    return date.fromordinal(_FIRST_DAY + day).isoformat()


@cache
def _time(second: int) -> str:
    minutes, second = divmod(second, 60)
    return f"{minutes // 60:02d}:{minutes % 60:02d}:{second:02d}"


def since_update(draw: Draw) -> float:
    """How many seconds ago a record was updated, from a minute to 400 days.

    Three in five within the last 30 days (the event filter's), one in seven more than 180 days
    ago (stale).
    """
    return 60 + draw() ** 5 * 400 * DAY
