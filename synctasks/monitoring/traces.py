"""Traces of errors that hold no values.

Where an error came from is told by its frames. What it says of itself is shown of our own errors
only: anybody else's may repeat the value it fell over.
"""

from __future__ import annotations

import traceback

from synctasks.errors import SynctasksError


def trace(error: BaseException) -> str:
    """The frames of an error and of those that led to it, oldest first, each with its kind."""
    chain = [error]
    while (earlier := _earlier(chain[-1])) is not None and earlier not in chain:
        chain.append(earlier)
    return "\n".join(map(_one, reversed(chain)))


def _earlier(error: BaseException) -> BaseException | None:
    return error.__cause__ or (None if error.__suppress_context__ else error.__context__)


def _one(error: BaseException) -> str:
    kind = type(error).__name__
    said = f"{kind}: {error}" if isinstance(error, SynctasksError) else kind
    frames = traceback.format_tb(error.__traceback__)
    return "".join(["Traceback (most recent call last):\n", *frames, said])
