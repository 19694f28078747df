"""Which code a run was made with: a figure stays valid as long as the code it depends on means the same.

A model depends on the modules that its own module imports, and on training, ranking and health. Comments, docstrings
and layout do not count: what is compared is the syntax tree. Nor does the code of further measurements of a trained
model (``trials``, ``perturbation``, ``per_honesty``, ``foresight``): whoever changes that measures them again.

A file that was rewritten without changing any figure is noted in ``equal_code.json`` by the digests of its trees before
and after; ``scripts.equal_code`` adds a line only when old and new code have ended in the same bits.
"""

from __future__ import annotations

import ast
import hashlib
import json
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

ROOT = Path(__file__).parents[1]
ALWAYS = ("demo_core/training.py", "demo_core/evaluation.py", "demo_core/health.py")
EQUAL = "demo_core/equal_code.json"


@dataclass(frozen=True)
class Equal:
    """The file ``path`` with the tree ``digest`` means, to one process, what it meant with ``same_as``; ``None``: what
    it meant before it was there, nothing. ``why``: the command that showed it.
    """

    path: str
    digest: str
    same_as: str | None
    why: str


@lru_cache(maxsize=1024)
def code_version(module: str, commit: str | None = None) -> str | None:
    """sha256 over the code that the model in ``module`` ("demo_core.models.card") depends on.

    ``commit`` ``None``: the files as they are now. ``None`` comes back for a commit that is not known here, or whose
    files were changed when it ran (it ends in ``+``).
    """
    if commit is not None and (commit.endswith("+") or not _is_commit(commit)):
        return None
    return version_of(digests(module, commit))


def version_of(digests: dict[str, str]) -> str:
    """One digest for those of all files, each as the oldest that it is known to be equal to."""
    known, whole = {(one.path, one.digest): one for one in equal_code()}, hashlib.sha256()
    for path, newest in sorted(digests.items()):
        digest = oldest(known, path, newest)
        if digest is not None:
            whole.update(f"{path} {digest}\n".encode())
    return whole.hexdigest()


def oldest(known: Mapping[tuple[str, str], Equal], path: str, digest: str | None) -> str | None:
    """The first tree of ``path`` that meant what that with ``digest`` means; ``None``: it means nothing.

    ``known``: :func:`equal_code` by path and digest.
    """
    while digest is not None and (path, digest) in known:
        digest = known[path, digest].same_as
    return digest


def digests(module: str, commit: str | None = None) -> dict[str, str]:
    """The files that the model in ``module`` depends on, now or at ``commit``, with the digests of their trees."""
    read = _read_now if commit is None else lambda path: _read_at(commit, path)
    found: dict[str, str] = {}
    seen, waiting = set[str](), [module.replace(".", "/") + ".py", *ALWAYS]
    while waiting:
        path = waiting.pop()
        source = None if path in seen else read(path)
        seen.add(path)
        if source is not None:
            tree = ast.parse(source)
            waiting += _imports(tree)
            found[path] = digest_of(tree)
    return found


def digest_of(tree: ast.Module) -> str:
    """sha256 of a syntax tree, without docstrings; the same for every version of Python that reads it alike."""
    return hashlib.sha256("".join(_told(_Bare().visit(tree))).encode()).hexdigest()


def equal_code() -> list[Equal]:
    """What ``equal_code.json`` holds."""
    file = ROOT / EQUAL
    return [Equal(**line) for line in json.loads(file.read_text(encoding="utf-8"))] if file.is_file() else []


def _told(node: object) -> Iterator[str]:
    """A tree as text. Empty fields are left out: which of them there are differs between versions of Python."""
    if isinstance(node, ast.AST):
        yield f"{type(node).__name__}("
        for name, value in ast.iter_fields(node):
            if value is not None and value != []:
                yield f"{name}="
                yield from _told(value)
        yield ")"
    elif isinstance(node, list):
        yield "["
        for part in node:
            yield from _told(part)
            yield ","
        yield "]"
    else:
        yield repr(node)


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
