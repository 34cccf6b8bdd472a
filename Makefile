# make demo: the whole path on a synthetic cohort.  make check: what every change must pass.  make help: the rest.
VENV := .venv
BIN := $(VENV)/bin

# The first of these that is new enough and can make an environment is used; PYTHON=... names another.
PYTHONS := python3.11 python3.12 python3.13 python3.14 python3 python
SUPPORTED := import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))
VERSION := import sys; print("%d.%d.%d" % sys.version_info[:3])

# The package: its own folder, and the folders at the top that pyproject.toml maps into it.
MAPPED := assets expectations orchestration sql studies
PACKAGE := stegvis $(MAPPED)

FAST := not slow and not browser and not real_data
PYTEST := OPENBLAS_NUM_THREADS=1 $(BIN)/python -m pytest -n 2
# The fast tests of a file run in one process: what they share is made once. tests/conftest.py orders the files.
TEST := $(PYTEST) --dist loadfile --no-loadscope-reorder -m "$(FAST)"

# Coverage is measured while these run: the tests of statistics and storage, and those of a whole home, which is where
# most of storage is used. Measured, a test takes half as long again, so the others run without.
STORED := test_refresh.py test_warehouse_memory.py test_bad_input.py test_withdraw.py test_published.py test_own_cohort.py \
    test_accept.py test_home_damaged.py test_status.py test_backup.py test_restore.py test_changing_files.py
MEASURED := tests/stegvis/statistics tests/stegvis/storage $(addprefix tests/orchestration/,$(STORED))

# Every file that "make lock" writes the hashes of, and the program that finds them.
LOCKS := requirements.lock requirements-postgres.lock requirements-cluster.lock requirements-dev.lock
UV := uv==0.13.9

.DEFAULT_GOAL := help
.PHONY: help demo check test test-slow test-unmeasured full attacks fuzz bench coverage style lint types docs pictures lock ui clean

help: ## list the targets
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 12

$(BIN)/python:
	@for python in $(or $(PYTHON),$(PYTHONS)); do \
	    if $$python -c '$(SUPPORTED)' >/dev/null 2>&1; then exec $$python -m venv $(VENV); fi; \
	    if version=$$($$python -c '$(VERSION)' 2>/dev/null); then \
	        $$python -c 'import venv, ensurepip' >/dev/null 2>&1 || version="$$version without its venv module"; \
	        found="$$found$${found:+, }$$python ($$version)"; \
	    fi; \
	done; \
	echo "Stegvis needs Python 3.11 or newer on the PATH; found $${found:-none}." >&2; \
	echo "PYTHON=/path/to/python names another; Debian has the venv module in its package python3-venv." >&2; \
	exit 1

$(VENV)/.installed: requirements.lock pyproject.toml $(wildcard setup.py) | $(BIN)/python
	@$(BIN)/python -m pip install --quiet --no-deps -r requirements.lock \
	    || { echo "requirements.lock cannot be installed on $$($(BIN)/python --version): remove $(VENV) and choose another Python with PYTHON=..." >&2; exit 1; }
	$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation --editable .
	touch $@

$(VENV)/.installed-dev: $(VENV)/.installed requirements-dev.lock requirements-postgres.lock requirements-cluster.lock
	$(BIN)/python -m pip install --quiet --no-deps -r requirements-dev.lock -r requirements-postgres.lock -r requirements-cluster.lock
	touch $@

demo: $(VENV)/.installed ## make a synthetic cohort's deliveries, run everything, print the report's path
	$(BIN)/stegvis demo

check: lint test ## what every change must pass: format, lint, types and the fast tests

test: $(VENV)/.installed-dev ## the fast tests
	$(TEST)

test-slow: $(VENV)/.installed-dev ## the other tests, and all examples of the fast ones; what cannot run here skips with a reason
	STEGVIS_EXAMPLES=all $(PYTEST) --dist worksteal -m "hypothesis or not ($(FAST))"

full: $(VENV)/.installed-dev ## the long sets at full size, over an hour: kills, full disks, lost locks, 60 waves, mutated files
	STEGVIS_FULL=1 $(PYTEST) -m slow tests/orchestration/test_killed.py tests/orchestration/test_exactness.py \
	    tests/orchestration/test_disk.py tests/orchestration/test_lost_locks.py tests/orchestration/test_many_waves.py \
	    tests/orchestration/test_clock.py tests/orchestration/test_backup_in_use.py \
	    tests/orchestration/test_pseudonyms.py tests/stegvis/accelerometry/test_cwa_fuzz.py

attacks: $(VENV)/.installed-dev ## the attackers on 200 sequences of what happens to a home
	STEGVIS_FULL=1 OPENBLAS_NUM_THREADS=1 $(BIN)/python -m pytest --timeout 0 tests/attacks

fuzz: $(VENV)/.installed-dev ## 100,000 mutated files and 200 whole drops (FUZZ_FILES=..., FUZZ_DROPS=...)
	STEGVIS_FUZZ_FILES=$(or $(FUZZ_FILES),100000) STEGVIS_FUZZ_DROPS=$(or $(FUZZ_DROPS),200) OPENBLAS_NUM_THREADS=1 \
	    $(BIN)/python -m pytest --timeout 0 \
	    tests/stegvis/storage/test_mutated_files.py tests/stegvis/storage/test_mutated_drops.py

bench: $(VENV)/.installed-dev ## Stegvis beside its peers: makes docs/performance.md (SIZE=full: over an hour)
	$(BIN)/python -m benchmarks --size $(or $(SIZE),small)

test-unmeasured: $(VENV)/.installed-dev ## the fast tests that coverage does not run
	$(TEST) $(addprefix --ignore=,$(MEASURED))

coverage: $(VENV)/.installed-dev ## branch coverage of statistics and storage; each must reach 90 %
	@$(TEST) $(MEASURED) --cov --cov-report=
	@$(BIN)/python -m coverage report --include="stegvis/statistics/*" --fail-under=90
	@$(BIN)/python -m coverage report --include="stegvis/storage/*" --fail-under=90

style: $(VENV)/.installed-dev ## format and style
	$(BIN)/python -m ruff format --check .
	$(BIN)/python -m ruff check .

lint: style types ## format, style and types

# mypy looks for a package in one folder, so it gets a folder of links, and must have seen as many modules as there are.
types: $(VENV)/.installed-dev ## types of the whole package
	@rm -rf build/types && mkdir -p build/types/stegvis
	@ln -s $(CURDIR)/stegvis/* $(addprefix $(CURDIR)/,$(MAPPED)) build/types/stegvis/
	@cd build/types && $(CURDIR)/$(BIN)/python -m mypy --config-file $(CURDIR)/pyproject.toml \
	    --cache-dir $(CURDIR)/.mypy_cache -p stegvis >result.txt || { cat result.txt; exit 1; }
	@cat build/types/result.txt
	@modules=$$(find $(PACKAGE) -name '*.py' | wc -l); grep -q "in $$modules source files" build/types/result.txt \
	    || { echo "mypy has not seen all $$modules modules of the package" >&2; exit 1; }

docs: $(VENV)/.installed-dev ## the documentation's site in build/site, with the demo's release if there is one
	@rm -rf build/site build/extra
	@if [ -e .stegvis/releases/latest ]; then mkdir -p build/extra && cp -RL .stegvis/releases/latest build/extra/demo; fi
	$(BIN)/python -m sphinx -W --keep-going -q -c docs -d build/doctrees . build/site
	@echo "build/site/index.html"

pictures: $(VENV)/.installed-dev ## the pictures of README and docs, from the demo's release and the Dagster UI
	$(BIN)/python docs/pictures/make.py

# The pinned versions stay as they are: change a version in a lock file, then run this.
lock: | $(BIN)/python ## after a version changed: hashes of the lock files, SBOM and table of licences
	$(BIN)/python -m venv build/lock && build/lock/bin/pip install --quiet $(UV)
	@for file in $(LOCKS); do \
	    { grep '^#' $$file; build/lock/bin/uv pip compile --quiet --no-deps --no-header --no-annotate --generate-hashes \
	        --python-version 3.13 - <$$file; } >build/lock/new && cp build/lock/new $$file || exit 1; \
	done
	$(MAKE) $(VENV)/.installed-dev
	$(BIN)/python deploy/supply_chain.py

ui: $(VENV)/.installed ## the Dagster UI on the demo's home
	$(BIN)/stegvis ui

clean: ## remove the environment, what was built, and the demo's home
	rm -rf $(VENV) build .coverage .stegvis
