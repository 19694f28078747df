"""Insertion into, and removal from, rows of item vectors in a way that gradients pass: what SSDRec edits with.

Letters: B batch, L slots, D width. Rows are padded on the left, and stay so.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from demo_core.models.gated_recurrent import begun_rows, gru_step
from demo_core.sequences import PADDING


class Row(NamedTuple):
    """B rows: ``tokens`` (B, L) ids and ``items`` (B, L, D) vectors."""

    tokens: Tensor
    items: Tensor

    @property
    def mask(self) -> Tensor:
        """(B, L) bool: what is no padding."""
        return self.tokens != PADDING

    def mean(self) -> Tensor:
        """(B, D) mean vector of the real slots; 0 where there are none."""
        return (self.items * self.mask[..., None]).sum(dim=1) / self.mask.sum(dim=1, keepdim=True).clamp(min=1)


def pick(chance: Tensor, draw: Tensor) -> Tensor:
    """One column of each row of (B, C), with these chances, by a ``draw`` (B,) in [0, 1): (B,)."""
    up_to = chance.detach().cumsum(dim=1)
    at = torch.searchsorted(up_to, (draw.to(up_to) * up_to[:, -1])[:, None], right=True)
    return at.squeeze(1).clamp(max=chance.shape[1] - 1)


def straight_through(hard: Tensor, soft: Tensor) -> Tensor:
    """The value of ``hard``, the gradient of ``soft``."""
    return hard + (soft - soft.detach())


def insert_around(row: Row, slot: Tensor, wanted: Tensor, left: Row, right: Row) -> tuple[Row, Tensor]:
    """(a, b, c) with ``slot`` (B,) at b -> (a, left, b, right, c), two slots longer; rows that are not ``wanted`` (B,)
    get two more slots of padding. ``left``, ``right``: one slot a row, (B, 1).

    Second: which slots are left, b and right, (B, L + 2) bool.
    """
    length = row.tokens.shape[1]
    at = torch.arange(length + 2, device=slot.device).expand(len(slot), -1)
    slot = torch.where(wanted, slot, -3)[:, None]  # in front of everything
    source = torch.where(at < slot, at, at - 2)
    source = torch.where(at == slot, length, source)
    source = torch.where(at == slot + 1, slot, source)
    source = torch.where(at == slot + 2, length + 1, source)
    source = torch.where(source < 0, length + 2, source)
    tokens = torch.cat([row.tokens, left.tokens, right.tokens], dim=1)
    items = torch.cat([row.items, left.items, right.items], dim=1)
    tokens, items = F.pad(tokens, (0, 1), value=PADDING), F.pad(items, (0, 0, 0, 1))
    index = source[..., None].expand(-1, -1, items.shape[2])
    return Row(tokens.gather(1, source), items.gather(1, index)), (at >= slot) & (at <= slot + 2)


def closing_order(kept: Tensor) -> Tensor:
    """(B, L) bool -> the slots that are not kept, then those that are, (B, L)."""
    return kept.int().argsort(dim=1, stable=True)


def keep(row: Row, kept: Tensor) -> Row:
    """The slots that are ``kept`` (B, L), moved to the right end; (B, L) with padding in front."""
    tokens, order = row.tokens.masked_fill(~kept, PADDING), closing_order(row.mask & kept)
    return Row(tokens.gather(1, order), row.items.gather(1, order[..., None].expand_as(row.items)))


def newest_if_none(kept: Tensor, mask: Tensor) -> Tensor:
    """``kept`` (B, L), with the newest slot of rows that would lose all of their real slots ``mask`` (B, L)."""
    newest = torch.arange(kept.shape[1], device=kept.device) == kept.shape[1] - 1
    return mask & (kept | (newest & ~(kept & mask).any(dim=1, keepdim=True)))


def turned(x: Tensor, mask: Tensor) -> Tensor:
    """(B, L, D) with the real slots ``mask`` (B, L) in the opposite order, padding where it is. Its own inverse."""
    length = mask.shape[1]
    source = 2 * length - 1 - mask.sum(dim=1, keepdim=True) - torch.arange(length, device=x.device)
    source = torch.where(mask, source, torch.arange(length, device=x.device))
    return x.gather(1, source[..., None].expand_as(x))


class BothWays(nn.Module):
    """A gated recurrent unit for each direction; both advance in one product."""

    def __init__(self, dim: int) -> None:
        super().__init__()
        self.told, self.recalled = (nn.Parameter(torch.empty(2, dim, 3 * dim)) for _ in range(2))
        self.told_bias, self.recalled_bias = (nn.Parameter(torch.zeros(2, 1, 3 * dim)) for _ in range(2))
        for weight in (*self.told, *self.recalled):
            for gate in weight.detach().chunk(3, dim=1):
                nn.init.xavier_uniform_(gate)

    def forward(self, x: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
        """``x`` (B, L, D), ``mask`` (B, L) bool with no gaps -> the states after each slot from the left and from the
        right, both (B, L, D), zero at padding.
        """
        order, begun = begun_rows(mask)
        place, real = order.argsort(), mask[order]
        both = torch.stack([x, turned(x, mask)])[:, order]
        told = torch.baddbmm(self.told_bias, both.flatten(1, 2), self.told).unflatten(1, real.shape).unbind(dim=2)
        state, states = x.new_zeros(2, 0, x.shape[2]), []
        for slot, rows in enumerate(begun):
            before = F.pad(state, (0, 0, 0, rows - state.shape[1]))
            recalled = torch.baddbmm(self.recalled_bias, before, self.recalled)
            after = gru_step(told[slot][:, :rows], recalled, before)
            state = torch.where(real[:rows, slot, None], after, before)
            states.append(F.pad(state, (0, 0, 0, len(x) - rows)))
        forward, backward = torch.stack(states, dim=2)[:, place]
        return forward, turned(backward, mask)
