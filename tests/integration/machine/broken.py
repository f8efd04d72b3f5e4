"""What the machine may find: one error for each promise, so that a check knows which one broke."""

from __future__ import annotations


class BrokenPromise(AssertionError):
    """The root of them."""


class WentBack(BrokenPromise):
    """A target row shows an older state than it has shown before."""


class Differs(BrokenPromise):
    """Everything is worked off, and the target is not what the source makes of it."""


class BooksWrong(BrokenPromise):
    """The books do not say what happened."""


class LettersWrong(BrokenPromise):
    """The open dead letters are not those of the records that are wrong."""


class NotAtRest(BrokenPromise):
    """Everything is worked off, and something is still pending, or is written once more."""


class FalseAlarm(BrokenPromise):
    """Verify calls a difference wrong that is on its way, or marked."""
