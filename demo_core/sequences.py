"""Item sequences: the catalogue, prefix rows, left padding and batches.

Conventions used everywhere: item ids run 1..M, 0 is padding, histories are padded on the left, so the newest item is
always in the last column.

Letters: B batch, L history length, M items, R rows.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Generator, Tensor

PADDING = 0


@dataclass(frozen=True)
class Catalogue:
    """What is known of the items 1..M; position ``i - 1`` of every field belongs to item ``i``.

    ``counts`` is how often an item is a training target; an item with count 0 was never trained.
    ``noun`` is what one item is called on the page (film, product, item).
    """

    titles: tuple[str, ...]
    years: tuple[int | None, ...]
    genres: tuple[tuple[str, ...], ...]
    counts: tuple[int, ...]
    noun: str = "item"

    def __post_init__(self) -> None:
        lengths = {len(self.titles), len(self.years), len(self.genres), len(self.counts)}
        if len(lengths) != 1:
            raise ValueError(f"Catalogue: every field needs one entry per item, got lengths {sorted(lengths)}.")

    @property
    def num_items(self) -> int:
        return len(self.titles)

    @property
    def hash(self) -> str:
        """sha256 of the content: two bundles may be compared only when it is equal."""
        return hashlib.sha256(json.dumps(self.to_dict(), sort_keys=True).encode()).hexdigest()

    def to_dict(self) -> dict[str, object]:
        """Plain lists, ready for JSON."""
        return {
            "noun": self.noun,
            "titles": list(self.titles),
            "years": list(self.years),
            "genres": [list(names) for names in self.genres],
            "counts": list(self.counts),
        }

    @classmethod
    def untitled(cls, counts: Sequence[int]) -> Catalogue:
        """A catalogue of ids only: item ``i`` is called ``Item i``."""
        number = len(counts)
        return cls(
            titles=tuple(f"Item {i}" for i in range(1, number + 1)),
            years=(None,) * number,
            genres=((),) * number,
            counts=tuple(int(c) for c in counts),
        )


@dataclass(frozen=True)
class Batch:
    """Training rows: ``history`` (B, L) ids, ``target`` (B,) ids, ``is_last`` (B,) bool.

    ``is_last`` marks the row that is its sequence's longest prefix: models that learn from whole sequences take only
    those.
    """

    history: Tensor
    target: Tensor
    is_last: Tensor

    def to(self, device: torch.device) -> Batch:
        return Batch(self.history.to(device), self.target.to(device), self.is_last.to(device))


def pad(histories: Sequence[Sequence[int]], length: int) -> Tensor:
    """Histories of any length -> (B, length) int64, newest item last, zeros on the left, oldest items cut off."""
    rows = [list(history)[-length:] for history in histories]
    return torch.tensor([[PADDING] * (length - len(row)) + row for row in rows], dtype=torch.int64).reshape(-1, length)


@dataclass(frozen=True)
class Rows:
    """Prefix rows over flat sequences: row r predicts ``items[target_at[r]]`` from ``items[start[r]:target_at[r]]``.

    ``items`` (N,) int64 holds all sequences one after another; ``start``, ``target_at`` (R,) int64; ``is_last`` (R,)
    bool. Nothing is copied per row, and batches are gathered without a Python loop.
    """

    items: Tensor
    start: Tensor
    target_at: Tensor
    is_last: Tensor

    def __len__(self) -> int:
        return len(self.target_at)

    @classmethod
    def prefixes(cls, sequences: Sequence[Sequence[int]]) -> Rows:
        """Every prefix of every sequence, the empty one included: n items give n rows."""
        lengths = torch.tensor([len(s) for s in sequences], dtype=torch.int64)
        items = _flatten(sequences)
        ends = lengths.cumsum(0)
        last = torch.zeros(len(items), dtype=torch.bool)
        last[ends[lengths > 0] - 1] = True
        return cls(items, torch.repeat_interleave(ends - lengths, lengths), torch.arange(len(items)), last)

    @classmethod
    def last_items(cls, sequences: Sequence[Sequence[int]]) -> Rows:
        """One row a sequence: its last item from all before it. Sequences must not be empty."""
        lengths = torch.tensor([len(s) for s in sequences], dtype=torch.int64)
        if len(lengths) and int(lengths.min()) < 1:
            raise ValueError("Rows.last_items: expected sequences of at least one item, got an empty one.")
        ends = lengths.cumsum(0)
        return cls(_flatten(sequences), ends - lengths, ends - 1, torch.ones(len(ends), dtype=torch.bool))

    def spaced(self, most: int) -> Rows:
        """At most ``most`` of the rows, at even distances."""
        if len(self) <= most:
            return self
        index = torch.arange(most) * len(self) // most
        return Rows(self.items, self.start[index], self.target_at[index], self.is_last[index])

    @property
    def target(self) -> Tensor:
        """(R,) target ids."""
        return self.items[self.target_at]

    def history(self, index: Tensor, length: int) -> Tensor:
        """Rows ``index`` (B,) -> their last ``length`` history items, (B, length), left-padded."""
        at = self.target_at[index][:, None] + torch.arange(-length, 0)
        return torch.where(at >= self.start[index][:, None], self.items[at.clamp(min=0)], PADDING)

    def batch(self, index: Tensor, length: int) -> Batch:
        return Batch(self.history(index, length), self.items[self.target_at[index]], self.is_last[index])

    def seen(self, index: Tensor) -> tuple[Tensor, Tensor]:
        """The whole history of rows ``index`` as (position in ``index``, item) pairs, both (P,)."""
        start, lengths = self.start[index], self.target_at[index] - self.start[index]
        row = torch.repeat_interleave(torch.arange(len(index)), lengths)
        first = torch.repeat_interleave(start - (lengths.cumsum(0) - lengths), lengths)
        return row, self.items[first + torch.arange(len(row))]

    def sequences(self) -> list[list[int]]:
        """The whole sequences (history and target of every longest row), for models that count co-occurrences."""
        pairs = zip(self.start[self.is_last].tolist(), self.target_at[self.is_last].tolist(), strict=True)
        items = self.items.tolist()
        return [items[a : b + 1] for a, b in pairs]

    def target_counts(self, num_items: int) -> Tensor:
        """(M + 1,) how often each item is a target."""
        return torch.bincount(self.target, minlength=num_items + 1)


def batches(number: int, size: int, generator: Generator | None = None) -> Iterator[Tensor]:
    """Indices 0..number-1 in batches of ``size`` (the last may be smaller), shuffled when a generator is given."""
    order = torch.arange(number) if generator is None else torch.randperm(number, generator=generator)
    yield from order.split(size)


def _flatten(sequences: Iterable[Sequence[int]]) -> Tensor:
    return torch.tensor([item for sequence in sequences for item in sequence], dtype=torch.int64)
