"""Edits of item sequences: what STEAM breaks in training, how a correction is carried out, and how holes are closed.

Letters: B batch, S and W slots, M items, A items that may be added before one, R items that may be inserted before one.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Generator, Tensor
from torch.nn import functional as F

from demo_core.layers import items_before, window
from demo_core.sequences import PADDING

KEEP, DELETE, INSERT = range(3)
MOST_ADDED = 3
MOST_INSERTED = 5


def closed_up(ids: Tensor, length: int) -> tuple[Tensor, Tensor]:
    """(B, any) ids with holes of 0 anywhere -> the newest ``length`` of them without holes, (B, length), padded on the
    left; and the columns that they stood in, (B, length), without meaning at padding.
    """
    source = (ids != PADDING).to(torch.uint8).argsort(dim=1, stable=True)[:, -length:]
    missing = length - source.shape[1]
    return window(ids.gather(1, source), length), F.pad(source, (missing, 0))


def random_piece(sequence: Tensor, generator: Generator) -> Tensor:
    """(B, S) ids -> their first items (B, S): one at least, up to all of them, each number as likely; padded on the
    left.
    """
    number = (sequence != PADDING).sum(dim=1)
    chance = torch.rand(len(sequence), generator=generator).to(sequence.device)
    kept = torch.minimum(1 + (chance * number).long(), number)
    return items_before(sequence, sequence.shape[1] - number + kept)


def strangers(sequence: Tensor, number: int, num_items: int, generator: Generator) -> Tensor:
    """(B, S) ids -> (B, S, ``number``) items that do not stand in that row, all of them equally likely; 0 where every
    item does.
    """
    none = num_items + sequence.shape[1] + 1  # above every id that is reached below
    ordered = sequence.sort(dim=1).values
    repeated = F.pad(ordered[:, 1:] == ordered[:, :-1], (1, 0))
    own = ordered.masked_fill(repeated | (ordered == PADDING), none).sort(dim=1).values
    free = (num_items - (own < none).sum(dim=1))[:, None]
    draw = torch.rand(len(sequence), sequence.shape[1] * number, generator=generator, dtype=torch.float64)
    item = 1 + (draw.to(sequence.device) * free).long()  # counted among the free ones
    for taken in own.unbind(1):
        item = item + (item >= taken[:, None])
    return item.masked_fill(free == 0, PADDING).unflatten(1, (-1, number))


@dataclass(frozen=True)
class Damaged:
    """A broken sequence: ``items`` (B, W) ids, what mends each one, ``labels`` (B, W) of KEEP, DELETE, INSERT, and what
    to insert before it, ``removed`` (B, W, R): nearest first, then the end token if there is room; 0 elsewhere.
    """

    items: Tensor
    labels: Tensor
    removed: Tensor


def damage(
    sequence: Tensor, draws: Tensor, added: Tensor, keep: float, delete: float, end: int, length: int
) -> Damaged:
    """Breaks (B, S) sequences as ``draws`` (B, S, A + 1) in [0, 1) say.

    From the oldest item on: a draw up to ``keep`` keeps it; up to ``keep + delete`` removes it and, as long as the
    first draws of the next ones say the same, those too, at most R in a row and never the newest item; the one behind
    stays, undrawn. A draw above puts an item of ``added`` (B, S, A) before it, and its next draw counts. The newest
    ``length`` = W items are kept.
    """
    slots, adding = sequence.shape[1], added.shape[2]
    more = ((draws[:, :, :-1] > keep + delete) & (added != PADDING)).long().cumprod(dim=2)
    decision = draws.gather(2, more.sum(dim=2, keepdim=True)).squeeze(2)
    first, next_one = ((keep < draw) & (draw <= keep + delete) for draw in (decision, draws[:, :, 0]))
    run = torch.zeros_like(sequence[:, 0])
    gone, before, undrawn = [], [], []
    for at in range(slots):
        goes = torch.where(run > 0, next_one[:, at] & (run < MOST_INSERTED), first[:, at])
        goes = goes & (sequence[:, at] != PADDING) & (at < slots - 1)
        undrawn.append((run > 0) | (sequence[:, at] == PADDING))
        before.append(run.masked_fill(goes, 0))
        run = (run + 1).masked_fill(~goes, 0)
        gone.append(goes)
    missing = torch.stack(before, dim=1)  # (B, S): how many were removed before a survivor
    wrong = added * more * ~torch.stack(undrawn, dim=1)[:, :, None]
    left = sequence.masked_fill(torch.stack(gone, dim=1), PADDING)
    items, source = closed_up(torch.cat([wrong, left[:, :, None]], dim=2).flatten(1), length)
    slot = source // (adding + 1)
    is_added = (source % (adding + 1) < adding) & (items != PADDING)
    count = missing.gather(1, slot).masked_fill(is_added | (items == PADDING), 0)
    labels = ((count > 0).long() * INSERT).masked_fill(is_added, DELETE)
    return Damaged(items, labels, _removed(sequence, slot, count, end))


def random_damage(
    sequence: Tensor, num_items: int, keep: float, delete: float, end: int, length: int, generator: Generator
) -> Damaged:
    """:func:`damage` by random draws; what is added are items of 1..``num_items`` that a sequence (B, S) lacks."""
    draws = torch.rand(*sequence.shape, MOST_ADDED + 1, generator=generator).to(sequence.device)
    added = strangers(sequence, MOST_ADDED, num_items, generator)
    return damage(sequence, draws, added, keep, delete, end, length)


def _removed(sequence: Tensor, slot: Tensor, count: Tensor, end: int) -> Tensor:
    """The ``count`` (B, W) items before ``slot`` (B, W), nearest first, then ``end``: (B, W, R)."""
    number = torch.arange(MOST_INSERTED, device=sequence.device)
    at = (slot[:, :, None] - 1 - number).clamp(min=0)
    items = sequence.gather(1, at.flatten(1)).view_as(at)
    closing = ((number == count[..., None]) & (count[..., None] > 0)).long() * end
    return torch.where(number < count[..., None], items, closing)


def mended(history: Tensor, decision: Tensor, insertions: Tensor, length: int) -> Tensor:
    """Carries out a correction: (B, S) ids, ``decision`` (B, S) of KEEP, DELETE, INSERT, and (B, S, R) ids to insert
    before an item, the first one nearest to it, 0 for none -> the newest ``length`` items, padded on the left.
    """
    kept = history.masked_fill(decision == DELETE, PADDING)
    before = insertions.flip(2) * ((decision == INSERT) & (history != PADDING))[:, :, None]
    return closed_up(torch.cat([before, kept[:, :, None]], dim=2).flatten(1), length)[0]
