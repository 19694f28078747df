"""From anybody's interactions to sequences that models can be trained on: thinned and named. PyTorch is not needed."""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Self

import pandas as pd

from demo_core.interactions import Interactions
from demo_core.prepared import DataError, Sequences
from demo_core.raw_data import clean_title
from demo_core.whole_files import written_beside

MOST_ITEMS = 10_000  # the votes of GlobalDiff hold a number for every pair of items
FEWEST_PEOPLE, FEWEST_ITEMS = 50, 30
FEWEST = range(3, 51)
"""What may be asked of every person and item: two items of a person are held out, and one has to be left."""
MOST_ROUNDS = 500
LONGEST_TITLE = 200
LONGEST_NAME = 40
PREFIX = "own-"
SMALL_SET = ("popularity", "item_knn", "sasrec", "tdm", "card", "globaldiff")
"""What can be trained on own data, in the order in which it is: GlobalDiff stands on the SASRec before it."""


@dataclass(frozen=True)
class Effort:
    """``title`` for the page; ``rows`` an epoch and ``epochs`` at most, ``None``: as on the public data set."""

    title: str
    rows: int | None
    epochs: int | None


EFFORTS = {
    "quick": Effort("Quick: at most 20 epochs of 20,000 questions a model", 20_000, 20),
    "default": Effort("Default: as on the public data sets", None, None),
}
ABOUT_FILE = "about.json"


@dataclass(frozen=True)
class Kept:
    """What a model can be trained on: people and items with at least so many interactions, as sequences.

    ``since`` and ``until``: the first and the last day, where times are dates.
    """

    sequences: Sequences
    people: int
    items: int
    interactions: int
    people_before: int
    items_before: int
    since: str | None
    until: str | None


def keep(found: Interactions, fewest: int, films: bool = False) -> Kept:
    """People and items with at least ``fewest`` interactions each, counted again until nothing more has to go.

    Ids 1..M follow the items' own names (as numbers where all are), titles the commonest one of each item; with
    ``films`` a year in brackets is a year of its own. Raises :class:`DataError` for too few people or items, or too
    many items.
    """
    if fewest not in FEWEST:
        raise DataError(f"Expected at least {FEWEST[0]} to {FEWEST[-1]} interactions a person and item, got {fewest}.")
    frame = found.frame
    before = len(frame)
    for _ in range(MOST_ROUNDS):
        frame = frame[frame.groupby("item")["item"].transform("size") >= fewest]
        frame = frame[frame.groupby("user")["user"].transform("size") >= fewest]
        if len(frame) == before:
            break
        before = len(frame)
    else:
        raise DataError(f"Leaving out the rare ones found no end in {MOST_ROUNDS} rounds. Ask for fewer interactions.")
    _require_enough(frame, found, fewest)
    names = _ordered(frame["item"].unique().tolist())
    ids = frame["item"].map({name: id for id, name in enumerate(names, start=1)})
    people = tuple(tuple(group.tolist()) for _, group in ids.groupby(frame["user"], sort=False))
    titles, years = _titles(frame, names, films)
    empty: tuple[tuple[str, ...], ...] = ((),) * len(names)
    since, until = (_day(when) if found.dated else None for when in (frame["time"].min(), frame["time"].max()))
    return Kept(
        sequences=Sequences(people, ("all",) * len(people), titles, years, empty),
        people=len(people),
        items=len(names),
        interactions=len(frame),
        people_before=found.frame["user"].nunique(),
        items_before=found.frame["item"].nunique(),
        since=since,
        until=until,
    )


@dataclass(frozen=True)
class About:
    """What is kept beside the bundles of an own data set: how it is called and what is in it."""

    name: str
    title: str
    noun: str
    people: int
    items: int
    interactions: int
    fewest: int
    since: str | None
    until: str | None
    notes: tuple[str, ...]

    @classmethod
    def of(cls, title: str, noun: str, found: Interactions, kept: Kept, fewest: int) -> Self:
        """What is known of an own data set before anything is trained on it."""
        counts = (kept.people, kept.items, kept.interactions)
        return cls(slug(title), title, noun, *counts, fewest, kept.since, kept.until, found.notes)

    def write(self, folder: Path) -> None:
        """Into ``folder``, beside and renamed."""
        with written_beside(folder / ABOUT_FILE) as file:
            file.write_text(json.dumps(asdict(self), ensure_ascii=False, indent=1) + "\n", encoding="utf-8")

    @classmethod
    def read(cls, folder: Path) -> Self | None:
        """The inverse of :meth:`write`; None where there is no such file, or another one."""
        try:
            content = json.loads((folder / ABOUT_FILE).read_text(encoding="utf-8"))
            values = {field.name: content[field.name] for field in fields(cls)}
        except (OSError, ValueError, LookupError, TypeError):
            return None
        return cls(**{**values, "notes": tuple(values["notes"])})


def slug(title: str) -> str:
    """A name for folders and addresses: ``"Büchli & Co."`` -> ``"own-buchli-co"``, which no public data set has.

    Raises :class:`DataError` for a title without a letter or digit that an address can hold.
    """
    plain = unicodedata.normalize("NFKD", title).encode("ascii", "ignore").decode().lower()
    name = re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:LONGEST_NAME].strip("-")
    if not name:
        raise DataError(f"Expected a name with Latin letters or digits, got {title[:LONGEST_NAME]!r}.")
    return PREFIX + name


def is_own(name: str) -> bool:
    """Whether a data set of that name is somebody's own."""
    return name.startswith(PREFIX)


def _day(microseconds: float) -> str:
    return str(pd.Timestamp(int(microseconds), unit="us").date())


def _require_enough(frame: pd.DataFrame, found: Interactions, fewest: int) -> None:
    people, items = frame["user"].nunique(), frame["item"].nunique()
    rule = f"with at least {fewest} interactions each"
    if people < FEWEST_PEOPLE or items < FEWEST_ITEMS:
        raise DataError(
            f"Expected at least {FEWEST_PEOPLE} people and {FEWEST_ITEMS} items {rule}, got {people:,} of "
            f"{found.frame['user'].nunique():,} people and {items:,} of {found.frame['item'].nunique():,} items. Ask "
            "for fewer interactions, or bring more of them."
        )
    if items > MOST_ITEMS:
        raise DataError(f"Expected at most {MOST_ITEMS:,} items {rule}, got {items:,}. Ask for more interactions.")


def _ordered(names: list[str]) -> list[str]:
    """By number where all are numbers, else by letter."""
    numbers = all(re.fullmatch(r"\d{1,18}", name) for name in names)
    return sorted(names, key=lambda name: (int(name), name)) if numbers else sorted(names)


def _titles(frame: pd.DataFrame, names: Sequence[str], films: bool) -> tuple[tuple[str, ...], tuple[int | None, ...]]:
    """The commonest title of every item, its own name where it has none; the year apart for films."""
    counted = frame[frame["title"] != ""].groupby(["item", "title"], sort=True).size()
    common = counted.sort_values(ascending=False, kind="stable").reset_index().drop_duplicates("item")
    by_item = dict(zip(common["item"], common["title"], strict=True))
    written = [_printable(by_item.get(name, name)) or "(no title)" for name in names]
    split = [clean_title(title) if films else (title, None) for title in written]
    return tuple(title or whole for (title, _), whole in zip(split, written, strict=True)), tuple(y for _, y in split)


def _printable(title: str) -> str:
    """Without control characters and halves of characters, at most 200 long."""
    clean = "".join(letter for letter in title.encode("utf-8", "replace").decode() if letter.isprintable())
    return clean[:LONGEST_TITLE].strip()
