"""A gated recurrent unit (GRU) over left-padded histories: GRU4Rec's reader. ``nn.GRU`` would read the padding.

Letters: B batch, L history length, D width, b the rows that have begun at a slot.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from demo_core.layers import Dropout
from demo_core.slots import Slots


def gru_step(told: Tensor, recalled: Tensor, state: Tensor) -> Tensor:
    """GRU4Rec 2016, Eq. 2-5: ``told`` and ``recalled`` (..., 3D) are the linear maps of the input and of ``state``
    (..., D) for reset gate, update gate z and candidate -> (1 - z) state + z candidate.
    """
    reset_told, update_told, candidate_told = told.chunk(3, dim=-1)
    reset_recalled, update_recalled, candidate_recalled = recalled.chunk(3, dim=-1)
    reset, update = torch.sigmoid(reset_told + reset_recalled), torch.sigmoid(update_told + update_recalled)
    return torch.lerp(state, torch.tanh(candidate_told + reset * candidate_recalled), update)


def begun_rows(mask: Tensor) -> tuple[Tensor, list[int]]:
    """Real slots (B, L) bool -> the rows, those that begin earliest first, (B,), and how many have begun at each slot.

    On an accelerator all rows count at every slot: to count them would make it wait for the CPU.
    """
    if mask.device.type != "cpu":
        return torch.arange(len(mask), device=mask.device), [len(mask)] * mask.shape[1]
    begun = mask.cumsum(dim=1) > 0
    return begun.sum(dim=1).argsort(descending=True, stable=True), begun.sum(dim=0).tolist()


class RecurrentLayer(nn.Module):
    """``one_step_gradient``: a state passes no gradient on to the one before. ``carried``: dropout of the states
    themselves, not only of what is told of them.
    """

    def __init__(self, dim: int, one_step_gradient: bool, carried: Dropout | None) -> None:
        super().__init__()
        self.one_step_gradient, self.carried = one_step_gradient, carried
        self.told, self.recalled = nn.Linear(dim, 3 * dim), nn.Linear(dim, 3 * dim)
        for layer in (self.told, self.recalled):
            nn.init.zeros_(layer.bias)
            for gate in layer.weight.chunk(3):
                nn.init.xavier_uniform_(gate)

    def forward(self, x: Tensor, mask: Tensor, begun: Sequence[int]) -> list[Tensor]:
        """(B, L, D) inputs in the order of :func:`begun_rows` -> after each slot the states (b, D) of its ``begun``
        first rows. A slot that is not in ``mask`` (B, L) leaves its row's state as it is.
        """
        slots = Slots.of(mask)
        told = slots.pad(self.told(slots.pack(x)))
        state, states = x.new_zeros(0, x.shape[2]), []
        for slot, rows in enumerate(begun):
            before = F.pad(state, (0, 0, 0, rows - len(state)))
            if self.one_step_gradient:
                before = before.detach()
            after = gru_step(told[:rows, slot], self.recalled(before), before)
            if self.carried is not None:
                after = self.carried(after)
            state = torch.where(mask[:rows, slot, None], after, before)
            states.append(state)
        return states


class RecurrentEncoder(nn.Module):
    """``layers`` GRU layers of one width; ``input_dropout`` acts on the inputs, ``dropout`` on what a layer tells."""

    def __init__(
        self,
        dim: int,
        layers: int,
        dropout: float,
        input_dropout: float = 0.0,
        one_step_gradient: bool = False,
        carried_dropout: bool = False,
    ) -> None:
        super().__init__()
        carried = Dropout(dropout) if carried_dropout else None
        self.layers = nn.ModuleList(RecurrentLayer(dim, one_step_gradient, carried) for _ in range(layers))
        self.input_dropout = Dropout(input_dropout)
        self.dropout = Dropout(0.0 if carried_dropout else dropout)

    def forward(self, x: Tensor, mask: Tensor, last_only: bool = False) -> Tensor:
        """``x`` (B, L, D) embeddings, ``mask`` (B, L) bool with a real slot in every row -> what is told of the states
        (B, L, D), zero before a row begins, or (B, D) of the last slot.
        """
        order, begun = begun_rows(mask)
        place, mask, x = order.argsort(), mask[order], self.input_dropout(x[order])
        for number, layer in enumerate(self.layers, start=1):
            states = layer(x, mask, begun)
            if last_only and number == len(self.layers):
                return self.dropout(states[-1])[place]
            x = self.dropout(torch.stack([F.pad(state, (0, 0, 0, len(x) - len(state))) for state in states], dim=1))
        return x[place]
