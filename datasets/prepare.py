"""Construit les jeux de données du cours à partir du paquet animal-mnist 0.4.

    python datasets/prepare.py                    # télécharge l'archive avec pip
    python datasets/prepare.py --wheel ARCHIVE    # lit une archive déjà présente

L'archive (*wheel*) est authentifiée par son empreinte SHA-256 et lue en mémoire,
sans rien installer. La fiche `README.md`, à côté, décrit le résultat.
"""

import argparse
import gzip
import hashlib
import io
import pickle
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from sklearn.model_selection import train_test_split

REQUIREMENT = "animal-mnist==0.4"
WHEEL_SHA256 = "aeebf3d9de4552d6fd2d5701424e1a5b9020f8e5115d68df9db252f2f53ce2ce"
IMAGES_MEMBER = "animal_mnist/data/Animal_MNIST/animal_data_version_3.gz"
LABELS_MEMBER = "animal_mnist/data/Animal_MNIST/animal_label_version_3.gz"
LICENCE_MEMBER = "animal_mnist-0.4.dist-info/licenses/LICENSE"

SOURCE = (
    "Paquet Python animal-mnist 0.4, de Sina Mohammadi ; "
    "doublons écartés et images réparties par datasets/prepare.py"
)
# La position d'un nom est l'étiquette que porte l'animal dans animal-mnist.
ANIMALS = (
    "ours",
    "oiseau",
    "chat",
    "vache",
    "chien",
    "éléphant",
    "girafe",
    "cheval",
    "mouton",
    "zèbre",
)
CATS_AND_DOGS = ("chat", "chien")

# Les fonctions qu'appelle un tableau enregistré par pickle. NumPy 2 a déplacé la
# première hors de `numpy.core` : on la demande donc à un tableau, non à un module.
ARRAY_CONSTRUCTORS = {
    ("numpy.core.multiarray", "_reconstruct"): np.empty(0).__reduce__()[0],
    ("numpy", "ndarray"): np.ndarray,
    ("numpy", "dtype"): np.dtype,
}

TEST_SIZE = 0.2
RANDOM_STATE = 0
IMAGES_PER_CHUNK = 256


def download_wheel(folder: Path) -> Path:
    """Télécharge l'archive d'animal-mnist dans `folder`, sans ses dépendances.

    Lève `ConnectionError` si pip n'a pas pu l'obtenir.
    """
    command = [sys.executable, "-m", "pip", "download", REQUIREMENT]
    options = ["--no-deps", "--only-binary", ":all:", "--dest", str(folder)]
    pip = subprocess.run([*command, *options], capture_output=True, text=True)
    wheels = list(folder.glob("*.whl"))
    if pip.returncode != 0 or not wheels:
        reason = (pip.stderr.strip().splitlines() or ["aucune explication"])[-1]
        raise ConnectionError(
            f"pip n'a pas pu télécharger {REQUIREMENT} (« {reason} ») : vérifiez "
            "l'accès au réseau, ou indiquez une archive avec --wheel."
        )
    return wheels[0]


def read_verified(wheel: Path) -> bytes:
    """Renvoie les octets de l'archive, une fois son empreinte vérifiée.

    Lève `FileNotFoundError` si l'archive n'existe pas, et `ValueError` si son
    empreinte SHA-256 n'est pas celle d'animal-mnist 0.4.
    """
    if not wheel.is_file():
        raise FileNotFoundError(f"L'archive {wheel} n'existe pas : vérifiez ce chemin.")
    content = wheel.read_bytes()
    digest = hashlib.sha256(content).hexdigest()
    if digest != WHEEL_SHA256:
        raise ValueError(
            f"L'archive {wheel.name} n'est pas celle d'animal-mnist 0.4 : l'empreinte "
            f"SHA-256 attendue est {WHEEL_SHA256}, celle du fichier est {digest} ; "
            f"procurez-vous l'archive d'origine (pip download {REQUIREMENT} --no-deps) "
            "et indiquez-la avec --wheel."
        )
    return content


class ArrayUnpickler(pickle.Unpickler):
    """Désérialiseur qui ne sait bâtir qu'un tableau NumPy.

    Un pickle ordinaire peut appeler n'importe quelle fonction de Python ; celui-ci
    n'a droit qu'aux trois de `ARRAY_CONSTRUCTORS`.
    """

    def find_class(self, module: str, name: str) -> Any:
        """Renvoie un constructeur admis ; lève `UnpicklingError` pour tout autre."""
        if (module, name) not in ARRAY_CONSTRUCTORS:
            raise pickle.UnpicklingError(
                f"Le fichier demande {module}.{name}, qui n'est pas un constructeur "
                "de tableau : il n'est pas lu."
            )
        return ARRAY_CONSTRUCTORS[module, name]


def load_array(content: bytes) -> np.ndarray:
    """Lit le tableau que contient un pickle comprimé par gzip.

    Lève `UnpicklingError` si le pickle contient autre chose qu'un tableau NumPy.
    """
    return ArrayUnpickler(io.BytesIO(gzip.decompress(content))).load()


def read_wheel(wheel: Path) -> tuple[np.ndarray, np.ndarray, str]:
    """Renvoie les images `(n, 28, 28)`, les étiquettes `(n,)` et la licence.

    Lève `FileNotFoundError` ou `ValueError`, comme `read_verified`.
    """
    with zipfile.ZipFile(io.BytesIO(read_verified(wheel))) as archive:
        images = load_array(archive.read(IMAGES_MEMBER))
        labels = load_array(archive.read(LABELS_MEMBER))
        licence = archive.read(LICENCE_MEMBER).decode("utf-8")
    return images, labels, licence


def first_occurrences(images: np.ndarray) -> np.ndarray:
    """Renvoie les indices, croissants, des images `(n, h, w)` sans leurs doublons.

    Deux images sont des doublons si elles sont égales, ou si l'une est le reflet
    de l'autre, gauche et droite échangées ; la première rencontrée est gardée.
    """

    def as_bytes(images: np.ndarray) -> np.ndarray:
        rows = np.ascontiguousarray(images).reshape(len(images), -1)
        return rows.view(f"S{rows.shape[1]}")[:, 0]

    direct, mirrored = as_bytes(images), as_bytes(images[:, :, ::-1])
    # Une image et son reflet ont la même forme canonique : le plus petit des deux.
    canonical = np.where(direct < mirrored, direct, mirrored)
    return np.sort(np.unique(canonical, return_index=True)[1])


def select_classes(
    images: np.ndarray, labels: np.ndarray, classes: Sequence[str]
) -> tuple[np.ndarray, np.ndarray]:
    """Renvoie les images des seules `classes`, et leurs étiquettes `(n, 1)`.

    Les nouvelles étiquettes, en float64, comptent à partir de 0.0 dans l'ordre de
    `classes`, qui suit celui de `ANIMALS`.
    """
    codes = [ANIMALS.index(name) for name in classes]
    selected = np.isin(labels, codes)
    y = np.searchsorted(codes, labels[selected]).astype(np.float64)
    return images[selected], y.reshape(-1, 1)


def write_hdf5(path: Path, arrays: dict[str, np.ndarray], **attributes: Any) -> None:
    """Écrit `arrays` et `attributes` dans le fichier HDF5 `path`, d'un seul tenant.

    Le fichier naît sous un nom provisoire et ne prend le sien qu'une fois complet :
    une écriture interrompue laisse intact le fichier précédent.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(path.name + ".partiel")
    try:
        with h5py.File(partial, "w", libver="v110") as file:
            for name, array in arrays.items():
                file.create_dataset(
                    name,
                    data=array,
                    chunks=(min(IMAGES_PER_CHUNK, len(array)), *array.shape[1:]),
                    compression="gzip",
                    compression_opts=9,
                    fletcher32=True,
                    track_times=False,
                )
            file.attrs.update(attributes)
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)


def build(wheel: Path, output: Path) -> None:
    """Lit l'archive `wheel` et écrit les quatre fichiers du cours sous `output`.

    Lève `FileNotFoundError` ou `ValueError`, comme `read_verified`, sans rien écrire.
    """
    images, labels, licence = read_wheel(wheel)
    kept = first_occurrences(images)
    # Un seul partage pour les dix animaux : chats et chiens en sont extraits.
    train, test = train_test_split(
        kept, test_size=TEST_SIZE, stratify=labels[kept], random_state=RANDOM_STATE
    )
    for folder, classes in (output, CATS_AND_DOGS), (output / "animaux", ANIMALS):
        for part, indices in ("train", train), ("test", test):
            X, y = select_classes(images[indices], labels[indices], classes)
            path = folder / f"{part}set.hdf5"
            arrays = {f"X_{part}": X, f"Y_{part}": y}
            write_hdf5(path, arrays, classes=classes, source=SOURCE, licence=licence)
            print(f"{path} : {len(X)} images")


def main() -> None:
    """Construit les fichiers, ou dit en une phrase pourquoi c'est impossible."""
    parser = argparse.ArgumentParser(
        description="Construit les jeux de données du cours (voir README.md)."
    )
    parser.add_argument(
        "--wheel",
        type=Path,
        help="archive d'animal-mnist 0.4 (par défaut : téléchargée avec pip)",
    )
    parser.add_argument(
        "--output",
        type=Path,
        default=Path(__file__).resolve().parent,
        help="dossier où écrire (par défaut : celui de cette recette)",
    )
    arguments = parser.parse_args()
    try:
        with tempfile.TemporaryDirectory() as folder:
            wheel = arguments.wheel or download_wheel(Path(folder))
            build(wheel, arguments.output)
    except (OSError, ValueError) as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
