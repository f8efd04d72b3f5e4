"""docs/flows.md is what the declarations say, and nothing else."""

from __future__ import annotations

from pathlib import Path

import pytest

from synctasks.cli.flows_page import page
from synctasks.flow import Flow
from synctasks.flows import FLOWS

PAGE = Path(__file__).parents[2] / "docs" / "flows.md"


def test_the_page_in_the_docs_is_the_printed_one() -> None:
    assert PAGE.read_text() == page(FLOWS), "run: synctasks flows --markdown > docs/flows.md"


@pytest.mark.parametrize("flow", FLOWS, ids=lambda flow: flow.name)
def test_the_page_says_of_each_flow_what_crosses_and_how(flow: Flow) -> None:
    said = page([flow])
    for table in flow.tables:
        assert f"`{table.name}`" in said
    for column in flow.columns:
        assert f"| {column.name} | {column.type} |" in said
        if column.mask:
            assert column.mask.name in said
    for column_name in flow.contract.fields_by_column():
        field = flow.contract.fields_by_column()[column_name]
        assert (f"| `{column_name}` |" in said) == bool(field.required or field.said)
    assert str(flow.schedule or "none") in said
