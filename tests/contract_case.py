"""A type of field on a type of column, with values that it must accept or refuse there."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from hypothesis.strategies import SearchStrategy

from synctasks.contracts import Field
from tests.contract_values import BLANK


@dataclass(frozen=True)
class Case:
    """A field on a column: texts that it must accept or refuse there, and a strategy for more.

    `made` is the SQL that makes the column's value of `given.text`. `doubtful` are examples that
    the field accepts and the gate does not: it leaves them, and values like them, to the field.
    """

    name: str
    field: Field
    column: str
    examples: Mapping[str | None, bool]
    more: SearchStrategy[str]
    made: str
    doubtful: frozenset[str | None] = frozenset()


def cases(
    make: Callable[..., Field],
    column: str,
    *,
    good: Iterable[str],
    bad: Iterable[str] = (),
    more: SearchStrategy[str],
    blank: bool | None = None,
    made: str = "",
    about: str = "",
    doubtful: Iterable[str] = (),
) -> list[Case]:
    """A field that may be null, and the same one required; `blank`: whether the first takes it."""
    found = []
    for required in (False, True):
        field = make(required=required)
        examples: dict[str | None, bool] = {None: not required}
        if blank is not None:
            examples |= dict.fromkeys(BLANK, blank and not required)
        examples |= {**dict.fromkeys((*good, *doubtful), True), **dict.fromkeys(bad, False)}
        name = f"{'required' if required else 'optional'} {type(field).__name__}"
        found.append(
            Case(
                f"{name} {about or column}",
                field,
                column,
                examples,
                more,
                made or f"given.text::{column}",
                frozenset(doubtful),
            )
        )
    return found
