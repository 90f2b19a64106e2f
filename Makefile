# What developers, CI and the README use. `make` alone lists the targets.

PYTHON ?= python3
UV_VERSION := 0.13.9
UV := $(shell command -v uv 2>/dev/null || echo .uv/bin/uv)
BIN := .venv/bin
STAMP := .venv/.installed
SOURCES := registry service cli infra tests benchmarks examples docs
MEMBERS := -e . -e registry[aws,signing,validate] -e service[otel] -e cli[infra] -e infra[pulumi]
export UV_PYTHON_DOWNLOADS := never
export UV_NO_PROGRESS := 1
export UV_COMPILE_BYTECODE := 1

.PHONY: help setup demo test check fix bench bench-peers bench-memory bench-transfer \
	bench-convergence docs train lock clean

help: ## list the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 16

setup: $(STAMP) ## make .venv with the locked dependencies and the pointsman command

demo: setup ## publish, serve, switch and roll back a real model, under load
	@$(BIN)/python examples/demo.py

test: check ## run checks, then every test (SLOW=1 adds the slow ones)
	$(BIN)/pytest -n 2 $(if $(SLOW)$(CI),,-m "not slow")

check: setup ## format, lint, types, architecture, Dockerfile
	$(BIN)/ruff format --check $(SOURCES)
	$(BIN)/ruff check $(SOURCES)
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/hadolint Dockerfile

fix: setup ## let the formatter and the linter repair what they can
	$(BIN)/ruff check --fix $(SOURCES)
	$(BIN)/ruff format $(SOURCES)

bench: setup ## measure serving beside a plain FastAPI service; into benchmarks/results/
	@$(BIN)/python -m benchmarks

bench-peers: setup ## measure serving beside other model servers too, which it installs into .bench/
	@$(BIN)/python -m benchmarks.serving peers

bench-memory: setup ## measure the service's memory over 500 switches
	@$(BIN)/python -m benchmarks.serving.swaps

bench-transfer: setup ## measure publishing and pulling against s5cmd, rclone, CRT and boto3
	@$(BIN)/python -m benchmarks.transfer

bench-convergence: setup ## measure rollbacks of 20 instances on an S3 server, and plot them
	@$(BIN)/python -m benchmarks.convergence

docs: setup ## write the reference pages from the code, and try every link between pages
	@$(BIN)/python -m docs.reference

train: setup ## train the example models again (installs the training packages)
	$(UV) pip install --quiet --python $(BIN)/python --constraint requirements.lock --group training
	$(BIN)/python examples/digits/train.py

lock: ## resolve the dependencies anew, into the lock of all and that of the image
	$(UV) lock
	$(UV) export --quiet --all-packages --all-extras --all-groups --no-emit-workspace --no-annotate \
		--no-header --output-file requirements.lock
	$(UV) pip compile --quiet --universal --python-version 3.13 --generate-hashes --no-annotate \
		--no-header --constraint requirements.lock --no-emit-package pointsman-registry \
		--no-emit-package pointsman-service --output-file service/pointsman_service/requirements.lock \
		service/pyproject.toml

clean: ## remove everything that setup and the tests made
	rm -rf .venv .uv .bench .clients .pointsman .mypy_cache .ruff_cache .pytest_cache .import_linter_cache

$(STAMP): pyproject.toml requirements.lock registry/pyproject.toml service/pyproject.toml \
		cli/pyproject.toml infra/pyproject.toml | $(UV)
	@echo "setting up .venv with the locked dependencies"
	@test -x $(BIN)/python || $(UV) venv --quiet --python $(PYTHON) .venv
	@$(UV) pip install --quiet --python $(BIN)/python --constraint requirements.lock \
		--build-constraint requirements.lock --group dev $(MEMBERS)
	@touch $@

.uv/bin/uv:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
		|| { echo "pointsman needs Python 3.11 or newer; say which with make PYTHON=…"; exit 1; }
	@echo "installing uv into .uv"
	@$(PYTHON) -m venv .uv
	@.uv/bin/python -m pip install --quiet uv==$(UV_VERSION)
