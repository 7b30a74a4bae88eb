# Every command of the project. `make help` lists them. A fresh machine needs Python 3.11 and nothing else.

PYTHON ?= $(shell command -v python3.11 || command -v python3)
VENV := .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed
ARGS ?=
LOCK := $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	--custom-compile-command "make lock"
# Under CI=true the plugin turns skipped tests into failures.
PYTEST := $(BIN)/python -m pytest -p tests.ci_plugin

.DEFAULT_GOAL := help

help: ## List the commands
	@grep -hE '^[a-z0-9-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z0-9-]+):.*## /\1\t/' | \
		while IFS="$$(printf '\t')" read -r name text; do printf '  %-17s %s\n' "$$name" "$$text"; done

setup: $(INSTALLED) ## Create .venv and install everything, pinned and hashed

# The two source roots reach the environment through a .pth file: an editable install has no hash to check.
$(INSTALLED): requirements/dev.txt
	@test -n "$(PYTHON)" && "$(PYTHON)" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "Stepwell needs Python 3.11 or newer; name one with: make $(MAKECMDGOALS) PYTHON=/path/to/python3.11"; exit 1; }
	@test -x $(BIN)/python || "$(PYTHON)" -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/dev.txt
	@printf '%s\n' "$(CURDIR)/platform" "$(CURDIR)" > \
		"$$($(BIN)/python -c 'import sysconfig; print(sysconfig.get_path("purelib"))')/stepwell.pth"
	@touch $@

dev: $(INSTALLED) ## Run the whole platform on this machine (flags: ARGS="--port 8300")
	@$(BIN)/python manage.py dev $(ARGS)

migrate: $(INSTALLED) ## Bring the database up to date
	$(BIN)/python manage.py migrate

test: $(INSTALLED) ## Unit, integration and isolation tests
	$(PYTEST) -n 2 tests/unit tests/integration tests/isolation $(ARGS)

test-server: $(INSTALLED) ## Those that meet a database or Valkey, on PostgreSQL and Redis, which must be installed
	$(BIN)/python -m tests.on_server -p tests.ci_plugin -n 3 tests/integration tests/isolation $(ARGS)

node-apps: $(INSTALLED) ## Install the TypeScript apps of the end to end tests, where their lock files changed
	$(BIN)/python -c 'from tests.e2e.typescript.sdk_app import install; [install(v) for v in ("v3", "v4")]'

# These wait for processes more than they work: several at a time keep two cores busy.
test-e2e: $(INSTALLED) ## Real SDK apps against a running platform
	$(PYTEST) tests/e2e -n 4 --dist loadfile $(ARGS)

# The tests that lean on how events, runs and steps are stored, signed and resumed.
test-e2e-server: $(INSTALLED) ## The core of them on `manage.py start`, PostgreSQL and Redis, with signing
	STEPWELL_E2E=server $(PYTEST) tests/e2e/python tests/e2e/typescript -m on_server -n 3 --dist loadfile $(ARGS)

test-browser: $(INSTALLED) ## The pages in Chromium
	$(PYTEST) tests/browser -n 2 --dist loadfile $(ARGS)

# A scenario at a time for each process: whole files would leave the others idle at the end.
test-chaos: $(INSTALLED) ## Kill processes under load and check that nothing is lost
	$(PYTEST) tests/chaos -n 2 --dist load --maxschedchunk 1 $(ARGS)

lint: $(INSTALLED) ## Style and format
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

layers: $(INSTALLED) ## The direction of imports
	PYTHONPATH=platform:. $(BIN)/lint-imports

check-migrations: $(INSTALLED) ## Whether every model change has its migration
	DATABASE_URL=sqlite://:memory: $(BIN)/python manage.py makemigrations --check --dry-run

types: $(INSTALLED) ## mypy, strict
	$(BIN)/mypy

bench: $(INSTALLED) ## Benchmarks, e.g. ARGS="--scenario steps" (needs Node.js and ../shared)
	PYTHONPATH=platform:. .venv/bin/python -m tests.bench.run $(ARGS)

lock: $(INSTALLED) ## Pin every package again (upgrade with ARGS=--upgrade)
	$(LOCK) $(ARGS) requirements/dev.in -o requirements/dev.txt
	for name in test production base; do \
		$(LOCK) -c requirements/dev.txt --no-annotate requirements/$$name.in -o requirements/$$name.txt || exit 1; done

static: $(INSTALLED) ## Collect static files under hashed names, as a server serves them
	DJANGO_SETTINGS_MODULE=config.settings.collecting $(BIN)/python manage.py collectstatic --no-input --verbosity 0

clean: ## Remove caches and build products (keeps .venv and the data folder)
	rm -rf .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache build dist staticfiles
	find apps platform tests -name __pycache__ -type d -prune -exec rm -rf {} +

.PHONY: help setup dev migrate static test test-server node-apps test-e2e test-e2e-server test-browser test-chaos lint layers check-migrations types bench lock clean
