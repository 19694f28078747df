"""Lines are added whole or not at all, whatever was left before them and whoever else writes."""

import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest
from filelock import FileLock, Timeout

from demo_core import json_lines
from demo_core.json_lines import DamagedLineError, NotRecordedError, append_line, drop_partial_line, read_lines
from demo_core.runs import append_run, read_runs
from tests.runs import run


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """One run and what a process that was stopped while it wrote another has left of it."""
    path = tmp_path / "measured.jsonl"
    append_run(path, run(seed=0))
    with path.open("a", encoding="utf-8") as opened:
        opened.write(json.dumps(run(seed=1).to_dict())[:100])
    return path


def test_what_a_broken_off_line_left_is_taken_out_before_the_next_and_said(
    file: Path, caplog: pytest.LogCaptureFixture
) -> None:
    append_run(file, run(seed=2))
    assert [one.seed for one in read_runs(file)] == [0, 2]
    assert "measured.jsonl: the last line had been cut off" in caplog.text


def test_a_whole_line_that_lacks_its_end_alone_is_kept(file: Path, caplog: pytest.LogCaptureFixture) -> None:
    file.write_text(json.dumps(run(seed=5).to_dict()), encoding="utf-8")
    assert not drop_partial_line(file)
    append_run(file, run(seed=6))
    assert [one.seed for one in read_runs(file)] == [5, 6] and not caplog.text


def test_a_line_that_could_not_be_written_whole_is_said_and_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "measured.jsonl"
    append_run(path, run(seed=0))
    write = os.write
    monkeypatch.setattr(os, "write", lambda descriptor, content: write(descriptor, content[: len(content) // 2]))
    with pytest.raises(NotRecordedError, match=r"measured\.jsonl: expected to add a line, got: \d+ of \d+ bytes"):
        append_run(path, run(seed=1))
    monkeypatch.undo()
    assert [one.seed for one in read_runs(path)] == [0]


@pytest.mark.parametrize("change", [drop_partial_line, lambda path: append_line(path, {"a": 1})])
def test_a_file_is_changed_by_one_process_at_a_time(
    file: Path, change: Callable[[Path], object], monkeypatch: pytest.MonkeyPatch
) -> None:
    cut, asked = json_lines._end_whole, []

    def with_a_look_at_the_lock(path: Path) -> bool:
        with pytest.raises(Timeout), FileLock(path.with_name(path.name + ".lock"), timeout=0):
            pass
        asked.append(path)
        return cut(path)

    monkeypatch.setattr(json_lines, "_end_whole", with_a_look_at_the_lock)
    change(file)
    assert asked == [file]


def test_a_file_without_a_broken_line_is_not_touched(tmp_path: Path) -> None:
    path = tmp_path / "measured.jsonl"
    assert not drop_partial_line(tmp_path / "nowhere" / "measured.jsonl")
    path.write_bytes(b"")
    assert not drop_partial_line(path)
    path.write_text('{"a": 1}\n')
    assert not drop_partial_line(path)
    assert [one.name for one in tmp_path.iterdir()] == ["measured.jsonl"], "no lock either"


def test_a_file_that_cannot_be_written_is_named(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(NotRecordedError, match=r"x\.jsonl: expected to add a line, got: (Not a directory|File exists)"):
        append_line(file / "x.jsonl", {"a": 1})

    def refuse(path: Path) -> FileLock:
        raise PermissionError(13, "Permission denied", f"{path}.lock")

    monkeypatch.setattr(json_lines, "_lock", refuse)
    for change in (drop_partial_line, lambda path: append_line(path, {"a": 1})):
        with pytest.raises(NotRecordedError, match=r"measured\.jsonl: .*got: Permission denied\. Name a file that can"):
            change(file)


def test_a_folder_in_the_place_of_the_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "inside").write_text("")  # so that no file system says that it is empty
    for change in (drop_partial_line, lambda path: append_line(path, {"a": 1})):
        with pytest.raises(NotRecordedError, match=r"expected .*, got: Is a directory\. Name a file that can"):
            change(tmp_path)


def test_lines_are_read_in_order_and_empty_ones_passed_over(tmp_path: Path) -> None:
    path = tmp_path / "some.jsonl"
    assert read_lines(path, dict, "pairs") == []
    path.write_text('{"a": 1}\n\n{"b": 2}', encoding="utf-8")
    assert read_lines(path, dict, "pairs") == [{"a": 1}, {"b": 2}]


@pytest.mark.parametrize(
    "line, wrong",
    [
        (b'{"a": ', "Expecting value"),
        (b'{"a": "\xff"}', "codec can't decode byte 0xff"),
        (b"[" * 100_000, "recursion"),
        (b'{"b": 1}', "no field 'a'"),
        (b"7", "not subscriptable"),
    ],
)
def test_a_damaged_line_is_told_by_file_and_number_and_what_to_do(tmp_path: Path, line: bytes, wrong: str) -> None:
    path = tmp_path / "some.jsonl"
    path.write_bytes(b'{"a": 1}\n' + line + b"\n")
    told = rf"some\.jsonl, line 2: expected pairs as a JSON object, got: .*{wrong}.*\. Mend the line, or take it out\.$"
    with pytest.raises(DamagedLineError, match=told):
        read_lines(path, lambda content: content["a"], "pairs")
