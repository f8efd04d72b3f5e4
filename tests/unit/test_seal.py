"""Source rows in dead letters are encrypted, and keys can be rotated."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from cryptography.fernet import Fernet

from synctasks import settings
from synctasks.dead_letters import seal as seals
from synctasks.dead_letters.seal import seal, unseal
from synctasks.errors import SetupError
from synctasks.settings import KEYS_VARIABLE

ROW = {"gr_id": "GR-1", "full_name": "Zzyzx \u0906\u0936\u093e", "jan_aadhaar": None, "email": ""}
URLS = {
    "SYNCTASKS_WAREHOUSE_URL": "postgresql://sync@db.example/smart_warehouse",
    "SYNCTASKS_CITIZEN_URL": "postgresql://sync@db.example/smart_citizen",
    "SYNCTASKS_BROKER_URL": "redis://redis.example:6379/0",
}
OLD, NEW, OTHER = (Fernet.generate_key().decode() for _ in range(3))

UseKeys = Callable[[str], None]


@pytest.fixture
def use_keys(monkeypatch: pytest.MonkeyPatch) -> Iterator[UseKeys]:
    """Start anew with these keys in the environment."""

    def forget() -> None:
        settings.load.cache_clear()
        seals._cipher.cache_clear()

    def use(keys: str) -> None:
        monkeypatch.setenv(KEYS_VARIABLE, keys)
        forget()

    for name, url in URLS.items():
        monkeypatch.setenv(name, url)
    yield use
    forget()


def test_a_sealed_row_opens_again_as_it_was_and_shows_nothing(use_keys: UseKeys) -> None:
    use_keys(NEW)
    token = seal(ROW)
    assert unseal(token) == ROW
    assert not [each for each in ("GR-1", "Zzyzx", "full_name") if each in token]


def test_equal_rows_are_sealed_unequally(use_keys: UseKeys) -> None:
    use_keys(NEW)
    assert seal(ROW) != seal(ROW)


@pytest.mark.parametrize(
    "keys",
    [f"{NEW},{OLD}", f" {NEW} , {OLD} ,", f"{NEW},{OTHER},{OLD}"],
    ids=["two", "with spaces", "three"],
)
def test_what_an_old_key_sealed_opens_with_a_new_one_in_front(use_keys: UseKeys, keys: str) -> None:
    use_keys(OLD)
    token = seal(ROW)
    use_keys(keys)
    assert unseal(token) == ROW


def test_new_rows_are_sealed_under_the_newest_key(use_keys: UseKeys) -> None:
    use_keys(f"{NEW},{OLD}")
    token = seal(ROW)
    use_keys(NEW)
    assert unseal(token) == ROW


def test_a_row_that_no_key_opens_says_what_to_do(use_keys: UseKeys) -> None:
    use_keys(OLD)
    token = seal(ROW)
    use_keys(f"{NEW},{OTHER}")
    with pytest.raises(SetupError) as caught:
        unseal(token)
    assert "none of the encryption keys opens its source row. Add the key that was in use" in str(
        caught.value
    )
    assert KEYS_VARIABLE in str(caught.value)


@pytest.mark.parametrize("act", [lambda: seal(ROW), lambda: unseal("")], ids=["seal", "unseal"])
@pytest.mark.parametrize("keys", ["", " , "])
def test_without_keys_nothing_is_sealed_or_opened(
    use_keys: UseKeys, keys: str, act: Callable[[], object]
) -> None:
    use_keys(keys)
    with pytest.raises(SetupError, match=f"{KEYS_VARIABLE} is not set"):
        act()


@pytest.mark.parametrize(
    ("keys", "which"),
    [("hushhush", "key 1 of 1"), (f"{NEW},hushhush", "key 2 of 2"), (NEW[:-2], "key 1 of 1")],
    ids=["nonsense", "the second", "cut"],
)
def test_a_malformed_key_is_named_by_its_place_and_never_shown(
    use_keys: UseKeys, keys: str, which: str
) -> None:
    use_keys(keys)
    with pytest.raises(SetupError) as caught:
        settings.load()
    assert f"{KEYS_VARIABLE}: {which} is no Fernet key" in str(caught.value)
    assert not [key for key in keys.split(",") if key in str(caught.value)]


def test_keys_do_not_show_in_settings(use_keys: UseKeys) -> None:
    use_keys(f"{NEW},{OLD}")
    assert settings.encryption_keys() == (NEW, OLD)
    assert NEW not in repr(settings.load())
