"""The prepared form of a data set: what it holds, how it is checked, and how it is written and read.

Two files in one folder: ``sequences.parquet`` (columns ``split`` and ``items``, one row a sequence) and ``items.json``
(titles, years and genres in id order).
"""

from __future__ import annotations

import hashlib
import json
import tempfile
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

SPLITS = ("train", "validation", "test")
SEQUENCES_FILE = "sequences.parquet"
ITEMS_FILE = "items.json"


class DataError(ValueError):
    """A data set is missing, incomplete or not the known one; the message says what to do."""


@dataclass(frozen=True)
class Sequences:
    """Everything the raw files of a data set say.

    ``items`` holds one sequence a user or session, ids 1..M, oldest first; ``splits`` its part: ``train``,
    ``validation`` or ``test`` where the source is split by sequence, ``all`` where it is not. Position ``i - 1`` of
    ``titles``, ``years`` and ``genres`` belongs to item ``i``.
    """

    items: tuple[tuple[int, ...], ...]
    splits: tuple[str, ...]
    titles: tuple[str, ...]
    years: tuple[int | None, ...]
    genres: tuple[tuple[str, ...], ...]

    def __post_init__(self) -> None:
        unknown = set(self.splits) - {"all", *SPLITS}
        if unknown or ("all" in self.splits and len(set(self.splits)) > 1):
            raise DataError(f"Expected splits {SPLITS}, or 'all' alone, got {sorted(set(self.splits))}.")

    @property
    def is_split(self) -> bool:
        """Whether the source itself says which sequences are held out."""
        return "all" not in self.splits

    def part(self, split: str) -> list[tuple[int, ...]]:
        """The sequences of one split, in their order."""
        return [items for items, name in zip(self.items, self.splits, strict=True) if name == split]

    @property
    def hash(self) -> str:
        """sha256 of the content, whatever the file format, its version and the platform."""
        content = [self.items, self.splits, self.titles, self.years, self.genres]
        return hashlib.sha256(json.dumps(content, separators=(",", ":")).encode()).hexdigest()


@dataclass(frozen=True)
class Statistics:
    """The figures that identify a data set.

    ``items`` counts those that occur; ``rows`` the interactions of train, validation and test where the source is
    split; ``hash`` is :attr:`Sequences.hash`.
    """

    sequences: int
    items: int
    interactions: int
    rows: tuple[int, ...] | None
    hash: str

    @classmethod
    def of(cls, sequences: Sequences) -> Statistics:
        """The figures of ``sequences``, counted."""
        rows = tuple(sum(len(s) for s in sequences.part(split)) for split in SPLITS)
        return cls(
            sequences=len(sequences.items),
            items=len({item for sequence in sequences.items for item in sequence}),
            interactions=sum(len(sequence) for sequence in sequences.items),
            rows=rows if sequences.is_split else None,
            hash=sequences.hash,
        )

    def difference(self, found: Statistics) -> str | None:
        """The first figure that differs, in words, or ``None``."""
        for name in ("sequences", "items", "interactions", "rows", "hash"):
            expected, got = getattr(self, name), getattr(found, name)
            if expected != got:
                return f"expected {name} {expected}, got {got}"
        return None


def verify(name: str, sequences: Sequences, expected: Statistics) -> None:
    """Raises :class:`DataError` naming the first figure of data set ``name`` that is not as expected."""
    difference = expected.difference(Statistics.of(sequences))
    if difference:
        raise DataError(
            f"{name}: {difference}. These files are incomplete or of another version; take the right ones and run "
            f"python -m scripts.prepare_data {name} --from FOLDER."
        )


def write_prepared(sequences: Sequences, place: Path) -> None:
    """Writes both files into the folder ``place``: both beside it first, then each renamed to its place."""
    place.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=place.parent, prefix=f".{place.name}.") as scratch:
        items = pa.array([list(sequence) for sequence in sequences.items], pa.list_(pa.int32()))
        table = pa.table({"split": list(sequences.splits), "items": items})
        pq.write_table(table, Path(scratch) / SEQUENCES_FILE, compression="zstd")
        names = {"titles": sequences.titles, "years": sequences.years, "genres": sequences.genres}
        (Path(scratch) / ITEMS_FILE).write_text(json.dumps(names, ensure_ascii=False), encoding="utf-8")
        place.mkdir(exist_ok=True)
        for name in (SEQUENCES_FILE, ITEMS_FILE):
            (Path(scratch) / name).replace(place / name)


def read_prepared(place: Path) -> Sequences:
    """The inverse of :func:`write_prepared`; raises :class:`DataError` when the files are missing or damaged."""
    again = f"Run: python -m scripts.prepare_data {place.name} --from FOLDER"
    missing = [name for name in (SEQUENCES_FILE, ITEMS_FILE) if not (place / name).is_file()]
    if missing:
        raise DataError(
            f"Expected prepared data in {place}, got no {' and no '.join(missing)}. {again} "
            "(TURNPOINT_DATA names the folder that holds all prepared data sets)."
        )
    try:
        table = pq.read_table(place / SEQUENCES_FILE)
        names = json.loads((place / ITEMS_FILE).read_text(encoding="utf-8"))
        return Sequences(
            items=tuple(tuple(items) for items in table.column("items").to_pylist()),
            splits=tuple(table.column("split").to_pylist()),
            titles=tuple(names["titles"]),
            years=tuple(names["years"]),
            genres=tuple(tuple(genres) for genres in names["genres"]),
        )
    except (pa.ArrowException, KeyError, TypeError, ValueError) as error:
        raise DataError(f"Expected sequences and names of items in {place}, got damaged files. {again}.") from error
