"""How far two servers are alike: told from what they say of themselves, never guessed."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, cast

import pytest

from synctasks.database import Transaction
from synctasks.engine.likeness import Prefilter, prefilter
from synctasks.flows.to_citizen.profile_data import PROFILE_DATA

Catalog = dict[str, Any]

DEFAULT: Catalog = {"collprovider": "d"}


@dataclass
class Server:
    """A server as its catalogs describe it, in a transaction's place.

    `collation` is the key column's; `database` is what `default` means; None: no such column.
    """

    collation: Catalog | None = field(default_factory=lambda: DEFAULT)
    database: Catalog = field(default_factory=dict)
    version: str | None = None
    type: str = "text"
    hashed: int = 4711

    def value(self, statement: str) -> int:
        assert "hash_record_extended" in statement
        return self.hashed

    def row(self, statement: str, parameters: dict[str, str]) -> tuple[Any, ...] | None:
        assert parameters["column"] in ("gr_id", "record_id")
        if self.collation is None:
            return None
        return self.type, self.collation, self.database, self.version


def libc(locale: str, *, database_version: str | None = None, **more: Any) -> Server:
    """A server whose databases are sorted by the C library."""
    catalog = {"datlocprovider": "c", "datcollate": locale, "datcollversion": database_version}
    return Server(database=catalog, **more)


def icu(locale: str, version: str, *, column: str = "datlocale") -> Server:
    """A server whose databases are sorted by ICU; older versions named the column otherwise."""
    return Server(
        database={"datlocprovider": "i", "datcollate": "C", column: locale}, version=version
    )


def builtin(locale: str) -> Server:
    """A server that sorts by its own code points."""
    return Server(database={"datlocprovider": "b", "datcollate": "C", "datlocale": locale})


def column(provider: str, locale: str, *, name: str = "colllocale", version: str = "1") -> Server:
    """A server whose key column has a collation of its own."""
    own = {"collprovider": provider, name: locale, "collcollate": None}
    database = {"datlocprovider": "c", "datcollate": "en_US.utf8", "datcollversion": "2.36"}
    return Server({**own, name: locale}, database, version)


def of(source: Server, target: Server) -> Prefilter:
    """What the two allow."""
    return prefilter(PROFILE_DATA, cast(Transaction, source), cast(Transaction, target))


ALIKE = [
    (libc("C"), libc("C"), "both plain"),
    (libc("C"), libc("POSIX"), "two names of bytes"),
    (libc("C"), builtin("C.UTF-8"), "bytes and code points"),
    (builtin("PG_UNICODE_FAST"), column("b", "C.UTF-8"), "a column of its own"),
    (libc("C.UTF-8"), libc("C.UTF-8"), "an unversioned locale of code points"),
    (libc("en_US.utf8", version="2.36"), libc("en_US.utf8", version="2.36"), "equal versions"),
    (
        libc("en_US.utf8", database_version="2.36"),
        libc("en_US.utf8", database_version="2.36"),
        "equal versions of the databases",
    ),
    (icu("en-US", "153.121"), icu("en-US", "153.121", column="daticulocale"), "ICU, 15 and 18"),
    (
        column("i", "und", version="153.1"),
        column("i", "und", name="colliculocale", version="153.1"),
        "ICU columns, 15 and 18",
    ),
    (
        column("c", "de_DE.utf8", name="collcollate", version="2.36"),
        libc("de_DE.utf8", version="2.36"),
        "a column like the other's database",
    ),
    (Server(type="uuid"), Server(type="uuid", collation={}), "a type that knows no collation"),
]

DIFFERENT = [
    (libc("en_US.utf8", version="2.36"), libc("C"), "words and bytes"),
    (libc("en_US.utf8", version="2.36"), libc("de_DE.utf8", version="2.36"), "two languages"),
    (libc("en_US.utf8", version="2.28"), libc("en_US.utf8", version="2.36"), "two versions"),
    (libc("en_US.utf8"), libc("en_US.utf8"), "versions that nobody knows"),
    (icu("en-US", "153.121"), libc("en-US", version="153.121"), "two providers"),
    (icu("en-US", "153.121"), icu("en-US", "153.14"), "two versions of ICU"),
    (icu("en-US", "153.121"), icu("sv-SE", "153.121"), "two languages of ICU"),
    (libc("C"), column("i", "und"), "a column of its own"),
    (column("c", "de_DE.utf8", name="collcollate"), libc("C"), "a column against bytes"),
    (Server(type="uuid"), libc("C"), "two types"),
    (Server(type="citext"), libc("C"), "a text type that sorts in its own way"),
    (Server(collation=None), libc("C"), "no such column"),
    (Server(collation=None), Server(collation=None), "no such column on either side"),
]


@pytest.mark.parametrize(
    ("source", "target"), [pair[:2] for pair in ALIKE], ids=[said for *_, said in ALIKE]
)
def test_ranges_are_compared_where_both_surely_sort_alike(source: Server, target: Server) -> None:
    assert of(source, target) is of(target, source) is Prefilter.RANGES


@pytest.mark.parametrize(
    ("source", "target"), [pair[:2] for pair in DIFFERENT], ids=[said for *_, said in DIFFERENT]
)
def test_rows_are_compared_where_they_may_sort_otherwise(source: Server, target: Server) -> None:
    assert of(source, target) is of(target, source) is Prefilter.ROWS


def test_nothing_is_compared_beforehand_where_they_hash_otherwise() -> None:
    assert of(libc("C", hashed=1), libc("C", hashed=2)) is Prefilter.NONE
