"""The warehouse's officers and feeds at the golden records.

A changed key is two changes (one record goes, one comes), a change of columns that no flow reads
is none.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from random import Random

from psycopg2.extras import execute_values

from synctasks.demo.work.act import Abandoned, Act, Cursor, Done, Subject, Weighted
from synctasks.sample.generate import Plan
from synctasks.sample.names_places import DISTRICTS
from synctasks.sample.people import Person
from synctasks.sample.warehouse import record_id

# So many households on, nobody lives in whom one of the two databases might know already.
_FAR_AWAY = 1_000_000
_RECENT = 500
_SURVEYED = (100, 300)
_CAMP = (20, 60)

# The later of two corrections has the later time, also where it waited for the other's lock.
_CONTACT = """\
UPDATE public.golden_records
SET mobile_number = %s, email = %s, updated_by = 'field_officer', updated_at = clock_timestamp()
WHERE gr_id = %s
"""
_MOVE = """\
UPDATE public.golden_records
SET district_id = %s, city_village = %s, pincode = %s, updated_at = clock_timestamp()
WHERE gr_id = %s
"""
_SURVEY = """\
UPDATE public.golden_records
SET district_id = %s, city_village = %s, pincode = %s, updated_by = 'census_feed',
    updated_at = clock_timestamp()
WHERE gr_id BETWEEN %s AND %s
"""
_REVIEW = "UPDATE public.golden_records SET review_status = %s WHERE gr_id = %s"
_ERASE = "DELETE FROM public.golden_records WHERE gr_id = %s"
_RENUMBER = "UPDATE public.golden_records SET gr_id = %s, updated_at = now() WHERE gr_id = %s"
_REGISTER = """\
INSERT INTO public.golden_records (
    gr_id, family_id, jan_aadhaar, full_name, date_of_birth, gender, district_id, city_village,
    pincode, mobile_number, email, review_status, updated_by, created_at, updated_at
)
VALUES %s
"""
_ROW = "(%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, 'APPROVED', 'field_officer', now(), now())"


class Records(Subject):
    """What is done to golden records; all of it follows from the plan's seed."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._random = Random(f"{plan.seed}/records")
        self._newcomers = _newcomers(plan)
        # People come back: a record that was touched is likelier than others to be so again.
        self._recent: deque[str] = deque(maxlen=_RECENT)
        # The portal knows none of them, and so does not bring them back when they are gone.
        self._registered: deque[str] = deque(maxlen=_RECENT)

    def everyday(self) -> tuple[Weighted, ...]:
        """Mostly corrections of one record."""
        return (
            (self.correct, 12),
            (self.move_family, 2),
            (self.review, 4),
            (self.register, 3),
            (self.erase, 2),
            (self.renumber, 1),
            (self.abandon, 1),
        )

    def bulk(self) -> tuple[Act, ...]:
        """Transactions of many rows."""
        return self.survey, self.camp

    def correct(self, cursor: Cursor) -> Done:
        """Somebody has a new mobile number and address."""
        key = self._somebody()
        number = 6_000_000_000 + self._random.randrange(4_000_000_000)
        mail = f"{self._random.choice('abcdefgh')}{number % 100_000}@example.org"
        cursor.execute(_CONTACT, (str(number), mail, key))
        return _carried(self._touched(cursor, key))

    def move_family(self, cursor: Cursor) -> Done:
        """A family moves: several statements, one transaction."""
        people_in = self._plan.population.people_in
        household = self._random.randrange(self._plan.households)
        district, town, pincode = self._somewhere()
        changes = 0
        for person in range(people_in(household), people_in(household + 1)):
            cursor.execute(_MOVE, (district, town, pincode, record_id(person)))
            changes += self._touched(cursor, record_id(person))
        return _carried(changes)

    def review(self, cursor: Cursor) -> Done:
        """An officer's mark in a column that the sync does not read: nothing to carry."""
        status = self._random.choice(("APPROVED", "PENDING_REVIEW"))
        cursor.execute(_REVIEW, (status, self._somebody()))
        return Done()

    def register(self, cursor: Cursor) -> Done:
        """A new record."""
        return self._register(cursor, 1)

    def erase(self, cursor: Cursor) -> Done:
        """A record is deleted."""
        cursor.execute(_ERASE, (self._newcomer(),))
        return _carried(cursor.rowcount)

    def renumber(self, cursor: Cursor) -> Done:
        """A record gets another key: one to remove, one to write."""
        key = record_id(next(self._newcomers).number)
        cursor.execute(_RENUMBER, (key, self._newcomer()))
        if cursor.rowcount:
            self._registered.append(key)
        return _carried(2 * self._touched(cursor, key))

    def abandon(self, cursor: Cursor) -> Done:
        """A correction that is never committed. Raises Abandoned."""
        self.correct(cursor)
        raise Abandoned

    def survey(self, cursor: Cursor) -> Done:
        """A feed corrects some hundreds of neighbours in one statement."""
        count = min(self._random.randint(*_SURVEYED), self._plan.people)
        first = self._random.randrange(self._plan.people - count + 1)
        last = record_id(first + count - 1)
        cursor.execute(_SURVEY, (*self._somewhere(), record_id(first), last))
        return _carried(cursor.rowcount)

    def camp(self, cursor: Cursor) -> Done:
        """A registration camp: dozens of new records in one statement."""
        return self._register(cursor, self._random.randint(*_CAMP))

    def _register(self, cursor: Cursor, count: int) -> Done:
        people = [next(self._newcomers) for _ in range(count)]
        execute_values(cursor, _REGISTER, [_row(each) for each in people], _ROW, page_size=count)
        keys = [record_id(each.number) for each in people]
        self._recent.extend(keys)
        self._registered.extend(keys)
        return _carried(count)

    def _somebody(self) -> str:
        """A key; now and then of a record that is gone, as happens to applications."""
        if self._recent and self._random.random() < 0.3:
            return self._random.choice(self._recent)
        return record_id(self._random.randrange(self._plan.people))

    def _newcomer(self) -> str:
        """A key of somebody who was registered lately, and may be gone already."""
        return self._random.choice(self._registered) if self._registered else ""

    def _somewhere(self) -> tuple[int, str, str]:
        district = self._random.choice(DISTRICTS)
        town = self._random.choice(district.towns)
        return district.id, town.name, town.pincode

    def _touched(self, cursor: Cursor, key: str) -> int:
        if cursor.rowcount:
            self._recent.append(key)
        return int(cursor.rowcount)


def _carried(changes: int) -> Done:
    return Done({"profile_data": changes})


def _newcomers(plan: Plan) -> Iterator[Person]:
    household = plan.households + _FAR_AWAY
    while True:
        yield from plan.population.family(household)
        household += 1


def _row(person: Person) -> tuple[object, ...]:
    home = person.home
    return (
        record_id(person.number),
        home.family_id,
        person.aadhaar,
        person.full_name,
        person.born,
        person.gender,
        home.district.id,
        home.town.name,
        home.town.pincode,
        person.mobile,
        person.email,
    )
