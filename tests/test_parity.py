"""`NeuralNetwork` pas à pas, face à PyTorch et à scikit-learn.

Du même départ, sur les mêmes lots, les trois programmes doivent faire les mêmes 200 pas
et s'arrêter à la même époque. Le cours ne demande pas PyTorch : sans lui, ses tests
sont passés.
"""

import re

import nbformat
import numpy as np
import pytest
from sklearn.neural_network import MLPClassifier, _multilayer_perceptron

import utilities
from conftest import ROOT
from utilities import (
    NeuralNetwork,
    flatten_images,
    initialize_parameters,
    load_data,
)

HIDDEN = (16, 8)
N_STEPS = 200
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
    """Notre réseau, entraîné 200 époques sur le lot entier sauf avis contraire."""
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
    """Quatre lots par époque, égaux ou non (32, 32, 32, 4) : encore 200 pas.

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
    """200 époques de MLPClassifier, en lots de 60 puis 40 images.

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
    model = ours(X, y, **options)
    mlp = MLPFromOurWeights(HIDDEN, max_iter=N_STEPS, **options)
    mlp.start_from(initial_parameters(X, 1)).fit(X, y.ravel())
    assert model.n_iter_ == mlp.n_iter_ < N_STEPS
    assert_same_training(model, mlp.loss_curve_, mlp.coefs_, mlp.intercepts_)


# --- Les extraits de l'annexe --------------------------------------------------------


def excerpt(library):
    """L'extrait de code qui, dans l'annexe, importe cette bibliothèque."""
    path = ROOT / "notebooks" / "annexes" / "pytorch_keras.ipynb"
    cells = nbformat.read(path, as_version=4).cells
    text = "\n".join(cell.source for cell in cells if cell.cell_type == "markdown")
    blocks = re.findall(r"```python\n(.*?)```", text, flags=re.DOTALL)
    [block] = [block for block in blocks if f"import {library}\n" in block]
    return block


@pytest.mark.parametrize(
    ("library", "tolerance"),
    [("torch", 1e-10), ("keras", 1e-4)],
    ids=["torch", "keras"],
)
def test_the_excerpts_of_the_annexe_run_and_agree(library, tolerance, monkeypatch):
    """Le 11-6-6-1 écrit en PyTorch (float64) et en Keras (float32) : même courbe."""
    monkeypatch.setenv("KERAS_BACKEND", "torch")
    pytest.importorskip(library, reason=f"{library} n'est pas installé")
    rng = np.random.default_rng(0)
    X = rng.normal(size=(500, 11))
    y = (X[:, :1] * X[:, 1:2] > 0).astype(float)
    initial = initialize_parameters([11, 6, 6, 1], rng)
    namespace = {"X": X, "y": y, "initial": initial}
    exec(excerpt(library), namespace)

    monkeypatch.setattr("utilities.initialize_parameters", lambda *_: initial)
    options = {"solver": "sgd", "momentum": 0, "alpha": 0, "batch_size": 500}
    model = NeuralNetwork((6, 6), **options, learning_rate_init=0.2, max_iter=300)
    model.fit(X, y)
    assert model.loss_ < 0.9 * model.loss_curve_[0]
    np.testing.assert_allclose(namespace["losses"], model.loss_curve_, rtol=tolerance)


# --- Profondeur -----------------------------------------------------------------------


def layer_of_the_annexe(name):
    """La couche de ce nom, avec les réponses du cours aux exercices dont elle vit."""
    path = ROOT / "notebooks" / "annexes" / "profondeur.ipynb"
    namespace = {"np": np, "relu": utilities.relu}
    for cell in nbformat.read(path, as_version=4).cells:
        wanted = rf"def (normalize|normalize_gradient|residual_gradients|{name})\("
        if cell.cell_type == "code" and re.match(wanted, cell.source):
            exec(cell.source, namespace)
    return namespace[name]


@pytest.mark.parametrize("axis", [0, 1])
def test_normalization_is_that_of_torch(axis, torch):
    """Par lot et par couche : la réponse et les quatre gradients, à 1e-10 près."""
    rng = np.random.default_rng(0)
    arrays = [rng.normal(size=size) for size in ((9, 5), (5, 6), (1, 6), (1, 6))]
    dA = rng.normal(size=(9, 6))
    A, back = layer_of_the_annexe("normalized")(*arrays, axis=axis)
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
    """Le détour et la branche : la réponse et les trois gradients."""
    rng = np.random.default_rng(1)
    arrays = [rng.normal(size=size) for size in ((9, 5), (5, 5), (1, 5))]
    dA = rng.normal(size=(9, 5))
    A, back = layer_of_the_annexe("residual")(*arrays, scale=0.3)
    X, W, b = (torch.tensor(array, requires_grad=True) for array in arrays)
    output = X + 0.3 * (X @ W + b).relu()
    output.backward(torch.tensor(dA))
    np.testing.assert_allclose(A, output.detach(), rtol=0, atol=TOLERANCE)
    for ours, theirs in zip(back(dA), (X, W, b), strict=True):
        np.testing.assert_allclose(ours, theirs.grad, rtol=0, atol=TOLERANCE)
