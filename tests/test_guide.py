"""Ce que le guide de l'enseignant avance, et qui pourrait ne plus être vrai."""

import re
from pathlib import Path

import nbformat
import numpy as np
import pytest
from PIL import Image

import exercises
from utilities import load_class_names, load_data

ROOT = Path(__file__).resolve().parents[1]
GUIDE = (ROOT / "ENSEIGNER.md").read_text(encoding="utf-8")


def test_links_lead_somewhere():
    for target in re.findall(r"\]\((?!http)([^)]+)\)", GUIDE):
        path, _, anchor = target.partition("#")
        assert (ROOT / path).exists(), target
        text = (ROOT / path).read_text("utf-8") if path and anchor else GUIDE
        titles = re.findall(r"^#+ (.*)$", text, re.MULTILINE)
        slugs = [re.sub(r"[^\w\- ]", "", t.lower()).replace(" ", "-") for t in titles]
        assert not anchor or anchor in slugs, target


@pytest.mark.parametrize("name", ["README.md", "README.en.md"])
def test_the_readme_promises_what_the_lessons_show(name):
    """La leçon affiche chaque pourcentage du tableau ; sa durée est la sienne."""
    text = (ROOT / name).read_text("utf-8").replace("\xa0", " ")
    row = r"^\| \[\d\d · .*?\]\((.*?)\) \|.*\| (.*) \| (.*) \|$"
    rows = re.findall(row, text, re.MULTILINE)
    assert len(rows) == 4
    for path, time, accuracy in rows:
        cells = nbformat.read(ROOT / path, as_version=4).cells
        outputs = [output for cell in cells for output in cell.get("outputs", [])]
        shown = "".join(out.get("text", "") for out in outputs).replace("\xa0", " ")
        for number in re.findall(r"(\d+) ?%", accuracy):
            assert f"{number} %" in shown, (path, number)
        assert time == "2 h"
        assert "deux séances d’une heure" in cells[0].source


@pytest.mark.parametrize("number", ["01", "02", "03", "04"])
def test_a_session_is_that_of_its_lesson(number):
    """Deux heures sans trou ; exercices, sections et verdicts sont ceux du carnet."""
    session = GUIDE.split(f"\n### Leçon {number}")[1].split("\n## ")[0]
    session = session.split("\n### ")[0].replace("’", "'").replace("\xa0", " ")
    steps = re.findall(r"^\| (\d+)–(\d+) \|", session, re.MULTILINE)
    starts, ends = zip(*steps)
    assert ["0", *ends] == [*starts, "120"]
    announced = re.findall(r"[Ee]xercice (\d+), `(\w+)`", session)
    entries = exercises.LESSONS[number]
    assert announced == [(str(k), name) for k, name in enumerate(entries, start=1)]
    (notebook,) = (ROOT / "notebooks").glob(f"{number}_*.ipynb")
    for section in re.findall(r"§ (\d+)", session):
        assert f"## {section}. " in notebook.read_text("utf-8"), section
    verdicts = [words for entry in entries.values() for words in entry.mistakes]
    quoted = re.findall(r"^\| « (.*?)… » \|", session, re.MULTILINE)
    assert quoted and all(any(v.startswith(q) for v in verdicts) for q in quoted)


def test_one_s_own_images(tmp_path, monkeypatch):
    pixels = np.random.default_rng(0).integers(0, 256, (10, 40, 50), dtype=np.uint8)
    for k, image in enumerate(map(Image.fromarray, pixels)):
        folder = tmp_path / "images_de_la_classe" / ("chene", "erable")[k % 2]
        folder.mkdir(parents=True, exist_ok=True)
        for name in (k, f"copie de {k}"):
            image.save(folder / f"{name}.{('png', 'JPG', 'jpeg')[k % 3]}")
    (folder / "Thumbs.db").touch()
    monkeypatch.chdir(tmp_path)
    (snippet,) = re.findall(r"```python\n(.*?)```", GUIDE, re.DOTALL)
    exec(snippet, {})
    X_train, _, X_test, y_test = load_data("mes_images")
    assert len(X_train) + len(X_test) == 10 and y_test.sum() == 1
    assert load_class_names("mes_images") == ["chene", "erable"]
