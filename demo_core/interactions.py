"""Anybody's own interactions: a table of user, item, time and perhaps title, read and checked.

Nothing is guessed: what cannot be read is counted, told, and refused where it is more than one row in a hundred.
"""

from __future__ import annotations

import csv
import re
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from demo_core.prepared import DataError

MOST_ROWS = 2_000_000
UNREADABLE = 0.01
ENDINGS = (".csv", ".tsv", ".txt", ".csv.gz", ".tsv.gz", ".txt.gz")
# How such columns are called in public data sets; letters and digits alone, in lower case.
NAMES: Mapping[str, tuple[str, ...]] = {
    "user": ("user", "userid", "person", "personid", "customer", "customerid", "visitorid", "reviewerid", "uid"),
    "item": ("item", "itemid", "movieid", "filmid", "productid", "articleid", "trackid", "bookid", "asin", "iid"),
    "time": ("time", "timestamp", "datetime", "date", "eventtime", "unixreviewtime", "createdat", "ts"),
    "title": ("title", "name", "itemname", "itemtitle", "movietitle", "productname"),
}
NEEDED = ("user", "item", "time")


@dataclass(frozen=True)
class Interactions:
    """Rows that could be read, in time order for every person, each item of a person once.

    ``frame``: ``user`` and ``item`` as text, ``time`` as a number, ``title`` as text or empty. ``rows``: how many the
    file has. ``columns``: what stood for user, item, time and title. ``dated``: times are dates, in microseconds.
    ``notes``: what was left out.
    """

    frame: pd.DataFrame
    rows: int
    columns: dict[str, str]
    dated: bool
    notes: tuple[str, ...]


def read_interactions(path: Path) -> Interactions:
    """A ``.parquet``, or a text table with a line of column names (``.csv``, ``.tsv``, also ``.gz``).

    Raises :class:`DataError` when the file cannot be read, lacks a column, or holds too many unreadable rows.
    """
    if not path.is_file():
        raise DataError(f"Expected a file with interactions, found none called {path.name}.")
    name = path.name.lower()
    if not name.endswith((".parquet", *ENDINGS)):
        raise DataError(f"Expected a file that ends with .parquet, {', '.join(ENDINGS)}; got {path.name[-40:]}.")
    try:
        table = _parquet(path) if name.endswith(".parquet") else _text(path)
        if len(table.frame) > MOST_ROWS:
            raise DataError(f"Expected at most {MOST_ROWS:,} rows, got more; bring a sample of the people.")
        return _checked(table)
    except UnicodeDecodeError as error:
        wrong = f"byte {error.object[error.start]:#04x}"
        raise DataError(f"Expected text in UTF-8, got {wrong} in {path.name}. Save the file as UTF-8.") from error
    except MemoryError as error:
        raise DataError(f"{path.name} is too large to be read here; bring a sample of the people.") from error
    except (pa.ArrowException, pd.errors.ParserWarning, OSError, EOFError, TypeError, ValueError) as error:
        if isinstance(error, DataError):
            raise
        raise DataError(f"{path.name} cannot be read as a table: {' '.join(str(error).split())[:200]}") from error


@dataclass(frozen=True)
class _Table:
    """The columns that were recognised, as they stand in the file, under their own names."""

    frame: pd.DataFrame
    columns: dict[str, str]


def _text(path: Path) -> _Table:
    packed: Literal["gzip"] | None = "gzip" if path.name.lower().endswith(".gz") else None
    head = pd.read_csv(
        path,
        sep="\x00",
        nrows=1,
        header=None,
        dtype=str,
        encoding="utf-8-sig",
        quoting=csv.QUOTE_NONE,
        compression=packed,
    )
    first = str(head.iat[0, 0])
    mark = max(("\t", ";", ",", "|"), key=first.count)
    named = [name.strip().strip('"') for name in first.split(mark)]
    columns = _recognised(named, path.name)
    with warnings.catch_warnings():
        # A row with one field too many, as an unquoted comma in a title makes, would be cut off without a word.
        warnings.simplefilter("error", pd.errors.ParserWarning)
        frame = pd.read_csv(
            path,
            sep=mark,
            dtype=str,
            encoding="utf-8-sig",
            keep_default_na=False,
            skipinitialspace=True,
            nrows=MOST_ROWS + 1,
            names=named,
            header=0,
            index_col=False,
            compression=packed,
        )
    return _Table(frame, columns)


def _parquet(path: Path) -> _Table:
    file = pq.ParquetFile(path)
    if file.metadata.num_rows > MOST_ROWS:
        raise DataError(f"Expected at most {MOST_ROWS:,} rows, got {file.metadata.num_rows:,}; bring a sample.")
    columns = _recognised(list(file.schema_arrow.names), path.name)
    return _Table(file.read(columns=list(columns.values())).to_pandas(), columns)


def _recognised(named: Sequence[str], file: str) -> dict[str, str]:
    """``{"user": "userId", ...}``; the first column that is called so counts."""
    plain = {name: re.sub(r"[^a-z0-9]", "", name.lower()) for name in named}
    if len(set(named)) < len(named):
        raise DataError(f"Expected every column of {file} to have a name of its own, got {_listed(named)}.")
    found = {}
    for wanted, known in NAMES.items():
        for called in known:
            column = next((name for name, letters in plain.items() if letters == called), None)
            if column is not None:
                found[wanted] = column
                break
    missing = [name for name in NEEDED if name not in found]
    if missing:
        raise DataError(
            f"Expected the columns user, item and time, and perhaps title, in the first line of {file}; found "
            f"{_listed(named)}: no {' and no '.join(missing)}. Rename the column."
        )
    return found


def _listed(names: Sequence[str]) -> str:
    shown = ", ".join(name[:30] or "(empty)" for name in names[:8])
    return shown + (f" and {len(names) - 8} more" if len(names) > 8 else "")


def _checked(table: _Table) -> Interactions:
    frame = pd.DataFrame({name: table.frame[column] for name, column in table.columns.items()})
    if not len(frame):
        raise DataError("Expected interactions, got a table without rows.")
    for name in ("user", "item", "title"):
        frame[name] = _plain(frame[name]) if name in frame else ""
    written = frame["time"]
    frame["time"], dated = _times(written)
    notes = []
    nameless = (frame["user"] == "") | (frame["item"] == "")
    timeless = frame["time"].isna() & ~nameless
    _refuse_many(nameless, "have no user or no item", frame, "item")
    _refuse_many(timeless, "have a time that cannot be read", pd.DataFrame({"time": written}), "time")
    for left_out, why in ((nameless, "without a user or an item"), (timeless, "whose time cannot be read")):
        if left_out.any():
            notes.append(f"Left out: {_rows(left_out)} {why}; the first is row {_row(left_out)}.")
    kept, note = _in_order(frame[~(nameless | timeless)])
    notes += note
    again = kept.duplicated(["user", "item"])
    if again.any():
        notes.append(f"Left out: {_rows(again)} with an item that the person had before; the first time counts.")
    return Interactions(kept[~again].reset_index(drop=True), len(frame), table.columns, dated, tuple(notes))


def _in_order(frame: pd.DataFrame) -> tuple[pd.DataFrame, list[str]]:
    """By person and time; equal times keep the order of the file, turned round where it stands newest first."""
    steps = frame.groupby("user", sort=False)["time"].diff()
    newest_first = int((steps < 0).sum()) > int((steps > 0).sum())
    ordered = (frame.iloc[::-1] if newest_first else frame).sort_values(["user", "time"], kind="stable")
    tied = ordered.duplicated(["user", "time"], keep=False)
    if not tied.any():
        return ordered, []
    order = "the order of the file, from its end: it stands newest first" if newest_first else "the order of the file"
    return ordered, [f"{_rows(tied)} share person and time with another; they keep {order}."]


def _plain(values: pd.Series) -> pd.Series:
    """As text without outer or doubled spaces; what is missing is empty, and 17.0 is 17."""
    if pd.api.types.is_float_dtype(values) and (values.dropna() % 1 == 0).all():
        values = values.astype("Int64")
    return values.astype("string").fillna("").str.split().str.join(" ").astype(object)


def _times(values: pd.Series) -> tuple[pd.Series, bool]:
    """Numbers as they are, dates in microseconds, whichever of the two more rows are; what is neither is NaN."""
    if pd.api.types.is_datetime64_any_dtype(values):
        return _microseconds(pd.to_datetime(values, utc=True)), True
    numbers = pd.to_numeric(values, errors="coerce").astype(float)
    numbers = numbers.where(numbers.abs() < float("inf"))
    if numbers.notna().mean() > 0.5:
        return numbers, False
    dates = _microseconds(pd.to_datetime(values.astype(str), format="ISO8601", errors="coerce", utc=True))
    return (dates, True) if dates.notna().sum() > numbers.notna().sum() else (numbers, False)


def _microseconds(dates: pd.Series) -> pd.Series:
    """Nanoseconds would end in 2262, and 9999-12-31 stands for "never" in many tables."""
    return dates.astype("datetime64[us, UTC]").astype("int64").where(dates.notna()).astype("Float64").astype(float)


def _rows(marked: pd.Series) -> str:
    number = int(marked.sum())
    return f"{number:,} row{'s' * (number != 1)}"


def _row(marked: pd.Series) -> int:
    """The number of the first marked row, from 1, the line of names not counted."""
    return int(marked.to_numpy().argmax()) + 1


def _refuse_many(marked: pd.Series, what: str, shown: pd.DataFrame, column: str) -> None:
    if marked.sum() <= UNREADABLE * len(marked):
        return
    value: Any = shown[column][marked].iloc[0]
    right = "seconds since 1970, or a date such as 2026-11-26 or 2026-11-26T18:30" if column == "time" else "an id"
    raise DataError(
        f"{int(marked.sum()):,} of {len(marked):,} rows {what}; the first is row {_row(marked)} with {column} "
        f"{str(value)[:40]!r}. Expected {right}."
    )
