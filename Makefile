# Two commands do everything: `make demo` runs the platform on its sandbox, `make test` passes the tests.
VENV := .venv
BIN := $(VENV)/bin
NPM = PATH="$(CURDIR)/$(BIN):$$PATH" npm --prefix webapp
export DAGSTER_HOME ?= $(CURDIR)/dagster_home

.PHONY: demo clean-demo digests truth-pages test test-slow test-lowest test-newest lint types setup webapp docs pictures api-types history coverage lock wheel clean demo-cluster

demo: setup
	$(BIN)/satfusion demo

# As root on Linux: PostgreSQL, RabbitMQ, Ceph's radosgw, a control host and two workers, in namespaces; CLUSTER: options.
demo-cluster: setup
	$(BIN)/python -m deploy.demo_cluster $(CLUSTER)

# Each module in one worker, the longest first (conftest.py).
SPREAD := --dist loadscope --no-loadscope-reorder

test: setup lint types
	$(NPM) run test --silent
	$(BIN)/pytest -n 3 $(SPREAD) -m "not slow"

test-slow: setup coverage
	SATFUSION_TEST_CASES="new cases" $(BIN)/pytest -n 2 $(SPREAD)

# The rooms that lean on libraries most, on the lowest versions that pyproject.toml allows; then the same on the newest.
BOUNDED := satfusion_assets_tests/store satfusion_assets_tests/archives satfusion_assets_tests/screening satfusion_assets_tests/sampling satfusion_assets_tests/evaluation/test_scores.py
bounded = NUMBA_CACHE_DIR=$(CURDIR)/$(VENV)-$(1)/numba $(VENV)-$(1)/bin/python -m pytest -n 2 $(SPREAD) -m "not slow" $(BOUNDED)

test-lowest: $(VENV)-lowest/installed
	$(call bounded,lowest)

test-newest: BOUNDED += satfusion_assets_tests/orchestration
test-newest: $(VENV)-newest/installed
	-$(call bounded,newest)

$(VENV)-lowest/installed: RESOLUTION := lowest-direct
$(VENV)-newest/installed: RESOLUTION := highest --override .ci/uncapped.txt
$(VENV)-%/installed: pyproject.toml | setup
	$(BIN)/uv venv --quiet --clear --python $(BIN)/python $(VENV)-$*
	$(BIN)/uv pip install --quiet --python $(VENV)-$*/bin/python --resolution $(RESOLUTION) --editable ".[dev,cluster]"
	touch $@

lint: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports
	$(NPM) run lint --silent

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

# The pages of what the methods are worth against known landscapes; hours the first time, and it goes on where it stopped.
truth-pages: setup
	$(BIN)/satfusion demo --no-serve
	$(BIN)/satfusion sandbox truth innsbruck 2024 --page docs/truth.md
	$(BIN)/satfusion sandbox truth innsbruck,vindeln2,sunflowerjerez1 2024 --population --page docs/truth-population.md

# Costs of the main parts as ratios, beside those of before.
history: setup
	$(BIN)/python -m benchmarks.history

# Lines of the science that its own tests run, compiled kernels left out; a part of test-slow.
SCIENCE := fusion phenology evaluation screening sampling
FLOOR := 93
coverage: setup
	$(BIN)/pytest -n 2 $(SPREAD) -m "not slow" $(SCIENCE:%=satfusion_assets_tests/%) $(SCIENCE:%=--cov=satfusion_assets/%) \
	  --cov-report=term:skip-covered --cov-fail-under=$(FLOOR)

# The front end's types of what the server answers.
api-types: setup
	$(BIN)/python -m satfusion_assets_tests.viewer.api_types > webapp/src/answers.ts

digests: setup
	$(BIN)/python -m satfusion_assets_tests.reference

lock:
	$(BIN)/uv pip compile --quiet --python-version 3.11 --universal --generate-hashes --no-emit-index-url --no-header --no-annotate \
	  --extra dev --extra cluster pyproject.toml -o requirements.lock

# The manual, below docs_site/built; a warning is an error.
docs: setup
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict --quiet

# Its pictures, beside a running `satfusion demo --evaluation`.
pictures: setup
	$(BIN)/python -m docs_site.pictures

wheel: setup
	$(BIN)/uv build --wheel --no-build-isolation --quiet

clean-demo:
	rm -rf data sandbox_data dagster_home/history dagster_home/schedules dagster_home/storage dagster_home/logs dagster_home/.*.log

clean:
	rm -rf $(VENV) $(VENV)-lowest $(VENV)-newest webapp/node_modules webapp/dist
