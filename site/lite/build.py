"""Construit build/site/lite/ : le cours, exécuté par le navigateur de qui le lit.

    python site/lite/build.py

Le disque que voit le noyau est notebooks/ avec, à côté, les modules et les images ;
l'adresse d'un carnet est donc lite/lab/index.html?path=eleve/01_premier_neurone.ipynb.
"""

import shutil
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import nbformat

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
STAGE, OUTPUT = ROOT / "build" / "lite", ROOT / "build" / "site" / "lite"

SETTINGS = ["jupyter-lite.json", "jupyter_lite_config.json", "overrides.json"]
MODULES = ["utilities.py", "exercises.py"]
PLAYGROUND = ["playground.py", "playground.js", "playground.css"]
NOT_FOR_READERS = shutil.ignore_patterns(
    "mes_carnets", "*.py", "__pycache__", ".ipynb_checkpoints"
)
# Ce que Pyodide ne fournit pas, et que le site apporte lui-même. Les paquets de
# comm (l'échange avec la page), d'ipywidgets (les curseurs) et d'anywidget (notebooks/
# jouer/) sont en Python pur, comme celui de psygnal pour qui le demande ainsi.
WHEELS = ["comm", "ipywidgets", "jupyterlab_widgets"]
WHEELS += ["anywidget", "psygnal", "typing_extensions"]
PURE = ["--platform", "any", "--implementation", "py", "--abi", "none"]

# Un module que Python importe ne déclenche aucune installation ; une cellule, si.
INSTALL = "%pip install -q ipywidgets{}\n"


def stage_files(folder: Path) -> None:
    """Écrit le disque du noyau : carnets, modules, images, mode d'emploi."""
    shutil.copytree(ROOT / "notebooks", folder, ignore=NOT_FOR_READERS)
    shutil.copytree(
        ROOT / "datasets", folder / "datasets", ignore=shutil.ignore_patterns("*.py")
    )
    for name in MODULES + PLAYGROUND:
        shutil.copy(ROOT / name, folder)
    shutil.copy(HERE / "LISEZMOI.md", folder)
    for path in folder.rglob("*.ipynb"):
        install_widgets(path)


def install_widgets(path: Path) -> None:
    """Ajoute à la première cellule de code l'installation des curseurs."""
    notebook = nbformat.read(path, as_version=4)
    first = next(cell for cell in notebook.cells if cell.cell_type == "code")
    more = " anywidget" if path.parent.name == "jouer" else ""
    first.source = INSTALL.format(more) + first.source
    nbformat.write(notebook, path)


def stage(folder: Path) -> None:
    """Réunit ce que « jupyter lite build » trouve de lui-même dans son dossier."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for name in SETTINGS:
        shutil.copy(HERE / name, folder)
    stage_files(folder / "files")
    wheels = [f"{name}=={version(name)}" for name in WHEELS]
    pip = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps"]
    pip += [*PURE, "--only-binary", ":all:"]
    subprocess.run([*pip, "--dest", folder / "pypi", *wheels], check=True)


def build(folder: Path = STAGE, output: Path = OUTPUT) -> None:
    """Réunit les fichiers dans folder, et construit le site du noyau dans output."""
    stage(folder)
    shutil.rmtree(output, ignore_errors=True)
    lite = [sys.executable, "-m", "jupyterlite_core", "build", "--output-dir", output]
    # L'outil lit ses réglages, et laisse son journal, dans le dossier courant.
    subprocess.run(lite, check=True, cwd=folder)


if __name__ == "__main__":
    build()
