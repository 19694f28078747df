"""PDRec: "Plug-in Diffusion Model for Sequential Recommendation" (Ma, Xie, Meng, Chen, Zhang, Lin, Kang, AAAI 2024,
arXiv 2401.02913).

The idea: a DiffRec whose rows weigh recent items more is trained first; what it restores for a training sequence then
tells an ordinary recommender, while that one learns, which of its positives to trust, what else it might have liked and
what it may safely call a negative. The recommender alone ranks: the diffusion is not used after training.

| equation | function |
| --- | --- |
| TI-DiffRec: the row's entries rise with time | ``diffrec.interaction_row`` with ``oldest_weight`` |
| historical behaviour reweighting (HBR) | ``diffusion_advice.positive_weights`` |
| diffusion-based positive augmentation (DPA), coarse to fine | ``best_items``, then ``PDRec.fine_positives`` |
| noise-free negative sampling (NNS) | ``low_items``, ``PDRec.binary_loss`` |
| whole loss, on cosines times tau | ``PDRec.binary_loss`` |

Departures of ``default``, with the reason:

| paper / released code | here | why |
| --- | --- | --- |
| binary cross-entropy (``loss`` "binary") | over all items; HBR weighs, DPA adds labels | as for all other models |
| NNS | only with "binary" | in a cross-entropy all items are negatives already |
| released: own items stay in the DPA pool (``observed_positives``) | left out | unobserved is what the paper says |
| released: NNS knows the items of validation and test | the training sequence's alone | they are what is asked for |
| entries by timestamp | by place | not all data have times |
| one loss over the positions of a sequence | one training row a prefix | as for all other models |
| DPA asks the state after a sequence's newest item | the state after each prefix | as above |
| random negatives that a user never had | that are not in the row's window | a row knows no more of its user |
| the next item is the target | on Zhihu also items from around it, with "cross_entropy" alone | one of many as good |
| a user's whole row | pieces of at most L + 1 items that tile it | all models have the same window |
| floor of HBR below the smallest value only where there is padding | always | padding tells nothing |
| released: that value may be the padding's own | of items alone | padding is no item |
| settings per data set | Toys, SASRec; lambda .0125 and s 1 are its .05 and 4 | AdamW sees no common scale |
| low-scored negatives from the whole band | from 64 of it, drawn once a piece | memory |
| released: epochs chosen on test | on validation | test is for the end |

Two training rows with the same history and target cannot be told apart in a batch; each is given what the diffusion
says of any of them, drawn anew every time. ``paper`` holds the authors' settings for SASRec, of their Toys for Beauty
and of their Books elsewhere, but the learning rate does not fall, and the diffusion learns as in DiffRec's ``default``:
steps are neither weighed nor drawn by importance, and batches hold 256 rows. ``released`` adds the own items. Two slips
of the code are in no preset: Books are sampled with another noise than the one trained with, and real positions attend
to padding.
"""

from __future__ import annotations

import dataclasses

import torch
from torch import Generator, Tensor
from torch.nn import functional as F

from demo_core.datasets import Dataset
from demo_core.layers import unit
from demo_core.models.base import Controls, Phase, Recommender, Validation, mask_padding, seeded
from demo_core.models.diffrec import DiffRec, interaction_row
from demo_core.models.diffusion_advice import AdviceSettings, DiffusionAdvice
from demo_core.models.neighbour_targets import LearnsFromNeighbours
from demo_core.models.next_item_bases import create_base
from demo_core.models.pdrec_config import PAPER, RELEASED, PDRecConfig
from demo_core.sequences import PADDING, Batch

__all__ = ["PAPER", "RELEASED", "PDRec", "PDRecConfig"]


class PDRec(Recommender):
    config: PDRecConfig
    advised: Tensor  # () bool: the recommender ranks; before its phase the diffusion does

    def __init__(self, config: PDRecConfig) -> None:
        super().__init__(config)
        self.diffusion = DiffRec(config.diffusion_config())
        self.backbone = create_base(config)
        self.advice = DiffusionAdvice(
            AdviceSettings(
                length=config.max_length,
                num_items=config.num_items,
                rank_share=config.rank_share,
                weight_ceiling=config.weight_ceiling,
                weight_scale=config.weight_scale,
                coarse=config.coarse_positives,
                low_from=config.low_from,
                low_to=config.low_to,
                observed_positives=config.observed_positives,
            )
        )
        self.register_buffer("advised", torch.tensor(False))

    def phases(self) -> list[Phase]:
        (diffusion,) = self.diffusion.phases()
        own = self.config.backbone_config()
        return [
            dataclasses.replace(diffusion, name="diffusion", prepare=self._trust_diffusion),
            Phase("recommender", self.loss, list(self._learning()), self._ask_diffusion, config=own),
        ]

    def loss(self, batch: Batch, generator: Generator | None = None) -> Tensor:
        """The recommender's, with what the diffusion says about the rows."""
        generator = seeded(generator)
        told = self.advice.find(batch.history, batch.target, generator)
        state = self.backbone.encode(batch.history)
        likely = self.fine_positives(state, told.pool)
        if self.config.loss == "cross_entropy":
            return self.full_loss(state, self._target(batch.target, generator), told.weight, likely)
        return self.binary_loss(state, batch, told.weight, likely, told.low, generator)

    def full_loss(self, state: Tensor, target: Tensor, weight: Tensor, likely: Tensor) -> Tensor:
        """mean(w CE(target)) + lambda mean CE(likely): states (B, D), ``target`` and ``weight`` (B,), ``likely`` (B, F)
        ids.
        """
        losses = -self.backbone.rank(state).log_softmax(dim=1)
        own = (weight * losses.gather(1, target[:, None])[:, 0]).mean()
        return own + self.config.positive_weight * masked_mean(losses.gather(1, likely), likely != PADDING)

    def binary_loss(
        self, state: Tensor, batch: Batch, weight: Tensor, likely: Tensor, low: Tensor, generator: Generator
    ) -> Tensor:
        """mean(w BCE+) + lambda mean BCE+(likely) + (mean BCE-(random) + mean BCE-(low-scored)) / 2; ``low`` (B, P) ids
        are drawn from.
        """
        target = batch.target[:, None]
        random = torch.randint(1, self.config.num_items + 1, target.shape, generator=generator).to(target.device)
        known = ((random == batch.history) | (random == target)).any(dim=1, keepdim=True)
        drawn = one_of(low, generator)
        own = (weight[:, None] * self.positive(state, target)).mean()
        soft = masked_mean(self.positive(state, likely), likely != PADDING)
        of_random = masked_mean(self.negative(state, random), ~known)
        of_low = masked_mean(self.negative(state, drawn), drawn != PADDING)
        return own + self.config.positive_weight * soft + (of_random + of_low) / 2

    def positive(self, state: Tensor, items: Tensor) -> Tensor:
        """Binary cross-entropy of label 1, (B, C), of ``items`` (B, C)."""
        return F.softplus(-self.cosines(state, items))

    def negative(self, state: Tensor, items: Tensor) -> Tensor:
        """Binary cross-entropy of label 0, (B, C), of ``items`` (B, C)."""
        return F.softplus(self.cosines(state, items))

    def cosines(self, state: Tensor, items: Tensor) -> Tensor:
        """tau cos of states (B, D) and items (B, C): (B, C)."""
        vectors = unit(self.backbone.item_embedding(items))
        return self.config.cosine_scale * (vectors @ unit(state)[..., None])[..., 0]

    @torch.no_grad()
    def fine_positives(self, state: Tensor, pool: Tensor) -> Tensor:
        """Of the pools (B, K) the items (B, F) that the recommender itself likes best at present, padding where there
        are fewer.
        """
        liked = self.rank(state).gather(1, pool)
        best = liked.topk(min(self.config.fine_positives, pool.shape[1]), dim=1)
        return pool.gather(1, best.indices)

    def rank(self, state: Tensor) -> Tensor:
        """(B, D) states -> (B, M + 1) scores: the backbone's own, or tau cos."""
        if self.config.loss == "cross_entropy":
            return self.backbone.rank(state)
        return mask_padding(self.config.cosine_scale * unit(state) @ unit(self.backbone.embedding()).T)

    def score(self, history: Tensor, generator: Generator | None = None, controls: Controls | None = None) -> Tensor:
        if bool(self.advised):
            return self.rank(self.backbone.encode(history))
        return self.diffusion.score(history)

    def embedding(self) -> Tensor:
        """The backbone's."""
        return self.backbone.embedding()

    def _learning(self) -> list[torch.nn.Parameter]:
        """Cosines need no item bias."""
        bias = self.backbone.item_bias if self.config.loss == "binary" else None
        return [parameter for parameter in self.backbone.parameters() if parameter is not bias]

    def _target(self, target: Tensor, generator: Generator) -> Tensor:
        backbone = self.backbone
        return backbone.training_target(target, generator) if isinstance(backbone, LearnsFromNeighbours) else target

    def _trust_diffusion(self, dataset: Dataset, validate: Validation) -> None:
        self.advised.fill_(False)

    def _ask_diffusion(self, dataset: Dataset, validate: Validation) -> None:
        self.advised.fill_(True)
        self.diffusion.eval()
        self.advice.fill(dataset.train, self._restored, seeded(None))
        prepare = self.backbone.phases()[0].prepare
        if prepare is not None:
            prepare(dataset, validate)

    def _restored(self, items: Tensor) -> Tensor:
        """What the diffusion restores of rows of items (B, any): (B, M + 1), -inf for padding."""
        row = interaction_row(items, self.config.num_items, self.config.oldest_weight)
        restored = self.diffusion.restore(row.to(self.diffusion.denoiser.inward.weight))
        return F.pad(restored, (1, 0), value=-torch.inf)


def masked_mean(values: Tensor, mask: Tensor) -> Tensor:
    """Mean of the ``values`` that are in ``mask``, (); 0 where there are none."""
    return values.masked_fill(~mask, 0).sum() / mask.sum().clamp(min=1)


def one_of(items: Tensor, generator: Generator) -> Tensor:
    """One random item of each row (B, P), padding left out where there is anything else: (B, 1)."""
    chance = torch.rand(items.shape, generator=generator).to(items.device).masked_fill(items == PADDING, -1)
    return items.gather(1, chance.argmax(dim=1, keepdim=True))
