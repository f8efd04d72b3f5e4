"""How the two systems know each other's people: by the Aadhaar number, which never names anyone.

What is announced and waited for is the citizen's own id, or the number as the portal may see it.
"""

from synctasks.flow import Need, Reference, Wake
from synctasks.masks import AADHAAR

_NUMBER = """\
(
    SELECT citizen.aadhaar_number
    FROM public.citizens AS citizen
    WHERE citizen.id = source.{column}
)"""


def golden_record_of(column: str) -> Reference:
    """The golden record of the citizen whose id stands in a column of the portal's."""
    number = _NUMBER.format(column=column)
    masked = AADHAAR.sql.format(value="citizen.aadhaar_number")
    return Reference(
        table="public.golden_records",
        key="gr_id",
        meant="known.jan_aadhaar = {value}",
        value=number,
        reads=(column,),
        needs=(
            Need("citizen", f"source.{column}::text"),
            Need("golden record", number.replace("citizen.aadhaar_number", f"({masked})")),
        ),
    )


#: A unit that is a citizen of the portal has its golden record now.
CITIZEN_KNOWN = Wake("citizen")


def golden_record_known(masked_column: str) -> Wake:
    """A golden record reached the portal; the column holds its masked Aadhaar number."""
    return Wake("golden record", masked_column)
