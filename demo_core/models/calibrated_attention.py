"""The attention of AC-TSR: weights that know order and distance, an adversary that finds the ones that matter, and the
correction that is made of what it found.

Letters: h heads, d = D / h, Q queries (L, or the newest alone). Weights and masks are (B, h, Q, L) and 0 where a query
does not see a key; ``unseen`` (B, 1, Q, L) is -inf there and else 0.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from demo_core.layers import Dropout, row_softmax
from demo_core.models.post_norm import AddAndNorm, FeedForward, merge_heads, split_heads
from demo_core.slots import Slots


def order_term(belief: Tensor, later: Tensor) -> Tensor:
    """Log-likelihood of a pair's order. ``belief`` (..., Q, L) is the logit of "the key is later than the query",
    ``later`` (Q, L) bool says which is.
    """
    return F.logsigmoid(torch.where(later, belief, -belief))


def distance_term(belief: Tensor, distance: Tensor, scale: Tensor) -> Tensor:
    """Log-likelihood, but for a constant, of the log distance ln(1 + |i - j|) of a pair under a Gaussian around
    ``belief`` (..., Q, L) of standard deviation 1 / |``scale``|; ``distance`` (Q, L) in slots, ``scale`` (1,).
    """
    return -((distance.to(belief.dtype).log1p() - belief) ** 2) * scale**2 / 2


def attacked_weights(weights: Tensor, mask: Tensor, noise: Tensor) -> Tensor:
    """What the adversary turns the weights into: those it spares stay, the others become ``noise``."""
    return weights * mask + noise * (1 - mask)


def calibrated_weights(weights: Tensor, mask: Tensor) -> Tensor:
    """The more the adversary wants a weight gone, the larger it becomes: by a factor of up to e."""
    return weights * torch.exp(1 - mask)


def gated_weights(gate: Tensor, weights: Tensor, calibrated: Tensor) -> Tensor:
    """``gate`` in (0, 1) is the share of the weights as they were."""
    return gate * weights + (1 - gate) * calibrated


def again(weights: Tensor, unseen: Tensor) -> Tensor:
    """Weights taken for logits: what is seen sums to 1, and no weight in [0, 1] can be more than e times another."""
    return row_softmax(weights + unseen)


class Adversary(nn.Module):
    """Its mask is an attention of its own: what it spares sums to 1 over the keys of a query. (A bias of the keys would
    change nothing.)
    """

    def __init__(self, dim: int, heads: int, dropout: float) -> None:
        super().__init__()
        self.heads = heads
        self.query = nn.Linear(dim, dim)
        self.key = nn.Linear(dim, dim, bias=False)
        self.dropout = Dropout(dropout)

    def forward(self, query: Tensor, key: Tensor, unseen: Tensor) -> Tensor:
        """The layer's projected queries (B, Q, D) and keys (B, L, D) -> the mask."""
        asked, told = split_heads(self.query(query), self.heads), split_heads(self.key(key), self.heads)
        mask: Tensor = self.dropout(row_softmax(asked @ told.transpose(2, 3) / math.sqrt(asked.shape[-1]) + unseen))
        return mask


class CalibratedAttention(nn.Module):
    """``softmax_again``: attacked, calibrated and mixed weights are each put through a softmax, as released."""

    def __init__(self, dim: int, max_length: int, heads: int, dropout: float, softmax_again: bool) -> None:
        super().__init__()
        if dim % heads:
            raise ValueError(f"Expected a width divisible by the number of heads, got {dim} and {heads}.")
        self.heads, self.softmax_again = heads, softmax_again
        self.query = nn.Linear(dim, dim)
        self.key_value = nn.Linear(dim, 2 * dim)
        self.order = nn.Linear(2 * dim // heads, 1)  # of a query and a key, the same for all heads
        self.distance = nn.Linear(2 * dim // heads, 1)
        self.distance_scale = nn.Parameter(torch.randn(1))
        self.adversary = Adversary(dim, heads, dropout)
        self.gate = nn.Linear(dim, max_length)  # one for each distance from the query
        self.out = nn.Linear(dim, dim)
        self.dropout = Dropout(dropout)

    def weights(self, query: Tensor, key: Tensor, unseen: Tensor) -> Tensor:
        """Spatially calibrated weights of projected queries (B, Q, D), the last Q slots, and keys (B, L, D)."""
        asked, told = split_heads(query, self.heads), split_heads(key, self.heads)
        offset = offsets(query.shape[1], key.shape[1], query.device)
        logits = asked @ told.transpose(2, 3)
        logits = logits + order_term(of_pairs(self.order, asked, told), offset < 0)
        logits = logits + distance_term(of_pairs(self.distance, asked, told), offset.abs(), self.distance_scale)
        kept: Tensor = self.dropout(row_softmax(logits / math.sqrt(asked.shape[-1]) + unseen))
        return kept

    def attack(self, weights: Tensor, mask: Tensor, noise: Tensor, unseen: Tensor) -> Tensor:
        attacked = attacked_weights(weights, mask, noise)
        return again(attacked, unseen) if self.softmax_again else attacked.masked_fill(unseen.isinf(), 0)

    def calibrate(self, weights: Tensor, mask: Tensor, query: Tensor, unseen: Tensor) -> Tensor:
        """The weights that are used; ``query`` (B, Q, D) projected."""
        length = weights.shape[-1]
        offset = offsets(query.shape[1], length, query.device).clamp(min=0)  # later keys are not seen
        gates = torch.sigmoid(self.gate(query)).gather(2, offset.expand(len(query), -1, -1))[:, None]
        calibrated = calibrated_weights(weights, mask)
        if not self.softmax_again:
            return gated_weights(gates, weights, calibrated)
        return again(gated_weights(gates, weights, again(calibrated, unseen)), unseen)

    def mix(self, weights: Tensor, value: Tensor) -> Tensor:
        """Values (B, L, D) -> (B, Q, D)."""
        mixed: Tensor = self.out(merge_heads(weights @ split_heads(value, self.heads)))
        return mixed


def offsets(queries: int, length: int, device: torch.device) -> Tensor:
    """(Q, L): how many slots a key stands before the query; the queries are the last ones."""
    slot = torch.arange(length, device=device)
    return slot[length - queries :, None] - slot


def of_pairs(affine: nn.Linear, query: Tensor, key: Tensor) -> Tensor:
    """``affine`` (2 d -> 1) of every [query; key]: (B, h, Q, d), (B, h, L, d) -> (B, h, Q, L), pairs never built."""
    of_query, of_key = affine.weight.chunk(2, dim=1)
    return query @ of_query.T + (key @ of_key.T).transpose(2, 3) + affine.bias


@dataclass(frozen=True)
class Calibration:
    """What a layer or an encoder made of its input. ``states``: packed (N, D), or (B, D) of the newest slots.

    ``attacked`` (B, D): the newest state under attack (``None``: nobody attacked). ``spared``: the adversary's mask,
    of the queries that were computed.
    """

    states: Tensor
    attacked: Tensor | None
    spared: Tensor


class CalibratedLayer(nn.Module):
    """Attention and feed-forward; both kinds of weights take the same values, maps and norms."""

    def __init__(self, dim: int, max_length: int, heads: int, dropout: float, softmax_again: bool) -> None:
        super().__init__()
        self.attention = CalibratedAttention(dim, max_length, heads, dropout, softmax_again)
        self.add = AddAndNorm(dim, dropout)
        self.feed_forward = FeedForward(dim, dropout)

    def forward(
        self, x: Tensor, slots: Slots, unseen: Tensor, last_only: bool = False, noise: Tensor | None = None
    ) -> Calibration:
        """Packed slots (N, D) of histories whose ``unseen`` is (B, 1, L, L). ``noise`` (B, h, 1, L): the adversary
        attacks the newest state with it, which takes ``last_only``.
        """
        attention = self.attention
        key, value = slots.pad(attention.key_value(x)).chunk(2, dim=-1)
        if last_only:
            x, unseen = slots.newest(x), unseen[:, :, -1:]
            query = attention.query(x)[:, None]
        else:
            query = slots.pad(attention.query(x))
        weights = attention.weights(query, key, unseen)
        spared = attention.adversary(query, key, unseen)
        mixed = attention.mix(attention.calibrate(weights, spared, query, unseen), value)
        states = self._finish(x, mixed.squeeze(1) if last_only else slots.pack(mixed))
        if noise is None:
            return Calibration(states, None, spared)
        attacked = attention.mix(attention.attack(weights, spared, noise, unseen), value)
        return Calibration(states, self._finish(x, attacked.squeeze(1)), spared)

    def _finish(self, x: Tensor, update: Tensor) -> Tensor:
        state: Tensor = self.feed_forward(self.add(x, update))
        return state
