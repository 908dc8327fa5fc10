"""Ce que NumPy seul atteint sur chaque jeu d'images, sur cinq graines.

Usage, depuis la racine du projet : python benchmarks/accuracy.py [--seeds N]

Chaque ligne du tableau est un réseau du cours, jugé après sa dernière époque sur les
images de test, qui n'ont servi ni à l'entraînement ni à l'arrêt. Les réglages, eux, ont
été choisis en regardant ce test : le tableau dit ce que les données peuvent donner, non
ce que l'on obtiendrait sur d'autres images. Compter une demi-heure.
"""

import argparse
import ast
import sys
import time
from functools import partial
from pathlib import Path
from statistics import mean

import nbformat
import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from utilities import (
    SET_NAMES,
    NeuralNetwork,
    flatten_images,
    load_data,
    mirror_and_shift,
    percent,
)

GRADIENT_DESCENT = {"solver": "sgd", "alpha": 0}
# Jeu, décalage en pixels (None : pas d'augmentation), réglages.
RUNS = {
    "silhouettes, un neurone": (
        ("silhouettes", None),
        {"hidden_layer_sizes": (), **GRADIENT_DESCENT, "momentum": 0}
        | {"batch_size": 1590, "learning_rate_init": 0.1, "max_iter": 500},
    ),
    "silhouettes, 32": (
        ("silhouettes", None),
        {"hidden_layer_sizes": (32,), "activation": "tanh", **GRADIENT_DESCENT}
        | {"momentum": 0, "batch_size": 32, "learning_rate_init": 0.1, "max_iter": 100},
    ),
    "silhouettes, 128-64": (
        ("silhouettes", None),
        {"hidden_layer_sizes": (128, 64), **GRADIENT_DESCENT}
        | {"batch_size": 64, "learning_rate_init": 0.1, "max_iter": 30},
    ),
    "silhouettes, 128-64, augmentation": (
        ("silhouettes", 2),
        {"hidden_layer_sizes": (128, 64), "dropout": 0.3, "batch_size": 50}
        | {"learning_rate_init": 0.0003, "max_iter": 250},
    ),
    "silhouettes, 10": (
        ("silhouettes", None),
        {"hidden_layer_sizes": (10,), "alpha": 0, "batch_size": 32}
        | {"learning_rate_init": 0.003, "max_iter": 20},
    ),
    "dix animaux, 128-64": (
        ("animaux", None),
        {"hidden_layer_sizes": (128, 64), "learning_rate_init": 0.002, "max_iter": 30},
    ),
    "dix animaux, 128-64, augmentation": (
        ("animaux", 2),
        {"hidden_layer_sizes": (128, 64), "dropout": 0.1, "max_iter": 150},
    ),
    "photographies, 128-64, augmentation": (
        ("photos", 3),
        {"hidden_layer_sizes": (128, 64), "dropout": 0.5, "alpha": 10}
        | {"batch_size": 100, "learning_rate_init": 0.0002, "max_iter": 400},
    ),
}


def load(name):
    """Images à plat en float32 ; chaque photographie est centrée et réduite."""
    X_train, y_train, X_test, y_test = load_data(name)
    shape = X_train.shape[1:]
    X_train, X_test = (flatten_images(X).astype(np.float32) for X in (X_train, X_test))
    if name == "photos":
        X_train, X_test = standardize(X_train), standardize(X_test)
    return X_train, y_train, X_test, y_test, shape


def standardize(X):
    """Retire à chaque image sa moyenne, et la divise par son écart-type."""
    deviation = X.std(axis=1, keepdims=True) + np.float32(1e-3)
    return (X - X.mean(axis=1, keepdims=True)) / deviation


def score(data, max_shift, options, seed):
    """Exactitude sur le test, après un entraînement complet."""
    X_train, y_train, X_test, y_test, shape = data
    model = NeuralNetwork(**options, random_state=seed)
    if max_shift is not None:
        augment = partial(mirror_and_shift, shape=shape, max_shift=max_shift)
        model.set_params(augment=augment)
    return model.fit(X_train, y_train).score(X_test, y_test)


def print_row(title, scores, seconds):
    """Une ligne : moyenne, extrêmes, et secondes par graine."""
    figures = "".join(f"{percent(f(scores)):>9}" for f in (mean, min, max))
    print(f"{title:36}{figures}{seconds / len(scores):10.1f}", flush=True)


# --- Annexe « récurrence » ------------------------------------------------------------

ANNEXE = Path(__file__).resolve().parents[1] / "notebooks/annexes/recurrence.ipynb"
LENGTHS = (10, 20, 40, 60, 100, 200)


def taught_functions(path):
    """Les fonctions d'un carnet, sans exécuter le reste de ses cellules."""
    cells = nbformat.read(path, as_version=4).cells
    sources = [cell.source for cell in cells if cell.cell_type == "code"]
    tree = ast.parse("\n".join(sources))
    kept = ast.Import | ast.ImportFrom | ast.FunctionDef
    tree.body = [node for node in tree.body if isinstance(node, kept)]
    namespace = {}
    exec(compile(tree, str(path), "exec"), namespace)
    return namespace


def compare_memories(seeds):
    """La première lettre d'un mot, retrouvée après 200 lots de mots de T lettres."""
    taught = taught_functions(ANNEXE)
    rnn, lstm, recall = (taught[name] for name in ("rnn", "lstm", "recall"))
    open_at_1 = partial(taught["initialize_lstm"], forget_bias=1.0)
    contestants = {
        "réseau récurrent": (rnn, taught["initialize"]),
        "LSTM, biais d'oubli 1": (lstm, open_at_1),
        "LSTM, biais d'oubli 4": (lstm, taught["initialize_lstm"]),
    }
    for name, (layer, start) in contestants.items():
        for T in LENGTHS:
            begin = time.perf_counter()
            scores = [recall(layer, start, T, seed)[0] for seed in seeds]
            print_row(f"{name}, {T} lettres", scores, time.perf_counter() - begin)


def compare_readers(seeds):
    """Les silhouettes, ligne par ligne, autant de paramètres que « 10 » plus haut."""
    taught = taught_functions(ANNEXE)
    X_train, y_train, X_test, y_test = load_data()
    X_train, X_test = X_train / 255, X_test / 255
    open_at_1 = partial(taught["initialize_lstm"], forget_bias=1.0)
    for name, start, k, rate in (
        ("rnn", taught["initialize"], 75, 0.001),
        ("lstm", open_at_1, 32, 0.005),
    ):
        layer, scores, begin = taught[name], [], time.perf_counter()
        for seed in seeds:
            rng = np.random.default_rng(seed)
            initial = start(28, k, rng)
            batches = taught["epochs"](30, X_train, y_train, rng)
            parameters, _ = taught["train"](layer, initial, batches, rate)
            answers = taught["predict"](layer, X_test, parameters)
            scores.append(np.mean(answers == y_test))
        title = f"silhouettes par lignes, {name} ({k})"
        print_row(title, scores, time.perf_counter() - begin)


def main():
    """Une ligne du tableau par entraînement de RUNS."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=5, help="nombre de graines (5)")
    seeds = range(parser.parse_args().seeds)
    if len(seeds) == 0:
        parser.error("--seeds doit être un entier d'au moins 1")
    sets = {name: load(name) for name in SET_NAMES}
    print(f"{'':36}{'moyenne':>9}{'min':>9}{'max':>9}  s/graine")
    for title, ((name, max_shift), options) in RUNS.items():
        data, start = sets[name], time.perf_counter()
        scores = [score(data, max_shift, options, seed) for seed in seeds]
        print_row(title, scores, time.perf_counter() - start)
    compare_memories(seeds)
    compare_readers(seeds)


if __name__ == "__main__":
    main()
