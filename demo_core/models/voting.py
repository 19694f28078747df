"""How GlobalDiff's two voters become one list: normalisation, Borda vote (Eq. 8) and its plain alternatives.

Letters: B batch, N candidates.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property, partial

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from demo_core.models.base import Validation, VoteExplanation, mask_padding
from demo_core.models.globaldiff_config import GlobalDiffConfig
from demo_core.sequences import PADDING

SEEN = -9999.0  # what the released code writes over the scores of a window's own items
RRF_OFFSET = 60.0
GAMMA_STEPS = 20


@dataclass(frozen=True)
class Voter:
    """Values (..., N), and what the ranks give each item: ``worst`` for the worst one, and one more each rank up.

    Of equal values the smaller index ranks better.
    """

    values: Tensor
    worst: int = 1

    @cached_property
    def points(self) -> Tensor:
        number = self.values.shape[-1]
        points = torch.arange(
            self.worst, self.worst + number, device=self.values.device, dtype=self.values.dtype
        ).expand_as(self.values)
        return torch.empty_like(self.values).scatter_(-1, _ascending(self.values), points)


def borda_fusion(personal: Tensor, global_: Tensor, gamma: float | Tensor, worst: int = 1) -> Tensor:
    """Borda vote (Eq. 8): gamma r(y) y + (1 - gamma) r(x) x over the last axis; ranks r run from ``worst`` upwards.

    ``personal`` y and ``global_`` x (..., N) should be non-negative: where a value is negative a better rank makes it
    smaller. Equal values: the smaller index ranks better.
    """
    return _borda(Voter(personal, worst), Voter(global_, worst), float(gamma))


def reciprocal_rank_fusion(personal: Tensor, global_: Tensor, gamma: float | Tensor) -> Tensor:
    """gamma / (60 + place in y) + (1 - gamma) / (60 + place in x), places from 1 (Cormack et al., SIGIR 2009)."""
    return _reciprocal(Voter(personal), Voter(global_), float(gamma))


def fuse(personal: Voter, global_: Voter, gamma: float | Tensor, rule: str) -> Tensor:
    """The two voters' (..., N) as one score (..., N): "borda", "rrf", or "sum" for gamma y + (1 - gamma) x."""
    share = float(gamma)
    if rule == "borda":
        return _borda(personal, global_, share)
    if rule == "rrf":
        return _reciprocal(personal, global_, share)
    return share * personal.values + (1 - share) * global_.values


@dataclass(frozen=True)
class Ballot:
    """What is counted: the backbone's log ``scores`` and the ``restored`` x_0 (B, M + 1), which ``scale`` () turns into
    log probabilities. ``votes`` (B, M + 1), each row summing to 1, are what the history's items vote for; a share of
    the global voter is made up of them.
    """

    scores: Tensor
    restored: Tensor
    scale: Tensor
    votes: Tensor | None = None


class Count:
    """The vote on a ``ballot`` as ``config`` reads Eq. 8; column 0 counts with ``rank_padding`` alone.

    Counted again with other shares, what they leave as it was is not sorted again.
    """

    def __init__(self, config: GlobalDiffConfig, history: Tensor, ballot: Ballot) -> None:
        scores, restored = ballot.scores, ballot.restored
        if not config.rank_padding:
            restored = mask_padding(restored)
        if config.seen_before_vote:
            seen = torch.zeros_like(scores, dtype=torch.bool).scatter(1, history, True)
            seen[:, PADDING] = False
            scores, restored = scores.masked_fill(seen, SEEN), restored.masked_fill(seen, SEEN)
        rule = config.voter_normalisation
        self.personal = normalised(scores, "softmax" if rule == "clip" else rule)
        self._restored = normalised(ballot.scale * restored if rule == "softmax" else restored, rule)
        self._votes, self._fusion = ballot.votes, config.fusion
        self._first, self._worst = 0 if config.rank_padding else 1, 0 if config.zero_based_ranks else 1
        self._personal = self._voter(self.personal)
        self._global: tuple[float, Tensor, Voter] | None = None

    def with_shares(self, gamma: Tensor, vote_share: Tensor | None) -> VoteExplanation:
        """``gamma`` () is the personal voter's share, ``vote_share`` () that of the votes in the global voter."""
        values, voter = self._global_voter(0.0 if vote_share is None else float(vote_share))
        fused = fuse(self._personal, voter, gamma, self._fusion)
        padded = F.pad(fused, (self._first, 0), value=-torch.inf)
        return VoteExplanation(self.personal, values, padded, float(gamma))

    def _global_voter(self, share: float) -> tuple[Tensor, Voter]:
        if self._global is None or self._global[0] != share:
            values = self._restored if self._votes is None else torch.lerp(self._restored, self._votes, share)
            self._global = share, values, self._voter(values)
        return self._global[1:]

    def _voter(self, values: Tensor) -> Voter:
        return Voter(values[:, self._first :], self._worst)


def normalised(scores: Tensor, rule: str) -> Tensor:
    """A voter (B, N), -inf where something is no candidate, made comparable: "softmax", "clip" for
    :func:`clip_and_divide`, "l2" for its direction. Where there is no candidate the result is 0.
    """
    if rule == "softmax":
        return scores.softmax(dim=-1)
    finite = scores.masked_fill(scores.isneginf(), 0.0)
    return clip_and_divide(finite) if rule == "clip" else F.normalize(finite, dim=-1)


def clip_and_divide(values: Tensor) -> Tensor:
    """(..., N) -> negative values become 0, and the rest sums to 1 (all equal where nothing is left)."""
    kept = values.clamp(min=0)
    total = kept.sum(dim=-1, keepdim=True)
    return torch.where(total > 0, kept / total.clamp(min=torch.finfo(kept.dtype).tiny), 1 / kept.shape[-1])


def choose_share(share: Tensor, validate: Validation, steps: int = GAMMA_STEPS) -> None:
    """Sets ``share`` () to the best of 1, 1 - 1 / ``steps``, ... 0 on validation; of equals the one nearest to 1."""
    shares = [step / steps for step in range(steps, -1, -1)]
    qualities = validate.of([partial(share.fill_, value) for value in shares])
    share.fill_(shares[qualities.index(max(qualities))])


def _borda(personal: Voter, global_: Voter, share: float) -> Tensor:
    if share in (0.0, 1.0):  # who has no say need not be sorted
        alone = personal if share else global_
        return alone.points * alone.values
    first = (personal.points * share).mul_(personal.values)
    return first.add_((global_.points * (1 - share)).mul_(global_.values))


def _reciprocal(personal: Voter, global_: Voter, share: float) -> Tensor:
    first, second = (1 / (RRF_OFFSET + v.worst + v.values.shape[-1] - v.points) for v in (personal, global_))
    return share * first + (1 - share) * second


def _ascending(values: Tensor) -> Tensor:
    """Indices (..., N) from the worst value to the best; of equals the larger index comes first.

    On a CPU value and index are packed into one integer, because NumPy sorts integers several times faster than
    PyTorch finds an order.
    """
    if values.device.type != "cpu" or values.dtype != torch.float32:
        return values.argsort(dim=-1, descending=True, stable=True).flip(-1)
    bits = (values.detach() + 0.0).numpy().view(np.int32)  # + 0.0: minus zero equals zero
    ordered = bits ^ (bits >> 31 & 0x7FFFFFFF)  # integers in the order of the floats, negative ones included
    packed = ordered.astype(np.int64)
    packed <<= 32
    packed += np.arange(values.shape[-1] - 1, -1, -1)
    packed.sort(axis=-1)
    packed &= 0xFFFFFFFF
    return torch.from_numpy(np.subtract(values.shape[-1] - 1, packed, out=packed))
