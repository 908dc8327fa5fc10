"""Un ou deux fils pour les produits de matrices, sur une machine calme ou occupée.

    python benchmarks/threads.py

Chaque case est la durée d'un même entraînement, dans un processus neuf ; « occupée »,
deux autres processus calculent sans arrêt à côté. C'est ce que vivent un serveur
partagé et un ordinateur portable, et la raison de la limite posée dans utilities.py.
"""

import argparse
import subprocess
import sys
from contextlib import ExitStack, contextmanager
from pathlib import Path
from statistics import median

ROOT = Path(__file__).resolve().parents[1]

TRAINING = """
import sys, time
import numpy as np
sys.path.insert(0, {root!r})
from utilities import NeuralNetwork, flatten_images, load_data
from threadpoolctl import threadpool_limits
threadpool_limits({n_threads}, user_api="blas")
X, y, _, _ = load_data("animaux")
X = flatten_images(X)
start = time.perf_counter()
NeuralNetwork((128, 64), batch_size=128, max_iter={n_epochs}, random_state=0).fit(X, y)
print(time.perf_counter() - start)
"""
BUSY = "while True: pass"


def train(n_threads: int, n_epochs: int) -> float:
    """Durée d'un entraînement sur les dix animaux, en secondes."""
    code = TRAINING.format(root=str(ROOT), n_threads=n_threads, n_epochs=n_epochs)
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True)
    return float(run.stdout)


@contextmanager
def busy_process():
    """Un processus qui ne fait que calculer."""
    process = subprocess.Popen([sys.executable, "-c", BUSY])
    try:
        yield
    finally:
        process.kill()
        process.wait()


def main() -> None:
    """Mesure les quatre cases et affiche le tableau."""
    parser = argparse.ArgumentParser(description="Un ou deux fils de calcul.")
    parser.add_argument("--rounds", type=int, default=3, help="tours (3)")
    parser.add_argument("--epochs", type=int, default=60, help="époques (60)")
    options = parser.parse_args()
    print(f"{'':10}{'1 fil':>24}{'2 fils':>24}   (secondes : médiane, min – max)")
    for label, n_busy in (("calme", 0), ("occupée", 2)):
        cells = {1: [], 2: []}
        with ExitStack() as stack:
            for _ in range(n_busy):
                stack.enter_context(busy_process())
            for _ in range(options.rounds):
                for n_threads, times in cells.items():
                    times.append(train(n_threads, options.epochs))
        shown = [
            f"{median(t):.1f} ({min(t):.1f} – {max(t):.1f})" for t in cells.values()
        ]
        print(f"{label:10}{shown[0]:>24}{shown[1]:>24}".replace(".", ","))


if __name__ == "__main__":
    main()
