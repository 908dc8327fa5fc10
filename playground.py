"""De quoi jouer avec un réseau du cours : un bac à sable et une ardoise.

``Sandbox`` montre un petit réseau qui apprend à séparer des points du plan, et
``Slate`` un réseau qui regarde ce que l'on dessine. Chacun est en deux morceaux : une
classe sans page (``Experiment``, ``Eye``), qui calcule avec les fonctions enseignées,
et un widget, qui répond à la page (``playground.js``).

C'est la page qui donne le rythme : elle demande une image, la dessine, puis demande la
suivante. Il n'y a donc ici ni boucle qui bloque, ni fil d'exécution, ni tâche à
arrêter : si la page se ferme, l'entraînement s'arrête de lui-même.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from copy import deepcopy
from dataclasses import asdict, dataclass, field, fields
from functools import partial
from numbers import Integral
from pathlib import Path

import anywidget
import numpy as np
import traitlets
from numpy.typing import NDArray
from PIL import Image

from utilities import (
    ACTIVATIONS,
    DERIVATIVES,
    NON_NEGATIVE,
    POSITIVE,
    SIZES,
    Adam,
    Momentum,
    NeuralNetwork,
    Parameters,
    back_propagation,
    forward_propagation,
    initialize_parameters,
    log_loss,
    mirror_and_shift,
    softmax,
    update,
)

__all__ = ["Experiment", "Eye", "Sandbox", "Slate", "center_drawing"]

HERE = Path(__file__).resolve()
TINY = 1e-12


def descend(
    parameters: Parameters,
    gradients: Parameters,
    solvers: Sequence[tuple[Callable, Callable]],
    learning_rate: float,
) -> None:
    """Fait un pas de descente sur W et b de chaque couche, sur place."""
    layers = zip(parameters, gradients, solvers, strict=True)
    for (W, b), (dW, db), (solver_W, solver_b) in layers:
        update(W, solver_W(dW), learning_rate)
        update(b, solver_b(db), learning_rate)


# --- 1. Le bac à sable ----------------------------------------------------------------

N_POINTS = 200  # une moitié pour apprendre, l'autre pour tester
EXTENT = 4.0  # la page montre le plan de -EXTENT à EXTENT
RESOLUTION = 48  # points de côté de chaque petite carte
_AXIS = EXTENT * (2 * np.arange(RESOLUTION) + 1 - RESOLUTION) / RESOLUTION
PLANE = np.stack(np.meshgrid(_AXIS, _AXIS[::-1]), axis=-1).reshape(-1, 2)
MAX_STEPS = 100  # par image demandée : la page doit rester vive
MAX_WEIGHT = 1e6  # au-delà, la descente diverge


def _polar(radius: NDArray, angle: NDArray) -> NDArray:
    return np.stack([radius * np.cos(angle), radius * np.sin(angle)], axis=1)


def _circles(y: NDArray, rng: np.random.Generator) -> NDArray:
    return _polar(np.where(y == 1, 1.0, 2.6), rng.uniform(0, 2 * np.pi, len(y)))


def _moons(y: NDArray, rng: np.random.Generator) -> NDArray:
    half_turn = _polar(np.full(len(y), 2.0), rng.uniform(0, np.pi, len(y)))
    return np.where(y[:, None] == 1, [1, 0.5] - half_turn, half_turn - [1, 0.5])


def _xor(y: NDArray, rng: np.random.Generator) -> NDArray:
    x_1, x_2 = rng.uniform(0.2, 3, size=(2, len(y)))
    side = rng.choice([-1, 1], len(y))
    return np.stack([side * x_1, side * np.where(y == 1, -1, 1) * x_2], axis=1)


def _spirals(y: NDArray, rng: np.random.Generator) -> NDArray:
    along = rng.uniform(0.1, 1, len(y))
    return _polar(3 * along, 1.5 * np.pi * 2 * along + np.pi * y)


def _clouds(y: NDArray, rng: np.random.Generator) -> NDArray:
    return np.where(y[:, None] == 1, 1.5, -1.5) + rng.normal(0, 0.7, (len(y), 2))


DATA: dict[str, Callable[[NDArray, np.random.Generator], NDArray]] = {
    "cercles": _circles,
    "lunes": _moons,
    "xor": _xor,
    "spirales": _spirals,
    "nuages": _clouds,
}
SOLVERS = {"sgd": partial(Momentum, 0.0), "momentum": Momentum, "adam": Adam}


# Ce qu'un réglage doit être, et la fonction qui en juge, comme dans utilities.py.
def _one_of(names: Iterable[str]) -> dict[str, Callable[[object], bool]]:
    return {f"l'un de {', '.join(names)}": lambda value: value in [*names]}


SEED = {"un entier ≥ 0": lambda v: isinstance(v, Integral) and v >= 0}


def make_points(data: str, noise: float, rng: np.random.Generator) -> tuple:
    """Tire N_POINTS points du plan, (m, 2), et leur classe 0 ou 1, (m, 1)."""
    y = np.arange(N_POINTS) // 2 % 2
    X = DATA[data](y, rng) + rng.normal(0, noise, size=(N_POINTS, 2))
    return X, y.reshape(-1, 1).astype(float)


@dataclass
class Experiment:
    """Un petit réseau devant un nuage de points, que l'on entraîne pas à pas.

    Les réglages portent les noms de ``NeuralNetwork`` et ont le même sens ; un pas est
    une descente sur tous les points d'entraînement, soit une époque en un seul lot.
    """

    data: str = field(default="cercles", metadata=_one_of(DATA))
    noise: float = field(default=0.2, metadata=NON_NEGATIVE)
    random_state: int = field(default=0, metadata=SEED)
    hidden_layer_sizes: Sequence[int] = field(default=(4, 2), metadata=SIZES)
    activation: str = field(default="tanh", metadata=_one_of(ACTIVATIONS))
    solver: str = field(default="adam", metadata=_one_of(SOLVERS))
    learning_rate_init: float = field(default=0.03, metadata=POSITIVE)
    alpha: float = field(default=0.0, metadata=NON_NEGATIVE)

    def __post_init__(self) -> None:
        """Contrôle les réglages, tire les points, puis les poids."""
        self.tune()
        self.hidden_layer_sizes = np.ravel(self.hidden_layer_sizes).astype(int).tolist()
        rng = np.random.default_rng(self.random_state)
        X, y = make_points(self.data, self.noise, rng)
        self.X_train, self.X_test = X[::2], X[1::2]
        self.y_train, self.y_test = y[::2], y[1::2]
        self.restart()

    def tune(self, **settings: object) -> None:
        """Change des réglages, et refuse une valeur impossible."""
        for setting in fields(self):
            value = settings.get(setting.name, getattr(self, setting.name))
            for expected, is_valid in setting.metadata.items():
                if not is_valid(value):
                    message = f"{setting.name} doit être {expected} ; reçu : {value!r}."
                    raise ValueError(message)
        vars(self).update(settings)

    def restart(self) -> None:
        """Oublie tout ce qui a été appris."""
        recipe = "he" if self.activation == "relu" else "glorot"
        self.parameters = initialize_parameters(
            [2, *self.hidden_layer_sizes, 1],
            np.random.default_rng(self.random_state),
            recipe if self.hidden_layer_sizes else "zeros",
        )
        solver = SOLVERS[self.solver]
        self.solvers = [(solver(), solver()) for _ in self.parameters]
        self.losses = [self._losses()]
        self.diverged = False

    def train(self, n_steps: int = 1) -> None:
        """Fait n_steps pas ; note la perte après chacun ; s'arrête s'il diverge."""
        for _ in range(n_steps):
            if self.diverged:
                break
            self._step()
            largest = max(np.abs(W).max() for W, _ in self.parameters)
            self.diverged = not largest < MAX_WEIGHT  # vrai aussi pour NaN
            self.losses.append(self._losses())

    def _step(self) -> None:
        activations = self.activations(self.X_train)
        gradients = back_propagation(
            self.y_train, self.parameters, activations, DERIVATIVES[self.activation]
        )
        for (dW, _), (W, _) in zip(gradients, self.parameters, strict=True):
            dW += self.alpha / len(self.y_train) * W
        descend(self.parameters, gradients, self.solvers, self.learning_rate_init)

    def activations(self, X: NDArray) -> list[NDArray]:
        """X, puis la sortie de chaque couche."""
        return forward_propagation(X, self.parameters, ACTIVATIONS[self.activation])

    def maps(self) -> NDArray[np.uint8]:
        """Ce que chaque neurone répond sur tout le plan, entrées comprises.

        De forme (n_neurones, RESOLUTION, RESOLUTION), x₂ croissant vers le haut ; 128
        là où le neurone hésite (Z = 0), davantage là où Z > 0, moins là où Z < 0.
        """
        X, *hidden, output = self.activations(PLANE)
        neutral = ACTIVATIONS[self.activation](np.zeros(1))
        signals = np.hstack([X, *(A - neutral for A in hidden)])
        signals /= np.abs(signals).max(axis=0) + TINY
        levels = 128 + 127 * np.hstack([signals, 2 * output - 1])
        return levels.round().astype(np.uint8).T.reshape(-1, RESOLUTION, RESOLUTION)

    def frontier(self) -> NDArray[np.float32]:
        """Le Z de la sortie sur le plan, (RESOLUTION, RESOLUTION) : nul à la frontière.

        Les 256 niveaux d'une carte feraient d'une droite un escalier.
        """
        output = self.activations(PLANE)[-1]
        Z = np.log(output + TINY) - np.log(1 - output + TINY)
        return Z.astype(np.float32).reshape(RESOLUTION, RESOLUTION)

    def accuracy(self) -> float:
        """La part des points de test bien classés."""
        answers = self.activations(self.X_test)[-1] > 0.5
        return float(np.mean(answers == self.y_test))

    def _losses(self) -> tuple[float, float]:
        """La perte sur les points d'entraînement, et sur ceux de test."""
        parts = (self.X_train, self.y_train), (self.X_test, self.y_test)
        return tuple(log_loss(y, self.activations(X)[-1]) for X, y in parts)


class _Page(anywidget.AnyWidget):
    """Un widget dont la page pose des questions, et auquel ``answer`` répond."""

    _esm = HERE.with_suffix(".js")
    _css = HERE.with_suffix(".css")
    page = traitlets.Unicode().tag(sync=True)

    def __init__(self, **traits: object) -> None:
        super().__init__(page=type(self).__name__, **traits)
        self.on_msg(self._on_question)

    def _on_question(self, _, question: dict, buffers: list) -> None:
        content, arrays = self.answer(question, buffers)
        content["view"] = question.get("view")
        self.send(content, [np.ascontiguousarray(array).data for array in arrays])

    def answer(self, question: dict, buffers: list) -> tuple[dict, list[NDArray]]:
        """Une question de la page -> une réponse, et des tableaux."""
        raise NotImplementedError

    def __repr__(self) -> str:
        return f"{type(self).__name__}()"


class Sandbox(_Page):
    """Le bac à sable : ``Experiment`` sous les doigts.

    Les arguments sont les réglages de départ ; ``sandbox.settings`` les donne tous.

    >>> Sandbox(data="spirales", hidden_layer_sizes=(8, 8))
    Sandbox()
    """

    settings = traitlets.Dict().tag(sync=True)

    def __init__(self, **settings: object) -> None:
        self.experiment = Experiment(**settings)
        super().__init__(settings=asdict(self.experiment))

    @traitlets.validate("settings")
    def _apply(self, proposal: dict) -> dict:
        """Un réglage de la descente se change en marche ; tout autre recommence.

        Un réglage refusé n'est pas gardé : le bac à sable reste tel qu'il était.
        """
        settings, now = proposal["value"], asdict(self.experiment)
        changed = {name for name in settings if settings[name] != now[name]}
        if changed <= {"learning_rate_init", "alpha"}:
            self.experiment.tune(**settings)
        else:
            self.experiment = Experiment(**settings)
        return asdict(self.experiment)

    def answer(self, question: dict, buffers: list) -> tuple[dict, list[NDArray]]:
        """Change les "settings", recommence ("restart"), fait n pas ("steps")."""
        self.settings = self.settings | question.get("settings", {})
        experiment = self.experiment
        if question.get("restart"):
            experiment.restart()
        experiment.train(min(question.get("steps", 0), MAX_STEPS))
        # Une courbe de la page n'a que quelques centaines de pixels de large.
        stride = 1 + len(experiment.losses) // 200
        curves = np.array(experiment.losses[::stride], dtype=np.float32)
        points = np.hstack([experiment.X_train, experiment.X_test])
        content = {
            "n_steps": len(experiment.losses) - 1,
            "losses": experiment.losses[-1],
            "accuracy": experiment.accuracy(),
            "diverged": experiment.diverged,
            "weights": [W.tolist() for W, _ in experiment.parameters],
            "extent": EXTENT,
        }
        labels = np.hstack([experiment.y_train, experiment.y_test]).astype(np.uint8)
        return content, [
            experiment.maps(), points.astype(np.float32), labels, curves,
            experiment.frontier(),
        ]  # fmt: skip


# --- 2. L'ardoise ---------------------------------------------------------------------

SIDE = 28  # les images du cours ont SIDE pixels de côté
MARGIN = 1  # pixels laissés autour du dessin : la médiane des silhouettes


def center_drawing(drawing: NDArray[np.uint8]) -> NDArray[np.float64]:
    """Cadre un dessin comme les silhouettes du cours, en une image (28, 28) de 0…1.

    Le carré qui entoure la craie, plus une marge d'un pixel, devient l'image entière :
    où l'on a dessiné, et en quelle taille, ne compte pas. Un dessin vide reste vide.

    drawing : craie blanche (255) sur fond noir (0), de forme (hauteur, largeur).
    """
    rows, columns = np.nonzero(drawing > 127)
    if not rows.size:
        return np.zeros((SIDE, SIDE))
    height, width = np.ptp(rows) + 1, np.ptp(columns) + 1
    side = max(height, width) * SIDE / (SIDE - 2 * MARGIN)
    border = math.ceil(side)
    top = border + rows.min() - (side - height) / 2
    left = border + columns.min() - (side - width) / 2
    image = Image.fromarray(np.pad(drawing, border))
    box = (left, top, left + side, top + side)
    return np.asarray(image.resize((SIDE, SIDE), Image.Resampling.BOX, box)) / 255


class Eye:
    """Un réseau entraîné qui regarde des dessins, dit ce qu'il y voit, et apprend.

    network : réseau du cours, entraîné à reconnaître les images X à plat, de classes y
    Il n'est pas modifié : l'œil apprend sur une copie.
    """

    def __init__(self, network: NeuralNetwork, X: NDArray, y: NDArray) -> None:
        if network.out_activation_ != "softmax" or X.shape[1] != SIDE**2:
            raise ValueError(
                "network doit reconnaître au moins trois classes, dans des images de "
                f"{SIDE} × {SIDE} pixels mises à plat ; reçu : {X.shape[1]} pixels, "
                f"{len(network.classes_)} classes ; prenez load_data('animaux')."
            )
        self.network, self.X = deepcopy(network), X
        self.Y = (np.ravel(y)[:, None] == network.classes_).astype(float)
        self.drawings, self.labels = np.empty((0, X.shape[1])), np.empty(0, dtype=int)
        self.rng = np.random.default_rng(0)

    def see(self, image: NDArray) -> NDArray:
        """La probabilité de chaque classe, de forme (n_classes,)."""
        return self.network.predict_proba(image.reshape(1, -1))[0]

    def occlusion(self, image: NDArray, size: int = 6, stride: int = 2) -> NDArray:
        """Ce qui, dans l'image, décide de la classe la plus probable ; (28, 28).

        Un carré noir de size pixels passe sur l'image, tous les stride pixels. Là où
        il fait baisser le logarithme de la probabilité, la carte est positive.
        """
        corners = range(1 - size, SIDE, stride)
        strips = np.array([[c <= i < c + size for i in range(SIDE)] for c in corners])
        squares = np.einsum("ri,cj->rcij", strips, strips).reshape(-1, SIDE**2)
        seen = self.see(image)
        hidden = self.network.predict_proba(image.ravel() * ~squares)[:, seen.argmax()]
        drops = np.log(seen.max()) - np.log(hidden + TINY)
        return (drops @ squares / squares.sum(axis=0)).reshape(SIDE, SIDE)

    def learn(self, image: NDArray, label: int, n_steps: int = 40) -> None:
        """Apprend que l'image est de la classe numéro label.

        Les dessins déjà montrés, retournés et décalés, sont mêlés à autant d'images de
        l'entraînement : apprendre un dessin ne doit pas faire oublier le reste.
        """
        self.drawings = np.vstack([self.drawings, image.reshape(1, -1)])
        self.labels = np.append(self.labels, label)
        network, Y = self.network, np.eye(len(self.network.classes_))
        # b[None] est une vue : le pas change aussi le réseau.
        parameters = [
            (W, b[None])
            for W, b in zip(network.coefs_, network.intercepts_, strict=True)
        ]
        solvers = [(Adam(), Adam()) for _ in parameters]
        activation = ACTIVATIONS[network.activation]
        derivative = DERIVATIVES[network.activation]
        for _ in range(n_steps):
            drawn = self.rng.integers(len(self.drawings), size=64)
            known = self.rng.integers(len(self.X), size=64)
            X = np.vstack([self.drawings[drawn], self.X[known]])
            X = mirror_and_shift(X, self.rng, (SIDE, SIDE))
            targets = np.vstack([Y[self.labels[drawn]], self.Y[known]])
            activations = forward_propagation(X, parameters, activation, softmax)
            gradients = back_propagation(targets, parameters, activations, derivative)
            descend(parameters, gradients, solvers, learning_rate=0.001)


class Slate(_Page):
    """L'ardoise : on y dessine un animal, et le réseau dit ce qu'il voit.

    network, X, y : voir ``Eye`` ; class_names : les noms des classes, dans l'ordre.
    """

    class_names = traitlets.List().tag(sync=True)

    def __init__(
        self,
        network: NeuralNetwork,
        X: NDArray,
        y: NDArray,
        class_names: Sequence[str],
    ) -> None:
        self.eye = Eye(network, X, y)
        super().__init__(class_names=list(class_names))

    def answer(self, question: dict, buffers: list) -> tuple[dict, list[NDArray]]:
        """{"side": n} et n × n octets : regarde ; avec "label" : apprend d'abord.

        "learned" est alors le nombre de dessins appris depuis le début, sinon 0.
        """
        pixels = np.frombuffer(buffers[0], dtype=np.uint8)
        image = center_drawing(pixels.reshape(question["side"], -1))
        content = {"side": SIDE, "seen": [], "learned": 0}
        decisive = np.zeros((SIDE, SIDE))
        if image.any():
            if "label" in question:
                self.eye.learn(image, question["label"])
                content["learned"] = len(self.eye.labels)
            content["seen"] = self.eye.see(image).tolist()
            decisive = self.eye.occlusion(image)
            decisive /= np.abs(decisive).max() + TINY
        return content, [
            np.rint(255 * image).astype(np.uint8),
            decisive.astype(np.float32),
        ]
