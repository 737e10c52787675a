# make install  into .venv                                make help   this list
# make demo   install, then map the built-in demo area      make test   install, then run the tests
# make bench  speed against named peers, as ratios          make lint   style and workflow lint
# make bench-deformation  inversion and unwrapping against MintPy and SNAPHU only
# make test-slow  the tutorials to their reports, and every way to install: wheel, sdist, module, snakedeploy
# make test-slurm  the demo through a real one-node Slurm (Debian: apt-get install slurm-wlm munge; as root)
# make test-faults  kills, a full disk, a read-only folder, servers that fail; writes docs/faults.md (as root)
# make tables the results tables of the five papers, every model, on the demo area
# make bench-training  the training loop, and every model, on a GPU or the CPU
# make docs   the site, in site/      make coverage  the tests of the library, and what they reach
# make release  wheel and source distribution in dist/, each tried in an empty environment

# the first Python that runs and has the right version (a name on the PATH may be a shim of one that is not there)
SUITABLE := import ensurepip, sys, venv; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 12))
PYTHON ?= $(shell for python in python3.11 python3.12 python3; do \
  $$python -c '$(SUITABLE)' 2>/dev/null && echo $$python && break; done)
CORES ?= $(shell nproc 2>/dev/null || echo 2)
VENV := .venv
BIN := $(VENV)/bin
PEERS := .venv-peer
PEERS_READY := $(if $(SLIPMAP_PEER_PYTHON),,$(PEERS)/installed)
DOLPHIN := .venv-dolphin
DOLPHIN_READY := $(if $(SLIPMAP_DOLPHIN_PYTHON),,$(DOLPHIN)/installed)
INSTALLED := $(VENV)/installed
SNAKEMAKE := $(BIN)/snakemake --cores $(CORES) --resources gpu=1

.PHONY: help demo install test test-slow test-slurm test-faults lint bench bench-deformation bench-training tables docs \
  docs-pictures coverage release clean

demo: install
	$(SNAKEMAKE)
	@echo "Open results/demo/report/index.html in a browser."

help:
	@sed -n '/^# make/s/^# //p' $(firstword $(MAKEFILE_LIST))

install: $(INSTALLED)

$(INSTALLED): pyproject.toml constraints.txt
	@test -n "$(PYTHON)" && $(PYTHON) -c '$(SUITABLE)' 2>/dev/null || { \
	  echo "slipmap needs Python 3.11 or 3.12: install one, or name it with 'make PYTHON=/path/to/python3.12 $(MAKECMDGOALS)'."; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[dev,docs]'
	$(BIN)/python -m slipmap.compile_ahead >/dev/null
	@touch $@
	@echo "Installed. Next: '. $(VENV)/bin/activate', then 'slipmap --help' from any folder."

test: install
	$(BIN)/pytest -n 2 --dist loadfile --no-loadscope-reorder

test-slow: install
	$(BIN)/pytest -m slow

test-slurm: install
	$(BIN)/pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[slurm]'
	$(BIN)/pytest -m slurm -rs -s tests/test_slurm.py

test-faults: install
	$(BIN)/pytest -m faults -rs tests/test_faults.py tests/test_faults_server.py

lint: install
	$(BIN)/mypy
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/snakemake --lint

bench: install $(PEERS_READY) $(DOLPHIN_READY)
	$(BIN)/slipmap bench

bench-deformation: install $(PEERS_READY)
	$(BIN)/slipmap bench deformation unwrapping

# what the deformation is measured against, in an environment of its own
$(PEERS)/installed:
	$(PYTHON) -m venv $(PEERS)
	$(PEERS)/bin/pip install --quiet --disable-pip-version-check mintpy==1.6.4 snaphu==0.4.1 insar-rs==0.3.0
	@touch $@

# what phase linking is measured against: newer jax hangs on two cores
$(DOLPHIN)/installed:
	$(PYTHON) -m venv $(DOLPHIN)
	$(DOLPHIN)/bin/pip install --quiet --disable-pip-version-check dolphin==0.42.9 jax==0.6.2 jaxlib==0.6.2
	@touch $@

# the tables, then the report that shows them; without a GPU a training on each core, since small networks take up to
# twice the CPU time with two threads
TRAININGS = $(if $(shell nvidia-smi -L 2>/dev/null),gpu=1,gpu=$(CORES) --set-threads train=1 evaluate=1)

tables: install
	$(BIN)/snakemake tables --cores $(CORES) --resources $(TRAININGS)
	$(SNAKEMAKE)

# the training loop against the bare step and a plain loop; every model's rate and memory; on a GPU or the CPU
bench-training: install
	$(BIN)/python -m benchmarks.training --models results/model_costs.csv

# strict: a warning is an error; then every link and every address that a page would load
docs: install
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --quiet
	$(BIN)/python docs/tools/links.py site

# from finished runs of the areas (docs/tools/pictures.py says which)
docs-pictures: install
	$(BIN)/python docs/tools/pictures.py results

coverage: install
	$(BIN)/pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[coverage]'
	NUMBA_DISABLE_JIT=0 $(BIN)/coverage run --branch --source workflow/slipmap -m pytest -m 'not integration and not slow and not slurm and not faults'
	$(BIN)/coverage report --skip-covered --sort cover | tail -40

release: install
	rm -rf dist
	$(BIN)/python -m build --no-isolation --outdir dist .
	$(BIN)/python docs/tools/try_release.py dist

# results, and what the simulator made; a user's own inputs stay
clean:
	rm -rf results/*/ .snakemake
	for label in resources/*/SIMULATED.txt; do test -f "$$label" && rm -rf "$$(dirname "$$label")" || true; done
