# Two commands do everything: `make demo` runs the platform on its sandbox, `make test` passes the tests.
VENV := .venv
BIN := $(VENV)/bin
export DAGSTER_HOME ?= $(CURDIR)/dagster_home

.PHONY: demo clean-demo test test-slow lint types setup lock clean

demo: setup
	$(BIN)/satfusion demo

test: setup lint types
	$(BIN)/pytest -n 2 --dist loadscope -m "not slow"

test-slow: setup
	$(BIN)/pytest -n 2 --dist loadscope

lint: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports

types: setup
	$(BIN)/mypy

setup: $(VENV)/installed webapp/dist/index.html

webapp/dist/index.html: $(VENV)/installed webapp/package-lock.json webapp/index.html webapp/vite.config.ts $(shell find webapp/src -type f)
	PATH="$(CURDIR)/$(BIN):$$PATH" npm --prefix webapp ci --silent
	PATH="$(CURDIR)/$(BIN):$$PATH" npm --prefix webapp run build --silent

$(VENV)/installed: requirements.lock pyproject.toml
	python3 -m venv $(VENV)
	$(BIN)/python -m pip install --quiet "uv>=0.5"
	$(BIN)/uv pip sync --quiet --python $(BIN)/python requirements.lock
	$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --editable .
	touch $@

lock:
	$(BIN)/uv pip compile --quiet --python-version 3.11 --universal --generate-hashes --no-emit-index-url --no-header --no-annotate \
	  --extra dev pyproject.toml -o requirements.lock

clean-demo:
	rm -rf data sandbox_data dagster_home/history dagster_home/schedules dagster_home/storage dagster_home/logs dagster_home/.*.log

clean:
	rm -rf $(VENV) webapp/node_modules webapp/dist
