"""What a GPU would refuse, found without one: the "meta" device stands in for it.

Tensors on "meta" have shapes but no values, so that the answers to questions about values are made up here.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Self

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

aten = torch.ops.aten
MOVES = (aten._to_copy.default, aten.copy_.default)
"""What a GPU may be told about tensors of the CPU."""
POSITIONS = (aten.index.Tensor, aten.index_put.default, aten.index_put_.default)
"""Of these the positions may be on the CPU, but not what they are positions in."""
VALUES = (aten._local_scalar_dense.default, aten.item.default, aten.is_nonzero.default)


class OneDevice(TorchDispatchMode):
    """``AssertionError`` where an operation gets tensors of two devices that a GPU would not take together.

    Values that are asked for are a half, 1 or yes; of slots that are looked for half are found.
    """

    def __torch_dispatch__(
        self, func: Any, types: Sequence[type], args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        kwargs = dict(kwargs or {})
        require_one_device(func, args, kwargs)
        if kwargs.get("generator") is not None and _is_away(kwargs.get("device")):
            kwargs["generator"] = None
        if args and isinstance(args[0], Tensor) and _is_away(args[0].device):
            made_up = _made_up(func, args[0], kwargs)
            if made_up is not None:
                return made_up
        if func in POSITIONS:
            args = (args[0], _as_numbers(args[1]), *args[2:])
        return func(*args, **kwargs)


def require_one_device(func: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
    """``AssertionError`` naming the operation; single numbers may come from the CPU, and so may positions."""
    if func in MOVES:
        return
    devices = {leaf.device.type for leaf in _tensors((args, kwargs))}
    if func in POSITIONS:
        devices = {leaf.device.type for leaf in _tensors((args[0], args[2:]))}
        devices |= {leaf.device.type for leaf in _tensors(args[1])} - {"cpu"}
    assert len(devices) < 2, f"{func}: expected tensors of one device, got {', '.join(sorted(devices))}."


def tensors_in(answer: object) -> list[Tensor]:
    """Whatever tensors an answer of a model holds, however deep."""
    if isinstance(answer, Tensor):
        return [answer]
    parts = answer if isinstance(answer, list | tuple) else getattr(answer, "__dict__", {}).values()
    return [tensor for part in parts for tensor in tensors_in(part)]


def _tensors(content: Any) -> list[Tensor]:
    return [leaf for leaf in tree_leaves(content) if isinstance(leaf, Tensor) and leaf.dim()]


def _made_up(func: Any, x: Tensor, kwargs: dict[str, Any]) -> Any:
    """What would follow from the values of ``x``; ``None`` where nothing would."""
    if func in VALUES:
        return 0.5 if x.is_floating_point() else torch.ones((), dtype=x.dtype).item()
    if func is aten.nonzero.default:
        return _found(x)
    if func is aten.repeat_interleave.Tensor:
        return x.new_zeros(2 * len(x), dtype=torch.long)
    if func is aten.bincount.default:
        return x.new_zeros(max(1, kwargs.get("minlength", 0)))
    if func is aten._unique2.default:
        return x.new_zeros(1), x.new_zeros(x.shape, dtype=torch.long), x.new_zeros(1, dtype=torch.long)
    if func is aten._to_copy.default and not _is_away(kwargs.get("device", x.device)):
        return torch.ones(x.shape, dtype=kwargs.get("dtype") or x.dtype, device=kwargs["device"])
    return None


class GeneratorAnywhere(torch.Generator):
    """In place of ``torch.Generator``: the stand-in has none of its own."""

    def __new__(cls, device: torch.device | str = "cpu") -> Self:
        return super().__new__(cls, "cpu")  # type: ignore[call-arg]  # the stubs leave it out


def _is_away(device: torch.device | str | None) -> bool:
    return device is not None and torch.device(device).type == "meta"


def _found(x: Tensor) -> Tensor:
    return torch.zeros(max(1, x.numel() // 2), x.dim(), dtype=torch.long, device=x.device)


def _as_numbers(positions: Sequence[Tensor | None]) -> list[Tensor | None]:
    """Masks as the numbers of what they choose."""
    told: list[Tensor | None] = []
    for each in positions:
        if each is not None and each.dtype == torch.bool and _is_away(each.device):
            told.extend(_found(each).unbind(dim=1))
        else:
            told.append(each)
    return told
