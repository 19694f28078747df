"""Tables whose rows end in zeros, on disk without them: item-kNN keeps up to 400 neighbours an item, most have fewer.

A table ``t`` (R, N) becomes ``t``, the rows' beginnings one behind the other, and ``t.filled`` (R,), how much of each
row there is. Nothing else changes: unpacked, every element is what it was.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

FILLED = ".filled"
WORTH_IT = 0.8  # of the elements that would be left; above it a table stays as it is


def pack(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The tensors by their names, tables that get clearly smaller without the zeros at the end of their rows."""
    packed = dict(tensors)
    for name, table in tensors.items():
        if table.dim() != 2 or not table.numel():
            continue
        filled = _filled(table)
        if int(filled.sum()) < WORTH_IT * table.numel():
            packed[name] = table[_beginnings(filled, table.shape[1])]
            packed[name + FILLED] = filled
    return packed


def unpack(tensors: Mapping[str, Tensor], shapes: Mapping[str, Sequence[int]]) -> dict[str, Tensor]:
    """The inverse of :func:`pack`. ``shapes``: (R, N) of every table, by its name; others are not looked at.

    ``ValueError`` where a table is not known or its rows do not fit.
    """
    whole = {name: tensor for name, tensor in tensors.items() if not name.endswith(FILLED)}
    for key, filled in tensors.items():
        name = key.removesuffix(FILLED)
        if name == key:
            continue
        if name not in whole or len(shapes.get(name, ())) != 2:
            raise ValueError(f"{key} belongs to no table {name!r}.")
        content, (rows, width), filled = whole[name], shapes[name], filled.long()
        fits = tuple(filled.shape) == (rows,) and content.dim() == 1 and bool(((filled >= 0) & (filled <= width)).all())
        if not fits or int(filled.sum()) != len(content):
            raise ValueError(
                f"{name}: expected {key} to count {content.numel()} elements in {rows} rows of at most {width}."
            )
        table = content.new_zeros(rows, width)
        table[_beginnings(filled, width)] = content
        whole[name] = table
    return whole


def _filled(table: Tensor) -> Tensor:
    """(R,) how many elements of each row come before the zeros at its end."""
    place = torch.arange(1, table.shape[1] + 1, device=table.device)
    return ((table != 0) * place).amax(dim=1).int()


def _beginnings(filled: Tensor, width: int) -> Tensor:
    """(R, N) bool: the elements that are kept."""
    return torch.arange(width, device=filled.device) < filled[:, None]
