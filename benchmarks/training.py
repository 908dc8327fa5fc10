"""Mesure une époque d'entraînement : le module, PyTorch, scikit-learn et un plancher.

Usage, depuis la racine du projet : python benchmarks/training.py [--rounds N] [--quick]

Tous calculent la même chose, en float32, dans le même processus et avec autant de fils
d'exécution : mêmes formes, ReLU, mêmes lots, mélange à chaque époque s'il y a plusieurs
lots, ni pénalité ni arrêt précoce. Le module et scikit-learn tiennent en plus la courbe
de perte ; PyTorch en est dispensé. Le plancher se borne aux produits de matrices, dans
des tableaux alloués d'avance : un réseau NumPy ne saurait aller plus vite.

Les concurrents passent à tour de rôle (A B C D, A B C D…), après un tour de chauffe.
Une époque vaut (t(long) - t(court)) / (long - court), t(n) étant la durée de n époques
d'un réseau neuf : la préparation, comprise dans les deux, s'annule.
"""

import argparse
import gc
import os
import sys
import time
import tracemalloc
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import numpy as np
from numpy.typing import NDArray
from sklearn.exceptions import ConvergenceWarning
from sklearn.neural_network import MLPClassifier
from threadpoolctl import threadpool_info

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from taught import taught_by

from utilities import NeuralNetwork, decimal, flatten_images, load_data

try:
    import torch
except ImportError:
    torch = None

OURS, FLOOR = "utilities.NeuralNetwork", "plancher (produits seuls)"
OUR_CONVOLUTION = "annexe, réseau convolutif"
PAUSE = 0.1  # secondes : les fils du concurrent précédent cessent d'attendre activement
LEARNING_RATE = 0.001
Train = Callable[[int], None]  # entraîne un réseau neuf pendant n époques


@dataclass(frozen=True)
class Workload:
    """Un entraînement à mesurer, et les deux nombres d'époques de chaque mesure."""

    X: NDArray[np.float32]
    y: NDArray[np.int64]
    layer_sizes: tuple[int, ...]
    batch_size: int
    solver: str
    short: int
    long: int


def make_workloads(quick: bool) -> list[Workload]:
    """Prépare les trois entraînements ; quick : quatre fois moins d'époques."""
    k = 4 if quick else 1
    (animals, species), (pets, labels) = map(read, ("animaux", "silhouettes"))
    animals, species = np.resize(animals, (8000, 784)), np.resize(species, 8000)
    rng = np.random.default_rng(0)
    noise, coin = rng.random((1000, 4096), dtype=np.float32), rng.integers(2, size=1000)
    deep, m = (4096, 128, 128, 128, 1), len(pets)
    return [
        Workload(animals, species, (784, 128, 64, 10), 128, "adam", 2, 2 + 48 // k),
        Workload(noise, coin, deep, 1000, "sgd", 2, 2 + 48 // k),
        Workload(pets, labels, (784, 1), m, "sgd", 10, 10 + 4000 // k),
    ]


def read(name: str) -> tuple[NDArray, NDArray]:
    """Images d'entraînement à plat, en float32, et numéros de leurs classes."""
    X, y, _, _ = load_data(name)
    return flatten_images(X).astype(np.float32), y.ravel().astype(np.int64)


def scikit_learn_like(estimator: type, w: Workload) -> Train:
    """Le module du cours ou MLPClassifier : mêmes paramètres, mêmes noms."""
    options = {"solver": w.solver, "batch_size": w.batch_size, "random_state": 0}
    options |= {"learning_rate_init": LEARNING_RATE, "alpha": 0.0, "tol": 0.0}
    options |= {"momentum": 0.0, "nesterovs_momentum": False, "verbose": False}
    options |= {"shuffle": w.batch_size < len(w.X), "n_iter_no_change": 10**9}

    def train(n_epochs: int) -> None:
        model = estimator(w.layer_sizes[1:-1], max_iter=n_epochs, **options)
        model.fit(w.X, w.y)
        assert model.n_iter_ == n_epochs, "un concurrent s'est arrêté trop tôt"

    return train


def pytorch(w: Workload, fused: bool) -> Train:
    """La boucle usuelle, sans DataLoader : un lot est un indiçage du tenseur."""
    X, binary = torch.from_numpy(w.X), w.layer_sizes[-1] == 1
    y = torch.from_numpy(w.y[:, None].astype(np.float32) if binary else w.y)
    loss = torch.nn.BCEWithLogitsLoss() if binary else torch.nn.CrossEntropyLoss()
    optimizer_class = torch.optim.Adam if w.solver == "adam" else torch.optim.SGD
    options = {"lr": LEARNING_RATE, "foreach": False, "fused": fused}

    def train(n_epochs: int) -> None:
        layers = []
        for n_in, n_out in zip(w.layer_sizes[:-1], w.layer_sizes[1:], strict=True):
            layers += [torch.nn.Linear(n_in, n_out), torch.nn.ReLU()]
        model = torch.nn.Sequential(*layers[:-1])
        optimizer = optimizer_class(model.parameters(), **options)
        for _ in range(n_epochs):
            batches = [slice(None)]
            if w.batch_size < len(X):
                batches = torch.randperm(len(X)).split(w.batch_size)
            for batch in batches:
                optimizer.zero_grad(set_to_none=True)
                loss(model(X[batch]), y[batch]).backward()
                optimizer.step()

    return train


def matrix_products(w: Workload) -> Train:
    """Le plancher : X @ W, A.T @ dZ et, sauf à la première couche, dZ @ W.T."""
    rng = np.random.default_rng(0)
    pairs = list(zip(w.layer_sizes[:-1], w.layer_sizes[1:], strict=True))
    weights = [rng.standard_normal(pair, dtype=np.float32) for pair in pairs]
    gradients = [np.empty_like(W) for W in weights]
    shapes = [(w.batch_size, n_out) for n_out in w.layer_sizes[1:]]
    Zs = [np.empty(shape, dtype=np.float32) for shape in shapes]
    dZs = [rng.standard_normal(shape, dtype=np.float32) for shape in shapes]

    def one_batch(X: NDArray) -> None:
        m, A = len(X), [X]
        for W, Z in zip(weights, Zs, strict=True):
            A.append(np.matmul(A[-1], W, out=Z[:m]))
        for k in reversed(range(len(weights))):
            np.matmul(A[k].T, dZs[k][:m], out=gradients[k])
            if k > 0:
                np.matmul(dZs[k][:m], weights[k].T, out=dZs[k - 1][:m])

    def train(n_epochs: int) -> None:
        for _ in range(n_epochs):
            for start in range(0, len(w.X), w.batch_size):
                one_batch(w.X[start : start + w.batch_size])

    return train


def time_epoch(train: Train, w: Workload) -> float:
    """Durée d'une époque en millisecondes, préparation déduite."""
    gc.collect()
    time.sleep(PAUSE)
    instants = [time.perf_counter()]
    for n_epochs in (w.short, w.long):
        train(n_epochs)
        instants.append(time.perf_counter())
    short, long = np.diff(instants)
    return 1000 * float(long - short) / (w.long - w.short)


def dense_contestants(w: Workload) -> dict[str, Train | None]:
    """Les réseaux denses, et leur plancher ; None pour un absent."""
    name = f"PyTorch {'Adam' if w.solver == 'adam' else 'SGD'}"
    return {
        OURS: scikit_learn_like(NeuralNetwork, w),
        name: torch and pytorch(w, fused=False),
        f"{name}, fused=True": torch and pytorch(w, fused=True),
        "MLPClassifier": scikit_learn_like(MLPClassifier, w),
        FLOOR: matrix_products(w),
    }


# --- La convolution -------------------------------------------------------------------

N_FILTERS, DROPOUT = (16, 32), 0.3


def convolution_workload(quick: bool) -> Workload:
    """Le réseau de l'annexe sur les silhouettes ; layer_sizes : ses canaux."""
    pets, labels = read("silhouettes")
    return Workload(pets, labels, (1, *N_FILTERS, 2), 32, "adam", 1, 2 if quick else 4)


def convolution_contestants(w: Workload) -> dict[str, Train | None]:
    """Le réseau de l'annexe, et le même en PyTorch ; None pour un absent."""
    channels_last = torch and torch_convolution(w, torch.channels_last)
    return {
        OUR_CONVOLUTION: numpy_convolution(w),
        "PyTorch Adam": torch and torch_convolution(w, torch.contiguous_format),
        "PyTorch, channels_last": channels_last,
    }


def numpy_convolution(w: Workload) -> Train:
    """La boucle de l'annexe, sans augmentation : PyTorch n'en fait pas non plus."""
    net, X = taught_by("annexes/reseau_convolutif"), w.X.reshape(-1, 28, 28, 1)

    def train(n_epochs: int) -> None:
        options = {
            "n_filters": N_FILTERS,
            "batch_size": w.batch_size,
            "dropout": DROPOUT,
        }
        net.train(X, w.y, n_epochs, move=lambda X, rng: X, **options)

    return train


def torch_convolution(w: Workload, memory_format: object) -> Train:
    """La boucle usuelle, et le même taux décroissant."""
    X = torch.from_numpy(w.X.reshape(-1, 1, 28, 28))
    X, y = X.contiguous(memory_format=memory_format), torch.from_numpy(w.y)
    loss, nn = torch.nn.CrossEntropyLoss(), torch.nn

    def train(n_epochs: int) -> None:
        layers, n_maps = [], 1
        for n in N_FILTERS:
            layers += [nn.Conv2d(n_maps, n, 3, padding=1), nn.MaxPool2d(2), nn.ReLU()]
            n_maps = n
        n_features = n_maps * (28 // 2 ** len(N_FILTERS)) ** 2
        layers += [nn.Flatten(), nn.Dropout(DROPOUT), nn.Linear(n_features, 2)]
        model = nn.Sequential(*layers).to(memory_format=memory_format)
        optimizer = torch.optim.Adam(model.parameters(), lr=0.003, fused=True)
        n_steps = n_epochs * -(-len(X) // w.batch_size)
        schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, n_steps)
        for _ in range(n_epochs):
            for batch in torch.randperm(len(X)).split(w.batch_size):
                optimizer.zero_grad(set_to_none=True)
                loss(model(X[batch]), y[batch]).backward()
                optimizer.step()
                schedule.step()

    return train


# --- Les tableaux ---------------------------------------------------------------------


def measure(
    contestants: dict[str, Train | None], w: Workload, n_rounds: int
) -> dict[str, list[float]]:
    """Durées de chaque concurrent, une par tour compté ; aucune pour un absent."""
    times = {name: [] for name in contestants}
    for _ in range(1 + n_rounds):
        for name, train in contestants.items():
            if train:
                times[name].append(time_epoch(train, w))
    return {name: values[1:] for name, values in times.items()}


def print_table(w: Workload, times: dict[str, list[float]]) -> None:
    """Une ligne par concurrent ; chaque rapport est la médiane de ceux des tours."""
    sizes = "-".join(map(str, w.layer_sizes))
    print(f"\n{sizes}, {len(w.X)} images par lots de {w.batch_size}, {w.solver}")
    print(f"(une mesure : {w.short} et {w.long} époques)")
    references = {"/ nous": next(iter(times))}
    if FLOOR in times:
        references["/ plancher"] = FLOOR
    titles = "".join(f"{title:>12}" for title in references)
    print(f"{'':26}{'ms/époque':>10}{'min – max':>20}{titles}")
    for name, values in times.items():
        if not values:
            print(f"{name:26}{'absent':>10}")
            continue
        span = f"{decimal(min(values))} – {decimal(max(values))}"
        ratios = (
            decimal(median(a / b for a, b in zip(values, times[reference])))
            for reference in references.values()
        )
        columns = "".join(f"{ratio:>12}" for ratio in ratios)
        print(f"{name:26}{decimal(median(values)):>10}{span:>20}{columns}")


def traced_peak(w: Workload, n_epochs: int) -> float:
    """Plus haut de la mémoire allouée par un entraînement du module, en Kio."""
    tracemalloc.start()
    scikit_learn_like(NeuralNetwork, w)(n_epochs)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return peak / 1024


def main() -> None:
    """Mesure chaque entraînement, et affiche son tableau."""
    parser = argparse.ArgumentParser(description="Mesure une époque d'entraînement.")
    parser.add_argument("--rounds", type=int, default=5, help="tours comptés (5)")
    parser.add_argument("--quick", action="store_true", help="mesures plus courtes")
    options = parser.parse_args()
    if options.rounds < 1:
        parser.error("--rounds doit être un entier d'au moins 1")
    warnings.simplefilter("ignore", ConvergenceWarning)  # max_iter atteint : voulu
    pools = [pool for pool in threadpool_info() if pool["user_api"] == "blas"]
    n_threads = max((pool["num_threads"] for pool in pools), default=1)
    if torch:
        torch.set_num_threads(n_threads)
    print(f"os.cpu_count() : {os.cpu_count()} ; fils : BLAS {n_threads}, ", end="")
    print(f"PyTorch {torch.get_num_threads()}" if torch else "PyTorch absent")
    print(
        f"Médianes de {options.rounds} tours ; / nous > 1 : le module est plus rapide"
    )
    for w in make_workloads(options.quick):
        print_table(w, measure(dense_contestants(w), w, options.rounds))
        _, few, many = (traced_peak(w, n_epochs) for n_epochs in (1, 2, 12))
        growth = f"{decimal(few, 0)} → {decimal(many, 0)} Kio"
        print(f"Mémoire du module, au plus haut, de 2 à 12 époques : {growth}")
    w = convolution_workload(options.quick)
    print_table(w, measure(convolution_contestants(w), w, options.rounds))


if __name__ == "__main__":
    main()
