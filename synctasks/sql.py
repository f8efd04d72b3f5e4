"""Names and templates become SQL here, and only names that a declaration holds.

Values never pass through this module: they travel as parameters of the driver.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

_PLAIN = re.compile(r"[a-z_][a-z0-9_$]*")

# What PostgreSQL, or SQL, keeps for itself: never a name as it stands.
_KEYWORDS = """\
all analyse analyze and any array as asc asymmetric authorization between binary both case cast
check collate collation column concurrently constraint create cross current_catalog current_date
current_role current_schema current_time current_timestamp current_user default deferrable desc
distinct do else end except false fetch for foreign freeze from full grant group having ilike in
initially inner intersect into is isnull join lateral leading left like limit localtime
localtimestamp natural new not notnull null of off offset old on only or order outer over overlaps
placing primary references returning right select session_user similar some symmetric system_user
table tablesample then to trailing true union unique user using variadic verbose when where window
with
"""
_RESERVED = frozenset(_KEYWORDS.split())


def name(identifier: str) -> str:
    """A declared name, dotted or plain, quoted where PostgreSQL wants it."""
    return ".".join(_quote(part) for part in identifier.split("."))


def _quote(part: str) -> str:
    if _PLAIN.fullmatch(part) and part not in _RESERVED:
        return part
    return '"' + part.replace('"', '""') + '"'


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
