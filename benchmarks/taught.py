"""Les fonctions qu'un carnet enseigne, prises dans ses propres cellules."""

import ast
import json
from pathlib import Path
from types import SimpleNamespace

NOTEBOOKS = Path(__file__).resolve().parents[1] / "notebooks"
DEFINITIONS = ast.FunctionDef | ast.ClassDef | ast.Import | ast.ImportFrom


def taught_by(name: str) -> SimpleNamespace:
    """Ce que définissent les cellules de notebooks/<name>.ipynb, sans rien lancer."""
    path = NOTEBOOKS / f"{name}.ipynb"
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    sources = ["".join(c["source"]) for c in cells if c["cell_type"] == "code"]
    body = [node for source in sources for node in ast.parse(source).body]
    kept = [node for node in body if isinstance(node, DEFINITIONS)]
    namespace = {}
    exec(compile(ast.Module(kept, []), str(path), "exec"), namespace)
    return SimpleNamespace(**namespace)
