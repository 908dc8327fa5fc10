"""`load_data` : ce qu'elle rend, ce qu'elle refuse, ce qu'elle télécharge.

Un refus est toujours une ValueError ou une OSError, en une phrase française qui nomme
le fichier en cause et dit ce qui était attendu ; rien de h5py n'y transparaît.
"""

import contextlib
import hashlib
import os
import socket
import subprocess
import sys
import threading
import tracemalloc
import zlib
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import h5py
import numpy as np
import pytest
import requests
from PIL import Image

import utilities
from conftest import ROOT, assert_helpful, read_part, write_part
from utilities import flatten_images, load_class_names, load_data, load_image

DATASETS = ROOT / "datasets"
ANIMALS = ["ours", "oiseau", "chat", "vache", "chien"]
ANIMALS += ["éléphant", "girafe", "cheval", "mouton", "zèbre"]
PARTS = ("train", "test")

each_part = pytest.mark.parametrize("part", PARTS)


def assert_same(actual, expected):
    """Mêmes tableaux, mêmes types."""
    for a, b in zip(actual, expected, strict=True):
        np.testing.assert_array_equal(a, b, strict=True)


# --- Ce qu'elle rend ------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "n_train", "n_test", "n_classes"),
    [("silhouettes", 1590, 399, 2), ("animaux", 7772, 1944, 10)],
)
def test_shipped_sets(name, n_train, n_test, n_classes):
    """Dans l'ordre annoncé ; images uint8, étiquettes float64 en colonne."""
    arrays = load_data(name)
    shapes = [(n_train, 28, 28), (n_train, 1), (n_test, 28, 28), (n_test, 1)]
    assert [array.shape for array in arrays] == shapes
    types = [np.uint8, np.float64] * 2
    assert [array.dtype for array in arrays] == types
    for y in arrays[1::2]:
        assert np.unique(y).tolist() == list(range(n_classes))


def test_default_is_silhouettes():
    """Sans argument, comme dans le cours précédent : des chats et des chiens."""
    assert_same(load_data(), load_data("silhouettes"))


def test_arrays_are_those_of_the_files():
    """Rien n'est mélangé ni transformé entre le fichier et le tableau."""
    assert_same(
        load_data(), [*read_part(DATASETS, "train"), *read_part(DATASETS, "test")]
    )


@pytest.mark.parametrize("kind", [str, Path])
def test_folder_of_ones_own(kind, folder):
    """Le chemin d'un dossier, texte ou Path, accents et espaces compris."""
    expected = [*read_part(folder, "train"), *read_part(folder, "test")]
    assert_same(load_data(kind(folder)), expected)


def test_relative_folder(folder, monkeypatch):
    """Un chemin relatif part du dossier courant."""
    monkeypatch.chdir(folder.parent)
    assert_same(load_data(folder.name), load_data(folder))


@pytest.mark.parametrize("dtype", [np.int64, np.uint8, np.float32, ">f8", bool])
@pytest.mark.parametrize("shape", [(-1,), (-1, 1)])
def test_labels_become_a_float_column(dtype, shape, folder):
    """Étiquettes de tout type numérique, plates ou en colonne : (n, 1) de float64."""
    expected = load_data(folder)[1]
    labels = expected.astype(dtype).reshape(shape)
    write_part(folder, "train", replace("Y", data=labels))
    np.testing.assert_array_equal(load_data(folder)[1], expected, strict=True)


def test_working_directory_does_not_matter(tmp_path, monkeypatch):
    """Les jeux fournis sont cherchés à côté du module, malgré des leurres."""
    expected = load_data()
    for decoy in (tmp_path / "datasets", tmp_path / "silhouettes"):
        decoy.mkdir()
        for part in PARTS:
            write_part(decoy, part)
    monkeypatch.chdir(tmp_path)
    assert_same(load_data(), expected)


def test_photographs(photos_dir, monkeypatch):
    """Les photographies d'origine : effectifs, taille, niveaux, empreintes."""
    monkeypatch.chdir(DATASETS)
    X_train, y_train, X_test, y_test = load_data("photos")
    assert X_train.shape == (1000, 64, 64)
    assert X_test.shape == (200, 64, 64)
    assert X_train.dtype == X_test.dtype == np.uint8
    assert X_train.max() == X_test.max() == 254
    assert np.unique(y_train, return_counts=True)[1].tolist() == [500, 500]
    assert np.unique(y_test).tolist() == [0, 1]
    assert load_class_names("photos") == ["chat", "chien"]
    for name, expected in utilities.PHOTOS_SHA256.items():
        content = (photos_dir / name).read_bytes()
        assert hashlib.sha256(content).hexdigest() == expected


def test_flatten_images():
    """Chaque image devient une ligne, lue rangée par rangée, de 0 à 1."""
    X = np.array([[[0, 51, 102], [153, 204, 0]]], dtype=np.uint8)
    expected = np.array([[0, 0.2, 0.4, 0.6, 0.8, 0]])
    np.testing.assert_allclose(flatten_images(X), expected, rtol=1e-15)
    assert flatten_images(X).dtype == np.float64
    assert X.max() == 204  # l'original n'est pas modifié


# --- Les noms des classes -------------------------------------------------------------


def test_class_names_of_shipped_sets():
    """En français, dans l'ordre des numéros."""
    assert load_class_names() == ["chat", "chien"]
    assert load_class_names("animaux") == ANIMALS


def test_class_names_default_to_numbers(folder):
    """Sans attribut, les classes portent leurs numéros."""
    assert load_class_names(folder) == ["0", "1"]


@pytest.mark.parametrize(
    "names", [["pluie", "été"], np.array([b"pluie", "été".encode()])]
)
def test_class_names_of_ones_own(names, folder):
    """Lus dans l'attribut, texte de longueur variable ou octets de longueur fixe."""
    write_part(folder, "train", lambda file: file.attrs.update(classes=names))
    assert load_class_names(folder) == ["pluie", "été"]


LATIN_1 = np.array(["été".encode("latin-1"), b"pluie"])


@pytest.mark.parametrize("names", ["chat", 3, ["chat"], LATIN_1], ids=repr)
def test_unusable_class_names_are_refused(names, folder):
    """Pas une liste, trop courte pour nommer chaque classe, ou pas de l'UTF-8."""
    path = write_part(folder, "train", lambda file: file.attrs.update(classes=names))
    with pytest.raises(ValueError) as refusal:
        load_class_names(folder)
    assert_helpful(refusal, path, "classes")


def test_class_names_of_an_unknown_type(folder):
    """Un attribut d'un type de HDF5 sans équivalent dans NumPy."""

    def edit(file):
        space = h5py.h5s.create_simple((2,))
        h5py.h5a.create(file.id, b"classes", h5py.h5t.UNIX_D32LE, space)

    path = write_part(folder, "train", edit)
    with pytest.raises((ValueError, OSError)) as refusal:
        load_class_names(folder)
    assert_helpful(refusal, path)


def test_class_names_need_a_sound_file(folder):
    """Les mêmes refus que `load_data`."""
    path = folder / "trainset.hdf5"
    path.write_bytes(path.read_bytes()[:1000])
    with pytest.raises(OSError) as refusal:
        load_class_names(folder)
    assert_helpful(refusal, path)


# --- Le cours précédent ---------------------------------------------------------------

PREDECESSOR = """
from utilities import *
import numpy as np
import matplotlib.pyplot as plt
X_train, y_train, X_test, y_test = load_data()
print(X_train.shape)
print(y_train.shape)
print(np.unique(y_train, return_counts=True))
print(X_test.shape)
print(y_test.shape)
print(np.unique(y_test, return_counts=True))
plt.figure(figsize=(16, 8))
for i in range(1, 10):
    plt.subplot(4, 5, i)
    plt.imshow(X_train[i], cmap='gray')
    plt.title(y_train[i])
    plt.tight_layout()
plt.show()
X_train_reshape = X_train.reshape(X_train.shape[0], -1) / X_train.max()
X_test_reshape = X_test.reshape(X_test.shape[0], -1) / X_train.max()
print(X_train_reshape.shape, X_train_reshape.max())
"""


def test_predecessor_notebook_runs_unchanged(tmp_path):
    """Les premières cellules du carnet 02 de Machine Learnia, lancées d'ailleurs."""
    environment = {
        **os.environ,
        "MPLBACKEND": "Agg",
        "PYTHONPATH": str(ROOT),
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    run = subprocess.run(
        [sys.executable, "-c", PREDECESSOR],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        encoding="utf-8",
    )
    assert run.returncode == 0, run.stderr
    lines = run.stdout.splitlines()
    assert lines[:2] == ["(1590, 28, 28)", "(1590, 1)"]
    assert "array([0., 1.]), array([793, 797])" in lines[2]
    assert lines[3:5] == ["(399, 28, 28)", "(399, 1)"]
    assert lines[-1] == "(1590, 784) 1.0"
    assert list(tmp_path.iterdir()) == []


def test_predecessor_reader_opens_our_files(monkeypatch):
    """Son `load_data` à lui, chemins relatifs compris."""
    monkeypatch.chdir(ROOT)
    train_dataset = h5py.File("datasets/trainset.hdf5", "r")
    X_train = np.array(train_dataset["X_train"][:])
    y_train = np.array(train_dataset["Y_train"][:])
    test_dataset = h5py.File("datasets/testset.hdf5", "r")
    X_test = np.array(test_dataset["X_test"][:])
    y_test = np.array(test_dataset["Y_test"][:])
    train_dataset.close()
    test_dataset.close()
    assert_same([X_train, y_train, X_test, y_test], load_data())


# --- Les noms et les dossiers refusés -------------------------------------------------


@pytest.mark.parametrize("name", [None, 3, 1.5, b"photos", ["photos"], {}], ids=repr)
def test_name_of_a_wrong_type(name):
    """Ni texte ni chemin : TypeError, et les noms admis."""
    with pytest.raises(TypeError) as refusal:
        load_data(name)
    assert_helpful(refusal, repr(name), "silhouettes", "animaux", "photos")


@pytest.mark.parametrize("name", ["silhouette", "Photos", "chats", "\0"], ids=repr)
def test_unknown_name(name, tmp_path, monkeypatch):
    """Une faute de frappe : les noms admis sont rappelés."""
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ValueError) as refusal:
        load_data(name)
    assert_helpful(refusal, name, "silhouettes", "animaux", "photos")


def test_name_far_too_long():
    """Le système refuse jusqu'à la question : c'est encore à nous de le dire."""
    with pytest.raises((ValueError, OSError)) as refusal:
        load_data("a" * 5000)
    assert_helpful(refusal)


@pytest.mark.parametrize("kind", [str, Path])
def test_missing_folder(kind, tmp_path):
    """Le dossier est nommé, et ce qu'il devrait contenir."""
    with pytest.raises(FileNotFoundError) as refusal:
        load_data(kind(tmp_path / "absent"))
    assert_helpful(refusal, tmp_path / "absent", "trainset.hdf5", "testset.hdf5")


def test_missing_shipped_folder(monkeypatch, tmp_path):
    """utilities.py copié sans datasets/ : ne pas dire qu'« animaux » est inconnu."""
    sets = {"animaux": tmp_path / "datasets" / "animaux"}
    monkeypatch.setattr(utilities, "SHIPPED_SETS", sets)
    with pytest.raises(FileNotFoundError) as refusal:
        load_data("animaux")
    assert_helpful(refusal, sets["animaux"])


@pytest.mark.parametrize("value", ["absent", "photos"])
def test_wrong_photos_dir(value, tmp_path, monkeypatch):
    """Le message nomme le dossier ; « photos » n'y est pas un jeu inconnu."""
    monkeypatch.setenv("COURSE_PHOTOS_DIR", str(tmp_path / value))
    with pytest.raises(FileNotFoundError) as refusal:
        load_data("photos")
    assert_helpful(refusal, tmp_path / value)


# --- Les fichiers refusés -------------------------------------------------------------


def replace(letter, **options):
    """Un `edit` qui remplace X_… ou Y_… par un autre tableau."""

    def edit(file):
        [key] = (key for key in file if key.startswith(letter))
        del file[key]
        file.create_dataset(key, **options)

    return edit


def key_of(file, letter):
    return f"{letter}_{Path(file.filename).name.removesuffix('set.hdf5')}"


def group_instead(file):
    key = key_of(file, "X")
    del file[key]
    file.create_group(key)


def named_type_instead(file):
    key = key_of(file, "Y")
    del file[key]
    file[key] = np.dtype("f8")


def soft_link(file):
    key = key_of(file, "X")
    file.move(key, "ailleurs")
    file[key] = h5py.SoftLink("/ailleurs")


def dangling_link(file):
    key = key_of(file, "Y")
    del file[key]
    file[key] = h5py.SoftLink("/nulle/part")


def copy_elsewhere(file, key):
    other = Path(file.filename).with_name("autre.hdf5")
    with h5py.File(other, "w") as target:
        target["X"] = file[key][:]
    return other


def external_link(file):
    key = key_of(file, "X")
    other = copy_elsewhere(file, key)
    del file[key]
    file[key] = h5py.ExternalLink(other.name, "/X")


def virtual_dataset(file):
    key = key_of(file, "X")
    shape = file[key].shape
    layout = h5py.VirtualLayout(shape, dtype=np.uint8)
    layout[:] = h5py.VirtualSource(copy_elsewhere(file, key), "X", shape=shape)
    del file[key]
    file.create_virtual_dataset(key, layout)


def external_storage(file):
    key = key_of(file, "X")
    content = file[key][:]
    other = Path(file.filename).with_name("octets.bin")
    other.write_bytes(content.tobytes())
    del file[key]
    storage = [(str(other), 0, content.nbytes)]
    file.create_dataset(key, content.shape, np.uint8, external=storage)


def unknown_filter(file):
    """Une compression que ce h5py ne connaît pas."""
    key = key_of(file, "X")
    content = file[key][:]
    del file[key]
    options = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
    options.set_chunk(content.shape)
    options.set_filter(40_000, h5py.h5z.FLAG_OPTIONAL)
    space = h5py.h5s.create_simple(content.shape)
    low_level = h5py.h5d.create(
        file.id, key.encode(), h5py.h5t.NATIVE_UINT8, space, options
    )
    low_level.write_direct_chunk((0, 0, 0), content.tobytes(), filter_mask=0)


def unreadable_type(file):
    """Des étiquettes d'un type de HDF5 sans équivalent dans NumPy."""
    key = key_of(file, "Y")
    del file[key]
    space = h5py.h5s.create_simple((6, 1))
    h5py.h5d.create(file.id, key.encode(), h5py.h5t.UNIX_D32LE, space)


def key_not_in_unicode(file):
    """La clé attendue manque, une autre n'est pas de l'UTF-8."""
    file.move(key_of(file, "X"), "images")
    h5py.h5g.create(file.id, b"\xff\xfe")


def no_key(letter):
    def edit(file):
        file.move(key_of(file, letter), "renomme")

    return edit


IMAGES = np.zeros((6, 5, 3), dtype=np.uint8)
ROWS = [np.zeros(size, dtype=np.uint8) for size in (3, 4, 5)]
PIXEL = np.dtype([("rouge", "u1"), ("vert", "u1")])

# L'extrait attendu dans le message, puis la façon d'abîmer un fichier correct.
BAD_CONTENTS = {
    "sans_images": ("X_", no_key("X")),
    "sans_etiquettes": ("Y_", no_key("Y")),
    "cle_pas_en_unicode": ("X_", key_not_in_unicode),
    "groupe": ("X_", group_instead),
    "type_nomme": ("Y_", named_type_instead),
    "lien": ("X_", soft_link),
    "lien_rompu": ("Y_", dangling_link),
    "lien_externe": ("X_", external_link),
    "tableau_virtuel": ("X_", virtual_dataset),
    "octets_externes": ("X_", external_storage),
    "compression_inconnue": ("", unknown_filter),
    "type_illisible": ("", unreadable_type),
    "longueurs": ("7", replace("X", data=np.zeros((7, 5, 3), dtype=np.uint8))),
    "tailles_diverses": (
        "X_",
        replace("X", data=np.array(ROWS, dtype=object), dtype=h5py.vlen_dtype("u1")),
    ),
    "aucune_image": ("X_", replace("X", data=IMAGES[:0])),
    "images_vides": ("X_", replace("X", data=IMAGES[:, :0])),
    "couleurs": ("(6, 5, 3, 3)", replace("X", data=np.zeros((6, 5, 3, 3), "u1"))),
    "deja_a_plat": ("(6, 15)", replace("X", data=IMAGES.reshape(6, -1))),
    "images_reelles": ("float64", replace("X", data=IMAGES / 255)),
    "images_signees": ("int8", replace("X", data=IMAGES.astype(np.int8))),
    "images_composees": ("X_", replace("X", data=np.zeros((6, 5, 3), PIXEL))),
    "images_texte": ("X_", replace("X", data="chat.png")),
    "image_scalaire": ("X_", replace("X", data=np.uint8(3))),
    "images_nulles": ("X_", replace("X", data=h5py.Empty("u1"))),
    "etiquette_scalaire": ("Y_", replace("Y", data=1.0)),
    "etiquettes_nulles": ("Y_", replace("Y", data=h5py.Empty("f8"))),
    "etiquettes_nan": ("nan", replace("Y", data=[0, 1, np.nan, 1, 0, 1])),
    "etiquettes_infinies": ("inf", replace("Y", data=[0, 1, np.inf, 1, 0, 1])),
    "etiquettes_negatives": ("-1", replace("Y", data=[1, -1, 1, -1, 1, -1])),
    "etiquettes_fractions": ("0.5", replace("Y", data=[0, 1, 0.5, 1, 0, 1])),
    "etiquettes_complexes": ("Y_", replace("Y", data=np.zeros((6, 1), complex))),
    "etiquettes_texte": ("Y_", replace("Y", data=["chat", "chien"] * 3)),
    "etiquettes_octets": ("Y_", replace("Y", data=np.array([b"chat"] * 6))),
    "etiquettes_one_hot": ("(6, 2)", replace("Y", data=np.eye(6)[:, :2])),
    "etiquettes_en_ligne": ("(1, 6)", replace("Y", data=np.zeros((1, 6)))),
}


@each_part
@pytest.mark.parametrize("case", BAD_CONTENTS)
def test_bad_content_is_refused(case, part, folder):
    """Un fichier HDF5 sain, mais dont le contenu n'est pas celui du cours."""
    extract, edit = BAD_CONTENTS[case]
    path = write_part(folder, part, edit)
    with pytest.raises((ValueError, OSError)) as refusal:
        load_data(folder)
    assert_helpful(refusal, path, extract)


@pytest.mark.parametrize("n_samples", [10**5, 10**15])
def test_huge_declared_shape_is_refused(n_samples, folder):
    """Des images annoncées en nombre, jamais écrites : refus, sans les allouer.

    10⁵ tiendraient en mémoire (80 Mo), 10¹⁵ dans aucune : le test ne risque rien.
    """
    shape = (n_samples, 28, 28)
    huge = replace("X", shape=shape, dtype="u1", chunks=(1000, 28, 28))
    path = write_part(folder, "train", huge)
    tracemalloc.start()
    try:
        with pytest.raises((ValueError, OSError)) as refusal:
            load_data(folder)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert_helpful(refusal, path)
    assert peak < 10_000_000


@each_part
def test_huge_label_is_refused(part, folder):
    """Un numéro de classe absurde ferait écrire autant de noms : la mémoire y passe."""
    path = write_part(folder, part, replace("Y", data=[0, 1, 0, 10**7, 0, 1]))
    with pytest.raises(ValueError) as refusal:
        load_data(folder)
    assert_helpful(refusal, path)


def test_sizes_that_differ_between_train_and_test(folder):
    """Les deux fichiers sont nommés, et les deux tailles données."""
    smaller = np.zeros((6, 2, 3), dtype=np.uint8)
    path = write_part(folder, "test", replace("X", data=smaller))
    with pytest.raises(ValueError) as refusal:
        load_data(folder)
    assert_helpful(refusal, path, folder / "trainset.hdf5", "(2, 3)", "(5, 3)")


NOT_HDF5 = {
    "vide": b"",
    "texte": "Ceci est un carnet d'élève.\n".encode() * 100,
    "png": b"\x89PNG\r\n\x1a\n" + bytes(500),
    "signature_seule": b"\x89HDF\r\n\x1a\n",
    "page_html": b"<!DOCTYPE html><title>404</title>",
    "pointeur_git_lfs": b"version https://git-lfs.github.com/spec/v1\n",
}


@each_part
@pytest.mark.parametrize("case", NOT_HDF5)
def test_file_of_another_kind_is_refused(case, part, folder):
    """Ce n'est pas un fichier HDF5."""
    path = folder / f"{part}set.hdf5"
    path.write_bytes(NOT_HDF5[case])
    with pytest.raises(OSError) as refusal:
        load_data(folder)
    assert_helpful(refusal, path)


@each_part
@pytest.mark.parametrize("replacement", ["nothing", "directory"])
def test_file_that_is_not_there(replacement, part, folder):
    """Fichier absent, ou dossier à sa place."""
    path = folder / f"{part}set.hdf5"
    path.unlink()
    if replacement == "directory":
        path.mkdir()
    with pytest.raises(OSError) as refusal:
        load_data(folder)
    assert_helpful(refusal, path)


@each_part
def test_forbidden_file(part, folder):
    """Un fichier que l'on n'a pas le droit de lire n'est pas dit abîmé."""
    path = folder / f"{part}set.hdf5"
    path.chmod(0)
    if os.access(path, os.R_OK):
        pytest.skip("ce compte lit tout (administrateur, ou système sans ces droits)")
    with pytest.raises(OSError) as refusal:
        load_data(folder)
    assert_helpful(refusal, path, "droit")


def test_forbidden_folder(folder):
    """Un dossier que l'on n'a pas le droit d'ouvrir."""
    folder.chmod(0)
    try:
        if os.access(folder, os.X_OK):
            pytest.skip("ce compte ouvre tout (administrateur, ou système sans droits)")
        with pytest.raises(OSError) as refusal:
            load_data(folder)
        assert_helpful(refusal, folder)
    finally:
        folder.chmod(0o700)


@pytest.mark.parametrize("edit", [None, no_key("Y")])
def test_files_are_closed(edit, folder):
    """Après la lecture comme après un refus : sinon Windows interdirait d'y toucher."""
    write_part(folder, "test", edit)
    with contextlib.suppress(ValueError):
        load_data(folder)
    for part in PARTS:
        write_part(folder, part)  # h5py refuse de réécrire un fichier encore ouvert


@pytest.fixture
def shipped_copy(folder):
    """Un dossier dont le fichier d'entraînement est une copie du test des silhouettes.

    Rend le dossier, le chemin du fichier, son contenu intact, et ses deux tableaux.
    """
    expected = read_part(DATASETS, "test")
    path = folder / "testset.hdf5"
    path.write_bytes((DATASETS / "testset.hdf5").read_bytes())
    write_part(folder, "train", replace("X", data=np.zeros((6, 28, 28), "u1")))
    return folder, path, path.read_bytes(), expected


def test_truncated_file_is_refused(shipped_copy):
    """Coupé n'importe où, de quelques octets ou presque tout entier."""
    folder, path, content, _ = shipped_copy
    cuts = {1, 2, 7, 8, 9, 100, 512, 2048, len(content) - 512, len(content) - 1}
    for length in sorted(cuts | set(range(0, len(content), 1009))):
        path.write_bytes(content[:length])
        with pytest.raises(OSError) as refusal:
            load_data(folder)
        assert_helpful(refusal, path)


def flip_positions(path):
    """Des bits tirés partout, et d'autres hors des images et des étiquettes mêmes.

    Ces derniers disent où se trouve chaque morceau, sa taille, son type : aucune somme
    de contrôle sur les pixels ne les protège.
    """
    content = np.frombuffer(path.read_bytes(), dtype=np.uint8)
    structure = content != 0
    with h5py.File(path, "r") as file:
        for dataset in file.values():
            for index in range(dataset.id.get_num_chunks()):
                chunk = dataset.id.get_chunk_info(index)
                structure[chunk.byte_offset :][: chunk.size] = False
    rng = np.random.default_rng(0)
    anywhere = rng.integers(len(content), size=200)
    positions = [*anywhere, *rng.choice(np.flatnonzero(structure), size=400)]
    return [(position, rng.integers(8)) for position in positions]


def test_flipped_bits_never_go_unnoticed(shipped_copy):
    """Un bit changé : les mêmes tableaux, ou un refus ; jamais d'autres images."""
    folder, path, content, expected = shipped_copy
    n_refusals = 0
    for position, bit in flip_positions(path):
        altered = bytearray(content)
        altered[position] ^= 1 << bit
        path.write_bytes(altered)
        try:
            arrays = load_data(folder)[2:]
        except (ValueError, OSError) as error:
            assert_helpful(error, path)
            n_refusals += 1
        else:
            assert_same(arrays, expected)
    assert n_refusals > 250


# --- Les téléchargements --------------------------------------------------------------


class PhotoServer(ThreadingHTTPServer):
    """Sert les fichiers d'un dossier sur la machine même, bien ou mal selon `mode`."""

    def __init__(self, folder):
        super().__init__(("127.0.0.1", 0), Handler)
        self.folder, self.mode, self.requests = folder, "good", []

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server_port}/"


class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        mode = self.server.mode
        self.server.requests.append(self.path)
        content = (self.server.folder / self.path.removeprefix("/")).read_bytes()
        if mode == "absent":
            self.send_error(404)
            return
        if mode == "altered":
            content = content[:-1] + bytes([content[-1] ^ 1])
        self.send_response(200)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content[:1500] if mode == "cut" else content)

    def log_message(self, *arguments):
        """Rien sur la sortie d'erreur."""


@pytest.fixture
def server(folder, monkeypatch):
    """Un serveur qui remplace GitHub, et les empreintes de ses fichiers à lui."""
    hashes = {
        f"{part}set.hdf5": hashlib.sha256(
            (folder / f"{part}set.hdf5").read_bytes()
        ).hexdigest()
        for part in PARTS
    }
    with PhotoServer(folder) as photo_server:
        thread = threading.Thread(target=photo_server.serve_forever, args=(0.01,))
        thread.start()
        monkeypatch.setattr(utilities, "PHOTOS_URL", photo_server.url)
        monkeypatch.setattr(utilities, "PHOTOS_SHA256", hashes)
        monkeypatch.delenv("COURSE_PHOTOS_DIR", raising=False)
        monkeypatch.setenv("NO_PROXY", "127.0.0.1")
        yield photo_server
        photo_server.shutdown()
        thread.join()


@pytest.fixture
def cache(tmp_path, monkeypatch):
    """Un cache de pooch à part, vide, sur tous les systèmes."""
    path = tmp_path / "cache"
    monkeypatch.setattr("platformdirs.user_cache_dir", lambda *_, **__: str(path))
    return path


def files_in(folder):
    return sorted(path for path in folder.rglob("*") if path.is_file())


def test_download_then_cache(server, cache, folder, capfd):
    """Deux fichiers demandés une fois, gardés, et pas un mot à l'écran."""
    expected = load_data(folder)
    for _ in range(2):
        assert_same(load_data("photos"), expected)
        assert load_class_names("photos") == ["chat", "chien"]
    assert sorted(server.requests) == ["/testset.hdf5", "/trainset.hdf5"]
    assert len(files_in(cache)) == 2
    assert capfd.readouterr() == ("", "")


def test_corrupted_cache_is_fetched_again(server, cache, folder):
    """Un fichier abîmé dans le cache est remplacé, lui seul."""
    load_data("photos")
    path = next(path for path in files_in(cache) if "test" in path.name)
    path.write_bytes(path.read_bytes()[:-1])
    assert_same(load_data("photos"), load_data(folder))
    assert server.requests[2:] == ["/testset.hdf5"]


@pytest.mark.parametrize("mode", ["cut", "altered", "absent"])
def test_failed_download_is_explained(mode, server, cache):
    """Coupé, altéré, introuvable : OSError, quoi faire, et un cache vide."""
    server.mode = mode
    with pytest.raises(OSError) as refusal:
        load_data("photos")
    assert_helpful(refusal, "trainset.hdf5", server.url, "COURSE_PHOTOS_DIR")
    assert files_in(cache) == []
    server.mode = "good"
    load_data("photos")


def test_no_connection_is_explained(server, cache, monkeypatch):
    """Personne n'écoute à cette adresse."""
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{closed.getsockname()[1]}/"
    monkeypatch.setattr(utilities, "PHOTOS_URL", url)
    with pytest.raises(OSError) as refusal:
        load_data("photos")
    assert_helpful(refusal, "trainset.hdf5", url, "COURSE_PHOTOS_DIR")
    assert files_in(cache) == []


def test_interrupted_download_leaves_nothing(server, cache, monkeypatch):
    """Ctrl-C pendant le téléchargement : ni fichier entamé, ni fichier provisoire."""

    def interrupted(response, chunk_size):
        yield b"debut"
        raise KeyboardInterrupt

    monkeypatch.setattr(requests.Response, "iter_content", interrupted)
    with pytest.raises(KeyboardInterrupt):
        load_data("photos")
    assert files_in(cache) == []


def test_unusable_cache_is_explained(server, cache):
    """Un cache où l'on ne peut écrire : la même variable est proposée."""
    cache.write_bytes(b"un fichier a la place du dossier")
    with pytest.raises(OSError) as refusal:
        load_data("photos")
    assert_helpful(refusal, "trainset.hdf5", "COURSE_PHOTOS_DIR")


def test_photos_dir_wins(server, cache, folder, monkeypatch):
    """Avec COURSE_PHOTOS_DIR, aucune requête."""
    monkeypatch.setenv("COURSE_PHOTOS_DIR", str(folder))
    assert_same(load_data("photos"), load_data(folder))
    assert load_class_names("photos") == ["chat", "chien"]
    assert server.requests == []
    assert not cache.exists()


# --- Une image à soi ------------------------------------------------------------------


@pytest.mark.parametrize("suffix", ["png", "bmp", "tiff"])
def test_an_image_of_the_right_size_is_read_unchanged(suffix, tmp_path):
    path = tmp_path / f"chat à moi.{suffix}"
    image = np.random.default_rng(0).integers(256, size=(28, 20), dtype=np.uint8)
    Image.fromarray(image).save(path)
    read = load_image(str(path), shape=(28, 20))
    np.testing.assert_array_equal(read, image, strict=True)


def test_an_image_is_resized_to_grey(tmp_path):
    """Moitié gauche rouge, moitié droite blanche ; shape est (hauteur, largeur)."""
    image = np.zeros((60, 80, 3), dtype=np.uint8)
    image[:, :40, 0], image[:, 40:] = 255, 255
    Image.fromarray(image).save(tmp_path / "a.png")
    small = load_image(tmp_path / "a.png", shape=(6, 8))
    assert small.shape == (6, 8)
    assert small.dtype == np.uint8
    assert (small[:, :2] == 76).all()  # ITU-R 601 : 0,299 × 255
    assert (small[:, 6:] == 255).all()


def test_a_large_image_is_averaged_not_sampled(tmp_path):
    """Un damier d'un pixel devient un gris moyen."""
    board = (np.indices((60, 80)).sum(axis=0) % 2 * 255).astype(np.uint8)
    Image.fromarray(board).save(tmp_path / "a.png")
    small = load_image(tmp_path / "a.png", shape=(6, 8))
    assert np.abs(small.astype(int) - 127).max() <= 3


@pytest.mark.parametrize("suffix", ["png", "tiff"])
def test_sixteen_bit_grey_is_scaled(suffix, tmp_path):
    ramp = np.linspace(0, 65535, 28 * 28).reshape(28, 28).astype(np.uint16)
    Image.fromarray(ramp).save(tmp_path / f"a.{suffix}")
    read = load_image(tmp_path / f"a.{suffix}")
    np.testing.assert_allclose(read, ramp / 257, atol=1.5)


def test_a_transparent_background_is_white(tmp_path):
    image = np.zeros((28, 28, 4), dtype=np.uint8)
    image[10:20, 10:20, 3] = 255  # un carré noir, sur rien
    Image.fromarray(image).save(tmp_path / "a.png")
    expected = np.full((28, 28), 255)
    expected[10:20, 10:20] = 0
    np.testing.assert_array_equal(load_image(tmp_path / "a.png"), expected)


def test_a_photograph_stands_upright(tmp_path):
    """Orientation 6 : l'appareil était tourné d'un quart de tour."""
    image = np.zeros((28, 28), dtype=np.uint8)
    image[:, :14] = 255
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.fromarray(image).save(tmp_path / "a.png", exif=exif)
    np.testing.assert_array_equal(load_image(tmp_path / "a.png"), np.rot90(image, -1))


@pytest.mark.parametrize("name", ["absente.png", ""], ids=["absente", "dossier"])
def test_a_missing_image_is_named(name, tmp_path):
    with pytest.raises(FileNotFoundError) as error:
        load_image(tmp_path / name)
    assert_helpful(error, tmp_path / name)


@pytest.mark.parametrize("shape", [28, (28, 28, 1), (0, 28), (28, 2.5), "ab", None])
def test_a_bad_shape_is_refused(shape, tmp_path):
    with pytest.raises(ValueError, match="shape") as error:
        load_image(tmp_path / "a.png", shape=shape)
    assert_helpful(error)


def test_a_huge_image_is_refused_without_being_read(tmp_path):
    """L'en-tête d'un PNG de 60 000 × 60 000 pixels suffit."""
    Image.new("1", (8, 8)).save(tmp_path / "a.png")
    content = bytearray((tmp_path / "a.png").read_bytes())
    content[16:24] = (60000).to_bytes(4, "big") * 2
    content[29:33] = zlib.crc32(bytes(content[12:29])).to_bytes(4, "big")
    (tmp_path / "a.png").write_bytes(content)
    with pytest.raises(ValueError, match="millions de pixels") as error:
        load_image(tmp_path / "a.png")
    assert_helpful(error, tmp_path / "a.png")


@pytest.mark.parametrize("content", [b"", b"Ce n'est pas une image.", None])
def test_what_is_no_image_is_refused(content, tmp_path):
    """Un fichier vide, du texte, un PNG tronqué."""
    path = tmp_path / "a.png"
    noise = np.random.default_rng(0).integers(256, size=(28, 28), dtype=np.uint8)
    Image.fromarray(noise).save(path)
    path.write_bytes(path.read_bytes()[:300] if content is None else content)
    with pytest.raises(ValueError, match="image lisible") as error:
        load_image(path)
    assert_helpful(error, path)
