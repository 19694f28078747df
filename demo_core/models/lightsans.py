"""LightSANs: "Lighter and Better: Low-Rank Decomposed Self-Attention Networks for Next-Item Recommendation" (Fan et
al., SIGIR 2021).

Items attend to k latent interests, into which their own history is pooled, instead of to each other; how positions go
together is learned apart from the items and added.

| equation | function |
| --- | --- |
| item-to-interest aggregation: softmax over the positions | ``interest_weights`` |
| low-rank self-attention: items to interests | ``InterestAttention.of_items`` |
| decoupled position encoding: positions to positions | ``InterestAttention.of_positions``, ``position_logits`` |
| which axis the attention is normalised over | ``attention_weights`` |
| scores and cross-entropy | ``base.item_scores``, ``LightSANs.loss`` |

Departures of ``default``, with the reason:

| paper / released code | here | why |
| --- | --- | --- |
| code: attention is a softmax over the queries | over the keys; ``softmax_axis`` | a query's weights make a mean |
| padding is pooled, attended to and counted | left out, with "queries" too | it says nothing about taste |
| positions count from the start | from the end | more padding changes nothing |
| an empty history does not occur | [start] is its only item | 15 % of Zhihu rows are empty |
| interests from N(0, 1), other weights from N(0, 0.02) | N(0, 4 / D), PyTorch's | pooling begins about as uneven |
| k a tenth of a window of 100 to 200 | 5 of 10 | one interest would be the same for every item |
| Adam 3e-3 | constant, per data set (``presets.py``), averaged weights | the schedule of all other models |
| the next item is the target | on Zhihu also items from around it (``neighbour_target_rate``) | one of many as good |
| the last layer has a state for every item | for the newest alone ("keys") | the others are not read |

Kept as released: no causal mask; the position logits are scaled twice, by 1 / sqrt(2 d) and by 1 / sqrt(d) for heads of
width d; no dropout on the position weights; pooling comes behind the projections and before the heads are split.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Generator, Tensor, nn

from demo_core.layers import Dropout, embedding_table, items_before, row_softmax, window, with_start
from demo_core.models.base import SequenceEncoder, next_item_loss, seeded
from demo_core.models.neighbour_targets import LearnsFromNeighbours, NeighbourTargetsConfig
from demo_core.models.post_norm import AddAndNorm, FeedForward, merge_heads, split_heads
from demo_core.sequences import PADDING, Batch
from demo_core.slots import Slots

SOFTMAX_AXES = ("keys", "queries")


@dataclass(frozen=True, kw_only=True)
class LightSANsConfig(NeighbourTargetsConfig):
    """``layers`` of ``heads`` heads each. ``interests`` k >= 1.

    ``softmax_axis``: "keys" (the weights of a query sum to 1) or "queries", as in the released code (those of an
    interest or a position sum to 1, over whoever asks). ``input_dropout`` acts on the normalised item embeddings,
    ``dropout`` on the item weights and on what each block adds.
    """

    layers: int = 2
    heads: int = 2
    interests: int = 5
    dropout: float = 0.2
    input_dropout: float = 0.2
    softmax_axis: str = "keys"


def interest_weights(items: Tensor, theta: Tensor, mask: Tensor) -> Tensor:
    """(B, L, D) projected items, ``theta`` (D, k), ``mask`` (B, L) bool -> (B, k, L): how much of each interest every
    real item is. Rows sum to 1.
    """
    return row_softmax((items @ theta).transpose(1, 2).masked_fill(~mask[:, None], -torch.inf))


def position_logits(query: Tensor, key: Tensor) -> Tensor:
    """Projected positions (h, Q, d) and (h, L, d) -> (h, Q, L), scaled twice."""
    width = query.shape[-1]
    return query @ key.transpose(1, 2) / math.sqrt(2 * width) / math.sqrt(width)


def attention_weights(logits: Tensor, axis: str, queries: Tensor, keys: Tensor | None = None) -> Tensor:
    """(B or 1, h, Q, K) logits -> weights (B, h, Q, K), normalised over ``axis``. ``queries`` (B, Q) and ``keys``
    (B, K) bool are the real ones (``None``: all); keys that are not real get nothing, whoever asks.
    """
    visible = None if keys is None else keys[:, None, None]
    if axis == "keys":
        return row_softmax(logits if visible is None else logits.masked_fill(~visible, -torch.inf))
    weights = logits.masked_fill(~queries[:, None, :, None], -torch.inf).softmax(dim=-2)
    return weights if visible is None else weights * visible


class InterestAttention(nn.Module):
    """The attention of one layer. Letters: k interests, h heads, d = D / h, Q queries (L, or the newest alone)."""

    def __init__(self, dim: int, heads: int, interests: int, dropout: float, axis: str) -> None:
        super().__init__()
        if dim % heads:
            raise ValueError(f"Expected a width divisible by the number of heads, got {dim} and {heads}.")
        self.heads, self.axis = heads, axis
        self.query = nn.Linear(dim, dim)
        self.key_value = nn.Linear(dim, 2 * dim)
        self.key_interests = nn.Parameter(torch.randn(dim, interests) * 2 / math.sqrt(dim))
        self.value_interests = nn.Parameter(torch.randn(dim, interests) * 2 / math.sqrt(dim))
        self.position_norm = nn.LayerNorm(dim)
        self.position_query_key = nn.Linear(dim, 2 * dim)
        self.out = nn.Linear(dim, dim)
        self.dropout = Dropout(dropout)

    def forward(self, query: Tensor, key_value: Tensor, position: Tensor, mask: Tensor) -> Tensor:
        """Projected queries (B, Q, D), keys and values (B, L, 2D), ``position`` (L, D) in the order of the slots,
        ``mask`` (B, L) bool -> (B, Q, D). The queries are the last Q slots.
        """
        key, value = key_value.chunk(2, dim=-1)
        asking = mask[:, -query.shape[1] :]
        mixed = self.of_items(query, key, value, mask, asking) + self.of_positions(position, value, mask, asking)
        attended: Tensor = self.out(merge_heads(mixed))
        return attended

    def of_items(self, query: Tensor, key: Tensor, value: Tensor, mask: Tensor, asking: Tensor) -> Tensor:
        """(B, Q, D) queries, (B, L, D) keys and values -> (B, h, Q, d): a mixture of the pooled values."""
        interest_key = split_heads(interest_weights(key, self.key_interests, mask) @ key, self.heads)
        interest_value = split_heads(interest_weights(value, self.value_interests, mask) @ value, self.heads)
        asked = split_heads(query, self.heads)
        logits = asked @ interest_key.transpose(2, 3) / math.sqrt(asked.shape[-1])
        weights: Tensor = self.dropout(attention_weights(logits, self.axis, asking))
        return weights @ interest_value

    def of_positions(self, position: Tensor, value: Tensor, mask: Tensor, asking: Tensor) -> Tensor:
        """(B, L, D) values -> (B, h, Q, d): a mixture of all of them that only their places decide."""
        query, key = self.position_query_key(self.position_norm(position)).chunk(2, dim=-1)
        asked = split_heads(query[-asking.shape[1] :], self.heads)
        logits = position_logits(asked, split_heads(key, self.heads))
        return attention_weights(logits[None], self.axis, asking, mask) @ split_heads(value, self.heads)


class LightLayer(nn.Module):
    """Attention and feed-forward over packed slots (N, D)."""

    def __init__(self, config: LightSANsConfig) -> None:
        super().__init__()
        dim, dropout = config.embedding_dim, config.dropout
        self.attention = InterestAttention(dim, config.heads, config.interests, dropout, config.softmax_axis)
        self.add = AddAndNorm(dim, dropout)
        self.feed_forward = FeedForward(dim, dropout)

    def forward(self, x: Tensor, slots: Slots, position: Tensor, mask: Tensor, last_only: bool) -> Tensor:
        """(N, D) -> (N, D), or (B, D) of the newest slots."""
        attention = self.attention
        key_value = slots.pad(attention.key_value(x))
        if last_only and attention.axis == "keys":
            x = slots.newest(x)
            update = attention(attention.query(x)[:, None], key_value, position, mask).squeeze(1)
        else:  # over the queries, the newest one's weights depend on all the others
            update = slots.pack(attention(slots.pad(attention.query(x)), key_value, position, mask))
            if last_only:
                x, update = slots.newest(x), slots.newest(update)
        state: Tensor = self.feed_forward(self.add(x, update))
        return state


class LightSANs(LearnsFromNeighbours, SequenceEncoder):
    config: LightSANsConfig

    def __init__(self, config: LightSANsConfig) -> None:
        super().__init__(config)
        config.require_one_of("softmax_axis", SOFTMAX_AXES)
        if config.interests < 1:
            raise ValueError(f"interests: expected at least 1, got {config.interests}.")
        dim = config.embedding_dim
        self.item_embedding = embedding_table(config.num_items + 2, dim)  # last row: [start]
        self.item_bias = None
        self.position = nn.Parameter(torch.randn(config.max_length, dim) * 0.02)  # row 0 = newest item
        self.input_norm = nn.LayerNorm(dim)
        self.input_dropout = Dropout(config.input_dropout)
        self.layers = nn.ModuleList(LightLayer(config) for _ in range(config.layers))

    def tokens(self, history: Tensor) -> Tensor:
        """(B, any) -> (B, L) ids, at least one of them no padding."""
        return with_start(window(history, self.config.max_length), self.config.num_items + 1)

    def encode(self, history: Tensor) -> Tensor:
        return self._read(self.tokens(history), last_only=True)

    def states(self, tokens: Tensor) -> Tensor:
        """(B, L) ids -> the states of all slots (B, L, D), zero at padding."""
        return self._read(tokens, last_only=False) * (tokens != PADDING)[..., None]

    def _read(self, tokens: Tensor, last_only: bool) -> Tensor:
        mask = tokens != PADDING
        slots, position = Slots.of(mask), self.position.flip(0)
        x = self.input_dropout(self.input_norm(slots.pack(self.item_embedding(tokens))))
        for number, layer in enumerate(self.layers, start=1):
            x = layer(x, slots, position, mask, last_only and number == len(self.layers))
        return x if last_only else slots.pad(x)

    def masked_context(self, sequence: Tensor, position: Tensor) -> tuple[Tensor, Tensor]:
        """Only what stands before the position is read, as in training."""
        tokens = self.tokens(items_before(sequence, position))
        states = self.states(tokens)
        return states[:, -1], states.sum(dim=1) / (tokens != PADDING).sum(dim=1, keepdim=True)

    def loss(self, batch: Batch, generator: Generator | None = None) -> Tensor:
        state, target = self.encode(batch.history), self.training_target(batch.target, seeded(generator))
        return next_item_loss(state, target, self.item_embedding, self.config.num_items)
