"""How large a model may become while it is built: a configuration from anywhere may ask for any width and any depth.

Building on PyTorch's meta device, to look at the shapes first, does not do: diffusion models ask their schedules for
numbers. Counting what is about to be made does, and costs microseconds.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from torch.overrides import TorchFunctionMode

MAKING = (torch.empty, torch.zeros, torch.ones, torch.randn, torch.arange, torch.linspace)
"""What layers, tables and schedules begin as; what is computed from these is no larger than they are."""
SIZES = ("size", "start", "end", "step", "steps")
"""The arguments of these that say how large."""
SPARE, SPARE_BY_ITEM = 20_000_000, 1_000
"""Numbers beyond one a byte of the weights' file: rows may end in zeros, which are not stored (``ragged``)."""
MOST_TENSORS = 10_000
"""The largest model makes about a hundred."""


class Allowance(TorchFunctionMode):
    """Within it the tensors that are made, in this thread, may hold as many numbers as weights of ``stored`` bytes for
    ``num_items`` items have, and some more; ``ValueError`` for more numbers or very many tensors, before they take
    memory.
    """

    def __init__(self, stored: int, num_items: int) -> None:
        super().__init__()
        self.most = stored + SPARE + SPARE_BY_ITEM * num_items
        self.numbers = self.tensors = 0

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Sequence[type],
        args: Sequence[Any] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        named = kwargs or {}
        if func in MAKING:
            self.tensors += 1
            sizes = {name: named[name] for name in SIZES if name in named}
            self.numbers += func(*args, **sizes, device="meta").numel()
            if self.numbers > self.most or self.tensors > MOST_TENSORS:
                raise ValueError(
                    f"expected a model of at most {self.most:,} numbers in {MOST_TENSORS:,} tensors, as its weights "
                    f"are, got {self.numbers:,} in {self.tensors:,} and more"
                )
        return func(*args, **named)
