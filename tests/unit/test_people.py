"""The synthetic population: numbers that hold, families that fit together, and no memory."""

from collections import Counter
from datetime import date

import pytest

from synctasks.sample.names_people import REGIONS
from synctasks.sample.names_places import DISTRICTS
from synctasks.sample.numbers import NUMBERS, aadhaar
from synctasks.sample.people import Population
from synctasks.verhoeff import check_digit

TODAY = date(2025, 3, 1)
BLOCK = 1_000


@pytest.fixture(scope="module")
def population() -> Population:
    return Population(seed=7, today=TODAY)


@pytest.mark.parametrize(("digits", "check"), [("236", "3"), ("12345", "1"), ("142857", "0")])
def test_check_digits_are_verhoeffs(digits: str, check: str) -> None:
    """The examples are the ones that descriptions of the algorithm give."""
    assert check_digit(digits) == check


def test_a_check_digit_finds_every_wrong_digit_and_every_swap_of_neighbours() -> None:
    digits = "59874210063"
    valid = digits + check_digit(digits)
    for place in range(len(digits)):
        for other in set("0123456789") - {valid[place]}:
            wrong = valid[:place] + other + valid[place + 1 :]
            assert check_digit(wrong[:-1]) != wrong[-1]
        if valid[place] != valid[place + 1]:
            pair = valid[place + 1] + valid[place]
            swapped = valid[:place] + pair + valid[place + 2 :]
            assert check_digit(swapped[:-1]) != swapped[-1]


def test_aadhaar_like_numbers_have_twelve_digits_start_above_one_and_are_unique() -> None:
    numbers = [aadhaar(NUMBERS - 5, person) for person in range(20_000)]
    assert len(set(numbers)) == len(numbers)
    for number in numbers:
        assert len(number) == 12
        assert number.isascii()
        assert number.isdigit()
        assert number[0] not in "01"


def test_equal_seeds_give_equal_people_in_any_order(population: Population) -> None:
    again = Population(seed=7, today=TODAY)
    backwards = [again.family(household) for household in reversed(range(50))]
    assert backwards[::-1] == [population.family(household) for household in range(50)]
    assert Population(seed=8, today=TODAY).family(0) != population.family(0)


def test_a_block_has_3500_people_of_whom_600_use_the_portal(population: Population) -> None:
    assert population.people_in(BLOCK) == 3_500
    assert population.people_in(10 * BLOCK) == 35_000
    assert population.accounts_in(BLOCK) == 600
    sizes = Counter(len(population.family(household)) for household in range(BLOCK))
    assert set(sizes) == {1, 2, 3, 4, 5, 6}


@pytest.mark.parametrize("people", [1, 2, 3_499, 3_500, 3_501, 100_000])
def test_households_of_is_the_smallest_number_with_so_many_people(
    people: int, population: Population
) -> None:
    households = population.households_of(people)
    assert population.people_in(households - 1) < people <= population.people_in(households)


def test_people_are_numbered_through_the_households(population: Population) -> None:
    numbers = [p.number for household in range(2_500) for p in population.family(household)]
    assert numbers == list(range(population.people_in(2_500)))


def test_accounts_are_adults_of_their_household_in_order(population: Population) -> None:
    accounts = [population.account(number) for number in range(1_500)]
    assert accounts == sorted(set(accounts))
    assert population.accounts_in(accounts[-1].household + 1) in (1_500, 1_501)
    for account in accounts:
        person = population.family(account.household)[account.member]
        assert account.member in (0, 1)
        assert person.born < "2007-01-01"


def test_a_family_shares_its_name_and_home_and_parents_are_older(population: Population) -> None:
    for household in range(300):
        head, *others = population.family(household)
        assert head.member == 0
        for person in others:
            assert person.home == head.home
            assert person.full_name.endswith(f" {head.home.surname}")
        assert head.home.town in head.home.district.towns


def test_people_look_like_people(population: Population) -> None:
    people = [person for household in range(BLOCK) for person in population.family(household)]
    assert {person.gender for person in people} == {"M", "F", "O"}
    assert all("1930-01-01" <= person.born <= TODAY.isoformat() for person in people)
    mobiles = [person.mobile for person in people if person.mobile]
    assert all(mobile.removeprefix("+91")[0] in "6789" for mobile in mobiles)
    assert {len(mobile) for mobile in mobiles} == {10, 13}
    emails = [person.email for person in people if person.email]
    assert all(email.isascii() and email.count("@") == 1 for email in emails)
    assert len({person.home.district for person in people}) == len(DISTRICTS)


def test_names_and_places_are_plenty_and_well_formed() -> None:
    firsts = {name for region in REGIONS for name in (*region.women, *region.men)}
    surnames = {name for region in REGIONS for name in region.surnames}
    assert len(firsts) >= 150
    assert len(surnames) >= 100
    assert sum(region.weight for region in REGIONS) == 100
    assert len(DISTRICTS) == len({district.name for district in DISTRICTS}) == 33
    pincodes = [town.pincode for district in DISTRICTS for town in district.towns]
    assert len(set(pincodes)) == len(pincodes)
    assert all(len(pincode) == 6 and pincode.isdigit() for pincode in pincodes)


def test_uuids_are_canonical_version_4_and_differ_by_kind(population: Population) -> None:
    first = population.uuid("document", 1)
    assert first != population.uuid("feedback", 1)
    assert [len(part) for part in first.split("-")] == [8, 4, 4, 4, 12]
    assert first == first.lower()
    assert first[14] == "4"
    assert first[19] == "a"
