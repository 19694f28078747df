from pathlib import Path

import pandas as pd
import pytest

from demo_core.prepared import DataError
from demo_core.raw_data import (
    clean_title,
    read_beauty,
    read_ml_1m,
    read_movielens,
    read_movielens_small,
    read_sessions,
)

MOVIES = [
    (7, "Second, The (1999)", "Drama|Comedy"),
    (3, "First (1950)", "(no genres listed)"),
    (9, "Unrated (2001)", "Drama"),
]


def write_movies(folder: Path, names: tuple[str, str, str] = ("movieId", "title", "genres")) -> None:
    movies = [*MOVIES, *((i, f"Movie {i} (2000)", "Action") for i in range(100, 125))]
    pd.DataFrame(movies, columns=list(names)).to_csv(folder / "movies.csv.gz", index=False)


def ratings_of(users: int, movies: list[int], edition: str = "2018-09") -> pd.DataFrame:
    """Every user likes every movie, the newest first in the file."""
    rows = [(edition, user, movie, 4.0, 1000 - at) for user in range(users) for at, movie in enumerate(movies)]
    return pd.DataFrame(rows, columns=["edition", "userId", "movieId", "rating", "timestamp"])


@pytest.mark.parametrize(
    ("raw", "title", "year"),
    [
        ("Matrix, The (1999)", "The Matrix", 1999),
        ("Hate (Haine, La) (1995)", "Hate (La Haine)", 1995),
        (
            "City of Lost Children, The (Cité des enfants perdus, La) (1995)",
            "The City of Lost Children (La Cité des enfants perdus)",
            1995,
        ),
        ("Enfer, L' (1994)", "L'Enfer", 1994),
        ("Strike! (a.k.a. Hairy Bird, The) (1998)", "Strike! (a.k.a. The Hairy Bird)", 1998),
        ("Human Centipede II (Full Sequence), The (2011)", "The Human Centipede II (Full Sequence)", 2011),
        ("Lord of the Rings: The Two Towers, The (2002)", "The Lord of the Rings: The Two Towers", 2002),
        ("Good, the Bad and the Ugly, The (1966)", "The Good, the Bad and the Ugly", 1966),
        ("I, Robot (2004)", "I, Robot", 2004),
        ("Monsters, Inc. (2001)", "Monsters, Inc.", 2001),
        ("Lust, Caution (Se, jie) (2007)", "Lust, Caution (Se, jie)", 2007),
        ("Babe Ruth Story, The (1948) ", "The Babe Ruth Story", 1948),
        ("Dark Portals  (Vidocq) (2001)", "Dark Portals (Vidocq)", 2001),
        ("Fawlty Towers (1975-1979)", "Fawlty Towers", 1975),
        ("Big Bang Theory, The (2007-)", "The Big Bang Theory", 2007),
        ("Death Note (2006–2007)", "Death Note", 2006),
        ("2001: A Space Odyssey (1968)", "2001: A Space Odyssey", 1968),
        ("Nocturnal Animals", "Nocturnal Animals", None),
        ("301, 302 (301/302) (1995)", "301, 302 (301/302)", 1995),
    ],
)
def test_titles_lose_the_year_and_get_their_article_back(raw: str, title: str, year: int | None) -> None:
    assert clean_title(raw) == (title, year)


def write_editions(folder: Path, ratings: pd.DataFrame) -> None:
    ratings.to_parquet(folder / "ratings.parquet")
    write_movies(folder)


def test_movielens_keeps_time_order_and_numbers_movies_by_their_id(tmp_path: Path) -> None:
    liked = [7, 3, *range(100, 108)]
    ratings = pd.concat([ratings_of(2, liked, edition) for edition in ("2015-04", "2016-10", "2018-09")])
    write_editions(tmp_path, ratings)
    found = read_movielens(tmp_path)
    assert found.titles[:3] == ("First", "The Second", "Movie 100")
    assert found.years[:3] == (1950, 1999, 2000)
    assert found.genres[:3] == ((), ("Drama", "Comedy"), ("Action",))
    assert found.items == ((10, 9, 8, 7, 6, 5, 4, 3, 1, 2),) * 6
    assert found.splits == ("all",) * 6


def test_equal_times_keep_the_order_of_the_file(tmp_path: Path) -> None:
    ratings = pd.concat([ratings_of(2, list(range(109, 99, -1)), e) for e in ("2015-04", "2016-10", "2018-09")])
    write_editions(tmp_path, ratings.assign(timestamp=5))
    assert read_movielens(tmp_path).items == (tuple(range(10, 0, -1)),) * 6


def test_one_user_number_in_two_editions_is_two_people(tmp_path: Path) -> None:
    liked = list(range(100, 110))
    ratings = pd.concat([ratings_of(2, liked, e) for e in ("2015-04", "2016-10", "2018-09")])
    write_editions(tmp_path, ratings)
    assert [len(items) for items in read_movielens(tmp_path).items] == [10] * 6


def test_movies_are_filtered_before_people_and_once(tmp_path: Path) -> None:
    common = list(range(100, 110))
    ratings = pd.concat(
        [
            *(ratings_of(2, common, e) for e in ("2015-04", "2016-10", "2018-09")),
            ratings_of(1, [*common[:9], 7], "2018-09").assign(userId=50),  # 7 is rare, so nine are left: dropped
            ratings_of(4, [120], "2016-10").assign(userId=lambda frame: frame["userId"] + 60),  # rare, and short
            ratings_of(1, [*common, 3], "2018-09").assign(userId=70),  # kept without the rare 3
        ]
    )
    write_editions(tmp_path, ratings)
    found = read_movielens(tmp_path)
    assert len(found.items) == 7
    assert found.titles == tuple(f"Movie {i}" for i in common)


def test_a_movie_liked_by_people_who_are_dropped_still_counts(tmp_path: Path) -> None:
    common = list(range(100, 109))
    ratings = pd.concat(
        [
            *(ratings_of(2, [*common, 109], e) for e in ("2015-04", "2016-10", "2018-09")),
            ratings_of(4, [7], "2018-09").assign(userId=lambda frame: frame["userId"] + 60),
            ratings_of(1, [*common, 7], "2018-09").assign(userId=70),
        ]
    )
    write_editions(tmp_path, ratings)
    found = read_movielens(tmp_path)
    assert len(found.items) == 7
    assert found.titles[0] == "The Second"


def test_ratings_below_four_do_not_count(tmp_path: Path) -> None:
    ratings = ratings_of(5, list(range(100, 111)), "2018-09").drop(columns="edition")
    ratings.loc[ratings["movieId"] == 105, "rating"] = 3.5
    ratings.to_csv(tmp_path / "ratings.csv", index=False)
    write_movies(tmp_path)
    assert "Movie 105" not in read_movielens_small(tmp_path).titles
    assert len(read_movielens_small(tmp_path).items) == 5


def test_movielens_names_the_editions_that_are_missing(tmp_path: Path) -> None:
    write_editions(tmp_path, ratings_of(5, list(range(100, 111)), "2018-09"))
    with pytest.raises(DataError, match=r"lacks \['2015-04', '2016-10'\]"):
        read_movielens(tmp_path)


def test_a_rated_movie_without_a_title_is_refused(tmp_path: Path) -> None:
    ratings_of(5, list(range(400, 411))).drop(columns="edition").to_csv(tmp_path / "ratings.csv", index=False)
    write_movies(tmp_path)
    with pytest.raises(DataError, match="title for every rated movie"):
        read_movielens_small(tmp_path)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"ratings\.csv\.gz or ratings\.csv"):
        read_movielens_small(tmp_path)


def write_ml_1m(table: Path, original: Path) -> None:
    """The same ratings as a table and as the original files, in another order within the same second."""
    rows = [(user, 100 + m, 4 + m % 2, 50 + m // 7) for user in (1, 2) for m in range(20)]
    rows += [(1, 7, 5, 49), (2, 3, 3, 40), (3, 100, 5, 1)]
    for folder in (table, original):
        folder.mkdir()
    frame = pd.DataFrame(rows, columns=["user_id", "movie_id", "rating", "timestamp"])
    frame.astype({"rating": "Int8", "timestamp": "Int64"}).to_parquet(table / "interactions.parquet")
    write_movies(table, ("movie_id", "title", "genres"))
    lines = "".join(f"{user}::{movie}::{stars}::{time}\n" for user, movie, stars, time in reversed(rows))
    (original / "ratings.dat").write_text(lines)
    movies = [*MOVIES, *((i, f"Movie {i} (2000)", "Action") for i in range(100, 125))]
    (original / "movies.dat").write_text("".join(f"{i}::{t}::{g}\n" for i, t, g in movies), encoding="latin-1")


def test_ml_1m_is_the_same_from_the_original_files_and_from_the_table(tmp_path: Path) -> None:
    write_ml_1m(tmp_path / "table", tmp_path / "original")
    found = read_ml_1m(tmp_path / "original")
    assert found == read_ml_1m(tmp_path / "table")
    assert found.titles[0] == "The Second"
    assert [len(items) for items in found.items] == [21, 20]
    assert found.items[0][0] == 1
    assert set(found.items[0][1:8]) == set(range(2, 9))


def test_ml_1m_orders_equal_times_by_neither_id_nor_file(tmp_path: Path) -> None:
    write_ml_1m(tmp_path / "table", tmp_path / "original")
    first, second = read_ml_1m(tmp_path / "table").items
    assert list(first[1:8]) not in (sorted(first[1:8]), sorted(first[1:8], reverse=True))
    assert first[1:8] != second[0:7]


def test_ml_1m_skips_ratings_whose_stars_are_unknown(tmp_path: Path) -> None:
    write_ml_1m(tmp_path / "table", tmp_path / "original")
    frame = pd.read_parquet(tmp_path / "table" / "interactions.parquet")
    frame.loc[frame["movie_id"] == 7, "rating"] = pd.NA
    frame.to_parquet(tmp_path / "table" / "interactions.parquet")
    assert [len(items) for items in read_ml_1m(tmp_path / "table").items] == [20, 20]


def test_ml_1m_reads_accents_of_the_original_file(tmp_path: Path) -> None:
    write_ml_1m(tmp_path / "table", tmp_path / "original")
    path = tmp_path / "original" / "movies.dat"
    text = path.read_text(encoding="latin-1").replace("Second, The (1999)", "Misérables, Les (1995)")
    path.write_bytes(text.encode("latin-1"))
    assert read_ml_1m(tmp_path / "original").titles[0] == "Les Misérables"


def write_beauty(folder: Path, item_ids: list[int]) -> None:
    frame = pd.DataFrame({"user_id": [2, 1, 1], "position": [0, 1, 0], "item_id": [3, 2, 1]})
    frame.to_parquet(folder / "sequences.parquet")
    titles = ["Cr&egrave;me  one", None, "Comb &amp; brush"]
    pd.DataFrame({"item_id": item_ids, "asin": ["A1", "A2", "A3"], "title": titles}).to_csv(
        folder / "items.csv.gz", index=False
    )


def test_beauty_is_read_in_order_of_user_and_position(tmp_path: Path) -> None:
    write_beauty(tmp_path, [1, 2, 3])
    found = read_beauty(tmp_path)
    assert found.items == ((1, 2), (3,))
    assert found.titles == ("Crème one", "Product A2", "Comb & brush")


def test_beauty_refuses_gaps_in_the_item_numbers(tmp_path: Path) -> None:
    write_beauty(tmp_path, [1, 2, 4])
    with pytest.raises(DataError, match=r"items numbered 1\.\.3"):
        read_beauty(tmp_path)


def test_sessions_keep_their_split_and_the_whole_catalogue(tmp_path: Path) -> None:
    rows = [
        ("test", 0, 0, 4),
        ("val", 0, 0, 3),
        ("train", 1, 0, 2),
        ("train", 0, 1, 1),
        ("train", 0, 0, 0),
        ("val", 0, 1, 3),
    ]
    frame = pd.DataFrame(rows, columns=["split", "session_id", "position", "item_id"])
    frame["split"] = frame["split"].astype("category")
    frame.to_parquet(tmp_path / "sessions.parquet")
    found = read_sessions(tmp_path, 6)
    assert found.items == ((1, 2), (3,), (4, 4), (5,))
    assert found.splits == ("train", "train", "validation", "test")
    assert found.titles == tuple(f"Item {i}" for i in range(1, 7))
