"""The masks of the specification, as SQL that runs in the source's own query.

Each fails closed: what does not look as expected becomes `****`, never a part of itself. Null
stays null. `translate` and `octet_length` in place of regular expressions: they are several
times cheaper, and count bytes, so that digits of other scripts do not pass for ASCII ones.
"""

from __future__ import annotations

from synctasks.flow import Mask

AADHAAR = Mask(
    "last four of twelve digits; blank is null",
    """\
CASE
    WHEN btrim({value}) = '' THEN NULL
    WHEN octet_length({value}) = 12 AND translate({value}, '0123456789', '') = ''
        THEN '****-****-' || right({value}, 4)
    WHEN {value} IS NOT NULL THEN '****'
END""",
)

MOBILE = Mask(
    "last four of ten digits, after an optional +91",
    """\
CASE
    WHEN octet_length({value}) = 10 AND translate({value}, '0123456789', '') = ''
        THEN '******' || right({value}, 4)
    WHEN octet_length({value}) = 13 AND left({value}, 3) = '+91'
        AND translate(substr({value}, 4), '0123456789', '') = ''
        THEN '******' || right({value}, 4)
    WHEN {value} IS NOT NULL THEN '****'
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
