import dataclasses
from pathlib import Path

import pytest

from demo_core.prepared import DataError, Sequences, Statistics, read_prepared, verify, write_prepared

SPLIT = Sequences(
    items=((1, 2), (3,), (2, 4, 4)),
    splits=("train", "validation", "test"),
    titles=("Åsa's “film”", "<b>", "", "日本"),
    years=(1999, None, None, 2001),
    genres=(("Drama", "Comedy"), (), (), ()),
)
WHOLE = dataclasses.replace(SPLIT, splits=("all",) * 3)


@pytest.mark.parametrize("sequences", [SPLIT, WHOLE])
def test_what_is_written_is_read_back(sequences: Sequences, tmp_path: Path) -> None:
    write_prepared(sequences, tmp_path / "a" / "b")
    assert read_prepared(tmp_path / "a" / "b") == sequences
    assert sorted(path.name for path in (tmp_path / "a" / "b").iterdir()) == ["items.json", "sequences.parquet"]


def test_writing_again_replaces_both_files(tmp_path: Path) -> None:
    write_prepared(WHOLE, tmp_path)
    write_prepared(SPLIT, tmp_path)
    assert read_prepared(tmp_path) == SPLIT


def test_a_failed_write_leaves_the_old_files_alone(tmp_path: Path) -> None:
    place = tmp_path / "zhihu"
    write_prepared(SPLIT, place)
    unwritable = dataclasses.replace(WHOLE, titles=("\ud800", "b", "c", "d"))
    with pytest.raises(UnicodeEncodeError):
        write_prepared(unwritable, place)
    assert read_prepared(place) == SPLIT
    assert list(tmp_path.iterdir()) == [place]


@pytest.mark.parametrize("missing", ["sequences.parquet", "items.json"])
def test_a_missing_file_is_named_with_the_command_to_run(missing: str, tmp_path: Path) -> None:
    write_prepared(SPLIT, tmp_path / "zhihu")
    (tmp_path / "zhihu" / missing).unlink()
    with pytest.raises(DataError, match=f"got no {missing}.*scripts.prepare_data zhihu --from FOLDER"):
        read_prepared(tmp_path / "zhihu")


@pytest.mark.parametrize("damaged", ["sequences.parquet", "items.json"])
@pytest.mark.parametrize("content", [b"", b"[]", b"{}", b"\xff\xfe\x00 not a file"])
def test_damaged_files_are_refused(damaged: str, content: bytes, tmp_path: Path) -> None:
    write_prepared(SPLIT, tmp_path)
    (tmp_path / damaged).write_bytes(content)
    with pytest.raises(DataError, match="damaged"):
        read_prepared(tmp_path)


@pytest.mark.parametrize("splits", [("train", "train", "dev"), ("all", "train", "all")])
def test_unknown_or_mixed_splits_are_refused(splits: tuple[str, ...]) -> None:
    with pytest.raises(DataError, match="Expected splits"):
        dataclasses.replace(SPLIT, splits=splits)


def test_statistics_are_counted() -> None:
    assert Statistics.of(SPLIT) == Statistics(3, 4, 6, (2, 1, 3), SPLIT.hash)
    assert Statistics.of(WHOLE).rows is None


def test_the_hash_covers_everything() -> None:
    others = [
        WHOLE,
        dataclasses.replace(SPLIT, items=((1, 2), (3,), (4, 2, 4))),
        dataclasses.replace(SPLIT, items=((1,), (2, 3), (2, 4, 4))),
        dataclasses.replace(SPLIT, titles=("a", "b", "c", "d")),
        dataclasses.replace(SPLIT, years=(1999, None, None, None)),
        dataclasses.replace(SPLIT, genres=(("Drama",), ("Comedy",), (), ())),
    ]
    assert len({SPLIT.hash, *(other.hash for other in others)}) == 7


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"sequences": 4}, "expected sequences 4, got 3"),
        ({"items": 9}, "expected items 9, got 4"),
        ({"interactions": 7}, "expected interactions 7, got 6"),
        ({"rows": (2, 2, 2)}, r"expected rows \(2, 2, 2\), got \(2, 1, 3\)"),
        ({"hash": "0" * 64}, "expected hash 0000"),
    ],
)
def test_any_other_figure_is_refused_and_named(change: dict[str, object], message: str) -> None:
    known = Statistics.of(SPLIT)
    verify("zhihu", SPLIT, known)
    with pytest.raises(DataError, match=f"zhihu: {message}"):
        verify("zhihu", SPLIT, dataclasses.replace(known, **change))  # type: ignore[arg-type]
