# Two commands for a fresh machine with Python 3.11 or newer: `make demo` and `make test`.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

.PHONY: demo test bench lint types layers check venv lock clean

# Without a Docker Engine the stack runs as processes, from Python packages alone.
demo:
	@if docker info >/dev/null 2>&1; then $(MAKE) --no-print-directory $(VENV)/.demo; else \
	  echo "No Docker Engine answers here: installing Spark, MLflow and JupyterLab from pip, to run them as processes."; \
	  $(MAKE) --no-print-directory $(VENV)/.local; fi
	$(BIN)/sparkdeck demo

# Two files at a time: the tests of a real stack mostly wait for it, and share one start of it.
test: $(VENV)/.dev
	$(BIN)/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder --durations 20

# The deck in a pseudo-terminal against a loopback engine, beside docker's own commands: figures, no verdict.
bench: $(VENV)/.dev
	$(BIN)/python -m tests.bench

lint: $(VENV)/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(VENV)/.dev
	$(BIN)/mypy

layers: $(VENV)/.dev
	$(BIN)/lint-imports

check: lint types layers test

venv: $(VENV)/.dev

$(VENV)/.made:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "SparkDeck needs Python 3.11 or newer; $(PYTHON) is older. Try: make PYTHON=python3.12"; exit 1; }
	$(PYTHON) -m venv $(VENV)
	@touch $@

# uv, pinned by the same locks, installs in a fifth of pip's time. Where it cannot (it does not read pip's own
# configuration, a company's mirror say), pip does.
define install
	@awk '/^uv==/ {p = 1} p {print} p && !/\\$$/ {exit}' requirements-local.lock >$(VENV)/uv.lock
	@$(BIN)/python -m pip install -q --require-hashes -r $(VENV)/uv.lock || true
	VIRTUAL_ENV=$(VENV) $(BIN)/uv pip install -q --require-hashes -r $(1) || \
	  $(BIN)/python -m pip install -q --require-hashes -r $(1)
	$(BIN)/python -m pip install -q --no-deps -e .
endef

$(VENV)/.demo: $(VENV)/.made requirements.lock pyproject.toml
	$(call install,requirements.lock)
	@touch $@

$(VENV)/.local: $(VENV)/.made requirements-local.lock pyproject.toml
	$(call install,requirements-local.lock)
	@touch $@ $(VENV)/.demo

$(VENV)/.dev: $(VENV)/.made requirements-dev.lock pyproject.toml
	$(call install,requirements-dev.lock)
	@touch $@ $(VENV)/.demo $(VENV)/.local

# Needs uv (pip install uv). No index address is written into the locks.
lock:
	uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-annotate \
	  pyproject.toml -o requirements.lock
	uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-annotate \
	  --extra local -c requirements.lock pyproject.toml -o requirements-local.lock
	uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-annotate \
	  --extra dev -c requirements-local.lock pyproject.toml -o requirements-dev.lock

clean:
	rm -rf $(VENV)
