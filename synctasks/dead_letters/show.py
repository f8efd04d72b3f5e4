"""A letter's source row, opened and masked: by its own database, with the flow's own masks.

What the flow carries unmasked (into the warehouse, which knows people by it) is masked for whoever
looks, all the same.
"""

from __future__ import annotations

from collections.abc import Mapping

from synctasks import audit
from synctasks.audit import Action
from synctasks.database import transaction
from synctasks.dead_letters.seal import unseal
from synctasks.flow import Flow
from synctasks.shown import PERSONAL

_MASK = "SELECT {mask}\nFROM (SELECT %(value)s::text) AS given (value)"


def masked_row(flow: Flow, number: int, token: str) -> Mapping[str, str | None]:
    """The row by column; numbers and addresses of people masked. Raises SynctasksError.

    Whose row it is that somebody looks at is noted before anybody sees it.
    """
    row = unseal(token)
    masks = {**PERSONAL, **{column.reads: column.mask for column in flow.columns if column.mask}}
    with transaction(flow.source.database) as source:
        audit.add(source, Action.REVEAL, flow.name, f"dead letter {number}")
        for column, mask in masks.items():
            if row.get(column) is not None:
                statement = _MASK.format(mask=mask.sql.format(value="given.value"))
                row[column] = source.value(statement, {"value": row[column]})
    return row
