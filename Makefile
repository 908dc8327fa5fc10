# Chaque commande crée .venv si besoin, et ne réinstalle rien tant que les listes de
# bibliothèques ne changent pas. Syntaxe limitée à GNU make 3.81, celui de macOS.

PYTHON ?= python3
PY := .venv/bin/python
INSTALL := $(PY) -m pip install --disable-pip-version-check --prefer-binary $(PIP_OPTIONS)
# matplotlib recense les polices une fois, ici, plutôt qu'au milieu d'un carnet.
FONTS := $(PY) -c 'import matplotlib.font_manager'

# Deux processus, un fichier ou un carnet à la fois chacun, dans l'ordre (conftest.py).
TEST_OPTIONS ?= -n 2 --dist loadfile --no-loadscope-reorder

# Le noyau « python3 » est celui de .venv, et matplotlib y dessine dans la page.
export JUPYTER_PREFER_ENV_PATH := 1
unexport MPLBACKEND

.PHONY: help lab test notebooks eleves site lite lint format bench clean venv
.NOTPARALLEL:

help: ## affiche cette aide
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "  make %-10s %s\n", $$1, $$2}' Makefile

# Chacun travaille dans mes_carnets/, sur des copies que rien n'écrase jamais.
lab: .venv/.lab ## ouvre JupyterLab sur vos copies des carnets
	@$(PY) notebooks/prepare.py --copies
	$(PY) -m jupyterlab --LabApp.app_settings_dir=site/lite \
	  --LabApp.default_url=/lab/tree/notebooks/mes_carnets/01_premier_neurone.ipynb \
	  $(LAB_OPTIONS)

test: export COURSE_QUICK := 1
test: .venv/.dev ## vérifie tout : le module, les données, chaque cellule
	$(PY) -m pytest $(TEST_OPTIONS)

# Deux annexes gardent leurs sorties là où PyTorch et Keras, facultatifs, ne sont pas.
FRAMEWORKS := from importlib.util import find_spec as f; f("torch") and f("keras") or 1/0
KEPT = $(shell $(PY) -c '$(FRAMEWORKS)' 2>/dev/null || \
  echo notebooks/annexes/pytorch.ipynb notebooks/annexes/keras.ipynb)
ALL_NOTEBOOKS := $(sort $(wildcard notebooks/*.ipynb notebooks/annexes/*.ipynb))

# Ne garde des métadonnées que le noyau et le langage : ni heures, ni versions.
notebooks: .venv/.lab ## réexécute les carnets, sur place
	TQDM_DISABLE=1 $(PY) -m nbconvert --to notebook --execute --inplace \
	  --ExecutePreprocessor.kernel_name=python3 \
	  --ExecutePreprocessor.record_timing=False \
	  --ClearMetadataPreprocessor.enabled=True \
	  --ClearMetadataPreprocessor.clear_cell_metadata=False \
	  --ClearMetadataPreprocessor.preserve_nb_metadata_mask="{'kernelspec', ('language_info', 'name')}" \
	  $(filter-out $(KEPT),$(ALL_NOTEBOOKS))
	@$(if $(KEPT),echo "Il manque PyTorch ou Keras ; restent tels quels : $(KEPT).")

eleves: .venv/.lab ## refait l'édition à compléter, notebooks/eleve/
	$(PY) notebooks/prepare.py

site: .venv/.site .venv/.lite ## construit le site, dans build/site/
	$(PY) site/build.py
	$(PY) site/lite/build.py

lite: .venv/.lite ## construit le noyau de navigateur, dans build/site/lite/
	$(PY) site/lite/build.py

lint: .venv/.dev ## relit le code sans rien changer
	$(PY) -m ruff check .
	$(PY) -m ruff format --check .

format: .venv/.dev ## met le code en forme
	$(PY) -m ruff check --fix .
	$(PY) -m ruff format .

bench: .venv/.dev ## mesure la vitesse d'entraînement
	$(PY) benchmarks/training.py $(BENCH_OPTIONS)

clean: ## efface .venv et les fichiers temporaires
	rm -rf .venv .pytest_cache .ruff_cache .hypothesis build dist *.egg-info
	find . -name __pycache__ -prune -exec rm -rf {} +
	find . -name .ipynb_checkpoints -prune -exec rm -rf {} +

# .venv est à refaire s'il manque, ou si son Python a disparu ou changé de version.
VENV_OK := $(if $(filter clean,$(MAKECMDGOALS)),,$(shell \
  $(PY) -c 'import sys, pip; print(sys.version_info >= (3, 11) or "")' 2>/dev/null))
VENV := $(if $(VENV_OK),,venv)

venv:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "Il faut Python 3.11 ou plus récent, et « $(PYTHON) » ne convient pas." >&2; \
	  echo "S'il porte un autre nom : make $(MAKECMDGOALS) PYTHON=python3.12" >&2; \
	  exit 1; }
	@echo "Création de .venv : une à quelques minutes, la première fois seulement."
	@$(PYTHON) -m venv --clear .venv

.venv/.lab: requirements.txt $(VENV)
	$(INSTALL) -r requirements.txt
	@$(FONTS)
	@touch $@

.venv/.dev: requirements.txt requirements-dev.txt $(VENV)
	$(INSTALL) -r requirements-dev.txt
	@$(FONTS)
	@touch .venv/.lab $@

.venv/.site: requirements-site.txt $(VENV)
	$(INSTALL) -r requirements-site.txt
	@touch $@

.venv/.lite: requirements.txt site/lite/requirements.txt $(VENV)
	$(INSTALL) -r site/lite/requirements.txt
	@touch .venv/.lab $@
