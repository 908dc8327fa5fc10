"""Mesure ce que coûte la dérivation de l'annexe « tenseurs », en temps de calcul.

    python benchmarks/autodiff.py [--rounds N]

Trois programmes, en float64, sur les mêmes images : l'aller seul, le gradient du carnet
04, écrit à la main, et celui de la bibliothèque écrite dans l'annexe, lue dans son
carnet. Ils passent à tour de rôle ; chaque rapport est la médiane de ceux des tours,
entre ses extrêmes.
"""

import argparse
import sys
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

import matplotlib as mpl
import nbformat
import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from utilities import decimal, forward_propagation, initialize_parameters

ROOT = Path(__file__).resolve().parents[1]
NOTEBOOK = ROOT / "notebooks/annexes/tenseurs.ipynb"

# Couches, exemples par lot, et appels par mesure.
WORKLOADS = [
    ((2, 16, 16, 16, 1), 100, 300),
    ((784, 32, 1), 100, 100),
    ((784, 128, 64, 1), 256, 30),
]


def read_notebook() -> dict[str, object]:
    """Ce que définissent les cellules de l'annexe, une fois exécutées."""
    mpl.use("Agg")
    namespace: dict[str, object] = {}
    for cell in nbformat.read(NOTEBOOK, as_version=4).cells:
        if cell.cell_type == "code" and "exercises." not in cell.source:
            exec(cell.source, namespace)
    return namespace


def cpu_time(function: Callable, arguments: tuple, n_calls: int) -> float:
    """Temps de calcul d'un appel, en millisecondes."""
    start = time.process_time()
    for _ in range(n_calls):
        function(*arguments)
    return 1000 * (time.process_time() - start) / n_calls


def main() -> None:
    """Une ligne par réseau : l'aller, puis les deux gradients rapportés à lui."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=9, help="tours comptés")
    n_rounds, annex = parser.parse_args().rounds, read_notebook()
    by_hand, by_graph = annex["gradients_by_hand"], annex["by_graph"]
    columns = "aller (ms)", "à la main / aller", "auto / aller", "auto / à la main"
    print(f"{'':30}" + "".join(f"{column:>24}" for column in columns))
    for sizes, m, n_calls in WORKLOADS:
        rng = np.random.default_rng(0)
        parameters = initialize_parameters(sizes, rng)
        X, y = rng.random((m, sizes[0])), rng.integers(2, size=(m, 1)).astype(float)
        contestants = [
            (forward_propagation, (X, parameters, np.tanh)),
            (by_hand, (X, y, parameters)),
            (by_graph, (X, y, parameters)),
        ]
        rounds = [
            [cpu_time(*contestant, n_calls) for contestant in contestants]
            for _ in range(1 + n_rounds)
        ][1:]
        one_way, hand, auto = np.transpose(rounds)
        cells = [one_way, hand / one_way, auto / one_way, auto / hand]
        spans = [
            f"{decimal(median(c))} ({decimal(c.min())} – {decimal(c.max())})"
            for c in cells
        ]
        title = f"{'-'.join(map(str, sizes))}, {m} exemples"
        print(f"{title:30}" + "".join(f"{span:>24}" for span in spans))


if __name__ == "__main__":
    main()
