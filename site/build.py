"""Construit le site : les leçons et les annexes, telles qu'elles ont été exécutées.

    python site/build.py            # écrit build/site/
    python site/build.py DOSSIER    # écrit DOSSIER/site/

Sphinx lit des copies, rangées comme le dépôt mais hors de lui : un dossier construit au
milieu des sources y serait lu à son tour.
"""

import argparse
import base64
import html
import os
import re
import shutil
import subprocess
import sys
from importlib.metadata import distribution
from pathlib import Path

import nbformat
from nbformat import NotebookNode

SITE = Path(__file__).resolve().parent
ROOT = SITE.parent
NOTEBOOKS = ROOT / "notebooks"
sys.path += [str(SITE), str(NOTEBOOKS)]

import online  # noqa: E402
import prepare  # noqa: E402

# Ce que le site montre en plus des carnets, à la même place que dans le dépôt.
PAGES = ["ENSEIGNER.md", "datasets/README.md"]
# Ce que Sphinx lit de ce dossier-ci.
SETTINGS = ["conf.py", "_static", "_templates"]
BRANCH = "main"  # où l'on lit le dépôt

# Un lien vers un fichier : ni ancre, ni adresse complète, ni image.
LINK = re.compile(r"(?<!!)\[([^]]*)\]\((?![#/]|\w+:)([^)\s#]+)(#[^)\s]*)?\)")
# Ce qui encadre une réponse dans un carnet.
MARK = re.compile(r"^ *# --- (à vous.*|fin)(\n|\Z)", re.MULTILINE)
# Sur la première page : la figure ou le film d'une cellule, les boutons d'un carnet.
BORROWED = re.compile(r"!\[\]\((\S+\.ipynb)#([\w-]+)\)")
BUTTONS = re.compile(r"\[boutons\]\((\S+\.ipynb)\)")
# Une partie du sommaire, et les carnets qu'elle réunit.
PART = re.compile(r"^```\{toctree\}[^`]*:glob:\n\n(\S+)\n```\n", re.MULTILINE)


def repository() -> str | None:
    """Le nom du dépôt sur GitHub, « compte/depot », s'il en a un."""
    if name := os.environ.get("GITHUB_REPOSITORY"):
        return name
    git = ["git", "-C", str(ROOT), "remote", "get-url", "origin"]
    try:
        address = subprocess.run(git, capture_output=True, text=True).stdout.strip()
    except OSError:  # pas de git
        return None
    found = re.search(r"github\.com[:/]([\w.-]+/[\w.-]+?)(?:\.git)?/?$", address)
    return found and found[1]


REPOSITORY = repository()


def notebooks() -> list[Path]:
    """Les carnets du livre : les leçons, les annexes, et de quoi jouer."""
    parts = ("0*.ipynb", "annexes/*.ipynb", "jouer/*.ipynb")
    return [path for part in parts for path in sorted(NOTEBOOKS.glob(part))]


# --- Les boutons


def practised(path: Path) -> Path:
    """Le carnet qu'ouvrent les boutons : l'édition à compléter, s'il y en a une."""
    return prepare.STUDENT / path.name if path in prepare.lessons() else path


def needs_a_computer(path: Path) -> bool:
    """PyTorch et Keras n'existent pas dans un navigateur."""
    cells = nbformat.read(path, as_version=4).cells
    return any(re.search(r"^\s*import (torch|keras)", c.source, re.M) for c in cells)


def buttons(path: Path, page: Path) -> str:
    """Les liens qui ouvrent le carnet `path`, vus de la page `page` du dépôt."""
    file = practised(path).relative_to(NOTEBOOKS).as_posix()
    top = "../" * (len(page.relative_to(ROOT).parts) - 1)
    links = {}
    # Pour jouer, la page d'un seul carnet ; pour une leçon, JupyterLab et ses fichiers.
    # (Sur un téléphone, cours.js ouvre toujours la première.)
    app = "notebooks" if path.parent.name == "jouer" else "lab"
    if not needs_a_computer(path):
        links["Exécuter ici"] = f"{top}lite/{app}/index.html?path={file}"
    if REPOSITORY:
        binder = f"https://mybinder.org/v2/gh/{REPOSITORY}/{BRANCH}"
        links["Binder"] = f"{binder}?urlpath=lab/tree/notebooks/{file}"
    if REPOSITORY and path.parent.name != "jouer":
        links["Colab"] = online.colab(REPOSITORY, file)
    anchors = [f'<a href="{link}">{name}</a>' for name, link in links.items()]
    if page == path != practised(path):
        anchors.insert(0, "<span>Ce carnet, à compléter :</span>")
    return f'<p class="boutons">{" ".join(anchors)}</p>' if links else ""


# --- Les carnets


def book_edition(path: Path) -> NotebookNode:
    """Le carnet tel qu'il se lit : boutons, réponses repliées, figures décrites."""
    text = localized(path.read_text(encoding="utf-8"))
    notebook = nbformat.reads(text, as_version=4)
    title, _, rest = notebook.cells[0].source.partition("\n")
    notebook.cells[0].source = f"{title}\n\n{buttons(path, path)}\n{rest}"
    notebook.cells = [new for cell in notebook.cells for new in book_cells(cell, path)]
    return notebook


def book_cells(cell: NotebookNode, path: Path) -> list[NotebookNode]:
    """La cellule ; pour un exercice, ce qui est à compléter, puis la réponse.

    Un carnet à jouer vit par ses gadgets, et n'a pas de sorties : la cellule qui porte
    un texte `alt` est suivie d'une image, site/images/<nom du carnet>.png (ou autre).
    """
    if cell.cell_type == "markdown":
        cell.source = published_links(cell.source, path)
        return [cell]
    describe(cell)
    if "alt" in cell.metadata and not cell.outputs:
        stills = (SITE / "images").glob(f"{path.stem}.*")
        pictures = [f"![{cell.metadata.alt}](/images/{still.name})" for still in stills]
        return [cell, *map(nbformat.v4.new_markdown_cell, pictures)]
    hole = prepare.student_source(cell)
    if hole == cell.source:
        return [cell]
    hole, cell.source = (MARK.sub("", text).strip() for text in (hole, cell.source))
    cell.metadata.tags = [*cell.metadata.get("tags", []), "hide-input"]
    return [nbformat.v4.new_markdown_cell(f"```python\n{hole}\n```"), cell]


def describe(cell: NotebookNode) -> None:
    """Donne à la figure ou au film de la cellule le texte de sa métadonnée `alt`."""
    text = cell.metadata.get("alt", "")
    cell.metadata.mystnb = {"image": {"alt": text}}
    for output in cell.outputs:
        data = output.get("data", {})
        if "_anim_img" in data.get("text/html", ""):
            data["text/html"] = film(data["text/html"], text)


def film(page: str, text: str) -> str:
    """Le film de `utilities.animate`, dit aussi à qui ne le voit pas."""
    page = page.replace("<img id=", f'<img alt="{html.escape(text)}" id=')
    page = page.replace('type="range"', 'type="range" aria-label="image du film"')
    page = page.replace('title="Repetition mode" aria-label="Repetition mode"', "")
    group = '<div role="radiogroup" aria-label="répétition">'
    page = page.replace('class="anim-state">', f'class="anim-state">{group}')
    return page.replace("</form>", "</div></form>")


# --- Les pages


def localized(text: str) -> str:
    """Le texte, où COMPTE et DEPOT ont pris le nom du dépôt, s'il en a un."""
    if REPOSITORY is None:
        return text
    account, name = REPOSITORY.split("/")
    return text.replace("COMPTE", account).replace("DEPOT", name)


def published_links(text: str, path: Path) -> str:
    """Le texte du fichier `path`, dont chaque lien mène là où il peut."""
    return LINK.sub(lambda link: published_link(link, path), text)


def published_link(link: re.Match, path: Path) -> str:
    """Le lien tel quel si le site a la page ; sinon vers le dépôt, ou plus de lien."""
    words, file, anchor = link.groups(default="")
    target = Path(os.path.normpath(path.parent / file))
    if target in [*notebooks(), *(ROOT / page for page in PAGES)]:
        return link[0]
    if REPOSITORY is None:
        return words
    kind = "tree" if target.is_dir() else "blob"
    place = f"{REPOSITORY}/{kind}/{BRANCH}/{target.relative_to(ROOT).as_posix()}"
    return f"[{words}](https://github.com/{place}{anchor})"


def borrow(link: re.Match, folder: Path) -> str:
    """Écrit dans `folder` la figure ou le film cité ; rend de quoi l'y lire."""
    file, identifier = link.groups()
    cells = nbformat.read(ROOT / file, as_version=4).cells
    found = [cell for cell in cells if cell.id == identifier]
    if not found:
        sys.exit(f"site/index.md cite {identifier}, une cellule que {file} n'a plus.")
    describe(found[0])
    (data,) = [output.data for output in found[0].outputs if "data" in output]
    if "text/html" in data:
        (folder / f"{identifier}.html").write_text(data["text/html"], encoding="utf-8")
        return f"```{{raw}} html\n:file: {identifier}.html\n```"
    (folder / f"{identifier}.png").write_bytes(base64.b64decode(data["image/png"]))
    return f"![{found[0].metadata.mystnb.image.alt}]({identifier}.png)"


def first_page(folder: Path) -> str:
    """La première page, ses boutons, et les figures qu'elle tient des carnets."""
    text = (SITE / "index.md").read_text(encoding="utf-8")
    text = PART.sub(lambda part: part[0] if any(ROOT.glob(part[1])) else "", text)
    text = BORROWED.sub(lambda link: borrow(link, folder), text)
    return BUTTONS.sub(lambda link: buttons(ROOT / link[1], ROOT / "index.md"), text)


# --- Le tout


def write_sources(folder: Path) -> None:
    """Range dans `folder` ce que Sphinx lira."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for name in SETTINGS:
        copy = shutil.copytree if (SITE / name).is_dir() else shutil.copy
        copy(SITE / name, folder / name)
    if (SITE / "images").is_dir():
        shutil.copytree(SITE / "images", folder / "images")
    (folder / "index.md").write_text(first_page(folder), encoding="utf-8")
    for path in notebooks():
        copy = folder / path.relative_to(ROOT)
        copy.parent.mkdir(parents=True, exist_ok=True)
        nbformat.write(book_edition(path), copy)
    for page in PAGES:
        text = localized((ROOT / page).read_text(encoding="utf-8"))
        copy = folder / page
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.write_text(published_links(text, ROOT / page), encoding="utf-8")
    package = distribution("django-static-mathjax")
    mathjax = Path(package.locate_file("mathjax/static/mathjax"))
    shutil.copy(mathjax / "es5/tex-svg.js", folder / "_static/mathjax.js")
    shutil.copy(mathjax / "LICENSE", folder / "_static/mathjax-LICENSE.txt")


def build(folder: Path) -> int:
    """Écrit `folder`/site/ ; un avertissement de Sphinx est une erreur."""
    sources, site = folder / "sources", folder / "site"
    write_sources(sources)
    for old in site.glob("*"):  # une page disparue ne reste pas ; lite/ se refait seul
        if old.name != "lite":
            shutil.rmtree(old) if old.is_dir() else old.unlink()
    options = ["-q", "-W", "--keep-going", "-E", "-d", str(folder / "doctrees")]
    # Dans un autre processus : Sphinx règle la langue et les journaux du sien.
    sphinx = [sys.executable, "-m", "sphinx", *options, str(sources), str(site)]
    return subprocess.run(sphinx).returncode


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("folder", nargs="?", type=Path, default=ROOT / "build")
    sys.exit(build(parser.parse_args().folder))
