"""A text type that sorts as a dictionary does, and as many a server's collation.

By letters and digits first, then by case, punctuation last. The embedded servers know no such
collation, so that this stands in for a server whose order of text is not the other's.
"""

from __future__ import annotations

_OPERATORS = ("<", "<=", "=", ">=", ">")
_BTREE = {operator: number for number, operator in enumerate(_OPERATORS, start=1)}
_PAIRS = (("dictionary", "dictionary"), ("dictionary", "text"), ("text", "dictionary"))

# Casts from and to text cost nothing, and hashes are text's own.
_TYPE = """\
CREATE TYPE dictionary;
CREATE FUNCTION dictionary_in(cstring) RETURNS dictionary
    LANGUAGE internal IMMUTABLE STRICT AS 'textin';
CREATE FUNCTION dictionary_out(dictionary) RETURNS cstring
    LANGUAGE internal IMMUTABLE STRICT AS 'textout';
CREATE FUNCTION dictionary_recv(internal) RETURNS dictionary
    LANGUAGE internal IMMUTABLE STRICT AS 'textrecv';
CREATE FUNCTION dictionary_send(dictionary) RETURNS bytea
    LANGUAGE internal IMMUTABLE STRICT AS 'textsend';
CREATE TYPE dictionary (
    INPUT = dictionary_in,
    OUTPUT = dictionary_out,
    RECEIVE = dictionary_recv,
    SEND = dictionary_send,
    LIKE = text,
    CATEGORY = 'S',
    COLLATABLE = true
);
CREATE CAST (dictionary AS text) WITHOUT FUNCTION AS IMPLICIT;
CREATE CAST (text AS dictionary) WITHOUT FUNCTION AS ASSIGNMENT;
CREATE OPERATOR FAMILY dictionary_order USING btree;
CREATE FUNCTION dictionary_hash(dictionary) RETURNS integer
    LANGUAGE internal IMMUTABLE STRICT AS 'hashtext';
CREATE FUNCTION dictionary_hash(dictionary, bigint) RETURNS bigint
    LANGUAGE internal IMMUTABLE STRICT AS 'hashtextextended';
"""

_COMPARE = """\
CREATE FUNCTION dictionary_compare({left}, {right}) RETURNS integer
LANGUAGE sql IMMUTABLE STRICT AS $$
    SELECT coalesce(
        nullif(bttextcmp(
            lower(translate($1::text, '-+_. !', '')) COLLATE "C",
            lower(translate($2::text, '-+_. !', '')) COLLATE "C"
        ), 0),
        nullif(bttextcmp(lower($1::text) COLLATE "C", lower($2::text) COLLATE "C"), 0),
        bttextcmp($1::text COLLATE "C", $2::text COLLATE "C")
    )
$$;
"""

_OPERATOR = """\
CREATE FUNCTION {name}({left}, {right}) RETURNS boolean
    LANGUAGE sql IMMUTABLE STRICT AS 'SELECT dictionary_compare($1, $2) {operator} 0';
CREATE OPERATOR {operator} (LEFTARG = {left}, RIGHTARG = {right}, FUNCTION = {name});
"""

_CLASSES = """\
CREATE OPERATOR CLASS dictionary_order DEFAULT FOR TYPE dictionary
    USING btree FAMILY dictionary_order AS {members};
CREATE OPERATOR CLASS dictionary_hash DEFAULT FOR TYPE dictionary USING hash AS
    OPERATOR 1 = (dictionary, dictionary),
    FUNCTION 1 dictionary_hash(dictionary),
    FUNCTION 2 dictionary_hash(dictionary, bigint);
"""


def dictionary_sql() -> str:
    """Statements that create the type `dictionary`; only a superuser may."""
    parts = [_TYPE]
    for left, right in _PAIRS:
        parts.append(_COMPARE.format(left=left, right=right))
        for number, operator in enumerate((*_OPERATORS, "<>")):
            name = f"dictionary_{number}"
            parts.append(_OPERATOR.format(name=name, left=left, right=right, operator=operator))
    parts.append(_CLASSES.format(members=_members(*_PAIRS[0])))
    for left, right in _PAIRS[1:]:
        members = _members(left, right)
        parts.append(f"ALTER OPERATOR FAMILY dictionary_order USING btree ADD {members};\n")
    return "".join(parts)


def _members(left: str, right: str) -> str:
    operators = [f"OPERATOR {_BTREE[each]} {each} ({left}, {right})" for each in _OPERATORS]
    function = f"FUNCTION 1 ({left}, {right}) dictionary_compare({left}, {right})"
    return ", ".join([*operators, function])
