# What one does with Tenure, from Python 3.11 and make alone: the first run of a target makes
# `.venv` and fills it from uv.lock, later runs find it there. `make` alone lists the targets.
# Hand options through with ARGS, as in `make serve ARGS="--listen 0.0.0.0:8080"`.

PYTHON ?= python3
ARGS ?=
# Pinned, because uv reads the lock file and decides what is installed.
UV_VERSION := 0.13.9

BIN := .venv/bin
# One process more than there are processors, for they wait for others much of the time; ARGS="-n 0"
# is one, for a debugger. What shares a process is in tests/conftest.py.
TOGETHER := -n $(shell echo $$(( $$(nproc 2>/dev/null || echo 2) + 1 ))) --dist loadscope --no-loadscope-reorder
SERVE_STAMP := .venv/.installed-for-serving
DEV_STAMP := .venv/.installed-for-developing

# An environment that happens to be active is somebody else's.
unexport VIRTUAL_ENV UV_PROJECT_ENVIRONMENT UV_PYTHON PYTHONHOME
# Compiled once and kept, or each of the many processes that tests start would do it again.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.NOTPARALLEL:
.PHONY: serve demo test check soak bench help

serve: $(SERVE_STAMP) ## run Tenure here, on SQLite, without any other service
	@$(BIN)/tenure serve $(ARGS)

demo: $(SERVE_STAMP) ## watch a permission lapse and come back, in a world of its own
	@$(BIN)/tenure demo $(ARGS)

test: $(DEV_STAMP) ## run every test but the soak tests
	$(browser)
	@$(BIN)/pytest -q $(TOGETHER) -m "not soak" $(ARGS)

check: $(DEV_STAMP) ## format, lint, types and the quick tests: before every commit
	@$(BIN)/ruff format --quiet --check
	@$(BIN)/ruff check --quiet
	@$(BIN)/mypy --no-error-summary $(wildcard src tests benchmarks examples)
	@$(BIN)/pytest -q $(TOGETHER) -m "not slow and not clients and not soak" $(ARGS)

soak: $(DEV_STAMP) ## run the tests that take minutes or hours
	@$(BIN)/pytest -q $(TOGETHER) -m soak --hypothesis-profile=soak --timeout=0 $(ARGS)

bench: $(DEV_STAMP) ## measure, and print the numbers
	@$(BIN)/python -m benchmarks $(ARGS)

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "make %-6s %s\n", $$1, $$2 }' Makefile

# Serving adds to what is there, so that it never takes a developer's tools away.
$(SERVE_STAMP): pyproject.toml uv.lock
	$(call install,--no-dev --inexact)

# Developing installs exactly what is locked: what a test imports has to be declared.
$(DEV_STAMP): pyproject.toml uv.lock
	$(call install,)

# The browser that tests look at the console with, and letters for the languages it speaks. Where
# it may not be installed those tests are skipped, and pytest names the reason: it is no failure.
define browser
	@set -eu; \
	has() { command -v "$$1" >/dev/null; }; \
	packages='chromium-headless-shell fonts-dejavu-core fonts-wqy-microhei'; \
	if ! has chromium-headless-shell && [ "$$(id -u)" = 0 ] && has apt-get; then \
	    echo "make: installing $$packages" >&2; \
	    { apt-get update -qq && DEBIAN_FRONTEND=noninteractive \
	        apt-get install -y -qq --no-install-recommends $$packages; } >&2 || :; \
	fi; \
	has chromium-headless-shell || has chromium || printf 'make: %s%s\n' \
	    'there is no chromium, so tests in a browser will be skipped' \
	    " (Debian: apt-get install $$packages)" >&2
endef

# $(call install,options): make .venv where there is none that works, get uv, let it install.
# Compiled now, or every process of a server would do it again where Python may not write it down.
# Quiet unless something fails, except when the system itself has to be changed.
define install
	@set -eu; \
	fail() { printf 'make: %s\n' "$$*" >&2; exit 1; }; \
	if ! $(BIN)/python -c '' 2>/dev/null; then \
	    version=$$($(PYTHON) -c 'import sys; print("%d.%d" % sys.version_info[:2])') || \
	        fail 'Tenure needs Python 3.11 or later; name one: make PYTHON=/path/to/python3.11'; \
	    $(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	        fail "Tenure needs Python 3.11 or later, and $(PYTHON) is $$version;" \
	            "name another: make PYTHON=/path/to/python3.11"; \
	    if ! $(PYTHON) -c 'import ensurepip, venv' 2>/dev/null; then \
	        [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null || \
	            fail "$(PYTHON) cannot make virtual environments; install the package" \
	                "python$$version-venv (Debian: apt-get install python$$version-venv), then try again"; \
	        echo "make: installing python$$version-venv" >&2; \
	        apt-get update -qq >&2; \
	        DEBIAN_FRONTEND=noninteractive \
	            apt-get install -y -qq --no-install-recommends "python$$version-venv" >&2; \
	    fi; \
	    $(PYTHON) -m venv --clear .venv; \
	fi; \
	$(BIN)/python -m pip --version >/dev/null 2>&1 || $(BIN)/python -m ensurepip >/dev/null; \
	$(BIN)/python -m pip install --quiet --disable-pip-version-check "uv==$(UV_VERSION)"; \
	$(BIN)/uv sync --quiet --frozen --compile-bytecode --all-extras --python $(BIN)/python $(1)
	@touch $@
endef
