"""How the models of an app are run: in which precision, and whether visitors share batches."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import torch

from demo_core.engine.batching import OneByOne, Scorer, Together
from demo_core.engine.bundles import Loaded
from demo_core.example_people import Example
from demo_core.hub import Hub
from demo_core.precision import FLOAT32, check_precision, lower
from demo_core.sequences import Catalogue, pad

PROBES = 1000
"""Histories by which a precision is judged: with 1,000 of them, 99 % is known to a third of a point."""
RANDOM_LENGTH = 8


@dataclass(frozen=True)
class Serving:
    """``precision``: "float32", "float16" or "bfloat16", the latter two only for models that keep their lists.
    ``together``: questions that wait for the same model share a batch, for a page with many visitors. ``hub``: where
    bundles come from that the index names.
    """

    precision: str = FLOAT32
    together: bool = False
    hub: Hub = field(default_factory=Hub)

    def __post_init__(self) -> None:
        check_precision(self.precision)

    def scorer(self) -> Scorer:
        """A new one: its batches are those of one engine."""
        return Together() if self.together else OneByOne()

    def lowered(self, one: Loaded, examples: tuple[Example, ...], device: torch.device) -> Loaded:
        """The model in the precision asked for, with what came of it; judged by histories that grow to those of the
        examples, or by random ones where there are none.
        """
        if self.precision == FLOAT32 or one.bundle is None:
            return one
        histories = _growing(examples) or _random(one.bundle.catalogue)
        probe = pad(histories, one.bundle.model.config.max_length).to(device)
        found = lower(one.bundle.model, self.precision, probe)
        return replace(one, bundle=replace(one.bundle, model=found.model), precision=found.note)


def _growing(examples: tuple[Example, ...]) -> list[tuple[int, ...]]:
    """Up to 1,000 beginnings of the examples' histories, evenly spaced."""
    beginnings = [example.history[:end] for example in examples for end in range(1, len(example.history) + 1)]
    return beginnings[:: max(1, -(-len(beginnings) // PROBES))]


def _random(catalogue: Catalogue) -> list[tuple[int, ...]]:
    """1,000 histories of one to eight items drawn by their counts."""
    generator = torch.Generator().manual_seed(0)
    weights = torch.tensor(catalogue.counts, dtype=torch.float64) + 1
    items = 1 + torch.multinomial(weights, PROBES * RANDOM_LENGTH, replacement=True, generator=generator)
    rows = items.view(PROBES, RANDOM_LENGTH).tolist()
    return [tuple(row[: 1 + number % RANDOM_LENGTH]) for number, row in enumerate(rows)]
