# `make demo` installs requirements.lock into .venv: what a node on a CPU needs, without PyTorch.
# `make test` and `make lint` install requirements-dev.lock, with everything, into .venv-dev.
# Both need Python 3.11 or newer and a package index, nothing else.

PYTHON ?= python3
RUN := .venv/.installed
DEV := .venv-dev/.installed
BIN := .venv-dev/bin

# make demo INPUT=path DEMO_ARGS='--frames 50'
INPUT ?= rendered:steady
DEMO_ARGS ?=

# Real data for the tests that want it (see CONTRIBUTING.md).
export FCN_SEG_DATA

.PHONY: demo test lint docs reference networks lock clean

demo: $(RUN)
	@exec .venv/bin/python -m fcn_seg_ros demo --input '$(INPUT)' --out demo_out $(DEMO_ARGS)

test: $(DEV)
	$(BIN)/python -m pytest -n 2 --dist loadfile

lint: $(DEV)
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo
	PATH="$(CURDIR)/$(BIN):$$PATH" $(BIN)/ament_flake8 --config .flake8 fcn_seg_ros launch test benchmarks docs setup.py
	PATH="$(CURDIR)/$(BIN):$$PATH" $(BIN)/ament_pep257 fcn_seg_ros launch setup.py

# The site in site/, of which nothing is fetched from elsewhere.
docs: $(DEV)
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --quiet --strict

# The parts of docs/ that are made from tables in the code, and the picture of a mask.
reference: $(DEV)
	$(BIN)/python docs/make_reference.py
	$(BIN)/python docs/make_picture.py

# The packaged networks as OpenVINO and ONNX Runtime load them; after a change of a checkpoint or of
# what converts it.
networks: $(DEV)
	for name in open general; do for format in openvino:xml onnx:onnx; do \
	  $(BIN)/python -m fcn_seg_ros export $$name --format $${format%:*} \
	    --out fcn_seg_ros/data/$${name}_fp32.$${format#*:} || exit; done; done

# $(call install,LOCK,SIZE): make the environment of a stamp file from a lock.
define install
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and \
	  "make: %s is Python %d.%d; expected 3.11 or newer (make PYTHON=python3.12 ...)" % \
	  (sys.executable, *sys.version_info[:2]))'
	@echo "Installing $$(grep -c '^[a-z]' $(1)) packages into $(@D) ($(2)) ..."
	@$(PYTHON) -m venv --clear $(@D)
	@{ $(@D)/bin/python -m pip install --disable-pip-version-check --no-deps --no-compile \
	  --progress-bar off --require-hashes -r $(1); echo $$? > $(@D)/status; } \
	  | awk '/^(Collecting|Processing)/ { sub(".*/", "", $$2); printf "  %3d %s\n", ++n, $$2 } /^Installing/ { print "  unpacking" }'
	@exit $$(cat $(@D)/status)
	@touch $@
endef

$(RUN): requirements.lock
	$(call install,requirements.lock,0.8 GB)

$(DEV): requirements-dev.lock
	$(call install,requirements-dev.lock,6 GB: PyTorch with CUDA)

# Both locks agree: the larger one is made first.
LOCK := uv pip compile --universal --python-version 3.11 --generate-hashes --no-config \
	  --no-emit-index-url --no-emit-find-links --no-strip-extras --custom-compile-command 'make lock'
lock:
	$(LOCK) -o requirements-dev.lock requirements-dev.in
	$(LOCK) -c requirements-dev.lock -o requirements.lock requirements.in

clean:
	rm -rf build install log demo_out site .pytest_cache .mypy_cache .ruff_cache .hypothesis
