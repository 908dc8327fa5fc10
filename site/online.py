"""Écrit ce que Colab, Basthon et Capytale vont chercher : la branche « en-ligne ».

    python site/online.py COMPTE/DEPOT VERSION DOSSIER

Sur Colab, un carnet est seul : sa première cellule va chercher le cours à une adresse,
qui reçoit ici le nom de cette copie-ci du dépôt, et la version exacte. Basthon et
Capytale prennent un carnet, deux modules et une archive d'images, côte à côte.
.github/workflows/en-ligne.yml refait cette branche à chaque changement de main.
"""

import shutil
import sys
import zipfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
NOTEBOOKS, DATASETS = ROOT / "notebooks", ROOT / "datasets"
MODULES = ["utilities.py", "exercises.py"]
ADDRESS = "https://github.com/COMPTE/DEPOT/archive/main.zip"


def write_branch(repository: str, version: str, folder: Path) -> None:
    """Range dans folder les carnets, à leur place, les modules et les images."""
    for pattern in "0*.ipynb", "annexes/*.ipynb", "eleve/*.ipynb":
        for path in NOTEBOOKS.glob(pattern):
            copy = folder / path.relative_to(NOTEBOOKS)
            copy.parent.mkdir(parents=True, exist_ok=True)
            text = located(path.read_text(encoding="utf-8"), repository, version)
            copy.write_text(text, encoding="utf-8", newline="\n")
    for name in MODULES:
        shutil.copy(ROOT / name, folder)
    with zipfile.ZipFile(folder / "datasets.zip", "w") as archive:
        for path in sorted(DATASETS.rglob("*.hdf5")):  # déjà comprimés
            archive.write(path, path.relative_to(DATASETS))


def located(text: str, repository: str, version: str) -> str:
    """Le texte d'un carnet, qui sait de quel dépôt et de quelle version il vient."""
    address = f"https://github.com/{repository}/archive/{version}.zip"
    return text.replace(ADDRESS, address)


def colab(repository: str, notebook: str) -> str:
    """L'adresse qui ouvre sur Colab le carnet donné, par exemple « eleve/01.ipynb »."""
    host = "https://colab.research.google.com/github"
    return f"{host}/{repository}/blob/en-ligne/{notebook}"


def basthon(repository: str, notebook: str) -> str:
    """L'adresse qui l'ouvre sur Basthon, avec les modules et les images."""
    raw = f"https://raw.githubusercontent.com/{repository}/en-ligne"
    modules = "".join(f"&module={raw}/{name}" for name in MODULES)
    address = f"https://notebook.basthon.fr/?from={raw}/{notebook}{modules}"
    return f"{address}&aux={raw}/datasets.zip"


if __name__ == "__main__":
    repository, version, folder = sys.argv[1:]
    write_branch(repository, version, Path(folder))
