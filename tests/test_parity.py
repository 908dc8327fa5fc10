"""`NeuralNetwork` pas à pas, face à PyTorch, à scikit-learn et à Keras.

Du même départ, sur les mêmes lots, les programmes doivent faire les mêmes pas, 200
(ou 40 pour « make test »), et s'arrêter à la même époque. Le cours ne demande pas
PyTorch : sans lui, ses tests sont passés.
"""

import sys

import numpy as np
import pytest
from sklearn.neural_network import MLPClassifier, _multilayer_perceptron

from conftest import IS_QUICK, ROOT
from utilities import (
    NeuralNetwork,
    flatten_images,
    initialize_parameters,
    load_data,
)

sys.path.insert(0, str(ROOT / "benchmarks"))
from taught import taught_by

HIDDEN = (16, 8)
N_STEPS = 40 if IS_QUICK else 200
SEED = 0
TOLERANCE = 1e-10

# Nos réglages, puis le nom et les réglages de l'optimiseur de PyTorch. Les taux sont
# assez petits pour que la descente n'amplifie pas les arrondis, et que les probabilités
# restent loin de 0 et de 1, où la perte s'écrête.
SOLVERS = {
    "descente": (
        {"solver": "sgd", "momentum": 0, "learning_rate_init": 0.02},
        ("SGD", {}),
    ),
    "elan": (
        {"solver": "sgd", "nesterovs_momentum": False, "learning_rate_init": 0.01},
        ("SGD", {"momentum": 0.9}),
    ),
    "nesterov": (
        {"solver": "sgd", "learning_rate_init": 0.01},
        ("SGD", {"momentum": 0.9, "nesterov": True}),
    ),
    "adam": ({"solver": "adam", "learning_rate_init": 0.001}, ("Adam", {})),
}

each_solver = pytest.mark.parametrize("solver", SOLVERS)
each_activation = pytest.mark.parametrize("activation", ["logistic", "tanh", "relu"])
each_problem = pytest.mark.parametrize("n_classes", [2, 10])
each_alpha = pytest.mark.parametrize("alpha", [0, 1])


@pytest.fixture(scope="module")
def problems():
    """Cent images, un pixel sur deux en tous sens : {nombre de classes: (X, y)}."""
    found = {}
    for n_classes, name in [(2, "silhouettes"), (10, "animaux")]:
        X, y, _, _ = load_data(name)
        rows = np.linspace(0, len(X) - 1, 100).astype(int)
        found[n_classes] = flatten_images(X[rows, ::2, ::2]), y[rows]
        assert len(np.unique(y[rows])) == n_classes
    return found


@pytest.fixture(scope="module")
def torch():
    """PyTorch sur un seul fil, ou l'abandon du test s'il n'est pas installé."""
    torch = pytest.importorskip("torch")
    n_threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield torch
    torch.set_num_threads(n_threads)


def initial_parameters(X, n_outputs):
    """Les poids dont part `ours` ; le premier test le vérifie."""
    sizes = [X.shape[1], *HIDDEN, n_outputs]
    return initialize_parameters(sizes, np.random.default_rng(SEED), "he")


def ours(X, y, **options):
    """Notre réseau, entraîné sur le lot entier sauf avis contraire."""
    defaults = {"hidden_layer_sizes": HIDDEN, "initialization": "he", "shuffle": False}
    defaults |= {"random_state": SEED, "batch_size": len(X), "max_iter": N_STEPS}
    return NeuralNetwork(**(defaults | options)).fit(X, y)


def n_outputs(n_classes):
    return 1 if n_classes == 2 else n_classes


def assert_same_training(model, losses, coefs, intercepts):
    """Chaque perte à 1e-10 près, chaque tableau à 1e-10 près de son plus grand."""
    np.testing.assert_allclose(model.loss_curve_, losses, rtol=TOLERANCE, atol=0)
    assert losses[-1] < losses[0]
    pairs = [*zip(model.coefs_, coefs, strict=True)]
    pairs += zip(model.intercepts_, intercepts, strict=True)
    for actual, expected in pairs:
        atol = TOLERANCE * np.abs(expected).max()
        np.testing.assert_allclose(actual, expected, rtol=0, atol=atol)


@each_problem
def test_start_is_known(n_classes, problems):
    """Un pas infime laisse voir le départ : initialize_parameters, même graine."""
    X, y = problems[n_classes]
    model = ours(X, y, max_iter=1, learning_rate_init=1e-300)
    start = initial_parameters(X, n_outputs(n_classes))
    for (W, b), coef, intercept in zip(
        start, model.coefs_, model.intercepts_, strict=True
    ):
        np.testing.assert_array_equal(coef, W)
        np.testing.assert_allclose(intercept, b.ravel(), rtol=0, atol=1e-290)


# --- PyTorch --------------------------------------------------------------------------


def torch_training(torch, X, y, n_classes, activation, solver, alpha, batch_size):
    """La même chose avec autograd ; renvoie la perte et la taille de chaque lot."""
    functions = {"logistic": "Sigmoid", "tanh": "Tanh", "relu": "ReLU"}
    layers, linears = [], []
    for W, b in initial_parameters(X, n_outputs(n_classes)):
        linear = torch.nn.Linear(*W.shape, dtype=torch.float64)
        with torch.no_grad():
            linear.weight.copy_(torch.from_numpy(W.T))
            linear.bias.copy_(torch.from_numpy(b.ravel()))
        linears.append(linear)
        layers += [linear, getattr(torch.nn, functions[activation])()]
    network = torch.nn.Sequential(*layers[:-1])
    X = torch.from_numpy(X)
    if n_classes == 2:
        criterion, y = torch.nn.BCEWithLogitsLoss(), torch.from_numpy(y)
    else:
        criterion = torch.nn.CrossEntropyLoss()
        y = torch.from_numpy(y.ravel().astype(np.int64))
    options, (name, momentum) = SOLVERS[solver]
    lr = options["learning_rate_init"]
    optimizer = getattr(torch.optim, name)(network.parameters(), lr=lr, **momentum)

    losses, sizes = [], []
    while len(losses) < N_STEPS:
        for X_batch, y_batch in zip(X.split(batch_size), y.split(batch_size)):
            optimizer.zero_grad()
            loss = criterion(network(X_batch), y_batch)
            if alpha:
                penalty = sum(linear.weight.square().sum() for linear in linears)
                loss = loss + alpha / (2 * len(X_batch)) * penalty
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
            sizes.append(len(X_batch))
    coefs = [linear.weight.detach().numpy().T for linear in linears]
    intercepts = [linear.bias.detach().numpy() for linear in linears]
    return np.array(losses), np.array(sizes), coefs, intercepts


@each_solver
@each_activation
@each_problem
@each_alpha
def test_every_step_is_that_of_torch(
    solver, activation, n_classes, alpha, problems, torch
):
    """Lot entier : une époque est un pas, loss_curve_ a la perte de chacun."""
    X, y = problems[n_classes]
    options, _ = SOLVERS[solver]
    model = ours(X, y, activation=activation, alpha=alpha, **options)
    losses, _, coefs, intercepts = torch_training(
        torch, X, y, n_classes, activation, solver, alpha, len(X)
    )
    assert len(losses) == N_STEPS
    assert_same_training(model, losses, coefs, intercepts)


@each_solver
@each_problem
@pytest.mark.parametrize("batch_size", [25, 32])
def test_batches_are_those_of_torch(solver, n_classes, batch_size, problems, torch):
    """Quatre lots par époque, égaux ou non (32, 32, 32, 4) : autant de pas.

    La perte d'une époque est la moyenne de celles des lots, selon leurs tailles.
    """
    X, y = problems[n_classes]
    options = {**SOLVERS[solver][0], "batch_size": batch_size, "alpha": 1}
    model = ours(X, y, activation="tanh", max_iter=N_STEPS // 4, **options)
    losses, sizes, coefs, intercepts = torch_training(
        torch, X, y, n_classes, "tanh", solver, 1, batch_size
    )
    assert len(losses) == N_STEPS
    epochs = np.sum((losses * sizes).reshape(-1, 4), axis=1) / len(X)
    assert_same_training(model, epochs, coefs, intercepts)


# --- scikit-learn ---------------------------------------------------------------------


class MLPFromOurWeights(MLPClassifier):
    """MLPClassifier qui part des poids donnés par `start_from`, et non des siens."""

    def start_from(self, parameters):
        self._start = iter(parameters)
        return self

    def _init_coef(self, fan_in, fan_out, dtype):
        W, b = next(self._start)
        assert W.shape == (fan_in, fan_out)
        return W.astype(dtype), b.ravel().astype(dtype)


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@each_solver
@each_activation
@each_problem
def test_every_epoch_is_that_of_scikit_learn(solver, activation, n_classes, problems):
    """Toutes les époques de MLPClassifier, en lots de 60 puis 40 images.

    Dans Adam, epsilon s'ajoute après la correction du biais chez nous, comme dans
    l'article et dans PyTorch, avant chez scikit-learn : d'où une valeur infime ici.
    """
    X, y = problems[n_classes]
    options = {
        **SOLVERS[solver][0],
        "activation": activation,
        "alpha": 1,
        "batch_size": 60,
        "shuffle": False,
        "max_iter": N_STEPS,
        "epsilon": 1e-20,
        "n_iter_no_change": np.inf,
    }
    model = ours(X, y, **options)
    mlp = MLPFromOurWeights(HIDDEN, **options)
    mlp.start_from(initial_parameters(X, n_outputs(n_classes))).fit(X, y.ravel())
    assert len(mlp.loss_curve_) == N_STEPS
    assert_same_training(model, mlp.loss_curve_, mlp.coefs_, mlp.intercepts_)


STOPS = {
    "arrêt précoce": {"early_stopping": True, "tol": 1e-4},
    "perte": {"tol": 2e-3},
}


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("stop", STOPS)
@pytest.mark.parametrize("patience", [1, 4, 10])
def test_stops_at_the_epoch_of_scikit_learn(stop, patience, problems, monkeypatch):
    """Même part de côté, même règle : même dernière époque, et mêmes poids rendus."""
    X, y = problems[2]
    train, held = np.arange(100) % 4 > 0, np.arange(100) % 4 == 0
    split = lambda X, Y, **_: (X[train], X[held], Y[train], Y[held])  # noqa: E731
    monkeypatch.setattr("utilities.train_test_split", split)
    monkeypatch.setattr(_multilayer_perceptron, "train_test_split", split)
    options = {"learning_rate_init": 0.003, "epsilon": 1e-20, "shuffle": False}
    options |= {"n_iter_no_change": patience, "batch_size": 25} | STOPS[stop]
    options["max_iter"] = 200  # elle s'arrête avant
    model = ours(X, y, **options)
    mlp = MLPFromOurWeights(HIDDEN, **options)
    mlp.start_from(initial_parameters(X, 1)).fit(X, y.ravel())
    assert model.n_iter_ == mlp.n_iter_ < 200
    assert_same_training(model, mlp.loss_curve_, mlp.coefs_, mlp.intercepts_)


# --- Keras ----------------------------------------------------------------------------


@pytest.fixture
def keras(torch, monkeypatch):
    """Keras sur PyTorch, tout en float64 ; l'abandon du test s'il n'est pas installé.

    Sans la table modifiée ici, ses produits de matrices reviennent à float32, quoi que
    l'on ait demandé : github.com/keras-team/keras/issues/23704.
    """
    monkeypatch.setenv("KERAS_BACKEND", "torch")
    monkeypatch.setenv("KERAS_TORCH_DEVICE", "cpu")
    keras = pytest.importorskip("keras")
    from keras.src.backend.common import dtypes

    monkeypatch.setitem(dtypes.BIT64_TO_BIT32_DTYPE, "float64", "float64")
    keras.config.set_floatx("float64")
    yield keras
    keras.config.set_floatx("float32")


def test_every_epoch_is_that_of_keras(problems, keras):
    """Des époques d'Adam, en quatre lots de 25 images.

    Comme scikit-learn, Keras ajoute epsilon avant la correction du biais.
    """
    X, y = problems[2]
    options = {"learning_rate_init": 0.001, "epsilon": 1e-20, "alpha": 0}
    model = ours(X, y, batch_size=25, max_iter=N_STEPS // 4, **options)

    layers = [keras.layers.Dense(n, "relu", dtype="float64") for n in HIDDEN]
    layers.append(keras.layers.Dense(1, dtype="float64"))
    network = keras.Sequential([keras.Input((X.shape[1],), dtype="float64"), *layers])
    start = initial_parameters(X, 1)
    network.set_weights([array for W, b in start for array in (W, b.ravel())])
    network.compile(
        keras.optimizers.Adam(0.001, epsilon=1e-20),
        keras.losses.BinaryCrossentropy(from_logits=True),
    )
    options = {"batch_size": 25, "shuffle": False, "verbose": 0}
    losses = network.fit(X, y, epochs=N_STEPS // 4, **options).history["loss"]
    arrays = network.get_weights()
    assert_same_training(model, np.array(losses), arrays[::2], arrays[1::2])


# --- La convolution -------------------------------------------------------------------


@pytest.fixture(scope="module")
def net():
    """Les fonctions que définit ou reprend l'annexe « réseau convolutif »."""
    return taught_by("annexes/reseau_convolutif")


def to_torch(torch, X):
    """Nos images (m, h, w, c), rangées comme PyTorch les veut : (m, c, h, w)."""
    return torch.from_numpy(np.ascontiguousarray(X.transpose(0, 3, 1, 2)))


def from_torch(tensor):
    return tensor.detach().numpy().transpose(0, 2, 3, 1)


def assert_equal(actual, expected):
    """À 1e-10 près du plus grand nombre du tableau."""
    atol = TOLERANCE * np.abs(expected).max()
    np.testing.assert_allclose(actual, expected, rtol=0, atol=atol)


@pytest.mark.parametrize("k", [1, 3, 5])
def test_convolution_and_its_three_gradients_are_those_of_torch(k, net, torch):
    rng = np.random.default_rng(k)
    X, dZ = rng.normal(size=(3, 6, 5, 2)), rng.normal(size=(3, 6, 5, 4))
    W, b = rng.normal(size=(k, k, 2, 4)), rng.normal(size=(1, 4))
    inputs = to_torch(torch, X).requires_grad_()
    weight = torch.from_numpy(W.transpose(3, 2, 0, 1).copy()).requires_grad_()
    bias = torch.from_numpy(b.ravel()).requires_grad_()
    outputs = torch.nn.functional.conv2d(inputs, weight, bias, padding=k // 2)
    outputs.backward(to_torch(torch, dZ))
    Z, R = net.convolve(X, W, b)
    assert_equal(Z, from_torch(outputs))
    dW, db = net.filter_gradients(dZ, R, W)
    assert_equal(dW, weight.grad.numpy().transpose(2, 3, 1, 0))
    assert_equal(db, bias.grad.numpy()[None])
    assert_equal(net.input_gradient(dZ, W), from_torch(inputs.grad))


def test_max_pooling_gives_a_tie_to_the_place_torch_gives_it_to(net, torch):
    """Des entiers de 0 à 2 : deux blocs sur trois ont plusieurs gagnants."""
    rng = np.random.default_rng(0)
    Z = rng.integers(3, size=(4, 6, 8, 3)).astype(float)
    dA = rng.normal(size=(4, 3, 4, 3))
    inputs = to_torch(torch, Z).requires_grad_()
    outputs = torch.nn.functional.max_pool2d(inputs, 2)
    outputs.backward(to_torch(torch, dA))
    A = net.max_pool(Z)
    np.testing.assert_array_equal(A, from_torch(outputs))
    np.testing.assert_array_equal(
        net.max_pool_gradient(dA, A, Z), from_torch(inputs.grad)
    )


def torch_convolutional(torch, parameters, shape):
    """Le réseau de l'annexe en PyTorch, avec les mêmes poids."""
    *convolutions, (W_out, b_out) = parameters
    layers, (h, w, n) = [], shape
    for W, b in convolutions:
        k, _, c, n = W.shape
        layer = torch.nn.Conv2d(c, n, k, padding=k // 2, dtype=torch.float64)
        with torch.no_grad():
            layer.weight.copy_(torch.from_numpy(W.transpose(3, 2, 0, 1).copy()))
            layer.bias.copy_(torch.from_numpy(b.ravel()))
        layers += [layer, torch.nn.MaxPool2d(2), torch.nn.ReLU()]
        h, w = h // 2, w // 2
    dense = torch.nn.Linear(*W_out.shape, dtype=torch.float64)
    rows = W_out.reshape(h, w, n, -1).transpose(3, 2, 0, 1).reshape(W_out.shape[::-1])
    with torch.no_grad():
        dense.weight.copy_(torch.from_numpy(rows.copy()))
        dense.bias.copy_(torch.from_numpy(b_out.ravel()))
    return torch.nn.Sequential(*layers, torch.nn.Flatten(), dense)


def test_a_hundred_convolutional_steps_are_those_of_torch(net, torch):
    """Sur les vraies silhouettes, pleines d'égalités ; Adam, en lots de 25."""
    X, y, _, _ = load_data("animaux")
    rows = np.linspace(0, len(X) - 1, 100).astype(int)
    X, y = X[rows, ..., None] / 255, y[rows].ravel().astype(int)
    rng = np.random.default_rng(0)
    parameters = net.initialize((28, 28, 1), (4, 8), 10, rng, dtype="float64")
    network = torch_convolutional(torch, parameters, X.shape[1:])
    optimizer = torch.optim.Adam(network.parameters(), lr=0.001)
    criterion = torch.nn.CrossEntropyLoss()
    solvers = [(net.Adam(), net.Adam()) for _ in parameters]
    losses, expected = [], []
    for t in range(100):
        batch = slice(t % 4 * 25, t % 4 * 25 + 25)
        Y = np.eye(10)[y[batch]]
        output, cache = net.forward(X[batch], parameters)
        losses.append(net.cross_entropy(Y, output))
        gradients = net.backward(Y, parameters, output, cache)
        for layer, adams, pair in zip(parameters, solvers, gradients):
            for parameter, adam, gradient in zip(layer, adams, pair):
                net.update(parameter, adam(gradient), 0.001)

        optimizer.zero_grad()
        outputs = network(to_torch(torch, X[batch]))
        loss = criterion(outputs, torch.from_numpy(y[batch]))
        loss.backward()
        optimizer.step()
        expected.append(loss.item())
    np.testing.assert_allclose(losses, expected, rtol=TOLERANCE, atol=0)
    assert losses[-1] < losses[0] / 2
    kernel = network[0].weight.detach().numpy().transpose(2, 3, 1, 0)
    assert_equal(parameters[0][0], kernel)
    assert_equal(parameters[-1][1], network[-1].bias.detach().numpy()[None])


# --- Les réseaux récurrents -----------------------------------------------------------


@pytest.fixture(scope="module")
def recurrent():
    """Les fonctions que les cellules de l'annexe « LSTM » définissent ou reprennent."""
    return taught_by("annexes/lstm")


def in_torch_layout(W, U, b, V, d):
    """Nos paramètres, transposés ; les portes dans l'ordre i, f, g, o de PyTorch."""
    n_blocks = W.shape[1] // len(U)

    def reorder(array):  # de i, f, o, g
        blocks = np.split(array, n_blocks, axis=1)
        return np.hstack([*blocks[:2], *blocks[:1:-1]])

    shared = reorder(W).T, reorder(U).T, reorder(b).ravel()
    return [np.ascontiguousarray(array) for array in (*shared, V.T, d.ravel())]


def torch_recurrent_training(torch, name, X, y, start, max_norm):
    """Chaque perte, et les derniers paramètres ; gradients coupés, puis Adam.

    PyTorch ajoute deux biais, dont la somme est le nôtre. S'ils apprenaient tous deux,
    elle ferait deux pas à la fois : le second reste nul.
    """
    _, U, _, V, _ = start
    options = {"batch_first": True, "dtype": torch.float64}
    layer = getattr(torch.nn, name)(X.shape[2], len(U), **options)
    output = torch.nn.Linear(len(V), 1, dtype=torch.float64)
    learnt = [layer.weight_ih_l0, layer.weight_hh_l0, layer.bias_ih_l0]
    learnt += [output.weight, output.bias]
    with torch.no_grad():
        for parameter, array in zip(learnt, in_torch_layout(*start), strict=True):
            parameter.copy_(torch.from_numpy(array))
        layer.bias_hh_l0.zero_()
    optimizer = torch.optim.Adam(learnt, lr=0.01)
    criterion, losses = torch.nn.BCEWithLogitsLoss(), []
    X, y = torch.from_numpy(X), torch.from_numpy(y)
    for _ in range(N_STEPS):
        layer.zero_grad()
        output.zero_grad()
        states, _ = layer(X)
        loss = criterion(output(states[:, -1]), y)
        loss.backward()
        norm = sum(p.grad.square().sum() for p in learnt).sqrt().item()
        for p in learnt:  # clip_grad_norm_ ajoute 1e-6 à la norme
            p.grad *= max_norm / max(norm, max_norm)
        optimizer.step()
        losses.append(loss.item())
    return losses, [parameter.detach().numpy() for parameter in learnt]


@pytest.mark.parametrize("max_norm", [1e9, 0.05], ids=["entier", "coupe"])
@pytest.mark.parametrize("name", ["RNN", "LSTM"])
def test_every_recurrent_step_is_that_of_torch(name, max_norm, recurrent, torch):
    """Sur neuf étapes, pas après pas : mêmes pertes, mêmes paramètres."""
    rng = np.random.default_rng(SEED)
    X, y = rng.normal(size=(20, 9, 3)), rng.integers(2, size=(20, 1)).astype(float)
    start = recurrent.initialize(3, 5, rng, n_blocks={"RNN": 1, "LSTM": 4}[name])
    start = [array + 0.1 * rng.normal(size=array.shape) for array in start]
    layer, train = getattr(recurrent, name.lower()), recurrent.train
    parameters, losses = train(layer, start, [(X, y)] * N_STEPS, max_norm=max_norm)
    expected_losses, expected = torch_recurrent_training(
        torch, name, X, y, start, max_norm
    )
    assert expected_losses[-1] < 0.95 * expected_losses[0]
    np.testing.assert_allclose(losses, expected_losses, rtol=TOLERANCE, atol=0)
    for actual, array in zip(in_torch_layout(*parameters), expected, strict=True):
        atol = TOLERANCE * np.abs(array).max()
        np.testing.assert_allclose(actual, array, rtol=0, atol=atol)


# --- La profondeur, la normalisation -------------------------------------------------


@pytest.mark.parametrize("axis", [0, 1])
def test_normalization_is_that_of_torch(axis, torch):
    """Par lot et par couche : la réponse et les quatre gradients, à 1e-10 près."""
    taught = taught_by("annexes/normalisation")
    rng = np.random.default_rng(0)
    arrays = [rng.normal(size=size) for size in ((9, 5), (5, 6), (1, 6), (1, 6))]
    dA = rng.normal(size=(9, 6))
    A, back = taught.normalized(*arrays, axis=axis)
    X, W, b, g = (torch.tensor(array, requires_grad=True) for array in arrays)
    if axis == 0:
        Y = torch.nn.functional.batch_norm(X @ W, None, None, g[0], b[0], True)
    else:
        Y = torch.nn.functional.layer_norm(X @ W, (6,), g[0], b[0])
    Y.relu().backward(torch.tensor(dA))
    np.testing.assert_allclose(A, Y.relu().detach(), rtol=0, atol=TOLERANCE)
    for ours, theirs in zip(back(dA), (X, W, b, g), strict=True):
        np.testing.assert_allclose(ours, theirs.grad, rtol=0, atol=TOLERANCE)


def test_a_residual_layer_is_that_of_torch(torch):
    """Le raccourci et la branche : la réponse et les trois gradients."""
    taught = taught_by("annexes/profondeur")
    rng = np.random.default_rng(1)
    arrays = [rng.normal(size=size) for size in ((9, 5), (5, 5), (1, 5))]
    dA = rng.normal(size=(9, 5))
    A, back = taught.residual(*arrays, scale=0.3)
    X, W, b = (torch.tensor(array, requires_grad=True) for array in arrays)
    output = X + 0.3 * (X @ W + b).relu()
    output.backward(torch.tensor(dA))
    np.testing.assert_allclose(A, output.detach(), rtol=0, atol=TOLERANCE)
    for ours, theirs in zip(back(dA), (X, W, b), strict=True):
        np.testing.assert_allclose(ours, theirs.grad, rtol=0, atol=TOLERANCE)
