"""What leaving each item out of the history does to a model's list, all items in one batch."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import compress

import pandas as pd
import torch
from torch import Generator, Tensor

from demo_core.checkpoint import Bundle
from demo_core.engine.answers import Effect, Effects, Item, Station
from demo_core.engine.questions import Question
from demo_core.engine.ranking import best_ids, rank_of, without_seen
from demo_core.models.base import Controls
from demo_core.models.drop_one import kl_divergence
from demo_core.sequences import pad

FEWEST_WEIGHED = 4
"""A rank correlation over fewer items says nothing."""


@torch.inference_mode()
def effects_of(
    bundle: Bundle, question: Question, items: Sequence[Item], stations: Sequence[Station], device: torch.device
) -> Effects:
    """``stations``: the items that are read, oldest first, with the weights of the same model.

    The list without an item leaves that item out too, as a film that was seen: what goes from the list goes because of
    the reading. Where the history is longer than the window, an older item moves in.
    """
    off = frozenset(question.off)
    read = [position for position in range(1, len(question.history) + 1) if position not in off]
    window = bundle.model.config.max_length
    positions = read[-window:]
    asked = [question, *(question.without(position) for position in positions)]
    histories = pad([one.read for one in asked], window).to(device)
    generator = Generator().manual_seed(question.seed)
    raw = bundle.model.score(histories, generator, Controls(threshold=question.threshold))
    change = kl_divergence(*_answers(bundle, raw)) if positions else raw.new_zeros(0)
    scores = without_seen(raw.cpu(), bundle, question)
    ranks = [rank_of(row, question.truth) for row in scores]
    own, *others = (best_ids(row, question.k) for row in scores)
    told = tuple(
        Effect(
            item=items[question.history[position - 1] - 1],
            position=position,
            kept=tuple(id in without for id in own),
            truth_rank=rank,
            change=float(moved),
        )
        for position, without, rank, moved in zip(positions, others, ranks[1:], change, strict=True)
    )
    weighed = _weighed(stations)
    weights = [station.weight for station in compress(stations, weighed)]
    agreement = _agreement(weights, [effect.change for effect in compress(told, weighed)])
    return Effects(bundle.name, told, ranks[0], agreement, sum(weighed))


def _answers(bundle: Bundle, raw: Tensor) -> tuple[Tensor, Tensor]:
    """Of (1 + N, M + 1) scores, the answer to the whole history N times and the N answers without an item."""
    answers = bundle.model.probabilities(raw).double()
    return answers[:1].expand(len(answers) - 1, -1), answers[1:]


def _weighed(stations: Sequence[Station]) -> list[bool]:
    return [bool(station.candidate and station.has_future and station.weight is not None) for station in stations]


def _agreement(weights: Sequence[float | None], changes: Sequence[float]) -> float | None:
    """Spearman's rho of weight and size of the change over the weighed items; None for too few or equal ones."""
    if len(changes) < FEWEST_WEIGHED or len(set(weights)) < 2 or len(set(changes)) < 2:
        return None
    ranks = pd.DataFrame({"weight": weights, "change": changes}).rank()
    return float(ranks.corr().loc["weight", "change"])
