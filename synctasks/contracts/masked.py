"""Values shaped like one of our own masks: they came from us, and must not be written back."""

from __future__ import annotations

import re

from synctasks.characters import trimmed, trimmed_sql

MASKED = "is shaped like a mask of ours"

_SHAPES = re.compile(r"\*{4}|CONFIDENTIAL|\*{4}-\*{4}-[0-9]{4}|\*{6}[0-9]{4}|.\*{3}@.*", re.DOTALL)


def looks_masked(text: str) -> bool:
    """Whether a text could be a masked value."""
    return any(map(_SHAPES.fullmatch, (text, trimmed(text))))


def looks_masked_sql(value: str) -> str:
    """A condition on a text expression: true where `looks_masked` says so, and for a few more."""
    return f"({_shaped(value)} OR {_shaped(trimmed_sql(value))})"


def _shaped(value: str) -> str:
    return (
        f"({value} IN ('****', 'CONFIDENTIAL') OR left({value}, 6) = '******'"
        f" OR left({value}, 10) = '****-****-' OR substr({value}, 2, 4) = '***@')"
    )
