"""Ce dont pytest a besoin, d'où qu'il soit lancé et quoi qu'on lui donne."""

import os

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
