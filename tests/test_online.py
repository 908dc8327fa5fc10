"""Les leçons exécutées pour de bon dans un navigateur : il y faut le réseau.

Passés, sauf si COURSE_ONLINE vaut 1, comme chaque lundi dans navigateur.yml. Le noyau
se télécharge ; COURSE_LITE nomme un autre dossier que build/site/lite, s'il le faut.
"""

import json
import os
import time
from pathlib import Path

import pytest

from conftest import serve
from exercises import LESSONS, TO_DO

ROOT = Path(__file__).resolve().parents[1]
LITE = Path(os.environ.get("COURSE_LITE", ROOT / "build" / "site" / "lite"))
STUDENT = sorted((ROOT / "notebooks" / "eleve").glob("0*.ipynb"))
TIMEOUT = 600  # secondes, téléchargements compris

pytestmark = pytest.mark.skipif(
    os.environ.get("COURSE_ONLINE") != "1", reason="il faut COURSE_ONLINE=1"
)


@pytest.fixture(scope="module")
def address():
    """Le site du noyau, servi d'ici."""
    with serve(LITE) as address:
        yield f"{address}lab/index.html"


def report(sentence):
    """Écrit une ligne dans le compte rendu de GitHub, et dans celui de pytest."""
    print(sentence)
    if summary := os.environ.get("GITHUB_STEP_SUMMARY"):
        with Path(summary).open("a", encoding="utf-8") as file:
            file.write(f"- {sentence}\n")


@pytest.fixture
def page(browser, request):
    page = browser.new_page(viewport={"width": 1280, "height": 900})
    yield page
    folder = ROOT / "build" / "captures"
    page.screenshot(path=folder / f"{request.node.name}.png")
    page.close()


RUN_ALL = """async () => {
    const {commands, shell} = window.jupyterapp;
    await commands.execute("notebook:run-all-cells");
    return JSON.stringify(shell.currentWidget.context.model.toJSON());
}"""
RUN_ONE = """async () => {
    const {commands} = window.jupyterapp;
    await commands.execute("notebook:run-cell-and-select-next");
    await commands.execute("notebook:run-cell-and-select-next");
    await commands.execute("notebook:run-cell-and-select-next");
}"""


@pytest.mark.parametrize("lesson", STUDENT, ids=lambda path: path.stem)
def test_a_lesson_runs_in_the_browser_kernel(page, address, lesson):
    """Trous vides, de haut en bas, sans erreur ; et le temps qu'il y faut."""
    page.set_default_timeout(TIMEOUT * 1000)
    start = time.monotonic()
    page.goto(f"{address}?path=eleve/{lesson.name}")
    page.wait_for_selector(".jp-Notebook .jp-CodeCell")
    page.evaluate(RUN_ONE)  # le titre et la première cellule : le noyau est là
    ready = time.monotonic()
    cells = json.loads(page.evaluate(RUN_ALL))["cells"]
    end = time.monotonic()
    cells = [cell for cell in cells if cell["cell_type"] == "code"]
    outputs = [output for cell in cells for output in cell["outputs"]]
    assert not [out for out in outputs if out["output_type"] == "error"]
    assert all(cell["execution_count"] for cell in cells)
    text = "".join("".join(out.get("text", "")) for out in outputs)
    assert text.count("Exercice ") >= len(LESSONS[lesson.name[:2]])
    assert TO_DO in text
    report(
        f"{lesson.stem} : noyau prêt en {ready - start:.0f} s, "
        f"puis toutes les cellules en {end - ready:.0f} s."
    )


# Basthon garde l'interface, et l'objet Jupyter, du Notebook classique.
BASTHON_RUN_ALL = "() => { window.Jupyter.notebook.execute_all_cells(); }"
BASTHON_DONE = """() => {
    const cells = window.Jupyter.notebook.get_cells();
    const last = cells.filter(cell => cell.cell_type === "code").pop();
    return last.input_prompt_number > 0;
}"""


@pytest.mark.parametrize("lesson", STUDENT, ids=lambda path: path.stem)
def test_a_lesson_runs_in_basthon(page, lesson):
    """Le lien donné dans ENSEIGNER.md : pas encore vu fonctionner."""
    online = pytest.importorskip("online")
    page.set_default_timeout(TIMEOUT * 1000)
    page.goto(online.basthon(os.environ["GITHUB_REPOSITORY"], f"eleve/{lesson.name}"))
    page.wait_for_function("() => window.Jupyter?.notebook?.get_cells().length > 9")
    page.evaluate(BASTHON_RUN_ALL)
    page.wait_for_function(BASTHON_DONE)
    assert page.locator(".output_error").count() == 0
    report(f"{lesson.stem} : s'exécute dans Basthon.")
