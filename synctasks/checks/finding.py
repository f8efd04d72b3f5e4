"""What a check is, what it finds, and how checks are run one after the other."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

from synctasks.errors import SetupError, SynctasksError


class State(StrEnum):
    """What came of a look at one thing."""

    OK = "ok"
    WARNING = "warning"
    PROBLEM = "problem"
    COULD_NOT_RUN = "could-not-run"


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at; whatever is not well has a cause and a remedy."""

    thing: str
    state: State = State.OK
    cause: str = ""
    remedy: str = ""

    def __post_init__(self) -> None:
        if self.state is not State.OK and not (self.cause and self.remedy):
            raise ValueError(f"{self.thing}: a finding wants a cause and a remedy")


Look = Callable[[], Iterable[Finding]]


@dataclass(frozen=True, eq=False)
class Check:
    """A look at some things of one kind, at one `place`; it makes no sense where one of those that
    it `needs` found something wrong.
    """

    name: str
    place: str
    look: Look
    needs: tuple[Check, ...] = ()


def warning(thing: str, cause: str, remedy: str) -> Finding:
    return Finding(thing, State.WARNING, cause, remedy)


def problem(thing: str, cause: str, remedy: str) -> Finding:
    return Finding(thing, State.PROBLEM, cause, remedy)


def could_not_run(thing: str, cause: str, remedy: str) -> Finding:
    return Finding(thing, State.COULD_NOT_RUN, cause, remedy)


def from_error(thing: str, error: SynctasksError) -> Finding:
    """What an error says: what a person has to mend was found, the rest kept us from looking."""
    if isinstance(error, SetupError):
        return problem(error.thing, error.cause, error.remedy)
    cause, _, remedy = str(error).removeprefix(f"{thing}: ").partition(". ")
    if "insufficient privilege" in cause:
        remedy = (
            "Grant that to the role in the URL (check `rights` says how), or use the installer's"
        )
    return could_not_run(thing, cause, remedy or "Mend that, and run the check again")


def verdict(thing: str, problems: Iterable[SetupError]) -> Iterator[Finding]:
    """The problems as findings; one that all is well if there are none."""
    found = [from_error(thing, each) for each in problems]
    yield from found or [Finding(thing)]


def run(checks: Sequence[Check]) -> Iterator[tuple[Check, Finding]]:
    """Run the checks in their order, each finding as it comes.

    A check must stand behind those that it needs.
    """
    broken: dict[Check, Finding] = {}
    for check in checks:
        needed = next((each for each in check.needs if each in broken), None)
        if needed:
            reason = broken[check] = broken[needed]
            cause = f"{reason.thing}: {reason.cause}"
            yield check, could_not_run(check.place, cause, reason.remedy)
            continue
        for finding in _found(check):
            if finding.state in (State.PROBLEM, State.COULD_NOT_RUN):
                broken.setdefault(check, finding)
            yield check, finding


def _found(check: Check) -> Iterator[Finding]:
    try:
        yield from check.look()
    except SynctasksError as error:
        yield from_error(check.place, error)
