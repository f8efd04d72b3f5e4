"""Names as SQL: quoted where they would be something else without."""

from __future__ import annotations

import pytest
from sqlalchemy.dialects.postgresql.base import RESERVED_WORDS

from synctasks import sql


@pytest.mark.parametrize(
    ("given", "written"),
    [
        ("gr_id", "gr_id"),
        ("public.golden_records", "public.golden_records"),
        ("forecast.order", 'forecast."order"'),
        ("Mixed", '"Mixed"'),
        ("2nd", '"2nd"'),
        ("two words", '"two words"'),
        ('a"b', '"a""b"'),
        ("", '""'),
    ],
)
def test_a_name_is_quoted_where_it_has_to_be(given: str, written: str) -> None:
    assert sql.name(given) == written


def test_every_reserved_word_is_quoted() -> None:
    assert {sql.name(word) for word in RESERVED_WORDS} == {f'"{word}"' for word in RESERVED_WORDS}
