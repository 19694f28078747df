"""Blocks shared by the models: attention over left-padded histories, feed-forward, step embedding.

Letters: B batch, L history length, D width, H heads. Padding is masked by id, never by the value of a vector.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from demo_core.sequences import PADDING

# Windows no longer than these form one group each; long padded rows would otherwise cost as much as full ones.
LENGTH_GROUPS = (1, 3, 6, 9)


class SelfAttention(nn.Module):
    """Multi-head attention of queries (B, Q, D) over ``memory`` (B, L, D)."""

    def __init__(self, dim: int, heads: int, dropout: float) -> None:
        super().__init__()
        if dim % heads:
            raise ValueError(f"Expected a width divisible by the number of heads, got {dim} and {heads}.")
        self.heads, self.dropout = heads, dropout
        self.query = nn.Linear(dim, dim)
        self.key_value = nn.Linear(dim, 2 * dim)
        self.out = nn.Linear(dim, dim)

    def forward(self, queries: Tensor, memory: Tensor, logits: Tensor) -> Tensor:
        """``logits`` (B or 1, 1, Q, L) is added to the attention logits: -inf masks, log w re-weights a key."""
        split = lambda x: x.unflatten(-1, (self.heads, -1)).transpose(1, 2)  # noqa: E731  (B, L, D) -> (B, H, L, D/H)
        key, value = self.key_value(memory).chunk(2, dim=-1)
        mixed = F.scaled_dot_product_attention(
            split(self.query(queries)),
            split(key),
            split(value),
            attn_mask=logits,
            dropout_p=self.dropout if self.training else 0.0,
        )
        return self.out(mixed.transpose(1, 2).flatten(-2))


class EncoderLayer(nn.Module):
    """Pre-norm Transformer layer: attention, then a GELU feed-forward four times as wide."""

    def __init__(self, dim: int, heads: int, dropout: float) -> None:
        super().__init__()
        self.attention_norm = nn.LayerNorm(dim)
        self.attention = SelfAttention(dim, heads, dropout)
        self.feed_forward_norm = nn.LayerNorm(dim)
        self.feed_forward = nn.Sequential(
            nn.Linear(dim, 4 * dim), nn.GELU(), nn.Dropout(dropout), nn.Linear(4 * dim, dim)
        )
        self.dropout = nn.Dropout(dropout)

    def forward(self, x: Tensor, logits: Tensor, last_only: bool = False) -> Tensor:
        """(B, L, D) -> (B, L, D), or (B, 1, D) for the last slot alone, which is all that a prediction needs."""
        memory = self.attention_norm(x)
        queries = memory
        if last_only:
            queries, x, logits = memory[:, -1:], x[:, -1:], logits[:, :, -1:]
        x = x + self.dropout(self.attention(queries, memory, logits))
        return x + self.dropout(self.feed_forward(self.feed_forward_norm(x)))


class CausalEncoder(nn.Module):
    """Transformer over embedded histories; every slot sees itself and older items. Positions count from the end."""

    def __init__(
        self, dim: int, max_length: int, layers: int, heads: int, dropout: float, input_dropout: float = 0.0
    ) -> None:
        super().__init__()
        self.position = nn.Parameter(torch.randn(max_length, dim) * 0.02)  # row 0 = newest item
        self.layers = nn.ModuleList(EncoderLayer(dim, heads, dropout) for _ in range(layers))
        self.norm = nn.LayerNorm(dim)
        self.input_dropout = nn.Dropout(input_dropout)

    def forward(self, x: Tensor, mask: Tensor, weights: Tensor | None = None, last_only: bool = False) -> Tensor:
        """``x`` (B, L, D) embeddings, ``mask`` (B, L) bool -> states (B, L, D), or (B, D) of the last slot.

        ``weights`` (B, L) in (0, 2) multiplies how much attention a slot gets: log w is added to its logits in every
        layer. Rows of padding alone come out finite but mean nothing.
        """
        length = x.shape[1]
        if length > len(self.position):
            raise ValueError(f"Expected at most {len(self.position)} slots, got {length}.")
        x = self.input_dropout(x + self.position[:length].flip(0))
        logits = attention_logits(mask, x.dtype, weights)
        for layer in self.layers[:-1]:
            x = layer(x, logits)
        x = self.layers[-1](x, logits, last_only)
        return self.norm(x).squeeze(1) if last_only else self.norm(x)


def attention_logits(mask: Tensor, dtype: torch.dtype, weights: Tensor | None = None) -> Tensor:
    """Causal attention over the real slots as additive logits, (B, L) -> (B, 1, L, L).

    Every slot may look at itself, so that no row is a softmax over nothing.
    """
    length = mask.shape[1]
    causal = torch.ones(length, length, dtype=torch.bool, device=mask.device).tril()
    itself = torch.eye(length, dtype=torch.bool, device=mask.device)
    allowed = (causal & mask[:, None, :]) | itself  # (B, L, L)
    logits = torch.zeros(allowed.shape, dtype=dtype, device=mask.device)
    if weights is not None:
        logits = logits + weights.clamp(min=1e-6).log()[:, None, :]
    return logits.masked_fill(~allowed, -torch.inf)[:, None]


def window(history: Tensor, length: int) -> Tensor:
    """(B, any) -> (B, length): the newest ``length`` slots, padded on the left where there are fewer."""
    return F.pad(history[:, -length:], (max(length - history.shape[1], 0), 0), value=PADDING)


def items_before(sequence: Tensor, position: Tensor) -> Tensor:
    """What stands before slot ``position`` (B,) of (B, L), moved to the right end: (B, L), padded on the left."""
    length = sequence.shape[1]
    source = torch.arange(length, device=sequence.device) - (length - position[:, None])
    return torch.where(source >= 0, sequence.gather(1, source.clamp(min=0)), PADDING)


def with_start(history: Tensor, start: int) -> Tensor:
    """Puts the token ``start`` into the last slot of empty rows: an empty history is one learned item."""
    empty = (history == PADDING).all(dim=1)
    newest = torch.where(empty, torch.full_like(history[:, -1], start), history[:, -1])
    return torch.cat([history[:, :-1], newest[:, None]], dim=1)


def by_length(history: Tensor, encode: Callable[[Tensor, Tensor], Tensor]) -> Tensor:
    """Runs ``encode(rows, trimmed history)`` -> (rows, D) on groups of rows of similar length; result (B, D).

    ``rows`` are the indices of the group. On an accelerator one padded call is faster than five small ones.
    """
    lengths = (history != PADDING).sum(dim=1)
    if history.device.type != "cpu" or len(history) < 64:
        return encode(torch.arange(len(history), device=history.device), history[:, -max(1, int(lengths.max())) :])
    order, results = [], []
    group = torch.bucketize(lengths, torch.tensor(LENGTH_GROUPS))
    for number in group.unique().tolist():
        rows = (group == number).nonzero().squeeze(1)
        order.append(rows)
        results.append(encode(rows, history[rows, -max(1, int(lengths[rows].max())) :]))
    return torch.cat(results)[torch.cat(order).argsort()]


def step_embedding(time: Tensor, dim: int) -> Tensor:
    """Sinusoids of the diffusion step: (B,) -> (B, dim), sines then cosines, frequencies 10000^(-k / (dim/2 - 1))."""
    half = dim // 2
    frequency = torch.exp(-math.log(10000.0) / (half - 1) * torch.arange(half, device=time.device))
    angle = time[:, None].float() * frequency
    return torch.cat([angle.sin(), angle.cos()], dim=1)


def unit(x: Tensor) -> Tensor:
    """(..., D) -> the same direction with length 1 (zero stays zero)."""
    return F.normalize(x, dim=-1, eps=1e-8)


def embedding_table(rows: int, dim: int) -> nn.Embedding:
    """A table with small initial values: large ones keep never-trained items on top of every list. Row 0 is zero."""
    table = nn.Embedding(rows, dim, padding_idx=PADDING)
    nn.init.normal_(table.weight, std=0.02)
    with torch.no_grad():
        table.weight[PADDING].zero_()
    return table
