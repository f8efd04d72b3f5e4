"""What counts as blank, as digits: one meaning, in SQL and in Python.

Byte-wise trims in place of `translate` and regular expressions: a rule looks at every row of a
table at each full run, and these are several times cheaper. They count bytes, so digits of
other scripts do not pass for ASCII ones.
"""

from __future__ import annotations

DIGITS = "0123456789"
HEX_DIGITS = "0123456789abcdef"

# White space as Unicode has it: a name of no-break spaces is no name.
_BLANK = "".join(map(chr, (*range(9, 14), 32, 133, 160, 5760, *range(8192, 8203)))) + "".join(
    map(chr, (8232, 8233, 8239, 8287, 12288))
)
_BLANK_SQL = "U&'" + "".join(f"\\{ord(each):04x}" for each in _BLANK) + "'"


def is_blank(text: str) -> bool:
    """Whether a text shows nothing: it is empty, or white space only."""
    return not text.strip(_BLANK)


def blank_sql(value: str) -> str:
    """The same as a condition on a text expression.

    A text whose first character is a visible ASCII one (33 to 126) needs no closer look.
    """
    starts_visibly = f"abs(2 * ascii({value}) - 159) < 95"
    return f"(CASE WHEN {starts_visibly} THEN false ELSE ltrim({value}, {_BLANK_SQL}) = '' END)"


def holds_blank(text: str) -> bool:
    """Whether any character of a text is white space."""
    return any(each in text for each in _BLANK)


def holds_blank_sql(value: str) -> str:
    """The same as a condition on a text expression."""
    return f"(octet_length(translate({value}, {_BLANK_SQL}, '')) < octet_length({value}))"


def trimmed(text: str) -> str:
    """A text without white space at its ends."""
    return text.strip(_BLANK)


def trimmed_sql(value: str) -> str:
    """The same as a text expression."""
    return f"btrim({value}, {_BLANK_SQL})"


def consists_of(text: str, alphabet: str) -> bool:
    """Whether a text holds no other characters than these ASCII ones."""
    return not text.strip(alphabet)


def consists_of_sql(value: str, alphabet: str) -> str:
    """The same as a condition on a text expression."""
    octets = alphabet.encode("ascii").hex()
    return f"btrim(convert_to({value}, 'UTF8'), '\\x{octets}'::bytea) = ''"
