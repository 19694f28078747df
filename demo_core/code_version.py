"""Which code a run was made with: a figure stays valid as long as the code it depends on means the same.

A model depends on the modules that its own module imports, and on training, ranking and health. Comments, docstrings
and layout do not count: what is compared is the syntax tree.
"""

from __future__ import annotations

import ast
import hashlib
import subprocess
from functools import lru_cache
from pathlib import Path

ROOT = Path(__file__).parents[1]
ALWAYS = ("demo_core/training.py", "demo_core/evaluation.py", "demo_core/health.py")


@lru_cache(maxsize=1024)
def code_version(module: str, commit: str | None = None) -> str | None:
    """sha256 over the code that the model in ``module`` ("demo_core.models.card") depends on.

    ``commit`` ``None``: the files as they are now. ``None`` comes back for a commit that is not known here, or whose
    files were changed when it ran (it ends in ``+``).
    """
    if commit is not None and (commit.endswith("+") or not _is_commit(commit)):
        return None
    read = _read_now if commit is None else lambda path: _read_at(commit, path)
    trees: dict[str, ast.Module] = {}
    waiting = [module.replace(".", "/") + ".py", *ALWAYS]
    while waiting:
        path = waiting.pop()
        if path in trees:
            continue
        source = read(path)
        if source is None:
            continue
        trees[path] = ast.parse(source)
        waiting += [imported for imported in _imports(trees[path]) if imported not in trees]
    digest = hashlib.sha256()
    for path in sorted(trees):
        digest.update(f"{path}\n{ast.dump(_Bare().visit(trees[path]))}\n".encode())
    return digest.hexdigest()


class _Bare(ast.NodeTransformer):
    """Takes docstrings out."""

    def visit(self, node: ast.AST) -> ast.AST:
        body = getattr(node, "body", None)
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef) and body:
            first = body[0]
            if isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant):
                node.body = body[1:]
        return self.generic_visit(node)


def _imports(tree: ast.Module) -> list[str]:
    """Files of the package that a module imports, wherever in it."""
    names = []
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module and node.module.startswith("demo_core"):
            names.append(node.module)
            names += [f"{node.module}.{alias.name}" for alias in node.names]
    return [name.replace(".", "/") + ".py" for name in names]


def _read_now(path: str) -> str | None:
    file = ROOT / path
    return file.read_text(encoding="utf-8") if file.is_file() else None


def _read_at(commit: str, path: str) -> str | None:
    return _git("show", f"{commit}:{path}")


def _is_commit(commit: str) -> bool:
    return _git("cat-file", "-e", f"{commit}^{{commit}}") is not None


def _git(*arguments: str) -> str | None:
    try:
        return subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    except (OSError, subprocess.CalledProcessError):
        return None
