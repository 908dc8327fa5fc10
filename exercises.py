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
