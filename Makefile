# Every target does its own set-up. Python 3.11 or newer and make are all that is needed.
PYTHON ?= python3
BIN := .venv/bin

.PHONY: help setup demo test test-faults test-system soak lint bench clean

help:  ## Show what there is
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-11s %s\n", $$1, $$2}' Makefile

setup: .venv/.ready  ## Make .venv with the package and everything for tests

.venv/.ready: requirements.txt requirements-dev.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
		|| { echo "synctasks needs Python 3.11 or newer; name one: make PYTHON=python3.12 ..." >&2; exit 2; }
	@echo "Setting up .venv (once, about a minute)"
	@$(PYTHON) -m venv .venv
	@$(BIN)/python -m pip install -qq --disable-pip-version-check -r requirements-dev.txt
	@$(BIN)/python -m pip install -qq --disable-pip-version-check --no-deps --editable .
	@touch $@

demo: setup  ## See it work: two databases kept in step, with servers of its own
	@$(BIN)/synctasks demo

test: setup  ## All tests that need only PyPI, on servers of their own (or those in the environment)
	@$(BIN)/pytest -n 2 --dist loadfile --no-loadscope-reorder

test-faults: setup  ## Everything that can fail fails under load, one thing after the other (about 12 minutes)
	@$(BIN)/pytest tests/faults -n 2 --dist load

test-system: setup  ## What needs more than PyPI: apt-get install prometheus postgresql docker.io (a quarter of an hour)
	@$(BIN)/pytest tests/system tests/docker

soak: setup  ## Ten minutes of faults at random, and what came of them: make soak ARGS="--minutes 5 --seed 7"
	@$(BIN)/python -m tests.faults.soak $(ARGS)

lint: setup  ## ruff, mypy (strict on the package), import-linter
	@$(BIN)/ruff check synctasks tests benchmarks config examples
	@$(BIN)/ruff format --check synctasks tests benchmarks config examples
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-cache

bench: setup  ## Speed, as ratios against baselines run side by side
	@$(BIN)/python -m benchmarks

clean:  ## Remove .venv and caches
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .hypothesis
