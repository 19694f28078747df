"""What a Space gets of the repository, and what two of its files say differently there."""

from __future__ import annotations

import ast
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from demo_core.json_lines import append_line
from demo_core.space_files import SpaceFilesError, known_files, shown_in, space_files, write_space

ROOT = Path(__file__).parent.parent
README = "---\ntitle: App\nthumbnail: .assets/cover.png\n---\n# App\n![A page](.assets/page.png) [terms](LICENSE)\n"
GOES = (
    *("LICENSE", "README.md", "app.py", "requirements.txt"),
    *(".assets/cover.png", ".assets/page.png"),
    *("demo_core/__init__.py", "demo_core/ui/page.js"),
    *("checkpoints/measured.jsonl", "checkpoints/movielens/LICENSE-movielens.txt"),
    *("checkpoints/movielens/card/model.safetensors", "checkpoints/movielens/examples.json"),
    *("scripts/__init__.py", "scripts/own_data.py"),
)
STAYS = {
    ".assets/unused.png": "pictures that the README does not show",
    ".ci/run": "settings of tools",
    ".gitignore": "settings of tools",
    "checkpoints/measured.jsonl.lock": "held while a file is written",
    "checkpoints/movielens/card.being-saved/config.json": "left by a training that was broken off",
    "checkpoints/movielens/card.replaced/config.json": "left by a training that was broken off",
    "checkpoints/movielens/card.training.safetensors": "left by a training that was broken off",
    "checkpoints/own-films/card/config.json": "somebody's own data",
    "demo_core/__pycache__/page.cpython-312.pyc": "made by Python",
    "notes.txt": "not of the app",
    "scripts/train.py": "scripts that the app does not start",
    "tests/test_app.py": "tests",
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A repository without git, with something of everything."""
    for path in (*GOES, *STAYS):
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(README if path == "README.md" else f"{path}\n", encoding="utf-8")
    return tmp_path


def git(folder: Path, *words: str) -> None:
    subprocess.run(["git", *words], cwd=folder, check=True, capture_output=True)


def test_a_space_gets_the_app_and_each_other_file_stays_for_a_reason(folder: Path) -> None:
    found = space_files(folder)
    assert list(found.sent) == sorted(GOES)
    assert found.left == STAYS
    assert found.size == sum((folder / path).stat().st_size for path in GOES)
    assert ("checkpoints", 4) in [(name, number) for name, number, _ in found.folders()]
    assert ("left by a training that was broken off", 3) in found.reasons()


def test_where_there_is_git_only_what_it_knows_is_sent(folder: Path) -> None:
    (folder / ".gitignore").write_text("/checkpoints/movielens/examples.json\n__pycache__/\n")
    git(folder, "init", "--quiet")
    git(folder, "add", ".")
    (folder / "demo_core/new.py").write_text("not added yet")
    (folder / "tests/new.py").write_text("not of the app")
    (folder / "demo_core/ui/page.js").unlink()
    found = space_files(folder)
    assert set(GOES) - set(found.sent) == {"checkpoints/movielens/examples.json", "demo_core/ui/page.js"}
    assert set(found.sent) < set(GOES)
    assert [path for path, reason in found.left.items() if reason == "not known to git"] == ["demo_core/new.py"]


def test_names_that_git_would_quote_are_known_as_they_are(folder: Path) -> None:
    (folder / "demo_core/Amélie and co.txt").write_text("")
    git(folder, "init", "--quiet")
    git(folder, "add", ".")
    assert "demo_core/Amélie and co.txt" in known_files(folder)


def test_locks_beside_the_results_are_not_for_git(tmp_path: Path) -> None:
    (tmp_path / ".gitignore").write_text((ROOT / ".gitignore").read_text())
    git(tmp_path, "init", "--quiet")
    append_line(tmp_path / "checkpoints" / "measured.jsonl", {"a": 1})
    git(tmp_path, "add", ".")
    assert known_files(tmp_path) == [".gitignore", "checkpoints/measured.jsonl"]


def test_a_git_that_fails_sends_nothing(folder: Path) -> None:
    (folder / ".git").write_text("gitdir: /nowhere\n")
    with pytest.raises(SpaceFilesError, match=r"git could not list the files of .*: fatal: not a git repository"):
        space_files(folder)


@pytest.mark.parametrize("missing", ["app.py", "README.md", ".assets/page.png", ".assets/cover.png"])
def test_a_file_that_the_space_cannot_do_without_is_missed_by_name(folder: Path, missing: str) -> None:
    (folder / missing).unlink()
    with pytest.raises(SpaceFilesError, match=f"A Space needs {missing}, which"):
        space_files(folder)


def test_files_shown_by_a_readme_are_those_of_the_repository() -> None:
    text = "[a](https://a.org/x.png) [b](#part) [c](mailto:x@a.org) ![d](./pictures/d.png) [e](e.md#part) [f](tests/)"
    assert shown_in(text) == ("pictures/d.png", "e.md")
    assert shown_in("---\nthumbnail: https://a.org/x.png\n---\n") == ()


def test_writing_copies_bytes_and_puts_changed_texts_in_their_place(folder: Path, tmp_path: Path) -> None:
    (folder / "checkpoints/movielens/card/model.safetensors").write_bytes(bytes(range(256)))
    place = tmp_path / "space"
    write_space(space_files(folder), {"README.md": "changed ↘\n"}, place)
    written = sorted(path.relative_to(place).as_posix() for path in place.rglob("*") if path.is_file())
    assert written == sorted(GOES)
    assert (place / "checkpoints/movielens/card/model.safetensors").read_bytes() == bytes(range(256))
    assert (place / "README.md").read_text(encoding="utf-8") == "changed ↘\n"
    assert (place / "LICENSE").read_text(encoding="utf-8") == "LICENSE\n"


# This repository


@pytest.fixture(scope="module")
def sent() -> dict[str, int]:
    return space_files(ROOT).sent


def test_the_space_gets_no_tests_no_raw_data_and_nothing_unfinished(sent: dict[str, int]) -> None:
    assert not [path for path in sent if path.startswith(("tests/", "checkpoints/own-", ".ci/"))]
    assert not [
        path
        for path in sent
        if path.endswith((".csv", ".dat", ".parquet", ".df", ".zip", ".pyc")) and path != "demo_core/published.csv"
    ]
    assert [path for path in sent if path.startswith("scripts/")] == ["scripts/__init__.py", "scripts/own_data.py"]


def test_the_space_gets_every_bundle_with_its_licences_and_the_figures(sent: dict[str, int]) -> None:
    known = [path for path in known_files(ROOT) if path.startswith("checkpoints/") and (ROOT / path).is_file()]
    assert set(known) <= set(sent)
    assert {"checkpoints/measured.jsonl", "checkpoints/ranks.jsonl", "checkpoints/tuning.jsonl"} <= set(sent)
    assert sum(sent.values()) < 100_000_000, "a Space is cloned at every start"


def test_every_module_that_the_space_imports_is_sent(sent: dict[str, int]) -> None:
    sources = [path for path in sent if path.endswith(".py")]
    missing = {
        f"{path}: {name}"
        for path in sources
        for name in own_imports(ROOT / path)
        if not {f"{name.replace('.', '/')}.py", f"{name.replace('.', '/')}/__init__.py"} & set(sent)
    }
    assert not missing, "git does not know them, or the rules leave them out"


def own_imports(path: Path) -> Iterator[str]:
    """Modules of this repository that a file imports."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        if isinstance(node, ast.ImportFrom) and node.module:
            below = [f"{node.module}.{alias.name}" for alias in node.names]
            names = [name if _is_module(name) else node.module for name in below]
        yield from (name for name in names if name.split(".")[0] in ("demo_core", "scripts", "tests"))


def _is_module(name: str) -> bool:
    place = ROOT / name.replace(".", "/")
    return place.is_dir() or place.with_suffix(".py").is_file()
