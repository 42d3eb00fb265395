# The contributor's commands; CI runs the same lines.
PYTHON ?= python3.11
VENV   ?= .venv
PY      = $(VENV)/bin/python
VENVS  ?= .venvs
CORPUS ?= ../shared/corpus
SCORER ?= ../shared/tools/corpus_score.py
export TF_CPP_MIN_LOG_LEVEL ?= 3

.PHONY: setup demo test test-matrix lint format bench bench-quick corpus keras-tests clean

setup: $(VENV)/.ready

$(VENV)/.ready: pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(PY) -m pip install -q --disable-pip-version-check -e ".[dev,legacy]" "tensorflow==2.21.*" "keras==3.15.*" "tf-keras==2.21.*"
	touch $@

demo: setup
	$(PY) examples/quickstart.py

# The whole suite on Keras 3, then what is the same on every flavour on tf_keras, in the same environment.
test: setup
	$(PY) -m pytest -q
	TF_USE_LEGACY_KERAS=1 $(PY) -m pytest -q -m core

# What is the same on every flavour, on the other TensorFlows: 2.12 and 2.15 bring Keras 2, 2.18 brings Keras 3.8.
test-matrix: test matrix-2.12 matrix-2.15 matrix-2.18

matrix-%: setup
	$(PY) tools/matrix.py $* --python $(PYTHON) --venvs $(VENVS) --corpus $(CORPUS) --scorer $(SCORER)

lint: setup
	$(PY) -m ruff check src tests examples tools
	$(PY) -m ruff format --check src tests examples tools
	$(PY) -m mypy

format: setup
	$(PY) -m ruff check --fix src tests examples tools
	$(PY) -m ruff format src tests examples tools

bench: setup
	$(PY) tools/bench.py

bench-quick: setup
	$(PY) tools/bench.py --quick -n 3

# The public corpus, scored row by row in three runtimes (some minutes each), and the page made from the scores.
corpus: setup
	mkdir -p build
	$(PY) $(SCORER) --root $(CORPUS) --loader safeload --out build/corpus-keras3.json
	TF_USE_LEGACY_KERAS=1 $(PY) $(SCORER) --root $(CORPUS) --loader safeload --out build/corpus-tf_keras.json
	$(PY) tools/matrix.py 2.15 --python $(PYTHON) --venvs $(VENVS) --only-environment
	$(VENVS)/tf-2.15/bin/python $(SCORER) --root $(CORPUS) --loader safeload --out build/corpus-keras2.json
	$(PY) tools/compatibility.py $(CORPUS) "Keras 3.15, TF 2.21"=build/corpus-keras3.json \
	    "tf_keras 2.21, TF 2.21"=build/corpus-tf_keras.json "Keras 2.15, TF 2.15"=build/corpus-keras2.json

# Keras' own saving tests, with its load_model routed through safeload.
keras-tests: setup
	$(PY) tools/keras_tests.py

clean:
	rm -rf $(VENV) $(VENVS) build dist .pytest_cache .mypy_cache .ruff_cache
