# Everything runs from .venv, which the first target that needs it sets up. `make` lists the targets.

EXP ?= experiments/quickstart.yaml
SEEDS ?= 5
WORKERS ?= 2
ARGS ?=
BIN := .venv/bin
STAMP := .venv/.installed

# The first Python that will do; looked for only when there is something to install.
PYTHON ?= $(shell for python in python3.11 python3.12 python3.13 python3; do \
	$$python -c 'import ensurepip, sys, venv; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$python && break; \
	done)

.DEFAULT_GOAL := help
.PHONY: help setup setup-locked lock audit quickstart ablations matrix transfer calibration bench docs test test-long lint report clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z%-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' Makefile

setup: $(STAMP) ## install into .venv; does nothing while pyproject.toml is unchanged

quickstart: setup ## R2Rec and all baselines on MovieLens-1M: the table and its report
	$(BIN)/r2rec run experiments/quickstart.yaml

ablation-%: setup ## run ablations/NAME.yaml against EXP
	$(BIN)/r2rec run $(EXP) ablations/$*.yaml

ablations: EXP = experiments/ablations.yaml
ablations: setup ## every ablation, against EXP or a smaller quickstart, under SEEDS seeds: one table
	$(BIN)/r2rec run $(EXP) $(sort $(wildcard ablations/*.yaml)) --seeds $(SEEDS) --workers $(WORKERS) --name $(basename $(notdir $(EXP)))

matrix: setup ## every chain sampler with every prompting strategy, on a small slice
	$(BIN)/r2rec matrix experiments/matrix.yaml --vary chains --vary prompts

transfer: setup ## train in each domain, ask in every other; needs their data under R2REC_DATA
	$(BIN)/r2rec transfer experiments/transfer/nano.yaml

calibration: setup ## A/A suites and planted effects: does the bench find what is there, and nothing else?
	$(BIN)/r2rec calibrate experiments/calibration.yaml --workers $(WORKERS)

bench: setup ## what it costs, each figure beside a plain way: reports/bench; ARGS names some of the measurements
	$(BIN)/python -m r2rec_bench.bench $(ARGS)

docs: setup ## write docs/components from the registry
	$(BIN)/r2rec docs docs/components

docs-site: setup ## the documentation as a site, build/site/index.html; warnings are errors
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict --quiet

dist: setup ## wheel and sdist, in dist/
	$(BIN)/python -m build --quiet

report: setup ## write the report of EXP from what has been run
	$(BIN)/r2rec report $(EXP)

test: setup ## all tests; ARGS goes to pytest
	OMP_NUM_THREADS=1 $(BIN)/pytest -q -n auto --dist worksteal $(ARGS)

test-long: setup ## the tests that take too long for every day; ARGS goes to pytest
	OMP_NUM_THREADS=1 $(BIN)/pytest -q -n auto -m long $(ARGS)

lint: setup ## style, formatting, types, direction of imports
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/pyright
	$(BIN)/lint-imports --no-logo

clean: ## remove .venv and what the tools left; results stay in their own cache
	rm -rf .venv .pytest_cache .ruff_cache .hypothesis .import_linter_cache build dist
	find r2rec_bench baselines tests -name __pycache__ -prune -exec rm -rf {} +

# torch by its version alone: which of its files is right is for the machine to say, and so is what they bring for CUDA.
PIP = $(BIN)/python -m pip install -qq --disable-pip-version-check
setup-locked: ## as setup, but the versions and files of constraints/dev.txt, each by its checksum; torch by its version
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(PIP) --require-hashes --only-binary :all: --no-deps -r constraints/dev.txt
	$(PIP) "$$(sed -n 's/^# needs: //p' constraints/dev.txt)"
	$(PIP) --no-deps --no-build-isolation --editable .
	@touch $(STAMP)

lock: ## write constraints/dev.txt anew, with uv: the newest versions that pyproject.toml allows
	constraints/lock

audit: ## known vulnerabilities of what is pinned, with pip-audit; needs the network
	$(PIP) pip-audit
	$(BIN)/python -m pip_audit --require-hashes --disable-pip -r constraints/dev.txt

$(STAMP): pyproject.toml
	@test -n "$(PYTHON)" || \
		{ echo 'No Python 3.11 or later with venv was found; name one: make setup PYTHON=/path/to/python' >&2; exit 1; }
	@echo "Setting up .venv; the first time this takes some minutes."
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/python -m pip install -qq --disable-pip-version-check --editable '.[dev]'
	@touch $@
