"""Les figures et l'écriture des nombres."""

import re

import numpy as np
import pytest
from matplotlib.contour import ContourSet
from sklearn.datasets import make_blobs

import utilities
from utilities import (
    NeuralNetwork,
    animate,
    decimal,
    percent,
    plot_confusion_matrix,
    plot_decision_boundary,
    plot_images,
    plot_learning_curves,
    plot_points,
    plot_stills,
    plot_weights,
    set_style,
)


@pytest.fixture(scope="module")
def blobs():
    """Deux nuages de points qui se recouvrent un peu : X (120, 2), y (120,)."""
    X, y = make_blobs(120, centers=[[-1, -1], [1, 1]], random_state=0)
    return X, y


# --- Les nombres à la française -------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "digits", "expected"),
    [
        (0.125, 2, "0,12"),
        (3, 0, "3"),
        (-1.5, 1, "−1,5"),
        (-0.0001, 2, "0,00"),  # « −0,00 » viendrait ou non selon la machine
        (np.float32(2.5), 3, "2,500"),
    ],
)
def test_decimal(value, digits, expected):
    """Virgule, vrai signe moins, et le nombre de chiffres demandé."""
    assert decimal(value, digits) == expected


def test_percent():
    """Une espace insécable avant le signe, un chiffre après la virgule."""
    assert percent(0.875) == "87,5\u00a0%"
    assert percent(1, 0) == "100\u00a0%"
    assert decimal(2 / 3) == "0,67"


# --- Les figures ----------------------------------------------------------------------


def axis_labels(ax):
    return ax.get_xlabel(), ax.get_ylabel()


def test_figure_style(figures):
    """Le style réglé vaut pour les figures suivantes : couleurs, traits et virgules."""
    with utilities.plt.rc_context():
        set_style()
        figure, ax = utilities.plt.subplots()
        lines = [ax.plot([0, 1])[0] for _ in range(3)]
        assert len({line.get_color() for line in lines}) == 3
        assert len({line.get_linestyle() for line in lines}) == 3
        assert figure.get_layout_engine() is not None
        bar = figure.colorbar(ax.imshow([[0, 0.5]]))
        ax.set(xlim=(0, 1), yscale="log", ylim=(0.1, 1))
        figure.draw_without_rendering()
        assert "0,2" in [label.get_text() for label in ax.get_xticklabels()]
        assert "0,2" in [label.get_text() for label in bar.ax.get_yticklabels()]
        assert any("10^" in label.get_text() for label in ax.get_yticklabels())


def test_plot_images(figures):
    """Chaque image, en gris de 0 à 255, avec son titre ; les cases en trop, vides."""
    X = np.arange(5 * 6, dtype=np.uint8).reshape(5, 2, 3)
    plot_images(X, titles="abcde", n_columns=3)
    [figure] = figures()
    assert len(figure.axes) == 6
    shown = [ax.images[0] for ax in figure.axes if ax.images]
    for image, expected in zip(shown, X, strict=True):
        np.testing.assert_array_equal(image.get_array(), expected)
        assert image.get_clim() == (0, 255)
    assert [ax.get_title() for ax in figure.axes] == [*"abcde", ""]


@pytest.mark.parametrize(
    ("X", "white"),
    [
        (np.full((1, 4), 0.5), 1),  # à plat
        (np.full((1, 2, 2), 1.01), 1),
        (np.ones((1, 2, 2), dtype=bool), 1),
        (np.full((1, 2, 2), 255.0), 255),
        (np.ones((1, 2, 2), dtype=np.uint8), 255),
    ],
)
def test_plot_images_knows_its_white(X, white, figures):
    plot_images(X)
    [shown] = figures()[0].axes[0].images
    assert shown.get_clim() == (0, white)
    assert shown.get_array().shape == (2, 2)


@pytest.mark.parametrize("n_images", [1, 6, 7])
def test_plot_images_fits_any_number(n_images, figures):
    """Une seule image, une rangée pleine, une image de trop."""
    plot_images(np.zeros((n_images, 2, 2)))
    [figure] = figures()
    assert sum(len(ax.images) for ax in figure.axes) == n_images


@pytest.mark.parametrize("validated", [True, False])
def test_plot_learning_curves(validated, blobs, figures):
    """Perte et exactitude par époque, avec ou sans validation."""
    X, y = blobs
    validation = (X, y) if validated else ()
    history = NeuralNetwork((), max_iter=3).fit(X, y, *validation).history_
    plot_learning_curves(history, held_out="validation")
    [figure] = figures()
    assert [axis_labels(ax) for ax in figure.axes] == [
        ("époque", "perte"),
        ("époque", "exactitude"),
    ]
    names = ["entraînement", "validation"] if validated else ["entraînement"]
    for ax, key in zip(figure.axes, ("loss", "accuracy"), strict=True):
        assert [text.get_text() for text in ax.get_legend().get_texts()] == names
        np.testing.assert_array_equal(ax.lines[0].get_xdata(), [1, 2, 3])
        np.testing.assert_array_equal(ax.lines[0].get_ydata(), history[key])


@pytest.mark.parametrize("n_classes", [2, 3, 10])
def test_plot_points(n_classes, figures):
    """Tous les points, une forme et une entrée de légende par classe."""
    X, y = make_blobs(40, centers=n_classes, random_state=0)
    ax = plot_points(X, y.reshape(-1, 1))
    assert axis_labels(ax) == ("$x_1$", "$x_2$")
    assert sum(len(points.get_offsets()) for points in ax.collections) == 40
    assert len(ax.get_legend().get_texts()) == n_classes


def test_plot_points_names_the_classes_in_order(figures):
    X, y = np.zeros((3, 2)), np.array([[1.0], [0.0], [1.0]])
    ax = plot_points(X, y, labels=["comestible", "toxique"])
    named = {c.get_label(): len(c.get_offsets()) for c in ax.collections}
    assert named == {"comestible": 1, "toxique": 2}


@pytest.mark.parametrize("given", [True, False])
def test_plot_decision_boundary(given, blobs, figures):
    """Les points par-dessus le plan coloré, dans l'axe donné ou un nouveau."""
    X, y = blobs
    model = NeuralNetwork((4,), max_iter=5, random_state=0).fit(X, y)
    model.predict = None  # la couleur dit la probabilité, non la classe prédite
    ax = utilities.plt.subplots()[1] if given else None
    drawn = plot_decision_boundary(model, X, y, ax)
    assert not given or drawn is ax
    assert len(figures()) == 1
    assert axis_labels(drawn) == ("$x_1$", "$x_2$")
    drawn.figure.canvas.draw()
    points = [c for c in drawn.collections if len(c.get_offsets()) == 60]
    assert len(points) == 2
    filled, line = (c for c in drawn.collections if isinstance(c, ContourSet))
    assert filled.levels[[0, -1]].tolist() == [0, 1]
    assert line.levels.tolist() == [0.5]


def test_plot_decision_boundary_of_three_classes(blobs, figures):
    """La deuxième, contre les deux autres."""
    X, _ = blobs
    y = np.arange(len(X)) % 3
    drawn = plot_decision_boundary(NeuralNetwork((), max_iter=2).fit(X, y), X, y)
    _, labels = drawn.get_legend_handles_labels()
    assert labels == ["classe 0", "classe 1", "classe 2"]
    figures()


def test_plot_learning_curves_of_a_training_stopped_at_once(figures):
    plot_learning_curves({})
    [figure] = figures()
    assert [axis_labels(ax) for ax in figure.axes] == [("époque", "perte")]


def test_stills_and_film_show_the_same_frames(figures):
    """Une case par étape, une image du film par étape, et rien d'autre à l'écran."""

    def draw(ax, frame):
        ax.plot([0, frame])
        ax.set(title=f"étape {frame}", ylabel="y")
        drawn.append((frame, len(ax.lines)))

    drawn = []
    plot_stills(draw, [0, 4, 9])
    [figure] = figures()
    assert [ax.get_title() for ax in figure.axes] == ["étape 0", "étape 4", "étape 9"]

    assert len({ax.get_xlim() for ax in figure.axes}) == 1
    assert len({ax.get_ylim() for ax in figure.axes}) == 1
    assert [ax.get_ylabel() for ax in figure.axes] == ["y", "", ""]

    drawn.clear()
    page = animate(draw, iter([3, 5, 8, 8]), interval=250).data
    assert drawn == [(3, 1), (5, 1), (8, 1), (8, 1)]
    assert page.count("data:image/png;base64") == 4
    assert re.search(r" 250(\.0)?,", page)
    assert page == animate(draw, [3, 5, 8, 8], interval=250).data
    assert figures() == [figure]


def test_a_film_speaks_french_and_needs_no_connection(figures):
    """Neuf boutons et trois modes, que matplotlib nomme en anglais."""
    page = animate(lambda ax, frame: ax.plot([frame]), [1, 2]).data
    assert "http" not in page
    assert "fa-" not in page
    french = {words[2:] for words in utilities.FILM_BUTTONS.values()}
    assert set(re.findall(r'<button title="(.*?)"', page)) == french
    for mode in utilities.FILM_MODES.values():
        assert f">{mode}<" in page


def test_a_failing_film_leaves_no_figure(figures):
    def draw(ax, frame):
        raise KeyError(frame)

    with pytest.raises(KeyError):
        animate(draw, [1])
    with pytest.raises(TypeError):
        animate(draw, 5)
    assert figures() == []


@pytest.mark.parametrize("n_neurons", [1, 5, 9])
def test_plot_weights(n_neurons, figures):
    """Une image par neurone, toutes sur une même échelle centrée en zéro."""
    W = np.random.default_rng(0).normal(size=(6, n_neurons))
    plot_weights(W, (2, 3), label="bleu : chat")
    [figure] = figures()
    shown = [ax.images[0] for ax in figure.axes if ax.images]
    assert len(shown) == n_neurons
    for image, w in zip(shown, W.T, strict=True):
        np.testing.assert_array_equal(image.get_array(), w.reshape(2, 3))
        assert image.get_clim() == (-np.abs(W).max(), np.abs(W).max())
    assert figure.axes[-1].get_ylabel() == "bleu : chat"
    figure.canvas.draw()


def test_plot_weights_of_an_untrained_neuron(figures):
    """Des poids tous nuls se dessinent aussi, sans avertissement."""
    plot_weights(np.zeros((6, 1)), (2, 3))
    [figure] = figures()
    figure.canvas.draw()


def test_plot_confusion_matrix(figures):
    """Classes vraies en lignes, prédites en colonnes, noms sur les deux axes."""
    y, y_pred = np.array([[0.0], [0], [1], [1], [1]]), np.array([0, 1, 1, 1, 1])
    plot_confusion_matrix(y, y_pred, ["chat", "chien"])
    [figure] = figures()
    ax = figure.axes[0]
    assert axis_labels(ax) == ("classe prédite", "classe vraie")
    np.testing.assert_array_equal(ax.images[0].get_array(), [[1, 1], [0, 3]])
    for ticks in (ax.get_xticklabels(), ax.get_yticklabels()):
        assert [tick.get_text() for tick in ticks] == ["chat", "chien"]
    figure.canvas.draw()
