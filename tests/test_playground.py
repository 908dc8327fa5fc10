"""Le bac à sable et l'ardoise, sans navigateur : ce qu'ils calculent et répondent."""

import json
from functools import partial
from pathlib import Path

import drawings
import nbformat
import numpy as np
import pytest
from test_notebooks import markdown_cells, prose

import utilities
from conftest import assert_helpful, kernel_for
from playground import (
    DATA,
    EXTENT,
    RESOLUTION,
    Experiment,
    Eye,
    Sandbox,
    Slate,
    center_drawing,
)

ROOT = Path(__file__).resolve().parent.parent
NOTEBOOKS = sorted((ROOT / "notebooks" / "jouer").glob("*.ipynb"))

# --- L'expérience ---------------------------------------------------------------------


@pytest.mark.parametrize("hidden", [(), (4, 2)], ids=["un neurone", "4-2"])
@pytest.mark.parametrize(
    ("solver", "same"),
    [
        ("sgd", {"solver": "sgd", "momentum": 0}),
        ("momentum", {"solver": "sgd", "nesterovs_momentum": False}),
        ("adam", {"solver": "adam"}),
    ],
)
@pytest.mark.parametrize("activation", ["tanh", "relu"])
def test_steps_are_those_of_the_course_s_network(activation, solver, same, hidden):
    experiment = Experiment(
        hidden_layer_sizes=hidden, activation=activation, solver=solver, alpha=0.5
    )
    experiment.train(5)
    network = utilities.NeuralNetwork(
        hidden, activation, **same, alpha=0.5, batch_size=100, max_iter=5
    )
    network.set_params(random_state=0, learning_rate_init=0.03)
    network.fit(experiment.X_train, experiment.y_train)
    for (W, b), coef, intercept in zip(
        experiment.parameters, network.coefs_, network.intercepts_, strict=True
    ):
        np.testing.assert_allclose(W, coef, rtol=1e-9, atol=1e-12)
        np.testing.assert_allclose(b[0], intercept, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("data", DATA)
def test_a_small_network_learns_what_a_lone_neuron_cannot(data):
    alone = Experiment(data, noise=0.1, hidden_layer_sizes=())
    network = Experiment(data, noise=0.1, hidden_layer_sizes=(8, 8))
    for experiment in (alone, network):
        experiment.train(400)
    assert network.accuracy() >= 0.9
    assert alone.accuracy() >= 0.95 if data == "nuages" else alone.accuracy() <= 0.9


def test_each_class_has_as_many_points_and_the_plane_holds_them():
    for data in DATA:
        experiment = Experiment(data, noise=0.2)
        assert experiment.y_train.mean() == experiment.y_test.mean() == 0.5
        assert np.abs(experiment.X_train).max() < EXTENT


def test_maps_show_each_neuron_where_the_page_puts_it():
    """x₁ croît vers la droite, x₂ vers le haut ; 128 sépare oui de non."""
    experiment = Experiment(hidden_layer_sizes=(3,), activation="logistic")
    experiment.train(50)
    maps = experiment.maps().astype(int) - 128
    assert maps.shape == (2 + 3 + 1, RESOLUTION, RESOLUTION)
    (W1, b1), (W2, b2) = experiment.parameters
    cell = 2 * EXTENT / RESOLUTION
    for row, column in [(0, 0), (5, 40), (30, 11), (47, 47)]:
        x = np.array([-EXTENT + (column + 0.5) * cell, EXTENT - (row + 0.5) * cell])
        z = x @ W1 + b1[0]
        output = 1 / (1 + np.exp(-(1 / (1 + np.exp(-z)) @ W2 + b2[0])))
        seen = maps[:, row, column]
        assert (np.sign(seen[:2]) == np.sign(x)).all()
        assert (np.sign(seen[2:5]) == np.sign(z)).all()
        assert seen[5] == pytest.approx(127 * (2 * output[0] - 1), abs=0.51)


def test_frontier_of_linear_layers_is_a_straight_line():
    """Sans activation, Z est affine : ses écarts d'une case à l'autre sont égaux."""
    experiment = Experiment(hidden_layer_sizes=(8, 8), activation="identity")
    experiment.train(20)
    Z = experiment.frontier().astype(float)
    assert ((Z > 0) == (experiment.maps()[-1] > 128))[np.abs(Z) > 0.1].all()
    for axis in (0, 1):
        steps = np.diff(Z, axis=axis)
        np.testing.assert_allclose(steps, steps.mean(), rtol=1e-3)


def test_restart_forgets_everything():
    experiment = Experiment()
    before = [W.copy() for W, _ in experiment.parameters]
    experiment.train(20)
    assert len(experiment.losses) == 21
    experiment.restart()
    assert len(experiment.losses) == 1
    for W, (again, _) in zip(before, experiment.parameters, strict=True):
        np.testing.assert_array_equal(W, again)


@pytest.mark.parametrize(
    "wrong",
    [
        {"data": "chats"},
        {"activation": "sinus"},
        {"solver": []},
        {"learning_rate_init": 0},
        {"noise": -1},
        {"random_state": 1.5},
        {"hidden_layer_sizes": (0,)},
    ],
    ids=str,
)
def test_an_impossible_setting_is_refused_in_one_french_sentence(wrong):
    with pytest.raises(ValueError) as error:
        Experiment(**wrong)
    assert_helpful(error, *wrong)


# --- Le bac à sable -------------------------------------------------------------------


def test_a_refused_setting_leaves_the_sandbox_as_it_was():
    sandbox = Sandbox()
    before = dict(sandbox.settings)
    with pytest.raises(ValueError, match="noise"):
        sandbox.answer({"settings": {"noise": -1}}, [])
    assert sandbox.settings == before
    sandbox.answer({"settings": {"data": "lunes"}}, [])
    assert sandbox.experiment.data == sandbox.settings["data"] == "lunes"


def test_layers_given_as_a_tuple_do_not_restart_at_each_question():
    sandbox = Sandbox()
    sandbox.settings = {**sandbox.settings, "hidden_layer_sizes": (8, 8)}
    for n in (3, 6):
        content, _ = sandbox.answer({"steps": 3, "settings": {}}, [])
        assert content["n_steps"] == n


def test_sandbox_answers_what_the_page_draws():
    sandbox = Sandbox(hidden_layer_sizes=(3,))
    content, arrays = sandbox.answer({"steps": 7}, [])
    maps, points, labels, losses, Z = arrays
    assert (Z.shape, Z.dtype) == ((RESOLUTION, RESOLUTION), np.float32)
    assert json.dumps(content, allow_nan=False)
    assert content["n_steps"] == 7
    assert [np.shape(W) for W in content["weights"]] == [(2, 3), (3, 1)]
    assert maps.dtype == labels.dtype == np.uint8
    assert points.dtype == losses.dtype == np.float32
    assert len(maps) == 6
    # La page lit un point d'entraînement, un de test, et ainsi de suite.
    experiment = sandbox.experiment
    pairs = points.reshape(-1, 2)
    np.testing.assert_allclose(pairs[::2], experiment.X_train, rtol=1e-6)
    np.testing.assert_array_equal(labels.ravel()[1::2], experiment.y_test.ravel())
    np.testing.assert_allclose(losses, experiment.losses, rtol=1e-6)


def test_sandbox_is_never_long_to_answer():
    content, _ = Sandbox().answer({"steps": 10**9}, [])
    assert content["n_steps"] == 100


def test_the_rate_changes_on_the_way_and_the_rest_starts_again():
    sandbox = Sandbox()
    sandbox.answer({"steps": 5}, [])
    changes = {"learning_rate_init": 1, "alpha": 0.1}
    assert sandbox.answer({"settings": changes}, [])[0]["n_steps"] == 5
    assert sandbox.experiment.learning_rate_init == 1
    changes = {"hidden_layer_sizes": [3]}
    assert sandbox.answer({"settings": changes}, [])[0]["n_steps"] == 0
    assert sandbox.settings["hidden_layer_sizes"] == [3]
    assert sandbox.settings["learning_rate_init"] == 1
    # D'une cellule aussi.
    sandbox.answer({"steps": 3}, [])
    sandbox.settings = {**sandbox.settings, "data": "lunes"}
    assert sandbox.answer({}, [])[0]["n_steps"] == 0
    assert sandbox.answer({"steps": 3}, [])[0]["n_steps"] == 3
    assert sandbox.answer({"restart": True, "steps": 0}, [])[0]["n_steps"] == 0


def test_a_descent_that_diverges_stops_and_says_so():
    sandbox = Sandbox(
        activation="identity", solver="momentum", learning_rate_init=1000.0, alpha=10.0
    )
    content, _ = sandbox.answer({"steps": 100}, [])
    assert content["diverged"]
    assert content["n_steps"] < 100
    assert json.dumps(content, allow_nan=False)
    again, _ = sandbox.answer({"steps": 100}, [])
    assert again["n_steps"] == content["n_steps"]
    assert not sandbox.answer({"restart": True}, [])[0]["diverged"]


# --- Le cadrage -----------------------------------------------------------------------


def blot(rows, columns, side=140):
    drawing = np.zeros((side, side), dtype=np.uint8)
    drawing[slice(*rows), slice(*columns)] = 255
    return drawing


def test_where_one_draws_does_not_matter():
    giraffe = drawings.draw("girafe")
    rows, columns = np.nonzero(giraffe)
    there = np.roll(giraffe, (-rows.min(), 139 - columns.max()), axis=(0, 1))
    np.testing.assert_array_equal(center_drawing(giraffe), center_drawing(there))


def test_the_size_one_draws_at_hardly_matters():
    giraffe = drawings.draw("girafe")
    twice = giraffe.repeat(2, axis=0).repeat(2, axis=1)
    assert np.abs(center_drawing(giraffe) - center_drawing(twice)).mean() < 0.02


def test_a_drawing_fills_its_frame_but_for_a_pixel_and_keeps_its_shape():
    image = center_drawing(blot((50, 102), (10, 36)))  # deux fois plus haut que large
    rows, columns = np.nonzero(image > 0.5)
    assert (rows.min(), rows.max()) == (1, 26)
    assert (columns.min(), columns.max()) == (7, 20)
    assert image.max() == 1


def test_an_empty_slate_stays_empty():
    assert not center_drawing(np.zeros((140, 140), dtype=np.uint8)).any()


# --- L'œil et l'ardoise ---------------------------------------------------------------


@pytest.fixture(scope="module")
def animals():
    images, y, images_test, y_test = utilities.load_data("animaux")
    X, X_test = map(utilities.flatten_images, (images, images_test))
    return X.astype("float32"), y, X_test, y_test  # comme dans l'ardoise


@pytest.fixture(scope="module")
def network(animals):
    augment = partial(utilities.mirror_and_shift, shape=(28, 28))
    network = utilities.NeuralNetwork((128, 64), random_state=0, augment=augment)
    network.set_params(max_iter=20, batch_size=128, learning_rate_init=0.002)
    return network.fit(*animals[:2])


def drawn(filled, n_each=10, seed=0):
    """Des dessins de chaque animal, cadrés, et leurs classes."""
    rng = np.random.default_rng(seed)
    names = utilities.load_class_names("animaux")
    labels = np.repeat(np.arange(10), n_each)
    images = [center_drawing(drawings.draw(names[k], rng, filled)) for k in labels]
    return np.array(images).reshape(len(labels), -1), labels


def test_filled_drawings_are_seen_and_bare_outlines_are_not(network):
    """Ce pourquoi l'ardoise remplit ce que le trait enferme."""
    filled, outlined = (network.score(*drawn(filled)) for filled in (True, False))
    assert filled >= 0.6
    assert outlined <= filled - 0.2


def test_occlusion_finds_the_only_pixels_that_decide():
    """Un réseau qui ne regarde qu'un carré de 4 × 4 pixels."""
    W = np.zeros((28, 28, 3))
    W[10:14, 20:24, 1] = 1
    network = utilities.NeuralNetwork((), max_iter=1)
    network.fit(np.eye(3, 784), [0, 1, 2])
    network.coefs_, network.intercepts_ = [W.reshape(784, 3)], [np.zeros(3)]
    decisive = Eye(network, np.eye(3, 784), [0, 1, 2]).occlusion(np.ones((28, 28)))
    assert np.unravel_index(decisive.argmax(), (28, 28)) in [
        (i, j) for i in range(10, 14) for j in range(20, 24)
    ]
    assert decisive.min() > -1e-9
    # Un carré qui ne touche pas ces pixels ne change rien.
    assert np.abs(decisive[:4]).max() < 1e-9
    assert np.abs(decisive[:, :14]).max() < 1e-9


def test_what_was_mistaken_is_learned_and_the_rest_is_kept(network, animals):
    X, y, X_test, y_test = animals
    images, labels = drawn(filled=True)
    wrong = np.flatnonzero(network.predict(images) != labels)[0]
    before = network.score(X_test, y_test)
    coefs = [W.copy() for W in network.coefs_]
    eye = Eye(network, X, y)
    eye.learn(images[wrong], labels[wrong])
    assert eye.see(images[wrong]).argmax() == labels[wrong]
    assert eye.network.score(X_test, y_test) > before - 0.03
    for W, still in zip(coefs, network.coefs_, strict=True):
        np.testing.assert_array_equal(W, still)


def test_one_drawing_of_each_animal_helps_with_all_the_others(network, animals):
    eye = Eye(network, *animals[:2])
    for image, label in zip(*drawn(filled=True, n_each=1, seed=1), strict=True):
        eye.learn(image, label)
    others = drawn(filled=True)
    assert eye.network.score(*others) > network.score(*others) + 0.05


def test_slate_answers_what_the_page_draws(network, animals):
    names = utilities.load_class_names("animaux")
    slate = Slate(network, *animals[:2], names)
    giraffe = drawings.draw("girafe")
    question = {"side": len(giraffe)}
    content, (image, decisive) = slate.answer(question, [giraffe.tobytes()])
    assert json.dumps(content, allow_nan=False)
    expected = network.predict_proba(center_drawing(giraffe).reshape(1, -1))[0]
    np.testing.assert_allclose(content["seen"], expected)
    assert (image.shape, image.dtype) == ((28, 28), np.uint8)
    assert (decisive.shape, decisive.dtype) == ((28, 28), np.float32)
    assert np.abs(decisive).max() == pytest.approx(1)
    # « C'était un ours » : il apprend, puis regarde de nouveau.
    taught, _ = slate.answer({**question, "label": 0}, [giraffe.tobytes()])
    assert (content["learned"], taught["learned"]) == (0, 1)
    assert taught["seen"][0] > content["seen"][0]


def test_an_empty_slate_is_neither_guessed_at_nor_learned(network, animals):
    slate = Slate(network, *animals[:2], utilities.load_class_names("animaux"))
    coefs = slate.eye.network.coefs_[0].copy()
    content, _ = slate.answer({"side": 140, "label": 3}, [bytes(140 * 140)])
    assert (content["seen"], content["learned"]) == ([], 0)
    np.testing.assert_array_equal(slate.eye.network.coefs_[0], coefs)


def test_a_network_of_two_classes_is_refused():
    X, y = np.eye(4, 784), [0, 1, 0, 1]
    network = utilities.NeuralNetwork((), max_iter=1).fit(X, y)
    with pytest.raises(ValueError) as error:
        Eye(network, X, y)
    assert_helpful(error, "network", "2 classes")


# --- Les deux pages -------------------------------------------------------------------


def test_a_question_gets_one_answer_with_its_buffers(monkeypatch):
    """Le chemin d'ipywidgets : un message de la page, un message en retour."""
    sandbox, sent = Sandbox(), []
    monkeypatch.setattr(sandbox, "send", lambda *message: sent.append(message))
    sandbox._handle_custom_msg({"steps": 2}, [])
    [(content, buffers)] = sent
    assert content["n_steps"] == 2
    assert [memoryview(buffer).nbytes for buffer in buffers] == [
        9 * RESOLUTION**2, 200 * 2 * 4, 200, 3 * 2 * 4, 4 * RESOLUTION**2,
    ]  # fmt: skip


def test_repr_names_no_identifier():
    assert repr(Sandbox()) == "Sandbox()"


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_notebook_to_play_holds_no_output_and_runs(path):
    notebook = nbformat.read(path, as_version=4)
    nbformat.validate(notebook)
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert all(not cell.outputs and cell.execution_count is None for cell in code)
    assert 'sys.path[:0] = ["..", "../.."]' in code[0].source
    with kernel_for(notebook, path.parent) as client:
        for index, cell in enumerate(notebook.cells):
            client.execute_cell(cell, index)
    [shown] = [o for o in code[-1].outputs if o.output_type == "execute_result"]
    assert "application/vnd.jupyter.widget-view+json" in shown.data


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_notebook_to_play_is_in_good_french(path):
    for text in map(prose, markdown_cells(path)):
        assert "'" not in text
        assert not any(f" {mark}" in text for mark in ";:!?%»")


def test_both_notebooks_are_there():
    assert [path.stem for path in NOTEBOOKS] == ["ardoise", "bac_a_sable"]
