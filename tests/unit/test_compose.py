"""docker/compose.yaml: what each service must have, and what may be chosen in docker/.env."""

from __future__ import annotations

import re
import runpy
from pathlib import Path
from typing import Any

import pytest
import yaml

from synctasks import settings
from synctasks.dispatch import QUEUES

PROJECT = Path(__file__).parents[2]
TEXT = (PROJECT / "docker/compose.yaml").read_text()
COMPOSE: dict[str, Any] = yaml.safe_load(TEXT)
SERVICES: dict[str, Any] = COMPOSE["services"]
OURS = sorted(name for name, each in SERVICES.items() if "synctasks" in each["image"])
SERVERS = ("citizen", "redis", "warehouse")
WORKERS = sorted(name for name in OURS if "worker" in SERVICES[name]["command"])
# Ends by itself, and is not begun anew.
ONCE = ("install", "synctasks")

_CHOICE = re.compile(r"\$\{(\w+):-([^}]*)\}")
_CHOSEN = re.compile(r"^#(\w+)=(.*)$", re.MULTILINE)


def test_services_are_known() -> None:
    assert sorted([*OURS, *SERVERS]) == sorted(SERVICES)
    assert WORKERS == ["worker-batch", "worker-control", "worker-events"]


@pytest.mark.parametrize("name", OURS)
def test_what_is_ours_may_do_as_little_as_can_be(name: str) -> None:
    service = SERVICES[name]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert not {"privileged", "cap_add", "network_mode", "pid", "user"} & service.keys()


@pytest.mark.parametrize("name", sorted(SERVICES))
def test_what_ends_begins_anew_and_what_hangs_is_seen(name: str) -> None:
    service = SERVICES[name]
    assert service["restart"] == ("no" if name in ONCE else "unless-stopped")
    # Of those without a check of their own, the image has one.
    disabled = service.get("healthcheck", {}).get("disable", False)
    assert disabled == (name in ONCE)
    assert name not in SERVERS or service["healthcheck"]["test"]


@pytest.mark.parametrize("name", sorted(SERVICES))
def test_secrets_are_files_and_only_those_of_the_service(name: str) -> None:
    service = SERVICES[name]
    environment = service.get("environment", {})
    plain = settings.DEFAULTS.keys() - SECRET_VARIABLES
    assert not SECRET_VARIABLES & environment.keys()
    for variable, value in environment.items():
        if variable.endswith("_FILE"):
            assert value.removeprefix("/run/secrets/") in service["secrets"]
        else:
            assert variable in plain | {"POSTGRES_USER", "POSTGRES_DB", "FLOWER_ADDRESS"}
    assert set(service["secrets"]) <= COMPOSE["secrets"].keys()
    assert "://" not in yaml.safe_dump(environment)


def test_every_secret_is_one_that_make_secrets_makes() -> None:
    made = re.findall(r"^keep (\w+) ", (PROJECT / "docker/make-secrets").read_text(), re.MULTILINE)
    assert sorted(made) == sorted(COMPOSE["secrets"])
    assert COMPOSE["secrets"] == {name: {"file": f"./secrets/{name}"} for name in made}


@pytest.mark.parametrize("name", WORKERS)
def test_a_worker_may_end_the_longest_task(name: str) -> None:
    limit = runpy.run_path(str(PROJECT / "config/celeryconfig.py"))["task_time_limit"]
    assert seconds(SERVICES[name]["stop_grace_period"]) > limit


def test_everything_else_has_more_than_the_usual_ten_seconds_to_end() -> None:
    for name in (*OURS, *SERVERS):
        if name not in (*WORKERS, *ONCE):
            assert seconds(SERVICES[name]["stop_grace_period"]) > 10


@pytest.mark.parametrize("name", OURS)
def test_servers_are_there_before_us_and_end_after_us(name: str) -> None:
    """By name: compose 1.29 does not see that `install`, which has ended, depends on them."""
    needs = {each: need["condition"] for each, need in SERVICES[name]["depends_on"].items()}
    installed = {} if name == "install" else {"install": "service_completed_successfully"}
    assert needs == dict.fromkeys(SERVERS, "service_healthy") | installed


def test_each_queue_is_served_by_one_pool() -> None:
    served = [queue for name in WORKERS for queue in options(name)["queues"].split(",")]
    assert sorted(served) == sorted(QUEUES)


def test_workers_are_told_apart() -> None:
    assert len({options(name)["hostname"] for name in WORKERS}) == len(WORKERS)


def test_redis_loses_and_drops_nothing() -> None:
    command = SERVICES["redis"]["command"]
    assert {"--maxmemory-policy noeviction", "--appendonly yes"} <= set(command)
    directory = SERVICES["redis"]["working_dir"]
    assert f"--dir {directory}" in command
    assert SERVICES["redis"]["volumes"] == [f"redis:{directory}"]


def test_databases_keep_what_they_hold_in_volumes_of_their_own() -> None:
    for name in ("warehouse", "citizen"):
        assert SERVICES[name]["volumes"] == [f"{name}:/var/lib/postgresql/data"]
    assert sorted(COMPOSE["volumes"]) == sorted(SERVERS)


def test_only_flower_and_the_web_process_are_published_and_only_here() -> None:
    published = {name: each["ports"] for name, each in SERVICES.items() if "ports" in each}
    assert sorted(published) == ["flower", "web"]
    for [port] in published.values():
        assert _CHOICE.findall(port)[0][1].startswith("127.0.0.1:")


def test_images_are_pinned() -> None:
    for service in SERVICES.values():
        [(_, default)] = _CHOICE.findall(service["image"])
        assert re.fullmatch(r"\w+:\d+\.\d+[\w.-]*", default), default
    version = re.search(
        r'^version = "(.+)"', (PROJECT / "pyproject.toml").read_text(), re.MULTILINE
    )
    assert version
    assert f"synctasks:{version[1]}" in SERVICES["web"]["image"]


def test_the_base_image_is_the_dockerfiles() -> None:
    chosen = dict(_CHOICE.findall(TEXT))["BASE_IMAGE"]
    assert f"\nARG BASE={chosen}\n" in (PROJECT / "docker/Dockerfile").read_text()


def test_all_that_may_be_chosen_stands_in_the_example_and_nothing_else() -> None:
    choices = set(_CHOICE.findall(TEXT))
    assert len(dict(choices)) == len(choices), "one default for each"
    assert len(_CHOICE.findall(TEXT)) == len(re.findall(r"(?<!\$)\$\{?\w", TEXT))
    chosen = dict(_CHOSEN.findall((PROJECT / "docker/.env.example").read_text()))
    # Compose's own.
    assert chosen.pop("COMPOSE_PROJECT_NAME") == "synctasks"
    assert chosen.pop("COMPOSE_FILE") == "compose.yaml"
    assert chosen == dict(choices)


SECRET_VARIABLES = {
    *settings.DATABASE_VARIABLES.values(),
    settings.BROKER_VARIABLE,
    settings.KEYS_VARIABLE,
    settings.SECRET_VARIABLE,
    settings.FLOWER_VARIABLE,
    settings.ALERTS_VARIABLE,
}


def seconds(period: str) -> int:
    return int(period.removesuffix("s"))


def options(name: str) -> dict[str, str]:
    """The options of a service's command that have a value."""
    given = [each.removeprefix("--") for each in SERVICES[name]["command"] if "=" in each]
    return dict(each.split("=", 1) for each in given)
