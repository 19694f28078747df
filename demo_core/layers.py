"""Blocks shared by the models: attention over left-padded histories, feed-forward, step embedding.

Letters: B batch, L history length, D width, H heads. Padding is masked by id, never by the value of a vector.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from demo_core.sequences import PADDING
from demo_core.slots import Slots


class Dropout(nn.Module):
    """Dropout with one random byte an element: on a CPU several times faster than a Bernoulli draw.

    The rate in use is ``rate`` rounded to 1/256; what stays is scaled so that the mean is kept exactly.
    """

    def __init__(self, rate: float) -> None:
        super().__init__()
        if not 0 <= rate < 1:
            raise ValueError(f"Expected a dropout rate in [0, 1), got {rate}.")
        self.rate = rate

    def forward(self, x: Tensor) -> Tensor:
        dropped = round(256 * self.rate)
        if not self.training or not dropped:
            return x
        if x.device.type != "cpu":
            return F.dropout(x, self.rate)
        words = torch.empty(-(-x.numel() // 8), dtype=torch.int64).random_(-(2**63), None)
        numbers = words.view(torch.uint8)[: x.numel()].view(x.shape)
        # 1 from ``dropped`` on, else 0. A comparison says the same, but PyTorch does not vectorise bools: it takes five
        # times as long to make them and to turn them into floats.
        kept = numbers.clamp_(dropped - 1, dropped).sub_(dropped - 1)
        return x * kept.to(x.dtype).mul_(256 / (256 - dropped))


class GELU(nn.Module):
    """``nn.GELU`` for packed slots, whose number differs from batch to batch. On a CPU PyTorch hands a contiguous input
    to oneDNN, which compiles a kernel for every new shape; a transposed one takes PyTorch's own kernel, as fast and
    the same for all shapes.
    """

    def forward(self, x: Tensor) -> Tensor:
        return F.gelu(x.transpose(0, -1)).transpose(0, -1)


class SelfAttention(nn.Module):
    """Multi-head attention of queries (B, Q, D) over ``memory`` (B, L, D)."""

    def __init__(self, dim: int, heads: int, dropout: float) -> None:
        super().__init__()
        if dim % heads:
            raise ValueError(f"Expected a width divisible by the number of heads, got {dim} and {heads}.")
        self.heads = heads
        self.query = nn.Linear(dim, dim)
        self.key_value = nn.Linear(dim, 2 * dim)
        self.out = nn.Linear(dim, dim)
        self.dropout = Dropout(dropout)

    def forward(self, queries: Tensor, memory: Tensor, logits: Tensor) -> Tensor:
        """``logits`` (B or 1, 1, Q, L) is added to the attention logits: -inf masks, log w re-weights a key."""
        return self.out(self.mix(self.query(queries), self.key_value(memory), logits))

    def mix(self, query: Tensor, key_value: Tensor, logits: Tensor) -> Tensor:
        """Projected queries (B, Q, D), keys and values (B, L, 2D) -> mixed values (B, Q, D), before the last map."""
        key, value = key_value.chunk(2, dim=-1)
        if self.heads == 1:
            return self._mix_head(query, key, value, logits.squeeze(1))
        heads = [x.chunk(self.heads, dim=-1) for x in (query, key, value)]
        return torch.cat([self._mix_head(*head, logits.squeeze(1)) for head in zip(*heads, strict=True)], dim=-1)  # type: ignore[call-arg]

    def _mix_head(self, query: Tensor, key: Tensor, value: Tensor, logits: Tensor) -> Tensor:
        similarity = query @ key.transpose(1, 2) / math.sqrt(query.shape[-1]) + logits
        return self.dropout(row_softmax(similarity)) @ value


class EncoderLayer(nn.Module):
    """Pre-norm Transformer layer: attention, then a GELU feed-forward four times as wide."""

    def __init__(self, dim: int, heads: int, dropout: float) -> None:
        super().__init__()
        self.attention_norm = nn.LayerNorm(dim)
        self.attention = SelfAttention(dim, heads, dropout)
        self.feed_forward_norm = nn.LayerNorm(dim)
        self.feed_forward = nn.Sequential(nn.Linear(dim, 4 * dim), GELU(), Dropout(dropout), nn.Linear(4 * dim, dim))
        self.dropout = Dropout(dropout)

    def forward(
        self, x: Tensor, logits: Tensor, slots: Slots, last_only: bool = False, wanted: Slots | None = None
    ) -> Tensor:
        """The real slots (N, D) -> (N, D); (B, D) for the newest of each row, all that a prediction needs; or (M, D)
        for the ``wanted`` ones among them.
        """
        attention = self.attention
        memory = self.attention_norm(x)
        key_value = slots.pad(attention.key_value(memory))
        if last_only:
            x = slots.newest(x)
            query = attention.query(slots.newest(memory))[:, None]
            mixed = attention.mix(query, key_value, logits[:, :, -1:]).squeeze(1)
        else:
            if wanted is not None and wanted.index is not None:
                at = slots.find(wanted, x.device)
                x, memory, slots = x.index_select(0, at), memory.index_select(0, at), wanted
            mixed = slots.pack(attention.mix(slots.pad(attention.query(memory)), key_value, logits))
        x = x + self.dropout(attention.out(mixed))
        return x + self.dropout(self.feed_forward(self.feed_forward_norm(x)))


class CausalEncoder(nn.Module):
    """Transformer over embedded histories; every slot sees itself and older items (all items, if not ``causal``).
    Positions count from the end.
    """

    def __init__(
        self,
        dim: int,
        max_length: int,
        layers: int,
        heads: int,
        dropout: float,
        input_dropout: float = 0.0,
        causal: bool = True,
    ) -> None:
        super().__init__()
        self.causal = causal
        self.position = nn.Parameter(torch.randn(max_length, dim) * 0.02)  # row 0 = newest item
        self.layers = nn.ModuleList(EncoderLayer(dim, heads, dropout) for _ in range(layers))
        self.norm = nn.LayerNorm(dim)
        self.input_dropout = Dropout(input_dropout)

    def forward(self, x: Tensor, mask: Tensor, weights: Tensor | None = None, last_only: bool = False) -> Tensor:
        """``x`` (B, L, D) embeddings, ``mask`` (B, L) bool -> states (B, L, D), or (B, D) of the last slot.

        ``weights`` (B, L) in (0, 2) multiplies how much attention a slot gets: log w is added to its logits in every
        layer. States of padding are finite but mean nothing (zero where slots are packed, see ``Slots``). The same
        holds for the last state of a row of padding alone.
        """
        length = x.shape[1]
        if length > len(self.position):
            raise ValueError(f"Expected at most {len(self.position)} slots, got {length}.")
        slots = Slots.of(mask)
        packed = self.input_dropout(slots.pack(x + self.position[:length].flip(0)))
        logits = attention_logits(mask, x.dtype, weights, self.causal)
        for layer in self.layers[:-1]:
            packed = layer(packed, logits, slots)
        packed = self.norm(self.layers[-1](packed, logits, slots, last_only))
        return packed if last_only else slots.pad(packed)


def attention_logits(mask: Tensor, dtype: torch.dtype, weights: Tensor | None = None, causal: bool = True) -> Tensor:
    """Attention over the real slots, and only older ones if ``causal``, as additive logits: (B, L) -> (B, 1, L, L).

    Every slot may look at itself, so that no row is a softmax over nothing.
    """
    length = mask.shape[1]
    ones = torch.ones(length, length, dtype=torch.bool, device=mask.device)
    itself = torch.eye(length, dtype=torch.bool, device=mask.device)
    allowed = ((ones.tril() if causal else ones) & mask[:, None, :]) | itself  # (B, L, L)
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


def step_embedding(time: Tensor, dim: int) -> Tensor:
    """Sinusoids of the diffusion step: (B,) -> (B, dim), sines then cosines, frequencies 10000^(-k / (dim/2 - 1))."""
    half = dim // 2
    frequency = torch.exp(-math.log(10000.0) / (half - 1) * torch.arange(half, device=time.device))
    angle = time[:, None].float() * frequency
    return torch.cat([angle.sin(), angle.cos()], dim=1)


def row_softmax(logits: Tensor) -> Tensor:
    """Softmax over the last dimension. On a CPU one over 10 columns takes ten times as long as one over 16, since only
    whole vectors are fast: (..., L) is filled up with -inf, and what they got is cut off again.
    """
    columns = logits.shape[-1]
    return F.pad(logits, (0, -columns % 16), value=-torch.inf).softmax(dim=-1)[..., :columns]


def unit(x: Tensor) -> Tensor:
    """(..., D) -> the same direction with length 1 (zero stays zero)."""
    return F.normalize(x, dim=-1, eps=1e-8)


def embedding_table(rows: int, dim: int, scale: float = 0.02, trained_padding: bool = False) -> nn.Embedding:
    """A table with small initial values: large ones keep never-trained items on top of every list.

    Row 0, the padding, is zero and stays so, unless it is to be an ordinary row.
    """
    table = nn.Embedding(rows, dim, padding_idx=None if trained_padding else PADDING)
    nn.init.normal_(table.weight, std=scale)
    if not trained_padding:
        with torch.no_grad():
            table.weight[PADDING].zero_()
    return table


def nt_xent(first: Tensor, second: Tensor, temperature: float) -> Tensor:
    """Normalised temperature-scaled cross-entropy (SimCLR, arXiv 2002.05709) of two views (B, F) of B things, ().

    Row i of one view has to find row i of the other among the 2B - 1 other rows, by cosine over ``temperature`` > 0;
    mean over all 2B rows.
    """
    return nt_xent_pairs(torch.stack([first, second]), temperature)[0, 1]


def nt_xent_pairs(views: Tensor, temperature: float) -> Tensor:
    """:func:`nt_xent` of every pair out of P views (P, B, F): (P, P), symmetric, zeros on the diagonal.

    The PB x PB similarities are computed once; a pair's denominators are sums of two blocks of them.
    """
    number, rows = views.shape[:2]
    flat = unit(views).flatten(0, 1)
    similarity = flat @ flat.T / temperature
    itself = torch.eye(len(flat), dtype=torch.bool, device=views.device)
    blocks = similarity.masked_fill(itself, -torch.inf).unflatten(1, (number, rows)).unflatten(0, (number, rows))
    totals = blocks.logsumexp(dim=3)  # (P, B, P): log of row i's sum over each view
    own = totals.diagonal(dim1=0, dim2=2).T  # (P, B): over its own view, itself left out
    agreement = similarity.unflatten(1, (number, rows)).unflatten(0, (number, rows)).diagonal(dim1=1, dim2=3)
    loss = (torch.logaddexp(own[:, :, None], totals) - agreement.transpose(1, 2)).mean(dim=1)
    return ((loss + loss.T) / 2).fill_diagonal_(0)
