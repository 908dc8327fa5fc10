"""Le cours dans un vrai navigateur : JupyterLab, la souris, le doigt et le clavier.

Il faut Chromium et le paquet playwright, qui le conduit ; sans eux, tout est passé.
Les images fixes du livre se refont en disant où les mettre :

    COURSE_STILLS=site/images pytest tests/test_browser.py
"""

import functools
import io
import json
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from contextlib import contextmanager
from pathlib import Path

import drawings
import pytest
from PIL import Image

playwright = pytest.importorskip(
    "playwright.sync_api", reason="le paquet playwright n'est pas installé"
)

ROOT = Path(__file__).resolve().parents[1]
STUDENT, SANDBOX, SLATE = (
    "eleve/01_premier_neurone.ipynb",
    "jouer/bac_a_sable.ipynb",
    "jouer/ardoise.ipynb",
)
# Sur une machine chargée, tout arrive, mais tard : on attend une condition, longtemps.
PATIENCE = 180  # secondes

# La condition d'un carnet exécuté jusqu'au bout, ou arrêté par une erreur.
IS_DONE = """() => {
    const { content, sessionContext } = jupyterapp.shell.currentWidget;
    const cells = content.widgets.map(({ model }) => model);
    const code = cells.filter((cell) => cell.type === 'code');
    const failed = code.some((cell) =>
        cell.outputs.toJSON().some((output) => output.output_type === 'error'));
    const counted = code.every((cell) => cell.executionCount !== null);
    return sessionContext.session.kernel.status === 'idle' && (counted || failed);
}"""
COUNTS = """() => jupyterapp.shell.currentWidget.content.widgets
    .filter(({ model }) => model.type === 'code')
    .map(({ model }) => model.executionCount)"""
# « Exécuter tout » avant que le noyau soit prêt ouvre un dialogue, et tout s'arrête.
IS_READY = """(path) => {
    const panel = window.jupyterapp?.shell.currentWidget;
    return panel?.context?.path === path && panel.context.isReady
        && panel.content?.widgets?.length > 0
        && panel.sessionContext.isReady
        && panel.sessionContext.session?.kernel?.status === 'idle';
}"""


def write_setting(folder, plugin, **values):
    """Un réglage de JupyterLab : pas de question au démarrage, des menus connus."""
    path = folder / "settings" / "@jupyterlab" / f"{plugin}.jupyterlab-settings"
    path.parent.mkdir(parents=True)
    path.write_text(json.dumps(values))


@pytest.fixture(scope="module")
def lab(tmp_path_factory, browser):
    """L'adresse d'un JupyterLab à soi, sur des copies, avec ses propres réglages."""
    folder = tmp_path_factory.mktemp("lab")
    course = folder / "cours"
    for name in (STUDENT, SANDBOX, SLATE):
        copy = course / "notebooks" / name
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / "notebooks" / name, copy)
    for path in [*ROOT.glob("*.py"), *ROOT.glob("*.js"), *ROOT.glob("*.css")]:
        shutil.copy(path, course)
    shutil.copytree(ROOT / "datasets", course / "datasets")
    write_setting(folder, "apputils-extension/notification", fetchNews="false")
    write_setting(folder, "translation-extension/plugin", locale="en")

    environment = {
        **os.environ,
        "JUPYTERLAB_SETTINGS_DIR": str(folder / "settings"),
        "JUPYTERLAB_WORKSPACES_DIR": str(folder / "workspaces"),
        "IPYTHONDIR": str(folder / "ipython"),
        "JUPYTER_PREFER_ENV_PATH": "1",
    }
    for name in ("CONFIG", "RUNTIME", "DATA"):
        environment[f"JUPYTER_{name}_DIR"] = str(folder / name.lower())
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    address = f"http://127.0.0.1:{port}"
    options = [
        "--no-browser",
        "--allow-root",
        "--ServerApp.ip=127.0.0.1",
        f"--ServerApp.port={port}",
        "--ServerApp.port_retries=0",
        "--IdentityProvider.token=",
        f"--ServerApp.root_dir={course}",
        "--LabApp.expose_app_in_browser=True",
    ]
    log = folder / "journal.txt"
    with log.open("w") as output:
        server = subprocess.Popen(
            [sys.executable, "-m", "jupyterlab", *options],
            env=environment,
            stdout=output,
            stderr=output,
        )
    try:
        deadline = time.monotonic() + PATIENCE
        while not _answers(address):
            assert server.poll() is None, log.read_text()
            assert time.monotonic() < deadline, log.read_text()
            time.sleep(0.2)
        yield address
    finally:
        server.terminate()
        server.wait(PATIENCE)


def _answers(address):
    try:
        return get(address, "/api/status")
    except OSError:
        return False


def get(address, path):
    with urllib.request.urlopen(address + path, timeout=PATIENCE) as answer:
        return json.load(answer)


class Notebook:
    """Un carnet ouvert dans JupyterLab, et ce qu'un lecteur y fait."""

    folder, patience = "notebooks/", PATIENCE

    @classmethod
    @contextmanager
    def opened(cls, browser, lab, path):
        """Un carnet exécuté de bout en bout, refermé à la fin, même s'il échoue."""
        notebook = cls(browser, lab, path)
        try:
            notebook.open()
            notebook.run_all()
            yield notebook
        finally:
            notebook.close()

    def __init__(self, browser, lab, path):
        self.lab, self.path = lab, self.folder + path
        self.page = browser.new_page(
            viewport={"width": 1280, "height": 1000}, has_touch=True
        )
        self.page.set_default_timeout(1000 * self.patience)
        self.errors = []
        self.page.on("pageerror", lambda error: self.errors.append(error))

    def open(self):
        self.page.goto(self.address())
        self.page.wait_for_function(IS_READY, arg=self.path)

    def address(self):
        return f"{self.lab}/lab/tree/{self.path}?reset"

    def run_all(self):
        self.ask_to_run_all()
        self.page.wait_for_function(IS_DONE, polling=200)

    def ask_to_run_all(self):
        """Par le menu, comme tout le monde."""
        self.page.get_by_role("menuitem", name="Run", exact=True).click()
        self.page.get_by_role("menuitem", name="Run All Cells", exact=True).click()

    def saved_cells(self):
        """Les cellules de code, enregistrées, telles que le serveur les rend.

        Un enregistrement automatique, commencé plus tôt et fini plus tard, peut rendre
        un carnet à moitié exécuté : on enregistre jusqu'à retrouver celui de la page.
        """
        deadline = time.monotonic() + PATIENCE
        while True:
            self.page.get_by_role("menuitem", name="File", exact=True).click()
            self.page.locator('.lm-Menu [data-command="docmanager:save"]').click()
            self.page.wait_for_function(
                "() => !jupyterapp.shell.currentWidget.context.model.dirty"
            )
            content = get(self.lab, f"/api/contents/{self.path}")["content"]
            cells = [cell for cell in content["cells"] if cell["cell_type"] == "code"]
            counts = [cell["execution_count"] for cell in cells]
            if counts == self.page.evaluate(COUNTS) or time.monotonic() > deadline:
                return cells

    def show(self, cell):
        """Fait défiler jusqu'à la cellule, et la rend : JupyterLab ôte les autres."""
        index = self.page.evaluate(
            """async (id) => {
                const { content } = jupyterapp.shell.currentWidget;
                const index = content.widgets.findIndex((c) => c.model.id === id);
                content.activeCellIndex = index;
                await content.scrollToItem(index, 'start');
                return index;
            }""",
            cell,
        )
        return self.page.locator(f'.jp-Cell[data-windowed-list-index="{index}"]')

    def type(self, cell, source):
        """Remplace le texte de la cellule au clavier ; l'exécute, puis la suivante."""
        self.show(cell).locator(".cm-content").click()
        self.page.keyboard.press("Control+a")
        self.page.keyboard.type(source)
        self.page.keyboard.press("Shift+Enter")
        self.page.keyboard.press("Shift+Enter")

    def wait_for_text(self, cell, text):
        self.page.wait_for_function(
            """([id, text]) => jupyterapp.shell.currentWidget.content.widgets
                .find((c) => c.model.id === id).model.outputs.toJSON()
                .some((output) => [output.text].flat().join('').includes(text))""",
            arg=[cell, text],
        )

    def close(self):
        self.page.evaluate(
            "() => window.jupyterapp?.shell.currentWidget?.sessionContext.shutdown()"
        )
        self.page.close()


@pytest.fixture(scope="module")
def opened(browser, lab):
    """De quoi ouvrir un carnet ; test_online.py l'ouvre ailleurs."""
    return functools.partial(Notebook.opened, browser, lab)


@pytest.fixture(scope="module")
def student(opened):
    with opened(STUDENT) as notebook:
        yield notebook


@pytest.fixture(scope="module")
def sandbox(opened):
    with opened(SANDBOX) as notebook:
        yield notebook


@pytest.fixture(scope="module")
def slate(opened):
    with opened(SLATE) as notebook:
        yield notebook


def take_still(widget, name):
    """Garde l'image fixe du widget, en 256 couleurs : trois fois plus légère."""
    if folder := os.environ.get("COURSE_STILLS"):
        image = Image.open(io.BytesIO(widget.screenshot())).convert("RGB")
        image.quantize(256).save(Path(folder) / f"{name}.png", optimize=True)


# --- La leçon d'un élève --------------------------------------------------------------


def test_student_notebook_runs_to_its_end_with_every_hole_empty(student):
    cells = student.saved_cells()
    outputs = [output for cell in cells for output in cell["outputs"]]
    assert not [o["traceback"] for o in outputs if o["output_type"] == "error"]
    counts = [cell["execution_count"] for cell in cells]
    assert counts == list(range(1, len(cells) + 1))
    student.wait_for_text("verdict-sigma", "À faire")


def test_sliders_move_the_figure(student):
    cell = student.show("curseurs")
    image = cell.locator(".jp-OutputArea img")
    before = image.get_attribute("src")
    handle = cell.get_by_role("slider").first
    handle.focus()
    handle.press("ArrowRight")
    playwright.expect(image).not_to_have_attribute(
        "src", before, timeout=1000 * PATIENCE
    )


def test_an_exercise_typed_in_is_judged_right_then_wrong(student):
    """CodeMirror met lui-même la seconde ligne en retrait."""
    student.type("exo-sigma", "def sigma(Z):\nreturn 1 / (1 + np.exp(-Z))")
    student.wait_for_text("verdict-sigma", "Juste")
    student.type("exo-sigma", "def sigma(Z):\nreturn 1 / (1 + np.exp(Z))")
    student.wait_for_text("verdict-sigma", "Pas encore")


# --- Le bac à sable -------------------------------------------------------------------


def n_steps(widget):
    return int(widget.get_attribute("data-steps"))


def wait_for_steps(notebook, condition):
    notebook.page.wait_for_function(
        f"""() => {{
            const steps = Number(document.querySelector('.jouer').dataset.steps);
            return {condition};
        }}"""
    )


def test_sandbox_starts_pauses_steps_and_restarts(sandbox):
    widget = sandbox.show("bac-a-sable").locator(".jouer")
    widget.get_by_role("button", name="Lancer").click()
    wait_for_steps(sandbox, "steps > 100")
    take_still(widget, "bac_a_sable")
    widget.get_by_role("button", name="Pause").click()
    widget.get_by_role("button", name="Un pas").click()
    # Les questions sont dans l'ordre : après ce pas, plus rien ne part.
    playwright.expect(widget.get_by_role("button", name="Lancer")).to_be_visible()
    wait_for_steps(sandbox, "steps % 5 === 1")
    paused = n_steps(widget)
    widget.get_by_role("button", name="Un pas").press("Enter")
    wait_for_steps(sandbox, f"steps === {paused + 1}")
    widget.get_by_role("button", name="Recommencer").click()
    wait_for_steps(sandbox, "steps === 0")
    assert sandbox.errors == []


def test_sandbox_settings_change_what_is_drawn(sandbox):
    widget = sandbox.show("bac-a-sable").locator(".jouer")
    plane = widget.get_by_role("img", name="Les points et la frontière")
    before = plane.evaluate("(canvas) => canvas.toDataURL()")
    widget.get_by_label("Données").select_option("spirales")
    sandbox.page.wait_for_function(
        """(before) => document.querySelectorAll('.jouer canvas')[1].toDataURL()
            !== before""",
        arg=before,
    )
    assert sandbox.errors == []


def test_sandbox_keys_stay_in_the_sandbox(sandbox):
    """Ni « d d » n'efface la cellule, ni « a » n'en ajoute ; une flèche choisit."""
    widget = sandbox.show("bac-a-sable").locator(".jouer")
    list_cells = """() => jupyterapp.shell.currentWidget.content.widgets.map(
        (cell) => cell.model.id
    )"""
    before = sandbox.page.evaluate(list_cells)
    chosen = widget.get_by_label("Données")
    chosen.select_option("cercles")
    chosen.press("ArrowDown")
    playwright.expect(chosen).to_have_value("lunes")
    for key in "d", "d", "a":
        widget.get_by_role("button", name="Un pas").press(key)
    assert widget.is_visible()
    assert sandbox.page.evaluate(list_cells) == before
    assert sandbox.errors == []


def test_sandbox_layers_go_when_the_first_one_goes(sandbox):
    """Il n'y a pas de couche derrière une couche vide, ni dans l'image ni au menu."""
    widget = sandbox.show("bac-a-sable").locator(".jouer")
    first, second, third = (
        widget.get_by_label(f"Couche cachée {k}") for k in (1, 2, 3)
    )
    first.select_option("4")
    second.select_option("2")
    playwright.expect(third).to_be_enabled()
    first.select_option("0")
    playwright.expect(second).to_have_value("0")
    playwright.expect(second).to_be_disabled()
    playwright.expect(third).to_be_disabled()
    first.select_option("4")
    assert sandbox.errors == []


# --- L'ardoise ------------------------------------------------------------------------


def messages(widget):
    return int(widget.get_attribute("data-messages"))


def say(widget, pattern):
    playwright.expect(widget.get_by_role("status")).to_contain_text(
        pattern, timeout=1000 * PATIENCE
    )


def place(box, point):
    return box["x"] + point[0] * box["width"] / 100, (
        box["y"] + point[1] * box["height"] / 100
    )


def wipe(widget):
    widget.get_by_role("button", name="Effacer").click()
    say(widget, "L’ardoise est vide")


def test_slate_hears_the_mouse_and_learns(slate):
    widget = slate.show("ardoise").locator(".jouer")
    say(widget, "L’ardoise est vide")
    box, mouse = widget.locator(".slate").bounding_box(), slate.page.mouse
    before = messages(widget)
    for stroke in drawings.ANIMALS["girafe"]:
        mouse.move(*place(box, stroke[0]))
        mouse.down()
        for point in stroke[1:]:
            mouse.move(*place(box, point), steps=5)
        mouse.up()
    say(widget, "Je vois : girafe")
    assert before < messages(widget) < before + 100
    take_still(widget, "ardoise")
    teach = widget.get_by_role("button", name="Le lui apprendre")
    playwright.expect(teach).to_be_disabled()  # rien n'est encore choisi
    widget.get_by_label("C’était").select_option("ours")
    teach.click()
    say(widget, "Merci, 1 dessin retenu. Je vois : ours")
    wipe(widget)
    playwright.expect(teach).to_be_disabled()
    assert slate.errors == []


def test_slate_keeps_a_dot_and_lays_the_eraser_down(slate):
    """Un œil est un point ; après « Effacer », c'est la craie que l'on tient."""
    widget = slate.show("ardoise").locator(".jouer")
    board, rubber = widget.locator(".slate"), widget.get_by_role("button", name="Gomme")
    rubber.click()
    wipe(widget)
    playwright.expect(rubber).to_have_attribute("aria-pressed", "false")
    board.click()
    say(widget, "Je vois")
    wipe(widget)
    assert slate.errors == []


def test_slate_undoes_a_stroke_and_a_wipe(slate):
    """Au bouton, ou par Ctrl + Z, que JupyterLab ne prend pas pour lui."""
    widget = slate.show("ardoise").locator(".jouer")
    board, undo = widget.locator(".slate"), widget.get_by_role("button", name="Annuler")
    wipe(widget)
    board.click()
    say(widget, "Je vois")
    undo.click()
    say(widget, "L’ardoise est vide")
    board.click()
    wipe(widget)
    undo.click()  # ce qui était effacé revient
    say(widget, "Je vois")
    board.press("Control+z")
    say(widget, "L’ardoise est vide")
    assert slate.errors == []


def test_slate_hears_a_finger(slate):
    widget = slate.show("ardoise").locator(".jouer")
    box = widget.locator(".slate").bounding_box()
    session = slate.page.context.new_cdp_session(slate.page)

    def touch(kind, *points):
        where = [dict(zip("xy", place(box, p), strict=True)) for p in points]
        session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": where})

    touch("touchStart", (20, 50))
    for x in range(25, 85, 5):
        touch("touchMove", (x, 50))
    touch("touchEnd")
    say(widget, "Je vois :")
    wipe(widget)
    assert slate.errors == []


def test_slate_follows_the_first_finger_only(slate):
    """Une paume, un second doigt : ni trait de l'un à l'autre, ni craie levée."""
    widget = slate.show("ardoise").locator(".jouer")
    box = widget.locator(".slate").bounding_box()
    session = slate.page.context.new_cdp_session(slate.page)

    def touch(kind, **fingers):
        points = [
            dict(zip("xy", place(box, point), strict=True)) | {"id": i}
            for i, point in enumerate(fingers.values())
        ]
        session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})

    touch("touchStart", finger=(20, 20))
    touch("touchStart", finger=(20, 20), palm=(80, 80))
    for x in range(25, 85, 5):
        touch("touchMove", finger=(x, 20), palm=(x, 80))
    touch("touchEnd")
    say(widget, "Je vois :")
    lowest = widget.locator(".slate").evaluate(
        """(canvas) => {
            const { data } = canvas.getContext('2d').getImageData(0, 0, 280, 280);
            return Math.floor(data.findLastIndex((v, i) => i % 4 === 0 && v) / 4 / 280);
        }"""
    )
    assert lowest < 280 / 2  # la paume, plus bas, n'a rien tracé
    wipe(widget)
    assert slate.errors == []


def test_slate_hears_the_keyboard(slate):
    """Espace pose la craie, les flèches la mènent, Espace la lève."""
    widget = slate.show("ardoise").locator(".jouer")
    widget.locator(".slate").focus()
    for key in [" ", *["ArrowDown"] * 8, *["ArrowRight"] * 8, " ", "ArrowLeft"]:
        slate.page.keyboard.press(key)
    say(widget, "Je vois :")
    chalk = widget.locator(".slate").evaluate(
        """(canvas) => {
            const { data } = canvas.getContext('2d').getImageData(0, 0, 280, 280);
            const xs = [], ys = [];
            for (let i = 0; i < 280 * 280; i++)
                if (data[4 * i] > 127) xs.push(i % 280), ys.push(Math.floor(i / 280));
            return [xs, ys].map((v) => Math.max(...v) - Math.min(...v));
        }"""
    )
    # Huit fois six pixels, et l'épaisseur de la craie.
    assert chalk == [pytest.approx(8 * 6 + 14, abs=3)] * 2
    wipe(widget)
    assert slate.errors == []


def test_slate_says_that_its_kernel_has_restarted(slate):
    """Le dernier test de l'ardoise : après lui, elle ne répond plus."""
    widget = slate.show("ardoise").locator(".jouer")
    warning = widget.get_by_text("Python a redémarré")
    playwright.expect(warning).to_be_hidden()
    session = "jupyterapp.shell.currentWidget.sessionContext.session"
    slate.page.evaluate(f"() => {session}.kernel.restart()")
    playwright.expect(warning).to_be_visible(timeout=1000 * PATIENCE)
