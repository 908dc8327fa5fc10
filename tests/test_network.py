"""`NeuralNetwork`, face à scikit-learn, aux mauvaises valeurs et aux vraies images."""

import ast
import doctest
import io
import os
import pickle
import re
import subprocess
import sys
import warnings
from functools import partial

import joblib
import numpy as np
import pytest
from scipy.sparse import csr_array
from sklearn.base import clone
from sklearn.datasets import make_blobs
from sklearn.ensemble import BaggingClassifier
from sklearn.exceptions import ConvergenceWarning, NotFittedError
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils import get_tags
from sklearn.utils.estimator_checks import parametrize_with_checks

import utilities
from conftest import ROOT, assert_helpful
from utilities import (
    NeuralNetwork,
    NeuralNetworkRegressor,
    decimal,
    flatten_images,
    load_data,
    mirror_and_shift,
    plot_learning_curves,
)

NEURON = {"hidden_layer_sizes": (), "solver": "sgd", "momentum": 0, "alpha": 0}


@pytest.fixture(scope="module")
def blobs():
    """Deux nuages de points qui se recouvrent un peu : X (120, 2), y (120,)."""
    X, y = make_blobs(120, centers=[[-1, -1], [1, 1]], random_state=0)
    return X, y


@pytest.fixture(scope="module")
def blobs_3():
    """Trois nuages de points, trois classes."""
    centers = [[-2, 0], [2, 0], [0, 3]]
    return make_blobs(90, centers=centers, random_state=0)


def assert_same_weights(first, second):
    """Poids et biais égaux au dernier bit, de même type."""
    arrays = zip(
        [*first.coefs_, *first.intercepts_],
        [*second.coefs_, *second.intercepts_],
        strict=True,
    )
    for a, b in arrays:
        np.testing.assert_array_equal(a, b, strict=True)


# --- Le contrat de scikit-learn -------------------------------------------------------


@parametrize_with_checks(
    [
        NeuralNetwork((), max_iter=30),
        NeuralNetwork((16,), max_iter=30, learning_rate_init=0.01),
        NeuralNetwork((16, 8), max_iter=30, learning_rate_init=0.01),
        NeuralNetworkRegressor((), max_iter=30, learning_rate_init=0.1),
        NeuralNetworkRegressor((16,), max_iter=30, learning_rate_init=0.01),
        NeuralNetworkRegressor((16, 8), max_iter=30, learning_rate_init=0.01),
    ]
)
def test_scikit_learn_contract(estimator, check):
    """Tous les contrôles de `check_estimator`, un par un."""
    check(estimator)


def test_shared_parameters_have_the_same_names_and_order():
    """Les deux premiers se donnent par position, comme dans MLPClassifier."""
    ours, theirs = NeuralNetwork().get_params(), MLPClassifier().get_params()
    assert set(ours) - set(theirs) == {"initialization", "dropout", "augment"}
    same = {name for name in ours if name in theirs and ours[name] == theirs[name]}
    assert set(ours) - same == {"initialization", "dropout", "augment", "tol"}
    model = NeuralNetwork((3, 2), "tanh")
    assert (model.hidden_layer_sizes, model.activation) == ((3, 2), "tanh")


def test_fitted_attributes(blobs_3):
    """Les mêmes que ceux de MLPClassifier, de mêmes formes."""
    X, y = blobs_3
    with warnings.catch_warnings(action="ignore", category=ConvergenceWarning):
        theirs = MLPClassifier((4, 5), max_iter=3).fit(X, y)
    ours = NeuralNetwork((4, 5), max_iter=3).fit(X, y)
    for name in ("n_layers_", "n_outputs_", "n_features_in_", "n_iter_"):
        assert getattr(ours, name) == getattr(theirs, name)
    assert ours.out_activation_ == theirs.out_activation_ == "softmax"
    np.testing.assert_array_equal(ours.classes_, theirs.classes_)
    for name in ("coefs_", "intercepts_"):
        shapes = [[a.shape for a in getattr(net, name)] for net in (ours, theirs)]
        assert shapes[0] == shapes[1]
    assert len(ours.loss_curve_) == 3
    assert ours.loss_ == ours.loss_curve_[-1]


def test_model_in_scikit_learn_tools(blobs):
    """Pipeline, validation croisée, recherche sur grille, clone."""
    X, y = blobs
    network = NeuralNetwork((8,), learning_rate_init=0.02, max_iter=30, random_state=0)
    model = make_pipeline(StandardScaler(), network)
    assert cross_val_score(model, X, y, cv=3).mean() > 0.85
    grid = {"neuralnetwork__hidden_layer_sizes": [(), (4,)]}
    grid["neuralnetwork__learning_rate_init"] = np.logspace(-2, -1, 2)
    search = GridSearchCV(model, grid, cv=2, error_score="raise").fit(X, y)
    assert search.best_score_ > 0.85
    copy = clone(search.best_estimator_[-1])
    assert not hasattr(copy, "coefs_")
    assert copy.get_params() == search.best_estimator_[-1].get_params()


def through_pickle(model, path):
    return pickle.loads(pickle.dumps(model))


def through_joblib(model, path):
    joblib.dump(model, path)
    return joblib.load(path)


@pytest.mark.parametrize("copy", [through_pickle, through_joblib])
def test_a_stored_network_comes_back_whole(copy, blobs_3, tmp_path):
    """Mêmes réglages, classes, courbes et prédictions ; il se laisse réentraîner."""
    X, y = blobs_3
    names = np.array(["chat", "chien", "été"])[y]
    augment = partial(mirror_and_shift, shape=(1, 2), max_shift=0)
    model = NeuralNetwork((4,), max_iter=5, random_state=0, augment=augment)
    model.fit(X, names, X, names)
    back = copy(model, tmp_path / "réseau d'été.joblib")
    assert back.get_params().keys() == model.get_params().keys()
    assert back.augment.keywords == augment.keywords
    assert back.history_ == model.history_
    np.testing.assert_array_equal(back.predict(X), model.predict(X), strict=True)
    np.testing.assert_array_equal(back.predict_proba(X), model.predict_proba(X))
    assert_same_weights(back.fit(X, names), model)


def test_what_the_readme_shows_runs(blobs, tmp_path, monkeypatch):
    """Les deux lignes qui rangent un réseau et le reprennent, en français ou non."""
    monkeypatch.chdir(tmp_path)
    model = NeuralNetwork((4,), max_iter=2).fit(*blobs)
    for name in ("README.md", "README.en.md"):
        text = (ROOT / name).read_text(encoding="utf-8")
        [block] = re.findall(r"```python\n(.*?joblib.*?)```", text, flags=re.DOTALL)
        namespace = {"network": model}
        exec(block, namespace)
        assert namespace["network"] is not model
        assert_same_weights(namespace["network"], model)


def test_the_example_of_fit_is_true(blobs):
    """Dans un Pipeline, X_val se transforme avant : l'exemple de la docstring."""
    (X, y), examples = blobs, doctest.DocTestFinder()
    names = {"StandardScaler": StandardScaler, "make_pipeline": make_pipeline}
    names |= {"X": 50 + 9 * X[20:], "y": y[20:], "X_val": 50 + 9 * X[:20]}
    names |= {"y_val": y[:20], "NeuralNetwork": NeuralNetwork}
    [example] = examples.find(NeuralNetwork.fit, "fit", globs=names)
    assert len(example.examples) == 4
    assert doctest.DocTestRunner().run(example).failed == 0


# --- Calculé à la main ----------------------------------------------------------------


def test_a_neuron_at_zero_hesitates():
    """Poids nuls : chaque probabilité vaut ½, la perte log 2, la classe la première."""
    X, y = np.eye(4), np.array(["b", "a", "a", "a"])
    model = NeuralNetwork(**NEURON, learning_rate_init=1e-300, max_iter=1)
    model.fit(X, y, X, y)
    assert model.loss_curve_ == [pytest.approx(np.log(2), rel=1e-14)]
    assert model.history_["accuracy"] == model.history_["val_accuracy"] == [0.75]
    assert model.predict(X).tolist() == ["a"] * 4
    labels = NeuralNetwork(**NEURON, learning_rate_init=1e-300, max_iter=1)
    assert labels.fit(X, X.astype(int)).history_["accuracy"] == [0]
    np.testing.assert_array_equal(labels.predict(X), np.zeros((4, 4)))


def test_one_step_by_hand():
    """Deux images, un pas de 1 : W = Xᵀ (y - ½) / 2."""
    X, y = np.array([[2.0, 0.0], [0.0, 4.0]]), np.array([[1], [0]])
    model = NeuralNetwork(**NEURON, learning_rate_init=1, max_iter=1).fit(X, y)
    np.testing.assert_allclose(model.coefs_[0], [[0.5], [-1]], rtol=1e-15)
    np.testing.assert_array_equal(model.intercepts_[0], [0])


# --- Les données ----------------------------------------------------------------------


@pytest.mark.parametrize("n_classes", [2, 3])
def test_column_and_flat_labels_are_the_same(n_classes, blobs, blobs_3):
    """(m, 1) ou (m,) : mêmes poids, sans avertissement, et prédictions plates."""
    X, y = blobs if n_classes == 2 else blobs_3
    options = {"max_iter": 5, "early_stopping": True, "random_state": 0}
    flat = NeuralNetwork((4,), **options).fit(X, y)
    column = NeuralNetwork((4,), **options).fit(X, y.reshape(-1, 1))
    assert_same_weights(flat, column)
    assert column.predict(X).shape == (len(X),)
    validated = NeuralNetwork(max_iter=2).fit(X, y, X, y.reshape(-1, 1))
    assert validated.history_["val_accuracy"][-1] == validated.score(X, y)


NAMES = [[0, 1], [-1, 1], [3.0, 7.0], ["chat", "chien"], ["chèvre", "mouton", "âne"]]


@pytest.mark.parametrize("names", NAMES)
def test_each_class_has_its_column(names, blobs, blobs_3):
    """La colonne k est la probabilité de classes_[k], quels que soient les noms."""
    X, y = blobs if len(names) == 2 else blobs_3
    labels = np.array(names)[y]
    model = NeuralNetwork((8,), learning_rate_init=0.05, max_iter=50, random_state=0)
    proba = model.fit(X, labels).predict_proba(X)
    assert model.classes_.tolist() == names
    np.testing.assert_allclose(proba.sum(axis=1), 1)
    np.testing.assert_array_equal(
        model.predict(X), model.classes_[proba.argmax(axis=1)]
    )
    assert model.score(X, labels) > 0.9


def test_several_labels_at_once(blobs_3):
    """Une matrice de 0 et de 1 : une sigmoïde par colonne."""
    X, y = blobs_3
    Y = np.column_stack([y == 0, y != 1]).astype(int)
    options = {"learning_rate_init": 0.05, "random_state": 0, "early_stopping": True}
    model = NeuralNetwork((16,), **options).fit(X, Y)
    assert model.out_activation_ == "logistic"
    assert get_tags(model).classifier_tags.multi_label
    assert model.predict_proba(X).shape == Y.shape
    assert model.score(X, Y) > 0.85
    np.testing.assert_array_equal(model.predict(X), model.predict_proba(X) > 0.5)


@pytest.mark.parametrize("refused", ["y", "y_val"])
def test_several_labels_are_zeros_and_ones(refused, blobs):
    """Une matrice de -1 et de 1 donnerait une perte négative."""
    X, _ = blobs
    Y, signs = (X > 0).astype(int), np.where(X > 0, 1, -1)
    targets = {"y": Y, "X_val": X, "y_val": Y, refused: signs}
    with pytest.raises(ValueError) as refusal:
        NeuralNetwork((), max_iter=1).fit(X, **targets)
    assert_helpful(refusal, f"{refused} ne doit contenir que [0, 1]", "-1")
    with pytest.raises(ValueError) as refusal:
        NeuralNetwork((), max_iter=1).fit(X, Y.astype(str))
    assert_helpful(refusal, "[0, 1]")


def test_a_single_class_has_a_single_probability(blobs):
    """Autant de colonnes que de classes : BaggingClassifier compte dessus."""
    X, y = blobs
    model = NeuralNetwork((4,), max_iter=2).fit(X, np.full(len(X), "chat"))
    assert model.classes_.tolist() == ["chat"]
    np.testing.assert_array_equal(model.predict_proba(X), np.ones((len(X), 1)))
    assert set(model.predict(X)) == {"chat"}
    rare = np.arange(len(X)) == 7  # certains tirages n'auront pas cet exemple
    bag = BaggingClassifier(NeuralNetwork((4,), max_iter=2), random_state=0)
    assert bag.fit(X, rare).predict_proba(X).shape == (len(X), 2)
    assert {len(model.classes_) for model in bag.estimators_} == {1, 2}


def test_images_that_are_not_flat(blobs):
    """L'oubli le plus courant : la phrase nomme la fonction qui le répare."""
    X, y = blobs
    images = X.reshape(-1, 2, 1)
    for arguments in [(images, y), (X, y, images, y), (list(images), y)]:
        with pytest.raises(ValueError) as refusal:
            NeuralNetwork((), max_iter=1).fit(*arguments)
        assert_helpful(refusal, "flatten_images(X)", "(120, 2, 1)")
    with pytest.raises(ValueError, match="flatten_images"):
        NeuralNetwork((), max_iter=1).fit(X, y).predict(images)


@pytest.mark.parametrize("hidden_layer_sizes", [(), (8,)])
@pytest.mark.parametrize("solver", ["sgd", "adam"])
def test_single_precision_is_kept(hidden_layer_sizes, solver, blobs, monkeypatch):
    """float32 en entrée : float32 partout, gradients compris, réglages en float64."""
    gradients, flatten = [], utilities._flatten
    monkeypatch.setattr(
        utilities, "_flatten", lambda g: gradients.append(flatten(g)) or gradients[-1]
    )
    X, y = blobs[0].astype(np.float32), blobs[1]
    model = NeuralNetwork(
        hidden_layer_sizes,
        solver=solver,
        alpha=np.float64(0.1),
        dropout=np.float64(0.3),
        learning_rate_init=np.float64(0.01),
        max_iter=3,
    ).fit(X, y, X.astype(float), y)
    arrays = [*gradients[1:], *model.coefs_, *model.intercepts_]
    arrays.append(model.predict_proba(X))
    assert len(gradients) == 4  # les poids initiaux, puis trois pas
    assert {array.dtype for array in arrays} == {np.dtype(np.float32)}


def test_arguments_are_left_alone(blobs):
    """Ni X ni y ne sont modifiés ; batch_size peut dépasser m."""
    X, y = blobs[0].copy(), blobs[1].copy()
    X.flags.writeable = y.flags.writeable = False
    before = X.copy()
    model = NeuralNetwork((4,), batch_size=1000, max_iter=3).fit(X, y)
    model.predict(X)
    X.flags.writeable = True
    model.set_params(augment=lambda X, rng: np.add(X, 1, out=X)).fit(X, y)
    np.testing.assert_array_equal(X, before)


def record_batches(monkeypatch):
    """La liste des X que recevra chaque pas."""
    seen, gradient = [], NeuralNetwork._gradient
    monkeypatch.setattr(
        NeuralNetwork,
        "_gradient",
        lambda self, X, *rest: (seen.append(X.ravel()), gradient(self, X, *rest))[1],
    )
    return seen


def test_every_image_is_seen_once_an_epoch(monkeypatch):
    """Le dernier lot, plus petit, compte aussi ; l'ordre change à chaque époque."""
    X, seen = np.arange(10.0).reshape(-1, 1), record_batches(monkeypatch)
    NeuralNetwork((), batch_size=4, max_iter=2, random_state=0).fit(X, X.ravel() > 4)
    assert [len(batch) for batch in seen] == [4, 4, 2] * 2
    orders = [np.concatenate(seen[:3]), np.concatenate(seen[3:])]
    for order in orders:
        np.testing.assert_array_equal(np.sort(order), X.ravel())
        assert (order != X.ravel()).any()
    assert (orders[0] != orders[1]).any()


def test_batches_without_asking(monkeypatch):
    """Deux cents images par lot ; dans l'ordre si l'on ne mélange pas."""
    X, seen = np.arange(450.0).reshape(-1, 1), record_batches(monkeypatch)
    NeuralNetwork((), max_iter=1, shuffle=False).fit(X, X.ravel() > 4)
    assert [len(batch) for batch in seen] == [200, 200, 50]
    np.testing.assert_array_equal(np.concatenate(seen), X.ravel())


VALIDATIONS = {
    "une classe jamais vue": lambda X, y: (X, y, X, y + 1),
    "X_val seul": lambda X, y: (X, y, X),
    "y_val seul": lambda X, y: (X, y, None, y),
    "des colonnes de trop": lambda X, y: (X, X > 0, X, np.hstack([X, X]) > 0),
    "une colonne de moins": lambda X, y: (X, X > 0, X, X[:, :1] > 0),
    "une colonne de plus": lambda X, y: (X, y, X, X > 0),
}


@pytest.mark.parametrize("case", VALIDATIONS)
def test_refused_validation(case, blobs):
    """Un refus, non une perte fausse ou un oubli passé sous silence."""
    with pytest.raises(ValueError) as refusal:
        NeuralNetwork((), max_iter=1).fit(*VALIDATIONS[case](*blobs))
    assert_helpful(refusal, "y_val")


def test_validation_has_the_columns_of_the_training(blobs):
    """Ses mesures sont comptées, et n'en changent pas le nombre attendu ensuite."""
    X, y = blobs
    with pytest.raises(ValueError, match="features"):
        NeuralNetwork((), max_iter=1).fit(X, y, X[:, :1], y)


def fail(X, rng):
    raise RuntimeError("augmentation impossible")


@pytest.mark.parametrize("fitted", [True, False])
@pytest.mark.parametrize(
    ("options", "arguments"),
    [
        ({}, lambda X, y: (X, y + 1, X, y)),
        ({}, lambda X, y: (X[:, :1], np.where(y, np.nan, 0))),
        ({"augment": fail}, lambda X, y: (X[:, :1], y + 1)),
        ({"solver": "sgd", "learning_rate_init": 1e200}, lambda X, y: (X[:, :1], y)),
        ({"early_stopping": True}, lambda X, y: (X[:3, :1], y[:3] + 1)),
        ({"alpha": -1}, lambda X, y: (X[:, :1], y)),
    ],
    ids=["validation", "cibles", "augmentation", "divergence", "part", "réglage"],
)
def test_a_refused_fit_leaves_the_model_as_it_was(fitted, options, arguments, blobs):
    """Ni classes, ni poids, ni nombre de colonnes : rien n'a changé."""
    X, y = blobs
    model = NeuralNetwork((4,), max_iter=2)
    if fitted:
        model.fit(X, y, X, y)
    before = dict(vars(model.set_params(**options)))
    proba = model.predict_proba(X) if fitted else None
    with pytest.raises((ValueError, RuntimeError)):
        model.fit(*arguments(X, y))
    assert vars(model) == before
    if fitted:
        np.testing.assert_array_equal(model.predict_proba(X), proba)
    else:
        with pytest.raises(NotFittedError):
            model.predict(X)


@pytest.mark.parametrize(
    ("hidden_layer_sizes", "activation", "expected"),
    [((), "relu", "zeros"), ((4,), "relu", "he"), ((4,), "tanh", "glorot")],
)
def test_automatic_initialization(hidden_layer_sizes, activation, expected, blobs_3):
    """Zéro sans couche cachée, He pour relu, Glorot pour le reste."""
    X, y = blobs_3
    models = [
        NeuralNetwork(
            hidden_layer_sizes,
            activation,
            initialization=name,
            max_iter=1,
            random_state=0,
        ).fit(X, y)
        for name in ("auto", expected)
    ]
    assert_same_weights(*models)


# --- Le hasard ------------------------------------------------------------------------


SEEDS = [int, np.int64, np.random.default_rng, np.random.RandomState]


@pytest.mark.parametrize("kind", SEEDS)
def test_same_seed_same_network(kind, blobs):
    """Une graine, un réseau ; une autre, un autre ; un générateur vaut graine."""
    first, second, other = (
        NeuralNetwork((4,), max_iter=3, batch_size=16, random_state=kind(seed)).fit(
            *blobs
        )
        for seed in (0, 0, 1)
    )
    assert_same_weights(first, second)
    assert (first.coefs_[0] != other.coefs_[0]).all()


def test_early_stopping_does_not_change_the_start(blobs):
    """Même graine, mêmes poids initiaux ; la part mise de côté suit la graine."""
    X, y = blobs
    options = {"learning_rate_init": 1e-300, "max_iter": 1, "early_stopping": True}
    stopped = NeuralNetwork((4,), random_state=0, **options).fit(X, y)
    plain = NeuralNetwork((4,), random_state=0, **{**options, "early_stopping": False})
    np.testing.assert_array_equal(stopped.coefs_[0], plain.fit(X, y).coefs_[0])
    first, again, other = (
        fit_and_tell_split(NeuralNetwork((), random_state=seed, **options), X, y)[0]
        for seed in (0, 0, 1)
    )
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, other)


@pytest.mark.parametrize("random_state", [None, 0])
def test_global_generator_is_untouched(random_state, blobs):
    """L'entraînement ne puise pas dans np.random."""
    before = np.random.get_state()  # noqa: NPY002
    NeuralNetwork(max_iter=2, early_stopping=True, random_state=random_state).fit(
        *blobs
    )
    after = np.random.get_state()  # noqa: NPY002
    np.testing.assert_array_equal(before[1], after[1])
    assert before[2:] == after[2:]


# --- L'arrêt --------------------------------------------------------------------------


def fit_and_tell_split(model, X, y):
    """Entraîne, et rend les images de validation que le réseau s'est gardées."""
    split, kept = model._split, []
    model._split = lambda *arrays: kept.extend(split(*arrays)) or kept
    model.fit(X, y)
    return kept[1], kept[3]


def test_validation_split_keeps_the_proportions():
    """Une classe rare l'est autant dans la part de validation."""
    X, y = np.arange(100.0).reshape(-1, 1), np.arange(100) < 20
    model = NeuralNetwork((), early_stopping=True, validation_fraction=0.25, max_iter=1)
    X_val, Y_val = fit_and_tell_split(model, X, y)
    assert len(np.unique(X_val)) == 25
    assert Y_val.sum() == (X_val < 20).sum() == 5


def test_history_has_one_value_per_epoch(blobs):
    """Quatre courbes avec validation, deux sans ; X_val seul n'arrête rien."""
    X, y = blobs
    model = NeuralNetwork((4,), max_iter=15)
    history = model.fit(X, y, X[:20], y[:20]).history_
    assert list(history) == ["loss", "accuracy", "val_loss", "val_accuracy"]
    assert {len(values) for values in history.values()} == {15}
    assert all(type(value) is float for values in history.values() for value in values)
    assert model.n_iter_ == 15
    assert list(model.fit(X, y).history_) == ["loss", "accuracy"]


def test_validation_is_measured_with_the_weights_of_the_epoch(blobs):
    """La dernière valeur notée est celle du réseau rendu."""
    X, y = blobs
    model = NeuralNetwork((4,), max_iter=5, alpha=0, random_state=0).fit(X, y, X, y)
    A = model.predict_proba(X)[:, [1]]
    loss = utilities.log_loss(y.reshape(-1, 1), A)
    assert model.history_["val_loss"][-1] == pytest.approx(loss, rel=1e-12)
    assert model.history_["val_accuracy"][-1] == model.score(X, y)


def scripted(monkeypatch, **scores):
    """Des scores écrits d'avance, un par époque ; le poids dit combien ont passé."""
    epochs = iter(zip(*scores.values(), strict=True))

    def train_one_epoch(self, X, Y, theta, solver, rng):
        theta += 1
        return dict(zip(scores, next(epochs), strict=True))

    monkeypatch.setattr(NeuralNetwork, "_train_one_epoch", train_one_epoch)
    monkeypatch.setattr(NeuralNetwork, "_metrics", lambda *_: {})


STOPS = {  # pertes, tol, époque de l'arrêt pour une patience de 2
    "plateau": ([5, 4, 4, 4, 4, 4], 0.1, 5),
    "gain égal à tol": ([5, 4, 3, 2, 1, 0], 1, 4),
    "gain qui dépasse tol": ([6, 4, 2, 0, 0, 0, 0], 1.5, 7),
    "le meilleur compte, non le dernier": ([5, 9, 8, 7, 6, 6], 0.1, 4),
    "un sursaut remet à zéro": ([5, 5, 5, 4, 4, 4, 4, 4], 0.1, 7),
    "petits gains ajoutés": ([5, 4.5, 4, 3.5, 3, 2.5], 0.6, 4),
}


@pytest.mark.parametrize("case", STOPS)
def test_stops_when_nothing_improves(case, blobs, monkeypatch):
    """Plus de deux époques de suite sans gain supérieur à tol."""
    losses, tol, expected = STOPS[case]
    scripted(monkeypatch, loss=losses)
    model = NeuralNetwork((), tol=tol, n_iter_no_change=2, max_iter=len(losses))
    assert model.fit(*blobs).n_iter_ == expected


def test_early_stopping_keeps_the_first_of_the_best(blobs, monkeypatch):
    """Refaire la même exactitude ne compte pas : ni pour les poids, ni pour durer."""
    accuracies = [0.5, 0.7, 0.6, 0.7, 0.7, 0.9]
    scripted(monkeypatch, val_accuracy=accuracies, val_loss=range(6), loss=range(6))
    model = NeuralNetwork((), early_stopping=True, n_iter_no_change=2).fit(*blobs)
    assert model.n_iter_ == 5
    np.testing.assert_array_equal(model.coefs_[0], np.full((2, 1), 2))


@pytest.mark.parametrize("last", [np.nan, np.inf, -np.inf])
def test_late_divergence_keeps_the_best_weights(last, blobs, monkeypatch):
    """Promis par l'arrêt précoce ; une phrase le dit, les courbes restent finies."""
    losses = [3.0, 1.0, 2.0, last]
    accuracies = [0.5, 0.7, 0.6, 0.7]
    scripted(monkeypatch, val_accuracy=accuracies, val_loss=losses, loss=losses)
    model = NeuralNetwork((), early_stopping=True)
    with pytest.warns(UserWarning) as caught:
        model.fit(*blobs)
    assert caught[0].filename == __file__
    assert_helpful(
        caught[0].message, "l'époque 4", "learning_rate_init (0.001)", "gardés"
    )
    assert model.n_iter_ == 3
    assert model.history_["loss"] == losses[:3]
    np.testing.assert_array_equal(model.coefs_[0], np.full((2, 1), 2))


def test_early_divergence_is_refused_even_with_early_stopping(blobs, monkeypatch):
    """Dès la première époque, il n'y a pas de meilleurs poids à garder."""
    scripted(monkeypatch, val_accuracy=[0.5], val_loss=[1.0], loss=[np.inf])
    with pytest.raises(ValueError) as refusal:
        NeuralNetwork((), early_stopping=True).fit(*blobs)
    assert_helpful(refusal, "l'époque 1", "learning_rate_init")


def test_zero_tolerance_goes_to_the_end(blobs):
    """Par défaut, ni plateau ni remontée de la perte n'arrêtent l'entraînement."""
    X, y = blobs
    model = NeuralNetwork(**NEURON, learning_rate_init=20, n_iter_no_change=1)
    model.set_params(alpha=1).fit(X, y)
    assert (np.diff(model.loss_curve_) > 0).any()  # sans quoi rien ne l'arrêterait
    assert model.n_iter_ == model.max_iter


def interrupt(monkeypatch, method, call):
    """Simule Ctrl-C au énième appel de `method`."""
    original, calls = getattr(NeuralNetwork, method), []

    def interrupted(self, *arguments):
        calls.append(arguments)
        if len(calls) == call:
            raise KeyboardInterrupt
        return original(self, *arguments)

    monkeypatch.setattr(NeuralNetwork, method, interrupted)


def test_interruption_keeps_the_weights(blobs, monkeypatch):
    """Ctrl-C à la quatrième époque : trois sont gardées, et une phrase le dit."""
    X, y = blobs
    expected = NeuralNetwork((4,), max_iter=3, random_state=0).fit(X, y)
    interrupt(monkeypatch, "_train_one_epoch", 4)
    with pytest.warns(UserWarning, match=r"interrompu.* 3 époques.*gardés") as caught:
        model = NeuralNetwork((4,), random_state=0).fit(X, y)
    assert caught[0].filename == __file__  # l'alerte désigne l'appel à fit
    assert_same_weights(model, expected)
    assert model.n_iter_ == len(model.loss_curve_) == 3
    assert model.predict(X).shape == y.shape


def test_interruption_at_once(blobs, monkeypatch):
    """Avant la fin de la première époque : le réseau prédit, sans avoir appris."""
    X, y = blobs
    interrupt(monkeypatch, "_train_one_epoch", 1)
    with pytest.warns(UserWarning, match="interrompu"):
        model = NeuralNetwork((4,), early_stopping=True).fit(X, y)
    assert model.n_iter_ == 0
    assert model.loss_curve_ == []
    assert np.isfinite(model.predict_proba(X)).all()


def test_interruption_during_validation(blobs, monkeypatch, figures):
    """Les courbes gardent la même longueur, et se tracent."""
    X, y = blobs
    interrupt(monkeypatch, "_metrics", 6)
    with pytest.warns(UserWarning, match="interrompu"):
        model = NeuralNetwork((4,)).fit(X, y, X, y)
    assert {len(values) for values in model.history_.values()} == {model.n_iter_}
    plot_learning_curves(model.history_)


@pytest.mark.parametrize("hidden_layer_sizes", [(), (8, 8)])
@pytest.mark.parametrize("n_classes", [2, 3])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_divergence_is_explained(hidden_layer_sizes, n_classes, dtype, blobs, blobs_3):
    """Un pas énorme : une phrase, et aucune cascade d'avertissements."""
    X, y = blobs if n_classes == 2 else blobs_3
    model = NeuralNetwork(
        hidden_layer_sizes,
        "identity",
        solver="sgd",
        learning_rate_init=1e12,
        alpha=10.0,
        random_state=0,
    )
    with pytest.raises(ValueError) as refusal:
        model.fit(X.astype(dtype), y)
    assert_helpful(refusal, "diverge", "learning_rate_init (1000000000000.0)")


def test_divergence_of_a_regression_points_to_its_targets():
    """Le plus souvent, y n'est pas à l'échelle ; une fois réduit, le même pas va."""
    X = np.random.default_rng(0).normal(size=(200, 5))
    y = 3e5 + 1e5 * X[:, 0]
    model = NeuralNetworkRegressor((32,), solver="sgd", learning_rate_init=0.01)
    model.set_params(random_state=0)
    with pytest.raises(ValueError, match="ou ramenez X, ou y, vers"):
        model.fit(X, y)
    y = (y - y.mean()) / y.std()
    assert model.fit(X, y).score(X, y) > 0.9


def test_early_stopping_of_too_few_numbers_does_not_speak_of_classes():
    with pytest.raises(ValueError, match=r"ne peut mettre de côté 0\.1 de ces 1 ex"):
        NeuralNetworkRegressor(early_stopping=True).fit([[1.0]], [1.0])


@pytest.mark.parametrize("kind", [NeuralNetwork, NeuralNetworkRegressor])
def test_sparse_targets_are_those_they_stand_for(kind, blobs_3):
    X, y = blobs_3
    Y = np.eye(3, dtype=int)[y]
    model = kind((4,), max_iter=3, random_state=0)
    expected = model.fit(X, Y).predict(X)
    np.testing.assert_array_equal(model.fit(X, csr_array(Y)).predict(X), expected)


def test_importing_the_module_leaves_one_blas_thread():
    """Deux fils qui s'attendent, sur une machine occupée, vont dix fois moins vite."""
    script = "import utilities, threadpoolctl as t; print(t.threadpool_info())"
    environment = {k: v for k, v in os.environ.items() if not k.endswith("_THREADS")}
    output = subprocess.check_output(
        [sys.executable, "-c", script], cwd=ROOT, env=environment, text=True
    )
    pools = [pool for pool in ast.literal_eval(output) if pool["user_api"] == "blas"]
    assert pools
    assert {pool["num_threads"] for pool in pools} == {1}


@pytest.mark.parametrize("validated", [True, False])
def test_divergence_of_the_last_step_is_seen(validated, blobs):
    """La perte est mesurée avant chaque pas : le dernier peut tout perdre."""
    X, y = blobs
    validation = (X, y) if validated else ()
    model = NeuralNetwork((8, 8), "identity", solver="sgd", max_iter=1, random_state=0)
    model.set_params(learning_rate_init=1e200)
    with pytest.raises(ValueError) as refusal:
        model.fit(X, y, *validation)
    assert_helpful(refusal, "l'époque 1", "learning_rate_init (1e+200)")


# --- Les réglages refusés -------------------------------------------------------------

SIZES = [(0,), (-3,), (8, 2.5), (True,), "16", "", b"", None, {8, 4}, {8: 4}]
SIZES += [[[16, 8]], [[16], [8]], [(16,), 8], np.array(8), np.array([8.0])]
SIZES += [np.empty((0, 2)), np.ones((1, 2), int)]
BAD_HYPERPARAMETERS = {
    "hidden_layer_sizes": SIZES,
    "activation": ["sigmoid", None, ["relu"], np.tanh],
    "solver": ["lbfgs", 1],
    "initialization": ["xavier", None],
    "alpha": [-1e-9, np.nan, "0.1", None, 1j],
    "batch_size": [0, 32.0, "full", None, True],
    "learning_rate_init": [0, -0.1, np.inf, "constant", [0.1]],
    "max_iter": [0, 10.0, None, True],
    "n_iter_no_change": [0, "10"],
    "tol": [-1e-4, np.nan, None],
    "momentum": [1, -0.1, "0.9", np.array([0.1, 0.9])],
    "beta_1": [1.0, np.nan],
    "beta_2": [-0.5, None],
    "epsilon": [0, True],
    "dropout": [1.0, -0.1, "0.5"],
    "augment": ["miroir", 2],
    "validation_fraction": [0.0, 1.0, None],
    "shuffle": ["non", None],
    "early_stopping": ["False", 2],
    "nesterovs_momentum": ["non"],
    "random_state": [-1, "zéro", 1.5, True],
}


@pytest.mark.parametrize(
    ("name", "value"),
    [(name, value) for name, values in BAD_HYPERPARAMETERS.items() for value in values],
)
def test_bad_hyperparameter_is_refused(name, value, blobs):
    """ValueError à l'entraînement, en une phrase qui nomme le réglage et sa valeur."""
    model = NeuralNetwork(**{"max_iter": 2, "early_stopping": True, name: value})
    with pytest.raises(ValueError) as refusal:
        model.fit(*blobs)
    assert_helpful(refusal, f"{name} doit être", f"reçu : {value!r}")


def test_a_generator_is_not_a_sequence(blobs):
    """Épuisé par le contrôle, il n'aurait plus donné aucune couche."""
    with pytest.raises(ValueError, match="hidden_layer_sizes doit être une suite"):
        NeuralNetwork(n for n in (8, 4)).fit(*blobs)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("hidden_layer_sizes", 8),
        ("hidden_layer_sizes", [8, 4]),
        ("hidden_layer_sizes", np.array([8, 4])),
        ("hidden_layer_sizes", []),
        ("hidden_layer_sizes", range(4, 6)),
        ("batch_size", np.int64(16)),
        ("max_iter", np.int32(2)),
        ("learning_rate_init", np.float32(0.1)),
        ("alpha", 0),
        ("dropout", 0),
        ("dropout", 0.999),
        ("momentum", 0),
        ("tol", 0),
        ("random_state", 0),
        ("early_stopping", np.True_),
        ("n_iter_no_change", np.inf),  # admis par MLPClassifier
    ],
)
def test_good_hyperparameter_is_accepted(name, value, blobs):
    """Entiers de NumPy, listes, bornes incluses : comme dans MLPClassifier."""
    model = NeuralNetwork(**{"max_iter": 2, name: value}).fit(*blobs)
    assert model.n_iter_ == 2


# --- La barre de progression ----------------------------------------------------------


def test_progress_bar(blobs, monkeypatch):
    """En français avec verbose=True, aussi loin que l'entraînement ; rien sans."""
    shown = io.StringIO()
    tqdm = partial(utilities.tqdm, file=shown, mininterval=0, ncols=200)
    monkeypatch.setattr(utilities, "tqdm", tqdm)
    network = NeuralNetwork((), max_iter=7)
    network.fit(*blobs, *blobs)
    assert shown.getvalue() == ""
    tqdm.keywords["disable"] = False  # en dépit de TQDM_DISABLE
    network.set_params(verbose=True).fit(*blobs, *blobs)
    last = shown.getvalue().split("\r")[-1]
    loss, val_loss = (network.history_[key][-1] for key in ("loss", "val_loss"))
    assert " 7/7 " in last
    assert "époque/s" in last
    losses = decimal(loss, 3), decimal(val_loss, 3)
    assert "perte={}, perte de validation={}]".format(*losses) in last
    shown.truncate(0)
    tqdm.keywords["mininterval"] = 60
    network.fit(*blobs, *blobs)
    assert shown.getvalue().count("époque/s") == 2  # au début, à la fin


# --- Les vraies images ----------------------------------------------------------------


def test_photographs_are_hard(photos_dir):
    """Le réseau apprend les photographies d'entraînement, bien moins celles du test."""
    X_train, y_train, X_test, y_test = load_data("photos")
    X_train, X_test = flatten_images(X_train), flatten_images(X_test)
    model = NeuralNetwork((32,), learning_rate_init=2e-4, max_iter=60, random_state=0)
    train = model.fit(X_train, y_train).score(X_train, y_train)
    assert train > 0.7
    assert 0.53 <= model.score(X_test, y_test) < train - 0.05
