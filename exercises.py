"""Les verdicts des exercices : une ligne dans le carnet, une phrase en réponse.

``loss = exercises.check("loss")`` juge ce que le lecteur a nommé loss, dit en une
phrase si c'est juste ou quelle erreur s'y trouve, et rend de quoi continuer : la
réponse du lecteur si elle est juste, sinon celle du cours. Un exercice laissé de côté,
ou qui s'arrête sur une erreur, ne bloque donc jamais la suite.

Un exercice est un ``Exercise`` ou une ``Value``. Ses erreurs typiques y sont des
réponses fausses, en regard de la phrase qui les explique : une réponse du lecteur qui
se comporte comme l'une d'elles reçoit cette phrase. Les exercices de chaque leçon
suivent, à la fin du fichier, dans l'ordre des carnets.
"""

from __future__ import annotations

import ast
import contextlib
import copy
import dis
import inspect
import io
import itertools
import math
import operator
import os
import random
import re
import sys
import textwrap
import time
import traceback
import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from types import FunctionType, GeneratorType
from unittest import mock

import numpy as np
from IPython import get_ipython
from numpy.lib.stride_tricks import sliding_window_view
from sklearn.datasets import make_blobs, make_circles

import utilities
from utilities import NeuralNetwork, numerical_gradient, sigmoid, step, update

try:
    from IPython.utils.capture import capture_output
except ImportError:  # Basthon n'a d'IPython que l'affichage

    def capture_output() -> contextlib.AbstractContextManager:
        """Rien ne s'affiche."""
        return contextlib.redirect_stdout(io.StringIO())


TIME_LIMIT = 5.0  # secondes, pour tous les essais d'une réponse
TOLERANCE = 1e-6
GRADING_VARIABLE = "EXERCICES_NOTES"  # posée par nbgrader_config.py, pour noter

TO_DO = (
    "À faire : remplacez les points de suspension par votre réponse, puis exécutez sa "
    "cellule ; si elle est déjà là, effacez-les."
)
_MISSING = object()

# --- Le juge --------------------------------------------------------------------------


class _Problem(str):
    """Ce qui remplace le résultat d'un essai manqué : la phrase qui dit pourquoi.

    Deux fois le même problème, même quand la ligne citée n'est pas la même.
    """

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Problem) and _bare(self) == _bare(other)

    __hash__ = str.__hash__


def _bare(problem: str) -> str:
    return re.sub(", à la ligne « .* »", "", problem)


@dataclass(frozen=True)
class Exercise:
    """Un exercice à fonction (ou à classe) : ce qu'il faut écrire, et comment le juger.

    reference : la réponse du cours, rendue à qui ne l'a pas trouvée
    cases : des arguments à essayer, le plus simple d'abord, car c'est lui que le
        verdict cite ; deux au moins, de tailles différentes
    mistakes : {phrase: réponse fausse}, de l'erreur la plus précise à la plus vague
    success : ce que l'on ajoute à « juste », s'il y a une remarque à faire
    run : comment essayer la réponse sur des arguments (par défaut, l'appeler)
    errors : les lignes à lire avant celles de _ERRORS, propres à cet exercice
    in_place : la réponse a le droit de modifier ses arguments
    """

    reference: Callable
    cases: Sequence[tuple]
    mistakes: dict[str, Callable] = field(default_factory=dict)
    success: str = ""
    run: Callable = operator.call
    errors: Sequence[tuple[type, str, str]] = ()
    in_place: bool = False
    loops: bool = True

    def diagnose(self, answer: object) -> str | None:
        """Dit ce qui ne va pas dans la réponse, ou None si elle est juste."""
        if answer is None or answer is Ellipsis:
            return TO_DO
        if not callable(answer):
            return f"on attend {_kind(self.reference)}, et c'est {_kind(answer)}."
        expected = self._expected
        results = self._results(answer, time.monotonic() + TIME_LIMIT)
        if _same(results, expected):
            return None if self.loops or not _has_loop(answer) else NO_LOOP
        if _has_hole(answer):
            return TO_DO
        for sentence, mistake in self.mistakes.items():
            known = (self._try(mistake, case, np.inf) for case in self.cases)
            if all(map(_same, results, known)):  # s'arrête au premier cas qui diffère
                return sentence
        return self._describe(results, expected)

    @cached_property
    def _expected(self) -> list:
        """Ce que donne la réponse du cours, calculé au premier verdict."""
        expected = self._results(self.reference)
        if any(isinstance(result, _Problem) for result in expected):
            raise RuntimeError(f"la réponse du cours échoue : {expected}")
        return expected

    def _results(self, answer: Callable, deadline: float = np.inf) -> list:
        """Ce que donne la réponse, cas après cas, sans dépasser l'heure."""
        return [self._try(answer, case, deadline) for case in self.cases]

    def _try(self, answer: Callable, case: tuple, deadline: float) -> object:
        arguments = copy.deepcopy(case)
        try:
            with _sandbox(), _time_limit(deadline):
                value = self.run(answer, *arguments)
                with contextlib.suppress(TypeError):  # un générateur ne se copie pas
                    value = copy.deepcopy(value)
        except KeyboardInterrupt:
            raise
        except BaseException as error:  # sys.exit() compris : rien ne doit s'échapper
            return _Problem(_explain(error, self.errors))
        if self.in_place or _same(arguments, case):
            return value
        changed = [not _same(*pair) for pair in zip(case, arguments)].index(True)
        names = self._argument_names()
        what = f"l'argument {names[changed]}" if names else "un de ses arguments"
        return _Problem(
            f"votre réponse modifie {what}, qui sert encore ailleurs ; calculez dans "
            "un nouveau tableau."
        )

    def _argument_names(self) -> list[str]:
        """Les noms des arguments, si chaque cas les donne à une fonction."""
        is_function = isinstance(self.reference, FunctionType)
        return list(inspect.signature(self.reference).parameters) * is_function

    def _describe(self, results: list, expected: list) -> str:
        """La première différence avec ce que l'on attend, en une phrase."""
        k = [_same(*pair) for pair in zip(results, expected)].index(False)
        if isinstance(results[k], _Problem):
            return results[k]
        if results[k] is None:
            return "votre fonction ne renvoie rien (None) ; il manque un return."
        is_constant = all(_same(result, results[0]) for result in results)
        is_constant = is_constant and not _has_nan(results[0])
        if is_constant and _kind(results[k]) == _kind(expected[k]):
            return (
                f"votre réponse est toujours {_brief(results[0])}, quels que soient "
                "les arguments ; elle doit se servir d'eux."
            )
        return f"{self._show(self.cases[k])}{_compare(results[k], expected[k])}."

    def _show(self, case: tuple) -> str:
        """« avec X = …, y = …, », quand cela tient en peu de place."""
        names = self._argument_names()
        shown = ", ".join(f"{n} = {_show(v)}" for n, v in zip(names, case))
        return f"avec {shown}, " if 0 < len(shown) < 160 and "<" not in shown else ""


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
        if _contains_hole(answer):
            return TO_DO
        if isinstance(self.reference, float) and isinstance(answer, tuple):  # « 0,5 »
            return "un seul nombre est attendu, et sa virgule s'écrit point : 0.5."
        if not _comparable(answer, self.reference):
            return f"on attend {_form(self.reference)} ; reçu : {_brief(answer)}."
        if self.condition is not None:
            return self.condition(answer)
        if _close(answer, self.reference, self.tolerance):
            return None
        for sentence, mistake in self.mistakes.items():
            if _close(answer, mistake, self.tolerance):
                return sentence
        if isinstance(self.reference, str):
            return "on attend une seule des lettres de l'énoncé, entre guillemets."
        return (
            f"ce n'est pas {_brief(answer)} ; reprenez le calcul, ou ouvrez un indice."
        )


def check(name: str, answer: object = _MISSING) -> object:
    """Affiche le verdict de l'exercice name, et rend de quoi continuer.

    answer : par défaut, ce que le carnet appelle name ; s'il n'a rien de ce nom, parce
    que la cellule du dessus s'arrête sur une erreur, l'exercice est manqué, et la suite
    s'exécute. Renvoie answer si elle est juste, sinon la réponse du cours. Lève
    ValueError si le cours n'a pas d'exercice de ce nom.
    """
    entries = next((entries for entries in LESSONS.values() if name in entries), None)
    if entries is None:
        raise ValueError(
            f"« {name} » n'est pas un exercice de cette version du cours : ce carnet "
            "vient d'une autre. Renommez-le, puis prenez une copie neuve (make lab)."
        )
    if answer is _MISSING:  # par la pile d'appels : Basthon n'a pas de user_ns
        answer = inspect.currentframe().f_back.f_globals.get(name, _MISSING)
    exercise, rank = entries[name], list(entries).index(name) + 1
    # Quand la cellule est rejouée, on y retrouve ce qu'elle a rendu : même verdict.
    handed_back = name in _handed_back and answer is _handed_back[name]
    if answer is _MISSING:
        _problems[name] = (
            f"rien ne s'appelle {name}. Exécutez la cellule du dessus ; si elle "
            "s'arrête sur une erreur, ou donne un autre nom, corrigez-la."
        )
    elif not handed_back:
        try:
            _problems[name] = exercise.diagnose(answer)
        except Exception:  # un objet qui refuse d'être comparé, par exemple
            _problems[name] = "votre réponse n'a pas la forme demandée."
    problem = _problems[name]
    if problem is None:
        sentence = f"Juste. {exercise.success}".rstrip()
    else:
        sentence = problem if problem == TO_DO else f"Pas encore : {problem}"
    print(f"Exercice {rank} sur {len(entries)} · {sentence}")
    if problem is None:
        _solved.add(name)
        return answer
    if os.environ.get(GRADING_VARIABLE) and (shell := get_ipython()):
        # Une erreur montrée sans être levée : zéro point, et la suite s'exécute.
        shell.showtraceback((AssertionError, AssertionError(sentence), None))
    _handed_back[name] = _recognizable(exercise.reference)
    return _handed_back[name]


def progress(lesson: str) -> None:
    """Affiche combien d'exercices de la leçon sont réussis, et ceux qui restent."""
    names = list(LESSONS[lesson])
    left = [f"{k} ({n})" for k, n in enumerate(names, 1) if n not in _solved]
    print(f"Exercices réussis : {len(names) - len(left)} sur {len(names)}.")
    if left:
        print(f"À reprendre : {', '.join(left)}.")


_solved: set[str] = set()  # un essai manqué, ensuite, n'y change rien
_problems: dict[str, str | None] = {}
_handed_back: dict[str, object] = {}


def _recognizable(value: object) -> object:
    """Une copie que « is » distingue même d'un petit entier tapé par le lecteur."""
    kind = type(value)
    if kind in {int, float, str, tuple}:
        return type(kind.__name__, (kind,), {})(value)
    return copy.copy(value)


# --- Exécuter sans risque -------------------------------------------------------------


class _TooLongError(BaseException):
    """La réponse tourne encore après l'heure.

    Python ne suit plus un programme à qui sa trace a envoyé une erreur. Un « except: »
    qui avale celle-ci la détruit : elle fait alors reprendre la surveillance.
    """

    def __init__(self, resume: Callable) -> None:
        self.resume = resume

    def __del__(self) -> None:
        self.resume(sys._getframe(1))


@contextlib.contextmanager
def _time_limit(deadline: float) -> Iterator[None]:
    """Arrête une boucle sans fin, pas à pas : sans fil ni signal, partout."""

    def trace(frame, event, argument):
        # « while True: pass » n'a qu'une ligne : il faut compter les instructions.
        frame.f_trace_opcodes = True
        if time.monotonic() > deadline:
            raise _TooLongError(resume)
        return trace

    def resume(frame):
        if running:
            sys.settrace(trace)
            frame.f_trace, frame.f_trace_opcodes = trace, True

    running, before = True, sys.gettrace()
    sys.settrace(trace)
    try:
        yield
    finally:
        running = False
        sys.settrace(before)
    if time.monotonic() > deadline:
        raise _TooLongError(resume)


def _refuse(error: type[BaseException]) -> Callable:
    def refuse(*args, **kwargs):
        raise error

    return refuse


@contextlib.contextmanager
def _sandbox() -> Iterator[None]:
    """Ni affichage, ni question, ni avertissement ; et nul réglage n'est changé."""
    shell = get_ipython()
    states = random.getstate(), np.random.get_state()  # noqa: NPY002
    with contextlib.ExitStack() as stack:
        stack.enter_context(capture_output())
        stack.enter_context(warnings.catch_warnings(action="ignore"))
        stack.enter_context(np.errstate(all="ignore"))
        stack.enter_context(mock.patch("builtins.input", _refuse(EOFError)))
        if hasattr(shell, "ask_exit"):  # exit() y fermerait le carnet
            refusal = _refuse(SystemExit)
            stack.enter_context(mock.patch.object(shell, "ask_exit", refusal))
        try:
            yield
        finally:
            random.setstate(states[0])
            np.random.set_state(states[1])  # noqa: NPY002


# Une erreur de Python, ce que dit son message, et ce qu'il faut en comprendre.
_ERRORS = (
    (_TooLongError, "", "votre réponse tourne encore après {limit:g} secondes ; une "
     "boucle n'a sans doute pas de fin."),
    (RecursionError, "", "votre fonction s'appelle elle-même sans s'arrêter."),
    (EOFError, "", "votre réponse demande une saisie ; ses arguments lui suffisent."),
    (SystemExit, "", "votre réponse arrête tout (exit) ; terminez-la par return."),
    (UnboundLocalError, "", "« {name} » sert avant d'avoir reçu une valeur ; vérifiez "
     "l'ordre de vos lignes, et ne donnez pas à une variable le nom d'une fonction "
     "que vous appelez."),
    (NameError, r"'(exp|log|abs|sum|mean|zeros|where|maximum|sqrt|tanh)'", "le nom "
     "« {name} » n'existe pas seul ; c'est une fonction de NumPy, np.{name}."),
    ((NameError, AttributeError), "'ln'", "le logarithme népérien, ln, s'écrit "
     "np.log."),
    (NameError, "'e'", "e puissance x s'écrit np.exp(x)."),
    (NameError, "'math'", "le module math n'est pas importé, et ne calcule qu'un "
     "nombre à la fois ; prenez les fonctions de NumPy (np.exp, np.log…)."),
    (NameError, "", "le nom « {name} » n'existe pas ; vérifiez son orthographe, et que "
     "les cellules du dessus ont été exécutées."),
    (AttributeError, "read-only", "une méthode s'appelle avec des parenthèses, sans "
     "signe égal{line} : losses.append(…), par exemple."),
    (AttributeError, "'NoneType'", "ce qui précède « .{name} » vaut None{line} ; ce "
     "qui modifie sur place (append, insert, update) ne renvoie rien : pas de = "
     "devant."),
    (TypeError, "'int' object is not iterable", "une boucle for parcourt une suite, et "
     "c'est un nombre{line} ; for t in range(n) fait n tours."),
    (TypeError, r"\^|bitwise_xor", "en Python, la puissance s'écrit **, et non "
     "^{line}."),
    (AttributeError, "", "« .{name} » n'existe pas ici ; vérifiez son orthographe, et "
     "ce qui se trouve avant le point."),
    (ValueError, "truth value", "un if, un while, un and, un or ou un max porte sur "
     "un tableau entier{line} ; il lui faut un seul vrai ou faux, un seul nombre."),
    ((TypeError, ValueError), "NoneType|enough dimensions", "l'une de vos valeurs est "
     "None, ou un nombre seul, à la place d'un tableau{line} ; une fonction qui "
     "modifie sur place ne renvoie rien."),
    (TypeError, "(length-1|size-1|0-dim).*scalar", "une fonction qui n'accepte qu'un "
     "nombre reçoit un tableau{line} ; celles de NumPy (np.exp, np.log…) le prennent "
     "entier."),
    (IndexError, "must be of integer", "un numéro de case doit être un entier, et "
     "c'est un nombre à virgule ou un tableau{line} ; int(…) en fait un entier."),
    (TypeError, "Cannot cast", "un tableau d'entiers ne reçoit pas sur place (avec /= "
     "ou *=) des nombres à virgule{line} ; calculez dans un nouveau tableau."),
    (TypeError, "positional argument", "le nombre d'arguments ne convient pas{line} ; "
     "comptez-les, dans l'appel et sur la ligne du def."),
    (ValueError, "cannot reshape", "le tableau n'a pas le nombre de cases qu'il faut "
     "pour cette forme{line} ; affichez son .shape, et comparez à l'énoncé."),
    (ValueError, "matmul|broadcast|aligned", "deux tableaux n'ont pas des "
     "formes qui vont ensemble{line} ; affichez leurs .shape, et comparez à l'énoncé."),
    (FloatingPointError, "overflow", "un calcul déborde : il donne inf{line}, et un "
     "avertissement de NumPy."),
    (BaseException, "", "votre réponse s'arrête sur une erreur, {kind}{line} ; "
     "appelez-la dans une cellule à part pour en savoir plus."),
)  # fmt: skip


def _explain(error: BaseException, errors: Sequence[tuple] = ()) -> str:
    """Met en français ce que la réponse a levé."""
    quoted = [*re.findall(r"'(\w+)'", str(error)), None]
    name, kind = getattr(error, "name", None) or quoted[0], type(error).__name__
    sentence = next(
        sentence
        for kinds, words, sentence in (*errors, *_ERRORS)
        if isinstance(error, kinds) and re.search(words, str(error))
    )
    line = _faulty_line(error)
    return sentence.format(limit=TIME_LIMIT, name=name, kind=kind, line=line)


def _faulty_line(error: BaseException) -> str:
    """« , à la ligne … » : la dernière du carnet, quand Python en connaît le texte."""
    frames = traceback.extract_tb(error.__traceback__)
    lines = [f.line for f in frames if "ipykernel" in f.filename or "<" in f.filename]
    return f", à la ligne « {lines[-1]} »" if lines and lines[-1] else ""


# --- Comparer et montrer --------------------------------------------------------------


def _has_hole(answer: Callable) -> bool:
    """Dit s'il reste un trou : des points de suspension pour toute instruction."""
    if isinstance(answer, type):
        methods = (m for m in vars(answer).values() if isinstance(m, FunctionType))
        return any(map(_has_hole, methods))
    nodes = _syntax_nodes(answer)
    if not nodes:
        return isinstance(answer, FunctionType) and _has_compiled_hole(answer)
    values = [getattr(n, "value", 0) for n in nodes if isinstance(n, ast.stmt)]
    return any(getattr(value, "value", 0) is Ellipsis for value in values)


NO_LOOP = (
    "les nombres sont justes, mais l'énoncé demande de se passer de boucle : NumPy "
    "calcule toutes les cases à la fois."
)


def _has_loop(answer: Callable) -> bool:
    """Dit si le texte contient une boucle, quand Python le connaît."""
    loops = ast.For, ast.While, ast.comprehension
    return any(isinstance(node, loops) for node in _syntax_nodes(answer))


def _syntax_nodes(answer: Callable) -> list[ast.AST]:
    """Les nœuds de son texte, ou aucun si Python ne le connaît pas."""
    try:
        text = textwrap.dedent(inspect.getsource(answer))
        return list(ast.walk(ast.parse(text)))
    except (OSError, TypeError, SyntaxError):
        return []


def _has_compiled_hole(function: FunctionType) -> bool:
    """La même chose sans le texte, où ne restent que « x = ... » et un corps vide."""
    steps = list(dis.get_instructions(function))
    stored = (b.opname[:5] for a, b in itertools.pairwise(steps) if a.argval is ...)
    is_empty = all(s.argval is None or s.opname in {"RESUME", "NOP"} for s in steps)
    return is_empty or bool({"STORE", "RETUR"} & set(stored))


def _contains_hole(answer: object) -> bool:
    if isinstance(answer, tuple | list):
        return any(map(_contains_hole, answer))
    return answer is Ellipsis or answer is None


def _same(first: object, second: object) -> bool:
    """Même structure, mêmes formes, mêmes nombres à TOLERANCE près."""
    if isinstance(first, tuple | list) and isinstance(second, tuple | list):
        return len(first) == len(second) and all(map(_same, first, second))
    if _is_numeric(first) and _is_numeric(second):
        return (
            np.shape(first) == np.shape(second)
            and np.iscomplexobj(first) == np.iscomplexobj(second)
            and np.allclose(first, second, TOLERANCE, atol=1e-9, equal_nan=True)
        )
    both_text = isinstance(first, str) and type(first) is type(second)
    return first is second or (both_text and first == second)


def _is_numeric(value: object) -> bool:
    is_number = isinstance(value, np.ndarray | np.generic | int | float | complex)
    return is_number and np.asarray(value).dtype.kind in "biufc"


def _has_nan(value: object) -> bool:
    return _is_numeric(value) and bool(np.isnan(value).any())


def _comparable(answer: object, reference: object) -> bool:
    """Dit si la réponse est un texte, ou des nombres, comme on l'attend."""
    if isinstance(reference, str) or isinstance(answer, str):
        return isinstance(reference, str) and isinstance(answer, str)
    try:
        numbers = np.asarray(answer)
    except (TypeError, ValueError, OverflowError):
        return False
    if numbers.dtype.kind not in "biuf":  # des textes, par exemple
        return False
    return numbers.shape == np.shape(reference) and bool(np.isfinite(numbers).all())


def _close(answer: object, reference: object, tolerance: float) -> bool:
    if isinstance(reference, str):
        return answer.strip().casefold() == reference.casefold()
    return bool(np.allclose(answer, reference, rtol=tolerance, atol=1e-3 * tolerance))


def _form(reference: object) -> str:
    if isinstance(reference, str):
        return "un texte entre guillemets"
    shape = np.shape(reference)
    if len(shape) == 2:
        return f"{shape[0]} groupes de {shape[1]} nombres"
    numbers = f"{shape[0]} nombres, entre parenthèses" if shape else "un nombre"
    return f"{numbers} (sans guillemets)"


_KINDS = {
    type: "une classe",
    bool | np.bool_: "un booléen",
    complex | np.complexfloating: "un nombre complexe",
    int | float | np.number: "un nombre",
    str: "un texte",
    dict: "un dictionnaire",
    GeneratorType: "un générateur (yield à la place de return)",
    Callable: "une fonction",
    object: "un objet d'une autre sorte",
}


def _kind(value: object) -> str:
    """Ce que c'est, avec sa taille ou sa forme."""
    if value is None:
        return "None"
    if isinstance(value, np.ndarray) and value.shape:
        numbers = {"c": " de nombres complexes", "O": " d'objets", "U": " de textes"}
        return f"un tableau{numbers.get(value.dtype.kind, '')} de forme {value.shape}"
    if isinstance(value, tuple | list):
        what = "une liste de " * isinstance(value, list)
        return f"{what}{len(value)} valeur{'s' * (len(value) > 1)}"
    value = value.item() if isinstance(value, np.ndarray) else value
    return next(name for kind, name in _KINDS.items() if isinstance(value, kind))


def _show(value: object) -> str:
    """Écrit une valeur comme Python, arrondie, sur une ligne."""
    if isinstance(value, tuple | list):
        inside = ", ".join(map(_show, value))
        comma = "," * (len(value) == 1)
        return f"({inside}{comma})" if isinstance(value, tuple) else f"[{inside}]"
    if isinstance(value, np.ndarray):
        text = np.array2string(value, precision=4, separator=", ", threshold=100)
        return " ".join(text.split())
    if isinstance(value, float | np.floating):
        return f"{value:.4g}"
    value = value.item() if isinstance(value, np.generic) else value
    return getattr(value, "__name__", None) or repr(value)


def _brief(value: object) -> str:
    """Sa valeur si elle est courte, sinon ce que c'est."""
    text = _show(value)
    return text if len(text) <= 60 and "<" not in text else _kind(value)


def _compare(value: object, wanted: object) -> str:
    """« on attend …, et votre réponse donne … », par la différence la plus parlante."""
    both = isinstance(wanted, tuple | list) and isinstance(value, tuple | list)
    if both and len(wanted) == len(value) < 10:
        k = [_same(*pair) for pair in zip(value, wanted)].index(False)
        return f"à la place n° {k + 1}, {_compare(value[k], wanted[k])}"
    kinds = _kind(wanted), _kind(value)
    if kinds[0] != kinds[1]:
        return f"on attend {kinds[0]}, et votre réponse donne {kinds[1]}"
    if _has_nan(value) and not _has_nan(wanted):
        return (
            "votre réponse contient nan, ce que donne un calcul comme 0/0, 0 × log(0) "
            "ou log(−1)"
        )
    wanted_text, text = _show(wanted), _show(value)
    if wanted_text == text and "..." not in text:  # rien de montré n'est abrégé
        return "vos nombres sont presque justes ; il ne faut ni arrondi, ni petit ajout"
    if wanted_text == text or len(wanted_text) + len(text) > 160:
        return "la forme est bonne, mais pas les nombres"
    return f"on attend {wanted_text}, et votre réponse donne {text}"


# --- Les exercices, leçon par leçon ---------------------------------------------------

LESSONS: dict[str, dict[str, Exercise | Value]] = {}

# --- Leçon 01


def _neuron_errors(w_1: float, w_2: float, b: float) -> tuple[int, int]:
    """Plantes de la leçon mal classées par ces poids, et plantes dites toxiques."""
    X, y = make_blobs(n_samples=100, n_features=2, centers=2, random_state=0)
    answers = X @ [w_1, w_2] + b >= 0
    return int((answers != y).sum()), int(answers.sum())


def _by_hand_condition(answer: tuple[float, float, float]) -> str | None:
    w_1, w_2, b = map(float, answer)
    if w_1 == w_2 == 0:
        return "sans w_1 ni w_2, il n'y a plus de droite ; donnez-leur une valeur."
    errors, n_toxic = _neuron_errors(w_1, w_2, b)
    if errors <= 10:
        return None
    if n_toxic in {0, 100}:
        return (
            "les cent plantes sont du même côté de votre droite, qui passe en dehors "
            "du nuage ; ramenez-la entre les deux classes."
        )
    if errors >= 90:
        return (
            f"votre droite est bien placée, mais à l'envers ({errors} erreurs) ; "
            "changez le signe des trois nombres."
        )
    return (
        f"votre droite se trompe sur {errors} plantes ; il en faut 10 au plus. Tournez-"
        "la avec w_1 et w_2, puis déplacez-la avec b."
    )


def _sigma(Z: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-Z))


def _sigma_by_cells(Z):
    A = np.zeros(Z.shape)
    for i in range(Z.shape[0]):
        for j in range(Z.shape[1]):
            A[i, j] = _sigma(Z[i, j])
    return A


def _without_module(name: str) -> Callable:
    """Une réponse qui appelle exp, ou math.exp, sans que ce nom existe."""

    def wrong(*arguments):
        raise NameError(f"name '{name}' is not defined", name=name)

    return wrong


def _loss(y: np.ndarray, A: np.ndarray) -> float:
    return -np.mean(y * np.log(A) + (1 - y) * np.log(1 - A))


def _likelihoods(y, A):
    return y * A + (1 - y) * (1 - A)


def _neuron_gradients(
    X: np.ndarray, y: np.ndarray, A: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    dZ = (A - y) / len(y)
    dW = X.T @ dZ
    db = dZ.sum(axis=0, keepdims=True)
    return dW, db


def _moved(parameter, gradient, learning_rate):
    update(parameter, gradient, learning_rate)
    return parameter


def _moved_gradient(parameter, gradient, learning_rate):
    update(gradient, parameter, learning_rate)
    return parameter


def _noted(losses, value):
    return [*losses, value]


def _descend(
    X: np.ndarray, y: np.ndarray, learning_rate: float, n_iter: int
) -> tuple[np.ndarray, np.ndarray, list[float]]:
    return _descend_by()(X, y, learning_rate, n_iter)


def _descend_by(
    gradients=_neuron_gradients,
    activation=_sigma,
    measure=_loss,
    note=_noted,
    move_W=_moved,
    move_b=_moved,
) -> Callable:
    """La descente, dont une étape peut être fausse."""

    def descend(X, y, learning_rate, n_iter):
        W, b = np.zeros((X.shape[1], 1)), np.zeros((1, 1))
        losses = []
        for _ in range(n_iter):
            A = activation(X @ W + b)
            losses = note(losses, measure(y, A))
            dW, db = gradients(X, y, A)
            W = move_W(W, dW, learning_rate)
            b = move_b(b, db, learning_rate)
        return W, b, losses

    return descend


_TWO_GRADIENTS = (
    "neuron_gradients rend deux tableaux ; recevez-les dans deux noms, dW et db, "
    "séparés par une virgule."
)


def _descend_at_once(X, y, learning_rate, n_iter):
    return learning_rate * _neuron_gradients(X, y, y)


def _descend_losses_late(X, y, learning_rate, n_iter):
    W, b, _ = _descend(X, y, learning_rate, n_iter)
    return W, b, _descend(X, y, learning_rate, n_iter + 1)[2][1:]


def _descend_stale(X, y, learning_rate, n_iter):
    W, b, losses = _descend(X, y, learning_rate, 1)
    return n_iter * W, n_iter * b, n_iter * losses


def _still(parameter, gradient, learning_rate):
    return parameter


def _sum_of_squares(p: np.ndarray) -> float:
    return float(np.sum(p**2))


def _sum_of_cubes(p: np.ndarray) -> float:
    return float(np.sum(p**3))


def _product(p: np.ndarray) -> float:
    return float(p[0, 0] * p[1, 0])


# Le verdict cite ces noms.
_sum_of_squares.__name__ = "somme_des_carrés"
_sum_of_cubes.__name__ = "somme_des_cubes"
_product.__name__ = "produit"


def _differences(
    factor: float = 2, forget: bool = True, backward: int = 1, power: int = 1
) -> Callable:
    """Différences finies fausses : diviseur, décalage jamais effacé, côté manquant."""

    def wrong(function, parameter, epsilon=1e-6):
        gradient = np.zeros_like(parameter, dtype=float)
        shift = np.zeros_like(gradient)
        for index in np.ndindex(parameter.shape):
            if forget:
                shift[...] = 0
            shift[index] = epsilon
            low = function(parameter - backward * shift)
            rise = function(parameter + shift) - low
            gradient[index] = rise / (factor * epsilon**power)
        return gradient

    return wrong


def _differences_all_shifted(factor: float = 2, scalars: bool = True) -> Callable:
    def wrong(function, parameter, epsilon=1e-6):
        _refuse_scalar(parameter.ndim or scalars)
        rise = function(parameter + epsilon) - function(parameter - epsilon)
        return np.full(parameter.shape, rise / (factor * epsilon))

    return wrong


def _differences_of_cells(factor: float = 2) -> Callable:
    def wrong(function, parameter, epsilon=1e-6):
        def slope(value):
            rise = function(value + epsilon) - function(value - epsilon)
            return rise / (factor * epsilon)

        cells = [slope(parameter[index]) for index in np.ndindex(parameter.shape)]
        return np.reshape(cells, parameter.shape)

    return wrong


def _differences_of_arrays(function, parameter, epsilon=1e-6):
    _refuse_scalar(parameter.ndim)
    return numerical_gradient(function, parameter, epsilon)


def _refuse_scalar(is_accepted: bool) -> None:
    """Ce que fait « shift[:] », ou « shape[0] », sur un tableau de forme ()."""
    if not is_accepted:
        raise IndexError


def _differences_first_only(function, parameter, epsilon=1e-6):
    gradient = numerical_gradient(function, parameter, epsilon)
    gradient.ravel()[1:] = 0
    return gradient


def _differences_by_rows(function, parameter, epsilon=1e-6):
    _, _ = parameter.shape[0], parameter.shape[1]  # deux boucles, lignes et colonnes
    return numerical_gradient(function, parameter, epsilon)


def _columns(n_samples: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    y = rng.integers(2, size=(n_samples, 1))  # des entiers, comme ceux de make_blobs
    return y, rng.uniform(0.05, 0.95, size=(n_samples, 1))


def _plants(n_samples: int, n_features: int, seed: int) -> tuple[np.ndarray, ...]:
    X = np.random.default_rng(seed).normal(size=(n_samples, n_features))
    return X, *_columns(n_samples, seed)


LESSONS["01"] = {
    "z_by_hand": Value(
        reference=-1.0,
        mistakes={
            "vous avez oublié le biais ; ajoutez-le à la somme pondérée.": 2.0,
            "le biais vaut −3 : il s'ajoute avec son signe, donc on retranche 3.": 5.0,
            "la première mesure est négative : 2 × (−1) fait −2, et non 2.": 3.0,
            "chaque poids multiplie sa propre mesure : w₁ va avec x₁, w₂ avec x₂.": 4.0,
        },
        success="z est négatif : le neurone dit « comestible ».",
    ),
    "by_hand": Value(
        reference=(1.4, -1.4, 1.8),
        condition=_by_hand_condition,
        success="Vous venez de faire, à la main, ce que la machine apprendra à faire.",
    ),
    "sigma": Exercise(
        reference=_sigma,
        loops=False,
        success="NumPy passe toutes les cases à la fois, sans boucle ni if.",
        cases=[
            (np.array([[0.0], [2.0]]),),
            (np.array([[-3.0, 1.0, 0.5]]),),
            (np.random.default_rng(0).normal(scale=3, size=(4, 3)),),
            (np.array(-1.5),),
        ],
        mistakes={
            "exp seul n'est pas connu de Python ; celle de NumPy s'écrit "
            "np.exp.": _without_module("exp"),
            "le module math n'est pas importé, et ne calcule qu'un nombre à la fois ; "
            "prenez np.exp.": _without_module("math"),
            "math.exp n'accepte qu'un seul nombre ; np.exp accepte un "
            "tableau.": lambda Z: 1 / (1 + math.exp(-Z)),
            "votre courbe descend quand z augmente ; regardez le signe dans "
            "l'exponentielle, ou le numérateur.": lambda Z: 1 / (1 + np.exp(Z)),
            "c'est 1 + exp(−z) : il reste à diviser 1 par tout cela, entre "
            "parenthèses.": lambda Z: 1 + np.exp(-Z),
            "il y a un signe moins au dénominateur, là où il faut un plus.": lambda Z: (
                1 / (1 - np.exp(-Z))
            ),
            "l'exponentielle seule dépasse 1 ; une probabilité doit rester entre 0 "
            "et 1.": np.exp,
            "c'est la marche : elle saute de 0 à 1, alors qu'il faut une pente "
            "douce.": step,
            "il manque le signe moins de l'exposant, et la division "
            "de 1 par le tout.": lambda Z: 1 + np.exp(Z),
            "vous rendez une liste ; sans boucle, l'expression rend un "
            "tableau.": lambda Z: [_sigma(z) for z in Z],
            "vos nombres sont justes, mais une boucle ne parcourt pas un tableau sans "
            "ligne ; np.exp accepte Z en entier, sans "
            "boucle.": lambda Z: np.array([_sigma(z) for z in Z]),
            "vos boucles supposent des lignes et des colonnes ; np.exp accepte Z en "
            "entier, quelle que soit sa forme.": _sigma_by_cells,
        },
    ),
    "loss": Exercise(
        reference=_loss,
        loops=False,
        cases=[
            (np.array([[1.0], [0.0]]), np.array([[0.8], [0.5]])),
            _columns(5, seed=1),
            _columns(8, seed=2),
            _columns(2000, seed=8),
        ],
        mistakes={
            "votre perte est négative ; il manque un signe moins.": lambda y, A: (
                -_loss(y, A)
            ),
            "c'est la somme des pertes, elle grandit avec le nombre de plantes ; il en "
            "faut la moyenne.": lambda y, A: len(y) * _loss(y, A),
            "vous divisez toujours par 2, le nombre de plantes de l'exemple ; divisez "
            "par leur nombre, len(y), ou prenez np.mean.": lambda y, A: (
                len(y) / 2 * _loss(y, A)
            ),
            "votre résultat est un tableau d'une case, au lieu d'un nombre : np.mean "
            "sans axis, sans boucle (dans une boucle, A[i] est encore une "
            "ligne).": lambda y, A: np.reshape(_loss(y, A), 1),
            "votre résultat est un tableau d'une ligne et d'une colonne, au lieu d'un "
            "nombre ; prenez np.mean de la colonne.": lambda y, A: np.reshape(
                _loss(y, A), (1, 1)
            ),
            "p est ici la probabilité donnée à la mauvaise réponse : pour une plante "
            "toxique (y = 1), p vaut A.": lambda y, A: _loss(1 - y, A),
            "vous prenez le logarithme de la moyenne ; il faut la moyenne des "
            "logarithmes.": lambda y, A: -np.log(np.mean(_likelihoods(y, A))),
            "c'est la moyenne des p ; il manque leur logarithme, et un signe "
            "moins.": lambda y, A: np.mean(_likelihoods(y, A)),
            "il manque le logarithme : vous moyennez −p.": lambda y, A: (
                -np.mean(_likelihoods(y, A))
            ),
            "en Python, 1 - y * b ne retranche que y * b : mettez 1 − y entre "
            "parenthèses.": lambda y, A: (
                -np.mean(y * np.log(A) + 1 - y * np.log(1 - A))
            ),
            "c'est l'écart moyen entre y et A ; la perte demandée est la moyenne des "
            "−log p.": lambda y, A: np.mean(np.abs(y - A)),
            "avec 2000 plantes, le produit des p est arrondi à zéro ; prenez les "
            "logarithmes d'abord, et additionnez-les.": lambda y, A: (
                -np.log(np.prod(_likelihoods(y, A))) / len(y)
            ),
            "il faut un seul nombre, la moyenne sur les plantes, et non un par "
            "plante.": lambda y, A: -(y * np.log(A) + (1 - y) * np.log(1 - A)),
            "les plantes comestibles (y = 0) ne coûtent rien chez vous ; il manque "
            "leur terme.": lambda y, A: -np.mean(y * np.log(A)),
            "les plantes toxiques (y = 1) ne coûtent rien chez vous ; il manque leur "
            "terme.": lambda y, A: -np.mean((1 - y) * np.log(1 - A)),
            "pour une plante comestible, la bonne réponse a la probabilité 1 − A, "
            "et vous y prenez le logarithme de A.": lambda y, A: (
                -np.mean(np.log(A) + 0 * y)
            ),
            "l'un des deux termes a le mauvais signe : ils s'ajoutent, et le signe "
            "moins porte sur leur somme.": lambda y, A: (
                -np.mean(y * np.log(A) - (1 - y) * np.log(1 - A))
            ),
            "votre perte est infinie : vous prenez le logarithme d'un nombre nul, y ou "
            "un produit par y ; il faut ceux de A et de 1 − A.": lambda y, A: _loss(
                A, y
            ),
            "un if ne choisit pas case par case, et y est une colonne ; multipliez "
            "plutôt par y et par 1 − y.": lambda y, A: (
                -np.log(A) if y == 1 else -np.log(1 - A)
            ),
            "c'est le carré de l'erreur ; la perte demandée se calcule avec des "
            "logarithmes.": lambda y, A: np.mean((A - y) ** 2),
            "le logarithme du cours est le népérien, np.log.": lambda y, A: (
                _loss(y, A) / np.log(10)
            ),
        },
    ),
    "numerical_gradient": Exercise(
        reference=numerical_gradient,
        success="L'arbitre est redevenu impartial.",
        cases=[
            (_sum_of_squares, np.array([[3.0]])),
            (_sum_of_squares, np.array([[1.0], [-2.0]])),
            (_product, np.array([[2.0], [3.0]])),
            (_sum_of_cubes, np.array([[1.0, 2.0, -0.5], [0.3, 0.7, 1.1]]), 0.1),
            (_sum_of_cubes, np.array([1.0, -2.0, 0.5])),
            (_sum_of_squares, np.array(0.5)),
        ],
        mistakes={
            "c'est encore l'arbitre fautif : il annonce 12 au lieu de 6. Cherchez "
            "d'abord de combien le paramètre a bougé entre les deux "
            "mesures.": _differences(factor=1, forget=False),
            "une faute de moins. L'autre se voit avec deux cases : la première reste "
            "décalée pendant que l'on mesure la seconde.": _differences(forget=False),
            "une faute de moins. L'autre est un facteur : de −ε à +ε, le paramètre n'a "
            "pas bougé de ε.": _differences(factor=1),
            "il faut mesurer de part et d'autre, à −ε et à +ε ; vous partez du "
            "milieu.": _differences(factor=1, backward=0),
            "vous ne mesurez que d'un côté, et divisez comme s'il y en avait "
            "deux.": _differences(backward=0),
            "le signe est inversé : la mesure à +ε vient d'abord.": (
                _differences(factor=-2)
            ),
            "en Python, a / 2 * b multiplie par b : mettez le diviseur, 2 * epsilon, "
            "entre parenthèses.": _differences(power=-1),
            "mettez le diviseur, 2 * epsilon, entre parenthèses : a / 2 * b multiplie "
            "par b. Il reste aussi une faute dans shift.": _differences(
                power=-1, forget=False
            ),
            "vous divisez par 2, et il manque ε au diviseur.": _differences(power=0),
            "vous décalez toutes les cases à la fois ; shift vaut ε dans une seule "
            "case, et 0 dans les autres.": _differences_all_shifted(factor=2),
            "vous décalez toutes les cases à la fois ; shift vaut ε dans une seule "
            "case. Le diviseur est aussi à reprendre.": _differences_all_shifted(
                factor=1
            ),
            "« shift[:] » décale toutes les cases à la fois ; une seule doit valoir ε, "
            "et les autres 0.": _differences_all_shifted(scalars=False),
            "« shift[:] » décale toutes les cases à la fois ; une seule doit valoir ε. "
            "Le diviseur est aussi à reprendre.": _differences_all_shifted(
                factor=1, scalars=False
            ),
            "vous ne donnez à function qu'une seule case ; elle attend tout le "
            "tableau, dont une seule case a bougé.": _differences_of_cells(),
            "vous ne donnez à function qu'une seule case ; elle attend tout le "
            "tableau. Le diviseur est aussi à reprendre.": _differences_of_cells(
                factor=1
            ),
            "c'est juste, sauf pour un paramètre d'un seul nombre, de forme () : ni "
            "« shift[:] » ni une boucle sur les lignes n'y conviennent ; np.zeros_like "
            "et np.ndindex, si.": _differences_of_arrays,
            "seule la première case est mesurée : le return est sans doute dans la "
            "boucle.": _differences_first_only,
            "vos boucles supposent des lignes et des colonnes ; np.ndindex parcourt un "
            "tableau de toute forme, comme celui d'une case.": _differences_by_rows,
            "servez-vous de epsilon, reçu en argument, et non de 1e-6.": (
                lambda function, parameter, epsilon=1e-6: numerical_gradient(
                    function, parameter
                )
            ),
            "c'est bien une pente, mais mesurée de −ε/2 à +ε/2 ; la formule décale de "
            "ε de chaque côté.": lambda function, parameter, epsilon=1e-6: (
                numerical_gradient(function, parameter, epsilon / 2)
            ),
            "la pente est deux fois trop petite : relisez le diviseur.": _differences(
                factor=4
            ),
        },
    ),
    "neuron_gradients": Exercise(
        reference=_neuron_gradients,
        loops=False,
        success="Faites-le confirmer par l'arbitre de l'exercice 5.",
        cases=[
            (
                np.array([[1.0, 3.0], [2.0, 0.0]]),
                np.array([[1.0], [0.0]]),
                np.array([[0.5], [0.9]]),
            ),
            _plants(1, 3, seed=3),
            _plants(5, 2, seed=4),
            _plants(4, 6, seed=5),
        ],
        mistakes={
            "le signe est inversé : l'erreur est A − y.": lambda X, y, A: (
                _neuron_gradients(X, A, y)
            ),
            "c'est la somme sur les plantes ; la perte est une moyenne, il manque "
            "1/m.": lambda X, y, A: (X.T @ (A - y), (A - y).sum(axis=0, keepdims=True)),
            "dW est juste, mais db n'est pas divisé par le nombre de "
            "plantes.": lambda X, y, A: (
                _neuron_gradients(X, y, A)[0],
                (A - y).sum(axis=0, keepdims=True),
            ),
            "db est juste, mais dW n'est pas divisé par le nombre de "
            "plantes.": lambda X, y, A: (
                X.T @ (A - y),
                _neuron_gradients(X, y, A)[1],
            ),
            "vous divisez par le nombre de cases de X ; la moyenne se prend sur les "
            "plantes, len(y).": lambda X, y, A: tuple(
                gradient / X.shape[1] for gradient in _neuron_gradients(X, y, A)
            ),
            "db est juste, mais dW est divisé par le nombre de cases de X ; la moyenne "
            "se prend sur les plantes, len(y).": lambda X, y, A: (
                _neuron_gradients(X, y, A)[0] / X.shape[1],
                _neuron_gradients(X, y, A)[1],
            ),
            "vous divisez toujours par 2, le nombre de plantes de l'exemple ; "
            "divisez par len(y).": lambda X, y, A: tuple(
                gradient * len(y) / 2 for gradient in _neuron_gradients(X, y, A)
            ),
            "dW est juste, mais db contient encore une valeur par plante ; on "
            "additionne les lignes, avec axis=0.": lambda X, y, A: (
                _neuron_gradients(X, y, A)[0],
                (A - y) / len(y),
            ),
            "dW est juste, mais axis=1 additionne dans chaque ligne ; on additionne "
            "les lignes entre elles, avec axis=0, et keepdims.": lambda X, y, A: (
                _neuron_gradients(X, y, A)[0],
                (A - y).ravel() / len(y),
            ),
            "il manque la transposée de X : (n, m) par (m, 1) donne (n, "
            "1).": lambda X, y, A: (
                X @ (A - y) / len(y),
                _neuron_gradients(X, y, A)[1],
            ),
            "« * » multiplie case par case ; le produit de matrices, qui additionne "
            "sur les plantes, s'écrit « @ ».": lambda X, y, A: (
                X.T * ((A - y) / len(y)),
                _neuron_gradients(X, y, A)[1],
            ),
            "dans dW, chaque mesure multiplie l'erreur de sa plante, mais il reste à "
            "additionner sur les plantes : un produit de matrices, « @ », fait les "
            "deux.": lambda X, y, A: (
                X * (A - y) / len(y),
                _neuron_gradients(X, y, A)[1],
            ),
            "les nombres sont justes, mais dW doit être une colonne, de forme (n, 1) "
            "comme W ; un produit de matrices la donne.": lambda X, y, A: (
                _neuron_gradients(X, y, A)[0].ravel(),
                _neuron_gradients(X, y, A)[1],
            ),
            "les nombres sont justes, mais dW est une ligne ; il faut une colonne, de "
            "forme (n, 1) comme W.": lambda X, y, A: (
                _neuron_gradients(X, y, A)[0].T,
                _neuron_gradients(X, y, A)[1],
            ),
            "les nombres sont justes, mais dW doit avoir la forme (n, 1), comme W, et "
            "db la forme (1, 1), comme b.": lambda X, y, A: (
                _neuron_gradients(X, y, A)[0].ravel(),
                np.mean(A - y),
            ),
            "dW est un seul nombre : votre somme mélange les mesures ; il faut une "
            "pente par mesure.": lambda X, y, A: (
                np.sum(X * (A - y)) / len(y),
                _neuron_gradients(X, y, A)[1],
            ),
            "dW est un seul nombre : votre moyenne mélange les mesures ; il faut une "
            "pente par mesure.": lambda X, y, A: (
                np.mean(X * (A - y)),
                _neuron_gradients(X, y, A)[1],
            ),
            "db est juste, mais dW est divisé deux fois par le nombre de "
            "plantes.": lambda X, y, A: (
                _neuron_gradients(X, y, A)[0] / len(y),
                _neuron_gradients(X, y, A)[1],
            ),
            "dW est juste, mais db est divisé deux fois par le nombre de plantes ; dZ "
            "l'est déjà, il suffit d'additionner.": lambda X, y, A: (
                _neuron_gradients(X, y, A)[0],
                _neuron_gradients(X, y, A)[1] / len(y),
            ),
            "les nombres sont justes, mais db doit avoir la forme (1, 1), comme b : "
            "pensez à keepdims.": lambda X, y, A: (
                _neuron_gradients(X, y, A)[0],
                np.mean(A - y, axis=0),
            ),
            "les nombres sont justes, mais db est un nombre seul ; il lui faut la "
            "forme (1, 1), comme b.": lambda X, y, A: (
                _neuron_gradients(X, y, A)[0],
                np.mean(A - y),
            ),
            "vous divisez deux fois par le nombre de plantes.": lambda X, y, A: tuple(
                gradient / len(y) for gradient in _neuron_gradients(X, y, A)
            ),
            "vous divisez par le nombre de mesures ; la moyenne se prend sur les "
            "plantes, len(y).": lambda X, y, A: tuple(
                gradient * len(y) / X.shape[1]
                for gradient in _neuron_gradients(X, y, A)
            ),
            "le facteur a (1 − a) s'est simplifié : il ne doit plus "
            "paraître.": lambda X, y, A: _neuron_gradients(
                X, 0 * y, (A - y) * A * (1 - A)
            ),
            "vous rendez db avant dW ; l'énoncé demande l'inverse.": lambda X, y, A: (
                _neuron_gradients(X, y, A)[::-1]
            ),
        },
    ),
    "descend": Exercise(
        reference=_descend,
        success="Cette boucle entraînera tous les réseaux du cours.",
        cases=[
            (np.array([[1.0], [-1.0]]), np.array([[1.0], [0.0]]), 0.5, 2),
            (*_plants(6, 1, seed=9)[:2], 0.3, 1),
            (*_plants(5, 2, seed=6)[:2], 0.1, 4),
            (*_plants(7, 3, seed=7)[:2], 2.0, 6),
        ],
        errors=[
            (TypeError, "multiply sequence", _TWO_GRADIENTS),
            (NameError, "'d[Wb]'", _TWO_GRADIENTS),
        ],
        mistakes={
            "update modifie sur place et ne renvoie rien : n'écrivez ni « W = » ni "
            "« b = » devant.": _descend_by(move_W=update, move_b=update),
            "update modifie sur place et ne renvoie rien : n'écrivez pas « W = » "
            "devant.": _descend_by(move_W=update),
            "update modifie sur place et ne renvoie rien : n'écrivez pas « b = » "
            "devant.": _descend_by(move_b=update),
            _TWO_GRADIENTS: _descend_at_once,
            "vous recevez db avant dW ; neuron_gradients les rend dans l'autre "
            "ordre.": _descend_by(lambda *case: _neuron_gradients(*case)[::-1]),
            "losses.append allonge la liste et ne renvoie rien : n'écrivez pas "
            "« losses = » devant.": _descend_by(
                note=lambda losses, value: losses.append(value)
            ),
            "« losses = loss(…) » remplace la liste par un nombre ; allongez-la, avec "
            "losses.append.": _descend_by(note=lambda losses, value: value),
            "« += » n'ajoute pas un nombre à une liste ; allongez-la, avec "
            "losses.append.": _descend_by(note=operator.iadd),
            "les poids sont justes, mais la perte est infinie : y vient d'abord, "
            "puis A.": _descend_by(measure=lambda y, A: _loss(A, y)),
            "ni W ni b ne bougent : chacun doit faire un pas ; et update attend "
            "d'abord le paramètre, puis son gradient.": _descend_by(
                move_W=_moved_gradient, move_b=_moved_gradient
            ),
            "vos pas montent la pente au lieu de la descendre ; regardez leur signe, "
            "ou l'ordre de y et A.": lambda X, y, learning_rate, n_iter: _descend(
                X, y, -learning_rate, n_iter
            ),
            "le biais ne bouge pas : il fait un pas, lui aussi.": _descend_by(
                move_b=_still
            ),
            "les poids W ne bougent pas : ils font un pas, eux aussi.": _descend_by(
                move_W=_still
            ),
            "la longueur des pas ne tient pas compte de "
            "learning_rate.": lambda X, y, learning_rate, n_iter: _descend(
                X, y, 1, n_iter
            ),
            "A est encore la somme pondérée ; il manque la sigmoïde, que neuron "
            "applique.": _descend_by(activation=lambda Z: Z),
            "votre taux vaut toujours 0.1 ; servez-vous de learning_rate, reçu en "
            "argument.": lambda X, y, learning_rate, n_iter: _descend(
                X, y, 0.1, n_iter
            ),
            "la descente s'arrête après un pas : il manque la boucle, ou le return est "
            "dedans.": lambda X, y, learning_rate, n_iter: _descend(
                X, y, learning_rate, 1
            ),
            "il manque un tour : range(n_iter) en fait n_iter, de 0 à "
            "n_iter − 1.": lambda X, y, learning_rate, n_iter: _descend(
                X, y, learning_rate, n_iter - 1
            ),
            "la boucle fait un tour de trop : range(n_iter) en fait n_iter, de 0 à "
            "n_iter − 1.": lambda X, y, learning_rate, n_iter: _descend(
                X, y, learning_rate, n_iter + 1
            ),
            "les poids sont justes, mais la liste losses est vide ; ajoutez-y la "
            "perte à chaque tour.": lambda *case: (*_descend(*case)[:2], []),
            "les poids sont justes, mais chaque perte est notée après le pas ; on la "
            "veut avant.": _descend_losses_late,
            "les réponses A ne sont calculées qu'une fois ; elles changent à chaque "
            "pas.": _descend_stale,
        },
    ),
    "rate_prediction": Value(
        reference="b",
        mistakes={
            "si près du fond, dix fois plus long ne veut pas dire dix fois plus vite ; "
            "regardez la figure qui suit.": "a",
            "c'est ce qui arrive avec d'autres pertes ; regardez, sur la figure qui "
            "suit, ce que fait celle-ci.": "c",
        },
        success="La figure qui suit le montre.",
    ),
}

# --- Leçon 02


def _accuracy(y, y_pred):
    return np.mean(y_pred == y.ravel())


def _confusion_counts(y, y_pred):
    counts = np.zeros((2, 2), dtype=int)
    for true, predicted in zip(y.ravel(), y_pred):
        counts[int(true), int(predicted)] += 1
    return counts


def _quote_errors(function, *arguments):
    """Appelle la réponse ; d'une erreur que le juge ne sait pas dire, cite Python."""
    try:
        return function(*arguments)
    except Exception as error:
        kind = type(error).__name__
        return _Problem(_explain(error).replace(kind, f"{kind} (« {error} »)"))


_POSITIVE_EXPONENT = (
    "les nombres sont bons, mais l'exponentielle d'un nombre positif est encore "
    "calculée (np.where calcule ses deux branches en entier) ; donnez aux deux la "
    "même, d'un nombre toujours négatif, plutôt que de borner z ou de taire NumPy."
)


def _watch_exponentials(sigmoid, Z):
    """Appelle la réponse, et refuse qu'elle prenne l'exponentielle d'un positif."""
    exp, exp_number, exponents = np.exp, math.exp, []

    def watched_number(x):
        value = exp_number(x)
        exponents.append(x)
        return value

    def watched(x, *out, where=True, **options):
        exponents.append(np.max(x, initial=0, where=where))
        return exp(x, *out, where=where, **options)

    with (
        mock.patch("numpy.exp", watched),
        np.errstate(over="raise", invalid="raise"),
        mock.patch("numpy.errstate", lambda **options: contextlib.nullcontext()),
        mock.patch("numpy.seterr", lambda *args, **options: {}),
        mock.patch("math.exp", watched_number),
    ):
        A = _quote_errors(sigmoid, Z)
    if max(exponents, default=0) > 0 and _same(A, utilities.sigmoid(Z)):
        return _Problem(_POSITIVE_EXPONENT)
    return A


def _sigmoid_with_if(Z):
    if Z >= 0:
        return 1 / (1 + np.exp(-Z))
    return np.exp(Z) / (1 + np.exp(Z))


def _sigmoid_in_where(Z):
    return np.where(Z >= 0, 1 / (1 + np.exp(-Z)), np.exp(Z) / (1 + np.exp(Z)))


def _sigmoid_with(numerator, sign=-1):
    """Une sigmoïde où le numérateur, ou le signe dans l'exponentielle, est faux."""

    def wrong(Z):
        E = np.exp(sign * np.abs(Z))
        return numerator(Z, E) / (1 + E)

    return wrong


def _counted(change, step=1):
    """Les confusions comptées, puis déformées par change."""

    def wrong(y, y_pred):
        return change(step * _confusion_counts(y, y_pred))

    return wrong


def _counted_without_int(y, y_pred):
    counts = np.zeros((2, 2), dtype=int)
    for true, predicted in zip(y.ravel(), y_pred):
        counts[true, predicted] += 1
    return counts


def _counted_without_ravel(y, y_pred):
    # int() d'un tableau d'un seul nombre : selon sa version, NumPy le refuse ainsi.
    raise TypeError("only 0-dimensional arrays can be converted to Python scalars")


def _counted_all_at_once(y, y_pred):
    counts = np.zeros((2, 2), dtype=int)
    counts[y.astype(int), y_pred.astype(int)] += 1
    return counts


def _counted_by_comparisons(y, y_pred):
    cells = itertools.product((0, 1), repeat=2)
    return np.array([np.sum((y == i) & (y_pred == j)) for i, j in cells]).reshape(2, 2)


def _counted_first(y, y_pred):
    return _confusion_counts(y[:1], y_pred)


def _labels(m, rng):
    y = rng.integers(2, size=(m, 1)).astype(float)
    return y, np.where(rng.random(m) < 0.7, y.ravel(), 1 - y.ravel())


def _threshold_problem(threshold):
    if not 0 <= threshold <= 1:
        return "un seuil de probabilité se choisit entre 0 et 1."
    if threshold > 0.1844:
        return "il entre encore plus de 2 % des chiens ; baissez le seuil."
    if threshold < 0.1212:
        return "il n'entre plus 60 % des chats ; relevez le seuil."
    return None


_rng = np.random.default_rng(2)
_tiny_labels = np.array([[0.0], [1.0], [1.0]]), np.array([0.0, 1.0, 0.0])

LESSONS["02"] = {
    "flatten_images": Exercise(
        reference=utilities.flatten_images,
        cases=[
            (np.array([[[0, 255], [255, 51]]], dtype=np.uint8),),
            (_rng.integers(256, size=(3, 2, 4), dtype=np.uint8),),
            (_rng.integers(256, size=(5, 3, 2), dtype=np.uint8),),
            (_rng.integers(256, size=(2, 28, 28), dtype=np.uint8),),
        ],
        mistakes={
            "les lignes sont bonnes, mais leurs nombres vont encore de 0 à 255 ; "
            "ramenez-les entre 0 et 1.": lambda images: images.reshape(len(images), -1),
            "les nombres sont bons, mais chaque image reste une grille ; mettez-la "
            "sur une seule ligne (reshape ne change pas images : il renvoie un nouveau "
            "tableau).": lambda images: images / 255,
            "c'est une liste de lignes ; on attend un seul tableau, et reshape le "
            "donne sans boucle.": lambda images: [
                image.ravel() / 255 for image in images
            ],
            "toutes les images sont sur une même ligne ; il en faut une ligne par "
            "image.": lambda images: images.reshape(1, -1) / 255,
            "toutes les images se suivent dans un tableau à une dimension ; il faut "
            "une ligne par image.": lambda images: images.reshape(-1) / 255,
            "il y a une colonne par image, et l'on attend une ligne par image.": (
                lambda images: images.reshape(len(images), -1).T / 255
            ),
            ".T, avant reshape, change l'ordre des pixels ; reshape suffit, il range "
            "les rangées d'une image bout à bout.": (
                lambda images: images.T.reshape(len(images), -1) / 255
            ),
            "le nombre de lignes est celui des images, len(images), et non la hauteur "
            "de l'une d'elles.": (
                lambda images: images.reshape(images.shape[1], -1) / 255
            ),
            "les pixels de plusieurs images se mélangent ; la première dimension est "
            "le nombre d'images, la seconde ce qui reste.": (
                lambda images: images.reshape(-1, len(images)) / 255
            ),
            "chaque pixel est sur sa propre ligne ; il faut une ligne par image.": (
                lambda images: images.reshape(-1, 1) / 255
            ),
            "presque tout devient 0 : « // » est la division entière, et un tableau "
            "d'entiers (np.zeros_like(images), astype(int)…) ne garde que la partie "
            "entière.": (lambda images: images.reshape(len(images), -1) // 255),
            "divisez par le plus grand niveau possible, toujours le même, et non par "
            "le plus grand de ces images-là.": (
                lambda images: images.reshape(len(images), -1) / images.max()
            ),
            "il y a 256 niveaux, mais le plus grand est 255 : c'est lui qui doit "
            "devenir 1.": lambda images: images.reshape(len(images), -1) / 256,
            "784 ne convient qu'aux images de 28 sur 28 ; laissez NumPy compter les "
            "colonnes.": lambda images: images.reshape(len(images), 784) / 255,
        },
        run=_quote_errors,
        success="Elle sert pour des images de toute taille.",
    ),
    "sigmoid": Exercise(
        reference=utilities.sigmoid,
        cases=[
            (np.array([[0.0], [2.0], [-2.0]]),),
            (_rng.normal(scale=3, size=(4, 3)),),
            (np.array([[-5000.0, 1.0]]),),
            (np.array([[5000.0], [1.0]]),),
            (np.array([-5000.0, 1.0], dtype=np.float32),),
        ],
        run=_watch_exponentials,
        mistakes={
            "c'est la bonne valeur, mais e^(−z) déborde quand z est très négatif ; "
            "c'est cette exponentielle qu'il faut écrire autrement (np.where la "
            "calcule même là où il ne la garde pas).": (lambda Z: 1 / (1 + np.exp(-Z))),
            "c'est la bonne valeur, mais e^z déborde quand z est très grand ; c'est "
            "cette exponentielle qu'il faut écrire autrement (np.where la calcule même "
            "là où il ne la garde pas).": (lambda Z: np.exp(Z) / (1 + np.exp(Z))),
            "la valeur est bonne, mais la puissance de e déborde quand z est très "
            "négatif ; écrivez-y la fraction autrement.": (
                lambda Z: 1 / (1 + np.e ** (-Z))
            ),
            _POSITIVE_EXPONENT: lambda Z: 1 / (1 + np.exp(-np.clip(Z, -500, 500))),
            "l'exponentielle déborde pour les très grands z comme pour les très "
            "négatifs (np.where calcule ses deux réponses en entier avant de choisir). "
            "N'en calculez qu'une, celle d'un nombre toujours "
            "négatif.": _sigmoid_in_where,
            "l'exponentielle est celle d'un nombre positif ; il manque un signe "
            "moins devant la valeur absolue.": _sigmoid_with(
                lambda Z, E: np.where(Z >= 0, 1, E), sign=1
            ),
            "les deux côtés sont échangés : la réponse doit dépasser ½ quand z est "
            "positif.": _sigmoid_with(lambda Z, E: np.where(Z >= 0, E, 1)),
            "la réponse ne descend jamais sous ½ ; quand z est négatif, le numérateur "
            "n'est plus 1.": _sigmoid_with(lambda Z, E: 1),
            "la réponse ne dépasse jamais ½ ; quand z est positif, le numérateur "
            "n'est pas E.": _sigmoid_with(lambda Z, E: E),
            "il manque des parenthèses autour du dénominateur, 1 + E.": (
                lambda Z: np.where(Z >= 0, 1, np.exp(-np.abs(Z))) + np.exp(-np.abs(Z))
            ),
            "il manque le dénominateur.": (
                lambda Z: np.where(Z >= 0, 1, np.exp(-np.abs(Z)))
            ),
            "vos boucles supposent des lignes et des colonnes ; np.where et np.exp "
            "acceptent Z en entier, quelle que soit sa forme.": lambda Z: np.reshape(
                [utilities.sigmoid(Z[i]) for i in np.ndindex(Z.shape[0], Z.shape[1])],
                Z.shape,
            ),
            "« if » ne sait pas choisir pour tout un tableau à la fois ; np.where le "
            "fait case par case.": _sigmoid_with_if,
        },
        success="Rien n'y déborde.",
    ),
    "accuracy": Exercise(
        reference=_accuracy,
        cases=[_tiny_labels, _labels(5, _rng), _labels(12, _rng), _labels(7, _rng)],
        mistakes={
            "c'est encore la moyenne de m × m comparaisons ; donnez à y et à y_pred la "
            "même forme avant de les comparer.": lambda y, y_pred: np.mean(y_pred == y),
            "c'est le nombre de bonnes réponses ; on attend leur part, entre 0 et 1.": (
                lambda y, y_pred: np.sum(y_pred == y.ravel())
            ),
            "c'est le nombre de bonnes réponses parmi m × m comparaisons ; donnez à y "
            "et à y_pred la même forme.": lambda y, y_pred: np.sum(y_pred == y),
            "c'est la part des erreurs ; on attend celle des bonnes réponses.": (
                lambda y, y_pred: np.mean(y_pred != y.ravel())
            ),
            "on attend une part entre 0 et 1, et non un pourcentage.": (
                lambda y, y_pred: 100 * _accuracy(y, y_pred)
            ),
            "ce sont les comparaisons, une par image ; il reste à en prendre la "
            "moyenne.": lambda y, y_pred: y_pred == y.ravel(),
            "la part est juste, mais c'est un tableau d'un seul nombre : ni axis ni "
            "keepdims ; et, dans une boucle, prenez y[i, 0], car y[i] est une ligne.": (
                lambda y, y_pred: np.atleast_1d(_accuracy(y, y_pred))
            ),
            "int() et float() ne convertissent qu'un nombre, et y[i] est une ligne de "
            "la colonne y ; prenez y[i, 0], ou mettez y en une "
            "suite.": _counted_without_ravel,
            "aucune réponse n'est jamais comptée bonne ; si vous avez écrit y.ravel, "
            "il y manque ses parenthèses.": (
                lambda y, y_pred: np.mean(y_pred == y.ravel)
            ),
        },
        run=_quote_errors,
        success="Une comparaison par image, et non m × m.",
    ),
    "margin_for_400": Value(
        reference=0.03,
        mistakes={
            "c'est le quart de ce que donnent 100 images, ou un seul écart-type ; le "
            "« ± » en compte deux, et ne diminue que comme la racine de n.": 0.015,
            "c'est le « ± » pour 100 images ; la racine de 400 n'est pas 10.": 0.06,
            "vous avez oublié la racine de n ; divisez par 20, et non par 400.": 0.0015,
            "c'est deux fois la variance ; il manque la racine carrée.": 0.00045,
            "il reste à diviser par la racine du nombre d'images.": 0.6,
            "c'est le bon nombre de points ; écrivez-le comme une proportion.": 3,
        },
        success="Quatre fois plus d'images, deux fois plus de précision.",
    ),
    "confusion_counts": Exercise(
        reference=_confusion_counts,
        cases=[
            (np.array([[0.0], [0.0], [0.0], [1.0]]), np.array([0.0, 0.0, 1.0, 1.0])),
            _labels(9, _rng),
            _labels(20, _rng),
            _labels(13, _rng),
        ],
        mistakes={
            "les lignes et les colonnes sont échangées ; la ligne est la vraie classe, "
            "la colonne la classe prédite.": _counted(np.transpose),
            "une même case ne dépasse jamais 1 ; ajoutez 1 à son compte au lieu de le "
            "remplacer. Avec des tableaux d'indices, += ne compte chaque case qu'une "
            "fois : parcourez les images.": _counted(lambda counts: counts.clip(max=1)),
            "avec des tableaux d'indices, += ne compte chaque case qu'une fois (et y, "
            "en colonne, y rencontre tous les y_pred) ; parcourez les images une à "
            "une.": _counted_all_at_once,
            "chaque étiquette rencontre toutes les réponses, m × m fois : mettez y en "
            "une suite d'abord, et parcourez les deux suites ensemble, avec "
            "zip.": _counted_by_comparisons,
            "les deux classes sont échangées ; la ligne 0 est celle des chats.": (
                _counted(lambda counts: counts[::-1, ::-1])
            ),
            "seules les bonnes réponses sont comptées.": (
                _counted(lambda counts: counts * np.eye(2, dtype=int))
            ),
            "seules les erreurs sont comptées.": (
                _counted(lambda counts: counts * (1 - np.eye(2, dtype=int)))
            ),
            "ce sont des parts ; on attend des nombres d'images.": (
                _counted(lambda counts: counts / counts.sum())
            ),
            "le signe est mauvais : les comptes descendent.": (
                _counted(lambda counts: counts, step=-1)
            ),
            "le return est dans la boucle : elle s'arrête à la première image.": (
                _counted_first
            ),
            "le numéro d'une ligne ou d'une colonne doit être un entier, et vos "
            "étiquettes sont des nombres à virgule ; convertissez-les.": (
                _counted_without_int
            ),
            "np.zeros(2, 2) prend le second 2 pour un type de nombres ; la forme se "
            "donne en une fois, entre ses propres parenthèses.": (
                lambda y, y_pred: np.zeros(2, 2)
            ),
            "des parenthèses après un tableau l'appellent comme une fonction ; ses "
            "cases se lisent entre crochets.": lambda y, y_pred: y_pred(0),
            "« & » passe avant « == » ; entourez chaque comparaison de parenthèses.": (
                lambda y, y_pred: np.sum(y.ravel() == 0 & y_pred == 0)
            ),
            "un if, un and ou un or porte sur un tableau entier ; parcourez les images "
            "une à une, ou réunissez deux comparaisons, chacune entre parenthèses, "
            "par « & ».": lambda y, y_pred: np.sum(y.ravel() == 0 and y_pred == 0),
            "les numéros de lignes et de colonnes doivent être des entiers ; et, avec "
            "tout un tableau d'indices, += ne compterait chaque case qu'une fois : "
            "parcourez les images.": lambda y, y_pred: np.zeros((2, 2))[y, y_pred],
            "int() ne convertit qu'un nombre, et reçoit ici un tableau ; si c'est une "
            "ligne de la colonne y, mettez y en une suite avant de la parcourir.": (
                _counted_without_ravel
            ),
            "pour parcourir deux suites ensemble, il manque zip.": (
                lambda y, y_pred: [0 for true, predicted in (y.ravel(), y_pred)]
            ),
            "le tableau est resté à zéro ; il manque l'addition dans la boucle.": (
                _counted(np.zeros_like)
            ),
        },
        run=_quote_errors,
    ),
    "threshold": Value(
        reference=0.15,
        condition=_threshold_problem,
        success="La chatière est réglée ; reste à la juger sur d'autres images.",
    ),
    "photo_prediction": Value(
        reference="b",
        mistakes={
            "l'entraînement aboutira, c'est vrai, mais retenir mille images n'est pas "
            "en comprendre d'autres ; l'expérience qui suit le montre.": "a",
            "avec plus de poids que d'images, le neurone a de quoi les retenir ; "
            "l'expérience qui suit le montre.": "c",
        },
        success="L'expérience qui suit le montre.",
    ),
}

# --- Leçon 03

XOR_POINTS = np.array([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])


def _xor_answers(neurons: object) -> np.ndarray:
    """Réponses au XOR d'un réseau de trois neurones (w_1, w_2, b), puis des cachés."""
    neurons = np.array(neurons, dtype=float)
    hidden, output = neurons[:2], neurons[2]
    A1 = step(XOR_POINTS @ hidden[:, :2].T + hidden[:, 2])
    A2 = step(A1 @ output[:2] + output[2])
    return np.column_stack([A2, A1])


def _xor_condition(answer: object) -> str | None:
    if np.shape(answer) != (3, 3):
        return "on attend trois neurones de trois nombres chacun, (w_1, w_2, b)."
    answers, wanted = _xor_answers(answer), np.array([0, 1, 1, 0])
    output, hidden = answers[:, 0], answers[:, 1:]
    if np.array_equal(output, wanted):
        return None
    if (hidden == hidden[0]).all(axis=0).any():
        j = 1 + int((hidden == hidden[0]).all(axis=0).argmax())
        return (
            f"votre neurone caché {j} répond la même chose aux quatre points, et ne "
            "sert donc à rien ; changez son biais, ou ses poids s'ils sont nuls."
        )
    if np.array_equal(hidden[:, 0], hidden[:, 1]):
        return (
            "vos deux neurones cachés répondent la même chose aux quatre points : ils "
            "n'en font qu'un."
        )
    if np.array_equal(output, 1 - wanted):
        return (
            "vos réponses sont exactement à l'envers ; changez les trois signes du "
            "neurone de sortie, et vérifiez qu'aucune somme ne tombe sur zéro."
        )
    i = int((output != wanted).argmax())
    point = ", ".join(f"{x:.0f}" for x in XOR_POINTS[i])
    return (
        f"au point ({point}), vos neurones cachés répondent {hidden[i, 0]:.0f} et "
        f"{hidden[i, 1]:.0f}, et la sortie {output[i]:.0f}, au lieu de {wanted[i]}."
    )


def _two_layer_forward(
    X: np.ndarray, W1: np.ndarray, b1: np.ndarray, W2: np.ndarray, b2: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    A1 = np.tanh(X @ W1 + b1)
    A2 = sigmoid(A1 @ W2 + b2)
    return A1, A2


def _forward_by(
    hidden: Callable = np.tanh,
    output: Callable = sigmoid,
    biases: tuple = (1, 1),
    products: tuple = (np.matmul, np.matmul),
    shifts: tuple = (0, 0),
) -> Callable:
    """Propagation fausse : autre activation, autre produit, biais oublié ou sorti."""

    def wrong(X, W1, b1, W2, b2):
        A1 = hidden(products[0](X, W1) + biases[0] * b1) + shifts[0] * b1
        return A1, output(products[1](A1, W2) + biases[1] * b2) + shifts[1] * b2

    return wrong


def _output_from(source: Callable) -> Callable:
    """Propagation fausse : A1 est juste, et la sortie reçoit autre chose."""

    def wrong(X, W1, b1, W2, b2):
        received = source(X, X @ W1 + b1)
        return np.tanh(X @ W1 + b1), sigmoid(received @ W2 + b2)

    return wrong


def _forward_keeps_sum(X, W1, b1, W2, b2):
    return X @ W1 + b1, _two_layer_forward(X, W1, b1, W2, b2)[1]


def _two_layer_gradients(
    X: np.ndarray, y: np.ndarray, W2: np.ndarray, A1: np.ndarray, A2: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    dZ2 = (A2 - y) / len(y)
    dW2 = A1.T @ dZ2
    db2 = dZ2.sum(axis=0, keepdims=True)
    dZ1 = (dZ2 @ W2.T) * (1 - A1**2)
    dW1 = X.T @ dZ1
    db1 = dZ1.sum(axis=0, keepdims=True)
    return dW1, db1, dW2, db2


def _gradients_by(
    error: Callable = lambda y, A2: (A2 - y) / len(y),
    slope: Callable = lambda A1: 1 - A1**2,
    reduce: Callable = lambda dZ: dZ.sum(axis=0, keepdims=True),
    through: Callable = lambda dZ2, W2: dZ2 @ W2.T,
    meet: Callable = np.multiply,
) -> Callable:
    """Rétropropagation fausse en un endroit : erreur, fil, pente ou biais."""

    def wrong(X, y, W2, A1, A2):
        dZ2 = error(y, A2)
        dZ1 = meet(through(dZ2, W2), slope(A1))
        return X.T @ dZ1, reduce(dZ1), A1.T @ dZ2, reduce(dZ2)

    return wrong


def _rescaled(*powers: int) -> Callable:
    """Les quatre gradients, chacun divisé en trop par une puissance de m."""

    def wrong(X, y, W2, A1, A2):
        gradients = _two_layer_gradients(X, y, W2, A1, A2)
        return tuple(g / float(len(y)) ** k for g, k in zip(gradients, powers))

    return wrong


def _slope_of_output(X, y, W2, A1, A2):
    dZ2 = (A2 - y) / len(y)
    dZ1 = (dZ2 @ W2.T) * (1 - A2**2)
    sums = [dZ.sum(axis=0, keepdims=True) for dZ in (dZ1, dZ2)]
    return X.T @ dZ1, sums[0], A1.T @ dZ2, sums[1]


def _weights_by(
    hidden: Callable = lambda X, A1, dZ1: X.T @ dZ1,
    output: Callable = lambda X, A1, dZ2: A1.T @ dZ2,
) -> Callable:
    """Rétropropagation fausse au moment de passer de dZ à dW."""

    def wrong(X, y, W2, A1, A2):
        _, db1, _, db2 = _two_layer_gradients(X, y, W2, A1, A2)
        dZ2 = (A2 - y) / len(y)
        dZ1 = (dZ2 @ W2.T) * (1 - A1**2)
        return hidden(X, A1, dZ1), db1, output(X, A1, dZ2), db2

    return wrong


def _weights_first(*case):
    dW1, db1, dW2, db2 = _two_layer_gradients(*case)
    return dW1, dW2, db1, db2


def _output_first(X, y, W2, A1, A2):
    dW1, db1, dW2, db2 = _two_layer_gradients(X, y, W2, A1, A2)
    return dW2, db2, dW1, db1


def _one_step(
    X: np.ndarray, y: np.ndarray, parameters: list, learning_rate: float
) -> list[np.ndarray]:
    return _step_by(X, y, parameters, 4 * [learning_rate])


def _step_by(X, y, parameters, rates):
    A1, A2 = _two_layer_forward(X, *parameters)
    gradients = _two_layer_gradients(X, y, parameters[2], A1, A2)
    return [p - rate * dp for p, dp, rate in zip(parameters, gradients, rates)]


def _moves(*factors: float) -> Callable:
    """Un pas où chacun des quatre tableaux avance de factor fois ce qu'il faut."""

    def wrong(X, y, parameters, learning_rate):
        return _step_by(X, y, parameters, [f * learning_rate for f in factors])

    return wrong


def _step_too_early(X, y, parameters, learning_rate):
    W1, b1, W2, b2 = parameters
    A1, A2 = _two_layer_forward(X, W1, b1, W2, b2)
    _, _, dW2, db2 = _two_layer_gradients(X, y, W2, A1, A2)
    W2, b2 = W2 - learning_rate * dW2, b2 - learning_rate * db2
    dW1, db1, _, _ = _two_layer_gradients(X, y, W2, A1, A2)
    return [W1 - learning_rate * dW1, b1 - learning_rate * db1, W2, b2]


def _step_in_two_goes(X, y, parameters, learning_rate):
    W1, b1, W2, b2 = parameters
    _, _, W2, b2 = _one_step(X, y, parameters, learning_rate)
    W1, b1, _, _ = _one_step(X, y, [W1, b1, W2, b2], learning_rate)
    return [W1, b1, W2, b2]


def _step_hidden_first(X, y, parameters, learning_rate):
    W1, b1, _, _ = _one_step(X, y, parameters, learning_rate)
    _, _, W2, b2 = _one_step(X, y, [W1, b1, *parameters[2:]], learning_rate)
    return [W1, b1, W2, b2]


def _step_crossed(X, y, parameters, learning_rate):
    A1, A2 = _two_layer_forward(X, *parameters)
    gradients = _output_first(X, y, parameters[2], A1, A2)
    return [p - learning_rate * dp for p, dp in zip(parameters, gradients)]


def _circles_network(h: int, seed: int) -> tuple[float, bool]:
    """L'exactitude du réseau de la leçon, et si sa frontière est refermée.

    Elle l'est quand il répond « anneau » tout le long d'un grand carré.
    """
    X, y = make_circles(n_samples=300, noise=0.1, factor=0.3, random_state=0)
    network = NeuralNetwork(
        (h,), "tanh", solver="sgd", momentum=0, alpha=0, batch_size=300
    ).set_params(learning_rate_init=2, max_iter=150, random_state=seed)
    score = network.fit(X, y).score(X, y)
    side = np.linspace(-2, 2, 41)
    ends = np.repeat([-2.0, 2.0], 41)
    border = np.column_stack([np.tile(side, 2), ends])
    border = np.concatenate([border, border[:, ::-1]])
    return score, score > 0.9 and not network.predict(border).any()


def _smallest_circle_condition(answer: tuple[int, int]) -> str | None:
    h, seed = map(int, answer)
    if not (1 <= h <= 8 and 0 <= seed <= 9):
        return "h va de 1 à 8 et seed de 0 à 9, comme les curseurs."
    if h < 3:
        return (
            f"avec h = {h}, la frontière reste ouverte quelle que soit la graine : ce "
            "n'est pas encore assez."
        )
    if h > 3:
        return (
            f"h = {h} peut refermer la frontière, mais moins de neurones y suffisent "
            "pour certaines graines ; descendez."
        )
    if _circles_network(h, seed)[1]:
        return (
            f"h = 3 est le bon nombre ; mais avec la graine {seed}, la frontière se "
            "referme : cherchez-en une où elle reste ouverte."
        )
    return None


def _case_two_layers(m: int, n: int, h: int, seed: int) -> tuple[np.ndarray, ...]:
    """Arguments de two_layer_forward ; quelques décimales, car un verdict les cite."""
    rng = np.random.default_rng(seed)
    shapes = (m, n), (n, h), (1, h), (h, 1), (1, 1)
    return tuple(rng.normal(size=shape).round(1) for shape in shapes)


def _case_gradients(m: int, n: int, h: int, seed: int) -> tuple[np.ndarray, ...]:
    X, W1, b1, W2, b2 = _case_two_layers(m, n, h, seed)
    y = np.random.default_rng(seed).integers(2, size=(m, 1)).astype(float)
    return X, y, W2, *_two_layer_forward(X, W1, b1, W2, b2)


def _case_step(m: int, n: int, h: int, seed: int) -> tuple:
    X, y, *_ = _case_gradients(m, n, h, seed)
    return X, y, list(_case_two_layers(m, n, h, seed)[1:]), 0.5


LESSONS["03"] = {
    "xor_weights": Value(
        reference=((1, 1, -0.5), (1, 1, -1.5), (1, -1, -0.5)),
        condition=_xor_condition,
        success="Trois neurones, deux couches : le XOR est vaincu.",
    ),
    "two_layer_forward": Exercise(
        reference=_two_layer_forward,
        cases=[
            (
                np.array([[1.0, 2.0]]),
                np.array([[0.5], [0.25]]),
                np.array([[-1.0]]),
                np.array([[2.0]]),
                np.array([[1.0]]),
            ),
            _case_two_layers(3, 2, 4, seed=0),
            _case_two_layers(5, 4, 3, seed=1),
            # Un carré, où passent un * pour un @ et une couche pour l'autre.
            _case_two_layers(3, 3, 3, seed=2),
        ],
        mistakes={
            "A1 est juste, mais la sortie reçoit la somme d'avant tanh : sans pli, "
            "deux couches n'en font qu'une. Donnez-lui les réponses, A1.": _output_from(
                lambda X, Z1: Z1
            ),
            "la seconde couche reçoit X, comme la première ; ce qui entre dans la "
            "sortie, ce sont les réponses des neurones cachés.": _output_from(
                lambda X, Z1: X
            ),
            "A2 est juste ; mais à la place de A1, vous renvoyez la somme Z1, d'avant "
            "tanh.": _forward_keeps_sum,
            "un * multiplie case par case ; dans les deux couches, la somme pondérée "
            "est un produit de matrices, @.": _forward_by(
                products=(np.multiply, np.multiply)
            ),
            "un * multiplie case par case ; dans la couche cachée, la somme pondérée "
            "est un produit de matrices, @.": _forward_by(
                products=(np.multiply, np.matmul)
            ),
            "un * multiplie case par case ; dans la couche de sortie, la somme "
            "pondérée est un produit de matrices, @.": _forward_by(
                products=(np.matmul, np.multiply)
            ),
            "les formes ne vont pas ensemble ; dans chaque produit de matrices, ce qui "
            "entre vient d'abord, puis les poids, sans rien transposer.": _forward_by(
                products=2 * (lambda A, W: W @ A,)
            ),
            "les deux biais s'ajoutent trop tard : ils font partie de la somme, dans "
            "la parenthèse de l'activation.": _forward_by(biases=(0, 0), shifts=(1, 1)),
            "b1 s'ajoute trop tard : il fait partie de la somme, dans la parenthèse de "
            "tanh.": _forward_by(biases=(0, 1), shifts=(1, 0)),
            "b2 s'ajoute trop tard : il fait partie de la somme, dans la parenthèse de "
            "la sigmoïde.": _forward_by(biases=(1, 0), shifts=(0, 1)),
            "votre couche cachée ne plie rien : passez sa somme dans la tangente "
            "hyperbolique avant de la donner à la sortie.": _forward_by(
                hidden=lambda Z: Z
            ),
            "la couche cachée a ici tanh pour activation, et vous y avez mis la "
            "sigmoïde ; celle-ci ne sert qu'en sortie.": _forward_by(hidden=sigmoid),
            "vos deux activations sont échangées : tanh pour la couche cachée, la "
            "sigmoïde en sortie.": _forward_by(hidden=sigmoid, output=np.tanh),
            "la sortie doit être une probabilité, entre 0 et 1, et vous y avez mis "
            "tanh.": _forward_by(output=np.tanh),
            "votre second tableau est Z2, la somme ; il reste à la passer dans la "
            "sigmoïde.": _forward_by(output=lambda Z: Z),
            "vous avez oublié les deux biais.": _forward_by(biases=(0, 0)),
            "vous avez oublié b1, le biais des neurones cachés.": _forward_by(
                biases=(0, 1)
            ),
            "vous avez oublié b2, le biais du neurone de sortie.": _forward_by(
                biases=(1, 0)
            ),
            "les deux tableaux sont justes, mais dans l'ordre inverse : la couche "
            "cachée d'abord.": lambda *case: _two_layer_forward(*case)[::-1],
            "vous ne renvoyez que la réponse finale ; la rétropropagation aura besoin "
            "aussi de A1.": lambda *case: _two_layer_forward(*case)[1],
        },
        success="A1 est gardé : la rétropropagation en aura besoin.",
    ),
    "edge_gradient": Value(
        reference=0.2,
        mistakes={
            "le nombre est bon, pas son signe : l'erreur, réponse moins cible, est "
            "négative, et ce qui entre par le fil aussi.": -0.2,
            "c'est l'erreur du neurone de sortie ; multipliez-la par ce qui est entré "
            "par ce fil.": -0.25,
            "c'est l'erreur fois le poids du fil, ou bien l'erreur au signe près ; "
            "partez de a − y, et multipliez-la par ce qui entre par ce fil.": 0.25,
            "c'est la réponse du neurone de sortie multipliée par ce qui entre par le "
            "fil ; partez de l'erreur, a − y.": -0.6,
            "inutile de multiplier par la pente de la sigmoïde : la perte logistique "
            "l'a déjà simplifiée, au carnet 01.": 0.0375,
            "c'est l'erreur qui revient au neurone caché ; on demande la pente de son "
            "fil vers la sortie.": 0.09,
            "par le fil entre la réponse du neurone, écrite dans le rond, et non la "
            "somme d'avant tanh.": 0.275,
            "c'est la pente d'un autre fil, le premier ; relisez le numéro du "
            "neurone.": -0.125,
            "c'est la pente d'un autre fil, le troisième ; relisez le numéro du "
            "neurone.": -0.15,
        },
        success="C'est a − y, multiplié par la réponse qui entre par ce fil.",
        tolerance=0.02,
    ),
    "two_layer_gradients": Exercise(
        reference=_two_layer_gradients,
        cases=[
            _case_gradients(2, 1, 1, seed=3),
            _case_gradients(3, 2, 4, seed=0),
            _case_gradients(5, 4, 3, seed=1),
            _case_gradients(1, 2, 3, seed=2),
            _case_gradients(3, 3, 3, seed=4),  # un carré, où un * pour un @ passe
        ],
        mistakes={
            "vos gradients vont avec les 300 points du carnet : m doit être le nombre "
            "de lignes reçues, len(y).": _gradients_by(
                error=lambda y, A2: (A2 - y) / 300
            ),
            "vous divisez deux fois par m, dans dZ2 puis dans chaque gradient ; une "
            "suffit.": _rescaled(1, 1, 1, 1),
            "dZ2 est déjà divisé par m : l'erreur de la couche cachée, qui en vient, "
            "ne l'est pas une seconde fois.": _rescaled(1, 1, 0, 0),
            "db1 et db2 sont justes, mais dW1 et dW2 sont divisés deux fois par m : "
            "dZ2 l'était déjà.": _rescaled(1, 0, 1, 0),
            "vous divisez par m à la sortie, mais pas dans la couche cachée ; divisez "
            "plutôt dZ2, et tout ce qui en vient le sera.": _rescaled(-1, -1, 0, 0),
            "dW1 et dW2 sont justes, mais db1 et db2 ne sont pas divisés par m ; "
            "divisez plutôt dZ2, dès le début.": _rescaled(0, -1, 0, -1),
            "dans la pente de tanh, le carré porte sur A1 seul, et non sur toute la "
            "parenthèse.": _gradients_by(slope=lambda A1: (1 - A1) ** 2),
            "la pente est celle des neurones cachés : elle se calcule avec leur "
            "réponse A1, et non avec A2.": _slope_of_output,
            "dZ2 et W2 sont deux colonnes, et * les multiplie case par case ; il faut "
            "un produit de matrices (m, 1) × (1, h) : couchez W2.": _gradients_by(
                through=lambda dZ2, W2: dZ2 * W2
            ),
            "l'erreur qui revient, de forme (m, h), est le produit de dZ2, (m, 1), par "
            "W2 couchée, (1, h) ; la pente ne vient qu'ensuite.": _gradients_by(
                through=lambda dZ2, W2: dZ2 @ W2
            ),
            "l'erreur qui revient a chez vous la forme (h, m), une ligne par neurone ; "
            "il faut une ligne par point.": _gradients_by(
                through=lambda dZ2, W2: W2 @ dZ2.T
            ),
            "la pente se multiplie case par case, avec * : chaque erreur par la pente "
            "de son neurone, pour son point.": _gradients_by(meet=np.matmul),
            "pour dW1, ce qui entre dans la couche cachée, c'est X, et non "
            "A1.": _weights_by(hidden=lambda X, A1, dZ1: A1.T @ dZ1),
            "pour dW2, ce qui entre dans la sortie, c'est A1, et non X.": _weights_by(
                output=lambda X, A1, dZ2: X.T @ dZ2
            ),
            "dW2 additionne sur les points : il faut que ceux-ci soient les colonnes "
            "du premier facteur ; couchez A1.": _weights_by(
                output=lambda X, A1, dZ2: A1 @ dZ2
            ),
            "dW1 additionne sur les points : il faut que ceux-ci soient les colonnes "
            "du premier facteur ; couchez X.": _weights_by(
                hidden=lambda X, A1, dZ1: X @ dZ1
            ),
            "dW1 et dW2 additionnent sur les points : il faut que ceux-ci soient les "
            "colonnes du premier facteur ; couchez X et A1.": _weights_by(
                hidden=lambda X, A1, dZ1: X @ dZ1,
                output=lambda X, A1, dZ2: A1 @ dZ2,
            ),
            "pour dW1 et dW2, * multiplie case par case ; il faut un produit de "
            "matrices, @, qui additionne sur les points.": _weights_by(
                hidden=lambda X, A1, dZ1: X.T * dZ1,
                output=lambda X, A1, dZ2: A1.T * dZ2,
            ),
            "vos quatre tableaux sont justes, mais rangez-les couche par couche : dW1 "
            "avec db1, puis dW2 avec db2.": _weights_first,
            "deux choses à revoir dans l'erreur de la sortie : son signe, et la "
            "division par m.": _gradients_by(error=lambda y, A2: y - A2),
            "le produit passe avant le moins : mettez la pente, 1 − A1², entre "
            "parenthèses.": _gradients_by(meet=lambda dA1, slope: dA1 - (1 - slope)),
            "il manque axis=0 à la somme des biais : sans lui, tout s'additionne en un "
            "seul nombre.": _gradients_by(reduce=lambda dZ: dZ.sum(keepdims=True)),
            "pour les biais, l'axe 1 additionne les neurones ; additionnez les points, "
            "et gardez une ligne avec keepdims.": _gradients_by(
                reduce=lambda dZ: dZ.sum(axis=1)
            ),
            "tous vos gradients ont le mauvais signe : l'erreur de la sortie est la "
            "réponse moins la cible.": _gradients_by(
                error=lambda y, A2: (y - A2) / len(y)
            ),
            "la perte est une moyenne sur les m points, et vous avez oublié de diviser "
            "par m.": _gradients_by(error=lambda y, A2: A2 - y),
            "l'erreur passe par le bon fil, mais vous avez oublié de la multiplier par "
            "la pente de tanh, neurone par neurone et point par point.": _gradients_by(
                slope=np.ones_like
            ),
            "la pente que vous employez est celle de la sigmoïde ; les neurones cachés "
            "ont tanh pour activation.": _gradients_by(slope=lambda A1: A1 * (1 - A1)),
            "dans la pente de tanh, la réponse A1 est au carré.": _gradients_by(
                slope=lambda A1: 1 - A1
            ),
            "A1 est déjà la réponse de tanh : sa pente s'écrit avec A1 directement, "
            "sans repasser par tanh.": _gradients_by(
                slope=lambda A1: 1 - np.tanh(A1) ** 2
            ),
            "l'erreur de la sortie est déjà A2 − y, divisée par m : ne la multipliez "
            "pas encore par la pente de la sigmoïde.": _gradients_by(
                error=lambda y, A2: (A2 - y) / len(y) * A2 * (1 - A2)
            ),
            "l'erreur doit être multipliée par les poids W2 en repassant par les fils "
            "de sortie.": _gradients_by(
                through=lambda dZ2, W2: dZ2 @ np.ones_like(W2).T
            ),
            "vos quatre tableaux sont justes, mais renvoyés dans un autre ordre : la "
            "couche cachée d'abord, dW1, db1, dW2, db2.": _output_first,
            "db1 et db2 doivent rester des lignes, de forme (1, h) et (1, 1) ; la "
            "somme a perdu un axe.": _gradients_by(reduce=lambda dZ: dZ.sum(axis=0)),
            "pour les biais, additionnez sur les points ; la moyenne est déjà prise "
            "dans dZ2.": _gradients_by(
                reduce=lambda dZ: dZ.mean(axis=0, keepdims=True)
            ),
            "pour les biais, vous avez additionné sur les neurones ; c'est sur les "
            "points, donc sur l'autre axe.": _gradients_by(
                reduce=lambda dZ: dZ.sum(axis=1, keepdims=True)
            ),
            "pour les biais, vous avez tout additionné en un seul nombre ; il en faut "
            "un par neurone.": _gradients_by(reduce=np.sum),
        },
        success="Vous venez d'écrire la rétropropagation.",
    ),
    "one_step": Exercise(
        reference=_one_step,
        cases=[
            _case_step(2, 1, 1, seed=3),
            _case_step(3, 2, 4, seed=0),
            _case_step(5, 4, 3, seed=1),
        ],
        mistakes={
            "l'erreur est toujours là : la couche cachée reçoit encore un gradient "
            "calculé avec le nouveau W2.": _step_too_early,
            "la couche cachée reçoit un gradient calculé après coup : les quatre "
            "gradients se calculent avec les poids de départ.": _step_in_two_goes,
            "vous montez au lieu de descendre : un pas retranche le gradient.": _moves(
                -1, -1, -1, -1
            ),
            "la sortie part de plus loin que la couche cachée : vous refaites l'aller "
            "avec les nouveaux W1 et b1 ; un seul aller, avant tous les "
            "pas.": _step_hidden_first,
            "les gradients sont rendus dans l'ordre dW1, db1, dW2, db2, et vous les "
            "recevez dans un autre.": _step_crossed,
            "la couche de sortie monte au lieu de descendre ; son pas retranche aussi "
            "le gradient.": _moves(1, 1, -1, -1),
            "la couche cachée monte au lieu de descendre ; son pas retranche aussi le "
            "gradient.": _moves(-1, -1, 1, 1),
            "W1 monte au lieu de descendre : un + à la place d'un −.": _moves(
                -1, 1, 1, 1
            ),
            "b1 monte au lieu de descendre : un + à la place d'un −.": _moves(
                1, -1, 1, 1
            ),
            "W2 monte au lieu de descendre : un + à la place d'un −.": _moves(
                1, 1, -1, 1
            ),
            "b2 monte au lieu de descendre : un + à la place d'un −.": _moves(
                1, 1, 1, -1
            ),
            "la couche cachée avance deux fois : la ligne qui suit met déjà à jour W1 "
            "et b1.": _moves(2, 2, 1, 1),
            "les poids avancent, mais plus les biais.": _moves(1, 0, 1, 0),
            "la couche cachée ne bouge plus : mettez aussi à jour W1 et b1.": _moves(
                0, 0, 1, 1
            ),
            "la couche de sortie ne bouge plus : mettez aussi à jour W2 et b2.": _moves(
                1, 1, 0, 0
            ),
            "le pas n'est plus multiplié par le taux "
            "d'apprentissage.": lambda X, y, parameters, learning_rate: _one_step(
                X, y, parameters, 1
            ),
        },
        success="D'abord tous les gradients, puis tous les pas.",
    ),
    "smallest_circle": Value(
        reference=(3, 3),
        condition=_smallest_circle_condition,
        success="Trois neurones peuvent suffire, mais tout dépend du départ.",
    ),
    "zero_weights": Value(
        reference="c",
        mistakes={
            "au carnet 01, oui : il n'y avait qu'un neurone. Ici, cherchez par quel "
            "poids passe l'erreur pour revenir ; la suite le montre.": "a",
            "ce serait vrai de poids égaux mais non nuls ; multipliez l'erreur par un "
            "poids de sortie nul, et voyez ce qui revient.": "b",
        },
        success="Rien ne revient à travers un poids nul : la suite le montre.",
    ),
}

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


def _slope_by_cell(A):
    slope = np.zeros(A.shape)
    for i in range(A.shape[0]):
        for j in range(A.shape[1]):
            slope[i, j] = A[i, j] > 0
    return slope


_CELL_BY_CELL = (
    "vous parcourez des lignes et des colonnes, et A peut n'avoir qu'une dimension ; "
    "une comparaison s'applique au tableau entier, d'un coup."
)
_COMPARE_NUMBERS = (
    "deux formes ne vont pas ensemble : * multiplie case par case, quand le produit de "
    "matrices s'écrit @ ; et == compare des tableaux case par case : pour reconnaître "
    "la dernière couche, comparez des numéros."
)
_FORWARD_PRODUCT = (
    "dans le produit par W, les formes ne vont pas ensemble : l'entrée d'une couche "
    "est la sortie de la précédente, et non X, et W est à sa droite."
)
_UNPACK = (
    "chaque élément de parameters est une paire, (W, b), et enumerate met son numéro "
    "devant : for layer, (W, b) in enumerate(parameters, start=1)."
)
_LAST_ONE = (
    "vous demandez à une liste une case qu'elle n'a pas encore ; la dernière sortie "
    "est activations[-1], quel que soit son rang."
)
_BACKWARD_PRODUCT = (
    "dans l'un des produits de matrices (@), les formes ne vont pas ensemble : "
    "écrivez-les à côté de chaque tableau. Il y en a deux, un pour dW, l'autre pour "
    "faire passer W à l'erreur ; la pente, elle, se multiplie terme à terme (*)."
)
_BACKWARD_TERMS = (
    "dans un produit terme à terme (*), les deux formes diffèrent : dW, et le passage "
    "par W, sont des produits de matrices (@) ; la pente, elle, est celle de A_prev, "
    "la couche où l'erreur arrive."
)
_STOP_AT_THE_INPUT = (
    "derivative est appelée pour l'entrée X, qui n'a pas d'activation ; n'y faites "
    "passer l'erreur que s'il reste une couche."
)
_TWO_IN_ONE = (
    "gradients est une liste de paires : dW et db y entrent ensemble, entre "
    "parenthèses, en un seul insert."
)
_WRITTEN_OUT = (
    "les nombres sont bons pour les réglages habituels, mais pas pour d'autres : β₁, "
    "β₂ et ε s'écrivent self.beta_1, self.beta_2 et self.epsilon."
)
_NO_RETURN = "__call__ ne renvoie rien (None) ; il manque un return."


_NOT_FOR_THE_LAST = (
    "les nombres sont bons, mais activation est appelée aussi sur la dernière couche ; "
    "output seule y passe."
)


def _forward(answer, X, parameters, *functions):
    """La propagation ; on retient ce que reçoit activation."""
    expected, sums = utilities.forward_propagation(X, parameters, *functions), []
    W, b = parameters[-1]
    last = expected[-2] @ W + b

    def counted(Z):
        sums.append(np.array(Z))
        return functions[0](Z)

    watched = (counted, *functions[1:]) if functions else ()
    activations = answer(X, parameters, *watched)
    if any(_same(Z, last) for Z in sums) and _same(activations, expected):
        return _Problem(_NOT_FOR_THE_LAST)
    return activations


def _backward(answer, y, parameters, activations, *derivative):
    """La rétropropagation ; on retient ce que reçoit derivative."""
    asked = []

    def counted(A):
        asked.append(np.array(A))
        return derivative[0](A)

    gradients = answer(y, parameters, activations, *[counted] * len(derivative))
    if isinstance(gradients, list) and isinstance((*gradients, 0)[0], np.ndarray):
        return _Problem(_TWO_IN_ONE)
    if any(_same(A, activations[0]) for A in asked):
        return _Problem(_STOP_AT_THE_INPUT)
    return gradients


def _directions(solver_class, *gradients):
    """Les directions d'Adam, l'une après l'autre ; elles dépendent des précédentes."""
    solver = solver_class()
    try:
        directions = [solver(gradient) for gradient in gradients]
    except NameError as error:
        name = re.search("'(.*?)'", str(error))[1]
        if name not in vars(solver):
            raise
        return _Problem(
            f"« {name} » est rangé dans l'objet : il s'écrit self.{name}, partout."
        )
    if directions[0] is None:
        return _Problem(_NO_RETURN)
    others, course = solver_class(0.8, 0.95, 2e-8), utilities.Adam(0.8, 0.95, 2e-8)
    is_general = all(_same(others(g), course(g)) for g in gradients)
    usual = utilities.Adam()
    if not is_general and _same(directions, [usual(g) for g in gradients]):
        return _Problem(_WRITTEN_OUT)
    return directions


@dataclass(frozen=True)
class _Steps(Exercise):
    """Un exercice dont la réponse est une suite, de couches ou de pas.

    places : {motif: mots}, pour nommer ses éléments dans un verdict
    """

    places: dict[str, str] = field(default_factory=dict)

    def _describe(self, results: list, expected: list) -> str:
        sentence = super()._describe(results, expected)
        for pattern, words in self.places.items():
            sentence = re.sub(pattern, words, sentence)
        return sentence


def _forward_with(
    activation=None,
    output=None,
    entering=lambda X, activations: activations[-1],
    layer=lambda function, A, W, b: function(A @ W + b),
    kept=lambda activations: activations,
):
    """Une propagation avant où une étape est remplacée par une autre."""
    change, change_last = activation, output

    def wrong(X, parameters, activation=utilities.relu, output=utilities.sigmoid):
        functions = activation, output
        hidden = change(*functions) if change else activation
        last = change_last(*functions) if change_last else output
        activations = [X]
        for k, (W, b) in enumerate(parameters, start=1):
            function = last if k == len(parameters) else hidden
            activations.append(layer(function, entering(X, activations), W, b))
        return kept(activations)

    return wrong


def _forward_keeping_sums(X, parameters, activation=None, output=None):
    """Les sommes Z dans la liste, à la place des sorties A."""
    activations = utilities.forward_propagation(X, parameters, activation, output)
    layers = zip(activations, parameters)
    return [X, *(A_prev @ W + b for A_prev, (W, b) in layers)]


def _backward_with(
    dW=lambda A_prev, dZ: A_prev.T @ dZ,
    db=lambda dZ: dZ.sum(axis=0, keepdims=True),
    back=lambda dZ, W, A_prev, derivative: dZ @ W.T * derivative(A_prev),
    pair=lambda dW, db: (dW, db),
    stop=1,
    early=False,
    order=1,
):
    """Une rétropropagation où un terme est remplacé par un autre."""

    def wrong(y, parameters, activations, derivative=utilities.DERIVATIVES["relu"]):
        gradients, dZ = [], (activations[-1] - y) / len(y)
        for layer, (W, _) in reversed(list(enumerate(parameters, start=1))):
            A_prev = activations[layer - 1]
            passed = back(dZ, W, A_prev, derivative) if layer > stop else dZ
            dZ = passed if early else dZ
            gradients.insert(0, pair(dW(A_prev, dZ), db(dZ)))
            dZ = passed
        return gradients[::order]

    return wrong


def _adam_with(
    average=lambda mean, new, beta: mean + (1 - beta) * (new - mean),
    correct=lambda mean, beta, t: mean / (1 - beta**t),
    fraction=lambda mean, square, epsilon: mean / (np.sqrt(square) + epsilon),
    squared=lambda gradient, square: gradient**2,
    betas=(1, 2, 1, 2),
    pace=1,
    stored=0,
):
    """Adam, une fois changé un détail de son calcul.

    betas : les rangs de ceux des deux moyennes, puis de leurs corrections ; stored : ce
    que l'on retient d'un pas à l'autre (0 les moyennes, 1 les corrigées, 2 rien)
    """

    class Wrong(utilities.Adam):
        def __call__(self, gradient):
            self.t += pace
            new = gradient, squared(gradient, self.square)
            ranked = [(self.beta_1, self.beta_2)[rank - 1] for rank in betas]
            means = tuple(map(average, (self.mean, self.square), new, ranked))
            corrected = tuple(map(correct, means, ranked[2:], (self.t, self.t)))
            self.mean, self.square = (means, corrected, (0.0, 0.0))[stored]
            return fraction(*corrected, self.epsilon)

    return Wrong


class _UncorrectedEpsilon(utilities.Adam):
    """Adam, où ε s'ajoute à la racine de la moyenne non corrigée."""

    def __call__(self, gradient):
        super().__call__(gradient)
        correction = np.sqrt(1 - self.beta_2**self.t) / (1 - self.beta_1**self.t)
        return correction * self.mean / (np.sqrt(self.square) + self.epsilon)


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
    if scale <= 0:
        return "scale est une taille ; choisissez un nombre positif."
    ratio = _signal_ratio(float(scale))
    if ratio < 0.5:
        return "le signal s'éteint encore en chemin ; augmentez scale."
    if ratio > 2:
        return "le signal grandit encore en chemin ; baissez scale."
    return None


def _random_parameters(layer_sizes, rng):
    """Les couples (W, b) d'un réseau ; les biais ne sont pas nuls."""
    return [
        (rng.normal(size=(n_in, n_out)), rng.normal(size=(1, n_out)))
        for n_in, n_out in itertools.pairwise(layer_sizes)
    ]


def _network_case(layer_sizes, m, rng, *functions):
    """(X, paramètres, fonctions) ; m différent des tailles."""
    parameters = _random_parameters(layer_sizes, rng)
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
            (np.array([[-1000.0, 1000.0, -1000.0]]),),
            (np.array([[-1000.0, -1001.0]]),),
        ],
        mistakes={
            "c'est une sigmoïde, case par case : le total des réponses d'une image "
            "n'est pas 1.": utilities.sigmoid,
            "l'exponentielle déborde, et vous divisez par le total du tableau entier ; "
            "chaque ligne a son maximum et son total.": _softmax_of(
                lambda Z: 0, np.sum
            ),
            "le maximum et le total sont ceux de tout le tableau ; il en faut un par "
            "ligne.": _softmax_of(np.max, np.sum),
            "ce que vous retranchez n'est pas le maximum de la ligne : une somme peut "
            "le dépasser de beaucoup, et l'exponentielle déborde encore.": _softmax_of(
                lambda Z: Z.mean(axis=1, keepdims=True), _row_sum
            ),
            "l'exponentielle déborde pour de grandes sommes ; retranchez d'abord le "
            "plus grand nombre de chaque ligne.": _softmax_of(lambda Z: 0, _row_sum),
            "le maximum retranché est celui de tout le tableau ; c'est celui de "
            "chaque ligne qu'il faut.": _softmax_of(np.max, _row_sum),
            "vous divisez par le total de tout le tableau ; chaque ligne doit avoir "
            "son propre total.": _softmax_of(_row_max, np.sum),
            "ce sont les colonnes qui ont 1 pour total ; une image est une ligne.": (
                _softmax_of(
                    lambda Z: Z.max(axis=0), lambda E: E.sum(axis=0, keepdims=True)
                )
            ),
            "le total est celui des colonnes ; une image est une ligne.": _softmax_of(
                _row_max, lambda E: E.sum(axis=0, keepdims=True)
            ),
            "l'exponentielle est là, mais pas la division par le total : celui "
            "d'une image n'est pas 1.": lambda Z: np.exp(Z - _row_max(Z)),
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
        reference=lambda A: np.where(A > 0, 1.0, 0.0),
        errors=[
            (IndexError, "", _CELL_BY_CELL),
            (TypeError, "iterable|subscriptable|no len|unsized", _CELL_BY_CELL),
            (ValueError, "unpack", _CELL_BY_CELL),
        ],
        cases=[
            (np.array([[0.0, 2.0]]),),
            (utilities.relu(_rng.normal(size=(4, 3))),),
            (utilities.relu(_rng.normal(size=(2, 5))),),
            (np.array([0.0, 0.5, 3.0]),),
            (np.array([[[0.001, 0.5, 3.0]]]),),
        ],
        mistakes={
            _CELL_BY_CELL: _slope_by_cell,
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
    "forward_propagation": _Steps(
        reference=utilities.forward_propagation,
        run=_forward,
        errors=[
            (ValueError, "enough dimensions|unpack", _UNPACK),
            (ValueError, "matmul", _FORWARD_PRODUCT),
            (ValueError, "broadcast", _COMPARE_NUMBERS),
            (ValueError, "inhomogeneous", _UNPACK),
            (IndexError, "", _LAST_ONE),
        ],
        places={r"à la place n° (\d+), ": r"à la place n° \1 de la liste, "},
        cases=[
            (_one_image, _one_by_one),
            _network_case([3, 4, 2], 5, _rng),
            _network_case([2, 3, 4, 1], 6, _rng, np.tanh),
            _network_case([4, 2, 3], 7, _rng, np.tanh, utilities.softmax),
            _network_case([3, 1], 4, _rng),
        ],
        mistakes={
            "le biais manque dans la somme pondérée.": _forward_with(
                layer=lambda function, A, W, b: function(A @ W)
            ),
            "le biais est ajouté après coup ; il fait partie de la somme que la "
            "fonction transforme.": _forward_with(
                layer=lambda function, A, W, b: function(A @ W) + b
            ),
            "relu et sigmoid sont écrites en toutes lettres ; employez activation et "
            "output, reçues en argument.": _forward_with(
                lambda *_: utilities.relu, lambda *_: utilities.sigmoid
            ),
            "relu est écrite en toutes lettres ; employez activation, reçue en "
            "argument.": _forward_with(lambda *_: utilities.relu),
            "sigmoid est écrite en toutes lettres ; employez output, reçue en "
            "argument.": _forward_with(None, lambda *_: utilities.sigmoid),
            "la dernière couche passe par activation, puis par output ; output seule "
            "suffit.": _forward_with(
                None, lambda activation, output: lambda Z: output(activation(Z))
            ),
            "la dernière couche passe par activation ; la sortie a sa fonction à elle, "
            "output (comptée depuis zéro, elle a le numéro n − 1).": _forward_with(
                None, lambda activation, _: activation
            ),
            "toutes les couches passent par output, qui est réservée à la dernière.": (
                _forward_with(lambda _, output: output)
            ),
            "les fonctions sont échangées : activation pour les couches cachées, "
            "output pour la dernière.": _forward_with(
                lambda _, output: output, lambda activation, _: activation
            ),
            "les sommes Z sont là, mais aucune n'est passée par une activation.": (
                _forward_with(lambda *_: utilities.identity, lambda *_: np.array)
            ),
            "ce sont les sommes Z que vous gardez ; la liste attend les sorties "
            "A.": _forward_keeping_sums,
            "les couches cachées ne plient rien : leur somme doit passer par "
            "activation.": _forward_with(lambda *_: utilities.identity),
            "il manque l'entrée : la liste commence par X.": _forward_with(
                kept=lambda activations: activations[1:]
            ),
            "il n'y a que la dernière sortie ; la rétropropagation aura besoin de "
            "toutes.": _forward_with(kept=lambda activations: activations[-1]),
            "la liste est refaite à chaque tour, et n'a qu'une sortie ; ajoutez "
            "chacune au bout, avec append.": _forward_with(kept=lambda a: a[-1:]),
            "la liste ne contient que X et la dernière sortie ; gardez celle de chaque "
            "couche.": _forward_with(kept=lambda a: [a[0], a[-1]]),
            "la liste ne contient que X ; il faut y ajouter la sortie de chaque "
            "couche.": _forward_with(kept=lambda activations: activations[:1]),
            "la dernière couche manque.": _forward_with(kept=lambda a: a[:-1]),
            "l'ordre est inversé : X vient en premier.": _forward_with(
                kept=lambda activations: activations[::-1]
            ),
            _FORWARD_PRODUCT: _forward_with(entering=lambda X, _: X),
            _COMPARE_NUMBERS: _forward_with(
                layer=lambda function, A, W, b: function(A * W + b)
            ),
        },
        success="Une boucle, et toute profondeur.",
    ),
    "back_propagation": _Steps(
        reference=utilities.back_propagation,
        run=_backward,
        errors=[
            (ValueError, "matmul", _BACKWARD_PRODUCT),
            (ValueError, "broadcast", _BACKWARD_TERMS),
            (TypeError, "insert expected", _TWO_IN_ONE),
        ],
        places={
            r"à la place n° (\d+), à la place n° 1, ": r"couche \1, pour dW, ",
            r"à la place n° (\d+), à la place n° 2, ": r"couche \1, pour db, ",
            r"à la place n° (\d+), ": r"couche \1, ",
        },
        cases=[
            (
                np.array([[1.0]]),
                _one_by_one,
                utilities.forward_propagation(_one_image, _one_by_one),
            ),
            _backward_case([3, 4, 1], 5, _rng),
            _backward_case([2, 3, 4, 1], 6, _rng, "tanh"),
            _backward_case([4, 2, 3], 7, _rng, "logistic"),
            _backward_case([3, 2], 4, _rng),
        ],
        mistakes={
            _STOP_AT_THE_INPUT: _backward_with(stop=0),
            "gradients est resté vide : à chaque tour, mettez-y la paire (dW, db), "
            "avec insert.": lambda *_: [],
            "l'erreur n'est jamais renvoyée : il faut changer dZ avant de passer à la "
            "couche précédente.": _backward_with(back=lambda dZ, *_: dZ),
            "l'erreur s'arrête une couche trop tôt ; la première en a besoin "
            "aussi.": _backward_with(stop=2),
            "dZ a changé avant d'avoir servi : dW et db se calculent avec l'erreur de "
            "cette couche, avant de la renvoyer.": _backward_with(early=True),
            "la pente de l'activation manque quand l'erreur remonte.": _backward_with(
                back=lambda dZ, W, *_: dZ @ W.T
            ),
            "la pente se calcule avec la sortie A_prev de la couche, et non avec "
            "l'erreur.": _backward_with(
                back=lambda dZ, W, _, derivative: dZ @ W.T * derivative(dZ @ W.T)
            ),
            "vous multipliez par la sortie A_prev elle-même ; c'est par sa pente, que "
            "donne derivative.": _backward_with(
                back=lambda dZ, W, A_prev, _: dZ @ W.T * A_prev
            ),
            "la pente est toujours celle de ReLU ; employez derivative, reçue en "
            "argument.": _backward_with(
                back=lambda dZ, W, A_prev, _: dZ @ W.T * (A_prev > 0)
            ),
            "la pente s'ajoute, au lieu de multiplier l'erreur.": _backward_with(
                back=lambda dZ, W, A_prev, derivative: dZ @ W.T + derivative(A_prev)
            ),
            "le signe est inversé : une hausse de perte est un gradient positif.": (
                _backward_with(pair=lambda dW, db: (-dW, -db))
            ),
            "vous divisez une fois de trop par m : dZ l'est déjà, au départ.": (
                _backward_with(
                    dW=lambda A_prev, dZ: A_prev.T @ dZ / len(dZ),
                    db=lambda dZ: dZ.mean(axis=0, keepdims=True),
                )
            ),
            "dW est divisé une fois de trop par m : dZ l'est déjà, au départ.": (
                _backward_with(dW=lambda A_prev, dZ: A_prev.T @ dZ / len(dZ))
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
            "db n'est pas additionné : c'est encore dZ, une ligne par "
            "exemple.": _backward_with(db=lambda dZ: dZ),
            "dW est transposé : sa forme est celle de W, (n_in, n_out).": (
                _backward_with(dW=lambda A, dZ: dZ.T @ A)
            ),
            "les deux gradients d'une couche sont échangés : dW d'abord, puis "
            "db.": _backward_with(pair=lambda dW, db: (db, dW)),
            "l'ordre est inversé : la première paire est celle de la première "
            "couche.": _backward_with(order=-1),
            _TWO_IN_ONE: lambda y, *_: [y, y],
            _BACKWARD_PRODUCT: _backward_with(dW=lambda A, dZ: A @ dZ),
            _BACKWARD_TERMS: _backward_with(
                back=lambda dZ, W, A_prev, derivative: dZ * W.T * derivative(A_prev)
            ),
        },
        success="Les différences finies vont le confirmer.",
    ),
    "Adam": _Steps(
        reference=utilities.Adam,
        run=_directions,
        places={r"à la place n° (\d+), ": r"au pas n° \1, "},
        # Quatre gradients ou plus : un seul ne dirait rien des moyennes. Un gradient
        # nul, et d'autres minuscules, disent où est ε.
        cases=[
            tuple(np.array([g]) for g in (4.0, 4.0, -2.0, 1.0)),
            tuple(_rng.normal(size=(5, 2, 3))),
            tuple(1000 * _rng.normal(size=(6, 4))),
            tuple(np.array([g, 0.0]) for g in (3e-5, 1e-5, -2e-5, 1e-5)),
        ],
        mistakes={
            "un pixel toujours noir a un gradient nul, et 0/0 n'est pas un nombre : il "
            "manque ε au dénominateur.": _adam_with(
                fraction=lambda mean, square, epsilon: mean / np.sqrt(square)
            ),
            "ε s'ajoute à la fraction entière ; il va au dénominateur, entre "
            "parenthèses avec la racine.": _adam_with(
                fraction=lambda mean, square, epsilon: mean / np.sqrt(square) + epsilon
            ),
            "ε s'ajoute à la racine, et non à ce qui est dessous.": _adam_with(
                fraction=lambda mean, square, epsilon: mean / np.sqrt(square + epsilon)
            ),
            "ε s'ajoute à la racine de la moyenne corrigée ; vous l'ajoutez avant de "
            "corriger.": _UncorrectedEpsilon,
            "la racine carrée manque sous la fraction.": _adam_with(
                fraction=lambda mean, square, epsilon: mean / (square + epsilon)
            ),
            "la division par la racine de l'autre moyenne manque.": _adam_with(
                fraction=lambda mean, *_: mean
            ),
            "le signe moins est de trop : c'est update qui retranche.": _adam_with(
                fraction=lambda mean, square, epsilon: (
                    -mean / (np.sqrt(square) + epsilon)
                )
            ),
            "les moyennes ne sont pas corrigées de leur départ à zéro.": _adam_with(
                correct=lambda mean, *_: mean
            ),
            "la correction dépend du nombre de pas : il manque t.": _adam_with(
                correct=lambda mean, beta, t: mean / (1 - beta)
            ),
            "t est un exposant : β à la puissance t s'écrit avec **, et non "
            "avec *.": _adam_with(correct=lambda mean, beta, t: mean / (1 - beta * t)),
            "la correction divise la moyenne ; elle ne la multiplie pas.": _adam_with(
                correct=lambda mean, beta, t: mean * (1 - beta**t)
            ),
            "t avance deux fois par pas ; la ligne du dessus l'a déjà avancé.": (
                _adam_with(pace=2)
            ),
            "les moyennes ne durent pas d'un appel à l'autre : c'est dans self.mean et "
            "self.square qu'il faut les ranger.": _adam_with(stored=2),
            "ce sont les moyennes corrigées que vous gardez dans self ; mettez-les "
            "dans deux autres variables.": _adam_with(stored=1),
            "il manque le point de départ : chaque moyenne avance, et l'on ajoute la "
            "fraction du chemin à l'ancienne valeur.": _adam_with(
                average=lambda mean, new, beta: (1 - beta) * (new - mean)
            ),
            "vos moyennes s'additionnent sans rien oublier : le chemin va de "
            "l'ancienne valeur à la nouvelle.": _adam_with(
                average=lambda mean, new, beta: mean + (1 - beta) * new
            ),
            "β et 1 − β sont échangés : la fraction du chemin est petite, c'est "
            "1 − β.": _adam_with(
                average=lambda mean, new, beta: mean + beta * (new - mean)
            ),
            "les deux moyennes ne gardent rien du passé ; chacune ne parcourt qu'une "
            "fraction du chemin, 1 − β.": _adam_with(
                average=lambda mean, new, beta: new, correct=lambda mean, *_: mean
            ),
            "c'est l'écart que vous élevez au carré ; c'est le gradient, puis on prend "
            "l'écart.": _adam_with(
                squared=lambda gradient, square: square + (gradient - square) ** 2
            ),
            "la seconde moyenne est celle des carrés du gradient.": _adam_with(
                squared=lambda gradient, square: gradient
            ),
            "les deux β sont échangés : β₁ va avec le gradient, β₂ avec son carré.": (
                _adam_with(betas=(2, 1, 2, 1))
            ),
            "β₁ et β₂ sont échangés dans les corrections.": _adam_with(
                betas=(1, 2, 2, 1)
            ),
            "β₁ et β₂ sont échangés dans les moyennes.": _adam_with(betas=(2, 1, 1, 2)),
            "β₁ sert aux deux moyennes ; celle du carré a le sien, β₂.": _adam_with(
                betas=(1, 1, 1, 1)
            ),
            "β₁ sert aux deux corrections ; celle du carré a le sien, β₂.": _adam_with(
                betas=(1, 2, 1, 1)
            ),
            _NO_RETURN: _adam_with(fraction=lambda *_: None),
        },
        success="La longueur du pas ne dépend plus de la taille du gradient.",
    ),
    "relu_scale": Value(
        reference=1.4,
        condition=_scale_problem,
        success="Vous êtes près de l'échelle de He, la racine de 2.",
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

# --- Annexe convolution


def _neighbourhoods(X, k):
    """Le voisinage de chaque pixel, en ligne : (m · h · w, k · k · c)."""
    margin = (0, 0), (k // 2, k // 2), (k // 2, k // 2), (0, 0)
    windows = sliding_window_view(np.pad(X, margin), (k, k), axis=(1, 2))
    return windows.transpose(0, 1, 2, 4, 5, 3).reshape(-1, k * k * X.shape[3])


def _convolve(X, W, b):
    n_filters = W.shape[3]
    R = _neighbourhoods(X, len(W))
    Z = R @ W.reshape(-1, n_filters) + b
    return Z.reshape(*X.shape[:3], n_filters), R


def _input_gradient(dZ, W):
    dX, _ = _convolve(dZ, W[::-1, ::-1].swapaxes(2, 3), 0)
    return dX


def _max_pool(Z):
    m, h, w, c = Z.shape
    return Z.reshape(m, h // 2, 2, w // 2, 2, c).max(axis=(2, 4))


def _max_pool_gradient(dA, A, Z):
    dZ, taken = np.zeros_like(Z), np.zeros(A.shape, dtype=bool)
    for i, j in np.ndindex(2, 2):
        wins = (Z[:, i::2, j::2] == A) & ~taken
        dZ[:, i::2, j::2] = dA * wins
        taken = taken | wins
    return dZ


def _convolve_with(
    filters=lambda W: W.reshape(-1, W.shape[3]),
    bias=lambda b: b,
    fold=lambda Z, X, n: Z.reshape(*X.shape[:3], n),
    pair=lambda Z, R: (Z, R),
):
    """Une convolution où une étape est remplacée par une autre."""

    def wrong(X, W, b):
        R = _neighbourhoods(X, len(W))
        return pair(fold(R @ filters(W) + bias(b), X, W.shape[3]), R)

    return wrong


def _input_gradient_with(turned):
    """L'erreur convolée par d'autres filtres que les bons."""
    return lambda dZ, W: _convolve(dZ, turned(W), 0)[0]


def _shared(dA, A, Z):
    """L'erreur partagée entre les gagnants."""
    wins = _all_winners(np.ones_like(dA), A, Z)
    m, h, w, c = A.shape
    n_winners = wins.reshape(m, h, 2, w, 2, c).sum(axis=(2, 4))
    return _all_winners(dA / n_winners, A, Z)


def _all_winners(dA, A, Z):
    everywhere = np.repeat(np.repeat(A, 2, axis=1), 2, axis=2) == Z
    return np.repeat(np.repeat(dA, 2, axis=1), 2, axis=2) * everywhere


_PLACES = (0, 0), (0, 1), (1, 0), (1, 1)  # d'un bloc, dans l'ordre de lecture


def _pool_gradient_with(
    places=_PLACES,
    given=lambda dA, wins: dA * wins,
    rule=lambda best, taken: best & ~taken,
    after=lambda taken, wins: taken | wins,
):
    """Le retour du max-pooling où une étape est remplacée par une autre."""

    def wrong(dA, A, Z):
        dZ, taken = np.zeros_like(Z), np.zeros(A.shape, dtype=bool)
        for i, j in places:
            wins = rule(Z[:, i::2, j::2] == A, taken)
            dZ[:, i::2, j::2] = given(dA, wins)
            taken = after(taken, wins)
        return dZ

    return wrong


def _convolution_case(m, h, w, c, n, k, rng):
    shapes = (m, h, w, c), (k, k, c, n), (1, n)
    return tuple(rng.normal(size=shape) for shape in shapes)


def _error_case(m, h, w, c, n, k, rng):
    return rng.normal(size=(m, h, w, n)), rng.normal(size=(k, k, c, n))


def _pool_case(Z, rng):
    A = _max_pool(Z)
    return rng.normal(size=A.shape), A, Z


_CONVOLUTION_PRODUCT = (
    "le produit de matrices n'a pas deux formes qui vont ensemble : les voisinages ont "
    "k · k · c colonnes, et les filtres doivent avoir autant de lignes, une colonne "
    "par filtre."
)


_rng = np.random.default_rng(10)
_one_pixel = np.zeros((1, 3, 3, 1))
_one_pixel[0, 1, 1] = 1
_tied_block = np.array([2.0, 2, 0, 2]).reshape(1, 2, 2, 1)

LESSONS["convolution"] = {
    "response": Value(
        reference=-13,
        mistakes={
            "vous avez retourné le filtre, ou compté la droite moins la gauche ; "
            "chaque pixel va avec le poids de la même place.": 13,
            "les poids de la rangée du milieu valent 2 et −2.": -10,
            "c'est le total des pixels ; chacun se multiplie d'abord par son "
            "poids.": 18,
            "vous avez couché le filtre : ses colonnes sont devenues des rangées.": 5,
            "vous avez pris tous les poids positifs ; ceux de droite ne le sont "
            "pas.": 17,
            "la réponse est un total, et non une moyenne : on ne divise pas par "
            "neuf.": -13 / 9,
        },
        success="La droite est plus claire que la gauche : un bord.",
    ),
    "convolve": Exercise(
        reference=_convolve,
        errors=[
            (ValueError, "matmul", _CONVOLUTION_PRODUCT),
            (
                (AttributeError, TypeError),
                "'(float|int)' object",
                "b peut être un simple nombre{line} ; ajoutez-le tel quel, sans lui "
                "demander sa forme ni ses cases.",
            ),
        ],
        cases=[
            (np.array([1.0, 2, 3, 4]).reshape(1, 2, 2, 1), np.ones((3, 3, 1, 1)), 0.5),
            _convolution_case(2, 4, 5, 3, 2, 3, _rng),
            _convolution_case(1, 6, 5, 2, 4, 5, _rng),
            _convolution_case(3, 4, 4, 2, 2, 3, _rng),
        ],
        mistakes={
            "seule Z est renvoyée ; le retour aura besoin de R aussi.": _convolve_with(
                pair=lambda Z, R: Z
            ),
            "l'ordre est inversé : Z d'abord, puis R.": _convolve_with(
                pair=lambda Z, R: (R, Z)
            ),
            "le biais manque.": _convolve_with(bias=lambda b: 0 * b),
            "le biais est retranché ; il s'ajoute.": _convolve_with(bias=lambda b: -b),
            "les nombres sont bons, mais encore en lignes : repliez-les en images, de "
            "forme (m, h, w, n).": _convolve_with(fold=lambda Z, X, n: Z),
            "le résultat est replié dans l'ordre (m, n, h, w) ; les filtres sont le "
            "dernier axe.": _convolve_with(
                fold=lambda Z, X, n: Z.reshape(len(X), n, *X.shape[1:3])
            ),
            "le résultat a la forme de X ; son dernier axe compte les filtres, et non "
            "les canaux.": _convolve_with(fold=lambda Z, X, n: Z.reshape(X.shape)),
            "les filtres sont mis en lignes, puis transposés : leurs nombres ne sont "
            "plus dans l'ordre des voisinages ; W.reshape(-1, n) suffit.": (
                _convolve_with(filters=lambda W: W.reshape(W.shape[3], -1).T)
            ),
            "vous avez retourné les filtres ; ici, on s'en passe.": _convolve_with(
                filters=lambda W: W[::-1, ::-1].reshape(-1, W.shape[3])
            ),
            "les filtres sont transposés : leurs lignes y ont pris la place de leurs "
            "colonnes.": _convolve_with(
                filters=lambda W: W.swapaxes(0, 1).reshape(-1, W.shape[3])
            ),
            _CONVOLUTION_PRODUCT: _convolve_with(
                filters=lambda W: W.reshape(W.shape[3], -1)
            ),
        },
        success="Un seul produit de matrices, quels que soient les filtres.",
    ),
    "input_gradient": Exercise(
        reference=_input_gradient,
        errors=[(ValueError, "matmul", _CONVOLUTION_PRODUCT)],
        cases=[
            (_one_pixel, np.arange(1.0, 10).reshape(3, 3, 1, 1)),
            _error_case(2, 4, 5, 3, 2, 3, _rng),
            _error_case(1, 6, 5, 2, 4, 5, _rng),
            _error_case(3, 4, 4, 2, 2, 3, _rng),
        ],
        mistakes={
            "les filtres ne sont pas retournés : un pixel est lu par son voisin de "
            "droite avec le poids de gauche.": _input_gradient_with(
                lambda W: W.swapaxes(2, 3)
            ),
            "les filtres ne sont retournés que de haut en bas ; il le faut aussi de "
            "gauche à droite.": _input_gradient_with(lambda W: W[::-1].swapaxes(2, 3)),
            "les filtres ne sont retournés que de gauche à droite ; il le faut aussi "
            "de haut en bas.": _input_gradient_with(
                lambda W: W[:, ::-1].swapaxes(2, 3)
            ),
            "les canaux et les filtres ne sont pas échangés : l'erreur entre par les "
            "filtres, et sort par les canaux.": _input_gradient_with(
                lambda W: W[::-1, ::-1]
            ),
            "vous retournez aussi les canaux, ou les filtres ; seuls les deux premiers "
            "axes le sont.": _input_gradient_with(
                lambda W: W[::-1, ::-1, ::-1, ::-1].swapaxes(2, 3)
            ),
            "les filtres sont transposés ; retourner, c'est parcourir à l'envers "
            "(::-1), et non échanger lignes et colonnes.": _input_gradient_with(
                lambda W: W.transpose(1, 0, 3, 2)
            ),
            "convolve renvoie deux tableaux, et vous les renvoyez tous les deux ; ne "
            "gardez que le premier.": lambda dZ, W: _convolve(
                dZ, W[::-1, ::-1].swapaxes(2, 3), 0
            ),
            "le signe est inversé.": lambda dZ, W: -_input_gradient(dZ, W),
        },
        success="Le retour est une convolution, lui aussi.",
    ),
    "max_pool_gradient": Exercise(
        reference=_max_pool_gradient,
        cases=[
            (np.array([[[[3.0]]]]), np.array([[[[2.0]]]]), _tied_block),
            _pool_case(_rng.normal(size=(2, 4, 6, 3)), _rng),
            _pool_case(_rng.integers(2, size=(1, 8, 6, 2)).astype(float), _rng),
            _pool_case(np.ones((2, 2, 4, 1)), _rng),
        ],
        errors=[
            (
                TypeError,
                "bitwise_and",
                "& passe avant =={line} ; mettez la comparaison entre parenthèses : "
                "(… == A) & ~taken.",
            )
        ],
        mistakes={
            "à égalité, chaque gagnant reçoit encore l'erreur entière ; & ~taken n'y "
            "peut rien tant que taken ne retient personne.": _all_winners,
            "l'erreur est partagée entre les gagnants : c'est permis, mais l'énoncé "
            "(comme PyTorch) donne tout au premier.": _shared,
            "c'est le dernier gagnant qui prend tout ; l'énoncé demande le "
            "premier.": _pool_gradient_with(places=_PLACES[::-1]),
            "les places sont prises colonne par colonne ; l'ordre de lecture va ligne "
            "par ligne.": _pool_gradient_with(places=((0, 0), (1, 0), (0, 1), (1, 1))),
            "taken ne retient que la dernière place ; il faut y ajouter chaque "
            "gagnant, avec |.": _pool_gradient_with(after=lambda taken, wins: wins),
            "plus personne ne gagne : une place gagne si son bloc n'est pas encore "
            "pris, ~taken, et taken ne change qu'après.": _pool_gradient_with(
                rule=lambda best, taken: best & taken
            ),
            "toutes les places reçoivent l'erreur, gagnantes ou non.": (
                _pool_gradient_with(given=lambda dA, wins: dA)
            ),
            "l'erreur va aux perdants.": _pool_gradient_with(
                given=lambda dA, wins: dA * ~wins, rule=lambda best, taken: best
            ),
        },
        success="Chaque erreur est comptée une fois, et une seule.",
    ),
}

# --- Annexe reseau_convolutif


def _predict_proba(X, parameters):
    *filters, (W_out, b_out) = parameters
    for W, b in filters:
        Z, _ = _convolve(X, W, b)
        X = utilities.relu(_max_pool(Z))
    return utilities.softmax(X.reshape(len(X), -1) @ W_out + b_out)


def _predict_both_ways(X, parameters):
    return _two_views()(X, parameters)


def _two_views(mirror=lambda X: X[:, :, ::-1], join=lambda one, two: (one + two) / 2):
    """Deux réponses, où le reflet ou ce que l'on en fait est un autre."""

    def wrong(X, parameters):
        answers = (_predict_proba(images, parameters) for images in (X, mirror(X)))
        return join(*answers)

    return wrong


def _network_case(m, side, c, n_filters, rng):
    shapes = (3, 3, c, n_filters), ((side // 2) ** 2 * n_filters, 3)
    parameters = [(rng.normal(size=s), rng.normal(size=(1, s[-1]))) for s in shapes]
    return rng.normal(size=(m, side, side, c)), parameters


_rng = np.random.default_rng(11)

LESSONS["reseau_convolutif"] = {
    "n_parameters": Value(
        reference=20490,
        mistakes={
            "il manque les biais : un par filtre, et un par réponse.": 20432,
            "un filtre de la deuxième couche lit les 16 canaux à la fois : il a "
            "3 × 3 × 16 poids.": 160 + 9 * 32 + 32 + 15690,
            "la couche dense lit les cartes résumées deux fois : 7 × 7, et non "
            "14 × 14.": 160 + 4640 + 14 * 14 * 32 * 10 + 10,
            "la couche dense lit les cartes résumées : 7 × 7, et non 28 × 28.": (
                160 + 4640 + 28 * 28 * 32 * 10 + 10
            ),
            "il manque la couche dense.": 160 + 4640,
            "ce n'est que la couche dense ; ajoutez les deux convolutions.": 15690,
            "la couche dense lit les 32 cartes entières, et non un nombre par "
            "carte.": 160 + 4640 + 330,
        },
        tolerance=1e-5,
        success="Les trois quarts sont dans la couche dense.",
    ),
    "shuffled_convolution": Value(
        reference="a",
        mistakes={
            "c'était vrai du réseau dense, qui ignore quels pixels sont voisins ; un "
            "filtre, lui, ne lit que des voisins.": "b",
            "il reste quelque chose à lire : la couche dense de la fin, elle, "
            "s'accommode du mélange.": "c",
        },
        success="L'expérience qui suit le montre.",
    ),
    "predict_both_ways": Exercise(
        reference=_predict_both_ways,
        cases=[
            _network_case(1, 2, 1, 1, _rng),
            _network_case(4, 4, 2, 3, _rng),
            _network_case(3, 6, 3, 2, _rng),
        ],
        mistakes={
            "vous renversez les lignes : ce reflet met l'animal sur le dos. Gauche et "
            "droite sont l'axe 2.": _two_views(lambda X: X[:, ::-1]),
            "c'est l'ordre des images que vous renversez ; gauche et droite sont "
            "l'axe 2.": _two_views(lambda X: X[::-1]),
            "ce sont les canaux que vous renversez ; gauche et droite sont l'axe 2.": (
                _two_views(lambda X: X[..., ::-1])
            ),
            "vous renversez les lignes et les colonnes : c'est un demi-tour, et non un "
            "reflet.": _two_views(lambda X: X[:, ::-1, ::-1]),
            "vous additionnez sans diviser par 2 : ce ne sont plus des probabilités.": (
                _two_views(join=lambda one, two: one + two)
            ),
            "seul le reflet est regardé.": _two_views(join=lambda one, two: two),
            "seule l'image est regardée : son reflet ne compte pas.": _two_views(
                join=lambda one, two: one
            ),
            "la moyenne porte sur les images, et non sur les réponses : un animal et "
            "son reflet, superposés, n'en sont plus un.": lambda X, parameters: (
                _predict_proba((X + X[:, :, ::-1]) / 2, parameters)
            ),
        },
        success="Deux regards, une réponse.",
    ),
    "n_test_images": Value(
        reference=1875,
        mistakes={
            "il manque le carré : diviser la marge par trois demande neuf fois plus "
            "d'images, et non trois.": 600,
            "il manque le 2 devant la racine.": 468.75,
            "il manque le carré de 0,02.": 37.5,
            "le 2 doit être au carré, lui aussi.": 937.5,
            "c'est le calcul pour p = 1/2 ; ici, p vaut 0,75.": 2500,
            "c'est l'ordre de grandeur, tiré d'une marge arrondie à 0,06 ; partez de "
            "la formule.": 1800,
        },
        tolerance=1e-3,
        success="Près de deux mille : un score sur deux cents images est bien flou.",
    ),
}

# --- Annexes pytorch et keras


def _loss_from_logits(y: np.ndarray, Z: np.ndarray) -> float:
    losses = np.maximum(Z, 0) - y * Z + np.log1p(np.exp(-np.abs(Z)))
    return np.mean(losses)


def _softplus(Z: np.ndarray) -> np.ndarray:
    return np.maximum(Z, 0) + np.log1p(np.exp(-np.abs(Z)))


class _Line:
    """Un réseau à un seul poids et son optimiseur, qui imitent ceux de PyTorch.

    Le gradient s'y accumule de même, et il n'y a rien à installer pour juger.
    """

    def __deepcopy__(self, memo: dict) -> _Line:
        return self  # _three_steps remet tout à zéro

    def __call__(self, inputs: np.ndarray) -> np.ndarray:
        self.inputs = inputs
        return self.weight * inputs

    def zero_grad(self, set_to_none: bool = True) -> None:
        self.gradient = 0.0

    def step(self) -> None:
        self.weight -= 0.1 * self.gradient


_LINE = _Line()


class _LineLoss:
    """La moyenne des carrés des écarts, et sa dérivée selon le poids de _LINE."""

    def __init__(self, outputs: np.ndarray, targets: np.ndarray) -> None:
        errors = outputs - targets
        self.value = np.mean(errors**2)
        self.slope = np.mean(2 * errors * _LINE.inputs)

    def backward(self) -> None:
        _LINE.gradient += self.slope

    def item(self) -> float:
        return float(self.value)

    __float__ = item


def _step_that_calls(*names: str, returned: Callable = _LineLoss.item) -> Callable:
    """Un pas d'entraînement qui fait ces appels, dans cet ordre."""

    def train_step(network, loss_function, optimizer, inputs, targets):
        loss = loss_function(network(inputs), targets)
        for name in names:
            getattr(loss if name == "backward" else optimizer, name)()
        return returned(loss)

    return train_step


def _train_step(network, loss_function, optimizer, inputs, targets):
    loss = loss_function(network(inputs), targets)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    return loss.item()


def _three_steps(answer, network, loss_function, optimizer, inputs, targets) -> list:
    """Ce que rend chacun de trois pas, et le poids qui en résulte."""
    network.weight, network.gradient, results = 1.0, 0.0, []
    for _ in range(3):
        loss = answer(network, loss_function, optimizer, inputs, targets)
        loss = "la perte, avec son graphe" if isinstance(loss, _LineLoss) else loss
        results += [loss, network.weight]
    return results


def _torch_filters(W: np.ndarray) -> np.ndarray:
    return W.transpose(3, 2, 0, 1)


LESSONS["pytorch"] = {
    "square_layer": Value(
        reference="b",
        mistakes={
            "PyTorch ne vérifie que la forme, et celle-ci est bonne : six sur six. Il "
            "ne peut pas deviner que lignes et colonnes sont échangées.": "a",
            "transposer une matrice carrée échange ses poids : le neurone 1 reçoit "
            "ceux que l'entrée 1 envoyait. Le résultat change.": "c",
        },
        success="Aucun message : c'est la pire sorte d'erreur.",
    ),
    "loss_from_logits": Exercise(
        reference=_loss_from_logits,
        cases=[
            (np.array([[1.0], [0.0]]), np.array([[0.0], [2.0]])),
            (np.array([[0.0], [1.0], [1.0]]), np.array([[1.0], [-2.0], [3.0]])),
            (np.array([[1.0], [0.0]]), np.array([[1000.0], [800.0]])),
            (np.array([[0.0], [1.0], [1.0]]), np.array([[-1000.0], [-800.0], [0.5]])),
            (
                np.random.default_rng(0).integers(2, size=(7, 1)).astype(float),
                np.random.default_rng(1).normal(scale=4, size=(7, 1)),
            ),
        ],
        mistakes={
            "la perte est une moyenne sur les exemples ; il manque "
            "np.mean.": lambda y, Z: _softplus(Z) - y * Z,
            "vous additionnez les pertes des exemples ; il en faut la "
            "moyenne.": lambda y, Z: np.sum(_softplus(Z) - y * Z),
            "le terme − y z se retranche ; vous l'ajoutez.": lambda y, Z: np.mean(
                _softplus(Z) + y * Z
            ),
            "c'est juste tant que z reste petit, mais l'exponentielle de z déborde "
            "quand z vaut mille ; elle doit porter sur −|z|.": lambda y, Z: np.mean(
                np.log1p(np.exp(Z)) - y * Z
            ),
            "l'exponentielle de −z déborde quand z vaut −1000 ; mettez-la en facteur, "
            "comme dans la dernière formule.": lambda y, Z: np.mean(
                (1 - y) * Z + np.log1p(np.exp(-Z))
            ),
            "l'exponentielle de −z déborde quand z vaut −1000 ; elle doit porter "
            "sur −|z|.": lambda y, Z: np.mean(
                np.maximum(Z, 0) - y * Z + np.log1p(np.exp(-Z))
            ),
            "vous repassez par la sigmoïde, que l'ordinateur arrondit à 0 ou à 1 : le "
            "logarithme est alors infini.": lambda y, Z: _loss(y, sigmoid(Z)),
            "en écartant la probabilité de 0 et de 1, vous plafonnez la perte ; la "
            "formule qui part de z n'en a pas besoin.": lambda y, Z: utilities.log_loss(
                y, sigmoid(Z)
            ),
            "il manque la partie linéaire, max(z, 0) − y z.": lambda y, Z: np.mean(
                np.log1p(np.exp(-np.abs(Z)))
            ),
            "max(z, 0) regarde z case par case : c'est np.maximum(Z, 0) ; np.max(Z) "
            "rend le plus grand de tous.": lambda y, Z: np.mean(
                np.max(Z) - y * Z + np.log1p(np.exp(-np.abs(Z)))
            ),
        },
        success="Mille, moins mille : rien ne déborde.",
    ),
    "train_step": Exercise(
        reference=_train_step,
        cases=[
            (_LINE, _LineLoss, _LINE, np.array([1.0, 2.0]), np.array([3.0, 4.0])),
            (_LINE, _LineLoss, _LINE, np.array([0.5, -1, 2]), np.array([1.0, 0, -1])),
        ],
        run=_three_steps,
        mistakes={
            "chaque backward ajoute son gradient à celui des lots d'avant, que rien "
            "n'efface : il manque optimizer.zero_grad().": _step_that_calls(
                "backward", "step"
            ),
            "aucun poids ne bouge : le pas, optimizer.step(), vient après "
            "loss.backward(), et rien n'efface le gradient entre les "
            "deux.": _step_that_calls("backward", "zero_grad", "step"),
            "le pas se sert du gradient du lot d'avant : appelez loss.backward() avant "
            "optimizer.step().": _step_that_calls("step", "zero_grad", "backward"),
            "vous rendez la perte avec le graphe qui a servi à la calculer ; "
            "loss.item() n'en garde que le nombre.": _step_that_calls(
                "zero_grad", "backward", "step", returned=lambda loss: loss
            ),
            "la fonction ne renvoie rien (None) ; gardez la dernière ligne, "
            "return loss.item().": _step_that_calls(
                "zero_grad", "backward", "step", returned=lambda loss: None
            ),
        },
        success="Effacer, rétropropager, faire un pas : dans cet ordre.",
    ),
    "epoch_loss": Value(
        reference=0.52,
        mistakes={
            "c'est la moyenne des trois lots, mais le dernier n'a que cinq exemples : "
            "il doit peser deux fois moins.": 0.6,
            "c'est la somme des trois pertes ; il faut une moyenne, où chaque lot pèse "
            "autant que ses exemples.": 1.8,
            "il reste à diviser par le nombre d'exemples.": 13.0,
            "vous divisez par trente ; il n'y a que vingt-cinq exemples.": 13 / 30,
            "vous divisez par le nombre de lots ; ce sont les exemples qu'il faut "
            "compter.": 13 / 3,
        },
        success="C'est la perte que Keras affiche, et celle de loss_curve_.",
    ),
}

LESSONS["keras"] = {
    "hidden_threshold": Value(
        reference=0.62,
        mistakes={
            "un demi est le seuil sur la somme ; on demande la probabilité qui y "
            "correspond, σ(0,5).": 0.5,
            "c'est σ(−0,5), la probabilité de l'autre classe.": 0.38,
            "c'est σ(1), le cas fait à la main ; le seuil caché est un demi.": 0.73,
            "c'est la somme pour laquelle la probabilité est un demi ; on demande "
            "l'inverse.": 0.0,
        },
        success="De 0,5 à 0,62, le réseau dit « oui », et Keras compte « non ».",
    ),
    "half_step": Value(
        reference=3.16,
        mistakes={
            "c'est le gradient du demi-pas de PyTorch ; dans Keras, ε est dix fois "
            "plus grand, et multiplié par la racine de mille.": 0.01,
            "il manque la racine de mille, qui vient de la place d'ε.": 0.1,
            "c'est avec l'ε de PyTorch ; celui de Keras, par défaut, vaut un "
            "dix-millionième.": 0.316,
            "c'est la racine de mille, et non mille, qui multiplie ε.": 100.0,
            "c'est bien trop petit : on attend un nombre de millionièmes.": 3.16e-6,
        },
        tolerance=0.02,
        success="Un gradient trois cents fois plus grand que chez PyTorch.",
    ),
    "torch_filters": Exercise(
        reference=_torch_filters,
        cases=[
            (np.arange(1.0, 5).reshape(2, 2, 1, 1),),
            (np.arange(48.0).reshape(2, 2, 3, 4),),
            (np.random.default_rng(0).normal(size=(3, 3, 2, 5)),),
        ],
        mistakes={
            "le filtre et le canal sont bien placés, mais la ligne et la colonne "
            "sont échangées, et chaque filtre est transposé.": lambda W: W.T,
            "la forme est bonne, mais reshape garde l'ordre des nombres, et les "
            "mélange ; c'est l'ordre des axes qu'il faut changer, avec "
            "transpose.": lambda W: W.reshape(*W.shape[:1:-1], *W.shape[:2]),
            "vos filtres sont bien les premiers, mais le canal est resté le dernier ; "
            "il vient en deuxième.": lambda W: W.transpose(3, 0, 1, 2),
            "vous mettez le canal avant le filtre ; c'est (n, c, k, k).": lambda W: (
                W.transpose(2, 3, 0, 1)
            ),
            "rien n'a bougé : transpose, comme reshape, rend un nouveau tableau, et "
            "c'est lui qu'il faut renvoyer.": lambda W: W,
        },
        success="Les nombres n'ont pas changé, seul l'ordre des axes.",
    ),
    "flat_place": Value(
        reference=262,
        tolerance=1e-3,
        mistakes={
            "c'est la place chez nous, où le canal vient à la fin.": 277,
            "la ligne et la colonne sont échangées : la ligne avance de 7 en 7.": 268,
            "on compte depuis zéro : rien ne s'ajoute à la fin.": 263,
            "il y a cinq canaux entiers avant celui-ci, de 49 nombres chacun.": 97,
        },
        success="Les mêmes nombres, à d'autres places : aucune forme ne le dit.",
    ),
}

# --- Annexe recurrence


def _rnn_forward(X, W, U, b):
    return _rnn_by()(X, W, U, b)


def _rnn_by(cell=lambda z, h, U: np.tanh(z + h @ U), order=1, last=0):
    """Une lecture où la cellule, le sens ou la fin est un autre."""

    def wrong(X, W, U, b):
        m, T, _ = X.shape
        Z, H = (X @ W + b)[:, ::order], np.zeros((m, T + 1, len(U)))
        for t in range(1, T + 1 - last):
            H[:, t] = cell(Z[:, t - 1], H[:, t - 1], U)
        return H

    return wrong


def _rnn_backward(H, U, dh):
    return _rnn_back_by()(H, U, dh)


def _rnn_back_by(
    slope=lambda H, t: 1 - H[:, t] ** 2,
    back=lambda dz, dh, U: dz @ U.T,
    order=-1,
    first=1,
):
    """Un retour où la pente, le passage par U, le sens ou la fin est un autre."""

    def wrong(H, U, dh):
        dZ = np.zeros_like(H[:, 1:])
        for t in range(first, H.shape[1])[::order]:
            dZ[:, t - 1] = dh * slope(H, t)
            dh = back(dZ[:, t - 1], dh, U)
        return dZ

    return wrong


def _norm(gradients):
    return np.sqrt(sum(np.sum(gradient**2) for gradient in gradients))


def _clip(gradients, max_norm):
    return _clip_by(_norm)(gradients, max_norm)


def _clip_by(norm, scale=lambda norm, max_norm: max_norm / max(norm, max_norm)):
    """Une coupe où la norme, ou le facteur, est un autre."""

    def wrong(gradients, max_norm):
        return [scale(norm(gradients), max_norm) * gradient for gradient in gradients]

    return wrong


def _reading_case(m, T, n, h, rng):
    return tuple(rng.normal(size=s) for s in ((m, T, n), (n, h), (h, h), (1, h)))


def _return_case(m, T, h, rng):
    H = np.tanh(rng.normal(size=(m, T + 1, h)))
    return H, rng.normal(size=(h, h)), rng.normal(size=(m, h))


_rng = np.random.default_rng(5)
_half = np.array([[0.5]])

LESSONS["recurrence"] = {
    "forgotten_after": Value(
        reference=7,
        mistakes={
            "(1/2)⁶ vaut 1/64, qui est encore plus grand que 1/100.": 6,
            "c'est vrai aussi après huit étapes, mais ce l'était déjà avant.": 8,
            "l'influence n'est pas divisée par le nombre d'étapes : chaque étape la "
            "multiplie par 1/2.": 50,
            "c'est l'influence elle-même ; on demande le nombre d'étapes.": 1 / 128,
            "ce nombre d'étapes n'est pas entier ; prenez le premier entier qui "
            "convient.": np.log2(100),
        },
        success="Sept étapes, et la mémoire de départ ne pèse presque plus rien.",
    ),
    "clip": Exercise(
        reference=_clip,
        cases=[
            ([np.array([[3.0, 4.0]])], 1.0),
            ([_rng.normal(size=(3, 2)), _rng.normal(size=(1, 2))], 0.7),
            ([_rng.normal(size=(2, 4)), np.array([[5.0]]), np.zeros((1, 4))], 2.0),
            ([_rng.normal(size=(2, 2)), np.array([[0.1]])], 9.0),
            ([np.zeros((2, 1)), np.zeros((1, 1))], 1.0),
            ([np.array(-3.0), np.array([4.0, 0.0])], 1.0),
        ],
        errors=[
            (
                ZeroDivisionError,
                "",
                "quand tous les gradients sont nuls, leur norme est nulle aussi, et "
                "l'on divise par elle{line} ; cette liste-là doit rester inchangée.",
            ),
            (
                ValueError,
                "truth value",
                "la norme est un tableau{line}, et il la faut d'un seul nombre : "
                "np.sum(gradient**2) additionne les carrés d'un tableau entier.",
            ),
            (
                ValueError,
                "inhomogeneous",
                "les tableaux n'ont pas tous la même forme, et NumPy ne peut en faire "
                "un seul{line} ; additionnez les carrés de chacun, puis leurs totaux.",
            ),
        ],
        mistakes={
            "un gradient assez court ne doit pas changer ; le vôtre reçoit toujours la "
            "norme max_norm.": _clip_by(_norm, lambda norm, max_norm: max_norm / norm),
            "chaque tableau est réduit selon sa propre norme, et la direction change ; "
            "la norme est celle de tous les tableaux réunis.": lambda gradients, top: [
                gradient * top / max(_norm([gradient]), top) for gradient in gradients
            ],
            "chaque nombre est borné à part, et la direction change ; c'est la norme "
            "de l'ensemble qu'il faut borner.": lambda gradients, top: [
                np.clip(gradient, -top, top) for gradient in gradients
            ],
            "la racine carrée manque dans la norme.": _clip_by(
                lambda gradients: _norm(gradients) ** 2
            ),
            "la norme est la racine de la somme des carrés, et non la somme des "
            "valeurs absolues.": _clip_by(
                lambda gradients: sum(np.sum(np.abs(g)) for g in gradients)
            ),
            "vous additionnez les normes des tableaux ; ce sont les carrés qui "
            "s'additionnent, avant la racine.": _clip_by(
                lambda gradients: sum(_norm([g]) for g in gradients)
            ),
            "la fraction est renversée : un gradient trop long doit raccourcir.": (
                _clip_by(_norm, lambda norm, top: max(norm, top) / top)
            ),
            "les gradients trop longs sont remplacés par zéro ; ils doivent garder "
            "leur direction.": _clip_by(_norm, lambda norm, top: float(norm <= top)),
            "un gradient trop long reçoit la norme 1, et non max_norm.": _clip_by(
                _norm, lambda norm, top: 1 / norm if norm > top else 1.0
            ),
            "rien n'est réduit.": lambda gradients, max_norm: gradients,
        },
        success="La direction reste, seule la longueur est bornée.",
    ),
    "rnn_forward": Exercise(
        reference=_rnn_forward,
        cases=[
            (np.array([[[1.0], [0.0]]]), np.eye(1), _half, np.zeros((1, 1))),
            _reading_case(4, 5, 3, 2, _rng),
            _reading_case(3, 2, 2, 4, _rng),
            _reading_case(2, 1, 2, 3, _rng),
            _reading_case(3, 4, 2, 3, _rng),
            _reading_case(4, 3, 2, 2, _rng),
        ],
        errors=[
            (
                IndexError,
                "out of bounds",
                "un numéro sort du tableau{line} ; pour t de 1 à T, on lit Z[:, t - 1] "
                "et H[:, t - 1], et l'on écrit H[:, t].",
            )
        ],
        mistakes={
            "la mémoire n'entre pas dans la somme, ou y entre encore nulle : il y faut "
            "H[:, t - 1] @ U, étape après étape.": _rnn_by(lambda z, h, U: np.tanh(z)),
            "c'est Z, et non X, qui entre dans la somme : Z[:, t - 1] contient déjà "
            "X @ W + b.": lambda X, W, U, b: _rnn_by()(X, np.eye(X.shape[2]), U, 0 * b),
            "U est à droite des états, qui sont des lignes : H[:, t - 1] @ U.": _rnn_by(
                lambda z, h, U: np.tanh(z + U @ h)
            ),
            "b est déjà dans Z ; vous l'ajoutez une deuxième fois.": (
                lambda X, W, U, b: _rnn_by()(X, W, U, 2 * b)
            ),
            "la somme ne passe pas par tanh.": _rnn_by(lambda z, h, U: z + h @ U),
            "tanh ne s'applique qu'à la mémoire ; c'est la somme entière qu'elle "
            "transforme.": _rnn_by(lambda z, h, U: z + np.tanh(h @ U)),
            "tanh ne s'applique qu'à ce qui vient de l'entrée ; c'est la somme entière "
            "qu'elle transforme.": _rnn_by(lambda z, h, U: np.tanh(z) + h @ U),
            "U est transposée : les états sont des lignes, et U est à leur droite.": (
                _rnn_by(lambda z, h, U: np.tanh(z + h @ U.T))
            ),
            "la boucle s'arrête une étape trop tôt : range(1, T + 1) va de 1 à T.": (
                _rnn_by(last=1)
            ),
            "la suite est lue à l'envers : la première étape vient d'abord.": _rnn_by(
                order=-1
            ),
            "la mémoire traverse U par un produit de matrices (@), et non case par "
            "case (*).": _rnn_by(lambda z, h, U: np.tanh(z + h * U)),
        },
        success="Une seule boucle, sur le temps ; le lot, lui, avance d'un bloc.",
    ),
    "rnn_backward": Exercise(
        reference=_rnn_backward,
        cases=[
            (np.array([[[0.0], [0.5], [0.0]]]), _half, np.array([[1.0]])),
            _return_case(4, 5, 3, _rng),
            _return_case(3, 2, 2, _rng),
            _return_case(2, 1, 4, _rng),
        ],
        errors=[
            (
                IndexError,
                "out of bounds",
                "un numéro sort du tableau{line} ; l'étape t est rangée en "
                "dZ[:, t - 1].",
            )
        ],
        mistakes={
            "la pente de tanh manque.": _rnn_back_by(lambda H, t: 1.0),
            "c'est la pente de l'étape précédente ; à l'étape t, la sortie est "
            "H[:, t].": _rnn_back_by(lambda H, t: 1 - H[:, t - 1] ** 2),
            "H[:, t] est déjà passé par tanh : sa pente est 1 − h², sans un tanh de "
            "plus.": _rnn_back_by(lambda H, t: 1 - np.tanh(H[:, t]) ** 2),
            "c'est la pente de la sigmoïde ; celle de tanh est 1 − h².": _rnn_back_by(
                lambda H, t: H[:, t] * (1 - H[:, t])
            ),
            "vous multipliez par la sortie elle-même ; c'est par sa pente, "
            "1 − h².": _rnn_back_by(lambda H, t: H[:, t]),
            "U n'est pas transposée : au retour, l'erreur la traverse dans l'autre "
            "sens. Comme U est carrée, rien ne s'est arrêté.": _rnn_back_by(
                back=lambda dz, dh, U: dz @ U
            ),
            "l'erreur n'est jamais renvoyée : il faut changer dh avant de passer à "
            "l'étape précédente.": _rnn_back_by(back=lambda dz, dh, U: dh),
            "l'erreur remonte sans traverser U.": _rnn_back_by(
                back=lambda dz, dh, U: dz
            ),
            "l'erreur renvoyée a oublié la pente : c'est dz, et non dh, qui traverse "
            "U.": _rnn_back_by(back=lambda dz, dh, U: dh @ U.T),
            "dh s'accumule ; ici la perte ne regarde que le dernier état, et tout ce "
            "qui remonte passe par U.": _rnn_back_by(
                back=lambda dz, dh, U: dh + dz @ U.T
            ),
            "dZ reste nul : dh se calcule d'après dZ[:, t - 1], qu'il faut donc "
            "remplir d'abord.": lambda H, U, dh: np.zeros_like(H[:, 1:]),
            "dh traverse U trop tôt : remplissez d'abord dZ[:, t - 1].": (
                lambda H, U, dh: _rnn_backward(H, U, dh @ U.T)
            ),
            "les étapes sont prises dans l'ordre de la lecture ; le retour part de la "
            "dernière.": _rnn_back_by(order=1),
            "le retour s'arrête une étape trop tôt.": _rnn_back_by(first=2),
        },
        success="C'est la rétropropagation du carnet 04, avec le même U à chaque pas.",
    ),
}

# --- Annexe lstm


def _lstm_cell(i, f, o, g, c_prev):
    c = f * c_prev + i * g
    return o * np.tanh(c), c


def _lstm_by(write, read=lambda o, c: o * np.tanh(c)):
    """Une cellule qui écrit, ou qui lit, sa mémoire autrement."""

    def wrong(i, f, o, g, c_prev):
        c = write(i, f, g, c_prev)
        return read(o, c), c

    return wrong


def _lstm_write(i, f, g, c_prev):
    return f * c_prev + i * g


def _lstm_slopes(C, gates):
    i, f, o, g = np.split(gates, 4, axis=2)
    c_prev, tanh_c = C[:, :-1], np.tanh(C[:, 1:])
    slopes = [g * i * (1 - i), c_prev * f * (1 - f), tanh_c * o * (1 - o)]
    slopes = np.concatenate([*slopes, i * (1 - g**2)], axis=2)
    return f, o * (1 - tanh_c**2), slopes


def _lstm_backward(C, gates, U, dh):
    return _lstm_back_by()(C, gates, U, dh)


def _lstm_back_by(
    receive=lambda dc, dh, into_c: dc + dh * into_c,
    sides=lambda dc, dh: [dc, dc, dh, dc],
    slope=1,
    back=lambda dz, dh, U: dz @ U.T,
    keep=lambda dc, f, before: dc * f,
):
    """Un retour où ce qui entre, ce qui se répartit ou ce qui remonte est un autre."""

    def wrong(C, gates, U, dh):
        f, into_c, slopes = _lstm_slopes(C, gates)
        dZ, dc = np.zeros_like(gates), np.zeros_like(dh)
        for t in reversed(range(gates.shape[1])):
            dc = receive(dc, dh, into_c[:, t])
            dZ[:, t] = np.hstack(sides(dc, dh)) * slopes[:, t] ** slope
            dh, dc = back(dZ[:, t], dh, U), keep(dc, f[:, t], f[:, t - 1])
        return dZ

    return wrong


def _cell_case(m, h, rng):
    return *rng.uniform(size=(3, m, h)), *rng.normal(size=(2, m, h))


def _two_paths_case(m, T, k, rng):
    gates = rng.uniform(size=(m, T, 3 * k))
    A = np.concatenate([gates, rng.uniform(-1, 1, size=(m, T, k))], axis=2)
    C, U = rng.normal(size=(m, T + 1, k)), rng.normal(size=(k, 4 * k))
    return C, A, U, rng.normal(size=(m, k))


_rng = np.random.default_rng(6)

LESSONS["lstm"] = {
    "lstm_cell": Exercise(
        reference=_lstm_cell,
        cases=[
            tuple(np.array([[v]]) for v in (1.0, 0.0, 1.0, 0.5, 2.0)),
            _cell_case(3, 2, _rng),
            _cell_case(2, 4, _rng),
        ],
        mistakes={
            "la porte d'oubli efface aussi ce que l'on vient d'écrire ; elle ne "
            "multiplie que l'ancienne mémoire.": _lstm_by(
                lambda i, f, g, c: f * (c + i * g)
            ),
            "la porte d'oubli manque ; c'était la cellule de 1997, qui ne savait pas "
            "oublier.": _lstm_by(lambda i, f, g, c: c + i * g),
            "la porte d'entrée manque devant la proposition g.": _lstm_by(
                lambda i, f, g, c: f * c + g
            ),
            "les portes i et f sont échangées : f garde l'ancien, i laisse entrer le "
            "nouveau.": _lstm_by(lambda i, f, g, c: i * c + f * g),
            "la porte d'entrée est ici 1 − f ; dans cette cellule, i est une porte à "
            "part.": _lstm_by(lambda i, f, g, c: f * c + (1 - f) * g),
            "tanh manque à la sortie : la mémoire peut dépasser 1, ce que la cellule "
            "montre, non.": _lstm_by(_lstm_write, lambda o, c: o * c),
            "la porte de sortie multiplie après tanh, et non avant.": _lstm_by(
                _lstm_write, lambda o, c: np.tanh(o * c)
            ),
            "la porte de sortie manque.": _lstm_by(
                _lstm_write, lambda o, c: np.tanh(c)
            ),
            "les deux résultats sont échangés : h d'abord, puis c.": (
                lambda *case: _lstm_cell(*case)[::-1]
            ),
        },
        success="Garder, écrire, montrer : trois gestes, trois portes.",
    ),
    "lstm_backward": Exercise(
        reference=_lstm_backward,
        cases=[
            (
                np.zeros((1, 2, 1)),
                np.array([[[0.5, 0.5, 0.5, 0.0]]]),
                np.ones((1, 4)),
                np.array([[1.0]]),
            ),
            _two_paths_case(3, 5, 2, _rng),
            _two_paths_case(2, 2, 3, _rng),
            _two_paths_case(2, 1, 2, _rng),
        ],
        mistakes={
            "l'erreur du tapis est perdue : ce qui vient de dh s'ajoute à dc, et ne le "
            "remplace pas.": _lstm_back_by(lambda dc, dh, into_c: dh * into_c),
            "ce qui entre dans dc est dh * into_c[:, t] : il y manque into_c.": (
                _lstm_back_by(lambda dc, dh, into_c: dc + dh)
            ),
            "rien n'entre dans dc : l'erreur dh y entre par into_c.": _lstm_back_by(
                lambda dc, dh, into_c: dc
            ),
            "la porte de sortie, la troisième, reçoit dh, et non dc.": _lstm_back_by(
                sides=lambda dc, dh: [dc, dc, dc, dc]
            ),
            "c'est la porte de sortie qui reçoit dh ; elle est la troisième, et non la "
            "quatrième.": _lstm_back_by(sides=lambda dc, dh: [dc, dc, dc, dh]),
            "seule la porte de sortie reçoit dh ; i, f et g reçoivent dc.": (
                _lstm_back_by(sides=lambda dc, dh: [dh, dh, dh, dh])
            ),
            "il manque slopes[:, t], qui contient les voisins et les pentes.": (
                _lstm_back_by(slope=0)
            ),
            "le tapis aussi remonte d'une étape : dc y est multiplié par f[:, t].": (
                _lstm_back_by(keep=lambda dc, f, before: dc)
            ),
            "dc est multiplié par la porte de l'étape d'avant, et non par celle que "
            "l'on quitte : le produit par f[:, t] se fait à la fin du tour t.": (
                _lstm_back_by(keep=lambda dc, f, before: dc * before)
            ),
            "dh ne change jamais : à l'étape d'avant, c'est dZ[:, t] @ U.T.": (
                _lstm_back_by(back=lambda dz, dh, U: dh)
            ),
            "dh s'accumule ; ici la perte ne regarde que le dernier état, et tout ce "
            "qui remonte passe par U.": _lstm_back_by(
                back=lambda dz, dh, U: dh + dz @ U.T
            ),
        },
        success="Deux chemins remontent ; l'un des deux ne traverse pas U.",
    ),
    "half_left_after": Value(
        reference=39,
        mistakes={
            "après 38 étapes, il reste encore un peu plus de la moitié : c'est au "
            "nombre entier qui suit.": 38,
            "c'est vrai aussi après quarante étapes, mais ce l'était déjà avant.": 40,
            "vous retirez 0,018 à chaque étape ; chaque étape multiplie ce qui "
            "reste.": 28,
            "c'est la réponse pour une porte à 0,9 ; elle vaut ici 0,982.": 7,
        },
        success="Une porte ouverte garde longtemps ; elle finit par oublier aussi.",
    ),
    "shifted_rows": Value(
        reference="b",
        mistakes={
            "dans un sens, les mêmes poids lisent la même suite, un peu plus tôt ou un "
            "peu plus tard ; dans l'autre, chaque ligne a changé.": "a",
            "c'est vrai du réseau dense ; mais la LSTM lit toutes les lignes avec les "
            "mêmes poids.": "c",
        },
        success="La suite mesure les deux réseaux, et dit pourquoi.",
    ),
}

# --- Annexe profondeur


def _residual_with(
    error=lambda dA, H, scale: scale * dA * (H > 0),
    back=lambda dA, dZ, W, scale: dA + dZ @ W.T,
    dW=lambda A_prev, dZ: A_prev.T @ dZ,
    db=lambda dZ: dZ.sum(axis=0, keepdims=True),
    order=(0, 1, 2),
):
    """Les gradients d'une couche résiduelle, dont un terme est remplacé."""

    def wrong(dA, A_prev, H, W, scale):
        dZ = error(dA, H, scale)
        gradients = back(dA, dZ, W, scale), dW(A_prev, dZ), db(dZ)
        return tuple(gradients[k] for k in order)

    return wrong


def _normalization_with(
    mean=lambda array, axis: array.mean(axis=axis, keepdims=True),
    result=lambda d, Z_hat, s, mean, product: (d - mean - Z_hat * product) / s,
):
    """Le gradient de la normalisation, dont un terme est remplacé."""

    def wrong(dZ_hat, Z_hat, s, axis):
        means = mean(dZ_hat, axis), mean(dZ_hat * Z_hat, axis)
        return result(dZ_hat, Z_hat, s, *means)

    return wrong


def _normalize_batch(Z, running, training):
    return _normalize_batch_with()(Z, running, training)


def _normalize_batch_with(
    used=lambda batch, running, training: batch if training else running,
    kept=lambda batch, running, training: (
        0.9 * running + 0.1 * batch if training else running
    ),
    epsilon=1e-5,
):
    """La normalisation par lot, dont une règle est remplacée par une autre."""

    def wrong(Z, running, training):
        batch = np.stack([Z.mean(axis=0), Z.var(axis=0)])
        mean, variance = used(batch, running, training)
        Z_hat = (Z - mean) / np.sqrt(variance + epsilon)
        return Z_hat, kept(batch, running, training)

    return wrong


def _warmup_with(
    rise=lambda t, warmup: t / warmup,
    fall=lambda u, t: (1 + np.cos(np.pi * u)) / 2,
):
    """Le taux qui monte puis descend, dont un morceau est remplacé.

    u : la part faite du second morceau, de 0 à 1
    """

    def wrong(t, warmup=0.1):
        u = (t - warmup) / (1 - warmup)
        return np.where(t >= warmup, fall(u, t), rise(t, warmup))

    return wrong


def _residual_case(m, n, scale, rng):
    dA, A_prev, W = (rng.normal(size=size) for size in ((m, n), (m, n), (n, n)))
    H = utilities.relu(
        A_prev @ W + rng.normal(size=(1, n))
    )  # un biais, comme la couche
    return dA, A_prev, H, W, scale


def _residual_without_bias(dA, A_prev, H, W, scale):
    return _residual_with()(dA, A_prev, A_prev @ W, W, scale)


def _normalization_case(shape, axis, rng):
    Z, dZ_hat = rng.normal(size=(2, *shape))
    s = Z.std(axis=axis, keepdims=True)
    return dZ_hat, (Z - Z.mean(axis=axis, keepdims=True)) / s, s, axis


def _permute_with(
    moved=lambda W, b, order: (W[:, order], b[:, order]),
    after=lambda W, b, order: (W[order], b),
):
    """Des neurones changés de place, où l'une des deux couches est mal rangée."""

    def wrong(parameters, layer, order):
        pair = moved(*parameters[layer], order), after(*parameters[layer + 1], order)
        return [*parameters[:layer], *pair, *parameters[layer + 2 :]]

    return wrong


_rng = np.random.default_rng(7)
_one_unit = [np.array([[number]]) for number in (1.0, 2.0, 3.0, 1.5)]
_two_units = [
    (np.array([[1.0, 2.0]]), np.array([[3.0, 4.0]])),
    (np.array([[5.0], [6.0]]), np.array([[7.0]])),
]

LESSONS["profondeur"] = {
    "shallow_neurons": Value(
        reference=1023,
        tolerance=1e-4,
        mistakes={
            "c'est le nombre de morceaux ; il y a un pli de moins que de morceaux.": (
                1024
            ),
            "c'est le nombre de dents ; comptez les plis, en haut et en bas.": 512,
            "chaque couche double le nombre de morceaux ; la dixième aussi.": 511,
            "ce sont les neurones du réseau profond ; ceux d'une seule couche ne se "
            "composent pas.": 20,
            "les morceaux se multiplient : deux fois deux fois deux… dix fois, et non "
            "dix fois dix.": 100,
            "deux neurones par couche, mais le nombre de morceaux double seulement ; "
            "partez de 2 morceaux pour une couche.": 2047,
        },
        success="Vingt neurones bien rangés en valent plus de mille.",
    ),
    "residual_gradients": _Steps(
        reference=_residual_with(),
        places={
            "à la place n° 1, ": "pour dA_prev, ",
            "à la place n° 2, ": "pour dW, ",
            "à la place n° 3, ": "pour db, ",
        },
        cases=[
            (*_one_unit, 0.5),
            _residual_case(5, 3, 0.25, _rng),
            _residual_case(4, 6, 1.0, _rng),
            _residual_case(7, 2, 0.05, _rng),
        ],
        mistakes={
            "l'erreur qui remonte tout droit manque : A_prev agit aussi sans détour, "
            "par l'addition.": _residual_with(back=lambda dA, dZ, W, scale: dZ @ W.T),
            "scale manque : il multiplie la branche, donc l'erreur qui y entre.": (
                _residual_with(error=lambda dA, H, scale: dA * (H > 0))
            ),
            "scale multiplie aussi le chemin direct, qui n'en a pas.": _residual_with(
                back=lambda dA, dZ, W, scale: scale * dA + dZ @ W.T
            ),
            "la pente de ReLU manque, ou vaut 1 partout (H n'est jamais négatif) ; un "
            "neurone éteint ne laisse rien passer dans la branche.": _residual_with(
                error=lambda dA, H, scale: scale * dA
            ),
            "vous multipliez par la réponse H ; c'est par sa pente, qui vaut 0 ou "
            "1.": _residual_with(error=lambda dA, H, scale: scale * dA * H),
            "les erreurs des deux chemins s'additionnent ; elles ne se multiplient "
            "pas.": _residual_with(back=lambda dA, dZ, W, scale: dA * (dZ @ W.T)),
            "c'est dZ qui remonte tout droit chez vous ; le chemin direct porte dA, "
            "que rien n'a touché.": _residual_with(
                back=lambda dA, dZ, W, scale: dZ + dZ @ W.T
            ),
            "l'erreur remonte par W transposée.": _residual_with(
                back=lambda dA, dZ, W, scale: dA + dZ @ W
            ),
            "db additionne sur les exemples, en gardant une ligne : axis=0, "
            "keepdims=True.": _residual_with(db=lambda dZ: dZ.sum(axis=0)),
            "db est une moyenne ; les erreurs des exemples s'additionnent.": (
                _residual_with(db=lambda dZ: dZ.mean(axis=0, keepdims=True))
            ),
            "dW est transposé : sa forme est celle de W, l'entrée d'abord.": (
                _residual_with(dW=lambda A_prev, dZ: dZ.T @ A_prev)
            ),
            "l'ordre est dA_prev, dW, db.": _residual_with(order=(1, 2, 0)),
            "A_prev @ W oublie le biais ; H, que vous recevez, en tient compte.": (
                _residual_without_bias
            ),
        },
        success="Le premier terme remonte intact, quelle que soit la couche.",
    ),
    "most_growth": Value(
        reference=1.02**50,
        tolerance=0.004,
        mistakes={
            "chaque couche multiplie ce qu'elle reçoit, ce qu'ont ajouté les autres "
            "compris ; vous n'avez multiplié que le départ.": 2.0,
            "c'est le nombre e, que le facteur approche quand les couches sont très "
            "nombreuses ; elles sont ici cinquante.": 2.718,
            "ce n'est qu'une couche ; il y en a cinquante.": 1.02,
            "chaque couche multiplie par 1 + 1/50, et non par 1,5.": 1.5**50,
            "chaque couche multiplie, elle n'ajoute pas : 1,02 à la puissance 50, et "
            "non fois 50.": 51.0,
        },
        success="À peine plus de deux fois et demie, pour cinquante couches.",
    ),
}

# --- Annexe normalisation

LESSONS["normalisation"] = {
    "normalize_gradient": Exercise(
        reference=_normalization_with(),
        cases=[
            (np.array([[2.0], [0.0]]), np.array([[1.0], [-1.0]]), np.array([[3.0]]), 0),
            _normalization_case((5, 3), 0, _rng),
            _normalization_case((4, 6), 1, _rng),
            _normalization_case((3, 3), 1, _rng),
        ],
        mistakes={
            "vous traitez la moyenne et l'écart-type comme des nombres fixes ; ils "
            "bougent avec Z.": _normalization_with(
                result=lambda d, Z_hat, s, *_: d / s
            ),
            "l'écart-type bouge aussi avec Z : il manque le terme en Z_hat.": (
                _normalization_with(result=lambda d, Z_hat, s, mean, _: (d - mean) / s)
            ),
            "la moyenne bouge aussi avec Z : il manque la moyenne de dZ_hat.": (
                _normalization_with(
                    result=lambda d, Z_hat, s, _, product: (d - Z_hat * product) / s
                )
            ),
            "la division par s manque : Z a été divisé par s à l'aller.": (
                _normalization_with(
                    result=lambda d, Z_hat, s, mean, product: d - mean - Z_hat * product
                )
            ),
            "s divise ; il ne multiplie pas.": _normalization_with(
                result=lambda d, Z_hat, s, mean, product: (
                    (d - mean - Z_hat * product) * s
                )
            ),
            "le dernier terme doit être multiplié par Z_hat, case par case.": (
                _normalization_with(
                    result=lambda d, Z_hat, s, mean, product: (d - mean - product) / s
                )
            ),
            "les deux corrections se retranchent.": _normalization_with(
                result=lambda d, Z_hat, s, mean, product: (
                    (d + mean + Z_hat * product) / s
                )
            ),
            "la seconde correction se retranche, elle aussi.": _normalization_with(
                result=lambda d, Z_hat, s, mean, product: (
                    (d - mean + Z_hat * product) / s
                )
            ),
            "ce sont des moyennes qu'il faut, et non des sommes.": _normalization_with(
                mean=lambda array, axis: array.sum(axis=axis, keepdims=True)
            ),
            "les moyennes se prennent toujours sur l'axe 0 ; employez axis, reçu en "
            "argument.": _normalization_with(
                mean=lambda array, axis: array.mean(axis=0, keepdims=True)
            ),
            "chaque moyenne porte sur tout le tableau ; donnez-lui axis.": (
                _normalization_with(mean=lambda array, axis: array.mean())
            ),
            "seule la dernière correction est divisée par s ; les trois termes doivent "
            "l'être, entre parenthèses.": _normalization_with(
                result=lambda d, Z_hat, s, mean, product: d - mean - Z_hat * product / s
            ),
        },
        success="Le même calcul sert par lot et par couche : seul l'axe change.",
    ),
    "first_gradient": Value(
        reference="b",
        mistakes={
            "un signal de taille constante ne dit rien du gradient : au retour, chaque "
            "couche le multiplie par un facteur, et cinquante facteurs font un "
            "produit.": "a",
            "la pente de la sigmoïde, un quart au plus, réduisait le gradient ; ici, "
            "chaque couche le divise par un écart-type plus petit que 1.": "c",
        },
        success="La figure qui suit le montre, et montre le remède.",
    ),
    "normalize_batch": _Steps(
        reference=_normalize_batch,
        places={
            "à la place n° 1, ": "pour Z_hat, ",
            "à la place n° 2, ": "pour running, ",
        },
        cases=[
            (np.array([[3.0], [5.0]]), np.array([[2.0], [4.0]]), False),
            (np.array([[3.0], [5.0]]), np.array([[2.0], [4.0]]), True),
            (_rng.normal(size=(5, 3)), _rng.uniform(1, 2, size=(2, 3)), True),
            (_rng.normal(size=(1, 4)), _rng.uniform(1, 2, size=(2, 4)), False),
            (_rng.normal(size=(1, 4)), _rng.uniform(1, 2, size=(2, 4)), True),
        ],
        mistakes={
            "training ne sert à rien : en évaluation, la réponse d'une image dépend "
            "encore des autres images du lot.": _normalize_batch_with(
                lambda batch, *_: batch, lambda b, r, _: 0.9 * r + 0.1 * b
            ),
            "en évaluation, Z_hat vient encore du lot ; prenez la moyenne et la "
            "variance gardées.": _normalize_batch_with(lambda batch, *_: batch),
            "en évaluation, running ne doit plus bouger : les images à juger ne "
            "règlent rien.": _normalize_batch_with(
                kept=lambda b, r, _: 0.9 * r + 0.1 * b
            ),
            "à l'entraînement, c'est le lot qui se normalise lui-même ; running ne "
            "sert qu'en évaluation.": _normalize_batch_with(
                lambda b, running, _: running
            ),
            "running n'avance plus : à l'entraînement, il suit les lots.": (
                _normalize_batch_with(kept=lambda b, running, _: running)
            ),
            "les deux cas sont échangés.": _normalize_batch_with(
                lambda b, r, training: r if training else b,
                lambda b, r, training: r if training else 0.9 * r + 0.1 * b,
            ),
            "0,9 et 0,1 sont échangés : running n'avance que d'un dixième.": (
                _normalize_batch_with(
                    kept=lambda b, r, training: 0.1 * r + 0.9 * b if training else r
                )
            ),
            "running oublie tout à chaque lot ; il n'avance que d'un dixième.": (
                _normalize_batch_with(kept=lambda b, r, training: b if training else r)
            ),
            "il manque ε, 1e-5, ajouté à la variance, sous la racine.": (
                _normalize_batch_with(epsilon=0)
            ),
            "c'est running, une fois avancé, qui sert à l'entraînement ; c'est le lot "
            "qu'il faut.": _normalize_batch_with(
                lambda b, r, training: 0.9 * r + 0.1 * b if training else r
            ),
        },
        success="Une image seule reçoit la même réponse qu'en compagnie.",
    ),
}

# --- Annexe paysage

LESSONS["paysage"] = {
    "permute": Exercise(
        reference=_permute_with(),
        cases=[
            (_two_units, 0, np.array([1, 0])),
            (_random_parameters((3, 4, 4, 1), _rng), 0, np.array([2, 0, 3, 1])),
            (_random_parameters((3, 4, 4, 1), _rng), 1, np.array([1, 2, 0, 3])),
        ],
        mistakes={
            "la couche suivante écoute encore dans l'ancien ordre ; ses lignes aussi "
            "changent de place.": _permute_with(after=lambda W, b, order: (W, b)),
            "le biais d'un neurone le suit : il se permute comme les colonnes.": (
                _permute_with(lambda W, b, order: (W[:, order], b))
            ),
            "les poids d'entrée d'un neurone sont une colonne de W ; vous ne les avez "
            "pas déplacés.": _permute_with(lambda W, b, order: (W, b[:, order])),
            "à la couche suivante, un neurone de celle-ci est une ligne, et non une "
            "colonne.": _permute_with(after=lambda W, b, order: (W[:, order], b)),
            "order[0] est l'ancien numéro du neurone qui devient le premier ; vous "
            "lisez l'inverse.": _permute_with(
                lambda W, b, order: (W[:, np.argsort(order)], b[:, np.argsort(order)]),
                lambda W, b, order: (W[np.argsort(order)], b),
            ),
            "vous prenez des lignes de W ; les poids d'entrée d'un neurone sont une "
            "colonne, W[:, order].": _permute_with(
                lambda W, b, order: (W[order], b[:, order])
            ),
            "b n'a qu'une ligne ; ce sont ses colonnes que l'on range, "
            "b[:, order].": _permute_with(lambda W, b, order: (W[:, order], b[order])),
            "le biais de la couche suivante n'appartient pas aux neurones déplacés ; "
            "il ne bouge pas.": _permute_with(
                after=lambda W, b, order: (W[order], b[:, order])
            ),
        },
        success="Les mêmes réponses, rangées autrement.",
    ),
    "middle_loss": Value(
        reference="b",
        mistakes={
            "les deux bouts répondent pareil, mais au milieu, chaque neurone est la "
            "moyenne de deux neurones sans rapport.": "a",
            "ce serait vrai de la moyenne des réponses ; ici, ce sont les poids que "
            "l'on moyenne.": "c",
        },
        success="L'expérience qui suit le montre.",
    ),
    "agitation_02": Value(
        reference=1 / 9,
        mistakes={
            "c'est à peu près cela, quand le taux est petit ; ici, il faut la formule "
            "entière.": 0.1,
            "il manque le dénominateur.": 0.04,
            "le dénominateur est 2 − η, et non 2 + η.": 0.2 / 2.2,
            "c'est η² divisé par 2 − η : un carré de trop.": 0.04 / 1.8,
            "c'est (1 − η)², ce qui reste de v après un pas.": 0.64,
            "c'est la taille typique de w ; on demande la moyenne de son carré.": 1 / 3,
        },
        success="Un taux cinq fois plus petit que 1, une agitation neuf fois moindre.",
    ),
    "warmup_cosine": Exercise(
        reference=_warmup_with(),
        cases=[
            (np.array([0.0, 0.05, 0.1, 0.55, 1.0]),),
            (np.linspace(0, 1, 9), 0.25),
            (np.linspace(0, 1, 14), 0.4),
            (np.linspace(0, 1, 11), 0.75),
        ],
        mistakes={
            "la montée manque : avant warmup, le facteur va de 0 à 1.": _warmup_with(
                rise=lambda t, warmup: np.ones_like(t)
            ),
            "la descente commence à t = 0 ; elle doit commencer à warmup, où le "
            "facteur vaut 1.": _warmup_with(
                fall=lambda u, t: (1 + np.cos(np.pi * t)) / 2
            ),
            "le cosinus va de 1 à −1 ; ajoutez 1 et divisez par 2.": _warmup_with(
                fall=lambda u, t: np.cos(np.pi * u)
            ),
            "le facteur part de 2 : il manque la division par 2.": _warmup_with(
                fall=lambda u, t: 1 + np.cos(np.pi * u)
            ),
            "le cosinus fait un tour entier ; un demi-tour, π, suffit.": _warmup_with(
                fall=lambda u, t: (1 + np.cos(2 * np.pi * u)) / 2
            ),
            "le cosinus ne fait qu'un quart de tour ; il lui faut un demi-tour, "
            "π.": _warmup_with(fall=lambda u, t: (1 + np.cos(np.pi * u / 2)) / 2),
            "il manque π : le cosinus de NumPy compte en radians.": _warmup_with(
                fall=lambda u, t: (1 + np.cos(u)) / 2
            ),
            "la descente est une droite ; c'est un demi-cosinus qui est "
            "demandé.": _warmup_with(fall=lambda u, t: 1 - u),
            "la montée s'arrête avant 1 : divisez t par warmup.": _warmup_with(
                rise=lambda t, warmup: t
            ),
        },
        success="Doux au départ, long au milieu, fin à l'arrivée.",
    ),
}

# --- Annexe derivation_automatique


class _Node:
    """Un nœud de graphe, comme le Value du carnet : ce que le juge donne à lire."""

    def __init__(self, value: float, parents: tuple, slopes: tuple) -> None:
        self.value, self.parents, self.slopes = value, parents, slopes


def _topological_order(root: object) -> list:
    order, seen = [], set()

    def visit(node):
        if node not in seen:
            seen.add(node)
            for parent in node.parents:
                visit(parent)
            order.append(node)

    visit(root)
    return order


def _graph_gradients(root: object) -> dict:
    order = _topological_order(root)
    gradients = dict.fromkeys(order, 0.0)
    gradients[root] = 1.0
    for node in reversed(order):
        for parent, slope in zip(node.parents, node.slopes):
            gradients[parent] += slope * gradients[node]
    return gradients


def _backward_on_graph(answer, *arrows):
    """Les gradients d'un graphe décrit par ses flèches, nœud après nœud.

    arrows : pour chaque nœud, ses paires (rang du parent, pente) ; le dernier est la
    racine
    """
    nodes = []
    for value, pairs in enumerate(arrows, start=2):  # des valeurs qui ne valent pas 1
        parents = tuple(nodes[rank] for rank, _ in pairs)
        nodes.append(_Node(value, parents, tuple(slope for _, slope in pairs)))
    before = [dict(vars(node)) for node in nodes]
    gradients = answer(nodes[-1])
    if before != [vars(node) for node in nodes]:
        return _Problem(
            "votre réponse modifie le graphe ; n'écrivez que dans gradients."
        )
    if not isinstance(gradients, dict) or set(gradients) != set(nodes):
        return _Problem("on attend le dictionnaire gradients, une valeur par nœud.")
    return [gradients[node] for node in nodes]


def _walk_with(
    seed=lambda root: 1.0,
    direction=-1,
    contribution=lambda slope, gradient: slope * gradient,
    add=lambda before, new: before + new,
):
    """Un retour où un détail est changé."""

    def wrong(root):
        order = _topological_order(root)
        gradients = dict.fromkeys(order, 0.0)
        gradients[root] = seed(root)
        for node in order[::direction]:
            for parent, slope in zip(node.parents, node.slopes):
                new = contribution(slope, gradients[node])
                gradients[parent] = add(gradients[parent], new)
        return gradients

    return wrong


def _hurried_walk(root):
    """De proche en proche depuis la racine, chaque nœud dès qu'on le rencontre."""
    gradients, waiting = dict.fromkeys(_topological_order(root), 0.0), [root]
    gradients[root] = 1.0
    for node in waiting:
        for parent, slope in zip(node.parents, node.slopes):
            gradients[parent] += slope * gradients[node]
            if parent not in waiting:
                waiting.append(parent)
    return gradients


def _unbroadcast(gradient: np.ndarray, shape: tuple) -> np.ndarray:
    gradient = gradient.sum(axis=tuple(range(gradient.ndim - len(shape))))
    stretched = tuple(axis for axis, n in enumerate(shape) if n == 1)
    return gradient.sum(axis=stretched, keepdims=True)


def _unbroadcast_with(reduce=np.sum, lead=True, stretch=True, keepdims=True):
    def wrong(gradient, shape):
        extra = tuple(range(gradient.ndim - len(shape))) if lead else ()
        gradient = reduce(gradient, axis=extra) if extra else gradient
        stretched = tuple(axis for axis, n in enumerate(shape) if n == 1)
        if not (stretched and stretch):
            return gradient
        return reduce(gradient, axis=stretched, keepdims=keepdims)

    return wrong


def _first_copy(gradient, axis, keepdims=False):
    first = tuple(
        slice(0, 1) if k in axis else slice(None) for k in range(gradient.ndim)
    )
    return gradient[first] if keepdims else gradient[first].squeeze(axis)


_rng = np.random.default_rng(5)


def _power(u, n):
    return u**n, n * u ** (n - 1)


LESSONS["derivation_automatique"] = {
    "two_paths": Value(
        reference=21,
        mistakes={
            "c'est la part qui passe par la somme ; a entre aussi dans le produit.": 6,
            "c'est la part qui passe par le produit ; a entre aussi dans la somme.": 15,
            "le long d'un chemin, les pentes se multiplient ; d'un chemin à l'autre, "
            "les parts s'additionnent.": 90,
            "c'est la dérivée par rapport à c ; refaites le chemin depuis a.": 16,
            "c'est la valeur de q ; on demande sa dérivée par rapport à a.": 30,
        },
        success="Deux chemins, deux parts, une somme.",
    ),
    "backward": _Steps(
        reference=_graph_gradients,
        run=_backward_on_graph,
        places={r"avec root = .*?n° (\d+), ": r"au nœud n° \1 d'un petit graphe, "},
        cases=[
            ((), (), ((0, 2.0), (1, -3.0))),
            ((), (), ((0, 3.0), (1, 2.0)), ((2, 5.0), (0, 4.0)), ((3, 0.5), (2, -1.0))),
            ((), ((0, 3.0), (0, 3.0)), ((1, 9.0), (1, 9.0)), ((2, 2.0), (0, 7.0))),
            ((), (), ((0, 1.5), (1, 1.0)), ((2, 2.0),), ((3, -1.0), (2, 4.0))),
            (
                *((), (), ((0, 1.0), (1, 1.0)), ((0, 3.0), (1, 2.0))),
                *(((2, 6.0), (3, 5.0)), ((2, 1.0), (4, 1.0))),
            ),
            ((), *(((k, 1.0), (k, 1.0)) for k in range(30))),
        ],
        errors=[
            (
                _TooLongError,
                "",
                "votre réponse tourne encore après {limit:g} secondes : ou une boucle "
                "n'a pas de fin, ou vous suivez chaque chemin, et il y en a un "
                "milliard pour trente carrés ; une flèche ne sert qu'une fois.",
            )
        ],
        mistakes={
            "une part remplace la précédente au lieu de s'y ajouter ; un nœud qui sert "
            "deux fois en reçoit deux : +=.": _walk_with(add=lambda before, new: new),
            "tout est nul : la racine doit partir avec 1, sa dérivée par rapport à "
            "elle-même.": _walk_with(seed=lambda root: 0.0),
            "un nœud envoie avant d'avoir tout reçu ; parcourez order à "
            "l'envers.": _hurried_walk,
            "la racine part avec 1, et non avec sa valeur.": _walk_with(
                seed=lambda root: root.value
            ),
            "seuls les parents de la racine reçoivent une part ; parcourez tout order, "
            "de la racine aux entrées, avec reversed.": _walk_with(direction=1),
            "il manque la pente de la flèche.": _walk_with(
                contribution=lambda slope, gradient: gradient
            ),
            "il manque le gradient du nœud d'où l'on remonte : la pente seule ne vaut "
            "que pour la dernière opération.": _walk_with(
                contribution=lambda slope, gradient: slope
            ),
            "le long d'un chemin les pentes se multiplient ; vous les "
            "additionnez.": _walk_with(
                contribution=lambda slope, gradient: slope + gradient
            ),
            "rien ne parvient aux parents : la racine reçoit son 1 avant la boucle, la "
            "boucle passe par elle, et gradients[parent] reçoit, par +=.": _walk_with(
                add=lambda before, new: before * new
            ),
            "le signe est changé : une part s'ajoute.": _walk_with(
                add=lambda before, new: before - new
            ),
        },
        success="Un nœud, une flèche, une ligne : c'est toute la rétropropagation.",
    ),
    "power": Exercise(
        reference=_power,
        cases=[
            (3.0, 2),
            (np.array([3.0, 0.5]), 2),
            (np.array([2.0]), -1),
            (np.array([[1.7, 0.2]]), 0.5),
            (np.array([0.4, 1.3]), 3),
        ],
        mistakes={
            "il manque n devant la pente.": lambda u, n: (u**n, u ** (n - 1)),
            "l'exposant de la pente est n - 1.": lambda u, n: (u**n, n * u**n),
            "c'est n, et non n - 1, qui multiplie la pente.": lambda u, n: (
                u**n,
                (n - 1) * u ** (n - 1),
            ),
            "c'est la primitive ; on demande la dérivée.": lambda u, n: (
                u**n,
                u ** (n + 1) / (n + 1) if n != -1 else np.log(u),
            ),
            "vous dérivez par rapport à n ; c'est u qui varie.": lambda u, n: (
                u**n,
                np.log(u) * u**n,
            ),
            "les deux résultats sont échangés : la valeur d'abord, puis la pente.": (
                lambda u, n: _power(u, n)[::-1]
            ),
            "la première place est celle de la puissance, et non de u.": lambda u, n: (
                u,
                n * u ** (n - 1),
            ),
        },
        success="Le carré, l'inverse et la racine viennent avec.",
    ),
}

# --- Annexe tenseurs


def _matmul_gradients(dC, A, B):
    return dC @ B.T, A.T @ dC


def _product_case(m, n, k, rng):
    return tuple(rng.normal(size=shape) for shape in ((m, k), (m, n), (n, k)))


_rng = np.random.default_rng(13)

LESSONS["tenseurs"] = {
    "matmul_gradients": Exercise(
        reference=_matmul_gradients,
        cases=[
            (np.array([[5.0]]), np.array([[2.0]]), np.array([[3.0]])),
            _product_case(4, 3, 2, _rng),
            _product_case(2, 5, 3, _rng),
            _product_case(3, 3, 3, _rng),
        ],
        mistakes={
            "les deux gradients sont échangés : dA d'abord, de la forme de A.": (
                lambda dC, A, B: _matmul_gradients(dC, A, B)[::-1]
            ),
            "dA et dB doivent avoir les formes de A et de B ; vous rendez leurs "
            "transposées.": lambda dC, A, B: (B @ dC.T, dC.T @ A),
            "vous rendez les facteurs, sans dC : ce sont les pentes d'un produit de "
            "nombres.": lambda dC, A, B: (B.T, A.T),
            "vous multipliez case par case (*) des sommes de B et de A ; c'est un "
            "produit de matrices (@).": lambda dC, A, B: (
                dC.sum(axis=1, keepdims=True) * B.sum(axis=1),
                A.sum(axis=0)[:, None] * dC.sum(axis=0),
            ),
            "un seul des deux est rendu deux fois.": lambda dC, A, B: (
                dC @ B.T,
                dC @ B.T,
            ),
        },
        success="Chaque gradient a la forme de son tableau.",
    ),
    "unbroadcast": Exercise(
        reference=_unbroadcast,
        cases=[
            (np.arange(6.0).reshape(2, 3), (1, 3)),
            (np.arange(6.0).reshape(2, 3), (2, 1)),
            (_rng.normal(size=(4, 3)), (4, 3)),
            (_rng.normal(size=(4, 3)), (3,)),
            (_rng.normal(size=(4, 3)), ()),
            (_rng.normal(size=(2, 4, 3)), (4, 1)),
            (_rng.normal(size=(5, 1, 2)), (5, 1, 2)),
            (_rng.normal(size=(4, 3)), (1, 1)),
            (_rng.normal(size=(2, 4, 3)), (3,)),
        ],
        mistakes={
            "les parts des copies s'additionnent ; vous en prenez la "
            "moyenne.": _unbroadcast_with(np.mean),
            "toutes les copies ont leur part ; vous ne gardez que celle de la "
            "première.": _unbroadcast_with(_first_copy),
            "la somme a fait disparaître un axe de longueur 1 ; keepdims=True le "
            "garde.": _unbroadcast_with(keepdims=False),
            "les axes de longueur 1 sont bien rendus, mais pas ceux que NumPy a "
            "ajoutés devant : shape peut avoir moins d'axes que "
            "gradient.": _unbroadcast_with(lead=False),
            "les axes ajoutés devant sont bien rendus, mais pas ceux de longueur 1, "
            "que NumPy a étirés.": _unbroadcast_with(stretch=False),
            "vous donnez au gradient la bonne forme sans additionner.": (
                lambda gradient, shape: np.resize(gradient, shape)
            ),
            "rien n'est additionné : le gradient doit avoir la forme "
            "shape.": lambda gradient, shape: gradient,
        },
        success="Une copie à l'aller, une somme au retour.",
    ),
    "cost_ratio": Value(
        reference=3,
        mistakes={
            "le retour fait deux produits, dW et dA_prev, de 1000 multiplications "
            "chacun ; comptez-les tous deux, et l'aller aussi.": 2,
            "c'est le prix des différences finies, ou le retour seul, en "
            "multiplications ; comptez l'aller et le retour, et divisez par "
            "l'aller.": 2000,
            "c'est le nombre de multiplications ; divisez-le par celles de "
            "l'aller.": 3000,
            "le retour fait deux produits de matrices, pas un : dW, puis l'erreur "
            "transmise.": 1,
        },
        success="Trois fois l'aller, que la couche ait mille poids ou un million.",
    ),
}
