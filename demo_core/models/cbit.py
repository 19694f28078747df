"""CBiT: "Contrastive Learning with Bidirectional Transformers for Sequential Recommendation" (Du et al., CIKM 2022,
arXiv 2208.03895).

BERT4Rec, in which P differently masked views of one window are also pulled together, and away from other windows.

| equation | function |
| --- | --- |
| cloze task, summed over the views | ``MaskedEncoder.cloze_loss`` |
| NT-Xent of a pair of views, cosine similarity | ``layers.nt_xent_pairs`` |
| multi-pair contrastive loss: all ordered pairs of views | ``CBiT.contrastive_loss`` |
| dynamic loss reweighting: theta | ``contrast_weight`` |

Departures of ``default``, with the reason:

| paper / released code | here | why |
| --- | --- | --- |
| P = 4 to 8 | ``views`` = 2 | each view costs as much as all of BERT4Rec |
| P (P - 1) NT-Xent matrices of 2B x 2B a step | one of PB x PB, cut up | the same numbers |
| states of padding are compared too | they are zero | padding says nothing about taste |
| every window is compared | those of two items or more | a single hidden item looks like any other |
| no row hides the newest item alone | ``last_masked_share`` of the rows | that is the question at inference |
| random maskings may hide nothing | at least one item a view | nothing to learn from otherwise |
| untied output layer | head and tied item embeddings of BERT4Rec | never-trained items stay small |
| no LayerNorm after the last layer | one | pre-norm layers |
| cloze loss: a mean for each view | one over the hidden items of all views, times P | the same but for chance |
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Generator, Tensor

from demo_core.layers import nt_xent_pairs
from demo_core.models.base import seeded
from demo_core.models.masked_encoder import MaskedEncoder, MaskedEncoderConfig
from demo_core.sequences import PADDING, Batch


@dataclass(frozen=True, kw_only=True)
class CBiTConfig(MaskedEncoderConfig):
    """``views`` P >= 2 maskings of each window. ``temperature`` tau of NT-Xent. ``contrast_ratio`` lambda and
    ``contrast_rate`` alpha: how theta, the weight of the contrastive loss, follows the two losses.
    """

    mask_rate: float = 0.15
    random_share: float = 0.1
    kept_share: float = 0.1
    views: int = 2
    temperature: float = 0.3
    contrast_ratio: float = 5.0
    contrast_rate: float = 0.1


def contrast_weight(previous: Tensor, cloze: Tensor, contrast: Tensor, ratio: float, rate: float) -> Tensor:
    """theta, the running average of cloze / (cloze + ``ratio`` * contrast); ``rate`` in [0, 1] is the new share. All
    (), without gradient.
    """
    share = cloze.detach() / (cloze.detach() + ratio * contrast.detach())
    return rate * share + (1 - rate) * previous


class CBiT(MaskedEncoder):
    config: CBiTConfig
    theta: Tensor  # () weight of the contrastive loss

    def __init__(self, config: CBiTConfig) -> None:
        super().__init__(config)
        if config.views < 2:
            raise ValueError(f"views: expected at least 2, got {config.views}.")
        self.register_buffer("theta", torch.tensor(0.0))

    def loss(self, batch: Batch, generator: Generator | None = None) -> Tensor:
        """Cloze losses of all views plus theta times the contrastive loss; in training mode theta moves on first."""
        config, sequence = self.config, self.sequence(batch)
        repeated = sequence.repeat(config.views, 1)  # (P B, L)
        shown, hidden = self.draw_cloze(repeated, seeded(generator))
        states = self.states(shown)
        cloze = config.views * self.cloze_loss(states, hidden, repeated)
        contrast = self.contrastive_loss(states, sequence)
        if self.training:
            self.theta.copy_(contrast_weight(self.theta, cloze, contrast, config.contrast_ratio, config.contrast_rate))
        return cloze + self.theta.clone() * contrast

    def contrastive_loss(self, states: Tensor, sequence: Tensor) -> Tensor:
        """NT-Xent summed over all ordered pairs of views, shape (). ``states`` (P B, L, D) holds the views one after
        another, ``sequence`` (B, L) what they are views of; a batch without two comparable rows gives 0.
        """
        views = states.flatten(1).unflatten(0, (self.config.views, -1))  # (P, B, L D)
        comparable = (sequence != PADDING).sum(dim=1) > 1
        if int(comparable.sum()) < 2:
            return states.new_zeros(())
        return nt_xent_pairs(views[:, comparable], self.config.temperature).sum()
