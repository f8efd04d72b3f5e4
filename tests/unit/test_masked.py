"""What is shaped like a mask of ours is told from what is not, and nobody else's stars are."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from synctasks.characters import trimmed
from synctasks.contracts.masked import looks_masked
from tests.contract_values import DOUBTFUL, MASKED, MASKED_EMAILS, NEARLY_MASKED

digits = st.text("0123456789", min_size=4, max_size=4)
anything = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]))
character = st.characters(exclude_characters="\0", exclude_categories=["Cs"])


@pytest.mark.parametrize("text", [*MASKED, *MASKED_EMAILS])
def test_what_our_masks_make_is_told(text: str) -> None:
    assert looks_masked(text)


@pytest.mark.parametrize("text", ["", *NEARLY_MASKED, *DOUBTFUL])
def test_what_only_looks_a_little_like_it_is_not(text: str) -> None:
    assert not looks_masked(text)


@given(last=digits)
def test_every_number_that_is_masked_is_told(last: str) -> None:
    assert looks_masked(f"****-****-{last}")
    assert looks_masked(f"******{last}")


@given(first=character, domain=anything)
def test_every_address_that_is_masked_is_told(first: str, domain: str) -> None:
    assert looks_masked(f"{first}***@{domain}")


@given(text=anything)
def test_without_a_star_only_the_one_word_is_a_mask(text: str) -> None:
    plain = text.replace("*", "")
    assert looks_masked(plain) == (trimmed(plain) == "CONFIDENTIAL")
