# The two commands: `make demo` and `make test`. Both make .venv from requirements.lock first; it
# needs Python 3.11 or newer and a package index, nothing else.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed

# make demo INPUT=path DEMO_ARGS='--frames 50'
INPUT ?= rendered
DEMO_ARGS ?=

# Real data for the tests that want it (see README).
export FCN_SEG_DATA

.PHONY: demo test lint lock clean

demo: $(STAMP)
	@exec $(BIN)/python -m fcn_seg_ros demo --input '$(INPUT)' --out demo_out $(DEMO_ARGS)

test: $(STAMP)
	$(BIN)/python -m pytest

lint: $(STAMP)
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo
	PATH="$(CURDIR)/$(BIN):$$PATH" $(BIN)/ament_flake8 --config .flake8 fcn_seg_ros launch test benchmarks setup.py
	PATH="$(CURDIR)/$(BIN):$$PATH" $(BIN)/ament_pep257 fcn_seg_ros launch setup.py

$(STAMP): requirements.lock
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and \
	  "make: %s is Python %d.%d; expected 3.11 or newer (make PYTHON=python3.12 ...)" % \
	  (sys.executable, *sys.version_info[:2]))'
	$(PYTHON) -m venv --clear $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes \
	  -r requirements.lock
	@touch $@

lock:
	uv pip compile --universal --python-version 3.11 --generate-hashes --no-config \
	  --no-emit-index-url --no-emit-find-links --no-strip-extras --custom-compile-command 'make lock' \
	  -o requirements.lock requirements.in

clean:
	rm -rf build install log demo_out .pytest_cache .mypy_cache .ruff_cache .hypothesis
