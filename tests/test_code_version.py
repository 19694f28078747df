"""The code version changes with what the code does, and with nothing else."""

import subprocess
from pathlib import Path

import pytest

from demo_core import code_version as versions
from demo_core.code_version import code_version

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
