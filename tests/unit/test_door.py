"""The door: what is let in, as what, and that nothing at all gets past it."""

from __future__ import annotations

import base64
import inspect
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from celery import Celery
from hypothesis import given
from hypothesis import strategies as st
from kombu.transport import resolve_transport
from structlog.testing import capture_logs

from synctasks.door import arguments, transport
from synctasks.door.message import MOST_BYTES, admit, read
from tests.attacks import INJECTION, SECRET, Attack, attacks
from tests.messages import call, changed, item, message

ATTACKS = list(attacks())

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)


def admitted(given: bytes, queue: str = "events") -> tuple[dict[str, Any], dict[str, Any]]:
    """What goes in in its place: all of the message, and its arguments by name."""
    made = json.loads(admit(given, queue))
    unnamed, named, embedded = json.loads(base64.b64decode(made["body"]))
    assert not unnamed
    assert not any(embedded.values())
    return made, named


@pytest.mark.parametrize("attack", ATTACKS, ids=lambda attack: attack.name)
def test_every_attack_is_refused_without_its_values(
    attack: Attack,
) -> None:
    with capture_logs() as logged:
        made, told = admitted(attack.item)
    assert (made["headers"]["task"], told["flow"]) == ("dlq.refused", attack.flow)
    assert told["problem"].startswith(attack.error)
    assert SECRET not in json.dumps([made, told, logged])
    assert logged == [
        {
            "event": "message.refused",
            "log_level": "warning",
            "what": told["what"],
            "cause": told["problem"],
            "bytes": len(attack.item),
        }
    ]


def test_what_is_said_of_a_refused_one_is_let_in_itself() -> None:
    for attack in ATTACKS[:20]:
        notice = admit(attack.item, "control")
        assert read(notice).task == "dlq.refused"


@pytest.mark.parametrize(
    ("task", "given"),
    [
        ("drain.profile_data", {"lane": 0}),
        ("drain.profile_data", {"lane": 63}),
        ("refresh.schemes", {"slot": 1}),
        (
            "sync.profile_data",
            {"keys": ["'; DROP TABLE x", "\U0001f468", "\u0928" * 900, INJECTION]},
        ),
        ("control.knock", {"flow": "schemes"}),
        ("verify.golden_records", {}),
        ("review.schemes", {}),
        ("dlq.refused", {"flow": "schemes", "what": "message for x", "problem": "x"}),
    ],
)
def test_what_is_right_goes_in_as_it_is(task: str, given: dict[str, Any]) -> None:
    made, named = admitted(call(task, **given), "control")
    assert (made["headers"]["task"], named) == (task, given)
    # A retry goes where its message came from: through no exchange that an emptied Redis forgets.
    assert made["properties"]["delivery_info"] == {"exchange": "", "routing_key": "control"}


def test_what_may_be_left_away() -> None:
    bare = message("sync.profile_data")
    kept = ("task", "id")
    bare["headers"] = {name: bare["headers"][name] for name in kept}
    bare["properties"] = {"body_encoding": "base64"}
    made, named = admitted(item(bare))
    assert (made["headers"]["id"], named) == (bare["headers"]["id"], {})


def test_two_copies_get_tags_of_their_own() -> None:
    copy = call("sync.profile_data")
    tags = {admitted(copy)[0]["properties"]["delivery_tag"] for _ in range(2)}
    assert len(tags) == 2


def test_foreign_headers_stay_outside() -> None:
    made, _ = admitted(changed("headers.traceparent", SECRET))
    assert SECRET not in json.dumps(made)


def test_a_time_that_is_soon_is_kept_and_one_that_is_past_is_now() -> None:
    now = datetime.now(UTC)
    soon = (now + timedelta(seconds=8)).isoformat()
    kept = admitted(changed("headers.eta", soon))[0]["headers"]["eta"]
    assert abs(datetime.fromisoformat(kept) - now - timedelta(seconds=8)) < timedelta(seconds=1)
    for past in ("0001-01-01T00:00:00+14:00", "2020-02-02", now.replace(tzinfo=None).isoformat()):
        assert admitted(changed("headers.eta", past))[0]["headers"]["eta"] is None


def test_the_largest_goes_in_and_one_byte_more_does_not() -> None:
    made = call("sync.profile_data", keys=["GR-1"])
    assert admitted(made + b" " * (MOST_BYTES - len(made)))[1] == {"keys": ["GR-1"]}
    assert "larger" in admitted(made + b" " * (MOST_BYTES - len(made) + 1))[1]["problem"]


@given(st.binary() | json_values.map(item))
def test_nothing_gets_past_the_door(given: bytes) -> None:
    assert admitted(given)[0]["headers"]["task"] == "dlq.refused"


@given(
    st.sampled_from(
        ["content-type", "body", "properties.body_encoding"]
        + [f"headers.{name}" for name in ("task", "id", "retries", "eta", "expires", "timelimit")]
    ),
    json_values,
)
def test_no_part_of_a_message_gets_past_it(path: str, value: Any) -> None:
    made, _ = admitted(changed(path, value))
    assert made["headers"]["task"] in ("dlq.refused", "sync.profile_data")


@given(json_values)
def test_no_argument_gets_past_it(value: Any) -> None:
    for task, expected in arguments.ARGUMENTS.items():
        for name in expected:
            admitted(call(task, **{name: value}))


def test_it_knows_the_tasks_that_there_are(environment: dict[str, str]) -> None:
    assert environment, "the app reads its broker's URL when it is imported"
    from synctasks.app import make_app

    ours = {name for name in make_app().tasks if not name.startswith("celery.")}
    assert ours == arguments.ARGUMENTS.keys()


def test_what_it_lets_be_left_away_the_tasks_can_do_without(environment: dict[str, str]) -> None:
    """A task that cannot be called at all would fail with nobody to tell."""
    assert environment, "the app reads its broker's URL when it is imported"
    from synctasks.app import make_app

    tasks = make_app().tasks
    for name, expected in arguments.ARGUMENTS.items():
        parameters = inspect.signature(tasks[name].run).parameters
        assert parameters.keys() == expected.keys(), name
        needless = {each for each, check in expected.items() if check(None) is None}
        optional = {each for each, given in parameters.items() if given.default is not given.empty}
        assert needless == optional, name


@pytest.mark.parametrize("url", ["redis://:word@host:6379/2", "rediss://:word@host:6379/2"])
def test_a_brokers_url_leads_through_the_door_and_looks_the_same(url: str) -> None:
    transport.install()
    scheme = url.partition(":")[0]
    assert resolve_transport(scheme) is transport.Transport
    app = Celery(broker=url, set_as_current=False)
    assert app.connection().as_uri(include_password=True) == url
