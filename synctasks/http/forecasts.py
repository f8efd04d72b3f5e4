"""The forecasts of a callback: which it names, which there are, and their place in the change log.

A callback carries ids and nothing else that is looked at: the rows are read from the warehouse.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from starlette.exceptions import HTTPException

from synctasks import sql
from synctasks.capture import change_log
from synctasks.database import array, transaction
from synctasks.flows.to_citizen.benefit_forecasts import BENEFIT_FORECASTS as FLOW

_ONE, _SEVERAL = "forecast_id", "forecast_ids"

_KNOWN = f"""\
SELECT {sql.name(FLOW.source.key)}::text
FROM {sql.name(FLOW.source.table)}
WHERE {sql.name(FLOW.source.key)} = ANY (%(ids)s::uuid[])
"""


@dataclass(frozen=True)
class Recorded:
    """What became of the ids: those that are in the change log, in these lanes, and the others."""

    accepted: list[str]
    unknown: list[str]
    run: int | None
    lanes: list[tuple[str, int]]


def named_in(body: bytes) -> list[str]:
    """The ids that a body names, each once, in its order. Raises HTTPException (422)."""
    ids = _ids(_parsed(body))
    if not ids:
        raise _malformed(f"{_SEVERAL} is empty. Send at least one id")
    for place, each in enumerate(ids, start=1):
        problem = FLOW.source.key_problem(each) if isinstance(each, str) else "it is no text"
        if problem:
            raise _malformed(
                f"id {place} of {len(ids)}: {problem}. Send UUIDs in lower case, with dashes"
            )
    return list(dict.fromkeys(ids))


def record(ids: Sequence[str]) -> Recorded:
    """Put those that the warehouse has into its change log; committed. Raises SynctasksError."""
    with transaction(FLOW.source.database, by_key=True) as source:
        found = {known for (known,) in source.rows(_KNOWN, {"ids": array(ids)})}
    accepted = [each for each in ids if each in found]
    unknown = [each for each in ids if each not in found]
    if not accepted:
        return Recorded(accepted, unknown, None, [])
    run, lanes = change_log.request(FLOW, accepted, origin="callback")
    return Recorded(accepted, unknown, run, [(FLOW.name, lane) for lane in lanes])


def _parsed(body: bytes) -> Any:
    try:
        return json.loads(body)
    except RecursionError:
        cause = "is nested too deeply"
    except ValueError:
        cause = "is no JSON"
    raise _malformed(f"the body {cause}. {_FORM}")


def _ids(parsed: Any) -> list[Any]:
    if not isinstance(parsed, dict) or (_ONE in parsed) == (_SEVERAL in parsed):
        raise _malformed(f"the body is no object with one of the two names. {_FORM}")
    if _ONE in parsed:
        return [parsed[_ONE]]
    several = parsed[_SEVERAL]
    if not isinstance(several, list):
        raise _malformed(f"{_SEVERAL} is no list. {_FORM}")
    return several


_FORM = f'Send {{"{_ONE}": "…"}} or {{"{_SEVERAL}": ["…", …]}}'


def _malformed(error: str) -> HTTPException:
    return HTTPException(HTTPStatus.UNPROCESSABLE_ENTITY, error)
