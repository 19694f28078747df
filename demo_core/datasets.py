"""Data sets with fixed splits, the protocols they are evaluated under, and a toy world that can be learned exactly.

Real data sets are read from their prepared form, which ``python -m scripts.prepare_data`` writes, and refused unless
their statistics and content are the known ones.
"""

from __future__ import annotations

import hashlib
import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import torch

from demo_core.prepared import SPLITS, DataError, Sequences, Statistics, read_prepared, verify
from demo_core.sequences import Catalogue, Rows


@dataclass(frozen=True)
class Protocol:
    """How rows are made and ranked. ``description``: one plain phrase for the page.

    ``exclude_history``: no item of the whole history can be recommended.
    """

    name: str
    description: str
    exclude_history: bool


PREFIX_FULL = Protocol("prefix-full", "every prefix of a held-out session, ranked among all items", False)
LEAVE_ONE_OUT_FULL = Protocol(
    "leave-one-out-full", "each person's last item, ranked among all items not in their history", True
)
LONG_TERM = Protocol("long-term", "each person's last four items, ranked among all items not in their history", True)
LONG_TERM_STEPS = 4
PROTOCOLS = {protocol.name: protocol for protocol in (PREFIX_FULL, LEAVE_ONE_OUT_FULL, LONG_TERM)}


@dataclass(frozen=True)
class DatasetEntry:
    """One line of :data:`DATASETS`. ``noun``: what an item is called; ``statistics`` ``None``: generated data."""

    title: str
    noun: str
    protocol: Protocol
    statistics: Statistics | None


DATASETS = {
    "movielens": DatasetEntry(
        "MovieLens",
        "film",
        LEAVE_ONE_OUT_FULL,
        Statistics(1_853, 3_674, 137_865, None, "3810383bb734acf8c0a72542097a103c633543ca1f10d66085e8b690f13346a3"),
    ),
    "zhihu": DatasetEntry(
        "Zhihu",
        "item",
        PREFIX_FULL,
        Statistics(
            11_714,
            4_838,
            77_712,
            (61_641, 8_160, 7_911),
            "c8cc93bed18f9367ef819c27d48ad7b407944b2ba69256408552681a31339651",
        ),
    ),
    "ml-1m": DatasetEntry(
        "MovieLens 1M",
        "film",
        LEAVE_ONE_OUT_FULL,
        Statistics(5_180, 3_526, 562_800, None, "adf9e0a8ebbe9b63f46a419d8177ecb1847d469eb2ed5c92e0f52b526984e825"),
    ),
    "beauty": DatasetEntry(
        "Amazon Beauty",
        "product",
        LEAVE_ONE_OUT_FULL,
        Statistics(22_363, 12_101, 198_502, None, "73c0468248a0f942eed6c15349b0205dcaf5e39f4813bd9123b04bba9dc101d6"),
    ),
    "yoochoose": DatasetEntry(
        "YooChoose",
        "item",
        PREFIX_FULL,
        Statistics(
            128_468,
            9_514,
            539_436,
            (427_129, 57_062, 55_245),
            "f64516421d6b3d82f23571d2c50c824521a8dec958361ef3b751dc795128e39d",
        ),
    ),
    "movielens-small": DatasetEntry(
        "MovieLens small (2018)",
        "film",
        LEAVE_ONE_OUT_FULL,
        Statistics(563, 1_956, 40_957, None, "16a95ad880cbb50fa9e608844426c327b353dd8dac453d6320d5dd92b08a1777"),
    ),
    "toy": DatasetEntry("Toy world", "item", LEAVE_ONE_OUT_FULL, None),
}


@dataclass(frozen=True)
class Dataset:
    """A catalogue and three sets of rows, to be evaluated under one protocol."""

    name: str
    title: str
    catalogue: Catalogue
    protocol: Protocol
    train: Rows
    validation: Rows
    test: Rows

    def rows(self, split: str) -> Rows:
        """The rows of "train", "validation" or "test"; ``ValueError`` for another name."""
        parts = {"train": self.train, "validation": self.validation, "test": self.test}
        if split not in parts:
            raise ValueError(f"Expected a split out of {list(parts)}, got {split!r}.")
        return parts[split]

    @cached_property
    def hash(self) -> str:
        """sha256 over the rows of the three splits."""
        digest = hashlib.sha256()
        for rows in (self.train, self.validation, self.test):
            for tensor in (rows.items, rows.start, rows.target_at, rows.is_last):
                digest.update(f"{tensor.dtype}{tuple(tensor.shape)}".encode())
                digest.update(tensor.numpy().tobytes())
        return digest.hexdigest()


def data_folder() -> Path:
    """Where prepared data sets lie: ``$TURNPOINT_DATA``, or ``turnpoint`` in the platform's cache folder."""
    chosen = os.environ.get("TURNPOINT_DATA")
    if chosen:
        return Path(chosen).expanduser()
    if sys.platform == "win32":
        cache = Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local")
    elif sys.platform == "darwin":
        cache = Path.home() / "Library" / "Caches"
    else:
        cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return cache / "turnpoint"


def entry(name: str) -> DatasetEntry:
    """The line of :data:`DATASETS`; an unknown name raises :class:`DataError`."""
    if name not in DATASETS:
        raise DataError(f"Expected one of the data sets {', '.join(DATASETS)}, got {name!r}.")
    return DATASETS[name]


def load(name: str, folder: Path | None = None, protocol: str | None = None) -> Dataset:
    """The data set ``name``, prepared in ``folder / name`` (default: in :func:`data_folder`).

    ``protocol`` "long-term" splits it by :func:`long_term` instead of its own way (``None``). Raises
    :class:`DataError` for an unknown name, missing or damaged files, other content than the known one, or a protocol
    that the data set cannot be evaluated under.
    """
    statistics = entry(name).statistics
    if statistics is None:
        sequences = toy_sequences()
    else:
        sequences = read_prepared((folder or data_folder()) / name)
        verify(name, sequences, statistics)
    return assemble(name, sequences, protocol)


def assemble(
    name: str, sequences: Sequences, protocol: str | None = None, known: DatasetEntry | None = None
) -> Dataset:
    """Sequences -> rows: by the source's own splits, else leave-one-out; ``protocol`` as in :func:`load`.

    ``known``: what is known of a data set that does not stand in :data:`DATASETS`.
    """
    known = known or entry(name)
    chosen = PROTOCOLS.get(protocol or known.protocol.name)
    if chosen is None or (chosen != known.protocol and (sequences.is_split or chosen != LONG_TERM)):
        raise DataError(f"{known.title} cannot be evaluated under the protocol {protocol!r}.")
    if sequences.is_split:
        train, validation, test = (Rows.prefixes(sequences.part(split)) for split in SPLITS)
    else:
        train, validation, test = (long_term if chosen == LONG_TERM else leave_one_out)(sequences.items)
    counts = train.target_counts(len(sequences.titles))[1:].tolist()
    catalogue = Catalogue(sequences.titles, sequences.years, sequences.genres, tuple(counts), noun=known.noun)
    return Dataset(name, known.title, catalogue, chosen, train, validation, test)


def leave_one_out(sequences: Sequence[Sequence[int]]) -> tuple[Rows, Rows, Rows]:
    """Train: every prefix, the empty one included, of all but the last two items; validation: the last but one from
    all before it; test: the last from all before it. Sequences need at least two items (``ValueError``).
    """
    return (
        Rows.prefixes([sequence[:-2] for sequence in sequences]),
        Rows.last_items([sequence[:-1] for sequence in sequences]),
        Rows.last_items(sequences),
    )


def long_term(sequences: Sequence[Sequence[int]]) -> tuple[Rows, Rows, Rows]:
    """Train: every prefix of all but the last five items; validation: the fifth from the end from all before it; test:
    the fourth from the end, P = 1, which in ``items`` the targets P = 2, 3, 4 follow (``long_term.targets``).
    Sequences need at least five items (``ValueError``).
    """
    shortest = min((len(sequence) for sequence in sequences), default=LONG_TERM_STEPS + 1)
    if shortest <= LONG_TERM_STEPS:
        raise ValueError(f"long_term: expected sequences of at least {LONG_TERM_STEPS + 1} items, got {shortest}.")
    whole = Rows.last_items(sequences)
    return (
        Rows.prefixes([sequence[: -LONG_TERM_STEPS - 1] for sequence in sequences]),
        Rows.last_items([sequence[:-LONG_TERM_STEPS] for sequence in sequences]),
        Rows(whole.items, whole.start, whole.target_at - (LONG_TERM_STEPS - 1), whole.is_last),
    )


def swapped_test(dataset: Dataset) -> Rows:
    """The test of the released GlobalDiff code: the context ends with the *last* item, and the item before it is asked
    for. ``ValueError`` unless every row is its sequence's last item, with a validation item before it.
    """
    rows = dataset.test
    if not bool(rows.is_last.all()) or bool((rows.target_at <= rows.start).any()):
        raise ValueError(f"{dataset.name}: only a leave-one-out test can be swapped.")
    items = rows.items.clone()
    items[rows.target_at], items[rows.target_at - 1] = rows.items[rows.target_at - 1], rows.items[rows.target_at]
    return Rows(items, rows.start, rows.target_at, rows.is_last)


def toy_world(num_items: int = 12, num_sequences: int = 200, length: int = 8, seed: int = 0) -> Dataset:
    """:func:`toy_sequences`, each person's last item held out."""
    return assemble("toy", toy_sequences(num_items, num_sequences, length, seed))


def toy_sequences(num_items: int = 12, num_sequences: int = 200, length: int = 8, seed: int = 0) -> Sequences:
    """Item i is always followed by i + 1 (item M by 1): sequences of 3 to ``length`` items from random starts.

    Everything but a sequence's first item can be predicted with certainty. ``length`` must lie in 3..``num_items``
    (else ``ValueError``), so that the next item is never in the history, which the protocol excludes.
    """
    if not 3 <= length <= num_items:
        raise ValueError(f"toy_sequences: expected length in 3..num_items={num_items}, got {length}.")
    generator = torch.Generator().manual_seed(seed)
    starts = torch.randint(num_items, (num_sequences,), generator=generator).tolist()
    lengths = torch.randint(3, length + 1, (num_sequences,), generator=generator).tolist()
    items = tuple(
        tuple((start + step) % num_items + 1 for step in range(number))
        for start, number in zip(starts, lengths, strict=True)
    )
    titles = tuple(f"Item {i}" for i in range(1, num_items + 1))
    return Sequences(items, ("all",) * num_sequences, titles, (None,) * num_items, ((),) * num_items)
