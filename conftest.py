"""Ce dont pytest a besoin, d'où qu'il soit lancé et quoi qu'on lui donne."""

import os
from importlib.util import find_spec
from pathlib import Path

import pytest

# Les noyaux que nbval lance en héritent. Une barre de progression n'est pas un
# résultat, et une figure doit se dessiner dans la page, non dans une fenêtre.
os.environ.setdefault("TQDM_DISABLE", "1")
os.environ.pop("MPLBACKEND", None)

# matplotlib recense les polices une fois, ici, plutôt qu'au milieu d'un carnet.
import matplotlib.font_manager  # noqa: F401

# Ces carnets n'ont pas de sorties à comparer : d'autres tests s'en occupent.
collect_ignore_glob = [
    "notebooks/eleve/*",
    "notebooks/jouer/*",
    "notebooks/mes_carnets/*",
]
# « make test » va vite : une annexe n'y est exécutée qu'une fois, par tests/, qui en
# compare chaque texte comme nbval, sans en dessiner les figures ; un calcul de plus
# de 0,3 s n'y est pas répété. pytest seul, comme la CI sur chaque système, fait tout.
if os.environ.get("COURSE_QUICK") == "1":
    collect_ignore_glob.append("notebooks/annexes/*")

# Deux annexes demandent PyTorch et Keras, que le cours n'installe pas : là où ils
# manquent, une ligne le dit, et leurs sorties, lisibles sans eux, ne sont pas refaites.
FRAMEWORKS_ANNEXES = ("pytorch", "keras")
MISSING = [name for name in ("torch", "keras") if find_spec(name) is None]
SKIPPED = (
    f"annexes {' et '.join(FRAMEWORKS_ANNEXES)} non exécutées : "
    f"il manque {' et '.join(MISSING)}"
)


def pytest_report_header() -> str | None:
    """La ligne qui le dit, en tête de chaque exécution de pytest."""
    return SKIPPED if MISSING else None


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Passe les cellules de ces annexes, même nommées, sans lancer de noyau."""
    for item in items:
        if MISSING and item.path.stem in FRAMEWORKS_ANNEXES:
            item.add_marker(pytest.mark.skip(reason=SKIPPED))


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> object:
    """Partage « make test » entre deux processus.

    Un fichier, ou un carnet, va en entier au même ; mais un test qui exécute un carnet
    est une part à lui seul : sinon, l'un finirait bien après l'autre.
    """
    from xdist.scheduler import LoadFileScheduling

    class OneNotebookAtATime(LoadFileScheduling):
        def _split_scope(self, nodeid: str) -> str:
            is_alone = "_runs_twice[" in nodeid
            return nodeid if is_alone else super()._split_scope(nodeid)

    return OneNotebookAtATime(config, log)


@pytest.fixture
def skip_if_libraries_lack():
    """Passe le test d'un carnet qui ne peut pas s'exécuter ici."""

    def skip(path: Path) -> None:
        if MISSING and path.stem in FRAMEWORKS_ANNEXES:
            pytest.skip(SKIPPED)

    return skip
