"""Ce que les carnets affirment après l'avoir mesuré, sur deux autres graines.

Un carnet qui écrit « l'augmentation aide » le montre sur les graines 0 à 2 ; ici, les
graines 5 et 6 doivent dire la même chose.
"""

import sys
from functools import partial

import numpy as np
import pytest
from sklearn.datasets import make_circles

from conftest import ROOT
from utilities import (
    NeuralNetwork,
    flatten_images,
    initialize_parameters,
    load_data,
    log_loss,
    mirror_and_shift,
    update,
)

sys.path.insert(0, str(ROOT / "benchmarks"))
from taught import taught_by

SEEDS = (5, 6)
AUGMENT = partial(mirror_and_shift, shape=(28, 28))


def load_flat(name):
    X_train, y_train, X_test, y_test = load_data(name)
    X_train, X_test = (flatten_images(X).astype("f") for X in (X_train, X_test))
    return X_train, y_train, X_test, y_test


@pytest.fixture(scope="module")
def silhouettes():
    return load_flat("silhouettes")


@pytest.fixture(scope="module")
def remedies(silhouettes):
    """Exactitude et perte de test de chaque remède, une par graine."""
    X_train, y_train, X_test, y_test = silhouettes

    def trial(seed, **remedy):
        settings = {"alpha": 0, "batch_size": 64, "learning_rate_init": 0.003}
        settings |= {"max_iter": 40, "random_state": seed} | remedy
        model = NeuralNetwork((32,), **settings).fit(X_train, y_train)
        p_dog = model.predict_proba(X_test)[:, 1:]
        return model.score(X_test, y_test), log_loss(y_test, p_dog)

    options = {
        "none": {},
        "early_stopping": {"early_stopping": True},
        "alpha": {"alpha": 0.3},
        "dropout": {"dropout": 0.5},
        "augment": {"augment": AUGMENT},
    }
    return {
        name: np.transpose([trial(seed, **remedy) for seed in SEEDS])
        for name, remedy in options.items()
    }


@pytest.mark.parametrize("name", ["early_stopping", "alpha", "dropout", "augment"])
def test_every_remedy_lowers_the_test_loss(name, remedies):
    """Annexe « entraînement », section 4 : nettement, en moyenne."""
    _, losses = remedies[name]
    _, without = remedies["none"]
    assert losses.mean() < 0.95 * without.mean()


def test_only_augmentation_gains_accuracy(remedies):
    """Annexe « entraînement », section 4 : un point au moins ; les autres, moins."""
    means = {name: accuracies.mean() for name, (accuracies, _) in remedies.items()}
    gains = {name: mean - means["none"] for name, mean in means.items()}
    assert gains.pop("augment") > 0.01
    assert max(gains.values()) < 0.01


def test_batches_then_momentum_or_adam_descend_faster(silhouettes):
    """Carnet 04, section 3 : au même nombre d'époques, quatre descentes."""
    X_train, y_train, *_ = silhouettes
    sgd = {"solver": "sgd", "learning_rate_init": 0.05}
    solvers = {
        "full": {**sgd, "batch_size": len(X_train), "momentum": 0},
        "batches": {**sgd, "batch_size": 64, "momentum": 0},
        "momentum": {**sgd, "batch_size": 64, "nesterovs_momentum": False},
        "adam": {"batch_size": 64},
    }
    losses = {
        name: [
            NeuralNetwork((64,), max_iter=20, random_state=seed, **options)
            .fit(X_train, y_train)
            .loss_
            for seed in SEEDS
        ]
        for name, options in solvers.items()
    }
    assert max(losses["batches"]) < min(losses["full"]) / 2
    for name in ("momentum", "adam"):
        # La médiane : une graine sur vingt finit sur un sursaut.
        assert np.median(losses[name]) < np.median(losses["batches"]) / 2


def test_the_hidden_layer_beats_the_neuron(silhouettes):
    """Carnet 03, section 9 : trois points au moins de mieux que le carnet 02."""
    X_train, y_train, X_test, y_test = silhouettes
    gradient_descent = {"solver": "sgd", "momentum": 0, "alpha": 0}
    neuron = NeuralNetwork(
        (), **gradient_descent, batch_size=len(X_train), learning_rate_init=0.1
    )
    neuron.set_params(max_iter=500).fit(X_train, y_train)
    hidden = NeuralNetwork((32,), activation="tanh", **gradient_descent, batch_size=32)
    hidden.set_params(learning_rate_init=0.1, max_iter=100)
    scores = [
        hidden.set_params(random_state=seed).fit(X_train, y_train).score(X_test, y_test)
        for seed in SEEDS
    ]
    assert min(scores) > neuron.score(X_test, y_test) + 0.03


def test_three_hidden_neurons_close_the_boundary():
    """Carnet 03, section 6 : deux ne suffisent jamais, trois suffisent."""
    X, y = make_circles(n_samples=300, noise=0.1, factor=0.3, random_state=0)
    options = {"activation": "tanh", "solver": "sgd", "momentum": 0, "alpha": 0}
    options |= {"batch_size": 300, "learning_rate_init": 0.5, "max_iter": 2000}
    best = {
        h: max(
            NeuralNetwork((h,), random_state=seed, **options).fit(X, y).score(X, y)
            for seed in SEEDS
        )
        for h in (1, 2, 3)
    }
    assert best[1] < 0.75
    assert best[2] < 0.95
    assert best[3] > 0.99


def test_shuffled_pixels_change_nothing(monkeypatch):
    """Carnet 04, section 7 : avec des poids mélangés de même, le même entraînement."""
    X, y, *_ = load_data("animaux")
    X, y = flatten_images(X[:1000]), y[:1000]
    shuffle = np.random.default_rng(1).permutation(784)
    (W, b), *rest = initialize_parameters([784, 32, 10], np.random.default_rng(0))

    def losses(columns, initial):
        monkeypatch.setattr("utilities.initialize_parameters", lambda *_: initial)
        model = NeuralNetwork((32,), max_iter=10, random_state=0)
        return model.fit(X[:, columns], y).loss_curve_

    shuffled = losses(shuffle, [(W[shuffle], b), *rest])
    intact = losses(slice(None), [(W, b), *rest])
    np.testing.assert_allclose(shuffled, intact, rtol=1e-9)
    assert intact[-1] < intact[0]


# --- Annexes « profondeur » et « paysage » --------------------------------------------


@pytest.fixture(scope="module")
def depth():
    data = "X_train", "y_train", "problems", "CONTESTANTS"
    return taught_by("annexes/profondeur", *data)


@pytest.fixture(scope="module")
def landscape():
    return taught_by("annexes/paysage", "X_train", "y_train", "SCHEDULES")


@pytest.mark.parametrize("problem", ["spirales", "anneaux"])
def test_two_layers_beat_one_of_as_many_parameters(problem, depth):
    """Section 2 : mêmes paramètres, chacun son taux."""
    means = {
        n_layers: np.mean(
            [
                depth.compete(problem, n_layers, seed).score(
                    *depth.problems[problem][2:]
                )
                for seed in range(5, 8)  # à deux, une malchance déciderait
            ]
        )
        for n_layers in (1, 2)
    }
    assert means[2] > means[1] + 0.05


def test_fifty_layers_want_a_shortcut(depth):
    """Section 3 : en moyenne, au meilleur des taux essayés."""

    def best(layer, rates):
        trials = [
            [depth.depth_trial(layer, 50, rate, seed) for rate in rates]
            for seed in SEEDS
        ]
        return np.mean(np.min(trials, axis=1))

    shortcut = partial(depth.residual, scale=1 / 50)
    assert best(shortcut, [0.01]) < 0.7 * best(depth.plain, [0.001, 0.003])


def test_a_warmup_saves_a_large_rate(landscape):
    """Section 3 : au plus grand taux, la perte est au moins divisée par 1,3."""
    losses = {
        name: np.mean([landscape.schedule_loss(factor, 0.1, seed) for seed in SEEDS])
        for name, factor in landscape.SCHEDULES.items()
        if "cosinus" in name
    }
    assert losses["montée, cosinus"] < 0.75 * losses["cosinus"]


def test_aligning_neurons_flattens_the_path_between_two_networks(landscape):
    """Section 2 : à chaque graine, le milieu du segment descend de moitié."""
    first = landscape.trained(0)
    for seed in SEEDS:
        other = landscape.trained(seed)
        aligned = landscape.align(first, other)
        middle, aligned_middle = (
            landscape.network_loss(landscape.between(first, network, 0.5))
            for network in (other, aligned)
        )
        assert aligned_middle < 0.5 * middle


# --- Annexe « réseau convolutif » -----------------------------------------------------


def test_frozen_first_filters_cost_little(monkeypatch):
    """Section 6 : un point environ ; la deuxième couche figée aussi, bien plus."""
    taught = taught_by("annexes/reseau_convolutif")
    X, y, X_test, y_test = load_data("animaux")
    X, X_test = (np.float32(images[..., None] / 255) for images in (X[:2000], X_test))
    y, y_test = y[:2000].ravel().astype(int), y_test.ravel()

    def trained_score(*frozen):
        def update_unless_frozen(parameter, *step):
            if parameter.shape not in frozen:
                update(parameter, *step)

        names = taught.train.__globals__
        monkeypatch.setitem(names, "update", update_unless_frozen)
        network = taught.train(X, y, 3, move=lambda X, rng: X)
        return taught.score(X_test, y_test, network)

    first, second = (3, 3, 1, 16), (3, 3, 16, 32)
    score = trained_score()
    assert trained_score(first) > score - 0.03
    assert trained_score(first, second) < score - 0.03


# --- Annexe « dérivation automatique » ------------------------------------------------


def test_some_starts_linger_on_the_plateau():
    """Section 3 : de la graine 3, la perte reste celle d'un réseau qui répond 0."""
    taught = taught_by("annexes/derivation_automatique", "XOR")
    taught.Value.__pow__ = taught.value_power
    losses = {
        seed: taught.descend(np.random.default_rng(seed).normal(size=13))[1][-1]
        for seed in (1, 3)
    }
    assert losses[1] < 0.1
    assert np.isclose(losses[3], 4, rtol=0.05)
