"""What a contract has against a value: a message without the value, and its category."""

from __future__ import annotations

from enum import StrEnum

from marshmallow import ValidationError


class Category(StrEnum):
    """The specification's three kinds of bad data, the most basic first."""

    COMPLETENESS = "completeness"
    ACCURACY = "accuracy"
    CONSISTENCY = "consistency"


class Complaint(str):
    """A message as marshmallow collects them, which remembers its category."""

    category: Category

    def __new__(cls, message: str, category: Category = Category.ACCURACY) -> Complaint:
        made = super().__new__(cls, message)
        made.category = category
        return made


MISSING = Complaint("is missing", Category.COMPLETENESS)


def refuse(complaint: str) -> ValidationError:
    """The error to raise for a complaint; a plain message concerns accuracy."""
    made = complaint if isinstance(complaint, Complaint) else Complaint(complaint)
    return ValidationError(made)
