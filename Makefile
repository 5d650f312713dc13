# Every target first makes its prerequisites: a virtual environment in .venv from the lock file, and the compiled core.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
BENCH  := benchmarks/.venv
RUST   := $(shell find rust -name '*.rs' -o -name 'Cargo.toml') Cargo.toml Cargo.lock
# A worker that has finished takes tests from the end of the other part; parts are contiguous, so few fixtures are built twice.
XDIST  := -n auto --dist worksteal
export LIQMAP_TEST_DATA ?= $(abspath ../shared)

.DEFAULT_GOAL := help
.PHONY: help setup demo test test-rust test-slow coverage check format score bench lock clean

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

$(VENV)/.packages: requirements.lock
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --require-hashes -r requirements.lock
	@touch $@

$(VENV)/.core: $(VENV)/.packages pyproject.toml $(RUST)
	PATH="$(abspath $(BIN)):$$PATH" $(BIN)/python -m pip install --quiet --no-deps --no-build-isolation --editable .
	@touch $@

setup: $(VENV)/.core ## Create .venv, install the locked packages, compile the core

demo: setup ## Simulate a market and write a report on it; prints the path of the front page
	$(BIN)/liqmap demo --out demo

test: setup test-rust ## All Rust and Python tests except the slow ones
	$(BIN)/python -m pytest -q $(XDIST)

test-rust: ## The Rust tests, with the examples of the documentation
	cargo test --quiet --locked -p liqmap-core

test-slow: setup ## The slow tests: long searches and large runs
	$(BIN)/python -m pytest -q -m slow

coverage: setup ## Python tests with line coverage of python/liqmap; prints the total
	rm -rf .coverage
	$(BIN)/coverage run -m pytest -q $(XDIST)
	$(BIN)/coverage combine --quiet
	@echo "line coverage of python/liqmap: $$($(BIN)/coverage report --format=total) %"

check: setup ## Format, lint, types, stubs, Rust documentation
	cargo fmt --all --check
	cargo clippy --quiet --locked --workspace --all-targets -- -D warnings
	RUSTDOCFLAGS="-D warnings" cargo doc --quiet --locked --workspace --no-deps
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/python -m mypy.stubtest liqmap._core --ignore-disjoint-bases

format: setup ## Format the sources and apply lint fixes
	cargo fmt --all
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

score: setup ## Score maps against realised liquidations on real data; updates docs/skill.md
	rm -f skill.duckdb*
	$(BIN)/liqmap load --db skill.duckdb --instrument binance:BTCUSDT $(addprefix $(LIQMAP_TEST_DATA)/data/,\
	    btc_spot_1h_20250101_20260131.csv btc_1h_20251204_20260131.csv binance_btcusdt_perp_5m_20260525_20260614.csv)
	$(BIN)/liqmap load --db skill.duckdb $(LIQMAP_TEST_DATA)/data/coinglass/regime_30m_20260521_20260608.csv
	$(BIN)/liqmap score reports/skill.toml --db skill.duckdb --docs docs/skill.md

$(BENCH)/.packages: benchmarks/requirements.lock
	@test -x $(BENCH)/bin/python || $(BIN)/python -m venv $(BENCH)
	$(BENCH)/bin/python -m pip install --quiet --require-hashes -r $<
	@touch $@

bench: setup $(BENCH)/.packages ## Benchmarks of liqmap and of other libraries, in a separate virtual environment
	PYTHONPATH=python $(BENCH)/bin/python -m benchmarks

lock: ## Upgrade the lock files
	cargo update
	$(PYTHON) -m venv $(VENV) && $(BIN)/python -m pip install --quiet uv
	$(BIN)/uv pip compile --quiet --universal --upgrade --python-version 3.11 --generate-hashes --no-emit-index-url \
	    --no-header --group dev --all-extras pyproject.toml -o requirements.lock
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
	    --no-header --extra report --group bench --constraints requirements.lock pyproject.toml -o benchmarks/requirements.lock

clean: ## Remove everything that the targets created
	rm -rf $(VENV) $(BENCH) target demo site test-artifacts .coverage skill.duckdb* python/liqmap/_core*.so
