# The commands of a fresh machine: `make serve` and `make test`. They need python3.11 (or 3.12) and make.
VENV ?= .venv
PYTHON ?= $(shell command -v python3.11 || command -v python3.12 || command -v python3)
export VENV PYTHON UPSTREAM

serve_options = $(if $(UPSTREAM),--upstream $(UPSTREAM)) $(if $(MODEL),--model $(MODEL)) \
	$(if $(MODEL_PATH),--model-path $(MODEL_PATH)) $(if $(PORT),--port $(PORT)) $(if $(HOST),--host $(HOST)) \
	$(if $(CACHE_DIR),--cache-dir $(CACHE_DIR))

.DEFAULT_GOAL := help
.PHONY: help serve test wheel test-wheel docs sbom audit check format setup setup-test test-bench bench-detector bench-models bench-eco bench-traces bench-overhead bench-gateways soak bench-tiny bench-cpu bench-utility bench-scanners faults fuzz clean

help: ## Show the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## (.*)/  \1\t\2/' | expand -t 14

setup: ## Create .venv and install what serving needs
	@scripts/setup.sh serve

setup-test:
	@scripts/setup.sh test

serve: setup ## Start model and proxy (UPSTREAM= MODEL= MODEL_PATH= HOST= PORT= CACHE_DIR=)
	@$(VENV)/bin/letheward serve $(serve_options)

test: setup-test check ## Install what is needed and run every check and test (ARGS= for pytest)
ifeq ($(ARGS),)
	OMP_NUM_THREADS=1 $(VENV)/bin/python -m pytest -n 2 --dist loadfile --ignore tests/e2e --ignore tests/wheel
	$(VENV)/bin/python -m pytest tests/e2e --ignore tests/e2e/test_bench.py
else
	$(VENV)/bin/python -m pytest $(ARGS)
endif

test-bench: setup-test ## The comparison with guards before a real vLLM, 3 minutes
	$(VENV)/bin/python -m pytest tests/e2e/test_bench.py

wheel: setup-test ## Build wheel and source distribution into dist/
	rm -rf build/lib dist
	$(VENV)/bin/python -m build --outdir dist

test-wheel: setup-test ## Install the wheel into an empty environment and serve from it, 3 minutes
	$(VENV)/bin/python -m pytest tests/wheel

docs: setup-test ## Build the documentation into build/site
	$(VENV)/bin/python -m pip install --quiet -c requirements/lock.txt -e '.[docs]'
	$(VENV)/bin/python -m mkdocs build --strict

build/release/bin/letheward: wheel  # what an operator gets: the wheel and its dependencies, and nothing else
	rm -rf build/release
	$(PYTHON) -m venv --without-pip build/release
	$(VENV)/bin/python -m pip --python build/release/bin/python install --quiet -c requirements/lock.txt dist/*.whl
	$(VENV)/bin/python -m pip install --quiet -c requirements/lock.txt -e '.[release]'

sbom: build/release/bin/letheward ## Write what the wheel brings along into build/sbom.json (CycloneDX)
	$(VENV)/bin/python scripts/sbom.py build/release/bin/python build/sbom.json

audit: build/release/bin/letheward ## Look up known faults of what the wheel brings along
	$(VENV)/bin/python scripts/audit.py $$(echo build/release/lib/python3*/site-packages)

check: setup-test ## ruff, mypy --strict, import-linter
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/mypy
	$(VENV)/bin/lint-imports

format: setup-test ## Format the code
	$(VENV)/bin/ruff check --fix .
	$(VENV)/bin/ruff format .

bench-detector: setup-test ## Measure the detector (TOFU= folder or hub name; SPLIT=forget05; ARGS=)
	$(VENV)/bin/python -m benchmarks.detector --tofu $(or $(TOFU),locuslab/TOFU) --split $(or $(SPLIT),forget05) \
		--json build/detector-$(or $(SPLIT),forget05).json $(ARGS)

models = --full $(or $(MODELS),build/models)/full --retained $(or $(MODELS),build/models)/retained

bench-models: setup-test ## Make the models for bench-eco and bench-traces, 1 h on 2 cores (TOFU= MODELS=build/models ARGS=)
	$(VENV)/bin/python -m benchmarks.finetune --tofu $(or $(TOFU),locuslab/TOFU) --out $(or $(MODELS),build/models) $(ARGS)

bench-eco: setup-test ## Measure what each guard leaves of what a model knows (TOFU= MODELS= ARGS=)
	$(VENV)/bin/python -m benchmarks.eco --tofu $(or $(TOFU),locuslab/TOFU) $(models) --json build/eco.json $(ARGS)

bench-traces: setup-test ## Measure whether answers show a guard (TOFU= MODELS= ARGS=)
	$(VENV)/bin/python -m benchmarks.traces --tofu $(or $(TOFU),locuslab/TOFU) $(models) --json build/traces.json $(ARGS)

bench-overhead: setup-test ## Measure time to first token and pace of streams (TOFU= ARGS=)
	$(VENV)/bin/python -m benchmarks.overhead --tofu $(or $(TOFU),locuslab/TOFU) --json build/overhead.json $(ARGS)

soak: setup-test ## A thousand streams for 30 minutes; ends with 1 where something does not hold (ARGS='--minutes 480')
	$(VENV)/bin/python -m benchmarks.soak --json build/soak.json --plot build/soak.svg $(ARGS)

build/litellm/bin/litellm:  # its dependencies are its own
	$(PYTHON) -m venv build/litellm
	build/litellm/bin/pip install --quiet 'litellm[proxy]==1.106.2'

bench-gateways: setup-test build/litellm/bin/litellm ## Measure what Letheward and LiteLLM add to a request, needs wrk (ARGS=)
	$(VENV)/bin/python -m benchmarks.overhead --part gateways --litellm build/litellm/bin/litellm \
		--json build/gateways.json --plot build/gateways.svg $(ARGS)

bench-tiny: setup-test ## Compare guards with unlearning methods, minutes on 2 cores (ARGS= for letheward bench run)
	$(VENV)/bin/letheward bench run --profile tiny $(ARGS)

build/lm-eval/bin/lm_eval:  # its dependencies are its own
	$(PYTHON) -m venv build/lm-eval
	build/lm-eval/bin/pip install --quiet 'lm-eval[api]==0.4.13'

bench-utility: setup-test build/lm-eval/bin/lm_eval ## Utility by lm-evaluation-harness, bare and guarded (TOFU= ARGS=)
	$(VENV)/bin/python -m benchmarks.utility --lm-eval build/lm-eval/bin/lm_eval --tofu $(or $(TOFU),locuslab/TOFU) \
		--json build/utility.json $(ARGS)

build/garak/bin/garak:
	$(PYTHON) -m venv build/garak
	build/garak/bin/pip install --quiet torch==2.13.0 garak

build/pyrit/bin/python:
	$(PYTHON) -m venv build/pyrit
	build/pyrit/bin/pip install --quiet pyrit==1.1.0

bench-scanners: setup-test build/garak/bin/garak build/pyrit/bin/python ## garak and PyRIT, bare and guarded (ARGS=)
	$(VENV)/bin/python -m benchmarks.scanners --garak build/garak/bin/garak --pyrit build/pyrit/bin/python \
		--json build/scanners.json $(ARGS)

faults: setup-test ## Faults and hostile input before a scripted model server; writes their tables (ARGS=--quick)
	$(VENV)/bin/python -m benchmarks.faults --out benchmarks/results $(ARGS)
	$(VENV)/bin/python -m benchmarks.hostile --out benchmarks/results

build/fuzz/bin/python:
	$(PYTHON) -m venv build/fuzz
	build/fuzz/bin/pip install --quiet 'atheris>=3,<4'

fuzz: setup-test build/fuzz/bin/python ## Fuzz every parser with atheris (SECONDS_EACH=60)
	set -e; site=$$(echo $(VENV)/lib/python3*/site-packages); \
	for target in $$(PYTHONPATH=tests/fuzz $(VENV)/bin/python -c 'from targets import TARGETS; print(*TARGETS)'); do \
		PYTHONPATH=.:$$site build/fuzz/bin/python tests/fuzz/atheris_run.py $$target \
			-max_total_time=$(or $(SECONDS_EACH),60) -timeout=30 -verbosity=0 -print_final_stats=1 -artifact_prefix=build/fuzz/; \
	done

bench-cpu: setup-test ## The same on TOFU with every method, a night on 2 cores (TOFU= folder or hub name; ARGS=)
	$(VENV)/bin/letheward bench run --profile cpu --data tofu:$(or $(TOFU),locuslab/TOFU) $(ARGS)

clean: ## Remove the environment and caches (not the forget lists)
	rm -rf $(VENV) build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache .import_linter_cache
