"""Histories with missing or foreign items: the papers' own subject, as a test that is the same for every model.

Only histories change. Targets stay, and so do the items that the protocol excludes (those of the whole history, see
``evaluate(seen=...)``), so that every share is measured against the same candidates.
"""

from __future__ import annotations

import torch
from torch import Generator, Tensor

from demo_core.sequences import Rows


def with_items_deleted(rows: Rows, share: float, seed: int) -> Rows:
    """Every item of every history is lost with probability ``share`` in [0, 1), independently."""
    row, item = rows.seen(torch.arange(len(rows)))
    kept = torch.rand(len(row), generator=_generator(share, seed)) >= share
    return _rebuilt(rows, row[kept], item[kept])


def with_items_inserted(rows: Rows, share: float, num_items: int, seed: int) -> Rows:
    """After every item of every history a random item of 1..``num_items`` follows with probability ``share``."""
    row, item = rows.seen(torch.arange(len(rows)))
    generator = _generator(share, seed)
    inserted = (torch.rand(len(row), generator=generator) < share).nonzero().squeeze(1)
    foreign = torch.randint(1, num_items + 1, (len(inserted),), generator=generator)
    # A stable sort by old position puts each new item behind the one it follows.
    place = torch.cat([torch.arange(len(row)), inserted]).argsort(stable=True)
    return _rebuilt(rows, torch.cat([row, row[inserted]])[place], torch.cat([item, foreign])[place])


def _generator(share: float, seed: int) -> Generator:
    if not 0 <= share < 1:
        raise ValueError(f"Expected a share in [0, 1), got {share}.")
    return Generator().manual_seed(seed)


def _rebuilt(rows: Rows, row: Tensor, item: Tensor) -> Rows:
    """Rows with the histories (``row``, ``item``) (P,), rows ascending, and the targets of ``rows``."""
    ends = (torch.bincount(row, minlength=len(rows)) + 1).cumsum(0)
    items = torch.empty(int(ends[-1]) if len(ends) else 0, dtype=torch.int64)
    items[torch.arange(len(row)) + row] = item  # every earlier row has put its target in between
    items[ends - 1] = rows.target
    start = torch.cat([ends.new_zeros(1), ends[:-1]])
    return Rows(items, start, ends - 1, rows.is_last)
