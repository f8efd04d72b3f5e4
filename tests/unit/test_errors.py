"""What is to be done about an SQLSTATE."""

from __future__ import annotations

import pickle

import pytest

from synctasks.errors import (
    LockTimeout,
    MissingColumn,
    PermanentError,
    RowError,
    SetupError,
    SynctasksError,
    TimeoutExceeded,
    TransientError,
    kind_of,
)


@pytest.mark.parametrize(
    ("sqlstate", "kind"),
    [
        (None, TransientError),
        ("08006", TransientError),
        ("40001", TransientError),
        ("40P01", TransientError),
        ("53100", TransientError),
        ("53300", TransientError),
        ("57P01", TransientError),
        ("57P02", TransientError),
        ("57P03", TransientError),
        ("25006", TransientError),
        ("57014", TimeoutExceeded),
        ("55P03", LockTimeout),
        ("42703", MissingColumn),
        ("23505", RowError),
        ("22P02", RowError),
        ("54000", RowError),
        ("P0001", RowError),
        ("42P01", PermanentError),
    ],
)
def test_each_state_has_one_answer(sqlstate: str | None, kind: type[SynctasksError]) -> None:
    assert kind_of(sqlstate) is kind


def test_a_setup_error_says_the_same_in_another_process() -> None:
    error = SetupError(thing="flow 'x'", cause="there is none", remedy="Choose another")
    assert str(pickle.loads(pickle.dumps(error))) == str(error)


def test_a_rows_error_keeps_its_category_and_its_place() -> None:
    error = RowError("citizen: not null violation [23502]", "completeness")
    error.place = "citizen"
    again = pickle.loads(pickle.dumps(error))
    assert (str(again), again.category, again.place) == (str(error), "completeness", "citizen")
