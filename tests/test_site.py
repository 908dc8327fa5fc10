"""Le site construit, puis lu dans un vrai navigateur, toute autre adresse barrée."""

import importlib.util
import os
import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import nbformat
import pytest

from conftest import IS_QUICK, serve

ROOT = Path(__file__).resolve().parents[1]
NOTEBOOKS = ROOT / "notebooks"
LESSONS = sorted(NOTEBOOKS.glob("0*.ipynb"))
CHAPTERS = LESSONS + sorted(
    path for part in ("annexes", "jouer") for path in (NOTEBOOKS / part).glob("*.ipynb")
)
NAMES = [path.relative_to(ROOT).with_suffix("").as_posix() for path in CHAPTERS]
PAGES = ["index", "search", "ENSEIGNER", "datasets/README", *NAMES]
REPOSITORY = "ada/depot.essai"

PHONE, DESKTOP = {"width": 390, "height": 844}, {"width": 1280, "height": 900}
# Ce que le thème dirait en anglais si une traduction manquait.
ENGLISH = re.compile(
    r"\b(search|toggle|contents|previous|next|skip|click|copy|print|back to|show|hide"
    r"|repetition|permalink|light|dark|fullscreen mode)\b",
    re.IGNORECASE,
)

pytestmark = pytest.mark.skipif(
    importlib.util.find_spec("myst_nb") is None,
    reason="de quoi construire le site manque : pip install -r requirements-site.txt",
)


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """Le site d'un dépôt qui aurait un nom, construit dans un dossier provisoire."""
    folder = tmp_path_factory.mktemp("site")
    subprocess.run(
        [sys.executable, str(ROOT / "site" / "build.py"), str(folder)],
        env=os.environ | {"GITHUB_REPOSITORY": REPOSITORY},
        check=True,
    )
    return folder / "site"


class Page(HTMLParser):
    """Les balises d'une page, avec leurs attributs, et le texte de ses boutons."""

    def __init__(self, path):
        super().__init__()
        self.tags, self.buttons, self.within = [], {}, None
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag, attrs):
        attributes = dict(attrs)
        self.tags.append((tag, attributes))
        if tag == "p":
            self.within = attributes.get("class") == "boutons"

    def handle_data(self, data):
        tag, attributes = self.tags[-1] if self.tags else ("", {})
        if self.within and tag == "a" and data.strip():
            self.buttons[data.strip()] = attributes["href"]

    def handle_endtag(self, tag):
        if tag == "p":
            self.within = False


def test_every_notebook_has_its_page(site):
    built = {
        path.relative_to(site).with_suffix("").as_posix()
        for path in site.rglob("*.html")
        if "_static" not in path.parts
    }
    assert built == set(PAGES)


def test_nothing_is_taken_from_elsewhere(site):
    """Un script, une feuille de style, une police ou une image vient du site."""
    for name in PAGES:
        for tag, attributes in Page(site / f"{name}.html").tags:
            taken = attributes.get("src") or (
                attributes.get("href") if tag == "link" else None
            )
            assert not re.match(r"(https?:)?//", taken or ""), (name, taken)
    for style in (site / "_static").rglob("*.css"):
        text = style.read_text(encoding="utf-8")
        assert not re.search(r"(url\(|@import)\W*(https?:)?//", text), style


@pytest.mark.parametrize("name", ["index", *NAMES])
def test_buttons_open_the_student_edition(site, name):
    buttons = Page(site / f"{name}.html").buttons
    opened = set()
    for label, link in buttons.items():
        address = urlsplit(link)
        if label == "Exécuter ici":
            page = (site / name).parent / address.path
            app = "notebooks" if "jouer/" in name else "lab"
            expected = site / "lite" / app / "index.html"
            assert Path(os.path.normpath(page)) == expected
            (file,) = parse_qs(address.query)["path"]
        else:
            assert f"/{REPOSITORY}/" in address.path
            place = {"Binder": "/tree/notebooks/", "Colab": "/blob/en-ligne/"}[label]
            file = link.partition(place)[2]
        assert (NOTEBOOKS / file).is_file()
        opened.add(file)
    (file,) = opened
    original = name.removeprefix("notebooks/") if name in NAMES else LESSONS[0].stem
    edition = f"eleve/{Path(original).name}.ipynb"
    exists = (NOTEBOOKS / edition).exists()
    assert file == (edition if exists else f"{original}.ipynb")
    missing = {"Binder", "Colab", "Exécuter ici"} - set(buttons)
    if "jouer/" in name:  # la branche en-ligne ne les a pas
        assert missing == {"Colab"}
    elif name.endswith(("pytorch", "keras")):  # absents d'un navigateur
        assert missing == {"Exécuter ici"}
    else:
        assert not missing


def test_answers_are_folded_behind_what_is_to_write(site):
    """Les marques des réponses ne se lisent pas ; la réponse est dans un repli."""
    for path in LESSONS:
        page = site / path.relative_to(ROOT).with_suffix(".html")
        text = re.sub(r"<[^>]*>", "", page.read_text(encoding="utf-8"))
        assert "# --- " not in text
        n_answers = path.read_text(encoding="utf-8").count('"# --- à vous')
        assert text.count("Voir la réponse") >= n_answers > 0
    text = re.sub(r"<[^>]*>", "", (site / f"{NAMES[0]}.html").read_text("utf-8"))
    assert text.index("z_by_hand = ...") < text.index("z_by_hand = -1")


@pytest.fixture(scope="module")
def build():
    spec = importlib.util.spec_from_file_location("build", ROOT / "site" / "build.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize(
    ("remote", "name"),
    [
        ("https://github.com/ada/cours.git", "ada/cours"),
        ("git@github.com:ada/cours.zero.git", "ada/cours.zero"),
        ("https://github.com/ada/cours/", "ada/cours"),
        ("https://forge.example/ada/cours.git", None),
        ("/srv/git/cours.git", None),
        ("", None),
    ],
)
def test_repository_is_the_remote_s(build, monkeypatch, remote, name):
    monkeypatch.delenv("GITHUB_REPOSITORY", raising=False)
    answer = subprocess.CompletedProcess([], 0, stdout=f"{remote}\n")
    monkeypatch.setattr(build.subprocess, "run", lambda *args, **options: answer)
    assert build.repository() == name


def test_the_guide_names_the_repository(site):
    text = (site / "ENSEIGNER.html").read_text(encoding="utf-8")
    assert REPOSITORY in text
    assert "COMPTE" not in text and "DEPOT" not in text


def test_without_a_repository_only_the_browser_is_offered(build, monkeypatch):
    monkeypatch.setattr(build, "REPOSITORY", None)
    assert re.findall("<a ", build.buttons(LESSONS[0], LESSONS[0])) == ["<a "]
    guide = ROOT / "ENSEIGNER.md"
    text = "[un](notebooks/04_reseau_profond.ipynb#x), [deux](utilities.py)"
    kept = "[un](notebooks/04_reseau_profond.ipynb#x), deux"
    assert build.published_links(text, guide) == kept


# --- Dans un navigateur


@pytest.fixture(scope="module")
def address(site):
    with serve(site) as address:
        yield address


@pytest.fixture
def visit(browser, address):
    """Ouvre une page sur un téléphone, la nuit ; note ce qu'elle n'aurait pas dû."""
    context = browser.new_context(
        viewport=PHONE, color_scheme="dark", locale="fr-FR", device_scale_factor=1
    )
    page, faults = context.new_page(), []
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.on(
        "console",
        lambda said: faults.append(said.text) if said.type == "error" else None,
    )

    def only_from_here(route):
        if route.request.url.startswith(address):
            route.continue_()
        else:
            faults.append(f"cherché ailleurs : {route.request.url}")
            route.abort()

    page.route(lambda url: not url.startswith("data:"), only_from_here)

    def visit(name):
        page.goto(f"{address}{name}")
        page.evaluate("async () => await window.MathJax?.startup?.promise")
        return page

    visit.faults = faults
    yield visit
    context.close()
    assert not faults


def count_formulas(name):
    """Les formules d'une page, comptées dans le texte qu'elle montre."""
    path = ROOT / name
    if name in NAMES:
        cells = nbformat.read(path.with_suffix(".ipynb"), as_version=4).cells
        text = "\n\n".join(c.source for c in cells if c.cell_type == "markdown")
    else:
        path = path.with_suffix(".md")
        text = path.read_text(encoding="utf-8") if path.exists() else ""
    code = r"```.*?```|`[^`]*`"
    formula = r"\$\$.+?\$\$|\$[^$]+\$"
    return len(re.findall(formula, re.sub(code, "", text, flags=re.S), re.S))


def descriptions(name):
    """Les textes qui, dans un carnet, décrivent une figure ou un film."""
    if name not in NAMES:
        return set()
    cells = nbformat.read(ROOT / f"{name}.ipynb", as_version=4).cells
    return {cell.metadata.alt for cell in cells if "alt" in cell.metadata}


OVERFLOWING = """() => {
  const wide = [];
  for (const element of document.querySelectorAll("article *")) {
    const box = element.getBoundingClientRect();
    if (!box.width || box.right <= innerWidth + 1) continue;
    let parent = element.parentElement;  // ce qui défile dans sa boîte ne déborde pas
    while (!parent.matches("article")
           && getComputedStyle(parent).overflowX === "visible")
      parent = parent.parentElement;
    if (parent.matches("article")) wide.push(element.outerHTML.slice(0, 120));
  }
  return [document.documentElement.scrollWidth - innerWidth, wide];
}"""


def pages():
    """Toutes, ou pour « make test » trois annexes, les plus riches en formules."""
    if not IS_QUICK:
        return PAGES
    annexes = [name for name in PAGES if "annexes/" in name]
    kept = sorted(annexes, key=count_formulas)[-3:]
    return [name for name in PAGES if name not in annexes or name in kept]


@pytest.mark.parametrize("name", pages())
def test_page(visit, name):
    """Rien ne manque ni ne déborde, rien n'est en anglais, les figures se décrivent."""
    page = visit(f"{name}.html")

    assert page.locator("article .math mjx-container").count() == count_formulas(name)
    assert page.locator("mjx-merror").count() == 0

    # Ce qui défile se défile aussi au clavier.
    page.wait_for_function(
        """() => [...document.querySelectorAll("mjx-container")]
          .every(e => e.scrollWidth <= e.clientWidth || e.tabIndex === 0)"""
    )

    for size in (PHONE, DESKTOP):
        page.set_viewport_size(size)
        assert page.evaluate(OVERFLOWING) == [0, []]

    figures = page.locator("article .cell_output img, article p img")
    told = {figure.get_attribute("alt") for figure in figures.all()}
    assert descriptions(name) <= told
    # La nuit, une figure est une carte blanche, sans cadre gris ni filtre.
    style = "e => [getComputedStyle(e).backgroundColor, getComputedStyle(e).filter]"
    for figure in figures.all()[:1]:
        assert figure.evaluate(style) == ["rgb(255, 255, 255)", "none"]

    said = page.evaluate(
        """() => [...document.querySelectorAll("[title], [aria-label], [placeholder]")]
          .flatMap(e => ["title", "aria-label", "placeholder"]
            .map(name => e.getAttribute(name) ?? ""))
          .concat([...document.querySelectorAll("button, summary, nav, footer")]
            .map(e => e.innerText))"""
    )
    english = [text for text in said if ENGLISH.search(text)]
    assert not english


def test_a_phone_opens_the_notebook_alone(visit):
    """Le téléphone de « visit » ; sur un grand écran, le bouton est tel qu'écrit."""
    link = visit("index.html").locator(".boutons a").first.get_attribute("href")
    assert "/lite/notebooks/index.html?path=eleve/01" in link


def test_film_plays_and_its_controls_fit_a_phone(visit):
    page = visit("index.html")
    film = page.locator(".animation")
    for control in film.locator("button, input, label").all():
        box = control.bounding_box()  # dans la colonne du texte, marges comprises
        assert 15 <= box["x"] <= box["x"] + box["width"] <= PHONE["width"] - 15
    picture = film.locator("img")
    first = picture.get_attribute("src")
    film.get_by_role("button", name="lecture", exact=True).click()
    page.wait_for_function(
        "first => document.querySelector('.animation img').src !== first", arg=first
    )


def test_search_answers_in_french(visit):
    page = visit("search.html?q=rétropropagation")
    page.locator("#search-results li a").first.wait_for()
    page.locator("#search-results", has_text="Recherche terminée").wait_for()


def test_keyboard_reaches_the_text_then_the_first_button(visit):
    page = visit("index.html")
    page.keyboard.press("Tab")
    assert page.locator(":focus").inner_text() == "Passer au contenu principal"
    page.keyboard.press("Enter")
    assert page.url.endswith("#main-content")
    # Le premier arrêt du texte est le premier bouton, et il se voit.
    for _ in range(8):
        page.keyboard.press("Tab")
        if page.locator(".boutons a:focus").count():
            break
    assert page.locator(".boutons a:focus").inner_text() == "Exécuter ici"
