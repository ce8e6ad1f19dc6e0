# One command per task, the same at home and in CI. `make help` lists them.
SHELL := /bin/bash
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
PORT ?= 8080
MARKS ?= not slow
JOBS ?= 2
# One BLAS thread a process: two workers on two cores must not wait for each other's spinning.
export OPENBLAS_NUM_THREADS ?= 1
export OMP_NUM_THREADS ?= 1
# Tests are rewritten and every process they start is compiled once, whatever the machine's own habit.
export PYTHONDONTWRITEBYTECODE =

.PHONY: help venv demo test check format notebooks bench manifests picture lock clean

help: ## List the tasks
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 10

venv: $(STAMP) ## Make .venv with pinned dependencies; gives .venv/bin/preroll

$(STAMP): requirements-dev.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "Python 3.11 or newer is needed, $(PYTHON) is $$($(PYTHON) --version); try: make $(MAKECMDGOALS) PYTHON=python3.12" >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

demo: venv ## Run the bundled match evening on http://127.0.0.1:8080
	$(BIN)/preroll demo --port $(PORT)

test: venv ## The test suite; MARKS= adds the slow tests
	$(BIN)/pytest -n $(JOBS) --dist worksteal -m "$(MARKS)"

check: venv ## Lint, types, layers, dependencies, Dockerfile
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/deptry .
	$(BIN)/hadolint Dockerfile

format: venv ## Let ruff put things in order
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

notebooks: venv ## Execute the notebooks as they are committed; KEEP=--overwrite writes their outputs
	$(BIN)/pytest --nbmake --nbmake-timeout=240 $(KEEP) notebooks

bench: venv ## The figures of benchmarks/README.md; DATA=DIR adds the traces in DIR
	$(BIN)/python -m benchmarks $(if $(DATA),--data $(DATA))

manifests: venv ## Render deploy/manifests from the chart, and the schema of its settings
	$(BIN)/python -m deploy.render

picture: venv ## The README's pictures, made anew with plots and Chromium
	$(BIN)/python -m benchmarks.picture docs

lock: ## Pin the dependencies anew (needs uv)
	uv pip compile pyproject.toml --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --quiet --upgrade --output-file requirements.lock
	uv pip compile pyproject.toml --group dev --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --quiet --upgrade --constraint requirements.lock --output-file requirements-dev.lock

clean: ## Remove what the other tasks made
	rm -rf $(VENV) dist build out .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
