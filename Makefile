# `make demo` shows what Stillhouse does, `make test` proves that it works; both set up .venv by themselves.

PYTHON ?= python3
BIN := .venv/bin

.PHONY: demo test lint reference unit dry-run workflow-test test-slow test-cluster slurm chaos proofs clean

demo: .venv/ready
	$(BIN)/snakemake --cores all --quiet rules
	@echo "The report: $(CURDIR)/results/heart/report.html"

test: lint unit dry-run workflow-test

lint: .venv/ready
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/snakefmt --check Snakefile workflow
	PYTHONPATH=workflow/scripts $(BIN)/lint-imports --no-logo
	PYTHONPATH=workflow/scripts $(BIN)/python -m stillhouse.config.reference --check config/README.md

# Writes the tables of config/README.md, which lint only compares.
reference: .venv/ready
	PYTHONPATH=workflow/scripts $(BIN)/python -m stillhouse.config.reference config/README.md

unit: .venv/ready
	$(BIN)/pytest -n 2 -m "not workflow and not slow and not cluster and not chaos"

dry-run: .venv/ready
	$(BIN)/snakemake --dry-run --cores 2 --quiet all

workflow-test: .venv/ready
	$(BIN)/pytest -n 2 --dist loadfile -m workflow

# In the order of their names, long files are the first that the two processes take.
test-slow: .venv/ready
	$(BIN)/pytest -n 2 --dist loadfile --no-loadscope-reorder -m "slow and not proof"

# A Slurm of two nodes is started on this machine for the tests and taken down again.
test-cluster: .venv/ready slurm
	$(BIN)/pytest -m "cluster and not proof"

slurm:
	@command -v sbatch > /dev/null || { \
	  as=$$([ "$$(id -u)" = 0 ] || echo sudo); \
	  $$as apt-get update -qq && $$as env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends slurm-wlm; \
	}

# Kills runs, jobs and nodes again and again; a few of the kills are in test-slow too.
chaos: .venv/ready slurm
	$(BIN)/pytest -s -m chaos

proofs: .venv/ready slurm
	$(BIN)/pytest -m "proof and not chaos"

.venv/ready: requirements.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "Stillhouse needs Python 3.11 or newer, and $(PYTHON) is $$($(PYTHON) --version 2>&1); set PYTHON=python3.11, say"; exit 1; \
	}
	$(PYTHON) -m venv .venv
	@$(BIN)/pip install --quiet --disable-pip-version-check -r requirements.txt || { \
	  echo "The pins of requirements.txt are for Python 3.11 to 3.13, and $(PYTHON) is $$($(PYTHON) --version 2>&1)."; \
	  echo "Above is the package that could not be installed; take one of those versions, or install the ranges of pyproject.toml."; exit 1; \
	}
	@touch $@

clean:
	rm -rf .venv results/*/ logs .snakemake
