"""Why an item stands in a list: what of the history it is like, and, for a vote, who voted for it."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Generator

from demo_core.checkpoint import Bundle
from demo_core.engine.answers import Item, Likeness, ModelReason
from demo_core.engine.bundles import Loaded
from demo_core.engine.questions import Question
from demo_core.engine.ranking import candidate_scores, rank_of, without_seen
from demo_core.layers import unit
from demo_core.models.base import Controls
from demo_core.models.borda_vote import BordaVote
from demo_core.models.knn_average import KNNAverage
from demo_core.sequences import pad

NEAREST = 3


@torch.inference_mode()
def reason_of(
    one: Loaded, question: Question, item: int, items: Sequence[Item], device: torch.device
) -> ModelReason | None:
    """What one model can say; None without a bundle. Ranks are None where the item is no candidate."""
    if one.bundle is None:
        return None
    bundle = one.bundle
    personal, global_ = _votes(bundle, question, item, device)
    return ModelReason(
        model=one.name,
        title=one.title,
        rank=rank_of(candidate_scores(bundle, question, device), item),
        nearest=_nearest(bundle, question, item, items),
        personal=personal,
        global_=global_,
    )


def _nearest(bundle: Bundle, question: Question, item: int, items: Sequence[Item]) -> tuple[Likeness, ...]:
    """The items read that are most like it, by the cosine of the model's vectors."""
    vectors, read = bundle.model.embedding(), question.read[-bundle.model.config.max_length :]
    if vectors is None or not read:
        return ()
    ids = list(dict.fromkeys(read))
    cosines = unit(vectors[ids]) @ unit(vectors[item])
    best = cosines.sort(descending=True, stable=True)
    pairs = zip(best.indices.tolist(), best.values.tolist(), strict=True)
    return tuple(Likeness(items[ids[at] - 1], cosine) for at, cosine in list(pairs)[:NEAREST])


def _votes(bundle: Bundle, question: Question, item: int, device: torch.device) -> tuple[int | None, int | None]:
    """The item's rank with either voter, for a model that votes."""
    window = pad([question.read], bundle.model.config.max_length).to(device)
    if not isinstance(bundle.model, BordaVote | KNNAverage):
        return None, None
    if isinstance(bundle.model, BordaVote):
        told = bundle.model.vote(window, Controls(threshold=question.threshold), Generator().manual_seed(question.seed))
    else:
        told = bundle.model.vote(window)
    ranks = [rank_of(without_seen(voter[0].cpu(), bundle, question), item) for voter in (told.personal, told.global_)]
    return ranks[0], ranks[1]
