"""The command that trains on somebody's own interactions."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from demo_core import checkpoint
from demo_core.example_people import read_examples
from scripts.own_data import MOST_MEMORY, at_most, main
from tests.walks import walks


@pytest.fixture
def table(tmp_path: Path) -> Path:
    return walks(tmp_path / "table.csv")


def test_check_says_what_is_in_the_file_and_writes_nothing(
    table: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([str(table), "--check", "--title=Walks", f"--checkpoints={tmp_path / 'bundles'}"]) == 0
    told = capsys.readouterr().out
    assert "420 rows; 60 of 60 people and 30 of 30 items have enough: 420 interactions" in told
    assert "Columns: user from 'user', item from 'item', time from 'time'" in told
    assert not (tmp_path / "bundles").exists()


def test_models_and_example_people_stand_where_the_app_looks(
    table: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = [str(table), "--title=Walks", f"--checkpoints={tmp_path}", "--models", "item_knn"]
    assert main(arguments) == 0
    assert "HR@20" in capsys.readouterr().out
    assert checkpoint.load(tmp_path / "own-walks" / "item_knn").catalogue.num_items == 30
    assert len(read_examples(tmp_path / "own-walks" / "examples.json", 30)) == 60
    assert main(arguments) == 1
    assert "There is an own data set own-walks already" in capsys.readouterr().err


def test_json_tells_one_object_a_line(table: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    models = ["--models", "popularity"]
    assert main([str(table), "--title=Walks", f"--checkpoints={tmp_path}", "--json", *models]) == 0
    told = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [one["kind"] for one in told] == ["about", "planned", "began", "trained"]
    assert told[0]["people"] == 60 and told[-1]["rows"] == 60


def test_a_file_that_cannot_be_used_ends_with_its_reason(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(tmp_path / "none.csv")]) == 1
    assert "found none called none.csv" in capsys.readouterr().err
    assert main([str(tmp_path / "none.csv"), "--json"]) == 1
    assert json.loads(capsys.readouterr().out)["kind"] == "problem"


@pytest.mark.parametrize(
    ("soft", "hard", "lowest"),
    [(-1, -1, MOST_MEMORY), (-1, 2**30, 2**30), (2**29, 2**30, 2**29), (2**40, -1, MOST_MEMORY)],
)
def test_a_limit_that_there_is_already_is_not_raised(
    soft: int, hard: int, lowest: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    resource = pytest.importorskip("resource")
    before = tuple(resource.RLIM_INFINITY if limit == -1 else limit for limit in (soft, hard))
    asked: list[tuple[int, int]] = []
    monkeypatch.setattr(resource, "getrlimit", lambda which: before)
    monkeypatch.setattr(resource, "setrlimit", lambda which, limits: asked.append(limits))
    with at_most(MOST_MEMORY):
        assert asked == [(lowest, before[1])]
    assert asked[1:] == [before]
