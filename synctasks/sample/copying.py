"""Rows as the text of COPY, and the stream that hands it to a server."""

from collections.abc import Callable, Iterable
from itertools import islice
from typing import TypeAlias

#: The fields of a row in the order of the columns, already as COPY wants them.
Row: TypeAlias = tuple[str, ...]

NULL = r"\N"
_ESCAPES = str.maketrans({"\\": r"\\", "\t": r"\t", "\n": r"\n", "\r": r"\r"})
_ROWS_A_CHUNK = 2_000


def escaped(value: str | None) -> str:
    """Return the field of a value."""
    return NULL if value is None else value.translate(_ESCAPES)


def line(row: Row) -> str:
    """Return the line of a row."""
    return "\t".join(row) + "\n"


class CopyStream:
    """The file that ``copy_expert`` reads: never more than a chunk of rows in memory.

    Args:
        rows: taken while the server asks for them.
        progress: called with the number of rows so far after each chunk.
    """

    def __init__(self, rows: Iterable[Row], progress: Callable[[int], None]) -> None:
        self._rows = iter(rows)
        self._progress = progress
        self.count = 0

    def read(self, _size: int = -1) -> str:
        """Return the next chunk, and the empty text after the last.

        A chunk is as long as it is: psycopg2 takes what it gets, whatever size it asked for.
        """
        lines = [line(row) for row in islice(self._rows, _ROWS_A_CHUNK)]
        self.count += len(lines)
        if lines:
            self._progress(self.count)
        return "".join(lines)
