"""A contract: the validation rules of a flow, written once, as a marshmallow schema.

From it comes the gate, a SQL condition that is true only for rows that are certainly valid.
The rows it does not let through are read as text and judged here: marshmallow has the last
word, and the gate only saves the reading.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar

from marshmallow import EXCLUDE, Schema, ValidationError, validates_schema

from synctasks import sql
from synctasks.contracts.complaint import Category, Complaint
from synctasks.contracts.fields import Field
from synctasks.contracts.rules import Rule


@dataclass(frozen=True)
class Refusal:
    """Why a record breaks its contract: what is wrong by column, never a value."""

    category: Category
    messages: Mapping[str, tuple[str, ...]]

    @property
    def error(self) -> str:
        """All of it on one line; equal for records that are wrong in the same way."""
        return "; ".join(
            f"{column}: {message}" for column, said in self.messages.items() for message in said
        )


class Contract(Schema):
    """The base of all contracts: a field for each source column that has a rule.

    `rules` are those between columns. While a record is judged, `now` is the source server's
    time and `facts` are its verdicts on what only the server can know.
    """

    rules: ClassVar[tuple[Rule, ...]] = ()
    now: datetime
    facts: Mapping[str, bool]

    class Meta:
        unknown = EXCLUDE

    @classmethod
    def fields_by_column(cls) -> dict[str, Field]:
        """The fields by source column."""
        declared = cls._declared_fields.items()
        return {name: field for name, field in declared if isinstance(field, Field)}

    @classmethod
    def gate(cls, of: str = "source") -> str:
        """The condition on the row `of`: true only where `refusal` is certainly None."""
        conditions = [
            field.gate(sql.name(f"{of}.{column}"))
            for column, field in cls.fields_by_column().items()
        ]
        conditions += [rule.sql(of) for rule in cls.rules]
        return sql.lines(conditions, separator=" AND", indent=12)

    def refusal(
        self, record: Mapping[str, str | None], *, now: datetime, facts: Mapping[str, bool]
    ) -> Refusal | None:
        """What is wrong with a record (its values as PostgreSQL shows them), or None."""
        self.now, self.facts = now, facts
        try:
            self.load(record)
        except ValidationError as error:
            messages: dict[str, Any] = error.normalized_messages()  # type: ignore[no-untyped-call]
            return _refusal(messages)
        return None

    @validates_schema(skip_on_field_errors=False)
    def _between_columns(self, values: Mapping[str, Any], **_: object) -> None:
        broken: dict[str, list[Complaint]] = {}
        for rule in self.rules:
            judged = all(values.get(column) is not None for column in rule.reads)
            if judged and not rule.holds(values, self.facts):
                broken.setdefault(rule.column, []).append(rule.complaint)
        if broken:
            raise ValidationError(broken)


def _refusal(messages: Mapping[str, Any]) -> Refusal:
    said = {column: tuple(found) for column, found in messages.items()}
    categories = {
        each.category for found in said.values() for each in found if isinstance(each, Complaint)
    }
    worst = next(category for category in Category if category in categories)
    return Refusal(worst, {column: tuple(map(str, found)) for column, found in said.items()})
