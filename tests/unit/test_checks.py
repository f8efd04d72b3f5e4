"""What the doctor makes of what it sees, without a server."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import pytest

from synctasks.checks import (
    CHECKS,
    NEEDED_BY_LEAKS,
    Check,
    Finding,
    State,
    installation,
    listening,
    run,
    servers,
)
from synctasks.checks.finding import could_not_run, problem, warning
from synctasks.checks.servers import Offset
from synctasks.cli.check import exit_status
from synctasks.errors import PermanentError, SetupError, TransientError
from synctasks.flow import Database
from synctasks.flows import by_name

OK, WARNING, PROBLEM, COULD_NOT_RUN = State

# Checks and findings -----------------------------------------------------------------------------


@pytest.mark.parametrize("state", [WARNING, PROBLEM, COULD_NOT_RUN])
def test_whatever_is_not_well_has_a_cause_and_a_remedy(state: State) -> None:
    with pytest.raises(ValueError, match="wants a cause and a remedy"):
        Finding("thing", state, "a cause")


def raising(error: Exception) -> Iterator[Finding]:
    yield Finding("first")
    raise error


@pytest.mark.parametrize(
    ("error", "found"),
    [
        (SetupError("x", "is wrong", "Mend x"), problem("x", "is wrong", "Mend x")),
        (
            TransientError("place: no answer. Is it running?"),
            could_not_run("place", "no answer", "Is it running?"),
        ),
        (
            PermanentError("warehouse: insufficient privilege [42501]"),
            could_not_run(
                "place",
                "warehouse: insufficient privilege [42501]",
                "Grant that to the role in the URL (check `rights` says how), or use the "
                "installer's",
            ),
        ),
        (
            PermanentError("odd"),
            could_not_run("place", "odd", "Mend that, and run the check again"),
        ),
    ],
)
def test_an_error_is_a_finding_and_the_other_checks_go_on(error: Exception, found: Finding) -> None:
    first = Check("a", "place", lambda: raising(error))
    second = Check("b", "there", lambda: [Finding("b")])
    assert [finding for _, finding in run((first, second))] == [
        Finding("first"),
        found,
        Finding("b"),
    ]


def test_what_needs_something_broken_could_not_run_and_names_what_was_first() -> None:
    warns = Check("warns", "place", lambda: [warning("w", "cause", "remedy")])
    broken = Check("broken", "place", lambda: [problem("x", "is wrong", "Mend x")], (warns,))
    after = Check("after", "there", lambda: [Finding("never")], (warns, broken))
    last = Check("last", "elsewhere", lambda: [Finding("never")], (after,))
    found = [finding for _, finding in run((warns, broken, after, last))]
    assert found[2:] == [
        could_not_run("there", "x: is wrong", "Mend x"),
        could_not_run("elsewhere", "x: is wrong", "Mend x"),
    ]


@pytest.mark.parametrize("checks", [CHECKS, NEEDED_BY_LEAKS])
def test_each_check_stands_behind_those_that_it_needs(checks: tuple[Check, ...]) -> None:
    for place, check in enumerate(checks):
        assert {*check.needs} <= {*checks[:place]}, (check.name, check.place)


@pytest.mark.parametrize(
    ("states", "status"),
    [
        ([], 0),
        ([OK, WARNING], 0),
        ([OK, COULD_NOT_RUN, WARNING], 2),
        ([COULD_NOT_RUN, PROBLEM, OK], 1),
    ],
)
def test_a_problem_weighs_more_than_what_could_not_run(states: list[State], status: int) -> None:
    assert exit_status(iter(states)) == status


# Databases ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("offset", "state", "said"),
    [
        (Offset(0.9, 0), OK, ""),
        (Offset(-3, 2.5), OK, ""),
        (Offset(-3, 0.5), WARNING, "its clock is 3.0 s behind that of this machine"),
        (Offset(60.5, 1), WARNING, "its clock is 60.5 s ahead of that of this machine"),
        (Offset(61.5, 1), PROBLEM, "its clock is 61.5 s ahead of that of this machine"),
    ],
)
def test_clocks_may_differ_by_what_the_way_took_and_a_second(
    offset: Offset, state: State, said: str
) -> None:
    found = servers.compared("here", "this machine", offset)
    assert (found.state, found.cause) == (state, said)


def test_a_clock_is_measured_by_the_quickest_of_some_tries() -> None:
    ours = iter([0.0, 4.0, 10.0, 10.2, 20.0, 22.0])
    theirs = iter([7.0, 15.1, 27.0])
    measured = servers.measured(lambda: next(theirs), lambda: next(ours))
    assert measured.ahead == pytest.approx(5.0)
    assert measured.unsure == pytest.approx(0.1)


@pytest.mark.parametrize(
    ("found", "state", "remedy"),
    [
        ("3", OK, ""),
        ("2", PROBLEM, "Run: synctasks install"),
        ("none", PROBLEM, "Run: synctasks install"),
        ("4", PROBLEM, "Bring the program on this machine to the version of the others"),
    ],
)
def test_our_schema_has_to_be_that_of_this_program(found: str, state: State, remedy: str) -> None:
    judged = installation.judged_version(Database.CITIZEN, found, ["3", "2", "1"])
    assert (judged.state, judged.remedy) == (state, remedy)


@pytest.mark.parametrize(
    ("flow", "count", "numbers", "state"),
    [
        ("profile_data", 8, range(8), OK),
        ("profile_data", 3, range(3), OK),
        ("profile_data", None, range(8), PROBLEM),
        ("profile_data", 8, [0, 1, 2, 4, 5, 6, 7, 8], PROBLEM),
        ("profile_data", 8, range(9), PROBLEM),
        ("golden_records", 8, range(8), PROBLEM),
        ("golden_records", 1, range(1), OK),
    ],
)
def test_both_sides_have_the_same_lanes(
    flow: str, count: int | None, numbers: Iterable[int], state: State
) -> None:
    assert installation.judged_lanes(by_name(flow), count, [*numbers]).state is state


@pytest.mark.parametrize(
    ("share", "state"), [(0.0, OK), (0.1, OK), (0.2, WARNING), (0.5, WARNING), (0.6, PROBLEM)]
)
def test_a_queue_of_notifications_that_fills_up_names_who_holds_it(
    share: float, state: State
) -> None:
    found = listening.judged_queue(Database.CITIZEN, share, 4711)
    assert found.state is state
    assert state is OK or "SELECT pg_terminate_backend(4711)" in found.remedy
