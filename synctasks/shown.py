"""What a person at a terminal may see of a row, decided column by column, in its own database.

Whoever runs `explain` wants to know why a record did not arrive; for that nobody needs to know
whose record it is. So, on either side and in either direction:

- Aadhaar numbers, mobile numbers and e-mail addresses are masked as the portal's are.
- Names and places keep their first character, dates of birth their year, pincodes three digits.
- Ids, codes, words of a vocabulary, numbers, moments and what is public anyhow are shown; what
  looks like a number or an address of somebody's within them is not.
- Everything else (what people wrote, what is about them, a column that nobody has decided about)
  shows its length only.

A value that already is one of our masks is shown as it is. An opened dead letter shows more, since
it is there to be mended: of it only the numbers and addresses of `PERSONAL` are masked.
"""

from __future__ import annotations

from synctasks.masks import AADHAAR, EMAIL, MOBILE

#: The masks of what names or reaches a person, by the column that it stands in.
PERSONAL = {
    "aadhaar_number": AADHAAR,
    "jan_aadhaar": AADHAAR,
    "mobile_number": MOBILE,
    "email": EMAIL,
}

_MASKED_ALREADY = {
    AADHAAR: "{value} LIKE '****-****-____'",
    MOBILE: "{value} LIKE '******____'",
    EMAIL: "substr({value}, 2, 4) = '***@'",
}

_FIRST_CHARACTER = "left({value}, 1) || '***'"
_IN_PART = {
    "full_name": _FIRST_CHARACTER,
    "city": _FIRST_CHARACTER,
    "city_village": _FIRST_CHARACTER,
    "date_of_birth": "CASE WHEN {value} ~ '^[0-9]{{4}}-' THEN left({value}, 4) || '-**-**'"
    " ELSE '****' END",
    "pincode": "CASE WHEN octet_length({value}) = 6 THEN left({value}, 3) || '***' ELSE '****' END",
}

# Texts and documents that are shown. Of other types those are that cannot hold a person's words.
_TEXTS = """
alert alert_id application_id citizen_id family_id forecast_id gr_id id record_id scheme_id
code scheme_code cluster_id region event_type event_date district gender
alert_type severity action_url decision decision_status document_type feedback_type
evaluation_status eligibility_status review_status status updated_by verification_status
vulnerability vulnerability_level income_category
scheme_name name description category department department_name
eligibility_criteria eligibility_criteria_json benefits benefits_json
documents_required documents_required_json projections
"""
_OPEN = frozenset(_TEXTS.split())
_OPEN_TYPES = (
    "uuid",
    "smallint",
    "integer",
    "bigint",
    "numeric",
    "real",
    "double precision",
    "boolean",
    "date",
    "timestamp with time zone",
    "timestamp without time zone",
)

# UUIDs and moments, which hold long runs of digits and are nobody's number.
_HARMLESS = (
    "^([0-9a-f]{{8}}(-[0-9a-f]{{4}}){{3}}-[0-9a-f]{{12}}"
    "|[0-9]{{4}}-[0-9]{{2}}-[0-9]{{2}}"
    "([ T][0-9]{{2}}:[0-9]{{2}}:[0-9]{{2}}([.][0-9]{{1,6}})?([+-][0-9]{{2}}(:[0-9]{{2}})?)?)?)$"
)
_NUMBERS_AND_ADDRESSES = "[0-9][0-9 -]{{8,}}[0-9]|[^[:space:]@]+@[^[:space:]@]+"
_MOST_CHARACTERS = 200
_SCRUBBED = (
    f"CASE WHEN {{value}} ~ '{_HARMLESS}' THEN {{value}}"
    f" ELSE left(regexp_replace({{value}}, '{_NUMBERS_AND_ADDRESSES}', '****', 'g'),"
    f" {_MOST_CHARACTERS}) END"
)
_LENGTH = "'**** (' || char_length({value}) || ' characters)'"
_TYPES = ", ".join(f"'{each}'" for each in _OPEN_TYPES)


def shown_sql(column: str, value: str) -> str:
    """What is shown of a value (a SQL expression of any type) of this column, as a text."""
    text = f"{value}::text"
    if mask := PERSONAL.get(column):
        already = _MASKED_ALREADY[mask].format(value=text)
        return f"CASE WHEN {already} THEN {text} ELSE {mask.sql.format(value=text)} END"
    if column in _IN_PART:
        return f"CASE WHEN {value} IS NOT NULL THEN {_IN_PART[column].format(value=text)} END"
    rest = (_SCRUBBED if column in _OPEN else _LENGTH).format(value=text)
    return f"CASE WHEN pg_typeof({value})::text IN ({_TYPES}) THEN {text} ELSE {rest} END"


def scrubbed_sql(text: str) -> str:
    """A text expression less what looks like somebody's number or address."""
    return _SCRUBBED.format(value=text)
