"""`save` et `load` : le même réseau revient, un fichier douteux est refusé."""

import json
from functools import partial
from pathlib import Path

import h5py
import numpy as np
import pytest
from conftest import assert_helpful
from sklearn.datasets import make_blobs
from sklearn.exceptions import NotFittedError

from utilities import NeuralNetwork, NeuralNetworkRegressor, mirror_and_shift

X, LABELS = make_blobs(60, centers=3, random_state=0)
NAMES = np.array(["chat", "chien", "été"])


def network(y=LABELS, cls=NeuralNetwork, **options):
    return cls((5, 4), max_iter=3, random_state=0, **options).fit(X, y)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "réseau d'été.hdf5"


TARGETS = {
    "dix_classes": LABELS,
    "deux_classes": LABELS > 0,
    "texte": NAMES[LABELS],
    "objets": NAMES[LABELS].astype(object),
    "colonne": LABELS.reshape(-1, 1) * 1.0,
    "etiquettes_multiples": np.eye(3, dtype=int)[LABELS],
}


@pytest.mark.parametrize("case", TARGETS)
def test_the_same_network_comes_back(case, path):
    """Poids, classes, courbe et prédictions sont les mêmes, au bit près."""
    ours = network(TARGETS[case])
    ours.save(path)
    theirs = NeuralNetwork.load(path)
    for before, after in zip(ours._parameters(), theirs._parameters(), strict=True):
        np.testing.assert_array_equal(before[0], after[0])
        np.testing.assert_array_equal(before[1], after[1])
    np.testing.assert_array_equal(ours.predict_proba(X), theirs.predict_proba(X))
    np.testing.assert_array_equal(ours.predict(X), theirs.predict(X))
    assert (
        ours.predict(X).dtype.kind == theirs.predict(X).dtype.kind or case == "objets"
    )
    np.testing.assert_array_equal(ours.loss_curve_, theirs.loss_curve_)
    assert theirs.n_iter_ == ours.n_iter_
    assert theirs.n_layers_ == ours.n_layers_


def test_regressor_comes_back(path):
    """Le régresseur aussi, à plusieurs colonnes."""
    ours = network(X * 2, NeuralNetworkRegressor)
    ours.save(path)
    theirs = NeuralNetworkRegressor.load(path)
    np.testing.assert_array_equal(ours.predict(X), theirs.predict(X))


def test_parameters_come_back(path):
    """Les réglages, sauf ce qui n'est pas une donnée : fonction et générateur."""
    options = {
        "alpha": np.float64(0.25),
        "dropout": 0.5,
        "augment": partial(mirror_and_shift, shape=(1, 2), max_shift=0),
    }
    ours = network(**options)
    ours.random_state = np.random.default_rng(0)
    ours.save(path)
    theirs = NeuralNetwork.load(path).get_params()
    expected = ours.get_params() | {"augment": None, "random_state": None}
    assert theirs == expected


def test_a_loaded_network_learns_again(path):
    """Un réseau relu se laisse entraîner de nouveau, à l'identique."""
    ours = network()
    ours.save(path)
    theirs = NeuralNetwork.load(path).fit(X, LABELS)
    np.testing.assert_array_equal(ours.predict_proba(X), theirs.predict_proba(X))


def test_float32_comes_back(path):
    """La précision des poids est gardée."""
    NeuralNetwork((3,), max_iter=1).fit(X.astype(np.float32), LABELS).save(path)
    assert NeuralNetwork.load(path).coefs_[0].dtype == np.float32


def test_an_untrained_network_is_not_saved(path):
    """Rien à ranger : l'exception de scikit-learn, et pas de fichier."""
    with pytest.raises(NotFittedError):
        NeuralNetwork().save(path)
    assert list(path.parent.iterdir()) == []


def test_an_interrupted_save_leaves_the_old_file(path, monkeypatch):
    """L'écriture échoue en route : l'ancien fichier reste, rien d'autre."""
    ours = network()
    ours.save(path)
    before = path.read_bytes()
    monkeypatch.setattr(NeuralNetwork, "_parameters", lambda self: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        ours.save(path)
    assert path.read_bytes() == before
    assert list(path.parent.iterdir()) == [path]


def test_missing_file(path):
    """Le fichier est nommé."""
    with pytest.raises(FileNotFoundError) as refusal:
        NeuralNetwork.load(path)
    assert_helpful(refusal, path)


@pytest.mark.parametrize("content", [b"", b"du texte\n" * 50, b"\x89HDF\r\n\x1a\n"])
def test_file_of_another_kind(content, path):
    """Ce n'est pas un fichier HDF5."""
    path.write_bytes(content)
    with pytest.raises(OSError) as refusal:
        NeuralNetwork.load(path)
    assert_helpful(refusal, path)


def test_truncated_file(path):
    """Coupé n'importe où : OSError, jamais un réseau à moitié lu."""
    network().save(path)
    content = path.read_bytes()
    for length in range(0, len(content), 499):
        path.write_bytes(content[:length])
        with pytest.raises(OSError) as refusal:
            NeuralNetwork.load(path)
        assert_helpful(refusal, path)


def remove_weights(file):
    del file["W1"]


def remove_parameters(file):
    del file.attrs["parameters"]


def unknown_parameter(file):
    file.attrs["parameters"] = json.dumps({"inconnu": 1})


def broken_parameters(file):
    file.attrs["parameters"] = "{"


def weights_that_do_not_fit(file):
    del file["W1"]
    file["W1"] = np.zeros((2, 2))


def weights_elsewhere(file):
    other = Path(file.filename).with_name("ailleurs.hdf5")
    with h5py.File(other, "w") as target:
        target["W0"] = file["W0"][:]
    del file["W0"]
    file["W0"] = h5py.ExternalLink(other.name, "/W0")


def missing_class(file):
    classes = file["classes_"][:2]
    del file["classes_"]
    file["classes_"] = classes


def not_a_number(file):
    file["b0"][0] = np.nan


DAMAGES = [
    remove_weights,
    remove_parameters,
    unknown_parameter,
    broken_parameters,
    weights_that_do_not_fit,
    weights_elsewhere,
    missing_class,
    not_a_number,
]


@pytest.mark.parametrize("damage", DAMAGES)
def test_damaged_file(damage, path):
    """Un fichier HDF5 sain dont il manque ou jure une pièce."""
    network().save(path)
    with h5py.File(path, "r+") as file:
        damage(file)
    with pytest.raises((OSError, ValueError)) as refusal:
        NeuralNetwork.load(path)
    assert_helpful(refusal, path)


def test_file_of_another_class_or_format(path):
    """Un régresseur n'est pas un classifieur, et des images ne sont pas un réseau."""
    network(X[:, 0], NeuralNetworkRegressor).save(path)
    with pytest.raises(ValueError) as refusal:
        NeuralNetwork.load(path)
    assert_helpful(refusal, path, "NeuralNetworkRegressor")
    with h5py.File(path, "w") as file:
        file["X_train"] = X
    with pytest.raises(ValueError) as refusal:
        NeuralNetwork.load(path)
    assert_helpful(refusal, path)
