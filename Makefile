# make demo · make test · make run · make check · make bench

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.ready
# no index addresses in the lock: it says what, not from where
COMPILE := $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --no-emit-index-url --no-emit-find-links \
  --generate-hashes --custom-compile-command "make lock"

.PHONY: setup demo run test test-all check bench mutants lock clean

setup: $(STAMP)

$(STAMP): requirements.lock pyproject.toml
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@echo "installing the locked dependencies …" >&2
	@# the lock is complete: pip resolving extras on its own would reach for newer releases than the hashes allow
	@$(BIN)/python -m pip install -qq --disable-pip-version-check --no-deps --require-hashes -r requirements.lock
	@$(BIN)/python -m pip install -qq --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

demo: setup
	@$(BIN)/python -m bot demo $(ARGS)

run: setup
	@$(BIN)/python -m bot run $(ARGS)

# four at once: most of them wait for programs, servers and browsers
PYTEST := $(BIN)/python -m pytest -n 4 --dist loadfile --no-loadscope-reorder

test: setup
	$(PYTEST) -m "not slow" $(ARGS)

test-all: setup
	$(PYTEST) $(ARGS)

check: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/deptry .
	@cp requirements.lock $(VENV)/lock.txt && $(COMPILE) pyproject.toml --group dev -o $(VENV)/lock.txt \
	  && diff -q requirements.lock $(VENV)/lock.txt \
	  || (echo "requirements.lock is not what pyproject.toml asks for: make lock" >&2; exit 1)
	$(BIN)/python -m pytest -q tests/test_documents.py tests/test_i18n.py

# aiogram, which we are compared with, asks for an older pydantic than ours: it has an environment of its own
AIOGRAM := $(VENV)/aiogram

$(AIOGRAM)/.ready: bench/aiogram/requirements.lock $(STAMP)
	@test -x $(AIOGRAM)/bin/python || $(PYTHON) -m venv $(AIOGRAM)
	@$(AIOGRAM)/bin/python -m pip install -qq --disable-pip-version-check --no-deps --require-hashes -r $<
	@touch $@

bench: setup $(AIOGRAM)/.ready
	$(BIN)/python -m bench $(ARGS)

mutants: setup
	$(BIN)/python -m tests.mutants $(ARGS)

lock: setup
	$(COMPILE) pyproject.toml --group dev -o requirements.lock
	$(COMPILE) bench/aiogram/requirements.in -o bench/aiogram/requirements.lock

clean:
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache
