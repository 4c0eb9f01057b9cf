# `make demo` runs the main job, `make test` the tests, `make check` all that CI runs.
.DEFAULT_GOAL := help
.PHONY: help setup demo test check format lint types contracts deps bodies docs-check bench faults picture lock clean

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.siems-ready
# tests wait for disks and processes about a third of their time, so there is one worker more than cores
WORKERS = $(shell $(BIN)/python -c 'import os; print(min((os.cpu_count() or 1) + 1, 6))')

help: ## list the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

setup: $(STAMP) ## prepare .venv from the hashed lock; does nothing when nothing changed

$(STAMP): requirements.lock pyproject.toml scripts/setup.sh
	@PYTHON=$(PYTHON) sh scripts/setup.sh $(VENV)
	@touch $(STAMP)

demo: setup ## real alerts through the real webhook, then the board
	@$(BIN)/siems demo

test: setup ## every test, on SQLite and PostgreSQL
	@$(BIN)/python -m pytest -n $(WORKERS) --dist loadscope --no-loadscope-reorder

check: setup format lint types contracts deps test bodies ## what CI runs

format: setup
	@$(BIN)/ruff format --check .

lint: setup
	@$(BIN)/ruff check .

types: setup
	@$(BIN)/mypy

contracts: setup
	@$(BIN)/lint-imports

deps: setup
	@$(BIN)/deptry .

bodies: setup ## the sources over a folder of real bodies, where SIEMS_PAYLOADS names one
	@test -z "$(SIEMS_PAYLOADS)" || $(BIN)/python -m siems.daemon --errors text check-bodies "$(SIEMS_PAYLOADS)"

bench: setup ## figures, as ratios in one run
	@$(BIN)/python -m compileall -q src
	@$(BIN)/python -m benchmarks

faults: setup ## slow crash and fault runs; FAULTS_KILLS=200 and the like make them longer
	@$(BIN)/python -m pytest -m faults tests

picture: setup ## the README's picture, made by the program
	@$(BIN)/python scripts/picture.py

lock: setup ## renew requirements.lock after a change of pyproject.toml
	@$(BIN)/python -m uv pip compile --universal --python-version 3.11 --all-extras --generate-hashes --no-header --quiet pyproject.toml -o requirements.lock

clean:
	@rm -rf $(VENV) .boot dist build
