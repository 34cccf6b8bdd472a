# make demo: the whole path on a synthetic cohort.  make test: the fast tests.  make help: the rest.
PYTHON ?= python3.11
VENV := .venv
BIN := $(VENV)/bin

.DEFAULT_GOAL := help
.PHONY: help demo test test-slow lint ui clean

help: ## list the targets
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 12

$(VENV)/.installed: requirements.lock pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --no-deps -r requirements.lock
	$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation --editable .
	touch $@

$(VENV)/.installed-dev: $(VENV)/.installed requirements-dev.lock
	$(BIN)/python -m pip install --quiet --no-deps -r requirements-dev.lock
	touch $@

demo: $(VENV)/.installed ## make a synthetic cohort's deliveries, run everything, print the report's path
	$(BIN)/stegvis demo

test: $(VENV)/.installed-dev ## the fast tests
	OPENBLAS_NUM_THREADS=1 $(BIN)/python -m pytest -n 2 -m "not slow and not browser and not real_data"

test-slow: $(VENV)/.installed-dev ## the tests that make test leaves out; those that cannot run here skip with a reason
	OPENBLAS_NUM_THREADS=1 $(BIN)/python -m pytest -n 2 -m "slow or browser or real_data"

lint: $(VENV)/.installed-dev ## style and types
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

ui: $(VENV)/.installed ## the Dagster UI on the demo's home
	$(BIN)/stegvis ui

clean: ## remove the environment and the demo's home
	rm -rf $(VENV) .stegvis
