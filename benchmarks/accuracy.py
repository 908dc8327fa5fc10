"""Ce que NumPy seul atteint sur chaque jeu d'images, sur cinq graines.

Usage, depuis la racine du projet : python benchmarks/accuracy.py [--seeds N] [--depth]

Chaque ligne du tableau est un réseau du cours, jugé après sa dernière époque sur les
images de test, qui n'ont servi ni à l'entraînement ni à l'arrêt. Les réglages, eux, ont
été choisis en regardant ce test : le tableau dit ce que les données peuvent donner, non
ce que l'on obtiendrait sur d'autres images. Compter une dizaine de minutes.

Avec --depth, la perte d'entraînement de vingt et cinquante couches de l'annexe
« profondeur », sans réduire les images ni les couches. Compter cinq minutes.
"""

import argparse
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
    decimal,
    flatten_images,
    load_data,
    log_loss,
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


# --- Annexe « profondeur » ------------------------------------------------------------


def read_annexe():
    """Les fonctions que définit l'annexe, et les bibliothèques qu'elle importe."""
    root = Path(__file__).resolve().parents[1]
    path = root / "notebooks" / "annexes" / "profondeur.ipynb"
    cells = nbformat.read(path, as_version=4).cells
    code = (cell.source for cell in cells if cell.cell_type == "code")
    namespace = {}
    for source in code:
        if source.startswith(("import math", "def ")):
            exec(source, namespace)
    return namespace


def depth_loss(annexe, layer, depth, rate, seed):
    """La perte après quinze époques, en lots de 64, sur les images entières."""
    X_train, y_train, *_ = load_data()
    X_train, n = flatten_images(X_train), 64
    rng = np.random.default_rng(seed)
    start = annexe["initialize"](X_train.shape[1], n, depth, rng)
    rates = np.full(15 * (len(X_train) // 64), rate)
    parameters = annexe["train"](X_train, y_train, start, layer, rates, seed)
    return log_loss(y_train, annexe["propagate"](X_train, parameters, layer)[0])


def measure_depth(seeds):
    """Couches ordinaires ou résiduelles, avec et sans facteur sur leur branche."""
    annexe = read_annexe()
    print(f"{'':36}{'moyenne':>9}{'min':>9}{'max':>9}  s/graine")
    for depth in (20, 50):
        layers = {
            "ordinaires": annexe["plain"],
            "résiduelles": partial(annexe["residual"], scale=1 / depth),
            "résiduelles, sans facteur": annexe["residual"],
        }
        for name, layer in layers.items():
            for rate in (0.001, 0.003):
                start = time.perf_counter()
                losses = [depth_loss(annexe, layer, depth, rate, s) for s in seeds]
                seconds = (time.perf_counter() - start) / len(seeds)
                title = f"{depth} {name}, {decimal(rate, 3)}"
                figures = "".join(
                    f"{decimal(f(losses), 3):>9}" for f in (mean, min, max)
                )
                print(f"{title:36}{figures}{seconds:10.0f}", flush=True)


def main():
    """Une ligne du tableau par entraînement de RUNS, ou par réseau profond."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=5, help="nombre de graines (5)")
    parser.add_argument("--depth", action="store_true", help="les réseaux profonds")
    options = parser.parse_args()
    seeds = range(options.seeds)
    if len(seeds) == 0:
        parser.error("--seeds doit être un entier d'au moins 1")
    if options.depth:
        measure_depth(seeds)
        return
    sets = {name: load(name) for name in SET_NAMES}
    print(f"{'':36}{'moyenne':>9}{'min':>9}{'max':>9}  s/graine")
    for title, ((name, max_shift), options) in RUNS.items():
        data, start = sets[name], time.perf_counter()
        scores = [score(data, max_shift, options, seed) for seed in seeds]
        seconds = (time.perf_counter() - start) / len(seeds)
        figures = "".join(f"{percent(f(scores)):>9}" for f in (mean, min, max))
        print(f"{title:36}{figures}{seconds:10.0f}", flush=True)


if __name__ == "__main__":
    main()
