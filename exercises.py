"""Les verdicts des exercices : une ligne dans le carnet, une phrase en réponse.

``loss = exercises.check("loss", loss)`` juge la réponse du lecteur, dit en une phrase
si elle est juste ou quelle erreur s'y trouve, et rend de quoi continuer : la réponse du
lecteur si elle est juste, sinon celle du cours. Un exercice laissé de côté ne bloque
donc jamais la suite.

Un exercice est un ``Exercise``. Ses erreurs typiques y sont des réponses fausses, en
regard de la phrase qui les explique : une réponse du lecteur qui se comporte comme
l'une d'elles reçoit cette phrase. Les exercices de chaque leçon suivent, à la fin du
fichier, dans l'ordre des carnets.
"""

from __future__ import annotations

import contextlib
import copy
import dis
import inspect
import io
import os
import sys
import time
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from types import CodeType, FunctionType

import numpy as np
from IPython import get_ipython

import utilities

TIME_LIMIT = 5.0  # secondes
TOLERANCE = 1e-6
GRADING_VARIABLE = "EXERCICES_NOTES"  # posée par nbgrader_config.py, pour noter

TO_DO = "À faire : remplacez les points de suspension par votre réponse."

# --- Le juge --------------------------------------------------------------------------


def _call(function: Callable, *arguments: object) -> object:
    return function(*arguments)


@dataclass(frozen=True)
class Exercise:
    """Un exercice à fonction (ou à classe) : ce qu'il faut écrire, et comment le juger.

    reference : la réponse du cours, rendue à qui ne l'a pas trouvée
    cases : des arguments à essayer, le plus simple d'abord, car c'est lui que le
        verdict cite ; deux au moins, de tailles différentes
    mistakes : {phrase: réponse fausse}, de l'erreur la plus précise à la plus vague
    success : ce que l'on ajoute à « juste », s'il y a une remarque à faire
    run : comment essayer la réponse sur des arguments (par défaut, l'appeler)
    in_place : la réponse a le droit de modifier ses arguments
    """

    reference: Callable
    cases: Sequence[tuple]
    mistakes: dict[str, Callable] = field(default_factory=dict)
    success: str = ""
    run: Callable = _call
    in_place: bool = False

    def diagnose(self, answer: object) -> str | None:
        """Dit ce qui ne va pas dans la réponse, ou None si elle est juste."""
        if _is_hole(answer):
            return TO_DO
        if not callable(answer):
            return (
                f"on attend {_kind(self.reference)}, et la réponse est {_kind(answer)}."
            )
        outcomes = [self._try(answer, case) for case in self.cases]
        expected = [self._try(self.reference, case) for case in self.cases]
        if all(map(_same, outcomes, expected)):
            return None
        for sentence, mistake in self.mistakes.items():
            if all(map(_same, outcomes, [self._try(mistake, c) for c in self.cases])):
                return sentence
        return self._describe(outcomes, expected)

    def _try(self, answer: Callable, case: tuple) -> _Outcome:
        arguments = copy.deepcopy(case)
        try:
            with _quiet(), _time_limit():
                value = self.run(answer, *arguments)
        except KeyboardInterrupt:
            raise
        except BaseException as error:  # exit() compris : rien ne doit s'échapper
            return _Outcome(problem=_explain(error), error=type(error))
        if not self.in_place and not _same_value(arguments, case):
            names = list(inspect.signature(self.reference).parameters)
            changed = [
                name
                for name, before, after in zip(names, case, arguments)
                if not _same_value(before, after)
            ]
            what = f"l'argument {changed[0]}" if changed else "un de ses arguments"
            return _Outcome(
                value,
                f"votre réponse modifie {what}, qui sert encore ailleurs ; calculez "
                "dans un nouveau tableau.",
            )
        return _Outcome(value)

    def _describe(self, outcomes: list, expected: list) -> str:
        """La première différence, ou ce que toutes ont en commun."""
        for outcome in outcomes:
            if outcome.problem:
                return outcome.problem
        values = [outcome.value for outcome in outcomes]
        if all(value is None for value in values):
            return "votre fonction ne renvoie rien (None) ; il manque un return."
        is_constant = all(_same_value(value, values[0]) for value in values)
        varies = not all(_same(e, expected[0]) for e in expected)
        if len(values) > 1 and is_constant and varies:
            return (
                f"votre réponse donne toujours {_show(values[0])}, quels que soient les "
                "arguments ; elle doit se servir d'eux."
            )
        pairs = zip(self.cases, values, expected)
        case, value, wanted = next(
            p for p in pairs if not _same_value(p[1], p[2].value)
        )
        difference = _compare(value, wanted.value)
        return f"{_show_case(self.reference, case)}{difference}."


@dataclass(frozen=True)
class Value:
    """Un nombre (ou quelques-uns) à trouver à la main, ou une prédiction.

    reference : la bonne réponse
    mistakes : {phrase: réponse fausse}, les erreurs de calcul que l'on reconnaît
    condition : à la place de l'égalité, ce que la réponse doit vérifier ; renvoie la
        phrase qui dit ce qui manque, ou None
    """

    reference: object
    mistakes: dict[str, object] = field(default_factory=dict)
    success: str = ""
    condition: Callable[[object], str | None] | None = None
    tolerance: float = 0.01

    def diagnose(self, answer: object) -> str | None:
        """Dit ce qui ne va pas dans la réponse, ou None si elle est juste."""
        if _contains_ellipsis(answer):
            return TO_DO
        if self.condition is not None:
            try:
                with _quiet(), _time_limit():
                    return self.condition(answer)
            except Exception:
                return f"on attend {_form(self.reference)} ; reçu : {_show(answer)}."
        if _close(answer, self.reference, self.tolerance):
            return None
        for sentence, mistake in self.mistakes.items():
            if _close(answer, mistake, self.tolerance):
                return sentence
        if not _comparable(answer, self.reference):
            return f"on attend {_form(self.reference)} ; reçu : {_show(answer)}."
        return (
            f"ce n'est pas {_show(answer)} ; reprenez le calcul, ou ouvrez un indice."
        )


@dataclass(frozen=True)
class _Outcome:
    """Ce qu'a donné un essai : une valeur, ou un problème déjà mis en phrase."""

    value: object = None
    problem: str = ""
    error: type | None = None


def check(name: str, answer: object) -> object:
    """Affiche le verdict de l'exercice name, et rend de quoi continuer.

    Renvoie answer si elle est juste, sinon la réponse du cours.
    """
    lesson, rank, exercise = _find(name)
    handed_back = name in _sentences and answer is exercise.reference
    if not handed_back:  # sinon la cellule est rejouée : le verdict reste le même
        _sentences[name] = exercise.diagnose(answer)
    problem = _sentences[name]
    if problem is None:
        sentence = f"Juste. {exercise.success}".rstrip()
    else:
        sentence = problem if problem == TO_DO else f"Pas encore : {problem}"
    print(f"Exercice {rank} sur {len(LESSONS[lesson])} · {sentence}")
    if problem is None:
        return answer
    if os.environ.get(GRADING_VARIABLE):
        _publish_failure(sentence)
    return exercise.reference


def progress(lesson: str) -> None:
    """Affiche combien d'exercices de la leçon sont réussis, et ceux qui restent."""
    names = list(LESSONS[lesson])
    left = [n for n in names if n not in _sentences or _sentences[n] is not None]
    print(f"Exercices réussis : {len(names) - len(left)} sur {len(names)}.")
    if left:
        print(f"À reprendre : {', '.join(left)}.")


_sentences: dict[str, str | None] = {}


def _find(name: str) -> tuple[str, int, Exercise | Value]:
    for lesson, entries in LESSONS.items():
        if name in entries:
            return lesson, list(entries).index(name) + 1, entries[name]
    raise KeyError(f"Il n'y a pas d'exercice « {name} » ; vérifiez son nom.")


def _publish_failure(sentence: str) -> None:
    """Montre une erreur sans en lever : nbgrader compte zéro, la suite s'exécute."""
    error = AssertionError(sentence)
    get_ipython().showtraceback((AssertionError, error, None))


# --- Exécuter sans risque -------------------------------------------------------------


class _TooLongError(Exception):
    """La réponse a tourné plus de TIME_LIMIT secondes."""


@contextlib.contextmanager
def _time_limit():
    """Arrête une boucle sans fin, pas à pas : sans fil ni signal, partout."""
    deadline = time.monotonic() + TIME_LIMIT

    def trace(frame, event, argument):
        # « while True: pass » n'a qu'une ligne : il faut compter les instructions.
        frame.f_trace_opcodes = True
        if time.monotonic() > deadline:
            raise _TooLongError
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        yield
    finally:
        sys.settrace(before)


@contextlib.contextmanager
def _quiet():
    """Ni affichage ni avertissement : un verdict est une seule phrase."""
    with (
        contextlib.redirect_stdout(io.StringIO()),
        contextlib.redirect_stderr(io.StringIO()),
        warnings.catch_warnings(action="ignore"),
        np.errstate(all="ignore"),
    ):
        yield


def _explain(error: BaseException) -> str:
    """Met en français ce que la réponse a levé."""
    if isinstance(error, _TooLongError):
        return (
            f"votre réponse tourne encore après {TIME_LIMIT:.0f} secondes ; une boucle "
            "n'a sans doute pas de fin."
        )
    if isinstance(error, NameError) and error.name:
        return f"le nom « {error.name} » n'existe pas ici ; vérifiez son orthographe."
    if isinstance(error, AttributeError) and error.name:
        return (
            f"« {error.name} » n'existe pas pour cet objet ; vérifiez son orthographe."
        )
    if isinstance(error, RecursionError):
        return "votre fonction s'appelle elle-même sans fin ; elle doit s'arrêter."
    text = str(error)
    if "matmul" in text or "broadcast" in text or "aligned" in text:
        return (
            "deux tableaux n'ont pas des formes qui vont ensemble ; affichez leurs "
            ".shape, et comparez à l'énoncé."
        )
    if isinstance(error, TypeError) and "argument" in text:
        return "la fonction n'a pas les arguments demandés ; relisez sa première ligne."
    return (
        f"votre réponse s'arrête sur une erreur, {type(error).__name__} ; appelez-la "
        "dans une cellule à part pour voir où."
    )


# --- Comparer et montrer --------------------------------------------------------------


def _is_hole(answer: object) -> bool:
    """Dit s'il reste un trou : des points de suspension, ou un corps vide."""
    if isinstance(answer, type):
        methods = (m for m in vars(answer).values() if isinstance(m, FunctionType))
        return any(map(_is_hole, methods))
    if isinstance(answer, FunctionType):
        code = answer.__code__
        return _has_ellipsis(code) or all(
            step.opname in {"RESUME", "NOP", "RETURN_VALUE"} or step.argval is None
            for step in dis.get_instructions(code)
        )
    return answer is Ellipsis or answer is None


def _has_ellipsis(code: CodeType) -> bool:
    """Dit si le code, ou une fonction écrite dedans, contient « ... »."""
    inner = (const for const in code.co_consts if isinstance(const, CodeType))
    return Ellipsis in code.co_consts or any(map(_has_ellipsis, inner))


def _contains_ellipsis(answer: object) -> bool:
    if isinstance(answer, tuple | list):
        return any(map(_contains_ellipsis, answer))
    return answer is Ellipsis or answer is None


def _same(first: _Outcome, second: _Outcome) -> bool:
    if first.problem or second.problem:
        return first.problem == second.problem and first.error == second.error
    return _same_value(first.value, second.value)


def _same_value(first: object, second: object) -> bool:
    """Même structure, mêmes formes, mêmes nombres à TOLERANCE près."""
    if isinstance(first, tuple | list) and isinstance(second, tuple | list):
        return len(first) == len(second) and all(map(_same_value, first, second))
    if isinstance(first, np.ndarray) != isinstance(second, np.ndarray):
        if not (np.shape(first) == () == np.shape(second)):
            return False
    if not (_is_numeric(first) and _is_numeric(second)):
        return type(first) is type(second) and (first is second or first == second)
    first, second = np.asarray(first), np.asarray(second)
    return first.shape == second.shape and np.allclose(
        first, second, rtol=TOLERANCE, atol=1e-9, equal_nan=True
    )


def _is_numeric(value: object) -> bool:
    return (
        isinstance(value, np.ndarray | np.generic | int | float)
        and np.asarray(value).dtype.kind in "biufc"
    )


def _comparable(answer: object, reference: object) -> bool:
    if isinstance(reference, str):
        return isinstance(answer, str)
    try:
        return (
            np.shape(answer) == np.shape(reference)
            and np.isfinite(np.asarray(answer, dtype=float)).all()
        )
    except (TypeError, ValueError):
        return False


def _close(answer: object, reference: object, tolerance: float) -> bool:
    if not _comparable(answer, reference):
        return False
    if isinstance(reference, str):
        return answer.strip().casefold() == reference.casefold()
    return bool(np.allclose(answer, reference, rtol=tolerance, atol=1e-3 * tolerance))


def _form(reference: object) -> str:
    if isinstance(reference, str):
        return "un texte entre guillemets"
    shape = np.shape(reference)
    return "un nombre" if shape == () else f"{int(np.prod(shape))} nombres"


def _kind(value: object) -> str:
    if value is None:
        return "None"
    if isinstance(value, np.ndarray):
        return f"un tableau de forme {value.shape}"
    if isinstance(value, bool | np.bool_):
        return "un booléen"
    if isinstance(value, int | float | np.number):
        return "un nombre"
    if isinstance(value, type):
        return "une classe"
    if callable(value):
        return "une fonction"
    names = {list: "une liste", str: "un texte", dict: "un dictionnaire"}
    if isinstance(value, tuple):
        return f"{len(value)} valeurs"
    return names.get(type(value), f"un objet {type(value).__name__}")


def _show(value: object) -> str:
    """Écrit une valeur comme Python, arrondie, sur une ligne."""
    if isinstance(value, tuple | list):
        inside = ", ".join(map(_show, value))
        return f"({inside})" if isinstance(value, tuple) else f"[{inside}]"
    if isinstance(value, np.ndarray):
        return np.array2string(value, precision=4, separator=", ").replace("\n", "")
    if isinstance(value, float | np.floating):
        return f"{value:.4g}"
    return getattr(value, "__name__", None) or repr(value)


def _show_case(reference: Callable, case: tuple) -> str:
    """« avec X = …, y = …, », quand cela tient en peu de place."""
    names = inspect.signature(reference).parameters
    shown = [f"{n} = {_show(v)}" for n, v in zip(names, case)]
    text = ", ".join(shown)
    if len(shown) < len(case) or len(text) > 160 or "<" in text:
        return ""
    return f"avec {text}, "


def _compare(value: object, wanted: object) -> str:
    """« on attend …, et votre réponse donne … », par la différence la plus parlante."""
    if isinstance(wanted, tuple) and isinstance(value, tuple):
        if len(wanted) == len(value):
            for k, (v, w) in enumerate(zip(value, wanted), start=1):
                if not _same_value(v, w):
                    return f"pour la {k}ᵉ valeur renvoyée, {_compare(v, w)}"
    kinds = _kind(wanted), _kind(value)
    if kinds[0] != kinds[1]:
        return f"on attend {kinds[0]}, et votre réponse donne {kinds[1]}"
    if len(_show(wanted)) + len(_show(value)) > 160:
        return "la forme est bonne mais pas les nombres"
    return f"on attend {_show(wanted)}, et votre réponse donne {_show(value)}"


# --- Les exercices, leçon par leçon ---------------------------------------------------

LESSONS: dict[str, dict[str, Exercise | Value]] = {}

# --- Leçon 01

# --- Leçon 02

# --- Leçon 03

# --- Leçon 04


def _softmax_of(shift, total):
    """Un softmax dont le maximum retranché, ou le total, est faux."""

    def wrong(Z):
        E = np.exp(Z - shift(Z))
        return E / total(E)

    return wrong


def _row_max(Z):
    return Z.max(axis=1, keepdims=True)


def _row_sum(E):
    return E.sum(axis=1, keepdims=True)


def _forward_with(entering=None, hidden=None, last=None, kept=None):
    """Une propagation avant où une étape est remplacée par une autre."""

    def wrong(X, parameters, activation=utilities.relu, output=utilities.sigmoid):
        activations = [X]
        for layer, (W, b) in enumerate(parameters, start=1):
            A_prev = X if entering else activations[-1]
            Z = A_prev @ W if hidden == "bias" else A_prev @ W + b
            is_last = layer == len(parameters)
            function = output if is_last else activation
            if last is not None:
                function = (activation, output, lambda Z: Z)[last]
            if last is None and hidden == "linear" and not is_last:
                function = utilities.identity
            activations.append(function(Z))
        return activations if kept is None else kept(activations)

    return wrong


def _backward_with(slope=True, slope_of=0, factor=1, db=None, dW=None, order=1):
    """Une rétropropagation où un terme est remplacé par un autre."""

    def wrong(y, parameters, activations, derivative=utilities.DERIVATIVES["relu"]):
        gradients, dZ = [], (activations[-1] - y) / len(y)
        for layer, (W, _) in reversed(list(enumerate(parameters, start=1))):
            A_prev = activations[layer - 1]
            bias = db(dZ) if db else dZ.sum(axis=0, keepdims=True)
            weights = dW(A_prev, dZ) if dW else A_prev.T @ dZ
            gradients.insert(0, (weights / factor_of(y), bias / factor_of(y)))
            if layer > 1:
                dZ = dZ @ W.T
                if slope:
                    dZ = dZ * derivative(dZ if slope_of else A_prev)
        return gradients[::order]

    def factor_of(y):
        return len(y) if factor == "m" else factor

    return wrong


def _adam_with(correct=True, power=True, root=True, squared=True, swap=False):
    """Adam, une fois changé un détail de son calcul."""

    class Wrong(utilities.Adam):
        def __call__(self, gradient):
            self.t += 1
            beta_1, beta_2 = self.beta_1, self.beta_2
            if swap:
                beta_1, beta_2 = beta_2, beta_1
            self.mean += (1 - beta_1) * (gradient - self.mean)
            new = gradient**2 if squared else gradient
            self.square += (1 - beta_2) * (new - self.square)
            t = self.t if power else 1
            mean, square = self.mean, self.square
            if correct:
                mean, square = mean / (1 - beta_1**t), square / (1 - beta_2**t)
            return mean / ((np.sqrt(square) if root else square) + self.epsilon)

    return Wrong


class _AdamThatJumps(utilities.Adam):
    """Les moyennes sautent d'un coup à la nouvelle valeur."""

    def __call__(self, gradient):
        return gradient / (np.abs(gradient) + self.epsilon)


class _AdamWithoutSquare(utilities.Adam):
    """La moyenne corrigée, sans la division."""

    def __call__(self, gradient):
        self.t += 1
        self.mean += (1 - self.beta_1) * (gradient - self.mean)
        return self.mean / (1 - self.beta_1**self.t)


def _directions(solver_class, *gradients):
    solver = solver_class()
    return [solver(gradient) for gradient in gradients]


def _signal_ratio(scale):
    """Taille de la sortie de la dixième couche, sur celle de la première, avec ReLU."""
    rng = np.random.default_rng(0)
    A, _ = rng.normal(size=(200, 50)), rng.integers(2, size=(200, 1))
    sizes = []
    for W, b in utilities.initialize_parameters([50] * 11, rng):
        A = utilities.relu(A @ (W * scale / np.sqrt(2)) + b)
        sizes.append(np.sqrt(np.mean(A**2)))
    return sizes[-1] / sizes[0]


def _scale_problem(scale):
    ratio = _signal_ratio(float(scale))
    if ratio < 0.5:
        return "le signal s'éteint encore en chemin ; augmentez scale."
    if ratio > 2:
        return "le signal grandit encore en chemin ; baissez scale."
    return None


def _network_case(layer_sizes, m, rng, *functions):
    """(X, paramètres, fonctions) ; biais non nuls, et m différent des tailles."""
    parameters = [
        (rng.normal(size=(n_in, n_out)), rng.normal(size=(1, n_out)))
        for n_in, n_out in zip(layer_sizes[:-1], layer_sizes[1:])
    ]
    return rng.normal(size=(m, layer_sizes[0])), parameters, *functions


def _backward_case(layer_sizes, m, rng, name="relu"):
    X, parameters = _network_case(layer_sizes, m, rng)
    activation, derivative = utilities.ACTIVATIONS[name], utilities.DERIVATIVES[name]
    activations = utilities.forward_propagation(X, parameters, activation)
    y = rng.integers(2, size=activations[-1].shape).astype(float)
    return y, parameters, activations, derivative


_rng = np.random.default_rng(4)
_one_by_one = [
    (np.array([[2.0]]), np.array([[-1.0]])),
    (np.array([[-3.0]]), np.array([[0.5]])),
]
_one_image = np.array([[1.0]])

LESSONS["04"] = {
    "softmax": Exercise(
        reference=utilities.softmax,
        cases=[
            (np.array([[0.0, np.log(3)]]),),
            (_rng.normal(size=(4, 3)),),
            (_rng.normal(size=(2, 5)),),
            (np.array([[1000.0, 1001.0, 1002.0], [-1000.0, -1001.0, -1003.0]]),),
        ],
        mistakes={
            "l'exponentielle déborde pour de grandes sommes ; retranchez d'abord le "
            "plus grand nombre de chaque ligne.": _softmax_of(lambda Z: 0, _row_sum),
            "le maximum retranché est celui de tout le tableau ; c'est celui de "
            "chaque ligne qu'il faut.": _softmax_of(np.max, _row_sum),
            "vous divisez par le total de tout le tableau ; chaque ligne doit avoir "
            "son propre total.": _softmax_of(_row_max, np.sum),
            "ce sont les colonnes qui font 1 en tout ; une image est une ligne.": (
                _softmax_of(
                    lambda Z: Z.max(axis=0), lambda E: E.sum(axis=0, keepdims=True)
                )
            ),
            "le total est celui des colonnes ; une image est une ligne.": _softmax_of(
                _row_max, lambda E: E.sum(axis=0, keepdims=True)
            ),
            "l'exponentielle est là, mais pas la division : les réponses d'une image "
            "ne font pas 1 en tout.": lambda Z: np.exp(Z - _row_max(Z)),
            "l'exponentielle manque : une somme négative donne une probabilité "
            "négative.": lambda Z: Z / _row_sum(Z),
            "l'exposant a le mauvais signe : la plus grande somme doit recevoir la "
            "plus grande probabilité.": (lambda Z: utilities.softmax(-Z)),
            "deux formes ne vont pas ensemble : le maximum et le total de chaque ligne "
            "doivent rester une colonne, de forme (m, 1).": _softmax_of(
                _row_max, lambda E: E.sum(axis=1)
            ),
        },
        success="Elle ne déborde pas, même pour des sommes de mille.",
    ),
    "two_images_loss": Value(
        reference=2 * np.log(2),
        mistakes={
            "c'est le total des deux images ; la perte est leur moyenne.": (
                4 * np.log(2)
            ),
            "une perte est positive : le logarithme d'une probabilité est négatif, et "
            "l'on en prend l'opposé.": -2 * np.log(2),
            "le logarithme est celui de base e, noté log ou ln, et non celui de "
            "base 2.": 2.0,
            "le logarithme est celui de base e, et non celui de base 10.": (
                2 * np.log10(2)
            ),
            "c'est la moyenne des deux probabilités ; prenez d'abord leurs "
            "logarithmes.": 0.3125,
            "vous avez pris le logarithme de la moyenne ; c'est la moyenne des "
            "logarithmes qu'il faut.": -np.log(0.3125),
            "pour la vache, ce n'est pas la plus grande probabilité qui compte, mais "
            "celle de la bonne classe.": (np.log(2) - np.log(0.75)) / 2,
            "vous avez divisé aussi par le nombre de classes ; on ne divise que par "
            "le nombre d'images.": 2 * np.log(2) / 3,
        },
        success="L'erreur sur la vache pèse trois fois l'hésitation sur l'ours.",
    ),
    "relu_slope": Exercise(
        reference=utilities.DERIVATIVES["relu"],
        cases=[
            (np.array([[0.0, 2.0]]),),
            (utilities.relu(_rng.normal(size=(4, 3))),),
            (utilities.relu(_rng.normal(size=(2, 5))),),
        ],
        mistakes={
            "un neurone éteint a pour sortie exactement 0, et sa pente doit être "
            "nulle ; la vôtre vaut 1 partout.": lambda A: A >= 0,
            "c'est la sortie elle-même ; la pente ne vaut que 0 ou 1.": (
                lambda A: np.maximum(A, 0)
            ),
            "les deux cas sont échangés : un neurone actif laisse passer l'erreur.": (
                lambda A: A <= 0
            ),
            "le seuil est mal placé : une sortie positive, même petite, vient d'un "
            "neurone actif.": lambda A: A > 1,
            "la pente est nulle à gauche de zéro, et non opposée.": (
                lambda A: np.where(A > 0, 1, -1)
            ),
            "au pli, ce cours prend la pente de gauche, qui est nulle.": (
                lambda A: np.where(A > 0, 1, 0.5)
            ),
        },
    ),
    "forward_propagation": Exercise(
        reference=utilities.forward_propagation,
        cases=[
            (_one_image, _one_by_one),
            _network_case([3, 4, 2], 5, _rng),
            _network_case([2, 3, 4, 1], 6, _rng, np.tanh),
            _network_case([4, 2, 3], 7, _rng, np.tanh, utilities.softmax),
            _network_case([3, 1], 4, _rng),
        ],
        mistakes={
            "le biais manque dans la somme pondérée.": _forward_with(hidden="bias"),
            "la dernière couche passe par activation ; la sortie a sa fonction à elle, "
            "output.": _forward_with(last=0),
            "toutes les couches passent par output, qui est réservée à la dernière.": (
                _forward_with(last=1)
            ),
            "les sommes Z sont là, mais aucune n'est passée par une activation.": (
                _forward_with(last=2)
            ),
            "les couches cachées ne plient rien : leur somme doit passer par "
            "activation.": _forward_with(hidden="linear"),
            "il manque l'entrée : la liste commence par X.": _forward_with(
                kept=lambda activations: activations[1:]
            ),
            "il n'y a que la dernière sortie ; la rétropropagation aura besoin de "
            "toutes.": _forward_with(kept=lambda activations: activations[-1]),
            "la liste ne contient que X et la dernière sortie ; gardez celle de chaque "
            "couche.": _forward_with(kept=lambda a: [a[0], a[-1]]),
            "la liste ne contient que X ; il faut y ajouter la sortie de chaque "
            "couche.": _forward_with(kept=lambda activations: activations[:1]),
            "la dernière couche manque.": _forward_with(kept=lambda a: a[:-1]),
            "l'ordre est inversé : X vient en premier.": _forward_with(
                kept=lambda activations: activations[::-1]
            ),
            "deux formes ne vont pas ensemble : l'entrée d'une couche est la sortie de "
            "la précédente, et non X ; l'ordre du produit est A_prev @ W.": (
                _forward_with(entering="X")
            ),
        },
        success="Une boucle, et toute profondeur.",
    ),
    "back_propagation": Exercise(
        reference=utilities.back_propagation,
        cases=[
            (
                np.array([[1.0]]),
                _one_by_one,
                utilities.forward_propagation(_one_image, _one_by_one),
            ),
            _backward_case([3, 4, 1], 5, _rng),
            _backward_case([2, 3, 4, 1], 6, _rng, "tanh"),
            _backward_case([4, 2, 3], 7, _rng, "logistic"),
        ],
        mistakes={
            "la pente de l'activation manque quand l'erreur remonte.": _backward_with(
                slope=False
            ),
            "la pente se calcule avec la sortie A_prev de la couche, et non avec "
            "l'erreur.": _backward_with(slope_of=1),
            "le signe est inversé : une hausse de perte est un gradient positif.": (
                _backward_with(factor=-1)
            ),
            "vous divisez une fois de trop par m : dZ l'est déjà, au départ.": (
                _backward_with(factor="m")
            ),
            "db est une moyenne ; les erreurs des exemples s'additionnent, 1/m est "
            "déjà dans dZ.": _backward_with(
                db=lambda dZ: dZ.mean(axis=0, keepdims=True)
            ),
            "db additionne sur les neurones ; il faut additionner sur les exemples.": (
                _backward_with(db=lambda dZ: dZ.sum(axis=1, keepdims=True))
            ),
            "db n'est pas une ligne de forme (1, n_out) ; gardez l'axe des exemples.": (
                _backward_with(db=lambda dZ: dZ.sum(axis=0))
            ),
            "db est un seul nombre ; il en faut un par neurone.": _backward_with(
                db=np.sum
            ),
            "dW est transposé : sa forme est celle de W, (n_in, n_out).": (
                _backward_with(dW=lambda A, dZ: dZ.T @ A)
            ),
            "l'ordre est inversé : la première paire est celle de la première "
            "couche.": _backward_with(order=-1),
            "deux formes ne vont pas ensemble ; l'une des matrices du produit est à "
            "transposer.": _backward_with(dW=lambda A, dZ: A @ dZ),
        },
        success="Les différences finies vont le confirmer.",
    ),
    "relu_scale": Value(
        reference=1.4,
        condition=_scale_problem,
        success="C'est l'échelle de He : la racine de 2.",
    ),
    "Adam": Exercise(
        reference=utilities.Adam,
        run=_directions,
        # Quatre gradients ou plus : un seul ne dirait rien des moyennes.
        cases=[
            tuple(np.array([g]) for g in (4.0, 4.0, -2.0, 1.0)),
            tuple(_rng.normal(size=(5, 2, 3))),
            tuple(1000 * _rng.normal(size=(6, 4))),
        ],
        mistakes={
            "les moyennes ne sont pas corrigées de leur départ à zéro.": _adam_with(
                correct=False
            ),
            "la correction dépend du nombre de pas : il manque t.": _adam_with(
                power=False
            ),
            "la racine carrée manque sous la fraction.": _adam_with(root=False),
            "la seconde moyenne est celle des carrés du gradient.": _adam_with(
                squared=False
            ),
            "les deux β sont échangés : β₁ va avec le gradient, β₂ avec son carré.": (
                _adam_with(swap=True)
            ),
            "les deux moyennes ne gardent rien du passé ; chacune ne parcourt qu'une "
            "fraction du chemin, 1 − β.": _AdamThatJumps,
            "la division par la racine de l'autre moyenne manque.": _AdamWithoutSquare,
        },
        success="La longueur du pas ne dépend plus de la taille du gradient.",
    ),
    "shuffled_pixels": Value(
        reference="b",
        mistakes={
            "ce serait vrai d'un réseau qui sait quels pixels sont voisins ; "
            "l'expérience qui suit dira si c'est le cas du nôtre.": "a",
            "rien ne se perd dans un mélange qui est le même pour toutes les images ; "
            "l'expérience qui suit le montre.": "c",
        },
        success="L'expérience qui suit le montre, et le texte dit pourquoi.",
    ),
}
