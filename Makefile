# Everything a developer or a pipeline runs. `make` lists the targets.
#
# Needs: make, git, npm (for the lab's anvil), Python >= 3.11 with its venv module. No root.

ifeq ($(filter oneshell,$(.FEATURES)),)
$(error GNU make 3.82 or newer is needed)
endif
SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.ONESHELL:
.DELETE_ON_ERROR:
.SUFFIXES:
.DEFAULT_GOAL := help
MAKEFLAGS += --no-builtin-rules --no-print-directory

# Tests must not see a developer's own configuration.
unexport HEADWATCH_CONFIG

VENV := .venv
PY := $(VENV)/bin/python
PIP := $(PY) -m pip --disable-pip-version-check --quiet
# A stamp is written last, so that what an interrupted run left behind is made anew.
LOCKED := $(VENV)/.locked
INSTALLED := $(VENV)/.installed
# Two workers: the cores of the smallest machine that this must be quick on.
WORKERS ?= 2
PYTEST := $(PY) -m pytest -n $(WORKERS) --dist loadgroup
# Where every line and every branch is tested.
COVERED := monitor/model.py,monitor/url.py,monitor/judge/*,monitor/policy/*,monitor/poco/*,monitor/poco/v1/*

# Whose tests these are.
COVERING := tests/test_model.py tests/test_url.py tests/test_world.py tests/judge tests/policy tests/poco

# A .venv that was moved here, or whose Python is gone, is as good as none.
ifneq ($(shell $(PY) -c 'print(open("$(LOCKED)").read())' 2>/dev/null),$(CURDIR))
$(shell rm -f $(LOCKED) $(INSTALLED))
endif

.PHONY: help setup demo test test-wide unit bench generate lint format lock clean

help: ## list the targets
	@grep -hE '^[a-z-]+:.*## ' Makefile | sed -E 's/:.*## /\t/' | while IFS=$$'\t' read -r name text; do
	  printf '  make %-10s %s\n' "$$name" "$$text"
	done

setup: $(INSTALLED) ## .venv from requirements.lock, and anvil in .tools; quick when nothing changed
	@$(PY) -m monitor.lab.tools .tools

$(LOCKED): requirements.lock
	@python=
	for candidate in python3.13 python3.12 python3.11 python3; do
	  # Asked, not only looked up: a version manager's shim may stand for a version it lacks.
	  if "$$candidate" -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' \
	      >/dev/null 2>&1; then python=$$candidate; break; fi
	done
	if [ -z "$$python" ]; then
	  echo 'make setup: needs Python 3.11 or newer with its venv module (python3-venv)' >&2
	  exit 1
	fi
	echo "$(VENV): $$("$$python" --version) and the $$(grep -c == requirements.lock) packages of requirements.lock"
	"$$python" -m venv --clear $(VENV)
	# The lock names everything: a resolver would only go looking for newer releases of extras.
	$(PIP) install --no-deps --require-hashes -r requirements.lock
	printf %s '$(CURDIR)' >$@

$(INSTALLED): $(LOCKED) pyproject.toml
	@$(PIP) install --no-deps --no-build-isolation --no-index --editable .
	touch $@

demo: setup ## lab networks of real nodes, watched while faults come and go
	@$(VENV)/bin/headwatch demo

test: setup ## lint, then every test that is not wide, then the coverage gate
	@$(MAKE) lint
	$(PY) -m tests.debian
	$(MAKE) unit

# Measuring coverage makes Python two to three times slower: it is for what the gate is about.
unit:
	@rm -f .coverage .coverage.*
	$(PYTEST) -m 'not wide' --cov --cov-report= $(COVERING)
	echo 'coverage of $(COVERED), which must be 100 %:'
	$(PY) -m coverage report --fail-under=100 --include='$(COVERED)'
	$(PYTEST) -m 'not wide' $(COVERING:%=--ignore=%) tests

test-wide: setup ## the tests that take long or need more
	@$(PY) -m tests.debian
	$(PY) -m tests.browser.chromium
	$(PYTEST) -m wide tests

bench: setup ## measure against the figures that benchmarks/ promises
	@$(PY) -m benchmarks

generate: $(INSTALLED) ## write anew what is made from tables: alerts, boards, reference pages
	@$(PY) -m alerts
	$(PY) -m dashboards
	$(PY) tests/test_config.py
	$(PY) tests/test_docs.py
	$(PY) -c 'from monitor.act.metrics import metrics_page; print(metrics_page(), end="")' >docs/metrics.md

lint: $(INSTALLED) ## ruff, its formatter, and mypy --strict
	@$(VENV)/bin/ruff check --quiet
	$(VENV)/bin/ruff format --check --quiet
	$(PY) -m mypy

format: $(INSTALLED) ## let ruff repair and format what it can
	@$(VENV)/bin/ruff check --fix --quiet || true
	$(VENV)/bin/ruff format

lock: $(INSTALLED) ## make requirements.lock anew from pyproject.toml, keeping what still fits
	@scratch=$$(mktemp -d)
	trap 'rm -rf "$$scratch"' EXIT
	$(PY) -m venv "$$scratch/uv"
	"$$scratch/uv/bin/pip" --disable-pip-version-check --quiet install uv
	cp requirements.lock "$$scratch/requirements.lock"
	"$$scratch/uv/bin/uv" pip compile --quiet pyproject.toml --group dev --group bench \
	  --generate-hashes --universal --no-emit-index-url --no-header --python-version 3.11 \
	  $(LOCK_OPTIONS) -o "$$scratch/requirements.lock"
	if grep -nE '://|^ *--(index|extra-index|find-links|trusted)' "$$scratch/requirements.lock" >&2; then
	  echo 'make lock: the lock names a host' >&2
	  exit 1
	fi
	cp "$$scratch/requirements.lock" requirements.lock
	echo "requirements.lock: $$(grep -c == requirements.lock) packages"

clean: ## remove everything that was made here, .venv and .tools too
	@rm -rf $(VENV) .tools .hypothesis .mypy_cache .pytest_cache .ruff_cache .coverage .coverage.* \
	  build dist
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
