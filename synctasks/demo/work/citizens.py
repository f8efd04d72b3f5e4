"""Citizens at the portal: they register, are verified, correct what is wrong, upload, say, look."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from random import Random

from psycopg2.extras import execute_values

from synctasks.demo.work.act import Cursor, Done, Subject, Weighted, new_id
from synctasks.demo.work.desk import Desk
from synctasks.sample import names_texts
from synctasks.sample.citizen import citizen_id
from synctasks.sample.generate import Plan
from synctasks.sample.names_places import DISTRICTS
from synctasks.sample.people import Person
from synctasks.sample.schemes import known_schemes

# So many households on, nobody lives in whom one of the two databases might know already.
_FAR_AWAY = 2_000_000
_RECENT = 200
_VIEWED = (1, 12)

_REGISTER = """\
INSERT INTO public.citizens (
    id, aadhaar_number, family_id, is_family_head, full_name, date_of_birth, gender, mobile_number,
    email, city, district, pincode, verification_status, created_at, updated_at
)
VALUES (%s, %s, %s, true, %s, %s, %s, %s, %s, %s, %s, %s, 'pending', now(), now())
"""
_VERIFY = """\
UPDATE public.citizens
SET verification_status = 'verified', updated_at = now()
WHERE id = %s
"""
# The later of two corrections has the later time, also where it waited for the other's lock.
_CORRECT = """\
UPDATE public.citizens
SET mobile_number = %s, city = %s, district = %s, pincode = %s, updated_at = clock_timestamp()
WHERE id = %s
"""
_UPLOAD = """\
INSERT INTO public.documents (
    id, citizen_id, document_type, file_name, file_size, storage_key, uploaded_at,
    verification_status
)
VALUES (%s, %s, %s, %s, %s, %s, now(), 'pending')
"""
_SAY = """\
INSERT INTO public.feedback (
    id, citizen_id, feedback_type, rating, comment, scheme_id, created_at
)
VALUES (%s, %s, %s, %s, %s, %s, now())
"""
_LOOK = """\
INSERT INTO public.page_views (citizen_id, path, duration_seconds, occurred_at)
VALUES %s
"""
_SEARCH = """\
INSERT INTO public.search_queries (citizen_id, query, occurred_at)
VALUES (%s, %s, now())
"""


class Citizens(Subject):
    """What citizens do of themselves; of each new family one registers, its head."""

    def __init__(self, plan: Plan, desk: Desk) -> None:
        self._plan, self._desk = plan, desk
        self._random = Random(f"{plan.seed}/citizens")
        self._newcomers = _newcomers(plan)
        self._schemes = [scheme.id for scheme in known_schemes(plan)]
        self._pending: deque[str] = deque(maxlen=_RECENT)

    def everyday(self) -> tuple[Weighted, ...]:
        """In the specification's proportions, in thousands a day."""
        return (
            (self.register, 3),
            (self.verify, 2),
            (self.correct, 15),
            (self.upload, 12),
            (self.upload_to_be_verified, 3),
            (self.say, 1),
            (self.look, 15),
            (self.search, 5),
        )

    def register(self, cursor: Cursor) -> Done:
        """Somebody registers; until they are verified the sync leaves them alone."""
        person = next(self._newcomers)
        citizen, home = new_id(self._random), person.home
        place = home.town.name, home.district.name, home.town.pincode
        cursor.execute(
            _REGISTER,
            (
                citizen,
                person.aadhaar,
                home.family_id,
                person.full_name,
                person.born,
                person.gender,
                person.mobile,
                person.email,
                *place,
            ),
        )

        def remember() -> None:
            self._pending.append(citizen)
            self._desk.put_family(home.family_id)

        return Done({"golden_records": 1}, remember)

    def verify(self, cursor: Cursor) -> Done:
        """Whoever has waited longest is verified."""
        if not self._pending:
            return Done()
        citizen = self._pending.popleft()
        cursor.execute(_VERIFY, (citizen,))
        return Done({"golden_records": cursor.rowcount})

    def correct(self, cursor: Cursor) -> Done:
        """Somebody has moved, and has a new mobile number."""
        district = self._random.choice(DISTRICTS)
        town = self._random.choice(district.towns)
        mobile = str(6_000_000_000 + self._random.randrange(4_000_000_000))
        name = self._random.choice((district.name, district.name.upper(), f" {district.name} "))
        cursor.execute(_CORRECT, (mobile, town.name, name, town.pincode, self._somebody()))
        return Done({"golden_records": cursor.rowcount})

    def upload(self, cursor: Cursor) -> Done:
        """A document of somebody."""
        return self._upload(cursor, self._somebody())

    def upload_to_be_verified(self, cursor: Cursor) -> Done:
        """A document of somebody of whom there is no golden record yet: it has to wait."""
        if not self._pending:
            return Done()
        return self._upload(cursor, self._random.choice(self._pending))

    def say(self, cursor: Cursor) -> Done:
        """Feedback, half of it about a scheme."""
        kind = self._random.choice(names_texts.FEEDBACK_TYPES)
        comment = self._random.choice(names_texts.COMMENTS)
        scheme = self._random.choice((None, self._random.choice(self._schemes)))
        values = kind, self._random.randint(1, 5), comment, scheme
        cursor.execute(_SAY, (new_id(self._random), self._somebody(), *values))
        return Done({"feedback_analytics": 1})

    def look(self, cursor: Cursor) -> Done:
        """Some pages, now; one visit in five is told a day late. The day's end carries them."""
        visitor, late = self._somebody(), self._random.random() < 0.2
        views = [
            (visitor, self._random.choice(names_texts.PATHS), self._random.randrange(600))
            for _ in range(self._random.randint(*_VIEWED))
        ]
        row = f"(%s, %s, %s, now() - interval '{int(late)} day')"
        execute_values(cursor, _LOOK, views, row, page_size=len(views))
        return Done()

    def search(self, cursor: Cursor) -> Done:
        """Words that never leave the portal."""
        cursor.execute(_SEARCH, (self._somebody(), self._random.choice(names_texts.QUERIES)))
        return Done()

    def _upload(self, cursor: Cursor, citizen: str) -> Done:
        document = new_id(self._random)
        document_type, file_name = self._random.choice(names_texts.DOCUMENTS)
        values = document_type, file_name, self._random.randrange(20_000, 8_000_000)
        cursor.execute(_UPLOAD, (document, citizen, *values, f"vault/{document[:2]}/{document}"))
        return Done({"document_metadata": 1})

    def _somebody(self) -> str:
        return citizen_id(self._plan, self._random.randrange(self._plan.citizens))


def _newcomers(plan: Plan) -> Iterator[Person]:
    household = plan.households + _FAR_AWAY
    while True:
        yield plan.population.family(household)[0]
        household += 1
