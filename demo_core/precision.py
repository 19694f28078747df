"""Inference in half precision, and whether it still gives the same lists.

Only the linear layers are computed in half: item scores, normalisation, softmax and the diffusion's own sums stay in
float32, because a list is decided by differences far smaller than the scores themselves. (With everything in float16,
``torch.autocast`` keeps the same 20 best items for 96 % of MovieLens histories, in bfloat16 for 77 %.) Whether that is
enough depends on the model, so it is asked, and a model that fails stays in float32.
"""

from __future__ import annotations

import copy
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from demo_core.models.base import Recommender
from demo_core.sequences import batches

FLOAT32 = "float32"
PRECISIONS = {FLOAT32: torch.float32, "float16": torch.float16, "bfloat16": torch.bfloat16}
SAME_LISTS = 0.99
"""Share of histories that have to keep their best items."""
LIST_LENGTH = 20


class HalfLinear(nn.Linear):
    """A linear layer that multiplies in ``dtype``; it takes and gives float32, and adds its bias there.

    ``weight`` stays as it was trained for whoever reads it; ``half_weight`` is what is multiplied.
    """

    half_weight: Tensor

    def __init__(self, layer: nn.Linear, dtype: torch.dtype) -> None:
        nn.Module.__init__(self)
        self.in_features, self.out_features = layer.in_features, layer.out_features
        self.weight, self.bias = layer.weight, layer.bias
        self.register_buffer("half_weight", layer.weight.detach().to(dtype), persistent=False)

    def forward(self, input: Tensor) -> Tensor:
        product = nn.functional.linear(input.to(self.half_weight.dtype), self.half_weight).to(input.dtype)
        return product if self.bias is None else product + self.bias


@dataclass(frozen=True)
class Lowered:
    """``model`` as it is to be used. ``precision`` is the one it really has, ``same`` the share of ``rows`` histories
    that keep their best items in the precision ``asked`` for (1.0 where nothing was to be lowered).
    """

    model: Recommender
    asked: str
    precision: str
    same: float
    rows: int

    @property
    def note(self) -> str | None:
        """What to tell whoever reads a list; ``None`` where nothing was asked for."""
        if self.asked == FLOAT32:
            return None
        found = f"{self.same:.1%} of {self.rows:,} histories keep their {LIST_LENGTH} best items"
        if self.precision == self.asked:
            return f"{self.asked}: {found}"
        return f"float32, since in {self.asked} only {found}; {SAME_LISTS:.0%} are asked for"


def lower(model: Recommender, precision: str, histories: Tensor) -> Lowered:
    """A copy of ``model`` with its linear layers in ``precision``, or the model itself where they change more than 1 %
    of the lists of ``histories`` (R, L), left-padded ids on the model's device.

    Raises ``ValueError`` for an unknown precision, and where there is no history to ask about.
    """
    dtype = check_precision(precision)
    if precision == FLOAT32:
        return Lowered(model, precision, precision, 1.0, len(histories))
    if not len(histories):
        raise ValueError(f"lower: expected histories to compare {precision} with float32 by, got none.")
    half = copy.deepcopy(model)
    _replace_linear(half, dtype)
    same = same_lists(model, half, histories)
    kept = (half, precision) if same >= SAME_LISTS else (model, FLOAT32)
    return Lowered(kept[0], precision, kept[1], same, len(histories))


def check_precision(name: str) -> torch.dtype:
    """The type called ``name``; ``ValueError`` naming the known ones otherwise."""
    if name not in PRECISIONS:
        raise ValueError(f"Expected a precision of {', '.join(PRECISIONS)}, got {name!r}.")
    return PRECISIONS[name]


def same_lists(model: Recommender, other: Recommender, histories: Tensor, batch_size: int = 256) -> float:
    """The share of ``histories`` (R, L) for which both models have the same 20 best items, in whatever order."""
    k = min(LIST_LENGTH, model.config.num_items)
    same = [
        _best(model, histories[rows], k) == _best(other, histories[rows], k) for rows in _parts(histories, batch_size)
    ]
    return float(torch.cat(same).all(dim=1).double().mean())


def _parts(histories: Tensor, size: int) -> list[Tensor]:
    return [rows.to(histories.device) for rows in batches(len(histories), size)]


def _best(model: Recommender, histories: Tensor, k: int) -> Tensor:
    """(R, k) ids in the order of their numbers."""
    ids, _ = model.recommend(histories, k)
    return ids.sort(dim=1).values


def _replace_linear(module: nn.Module, dtype: torch.dtype) -> None:
    for name, child in module.named_children():
        if type(child) is nn.Linear:
            setattr(module, name, HalfLinear(child, dtype))
        else:
            _replace_linear(child, dtype)
