"""What should be there, and what is: said for each row, in words that tell how it differs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from tests.rows import Connection, rows

Row = tuple[object, ...]


def compared(flow: str, said: Mapping[object, Row], there: Mapping[object, Row]) -> list[str]:
    """The rows of a target that are lost, nobody's, older or other than they should be.

    The first value of a row is its version, which only grows.
    """
    found = [f"{flow}: {key} is lost" for key in said.keys() - there.keys()]
    found += [f"{flow}: {key} is there, and nobody said so" for key in there.keys() - said.keys()]
    for key in said.keys() & there.keys():
        if there[key][0] != said[key][0]:
            older = there[key][0] < said[key][0]  # type: ignore[operator]
            how = "older" if older else "later"
            found.append(f"{flow}: {key} is {how}: {there[key][0]}, not {said[key][0]}")
        elif there[key] != said[key]:
            found.append(f"{flow}: {key} is {there[key]}, not {said[key]}")
    return sorted(found)


def keyed(connection: Connection, statement: str) -> dict[object, Row]:
    """The rows of a statement by their first column."""
    return _by_first(rows(connection, statement))


def _by_first(found: Iterable[Row]) -> dict[object, Row]:
    return {row[0]: row[1:] for row in found}


def owners(warehouse: Connection) -> dict[str, str]:
    """The golden records by the Aadhaar numbers that citizens have."""
    return dict(rows(warehouse, _OWNERS))


_OWNERS = "SELECT jan_aadhaar, gr_id FROM golden_records WHERE jan_aadhaar LIKE '900000%'"
