"""Les figures à bouger : des curseurs pour un lecteur, l'arrêt sur image sans lui."""

import itertools

import ipywidgets
import matplotlib.pyplot as plt
import numpy as np
import pytest
from jupyter_client.manager import start_new_kernel

import utilities
from utilities import explore

CELL = """
import sys
sys.path.insert(0, {root!r})
from utilities import explore

def draw(w=1.5, n=2):
    print("dessin", w, n)

explore(draw, w=(-3.0, 3.0, 0.5), n=(1, 9, 1))
"""


def test_without_a_reader_the_figure_is_drawn_once_at_its_start():
    drawn = []
    explore(lambda w=1.5: drawn.append(w), w=(-3, 3, 0.5))
    assert drawn == [1.5]


def test_sliders_start_at_the_default_and_redraw(monkeypatch):
    """Un entier donne un curseur entier ; bouger l'un redessine avec les deux."""
    drawn, shown = [], []
    monkeypatch.setattr(utilities, "_someone_is_there", lambda: True)
    interact = ipywidgets.interact
    monkeypatch.setattr(
        ipywidgets,
        "interact",
        lambda draw, **ranges: shown.append(interact(draw, **ranges)),
    )

    def draw(w=1.5, n=2):
        drawn.append((w, n))

    explore(draw, w=(-3.0, 3.0, 0.5), n=(1, 9, 1))
    w, n, _ = shown[0].widget.children
    assert isinstance(w, ipywidgets.FloatSlider)
    assert isinstance(n, ipywidgets.IntSlider)
    assert (w.min, w.max, w.step, w.value) == (-3, 3, 0.5, 1.5)
    w.value = -2.0
    n.value = 7
    assert drawn == [(1.5, 2), (-2.0, 2), (-2.0, 7)]


@pytest.fixture(scope="module")
def kernel():
    manager, client = start_new_kernel()
    yield client
    client.stop_channels()
    manager.shutdown_kernel(now=True)


@pytest.mark.parametrize(
    ("metadata", "widget"), [({}, False), ({"cellId": "a1"}, True)], ids=["page", "lab"]
)
def test_a_real_kernel_tells_a_reader_from_a_test(metadata, widget, kernel):
    """JupyterLab joint le numéro de la cellule à sa demande ; nbclient, rien."""
    content = {
        "code": CELL.format(root=str(utilities.DATASETS.parent)),
        "silent": False,
    }
    message = kernel.session.msg("execute_request", content, metadata=metadata)
    kernel.shell_channel.send(message)
    kinds, text = set(), ""
    while True:
        reply = kernel.get_iopub_msg(timeout=60)
        if reply["parent_header"].get("msg_id") != message["header"]["msg_id"]:
            continue
        if reply["content"].get("execution_state") == "idle":
            break
        kinds |= set(reply["content"].get("data", {}))
        text += reply["content"].get("text", "")
    assert ("application/vnd.jupyter.widget-view+json" in kinds) == widget
    assert widget or text == "dessin 1.5 2\n"


# --- Le réseau dessiné ----------------------------------------------------------------


def test_plot_network_writes_every_number_where_it_belongs(figures):
    """Deux entrées, trois neurones, une sortie : les poids, les biais, les valeurs."""
    rng = np.random.default_rng(0)
    parameters = utilities.initialize_parameters([2, 3, 1], rng)
    parameters = [(W, b + 0.125) for W, b in parameters]
    activations = utilities.forward_propagation(np.array([[1.0, -2.0]]), parameters)
    ax = utilities.plot_network(parameters, activations)
    texts = [text.get_text() for text in ax.texts]
    arrays = [array for layer in parameters for array in layer] + activations
    expected = [utilities.decimal(v) for array in arrays for v in np.ravel(array)]
    assert sorted(texts) == sorted(expected)
    assert len(ax.lines) == 2 * 3 + 3 * 1
    dashed = [line.get_linestyle() == "--" for line in ax.lines]
    negative = [w < 0 for W, _ in parameters for w in W.ravel()]
    assert dashed == negative


def test_plot_network_shows_gradients_instead_of_weights(figures):
    parameters = [(np.ones((2, 1)), np.zeros((1, 1)))]
    gradients = [(np.array([[0.25], [-3.0]]), np.array([[7.0]]))]
    ax = utilities.plot_network(parameters, gradients=gradients)
    texts = {text.get_text() for text in ax.texts} - {""}
    assert texts == {"0,25", "−3,00", "7,00"}


@pytest.mark.parametrize(
    ("sizes", "figsize"), [([2, 4, 1], None), ([2, 3, 2, 1], (9, 3.8)), ([4, 1], None)]
)
def test_plot_network_piles_up_no_numbers(sizes, figsize, figures):
    """Les réseaux des carnets 03 et 04, à leur taille : chacun loin des autres."""
    ax = plt.subplots(figsize=figsize)[1] if figsize else None
    layers = zip(sizes[:-1], sizes[1:])
    parameters = [(np.full(shape, -0.5), np.zeros((1, shape[1]))) for shape in layers]
    ax = utilities.plot_network(parameters, ax=ax)
    texts = [text for text in ax.texts if text.get_text()]
    boxes = [text.get_window_extent().expanded(1, 2) for text in texts]
    for box, other in itertools.combinations(boxes, 2):
        assert not box.overlaps(other)
