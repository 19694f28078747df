"""How the released DreamRec, TDM and CARD read a history: one attention layer with one head.

Slots are numbered from the oldest item of the window, E are item and P position embeddings, w an item's weight:

    x_n = w_n Dropout(E_n + P_n)
    a = softmax(q(LN1 x_last) k(x)^T / sqrt(D)) v(x) + LN1 x_last          (the residual is normalised too)
    guidance = LN3(LNf(Dropout(W2 relu(W1 LN2 a)) + LN2 a)),  or the bias of LN3 where there is no item

Only the newest slot is computed: nothing else is used of the released layer, whose attention is causal.

Letters: B batch, L history length, N real slots of all rows together, D width.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from demo_core.layers import Dropout, row_softmax
from demo_core.sequences import PADDING
from demo_core.slots import Slots

HIDDEN = -(2.0**32) + 1  # the released logit of a slot that is not to be seen: finite, so that no row is NaN


class ReleasedEncoder(nn.Module):
    """The layer above. ``exact_zero_masks``: slots are also hidden, and queries silenced, where a vector sums to
    exactly 0, which is how the released code finds padding; it meets items of weight 0 and, by rounding, some queries.
    """

    def __init__(
        self,
        dim: int,
        max_length: int,
        dropout: float,
        input_dropout: float,
        initial_scale: float,
        weights_on: str,
        exact_zero_masks: bool,
    ) -> None:
        super().__init__()
        self.weights_on, self.exact_zero_masks = weights_on, exact_zero_masks
        self.position = nn.Parameter(torch.randn(max_length, dim) * initial_scale)  # row 0 = oldest item
        self.query, self.value = nn.Linear(dim, dim), nn.Linear(dim, dim)
        self.key = nn.Linear(dim, dim, bias=False)  # its bias would move all logits of a query alike
        self.attention_norm, self.feed_forward_norm = nn.LayerNorm(dim), nn.LayerNorm(dim)
        self.feed_forward = nn.Sequential(nn.Linear(dim, dim), nn.ReLU(), nn.Linear(dim, dim))
        self.residual_norm, self.norm = nn.LayerNorm(dim), nn.LayerNorm(dim)
        self.dropout, self.input_dropout = Dropout(dropout), Dropout(input_dropout)

    def forward(self, history: Tensor, table: nn.Embedding, weights: Tensor | None = None) -> Tensor:
        """Ids (B, L), their embeddings and the weight of each slot (B, L), ``None`` = all 1 -> guidance (B, D)."""
        if history.shape[1] > len(self.position):
            raise ValueError(f"Expected at most {len(self.position)} slots, got {history.shape[1]}.")
        mask = history != PADDING
        slots = Slots.of(mask)
        x = self._inputs(history, mask, table, slots, weights)
        newest = self.attention_norm(slots.newest(x))
        u = self.feed_forward_norm(self._attend(newest, x, mask, slots, weights) + newest)
        out = self.residual_norm(self.dropout(self.feed_forward(u)) + u)
        return self.norm(out * mask.any(dim=1, keepdim=True))

    def _inputs(
        self, history: Tensor, mask: Tensor, table: nn.Embedding, slots: Slots, weights: Tensor | None
    ) -> Tensor:
        """x of the real slots, (N, D)."""
        numbers = (mask.cumsum(dim=1) - 1).clamp(min=0)  # the oldest item is slot 0, wherever it stands
        items, place = table(slots.pack(history)), self.position.index_select(0, slots.pack(numbers))
        if weights is None or self.weights_on == "attention":
            return self.input_dropout(items + place)
        factor = slots.pack(weights)[:, None]
        if self.weights_on == "embedding":
            return self.input_dropout(factor * items + place)
        return factor * self.input_dropout(items + place)

    def _attend(self, newest: Tensor, x: Tensor, mask: Tensor, slots: Slots, weights: Tensor | None) -> Tensor:
        """Attention of the newest slots (B, D) over x (N, D) of their rows -> (B, D)."""
        row = slots.pack(torch.arange(len(mask), device=x.device)[:, None].expand(mask.shape))
        # q . k(x) = (Wk^T q) . x + const and sum a v(x) = Wv (sum a x) + bv sum a: keys and values need no map a slot.
        probe = self.query(newest) @ self.key.weight
        logits = (probe.index_select(0, row) * x).sum(dim=1) / x.shape[1] ** 0.5  # (N,)
        if weights is not None and self.weights_on == "attention":
            logits = logits + slots.pack(weights.clamp(min=1e-6).log())
        seen = slots.pack(mask)
        if self.exact_zero_masks:
            seen = seen & (x.sum(dim=1) != 0)
        shares = row_softmax(slots.pad(logits.masked_fill(~seen, HIDDEN), HIDDEN))  # (B, L)
        if self.exact_zero_masks:
            shares = shares * (newest.sum(dim=-1, keepdim=True) != 0)
        shares = self.dropout(shares)
        # Where nothing is seen the shares are even, over slots that are zero vectors in the released code.
        mixed = torch.zeros_like(newest).index_add(0, row, (slots.pack(shares) * seen)[:, None] * x)
        return F.linear(mixed, self.value.weight) + shares.sum(dim=1, keepdim=True) * self.value.bias
