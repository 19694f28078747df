"""SSDRec's second stage: two items are inserted around the one that fits its history least, and a false insertion is
taken back.

Letters: B batch, L slots, D width, M items; ``table`` (M + 2, D) holds the vectors of padding, items and [start].
"""

from __future__ import annotations

import torch
from torch import Generator, Tensor, nn
from torch.nn import functional as F

from demo_core.models.row_edits import BothWays, Row, insert_around, keep, newest_if_none, pick, straight_through
from demo_core.sequences import PADDING


def newest_last(longer: Row, around: Tensor) -> tuple[Row, Tensor]:
    """A lengthened row without what was inserted behind its newest item, and which slots may be taken back, (B, L + 2)
    bool: the newest item may not.
    """
    last = around.shape[1] - 1
    place = torch.arange(last + 1, device=around.device)
    behind = around[:, -1:]  # (B, 1): the slot was that of the newest item
    return keep(longer, ~(behind & (place == last))), torch.where(behind, place == last - 1, around)


class SelfAugmentation(nn.Module):
    """``random_insertion``, ``raw_row_mask`` and ``behind_newest`` as in ``ssdrec.SSDRecConfig``."""

    def __init__(
        self, dim: int, random_insertion: bool = False, raw_row_mask: bool = False, behind_newest: bool = False
    ) -> None:
        super().__init__()
        self.random_insertion, self.raw_row_mask, self.behind_newest = random_insertion, raw_row_mask, behind_newest
        self.reader = BothWays(dim)
        self.begin, self.end = (nn.Parameter(torch.randn(dim) * 0.02) for _ in range(2))

    def context(self, row: Row) -> tuple[Tensor, Tensor]:
        """The states in front of each slot and behind it, both (B, L, D)."""
        forward, backward = self.reader(row.items, row.mask)
        inside = F.pad(row.mask, (1, -1))[..., None]
        before = torch.where(inside, F.pad(forward, (0, 0, 1, -1)), self.begin)
        after = torch.cat([backward[:, 1:], self.end.expand(len(backward), 1, -1)], dim=1)
        return before, after

    def inconsistency(self, row: Row, before: Tensor, after: Tensor) -> Tensor:
        """How little each slot fits, as logits (B, L): minus the logs of its shares of fitting its context and of being
        like the other items. -inf at padding; with ``random_insertion`` 1 minus the product of the shares.
        """
        mask, items = row.mask, row.items * row.mask[..., None]
        alike = (items @ items.transpose(1, 2)).clamp(min=0)
        others = alike.sum(dim=2) - alike.diagonal(dim1=1, dim2=2)
        fit = (items * before * after).sum(dim=2)
        shares = torch.stack([fit, others]).masked_fill(~mask, -torch.inf).log_softmax(dim=2).sum(dim=0)
        return 1 - shares.exp() if self.random_insertion else (-shares).masked_fill(~mask, -torch.inf)

    def choose_slot(self, row: Row, draw: Tensor, temperature: float) -> tuple[Tensor, Tensor, Tensor]:
        """A slot by ``draw`` (B,): its number (B,), the chances of all (B, L), and the states before and after it, one
        below the other, (2B, D).
        """
        before, after = self.context(row)
        scores = self.inconsistency(row, before, after)
        chance = (scores / temperature).softmax(dim=1)
        slot = pick(scores.softmax(dim=1) if self.random_insertion else chance, draw)
        place = slot[:, None, None].expand(-1, 1, before.shape[2])
        states = torch.cat([before.gather(1, place), after.gather(1, place)]).squeeze(1)
        return slot, chance, states

    def choose_item(
        self, state: Tensor, table: Tensor, known: Tensor, draw: Tensor, temperature: float
    ) -> tuple[Tensor, Tensor]:
        """Items for states (B, D) by ``draw`` (B,), out of those that are ``known`` (M,) bool: ids (B,) and vectors (B,
        D), whose gradients reach every known item as if ``temperature`` had chosen.
        """
        items = table[1:-1]
        logits = (state @ items.T).masked_fill(~known, -torch.inf)
        item = 1 + pick(logits.softmax(dim=1), draw)
        chance = (logits / temperature).softmax(dim=1)
        return item, straight_through(F.embedding(item, table), chance @ items)

    def forward(self, row: Row, table: Tensor, known: Tensor, temperature: float, generator: Generator) -> Row:
        """(B, L) -> (B, L + 2), with an item left and right of the chosen slot; then, of these three, without the one
        that is chosen in the lengthened row, if it is one of them. Rows without an item get two slots of padding. Only
        ``known`` (M,) items are inserted. The newest item stays the newest.
        """
        draws = torch.rand(4, len(row.tokens), generator=generator).to(row.tokens.device)
        slot, chance, states = self.choose_slot(row, draws[0], temperature)
        token = row.tokens.gather(1, slot[:, None])[:, 0]
        wanted = (token != PADDING) & (token < len(table) - 1)
        item, vector = self.choose_item(states, table, known, draws[1:3].flatten(), temperature)
        taken = chance.gather(1, slot[:, None]).repeat(2, 1)
        vector = vector * straight_through(torch.ones_like(taken), taken)  # the slot is judged by what it brings
        left, right = (Row(*pair) for pair in zip(item[:, None].chunk(2), vector[:, None].chunk(2), strict=True))
        longer, around = insert_around(row, slot, wanted, left, right)
        if not self.behind_newest:
            longer, around = newest_last(longer, around)
        worst, chance, _ = self.choose_slot(longer, draws[3], temperature)
        stays = straight_through(torch.ones_like(chance), -chance * around)
        place = torch.arange(longer.tokens.shape[1], device=worst.device)
        gone = around & (place == worst[:, None])
        if self.raw_row_mask:
            gone = gone | (wanted[:, None] & (place >= row.tokens.shape[1]))
        return keep(Row(longer.tokens, longer.items * stays[..., None]), newest_if_none(~gone, longer.mask))
