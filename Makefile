# For a bare machine with Python 3.11 or 3.12 and pip: `make demo`, `make test`; `make web`, `make test-web`.
# The first one makes .venv from requirements.lock (web: .venv-web from requirements-web.lock); later ones install only
# when that file or pyproject.toml changes.

SHELL := /bin/sh
PYTHON ?= $(shell for p in python3 python3.12 python3.11 python; do \
	$$p -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 12))' 2>/dev/null && echo $$p && break; done)
INSTALLED := .venv/installed-from-lock
export PIP_DISABLE_PIP_VERSION_CHECK := 1

INSTALLED_WEB := .venv-web/installed-from-lock

.PHONY: demo test fuzz web test-web

demo: $(INSTALLED)
	.venv/bin/python -m anatembed demo --progress --out out/demo

# Two halves side by side, one thread each: two cores are everywhere.
test: $(INSTALLED)
	export OMP_NUM_THREADS=1; \
	.venv/bin/python -m pytest -q Testing/catalogue Testing/fuzz Testing/house Testing/library & first=$$!; \
	.venv/bin/python -m pytest -q Testing/mrml Testing/research Testing/web Testing/widget; second=$$?; \
	wait $$first && exit $$second
	.venv/bin/python -m ruff check .
	.venv/bin/python -m mypy

# Damaged scans at the command line; those that did not hold are kept in out/fuzz.
fuzz: $(INSTALLED)
	.venv/bin/python Testing/fuzz/fuzz.py --seconds 3600

# For others in the network: make web ARGS="--host 0.0.0.0"; see python -m web_demo --help.
web: $(INSTALLED_WEB)
	PYTHONPATH=scripts .venv-web/bin/python -m web_demo $(ARGS)

# Needs chromium (Debian: apt install chromium); without it the tests in a browser are skipped.
test-web: $(INSTALLED_WEB)
	.venv-web/bin/python -m pytest -q Testing/web Testing/mrml

$(INSTALLED): requirements.lock
$(INSTALLED_WEB): requirements-web.lock

# Debian's Python makes no pip of its own without the package python3-venv; then the system's pip installs into .venv.
$(INSTALLED) $(INSTALLED_WEB): pyproject.toml
	@test -n "$(PYTHON)" || { echo "Python 3.11 or 3.12 is needed, found: $$(python3 --version 2>&1)." \
		"Install one, or name it: make PYTHON=/path/to/python3.12 $(MAKECMDGOALS)" >&2; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 12))' || { \
		echo "Python 3.11 or 3.12 is needed, $(PYTHON) is $$($(PYTHON) --version 2>&1)" >&2; exit 1; }
	@test -x $(@D)/bin/python || $(PYTHON) -m venv $(@D) >/dev/null 2>&1 \
		|| $(PYTHON) -m venv --clear --without-pip $(@D)
	@if $(@D)/bin/python -m pip --version >/dev/null 2>&1; then pip="$(@D)/bin/python -m pip"; \
		else pip="$(PYTHON) -m pip --python $(@D)/bin/python"; fi; set -ex; \
		$$pip install --quiet -r $(filter %.lock,$^); \
		$$pip install --quiet --no-deps --no-build-isolation --editable .
	@touch $@
