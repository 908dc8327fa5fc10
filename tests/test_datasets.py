"""Les images distribuées avec le cours, et la recette qui les construit.

Les premiers tests lisent les quatre fichiers tels qu'ils sont dans le dépôt ; les
suivants éprouvent `datasets/prepare.py` ; les derniers, qui veulent le réseau,
reconstruisent tout depuis l'archive d'origine et comparent.
"""

import gzip
import hashlib
import importlib.util
import os
import pickle
import re
import subprocess
import sys
from pathlib import Path

import h5py
import numpy as np
import pytest

DATASETS = Path(__file__).resolve().parents[1] / "datasets"
RECIPE = DATASETS / "prepare.py"
FOLDERS = {"silhouettes": DATASETS, "animaux": DATASETS / "animaux"}

CLASSES = {
    "silhouettes": ["chat", "chien"],
    "animaux": [
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
    ],
}
# Nombre d'images de chaque classe.
COUNTS = {
    ("silhouettes", "train"): [793, 797],
    ("silhouettes", "test"): [199, 200],
    ("animaux", "train"): [750, 650, 793, 797, 797, 800, 800, 797, 788, 800],
    ("animaux", "test"): [187, 162, 199, 199, 200, 200, 200, 200, 197, 200],
}
# SHA-256 des octets de chaque tableau : images, puis étiquettes.
DIGESTS = {
    ("silhouettes", "train"): (
        "3225dbcdb3e393a924a390cdee5830b05031b5781c0316a5e6fbcbc67de3dec7",
        "add2b691d08925a652ac9f6181bb1c5e5b473c6c15c16ef81d38b01dc6eee2fb",
    ),
    ("silhouettes", "test"): (
        "8c41305c558c8df554a35a236a3e3eaae9348206061d198e467b7c36ea512a61",
        "ce0c40fee5c2288d1933a5b8fbd89d84b80908eb74170874d31a5c4659a7af16",
    ),
    ("animaux", "train"): (
        "d09fbb4fcfa691d400a0113987f6c585eef529fb4abcb07d5fca438f115f555a",
        "a541637c4d542968f62589a3fe6daf23added2c4f0a4129b3988d99d6dc024c7",
    ),
    ("animaux", "test"): (
        "5af7dcda2b074905939c7e7f76ac51c48b0495b33a326a7ff126f07529d445f4",
        "923a7fabb0525e3abe4c31db286ddf2dfa87c0781fec38a9d7243980fe8766ed",
    ),
}

each_set = pytest.mark.parametrize("name", FOLDERS)
each_file = pytest.mark.parametrize(("name", "part"), COUNTS)


def load_recipe():
    """Importe `datasets/prepare.py`, qui n'est dans aucun paquet."""
    spec = importlib.util.spec_from_file_location("prepare", RECIPE)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


prepare = load_recipe()


def hdf5_path(folder, part):
    return folder / f"{part}set.hdf5"


def read(folder, part):
    """Lit images et étiquettes comme le faisait le cours précédent."""
    with h5py.File(hdf5_path(folder, part), "r") as file:
        return np.array(file[f"X_{part}"][:]), np.array(file[f"Y_{part}"][:])


def canonical_images(images):
    """Les octets de chaque image ou de son reflet : le plus petit des deux."""
    return [min(image.tobytes(), image[:, ::-1].tobytes()) for image in images]


def run_recipe(*arguments):
    command = [sys.executable, str(RECIPE), *map(str, arguments)]
    environment = {**os.environ, "PYTHONIOENCODING": "utf-8"}
    return subprocess.run(
        command, capture_output=True, encoding="utf-8", env=environment
    )


# --- Les fichiers du dépôt ------------------------------------------------------------


@each_file
def test_file_holds_two_arrays_and_three_attributes(name, part):
    """Ni plus ni moins que les clés et les attributs annoncés."""
    with h5py.File(hdf5_path(FOLDERS[name], part), "r") as file:
        assert set(file) == {f"X_{part}", f"Y_{part}"}
        assert set(file.attrs) == {"classes", "source", "licence"}
        assert list(file.attrs["classes"]) == CLASSES[name]
        assert "animal-mnist 0.4" in file.attrs["source"]
        assert "MIT License" in file.attrs["licence"]
        assert "Copyright (c) 2025 SinaSR-6" in file.attrs["licence"]


@each_file
def test_arrays_have_the_announced_shape_and_type(name, part):
    """Images uint8 `(n, 28, 28)`, étiquettes float64 `(n, 1)`."""
    X, y = read(FOLDERS[name], part)
    n_samples = sum(COUNTS[name, part])
    assert X.shape == (n_samples, 28, 28)
    assert X.dtype == np.uint8
    assert y.shape == (n_samples, 1)
    assert y.dtype == np.dtype("<f8")


@each_file
def test_images_use_the_whole_range(name, part):
    """Du noir au blanc, et aucune image unie."""
    X, _ = read(FOLDERS[name], part)
    assert X.min() == 0
    assert X.max() == 255
    assert (X.max(axis=(1, 2)) > X.min(axis=(1, 2))).all()


@each_file
def test_labels_count_from_zero(name, part):
    """Les étiquettes sont 0, 1, 2…, et chacune a le nombre d'images attendu."""
    _, y = read(FOLDERS[name], part)
    labels, counts = np.unique(y, return_counts=True)
    assert labels.tolist() == list(range(len(CLASSES[name])))
    assert counts.tolist() == COUNTS[name, part]


@each_set
def test_each_class_is_split_80_20(name):
    """Dans chaque classe, un cinquième des images est au test, à une image près."""
    train = np.array(COUNTS[name, "train"])
    test = np.array(COUNTS[name, "test"])
    assert (np.abs(test - 0.2 * (train + test)) < 1).all()


@each_set
def test_classes_are_close_to_balanced(name):
    """Aucune classe ne s'écarte de plus d'un cinquième de la plus nombreuse."""
    totals = np.add(COUNTS[name, "train"], COUNTS[name, "test"])
    assert totals.min() >= 0.8 * totals.max()


def test_cats_and_dogs_are_balanced():
    """Chats et chiens sont en nombre presque égal : moins de 1 % d'écart."""
    cats, dogs = np.add(COUNTS["silhouettes", "train"], COUNTS["silhouettes", "test"])
    assert abs(cats - dogs) < 0.01 * (cats + dogs)


@each_file
def test_samples_are_shuffled(name, part):
    """Les classes sont mêlées : un lot pris n'importe où les contient toutes."""
    _, y = read(FOLDERS[name], part)
    for start in range(0, len(y) - 100, 100):
        assert len(np.unique(y[start : start + 100])) == len(CLASSES[name])


@each_set
def test_no_duplicate_even_mirrored(name):
    """Aucune image, ni son reflet, n'est présente deux fois, train et test réunis."""
    X = np.concatenate([read(FOLDERS[name], part)[0] for part in ("train", "test")])
    assert len(set(canonical_images(X))) == len(X)


@pytest.mark.parametrize("part", ["train", "test"])
def test_cats_and_dogs_come_from_the_same_split(part):
    """Le jeu à deux classes est extrait du jeu à dix : même partage, même ordre."""
    X, y = read(FOLDERS["animaux"], part)
    cat, dog = (CLASSES["animaux"].index(name) for name in CLASSES["silhouettes"])
    kept = np.isin(y, [cat, dog])[:, 0]
    X_two, y_two = read(FOLDERS["silhouettes"], part)
    np.testing.assert_array_equal(X_two, X[kept])
    np.testing.assert_array_equal(y_two, (y[kept] == dog).astype(float))


@each_file
def test_content_has_not_changed(name, part):
    """Un changement d'un seul pixel ou d'une seule étiquette doit se voir ici."""
    digests = tuple(
        hashlib.sha256(array.tobytes()).hexdigest()
        for array in read(FOLDERS[name], part)
    )
    assert digests == DIGESTS[name, part]


def test_corrupted_file_is_detected(tmp_path):
    """La somme de contrôle Fletcher-32 fait échouer la lecture d'un octet altéré."""
    content = bytearray(hdf5_path(DATASETS, "test").read_bytes())
    with h5py.File(hdf5_path(DATASETS, "test"), "r") as file:
        assert all(file[key].fletcher32 for key in file)
        chunk = file["X_test"].id.get_chunk_info(0)
    content[chunk.byte_offset + chunk.size // 2] ^= 1
    hdf5_path(tmp_path, "test").write_bytes(content)
    with pytest.raises(OSError, match="read"):
        read(tmp_path, "test")


def test_files_stay_small():
    """Environ 4 Mo en tout : le dépôt reste léger à cloner."""
    paths = [hdf5_path(FOLDERS[name], part) for name, part in COUNTS]
    assert sum(path.stat().st_size for path in paths) < 4_000_000


def test_data_card_tells_the_counts():
    """Le tableau de la fiche `README.md` donne les effectifs réels."""
    card = (DATASETS / "README.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| (\d) \| (\S+) \| (\d+) \| (\d+) \|$", card, re.MULTILINE)
    columns = (
        range(10),
        CLASSES["animaux"],
        COUNTS["animaux", "train"],
        COUNTS["animaux", "test"],
    )
    assert rows == [tuple(map(str, row)) for row in zip(*columns, strict=True)]


# --- La recette -----------------------------------------------------------------------


@pytest.mark.filterwarnings("error")
def test_unpickler_reads_an_array():
    """Un pickle écrit avant NumPy 2 nomme `numpy.core` : il se lit sans alerte."""
    array = np.arange(6, dtype=np.uint8).reshape(2, 3)
    content = pickle.dumps(array, protocol=3)
    old = content.replace(b"numpy._core.multiarray", b"numpy.core.multiarray")
    assert b"numpy.core.multiarray" in old
    np.testing.assert_array_equal(prepare.load_array(gzip.compress(old)), array)


class Malicious:
    """Un objet dont la lecture par `pickle.load` appellerait `function`."""

    def __init__(self, function, *arguments):
        self.call = function, arguments

    def __reduce__(self):
        return self.call


@pytest.mark.parametrize("function", [os.system, eval, np.load, Path])
def test_unpickler_refuses_anything_else(function, tmp_path):
    """Toute autre fonction est refusée avant d'être appelée, même venue de NumPy."""
    witness = tmp_path / "temoin"
    attack = pickle.dumps(Malicious(function, f"open({str(witness)!r}, 'w')"))
    with pytest.raises(pickle.UnpicklingError, match="n'est pas un constructeur"):
        prepare.load_array(gzip.compress(attack))
    assert not witness.exists()


def test_first_occurrences_drops_equal_and_mirrored_images():
    """La première de deux images égales, ou reflets l'une de l'autre, est gardée."""
    a = np.array([[0, 1], [2, 0]], dtype=np.uint8)
    b = np.array([[7, 7], [0, 0]], dtype=np.uint8)  # sa propre image dans un miroir
    c = a[::-1]  # haut et bas échangés : une autre image
    images = np.stack([b, a, a[:, ::-1], c, b, a])
    assert prepare.first_occurrences(images).tolist() == [0, 1, 3]


def test_first_occurrences_agrees_with_a_plain_loop():
    """Sur des images tirées au hasard parmi peu, comme le ferait une boucle."""
    rng = np.random.default_rng(0)
    images = rng.integers(0, 2, size=(500, 3, 3), dtype=np.uint8)
    seen, expected = set(), []
    for index, image in enumerate(canonical_images(images)):
        if image not in seen:
            expected.append(index)
        seen.add(image)
    assert prepare.first_occurrences(images).tolist() == expected


def test_select_classes_renumbers_the_labels():
    """Les étiquettes des classes choisies repartent de 0.0, en colonne."""
    images = np.arange(4)
    labels = np.array([4, 0, 2, 4])
    X, y = prepare.select_classes(images, labels, ["chat", "chien"])
    assert X.tolist() == [0, 2, 3]
    assert y.tolist() == [[1.0], [0.0], [1.0]]


def test_another_archive_is_refused(tmp_path):
    """Une archive inconnue : une phrase claire, et rien d'écrit."""
    wheel = tmp_path / "animal_mnist-0.4-py3-none-any.whl"
    wheel.write_bytes(b"autre chose")
    output = tmp_path / "sortie"
    with pytest.raises(ValueError, match="n'est pas celle") as refusal:
        prepare.build(wheel, output)
    message = str(refusal.value)
    assert prepare.WHEEL_SHA256 in message  # ce qui était attendu
    assert hashlib.sha256(b"autre chose").hexdigest() in message  # ce qui est venu
    assert "--wheel" in message  # que faire
    assert not output.exists()


def test_command_line_refuses_without_traceback(tmp_path):
    """En ligne de commande, la même phrase et un code de retour non nul."""
    wheel = tmp_path / "autre.whl"
    wheel.write_bytes(b"autre chose")
    output = tmp_path / "sortie"
    refusal = run_recipe("--wheel", wheel, "--output", output)
    assert refusal.returncode != 0
    assert refusal.stdout == ""
    assert refusal.stderr.startswith("L'archive autre.whl n'est pas celle")
    assert len(refusal.stderr.splitlines()) == 1
    assert not output.exists()


def test_missing_archive_is_refused(tmp_path):
    """Un chemin erroné : une phrase, sans pile d'appels."""
    refusal = run_recipe("--wheel", tmp_path / "absente.whl", "--output", tmp_path)
    assert refusal.returncode != 0
    assert "n'existe pas" in refusal.stderr
    assert len(refusal.stderr.splitlines()) == 1
    assert list(tmp_path.iterdir()) == []


def test_failed_download_is_explained(tmp_path, monkeypatch):
    """Sans accès au paquet, le message dit quoi faire."""
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.delenv("PIP_FIND_LINKS", raising=False)
    with pytest.raises(ConnectionError, match="vérifiez l'accès au réseau"):
        prepare.download_wheel(tmp_path)


@pytest.mark.parametrize("interruption", [KeyboardInterrupt, OSError])
def test_interrupted_write_leaves_no_half_file(interruption, tmp_path, monkeypatch):
    """Une écriture coupée après le premier tableau laisse l'ancien fichier intact."""
    path = hdf5_path(tmp_path, "train")
    path.write_bytes(b"ancien fichier")
    create_dataset = h5py.Group.create_dataset

    def interrupted(group, name, **options):
        if name == "Y_train":
            raise interruption
        return create_dataset(group, name, **options)

    monkeypatch.setattr(h5py.Group, "create_dataset", interrupted)
    arrays = {"X_train": np.zeros((3, 2, 2)), "Y_train": np.zeros((3, 1))}
    with pytest.raises(interruption):
        prepare.write_hdf5(path, arrays)
    assert path.read_bytes() == b"ancien fichier"
    assert list(tmp_path.iterdir()) == [path]


def test_write_replaces_the_previous_file(tmp_path):
    """Une écriture complète remplace l'ancien fichier et ne laisse que le nouveau."""
    path = hdf5_path(tmp_path / "neuf", "train")
    for value in (1, 2):
        arrays = {"X_train": np.full((3, 2, 2), value), "Y_train": np.zeros((3, 1))}
        prepare.write_hdf5(path, arrays, classes=["été", "hiver"])
    X, _ = read(path.parent, "train")
    assert (X == 2).all()
    with h5py.File(path, "r") as file:
        assert list(file.attrs["classes"]) == ["été", "hiver"]
    assert list(path.parent.iterdir()) == [path]


def test_write_is_reproducible(tmp_path):
    """Aucune date dans les fichiers : les mêmes tableaux donnent les mêmes octets."""
    arrays = {"X_train": np.zeros((3, 2, 2)), "Y_train": np.zeros((3, 1))}
    first, second = tmp_path / "un.hdf5", tmp_path / "deux.hdf5"
    for path in (first, second):
        prepare.write_hdf5(path, arrays, source="essai")
    assert first.read_bytes() == second.read_bytes()


# --- La recette, depuis l'archive d'origine -------------------------------------------


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """L'archive d'animal-mnist, ou l'abandon du test si pip ne peut l'obtenir."""
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("PIP_RETRIES", "1")
        environment.setenv("PIP_TIMEOUT", "15")
        try:
            return prepare.download_wheel(tmp_path_factory.mktemp("archive"))
        except ConnectionError as error:
            pytest.skip(str(error))


@pytest.fixture(scope="module")
def rebuilt(wheel, tmp_path_factory):
    """Un dossier où la recette a tout reconstruit."""
    output = tmp_path_factory.mktemp("datasets")
    prepare.build(wheel, output)
    return output


@each_file
def test_recipe_rebuilds_the_same_arrays(name, part, rebuilt):
    """La recette redonne, à l'identique, les tableaux et les attributs du dépôt."""
    folder = rebuilt / FOLDERS[name].relative_to(DATASETS)
    pairs = zip(read(folder, part), read(FOLDERS[name], part), strict=True)
    for actual, expected in pairs:
        np.testing.assert_array_equal(actual, expected)
    with (
        h5py.File(hdf5_path(FOLDERS[name], part), "r") as expected,
        h5py.File(hdf5_path(folder, part), "r") as actual,
    ):
        for attribute in ("classes", "source", "licence"):
            np.testing.assert_array_equal(
                actual.attrs[attribute], expected.attrs[attribute]
            )


def test_recipe_writes_nothing_else(rebuilt):
    """Quatre fichiers, et aucun fichier provisoire."""
    paths = {path for path in rebuilt.rglob("*") if path.is_file()}
    assert paths == {
        hdf5_path(rebuilt / FOLDERS[name].relative_to(DATASETS), part)
        for name, part in COUNTS
    }


def test_duplicates_agree_on_their_label(wheel):
    """Les 284 doublons de l'archive portent tous l'étiquette de leur original."""
    images, labels, _ = prepare.read_wheel(wheel)
    assert images.shape == (10_000, 28, 28)
    assert np.bincount(labels).tolist() == [1000] * 10
    assert len(prepare.first_occurrences(images)) == 10_000 - 284
    label_of = {}
    for image, label in zip(canonical_images(images), labels, strict=True):
        assert label_of.setdefault(image, label) == label


def test_licence_of_the_data_card_is_the_original(wheel):
    """La fiche `README.md` reproduit en entier la licence de l'archive."""
    _, _, licence = prepare.read_wheel(wheel)
    card = (DATASETS / "README.md").read_text(encoding="utf-8")
    # Seuls les retours à la ligne et le retrait peuvent différer.
    assert " ".join(licence.split()) in " ".join(card.split())
