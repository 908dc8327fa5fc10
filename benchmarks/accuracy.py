"""Ce que NumPy seul atteint sur chaque jeu d'images, sur cinq graines.

Usage, depuis la racine du projet :

    python benchmarks/accuracy.py [--seeds N] [dense] [convolution] [recurrence] [depth]

Chaque ligne du tableau est un réseau du cours, jugé après sa dernière époque sur les
images de test, qui n'ont servi ni à l'entraînement ni à l'arrêt. Les réglages, eux, ont
été choisis en regardant ce test : le tableau dit ce que les données peuvent donner, non
ce que l'on obtiendrait sur d'autres images. Sans nom de partie, toutes sont faites :
compter une heure. ``depth`` est à part : c'est la perte d'entraînement de vingt et de
cinquante couches, après quinze époques.
"""

import argparse
import sys
import time
from functools import partial
from pathlib import Path
from statistics import mean

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from taught import taught_by

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
    "silhouettes, 10": (
        ("silhouettes", None),
        {"hidden_layer_sizes": (10,), "alpha": 0, "batch_size": 32}
        | {"learning_rate_init": 0.003, "max_iter": 20},
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


# --- La convolution, face à deux réseaux denses ---------------------------------------

net = taught_by("annexes/reseau_convolutif")


def augment_photos(X, rng):
    """Décale deux fois plus loin, puis change au hasard le contraste et la lumière."""
    flat, shape = X.reshape(len(X), -1), X.shape[1:3]
    moved = mirror_and_shift(flat, rng, shape, max_shift=4).reshape(X.shape)
    contrast, light = rng.normal(scale=0.4, size=(2, len(X), 1, 1, 1))
    return (np.exp(contrast) * moved + light).astype("float32")


# Jeu : réglages de net.train ; réglages du réseau dense.
CONVOLUTIONS = {
    "silhouettes": (
        {"n_filters": (8, 24), "n_epochs": 60, "learning_rate": 0.008},
        RUNS["silhouettes, 128-64, augmentation"][1],
    ),
    "animaux": (
        {"n_filters": (8, 32), "n_epochs": 20, "dropout": 0.2, "learning_rate": 0.008},
        RUNS["dix animaux, 128-64, augmentation"][1],
    ),
    "photos": (
        {"n_filters": (8, 32, 64), "n_epochs": 160, "move": augment_photos},
        # Sur tant d'époques, une pénalité de 10 éteint tous les poids.
        RUNS["photographies, 128-64, augmentation"][1] | {"alpha": 1},
    ),
}


def load_maps(name):
    """Images (m, h, w, 1) en float32, préparées comme dans l'annexe."""
    X_train, y_train, X_test, y_test = load_data(name)
    if name == "photos":
        X_train, X_test = net.prepare(X_train, X_test)
    else:
        X_train, X_test = (X[..., None] / np.float32(255) for X in (X_train, X_test))
    return X_train, y_train.ravel().astype(int), X_test, y_test.ravel().astype(int)


def predict_ten_ways(X, parameters):
    """Réponse moyenne à l'image, en place ou décalée d'un pixel, et à son miroir."""
    (h, w), framed = X.shape[1:3], np.pad(X, [(0, 0), (1, 1), (1, 1), (0, 0)])
    corners = (1, 1), (0, 1), (2, 1), (1, 0), (1, 2)
    moved = [framed[:, i : i + h, j : j + w] for i, j in corners]
    return np.mean([net.predict_both_ways(X, parameters) for X in moved], axis=0)


def convolution_score(data, options, seed):
    """Exactitude sur le test du réseau de l'annexe, qui voit chaque image dix fois."""
    X_train, y_train, X_test, y_test = data
    parameters = net.train(X_train, y_train, seed=seed, **options)
    return net.score(X_test, y_test, parameters, predict_ten_ways)


def dense_score(data, seconds, move, options, seed):
    """Exactitude d'un réseau dense, en autant de temps, avec les mêmes copies."""
    X_train, y_train, X_test, y_test = data
    flat_train, flat_test = (X.reshape(len(X), -1) for X in (X_train, X_test))

    def augment(X, rng):
        return move(X.reshape(-1, *X_train.shape[1:]), rng).reshape(X.shape)

    model = NeuralNetwork(**options, augment=augment, random_state=seed)
    start = time.perf_counter()
    model.set_params(max_iter=5).fit(flat_train, y_train)
    n_epochs = int(5 * seconds / (time.perf_counter() - start))
    return (
        model.set_params(max_iter=n_epochs)
        .fit(flat_train, y_train)
        .score(flat_test, y_test)
    )


def n_hidden(data, options):
    """Taille de la couche cachée d'un réseau dense qui a autant de paramètres."""
    X_train, y_train, _, _ = data
    n_in, n_classes = X_train[0].size, y_train.max() + 1
    shape, n_filters = X_train.shape[1:], options["n_filters"]
    parameters = net.initialize(shape, n_filters, n_classes, np.random.default_rng(0))
    n_parameters = sum(W.size + b.size for W, b in parameters)
    n_out = 1 if n_classes == 2 else n_classes
    return round((n_parameters - n_out) / (n_in + 1 + n_out))


def compare_convolution(name, seeds):
    """Trois lignes : la convolution, puis deux réseaux denses, en autant de temps."""
    data, (options, dense) = load_maps(name), CONVOLUTIONS[name]
    trial = partial(convolution_score, data, options)
    seconds = report(f"{name}, convolution", trial, seeds)
    hidden, move = n_hidden(data, options), options.get("move", net.augment)
    rivals = {
        f"{name}, dense {hidden} (paramètres)": {"hidden_layer_sizes": (hidden,)},
        f"{name}, dense 128-64 (temps)": dense,
    }
    for rival, settings in rivals.items():
        report(rival, partial(dense_score, data, seconds, move, settings), seeds)


# --- La récurrence --------------------------------------------------------------------

recurrent = taught_by("annexes/lstm")
LENGTHS = (10, 20, 40, 60, 100, 200)
open_at_1 = partial(recurrent.initialize_lstm, forget_bias=1.0)


def compare_memories(seeds):
    """La première lettre d'un mot, retrouvée après 100 lots de mots de T lettres."""
    contestants = {
        "réseau récurrent": (recurrent.rnn, recurrent.initialize),
        "LSTM, biais d'oubli 1": (recurrent.lstm, open_at_1),
        "LSTM, biais d'oubli 4": (recurrent.lstm, recurrent.initialize_lstm),
    }
    for name, contestant in contestants.items():
        for T in LENGTHS:
            trial = partial(memory_score, *contestant, T)
            report(f"{name}, {T} lettres", trial, seeds)


def memory_score(layer, start, T, seed):
    """Part des premières lettres retrouvées."""
    return recurrent.recall(layer, start, T, seed)[0]


def compare_readers(seeds):
    """Les silhouettes, ligne par ligne, autant de paramètres que « 10 » plus haut."""
    X_train, y_train, X_test, y_test = load_data()
    data = X_train / 255, y_train, X_test / 255, y_test
    for name, start, k, rate in (
        ("rnn", recurrent.initialize, 75, 0.001),
        ("lstm", open_at_1, 32, 0.005),
    ):
        trial = partial(reader_score, data, getattr(recurrent, name), start, k, rate)
        report(f"silhouettes par lignes, {name} ({k})", trial, seeds)


def reader_score(data, layer, start, k, rate, seed):
    """Exactitude sur le test d'un réseau qui lit chaque image ligne par ligne."""
    X_train, y_train, X_test, y_test = data
    rng = np.random.default_rng(seed)
    initial = start(28, k, rng)
    batches = recurrent.epochs(30, X_train, y_train, rng)
    parameters, _ = recurrent.train(layer, initial, batches, rate)
    return np.mean(recurrent.predict(layer, X_test, parameters) == y_test)


# --- La profondeur --------------------------------------------------------------------

deep = taught_by("annexes/profondeur")


def compare_depths(seeds):
    """Couches ordinaires ou résiduelles, avec et sans facteur sur leur branche."""
    for depth in (20, 50):
        layers = {
            "ordinaires": deep.plain,
            "résiduelles": partial(deep.residual, scale=1 / depth),
            "résiduelles, sans facteur": deep.residual,
        }
        for name, layer in layers.items():
            for rate in (0.001, 0.003):
                trial = partial(depth_loss, layer, depth, rate)
                title = f"{depth} {name}, {decimal(rate, 3)}"
                report(title, trial, seeds, partial(decimal, digits=3))


def depth_loss(layer, depth, rate, seed):
    """La perte après quinze époques, en lots de 64, sur les images entières."""
    X_train, y_train, *_ = load_data()
    X_train, n = flatten_images(X_train), 64
    rng = np.random.default_rng(seed)
    start = deep.initialize(X_train.shape[1], n, depth, rng)
    rates = np.full(15 * (len(X_train) // 64), rate)
    parameters = deep.train(X_train, y_train, start, layer, rates, seed)
    return log_loss(y_train, deep.propagate(X_train, parameters, layer)[0])


# --- Le tableau -----------------------------------------------------------------------


def report(title, trial, seeds, write=percent):
    """Écrit une ligne du tableau ; renvoie la durée d'un essai, en secondes."""
    start = time.perf_counter()
    scores = [trial(seed) for seed in seeds]
    seconds = (time.perf_counter() - start) / len(seeds)
    figures = "".join(f"{write(f(scores)):>9}" for f in (mean, min, max))
    print(f"{title:36}{figures}{seconds:10.0f}", flush=True)
    return seconds


def compare_dense(seeds):
    """Une ligne par entraînement de RUNS."""
    sets = {name: load(name) for name in SET_NAMES}
    for title, ((name, max_shift), options) in RUNS.items():
        report(title, partial(score, sets[name], max_shift, options), seeds)


def compare_convolutions(seeds):
    """Trois lignes par jeu : la convolution, puis deux réseaux denses."""
    for name in CONVOLUTIONS:
        compare_convolution(name, seeds)


def compare_recurrent(seeds):
    """Ce que retient un réseau récurrent, puis des images lues ligne par ligne."""
    compare_memories(seeds)
    compare_readers(seeds)


PARTS = {
    "dense": compare_dense,
    "convolution": compare_convolutions,
    "recurrence": compare_recurrent,
    "depth": compare_depths,
}


def main():
    """Les lignes des parties demandées."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=5, help="nombre de graines (5)")
    parser.add_argument("parts", nargs="*", help=f"{', '.join(PARTS)} (toutes)")
    arguments = parser.parse_args()
    seeds, parts = range(arguments.seeds), arguments.parts or PARTS
    if len(seeds) == 0:
        parser.error("--seeds doit être un entier d'au moins 1")
    if unknown := set(parts) - set(PARTS):
        parser.error(f"partie inconnue : {', '.join(unknown)}")
    print(f"{'':36}{'moyenne':>9}{'min':>9}{'max':>9}  s/graine")
    for part in parts:
        PARTS[part](seeds)


if __name__ == "__main__":
    main()
