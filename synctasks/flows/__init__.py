"""All flows, in the order of the specification."""

from synctasks.errors import SetupError
from synctasks.flow import Flow
from synctasks.flows.heartbeats import HEARTBEATS
from synctasks.flows.to_citizen.application_decisions import APPLICATION_DECISIONS
from synctasks.flows.to_citizen.benefit_forecasts import BENEFIT_FORECASTS
from synctasks.flows.to_citizen.eligibility_hints import ELIGIBILITY_HINTS
from synctasks.flows.to_citizen.ml_alerts import ML_ALERTS
from synctasks.flows.to_citizen.profile_data import PROFILE_DATA
from synctasks.flows.to_citizen.profile_summary import PROFILE_SUMMARY
from synctasks.flows.to_citizen.schemes import SCHEMES
from synctasks.flows.to_warehouse.application_events import APPLICATION_EVENTS
from synctasks.flows.to_warehouse.document_metadata import DOCUMENT_METADATA
from synctasks.flows.to_warehouse.feedback_analytics import FEEDBACK_ANALYTICS
from synctasks.flows.to_warehouse.golden_records import GOLDEN_RECORDS
from synctasks.flows.to_warehouse.user_behavior import USER_BEHAVIOR

FLOWS: tuple[Flow, ...] = (
    SCHEMES,
    PROFILE_DATA,
    PROFILE_SUMMARY,
    ELIGIBILITY_HINTS,
    BENEFIT_FORECASTS,
    APPLICATION_DECISIONS,
    ML_ALERTS,
    GOLDEN_RECORDS,
    APPLICATION_EVENTS,
    DOCUMENT_METADATA,
    USER_BEHAVIOR,
    FEEDBACK_ANALYTICS,
)

#: What the workers know: the flows, and the heartbeats that time their ways.
ALL_FLOWS: tuple[Flow, ...] = (*FLOWS, *HEARTBEATS.values())

_BY_NAME = {flow.name: flow for flow in FLOWS}
_ALL_BY_NAME = {flow.name: flow for flow in ALL_FLOWS}


def by_name(name: str) -> Flow:
    """The flow of that name. Raises SetupError listing the names there are."""
    try:
        return _BY_NAME[name]
    except KeyError:
        known = ", ".join(_BY_NAME)
        raise SetupError(
            thing=f"flow {name!r}", cause="there is no such flow", remedy=f"Choose one of: {known}"
        ) from None


def any_by_name(name: str) -> Flow:
    """The flow of a name that stands in a table of ours, heartbeats too. Raises KeyError."""
    return _ALL_BY_NAME[name]
