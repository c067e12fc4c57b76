# The two commands of a newcomer are `make run` and `make test`; the rest serves them.

PYTHON ?= python3
PYENV_ROOT ?= $(HOME)/.pyenv
VENV ?= .venv
BIN := $(VENV)/bin
export PIP_CONSTRAINT := $(CURDIR)/constraints.txt
export PIP_DISABLE_PIP_VERSION_CHECK := 1

.PHONY: run test check test-all bench soak mutants audit install clean

SOAK ?= 1

run: install  ## serve the in-memory demo
	$(BIN)/livekit-mute serve --gateway in-memory

test: install  ## all tests that need no LiveKit server
	$(BIN)/python -m pytest -n auto --dist loadfile --cov --cov-report=term $(ARGS)

check: install  ## style, types, and which room may import which
	$(BIN)/ruff format --check
	$(BIN)/ruff check
	$(BIN)/mypy
	$(BIN)/lint-imports

test-all:  ## the tests on every Python from 3.11 to 3.13 found here
	@ran=0; for version in 3.11 3.12 3.13; do \
		for python in python$$version $(PYENV_ROOT)/versions/$$version*/bin/python; do \
			if $$python -c '' 2>/dev/null; then \
				echo "Python $$version"; \
				$(MAKE) test PYTHON=$$python VENV=.venv-$$version || exit 1; \
				ran=1; break; \
			fi; \
		done; \
	done; [ $$ran = 1 ] || { echo "no Python from 3.11 to 3.13 found"; exit 1; }

bench: install  ## how fast it is beside a bare handler, and how its cost grows
	$(BIN)/python -m benchmarks $(ARGS)

soak: install  ## the campaigns at SOAK times their full length, with a table of figures
	$(BIN)/python -m pytest -p no:xdist --timeout=0 -m campaign --soak=$(SOAK) $(ARGS)

mutants: install  ## small faults in authentication, rule, parser and errors: do the tests notice?
	$(BIN)/python -m tests.mutants $(ARGS)

audit:  ## known holes of the pinned dependencies; needs an index that serves advisories
	$(PYTHON) -m venv $(VENV)-audit
	$(VENV)-audit/bin/python -m pip install --quiet pip-audit
	$(VENV)-audit/bin/pip-audit --strict --no-deps --disable-pip --requirement constraints.txt

install: $(VENV)/installed  ## make the virtual environment, with pinned versions

$(VENV)/installed: pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --editable '.[dev]'
	touch $@

clean:
	rm -rf $(VENV) $(VENV)-* build dist
