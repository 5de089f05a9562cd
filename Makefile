# make demo · make test · make install · make run · make check · make bench · make audit · make sbom

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# two sets of packages: what runs the bot, and what tests and checks it besides
RUN_READY := $(VENV)/.ready
DEV_READY := $(VENV)/.ready-dev
# uv installs in seconds; make INSTALLER=pip setup does without it
export INSTALLER ?= uv
# no index addresses in the locks: they say what, not from where
COMPILE := $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --no-emit-index-url --no-emit-find-links \
  --generate-hashes --custom-compile-command "make lock"
# requirements-dev.lock holds what requirements.lock does not
NAMES_OF = $$(sed -n 's/^\([A-Za-z0-9._-]*\)==.*/--no-emit-package \1/p' $(1))

.PHONY: install setup demo run test test-all check bench mutants recording audit sbom lock locks clean

# an environment whose Python does not start is as good as none
ifneq ($(wildcard $(VENV)),)
$(shell $(BIN)/python -c "" 2>/dev/null || rm -f $(RUN_READY) $(DEV_READY))
endif

# what runs the bot, and no more
install: $(RUN_READY)

setup: $(DEV_READY)

$(RUN_READY): requirements.lock pyproject.toml
	@$(PYTHON) install.py

$(DEV_READY): requirements.lock requirements-dev.lock pyproject.toml
	@$(PYTHON) install.py --dev

demo: $(RUN_READY)
	@$(BIN)/python -m bot demo $(ARGS)

run: $(RUN_READY)
	@$(BIN)/python -m bot run $(ARGS)

# eight at once: most of them wait for programs, servers and browsers. Python's own tracebacks: pytest's parse the source of
# every frame, and Python 3.11 breaks off the whole run when memory is collected in the middle of that. What is compiled once is
# kept: the processes and what they start read it
PYTEST := PYTHONDONTWRITEBYTECODE= $(BIN)/python -m pytest --processes 8 --tb=native

test: setup
	$(PYTEST) -m "not slow" $(ARGS)

test-all: setup
	$(PYTEST) $(ARGS)

check: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -m bench.shape
	$(BIN)/deptry .
	@mkdir -p $(VENV)/locks && cp requirements.lock requirements-dev.lock $(VENV)/locks/ \
	  && $(MAKE) --no-print-directory --silent locks LOCKS=$(VENV)/locks/ \
	  && diff -q requirements.lock $(VENV)/locks/requirements.lock \
	  && diff -q requirements-dev.lock $(VENV)/locks/requirements-dev.lock \
	  || (echo "the locks are not what pyproject.toml asks for: make lock" >&2; exit 1)
	$(BIN)/python -m pytest -q tests/test_documents.py tests/test_i18n.py tests/test_parts.py

# aiogram, which we are compared with, asks for an older pydantic than ours: it has an environment of its own
AIOGRAM := $(VENV)/aiogram

$(AIOGRAM)/.ready: bench/aiogram/requirements.lock $(DEV_READY)
	@test -x $(AIOGRAM)/bin/python || $(PYTHON) -m venv $(AIOGRAM)
	@$(AIOGRAM)/bin/python -m pip install -qq --disable-pip-version-check --no-deps --require-hashes -r $<
	@touch $@

# likewise: it brings an HTTP client and a parser that nothing here may use
READER := $(VENV)/reader

$(READER)/.ready: bench/reader/requirements.lock $(DEV_READY)
	@test -x $(READER)/bin/python || $(PYTHON) -m venv $(READER)
	@$(READER)/bin/python -m pip install -qq --disable-pip-version-check --no-deps --require-hashes -r $<
	@touch $@

bench: setup $(AIOGRAM)/.ready $(READER)/.ready
	$(BIN)/python -m bench $(ARGS)

mutants: setup
	$(BIN)/python -m tests.mutants $(ARGS)

# the moving picture that opens the README, anew: of the page as it is
recording: setup
	RECORDING=$(CURDIR)/docs/demo.gif $(BIN)/python -m pytest tests/browser/test_recording.py -m slow

# known advisories of what both locks name; needs a network, and says so (--strict) where nobody could be asked
audit: setup
	$(BIN)/pip-audit --strict --disable-pip --require-hashes --requirement requirements.lock --requirement requirements-dev.lock

# what runs the bot, as a bill of materials
sbom: setup
	@$(BIN)/python -m bench.sbom

lock: setup locks
	$(COMPILE) bench/aiogram/requirements.in -o bench/aiogram/requirements.lock
	$(COMPILE) bench/reader/requirements.in -o bench/reader/requirements.lock

# the group "build" is what an installation of the project itself needs; the extra "meaning" is tested, and nothing needs it
locks:
	$(COMPILE) pyproject.toml --group build -o $(LOCKS)requirements.lock
	$(COMPILE) pyproject.toml --group build --group dev --extra meaning --constraint $(LOCKS)requirements.lock \
	  $(call NAMES_OF,$(LOCKS)requirements.lock) -o $(LOCKS)requirements-dev.lock

clean:
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache
