# Everything starts here: `make quickstart` and `make test` do all the set-up on a fresh machine.

PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
DOCS_READY := $(VENV)/.docs-ready
QUICKSTART := runs/make-quickstart
unexport PYTHONDONTWRITEBYTECODE  # with it each of the many processes of the tests would compile the package anew

.PHONY: help setup quickstart test test-full lint types imports check docs clean

help:  ## show this
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

setup: $(READY)  ## a virtual environment in .venv with the exact versions of constraints.txt

$(READY): pyproject.toml constraints.txt
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "ecggan needs Python 3.11 or newer; try make PYTHON=python3.12")'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check pip==26.3
	$(BIN)/python -m pip install --quiet -c constraints.txt -e . --group dev
	touch $@

$(DOCS_READY): $(READY)
	$(BIN)/python -m pip install --quiet -c constraints.txt --group docs
	touch $@

quickstart: $(READY)  ## train a small GAN on the embedded ECGs, draw from it, report on it: minutes
	rm -rf $(QUICKSTART)
	$(BIN)/python train.py experiment=quickstart out=$(QUICKSTART)/train
	$(BIN)/python generate.py run=$(QUICKSTART)/train num_records=128 out=$(QUICKSTART)/ecgs
	$(BIN)/python evaluate.py data=deepfake generated=$(QUICKSTART)/ecgs out=$(QUICKSTART)/report

test: $(READY)  ## run the tests, the long ones at reduced sizes
	$(BIN)/pytest

test-full: $(READY)  ## run the tests at full size, as before a release
	ECGGAN_TEST_SIZE=full $(BIN)/pytest

lint: $(READY)  ## style
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(READY)  ## static types
	$(BIN)/mypy

imports: $(READY)  ## who may import whom
	$(BIN)/lint-imports

check: lint types imports test  ## all of the above: what must pass before a change lands

docs: $(DOCS_READY)  ## the site, in site/: open site/index.html
	$(BIN)/python docs/make_site.py

clean:  ## remove the environment and the tools' caches
	rm -rf $(VENV) build site .mypy_cache .pytest_cache .ruff_cache .import_linter_cache
