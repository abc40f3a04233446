# Needs Python 3.11+ and make; everything else is installed into .venv from uv.lock.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
TOOLS := .tools
UV := $(TOOLS)/bin/uv
STAMP := $(VENV)/.installed
# Where it is set, every process compiles a thousand modules anew: a second each.
export PYTHONDONTWRITEBYTECODE :=

.PHONY: setup run test dev lint format bench fuzz simulate mutants clean test-embedded-elt

setup: $(STAMP)

$(UV):
	$(PYTHON) -m venv $(TOOLS)
	$(TOOLS)/bin/pip install -qq --disable-pip-version-check uv

$(STAMP): pyproject.toml uv.lock | $(UV)
	UV_PROJECT_ENVIRONMENT=$(VENV) $(UV) sync --frozen --quiet --python $$($(TOOLS)/bin/python -c 'import sys; print(sys.executable)')
	touch $@

run: setup  ## load all resources (from the sandbox where nothing is configured) and build the models
	$(BIN)/platform-assets sync --sandbox

test: setup
	$(BIN)/python -m pytest

dev: setup  ## the Dagster UI on http://127.0.0.1:3000; from the sandbox where no platform is configured
	$(BIN)/platform-assets dev

lint: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/pyright
	$(BIN)/platform-assets dbt-sources --check
	cd dbt_project && PATH="$(CURDIR)/$(BIN):$$PATH" PLATFORM_ASSETS_DUCKDB=:memory: sqlfluff lint --disable-progress-bar models

format: setup
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: setup $(UV)  ## side-by-side measurements; writes benchmarks/*.md
	UV_PROJECT_ENVIRONMENT=$(VENV) $(UV) sync --frozen --quiet --group bench
	$(BIN)/python -m benchmarks.fast_path
	$(BIN)/python -m benchmarks.parents
	$(BIN)/python -m benchmarks.start_up
	$(BIN)/python -m benchmarks.dbt_build

fuzz: setup $(UV)  ## five minutes of fuzzing guided by coverage (Linux)
	UV_PROJECT_ENVIRONMENT=$(VENV) $(UV) sync --frozen --quiet --group fuzz
	$(BIN)/python -m tests.faults.coverage_guided -max_total_time=300 -max_len=4096

MINUTES ?= 10
simulate: setup  ## histories of faulty servers, kills and runs at once, under new seeds, for MINUTES
	$(BIN)/python -m tests.simulation --minutes $(MINUTES)

mutants: setup  ## plant faults in a copy of the code, one at a time, and show that a test sees each
	$(BIN)/python -m tests.mutants

clean:
	rm -rf $(VENV) $(TOOLS) .venv-embedded-elt data dbt_project/target

test-embedded-elt: $(UV)  ## the same code where the deprecated dagster-embedded-elt (and its older Dagster) is installed
	UV_PROJECT_ENVIRONMENT=.venv-embedded-elt $(UV) sync --frozen --quiet --extra embedded-elt --no-group dev --group test
	.venv-embedded-elt/bin/python -m pytest -n 0 tests/orchestration/test_embedded_elt.py
