# Every target sets up what it needs and shows what it runs.  SCENARIO=name chooses, ARGS=... is passed on.

SCENARIO ?= product-launch
PYTHON   ?= python3
VENV     := .venv
# uv from the PATH where there is one, else our own copy in .uv/
UV       := $(shell command -v uv 2>/dev/null || echo .uv/bin/uv)
RUN      := $(UV) run --no-sync
# keep compiled modules whatever the environment says: else each server that a test starts compiles all it imports
export PYTHONDONTWRITEBYTECODE :=

.PHONY: help setup captions lock plan test notebooks lab serve bench check format clean

help:  ## this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "  make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: $(VENV)/.synced  ## make .venv and install exactly what requirements.lock says

.uv/bin/uv:
	@$(PYTHON) tests/requirements.py setup
	$(PYTHON) -m venv .uv
	.uv/bin/pip install --quiet --disable-pip-version-check uv

$(VENV)/.synced: requirements.lock pyproject.toml $(filter .uv/bin/uv,$(UV))
	@$(PYTHON) -c 'import sys; v = sys.version_info; sys.exit(v < (3, 11) and f"$(PYTHON) is Python {v[0]}.{v[1]}, and this needs 3.11 or later: make PYTHON=python3.12 ...")'
	test -x $(VENV)/bin/python || $(UV) venv --quiet --python "$$($(PYTHON) -c 'import sys; print(sys.executable)')" $(VENV)
	$(UV) pip sync --quiet --python $(VENV)/bin/python --require-hashes requirements.lock
	$(UV) pip install --quiet --python $(VENV)/bin/python --no-deps --no-build-isolation --editable .
	touch $@

captions: $(VENV)/.captions  ## the models for live captions and assisted moderation, and what runs them: 340 MB

$(VENV)/.captions: requirements-captions.lock $(VENV)/.synced
	$(UV) pip install --quiet --python $(VENV)/bin/python --require-hashes --requirements requirements-captions.lock
	touch $@

lock: $(filter .uv/bin/uv,$(UV))  ## resolve pyproject.toml anew into requirements*.lock (versions and hashes, no addresses)
	$(UV) pip compile pyproject.toml --group dev --universal --generate-hashes --no-emit-index-url --quiet -o requirements.lock
	$(UV) pip compile --group captions --group speech --group assistance --constraints requirements.lock --universal --generate-hashes \
		--no-emit-index-url --quiet -o requirements-captions.lock

plan: setup  ## measure a relay, fit, simulate SCENARIO, write runs/<id>/plan.html and plan.json
	$(RUN) python -m notebooks $(SCENARIO) $(ARGS)

test: setup captions  ## the test suite, three files at a time: half of it waits for sound to pass in real time
	@$(PYTHON) tests/requirements.py
	@$(RUN) python -m tests.clients.build
	@$(RUN) python -m tests.warm
	@.ci/postgresql $(RUN) pytest -n 3 --dist loadfile --no-loadscope-reorder $(ARGS)

notebooks: setup  ## execute every notebook with small parameters, as CI does
	$(RUN) python -m notebooks --check $(ARGS)

lab: setup  ## open the notebooks
	$(RUN) jupyter lab --LabApp.news_url=None --LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate \
		notebooks/capacity_plan.ipynb $(ARGS)

serve: setup  ## a relay on this machine
	$(RUN) python -m media $(ARGS)

bench: setup captions  ## make bench NAME=fanout
	$(RUN) python -m loadtest.bench $(NAME) --json $(ARGS)

check: setup  ## format, lint and types
	$(RUN) ruff format --check .
	$(RUN) ruff check .
	$(RUN) pyright

format: setup  ## put the code into the house's shape
	$(RUN) ruff format .
	$(RUN) ruff check --fix .

clean:  ## remove the environment and all runs
	rm -rf $(VENV) .uv runs tests/clients/node/node_modules* tests/clients/pion/build
