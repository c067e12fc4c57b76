# `make` lists the targets. Start with `make run` and `make test`.

PYTHON ?= python3
PYENV_ROOT ?= $(HOME)/.pyenv
VENV ?= .venv
BIN := $(VENV)/bin
export PIP_CONSTRAINT := $(CURDIR)/constraints.txt
export PIP_DISABLE_PIP_VERSION_CHECK := 1

.PHONY: help run test coverage check test-all test-livekit bench soak mutants audit install clean

SOAK ?= 1
LIVEKIT_VERSIONS ?= 1.13.5 1.9.11
LIVEKIT_SERVERS := $(LIVEKIT_VERSIONS:%=.livekit/%/server)

help:  ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-15s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))

run: install  ## serve a demo, without LiveKit
	$(BIN)/livekit-mute serve --gateway in-memory

test: install  ## all tests that need no LiveKit server; ARGS are passed on
	$(BIN)/python -m pytest -n auto --dist loadfile $(ARGS)

coverage: install  ## the same tests, and the coverage of every package, which has a lower bound
	$(BIN)/python -m pytest -n auto --dist loadfile --cov --cov-report=term $(ARGS)

check: install  ## style, types, and which package may import which
	$(BIN)/ruff format --check
	$(BIN)/ruff check
	$(BIN)/mypy
	$(BIN)/python -m pytest -q tests/test_layers.py

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

# Four workers whatever the number of processors: these tests wait for LiveKit's own timeouts.
test-livekit: redis-server install livekit-servers  ## the tests on real LiveKit servers, each alone and with a second node
	@failed=; for server in $(LIVEKIT_SERVERS); do \
		printf '\n%s\n' "LiveKit: $$server"; \
		$(BIN)/python -m pytest -n 4 --dist worksteal \
			-m 'livekit_server or livekit_cluster' --livekit-server=$$server $(ARGS) || failed="$$failed $$server"; \
	done; [ -z "$$failed" ] || { echo "tests failed on:$$failed"; exit 1; }

.PHONY: livekit-servers
livekit-servers: $(LIVEKIT_SERVERS)

.livekit/%/server:
	@command -v go >/dev/null || { echo "make: LiveKit $* is built with Go 1.26 or newer (https://go.dev/dl); \
	there is no go on PATH" >&2; exit 1; }
	GOBIN=$(CURDIR)/$(@D) GOFLAGS=-mod=mod GOTOOLCHAIN=auto go install github.com/livekit/livekit-server/cmd/server@v$*

.PHONY: redis-server
redis-server:
	@command -v "$${REDIS_SERVER:-redis-server}" >/dev/null || { echo "make: two LiveKit servers are joined by Redis; \
	install redis-server (Debian's package of that name), or name it in REDIS_SERVER" >&2; exit 1; }

bench: install  ## benchmarks beside a bare handler; ARGS are passed on
	$(BIN)/python -m benchmarks $(ARGS)

SOAK_LIVEKIT := $(if $(shell command -v go),$(firstword $(LIVEKIT_SERVERS)))

soak: install $(SOAK_LIVEKIT)  ## robustness tests at SOAK (1) times their full length, with a table of metrics
	$(BIN)/python -m pytest -p no:xdist --timeout=0 -m robustness --soak=$(SOAK) \
		$(if $(SOAK_LIVEKIT),--livekit-server=$(SOAK_LIVEKIT)) $(ARGS)

mutants: install  ## mutation testing; MODULE=domain/room.py TESTS=tests/domain for one module alone
	@$(if $(MODULE),echo '$(MODULE):$(TESTS)',grep -v '^#' tests/mutants.txt) | { failed=0; \
		while IFS=: read -r modules tests; do \
			TESTS="$$tests" PATH="$(CURDIR)/$(BIN):$$PATH" poodle . -c tests/mutants.toml \
				$$(printf -- '--only %s ' $$modules) $(ARGS) </dev/null || failed=1; \
		done; exit $$failed; }

.PHONY: settings-table
settings-table: install  ## generate the README's tables of settings from their declarations
	$(BIN)/python -m tests.support.settings_table

audit:  ## known vulnerabilities in pinned dependencies; the package index must serve advisories
	$(PYTHON) -m venv $(VENV)-audit
	$(VENV)-audit/bin/python -m pip install --quiet pip-audit
	$(VENV)-audit/bin/pip-audit --strict --no-deps --disable-pip --requirement constraints.txt

install: $(VENV)/installed  ## set up .venv with pinned versions

$(VENV)/installed: pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --editable '.[dev]'
	touch $@

clean:  ## remove the virtual environments, LiveKit servers and what was built
	rm -rf $(VENV) $(VENV)-* .livekit build dist
