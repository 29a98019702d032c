.PHONY: help setup dev test check lint format types bench clean

help:
	@echo "make setup | dev | check (= test) | lint | format | types | bench | clean"

setup:
	bin/setup --dev

dev:
	bin/dev

test check:
	bin/test

lint:
	bin/test --lint

format: setup
	.venv/bin/ruff check --fix
	.venv/bin/ruff format

# The types by which the Workbench's page knows its API.
types: setup
	.venv/bin/python -m motia_celery.workbench.api > motia_celery/workbench/ui/openapi.json
	cd motia_celery/workbench/ui && npm run types

# All figures of docs/benchmarks.md; BENCH=--short and the like go to the command.
bench: setup
	.venv/bin/python -m tests.benchmarks $(BENCH)

# Leaves .motia, which holds the data of the app in development.
clean:
	rm -rf .venv build dist .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
