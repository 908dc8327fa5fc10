"""Le juge est jugé : justesse, erreurs reconnues, réponses impossibles, variations."""

import ast
import contextlib
import copy
import dataclasses
import io
import json
import linecache
import random
import sys
import time
from pathlib import Path

import numpy as np
import pytest

import exercises
import utilities
from exercises import LESSONS, TO_DO, Exercise, Value

NOTEBOOKS = Path(__file__).resolve().parents[1] / "notebooks"
ALL = {name: entry for lesson in LESSONS.values() for name, entry in lesson.items()}
WRITTEN = [name for name, entry in ALL.items() if isinstance(entry, Exercise)]
TYPED = [name for name, entry in ALL.items() if isinstance(entry, Value)]
# Une prédiction n'a pas plus d'erreurs que de mauvais choix.
PREDICTIONS = [name for name in TYPED if isinstance(ALL[name].reference, str)]


@pytest.fixture(autouse=True)
def forget():
    exercises._problems.clear()
    exercises._solved.clear()
    exercises._handed_back.clear()


def verdict(name, answer):
    """La phrase affichée, et ce que check rend."""
    with contextlib.redirect_stdout(io.StringIO()) as output:
        handed_back = exercises.check(name, answer)
    (line,) = output.getvalue().splitlines()
    return line.partition(" · ")[2], handed_back


def is_right(name, answer):
    return verdict(name, answer)[0].startswith("Juste")


def define(source, name, namespace=None):
    """Exécute un texte que Python peut relire, comme celui d'une cellule."""
    path = f"<cellule {len(linecache.cache)}>"
    linecache.cache[path] = len(source), None, source.splitlines(True), path
    namespace = {"__name__": path, "np": np} if namespace is None else namespace
    exec(compile(source, path, "exec"), namespace)
    return namespace[name]


def lesson_cells(lesson):
    names = f"{lesson}_*.ipynb", f"annexes/{lesson}.ipynb"
    (path,) = [path for name in names for path in NOTEBOOKS.glob(name)]
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    return [cell | {"source": "".join(cell["source"])} for cell in cells]


def solutions():
    """Le texte de chaque réponse des leçons, et de quoi l'exécuter."""
    found = {}
    for lesson, entries in LESSONS.items():
        cells = lesson_cells(lesson)
        for cell in cells:
            name = cell["metadata"].get("nbgrader", {}).get("grade_id")
            if name in entries:
                found[name] = cell["source"]
    return found


SOLUTIONS = solutions()


def namespace(name):
    """Ce que la leçon a déjà défini quand vient l'exercice : les réponses du cours."""
    known = {key: ALL[key].reference for key in WRITTEN if key != name}
    shared = {key: getattr(utilities, key) for key in ("sigmoid", "relu", "update")}
    return {
        **shared,
        **known,
        "__name__": "carnet",
        "np": np,
        "neuron": lambda X, W, b: known["sigma"](X @ W + b),
        "DERIVATIVES": utilities.DERIVATIVES,
        "neighbourhoods": exercises._neighbourhoods,
        "predict_proba": exercises._predict_proba,
        "lstm_slopes": exercises._lstm_slopes,
        "topological_order": exercises._topological_order,
    }


# --- Chaque exercice ------------------------------------------------------------------


def test_every_exercise_has_its_cells():
    assert list(SOLUTIONS) == [*ALL]


@pytest.mark.parametrize("name", ALL)
def test_the_lesson_s_answer_is_right(name):
    answer = define(SOLUTIONS[name], name, namespace(name))
    sentence, handed_back = verdict(name, answer)
    assert sentence == f"Juste. {ALL[name].success}".rstrip()
    assert handed_back is answer


@pytest.mark.parametrize("name", WRITTEN)
def test_mistakes_have_their_own_sentence(name):
    mistakes = ALL[name].mistakes
    assert len(mistakes) >= 3
    for sentence, wrong in mistakes.items():
        assert sentence.endswith("."), sentence
        assert verdict(name, wrong)[0] == f"Pas encore : {sentence}"


@pytest.mark.parametrize("name", TYPED)
def test_wrong_values_have_their_own_sentence(name):
    entry = ALL[name]
    assert len(entry.mistakes) >= (2 if name in PREDICTIONS else 3) or entry.condition
    for sentence, wrong in entry.mistakes.items():
        assert verdict(name, wrong) == (f"Pas encore : {sentence}", entry.reference)


CONDITIONS = {
    "by_hand": [(0, 0, 1), (-1.4, 1.4, -1.8), (1, 0, 0)],
    "threshold": [-0.5, 0.19, 0.115],
    "xor_weights": [
        ((1, 1, 5), (1, 1, -1.5), (1, -1, -0.5)),
        ((1, 1, -0.5), (1, 1, -0.6), (1, -1, -0.5)),
        ((1, 1, -0.5), (1, 1, -1.5), (-1, 1, 0.5)),
        ((1, 1, -0.5), (1, 1, -1.5), (1, 1, -0.5)),
    ],
    "smallest_circle": [(2, 0), (5, 0), (3, 0), (30, 0)],
    "relu_scale": [0.5, 5.0],
}


def test_conditions_tell_wrong_values_apart():
    assert set(CONDITIONS) == {name for name in TYPED if ALL[name].condition}
    for name, answers in CONDITIONS.items():
        sentences = {verdict(name, answer)[0] for answer in answers}
        assert len(sentences) == len(answers), sentences
        assert all(sentence.startswith("Pas encore : ") for sentence in sentences)


@pytest.mark.parametrize("threshold", [0.13, 0.18])
def test_any_threshold_that_keeps_both_promises_is_right(threshold):
    assert is_right("threshold", threshold)


# --- Les variations d'une bonne réponse -----------------------------------------------

OTHER = {
    ast.Add: [ast.Sub],
    ast.Sub: [ast.Add],
    ast.Mult: [ast.Div],
    ast.Div: [ast.Mult],
    ast.MatMult: [ast.Mult],
    ast.Pow: [ast.Mult],
    ast.Gt: [ast.GtE, ast.Lt],
    ast.GtE: [ast.Lt],
    ast.Eq: [ast.NotEq],
    ast.BitAnd: [ast.BitOr],
    ast.BitOr: [ast.BitAnd],
}


def rewritings(node):
    """Ce qui peut prendre la place d'un nœud : signe, facteur, axe, transposée…"""
    if isinstance(node, ast.BinOp):
        for op in OTHER[type(node.op)]:
            yield ast.BinOp(node.left, op(), node.right)
        yield ast.BinOp(node.right, node.op, node.left)
        yield from (node.left, node.right)
    elif isinstance(node, ast.UnaryOp):
        yield node.operand
    elif isinstance(node, ast.Compare):
        for op in OTHER[type(node.ops[0])]:
            yield ast.Compare(node.left, [op()], node.comparators)
    elif isinstance(node, ast.AugAssign):
        yield ast.AugAssign(node.target, ast.Sub(), node.value)
        yield ast.Assign([node.target], node.value)
    elif isinstance(node, ast.Constant) and isinstance(node.value, bool | int):
        new = not node.value if isinstance(node.value, bool) else 1 - node.value
        yield ast.Constant(new)
    elif isinstance(node, ast.Attribute) and node.attr == "T":
        yield node.value
    elif isinstance(node, ast.keyword):
        yield None
    if isinstance(node, ast.stmt) and not isinstance(node, ast.FunctionDef):
        yield ast.Pass()
    if isinstance(node, ast.BinOp | ast.Call):
        yield ast.UnaryOp(ast.USub(), node)
        yield ast.BinOp(ast.Constant(2), ast.Mult(), node)
        yield ast.Attribute(node, "T", ast.Load())


def variations(source):
    """Toutes les façons de changer un seul nœud du corps de la réponse."""
    for index in range(len(list(ast.walk(ast.parse(source))))):
        for choice in range(10):
            tree = ast.parse(source)
            target = list(ast.walk(tree))[index]
            new = dict(enumerate(rewritings(target))).get(choice, target)
            if new is target:
                break
            for parent in ast.walk(tree):
                for key, child in ast.iter_fields(parent):
                    if child is target:
                        setattr(parent, key, new)
                    elif isinstance(child, list) and any(c is target for c in child):
                        kept = [new if c is target else c for c in child]
                        setattr(parent, key, [c for c in kept if c is not None])
            with contextlib.suppress(TypeError, ValueError):  # ce n'est plus du Python
                yield ast.unparse(ast.fix_missing_locations(tree))


def column(rng, m):
    return rng.integers(2, size=(m, 1)).astype(float)


def two_layers(rng, m, n, h):
    return [rng.normal(size=s) for s in ((m, n), (n, h), (1, h), (h, 1), (1, 1))]


def layers(rng, *sizes):
    pairs = zip(sizes[:-1], sizes[1:])
    return [(rng.normal(size=pair), rng.normal(size=(1, pair[1]))) for pair in pairs]


def backward(rng):
    parameters = layers(rng, 3, 5, 2, 4)
    activations = utilities.forward_propagation(rng.normal(size=(6, 3)), parameters)
    return rng.random((6, 4)), parameters, activations


def arrows(rng):
    """Un graphe où chaque nœud a pour parents le précédent et un autre, au hasard."""
    slopes = rng.normal(size=(8, 2))
    pairs = [((k - 1, u), (rng.integers(k), v)) for k, (u, v) in enumerate(slopes) if k]
    return ((), *pairs)


# Des arguments que le juge n'essaie pas.
FRESH = {
    "sigma": lambda rng: (rng.normal(size=(3, 5)),),
    "loss": lambda rng: (column(rng, 9), rng.uniform(0.1, 0.9, (9, 1))),
    "numerical_gradient": lambda rng: (
        lambda p: np.sum(np.sin(p) + p**2),
        rng.normal(size=(2, 3)),
    ),
    "neuron_gradients": lambda rng: (
        rng.normal(size=(7, 3)),
        column(rng, 7),
        rng.random((7, 1)),
    ),
    "descend": lambda rng: (rng.normal(size=(6, 4)), column(rng, 6), 0.3, 5),
    "flatten_images": lambda rng: (rng.integers(256, size=(4, 3, 5), dtype=np.uint8),),
    "sigmoid": lambda rng: (rng.normal(scale=400, size=(9, 2)),),
    "accuracy": lambda rng: (column(rng, 9), rng.integers(2, size=9)),
    "confusion_counts": lambda rng: (column(rng, 30), rng.integers(2, size=30)),
    "two_layer_forward": lambda rng: two_layers(rng, 4, 3, 5),
    "two_layer_gradients": lambda rng: (
        *(rng.normal(size=(6, 3)), column(rng, 6), rng.normal(size=(4, 1))),
        *(rng.uniform(-1, 1, (6, 4)), rng.random((6, 1))),
    ),
    "one_step": lambda rng: (
        *(rng.normal(size=(6, 3)), column(rng, 6)),
        *(two_layers(rng, 6, 3, 4)[1:], 0.7),
    ),
    "softmax": lambda rng: (rng.normal(scale=300, size=(4, 6)),),
    "relu_slope": lambda rng: (np.maximum(0, rng.normal(size=(5, 4))),),
    "forward_propagation": lambda rng: (rng.normal(size=(6, 3)), layers(rng, 3, 5, 2)),
    "back_propagation": backward,
    "Adam": lambda rng: list(rng.normal(size=(6, 3, 2))),
    "convolve": lambda rng: exercises._convolution_case(2, 3, 4, 2, 3, 3, rng),
    "input_gradient": lambda rng: exercises._error_case(2, 3, 4, 2, 3, 3, rng),
    "max_pool_gradient": lambda rng: exercises._pool_case(
        rng.integers(3, size=(2, 4, 6, 2)).astype(float), rng
    ),
    "predict_both_ways": lambda rng: exercises._network_case(3, 4, 2, 2, rng),
    "loss_from_logits": lambda rng: (
        column(rng, 8),
        rng.choice([1, 300], size=(8, 1)) * rng.normal(size=(8, 1)),
    ),
    "train_step": lambda rng: (
        *ALL["train_step"].cases[0][:3],
        *rng.normal(size=(2, 5)),
    ),
    "torch_filters": lambda rng: (rng.normal(size=(3, 3, 3, 4)),),
    "rnn_forward": lambda rng: [
        rng.normal(size=s) for s in ((4, 5, 2), (2, 3), (3, 3), (1, 3))
    ],
    "rnn_backward": lambda rng: [
        rng.uniform(-1, 1, s) for s in ((4, 6, 3), (3, 3), (4, 3))
    ],
    "clip": lambda rng: ([rng.normal(size=s) for s in ((2, 3), (1, 3))], 1.5),
    "lstm_cell": lambda rng: [*rng.normal(size=(5, 4, 3))],
    "lstm_backward": lambda rng: exercises._two_paths_case(4, 3, 2, rng),
    "residual_gradients": lambda rng: (
        *(rng.normal(size=(6, 4)), rng.normal(size=(6, 4))),
        *(np.maximum(0, rng.normal(size=(6, 4))), rng.normal(size=(4, 4)), 0.3),
    ),
    "permute": lambda rng: (
        exercises._random_parameters((2, 4, 4), rng),
        *(0, rng.permutation(4)),
    ),
    "normalize_gradient": lambda rng: (
        *(rng.normal(size=(4, 5)), rng.normal(size=(4, 5))),
        *(rng.uniform(1, 2, size=(4, 1)), 1),
    ),
    "normalize_batch": lambda rng: (
        *(rng.normal(size=(5, 3)), rng.uniform(1, 2, size=(2, 3))),
        bool(rng.integers(2)),
    ),
    "warmup_cosine": lambda rng: (np.sort(rng.random(9)), rng.uniform(0.2, 0.6)),
    "backward": arrows,
    "power": lambda rng: (rng.uniform(0.5, 2, size=4), rng.uniform(-2, 3)),
    "matmul_gradients": lambda rng: exercises._product_case(4, 2, 3, rng),
    "unbroadcast": lambda rng: (rng.normal(size=(3, 2, 4)), (2, 1)),
}


def outcome(name, source, case):
    """Ce que donne une réponse, réduit à des tableaux ; ou son erreur."""
    try:
        with np.errstate(all="ignore"):
            answer = define(source, name, namespace(name))
            result = ALL[name].run(answer, *copy.deepcopy(case))
        return flat(result)
    except Exception as error:
        return type(error)


def flat(result):
    if isinstance(result, tuple | list):
        return [len(result), *(item for part in result for item in flat(part))]
    return [result]


def differ(first, second):
    if isinstance(first, type) or isinstance(second, type) or len(first) != len(second):
        return first != second
    try:
        for one, other in zip(first, second):
            np.testing.assert_allclose(one, other, rtol=1e-5, atol=1e-8)
            assert np.shape(one) == np.shape(other)
    except (AssertionError, TypeError):
        return True
    return False


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", WRITTEN)
def test_no_variation_that_changes_the_result_is_called_right(name):
    rng = np.random.default_rng(12)
    cases = [FRESH[name](rng) for _ in range(3)]
    right = [outcome(name, SOLUTIONS[name], case) for case in cases]
    assert not any(isinstance(result, type) for result in right)
    tried, judge = 0, dataclasses.replace(ALL[name], mistakes={})
    for source in set(variations(SOLUTIONS[name])):
        results = [outcome(name, source, case) for case in cases]
        if any(map(differ, results, right)):
            tried += 1
            try:
                answer = define(source, name, namespace(name))
            except Exception:  # un argument par défaut, abîmé
                continue
            assert judge.diagnose(answer) is not None, source
    assert tried >= 4


# --- Ce que font les débutants --------------------------------------------------------

BODIES = {
    "1 / (1 + np.exp(-Z))": "il manque un return",
    "return 0.5": "on attend un tableau de forme (2, 1), et votre réponse donne un no",
    "return [[0.5], [0.8808]]": "donne une liste de 2 valeurs",
    "return np.array([[0.5], [0.8808]])": "est toujours [[0.5 ",
    "return (1 / (1 + np.exp(-Z))).T": "donne un tableau de forme (1, 2)",
    "return 1 / (1 + np.exp(-Z)) + 0j": "un tableau de nombres complexes",
    "return np.log(-1 - Z**2)": "contient nan",
    "return {'Z': Z}": "donne un dictionnaire",
    "return np.array([None, 1])": "donne un tableau d'objets",
    "yield Z": "donne un générateur",
    "Z *= -1; return 1 / (1 + np.exp(Z))": "modifie l'argument Z",
    "raise ValueError('{x}')": "s'arrête sur une erreur, ValueError",
    "return 1 / (1 + npp.exp(-Z))": "le nom « npp » n'existe pas",
    "return 1 / (1 + np.expo(-Z))": "« .expo » n'existe pas",
    "return Z @ np.ones(5)": "formes qui vont ensemble",
    "return 1 if Z > 0 else 0": "porte sur un tableau entier",
    "return sigma(Z)": "s'appelle elle-même",
    "return float(input())": "demande une saisie",
    "raise SystemExit": "arrête tout",
    "E = 1; ...; return E": TO_DO,
    "E = ...; return E": TO_DO,
    "return Z[...]": "et votre réponse donne [[0.], [2.]]",
    "...; print(Z); np.seterr(all='raise'); return 1 / (1 + np.exp(-Z))": "Juste",
    "np.random.seed(0); np.random.rand(); return 1 / (1 + np.exp(-Z))": "Juste",
}


def settings():
    state = np.random.get_state()[1].tolist()  # noqa: NPY002
    return random.getstate(), state, np.geterr(), sys.gettrace()


@pytest.mark.parametrize(("body", "words"), BODIES.items())
def test_each_slip_has_its_words_and_leaves_no_trace(body, words, capsys):
    before = settings()
    answer = define(f"def sigma(Z):\n    {body}", "sigma")
    assert words in verdict("sigma", answer)[0]
    assert settings() == before
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize(
    "body",
    [
        "while True: pass",
        "try:\n        while True: pass\n    finally: return Z",
        "while True:\n        try: float('x')\n        except: pass",
    ],
)
def test_an_endless_loop_costs_the_time_limit_once(body, monkeypatch):
    monkeypatch.setattr(exercises, "TIME_LIMIT", 0.5)
    start = time.monotonic()
    answer = define(f"def sigma(Z):\n    {body}", "sigma")
    assert "tourne encore après 0.5 seconde" in verdict("sigma", answer)[0]
    assert time.monotonic() - start < 1


@pytest.mark.parametrize("name", WRITTEN)
def test_what_is_no_answer_is_never_right(name):
    entry = ALL[name]

    def modifying(*arguments):
        result = copy.deepcopy(entry.run(entry.reference, *copy.deepcopy(arguments)))
        for array in flat(arguments):
            if isinstance(array, np.ndarray):
                array[...] = 77
        return result

    def rewiring(root):
        gradients = entry.reference(root)
        root.slopes = (77.0,)
        return gradients

    class Modifying(utilities.Adam):
        def __call__(self, gradient):
            direction = super().__call__(gradient.copy())
            gradient[...] = 77
            return direction

    first = entry.run(entry.reference, *copy.deepcopy(entry.cases[0]))
    for constant in (first, None, 0, [], "", np.zeros((2, 1)), np.exp):
        assert not is_right(name, lambda *arguments, value=constant: value)
    for answer in (None, ..., 0, "", [1], {}, np.zeros(3), lambda: 0, lambda *a, b: 0):
        assert not is_right(name, answer)
    wrong = Modifying if isinstance(entry.reference, type) else modifying
    wrong = rewiring if name == "backward" else wrong
    assert "modifie" in verdict(name, wrong)[0]


@pytest.mark.parametrize("name", TYPED)
def test_what_is_no_value_is_never_right(name):
    anything = (
        None,
        ...,
        (),
        [],
        {1},
        {},
        "z",
        b"b",
        np.nan,
        np.inf,
        1j,
        10**400,
        print,
    )
    for answer in (*anything, object(), (1, (2, 3)), np.zeros((9, 9)), (1, ...)):
        assert not is_right(name, answer)


@pytest.mark.parametrize("name", ALL)
def test_a_verdict_played_again_is_the_same_until_the_answer_changes(name):
    entry = ALL[name]
    wrong = entry.mistakes or {"": CONDITIONS.get(name, [0])[0]}
    sentence, handed_back = verdict(name, next(iter(wrong.values())))
    assert sentence.startswith("Pas encore")
    assert verdict(name, handed_back) == (sentence, handed_back)
    # Une copie : c'est ce que fait le lecteur en tapant à son tour la bonne valeur.
    right = eval(repr(entry.reference), {"np": np}) if name in TYPED else None
    if right is not None:
        assert is_right(name, right)


def test_progress_counts_what_was_right_once(capsys):
    """Un essai manqué après coup n'efface pas une réussite."""
    first, second, *others = LESSONS["01"]
    exercises.check(first, LESSONS["01"][first].reference)
    exercises.check(first, ...)
    exercises.check(second, ...)
    capsys.readouterr()
    exercises.progress("01")
    left = enumerate([second, *others], start=2)
    assert capsys.readouterr().out.splitlines() == [
        f"Exercices réussis : 1 sur {2 + len(others)}.",
        f"À reprendre : {', '.join(f'{k} ({name})' for k, name in left)}.",
    ]


def test_the_faulty_line_is_shown():
    """Deux formes qui ne vont pas ensemble : à quelle ligne, c'est la question."""
    source = """
def neuron_gradients(X, y, A):
    dZ = (A - y) / len(y)
    dW = X @ dZ.T
    return dW, dZ.sum(axis=0, keepdims=True)
"""
    sentence, _ = verdict("neuron_gradients", define(source, "neuron_gradients"))
    assert "à la ligne « dW = X @ dZ.T »" in sentence


def test_a_mistake_that_raises_is_named_too():
    """La ligne que cite un message n'empêche pas de reconnaître l'erreur."""
    source = """
def softmax(Z):
    E = np.exp(Z - Z.max(axis=1))
    return E / E.sum(axis=1)
"""
    sentence, _ = verdict("softmax", define(source, "softmax"))
    assert sentence.removeprefix("Pas encore : ") in ALL["softmax"].mistakes
