"""One model's list for one question."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence

import torch
from torch import Tensor

from demo_core.checkpoint import Bundle
from demo_core.datasets import PROTOCOLS
from demo_core.engine.answers import Item, ModelList, Recommended
from demo_core.engine.batching import OneByOne, Scorer
from demo_core.engine.bundles import Loaded
from demo_core.engine.questions import Question
from demo_core.evaluation import target_rank
from demo_core.models.base import Controls
from demo_core.sequences import pad


@torch.inference_mode()
def model_list(
    one: Loaded,
    preset: str | None,
    healthy: bool | None,
    question: Question,
    items: Sequence[Item],
    device: torch.device,
    scorer: Scorer,
) -> ModelList:
    """Scores, sorts and cuts. Ties go to the smaller id; the time is that of scoring and sorting.

    A model without a bundle, or with scores that are no numbers, gives an empty list with ``error``.
    """
    if one.bundle is None:
        return ModelList(one.name, one.title, preset, healthy, (), None, 0.0, one.error)
    start = time.perf_counter()
    scores = candidate_scores(one.bundle, question, device, scorer)
    best, ids = scores.sort(descending=True, stable=True)
    milliseconds = 1000 * (time.perf_counter() - start)
    if bool((best.isnan() | best.isposinf()).any()):
        error = f"{one.title} gave scores that are not finite; train it again."
        return ModelList(one.name, one.title, preset, healthy, (), None, milliseconds, error)
    head = zip(ids[: question.k].tolist(), best[: question.k].tolist(), strict=True)
    chosen = tuple(
        Recommended(rank, items[id - 1], score) for rank, (id, score) in enumerate(head, start=1) if score > -math.inf
    )
    rank = rank_of(scores, question.truth)
    return ModelList(one.name, one.title, preset, healthy, chosen, rank, milliseconds, None)


def candidate_scores(bundle: Bundle, question: Question, device: torch.device, scorer: Scorer | None = None) -> Tensor:
    """(M + 1,) on the CPU; -inf for padding and, where the protocol excludes the history, for all of its items."""
    window = pad([question.read], bundle.model.config.max_length).to(device)
    controls = Controls(threshold=question.threshold)
    scores = (scorer or OneByOne()).score(bundle.model, window, question.seed, controls)
    return without_seen(scores, bundle, question)


def best_ids(scores: Tensor, k: int) -> list[int]:
    """Ids of the ``k`` best of (M + 1,) scores, fewer when the rest is no candidate; ties go to the smaller id."""
    best, ids = scores.sort(descending=True, stable=True)
    return [id for id, score in zip(ids[:k].tolist(), best[:k].tolist(), strict=True) if score > -math.inf]


def rank_of(scores: Tensor, item: int | None) -> int | None:
    """The rank of an item among (M + 1,) scores, 1 = best; None for none, and where it is no candidate. Column 0,
    padding, counts for nothing.
    """
    if item is None or bool(scores[item].isneginf()):
        return None
    return int(target_rank(scores[None, 1:], torch.tensor([item - 1])))


def without_seen(scores: Tensor, bundle: Bundle, question: Question) -> Tensor:
    """Scores (..., M + 1) with -inf for the whole history, where the protocol excludes it."""
    if not PROTOCOLS[bundle.protocol].exclude_history:
        return scores
    return scores.index_fill(-1, torch.tensor(question.excluded, dtype=torch.int64), -math.inf)
