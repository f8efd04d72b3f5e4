"""A letter's source row, opened and masked: by its own database, with the flow's own masks."""

from __future__ import annotations

from collections.abc import Mapping

from synctasks.database import transaction
from synctasks.dead_letters.seal import unseal
from synctasks.flow import Flow

_MASK = "SELECT {mask}\nFROM (SELECT %(value)s::text) AS given (value)"


def masked_row(flow: Flow, token: str) -> Mapping[str, str | None]:
    """The row by column; a column that the flow masks, masked. Raises SynctasksError."""
    row = unseal(token)
    masks = {column.reads: column.mask for column in flow.columns if column.mask}
    with transaction(flow.source.database) as source:
        for column, mask in masks.items():
            if row.get(column) is not None:
                statement = _MASK.format(mask=mask.sql.format(value="given.value"))
                row[column] = source.value(statement, {"value": row[column]})
    return row
