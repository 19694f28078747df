"""Reading somebody's own table of interactions."""

from __future__ import annotations

import gzip
from pathlib import Path

import pandas as pd
import pytest

from demo_core import interactions
from demo_core.interactions import read_interactions
from demo_core.prepared import DataError

LINES = ["u1,i1,30,Alien", "u1,i2,10,Heat", "u2,i1,20,Alien"]


def written(folder: Path, text: str, name: str = "table.csv") -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def table(*lines: str, head: str = "user,item,time,title") -> str:
    return "\n".join([head, *lines]) + "\n"


def rows(path: Path) -> list[tuple[str, str]]:
    frame = read_interactions(path).frame
    return list(zip(frame["user"], frame["item"], strict=True))


def test_rows_come_back_by_person_in_the_order_of_time(tmp_path: Path) -> None:
    found = read_interactions(written(tmp_path, table(*LINES)))
    assert found.frame.values.tolist() == [
        ["u1", "i2", 10.0, "Heat"],
        ["u1", "i1", 30.0, "Alien"],
        ["u2", "i1", 20.0, "Alien"],
    ]
    assert (found.rows, found.dated, found.notes) == (3, False, ())


def test_rows_of_the_same_time_keep_the_order_of_the_file(tmp_path: Path) -> None:
    path = written(tmp_path, table("u,z,5,", "u,a,5,", "u,m,5,"))
    assert rows(path) == [("u", "z"), ("u", "a"), ("u", "m")]
    assert read_interactions(path).notes == (
        "3 rows share person and time with another; they keep the order of the file.",
    )


@pytest.mark.parametrize("mark", ["\t", ";", ",", "|"])
def test_any_usual_mark_between_columns_is_found(tmp_path: Path, mark: str) -> None:
    assert len(rows(written(tmp_path, table(*LINES).replace(",", mark), "table.tsv"))) == 3


def test_columns_may_be_called_as_in_public_data_sets_and_others_are_left_alone(tmp_path: Path) -> None:
    text = table("7,1,9,3.5,90", head="userId,movieId,Event Time,rating,timestamp")
    found = read_interactions(written(tmp_path, "\ufeff" + text))
    assert found.columns == {"user": "userId", "item": "movieId", "time": "timestamp"}
    assert found.frame["time"].tolist() == [90.0]


def test_quoted_titles_keep_their_commas_and_lose_doubled_spaces(tmp_path: Path) -> None:
    found = read_interactions(written(tmp_path, table('u,i,1,"The Good,  the ""Bad"""')))
    assert found.frame["title"].tolist() == ['The Good, the "Bad"']


def test_a_packed_table_and_a_parquet_say_the_same_as_the_table(tmp_path: Path) -> None:
    plain = read_interactions(written(tmp_path, table(*LINES))).frame
    with gzip.open(tmp_path / "table.csv.gz", "wt") as file:
        file.write(table(*LINES))
    numbers = pd.DataFrame({"user": [1.0, None], "item": [5, 6], "time": [3, 4]})
    plain.to_parquet(tmp_path / "table.parquet")
    numbers.to_parquet(tmp_path / "numbers.parquet")
    assert read_interactions(tmp_path / "table.csv.gz").frame.equals(plain)
    assert read_interactions(tmp_path / "table.parquet").frame.equals(plain)
    with pytest.raises(DataError, match=r"1 of 2 rows have no user or no item; the first is row 2 with item '6'"):
        read_interactions(tmp_path / "numbers.parquet")


@pytest.mark.parametrize(
    "times",
    [("2026-01-02", "2026-01-01"), ("2026-01-01T12:00:01Z", "2026-01-01T13:00:00+01:00"), ("1e3", "9.5")],
)
def test_times_may_be_dates_with_or_without_a_clock_or_numbers(tmp_path: Path, times: tuple[str, str]) -> None:
    later, earlier = times
    found = read_interactions(written(tmp_path, table(f"u,b,{later},", f"u,a,{earlier},")))
    assert found.frame["item"].tolist() == ["a", "b"]
    assert found.dated == ("-" in later)


def test_dates_of_a_parquet_are_read_as_they_are(tmp_path: Path) -> None:
    when = pd.to_datetime(["2026-03-01", "2025-03-01"])
    pd.DataFrame({"user": ["u", "u"], "item": ["b", "a"], "time": when}).to_parquet(tmp_path / "t.parquet")
    found = read_interactions(tmp_path / "t.parquet")
    assert (found.frame["item"].tolist(), found.dated) == (["a", "b"], True)


def test_a_few_rows_that_cannot_be_read_are_left_out_and_told(tmp_path: Path) -> None:
    lines = [f"u{n},i,{n}," for n in range(300)]
    lines[7], lines[9], lines[20] = "u7,i,soon,", ",i,9,", "u21,i,21,"
    found = read_interactions(written(tmp_path, table(*lines)))
    assert found.notes == (
        "Left out: 1 row without a user or an item; the first is row 10.",
        "Left out: 1 row whose time cannot be read; the first is row 8.",
        "2 rows share person and time with another; they keep the order of the file.",
        "Left out: 1 row with an item that the person had before; the first time counts.",
    )
    assert len(found.frame) == 297 and found.rows == 300


@pytest.mark.parametrize(
    "text, message",
    [
        ("a,b\n1,2\n", r"found a, b: no user and no item and no time\. Rename the column"),
        ("user,item\n1,2\n", "found user, item: no time"),
        ("user,user,item,time\n1,1,1,1\n", "a name of its own"),
        ("user,item,time\n", "a table without rows"),
        ("", "cannot be read as a table"),
        (
            "user,item,time\n1,2,tomorrow\n",
            "1 of 1 rows have a time that cannot be read; the first is row 1 with time 't",
        ),
        ("user,item,time\n1,,5\n", "1 of 1 rows have no user or no item; the first is row 1"),
        ("user,item,time\n1,2,inf\n", "a time that cannot be read"),
    ],
)
def test_a_table_that_cannot_be_used_is_refused_by_what_is_there(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(DataError, match=message):
        read_interactions(written(tmp_path, text))


def test_another_encoding_a_wrong_parquet_and_a_missing_file_are_named(tmp_path: Path) -> None:
    (tmp_path / "latin.csv").write_bytes("user,item,time\nu,é,1\n".encode("latin-1"))
    (tmp_path / "no.parquet").write_text("user,item,time\n")
    (tmp_path / "cut.csv.gz").write_bytes(gzip.compress(table(*LINES).encode())[:20])
    wrong = {"latin.csv": "UTF-8, got byte 0xe9", "x.csv": "none called x.csv"}
    wrong |= dict.fromkeys(("no.parquet", "cut.csv.gz"), "cannot be read as a table")
    for name, message in wrong.items():
        with pytest.raises(DataError, match=message):
            read_interactions(tmp_path / name)


def test_more_rows_than_fit_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(interactions, "MOST_ROWS", 2)
    path = written(tmp_path, table(*LINES))
    pd.read_csv(path).to_parquet(tmp_path / "table.parquet")
    for file in (path, tmp_path / "table.parquet"):
        with pytest.raises(DataError, match="at most 2 rows"):
            read_interactions(file)


@pytest.mark.parametrize("rows", [["u1,Matrix, The,i,5"], ["u1,Heat,i,5", "u1,Matrix, The,j,6"]])
def test_a_comma_that_nobody_quoted_is_an_error_and_no_other_item(tmp_path: Path, rows: list[str]) -> None:
    with pytest.raises(DataError, match="cannot be read as a table"):
        read_interactions(written(tmp_path, table(*rows, head="user,title,item,time")))


def test_a_table_that_stands_newest_first_is_turned_round_where_times_are_equal(tmp_path: Path) -> None:
    lines = ["u,c,2026-01-02,", "u,b,2026-01-01,", "u,a,2026-01-01,", "v,x,2026-01-03,"]
    found = read_interactions(written(tmp_path, table(*lines)))
    assert found.frame["item"].tolist() == ["a", "b", "c", "x"]
    (note,) = found.notes
    assert note.startswith("2 rows share person and time") and "newest first" in note


def test_dates_far_away_are_dates(tmp_path: Path) -> None:
    found = read_interactions(written(tmp_path, table("u,never,9999-12-31,", "u,first,0001-01-01,")))
    assert found.frame["item"].tolist() == ["first", "never"] and found.dated


@pytest.mark.parametrize("name", ["table.zip", "table.csv.xz", "table.tar", "table", "table.csv.zst"])
def test_other_kinds_of_file_are_refused_by_their_ending(tmp_path: Path, name: str) -> None:
    with pytest.raises(DataError, match=r"ends with \.parquet, \.csv"):
        read_interactions(written(tmp_path, table(*LINES), name))


def test_bytes_in_place_of_texts_are_refused(tmp_path: Path) -> None:
    frame = pd.DataFrame({"user": [b"\xff"], "item": [1e300], "time": [1]})
    frame.to_parquet(tmp_path / "bytes.parquet")
    with pytest.raises(DataError):
        read_interactions(tmp_path / "bytes.parquet")
