"""The masks of the specification, as SQL that runs in the source's own query.

Each fails closed: what does not look as expected becomes `****`, never a part of itself. Null
stays null.
"""

from __future__ import annotations

from synctasks.characters import DIGITS, blank_sql, consists_of_sql
from synctasks.flow import Mask

AADHAAR = Mask(
    "last four of twelve digits; blank is null",
    f"""\
CASE
    WHEN octet_length({{value}}) = 12 AND {consists_of_sql("{value}", DIGITS)}
        THEN '****-****-' || right({{value}}, 4)
    WHEN {blank_sql("{value}")} THEN NULL
    WHEN {{value}} IS NOT NULL THEN '****'
END""",
)

MOBILE = Mask(
    "last four of ten digits, after an optional +91",
    f"""\
CASE
    WHEN octet_length({{value}}) = 10 AND {consists_of_sql("{value}", DIGITS)}
        THEN '******' || right({{value}}, 4)
    WHEN octet_length({{value}}) = 13 AND left({{value}}, 3) = '+91'
        AND {consists_of_sql("substr({value}, 4)", DIGITS)}
        THEN '******' || right({{value}}, 4)
    WHEN {{value}} IS NOT NULL THEN '****'
END""",
)

EMAIL = Mask(
    "first character and domain of an address with one @",
    """\
CASE
    WHEN position('@' IN {value}) > 1
        AND length({value}) - length(replace({value}, '@', '')) = 1
        THEN left({value}, 1) || '***' || substr({value}, position('@' IN {value}))
    WHEN {value} IS NOT NULL THEN '****'
END""",
)
