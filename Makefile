# `make` lists the targets. Start with `make run` and `make test`.

PYTHON ?= python3
PYTHONS := 3.11 3.12 3.13 3.14
PYENV_ROOT ?= $(HOME)/.pyenv
VENV ?= .venv
DEV ?= .venv-dev
BIN := $(VENV)/bin
SOURCES := pyproject.toml constraints.txt hatch_build.py README.md \
	$(sort $(shell find domain application adapters entrypoints contract -type f -not -name '*.pyc'))
export PIP_CONSTRAINT := $(CURDIR)/constraints.txt
export PIP_DISABLE_PIP_VERSION_CHECK := 1
export PATH := $(CURDIR)/.tools:$(PATH):/usr/sbin

.PHONY: help run test coverage check test-all test-livekit cluster test-browser tools test-deploy test-sdks bench soak mutants audit install dev clean

SOAK ?= 1
LIVEKIT_VERSIONS ?= 1.13.5 1.9.11
LIVEKIT_SERVERS := $(LIVEKIT_VERSIONS:%=.livekit/%/server)

help:  ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-15s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))

run: install  ## serve a demo, without LiveKit
	$(BIN)/livekit-mute serve --gateway in-memory

test: dev  ## all tests that need no LiveKit server; ARGS are passed on
	$(DEV)/bin/python -m pytest -n auto --dist loadfile $(ARGS)

coverage: dev  ## the same tests, and the coverage of every package, which has a lower bound
	$(DEV)/bin/python -m pytest -n auto --dist loadfile --cov --cov-report=term $(ARGS)

check: dev  ## style, types, and which package may import which
	$(DEV)/bin/ruff format --check
	$(DEV)/bin/ruff check
	$(DEV)/bin/mypy
	$(DEV)/bin/python -m pytest -q tests/test_layers.py

test-all:  ## the tests on every Python that is supported and found here, each in its own environment
	@tested=; for version in $(PYTHONS); do \
		python=$$($(find_python)); [ -n "$$python" ] || continue; \
		printf '\n%s\n' "Python $$version: $$python"; \
		$(MAKE) --no-print-directory test PYTHON="$$python" DEV=.venv-$$version || exit 1; \
		tested="$$tested $$version"; \
	done; \
	[ -n "$$tested" ] || { echo "make: none of $(PYTHONS:%=python%) starts here" >&2; exit 1; }; \
	printf '\n%s\n' "The tests pass on Python$$tested (of $(PYTHONS))."

# Four workers whatever the number of processors: these tests wait for LiveKit's own timeouts.
test-livekit: redis-server dev livekit-servers  ## the tests on real LiveKit servers, each alone and with a second node
	@failed=; for server in $(LIVEKIT_SERVERS); do \
		printf '\n%s\n' "LiveKit: $$server"; \
		$(DEV)/bin/python -m pytest -n 4 --dist worksteal \
			-m 'livekit_server or livekit_cluster' --livekit-server=$$server $(ARGS) || failed="$$failed $$server"; \
	done; [ -z "$$failed" ] || { echo "tests failed on:$$failed"; exit 1; }

cluster: redis-server nginx dev $(firstword $(LIVEKIT_SERVERS))  ## two LiveKit nodes, two replicas and nginx on loopback, until Ctrl-C
	@$(DEV)/bin/python -m tests.cluster --livekit-server=$(firstword $(LIVEKIT_SERVERS)) $(ARGS)

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

.PHONY: nginx
nginx:
	@command -v nginx >/dev/null || { echo "make: the replicas are behind nginx; \
	install nginx-light (Debian's package of that name), and stop the service that it starts" >&2; exit 1; }

test-browser: chromium dev  ## the page at /docs in Chromium, without a screen
	CHROMIUM="$$(command -v chromium)" $(DEV)/bin/python -m pytest -m browser tests/browser $(ARGS)

.PHONY: chromium
chromium:
	@command -v chromium >/dev/null && command -v chromedriver >/dev/null || { echo "make: the page is tested in \
	Chromium; install chromium and chromium-driver (Debian's packages of these names)" >&2; exit 1; }

test-deploy: dev tools  ## the files of deploy/ by the programs that read them, as far as these are here
	$(DEV)/bin/python -m pytest tests/deploy $(ARGS)

# Found by tests: PATH leads there first.
TOOLS := .tools/caddy .tools/compose-go .tools/kustomize
.tools/caddy: PACKAGE := github.com/caddyserver/caddy/v2/cmd/caddy@v2.11.9
.tools/compose-go: PACKAGE := github.com/compose-spec/compose-go/v2/cmd@v2.16.2
.tools/kustomize: PACKAGE := sigs.k8s.io/kustomize/kustomize/v5@v5.8.1

tools: $(TOOLS)  ## what reads files of deploy/ and is not packaged by Debian, built with Go into .tools/

$(TOOLS):
	@command -v go >/dev/null || { echo "make: $@ is built with Go 1.26 or newer (https://go.dev/dl); \
	there is no go on PATH" >&2; exit 1; }
	@mkdir -p $@.new
	GOBIN=$(CURDIR)/$@.new GOFLAGS=-mod=mod GOTOOLCHAIN=auto go install $(PACKAGE)
	@mv $@.new/* $@ && rmdir $@.new

test-sdks: dev .sdks/drive  ## LiveKit's SDKs for JavaScript and Go on the LiveKit double; needs npm and Go
	LIVEKIT_SDKS=.sdks $(DEV)/bin/python -m pytest tests/contract/test_livekit_double_sdks.py $(ARGS)

.sdks/drive: tests/contract/sdks/drive.mjs tests/contract/sdks/main.go
	rm -rf .sdks && mkdir .sdks && cp $^ .sdks
	cd .sdks && npm install --no-audit --no-fund livekit-server-sdk@2.19.2
	cd .sdks && go mod init sdks && go get github.com/livekit/server-sdk-go/v2@v2.19.0 && go mod tidy
	cd .sdks && go build -o drive .

bench: dev  ## benchmarks beside a bare handler; ARGS are passed on
	$(DEV)/bin/python -m benchmarks $(ARGS)

SOAK_LIVEKIT := $(if $(shell command -v go),$(firstword $(LIVEKIT_SERVERS)))

soak: dev $(SOAK_LIVEKIT)  ## robustness tests at SOAK (1) times their full length, with a table of metrics
	$(DEV)/bin/python -m pytest -p no:xdist --timeout=0 -m robustness --soak=$(SOAK) \
		$(if $(SOAK_LIVEKIT),--livekit-server=$(SOAK_LIVEKIT)) $(ARGS)

mutants: dev  ## mutation testing; MODULE=domain/room.py TESTS=tests/domain for one module alone
	@$(if $(MODULE),echo '$(MODULE):$(TESTS)',grep -v '^#' tests/mutants.txt) | { failed=0; \
		while IFS=: read -r modules tests; do \
			TESTS="$$tests" PATH="$(CURDIR)/$(DEV)/bin:$$PATH" poodle . -c tests/mutants.toml \
				$$(printf -- '--only %s ' $$modules) $(ARGS) </dev/null || failed=1; \
		done; exit $$failed; }

.PHONY: settings-table
settings-table: dev  ## generate the tables of docs/settings.md from their declarations
	$(DEV)/bin/python -m tests.support.settings_table

.PHONY: openapi-json
openapi-json: dev  ## generate contract/openapi.json from contract/openapi.yaml
	$(DEV)/bin/python -m tests.support.openapi_json

audit:  ## known vulnerabilities in pinned dependencies; the package index must serve advisories
	$(check_python)
	$(PYTHON) -m venv $(VENV)-audit
	$(VENV)-audit/bin/python -m pip install --quiet pip-audit
	$(VENV)-audit/bin/pip-audit --strict --no-deps --disable-pip --requirement constraints.txt

install: $(VENV)/installed  ## install the command into .venv, anew where its source has changed

# The file lists the sources that were installed: one that is gone is no newer than anything.
ifneq ($(SOURCES),$(shell cat $(VENV)/installed 2>/dev/null))
.PHONY: $(VENV)/installed
endif

$(VENV)/installed: $(SOURCES) | $(VENV)/same-python
	@echo "make: installing livekit-mute and what it needs, with pinned versions: about half a minute"
	@$(BIN)/pip install --quiet .
	@echo '$(SOURCES)' >$@

dev: $(DEV)/installed  ## set up .venv-dev, in which tests and checks run

# pip knows groups since 25.1. The package goes again, since its tests run in this folder.
$(DEV)/installed: pyproject.toml constraints.txt | $(DEV)/same-python
	@echo "make: installing what tests and checks need: some minutes"
	@$(DEV)/bin/python -m pip install --quiet 'pip>=25.1'
	@$(DEV)/bin/pip install --quiet --group dev '.[otel,redis]'
	@$(DEV)/bin/pip uninstall --quiet --yes livekit-mute
	@touch $@

$(VENV)/bin/pip $(DEV)/bin/pip:
	$(check_python)
	@echo "make: making the environment $(@:/bin/pip=)"
	@$(PYTHON) -m venv $(@:/bin/pip=)

.PHONY: $(VENV)/same-python $(DEV)/same-python
$(VENV)/same-python $(DEV)/same-python: %/same-python: | %/bin/pip
	@$(if $(filter-out file,$(origin PYTHON)),$(stop_at_another_python),:)

# Stop with one line if the environment $* was made with another Python than the one that is asked for.
stop_at_another_python = [ "$$($(PYTHON) $(print_python))" = "$$($*/bin/python $(print_python))" ] || \
	{ echo "make: $* was made with another Python than $(PYTHON); to make it anew, remove it first: rm -rf $*" >&2; \
	exit 1; }
print_python := -c 'import sys; print(sys.base_prefix, sys.version)'

clean:  ## remove the virtual environments, LiveKit servers and what was built
	rm -rf $(VENV) $(VENV)-* .livekit .sdks .tools build dist

# Stop with one line if no environment can be made with $(PYTHON).
check_python = $(call stop_with,$(shell $(python_fault)))
stop_with = $(if $(1),$(error $(1)))

# The shell commands that write what is wrong with $(PYTHON), or nothing.
python_fault = \
	version=$$($(PYTHON) -c 'import sys; print("%d.%d" % sys.version_info[:2])' 2>/dev/null); \
	if [ -z "$$version" ]; then fault="is not found, or does not start"; \
	elif $(PYTHON) -c 'import sys; sys.exit(sys.version_info >= (3, $(OLDEST:3.%=%)))'; \
		then fault="is Python $$version"; \
	elif ! $(PYTHON) -c 'import ensurepip, venv' 2>/dev/null; \
		then echo "$(PYTHON) lacks venv or ensurepip (on Debian, Ubuntu: apt install python$$version-venv)"; \
	fi; \
	if [ -n "$$fault" ]; then \
		other=$$(for version in $(PYTHONS); do $(find_python); done | tail -n 1); \
		echo "$(PYTHON) $$fault; Python $(OLDEST) or newer is needed (to name another:" \
			"make $(MAKECMDGOALS) PYTHON=$${other:-python$(lastword $(PYTHONS))})"; \
	fi
OLDEST := $(firstword $(PYTHONS))

# The shell commands that write the name of a Python of version $$version, if one starts. A name of
# pyenv's may not.
find_python = for python in python$$version $(PYENV_ROOT)/versions/$$version.*/bin/python; do \
	if "$$python" -c '' 2>/dev/null; then echo "$$python"; break; fi; done
