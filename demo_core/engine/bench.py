"""A small benchmark over the example people: which slices there are, and how one person counts."""

from __future__ import annotations

import math
import statistics
from collections.abc import Callable, Sequence

import torch
from torch import Generator

from demo_core.checkpoint import Bundle
from demo_core.engine.answers import InputError, Item
from demo_core.engine.bench_answers import BenchRow
from demo_core.engine.bundles import Loaded
from demo_core.engine.lab import Subject, altered
from demo_core.engine.questions import Question
from demo_core.engine.ranking import without_seen
from demo_core.engine.titles import shown
from demo_core.evaluation import target_rank
from demo_core.models.base import Controls
from demo_core.sequences import pad

CHUNK = 10
"""People between two messages."""
LONG = 20
"""Items of a long history."""
RARE = 2
"""Quarters of the catalogue that make its rarer half."""

Measure = Callable[[int], float]
CUTOFFS = (10, 20, 50)


def _hit(k: int) -> Measure:
    return lambda rank: float(rank <= k)


def _gain(k: int) -> Measure:
    return lambda rank: 1 / math.log2(rank + 1) if rank <= k else 0.0


METRICS: dict[str, Measure] = {f"hr@{k}": _hit(k) for k in CUTOFFS} | {f"ndcg@{k}": _gain(k) for k in CUTOFFS}
"""What a person adds, given the true item's rank among all that are no part of the history; 1 = best."""

SLICES: dict[str, Callable[[Subject, Sequence[Item]], bool]] = {
    "all": lambda person, items: True,
    "short": lambda person, items: len(person.history) < LONG,
    "long": lambda person, items: len(person.history) >= LONG,
    "rare": lambda person, items: person.truth is not None and items[person.truth - 1].popularity <= RARE,
}
"""All people; histories of fewer than 20 items, or of more; next items from the rarer half of the catalogue."""


def check_name(what: str, name: object, known: Sequence[str]) -> str:
    """Raises :class:`InputError` unless ``name`` is one of ``known``."""
    if not isinstance(name, str) or name not in known:
        raise InputError(f"Expected {what} to be one of {', '.join(known)}, got {shown(repr(name))}.")
    return name


@torch.inference_mode()
def person_rank(bundle: Bundle, person: Subject, lost: float, seed: int, device: torch.device) -> int:
    """The rank of what a person really chose next, after ``lost`` of the history went missing."""
    assert person.truth is not None
    read = altered(person.history, "lost", lost, bundle.catalogue.num_items, seed).read if lost else person.history
    question = Question(tuple(read), seed=seed, seen=person.history)
    window = pad([question.read], bundle.model.config.max_length).to(device)
    scores = bundle.model.score(window, Generator().manual_seed(seed), Controls()).cpu()
    left = without_seen(scores, bundle, question)  # where the next item was seen before, it is no candidate: a miss
    return int(target_rank(left, torch.tensor([person.truth])))


def row_of(one: Loaded, values: Sequence[float], seconds: float) -> BenchRow:
    """The mean so far and its standard error."""
    if one.bundle is None:
        return BenchRow(one.name, one.title, None, None, None, None, one.error)
    spread = statistics.stdev(values) / math.sqrt(len(values)) if len(values) > 1 else None
    mean = statistics.fmean(values) if values else None
    each = 1000 * seconds / len(values) if values else None
    return BenchRow(one.name, one.title, one.bundle.preset, mean, spread, each, None)
