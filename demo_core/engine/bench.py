"""A small benchmark over the example people: which slices there are, and how one person counts."""

from __future__ import annotations

import math
import statistics
from collections.abc import Callable, Sequence

import torch

from demo_core.checkpoint import Bundle
from demo_core.engine.answers import Item
from demo_core.engine.bench_answers import BenchRow
from demo_core.engine.bundles import Loaded
from demo_core.engine.lab import Subject, altered
from demo_core.engine.questions import Question
from demo_core.engine.ranking import candidate_scores, rank_of
from demo_core.evaluation import metrics_of

CHUNK = 10
"""People between two messages."""
LONG = 20
"""Items of a long history."""
RARE = 2
"""Quarters of the catalogue that make its rarer half."""

METRICS = tuple(metrics_of(torch.ones(1, dtype=torch.int64)))
"""Those of every other evaluation."""

SLICES: dict[str, Callable[[Subject, Sequence[Item]], bool]] = {
    "all": lambda person, items: True,
    "short": lambda person, items: len(person.history) < LONG,
    "long": lambda person, items: len(person.history) >= LONG,
    "rare": lambda person, items: person.truth is not None and items[person.truth - 1].popularity <= RARE,
}
"""All people; histories of fewer than 20 items, or of more; next items from the rarer half of the catalogue."""


@torch.inference_mode()
def person_value(bundle: Bundle, person: Subject, metric: str, lost: float, seed: int, device: torch.device) -> float:
    """What one person adds to ``metric`` after ``lost`` of the history went missing. Where the next item was seen
    before, it is no candidate: a miss.
    """
    read = altered(person.history, "lost", lost, bundle.catalogue.num_items, seed).read if lost else person.history
    question = Question(tuple(read), seed=seed, seen=person.history)
    rank = rank_of(candidate_scores(bundle, question, device), person.truth)
    return 0.0 if rank is None else metrics_of(torch.tensor([rank]))[metric]


def row_of(one: Loaded, values: Sequence[float], seconds: float) -> BenchRow:
    """The mean so far and its standard error."""
    if one.bundle is None:
        return BenchRow(one.name, one.title, None, None, None, None, one.error)
    spread = statistics.stdev(values) / math.sqrt(len(values)) if len(values) > 1 else None
    mean = statistics.fmean(values) if values else None
    each = 1000 * seconds / len(values) if values else None
    return BenchRow(one.name, one.title, one.bundle.preset, mean, spread, each, None)
