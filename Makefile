# Every target works from a fresh clone; `make setup` is done first, once, where it is needed.
PYTHON ?= python3
BIN := .venv/bin
URL ?=
FILE ?=
INVOICES ?=
QUICK ?=
CALLS ?= 10000
ROUNDS ?= 100000
KILLS ?= 50
KILLED ?= 100

.DEFAULT_GOAL := help
.PHONY: help setup demo test chaos bench-quick bench-sandbox bench-ledger check format openapi generate clean

help: ## Show the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-13s %s\n", $$1, $$2}'

setup: .venv/ready ## Make .venv with everything the other targets need

.venv/ready: pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(0 if sys.version_info >= (3, 11) else "seqino needs Python 3.11 or newer; this is %s. Try: make PYTHON=python3.11 setup" % sys.version.split()[0])'
	@echo "setup: making .venv (once; a minute or two)"
	@$(PYTHON) -m venv .venv || { echo "setup: python3 -m venv failed; on Debian: apt-get install python3-venv" >&2; exit 1; }
	@$(BIN)/python -m pip install --quiet --upgrade 'pip>=25.1'
	@echo "setup: installing seqino and its tools"
	@$(BIN)/python -m pip install --quiet --editable '.[batch,cli,sandbox,test]' --group dev
	@touch $@ && echo "setup: done"

demo: setup ## Submit a realistic set of invoices to a sandbox (INVOICES=FOLDER adds yours)
	@$(BIN)/seqino demo $(if $(INVOICES),--invoices '$(INVOICES)')

test: setup ## Run all tests with branch coverage
	@$(BIN)/coverage erase
	@$(BIN)/coverage run -m pytest
	@$(BIN)/coverage report

chaos: setup ## Seeded faults and killed processes: nothing sent twice, lost or told wrongly (ROUNDS=100000, KILLED=100)
	@$(BIN)/python -m tests.chaos.run --rounds $(ROUNDS)
	@$(BIN)/python -m tests.batch_chaos.run --rounds $(KILLED)
	@$(BIN)/python -W error -m tests.hostile.leaks --calls $(CALLS)
	@$(BIN)/python -W error -m tests.sandbox.kill --rounds $(KILLS)

bench-quick: setup ## What safety costs, beside aiohttp and msgspec alone (about 90 s; QUICK=1: 15 s)
	@$(BIN)/python -m benchmarks.quick $(if $(QUICK),--quick)

bench-sandbox: setup ## How fast the sandbox is, beside a bare aiohttp server (about 2 min; QUICK=1: 30 s)
	@$(BIN)/python -m benchmarks.sandbox $(if $(QUICK),--quick)

bench-ledger: setup ## What the ledger costs in submissions a second and in memory (QUICK=1: less time)
	@$(BIN)/python -m benchmarks.ledger $(if $(QUICK),--quick)

check: setup ## Lint, types, import rule, generated code fresh
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/pyright --warnings
	$(BIN)/python -m pytest -q tests/test_imports.py
	$(BIN)/python -m codegen check

format: setup ## Format and mend what ruff can
	$(BIN)/ruff check --fix . ; $(BIN)/ruff format .

openapi: setup ## Download the description (URL=… or FILE=…) and store it as it is
	$(BIN)/python -m codegen download $(if $(FILE),--file '$(FILE)',$(if $(URL),--url '$(URL)'))

generate: setup ## Regenerate the code from openapi/
	$(BIN)/python -m codegen generate

clean: ## Remove .venv and caches
	rm -rf .venv build dist .coverage .hypothesis .mypy_cache .pytest_cache .ruff_cache
