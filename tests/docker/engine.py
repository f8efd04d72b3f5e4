"""The Docker engine of this machine, and the images that the tests take."""

from __future__ import annotations

import os
import subprocess
from functools import lru_cache
from pathlib import Path

PROJECT = Path(__file__).parents[2]

# Named like the variables of docker/.env.example: where no registry is reached, local ones.
BASE = os.environ.get("BASE_IMAGE", "python:3.11.14-slim-bookworm")
POSTGRES = os.environ.get("POSTGRES_IMAGE", "postgres:15.14-bookworm")
REDIS = os.environ.get("REDIS_IMAGE", "redis:7.4.2-bookworm")
NETWORK = os.environ.get("BUILD_NETWORK", "default")
IMAGE = os.environ.get("SYNCTASKS_IMAGE", "synctasks:test")


@lru_cache(maxsize=1)
def why_not() -> str:
    """Why no engine answers; empty if one does."""
    try:
        asked = subprocess.run(
            ["docker", "info", "--format", "{{.ServerVersion}}"],
            capture_output=True,
            text=True,
            timeout=20,
            check=False,
        )
    except FileNotFoundError:
        return "docker is not installed"
    except subprocess.TimeoutExpired:
        return "docker info takes longer than 20 s"
    # Without an engine some versions say so and exit with 0.
    return "" if asked.returncode == 0 and asked.stdout.strip() else "no Docker engine answers"


def build() -> str:
    """Build the image of this checkout; what has not changed is taken from before. Its name."""
    command = ["docker", "build", "--quiet", "--network", NETWORK, "--tag", IMAGE]
    command += ["--build-arg", f"BASE={BASE}", "--file", "docker/Dockerfile", "."]
    built = subprocess.run(
        command, cwd=PROJECT, capture_output=True, text=True, timeout=500, check=False
    )
    assert built.returncode == 0, built.stderr
    return IMAGE
