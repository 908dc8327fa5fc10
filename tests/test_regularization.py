"""Abandon, augmentation, marche, régresseur : ce qui s'ajoute au réseau simple."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.base import clone
from sklearn.datasets import make_blobs
from sklearn.linear_model import LinearRegression

from utilities import (
    ACTIVATIONS,
    DERIVATIVES,
    NeuralNetwork,
    NeuralNetworkRegressor,
    back_propagation,
    forward_propagation,
    initialize_parameters,
    mirror_and_shift,
    numerical_gradient,
    sigmoid,
    squared_error,
    step,
    with_dropout,
)

X, Y = make_blobs(120, centers=[[-1, -1], [1, 1]], random_state=0)


# --- L'abandon ------------------------------------------------------------------------


@pytest.mark.parametrize("activation", ["identity", "logistic", "tanh", "relu"])
def test_dropout_gradient_is_that_of_the_thinned_network(activation):
    """Une fois les absents tirés, la rétropropagation dérive bien ce réseau-là."""
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(7, 3)), rng.integers(2, size=(7, 1)).astype(float)
    parameters = initialize_parameters([3, 6, 5, 1], rng)
    parameters = [(W, rng.normal(size=b.shape)) for W, b in parameters]
    functions = ACTIVATIONS[activation], DERIVATIVES[activation]

    def propagate(W):
        # La même graine : les mêmes neurones sont abandonnés à chaque appel.
        dropped, slope = with_dropout(*functions, 0.4, np.random.default_rng(1))
        changed = [(W, parameters[0][1]), *parameters[1:]]
        return forward_propagation(X, changed, dropped, sigmoid), slope

    def loss(W):
        A = propagate(W)[0][-1]
        return float(-np.mean(y * np.log(A) + (1 - y) * np.log(1 - A)))

    W = parameters[0][0]
    activations, slope = propagate(W)
    assert (activations[1] == 0).any()
    (dW, _), *_ = back_propagation(y, parameters, activations, slope)
    np.testing.assert_allclose(dW, numerical_gradient(loss, W), rtol=1e-5, atol=1e-8)


@pytest.mark.parametrize("activation", ["identity", "tanh"])
def test_an_output_that_is_zero_by_itself_keeps_its_slope(activation):
    """Deux images noires, des biais nuls : A = 0 partout, abandonné ou non."""
    functions = ACTIVATIONS[activation], DERIVATIVES[activation]
    dropped, slope = with_dropout(*functions, 0.5, np.random.default_rng(0))
    kept = np.random.default_rng(0).random((2, 40)) < 0.5
    np.testing.assert_array_equal(slope(dropped(np.zeros((2, 40)))), 2 * kept)


def test_dropout_keeps_the_mean_and_the_precision():
    """En moyenne, une sortie garde sa valeur ; la part d'absents est celle demandée."""
    functions = ACTIVATIONS["identity"], DERIVATIVES["identity"]
    dropped, slope = with_dropout(*functions, np.float64(0.3), np.random.default_rng(0))
    A = dropped(np.ones((200, 200), dtype=np.float32))
    assert A.dtype == slope(A).dtype == np.float32
    assert A.mean() == pytest.approx(1, abs=0.02)
    assert (A == 0).mean() == pytest.approx(0.3, abs=0.02)


def test_dropout_is_for_training_only():
    """Deux prédictions sont les mêmes ; un autre abandon donne un autre réseau."""
    model = NeuralNetwork((16,), max_iter=50, dropout=0.5, random_state=0)
    model.set_params(learning_rate_init=0.02).fit(X, Y)
    np.testing.assert_array_equal(model.predict_proba(X), model.predict_proba(X))
    plain = clone(model).set_params(dropout=0).fit(X, Y)
    assert not np.allclose(model.coefs_[0], plain.coefs_[0])
    assert model.score(X, Y) > 0.85


# --- L'augmentation -------------------------------------------------------------------


def test_mirror_and_shift_by_hand():
    """Sans décalage : chaque image, ou son reflet, et les deux se rencontrent."""
    images = np.arange(12.0).reshape(1, 3, 4).repeat(50, axis=0)
    changed = mirror_and_shift(
        images.reshape(50, -1), np.random.default_rng(0), shape=(3, 4), max_shift=0
    ).reshape(50, 3, 4)
    kept = (changed == images).all(axis=(1, 2))
    flipped = (changed == images[:, :, ::-1]).all(axis=(1, 2))
    assert (kept | flipped).all()
    assert kept.any() and flipped.any()


@given(st.integers(0, 2**31), st.integers(1, 3))
def test_shift_moves_a_pixel_by_at_most_max_shift(seed, max_shift):
    """Un seul pixel allumé, loin du bord : il se déplace, sans s'éteindre."""
    images = np.zeros((6, 9, 9), dtype=np.float32)
    images[:, 4, 4] = 1
    rng = np.random.default_rng(seed)
    flat = images.reshape(6, -1)
    changed = mirror_and_shift(flat, rng, shape=(9, 9), max_shift=max_shift)
    assert changed.dtype == np.float32
    assert changed.shape == flat.shape
    _, rows, columns = np.nonzero(changed.reshape(6, 9, 9))
    assert len(rows) == 6
    assert np.abs(rows - 4).max() <= max_shift
    assert np.abs(columns - 4).max() <= max_shift
    assert images.sum() == 6  # l'original n'a pas changé


def test_every_shift_of_two_pixels_is_drawn():
    """Sans préciser : de -2 à 2 en hauteur comme en largeur, également souvent."""
    images = np.zeros((2000, 9, 9))
    images[:, 4, 4] = 1
    flat = images.reshape(2000, -1)
    changed = mirror_and_shift(flat, np.random.default_rng(0), shape=(9, 9))
    _, rows, columns = np.nonzero(changed.reshape(2000, 9, 9))
    places, counts = np.unique(9 * rows + columns, return_counts=True)
    assert len(places) == 25
    assert rows.min() == columns.min() == 2
    assert counts.min() > 50 and counts.max() < 110


def test_augmentation_is_applied_to_each_training_batch_only():
    """La fonction reçoit les lots d'entraînement, et eux seuls."""
    seen = []

    def augment(X, rng):
        seen.append(len(X))
        return X

    model = NeuralNetwork((), batch_size=50, max_iter=2, augment=augment)
    model.fit(X, Y, X, Y).predict(X)
    assert seen == [50, 50, 20] * 2


def test_augmentation_draws_anew_for_each_batch():
    """Six lots, six tirages ; la même graine les refait."""
    seen = []

    def augment(X, rng):
        seen.append(rng.random())
        return X

    model = NeuralNetwork((), batch_size=50, max_iter=2, augment=augment)
    for _ in range(2):
        model.set_params(random_state=0).fit(X, Y)
    assert len(set(seen)) == 6
    assert seen[:6] == seen[6:]


# --- La marche ------------------------------------------------------------------------


def test_step_learns_nothing_below_it():
    """La marche n'a pas de pente : les poids cachés ne bougent pas."""
    np.testing.assert_array_equal(step(np.array([-1, 0, 0.5, 2])), [0, 1, 1, 1])
    model = NeuralNetwork((5,), "step", max_iter=10, random_state=0, alpha=0).fit(X, Y)
    start = initialize_parameters([2, 5, 1], np.random.default_rng(0), "glorot")
    np.testing.assert_array_equal(model.coefs_[0], start[0][0])
    assert not np.array_equal(model.coefs_[1], start[1][0])


# --- Le régresseur --------------------------------------------------------------------


def test_regressor_without_hidden_layer_is_linear_regression():
    """Descendue jusqu'au bout, l'erreur quadratique donne les moindres carrés."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(80, 3))
    y = X @ [1.0, -2.0, 0.5] + 3 + rng.normal(scale=0.1, size=80)
    model = NeuralNetworkRegressor(
        (), solver="sgd", momentum=0, alpha=0, batch_size=80, learning_rate_init=0.5
    ).fit(X, y)
    expected = LinearRegression().fit(X, y)
    np.testing.assert_allclose(model.coefs_[0].ravel(), expected.coef_, atol=1e-8)
    np.testing.assert_allclose(model.intercepts_[0], expected.intercept_, atol=1e-8)
    assert model.score(X, y) == pytest.approx(expected.score(X, y))


def test_squared_error_by_hand():
    """(1² + 3²) / 2, divisé par 2 exemples."""
    assert squared_error(np.array([[0.0], [1]]), np.array([[1.0], [4]])) == 2.5


def test_regressor_early_stopping_keeps_the_best_weights():
    """Les poids rendus sont ceux de la plus petite perte de validation."""
    y = np.sin(3 * X[:, 0])
    model = NeuralNetworkRegressor(
        (32,), learning_rate_init=0.05, early_stopping=True, random_state=0
    ).fit(X[:90], y[:90], X[90:], y[90:])
    loss = squared_error(y[90:, None], model.predict(X[90:])[:, None])
    assert loss == pytest.approx(min(model.history_["val_loss"]))
    assert set(model.history_) == {"loss", "val_loss"}
    assert model.n_iter_ < 200
