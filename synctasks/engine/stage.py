"""Stage: how extracted rows travel from the source's transaction into the target's.

Up to 500 keys go as one document parameter; more, or a larger document, as a binary COPY
stream through a pipe, so that memory stays bounded and both servers work at once. Rows never
become Python objects.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import BinaryIO

from synctasks.database import Row, Transaction, array
from synctasks.engine import extract, merge
from synctasks.engine.batch import Batch
from synctasks.engine.books import Books
from synctasks.engine.resolve import made_keys
from synctasks.flow import Absent, Flow

MOST_KEYS = 500
MOST_BYTES = 4 * 2**20


@dataclass(frozen=True)
class Staged:
    """A batch on its way: as a document, or else in the target's staging table.

    `absent` are the keys that the source does not have in scope, where the batch may remove;
    `at` is the source's time then.
    """

    document: str | None
    at: str | None
    absent: Sequence[str]


def stage(flow: Flow, batch: Batch, source: Transaction, target: Transaction) -> Staged:
    """Extract the batch from the source, and bring it to where the target can merge it."""
    parameters = {
        "keys": array(batch.keys),
        "captured": array(batch.captured),
        "judged": batch.judged,
        "accepted": array(batch.accepted),
        "run": batch.run,
        "made_keys": array(made_keys(flow, batch.keys)),
    }
    # What a wide unit no longer has only the merge can say.
    remove = batch.remove and flow.absent is not Absent.KEEP and not flow.wide
    # What is much for one document is not put together for it first.
    if len(batch.keys) <= MOST_KEYS and not flow.at_once:
        statement = extract.document_sql(flow, MOST_BYTES, remove=remove)
        document, at, absent = _only(source.row(statement, parameters))
        if document is not None:
            return Staged(document, at, absent or ())
    target.execute(merge.create_sql(flow))
    _stream(flow, source, target, parameters)
    if not remove:
        return Staged(None, None, ())
    at, absent = _only(source.row(extract.absent_sql(flow), parameters))
    return Staged(None, at, absent or ())


def merge_staged(
    flow: Flow, batch: Batch, staged: Staged, going: Sequence[str], target: Transaction
) -> Books:
    """Merge what was staged, remove the rows of the keys `going`, and say what became of it."""
    parameters = {
        "absent": array(going),
        "units": array(batch.keys),
        "at": staged.at,
        "named": array(batch.named or ()),
        "document": staged.document,
    }
    in_table = staged.document is None
    # Where the newest state wins, only the rows themselves tell what became of them.
    by_key = batch.named is None or flow.target.newest is not None
    statement = merge.merge_sql(flow, from_document=not in_table, dry=batch.dry, by_key=by_key)
    books = Books.of(target.rows(statement, parameters))
    if in_table:
        target.execute(merge.DROP_SQL)
    return books


def _only(row: Row | None) -> Row:
    assert row is not None, "an aggregate returns a row"
    return row


def _stream(
    flow: Flow, source: Transaction, target: Transaction, parameters: Mapping[str, object]
) -> None:
    """COPY out of one server into the other, through a pipe that a second thread fills."""
    reading, writing = os.pipe()
    filling = _Filling(source, extract.copy_sql(flow), parameters, os.fdopen(writing, "wb"))
    with os.fdopen(reading, "rb") as received:
        filling.start()
        try:
            target.copy(merge.COPY_SQL, received)
        finally:
            received.close()
            filling.join()
            filling.raise_failure()


class _Filling(threading.Thread):
    """The source's end of the pipe."""

    def __init__(
        self, source: Transaction, statement: str, parameters: Mapping[str, object], pipe: BinaryIO
    ) -> None:
        super().__init__(name="extract")
        self._source, self._statement, self._parameters = source, statement, parameters
        self._pipe = pipe
        self._failure: BaseException | None = None

    def run(self) -> None:
        try:
            with self._pipe:
                self._source.copy(self._statement, self._pipe, self._parameters)
        except BaseException as failure:  # noqa: BLE001 - raised again in the waiting thread
            self._failure = failure

    def raise_failure(self) -> None:
        """Raise what stopped the source: a torn stream at the target is only its consequence.

        A broken pipe is the other way round: the target gave up, and its own error stands.
        """
        if self._failure is not None and not isinstance(self._failure, BrokenPipeError):
            raise self._failure
