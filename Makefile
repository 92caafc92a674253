# Two commands do everything: `make demo` runs the platform on its sandbox, `make test` passes the tests.
VENV := .venv
BIN := $(VENV)/bin
NPM = PATH="$(CURDIR)/$(BIN):$$PATH" npm --prefix webapp
export DAGSTER_HOME ?= $(CURDIR)/dagster_home

.PHONY: demo clean-demo digests test test-slow lint types setup webapp lock clean

demo: setup
	$(BIN)/satfusion demo

test: setup lint types
	$(NPM) run test --silent
	$(BIN)/pytest -n 2 --dist loadscope -m "not slow"

test-slow: setup
	$(BIN)/pytest -n 2 --dist loadscope

lint: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports

types: setup
	$(BIN)/mypy
	$(NPM) run check --silent

setup: $(VENV)/installed webapp/dist/index.html

webapp: webapp/dist/index.html

webapp/node_modules/installed: $(VENV)/installed webapp/package.json webapp/package-lock.json
	$(NPM) ci --silent
	touch $@

webapp/dist/index.html: webapp/node_modules/installed webapp/index.html webapp/vite.config.ts $(shell find webapp/src -type f)
	$(NPM) run build --silent -- --logLevel warn

$(VENV)/installed: requirements.lock pyproject.toml
	python3 -m venv $(VENV)
	$(BIN)/python -m pip install --quiet "uv>=0.5"
	$(BIN)/uv pip sync --quiet --python $(BIN)/python requirements.lock
	$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --editable .
	touch $@

digests: setup
	$(BIN)/python -m satfusion_assets_tests.reference

lock:
	$(BIN)/uv pip compile --quiet --python-version 3.11 --universal --generate-hashes --no-emit-index-url --no-header --no-annotate \
	  --extra dev pyproject.toml -o requirements.lock

clean-demo:
	rm -rf data sandbox_data dagster_home/history dagster_home/schedules dagster_home/storage dagster_home/logs dagster_home/.*.log

clean:
	rm -rf $(VENV) webapp/node_modules webapp/dist
