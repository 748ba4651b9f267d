# What a developer and a checking machine run. Needs Python 3.11 or newer and the package registries, nothing else.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
COMPILED := $(patsubst %.po,%.mo,$(wildcard lti_tool/translations/*/LC_MESSAGES/messages.po))

.DEFAULT_GOAL := help
.PHONY: help setup demo test check bench bench-pairing bench-sync soak messages migration wheel clean

help:                     ## what can be made
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## */  make \1\t/' | expand -t 22

setup: $(READY)           ## the environment in .venv (all others do it by themselves)

# The package is installed for editing; the stamp makes repeated calls quick.
$(READY): pyproject.toml hatch_build.py
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "Python 3.11 or newer is needed; PYTHON=... names another one." >&2; exit 2; }
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV) || \
	  { rm -rf $(VENV); echo "No virtual environment could be made; on Debian: apt-get install python3-venv" >&2; exit 2; }
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[test]'
	@touch $@

%.mo: %.po $(READY)
	@$(BIN)/pybabel --quiet compile -i $< -o $@

demo: $(READY) $(COMPILED)   ## tool and sandbox on this machine, ready to try; ARGS="--lms canvas" plays another LMS
	@$(BIN)/meitheal demo $(ARGS)

test: $(READY) $(COMPILED)   ## all tests; ARGS="-k word" chooses
	@test -n "$$MEITHEAL_CHROMIUM" || command -v chromium >/dev/null || command -v chromium-browser >/dev/null || \
	  echo "No Chromium here: the browser journeys are skipped. To run them: apt-get install chromium" >&2
	$(BIN)/python -m pytest -n auto --dist loadfile --no-loadscope-reorder $(ARGS)

check: $(READY)           ## style, types, directions between rooms, translations, known weaknesses of dependencies
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python tests/packaging/messages.py
	$(BIN)/python tests/packaging/audit.py

bench: $(READY)           ## measure launches and pages against their budgets
	$(BIN)/python tests/bench/run.py $(ARGS)

bench-pairing: $(READY)   ## measure how long the best pairs take, and whether they are proven
	$(BIN)/python tests/bench/matching.py

bench-sync: $(READY)      ## measure how many calls and seconds a Moodle's courses take
	$(BIN)/python tests/bench/sync.py

soak: $(READY) $(COMPILED)   ## the long random runs
	MEITHEAL_SOAK=1 $(BIN)/python -m pytest -n auto -m soak --timeout 3600 $(ARGS)

messages: $(READY)        ## bring the translations up to date with the texts of the program
	$(BIN)/python tests/packaging/messages.py --update

migration: $(READY)       ## a database revision from the changed models: m="why"
	@test -n "$(m)" || { echo 'Say why: make migration m="..."' >&2; exit 2; }
	@file=$$($(BIN)/python -m lti_tool.store.migrate "$(m)" | tail -1) && \
	  $(BIN)/ruff format --quiet "$$file" && $(BIN)/ruff check --quiet --fix "$$file" && echo "$$file"

wheel: $(READY)           ## the package, in dist/
	$(BIN)/python -m build --wheel --outdir dist .

clean:                    ## forget the environment and what was built
	rm -rf $(VENV) build dist
