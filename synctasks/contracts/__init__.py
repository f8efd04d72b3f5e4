"""Contracts: what a source's records must be like before they cross."""

from synctasks.contracts.complaint import Category, Complaint
from synctasks.contracts.contract import Contract, Refusal
from synctasks.contracts.fields import (
    MOST_KEY_BYTES,
    Aadhaar,
    Choice,
    Date,
    Field,
    Integer,
    Json,
    Key,
    Number,
    Text,
    Timestamp,
    Uuid,
    Word,
)
from synctasks.contracts.rules import Known, NotBefore, Rule

__all__ = [
    "MOST_KEY_BYTES",
    "Aadhaar",
    "Category",
    "Choice",
    "Complaint",
    "Contract",
    "Date",
    "Field",
    "Integer",
    "Json",
    "Key",
    "Known",
    "NotBefore",
    "Number",
    "Refusal",
    "Rule",
    "Text",
    "Timestamp",
    "Uuid",
    "Word",
]
