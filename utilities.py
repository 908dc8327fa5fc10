"""Le module du cours : charger des images, entraîner un réseau, tracer ce qu'il fait.

Il se lit dans l'ordre : les fonctions enseignées, à la lettre près celles des carnets ;
``NeuralNetwork``, un classifieur scikit-learn qui ne fait que les appeler ; les figures
et l'écriture des nombres ; les données.

Conventions : m images à plat forment une matrice ``X`` (m, n_features), les
cibles une colonne ``y`` de forme (m, 1), les poids d'une couche une matrice ``W`` de
forme (n_in, n_out), ses biais une ligne ``b`` de forme (1, n_out). ``dW`` désigne la
dérivée de la perte moyenne par rapport à ``W``, et de même pour ``db`` et ``dZ``.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import sys
import tempfile
import warnings
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from copy import copy
from dataclasses import KW_ONLY, dataclass, field, fields
from importlib.util import find_spec
from itertools import cycle
from numbers import Integral, Real
from pathlib import Path

import h5py
import matplotlib.pyplot as plt
import numpy as np
from IPython import get_ipython
from IPython.display import HTML
from matplotlib.animation import HTMLWriter
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure
from matplotlib.scale import LinearScale, register_scale
from matplotlib.ticker import ScalarFormatter
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import ArrayLike, NDArray
from PIL import Image, ImageOps
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin
from sklearn.inspection import DecisionBoundaryDisplay
from sklearn.metrics import ConfusionMatrixDisplay
from sklearn.model_selection import train_test_split
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted
from threadpoolctl import threadpool_limits
from tqdm import tqdm

try:
    from sklearn.utils.validation import validate_data
except ImportError:  # Basthon en est encore à scikit-learn 1.4, où c'est une méthode
    validate_data = BaseEstimator._validate_data

# Ce que « from utilities import * » apporte. Les fonctions enseignées n'en sont pas :
# un carnet qui écrit les siennes sous les mêmes noms les garde.
__all__ = [
    "NeuralNetwork", "NeuralNetworkRegressor", "animate", "decimal", "explore",
    "flatten_images", "load_class_names", "load_data", "load_image", "percent",
    "plot_confusion_matrix", "plot_decision_boundary", "plot_images",
    "plot_learning_curves", "plot_network", "plot_points", "plot_stills",
    "plot_weights", "set_style",
]  # fmt: skip

# Dans un navigateur, Python n'a qu'un fil d'exécution, et pas de vrai disque.
IN_BROWSER = sys.platform == "emscripten"
if IN_BROWSER:
    tqdm.monitor_interval = 0  # ce moniteur est un fil de plus
else:
    # Un seul fil pour les produits de matrices : à ces tailles, un second ne gagne
    # rien, et sur une machine occupée chacun attend l'autre, dix fois plus longtemps.
    threadpool_limits(1, user_api="blas")

# --- 1. Les fonctions enseignées ------------------------------------------------------


def flatten_images(images: NDArray) -> NDArray[np.float64]:
    """Met chaque image à plat et ramène ses niveaux de 0…255 à 0…1. Carnet 02.

    (n, hauteur, largeur) devient (n, hauteur × largeur), en float64.
    """
    return images.reshape(len(images), -1) / 255


def sigmoid(Z: NDArray) -> NDArray:
    """Sigmoïde, 1 / (1 + exp(-Z)) : de n'importe quel nombre à une probabilité.

    Seule l'exponentielle d'un nombre négatif est calculée, si bien que rien ne
    déborde : pour Z < 0, la même fraction s'écrit exp(Z) / (1 + exp(Z)). Carnet 02.
    """
    E = np.exp(-np.abs(Z))
    return np.where(Z >= 0, 1, E) / (1 + E)


def relu(Z: NDArray) -> NDArray:
    """Unité linéaire rectifiée, max(0, Z). Carnet 04."""
    return np.maximum(0, Z)


def identity(Z: NDArray) -> NDArray:
    """Identité : la couche reste linéaire. Carnet 03."""
    return Z


def softmax(Z: NDArray) -> NDArray:
    """Probabilités des classes, exp(Z) / somme des exp(Z) de la ligne. Carnet 04.

    Soustraire le maximum de la ligne ne change pas le quotient et évite le débordement.
    """
    E = np.exp(Z - Z.max(axis=1, keepdims=True))
    return E / E.sum(axis=1, keepdims=True)


def step(Z: NDArray) -> NDArray:
    """Marche de Rosenblatt (1958), 0 ou 1 : sa pente est nulle. Carnet 01."""
    return (Z >= 0).astype(Z.dtype)


ACTIVATIONS = {
    "identity": identity,
    "logistic": sigmoid,
    "tanh": np.tanh,
    "relu": relu,
    "step": step,
}

# Chaque dérivée s'écrit avec la sortie A de l'activation : il n'y a pas à garder Z.
DERIVATIVES = {
    "identity": lambda A: np.ones_like(A),
    "logistic": lambda A: A * (1 - A),
    "tanh": lambda A: 1 - A**2,
    "relu": lambda A: A > 0,
    "step": lambda A: np.zeros_like(A),
}


def check_same_shape(y: NDArray, A: NDArray) -> None:
    """Refuse une cible et une réponse de formes différentes. Carnet 02.

    Sans quoi NumPy étend y de forme (m,) face à A de forme (m, 1) : la perte serait
    calculée sur m × m valeurs, sans un mot.
    """
    if y.shape != A.shape:
        raise ValueError(
            f"y doit avoir la même forme que A, {A.shape} ; reçu : {y.shape} ; "
            "essayez y.reshape(-1, 1)."
        )


def log_loss(y: NDArray, A: NDArray) -> float:
    """Perte logistique moyenne, - (y log A + (1 - y) log(1 - A)). Carnet 02.

    A est écarté de 0 et de 1 de la précision machine : la perte reste finie.
    """
    check_same_shape(y, A)
    epsilon = np.finfo(A.dtype).eps
    A = np.clip(A, epsilon, 1 - epsilon)
    return float(-np.sum(y * np.log(A) + (1 - y) * np.log(1 - A)) / len(y))


def cross_entropy(y: NDArray, A: NDArray) -> float:
    """Entropie croisée moyenne, - somme des y log A. Carnet 04.

    y a une colonne par classe, 1 dans celle de la bonne classe et 0 dans les autres.
    """
    check_same_shape(y, A)
    A = np.clip(A, np.finfo(A.dtype).eps, 1)
    return float(-np.sum(y * np.log(A)) / len(y))


def squared_error(y: NDArray, A: NDArray) -> float:
    """Moitié du carré de A - y, sommé sur les colonnes, moyenné sur les lignes.

    Annexe « démonstrations ». (MLPRegressor, lui, moyenne aussi sur les colonnes.)
    """
    check_same_shape(y, A)
    return float(np.sum((A - y) ** 2) / (2 * len(y)))


# Chaque sortie et la perte qui va avec : pour les trois, dZ = (A - y) / m.
OUTPUTS = {
    "logistic": (sigmoid, log_loss),
    "softmax": (softmax, cross_entropy),
    "identity": (identity, squared_error),
}

# Écarts-types initiaux. Glorot et Bengio (AISTATS 2010) ; He et al. (ICCV 2015).
INITIALIZATIONS = {
    "zeros": lambda n_in, n_out: 0.0,
    "small": lambda n_in, n_out: 0.01,
    "glorot": lambda n_in, n_out: np.sqrt(2 / (n_in + n_out)),
    "he": lambda n_in, n_out: np.sqrt(2 / n_in),
}

Parameters = list[tuple[NDArray, NDArray]]


def initialize_parameters(
    layer_sizes: Sequence[int], rng: np.random.Generator, initialization: str = "he"
) -> Parameters:
    """Tire W au hasard, met b à zéro ; une paire (W, b) par couche. Carnet 04.

    layer_sizes : nombre d'entrées, puis de neurones de chaque couche.
    """
    scale = INITIALIZATIONS[initialization]
    return [
        (rng.normal(size=(n_in, n_out)) * scale(n_in, n_out), np.zeros((1, n_out)))
        for n_in, n_out in zip(layer_sizes[:-1], layer_sizes[1:], strict=True)
    ]


def forward_propagation(
    X: NDArray,
    parameters: Parameters,
    activation: Callable = relu,
    output: Callable = sigmoid,
) -> list[NDArray]:
    """Propage X de couche en couche ; renvoie [X, A de chaque couche]. Carnet 04."""
    activations = [X]
    for layer, (W, b) in enumerate(parameters, start=1):
        Z = activations[-1] @ W + b
        function = output if layer == len(parameters) else activation
        activations.append(function(Z))
    return activations


def back_propagation(
    y: NDArray,
    parameters: Parameters,
    activations: list[NDArray],
    derivative: Callable = DERIVATIVES["relu"],
) -> Parameters:
    """Rétropropage l'erreur ; renvoie une paire (dW, db) par couche. Carnet 04.

    La sortie et sa perte vont par deux (OUTPUTS) : la dérivée de la perte moyenne par
    rapport au dernier Z est alors (A - y) / m. derivative donne celle de l'activation
    cachée à partir de A.
    """
    gradients = []
    dZ = (activations[-1] - y) / len(y)
    for layer, (W, _) in reversed(list(enumerate(parameters, start=1))):
        A_prev = activations[layer - 1]
        gradients.insert(0, (A_prev.T @ dZ, dZ.sum(axis=0, keepdims=True)))
        if layer > 1:
            dZ = dZ @ W.T * derivative(A_prev)
    return gradients


def update(parameter: NDArray, gradient: NDArray, learning_rate: float) -> None:
    """Fait un pas de descente, sur place. Carnet 01."""
    parameter -= learning_rate * gradient


def numerical_gradient(
    function: Callable[[NDArray], float], parameter: NDArray, epsilon: float = 1e-6
) -> NDArray:
    """Dérive function par différences finies centrées. Carnet 01.

    Chaque composante vaut (f(p + ε) - f(p - ε)) / 2ε, ε n'étant ajouté qu'à elle.
    Lent, et indépendant de toute formule de gradient : c'est l'arbitre du cours.
    """
    gradient = np.zeros_like(parameter, dtype=float)
    for index in np.ndindex(parameter.shape):
        shift = np.zeros_like(gradient)
        shift[index] = epsilon
        rise = function(parameter + shift) - function(parameter - shift)
        gradient[index] = rise / (2 * epsilon)
    return gradient


class Momentum:
    """Descente avec élan (Polyak, 1964), éventuellement de Nesterov. Carnet 04.

    Appelé avec un gradient, renvoie la direction à donner à ``update``.
    """

    def __init__(self, momentum: float = 0.9, nesterov: bool = False) -> None:
        self.momentum, self.nesterov = momentum, nesterov
        self.velocity = 0.0

    def __call__(self, gradient: NDArray) -> NDArray:
        self.velocity = self.momentum * self.velocity + gradient
        if self.nesterov:
            return gradient + self.momentum * self.velocity
        return self.velocity


class Adam:
    """Adam (Kingma et Ba, ICLR 2015, algorithme 1). Carnet 04.

    Appelé avec un gradient, renvoie la direction à donner à ``update``.
    """

    def __init__(
        self, beta_1: float = 0.9, beta_2: float = 0.999, epsilon: float = 1e-8
    ) -> None:
        self.beta_1, self.beta_2, self.epsilon = beta_1, beta_2, epsilon
        self.mean, self.square, self.t = 0.0, 0.0, 0

    def __call__(self, gradient: NDArray) -> NDArray:
        self.t += 1
        self.mean += (1 - self.beta_1) * (gradient - self.mean)
        self.square += (1 - self.beta_2) * (gradient**2 - self.square)
        mean = self.mean / (1 - self.beta_1**self.t)
        square = self.square / (1 - self.beta_2**self.t)
        return mean / (np.sqrt(square) + self.epsilon)


def with_dropout(
    activation: Callable, derivative: Callable, dropout: float, rng: np.random.Generator
) -> tuple[Callable, Callable]:
    """Ajoute l'abandon (*dropout*) à une activation et à sa dérivée. Carnet 04.

    Chaque sortie est mise à zéro avec la probabilité dropout, et les autres sont
    divisées par 1 - dropout : leur moyenne ne change pas. Srivastava et al., JMLR 2014.

    Les masques tirés à l'aller servent au retour, de la dernière couche à la première :
    chaque propagation est suivie de sa rétropropagation.
    """
    keep = float(1 - dropout)
    masks = []

    def dropped(Z: NDArray) -> NDArray:
        masks.append((rng.random(Z.shape) < keep).astype(Z.dtype) / keep)
        return activation(Z) * masks[-1]

    def slope(A: NDArray) -> NDArray:
        return masks.pop() * derivative(A * keep)

    return dropped, slope


def mirror_and_shift(
    X: NDArray, rng: np.random.Generator, shape: tuple[int, int], max_shift: int = 2
) -> NDArray:
    """Retourne une image sur deux, et décale chacune d'au plus max_shift pixels.

    X : images à plat, de forme (m, hauteur × largeur) ; shape : (hauteur, largeur). Le
    bord qui se découvre est rempli de 0. Pour le paramètre ``augment``, fixez shape :
    ``functools.partial(mirror_and_shift, shape=(28, 28))``. Annexe « entraînement ».
    """
    m = len(X)
    images = X.reshape(m, *shape)
    mirrored = rng.random(m) < 0.5
    images = np.where(mirrored[:, None, None], images[:, :, ::-1], images)
    padding = (0, 0), (max_shift, max_shift), (max_shift, max_shift)
    windows = sliding_window_view(np.pad(images, padding), shape, axis=(1, 2))
    top, left = rng.integers(2 * max_shift + 1, size=(2, m))
    return windows[np.arange(m), top, left].reshape(m, -1)


# --- 2. Le réseau ---------------------------------------------------------------------


def _is_real(value: object) -> bool:
    is_flag = isinstance(value, bool)
    return isinstance(value, Real) and not is_flag and bool(np.isfinite(value))


def _is_integer(value: object, low: int = 1) -> bool:
    return _is_real(value) and isinstance(value, Integral) and value >= low


def _are_counts(value: object) -> bool:
    is_vector = isinstance(value, np.ndarray) and value.ndim == 1
    is_sequence = is_vector or isinstance(value, list | tuple | range)
    return all(map(_is_integer, value)) if is_sequence else _is_integer(value)


Random = np.random.Generator | np.random.RandomState | None


def _is_seed(value: object) -> bool:
    return isinstance(value, Random) or _is_integer(value, low=0)


def _one_of(*choices: str) -> dict[str, Callable[[object], bool]]:
    expected = f"l'une des valeurs {', '.join(choices)}"
    return {expected: lambda v: isinstance(v, str) and v in choices}


# Ce qu'un réglage doit être, et la fonction qui en juge.
SIZES = {"une suite d'entiers ≥ 1, ou ()": _are_counts}
SEED = {"None, un entier ≥ 0 ou un générateur": _is_seed}
PATIENCE = {"un entier ≥ 1": lambda v: _is_integer(v) or v == np.inf}
AUTO = {"« auto » ou un entier ≥ 1": lambda v: _is_integer(v) or str(v) == "auto"}
RECIPE = _one_of("auto", *INITIALIZATIONS)
NON_NEGATIVE = {"un nombre ≥ 0": lambda v: _is_real(v) and v >= 0}
POSITIVE = {"un nombre > 0": lambda v: _is_real(v) and v > 0}
DECAY = {"un nombre ≥ 0 et < 1": lambda v: _is_real(v) and 0 <= v < 1}
FRACTION = {"un nombre > 0 et < 1": lambda v: _is_real(v) and 0 < v < 1}
FLAG = {"True ou False": lambda v: isinstance(v, bool | np.bool_)}
FUNCTION = {"None ou une fonction de (X, rng)": lambda v: v is None or callable(v)}


def _flatten(parameters: Parameters) -> NDArray:
    """Range bout à bout W et b de chaque couche, dans un seul vecteur."""
    return np.concatenate([array.ravel() for layer in parameters for array in layer])


class _BlasArray(np.ndarray):
    """Un tableau que l'opérateur @ multiplie par le BLAS de SciPy.

    Le NumPy des navigateurs n'en a pas, et y est deux à quatre fois plus lent.
    """

    def __matmul__(self, other: NDArray) -> NDArray:
        from scipy.linalg import get_blas_funcs

        # BLAS range les matrices par colonnes : il calcule la transposée du produit.
        return get_blas_funcs("gemm", (self, other))(1, other.T, self.T).T


# Un réglage par ligne : sa valeur par défaut, et ce qu'il doit être. L'affichage et la
# comparaison restent ceux de scikit-learn.
@dataclass(repr=False, eq=False)
class _Network(BaseEstimator):
    """Ce que partagent le classifieur et le régresseur : tout, sauf la lecture de y."""

    hidden_layer_sizes: Sequence[int] = field(default=(100,), metadata=SIZES)
    activation: str = field(default="relu", metadata=_one_of(*ACTIVATIONS))
    _: KW_ONLY
    solver: str = field(default="adam", metadata=_one_of("sgd", "adam"))
    alpha: float = field(default=0.0001, metadata=NON_NEGATIVE)
    batch_size: int | str = field(default="auto", metadata=AUTO)
    learning_rate_init: float = field(default=0.001, metadata=POSITIVE)
    max_iter: int = field(default=200, metadata={"un entier ≥ 1": _is_integer})
    shuffle: bool = field(default=True, metadata=FLAG)
    random_state: int | Random = field(default=None, metadata=SEED)
    tol: float = field(default=0.0, metadata=NON_NEGATIVE)
    verbose: bool = False
    momentum: float = field(default=0.9, metadata=DECAY)
    nesterovs_momentum: bool = field(default=True, metadata=FLAG)
    early_stopping: bool = field(default=False, metadata=FLAG)
    validation_fraction: float = field(default=0.1, metadata=FRACTION)
    beta_1: float = field(default=0.9, metadata=DECAY)
    beta_2: float = field(default=0.999, metadata=DECAY)
    epsilon: float = field(default=1e-8, metadata=POSITIVE)
    n_iter_no_change: int = field(default=10, metadata=PATIENCE)
    initialization: str = field(default="auto", metadata=RECIPE)
    dropout: float = field(default=0.0, metadata=DECAY)
    augment: Callable | None = field(default=None, metadata=FUNCTION)

    def fit(
        self,
        X: ArrayLike,
        y: ArrayLike,
        X_val: ArrayLike | None = None,
        y_val: ArrayLike | None = None,
    ) -> _Network:
        """Entraîne le réseau sur X (m, n_features) et y (m, 1) ou (m,).

        X_val, y_val : exemples de validation, dont la perte (et l'exactitude) est notée
        à chaque époque. Avec ``early_stopping``, ce sont eux que l'on surveille ; sans
        eux, une part ``validation_fraction`` de X est mise de côté.

        Un ``Pipeline`` ne transforme que X : X_val doit être transformé avant, par ce
        qui a été appris sur X.

        >>> scaler = StandardScaler().fit(X)
        >>> network = NeuralNetwork(max_iter=5).fit(
        ...     scaler.transform(X), y, scaler.transform(X_val), y_val
        ... )
        >>> model = make_pipeline(scaler, network)
        >>> model.score(X_val, y_val) == network.history_["val_accuracy"][-1]
        True

        Interrompre le noyau arrête l'entraînement et garde les poids déjà appris. Un
        entraînement refusé, ou qui échoue, laisse le réseau comme il était.
        """
        learner = copy(self)
        learner._learn(X, y, X_val, y_val)
        self.__dict__ = learner.__dict__
        return self

    def _learn(self, X, y, X_val, y_val) -> None:
        """Contrôle tout, tire les poids, met de côté la validation, entraîne."""
        self._check_hyperparameters()
        X, y = self._check_X_y(X, y)
        Y, groups = self._learn_targets(y)
        Y, validation = Y.astype(X.dtype), None
        if X_val is not None or y_val is not None:
            validation = self._check_validation(X_val, y_val, X, y)
        seed = self.random_state
        if isinstance(seed, np.random.RandomState):
            seed = seed.randint(2**31)
        rng = np.random.default_rng(seed)
        theta = self._initialize(X, Y, rng)
        if self.early_stopping and validation is None:
            X, X_val, Y, Y_val = self._split(X, Y, groups, rng)
            validation = X_val, Y_val
        # Une descente qui diverge déborde avant de s'arrêter : une phrase le dira.
        with np.errstate(over="ignore", invalid="ignore"):
            self._train(X, Y, validation, theta, rng)

    def _initialize(self, X, Y, rng) -> NDArray:
        """Tire les poids ; coefs_ et intercepts_ sont des vues du vecteur rendu."""
        hidden = np.atleast_1d(np.array(self.hidden_layer_sizes, dtype=int)).tolist()
        layer_sizes = [X.shape[1], *hidden, Y.shape[1]]
        self.n_layers_, self.n_outputs_ = len(layer_sizes), Y.shape[1]
        initialization = self.initialization
        if initialization == "auto":
            # Sans couche cachée, il n'y a pas de symétrie à rompre : zéro convient.
            recipe = "he" if self.activation == "relu" else "glorot"
            initialization = recipe if hidden else "zeros"
        parameters = initialize_parameters(layer_sizes, rng, initialization)
        theta = rest = _flatten(parameters).astype(X.dtype)
        self.coefs_, self.intercepts_ = [], []
        for W, b in parameters:
            coefs, intercepts, rest = np.split(rest, [W.size, W.size + b.size])
            self.coefs_.append(coefs.reshape(W.shape))
            self.intercepts_.append(intercepts)
        return theta

    def _train(self, X, Y, validation, theta, rng) -> None:
        """Boucle sur les époques : met theta à jour sur place, remplit l'historique."""
        solver = Momentum(self.momentum, self.nesterovs_momentum)
        if self.solver == "adam":
            solver = Adam(self.beta_1, self.beta_2, self.epsilon)
        self.history_, self.n_iter_, diverged = {}, 0, False
        # Sans arrêt précoce ni tol, l'entraînement va au bout de max_iter.
        may_stop = self.early_stopping or self.tol > 0
        patience = self.n_iter_no_change if may_stop else np.inf
        n_stale, best_score, best_theta = 0, -np.inf, theta.copy()
        options = {} if self.verbose else {"disable": True}
        with tqdm(total=self.max_iter, unit="époque", **options) as progress:
            try:
                while self.n_iter_ < self.max_iter and n_stale <= patience:
                    scores = self._train_one_epoch(X, Y, theta, solver, rng)
                    if validation is not None:
                        X_val, Y_val = validation
                        scores |= self._metrics(Y_val, self._forward(X_val)[-1], "val_")
                    diverged = not np.isfinite(list(scores.values())).all()
                    if diverged:
                        break
                    self._record(scores, progress)
                    # Ce qui doit croître : une exactitude, ou l'opposé d'une perte.
                    score = -scores["loss"]
                    if self.early_stopping:
                        score = scores.get("val_accuracy", -scores["val_loss"])
                    n_stale = 0 if score > best_score + self.tol else n_stale + 1
                    if score > best_score:
                        best_score, best_theta[:] = score, theta
            except KeyboardInterrupt:
                warnings.warn(
                    f"Entraînement interrompu après {self.n_iter_} époque"
                    f"{'s' * (self.n_iter_ > 1)} : les poids déjà appris sont gardés.",
                    stacklevel=4,
                )
        if self.early_stopping:
            theta[:] = best_theta
        self._check_divergence(diverged, X)
        self.loss_curve_ = self.history_.get("loss", [])
        self.loss_ = self.loss_curve_[-1] if self.loss_curve_ else np.nan

    def _record(self, scores: dict[str, float], progress: tqdm) -> None:
        """Ajoute une époque à l'historique et à la barre de progression."""
        self.n_iter_ += 1
        for key, value in scores.items():
            self.history_.setdefault(key, []).append(float(value))
        if self.verbose:
            names = {"loss": "perte", "val_loss": "perte de validation"}
            shown = {names[k]: decimal(scores[k], 3) for k in names if k in scores}
            # La redessiner à chaque époque ralentirait tout, dans un navigateur.
            progress.set_postfix(shown, refresh=False)
        progress.update()

    def _check_divergence(self, diverged: bool, X: NDArray) -> None:
        """Refuse des poids devenus infinis ou NaN, ou dit lesquels sont gardés."""
        too_large = "X, ou y," if self.out_activation_ == "identity" else "X"
        message = (
            f"La perte diverge à l'époque {self.n_iter_ + diverged} ; divisez par dix "
            f"learning_rate_init ({self.learning_rate_init}), ou ramenez {too_large} "
            "vers 0…1"
        )
        is_lost = diverged and not (self.early_stopping and self.n_iter_ > 0)
        # La perte précède le pas : le tout dernier n'a pas encore été jugé.
        if is_lost or not np.isfinite(self._forward(X)[-1]).all():
            raise ValueError(f"{message}.")
        if diverged:
            warnings.warn(f"{message} ; les meilleurs poids sont gardés.", stacklevel=5)

    def _train_one_epoch(self, X, Y, theta, solver, rng) -> dict[str, float]:
        """Passe sur toutes les images, lot par lot ; renvoie perte et exactitude."""
        m = len(X)
        batch_size = min(200, m) if self.batch_size == "auto" else self.batch_size
        order = rng.permutation(m) if self.shuffle and batch_size < m else None
        functions = ACTIVATIONS[self.activation], DERIVATIVES[self.activation]
        if self.dropout > 0:
            functions = with_dropout(*functions, self.dropout, rng)
        Y = Y if order is None else Y[order]
        outputs, penalty = np.empty_like(Y), 0.0
        for start in range(0, m, batch_size):
            batch = slice(start, start + batch_size)
            X_batch = X[batch] if order is None else X.take(order[batch], axis=0)
            if self.augment is not None:
                # Une copie : la fonction a le droit de la modifier.
                X_batch = self.augment(X_batch.copy(), rng)
            gradient, outputs[batch] = self._gradient(X_batch, Y[batch], *functions)
            if self.alpha > 0:
                squares = sum(float(np.vdot(W, W)) for W in self.coefs_)
                penalty += self.alpha / 2 * squares
            update(theta, solver(gradient), self.learning_rate_init)
        metrics = self._metrics(Y, outputs)
        metrics["loss"] += penalty / m
        return metrics

    def _gradient(self, X, Y, activation, derivative) -> tuple[NDArray, NDArray]:
        """Gradient de la perte du lot, en un seul vecteur, et sorties du réseau."""
        activations = self._forward(X, activation)
        gradients = back_propagation(Y, self._parameters(), activations, derivative)
        if self.alpha > 0:
            for (dW, _), W in zip(gradients, self.coefs_):
                dW += self.alpha / len(Y) * W
        return _flatten(gradients), activations[-1]

    def _metrics(self, Y: NDArray, A: NDArray, prefix: str = "") -> dict[str, float]:
        _, loss = OUTPUTS[self.out_activation_]
        return {f"{prefix}loss": loss(Y, A)}

    def _forward(self, X: NDArray, activation: Callable | None = None) -> list[NDArray]:
        activation = activation or ACTIVATIONS[self.activation]
        output, _ = OUTPUTS[self.out_activation_]
        # Les plus longs produits sont ceux de la première couche : X @ W, X.T @ dZ.
        X = X.view(_BlasArray) if IN_BROWSER else X
        return forward_propagation(X, self._parameters(), activation, output)

    def _parameters(self) -> Parameters:
        return list(zip(self.coefs_, self.intercepts_))

    def _check_hyperparameters(self) -> None:
        for setting in fields(self):
            value = getattr(self, setting.name)
            for expected, is_valid in setting.metadata.items():
                if not is_valid(value):
                    message = f"{setting.name} doit être {expected} ; reçu : {value!r}."
                    raise ValueError(message)

    def _check_X(self, X: ArrayLike, y: ArrayLike = "no_validation", **options):
        """Contrôle X, et y s'il est donné, comme scikit-learn ; refuse des images."""
        if len(shape := np.asarray(X).shape) > 2:
            raise ValueError(
                f"X doit être une matrice, non {shape} ; essayez flatten_images(X)."
            )
        return validate_data(self, X, y, dtype=(np.float64, np.float32), **options)

    def _check_X_y(self, X: ArrayLike, y: ArrayLike, **options):
        """Contrôle X et y ; une colonne y devient plate."""
        y = y.toarray() if hasattr(y, "toarray") else y
        # order="C" : les lots se prélèvent ligne par ligne.
        X, y = self._check_X(X, y, order="C", multi_output=True, **options)
        return X, y.ravel() if y.shape[1:] == (1,) else y

    def _check_validation(self, X_val, y_val, X, y) -> tuple[NDArray, NDArray]:
        """Contrôle la validation, qui doit ressembler à X et y ; code ses cibles."""
        if X_val is None or y_val is None:
            raise ValueError("X_val et y_val vont ensemble : donnez les deux.")
        X_val, y_val = self._check_X_y(X_val, y_val, reset=False)
        if y_val.shape[1:] != y.shape[1:]:
            raise ValueError(
                f"y_val doit avoir les colonnes de y, {y.shape} ; reçu : {y_val.shape}."
            )
        Y_val = self._encode(y_val, "y_val")
        return X_val.astype(X.dtype, copy=False), Y_val.astype(X.dtype)

    def _split(self, X, Y, groups, rng) -> list[NDArray]:
        """Met de côté une part des exemples ; rend X, X_val, Y et Y_val."""
        part, seed = self.validation_fraction, int(rng.integers(2**31))
        options = {"test_size": part, "stratify": groups, "random_state": seed}
        try:
            return train_test_split(X, Y, **options)
        except ValueError as error:
            kept = "mettre de côté" if groups is None else "garder chaque classe dans"
            raise ValueError(
                f"early_stopping ne peut {kept} {part} de ces {len(X)} exemples ; "
                "donnez-en davantage, ou donnez X_val et y_val."
            ) from error

    def _outputs(self, X: ArrayLike) -> NDArray:
        """La sortie du réseau appris, une fois X contrôlé."""
        check_is_fitted(self)
        return self._forward(self._check_X(X, reset=False))[-1]

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        return tags


class NeuralNetwork(ClassifierMixin, _Network):
    """Réseau de neurones dense, classifieur scikit-learn.

    ``hidden_layer_sizes=()`` est le neurone des carnets 01 et 02, ``(32,)`` le réseau
    à deux couches du 03, ``(128, 64)`` un réseau profond du 04. Deux classes : sigmoïde
    et perte logistique ; davantage : softmax et entropie croisée ; une matrice de 0 et
    de 1 (plusieurs étiquettes par image) : une sigmoïde par colonne.

    Les paramètres portent les noms de ``sklearn.neural_network.MLPClassifier`` et ont
    le même sens, à ceci près : par défaut (``tol=0``), l'entraînement va au bout de
    ``max_iter``, sans avertissement ; et un gain égal à ``tol`` n'en est pas un, si
    bien qu'avec ``early_stopping``, refaire la même exactitude épuise la patience.

    Parameters
    ----------
    hidden_layer_sizes : nombre de neurones de chaque couche cachée
    activation : ``"relu"``, ``"tanh"``, ``"logistic"`` (la sigmoïde), ``"identity"``,
        ou, par curiosité, ``"step"``
    solver : ``"sgd"`` (descente de gradient, avec ``momentum``) ou ``"adam"``
    alpha : force de la pénalité L2, alpha / 2m fois la somme des W²
    batch_size : images par lot ; ``"auto"`` pour min(200, m), m pour le lot entier
    learning_rate_init, max_iter : taux d'apprentissage, nombre d'époques
    shuffle, random_state : mélanger à chaque époque, graine pour refaire à l'identique
    tol, n_iter_no_change : arrêt après plus de n_iter_no_change époques de suite sans
        gain supérieur à tol, sur l'exactitude de validation avec ``early_stopping``,
        sur la perte sinon ; dans ce cas, ``tol=0`` ne s'arrête jamais
    verbose : montrer une barre de progression
    momentum, nesterovs_momentum : élan de ``"sgd"`` ; 0 pour la descente simple
    early_stopping, validation_fraction : surveiller l'exactitude sur une part mise de
        côté, et garder les poids de la meilleure époque, même si la suite diverge
    beta_1, beta_2, epsilon : réglages d'Adam
    initialization : ``"he"``, ``"glorot"``, ``"small"``, ``"zeros"``, ou ``"auto"`` :
        zéro sans couche cachée, He pour ReLU, Glorot sinon
    dropout : part des sorties cachées mises à zéro à chaque pas
    augment : fonction (X, rng) -> X appliquée à chaque lot, comme ``mirror_and_shift``

    Attributes
    ----------
    classes_, n_features_in_, n_outputs_, n_layers_, out_activation_ : forme du réseau
    coefs_, intercepts_ : listes des W, de forme (n_in, n_out), et des b, (n_out,)
    n_iter_, loss_, loss_curve_ : époques faites, perte de la dernière, de chacune
    history_ : dict de listes, une valeur par époque : ``"loss"``, ``"accuracy"``, et
        ``"val_loss"``, ``"val_accuracy"`` quand il y a des images de validation
    """

    def predict_proba(self, X: ArrayLike) -> NDArray:
        """Probabilité de chaque classe, de forme (m, n_classes)."""
        A = self._outputs(X)
        return np.hstack([1 - A, A]) if len(self.classes_) > A.shape[1] else A

    def predict(self, X: ArrayLike) -> NDArray:
        """Classe la plus probable de chaque image, de forme (m,)."""
        A = self.predict_proba(X)
        if self.out_activation_ == "logistic" and self.n_outputs_ > 1:
            return (A > 0.5).astype(int)
        return self.classes_[A.argmax(axis=1)]

    def _learn_targets(self, y: NDArray) -> tuple[NDArray, NDArray | None]:
        """Retient les classes ; rend y codé, et les groupes dont garder la part."""
        check_classification_targets(y)
        groups = y if y.ndim == 1 else None
        self.classes_ = np.arange(y.shape[1]) if groups is None else np.unique(y)
        is_binary = groups is None or len(self.classes_) == 2
        self.out_activation_ = "logistic" if is_binary else "softmax"
        return self._encode(y, "y"), groups

    def _encode(self, y: NDArray, name: str) -> NDArray:
        """Étiquettes -> colonne de 0 et 1, ou une colonne par classe."""
        allowed = self.classes_ if y.ndim == 1 else np.arange(2)
        unknown = np.setdiff1d(y, allowed).tolist()
        if unknown:
            raise ValueError(
                f"{name} ne doit contenir que {allowed.tolist()} (les classes de y, ou "
                f"0 et 1 s'il y a plusieurs colonnes) ; reçu : {unknown[:3]}."
            )
        if y.ndim == 2:
            return y
        Y = y[:, None] == self.classes_
        return Y if self.out_activation_ == "softmax" else Y[:, 1:]

    def _metrics(self, Y: NDArray, A: NDArray, prefix: str = "") -> dict[str, float]:
        if self.out_activation_ == "softmax":
            is_correct = A.argmax(axis=1) == Y.argmax(axis=1)
        else:
            is_correct = ((A > 0.5) == (Y > 0.5)).all(axis=1)
        accuracy = {f"{prefix}accuracy": float(np.mean(is_correct))}
        return super()._metrics(Y, A, prefix) | accuracy

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_label = True
        return tags


class NeuralNetworkRegressor(RegressorMixin, _Network):
    """Le même réseau, pour prédire des nombres : sortie linéaire, erreur quadratique.

    Paramètres et attributs de ``NeuralNetwork``, sans ``classes_`` ni exactitude.
    ``early_stopping`` surveille la perte de validation.
    """

    def predict(self, X: ArrayLike) -> NDArray:
        """Valeur prédite, de forme (m,), ou (m, n_outputs) si y avait des colonnes."""
        A = self._outputs(X)
        return A.ravel() if self.n_outputs_ == 1 else A

    def _learn_targets(self, y: NDArray) -> tuple[NDArray, NDArray | None]:
        self.out_activation_ = "identity"
        return self._encode(y, "y"), None

    def _encode(self, y: NDArray, name: str) -> NDArray:
        return y.reshape(len(y), -1)


# --- 3. Les figures et les nombres ----------------------------------------------------

# Okabe et Ito (2008) : des couleurs que les daltoniens distinguent aussi.
BLUE, ORANGE, VERMILION, SKY = "#0072B2", "#E69F00", "#D55E00", "#56B4E9"
COLORS = (BLUE, ORANGE, VERMILION, SKY, "#CC79A7", "#F0E442", "#000000")
MARKERS = "o^sDvP*X<>"
DIVERGING = LinearSegmentedColormap.from_list("bleu-orange", [BLUE, "white", ORANGE])


class _CommaFormatter(ScalarFormatter):
    """Les graduations de matplotlib, à la française : « 0,5 »."""

    def __call__(self, x, pos=None):
        return super().__call__(x, pos).replace(".", ",")


class _FrenchScale(LinearScale):
    """L'échelle de matplotlib, qui prend ces graduations sur chaque axe."""

    name = "linear"

    def set_default_locators_and_formatters(self, axis):
        super().set_default_locators_and_formatters(axis)
        axis.set_major_formatter(_CommaFormatter())


def set_style() -> None:
    """Règle matplotlib pour tout le carnet : couleurs, traits variés, virgules."""
    register_scale(_FrenchScale)
    styles = plt.cycler(linestyle=["-", "--", "-.", ":", "-", "--", "-."])
    plt.rc("axes", prop_cycle=plt.cycler(color=COLORS) + styles)
    plt.rc("axes.spines", top=False, right=False)
    plt.rc("figure.constrained_layout", use=True)
    plt.rc("image", cmap="cividis")


def decimal(value: float, digits: int = 2) -> str:
    """Écrit un nombre à la française : decimal(0.125, 2) donne « 0,12 »."""
    return f"{value:z.{digits}f}".replace(".", ",").replace("-", "−")


def percent(value: float, digits: int = 1) -> str:
    """Écrit une proportion à la française : percent(0.875) donne « 87,5 % »."""
    return f"{decimal(100 * value, digits)}\N{NO-BREAK SPACE}%"


def plot_images(X: NDArray, titles: Sequence[str] = (), n_columns: int = 6) -> None:
    """Montre les images X, avec un titre au-dessus de chacune.

    X : (n, hauteur, largeur), ou à plat si elles sont carrées ; de 0 à 255, ou à 1.
    """
    side = round(X.shape[-1] ** 0.5)
    if X.ndim == 2 and side**2 == X.shape[1]:
        X = X.reshape(-1, side, side)
    if X.ndim != 3:
        raise ValueError(f"X doit avoir la forme (n, hauteur, largeur), non {X.shape}.")
    # Un agrandissement, un bruit peuvent dépasser un peu 1.
    white = 1 if X.dtype.kind in "bf" and X.max(initial=0) < 2 else 255
    axes = _grid(len(X), n_columns, 1.5, 1.75)
    for ax, image in zip(axes, X):
        ax.imshow(image, cmap="gray", vmin=0, vmax=white)
    for ax, title in zip(axes, titles):
        ax.set_title(title, fontsize=9)
    plt.show()


def _grid(n: int, n_columns: int, width: float, height: float) -> NDArray:
    """Des axes nus, en rangées de n_columns, n au moins, de cette taille chacun."""
    n_rows = -(-n // n_columns)
    size = (width * n_columns, height * n_rows)
    _, axes = plt.subplots(n_rows, n_columns, figsize=size, squeeze=False)
    for ax in axes.flat:
        ax.axis("off")
    return axes.ravel()


def plot_learning_curves(history: dict[str, list], held_out: str = "test") -> None:
    """Trace la perte et, pour un classifieur, l'exactitude à chaque époque.

    held_out : comment nommer les images mises de côté.
    """
    labels = {"loss": "perte", "accuracy": "exactitude"}
    # Interrompu dès la première époque, un entraînement n'a pas d'historique.
    keys = [key for key in labels if key in history] or ["loss"]
    size = (4.5 * len(keys), 3.2)
    figure, axes = plt.subplots(1, len(keys), figsize=size, squeeze=False)
    for ax, key in zip(axes.flat, keys):
        values = history.get(key, [])
        epochs = np.arange(1, len(values) + 1)
        ax.plot(epochs, values, label="entraînement")
        if f"val_{key}" in history:
            ax.plot(epochs, history[f"val_{key}"], label=held_out)
        ax.set(xlabel="époque", ylabel=labels[key])
        ax.legend()
    plt.show()


def plot_points(
    X: NDArray, y: NDArray, ax: plt.Axes | None = None, labels: Sequence[str] = ()
) -> plt.Axes:
    """Place les points X (m, 2) ; couleur et forme disent la classe y (m, 1).

    labels : les noms des classes, dans l'ordre (à défaut : « classe 0 »…).
    """
    ax = plt.subplots(figsize=(4.8, 4))[1] if ax is None else ax
    y, classes = np.ravel(y), np.unique(y)
    labels = labels or [f"classe {value}".removesuffix(".0") for value in classes]
    styles = zip(classes, labels, cycle(COLORS), cycle(MARKERS))
    for value, label, color, marker in styles:
        style = {"c": color, "marker": marker, "edgecolors": "black", "label": label}
        ax.scatter(*X[y == value].T, s=28, **style)
    ax.set(xlabel="$x_1$", ylabel="$x_2$")
    ax.legend()
    return ax


def plot_decision_boundary(
    model: BaseEstimator, X: NDArray, y: NDArray, ax: plt.Axes | None = None
) -> plt.Axes:
    """Colore le plan selon la probabilité de la classe 1 ; un trait noir marque ½.

    La classe 1 est la deuxième de model.classes_, qui peut en avoir davantage.
    """
    ax = plt.subplots(figsize=(4.8, 4))[1] if ax is None else ax
    style = {"cmap": DIVERGING, "levels": np.linspace(0, 1, 11), "alpha": 0.6}
    plane = DecisionBoundaryDisplay.from_estimator(
        model,
        X,
        response_method="predict_proba",
        class_of_interest=model.classes_[1],
        ax=ax,
        **style,
    )
    ax.contour(plane.xx0, plane.xx1, plane.response, levels=[0.5], colors="black")
    return plot_points(X, y, ax)


FILM_BUTTONS = {
    "Decrease speed": "− ralentir", "First frame": "« première image",
    "Previous frame": "‹ image précédente", "Play backwards": "◀ lecture à rebours",
    "Pause": "‖ pause", "Play": "▶ lecture", "Next frame": "› image suivante",
    "Last frame": "» dernière image", "Increase speed": "+ accélérer",
}  # fmt: skip
FILM_MODES = {"Once": "une fois", "Loop": "en boucle", "Reflect": "aller-retour"}


def plot_stills(draw: Callable[[plt.Axes, int], object], frames: Sequence[int]) -> None:
    """Montre côte à côte quelques étapes ; draw(ax, étape) en dessine une."""
    figure = plt.figure(figsize=(2.4 * len(frames), 2.8))
    axes = figure.subplots(1, len(frames), sharex=True, sharey=True, squeeze=False)
    for ax, frame in zip(axes.flat, frames, strict=True):
        draw(ax, frame)
        ax.label_outer()
    plt.show()


def animate(
    draw: Callable[[plt.Axes, int], object], frames: Iterable[int], interval: int = 300
) -> HTML:
    """Anime les mêmes étapes, dans une page HTML qui a ses propres boutons.

    frames : étapes à montrer, dans l'ordre ; interval : millisecondes entre deux.
    """
    frames = list(frames)
    # Sans pyplot, rien n'est à fermer, ce que Basthon ne sait pas faire. Et la mise en
    # page n'est faite qu'une fois : le film se dessine trois fois plus vite.
    figure = Figure(figsize=(4.5, 4), dpi=72, constrained_layout=False)
    ax = figure.subplots()
    writer = HTMLWriter(1000 / interval, embed_frames=True, default_mode="once")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "film.html"
        with writer.saving(figure, path, figure.dpi):
            for index, frame in enumerate(frames):
                ax.clear()
                draw(ax, frame)
                if index == 0:
                    figure.tight_layout()
                writer.grab_frame()
        page = path.read_text(encoding="utf-8")
    # Les symboles de matplotlib viennent d'un site : hors ligne, rien ne paraîtrait.
    page = re.sub(r'<link rel="stylesheet".*?>', "", page, flags=re.DOTALL)
    for english, words in FILM_BUTTONS.items():
        symbol, _, french = words.partition(" ")
        button = rf'title="{english}" aria-label="{english}"(.*?)<i .*?></i>'
        label = rf'title="{french}" aria-label="{french}"\1{symbol}'
        page = re.sub(button, label, page, count=1, flags=re.DOTALL)
    for english, french in FILM_MODES.items():
        page = page.replace(f">{english}<", f">{french}<")
    # matplotlib tire un identifiant au hasard : le même film doit s'écrire pareil.
    identifier = re.search(r"_anim_img(\w{32})", page)[1]
    content = page.replace(identifier, "").encode()
    return HTML(page.replace(identifier, hashlib.sha256(content).hexdigest()[:32]))


def plot_network(
    parameters: Parameters,
    activations: Sequence[NDArray] = (),
    gradients: Parameters = (),
    ax: plt.Axes | None = None,
) -> plt.Axes:
    """Dessine un petit réseau : un rond par neurone, un trait par poids.

    parameters : une paire (W, b) par couche, comme partout dans le module
    activations : [X, A de chaque couche] pour une seule image ; écrit dans les ronds
    gradients : une paire (dW, db) par couche ; écrits à la place des poids
    """
    sizes = [len(parameters[0][0]), *(W.shape[1] for W, _ in parameters)]
    n, tallest = len(parameters), max(sizes)
    ax = plt.subplots(figsize=(3.2 * n + 1, tallest + 1))[1] if ax is None else ax
    heights = [np.arange(size)[::-1] - (size - 1) / 2 for size in sizes]
    shown, color = (gradients, VERMILION) if gradients else (parameters, BLUE)
    for layer, (W, b) in enumerate(shown):
        left, right, limit = *heights[layer : layer + 2], np.abs(W).max() or 1
        along = np.linspace(0.42 if len(W) < 3 else 0.26, 0.68, len(W))  # sans se gêner
        for (i, j), w in np.ndenumerate(W):
            style = {"lw": 0.5 + 2.5 * abs(w) / limit, "ls": "-" if w >= 0 else "--"}
            ends = [left[i], right[j]]
            ax.plot([layer, layer + 1], ends, color=color, zorder=1, **style)
            at = layer + along[i], left[i] + along[i] * (right[j] - left[i])
            _write(ax, at, decimal(w), color=color, bbox={"fc": "w", "lw": 0, "pad": 1})
        for y, bias in zip(right, np.ravel(b)):
            _write(ax, (layer + 1, y - 0.42), decimal(bias), color=color)
    for layer, ys in enumerate(heights):
        ax.scatter(np.full(len(ys), layer), ys, 1300, "white", edgecolors="black")
        values = np.ravel(activations[layer]) if len(activations) else ys * np.nan
        for y, value in zip(ys, values, strict=True):
            _write(ax, (layer, y), decimal(value) if np.isfinite(value) else "")
    ax.set(xlim=(-0.3, n + 0.3), ylim=(-tallest / 2 - 0.2, tallest / 2))
    ax.axis("off")
    return ax


def _write(ax: plt.Axes, at: tuple[float, float], text: str, **style: object) -> None:
    ax.text(*at, text, ha="center", va="center", fontsize=8, zorder=3, **style)


def explore(draw: Callable[..., None], **ranges: tuple[float, float, float]) -> None:
    """Met des curseurs sur une figure, quand quelqu'un est là pour les bouger.

    draw : dessine et montre la figure ; ses arguments par défaut sont le départ
    ranges : (plus petite valeur, plus grande, pas) de chaque argument à régler

    Exécutée par un test ou pour une page, la cellule montre la figure au départ.
    """
    if not _someone_is_there():
        return draw()
    import ipywidgets

    ipywidgets.interact(draw, **ranges)


def _someone_is_there() -> bool:
    # JupyterLab, VS Code et Notebook joignent à la demande le numéro de la cellule ;
    # nbconvert et nbval, non. Colab et les noyaux de navigateur ne sont qu'interactifs.
    if "google.colab" in sys.modules:
        return True
    if IN_BROWSER:
        return find_spec("ipywidgets") is not None
    kernel = getattr(get_ipython(), "kernel", None)
    message = kernel.get_parent("shell") if kernel else {}
    return "cellId" in message.get("metadata", {})


def plot_weights(W: NDArray, shape: tuple[int, int], label: str = "poids") -> None:
    """Montre chaque colonne de W (n_pixels, n_neurones) en une image de forme shape."""
    n, limit = W.shape[1], np.abs(W).max()
    width = 3.6 if n == 1 else 1.3
    axes = _grid(n, min(8, n), width, width)
    for ax, w in zip(axes, W.T):
        image = ax.imshow(w.reshape(shape), cmap=DIVERGING, vmin=-limit, vmax=limit)
    plt.colorbar(image, ax=axes, label=label)
    plt.show()


def plot_confusion_matrix(y: NDArray, y_pred: NDArray, class_names: Sequence) -> None:
    """Croise les classes vraies (lignes) et prédites (colonnes) de chaque image."""
    size = 2.4 + 0.45 * len(class_names)
    _, ax = plt.subplots(figsize=(size + 0.8, size))
    options = {"labels": range(len(class_names)), "display_labels": class_names}
    options["xticks_rotation"] = 0 if len(class_names) <= 4 else 90
    y, y_pred = np.ravel(y), np.ravel(y_pred)
    ConfusionMatrixDisplay.from_predictions(y, y_pred, ax=ax, cmap="cividis", **options)
    ax.set(xlabel="classe prédite", ylabel="classe vraie")
    plt.show()


# --- 4. Les données -------------------------------------------------------------------


def _find_datasets(here: Path) -> Path:
    """Le dossier des images, à côté du module ; celui d'un navigateur, en mémoire.

    HDF5 y veut un vrai fichier, dont le disque du navigateur n'a que l'apparence. Et
    Basthon ou Capytale, qui ne connaissent pas les dossiers, reçoivent datasets.zip.
    """
    if not IN_BROWSER:
        return here / "datasets"
    memory = Path(tempfile.mkdtemp()) / "datasets"
    if (here / "datasets").is_dir():
        shutil.copytree(here / "datasets", memory)
    elif Path("datasets.zip").exists():
        shutil.unpack_archive("datasets.zip", memory)
    return memory


DATASETS = _find_datasets(Path(__file__).resolve().parent)
SHIPPED_SETS = {"silhouettes": DATASETS, "animaux": DATASETS / "animaux"}
SET_NAMES = (*SHIPPED_SETS, "photos")
MAX_CLASSES = 1000  # un numéro absurde demanderait autant de noms et de sorties

PHOTOS_URL = (
    "https://raw.githubusercontent.com/MachineLearnia/Deep-Learning-Youtube/"
    "60082824f7145550e0863763a604d62e6f1e82b5/datasets/"
)
PHOTOS_SHA256 = {
    "trainset.hdf5": "0af70335b103c2d23919fa312d7ac1099d206e671dcd50e3f02273f06b7e65bb",
    "testset.hdf5": "9164849a343ac9f8f1db646f81a44ba78854f9655bb711fed9b368c2ae4696fe",
}

# Pourquoi un fichier ne s'ouvre pas, et que faire.
UNREADABLE = {
    FileNotFoundError: "n'existe pas ; vérifiez ce chemin.",
    PermissionError: "est interdit à la lecture ; changez ses droits d'accès.",
    BlockingIOError: "est ouvert en écriture ailleurs ; fermez l'autre programme.",
    OSError: "n'est pas un fichier HDF5 intact ; remplacez-le par une bonne copie.",
}


def load_data(name: str | os.PathLike = "silhouettes") -> tuple[NDArray, ...]:
    """Charge un jeu d'images et renvoie X_train, y_train, X_test, y_test.

    name : ``"silhouettes"`` (chats et chiens, fournies), ``"animaux"`` (dix espèces,
    fournies), ``"photos"`` (chats et chiens, téléchargées à la première demande) ou un
    dossier qui contient ``trainset.hdf5`` et ``testset.hdf5``. Les images sont uint8,
    de forme (n, hauteur, largeur), les étiquettes float64, de forme (n, 1).
    Lève ValueError si le nom est inconnu ou le contenu inattendu, OSError si un fichier
    manque, ne se lit pas ou ne se télécharge pas.
    """
    train_path, test_path = _locate(name)
    X_train, y_train = _read_images(train_path, "X_train", "Y_train")
    X_test, y_test = _read_images(test_path, "X_test", "Y_test")
    if X_train.shape[1:] != X_test.shape[1:]:
        raise ValueError(
            f"{test_path} : images de forme {X_test.shape[1:]}, mais de forme "
            f"{X_train.shape[1:]} dans {train_path} ; redimensionnez-les à l'identique."
        )
    if (unseen := np.setdiff1d(y_test, y_train)).size:
        raise ValueError(
            f"La classe {unseen[0]:g} de {test_path} doit être aussi dans {train_path}."
        )
    return X_train, y_train, X_test, y_test


def load_class_names(name: str | os.PathLike = "silhouettes") -> list[str]:
    """Renvoie les noms des classes, dans l'ordre de leurs numéros.

    Ils sont lus dans l'attribut ``classes`` de ``trainset.hdf5`` ; à défaut, ce sont
    « chat » et « chien » pour les photographies, sinon les numéros eux-mêmes.
    """
    path, _ = _locate(name)
    with _open_hdf5(path) as file:
        n_classes = int(_read_labels(file, "Y_train").max()) + 1
        names = ["chat", "chien"] if name == "photos" else [*map(str, range(n_classes))]
        names = np.ravel(file.attrs.get("classes", names))
    try:
        names = [(n.encode() if isinstance(n, str) else n).decode() for n in names]
    except (AttributeError, UnicodeError):  # ni du texte, ni des octets UTF-8
        names = []
    if len(names) < n_classes:
        raise ValueError(
            f"{path} : l'attribut classes doit lister les {n_classes} noms, en UTF-8, "
            "dans l'ordre des numéros ; corrigez-le ou supprimez-le."
        )
    return names


def load_image(path: str | os.PathLike, shape: tuple[int, int] = (28, 28)) -> NDArray:
    """Lit une image (PNG, JPEG…), la passe en gris et la ramène à la forme shape.

    shape : (hauteur, largeur). Un fond transparent devient blanc, comme à l'écran ; une
    photographie est redressée selon son étiquette d'orientation. Carnet 02.
    Lève FileNotFoundError si le fichier manque, ValueError si ce n'est pas une image.
    """
    if not _are_counts(shape) or np.shape(shape) != (2,):
        raise ValueError(f"shape doit être deux entiers ≥ 1 ; reçu : {shape!r}.")
    size = (shape[1], shape[0])
    try:
        with warnings.catch_warnings(action="ignore"), Image.open(path) as file:
            # Un JPEG peut se lire réduit : une grande photographie tient en mémoire.
            file.draft("RGB", (4 * max(size), 4 * max(size)))
            image = ImageOps.exif_transpose(file)
        if image.mode.startswith("I"):  # gris sur 16 bits, que Pillow écrêterait
            image = image.convert("I").point(lambda level: level / 256).convert("L")
        image = image.convert("RGBA").resize(size)
    except (FileNotFoundError, PermissionError) as error:
        raise type(error)(f"{path} {UNREADABLE[type(error)]}") from error
    except Exception as error:  # selon le format, Pillow en lève de toutes sortes
        raise ValueError(
            f"{path} n'est pas une image lisible, de moins de 170 millions de pixels ; "
            "donnez un fichier PNG ou JPEG intact."
        ) from error
    white = Image.new("RGBA", size, "white")
    return np.array(Image.alpha_composite(white, image).convert("L"))


def _locate(name: str | os.PathLike) -> tuple[Path, Path]:
    """Trouve les deux fichiers d'un jeu ; télécharge ceux des photographies."""
    if not isinstance(name, str | os.PathLike):
        raise TypeError(
            f"load_data attend {', '.join(SET_NAMES)} ou un dossier ; reçu : {name!r}."
        )
    photos_dir = os.environ.get("COURSE_PHOTOS_DIR")
    if name == "photos" and not photos_dir:
        return _download("trainset.hdf5"), _download("testset.hdf5")
    known = {**SHIPPED_SETS, "photos": photos_dir}
    folder = Path(known.get(name, name))
    with suppress(OSError, RuntimeError):  # nom trop long, chemin interdit, ~inconnu
        if (folder := folder.expanduser()).is_dir():
            return folder / "trainset.hdf5", folder / "testset.hdf5"
    is_bare_name = name not in known and name == folder.name
    kind = ValueError if is_bare_name else FileNotFoundError
    where = "" if is_bare_name or folder.is_absolute() else f", depuis {Path.cwd()},"
    raise kind(
        f"{folder}{where} n'est ni un jeu connu ({', '.join(SET_NAMES)}) ni un "
        "dossier ; donnez celui qui contient trainset.hdf5 et testset.hdf5, à "
        "load_data ou à la variable COURSE_PHOTOS_DIR."
    )


def _download(filename: str) -> Path:
    """Renvoie le chemin d'un fichier que pooch télécharge, vérifie et garde."""
    if IN_BROWSER:
        raise ConnectionError(
            "Dans un navigateur, les photographies ne se téléchargent pas ; passez ces "
            "cellules, ou ouvrez ce carnet sur Colab, sur Binder ou chez vous."
        )
    try:
        import pooch

        pooch.get_logger().setLevel("WARNING")
        return Path(pooch.retrieve(PHOTOS_URL + filename, PHOTOS_SHA256[filename]))
    except (ImportError, OSError, ValueError) as error:  # ValueError : autre empreinte
        no_pooch = isinstance(error, ImportError)
        advice = "exécutez %pip install pooch" if no_pooch else "vérifiez la connexion"
        raise ConnectionError(
            f"{filename} n'a pu être téléchargé de {PHOTOS_URL} ; {advice}, ou mettez "
            "les deux fichiers dans un dossier que nomme COURSE_PHOTOS_DIR."
        ) from error


@contextmanager
def _open_hdf5(path: Path) -> Iterator[h5py.File]:
    """Ouvre un fichier HDF5 ; ce que h5py ne peut en lire devient une phrase."""
    try:
        with h5py.File(path, "r") as file:
            yield file
    # h5py traduit les défauts d'un fichier abîmé par l'une ou l'autre de ces classes.
    except (OSError, RuntimeError, KeyError, TypeError, UnicodeDecodeError) as error:
        kind = type(error) if type(error) in UNREADABLE else OSError
        raise kind(f"{path} {UNREADABLE[kind]}") from error


def _read_images(path: Path, X_key: str, y_key: str) -> tuple[NDArray, NDArray]:
    """Lit des images et leurs étiquettes, et vérifie tout ce que le cours en attend."""
    with _open_hdf5(path) as file:
        X, y = _read_dataset(file, X_key), _read_labels(file, y_key)
    if X.ndim != 3 or X.dtype != np.uint8 or len(X) != len(y):
        raise ValueError(
            f"{path} : {X_key} doit être un tableau uint8 de forme ({len(y)}, hauteur, "
            f"largeur) ; reçu : {X.dtype} de forme {X.shape}."
        )
    return X, y


def _read_labels(file: h5py.File, key: str) -> NDArray[np.float64]:
    """Lit des étiquettes et les renvoie en colonne (n, 1) de float64."""
    y = _read_dataset(file, key)
    is_column = y.dtype.kind in "uifb" and y.shape in {(y.size,), (y.size, 1)}
    wrong = y[~np.isin(y, np.arange(MAX_CLASSES))] if is_column else y.ravel()
    if wrong.size:
        raise ValueError(
            f"{file.filename} : {key} doit être une colonne d'entiers de 0 à "
            f"{MAX_CLASSES - 1} ; reçu : {wrong[0]} ({y.dtype} de forme {y.shape})."
        )
    return y.reshape(-1, 1).astype(np.float64)


def _read_dataset(file: h5py.File, key: str) -> NDArray:
    """Lit un tableau rangé dans le fichier même, sans suivre aucun renvoi."""
    is_inside = isinstance(file.get(key, getlink=True), h5py.HardLink)
    dataset = file[key] if is_inside else None
    if not isinstance(dataset, h5py.Dataset) or dataset.is_virtual or dataset.external:
        raise ValueError(
            f"{file.filename} doit contenir le tableau {key} lui-même, ni groupe ni "
            f"renvoi ; recopiez-le ici (clés présentes : {list(file)[:10]})."
        )
    # HDF5 rendrait des zéros à la place de ce qui n'a jamais été écrit.
    is_written = dataset.id.get_space_status() == h5py.h5d.SPACE_STATUS_ALLOCATED
    if not dataset.size or not is_written:
        raise ValueError(f"{file.filename} : {key} ne doit être ni vide ni inachevé.")
    return np.asarray(dataset[()])
