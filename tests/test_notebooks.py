"""Les règles d'un carnet que nbval ne voit pas ; lui réexécute les cellules."""

import ast
import re
import statistics
from pathlib import Path

import nbformat
import pytest

from conftest import kernel_for, printed, run_twice

ROOT = Path(__file__).resolve().parent.parent
LESSONS = sorted((ROOT / "notebooks").glob("*.ipynb"))
ANNEXES = sorted((ROOT / "notebooks" / "annexes").glob("*.ipynb"))
NOTEBOOKS = LESSONS + ANNEXES
UNPRACTISED = [
    path for path in NOTEBOOKS if not (ROOT / "notebooks/eleve" / path.name).exists()
]
NO_BREAK = "\N{NO-BREAK SPACE}\N{NARROW NO-BREAK SPACE}"


def read(path):
    return nbformat.read(path, as_version=4)


def code_cells(path):
    return [cell for cell in read(path).cells if cell.cell_type == "code"]


def markdown_cells(path):
    return [cell.source for cell in read(path).cells if cell.cell_type == "markdown"]


def prose(markdown):
    """Le texte seul : sans code, ni formules, ni adresses."""
    return re.sub(
        r"```.*?```|`[^`]*`|\$\$.*?\$\$|\$[^$]*\$|\]\([^)]*\)|<[^>]*>",
        "",
        markdown,
        flags=re.DOTALL,
    )


@pytest.fixture(params=NOTEBOOKS, ids=lambda path: path.stem)
def notebook(request):
    return request.param


def test_the_four_notebooks_are_there():
    names = [path.stem for path in LESSONS]
    assert names == [
        "01_premier_neurone",
        "02_chat_vs_chien",
        "03_reseau_a_deux_couches",
        "04_reseau_profond",
    ]


def test_every_cell_was_executed_in_order(notebook):
    counts = [cell.execution_count for cell in code_cells(notebook)]
    assert counts == list(range(1, len(counts) + 1))


@pytest.mark.parametrize("path", UNPRACTISED, ids=lambda path: path.stem)
def test_every_cell_runs_twice(path):
    """Un apprenant revient en arrière : le texte de la leçon, et rien de cassé.

    Les carnets qui ont des exercices le sont trous vides, par tests/test_eleve.py.
    """
    content = read(path)
    with kernel_for(content, path.parent) as client:
        for index, cell in enumerate(content.cells):
            if cell.cell_type == "code":
                expected = printed(cell)
                assert run_twice(client, cell, index) == expected, cell.source


def test_outputs_hold_no_error_no_stderr_and_no_widget(notebook):
    for cell in code_cells(notebook):
        for output in cell.outputs:
            assert output.output_type != "error", cell.source
            assert output.get("name") != "stderr", cell.source
            data = output.get("data", {})
            assert not any("widget" in kind for kind in data)
            # L'aperçu HTML d'un estimateur change d'une version à l'autre.
            assert "text/html" not in data or "utilities.animate(" in cell.source


def test_every_figure_is_followed_by_words(notebook):
    cells = read(notebook).cells
    for cell, after in zip(cells, cells[1:], strict=False):
        kinds = [
            kind
            for output in cell.get("outputs", [])
            for kind in output.get("data", {})
        ]
        if "image/png" in kinds:
            assert after.cell_type == "markdown", cell.source


def test_every_figure_is_told_to_who_cannot_see_it(notebook):
    """Une cellule qui montre une figure ou un film la décrit dans sa métadonnée alt."""
    for cell in code_cells(notebook):
        outputs = [output.get("data", {}) for output in cell.outputs]
        shown = any({"image/png", "text/html"} & data.keys() for data in outputs)
        words = cell.metadata.get("alt", "")
        assert shown == bool(words), cell.source
        assert len(words) <= 300 and words == words.strip(), words
        assert not words or words[-1] in ".?!", words


def test_printed_text_depends_on_no_machine(notebook):
    """Ni adresse d'objet, ni chemin, ni tableau brut."""
    for cell in code_cells(notebook):
        text = printed(cell)
        assert not re.search(r"0x[0-9a-f]{6,}|/home/|/tmp/|/Users/|C:\\", text)
        assert "array(" not in text
        assert "np.float64" not in text


def is_borrowed(cell, stem):
    """Vrai si la cellule ne fait que reprendre ce qu'une autre annexe a enseigné."""
    lent = {
        name
        for (_, borrower), names in BORROWED.items()
        for name in names.split()
        if borrower == stem
    }
    names = definitions(cell.source).keys()
    return bool(names) and names <= lent


def test_cells_are_short(notebook):
    """Celles à lire : ni la première, ni ce qu'une autre annexe a enseigné."""
    first, *others = code_cells(notebook)
    assert "urlretrieve" in first.source
    cells = [cell for cell in others if not is_borrowed(cell, notebook.stem)]
    lengths = sorted(len(cell.source.splitlines()) for cell in cells)
    assert statistics.median(lengths) <= 5
    assert lengths[int(0.9 * len(lengths))] <= 12
    assert lengths[-1] <= 30


def test_an_answer_has_its_two_marks(notebook):
    for cell in code_cells(notebook):
        opened = cell.source.count("# --- à vous")
        assert opened == cell.source.count("# --- fin"), cell.source


def test_lines_are_short(notebook):
    for cell in code_cells(notebook):
        assert max(map(len, cell.source.splitlines())) <= 88, cell.source


def test_file_is_light_and_valid(notebook):
    assert notebook.stat().st_size < 3e6
    content = read(notebook)
    nbformat.validate(content)
    assert content.metadata.kernelspec.name == "python3"
    assert "widgets" not in content.metadata


def test_no_computed_number_is_quoted_by_hand(notebook):
    """Un nombre affiché par une cellule n'est pas recopié dans le texte voisin."""
    cells = read(notebook).cells
    for before, cell, after in zip(cells, cells[1:], cells[2:], strict=False):
        if cell.cell_type != "code":
            continue
        numbers = re.findall(rf"\d+,\d+|\d+[{NO_BREAK}]%", printed(cell))
        neighbours = [c.source for c in (before, after) if c.cell_type == "markdown"]
        typed_in = cell.source.replace(".", ",")
        for number in set(numbers):
            if number in typed_in:
                continue  # une donnée de l'expérience, pas un résultat
            assert not any(number in prose(text) for text in neighbours), number


def test_first_cell_makes_the_module_importable(notebook):
    first = code_cells(notebook)[0].source
    assert first.startswith("import sys")
    assert 'sys.path[:0] = ["..", "../.."]' in first


def test_opening_and_closing(notebook):
    texts = markdown_cells(notebook)
    for heading in ("vous saurez", "Prérequis", "Durée"):
        assert heading in texts[0]
    for heading in ("## Récapitulation", "### Pour aller plus loin"):
        assert heading in texts[-1]


def test_links_lead_somewhere(notebook):
    for text in markdown_cells(notebook):
        for target in re.findall(r"\]\(([^)]+)\)", text):
            if not target.startswith("http"):
                assert (notebook.parent / target).exists(), target


def test_french_typography(notebook):
    """Espace insécable avant ; : ! ? %, guillemets et apostrophes français."""
    told = [cell.metadata.get("alt", "") for cell in code_cells(notebook)]
    for text in map(prose, markdown_cells(notebook) + told):
        assert not re.search(r" [;:!?%»]|« ", text), text
        assert "'" not in text, text
        assert not re.search(r"\d\.\d", text), text


def test_only_photographs_and_films_escape_comparison(notebook):
    """Une sortie qui n'est pas comparée dépend d'un téléchargement, ou est un film.

    Les images d'un film sont dans son HTML, que nbval compare à l'octet près.
    """
    for cell in code_cells(notebook):
        if cell.metadata.get("tags"):
            assert cell.metadata.tags == ["nbval-ignore-output"]
            assert re.search(r"photos|^utilities\.animate\(", cell.source)
        assert "NBVAL" not in cell.source


def test_no_photograph_is_stored(notebook):
    """Les photographies n'ont pas de licence : aucune sortie ne les redistribue."""
    for cell in code_cells(notebook):
        assert not re.search(r"(plot_images|imshow)\(\W*(photos|P_)", cell.source)


def definitions(source):
    """Fonctions, classes, lambdas d'un dictionnaire ; sans docstrings ni types."""
    found = {}
    for node in ast.parse(source).body:
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Dict):
            entries = zip(node.value.keys, node.value.values, strict=True)
            for key, value in entries:
                if isinstance(value, ast.Lambda):
                    entry = f"{ast.unparse(node.targets[0])}[{key.value}]"
                    found[entry] = ast.dump(value)
        if not isinstance(node, ast.FunctionDef | ast.ClassDef):
            continue
        for inner in ast.walk(node):
            if isinstance(inner, ast.FunctionDef | ast.ClassDef) and ast.get_docstring(
                inner
            ):
                del inner.body[0]
            if isinstance(inner, ast.FunctionDef):
                inner.returns = None
            if isinstance(inner, ast.arg):
                inner.annotation = None
        found[node.name] = ast.dump(node)
    return found


TAUGHT = {
    "01_premier_neurone": {"numerical_gradient", "step", "update"},
    "02_chat_vs_chien": {"check_same_shape", "flatten_images", "log_loss", "sigmoid"},
    "04_reseau_profond": {
        "Adam",
        "Momentum",
        "back_propagation",
        "cross_entropy",
        "forward_propagation",
        "initialize_parameters",
        "relu",
        "softmax",
        "with_dropout",
        *(f"DERIVATIVES[{name}]" for name in ("logistic", "tanh")),
        *(f"INITIALIZATIONS[{name}]" for name in ("glorot", "he", "small", "zeros")),
    },
    "entrainement": {"mirror_and_shift"},
}


def taught_in(path):
    found = {}
    for cell in code_cells(path):
        found |= definitions(cell.source)
    return found


def test_taught_code_is_the_module_s_code(notebook):
    """Une fonction enseignée et celle du module ne diffèrent pas d'un signe."""
    module = definitions((ROOT / "utilities.py").read_text(encoding="utf-8"))
    taught = taught_in(notebook)
    shared = taught.keys() & module.keys()
    assert shared == TAUGHT.get(notebook.stem, set())
    for name in shared:
        assert taught[name] == module[name], name


BORROWED = {
    ("convolution", "reseau_convolutif"): "neighbourhoods convolve filter_gradients "
    "input_gradient max_pool max_pool_gradient",
    ("convolution", "keras"): "neighbourhoods convolve max_pool",
    ("pytorch", "keras"): "Rows OurOrder our_loader train_step train_one_epoch train",
    ("recurrence", "lstm"): "words initialize rnn_forward rnn rnn_backward "
    "shared_gradients loss_and_gradients clip predict train recall check_gradients "
    "check_lengths sizes_through_time rnn_sizes write arrow",
    ("profondeur", "normalisation"): "shrink initialize plain propagate deep_gradients "
    "check_deep train final_loss likeness",
    ("profondeur", "paysage"): "shrink initialize plain propagate deep_gradients train "
    "final_loss",
    ("normalisation", "paysage"): "with_shortcut",
    ("derivation_automatique", "tenseurs"): "topological_order",
}


@pytest.mark.parametrize(("stems", "names"), BORROWED.items())
def test_borrowed_code_is_that_of_the_annexe_which_teaches_it(stems, names):
    """Une annexe peut s'exécuter seule ; ce qu'elle reprend d'une autre y est écrit."""
    lender, borrower = (
        taught_in(ROOT / "notebooks" / "annexes" / f"{stem}.ipynb") for stem in stems
    )
    for name in names.split():
        assert borrower[name] == lender[name], name
