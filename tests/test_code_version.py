"""The code version changes with what the code does, and with nothing else."""

import ast
import dataclasses
import json
import subprocess
from pathlib import Path

import pytest

from demo_core import code_version as versions
from demo_core.code_version import Equal, code_version, digest_of, equal_code

FILES = {
    "demo_core/models/one.py": '"""Docs."""\nfrom demo_core.helpers import double\n\n\n'
    "def f(x):\n    return double(x)\n",
    "demo_core/models/two.py": "def g(x):\n    return x\n",
    "demo_core/helpers.py": 'def double(x):\n    """Twice."""\n    return 2 * x\n',
    "demo_core/training.py": "RATE = 1\n",
    "demo_core/evaluation.py": "import math\n",
}


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name, content in FILES.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(content)
    git(tmp_path, "init", "-q")
    commit(tmp_path)
    monkeypatch.setattr(versions, "ROOT", tmp_path)
    return tmp_path


def git(folder: Path, *arguments: str) -> str:
    identity = ["-c", "user.name=Test", "-c", "user.email=test@example.org"]
    return subprocess.run(["git", *identity, *arguments], cwd=folder, check=True, capture_output=True, text=True).stdout


def commit(folder: Path) -> str:
    git(folder, "add", "-A")
    git(folder, "commit", "-q", "--allow-empty", "-m", "x")
    return git(folder, "rev-parse", "HEAD").strip()


def version(module: str = "demo_core.models.one", at: str | None = None) -> str | None:
    code_version.cache_clear()
    return code_version(module, at)


def edit(folder: Path, name: str, old: str, new: str) -> None:
    path = folder / name
    path.write_text(path.read_text().replace(old, new))


def test_comments_docstrings_and_layout_do_not_count(repository: Path) -> None:
    before = version()
    edit(repository, "demo_core/helpers.py", '"""Twice."""', '"""Two times x."""  # said otherwise')
    edit(repository, "demo_core/models/one.py", '"""Docs."""', "")
    edit(repository, "demo_core/models/one.py", "double(x)\n", "double(\n        x\n    )\n")
    assert version() == before


@pytest.mark.parametrize("name, old, new", [("helpers", "2 * x", "3 * x"), ("training", "RATE = 1", "RATE = 2")])
def test_a_change_in_what_is_imported_or_in_training_counts(repository: Path, name: str, old: str, new: str) -> None:
    before = version()
    edit(repository, f"demo_core/{name}.py", old, new)
    assert version() != before


def test_another_model_does_not_count(repository: Path) -> None:
    before = version()
    edit(repository, "demo_core/models/two.py", "return x", "return -x")
    assert version() == before and version("demo_core.models.two") != before


def test_a_commit_has_the_version_that_its_files_had(repository: Path) -> None:
    first = commit(repository)
    before = version()
    edit(repository, "demo_core/helpers.py", "2 * x", "3 * x")
    assert version(at=first) == before != version()
    assert version(at=commit(repository)) == version()


def test_a_changed_or_unknown_commit_has_none(repository: Path) -> None:
    assert version(at=commit(repository) + "+") is None
    assert version(at="unknown") is None


# Files that were rewritten and mean the same


def note(folder: Path, *lines: Equal) -> None:
    rows = [dataclasses.asdict(line) for line in lines]
    (folder / versions.EQUAL).write_text(json.dumps(rows))


def digest(folder: Path, name: str) -> str:
    return digest_of(ast.parse((folder / name).read_text()))


def test_a_rewritten_file_that_is_noted_keeps_the_version(repository: Path) -> None:
    name, first, before = "demo_core/helpers.py", commit(repository), version()
    trees = [digest(repository, name)]
    for old, new in (("2 * x", "x + x"), ("x + x", "sum((x, x))")):
        edit(repository, name, old, new)
        trees.append(digest(repository, name))
    assert version() != before
    note(repository, Equal(name, trees[1], trees[0], "shown"), Equal(name, trees[2], trees[1], "shown"))
    assert version() == before == version(at=first), "by way of the one between"
    last = commit(repository)
    edit(repository, name, "sum((x, x))", "3 * x")
    assert version() != before, "what comes after is not noted"
    assert version(at=last) == before, "and what was committed is what it was"


def test_a_new_file_that_does_nothing_is_left_out(repository: Path) -> None:
    before = version()
    edit(repository, "demo_core/training.py", "RATE = 1", "from demo_core.sharing import ALONE\n\nRATE = 1")
    (repository / "demo_core/sharing.py").write_text("ALONE = 1\n")
    training, sharing = "demo_core/training.py", "demo_core/sharing.py"
    now, old = digest(repository, training), digest_of(ast.parse("RATE = 1\n"))
    note(repository, Equal(training, now, old, "shown"))
    assert version() != before
    note(repository, Equal(training, now, old, "shown"), Equal(sharing, digest(repository, sharing), None, "shown"))
    assert version() == before
    edit(repository, sharing, "ALONE = 1", "ALONE = 2")
    assert version() != before


def test_what_a_file_means_elsewhere_is_nothing_to_another_file(repository: Path) -> None:
    name = "demo_core/helpers.py"
    before, old = version(), digest(repository, name)
    edit(repository, name, "2 * x", "3 * x")
    note(repository, Equal("demo_core/other.py", digest(repository, name), old, "shown"))
    assert version() != before


def test_the_table_is_about_the_files_as_they_are() -> None:
    """A file that was changed since has figures of its own: show that they are the same (``scripts.equal_code``), or
    take its lines out.
    """
    lines = equal_code()
    assert lines, "read from the repository"
    for path in {line.path for line in lines}:
        known = {digest for line in lines if line.path == path for digest in (line.digest, line.same_as)}
        now = digest(versions.ROOT, path) if (versions.ROOT / path).is_file() else None
        assert now in known, f"{path} is not what any line of {versions.EQUAL} speaks of"
    by_digest = {(line.path, line.digest): line for line in lines}
    assert len(by_digest) == len(lines), "one meaning each"
    for line in lines:
        seen = [line]
        while (seen[-1].path, seen[-1].same_as) in by_digest:
            seen.append(by_digest[seen[-1].path, seen[-1].same_as or ""])
            assert len(seen) <= len(lines), f"a circle through {line.path}"
        assert line.why.startswith("python -m scripts.equal_code ")


@pytest.mark.parametrize("name, old, new", [("helpers", "2 * x", "2 *x"), ("helpers", "(x)", "(x: int)")])
def test_a_digest_is_that_of_the_tree(repository: Path, name: str, old: str, new: str) -> None:
    path = f"demo_core/{name}.py"
    before = digest(repository, path)
    edit(repository, path, old, new)
    assert (digest(repository, path) == before) == (new == "2 *x")


def test_a_digest_is_the_same_for_every_python(repository: Path) -> None:
    """Versions differ in the fields that they leave empty; this one was made by Python 3.11."""
    assert digest(repository, "demo_core/helpers.py").startswith("be6e443c5ffd8390")
