# Everything from a clone: `make run` and `make test` need python3 and nothing else, and set up what they use.
#
# The virtual environment is .venv-VERSION, one for each interpreter: `make test PYTHON=python3.13` makes its own.
# It is made afresh whenever pyproject.toml changes.

PYTHON ?= python3
ARGS ?=

VERSION := $(shell $(PYTHON) -c 'import platform, sys; print(platform.python_version() + sys.abiflags)' 2>/dev/null)
VENV := .venv-$(VERSION)
BIN := $(VENV)/bin

.PHONY: help run test lint types imports check clean
.DELETE_ON_ERROR:

help: ## this list
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/make \1\t\2/p' Makefile
	@echo 'PYTHON=... names the interpreter, ARGS="..." goes to the command of run and test'

run: $(VENV)/.test ## mark this interpreter's own heap with real threads, about ten seconds
	$(BIN)/python -m collector.run $(ARGS)

test: $(VENV)/.test ## all tests
	$(BIN)/python -m pytest $(ARGS)

lint: $(VENV)/.dev ## ruff: rules and format
	$(BIN)/ruff check
	$(BIN)/ruff format --check

types: $(VENV)/.dev ## mypy --strict
	$(BIN)/mypy

imports: $(VENV)/.dev ## the direction of imports
	$(BIN)/lint-imports --no-logo

check: lint types imports test ## all of these

clean: ## remove the virtual environments and what tools left behind
	rm -rf .venv .venv-* .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache dist
	find . -name __pycache__ -prune -exec rm -rf {} +

$(VENV)/.test: pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || \
	    { echo 'PYTHON=$(PYTHON) is not a Python 3.11 or later: name one, as in "make test PYTHON=python3.13"' >&2; exit 2; }
	@echo 'setting up $(VENV), once: half a minute to a minute'
	$(PYTHON) -m venv --clear $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[test]'
	@touch $@

$(VENV)/.dev: $(VENV)/.test
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[test,dev]'
	@touch $@
