"""Réglages de nbgrader, pour distribuer et noter les leçons ; voir ENSEIGNER.md.

On lance nbgrader de ce dossier. Ses fichiers sont tous dans notation/, que Git ignore :
notation/source/01/ reçoit la leçon complète, notation/submitted/ les copies rendues.
"""

import os
import sys
from pathlib import Path

from nbgrader.preprocessors import ClearSolutions

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


# Les noyaux qui exécutent les copies en héritent : ils y trouvent utilities.py et
# exercises.py, et un verdict défavorable y devient une erreur, donc zéro point.
os.environ["PYTHONPATH"] = str(ROOT)
os.environ[GRADING_VARIABLE] = "1"
os.environ["TQDM_DISABLE"] = "1"
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
