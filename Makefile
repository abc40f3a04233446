# Needs Python 3.11+ and make; everything else is installed into .venv from uv.lock.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
TOOLS := .tools
UV := $(TOOLS)/bin/uv
STAMP := $(VENV)/.installed
# If it were set, every process would compile a thousand modules again, a second each.
export PYTHONDONTWRITEBYTECODE :=

.PHONY: help setup run test test-slow test-long test-all dev lint lint-python lint-dbt lint-docs format bench manifests cluster fuzz simulate mutants clean docs build test-package test-embedded-elt

help:  ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-18s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: $(STAMP)  ## install everything from uv.lock into .venv

$(UV):
	$(PYTHON) -m venv $(TOOLS)
	$(TOOLS)/bin/pip install -qq --disable-pip-version-check uv

$(STAMP): pyproject.toml uv.lock | $(UV)
	UV_PROJECT_ENVIRONMENT=$(VENV) $(UV) sync --frozen --quiet --compile-bytecode --python $$($(TOOLS)/bin/python -c 'import sys; print(sys.executable)')
	$(BIN)/python -m platform_assets.dbt.manifest > /dev/null
	touch $@

CONTRACT ?= reference
run: setup  ## load all resources (from the sandbox if no platform is configured; CONTRACT=vendor) and build the models
	$(BIN)/platform-assets sync --sandbox --contract $(CONTRACT)

test: setup  ## run the tests that protect one named behaviour each
	$(BIN)/python -m pytest -n 4 -m "not slow and not long and not package"

test-slow: setup  ## run the tests of whole stories in processes of their own, and second cases
	$(BIN)/python -m pytest -m "slow and not long and not package"

test-long: setup  ## run the tests that explore: more seeds, faults, kills and combinations
	$(BIN)/python -m pytest -m "long and not package"

test-all: test test-slow test-long  ## run every test

dev: setup  ## start the Dagster UI on http://127.0.0.1:3000 (on the sandbox if no platform is configured; CONTRACT=vendor)
	$(BIN)/platform-assets dev --contract $(CONTRACT)

lint: lint-python lint-dbt lint-docs  ## run every static check (pre-commit runs the same)

lint-python: setup  ## ruff, pyright, and the layers of imports
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/pyright
	$(BIN)/lint-imports

lint-dbt: setup  ## whether dbt's sources match the declarations, and sqlfluff
	$(BIN)/platform-assets dbt-sources --check
	cd dbt_project && PATH="$(CURDIR)/$(BIN):$$PATH" PLATFORM_ASSETS_DUCKDB=:memory: sqlfluff lint --disable-progress-bar models

lint-docs: setup  ## whether the generated pictures and tables of the documentation are up to date
	$(BIN)/python docs/draw_imports.py --check
	$(BIN)/python docs/draw_lineage.py --check
	$(BIN)/python docs/draw_dictionary.py --check

format: setup  ## fix what ruff can fix, format, and make the generated parts of the documentation anew
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .
	$(BIN)/python docs/draw_imports.py
	$(BIN)/python docs/draw_lineage.py
	$(BIN)/python docs/draw_dictionary.py
	$(BIN)/python docs/draw_settings.py

bench: setup $(UV)  ## measure side by side with other loaders; writes benchmarks/*.md
	UV_PROJECT_ENVIRONMENT=$(VENV) $(UV) sync --frozen --quiet --group bench
	$(BIN)/python -m benchmarks.fast_path
	$(BIN)/python -m benchmarks.parents
	$(BIN)/python -m benchmarks.start_up
	$(BIN)/python -m benchmarks.command
	$(BIN)/python -m benchmarks.dbt_build
	$(BIN)/python -m benchmarks.requests

manifests: setup  ## compare declarative manifests with Airbyte's CDK, rows and speed; writes benchmarks/MANIFESTS.md
	$(BIN)/python -m benchmarks.manifests

cluster: setup  ## measure partitions and parents over Celery workers; writes benchmarks/CLUSTER.md and WORKERS.md
	$(BIN)/python -m benchmarks.cluster
	$(BIN)/python -m benchmarks.workers

fuzz: setup $(UV)  ## fuzz the parsers for five minutes, guided by coverage (Linux)
	UV_PROJECT_ENVIRONMENT=$(VENV) $(UV) sync --frozen --quiet --group fuzz
	$(BIN)/python -m tests.faults.coverage_guided -max_total_time=300 -max_len=4096

MINUTES ?= 10
WAREHOUSE ?= duckdb
simulate: setup  ## play random histories (faulty servers, kills, concurrent runs) for MINUTES=10 in WAREHOUSE=duckdb
	$(BIN)/python -m tests.simulation --minutes $(MINUTES) --warehouse $(WAREHOUSE)

mutants: setup  ## plant faults in a copy of the code, one at a time, and check that a test fails
	$(BIN)/python -m tests.mutants

clean:  ## remove the environments, the data and what dbt compiled
	rm -rf $(VENV) $(TOOLS) .venv-embedded-elt .venv-docs site dist data dbt_project/target

docs: $(UV)  ## build the documentation as a site into site/; a broken link, a script from elsewhere, or code in its search fails
	UV_PROJECT_ENVIRONMENT=.venv-docs $(UV) sync --frozen --quiet --only-group docs
	NO_MKDOCS_2_WARNING=1 .venv-docs/bin/mkdocs build --strict -f docs/site/mkdocs.yml
	! grep -rlE '<(script|link|img)[^>]*(src|href)="?https?:|class="mermaid"' site --include=*.html
	! grep -oE '"location":"repository/[^"]*[.](py|sql|toml|yml)[^"]*"' site/search/search_index.json

DIST ?= dist
build: setup  ## build the sdist and the wheel into dist/
	$(BIN)/python -m platform_assets.dbt.manifest
	$(UV) build --quiet --out-dir $(DIST)

test-package: setup  ## build the wheel, install it with each Python that is here, and run it in an empty folder
	$(BIN)/python -m pytest -n 0 -m package tests/packaging

test-embedded-elt: $(UV)  ## test with the deprecated dagster-embedded-elt and its older Dagster
	UV_PROJECT_ENVIRONMENT=.venv-embedded-elt $(UV) sync --frozen --quiet --extra embedded-elt --no-group dev --group test
	.venv-embedded-elt/bin/python -m pytest -n 0 tests/orchestration/test_embedded_elt.py
