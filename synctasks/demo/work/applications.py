"""Applications for schemes on their way: draft, submitted, under review, and how they end.

Each step is a transaction of its own, and each transition that was committed is kept in memory.
"""

from __future__ import annotations

from collections import deque
from random import Random

from synctasks.demo.work.act import Act, Cursor, Done, Subject, Weighted, new_id
from synctasks.demo.work.desk import Desk
from synctasks.demo.work.transitions import ALL, RETURNING, Transition
from synctasks.sample.citizen import citizen_id
from synctasks.sample.generate import Plan
from synctasks.sample.schemes import known_schemes

# Those that are in order; what is dirty is left to whoever cleans up.
_OPEN = """\
SELECT id::text, status
FROM public.service_applications
WHERE status IN ('draft', 'submitted', 'under_review')
    AND citizen_id IS NOT NULL
    AND scheme_id IS NOT NULL
    AND created_at <= updated_at
    AND (status = 'draft' OR submitted_at BETWEEN created_at AND now())
ORDER BY id
"""
_DRAFT = f"""\
INSERT INTO public.service_applications (
    id, citizen_id, scheme_id, status, created_at, updated_at
)
VALUES (%s, %s, %s, 'draft', now(), now())
{RETURNING}"""
_MOVE = f"""\
UPDATE public.service_applications
SET status = %s, updated_at = now()
WHERE id = %s
{RETURNING}"""
_SUBMIT = f"""\
UPDATE public.service_applications
SET status = %s, submitted_at = now(), updated_at = now()
WHERE id = %s
{RETURNING}"""
_APPROVE = f"""\
UPDATE public.service_applications
SET status = %s, approved_at = now(), updated_at = now()
WHERE id = %s
{RETURNING}"""
_STAMP = f"""\
UPDATE public.service_applications
SET approved_at = now(), updated_at = now()
WHERE id = %s
{RETURNING}"""
_DELETE = "DELETE FROM public.service_applications WHERE id = %s"

# What comes after a status, and how often of a hundred.
_NEXT = {
    "draft": (("submitted", 80), ("withdrawn", 20)),
    "submitted": (("under_review", 75), ("withdrawn", 25)),
    "under_review": (("approved", 60), ("rejected", 40)),
    # Corrected and submitted once more: other events, beside the old ones.
    "rejected": (("submitted", 100),),
}
_STATEMENTS = {"submitted": _SUBMIT, "approved": _APPROVE}
_SUBMITTED_AGAIN = 0.3
_DELETED = 0.5
_STAMPED_LATER = 0.2


class Applications(Subject):
    """What citizens and officers do to applications; `transitions` is all that was committed.

    The first ones are the applications as they stood before.
    """

    def __init__(self, plan: Plan, desk: Desk) -> None:
        self._plan, self._desk = plan, desk
        self._random = Random(f"{plan.seed}/applications")
        self._schemes = [scheme.id for scheme in known_schemes(plan)]
        self._open: list[tuple[str, str]] = []
        self._unstamped: deque[str] = deque()
        self._withdrawn: deque[str] = deque()
        self.transitions: list[Transition] = []

    def begin(self, cursor: Cursor) -> None:
        """Look at the applications that are there already."""
        cursor.execute(ALL)
        self.transitions += map(Transition._make, cursor.fetchall())
        cursor.execute(_OPEN)
        self._open += cursor.fetchall()

    def everyday(self) -> tuple[Weighted, ...]:
        """In the specification's proportions, in thousands a day: four steps an application."""
        return (self.apply, 5), (self.move, 15), (self.stamp, 3), (self.delete, 1)

    def closing(self) -> tuple[Act, ...]:
        """No approval stays without its time."""
        return (self.stamp,) * len(self._unstamped)

    def apply(self, cursor: Cursor) -> Done:
        """A draft: no event yet."""
        citizen = citizen_id(self._plan, self._random.randrange(self._plan.citizens))
        application = new_id(self._random)
        cursor.execute(_DRAFT, (application, citizen, self._random.choice(self._schemes)))
        return self._left(cursor)

    def move(self, cursor: Cursor) -> Done:
        """An application goes its next step."""
        if not self._open:
            return Done()
        place = self._random.randrange(len(self._open))
        self._open[place], self._open[-1] = self._open[-1], self._open[place]
        application, status = self._open.pop()
        names, weights = zip(*_NEXT[status], strict=True)
        following = self._random.choices(names, weights)[0]
        statement = _STATEMENTS.get(following, _MOVE)
        if following == "approved" and self._random.random() < _STAMPED_LATER:
            statement = _MOVE
            self._unstamped.append(application)
        cursor.execute(statement, (following, application))
        return self._left(cursor)

    def stamp(self, cursor: Cursor) -> Done:
        """An approval gets its time, which the statement that approved did not set."""
        if not self._unstamped:
            return Done()
        cursor.execute(_STAMP, (self._unstamped.popleft(),))
        return self._left(cursor)

    def delete(self, cursor: Cursor) -> Done:
        """A withdrawn application is deleted; its events stay."""
        if not self._withdrawn:
            return Done()
        cursor.execute(_DELETE, (self._withdrawn.popleft(),))
        return Done()

    def _left(self, cursor: Cursor) -> Done:
        """One change: the application as the statement left it."""
        transition = Transition(*cursor.fetchone())
        return Done({"application_events": 1}, lambda: self._remember(transition))

    def _remember(self, transition: Transition) -> None:
        self.transitions.append(transition)
        application, status = transition.application, transition.status
        if status == "under_review":
            self._desk.put_application(application)
        # Nobody decides about what was withdrawn, so nothing refers to it.
        if status == "withdrawn" and self._random.random() < _DELETED:
            self._withdrawn.append(application)
        again = status == "rejected" and self._random.random() < _SUBMITTED_AGAIN
        if again or status in ("draft", "submitted", "under_review"):
            self._open.append((application, status))
