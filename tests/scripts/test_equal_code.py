"""Old and new code are run, and only what ended in the same bits is noted."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from demo_core import code_version as versions
from demo_core.datasets import toy_world
from demo_core.models import MODELS
from scripts import equal_code, same_bits

HELPERS = "demo_core/helpers.py"
FILES = {
    "demo_core/models/one.py": "from demo_core.helpers import double\n",
    HELPERS: "def double(x):\n    return 2 * x\n",
    "demo_core/training.py": "RATE = 1\n",
}
# What the real witness does with trainings: it asks the package and prints what came of it.
WITNESS = """import json
from demo_core.helpers import double
print(json.dumps({"model": "one", "weights": double(2), "resumed": double(2)}))
"""


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    root = tmp_path / "repository"
    for name, content in FILES.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(content)
    identity = ["-c", "user.name=Test", "-c", "user.email=test@example.org"]
    for command in (["init", "-q"], ["add", "-A"], [*identity, "commit", "-q", "-m", "x"]):
        subprocess.run(["git", *command], cwd=root, check=True, capture_output=True)
    (tmp_path / "witness.py").write_text(WITNESS)
    monkeypatch.setattr(versions, "ROOT", root)
    monkeypatch.setattr(equal_code, "ROOT", root)
    monkeypatch.setattr(equal_code, "WITNESS", tmp_path / "witness.py")
    model = SimpleNamespace(model=SimpleNamespace(__module__="demo_core.models.one"))
    monkeypatch.setattr(equal_code, "MODELS", {"one": model})
    return root


def run(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> None:
    monkeypatch.setattr(sys, "argv", ["equal_code", *arguments])
    equal_code.main()


def test_a_file_that_was_rewritten_is_noted_with_the_command(
    repository: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    versions.code_version.cache_clear()
    before = versions.code_version("demo_core.models.one", "HEAD")
    (repository / HELPERS).write_text("def double(x):\n    return x + x\n")
    run(monkeypatch, "HEAD")
    (line,) = json.loads((repository / versions.EQUAL).read_text())
    assert (line["path"], line["why"]) == (HELPERS, "python -m scripts.equal_code HEAD --datasets toy")
    assert versions.code_version("demo_core.models.one") == before
    run(monkeypatch, "HEAD")
    assert "No file has another meaning" in capsys.readouterr().out


def test_nothing_is_noted_when_something_else_comes_out(repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (repository / HELPERS).write_text("def double(x):\n    return 3 * x\n")
    with pytest.raises(SystemExit, match="On toy these end differently, so that nothing is noted: one"):
        run(monkeypatch, "HEAD")
    assert not (repository / versions.EQUAL).exists()


def test_what_was_mended_may_end_differently_and_is_said(
    repository: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (repository / HELPERS).write_text("def double(x):\n    return 3 * x\n")
    with pytest.raises(SystemExit, match="end differently"):
        run(monkeypatch, "HEAD", "--but", "another")
    run(monkeypatch, "HEAD", "--but", "one")
    (line,) = json.loads((repository / versions.EQUAL).read_text())
    assert line["why"] == "python -m scripts.equal_code HEAD --datasets toy --but one"
    assert "toy: 0 trainings" in capsys.readouterr().out


def test_what_ends_in_the_same_bits_is_no_exception(repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (repository / HELPERS).write_text("def double(x):\n    return x + x\n")
    with pytest.raises(SystemExit, match="say it without them: one"):
        run(monkeypatch, "HEAD", "--but", "one")
    assert not (repository / versions.EQUAL).exists()


def test_a_commit_that_git_does_not_know_is_refused(repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (repository / HELPERS).write_text("def double(x):\n    return x + x\n")
    with pytest.raises(SystemExit, match="Expected a commit that is known here, got 'deadbeef'"):
        run(monkeypatch, "deadbeef")
    assert not (repository / versions.EQUAL).exists()


def test_new_and_removed_files_mean_nothing(repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (repository / HELPERS).unlink()
    (repository / "demo_core/models/one.py").write_text("from demo_core.doubles import double\n")
    (repository / "demo_core/doubles.py").write_text(FILES[HELPERS])
    lines = {line.path: line for line in equal_code.new_lines("HEAD", "shown")}
    assert sorted(lines) == ["demo_core/doubles.py", HELPERS, "demo_core/models/one.py"]
    assert lines["demo_core/doubles.py"].same_as is None and lines[HELPERS].same_as is None
    equal_code.write(lines.values())
    assert equal_code.new_lines("HEAD", "shown") == []


def test_the_witness_trains_every_model_and_finds_a_resumed_training_the_same() -> None:
    dataset = toy_world(num_sequences=40)
    configs = {title: (name, config) for title, name, config in same_bits._configs(dataset)}
    assert {name for name, _ in configs.values()} == set(MODELS)
    found = same_bits._digests(*configs["card"], dataset)
    assert found["weights"] == found["resumed"] and found["report"] == found["report_resumed"]
    assert found == same_bits._digests(*configs["card"], dataset)


def test_the_witness_needs_nothing_but_the_package(tmp_path: Path) -> None:
    file = Path(same_bits.__file__)
    (tmp_path / "demo_core").symlink_to(file.parents[1] / "demo_core")
    started = [sys.executable, str(file), "--help"]
    environment = {**os.environ, "PYTHONPATH": str(tmp_path)}
    done = subprocess.run(started, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
