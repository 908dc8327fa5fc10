"""L'édition à compléter tient aux leçons, s'exécute trous vides, et se fait noter."""

import copy
import importlib.util
import os
import re
import shutil
import sqlite3
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

import exercises
from conftest import kernel_for, printed, run_twice

ROOT = Path(__file__).resolve().parents[1]
NOTEBOOKS = ROOT / "notebooks"
sys.path.insert(0, str(NOTEBOOKS))

import prepare  # noqa: E402

LESSONS = prepare.lessons()
each_lesson = pytest.mark.parametrize("path", LESSONS, ids=lambda path: path.stem)


def read(path):
    return nbformat.read(path, as_version=4)


def edition(path):
    return read(prepare.STUDENT / path.name)


def nbgrader(cell):
    return cell.metadata.get("nbgrader", {})


def key_of(path):
    return path.stem[:2] if path.stem[0] == "0" else path.stem


def names_of(path):
    return list(exercises.LESSONS[key_of(path)])


def test_committed_edition_is_the_generated_one(tmp_path):
    prepare.write_student_editions(tmp_path)
    names = [path.name for path in LESSONS]
    assert {path.name for path in prepare.STUDENT.iterdir()} == set(names)
    for name in names:
        committed = (prepare.STUDENT / name).read_bytes()
        assert committed == (tmp_path / name).read_bytes(), f"{name} : make eleves"


@each_lesson
def test_only_answers_and_links_differ(path):
    """Les trous comblés par les réponses redonnent la leçon, cellule pour cellule."""
    lesson, student = read(path), edition(path)
    assert [cell.id for cell in lesson.cells] == [cell.id for cell in student.cells]
    holes = []
    for cell, dug in zip(lesson.cells, student.cells):
        if cell.cell_type == "markdown":
            link = r"(?<=\]\()[^)]*"
            assert re.sub(link, "", dug.source) == re.sub(link, "", cell.source)
            for before, after in zip(
                *(re.findall(link, c.source) for c in (cell, dug))
            ):
                assert Path(after).name == Path(before).name
            continue
        assert dug.outputs == [] and dug.execution_count is None
        assert nbgrader(dug) == nbgrader(cell)
        if nbgrader(cell).get("solution"):
            holes.append(nbgrader(cell).grade_id)
            assert dug.source != cell.source
            assert "..." in dug.source or "eleve" in cell.metadata
            dug.source = cell.source
        assert dug.source == cell.source
    assert holes == names_of(path)


@each_lesson
def test_links_of_the_edition_lead_somewhere(path):
    for cell in edition(path).cells:
        for target in re.findall(r"\]\(([^)]+)\)", cell.source):
            if cell.cell_type == "markdown" and not target.startswith("http"):
                found = (prepare.STUDENT / target.partition("#")[0]).resolve()
                assert found.exists(), target
                is_lesson = found.name in {lesson.name for lesson in LESSONS}
                assert not is_lesson or found.parent == prepare.STUDENT, target


@each_lesson
def test_each_exercise_has_statement_answer_and_verdict(path):
    cells, names = read(path).cells, names_of(path)
    answers = [i for i, cell in enumerate(cells) if nbgrader(cell).get("solution")]
    for rank, (i, name) in enumerate(zip(answers, names, strict=True), start=1):
        titles = [
            line
            for cell in cells[:i]
            if cell.cell_type == "markdown"
            for line in cell.source.splitlines()
            if line.startswith("### Exercice ")
        ]
        assert titles[-1].startswith(f"### Exercice {rank} sur {len(names)} · ")
        assert len(titles) == rank
        verdict = cells[i + 1]
        assert verdict.source == f'{name} = exercises.check("{name}")'
        assert nbgrader(verdict) == {
            "schema_version": 3,
            "grade": True,
            "solution": False,
            "locked": True,
            "task": False,
            "points": 1,
            "grade_id": f"{name}-verdict",
        }
    assert cells[-2].source == f'exercises.progress("{key_of(path)}")'


@pytest.mark.parametrize(
    ("answer", "hole"),
    [
        ("x = 3", "x = ...  # à vous"),
        ('x = "b"  # a, b ou c', "x = ...  # a, b ou c"),
        ("x = (\n    1\n)", "x = ...  # à vous"),
        ("x, y = 1, 2", "...  # à vous"),
        ("x = 1\ny = 2", "...  # à vous"),
        ("x += 1", "...  # à vous"),
        ("return x", "...  # à vous"),
    ],
)
def test_holes(answer, hole):
    def around(text):
        lines = [f"    {line}" for line in text.splitlines()]
        return "\n".join(["def f():", *lines, "    return 0"])

    marked = around(f"# --- à vous : ici\n{answer}\n# --- fin")
    cell = nbformat.v4.new_code_cell(marked)
    assert prepare.student_source(cell) == around(hole)


def test_copies_are_made_where_they_lack_and_nothing_is_overwritten(tmp_path):
    first, *others = [path.name for path in LESSONS]
    (tmp_path / first).write_text("mon travail", encoding="utf-8")
    for _ in range(2):
        prepare.copy_missing(tmp_path)
        assert (tmp_path / first).read_text(encoding="utf-8") == "mon travail"
        for name in others:
            copy = (tmp_path / name).read_bytes()
            assert copy == (prepare.STUDENT / name).read_bytes()
    assert (tmp_path / "ardoise.ipynb").exists()


@each_lesson
def test_with_every_hole_empty_it_runs_twice(path, skip_if_libraries_lack):
    """Chaque cellule, deux fois de suite, dit ce que dit la leçon.

    Avant un trou, la réponse du cours : son verdict est celui que montre la leçon.
    """
    skip_if_libraries_lack(path)
    lesson, student = read(path), edition(path)
    with kernel_for(student, prepare.STUDENT) as client:
        for index, (cell, run) in enumerate(zip(lesson.cells, student.cells)):
            if cell.cell_type != "code":
                continue
            if nbgrader(cell).get("solution"):  # un trou, ou un code à réparer
                expected = "Pas encore" if "eleve" in cell.metadata else "À faire"
                shown = lesson.cells[index + 1]
                client.execute_cell(copy.deepcopy(cell), index)
                verdict = client.execute_cell(copy.deepcopy(shown), index + 1)
                assert printed(verdict) == printed(shown)
            text = run_twice(client, run, index)
            if nbgrader(cell).get("grade"):
                assert f" · {expected} : " in text, text
            elif (
                "exercises.progress" not in cell.source
                and "nbval-ignore-output" not in cell.metadata.get("tags", [])
            ):
                assert text == printed(cell), cell.id


# --- nbgrader -------------------------------------------------------------------------


def fill(path, names):
    """L'édition à compléter où seuls les exercices names sont faits."""
    lesson, student = read(path), edition(path)
    for cell, dug in zip(lesson.cells, student.cells):
        if nbgrader(cell).get("grade_id") in names:
            dug.source = cell.source
    return student


@pytest.mark.skipif(
    importlib.util.find_spec("nbgrader") is None, reason="nbgrader n'est pas installé"
)
def test_nbgrader_gives_what_each_copy_deserves(tmp_path):
    """Par les commandes mêmes du guide, dans une copie du dossier du cours."""
    course, path = tmp_path / "cours", LESSONS[0]
    ignored = shutil.ignore_patterns(".*", "build", "notation", "__pycache__")
    shutil.copytree(ROOT, course, ignore=ignored)
    guide = (ROOT / "ENSEIGNER.md").read_text("utf-8")
    block = guide.split("### nbgrader")[1].split("```bash\n")[1].split("```")[0]
    lines = [line.partition("#")[0] for line in block.splitlines()]
    _, make_folder, copy_lesson, generate, *steps = lines

    def run(command):
        bin_folder = str(Path(sys.executable).parent)
        search = os.pathsep.join([bin_folder, os.environ["PATH"]])
        options = {"PATH": search, "JUPYTER_PREFER_ENV_PATH": "1"}
        subprocess.run(
            command, shell=True, cwd=course, env=os.environ | options, check=True
        )

    for command in make_folder, copy_lesson, generate:
        run(command)
    notation = course / "notation"
    released = read(notation / "release" / "lecon_01" / path.name)
    for cell, dug in zip(released.cells, edition(path).cells):
        assert cell.cell_type == "markdown" or cell.source == dug.source

    names = names_of(path)
    half = names[: len(names) // 2]
    copies = {"juste": names, "vide": [], "moitie": half, "parenthese": names}
    for student, done in copies.items():
        folder = notation / "submitted" / student / "lecon_01"
        folder.mkdir(parents=True)
        nbformat.write(fill(path, done), folder / path.name)
    # Une faute de frappe ne coûte que son exercice.
    typo = notation / "submitted" / "parenthese" / "lecon_01" / path.name
    text = typo.read_text("utf-8")
    assert text.count("np.exp(-Z))") == 1
    typo.write_text(text.replace("np.exp(-Z))", "np.exp(-Z)"), "utf-8")
    for command in steps:
        run(command)

    with sqlite3.connect(notation / "gradebook.db") as database:
        rows = database.execute(
            "SELECT s.student_id, SUM(g.auto_score) FROM grade g"
            " JOIN submitted_notebook n ON g.notebook_id = n.id"
            " JOIN submitted_assignment s ON n.assignment_id = s.id GROUP BY 1"
        )
        marks = dict(rows.fetchall())
    assert marks == {
        "juste": len(names),
        "vide": 0,
        "moitie": len(half),
        "parenthese": len(names) - 1,
    }
    assert (notation / "notes.csv").exists()


# --- Dans un vrai noyau ---------------------------------------------------------------


@pytest.mark.parametrize("graded", [False, True])
def test_a_kernel_survives_what_beginners_write(graded, monkeypatch):
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    monkeypatch.delenv(exercises.GRADING_VARIABLE, raising=False)
    if graded:
        monkeypatch.setenv(exercises.GRADING_VARIABLE, "1")
    bodies = {
        "return 1 / (1 + np.exp(-Z)": "rien ne s'appelle sigma",
        "E = np.exp(-Z)\n    ...  # à vous\n    return E": "À faire",
        "return Z[...]": "Pas encore : avec Z",
        "exit()": "arrête tout",
        "return input()": "demande une saisie",
        "get_ipython().system('')": "il manque un return",
    }
    sources = ["import numpy as np, exercises"]
    for body in bodies:
        define = f"def sigma(Z):\n    {body}"
        sources += [define, 'sigma = exercises.check("sigma")']
    cells = [nbformat.v4.new_code_cell(source) for source in sources]
    notebook = nbformat.v4.new_notebook(cells=cells)
    NotebookClient(notebook, allow_errors=True).execute()
    for cell, words in zip(cells[2::2], bodies.values(), strict=True):
        # Une même ligne peut arriver en deux morceaux.
        assert words in "".join(output.get("text", "") for output in cell.outputs)
        kinds = [output.output_type for output in cell.outputs]
        assert [kind for kind in kinds if kind != "stream"] == ["error"] * graded
