"""Les carnets exécutés pour de bon dans un navigateur : il y faut le réseau.

Passés, sauf si COURSE_ONLINE vaut 1, comme chaque lundi dans navigateur.yml. Le noyau
se télécharge, sauf si COURSE_LITE nomme, au lieu de build/site/lite, un site qui l'a.
"""

import functools
import os
import time
from pathlib import Path

import pytest
from test_browser import (
    Notebook,
    sandbox,  # noqa: F401
    slate,  # noqa: F401
    student,  # noqa: F401
    test_an_exercise_typed_in_is_judged_right_then_wrong,  # noqa: F401
    test_sandbox_keys_stay_in_the_sandbox,  # noqa: F401
    test_sandbox_layers_go_when_the_first_one_goes,  # noqa: F401
    test_sandbox_settings_change_what_is_drawn,  # noqa: F401
    test_sandbox_starts_pauses_steps_and_restarts,  # noqa: F401
    test_slate_hears_a_finger,  # noqa: F401
    test_slate_hears_the_keyboard,  # noqa: F401
    test_slate_hears_the_mouse_and_learns,  # noqa: F401
    test_slate_keeps_a_dot_and_lays_the_eraser_down,  # noqa: F401
    test_slate_undoes_a_stroke_and_a_wipe,  # noqa: F401
    test_sliders_move_the_figure,  # noqa: F401
)

from conftest import serve
from exercises import LESSONS, TO_DO

ROOT = Path(__file__).resolve().parents[1]
LITE = Path(os.environ.get("COURSE_LITE", ROOT / "build" / "site" / "lite"))
NEEDS_MORE = {"pytorch", "keras"}  # ces annexes envoient sur Colab
EDITIONS = sorted((ROOT / "notebooks" / "eleve").glob("*.ipynb"))
EDITIONS = [path for path in EDITIONS if path.stem not in NEEDS_MORE]
LESSON_PATHS = [path for path in EDITIONS if path.name[:2] in LESSONS]
TIMEOUT = 600  # secondes, téléchargements compris

pytestmark = pytest.mark.skipif(
    os.environ.get("COURSE_ONLINE") != "1", reason="il faut COURSE_ONLINE=1"
)


def report(sentence):
    """Écrit une ligne dans le compte rendu de GitHub, et dans celui de pytest."""
    print(sentence)
    if summary := os.environ.get("GITHUB_STEP_SUMMARY"):
        with Path(summary).open("a", encoding="utf-8") as file:
            file.write(f"- {sentence}\n")


def take_picture(page, name):
    page.screenshot(path=ROOT / "build" / "captures" / f"{name}.png")


# --- Le noyau du site -----------------------------------------------------------------


class BrowserNotebook(Notebook):
    """Un carnet ouvert dans le site du noyau, et exécuté par le navigateur."""

    folder, patience = "", TIMEOUT

    def address(self):
        """Celle que donne le bouton du site."""
        app = "notebooks" if self.path.startswith("jouer/") else "lab"
        return f"{self.lab}{app}/index.html?path={self.path}"

    def open(self):
        self.start = time.monotonic()
        super().open()

    def run_all(self):
        self.ready = time.monotonic()
        super().run_all()
        self.end = time.monotonic()

    def ask_to_run_all(self):
        """Par la commande du menu, dont le nom est ici en français."""
        command = "jupyterapp.commands.execute('notebook:run-all-cells')"
        self.page.evaluate(f"() => {{ {command}; }}")

    def cells(self):
        model = "jupyterapp.shell.currentWidget.context.model.toJSON()"
        cells = self.page.evaluate(f"() => {model}.cells")
        return [cell for cell in cells if cell["cell_type"] == "code"]

    def close(self):
        take_picture(self.page, Path(self.path).stem)
        super().close()


@pytest.fixture(scope="module")
def opened(browser):
    with serve(LITE) as address:
        yield functools.partial(BrowserNotebook.opened, browser, address)


@pytest.fixture(scope="module", params=EDITIONS, ids=lambda path: path.stem)
def lesson(opened, request):
    with opened(f"eleve/{request.param.name}") as notebook:
        yield notebook


def test_a_lesson_runs_in_the_browser_kernel(lesson):
    """Trous vides, de haut en bas, sans erreur ni avertissement ; et en combien."""
    cells, name = lesson.cells(), Path(lesson.path).stem
    outputs = [output for cell in cells for output in cell["outputs"]]
    assert not [out for out in outputs if out["output_type"] == "error"]
    assert all(cell["execution_count"] for cell in cells)
    streams = [out for out in outputs if out["output_type"] == "stream"]
    text = "".join("".join(out["text"]) for out in streams)
    assert "Warning" not in text
    key = name[:2] if name[:2] in LESSONS else name
    assert text.count("Exercice ") >= len(LESSONS[key])
    assert TO_DO in text
    report(
        f"{name} : noyau prêt en {lesson.ready - lesson.start:.0f} s, "
        f"puis toutes les cellules en {lesson.end - lesson.ready:.0f} s."
    )


# --- Basthon --------------------------------------------------------------------------

# Basthon garde l'interface, et l'objet Jupyter, du Notebook classique.
BASTHON_RUN_ALL = "() => { window.Jupyter.notebook.execute_all_cells(); }"
BASTHON_DONE = """() => {
    const cells = window.Jupyter.notebook.get_cells();
    const last = cells.filter(cell => cell.cell_type === "code").pop();
    return last.input_prompt_number > 0;
}"""


@pytest.mark.parametrize("path", LESSON_PATHS, ids=lambda path: path.stem)
def test_a_lesson_runs_in_basthon(browser, path):
    """Le lien donné dans ENSEIGNER.md : pas encore vu fonctionner."""
    online = pytest.importorskip("online")
    page = browser.new_page()
    page.set_default_timeout(TIMEOUT * 1000)
    page.goto(online.basthon(os.environ["GITHUB_REPOSITORY"], f"eleve/{path.name}"))
    try:
        page.wait_for_function("() => window.Jupyter?.notebook?.get_cells().length > 9")
        page.evaluate(BASTHON_RUN_ALL)
        page.wait_for_function(BASTHON_DONE)
        assert page.locator(".output_error").count() == 0
    finally:
        take_picture(page, f"basthon-{path.stem}")
        page.close()
    report(f"{path.stem} : s'exécute dans Basthon.")
