"""Raw files of the public data sets -> sequences of ids 1..M in time order, and what is known of each item.

A reader takes the folder that holds the files of one data set and raises :class:`DataError` when one is missing.
Nothing is compared with published figures here: :func:`demo_core.prepared.verify` does that.
"""

from __future__ import annotations

import hashlib
import html
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from demo_core.prepared import SPLITS, DataError, Sequences

MIN_RATING = 4  # stars from which a rating counts as liked
SMALL_EDITIONS = ("2015-04", "2016-10", "2018-09")

_ARTICLES = "The|A|An|La|Le|Les|L'|El|Los|Las|Lo|Il|I|Gli|Der|Die|Das|Den|Det|De|En|Un|Une|Una|O|Da"
_YEAR = re.compile(r"\s*\((\d{4})(?:[-–]\d{0,4})?\)\s*$")
_MOVED_ARTICLE = re.compile(rf"^(\s*(?:a\.k\.a\.\s+)?)(.*\S),\s*({_ARTICLES})(\s*)$")


def read_movielens(folder: Path) -> Sequences:
    """The small editions of April 2015, October 2016 and September 2018 together.

    ``ratings.parquet`` (edition, userId, movieId, rating, timestamp) and ``movies.csv.gz``. Movies with at least 5
    liked ratings, then people with at least 10. User ids start again in every edition, so a person is an (edition,
    userId) pair.

    Eleven of the people kept were drawn into two editions and occur twice; both copies stay, because the statistics
    1,853 / 3,674 / 137,865 count them (without: 1,842 / 3,664 / 136,926). Ten of the pairs are equal, so both copies
    hold out the same two items and none of those is trained on; the eleventh person went on rating between the
    editions, so that the shorter copy's validation and test item are training targets of the longer one.
    """
    ratings = pd.read_parquet(_file(folder, "ratings.parquet"))
    missing = sorted(set(SMALL_EDITIONS) - set(ratings["edition"]))
    if missing:
        raise DataError(f"movielens needs the small editions {', '.join(SMALL_EDITIONS)}; {folder} lacks {missing}.")
    movies = pd.read_csv(_file(folder, "movies.csv.gz", "movies.csv"))
    return _liked(ratings, movies, ["edition", "userId"], per_movie=5, per_person=10)


def read_movielens_small(folder: Path) -> Sequences:
    """ml-latest-small of September 2018: ``ratings.csv`` and ``movies.csv``, packed or not; limits as for movielens."""
    ratings = pd.read_csv(_file(folder, "ratings.csv.gz", "ratings.csv"))
    movies = pd.read_csv(_file(folder, "movies.csv.gz", "movies.csv"))
    return _liked(ratings, movies, ["userId"], per_movie=5, per_person=10)


def read_ml_1m(folder: Path) -> Sequences:
    """MovieLens 1M under GlobalDiff's rule: liked ratings, movies with at least 1, then people with at least 20.

    Either the original ``ratings.dat`` and ``movies.dat``, or ``interactions.parquet`` (user_id, movie_id, rating,
    timestamp) and ``movies.csv.gz``. Two of five neighbouring ratings share their second and the two sources list
    those differently, so their order is fixed by a checksum of (user, movie): the same from either source, and
    without meaning.
    """
    if (folder / "ratings.dat").exists():
        # One-character separators keep pandas' fast parser: "a::b" is a, nothing, b.
        ratings = pd.read_csv(folder / "ratings.dat", sep=":", header=None, usecols=[0, 2, 4, 6])
        ratings.columns = pd.Index(["userId", "movieId", "rating", "timestamp"])
        text = _file(folder, "movies.dat").read_text(encoding="latin-1")
        movies = pd.DataFrame([line.split("::") for line in text.splitlines()], columns=["movieId", "title", "genres"])
        movies["movieId"] = movies["movieId"].astype(int)
    else:
        renamed = {"user_id": "userId", "movie_id": "movieId"}
        ratings = pd.read_parquet(_file(folder, "interactions.parquet")).rename(columns=renamed)
        movies = pd.read_csv(_file(folder, "movies.csv.gz", "movies.csv")).rename(columns=renamed)
    ratings = ratings[ratings["rating"].fillna(0) >= MIN_RATING]
    pairs = zip(ratings["userId"].tolist(), ratings["movieId"].tolist(), strict=True)
    checksums = [hashlib.sha256(f"{user}:{movie}".encode()).digest() for user, movie in pairs]
    order = sorted(range(len(checksums)), key=checksums.__getitem__)
    return _liked(ratings.iloc[order], movies, ["userId"], per_movie=1, per_person=20)


def read_beauty(folder: Path) -> Sequences:
    """Amazon Beauty 5-core: ``sequences.parquet`` (user_id, position, item_id 1..M), ``items.csv.gz`` (asin, title).

    A product without a title is called by its Amazon number.
    """
    frame = pd.read_parquet(_file(folder, "sequences.parquet")).sort_values(["user_id", "position"], kind="stable")
    products = pd.read_csv(_file(folder, "items.csv.gz", "items.csv")).sort_values("item_id")
    if products["item_id"].tolist() != list(range(1, len(products) + 1)):
        raise DataError(f"beauty: expected items numbered 1..{len(products)} in {folder}, got gaps or repeats.")
    named = products["title"].fillna("Product " + products["asin"])
    titles = tuple(" ".join(html.unescape(title).split()) for title in named)
    items = _grouped(frame["item_id"], frame, ["user_id"])
    return Sequences(items, ("all",) * len(items), titles, (None,) * len(titles), ((),) * len(titles))


def read_zhihu(folder: Path) -> Sequences:
    """Zhihu, the official DreamRec splits, 4,838 items."""
    return read_sessions(folder, 4_838)


def read_yoochoose(folder: Path) -> Sequences:
    """YooChoose, the official DreamRec splits, 9,514 items."""
    return read_sessions(folder, 9_514)


def read_sessions(folder: Path, num_items: int) -> Sequences:
    """DreamRec's sessions: ``sessions.parquet`` (split train/val/test, session_id, position, item_id 0..M-1).

    Ids become 1..M over the whole catalogue, with the items that occur in validation or test only. They have no names.
    """
    frame = pd.read_parquet(_file(folder, "sessions.parquet"))
    parts = [frame[frame["split"] == split] for split in ("train", "val", "test")]
    parts = [part.sort_values(["session_id", "position"], kind="stable") for part in parts]
    grouped = [_grouped(part["item_id"] + 1, part, ["session_id"]) for part in parts]
    items = tuple(sequence for sequences in grouped for sequence in sequences)
    splits = tuple(split for split, sequences in zip(SPLITS, grouped, strict=True) for _ in sequences)
    titles = tuple(f"Item {i}" for i in range(1, num_items + 1))
    return Sequences(items, splits, titles, (None,) * num_items, ((),) * num_items)


def clean_title(raw: str) -> tuple[str, int | None]:
    """``"Hate (Haine, La) (1995)"`` -> ``("Hate (La Haine)", 1995)``: the year apart, articles back in front.

    A span of years gives its first; no year in brackets at the end gives ``None``.
    """
    year = _YEAR.search(raw)
    name = _article_first(raw[: year.start()] if year else raw)
    parts = [_article_first(part) for part in re.split(r"([()])", name)]
    return " ".join("".join(parts).split()), int(year.group(1)) if year else None


def _article_first(part: str) -> str:
    found = _MOVED_ARTICLE.match(part)
    if not found:
        return part
    before, rest, article, after = found.groups()
    space = "" if article == "L'" else " "
    return f"{before}{article}{space}{rest}{after}"


def _liked(
    ratings: pd.DataFrame, movies: pd.DataFrame, person: list[str], per_movie: int, per_person: int
) -> Sequences:
    """Ratings of at least 4 stars, then movies with ``per_movie`` of them, then people with ``per_person``, once.

    Order: person, then timestamp; equal timestamps keep the order of ``ratings``. Ids follow the original movie ids.
    """
    liked = ratings[ratings["rating"] >= MIN_RATING]
    liked = liked[liked.groupby("movieId")["movieId"].transform("size") >= per_movie]
    liked = liked[liked.groupby(person, observed=True)["movieId"].transform("size") >= per_person]
    liked = liked.sort_values([*person, "timestamp"], kind="stable")
    kept = sorted(liked["movieId"].unique().tolist())
    unnamed = sorted(set(kept) - set(movies["movieId"]))
    if unnamed:
        raise DataError(f"Expected a title for every rated movie, got none for {unnamed[:5]}; take both files anew.")
    items = _grouped(liked["movieId"].map({movie: i for i, movie in enumerate(kept, start=1)}), liked, person)
    return Sequences(items, ("all",) * len(items), *_names(movies.set_index("movieId").loc[kept]))


def _names(
    movies: pd.DataFrame,
) -> tuple[tuple[str, ...], tuple[int | None, ...], tuple[tuple[str, ...], ...]]:
    """Titles, years and genres of MovieLens movies, in the order given."""
    cleaned = [clean_title(title) for title in movies["title"]]
    genres = tuple(() if text == "(no genres listed)" else tuple(text.split("|")) for text in movies["genres"])
    return tuple(title for title, _ in cleaned), tuple(year for _, year in cleaned), genres


def _grouped(ids: pd.Series, frame: pd.DataFrame, owner: Sequence[str]) -> tuple[tuple[int, ...], ...]:
    """Ids grouped by owner, in the order of ``frame``."""
    groups = ids.groupby([frame[name] for name in owner], observed=True, sort=False)
    return tuple(tuple(group.tolist()) for _, group in groups)


def _file(folder: Path, *names: str) -> Path:
    """The first of ``names`` that exists in ``folder``."""
    for name in names:
        if (folder / name).is_file():
            return folder / name
    raise DataError(f"Expected {' or '.join(names)} in {folder}, found none; name the folder that holds it.")


@dataclass(frozen=True)
class RawSource:
    """Where the raw files of a data set lie inside a folder of data sets, and the function that reads them."""

    folder: str
    read: Callable[[Path], Sequences]


RAW_SOURCES = {
    "movielens": RawSource("movielens-small-editions", read_movielens),
    "movielens-small": RawSource("movielens-latest-small", read_movielens_small),
    "ml-1m": RawSource("ml-1m", read_ml_1m),
    "beauty": RawSource("amazon-beauty-5core", read_beauty),
    "zhihu": RawSource("zhihu", read_zhihu),
    "yoochoose": RawSource("yoochoose_yc", read_yoochoose),
}
