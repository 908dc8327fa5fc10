"""Les fonctions qu'un carnet enseigne, prises dans ses propres cellules."""

import ast
import json
from pathlib import Path
from types import SimpleNamespace

NOTEBOOKS = Path(__file__).resolve().parents[1] / "notebooks"
DEFINITIONS = ast.FunctionDef | ast.ClassDef | ast.Import | ast.ImportFrom


def taught_by(name: str, *data: str) -> SimpleNamespace:
    """Les fonctions et les classes de notebooks/<name>.ipynb, sans rien entraîner.

    data : des noms du carnet dont elles ont besoin ; ce qui leur donne une valeur
    est exécuté aussi.
    """
    path = NOTEBOOKS / f"{name}.ipynb"
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    sources = ["".join(c["source"]) for c in cells if c["cell_type"] == "code"]
    body = [node for source in sources for node in ast.parse(source).body]
    kept = [
        node
        for node in body
        if isinstance(node, DEFINITIONS) or not assigned(node).isdisjoint(data)
    ]
    namespace = {}
    exec(compile(ast.Module(kept, []), str(path), "exec"), namespace)
    return SimpleNamespace(**namespace)


def assigned(node: ast.stmt) -> set[str]:
    """Les noms auxquels une instruction « … = … » donne une valeur."""
    targets = node.targets if isinstance(node, ast.Assign) else []
    names = [name for target in targets for name in ast.walk(target)]
    return {name.id for name in names if isinstance(name, ast.Name)}
