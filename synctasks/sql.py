"""Names and templates become SQL here, and only names that a declaration holds.

Values never pass through this module: they travel as parameters of the driver.
"""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy.dialects import postgresql

_quote = postgresql.dialect().identifier_preparer.quote  # type: ignore[no-untyped-call]


def name(identifier: str) -> str:
    """A declared name, dotted or plain, quoted where PostgreSQL wants it."""
    return ".".join(_quote(part) for part in identifier.split("."))


def names(identifiers: Iterable[str], *, of: str = "", indent: int = 4) -> str:
    """Declared names as a list, one a line; each behind `of.` if given."""
    prefix = f"{of}." if of else ""
    return lines((prefix + name(each) for each in identifiers), indent=indent)


def lines(items: Iterable[str], *, separator: str = ",", indent: int = 4) -> str:
    """Items one a line, indented so that the statement stays readable as SQL."""
    return f"{separator}\n{' ' * indent}".join(items)


def literal(text: str) -> str:
    """A declared word (a flow's name, an operation) as a string literal."""
    return "'" + text.replace("'", "''") + "'"
