"""Prépare l'édition à compléter : les leçons, avec des trous et sans résultats.

    python notebooks/prepare.py             # écrit eleve/ d'après les leçons
    python notebooks/prepare.py --copies    # en donne à qui suit le cours des copies

Les copies vont dans mes_carnets/, que Git ignore. Une copie qui existe déjà n'est
jamais touchée : le travail commencé survit à tout.
"""

import argparse
import ast
import os
import re
import textwrap
from pathlib import Path

import nbformat
from nbformat import NotebookNode

FOLDER = Path(__file__).resolve().parent
STUDENT, COPIES = FOLDER / "eleve", FOLDER / "mes_carnets"
PLAY = FOLDER / "jouer"

HOLE = "...  # à vous"
ANSWER = re.compile(r"^( *)# --- à vous.*\n((?:.*\n)*?) *# --- fin$", re.MULTILINE)
COMMENT = re.compile(r"  # .+$")
# Un lien vers un fichier : ni ancre, ni adresse complète.
LINK = re.compile(r"(?<=\]\()(?![#/]|\w+:)[^)\s]+")


def lessons() -> list[Path]:
    """Les leçons, dans l'ordre, puis les annexes qui ont des exercices."""
    annexes = sorted((FOLDER / "annexes").glob("*.ipynb"))
    practised = [path for path in annexes if _has_exercises(path)]
    return sorted(FOLDER.glob("0*.ipynb")) + practised


def _has_exercises(path: Path) -> bool:
    """Cherche un trou sans rien déchiffrer : c'est plus vite."""
    return "# --- à vous" in path.read_text(encoding="utf-8")


def student_edition(path: Path) -> NotebookNode:
    """L'édition à compléter de la leçon écrite en `path`."""
    lesson, places = nbformat.read(path, as_version=4), lessons()
    for cell in lesson.cells:
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
            cell.source = student_source(cell)
            cell.metadata.pop("eleve", None)
        else:
            cell.source = LINK.sub(
                lambda link: _seen_from_edition(link[0], path.parent, places),
                cell.source,
            )
    return lesson


def student_source(cell: NotebookNode) -> str:
    """Le code à réparer s'il y en a un, sinon un trou à la place de la réponse."""
    if "eleve" in cell.metadata:
        return cell.metadata.eleve.source
    return ANSWER.sub(lambda match: match[1] + _hole(match[2]), cell.source)


def _hole(answer: str) -> str:
    """Des points de suspension ; « x = 3 » devient « x = ... »."""
    answer = textwrap.dedent(answer).strip()
    match ast.parse(answer).body:
        case [ast.Assign(targets=[ast.Name(name)])]:
            comment = COMMENT.search(answer)
            return f"{name} = ...{comment[0]}" if comment else f"{name} = {HOLE}"
    return HOLE


def _seen_from_edition(link: str, folder: Path, places: list[Path]) -> str:
    """Le lien `link`, écrit dans `folder`, tel qu'il mène au même endroit d'ici."""
    file, mark, anchor = link.partition("#")
    target = Path(os.path.normpath(folder / file))
    if target in places:  # une leçon a son édition, voisine de celle-ci
        return target.name + mark + anchor
    return Path(os.path.relpath(target, STUDENT)).as_posix() + mark + anchor


def write_student_editions(folder: Path = STUDENT) -> None:
    """Écrit l'édition à compléter de chaque leçon, toujours au même octet près."""
    folder.mkdir(exist_ok=True)
    for path in lessons():
        text = nbformat.writes(student_edition(path)) + "\n"
        (folder / path.name).write_text(text, encoding="utf-8", newline="\n")


def copy_missing(folder: Path = COPIES) -> None:
    """Copie chaque carnet à compléter, ou pour jouer, qui manque ; n'écrase rien."""
    folder.mkdir(exist_ok=True)
    for path in sorted(STUDENT.glob("*.ipynb")) + sorted(PLAY.glob("*.ipynb")):
        # Le mode « x » refuse d'ouvrir un fichier qui existe.
        try:
            with (folder / path.name).open("xb") as copy:
                copy.write(path.read_bytes())
        except FileExistsError:
            continue
        print(f"Nouveau carnet : {folder.name}/{path.name}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument(
        "--copies", action="store_true", help="copie dans mes_carnets/ ce qui y manque"
    )
    if parser.parse_args().copies:
        copy_missing()
    else:
        write_student_editions()
