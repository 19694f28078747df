"""How GlobalDiff's two voters become one list: normalisation, Borda vote (Eq. 8) and its plain alternatives.

Letters: B batch, N candidates.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from demo_core.models.base import VoteExplanation, mask_padding
from demo_core.models.globaldiff_config import GlobalDiffConfig
from demo_core.sequences import PADDING

SEEN = -9999.0  # what the released code writes over the scores of a window's own items
RRF_OFFSET = 60.0
GAMMA_STEPS = 20


def borda_fusion(personal: Tensor, global_: Tensor, gamma: float | Tensor, worst: int = 1) -> Tensor:
    """Borda vote (Eq. 8): gamma r(y) y + (1 - gamma) r(x) x over the last axis; ranks r run from ``worst`` upwards.

    ``personal`` y and ``global_`` x (..., N) should be non-negative: where a value is negative a better rank makes it
    smaller. Equal values: the smaller index ranks better.
    """
    share = float(gamma)
    if share in (0.0, 1.0):  # who has no say need not be sorted
        alone = personal if share else global_
        return _points(alone, worst).mul_(alone)
    first, second = _points(personal, worst), _points(global_, worst)
    return first.mul_(share).mul_(personal).add_(second.mul_(1 - share).mul_(global_))


def reciprocal_rank_fusion(personal: Tensor, global_: Tensor, gamma: float | Tensor) -> Tensor:
    """gamma / (60 + place in y) + (1 - gamma) / (60 + place in x), places from 1 (Cormack et al., SIGIR 2009)."""
    last = personal.shape[-1] + 1
    places = (last - _points(voter, worst=1) for voter in (personal, global_))
    first, second = (1 / (RRF_OFFSET + place) for place in places)
    return gamma * first + (1 - gamma) * second


def fuse(personal: Tensor, global_: Tensor, gamma: float | Tensor, rule: str, worst: int = 1) -> Tensor:
    """The two voters (..., N) as one score (..., N): "borda", "rrf", or "sum" for gamma y + (1 - gamma) x."""
    if rule == "borda":
        return borda_fusion(personal, global_, gamma, worst)
    if rule == "rrf":
        return reciprocal_rank_fusion(personal, global_, gamma)
    return gamma * personal + (1 - gamma) * global_


@dataclass(frozen=True)
class Ballot:
    """What is counted: the backbone's log ``scores`` and the ``restored`` x_0 (B, M + 1), which ``scale`` () turns into
    log probabilities. ``votes`` (B, M + 1), each row summing to 1, are what the history's items vote for; they make up
    ``vote_share`` () of the global voter.
    """

    scores: Tensor
    restored: Tensor
    scale: Tensor
    votes: Tensor | None = None
    vote_share: Tensor | None = None


def count_votes(config: GlobalDiffConfig, history: Tensor, ballot: Ballot, gamma: Tensor) -> VoteExplanation:
    """The vote as ``config`` reads Eq. 8; column 0 counts with ``rank_padding`` alone."""
    scores, restored = ballot.scores, ballot.restored
    if not config.rank_padding:
        restored = mask_padding(restored)
    if config.seen_before_vote:
        seen = torch.zeros_like(scores, dtype=torch.bool).scatter(1, history, True)
        seen[:, PADDING] = False
        scores, restored = scores.masked_fill(seen, SEEN), restored.masked_fill(seen, SEEN)
    rule = config.voter_normalisation
    personal = normalised(scores, "softmax" if rule == "clip" else rule)
    global_ = normalised(ballot.scale * restored if rule == "softmax" else restored, rule)
    if ballot.votes is not None and ballot.vote_share is not None:
        global_ = torch.lerp(global_, ballot.votes, ballot.vote_share)
    first = 0 if config.rank_padding else 1
    worst = 0 if config.zero_based_ranks else 1
    fused = fuse(personal[:, first:], global_[:, first:], gamma, config.fusion, worst)
    return VoteExplanation(personal, global_, F.pad(fused, (first, 0), value=-torch.inf), float(gamma))


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


def choose_share(share: Tensor, validate: Callable[[], float], steps: int = GAMMA_STEPS) -> None:
    """Sets ``share`` () to the best of 1, 1 - 1 / ``steps``, ... 0 on validation; of equals the one nearest to 1."""
    best, best_share = -math.inf, 1.0
    for step in range(steps, -1, -1):
        share.fill_(step / steps)
        quality = validate()
        if quality > best:
            best, best_share = quality, step / steps
    share.fill_(best_share)


def _points(values: Tensor, worst: int) -> Tensor:
    """Ranks of (..., N), the worst has ``worst``; of equal values the smaller index ranks better."""
    number = values.shape[-1]
    points = torch.arange(worst, worst + number, device=values.device, dtype=values.dtype)
    return torch.empty_like(values).scatter_(-1, _ascending(values), points.expand_as(values))


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
