"""How the two systems know each other's people: by the Aadhaar number, which never names anyone.

What is announced and waited for is the citizen's own id, or the number as the portal may see it.
"""

from synctasks.characters import blank_sql
from synctasks.flow import Missing, Need, Reference, Wake
from synctasks.masks import AADHAAR

# A blank number is a missing one: it means nobody, though the warehouse may know somebody by it.
_NUMBER = """\
(
    SELECT {shown}
    FROM public.citizens AS citizen
    WHERE citizen.id = source.{column} AND NOT {blank}
)"""


def golden_record_of(column: str, *, missing: Missing = Missing.WAIT) -> Reference:
    """The golden record of the citizen whose id stands in a column of the portal's."""
    number = "citizen.aadhaar_number"
    masked, blank = AADHAAR.sql.format(value=number), blank_sql(number)
    return Reference(
        table="public.golden_records",
        key="gr_id",
        meant="known.jan_aadhaar = {value}",
        value=_NUMBER.format(shown=number, column=column, blank=blank),
        reads=(column,),
        missing=missing,
        needs=(
            Need("citizen", f"source.{column}::text"),
            Need("golden record", _NUMBER.format(shown=masked, column=column, blank=blank)),
        )
        if missing is Missing.WAIT
        else (),
    )


#: A unit that is a citizen of the portal has its golden record now.
CITIZEN_KNOWN = Wake("citizen")

FAMILY = "family"
#: Somebody of this family is verified now; a golden record says so.
FAMILY_KNOWN = Wake(FAMILY, "family_id")

APPLICATION = "application"
#: The portal has this application; an event of it says so.
APPLICATION_KNOWN = Wake(APPLICATION, "application_id")


def golden_record_known(masked_column: str) -> Wake:
    """A golden record reached the portal; the column holds its masked Aadhaar number."""
    return Wake("golden record", masked_column)
