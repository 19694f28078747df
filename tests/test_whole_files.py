"""A file is the old one or the new one, whatever happens while it is written."""

from pathlib import Path

import pytest

from demo_core.whole_files import written_beside


def test_the_new_file_takes_the_place_only_when_it_is_whole(tmp_path: Path) -> None:
    path = tmp_path / "shelf" / "list.json"
    for words in ("old", "new"):
        with written_beside(path) as file:
            before = path.read_text() if path.exists() else None
            file.write_text(words)
            assert (path.read_text() if path.exists() else None) == before
        assert path.read_text() == words
    assert list(path.parent.iterdir()) == [path]


def test_an_error_leaves_the_old_file_and_nothing_beside_it(tmp_path: Path) -> None:
    path = tmp_path / "list.json"
    path.write_text("old")
    with pytest.raises(KeyboardInterrupt), written_beside(path) as file:
        file.write_text("half of")
        raise KeyboardInterrupt
    assert path.read_text() == "old" and list(tmp_path.iterdir()) == [path]


def test_an_error_before_anything_is_written_is_that_error(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError), written_beside(tmp_path / "list.json"):
        raise ZeroDivisionError
