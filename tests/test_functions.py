"""Les fonctions enseignées, face à des arbitres indépendants.

Ce sont SciPy, scikit-learn, des valeurs calculées à la main et des différences finies.
"""

import numpy as np
import pytest
import scipy.special
import sklearn.metrics
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from conftest import assert_helpful
from utilities import (
    ACTIVATIONS,
    DERIVATIVES,
    OUTPUTS,
    Adam,
    Momentum,
    back_propagation,
    cross_entropy,
    forward_propagation,
    identity,
    initialize_parameters,
    log_loss,
    numerical_gradient,
    relu,
    sigmoid,
    softmax,
    squared_error,
    update,
)

FLOATS = st.floats(-50, 50)
MATRICES = arrays(
    float, st.tuples(st.integers(1, 5), st.integers(1, 5)), elements=FLOATS
)
SEEDS = st.integers(0, 2**32 - 1)

# Descendre jusqu'à zéro (underflow) est exact ici ; tout le reste serait une erreur.
STRICT = {"over": "raise", "divide": "raise", "invalid": "raise"}

each_activation = pytest.mark.parametrize("activation", ACTIVATIONS)


# --- Les activations ------------------------------------------------------------------


@given(arrays(float, 20, elements=st.floats(-800, 800)))
def test_sigmoid_matches_scipy(Z):
    """À la précision machine, y compris très loin à gauche."""
    expected = scipy.special.expit(Z)
    np.testing.assert_allclose(sigmoid(Z), expected, rtol=2e-15, atol=1e-307)


def test_sigmoid_at_extremes():
    """Aucun débordement, même à l'infini ; NaN reste NaN."""
    Z = np.array([-np.inf, -1e308, -1e3, -0.0, 0.0, 1e3, 1e308, np.inf, np.nan])
    with np.errstate(**STRICT):
        A = sigmoid(Z)
    expected = np.array([0, 0, 0, 0.5, 0.5, 1, 1, 1, np.nan])
    np.testing.assert_array_equal(A, expected)


@given(MATRICES)
def test_softmax_matches_scipy(Z):
    """Ligne par ligne, et les lignes somment à 1."""
    A = softmax(Z)
    np.testing.assert_allclose(A, scipy.special.softmax(Z, axis=1), rtol=1e-13)
    np.testing.assert_allclose(A.sum(axis=1), 1, rtol=1e-14)


def test_softmax_does_not_overflow():
    """L'exponentielle de 1e4 n'est jamais calculée."""
    with np.errstate(**STRICT):
        A = softmax(np.array([[1e4, 0, -1e4], [-1e4, -1e4, -1e4]]))
    np.testing.assert_allclose(A, [[1, 0, 0], [1 / 3, 1 / 3, 1 / 3]])


def test_hidden_activations_by_hand():
    """Valeurs connues, NaN compris pour relu."""
    Z = np.array([[-2.0, 0.0, 3.0]])
    np.testing.assert_array_equal(relu(Z), [[0, 0, 3]])
    np.testing.assert_array_equal(identity(Z), Z)
    assert np.isnan(relu(np.array([np.nan])))


@pytest.mark.parametrize("function", [*ACTIVATIONS.values(), softmax])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_type_is_kept(function, dtype):
    """Un float32 donne un float32 ; l'argument n'est pas modifié."""
    Z = np.linspace(-4, 4, 12, dtype=dtype).reshape(3, 4)
    before = Z.copy()
    A = function(Z)
    assert A.dtype == dtype
    assert A.shape == Z.shape
    np.testing.assert_array_equal(Z, before)


@each_activation
def test_derivative_matches_finite_differences(activation):
    """La dérivée s'écrit avec A, et vaut bien celle de l'activation en Z."""
    Z = np.linspace(-3, 3, 24).reshape(4, 6)  # 0 n'y est pas : relu y a un angle
    slope = numerical_gradient(lambda P: ACTIVATIONS[activation](P).sum(), Z)
    derivative = DERIVATIVES[activation](ACTIVATIONS[activation](Z))
    np.testing.assert_allclose(derivative, slope, rtol=1e-7, atol=1e-9)


def test_relu_derivative_is_zero_where_the_neuron_is_off():
    """A = 0 : neurone éteint, dérivée nulle ; l'écrire avec A >= 0 serait l'erreur."""
    np.testing.assert_array_equal(
        DERIVATIVES["relu"](np.array([0.0, -0.0, 2.0])), [0, 0, 1]
    )


# --- Les pertes -----------------------------------------------------------------------


@pytest.mark.parametrize("loss", [log_loss, cross_entropy, squared_error])
def test_a_flat_target_is_refused(loss):
    """Face à une colonne, elle donnerait, sans un mot, une perte de m × m valeurs."""
    y, A = np.array([1.0, 0.0, 1.0]), np.array([[0.9], [0.1], [0.9]])
    assert np.isfinite(loss(y.reshape(-1, 1), A))
    with pytest.raises(ValueError) as refusal:
        loss(y, A)
    assert_helpful(refusal, "(3, 1)", "(3,)", "y.reshape(-1, 1)")


def test_log_loss_by_hand():
    """Deux images : -(log 0,8 + log(1 - 0,4)) / 2."""
    y, A = np.array([[1.0], [0.0]]), np.array([[0.8], [0.4]])
    assert log_loss(y, A) == pytest.approx(-(np.log(0.8) + np.log(0.6)) / 2, rel=1e-14)
    assert isinstance(log_loss(y, A), float)


@given(st.lists(st.tuples(st.booleans(), st.floats(0, 1)), min_size=2, max_size=20))
def test_log_loss_matches_scikit_learn(pairs):
    """Partout, et jusqu'en 0 et 1 exactement."""
    y = np.array([[pair[0]] for pair in pairs], dtype=float)
    A = np.array([[pair[1]] for pair in pairs])
    expected = sklearn.metrics.log_loss(y.ravel(), A.ravel(), labels=[0, 1])
    assert log_loss(y, A) == pytest.approx(expected, rel=1e-9, abs=1e-14)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_losses_stay_finite(dtype):
    """Une certitude fausse coûte cher, pas l'infini : -log de la précision machine."""
    y = np.array([[1], [0]], dtype=dtype)
    worst = -np.log(np.finfo(dtype).eps)
    with np.errstate(**STRICT):
        assert log_loss(y, 1 - y) == pytest.approx(worst, rel=1e-5)
        assert 0 <= log_loss(y, y) < 1e-6
        one_hot = np.eye(3, dtype=dtype)
        assert cross_entropy(one_hot, one_hot[::-1]) == pytest.approx(2 * worst / 3)
        assert cross_entropy(one_hot, one_hot) == 0


def test_log_loss_of_several_columns():
    """Plusieurs étiquettes par image : somme des colonnes, moyenne des lignes."""
    rng = np.random.default_rng(0)
    Y, A = rng.integers(2, size=(5, 3)).astype(float), rng.uniform(0.1, 0.9, (5, 3))
    columns = [log_loss(Y[:, [j]], A[:, [j]]) for j in range(3)]
    assert log_loss(Y, A) == pytest.approx(sum(columns), rel=1e-14)


@given(SEEDS, st.integers(1, 10), st.integers(2, 6))
def test_cross_entropy_matches_scikit_learn(seed, m, n_classes):
    """Classes tirées au hasard, probabilités issues d'un softmax."""
    rng = np.random.default_rng(seed)
    labels = rng.integers(n_classes, size=m)
    A = softmax(3 * rng.normal(size=(m, n_classes)))
    expected = sklearn.metrics.log_loss(labels, A, labels=range(n_classes))
    assert cross_entropy(np.eye(n_classes)[labels], A) == pytest.approx(expected)


# --- Les différences finies -----------------------------------------------------------


def test_numerical_gradient_of_a_quadratic():
    """De ½ pᵀ M p, M symétrique, le gradient est M p."""
    rng = np.random.default_rng(0)
    M = rng.normal(size=(4, 4))
    M = M + M.T
    p = rng.normal(size=(4, 1))
    before = p.copy()
    gradient = numerical_gradient(lambda q: float((q.T @ M @ q).item() / 2), p)
    np.testing.assert_allclose(gradient, M @ p, rtol=1e-7, atol=1e-8)
    assert gradient.shape == p.shape
    np.testing.assert_array_equal(p, before)


def test_numerical_gradient_is_centred():
    """De p³, l'erreur d'une différence centrée est ε², non 3pε."""
    gradient = numerical_gradient(lambda p: (p**3).sum(), np.array([1.0]), epsilon=1e-2)
    assert gradient[0] == pytest.approx(3 + 1e-4, rel=1e-9)


def test_numerical_gradient_of_integers():
    """Un paramètre entier n'arrondit pas le pas à zéro."""
    gradient = numerical_gradient(lambda p: float((p**2).sum()), np.array([3, -1]))
    np.testing.assert_allclose(gradient, [6, -2], rtol=1e-8)


# --- Les paramètres initiaux ----------------------------------------------------------


def test_initial_shapes():
    """Une paire (W, b) par couche : (n_in, n_out) et (1, n_out) ; biais nuls."""
    parameters = initialize_parameters([5, 4, 3, 1], np.random.default_rng(0))
    shapes = [(W.shape, b.shape) for W, b in parameters]
    assert shapes == [((5, 4), (1, 4)), ((4, 3), (1, 3)), ((3, 1), (1, 1))]
    assert all((b == 0).all() for _, b in parameters)


@pytest.mark.parametrize(
    ("initialization", "std"),
    [
        ("zeros", 0),
        ("small", 0.01),
        ("glorot", np.sqrt(2 / 500)),
        ("he", np.sqrt(2 / 300)),
    ],
)
def test_initial_spread(initialization, std):
    """Moyenne nulle, et l'écart-type de chaque recette, sur une couche 300 → 200."""
    rng = np.random.default_rng(0)
    [(W, _)] = initialize_parameters([300, 200], rng, initialization)
    assert W.std() == pytest.approx(std, rel=0.01)
    assert abs(W.mean()) <= 4 * std / np.sqrt(W.size)


def test_default_initialization_is_he():
    """Sans précision, celle qui convient à relu."""
    both = [
        initialize_parameters([4, 3], np.random.default_rng(1), *name)
        for name in ([], ["he"])
    ]
    np.testing.assert_array_equal(both[0][0][0], both[1][0][0])


# --- L'aller et le retour -------------------------------------------------------------


def test_forward_propagation_by_hand():
    """Réseau 2-2-1, deux images, calculé sur papier."""
    X = np.array([[1.0, 2.0], [0.0, -1.0]])
    W_1, b_1 = np.array([[1.0, -1.0], [2.0, 0.5]]), np.array([[0.5, 0.0]])
    W_2, b_2 = np.array([[1.0], [-2.0]]), np.array([[-5.0]])
    # Z_1 = [[5,5, 0], [-1,5, -0,5]], A_1 = [[5,5, 0], [0, 0]], Z_2 = [[0,5], [-5]].
    activations = forward_propagation(X, [(W_1, b_1), (W_2, b_2)])
    assert len(activations) == 3
    assert activations[0] is X
    np.testing.assert_array_equal(activations[1], [[5.5, 0], [0, 0]])
    expected = 1 / (1 + np.exp([[-0.5], [5.0]]))
    np.testing.assert_allclose(activations[2], expected, rtol=1e-14)


def test_forward_propagation_uses_the_given_functions():
    """L'activation aux couches cachées, la sortie à la dernière, et à elle seule."""
    parameters = [(np.eye(2), np.zeros((1, 2)))] * 3
    X = np.array([[-1.0, 2.0]])
    activations = forward_propagation(X, parameters, np.tanh, softmax)
    np.testing.assert_allclose(activations[1], np.tanh(X))
    np.testing.assert_allclose(activations[2], np.tanh(np.tanh(X)))
    np.testing.assert_allclose(activations[3], softmax(np.tanh(np.tanh(X))))


def with_one_replaced(parameters, layer, position, value):
    """Les mêmes paramètres, sauf un W (position 0) ou un b (position 1)."""
    replaced = [list(pair) for pair in parameters]
    replaced[layer][position] = value
    return replaced


def check_gradients(m, sizes, activation, output, seed):
    """Compare chaque dW et chaque db de la rétropropagation à l'arbitre numérique."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(m, sizes[0]))
    y = {
        "logistic": rng.integers(2, size=(m, sizes[-1])).astype(float),
        "softmax": np.eye(sizes[-1])[rng.integers(sizes[-1], size=m)],
        "identity": rng.normal(size=(m, sizes[-1])),
    }[output]
    output, loss_function = OUTPUTS[output]
    function, derivative = ACTIVATIONS[activation], DERIVATIVES[activation]
    parameters = [
        (W, rng.normal(size=b.shape))
        for W, b in initialize_parameters(sizes, rng, "glorot")
    ]
    activations = forward_propagation(X, parameters, function, output)
    for A_prev, (W, b) in zip(activations[:-2], parameters[:-1], strict=True):
        assume(np.abs(A_prev @ W + b).min() > 1e-3)  # loin de l'angle de relu
    gradients = back_propagation(y, parameters, activations, derivative)
    assert len(gradients) == len(parameters)
    for layer, pair in enumerate(parameters):
        for position, parameter in enumerate(pair):

            def loss(value, layer=layer, position=position):
                changed = with_one_replaced(parameters, layer, position, value)
                A = forward_propagation(X, changed, function, output)[-1]
                return loss_function(y, A)

            expected = numerical_gradient(loss, parameter)
            actual = gradients[layer][position]
            assert actual.shape == parameter.shape
            np.testing.assert_allclose(actual, expected, rtol=1e-5, atol=1e-8)


@each_activation
@pytest.mark.parametrize("output", OUTPUTS)
@pytest.mark.parametrize("depth", [1, 2, 3, 4])
@settings(max_examples=15)
@given(data=st.data())
def test_back_propagation_matches_finite_differences(activation, output, depth, data):
    """Toute activation, toute sortie, de une à quatre couches, formes au hasard."""
    m = data.draw(st.integers(1, 5), label="m")
    widths = st.lists(st.integers(1, 4), min_size=depth, max_size=depth)
    n_outputs = st.integers(2 if output == "softmax" else 1, 3)
    sizes = [*data.draw(widths, label="tailles"), data.draw(n_outputs)]
    seed = data.draw(SEEDS, label="graine")
    check_gradients(m, sizes, activation, output, seed)


def test_back_propagation_changes_nothing():
    """Ni les poids, ni les activations, ni les cibles ne sont modifiés."""
    rng = np.random.default_rng(0)
    parameters = initialize_parameters([3, 4, 1], rng)
    y = np.array([[1.0], [0.0]])
    activations = forward_propagation(rng.normal(size=(2, 3)), parameters)
    everything = [y, *activations, *(array for pair in parameters for array in pair)]
    before = [array.copy() for array in everything]
    back_propagation(y, parameters, activations)
    for array, copy in zip(everything, before, strict=True):
        np.testing.assert_array_equal(array, copy)


# --- Les pas de descente --------------------------------------------------------------


def test_update_is_in_place():
    """Le tableau lui-même change, et toute vue sur lui avec ; le gradient, non."""
    parameter, gradient = np.array([1.0, 2.0, 3.0]), np.array([10.0, 0.0, -10.0])
    view = parameter[1:]
    assert update(parameter, gradient, 0.1) is None
    np.testing.assert_allclose(parameter, [0, 2, 4], atol=1e-15)
    np.testing.assert_allclose(view, [2, 4])
    np.testing.assert_array_equal(gradient, [10, 0, -10])


@pytest.mark.parametrize(
    ("nesterov", "expected"), [(False, [2, 5, 3.5]), (True, [3, 6.5, 2.75])]
)
def test_momentum_by_hand(nesterov, expected):
    """Gradients 2, 4 puis 1, élan ½ : les vitesses sont 2, 5 et 3,5."""
    solver = Momentum(momentum=0.5, nesterov=nesterov)
    steps = [solver(np.array([gradient])).item() for gradient in (2.0, 4.0, 1.0)]
    assert steps == expected


def test_momentum_keeps_its_steps_apart():
    """Un pas déjà rendu n'est pas modifié par le suivant, le gradient non plus."""
    solver, gradient = Momentum(0.9), np.array([1.0])
    first = solver(gradient)
    solver(gradient)
    assert first == gradient == 1


def test_adam_by_hand():
    """Gradients 1 puis -2 avec β₁ = ½, β₂ = ¾ : moyennes corrigées du biais."""
    solver = Adam(beta_1=0.5, beta_2=0.75, epsilon=0.5)
    # t = 1 : moyenne 0,5 / 0,5 = 1 ; carré 0,25 / 0,25 = 1.
    assert solver(np.array([1.0])).item() == pytest.approx(1 / (1 + 0.5), rel=1e-14)
    # t = 2 : moyenne -0,75 / 0,75 = -1 ; carré (0,1875 + 1) / (1 - 0,5625).
    expected = -1 / (np.sqrt(1.1875 / 0.4375) + 0.5)
    assert solver(np.array([-2.0])).item() == pytest.approx(expected, rel=1e-14)


@pytest.mark.parametrize("solver", [Momentum(), Momentum(nesterov=True), Adam()])
def test_solvers_keep_single_precision(solver):
    """Un gradient float32 donne un pas float32."""
    for _ in range(2):
        assert solver(np.ones(3, dtype=np.float32)).dtype == np.float32
