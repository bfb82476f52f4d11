# Needs Python >= 3.11 and make; everything else is installed into .venv. Variables: PYTHON=python3.12
PYTHON ?= python3
BIN := .venv/bin
# One more than there are processors: many tests wait for processes of their own.
WORKERS ?= $(shell expr $$(getconf _NPROCESSORS_ONLN) + 1)
export PIP_DISABLE_PIP_VERSION_CHECK := 1
# Modules are compiled when they are first imported, not all of them ahead, and what was compiled is kept.
INSTALL := $(BIN)/python -m pip install --quiet --no-compile
unexport PYTHONDONTWRITEBYTECODE

.PHONY: demo test lint format clean

demo: .venv/.library
	$(BIN)/rsc-snn demo --out demo

test: .venv/.development
	$(BIN)/python -m pytest -n $(WORKERS) --dist worksteal

lint: .venv/.development
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy

format: .venv/.development
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

clean:
	rm -rf .venv demo

.venv/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "expected Python >= 3.11, got $$($(PYTHON) --version); try make PYTHON=python3.12"; exit 2; }
	$(PYTHON) -m venv .venv

# The stamps are older than the files they depend on when something has to be installed again.
.venv/.library: pyproject.toml constraints.txt | .venv/bin/python
	$(INSTALL) -c constraints.txt -e .
	@touch $@

.venv/.development: pyproject.toml constraints.txt requirements-peers.txt | .venv/bin/python
	$(INSTALL) -c constraints.txt -e '.[dev]'
	$(INSTALL) --no-deps -r requirements-peers.txt
	@touch $@ .venv/.library
