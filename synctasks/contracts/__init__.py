"""Contracts: what a source's records must be like before they cross."""

from synctasks.contracts.complaint import Category, Complaint
from synctasks.contracts.contract import Contract, Refusal
from synctasks.contracts.fields import (
    MOST_KEY_BYTES,
    Choice,
    Field,
    Json,
    JsonArray,
    Key,
    Text,
    Uuid,
    Word,
)
from synctasks.contracts.links import Link
from synctasks.contracts.numbers import Date, Integer, Number, Timestamp
from synctasks.contracts.people import Aadhaar, Digits, Email, Mobile
from synctasks.contracts.rules import Known, Needed, NotBefore, Rule

__all__ = [
    "MOST_KEY_BYTES",
    "Aadhaar",
    "Category",
    "Choice",
    "Complaint",
    "Contract",
    "Date",
    "Digits",
    "Email",
    "Field",
    "Integer",
    "Json",
    "JsonArray",
    "Key",
    "Known",
    "Link",
    "Mobile",
    "Needed",
    "NotBefore",
    "Number",
    "Refusal",
    "Rule",
    "Text",
    "Timestamp",
    "Uuid",
    "Word",
]
