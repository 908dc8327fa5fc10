"""`load_data` et `load_image` : ce qu'elles rendent, refusent et téléchargent.

Un refus est toujours une ValueError ou une OSError, en une phrase française qui nomme
le fichier en cause et dit ce qui était attendu ; rien de h5py n'y transparaît.
"""

import contextlib
import hashlib
import sys
import threading
import zlib
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from unittest.mock import Mock

import h5py
import numpy as np
import pytest
from PIL import Image, ImageOps

import utilities
from conftest import PARTS, ROOT, assert_helpful, read_part, write_part
from utilities import flatten_images, load_class_names, load_data, load_image

DATASETS = ROOT / "datasets"


def assert_same(actual, expected):
    """Mêmes tableaux, mêmes types."""
    for a, b in zip(actual, expected, strict=True):
        np.testing.assert_array_equal(a, b, strict=True)


def read_folder(folder):
    return [array for part in PARTS for array in read_part(folder, part)]


def refusal_of(folder, *names, kind=(ValueError, OSError)):
    """Le message par lequel `load_data` refuse ce dossier."""
    with pytest.raises(kind) as refusal:
        load_data(folder)
    assert_helpful(refusal, *names)
    return str(refusal.value)


# --- Ce qu'elle rend ------------------------------------------------------------------


def test_shipped_sets(tmp_path, monkeypatch):
    """Les tableaux des fichiers, cherchés à côté du module malgré des leurres."""
    for decoy in (tmp_path / "datasets", tmp_path / "silhouettes"):
        decoy.mkdir()
        for part in PARTS:
            write_part(decoy, part)
    monkeypatch.chdir(tmp_path)
    assert_same(load_data(), read_folder(DATASETS))
    assert_same(load_data("silhouettes"), read_folder(DATASETS))
    assert_same(load_data("animaux"), read_folder(DATASETS / "animaux"))


def test_folder_of_ones_own(folder, monkeypatch):
    """Texte ou Path, absolu, relatif ou abrégé ; accents et espaces compris."""
    monkeypatch.chdir(folder.parent)
    monkeypatch.setenv("HOME", str(folder.parent))
    monkeypatch.setenv("USERPROFILE", str(folder.parent))
    monkeypatch.delenv("COURSE_PHOTOS_DIR", raising=False)
    for name in (folder, str(folder), folder.name, f"~/{folder.name}"):
        assert_same(load_data(name), read_folder(folder))


@pytest.mark.parametrize("dtype", [np.int64, np.uint8, np.float32, ">f8", bool])
@pytest.mark.parametrize("shape", [(-1,), (-1, 1)])
def test_labels_become_a_float_column(dtype, shape, folder):
    """Étiquettes de tout type numérique, plates ou en colonne : (n, 1) de float64."""
    expected = load_data(folder)[1]
    labels = expected.astype(dtype).reshape(shape)
    write_part(folder, "train", replace("Y", data=labels))
    np.testing.assert_array_equal(load_data(folder)[1], expected, strict=True)


def test_one_image_of_one_pixel(folder):
    """Le plus petit jeu qui soit."""
    for part in PARTS:
        with h5py.File(folder / f"{part}set.hdf5", "w") as file:
            file[f"X_{part}"], file[f"Y_{part}"] = np.full((1, 1, 1), 7, "u1"), [0]
    assert [array.tolist() for array in load_data(folder)] == [[[[7]]], [[0]]] * 2
    assert load_class_names(folder) == ["0"]


def test_photographs(photos_dir, monkeypatch):
    """Les photographies d'origine, reconnues à leurs empreintes."""
    monkeypatch.chdir(DATASETS)
    assert_same(load_data("photos"), read_folder(photos_dir))
    assert load_class_names("photos") == ["chat", "chien"]
    for name, expected in utilities.PHOTOS_SHA256.items():
        content = (photos_dir / name).read_bytes()
        assert hashlib.sha256(content).hexdigest() == expected


def test_flatten_images():
    """Chaque image devient une ligne, lue rangée par rangée, de 0 à 1."""
    X = np.array([[[0, 51, 102], [153, 204, 0]]], dtype=np.uint8)
    expected = np.array([[0, 0.2, 0.4, 0.6, 0.8, 0]])
    np.testing.assert_allclose(flatten_images(X), expected, rtol=1e-15, strict=True)
    assert X.max() == 204  # l'original n'est pas modifié


# --- Les noms des classes -------------------------------------------------------------


def test_class_names_of_shipped_sets():
    """En français, dans l'ordre des numéros."""
    assert load_class_names() == ["chat", "chien"]
    animals = "ours oiseau chat vache chien éléphant girafe cheval mouton zèbre"
    assert load_class_names("animaux") == animals.split()


@pytest.mark.parametrize(
    "names", [["pluie", "été"], np.array([b"pluie", "été".encode()])]
)
def test_class_names_of_ones_own(names, folder):
    """Lus dans l'attribut, texte de longueur variable ou octets de longueur fixe."""
    write_part(folder, "train", lambda file: file.attrs.update(classes=names))
    assert load_class_names(folder) == ["pluie", "été"]


def test_class_names_default_to_numbers(folder):
    """Seules les étiquettes sont lues : des images illisibles n'y changent rien."""
    write_part(folder, "train", damaged_chunk)
    assert load_class_names(folder) == ["0", "1"]


LATIN_1 = np.array([b"\xe9t\xe9", b"pluie"])


@pytest.mark.parametrize("names", ["chat", [3, 4], ["chat"], LATIN_1, LATIN_1.tolist()])
def test_unusable_class_names_are_refused(names, folder):
    """Pas du texte, trop peu pour nommer chaque classe, ou pas de l'UTF-8."""
    path = write_part(folder, "train", lambda file: file.attrs.update(classes=names))
    with pytest.raises(ValueError) as refusal:
        load_class_names(folder)
    assert_helpful(refusal, path, "classes")


# --- Le cours précédent ---------------------------------------------------------------

PREDECESSOR = """
import numpy as np
import matplotlib.pyplot as plt
def log_loss(A, y):
    return 1 / len(y) * np.sum(-y * np.log(A) - (1 - y) * np.log(1 - A))
def update(dW, db, W, b, learning_rate):
    return W - learning_rate * dW, b - learning_rate * db
from utilities import *
print(update(1, 2, 3, 4, 0.5), log_loss(np.array([[0.5]]), np.array([[1]])).round(2))
X_train, y_train, X_test, y_test = load_data()
print(X_train.shape, y_train.shape)
print(np.unique(y_train, return_counts=True))
for i in range(1, 10):
    plt.subplot(4, 5, i), plt.imshow(X_train[i], cmap='gray'), plt.title(y_train[i])
plt.show()
X_train_reshape = X_train.reshape(X_train.shape[0], -1) / X_train.max()
print(X_train_reshape.shape, X_train_reshape.max())
"""


def test_predecessor_notebook_runs_unchanged(tmp_path, monkeypatch, figures, capsys):
    """Les premières cellules du carnet 02 de Machine Learnia, lancées d'ailleurs."""
    monkeypatch.chdir(tmp_path)
    exec(PREDECESSOR, {})
    lines = capsys.readouterr().out.splitlines()
    assert lines[:2] == ["(2.5, 3.0) 0.69", "(1590, 28, 28) (1590, 1)"]
    assert "array([0., 1.]), array([793, 797])" in lines[2]
    assert lines[3:] == ["(1590, 784) 1.0"]


# --- Les noms et les dossiers refusés -------------------------------------------------


@pytest.mark.parametrize("name", [None, b"photos", ["photos"]], ids=repr)
def test_name_of_a_wrong_type(name):
    """Ni texte ni chemin : TypeError, et les noms admis."""
    refusal_of(name, repr(name), "silhouettes", "animaux", "photos", kind=TypeError)


@pytest.mark.parametrize("name", ["silhouette", "Photos", "\0", "~x", "a" * 5000])
def test_unknown_name(name, tmp_path, monkeypatch):
    """Une faute de frappe, ou ce que le système refuse : les noms sont rappelés."""
    monkeypatch.chdir(tmp_path)
    refusal_of(name, name, "silhouettes", "animaux", "photos", kind=ValueError)


@pytest.mark.parametrize("name", ["un/deux", Path("absent"), "animaux", "photos"])
def test_missing_folder(name, tmp_path, monkeypatch):
    """Le dossier est nommé, et ce qu'il doit contenir ; « animaux » reste connu."""
    monkeypatch.setitem(utilities.SHIPPED_SETS, "animaux", tmp_path / "animaux")
    monkeypatch.setenv("COURSE_PHOTOS_DIR", str(tmp_path / "photos"))
    folder = tmp_path / name if name in utilities.SET_NAMES else name
    names = folder, "trainset.hdf5", "testset.hdf5", "COURSE_PHOTOS_DIR"
    refusal_of(name, *names, kind=FileNotFoundError)


# --- Les fichiers refusés -------------------------------------------------------------


def replace(letter, **options):
    """Un `edit` qui remplace X_… ou Y_… par un autre tableau."""

    def edit(file):
        key = take(file, letter)[0]
        file.create_dataset(key, **options)

    return edit


def take(file, letter):
    """Ôte X_… ou Y_… du fichier ; rend sa clé et ce qu'il contenait."""
    [key] = (key for key in file if key.startswith(letter))
    content = file[key][:]
    del file[key]
    return key, content


def take_elsewhere(file):
    """Déplace les images dans un autre fichier, et le rend."""
    key, content = take(file, "X")
    other = Path(file.filename).with_name("autre.hdf5")
    with h5py.File(other, "w") as target:
        target["X"] = content
    return key, content, other


def no_key(letter):
    return lambda file: take(file, letter)


def key_among_many(file):
    """La clé attendue manque, et dix suffisent à reconnaître le fichier."""
    take(file, "Y")
    for index in range(100):
        file[f"cle_{index:02}"] = index


def soft_link(file):
    key, file["ailleurs"] = take(file, "X")
    file[key] = h5py.SoftLink("/ailleurs")


def external_link(file):
    key, _, other = take_elsewhere(file)
    file[key] = h5py.ExternalLink(other.name, "/X")


def virtual_dataset(file):
    key, content, other = take_elsewhere(file)
    layout = h5py.VirtualLayout(content.shape, dtype=np.uint8)
    layout[:] = h5py.VirtualSource(other, "X", shape=content.shape)
    file.create_virtual_dataset(key, layout)


def external_storage(file):
    key, content = take(file, "X")
    other = Path(file.filename).with_name("octets.bin")
    other.write_bytes(content.tobytes())
    storage = [(str(other), 0, content.nbytes)]
    file.create_dataset(key, content.shape, np.uint8, external=storage)


def half_written(file):
    """Trois images sur six : HDF5 rendrait les autres noires."""
    key, content = take(file, "X")
    chunks = (3, *content.shape[1:])
    file.create_dataset(key, content.shape, np.uint8, chunks=chunks)[:3] = content[:3]


def damaged_chunk(file):
    """Des images qui ne se décompressent pas."""
    key, content = take(file, "X")
    options = {"chunks": content.shape, "compression": "gzip"}
    images = file.create_dataset(key, content.shape, np.uint8, **options)
    images.id.write_direct_chunk((0, 0, 0), b"abracadabra")


def unreadable_type(file):
    """Des étiquettes d'un type de HDF5 sans équivalent dans NumPy."""
    options = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
    options.set_alloc_time(h5py.h5d.ALLOC_TIME_EARLY)
    space, kind = h5py.h5s.create_simple((6, 1)), h5py.h5t.UNIX_D32LE
    h5py.h5d.create(file.id, take(file, "Y")[0].encode(), kind, space, options)


IMAGES = np.zeros((6, 5, 3), dtype=np.uint8)

# L'extrait attendu dans le message, puis la façon d'abîmer un fichier correct.
BAD_CONTENTS = {
    "sans_images": ("['Y_", no_key("X")),  # les clés présentes
    "cle_entre_mille": ("'cle_08'])", key_among_many),
    "groupe": ("X_", lambda file: file.create_group(take(file, "X")[0])),
    "lien": ("X_", soft_link),
    "lien_externe": ("X_", external_link),
    "tableau_virtuel": ("X_", virtual_dataset),
    "octets_externes": ("X_", external_storage),
    "octets_abimes": ("HDF5", damaged_chunk),
    "type_illisible": ("HDF5", unreadable_type),
    "a_moitie_ecrit": ("inachevé", half_written),
    "jamais_ecrit": ("inachevé", replace("Y", shape=(6, 1), dtype="f8")),
    "demesure": ("vé", replace("X", shape=(10**15, 5, 3), dtype="u1", chunks=True)),
    "longueurs": ("(7, 5, 3)", replace("X", data=np.zeros((7, 5, 3), "u1"))),
    "aucune_image": ("vide", replace("X", data=IMAGES[:0])),
    "images_vides": ("vide", replace("X", data=IMAGES[:, :0], maxshape=(6, None, 3))),
    "couleurs": ("(6, 5, 3, 3)", replace("X", data=np.zeros((6, 5, 3, 3), "u1"))),
    "deja_a_plat": ("(6, 15)", replace("X", data=IMAGES.reshape(6, -1))),
    "images_reelles": ("float64", replace("X", data=IMAGES / 255)),
    "images_texte": ("X_", replace("X", data="chat.png")),
    "images_nulles": ("X_", replace("X", data=h5py.Empty("u1"))),
    "etiquette_scalaire": ("Y_", replace("Y", data=1.0)),
    "etiquettes_nan": ("nan", replace("Y", data=[0, 1, np.nan, 1, 0, 1])),
    "etiquettes_negatives": ("-1", replace("Y", data=[1, -1, 1, -1, 1, -1])),
    "etiquettes_fractions": ("0.5", replace("Y", data=[0, 1, 0.5, 1, 0, 1])),
    "etiquettes_texte": ("Y_", replace("Y", data=["chat", "chien"] * 3)),
    "etiquettes_one_hot": ("(6, 2)", replace("Y", data=np.eye(6)[:, :2])),
    "etiquettes_en_ligne": ("(1, 6)", replace("Y", data=np.zeros((1, 6)))),
}


@pytest.mark.parametrize("case", BAD_CONTENTS)
def test_bad_content_is_refused(case, folder):
    """Un fichier HDF5 sain, mais dont le contenu n'est pas celui du cours."""
    extract, edit = BAD_CONTENTS[case]
    path = write_part(folder, "train", edit)
    refusal_of(folder, path, extract)


def test_labels_up_to_the_last_class(folder):
    """Mille classes au plus : un numéro absurde demanderait autant de noms."""
    for part in PARTS:
        path = write_part(folder, part, replace("Y", data=[0, 1, 0, 999, 0, 1]))
    assert load_data(folder)[3].max() == 999
    assert load_class_names(folder)[-1] == "999"
    write_part(folder, part, replace("Y", data=[0, 1, 0, 1000, 0, 1]))
    refusal_of(folder, path, "de 0 à 999", ": 1000 ")


def test_sizes_that_differ_between_train_and_test(folder):
    """Les deux fichiers sont nommés, et les deux tailles données."""
    smaller = np.zeros((6, 2, 3), dtype=np.uint8)
    path = write_part(folder, "test", replace("X", data=smaller))
    refusal_of(folder, path, folder / "trainset.hdf5", "(2, 3)", "(5, 3)")


def test_class_that_training_lacks(folder):
    """Une classe jamais apprise ne se devine pas ; l'inverse est permis."""
    write_part(folder, "test", replace("Y", data=np.zeros(6)))
    assert load_data(folder)[3].max() == 0
    path = write_part(folder, "test", replace("Y", data=[0, 1, 2, 0, 1, 1]))
    refusal_of(folder, path, folder / "trainset.hdf5", "classe 2", kind=ValueError)


@pytest.mark.parametrize("content", [b"", b"Un carnet.\n" * 200, b"\x89HDF\r\n\x1a\n"])
def test_file_of_another_kind_is_refused(content, folder):
    """Vide, d'un autre format, ou réduit à la signature de HDF5."""
    path = folder / "testset.hdf5"
    path.write_bytes(content)
    refusal_of(folder, path, "HDF5", kind=OSError)


@pytest.mark.parametrize("part", PARTS)
def test_file_that_is_not_there(part, folder):
    """Absent, comme le dit aussi `load_image` ; ou un dossier à sa place."""
    path = folder / f"{part}set.hdf5"
    path.unlink()
    message = refusal_of(folder, path, kind=FileNotFoundError)
    with pytest.raises(FileNotFoundError) as refusal:
        load_image(path)
    assert str(refusal.value) == message
    path.mkdir()
    refusal_of(folder, path, kind=OSError)


@pytest.mark.parametrize("error", [PermissionError, BlockingIOError])
def test_file_that_is_forbidden_or_busy(error, folder, monkeypatch):
    """Il n'est pas dit abîmé pour autant ; `load_image` parle de même."""
    refuse = Mock(side_effect=error("Unable to open file"))
    monkeypatch.setattr(h5py, "File", refuse)
    path = folder / "trainset.hdf5"
    message = refusal_of(folder, path, kind=error)
    assert "HDF5" not in message
    if error is PermissionError:
        monkeypatch.setattr(Image, "open", refuse)
        with pytest.raises(error) as refusal:
            load_image(path)
        assert str(refusal.value) == message


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
    """Dans le dossier, une copie du fichier de test des silhouettes."""
    path = folder / "testset.hdf5"
    path.write_bytes((DATASETS / "testset.hdf5").read_bytes())
    write_part(folder, "train", replace("X", data=np.zeros((6, 28, 28), "u1")))
    return path


def test_truncated_file_is_refused(shipped_copy):
    """Coupé n'importe où, de quelques octets ou presque tout entier."""
    content = shipped_copy.read_bytes()
    for length in {1, 8, 9, 100, len(content) - 1, *range(512, len(content), 5003)}:
        shipped_copy.write_bytes(content[:length])
        refusal_of(shipped_copy.parent, shipped_copy, kind=OSError)


def is_structure(path):
    """Les octets qui disent où est chaque morceau : sans somme de contrôle, eux."""
    mask = np.frombuffer(path.read_bytes(), dtype=np.uint8) != 0
    with h5py.File(path, "r") as file:
        for dataset in file.values():
            for index in range(dataset.id.get_num_chunks()):
                chunk = dataset.id.get_chunk_info(index)
                mask[chunk.byte_offset :][: chunk.size] = False
    return mask


def test_flipped_bits_never_go_unnoticed(shipped_copy):
    """Un bit changé : les mêmes tableaux, ou un refus ; jamais d'autres images."""
    folder, content = shipped_copy.parent, shipped_copy.read_bytes()
    expected = read_part(folder, "test")
    rng = np.random.default_rng(0)
    structure = rng.choice(np.flatnonzero(is_structure(shipped_copy)), size=150)
    n_refusals = 0
    for position in [*structure, *rng.integers(len(content), size=30)]:
        altered = bytearray(content)
        altered[position] ^= 1 << rng.integers(8)
        shipped_copy.write_bytes(altered)
        try:
            arrays = load_data(folder)[2:]
        except (ValueError, OSError) as error:
            assert_helpful(error, shipped_copy)
            n_refusals += 1
        else:
            assert_same(arrays, expected)
    assert n_refusals > 40


# --- Les téléchargements --------------------------------------------------------------


class Handler(SimpleHTTPRequestHandler):
    def log_message(self, *arguments):
        """Note la demande, sans rien écrire sur la sortie d'erreur."""
        self.server.requests.append(self.path)


@pytest.fixture
def server(folder, monkeypatch):
    """Un serveur qui remplace GitHub, et les empreintes de ses fichiers à lui."""
    hashes = {
        path.name: hashlib.sha256(path.read_bytes()).hexdigest()
        for path in folder.iterdir()
    }
    handler = partial(Handler, directory=folder)
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as local:
        local.requests = []
        local.url = f"http://127.0.0.1:{local.server_port}/"
        thread = threading.Thread(target=local.serve_forever, args=(0.01,))
        thread.start()
        monkeypatch.setattr(utilities, "PHOTOS_URL", local.url)
        monkeypatch.setattr(utilities, "PHOTOS_SHA256", hashes)
        monkeypatch.delenv("COURSE_PHOTOS_DIR", raising=False)
        monkeypatch.setenv("NO_PROXY", "127.0.0.1")
        yield local
        local.shutdown()
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
    for _ in range(2):
        assert_same(load_data("photos"), load_data(folder))
        assert load_class_names("photos") == ["chat", "chien"]
    assert sorted(server.requests) == ["/testset.hdf5", "/trainset.hdf5"]
    assert len(files_in(cache)) == 2
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("content", [None, b"", b"autre chose"])
def test_failed_download_is_explained(content, server, cache, folder):
    """Introuvable, coupé, altéré : OSError, quoi faire, et un cache vide."""
    path = folder / "trainset.hdf5"
    original = path.read_bytes()
    path.unlink() if content is None else path.write_bytes(content)
    names = path.name, server.url, "connexion", "COURSE_PHOTOS_DIR"
    refusal_of("photos", *names, kind=OSError)
    assert files_in(cache) == []
    path.write_bytes(original)
    assert_same(load_data("photos"), load_data(folder))


def test_pooch_that_is_not_installed(server, cache, monkeypatch):
    """Dans un navigateur, par exemple : comment l'installer, ou s'en passer."""
    monkeypatch.setitem(sys.modules, "pooch", None)
    names = "trainset.hdf5", "%pip install pooch", "COURSE_PHOTOS_DIR"
    refusal_of("photos", *names, kind=OSError)
    assert server.requests == []


def test_photos_dir_wins(server, cache, folder, monkeypatch):
    """Avec COURSE_PHOTOS_DIR, aucune requête."""
    monkeypatch.setenv("COURSE_PHOTOS_DIR", str(folder))
    assert_same(load_data("photos"), load_data(folder))
    assert load_class_names("photos") == ["chat", "chien"]
    assert server.requests == []


# --- Une image à soi ------------------------------------------------------------------

NOISE = np.random.default_rng(0).integers(256, size=(28, 20), dtype=np.uint8)


def save(path, pixels, **options):
    Image.fromarray(np.asarray(pixels)).save(path, **options)
    return path


@pytest.mark.parametrize("suffix", ["png", "bmp", "tiff"])
def test_an_image_of_the_right_size_is_read_unchanged(suffix, tmp_path):
    """Et le tableau rendu se modifie, comme tout autre."""
    path = save(tmp_path / f"chat à moi.{suffix}", NOISE)
    read = load_image(str(path), shape=(28, 20))
    np.testing.assert_array_equal(read, NOISE, strict=True)
    read[0] = 0


@pytest.mark.parametrize("suffix", ["png", "jpg"])
def test_colours_become_grey_and_the_size_changes(suffix, tmp_path):
    """Moitié gauche rouge, moitié droite blanche ; shape est (hauteur, largeur)."""
    image = np.zeros((60, 80, 3), dtype=np.uint8)
    image[:, :40, 0], image[:, 40:] = 255, 255
    small = load_image(save(tmp_path / f"a.{suffix}", image), shape=(6, 8))
    assert (small.shape, small.dtype) == ((6, 8), np.uint8)
    np.testing.assert_allclose(small[:, :2], 76, atol=1)  # ITU-R 601 : 0,299 × 255
    np.testing.assert_allclose(small[:, 6:], 255, atol=1)


@pytest.mark.parametrize("suffix", ["png", "jpg"])
def test_a_large_image_is_averaged_not_sampled(suffix, tmp_path):
    """Un damier d'un pixel devient un gris moyen."""
    board = (np.indices((60, 80)).sum(axis=0) % 2 * 255).astype(np.uint8)
    small = load_image(save(tmp_path / f"a.{suffix}", board), shape=(6, 8))
    np.testing.assert_allclose(small, 127.5, atol=3)


def test_one_pixel_fills_the_image(tmp_path):
    path = save(tmp_path / "a.png", [[np.uint8(90)]])
    assert (load_image(path, shape=[2, 3]) == np.full((2, 3), 90)).all()
    assert load_image(path, shape=(1, 1)) == 90


@pytest.mark.parametrize("side", [112, 1200, 4000])
def test_a_jpeg_is_read_reduced_only_if_it_is_large(side, tmp_path, monkeypatch):
    """Une grande photographie tient en mémoire ; une petite garde ses détails."""
    transpose = Mock(side_effect=ImageOps.exif_transpose)
    monkeypatch.setattr(ImageOps, "exif_transpose", transpose)
    gradient = np.linspace(0, 255, side).astype(np.uint8)
    path = save(tmp_path / "a.jpg", np.tile(gradient, (side // 2, 1)))
    small = load_image(path, shape=(14, 28))
    exact = gradient.reshape(28, -1).mean(axis=1) if side % 28 == 0 else small[0]
    np.testing.assert_allclose(small, np.tile(exact, (14, 1)), atol=3)
    width, height = transpose.call_args.args[0].size
    assert 112 <= width <= 500
    assert 2 * height == width


@pytest.mark.parametrize(
    ("suffix", "dtype"), [("png", "u2"), ("tiff", "<u2"), ("tiff", ">u2")]
)
def test_sixteen_bit_grey_is_scaled(suffix, dtype, tmp_path):
    """PNG, TIFF petit-boutiste, TIFF gros-boutiste."""
    ramp = np.linspace(0, 65535, 28 * 28).reshape(28, 28).astype(dtype)
    read = load_image(save(tmp_path / f"a.{suffix}", ramp))
    np.testing.assert_array_equal(read, ramp // 256)


@pytest.mark.parametrize("palette", [False, True])
def test_a_transparent_background_is_white(palette, tmp_path):
    """Un carré noir, sur rien."""
    image = np.zeros((28, 28, 4), dtype=np.uint8)
    image[10:20, 10:20, 3] = 255
    picture = Image.fromarray(image)
    (picture.quantize(2) if palette else picture).save(tmp_path / "a.png")
    expected = np.full((28, 28), 255)
    expected[10:20, 10:20] = 0
    np.testing.assert_array_equal(load_image(tmp_path / "a.png"), expected)


def test_a_photograph_stands_upright(tmp_path):
    """Orientation 6 : l'appareil était tourné d'un quart de tour."""
    image = np.zeros((20, 28), dtype=np.uint8)
    image[:, :14] = 255
    exif = Image.Exif()
    exif[0x0112] = 6
    path = save(tmp_path / "a.png", image, exif=exif)
    read = load_image(path, shape=(28, 20))
    np.testing.assert_array_equal(read, np.rot90(image, -1))


@pytest.mark.parametrize(
    "shape", [28, (28, 28, 1), (0, 28), (28, 0), (28, 2.5), "ab", None]
)
def test_a_bad_shape_is_refused(shape, tmp_path):
    with pytest.raises(ValueError, match="shape") as error:
        load_image(save(tmp_path / "a.png", NOISE), shape=shape)
    assert_helpful(error, repr(shape))


def test_a_huge_image_is_refused_without_being_read(tmp_path):
    """L'en-tête d'un PNG de 60 000 × 60 000 pixels suffit."""
    path = save(tmp_path / "a.png", NOISE)
    content = bytearray(path.read_bytes())
    content[16:24] = (60000).to_bytes(4, "big") * 2
    content[29:33] = zlib.crc32(bytes(content[12:29])).to_bytes(4, "big")
    path.write_bytes(content)
    with pytest.raises(ValueError, match="millions de pixels") as error:
        load_image(path)
    assert_helpful(error, path)


@pytest.mark.parametrize("content", [b"", b"Ce n'est pas une image.", None])
def test_what_is_no_image_is_refused(content, tmp_path):
    """Un fichier vide, du texte, un PNG tronqué."""
    path = save(tmp_path / "a.png", NOISE)
    path.write_bytes(path.read_bytes()[:300] if content is None else content)
    with pytest.raises(ValueError, match="image lisible") as error:
        load_image(path)
    assert_helpful(error, path)
