"""A population that does not exist: families, their homes, the numbers that identify them.

Everything here is synthetic, the numbers above all: see ``numbers``.

Everything is a function of the seed and a number (of a household, a person, an account), so no
table needs to remember what another one holds, however large the population is.
"""

from bisect import bisect_left
from collections.abc import Iterable
from datetime import date
from itertools import accumulate
from random import Random
from typing import NamedTuple, TypeVar

from synctasks.sample.names_people import REGIONS, Region
from synctasks.sample.names_places import DISTRICTS, District, Town
from synctasks.sample.numbers import NUMBERS, Draw, aadhaar, mobile_number, uuid

_T = TypeVar("_T")

# How many of 1,000 households have 1, 2, ... 6 people: 3,500 people in all.
_HOUSEHOLDS_OF_SIZE = (75, 160, 260, 275, 155, 75)
_BLOCK = sum(_HOUSEHOLDS_OF_SIZE)
# How many of 1,000 households use the portal, and in how many of those the second adult does too.
_HOUSEHOLDS_ONLINE = 400
_COUPLES_ONLINE = 200
_WITH_GRANDPARENT = 4
_CHILDHOOD = 14
_REGION_BY_PERCENT = tuple(region for region in REGIONS for _ in range(region.weight))

_EARLIEST_BIRTH = date(1930, 1, 1).toordinal()
# Reserved for documentation: nobody can receive mail there.
_MAIL_DOMAINS = ("example.com", "example.org", "example.net", "mail.example.com")


class Home(NamedTuple):
    """What the people of one household share."""

    household: int
    family_id: str
    region: Region
    surname: str
    district: District
    town: Town


class Person(NamedTuple):
    """Somebody; ``number`` counts from 0 through the population, member 0 heads the family."""

    number: int
    member: int
    home: Home
    full_name: str
    gender: str
    born: str
    aadhaar: str
    mobile: str | None
    email: str | None


class Account(NamedTuple):
    """Somebody who uses the portal."""

    household: int
    member: int


class _Block(NamedTuple):
    """The pattern that every 1,000 households repeat."""

    #: How many people come before each household, and after the last.
    people_before: list[int]
    accounts: list[Account]


def _shuffled(items: Iterable[_T], draw: Draw) -> list[_T]:
    return [item for _, _, item in sorted((draw(), n, item) for n, item in enumerate(items))]


def _block(draw: Draw) -> _Block:
    sizes = [n for n, often in enumerate(_HOUSEHOLDS_OF_SIZE, start=1) for _ in range(often)]
    sizes = _shuffled(sizes, draw)
    online = _shuffled(range(len(sizes)), draw)[:_HOUSEHOLDS_ONLINE]
    couples = [household for household in online if sizes[household] > 1][:_COUPLES_ONLINE]
    heads = [Account(household, 0) for household in online]
    spouses = [Account(household, 1) for household in couples]
    return _Block([0, *accumulate(sizes)], sorted(heads + spouses))


class Population:
    """The people of one seed, as many as are asked for.

    Households come in blocks of 1,000, alike in their sizes: 3,500 people, of whom 600 use the
    portal.

    Args:
        seed: equal seeds give equal people.
        today: nobody is born later.
    """

    def __init__(self, seed: int, today: date) -> None:
        self._seed = seed
        self._today = today.toordinal()
        self._random = Random()
        draw = Random(f"{seed}/population").random
        self._offset = int(draw() * NUMBERS)
        self._household_seeds = int(draw() * 2**52) << 64
        self._block = _block(draw)

    def people_in(self, households: int) -> int:
        """Return how many people live in the first ``households`` households."""
        blocks, rest = divmod(households, _BLOCK)
        return blocks * self._block.people_before[-1] + self._block.people_before[rest]

    def households_of(self, people: int) -> int:
        """Return how many households it takes, from the first on, to have ``people`` people."""
        blocks, rest = divmod(people, self._block.people_before[-1])
        return blocks * _BLOCK + bisect_left(self._block.people_before, rest)

    def accounts_in(self, households: int) -> int:
        """Return how many people of the first ``households`` households use the portal."""
        blocks, rest = divmod(households, _BLOCK)
        accounts = self._block.accounts
        return blocks * len(accounts) + bisect_left(accounts, Account(rest, 0))

    def account(self, number: int) -> Account:
        """Return account ``number``, counted from 0 in the order of the households."""
        blocks, rest = divmod(number, len(self._block.accounts))
        household, member = self._block.accounts[rest]
        return Account(blocks * _BLOCK + household, member)

    def uuid(self, kind: str, number: int) -> str:
        """Return the UUID of the ``number``-th thing of a kind."""
        return uuid(self._seed, kind, number)

    def family_id(self, household: int) -> str:
        """Return the family id of a household."""
        return self.uuid("family", household)

    def aadhaar(self, person: int) -> str:
        """Return the twelve digits of a person: unique, with a valid check digit."""
        return aadhaar(self._offset, person)

    def family(self, household: int) -> list[Person]:
        """Return the people of a household, its head first."""
        first = self.people_in(household)
        size = self.people_in(household + 1) - first
        self._random.seed(self._household_seeds + household)
        draw = self._random.random
        home = self._home(household, draw)
        ages = _ages(size, draw)
        genders = _genders(size, draw)
        return [
            self._person(first + member, member, home, ages[member], genders[member], draw)
            for member in range(size)
        ]

    def _home(self, household: int, draw: Draw) -> Home:
        region = _REGION_BY_PERCENT[int(draw() * len(_REGION_BY_PERCENT))]
        surname = region.surnames[int(draw() * len(region.surnames))]
        district = DISTRICTS[int(draw() * len(DISTRICTS))]
        # The square of a draw: most people live in the first, largest towns.
        town = district.towns[int(draw() ** 2 * len(district.towns))]
        return Home(household, self.family_id(household), region, surname, district, town)

    def _person(
        self, number: int, member: int, home: Home, age: float, gender: str, draw: Draw
    ) -> Person:
        first, full_name = _names(home, gender, draw)
        born = max(self._today - int(age * 365.25), _EARLIEST_BIRTH)
        mobile = email = None
        if age >= _CHILDHOOD:
            mobile = mobile_number(draw)
            email = _email(first, home.surname, number, draw)
        return Person(
            number,
            member,
            home,
            full_name,
            gender,
            date.fromordinal(born).isoformat(),
            self.aadhaar(number),
            mobile,
            email,
        )


def _ages(size: int, draw: Draw) -> list[float]:
    """Ages in years: the head, the spouse, children, and sometimes a grandparent last."""
    head = 24 + draw() * 50
    spouse = max(head - 6 + draw() * 10, 19)
    youngest_parent = min(head, spouse)
    children = [draw() * (youngest_parent - 18) for _ in range(size - 2)]
    ages = [head, spouse, *sorted(children, reverse=True)][:size]
    if size >= _WITH_GRANDPARENT and draw() < 0.4:
        ages[-1] = head + 18 + draw() * 6
    return ages


def _genders(size: int, draw: Draw) -> list[str]:
    head, spouse = ("M", "F") if draw() < 0.75 else ("F", "M")
    genders = [head, spouse, *("F" if draw() < 0.48 else "M" for _ in range(size - 2))][:size]
    if draw() < 0.01:
        genders[int(draw() * size)] = "O"
    return genders


def _names(home: Home, gender: str, draw: Draw) -> tuple[str, str]:
    """First name and full name."""
    region = home.region
    is_woman = gender == "F" or (gender == "O" and draw() < 0.5)
    firsts, seconds = (
        (region.women, region.women_second) if is_woman else (region.men, region.men_second)
    )
    first = firsts[int(draw() * len(firsts))]
    if draw() < 0.3:
        return first, f"{first} {seconds[int(draw() * len(seconds))]} {home.surname}"
    return first, f"{first} {home.surname}"


def _email(first: str, surname: str, number: int, draw: Draw) -> str | None:
    kind = draw()
    if kind < 0.6:
        return None
    domain = _MAIL_DOMAINS[int(kind * 1000) % len(_MAIL_DOMAINS)]
    return f"{first}.{surname}{number % 1000}@{domain}".lower()
