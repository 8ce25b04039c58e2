# The two commands of a newcomer are `make demo` and `make test`. Each sets itself up first.
.DEFAULT_GOAL := help
.PHONY: help setup demo test check nightly format reference lock clean
MAKEFLAGS += --no-print-directory
export PYTHON ?=

help:  ## this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup:  ## a virtual environment in .venv, from the locked and hashed list
	@scripts/setup all

demo: setup  ## real payments through the whole of Makegood, then a report to look at
	@.venv/bin/makegood demo $(ARGS)

test:  ## style, types, imports and every test
	@scripts/test $(ARGS)

check:  ## style, types and imports only
	@scripts/setup dev && scripts/check

nightly:  ## the tests with many more generated cases; takes long
	@HYPOTHESIS_PROFILE=nightly scripts/test $(ARGS)

format:  ## rewrite the sources in the house style
	@scripts/setup dev && .venv/bin/ruff check --fix . && .venv/bin/ruff format .

reference:  ## rewrite the generated pages of docs/reference
	@scripts/setup dev && .venv/bin/python scripts/reference.py

lock:  ## resolve the dependencies anew; ARGS=--upgrade takes newer versions
	@scripts/setup dev && scripts/lock $(ARGS)

clean:  ## remove .venv and everything else that is made here
	@rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .hypothesis build dist
