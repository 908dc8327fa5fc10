"""Ce que les tests du module partagent : réglages, données, messages attendus."""

import functools
import http.server
import os
import re
import shutil
import threading
import time
from contextlib import contextmanager
from pathlib import Path

import matplotlib

# Par la fonction et non par MPLBACKEND : les noyaux que nbval lance en hériteraient.
matplotlib.use("Agg")
# tqdm lit cette variable à son importation.
os.environ.setdefault("TQDM_DISABLE", "1")

import h5py
import numpy as np
import pytest
from hypothesis import settings
from jupyter_client import AsyncKernelManager
from matplotlib import pyplot as plt
from nbclient import NotebookClient
from nbformat.v4 import new_code_cell

ROOT = Path(__file__).resolve().parents[1]
PARTS = ("train", "test")
# « make test » va vite (conftest.py, à la racine) ; pytest seul ne passe rien.
IS_QUICK = os.environ.get("COURSE_QUICK") == "1"

# Les mêmes exemples à chaque exécution, sans limite de temps sur une machine chargée.
settings.register_profile("course", derandomize=True, deadline=None, max_examples=50)
settings.load_profile("course")

# Les mots que laisserait passer un message de h5py, de NumPy ou du système.
ENGLISH = re.compile(
    r"unable|can't|cannot|errno|no such|not found|expected|invalid|unsupported"
    r"|must be|should be|too long|permission|synchronously|unsized|<class|0x",
    re.IGNORECASE,
)
# « doit être… », « il en faut… », « n'existe pas » et un conseil à l'impératif.
EXPECTATION = re.compile(r"\bdoi(?:t|vent)\b|\w+ez\b|\bil en faut\b|\battend\b")


def assert_helpful(error, *names):
    """Une phrase française qui cite `names` et dit ce qu'il fallait, ou quoi faire."""
    message = str(error.value if hasattr(error, "value") else error)
    for name in names:
        assert str(name) in message
    assert "\n" not in message
    assert message.endswith(".")
    assert EXPECTATION.search(message), f"ni attente ni conseil : {message}"
    leaked = ENGLISH.search(message)
    assert leaked is None, f"« {leaked[0]} » dans : {message}"


def write_part(folder, part, edit=None):
    """Écrit un petit fichier correct, puis le confie à `edit` qui peut l'abîmer."""
    rng = np.random.default_rng(0 if part == "train" else 1)
    path = folder / f"{part}set.hdf5"
    with h5py.File(path, "w") as file:
        images = rng.integers(0, 256, size=(6, 5, 3), dtype=np.uint8)
        file[f"X_{part}"] = images
        file[f"Y_{part}"] = np.arange(6).reshape(-1, 1) % 2.0
        if edit is not None:
            edit(file)
    return path


def read_part(folder, part):
    """Lit un fichier comme le faisait le cours précédent."""
    with h5py.File(folder / f"{part}set.hdf5", "r") as file:
        return file[f"X_{part}"][:], file[f"Y_{part}"][:]


@pytest.fixture
def folder(tmp_path):
    """Un dossier au bon format ; son nom a accents, espaces et apostrophe."""
    path = tmp_path / "Images d'été à nous"
    path.mkdir()
    write_part(path, "train")
    write_part(path, "test")
    return path


@pytest.fixture
def photos_dir():
    """Le dossier des photographies, ou l'abandon du test s'il n'est pas donné."""
    path = os.environ.get("COURSE_PHOTOS_DIR")
    if not path:
        pytest.skip("COURSE_PHOTOS_DIR n'est pas définie : pas de photographies ici")
    return Path(path)


@pytest.fixture
def figures(monkeypatch):
    """Dessine sans écran ; les figures sont fermées à la fin."""
    monkeypatch.setattr(plt, "show", lambda: None)
    plt.close("all")
    yield lambda: [plt.figure(number) for number in plt.get_fignums()]
    plt.close("all")


# --- Dans un navigateur ---------------------------------------------------------------


def find_chromium(driver):
    """Le navigateur qu'a installé playwright, ou celui de la machine."""
    names = ("chromium", "chromium-browser", "google-chrome")
    paths = [driver.executable_path, *filter(None, map(shutil.which, names))]
    return next(filter(os.path.exists, paths), None)


@pytest.fixture(scope="module")
def browser():
    """Un Chromium déjà installé, ou l'abandon du test."""
    sync_api = pytest.importorskip(
        "playwright.sync_api", reason="le paquet playwright n'est pas installé"
    )
    with sync_api.sync_playwright() as driver:
        path = find_chromium(driver.chromium)
        if path is None:
            pytest.skip("aucun Chromium sur cette machine")
        # Chromium refuse de s'isoler quand il est lancé par root.
        browser = driver.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield browser
        browser.close()


class QuietHandler(http.server.SimpleHTTPRequestHandler):
    """Sert un dossier sans rien écrire, avec les types qu'attend un navigateur."""

    extensions_map = {  # noqa: RUF012 : comme dans la classe mère
        **http.server.SimpleHTTPRequestHandler.extensions_map,
        ".mjs": "text/javascript",
        ".wasm": "application/wasm",
    }

    def log_message(self, *_):
        pass


@contextmanager
def serve(folder):
    """Sert un dossier sur cette machine ; donne son adresse, avec la barre finale."""
    handler = functools.partial(QuietHandler, directory=str(folder))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()


# --- Dans un noyau --------------------------------------------------------------------


@functools.cache
def shared_manager(folder):
    """Le noyau que se partagent, dans « make test », les carnets d'un même dossier."""
    return AsyncKernelManager(kernel_name="python3")


@contextmanager
def kernel_for(notebook, folder):
    """Un client qui exécute ce carnet dans ce dossier, figures comprises.

    « make test » ne dessine pas les figures ici, nbval y dessine celles des leçons ; et
    le noyau y sert à plusieurs carnets, vidé de ses noms entre deux : la moitié du
    temps d'un carnet se passait à importer.
    """
    options = {}
    if IS_QUICK:
        options["km"] = shared_manager(folder)
        options["extra_arguments"] = ["--InlineBackend.figure_formats=set()"]
    client = NotebookClient(
        notebook,
        timeout=600,
        resources={"metadata": {"path": str(folder)}},
        **options,
    )
    with client.setup_kernel():
        if not IS_QUICK:
            yield client
            return
        client.execute_cell(new_code_cell("%reset -f"), 0)
        try:
            yield client
        finally:
            client.kc.stop_channels()


def printed(cell):
    """Ce qu'une cellule a écrit ou montré, sauf les images."""
    texts = []
    for output in cell.outputs:
        assert output.output_type != "error", output
        if output.output_type == "stream":
            texts.append(output.text)
        elif not output.data.get("text/plain", "").startswith("<Figure size "):
            texts.append(output.data.get("text/plain", ""))
    return "".join(texts)


def run_twice(client, cell, index):
    """Ce qu'écrit la cellule, exécutée deux fois ; la seconde n'y change rien.

    « make test » ne reprend pas ce qui a duré plus de 0,3 s.
    """
    start = time.monotonic()
    text = printed(client.execute_cell(cell, index))
    is_long = time.monotonic() - start > 0.3
    if not (is_long and IS_QUICK):
        assert printed(client.execute_cell(cell, index)) == text, cell.source
    return text
