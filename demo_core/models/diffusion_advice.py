"""What PDRec's diffusion says about every training row, worked out once and looked up by what a row holds.

Letters: S sequences (or pieces of long ones), n items of one, R training rows, K and P items of a pool.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Generator, Tensor, nn

from demo_core.models.diffrec import tiling_rows
from demo_core.models.training_rows import TrainingRows
from demo_core.sequences import PADDING, Rows

POOL = 64  # low-scored items kept a sequence, to draw from
AT_ONCE = 512


def rescaled(values: Tensor, real: Tensor) -> Tensor:
    """Min-max scaled so that the mean of a row is 1: ``values`` (S, n), ``real`` (S, n) bool -> (S, n), 0 elsewhere.

    The floor lies half the smallest value below it (1.5 times a negative one), so that the smallest keeps some weight.
    """
    lowest = values.masked_fill(~real, torch.inf).amin(dim=1, keepdim=True)
    highest = values.masked_fill(~real, -torch.inf).amax(dim=1, keepdim=True)
    floor = torch.where(lowest < 0, 1.5 * lowest, 0.5 * lowest)
    spread = highest - floor
    scaled = torch.where(spread > 0, (values - floor) / spread, 1.0) * real
    return scaled * real.sum(dim=1, keepdim=True) / scaled.sum(dim=1, keepdim=True)


def rank_shares(values: Tensor, real: Tensor) -> Tensor:
    """rank / n of ``values`` (S, n) among the ``real`` ones, the smallest has rank 1: (S, n), 0 elsewhere."""
    rank = values.masked_fill(~real, torch.inf).argsort(dim=1, stable=True).argsort(dim=1) + 1
    return rank / real.sum(dim=1, keepdim=True) * real


def positive_weights(values: Tensor, real: Tensor, rank_share: float, ceiling: float, scale: float) -> Tensor:
    """Historical behaviour reweighting: s clip((1 - r) rescaled + r rank / n, 0, c), (S, n), 0 elsewhere."""
    mixed = (1 - rank_share) * rescaled(values, real) + rank_share * rank_shares(values, real)
    return scale * mixed.clamp(0, ceiling) * real


def best_items(scores: Tensor, excluded: Tensor, number: int) -> Tensor:
    """The best ``number`` of (S, M + 1) ``scores`` that are not ``excluded`` (S, M + 1) bool: ids (S, K), padding where
    there are fewer.
    """
    best = scores.masked_fill(excluded, -torch.inf).topk(min(number, scores.shape[1] - 1), dim=1)
    return best.indices.masked_fill(best.values.isneginf(), PADDING)


def low_items(scores: Tensor, own: Tensor, low_from: float, low_to: float, generator: Generator) -> Tensor:
    """Random items (S, P) from between the shares ``low_from`` and ``low_to`` of the list that (S, M + 1) ``scores``
    make, best first; none of ``own`` (S, M + 1) bool, padding where there are fewer.
    """
    number = scores.shape[1] - 1
    order = scores[:, 1:].argsort(dim=1, descending=True, stable=True) + 1
    first = int(low_from * number)
    band = order[:, first : max(int(low_to * number), first + 1)]
    chance = torch.rand(band.shape, generator=generator).to(band.device).masked_fill(own.gather(1, band), -1)
    kept = chance.topk(min(POOL, band.shape[1]), dim=1)
    return band.gather(1, kept.indices).masked_fill(kept.values < 0, PADDING)


@dataclass(frozen=True)
class AdviceSettings:
    """See ``PDRecConfig``. ``coarse``: K."""

    length: int
    num_items: int
    rank_share: float
    weight_ceiling: float
    weight_scale: float
    coarse: int
    low_from: float
    low_to: float
    observed_positives: bool


class Pieces(NamedTuple):
    """``items`` (S, L + 1) ids and ``own`` (S, M + 1) bool: which items the whole sequences hold."""

    items: Tensor
    own: Tensor


class Told(NamedTuple):
    """For a batch: ``weight`` (B,) of its targets, ``pool`` (B, K) likely and ``low`` (B, P) unlikely items, padding
    where there are fewer.
    """

    weight: Tensor
    pool: Tensor
    low: Tensor


class DiffusionAdvice(nn.Module):
    """Tables over the training rows; empty before :meth:`fill`, no part of a saved model."""

    key: Tensor  # (R,) int64, ascending
    piece: Tensor  # (R,) int64: the row's piece
    weight: Tensor  # (R,) of the row's target
    pool: Tensor  # (S, K) int32
    low: Tensor  # (S, P) int32

    def __init__(self, settings: AdviceSettings) -> None:
        super().__init__()
        self.settings = settings
        self.prints = TrainingRows(settings.length)
        whole, small = torch.zeros(0, dtype=torch.int64), torch.zeros(0, 1, dtype=torch.int32)
        for name, empty in (("key", whole), ("piece", whole), ("weight", torch.zeros(0)), ("pool", small)):
            self.register_buffer(name, empty.clone(), persistent=False)
        self.register_buffer("low", small.clone(), persistent=False)

    @torch.no_grad()
    def fill(self, rows: Rows, score: Callable[[Tensor], Tensor], generator: Generator) -> None:
        """Asks ``score`` (ids (S, L + 1) -> (S, M + 1)) about the pieces of the training sequences in ``rows``."""
        device, settings = self.prints.multiplier.device, self.settings
        pieces = tiling_rows(rows, settings.length + 1)
        weights, pools, lows = [], [], []
        for items, own in self._pieces(rows, pieces):
            items, own = items.to(device), own.to(device)
            scores, real = score(items), items != PADDING
            values = scores.gather(1, items).masked_fill(~real, 0)
            weights.append(
                positive_weights(values, real, settings.rank_share, settings.weight_ceiling, settings.weight_scale)
            )
            padding = torch.zeros_like(own).index_fill(1, torch.zeros(1, dtype=torch.int64, device=device), True)
            excluded = padding if settings.observed_positives else own | padding
            pools.append(best_items(scores, excluded, settings.coarse).int())
            lows.append(low_items(scores, own, settings.low_from, settings.low_to, generator).int())
        self.pool, self.low = torch.cat(pools), torch.cat(lows)
        at, slot = self._places(rows, pieces)
        history = rows.history(torch.arange(len(rows)), settings.length)
        self.key, order = self.prints.keys(history.to(device), rows.target.to(device)).sort(stable=True)
        self.piece = at.to(device)[order]
        self.weight = torch.cat(weights)[self.piece, slot.to(device)[order]]

    def find(self, history: Tensor, target: Tensor, generator: Generator) -> Told:
        """For (B, any) histories and (B,) targets. Several rows may hold the same: one of them is drawn, since nothing
        tells them apart. A row that is no training row has weight s and no items.
        """
        if not len(self.key):
            raise RuntimeError('PDRec: the "recommender" phase has to be prepared before its loss can be computed.')
        key = self.prints.keys(history, target)
        first, end = torch.searchsorted(self.key, key), torch.searchsorted(self.key, key, right=True)
        chance = torch.rand(len(key), generator=generator).to(key.device)
        at = (first + (chance * (end - first)).long()).clamp(max=len(self.key) - 1)
        found = end > first
        piece = self.piece[at]
        weight = torch.where(found, self.weight[at], self.settings.weight_scale)
        return Told(weight, self.pool[piece].long() * found[:, None], self.low[piece].long() * found[:, None])

    def _pieces(self, rows: Rows, pieces: Tensor) -> Iterator[Pieces]:
        longest = rows.is_last.nonzero().squeeze(1)
        whole = longest[torch.searchsorted(rows.target_at[longest], rows.target_at[pieces])]
        for index, sequence in zip(pieces.split(AT_ONCE), whole.split(AT_ONCE), strict=True):
            items = torch.cat([rows.history(index, self.settings.length), rows.target[index, None]], dim=1)
            row, item = rows.seen(sequence)
            own = torch.zeros(len(index), self.settings.num_items + 1, dtype=torch.bool)
            own[row, item] = True
            own[torch.arange(len(index)), rows.target[sequence]] = True
            yield Pieces(items, own)

    def _places(self, rows: Rows, pieces: Tensor) -> tuple[Tensor, Tensor]:
        """In which piece each row's target stands (R,), and in which slot of it (R,)."""
        ends = rows.target_at[pieces]
        piece = torch.searchsorted(ends, rows.target_at)
        return piece, self.settings.length - (ends[piece] - rows.target_at)
