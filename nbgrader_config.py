"""Réglages de nbgrader, pour distribuer et noter les leçons ; voir ENSEIGNER.md.

On lance nbgrader de ce dossier. Ses fichiers sont tous dans notation/, que Git ignore :
notation/source/01/ reçoit la leçon complète, notation/submitted/ les copies rendues.
"""

import os
import sys
from pathlib import Path
from unittest import mock

from nbgrader.converters.autograde import Autograde
from nbgrader.preprocessors import ClearSolutions, Execute

ROOT = Path(__file__).resolve().parent
sys.path[:0] = [str(ROOT), str(ROOT / "notebooks")]

from prepare import student_source  # noqa: E402

from exercises import GRADING_VARIABLE  # noqa: E402


class StudentEdition(ClearSolutions):
    """Creuse les trous de notebooks/eleve/, d'après les mêmes marques."""

    def preprocess_cell(self, cell, resources, cell_index):
        """Remplace la réponse par son trou, ou par le code à réparer."""
        if cell.cell_type == "code":
            cell.source = student_source(cell)
        return cell, resources


class GradedExecution(Execute):
    """Exécute une copie pour la noter.

    Son noyau trouve utilities.py et exercises.py, et un verdict défavorable y devient
    une erreur, donc zéro point. Ce noyau-là seulement : JupyterLab, lancé d'ici, lit
    aussi ces réglages, et qui cherche encore n'a pas à voir des erreurs.
    """

    def preprocess(self, nb, resources, **options):
        """Exécute toutes les cellules."""
        path, grading = str(ROOT), {GRADING_VARIABLE: "1"}
        with mock.patch.dict(os.environ, grading, PYTHONPATH=path, TQDM_DISABLE="1"):
            return super().preprocess(nb, resources, **options)


# nbgrader appelle alembic par son nom, que son environnement soit activé ou non.
bin_folder = str(Path(sys.executable).parent)
os.environ["PATH"] = os.pathsep.join([bin_folder, os.environ["PATH"]])

c = get_config()  # noqa: F821
c.CourseDirectory.root = str(ROOT / "notation")
c.ExecutePreprocessor.timeout = 120
c.GenerateAssignment.preprocessors = [
    "nbgrader.preprocessors.LockCells",
    StudentEdition,
    "nbgrader.preprocessors.ClearOutput",
    "nbgrader.preprocessors.CheckCellMetadata",
    "nbgrader.preprocessors.ComputeChecksums",
    "nbgrader.preprocessors.SaveCells",
]
c.Autograde.autograde_preprocessors = [
    GradedExecution if step is Execute else step
    for step in Autograde.autograde_preprocessors.default()
]
