# Each target sets up what it needs. PYTHON may name any interpreter from 3.11 to 3.14.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
INSTALL := $(BIN)/pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable

.PHONY: demo dev test lint format bench docs clean

$(BIN)/python:
	$(PYTHON) -m venv $(VENV)

$(VENV)/.runtime: pyproject.toml constraints.txt | $(BIN)/python
	$(INSTALL) '.[demo]'
	@touch $@

$(VENV)/.dev: $(VENV)/.runtime
	$(INSTALL) '.[demo,dev]'
	@touch $@

# Fill an embedded PostgreSQL from a local stand-in of the BDNS, change the world, sync again, prove it; then
# send events through the gateway, write to made-up patients, play a Monday of made-up clinics, and say what changed
# for patients in treatment.
demo: $(VENV)/.runtime
	$(BIN)/fisio-ayida demo

# Dagster's UI on the same data, http://127.0.0.1:3000, and the gateway for events, http://127.0.0.1:8288
dev: $(VENV)/.runtime
	$(BIN)/fisio-ayida dev

# Four workers on two cores: much of what the tests do is waiting for servers and for killed processes.
test: $(VENV)/.dev
	$(BIN)/pytest -n 4 --dist loadgroup

lint: $(VENV)/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

format: $(VENV)/.dev
	$(BIN)/ruff check --fix-only .
	$(BIN)/ruff format .

# Comparisons and limits; results are appended to bench/RESULTS.md. Takes about half an hour.
bench: $(VENV)/.dev
	$(BIN)/python -m bench

# Pages that follow from the registries.
docs: $(VENV)/.runtime
	$(BIN)/python -m fisio_ayida.settings > docs/settings.md
	$(BIN)/python -m fisio_ayida.bdns.dictionary > docs/data-dictionary.md
	$(BIN)/python -m fisio_ayida.events.page > docs/events.md
	$(BIN)/python -m fisio_ayida.messaging.templates.page > docs/messages.md
	$(BIN)/python -m fisio_ayida.clinic.page > docs/clinic.md
	$(BIN)/python -m fisio_ayida.insights.page > docs/insights.md

clean:
	rm -rf $(VENV) .fisio_ayida .bench build *.egg-info
