"""Where a GPU is lent for seconds at a time: ZeroGPU, on a Hugging Face Space.

Import this before PyTorch: there the package ``spaces`` stands in for CUDA until a GPU is really lent, and refuses to
come second. Everywhere else it lends nothing and takes half a second to import, so it is left alone.
"""

from __future__ import annotations

import importlib
import os
from collections.abc import Callable
from typing import ParamSpec, Protocol, TypeVar

P = ParamSpec("P")
R = TypeVar("R")


class Lend(Protocol):
    """``spaces.GPU``. What it decorates runs in a fork of this process that has the GPU for ``duration`` seconds at
    most; arguments and answers are copied between the two. A generator function is told as it goes.
    """

    def __call__(self, *, duration: Callable[P, int]) -> Callable[[Callable[P, R]], Callable[P, R]]:
        """``duration`` gets the same arguments as the function."""


def lender() -> Lend | None:
    """Who lends a GPU here; None on any other machine, and where ``spaces`` is missing."""
    if os.environ.get("SPACES_ZERO_GPU", "").lower() not in ("1", "t", "true"):
        return None
    try:
        lend: Lend = importlib.import_module("spaces").GPU
    except ModuleNotFoundError as missing:
        if missing.name != "spaces":  # it is there, and lacks something itself
            raise
        return None
    return lend


LEND = lender()
