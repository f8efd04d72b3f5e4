"""The tables of the two databases, as SQL that can be applied again and again.

A deployment that already has them never needs these files: they serve the demo, the tests and
docker. What the sync itself needs beside them lives in the migrations.
"""

from importlib import resources

DATABASES = ("warehouse", "citizen")


def ddl(database: str) -> str:
    """Return the SQL that creates the tables of ``"warehouse"`` or ``"citizen"``.

    It creates only what is missing, so it may run repeatedly; it changes no table that exists.

    Raises:
        ValueError: ``database`` is neither of the two.
    """
    if database not in DATABASES:
        raise ValueError(f"no such database: {database!r} (there are: {', '.join(DATABASES)})")
    return resources.files(__package__).joinpath(f"{database}.sql").read_text(encoding="utf-8")
