"""All flows, in the order of the specification."""

from synctasks.errors import SetupError
from synctasks.flow import Flow
from synctasks.flows.to_citizen.profile_data import PROFILE_DATA
from synctasks.flows.to_citizen.schemes import SCHEMES
from synctasks.flows.to_warehouse.document_metadata import DOCUMENT_METADATA
from synctasks.flows.to_warehouse.golden_records import GOLDEN_RECORDS

FLOWS: tuple[Flow, ...] = (SCHEMES, PROFILE_DATA, GOLDEN_RECORDS, DOCUMENT_METADATA)

_BY_NAME = {flow.name: flow for flow in FLOWS}


def by_name(name: str) -> Flow:
    """The flow of that name. Raises SetupError listing the names there are."""
    try:
        return _BY_NAME[name]
    except KeyError:
        known = ", ".join(_BY_NAME)
        raise SetupError(
            thing=f"flow {name!r}", cause="there is no such flow", remedy=f"Choose one of: {known}"
        ) from None
