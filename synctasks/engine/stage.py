"""Stage: how extracted rows travel from the source's transaction into the target's.

Up to 500 keys go as one document parameter; more, or a larger document, as a binary COPY
stream through a pipe, so that memory stays bounded and both servers work at once. Rows never
become Python objects.
"""

from __future__ import annotations

import os
import threading
from typing import BinaryIO

from synctasks.database import Transaction, array
from synctasks.engine import extract, merge
from synctasks.engine.batch import Batch
from synctasks.engine.books import Books
from synctasks.flow import Flow

MOST_KEYS = 500
MOST_BYTES = 4 * 2**20


def carry(flow: Flow, batch: Batch, source: Transaction, target: Transaction) -> Books:
    """Extract the batch, merge it, and say what became of it."""
    keys = array(batch.keys)
    parameters = {"keys": keys, "captured": array(batch.captured)}
    settings: dict[str, object] = {"keys": keys if batch.remove else "{}"}
    document = _document(flow, source, parameters) if len(batch.keys) <= MOST_KEYS else None
    if document is None:
        target.execute(merge.create_sql(flow))
        _stream(flow, source, target, parameters)
    else:
        settings["document"] = document
    statement = merge.merge_sql(flow, from_document=document is not None, with_keys=batch.with_keys)
    return Books.of(target.rows(statement, settings))


def _document(flow: Flow, source: Transaction, parameters: dict[str, str]) -> str | None:
    row = source.row(extract.document_sql(flow, MOST_BYTES), parameters)
    assert row is not None, "an aggregate returns a row"
    document: str | None = row[1]
    return document


def _stream(
    flow: Flow, source: Transaction, target: Transaction, parameters: dict[str, str]
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
        self, source: Transaction, statement: str, parameters: dict[str, str], pipe: BinaryIO
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
