# The manual of this house: `make` lists what there is. Each target sets up what it needs first.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory
.PHONY: help run test test-fast lint format crash torture bench screenshots demo wheel pins docs setup setup-dev packages clean

PY := .venv/bin/python
N ?= 100

help: ## this list
	@awk -F':.*## ' '/^[a-z-]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

run: setup ## serve the portal on http://127.0.0.1:8080 with SQLite in ./var
	@exec scripts/serve

test: packages setup-dev ## everything: Debian packages, lint, all tests (under 10 minutes on two cores)
	@exec scripts/test all

test-fast: setup-dev ## the quick tests only, without servers and browser (under 60 s)
	@exec scripts/test fast

lint: setup-dev ## ruff, mypy --strict and import-linter
	@exec scripts/lint

format: setup-dev ## put the code into shape (ruff)
	@.venv/bin/ruff check --fix . && .venv/bin/ruff format .

crash: packages setup-dev ## the crash harness with N kills (make crash N=100)
	@exec scripts/crash $(N)

torture: packages setup-dev ## every door with N mutants of its hard cases (make torture N=10000)
	@TORTURE_N=$(N) exec $(PY) -m pytest -s tests/torture

bench: packages setup-dev ## the benchmarks: petitions over HTTP (SQLite, PostgreSQL) and mails
	@missed=0; $(PY) -m benchmarks.intake || missed=1; $(PY) -m benchmarks.mail || missed=1; exit $$missed

screenshots: packages setup-dev ## pictures of the pages into var/pictures, the shown ones into docs/pictures
	@exec $(PY) -m scripts.screenshots

demo: setup ## file the sample petitions with a running gateway (starts one for the purpose if there is none)
	@exec scripts/demo

wheel: setup ## build the wheel into dist/
	@$(PY) -m hatchling build -t wheel

pins: setup-dev ## renew requirements*.txt from pyproject.toml (make pins UPGRADE=1 takes the newest)
	@exec scripts/pins $(if $(UPGRADE),--upgrade)

docs: setup-dev ## renew .env.example, the table of settings in docs/operations.md, and docs/api
	@$(PY) -m scripts.settings_docs --write
	@$(PY) -m scripts.api_docs --write

setup: ## .venv with the pinned dependencies and our package
	@scripts/setup run

setup-dev: # the same with the tools of the tests
	@scripts/setup dev

packages: # Debian packages for the tests: only what is missing
	@scripts/packages

clean: ## remove .venv and build products; ./var with its data stays
	@rm -rf .venv dist build .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis
