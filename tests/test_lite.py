"""Le cours dans un navigateur, sur Binder, Colab et Basthon : ce qui se voit d'ici."""

import ast
import hashlib
import importlib.util
import json
import os
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path
from types import SimpleNamespace
from urllib.parse import parse_qsl, urlsplit

import matplotlib.pyplot as plt
import nbformat
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tqdm import tqdm

import exercises
import utilities
from conftest import serve

ROOT = Path(__file__).resolve().parents[1]
LITE = ROOT / "site" / "lite"
NOTEBOOKS = ROOT / "notebooks"

SEEDS = st.integers(0, 2**32 - 1)

# Le nom du paquet à installer, quand ce n'est pas celui que l'on importe.
DISTRIBUTIONS = {"PIL": "pillow", "sklearn": "scikit-learn", "IPython": "ipython"}


def load_script(path):
    spec = importlib.util.spec_from_file_location(path.stem, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def imported_at_top(path):
    """Les bibliothèques sans lesquelles le module ne s'importe pas."""
    names = set()
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            names.add(node.module)
    tops = {name.partition(".")[0] for name in names}
    return tops - set(sys.stdlib_module_names) - {"utilities", "exercises"}


# --- Le noyau d'un navigateur


def test_the_browser_kernel_loads_what_the_modules_import():
    """Un import dans un module n'installe rien : il faut l'annoncer."""
    settings = json.loads((LITE / "jupyter-lite.json").read_text(encoding="utf-8"))
    plugins = settings["jupyter-config-data"]["litePluginSettings"]
    (kernel,) = plugins.values()
    packages = set(kernel["loadPyodideOptions"]["packages"])
    needed = imported_at_top(ROOT / "utilities.py")
    needed |= imported_at_top(ROOT / "exercises.py")
    needed = {DISTRIBUTIONS.get(name, name) for name in needed}
    assert needed - {"ipython"} == packages  # le noyau est fait d'IPython


@pytest.fixture
def in_browser(monkeypatch):
    """Le module tel qu'un navigateur l'importe."""
    monkeypatch.setattr(utilities, "IN_BROWSER", True)


def test_in_a_browser_images_are_read_from_memory(in_browser, tmp_path):
    folder = utilities._find_datasets(ROOT)
    assert not folder.is_relative_to(ROOT)
    for path in (ROOT / "datasets").rglob("*.hdf5"):
        copy = folder / path.relative_to(ROOT / "datasets")
        assert copy.read_bytes() == path.read_bytes()
    assert not utilities._find_datasets(tmp_path).exists()


def test_side_by_side_files_are_enough(in_browser, tmp_path, monkeypatch):
    """Basthon pose l'archive à côté du carnet ; les dix animaux y sont aussi."""
    online = load_script(ROOT / "site" / "online.py")
    online.write_branch("ada/cours", "v1", tmp_path)
    monkeypatch.chdir(tmp_path)
    folder = utilities._find_datasets(tmp_path)
    X_train, *_ = utilities.load_data(folder)
    assert np.array_equal(X_train, utilities.load_data()[0])
    assert len(utilities.load_class_names(folder / "animaux")) == 10


def test_photographs_are_refused_in_one_sentence(in_browser, monkeypatch):
    monkeypatch.delenv("COURSE_PHOTOS_DIR", raising=False)
    monkeypatch.setitem(sys.modules, "pooch", None)
    with pytest.raises(ConnectionError, match=r"^Dans un navigateur, .*Colab"):
        utilities.load_data("photos")


def test_sliders_need_their_library(in_browser, monkeypatch):
    assert utilities._someone_is_there()
    monkeypatch.setattr(utilities, "find_spec", lambda name: None)
    drawn = []
    utilities.explore(lambda w=1.5: drawn.append(w), w=(-3, 3, 0.5))
    assert drawn == [1.5]


def test_the_progress_bar_starts_no_thread_in_a_browser():
    """L'importation se rejoue dans un Python qui se croit dans un navigateur."""
    code = "import tqdm; print(tqdm.tqdm.monitor_interval)"
    before = f"import sys, {{}}; sys.platform = 'emscripten'; import utilities; {code}"
    libraries = ", ".join(imported_at_top(ROOT / "utilities.py"))
    output = subprocess.run(
        [sys.executable, "-c", before.format(libraries)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert output.strip() == "0" and tqdm.monitor_interval > 0


@given(SEEDS, st.tuples(*[st.integers(1, 9)] * 3), st.sampled_from(["f4", "f8"]))
def test_blas_arrays_multiply(seed, shape, dtype):
    """Quels que soient les formes, la précision et le rangement en mémoire."""
    rng, (m, k, n) = np.random.default_rng(seed), shape
    A = rng.normal(size=(m, k)).astype(dtype)
    B = rng.normal(size=(n, 2 * k)).astype(dtype)[:, ::2].T
    product = A.view(utilities._BlasArray) @ B
    assert product.dtype == dtype and product.shape == (m, n)
    np.testing.assert_allclose(product, A @ B, atol=1e-4 if dtype == "f4" else 1e-12)


def test_a_network_learns_the_same_in_a_browser(monkeypatch):
    """Les plus longs produits n'y passent pas par NumPy ; le reste ne change pas."""
    X, y, *_ = utilities.load_data()
    X, y = utilities.flatten_images(X[:100]), y[:100]
    network = utilities.NeuralNetwork((8, 4), max_iter=5, random_state=0)
    expected = network.fit(X, y).loss_curve_
    monkeypatch.setattr(utilities, "IN_BROWSER", True)
    products = []

    def multiply(A, B, multiply=utilities._BlasArray.__matmul__):
        products.append(A.shape + B.shape)
        return multiply(A, B)

    monkeypatch.setattr(utilities._BlasArray, "__matmul__", multiply)
    np.testing.assert_allclose(network.fit(X, y).loss_curve_, expected, rtol=1e-9)
    there, back = (100, 784, 784, 8), (784, 100, 100, 8)
    assert products == [there, back] * 5 + [there]
    assert type(network.predict_proba(X)) is type(network.coefs_[0]) is np.ndarray


def test_a_film_leaves_no_figure_to_close(monkeypatch):
    """Dans Basthon, plt.close échoue sur une figure qui n'a pas été montrée."""
    monkeypatch.delattr(plt, "close")
    film = utilities.animate(lambda ax, k: ax.plot([0, k]), [1, 2])
    assert "image/png" in film.data and not plt.get_fignums()


class BrowserShell(SimpleNamespace):
    """Le shell des noyaux de navigateur : celui d'IPython, sans ask_exit."""


def test_verdicts_judge_in_a_browser_kernel(monkeypatch, capsys):
    def hole(z): ...

    monkeypatch.setattr(exercises, "get_ipython", BrowserShell)
    for answer, verdict in [
        (hole, "À faire"),
        (lambda z: 1 / (1 + np.exp(z)), "Pas encore"),
        (lambda z: 1 / (1 + np.exp(-z)), "Juste"),
    ]:
        exercises.check("sigma", answer)
        assert verdict in capsys.readouterr().out


def test_a_judge_that_fails_never_says_right(monkeypatch, capsys):
    """Deux essais que le juge fait échouer ne prouvent pas que la réponse est juste."""
    monkeypatch.setattr(exercises, "_sandbox", lambda: 1 / 0)
    exercises.check("sigma", lambda z: z)
    assert "Juste" not in capsys.readouterr().out


# --- Le site du noyau


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """Le disque que voit le noyau."""
    folder = tmp_path_factory.mktemp("lite") / "files"
    load_script(LITE / "build.py").stage_files(folder)
    return folder


def test_everything_the_notebooks_read_is_on_the_disk(files):
    expected = ["utilities.py", "exercises.py", "LISEZMOI.md"]
    expected += ["playground.py", "playground.js", "playground.css"]
    expected += [p.relative_to(ROOT) for p in (ROOT / "datasets").rglob("*.hdf5")]
    for pattern in "0*.ipynb", "annexes/*.ipynb", "eleve/*.ipynb", "jouer/*.ipynb":
        found = list(NOTEBOOKS.glob(pattern))
        assert found
        expected += [path.relative_to(NOTEBOOKS) for path in found]
    for path in expected:
        assert (files / path).is_file(), path
    assert not list(files.rglob("mes_carnets"))


def test_links_between_notebooks_still_lead_somewhere(files):
    for path in files.rglob("*.ipynb"):
        for cell in nbformat.read(path, as_version=4).cells:
            if cell.cell_type == "markdown":
                for link in re.findall(r"\]\(([^)#\s:]+\.ipynb)", cell.source):
                    assert (path.parent / link).exists(), (path.name, link)


def test_a_notebook_differs_by_its_first_line_only(files):
    """« %pip », qui n'admet pas de commentaire, installe les curseurs."""
    for path in files.rglob("*.ipynb"):
        cells = nbformat.read(path, as_version=4).cells
        origin = nbformat.read(NOTEBOOKS / path.relative_to(files), as_version=4).cells
        changed = [
            (new.source, old.source)
            for new, old in zip(cells, origin, strict=True)
            if new != old
        ]
        ((new, old),) = changed
        line, _, rest = new.partition("\n")
        assert re.fullmatch(r"%pip install -q [\w ]+", line) and rest == old


@pytest.fixture(scope="module")
def lite(tmp_path_factory):
    """Le site construit, si l'on a de quoi."""
    if importlib.util.find_spec("jupyterlite_pyodide_kernel") is None:
        pytest.skip("JupyterLite manque : pip install -r site/lite/requirements.txt")
    folder = tmp_path_factory.mktemp("lite")
    output = folder / "site"
    load_script(LITE / "build.py").build(folder / "stage", output)
    return output


def test_the_site_brings_what_it_promises(lite):
    settings = json.loads((lite / "jupyter-lite.json").read_text(encoding="utf-8"))
    data = settings["jupyter-config-data"]
    names = {extension["name"] for extension in data["federated_extensions"]}
    assert "@jupyter-widgets/jupyterlab-manager" in names
    plugins = data["litePluginSettings"].values()
    urls = [url for plugin in plugins for url in plugin.get("pipliteUrls", [])]
    wheels = {}
    for url in urls:
        wheels |= json.loads((lite / url.partition("?")[0]).read_text("utf-8"))
    needed = {"comm", "ipywidgets", "jupyterlab-widgets", "widgetsnbextension"}
    assert needed <= set(wheels)
    (listing,) = (lite / "api" / "contents").glob("all.json")
    seen = {entry["path"] for entry in json.loads(listing.read_text())["content"]}
    assert {"eleve", "annexes", "datasets", "utilities.py", "exercises.py"} <= seen
    assert (lite / "api" / "translations" / "fr_FR.json").stat().st_size > 100_000
    origin = (ROOT / "datasets" / "trainset.hdf5").read_bytes()
    assert (lite / "files" / "datasets" / "trainset.hdf5").read_bytes() == origin


@pytest.mark.parametrize(
    ("app", "width", "height"), [("lab", 1280, 800), ("notebooks", 390, 844)]
)
def test_the_notebook_opens_and_has_room(lite, browser, app, width, height):
    """Sur un téléphone, JupyterLab ne laisse au carnet que quelques lettres."""
    page = browser.new_page(viewport={"width": width, "height": height})
    with serve(lite) as address:
        page.goto(f"{address}{app}/index.html?path=eleve/01_premier_neurone.ipynb")
        title = page.locator(".jp-Notebook h1")
        title.wait_for()
        assert title.bounding_box()["width"] > 300
        page.close()


def test_the_site_is_light(lite):
    size = sum(path.stat().st_size for path in lite.rglob("*") if path.is_file())
    assert size < 45e6


# --- JupyterLab en français, et Binder


def test_the_language_is_the_course_s_and_the_reader_s_settings_are_left_alone():
    settings = json.loads((LITE / "overrides.json").read_text(encoding="utf-8"))
    assert settings == {
        "@jupyterlab/apputils-extension:notification": {"fetchNews": "false"},
        "@jupyterlab/translation-extension:plugin": {"locale": "fr_FR"},
    }
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    (folder,) = re.findall(r"app_settings_dir=(\S+)", makefile)
    assert (ROOT / folder) == LITE


@pytest.mark.skipif(os.name == "nt", reason="Binder tourne sous Linux")
def test_binder_scripts_do_what_they_say(tmp_path):
    (tmp_path / "bin").mkdir()
    python = tmp_path / "bin" / "python"
    python.write_text(f'#!/bin/sh\nexec "{sys.executable}" "$@"\n')
    python.chmod(0o755)
    environment = os.environ | {"NB_PYTHON_PREFIX": str(tmp_path)}
    subprocess.run([ROOT / "postBuild"], cwd=ROOT, env=environment, check=True)
    copy = tmp_path / "share" / "jupyter" / "lab" / "settings" / "overrides.json"
    assert copy.read_bytes() == (LITE / "overrides.json").read_bytes()
    command = ["sh", "-c", "echo $OPENBLAS_NUM_THREADS $0", "un argument"]
    started = subprocess.run([ROOT / "start", *command], capture_output=True, text=True)
    assert started.stdout == "1 un argument\n"


def test_binder_installs_libraries_before_it_copies_notebooks():
    """Ce que repo2docker regarde pour garder cette couche de l'image en cache."""
    for name in ".binder", "binder", "environment.yml", "Dockerfile", "setup.py":
        assert not (ROOT / name).exists(), name  # ferait ignorer requirements.txt
    pyproject = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    assert not re.search(r"^\[build-system\]", pyproject, re.MULTILINE)
    requirements = (ROOT / "requirements.txt").read_text(encoding="utf-8").splitlines()
    assert not [line for line in requirements if re.match(r"\s*(-|\.|file:)", line)]
    assert re.fullmatch(r"python-3\.\d+\s*", (ROOT / "runtime.txt").read_text())


# --- Colab et Basthon


def test_the_online_branch_holds_each_notebook_and_its_files(tmp_path):
    online = load_script(ROOT / "site" / "online.py")
    online.write_branch("ada/cours", "v1", tmp_path)
    for path in [*NOTEBOOKS.glob("0*.ipynb"), *NOTEBOOKS.glob("*/[a-z0-9]*.ipynb")]:
        if path.parent.name in {"annexes", "eleve", "notebooks"}:
            assert (tmp_path / path.relative_to(NOTEBOOKS)).is_file(), path.name
    with zipfile.ZipFile(tmp_path / "datasets.zip") as archive:
        for path in (ROOT / "datasets").rglob("*.hdf5"):
            name = path.relative_to(ROOT / "datasets").as_posix()
            digest = hashlib.sha256(path.read_bytes()).digest()
            assert hashlib.sha256(archive.read(name)).digest() == digest


def test_the_notebook_s_address_becomes_the_repository_s():
    online = load_script(ROOT / "site" / "online.py")
    text = f'address = "{online.ADDRESS}"'
    expected = 'address = "https://github.com/ada/cours/archive/v1.zip"'
    assert online.located(text, "ada/cours", "v1") == expected


def test_a_misplaced_notebook_fetches_nothing(tmp_path):
    """Tant que l'adresse n'est pas celle d'un dépôt, une phrase dit où le ranger."""
    (path,) = NOTEBOOKS.glob("01_*.ipynb")
    cells = nbformat.read(path, as_version=4).cells
    first = next(cell.source for cell in cells if cell.cell_type == "code")
    script = f"import urllib.request as u; u.urlretrieve = None\n{first}"
    command = [sys.executable, "-I", "-c", script]
    result = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert "AssertionError: Rangez ce carnet dans" in result.stderr
    assert not list(tmp_path.iterdir())


def test_each_online_link_names_files_of_the_branch(tmp_path):
    """Ceux du guide sont ceux que le programme construit, un par leçon."""
    online = load_script(ROOT / "site" / "online.py")
    online.write_branch("COMPTE/DEPOT", "main", tmp_path)
    guide = (ROOT / "ENSEIGNER.md").read_text(encoding="utf-8")
    lessons = sorted(path.name for path in (NOTEBOOKS / "eleve").glob("0*.ipynb"))
    links = [online.basthon("COMPTE/DEPOT", f"eleve/{name}") for name in lessons]
    for link in links:
        assert link in guide
        addresses = parse_qsl(urlsplit(link).query)
        assert [key for key, _ in addresses] == ["from", "module", "module", "aux"]
        for _, address in addresses:
            branch, _, file = urlsplit(address).path.partition("/en-ligne/")
            assert branch == "/COMPTE/DEPOT" and (tmp_path / file).is_file(), address
    for name in "README.md", "README.en.md":
        readme = (ROOT / name).read_text(encoding="utf-8")
        readme = readme.replace("ACCOUNT/REPOSITORY", "COMPTE/DEPOT")
        assert online.colab("COMPTE/DEPOT", "eleve/01_premier_neurone.ipynb") in readme


def test_git_keeps_the_scripts_executable():
    """Sans ce bit, Binder les rendrait exécutables, mais personne d'autre."""
    if shutil.which("git") is None or not (ROOT / ".git").exists():
        pytest.skip("ce dossier n'est pas un dépôt git")
    git = ["git", "ls-files", "--stage", "postBuild", "start"]
    listing = subprocess.run(git, cwd=ROOT, capture_output=True, text=True).stdout
    assert re.findall(r"^(\d+)", listing, re.MULTILINE) == ["100755", "100755"]


BASTHON = """
import sys
import IPython, sklearn.datasets, sklearn.inspection, sklearn.model_selection
from sklearn.base import BaseEstimator
from sklearn.utils import validation

BaseEstimator._validate_data = validation.validate_data
del validation.validate_data
sys.modules["IPython.utils.capture"] = None

import exercises, utilities

def sigma(z):
    print("bavarde")
    return 1 / (1 + utilities.np.exp(-z))

exercises.check("sigma")
X, y, _, _ = utilities.load_data()
network = utilities.NeuralNetwork(max_iter=5, random_state=0)
print(network.fit(X.reshape(len(X), -1) / 255, y).score(X.reshape(len(X), -1) / 255, y))
"""


def test_the_older_libraries_of_basthon_suffice():
    """Basthon a scikit-learn 1.4, et n'a d'IPython que l'affichage."""
    command = [sys.executable, "-c", BASTHON]
    result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    verdict, accuracy = result.stdout.splitlines()
    assert "Juste" in verdict
    assert float(accuracy) > 0.7
