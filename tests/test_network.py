"""`NeuralNetwork`, face à scikit-learn, aux mauvaises valeurs et aux vraies images."""

import os
import pickle
import re
import subprocess
import sys
import warnings

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.datasets import make_blobs, make_classification
from sklearn.exceptions import ConvergenceWarning, NotFittedError
from sklearn.inspection import DecisionBoundaryDisplay
from sklearn.linear_model import LogisticRegression
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
    flatten_images,
    initialize_parameters,
    load_data,
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


@pytest.fixture(scope="module")
def silhouettes():
    """Les chats et les chiens du cours, à plat."""
    X_train, y_train, X_test, y_test = load_data()
    return flatten_images(X_train), y_train, flatten_images(X_test), y_test


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


@pytest.mark.parametrize("method", ["predict", "predict_proba"])
def test_unfitted_model_refuses_to_predict(method, blobs):
    """Avant `fit`, l'erreur est celle de scikit-learn."""
    with pytest.raises(NotFittedError):
        getattr(NeuralNetwork(), method)(blobs[0])


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


def test_decision_boundary_display(blobs, figures):
    """La frontière se trace avec l'outil de scikit-learn."""
    X, y = blobs
    model = NeuralNetwork((), max_iter=5).fit(X, y)
    display = DecisionBoundaryDisplay.from_estimator(model, X, grid_resolution=10)
    assert display.response.shape == (10, 10)


def test_pickle_round_trip(blobs_3):
    """Enregistré puis relu, le réseau prédit au bit près la même chose."""
    X, y = blobs_3
    model = NeuralNetwork((4,), max_iter=5, random_state=0).fit(X, y)
    copy = pickle.loads(pickle.dumps(model))
    np.testing.assert_array_equal(copy.predict_proba(X), model.predict_proba(X))
    assert copy.history_ == model.history_


# --- Les mêmes résultats que scikit-learn ---------------------------------------------


@pytest.mark.parametrize("n_classes", [2, 3])
def test_single_layer_converges_to_logistic_regression(n_classes):
    """Sans couche cachée, la descente trouve le minimum de LogisticRegression.

    Notre pénalité alpha / 2m · ΣW² est la sienne avec C = 1 / alpha.
    """
    X, y = make_classification(
        100,
        6,
        n_informative=4,
        n_redundant=0,
        n_classes=n_classes,
        n_clusters_per_class=1,
        random_state=0,
    )
    X = StandardScaler().fit_transform(X)
    expected = LogisticRegression(C=0.5, tol=1e-10, max_iter=1000).fit(X, y)
    model = NeuralNetwork(
        (),
        solver="sgd",
        alpha=2,
        batch_size=len(X),
        learning_rate_init=0.5,
        max_iter=2000,
        n_iter_no_change=2000,
    ).fit(X, y)
    W, b = model.coefs_[0].T, model.intercepts_[0]
    if n_classes > 2:  # ajouter un même biais à toutes les classes ne change rien
        b = b - b.mean() + expected.intercept_.mean()
    np.testing.assert_allclose(W, expected.coef_, atol=1e-5)
    np.testing.assert_allclose(b, expected.intercept_, atol=1e-5)
    proba = expected.predict_proba(X)
    np.testing.assert_allclose(model.predict_proba(X), proba, atol=1e-5)


def mlp_from_the_same_weights(X, y, hidden_layer_sizes, n_epochs, **options):
    """MLPClassifier, parti des poids initiaux de NeuralNetwork(random_state=0)."""
    mlp = MLPClassifier(hidden_layer_sizes, max_iter=1, warm_start=True, **options)
    with warnings.catch_warnings(action="ignore", category=ConvergenceWarning):
        mlp.fit(X, y)
        sizes = [X.shape[1], *hidden_layer_sizes, mlp.n_outputs_]
        start = initialize_parameters(sizes, np.random.default_rng(0), "glorot")
        for layer, (W, _) in enumerate(start):
            mlp.coefs_[layer][:] = W
            mlp.intercepts_[layer][:] = 0
        mlp.loss_curve_.clear()
        return mlp.set_params(max_iter=n_epochs).fit(X, y)


SOLVERS = {
    "descente": {"solver": "sgd", "momentum": 0},
    "elan": {"solver": "sgd", "momentum": 0.9, "nesterovs_momentum": False},
    "nesterov": {"solver": "sgd", "momentum": 0.9},
    "adam": {"solver": "adam", "epsilon": 1e-15},
}


@pytest.mark.parametrize("activation", ["identity", "logistic", "tanh", "relu"])
@pytest.mark.parametrize("solver", SOLVERS)
@pytest.mark.parametrize("n_classes", [2, 3])
def test_steps_are_those_of_mlp_classifier(
    solver, activation, n_classes, blobs, blobs_3
):
    """Du même départ, sur des lots non mélangés : mêmes poids, mêmes pertes.

    Dans Adam, epsilon s'ajoute après la correction du biais chez nous, comme dans
    l'article, avant chez scikit-learn : d'où une valeur infime, qui ne se voit pas.
    """
    X, y = blobs if n_classes == 2 else blobs_3
    options = {
        **SOLVERS[solver],
        "activation": activation,
        "alpha": 0.3,
        "batch_size": 40,
        "learning_rate_init": 0.01,
        "shuffle": False,
    }
    theirs = mlp_from_the_same_weights(X, y, (5, 4), 4, **options)
    ours = NeuralNetwork(
        (5, 4), max_iter=4, initialization="glorot", random_state=0, **options
    ).fit(X, y)
    for name in ("coefs_", "intercepts_", "loss_curve_"):
        pairs = zip(getattr(ours, name), getattr(theirs, name), strict=True)
        for actual, expected in pairs:
            np.testing.assert_allclose(actual, expected, rtol=1e-8, atol=1e-10)


def test_first_loss_of_a_neuron_at_zero(blobs):
    """Poids nuls : chaque probabilité vaut ½, la perte log 2."""
    X, y = blobs
    model = NeuralNetwork(**NEURON, batch_size=len(X), max_iter=1).fit(X, y)
    assert model.loss_curve_ == [pytest.approx(np.log(2), rel=1e-14)]
    assert model.history_["accuracy"] == [0.5]


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


def test_classes_of_any_name(blobs_3):
    """Des chaînes pour classes : triées, et rendues telles quelles."""
    X, y = blobs_3
    names = np.array(["mouton", "âne", "chèvre"])[y]
    model = NeuralNetwork((8,), learning_rate_init=0.05, max_iter=50, random_state=0)
    model.fit(X, names)
    assert model.classes_.tolist() == ["chèvre", "mouton", "âne"]
    assert model.score(X, names) > 0.9
    most_likely = model.classes_[model.predict_proba(X).argmax(axis=1)]
    np.testing.assert_array_equal(model.predict(X), most_likely)


@pytest.mark.parametrize("labels", [[0, 1], [-1, 1], [3.0, 7.0], ["chat", "chien"]])
def test_second_class_has_the_second_probability(labels, blobs):
    """La colonne 1 est la probabilité de classes_[1], quels que soient les noms."""
    X, y = blobs
    model = NeuralNetwork((), learning_rate_init=0.1).fit(X, np.array(labels)[y])
    assert model.classes_.tolist() == labels
    proba = model.predict_proba(X)
    np.testing.assert_allclose(proba.sum(axis=1), 1)
    assert proba[y == 1, 1].mean() > 0.8


def test_ten_classes():
    """Dix classes : softmax, dix colonnes qui somment à 1."""
    X, y = make_blobs(300, centers=10, n_features=5, random_state=0)
    model = NeuralNetwork((32,), learning_rate_init=0.01, random_state=0).fit(X, y)
    assert model.predict_proba(X).shape == (300, 10)
    np.testing.assert_allclose(model.predict_proba(X).sum(axis=1), 1)
    assert model.score(X, y) > 0.95


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


@pytest.mark.parametrize("hidden_layer_sizes", [(), (8,)])
@pytest.mark.parametrize("solver", ["sgd", "adam"])
def test_single_precision_is_kept(hidden_layer_sizes, solver, blobs):
    """float32 en entrée : float32 partout, même avec un pas np.float64."""
    X, y = blobs
    model = NeuralNetwork(
        hidden_layer_sizes,
        solver=solver,
        learning_rate_init=np.float64(0.01),
        max_iter=3,
        early_stopping=True,
    ).fit(X.astype(np.float32), y)
    arrays = [*model.coefs_, *model.intercepts_]
    arrays.append(model.predict_proba(X.astype(np.float32)))
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


def test_every_image_is_seen_once_an_epoch(monkeypatch):
    """Le dernier lot, plus petit, compte aussi ; l'ordre change à chaque époque."""
    X = np.arange(10.0).reshape(-1, 1)
    seen = []
    gradient = NeuralNetwork._gradient
    monkeypatch.setattr(
        NeuralNetwork,
        "_gradient",
        lambda self, X, *rest: (seen.append(X.ravel()), gradient(self, X, *rest))[1],
    )
    NeuralNetwork((), batch_size=4, max_iter=2, random_state=0).fit(X, X.ravel() > 4)
    assert [len(batch) for batch in seen] == [4, 4, 2] * 2
    orders = [np.concatenate(seen[:3]), np.concatenate(seen[3:])]
    for order in orders:
        np.testing.assert_array_equal(np.sort(order), X.ravel())
        assert (order != X.ravel()).any()
    assert (orders[0] != orders[1]).any()


def test_validation_labels_must_be_known(blobs):
    """Une classe jamais vue à l'entraînement n'est pas comptée comme une autre."""
    X, y = blobs
    with pytest.raises(ValueError) as refusal:
        NeuralNetwork((), max_iter=1).fit(X, y, X, np.where(y == 0, 2, y))
    assert_helpful(refusal, "y_val", "2")


@pytest.mark.parametrize("given", ["X_val", "y_val"])
def test_validation_comes_in_pairs(given, blobs):
    """L'un sans l'autre est un oubli, pas une demande de s'en passer."""
    X, y = blobs
    validation = {"X_val": X} if given == "X_val" else {"y_val": y}
    with pytest.raises(ValueError) as refusal:
        NeuralNetwork((), max_iter=1).fit(X, y, **validation)
    assert_helpful(refusal, "X_val", "y_val")


@pytest.mark.parametrize("columns", [[0], [0, 1, 0]])
def test_validation_labels_have_as_many_columns(columns, blobs):
    """Une colonne de trop ou de moins : un refus, non une perte fausse."""
    X, _ = blobs
    Y = (X > 0).astype(int)
    with pytest.raises(ValueError) as refusal:
        NeuralNetwork((), max_iter=1).fit(X, Y, X, Y[:, columns])
    assert_helpful(refusal, "y_val")


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


def test_same_seed_same_network(blobs):
    """Une graine, un réseau ; une autre graine, un autre."""
    X, y = blobs
    first, second, other = (
        NeuralNetwork((4,), max_iter=3, batch_size=16, random_state=seed).fit(X, y)
        for seed in (0, 0, 1)
    )
    assert_same_weights(first, second)
    assert (first.coefs_[0] != other.coefs_[0]).all()
    assert_same_weights(first, first.fit(X, y))


@pytest.mark.parametrize("kind", [np.random.default_rng, np.random.RandomState])
def test_generator_as_random_state(kind, blobs):
    """Un générateur, de l'une ou l'autre sorte, vaut graine."""
    X, y = blobs
    first, second = (
        NeuralNetwork((4,), max_iter=2, random_state=kind(0)).fit(X, y)
        for _ in range(2)
    )
    assert_same_weights(first, second)


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


def noisy_labels(seed):
    """Des étiquettes tirées à pile ou face : de quoi surapprendre aussitôt."""
    rng = np.random.default_rng(seed)
    return rng.normal(size=(80, 10)), rng.integers(2, size=80)


def fit_and_tell_split(model, X, y):
    """Entraîne, et rend les images de validation que le réseau s'est gardées."""
    split, kept = model._split, []
    model._split = lambda *arrays: kept.extend(split(*arrays)) or kept
    model.fit(X, y)
    return kept[2]


def test_validation_split_keeps_the_proportions():
    """Une classe rare l'est autant dans la part de validation."""
    X, y = np.arange(100.0).reshape(-1, 1), np.arange(100) < 20
    model = NeuralNetwork((), early_stopping=True, validation_fraction=0.25, max_iter=1)
    X_val, Y_val = fit_and_tell_split(model, X, y)
    assert len(np.unique(X_val)) == 25
    assert Y_val.sum() == (X_val < 20).sum() == 5


@pytest.mark.parametrize("given", [True, False])
def test_early_stopping_restores_the_best_weights(given):
    """Les poids rendus sont ceux de la meilleure époque, non de la dernière."""
    X, y = noisy_labels(0)
    X_val, y_val = noisy_labels(1)
    model = NeuralNetwork(
        (32,), early_stopping=True, learning_rate_init=0.02, random_state=2
    )
    if given:
        model.fit(X, y, X_val, y_val)
    else:
        X_val, y_val = fit_and_tell_split(
            model.set_params(validation_fraction=0.3), X, y
        )
        assert len(X_val) == 24
    history = model.history_["val_accuracy"]
    assert len(history) == model.n_iter_ < model.max_iter
    assert history[-1] < max(history)  # sans quoi le test ne prouverait rien
    assert model.score(X_val, np.ravel(y_val)) == pytest.approx(max(history))


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


@pytest.mark.parametrize("patience", [1, 4])
def test_stops_when_nothing_improves(patience, blobs):
    """Un gain inférieur à tol ne compte pas : la première époque, puis la patience."""
    model = NeuralNetwork((), tol=1000.0, n_iter_no_change=patience).fit(*blobs)
    assert model.n_iter_ == 2 + patience


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
    interrupt(monkeypatch, "_evaluate", 3)
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
    assert_helpful_divergence(refusal, "1000000000000.0")


def assert_helpful_divergence(refusal, learning_rate):
    """Une phrase, qui nomme le réglage en cause et sa valeur."""
    assert re.fullmatch(r"[^\n]*diverge[^\n]*\.", str(refusal.value))
    assert "learning_rate_init" in str(refusal.value)
    assert learning_rate in str(refusal.value)


def test_diverged_model_does_not_predict(blobs):
    """Après une divergence, pas de prédictions tirées de poids qui sont des NaN."""
    X, y = blobs
    model = NeuralNetwork((8, 8), "identity", solver="sgd", learning_rate_init=1e12)
    with pytest.raises(ValueError):
        model.fit(X, y)
    with pytest.raises((NotFittedError, ValueError)):
        model.predict(X)


@pytest.mark.parametrize("validated", [True, False])
def test_divergence_of_the_last_step_is_seen(validated, blobs):
    """La perte est mesurée avant chaque pas : le dernier peut tout perdre."""
    X, y = blobs
    validation = (X, y) if validated else ()
    model = NeuralNetwork((8, 8), "identity", solver="sgd", max_iter=1, random_state=0)
    model.set_params(learning_rate_init=1e200)
    with pytest.raises(ValueError) as refusal:
        model.fit(X, y, *validation)
    assert_helpful_divergence(refusal, "1e+200")


# --- Les réglages refusés -------------------------------------------------------------

BAD_HYPERPARAMETERS = [
    ("hidden_layer_sizes", (0,)),
    ("hidden_layer_sizes", (-3,)),
    ("hidden_layer_sizes", (8, 2.5)),
    ("hidden_layer_sizes", (True,)),
    ("hidden_layer_sizes", "16"),
    ("hidden_layer_sizes", None),
    ("hidden_layer_sizes", [[16, 8]]),
    ("hidden_layer_sizes", [[16], [8]]),
    ("hidden_layer_sizes", [(16,), 8]),
    ("activation", "sigmoid"),
    ("activation", None),
    ("activation", ["relu"]),
    ("activation", np.tanh),
    ("solver", "lbfgs"),
    ("solver", 1),
    ("initialization", "xavier"),
    ("initialization", None),
    ("alpha", -1e-9),
    ("alpha", np.nan),
    ("alpha", "0.1"),
    ("alpha", None),
    ("alpha", 1j),
    ("batch_size", 0),
    ("batch_size", 32.0),
    ("batch_size", "full"),
    ("batch_size", None),
    ("batch_size", True),
    ("learning_rate_init", 0),
    ("learning_rate_init", -0.1),
    ("learning_rate_init", np.inf),
    ("learning_rate_init", "constant"),
    ("learning_rate_init", [0.1]),
    ("max_iter", 0),
    ("max_iter", 10.0),
    ("max_iter", None),
    ("max_iter", True),
    ("n_iter_no_change", 0),
    ("n_iter_no_change", "10"),
    ("tol", -1e-4),
    ("tol", np.nan),
    ("tol", None),
    ("momentum", 1),
    ("momentum", -0.1),
    ("momentum", "0.9"),
    ("momentum", np.array([0.1, 0.9])),
    ("beta_1", 1.0),
    ("beta_1", np.nan),
    ("beta_2", -0.5),
    ("beta_2", None),
    ("epsilon", 0),
    ("epsilon", True),
    ("validation_fraction", 0.0),
    ("validation_fraction", 1.0),
    ("validation_fraction", None),
    ("shuffle", "non"),
    ("shuffle", None),
    ("early_stopping", "False"),
    ("early_stopping", 2),
    ("nesterovs_momentum", "non"),
    ("random_state", -1),
    ("random_state", "zéro"),
    ("random_state", 1.5),
]


@pytest.mark.parametrize(("name", "value"), BAD_HYPERPARAMETERS)
def test_bad_hyperparameter_is_refused(name, value, blobs):
    """ValueError à l'entraînement, en une phrase qui nomme le réglage et sa valeur."""
    model = NeuralNetwork(**{"max_iter": 2, "early_stopping": True, name: value})
    with pytest.raises(ValueError) as refusal:
        model.fit(*blobs)
    assert_helpful(refusal, name, repr(value))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("hidden_layer_sizes", 8),
        ("hidden_layer_sizes", [8, 4]),
        ("hidden_layer_sizes", np.array([8, 4])),
        ("hidden_layer_sizes", []),
        ("batch_size", np.int64(16)),
        ("max_iter", np.int32(2)),
        ("learning_rate_init", np.float32(0.1)),
        ("alpha", 0),
        ("tol", 0),
        ("early_stopping", np.True_),
        ("n_iter_no_change", np.inf),  # admis par MLPClassifier
    ],
)
def test_good_hyperparameter_is_accepted(name, value, blobs):
    """Entiers de NumPy, listes, bornes incluses : comme dans MLPClassifier."""
    model = NeuralNetwork(**{"max_iter": 2, name: value}).fit(*blobs)
    assert model.n_iter_ == 2


# --- La barre de progression ----------------------------------------------------------

PROGRESS = """
import sys
import numpy as np
from utilities import NeuralNetwork
X = np.arange(20.0).reshape(-1, 1)
y = X.ravel() > 9
NeuralNetwork((), max_iter=7).fit(X, y, X, y)
print("sans | avec", file=sys.stderr)
NeuralNetwork((), max_iter=7, verbose=True).fit(X, y, X, y)
"""


def test_progress_bar(tmp_path):
    """Sur la sortie d'erreur et en français avec verbose=True ; rien sans.

    À part, car tqdm lit TQDM_DISABLE une fois pour toutes, à son importation.
    """
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONIOENCODING": "utf-8"}
    environment.pop("TQDM_DISABLE", None)
    run = subprocess.run(
        [sys.executable, "-c", PROGRESS],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        encoding="utf-8",
    )
    assert run.returncode == 0, run.stderr
    assert run.stdout == ""
    without, shown = run.stderr.split("sans | avec")
    assert without == ""
    assert "7/7" in shown
    assert "époque" in shown
    assert re.search(r"perte=\d,\d{3}", shown)
    assert re.search(r"perte de validation=\d,\d{3}", shown)


# --- Les vraies images ----------------------------------------------------------------


def test_one_neuron_learns_the_silhouettes(silhouettes):
    """La descente simple du carnet 02 : mieux que 86 % sur le test."""
    X_train, y_train, X_test, y_test = silhouettes
    model = NeuralNetwork(
        **NEURON, batch_size=len(X_train), learning_rate_init=0.1, max_iter=300
    ).fit(X_train, y_train)
    assert model.score(X_test, y_test) >= 0.86


def test_hidden_layer_learns_more(silhouettes):
    """Une couche cachée dépasse le neurone seul."""
    X_train, y_train, X_test, y_test = silhouettes
    model = NeuralNetwork((64,), max_iter=60, random_state=0).fit(X_train, y_train)
    assert model.score(X_test, y_test) >= 0.91


def test_photographs_are_hard(photos_dir):
    """Le réseau apprend les photographies d'entraînement, bien moins celles du test."""
    X_train, y_train, X_test, y_test = load_data("photos")
    X_train, X_test = flatten_images(X_train), flatten_images(X_test)
    model = NeuralNetwork((32,), learning_rate_init=2e-4, max_iter=60, random_state=0)
    train = model.fit(X_train, y_train).score(X_train, y_train)
    assert train > 0.7
    assert 0.53 <= model.score(X_test, y_test) < train - 0.05
