"""AC-TSR: "Attention Calibration for Transformer-based Sequential Recommendation" (Zhou et al., CIKM 2023, arXiv
2308.09419), on a SASRec.

Attention weights are corrected twice: by order and distance of a pair, and by an adversary that learns which weights
the prediction needs by taking them away.

| equation | function |
| --- | --- |
| spatial calibrator: order and distance | ``calibrated_attention.order_term``, ``distance_term`` |
| adversarial calibrator: the mask | ``calibrated_attention.Adversary`` |
| attacked and calibrated weights, gate | ``attacked_weights``, ``calibrated_weights``, ``gated_weights`` |
| penalty of the mask | ``mask_penalty`` |
| the adversary's loss, and who learns from which loss | ``ACTSR.losses``, ``steered`` |

The two losses have one forward pass and two backward passes: the cross-entropy teaches everything but the adversary,
the adversarial loss the adversary alone. Lists come from the calibrated weights, without noise.

With causal attention no key is later than its query, so that the order term is a learned penalty and tells no order;
what tells it here is the distance, the gate and the causal mask. The penalty is least where the mask is 1, but a mask
that is a softmax sums to 1: it is drawn towards even shares.

Departures of ``default``, with the reason:

| paper / released code | here | why |
| --- | --- | --- |
| AC-SASRec's code: a softmax of the corrected weights | none; ``softmax_again`` | it makes them nearly even |
| code: one norm over a batch's mask, unseen pairs too | the queries' mean; ``penalty_of_batch`` | same in any batch |
| three data sets: a penalty weight that no loss trains | ``penalty_weight``; 0.3 is theirs | it is a constant |
| the gate has a weight for each place from the start, 50 | for each distance from the query | any window and padding |
| every layer is attacked on every item | the last one on the newest item | the other attacked states are not read |
| the last layer's penalty covers all of its queries | the newest ones | the others are not computed |
| feed-forward twice or half as wide as the items | four times | as in the other models |
| all weights from N(0, 0.02), adversary with a bias of the keys | PyTorch's, none | such a bias changes nothing |
| Adam 1e-4, 200 epochs | per data set (``presets.py``), constant, averaged weights | the schedule of all other models |
| the next item is the target | on Zhihu also items from around it (``neighbour_target_rate``) | one of many as good |
| an empty history does not occur | [start] is its only item | 15 % of Zhihu rows are empty |
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Generator, Tensor, nn
from torch.func import functional_call

from demo_core.layers import Dropout, attention_logits, embedding_table, items_before, window, with_start
from demo_core.models.base import SequenceEncoder, next_item_loss, seeded
from demo_core.models.calibrated_attention import CalibratedLayer, Calibration
from demo_core.models.neighbour_targets import LearnsFromNeighbours, NeighbourTargetsConfig
from demo_core.sequences import PADDING, Batch
from demo_core.slots import Slots


@dataclass(frozen=True, kw_only=True)
class ACTSRConfig(NeighbourTargetsConfig):
    """``layers`` of ``heads`` heads each. ``input_dropout`` acts on the normalised item embeddings, ``dropout`` on
    weights, mask and what each block adds. ``penalty_weight`` c of the adversary's mask.

    Of the released code: ``softmax_again``: weights are put through a further softmax after each correction.
    ``penalty_of_batch``: one norm over a batch's whole mask, with 1 for pairs that are not seen, so that the penalty
    grows with batch and window. In the last layer either penalty covers the newest queries alone.
    """

    layers: int = 2
    heads: int = 2
    dropout: float = 0.2
    input_dropout: float = 0.2
    penalty_weight: float = 0.03
    softmax_again: bool = False
    penalty_of_batch: bool = False


def mask_penalty(spared: Tensor, mask: Tensor, of_batch: bool) -> Tensor:
    """How far the adversary's mask ``spared`` (B, h, Q, L) is from sparing everything, (); ``mask`` (B, L) bool are the
    real slots, the queries the last Q of them.

    The norm of 1 - m over the keys that a query sees, its mean over heads and real queries of a row, and over the rows;
    ``of_batch``: one norm over all of it, seen or not.
    """
    if of_batch:
        return torch.linalg.vector_norm(1 - spared)
    queries = spared.shape[2]
    seen = attention_logits(mask, spared.dtype)[:, :, -queries:] == 0
    norms = torch.linalg.vector_norm((1 - spared) * seen, dim=3).mean(dim=1)  # (B, Q)
    real = mask[:, -queries:]
    return ((norms * real).sum(dim=1) / real.sum(dim=1)).mean()


def steered(parameters: Mapping[str, Tensor], gradients: Mapping[str, Tensor]) -> Tensor:
    """Zero, (), whose gradient in each of the ``parameters`` is the one given for it."""
    product = torch.stack([(parameters[name] * gradients[name]).sum() for name in parameters]).sum()
    return product - product.detach()


class CalibratedEncoder(nn.Module):
    """Embedded histories (B, L, D) with real slots ``mask`` (B, L) -> states, and what became of them under attack."""

    def __init__(self, config: ACTSRConfig) -> None:
        super().__init__()
        dim = config.embedding_dim
        self.norm = nn.LayerNorm(dim)
        self.dropout = Dropout(config.input_dropout)
        self.layers = nn.ModuleList(
            CalibratedLayer(dim, config.max_length, config.heads, config.dropout, config.softmax_again)
            for _ in range(config.layers)
        )

    def forward(
        self, x: Tensor, mask: Tensor, last_only: bool = True, noise: Tensor | None = None
    ) -> tuple[Calibration, list[Tensor]]:
        """The last layer's answer, and the adversary's masks of all layers. States are (B, D), or (B, L, D) if not
        ``last_only``. ``noise``: that of :meth:`CalibratedLayer.forward`, for the last layer.
        """
        slots, unseen = Slots.of(mask), attention_logits(mask, x.dtype)
        states, attacked, spared = self.dropout(self.norm(slots.pack(x))), None, []
        for number, layer in enumerate(self.layers, start=1):
            is_last = last_only and number == len(self.layers)
            read = layer(states, slots, unseen, is_last, noise if is_last else None)
            states, attacked = read.states, read.attacked
            spared.append(read.spared)
        return Calibration(states if last_only else slots.pad(states), attacked, spared[-1]), spared


class ACTSR(LearnsFromNeighbours, SequenceEncoder):
    config: ACTSRConfig

    def __init__(self, config: ACTSRConfig) -> None:
        super().__init__(config)
        self.item_embedding = embedding_table(config.num_items + 2, config.embedding_dim)  # last row: [start]
        self.item_bias = None
        self.encoder = CalibratedEncoder(config)

    def tokens(self, history: Tensor) -> Tensor:
        """(B, any) -> (B, L) ids, at least one of them no padding."""
        return with_start(window(history, self.config.max_length), self.config.num_items + 1)

    def encode(self, history: Tensor) -> Tensor:
        tokens = self.tokens(history)
        read: Calibration = self.encoder(self.item_embedding(tokens), tokens != PADDING)[0]
        return read.states

    def masked_context(self, sequence: Tensor, position: Tensor) -> tuple[Tensor, Tensor]:
        tokens = self.tokens(items_before(sequence, position))
        mask = tokens != PADDING
        states = self.encoder(self.item_embedding(tokens), mask, last_only=False)[0].states
        return states[:, -1], (states * mask[..., None]).sum(dim=1) / mask.sum(dim=1, keepdim=True)

    def adversary(self) -> dict[str, nn.Parameter]:
        """The parameters of the adversary, as the encoder calls them."""
        return {name: value for name, value in self.encoder.named_parameters() if ".adversary." in name}

    def losses(self, batch: Batch, noise: Tensor, adversary: Mapping[str, Tensor]) -> tuple[Tensor, Tensor]:
        """Cross-entropy of the next item, and the loss of these values of the ``adversary``, both ().

        ``noise`` (B, h, 1, L). The adversary gains what the attacked prediction loses, and pays for what it takes:
        the mean of the layers' penalties, where the last layer has its newest queries alone.
        """
        tokens = self.tokens(batch.history)
        mask = tokens != PADDING
        read, spared = functional_call(
            self.encoder, dict(adversary), (self.item_embedding(tokens), mask), {"noise": noise}
        )
        penalties = [mask_penalty(of_layer, mask, self.config.penalty_of_batch) for of_layer in spared]
        answers = [
            next_item_loss(state, batch.target, self.item_embedding, self.config.num_items)
            for state in (read.states, read.attacked)
        ]
        return answers[0], self.config.penalty_weight * torch.stack(penalties).mean() - answers[1]

    def loss(self, batch: Batch, generator: Generator | None = None) -> Tensor:
        """The sum of both losses; each teaches its own parameters."""
        shape = (len(batch.history), self.config.heads, 1, self.config.max_length)
        drawn = seeded(generator)
        noise = torch.randn(shape, generator=drawn).to(self.item_embedding.weight)
        batch = dataclasses.replace(batch, target=self.training_target(batch.target, drawn))
        parameters = self.adversary()
        copies = {name: value.detach().requires_grad_() for name, value in parameters.items()}
        prediction, attack = self.losses(batch, noise, copies)
        if not torch.is_grad_enabled():
            return prediction + attack
        gradients = torch.autograd.grad(attack, list(copies.values()), retain_graph=True)
        return prediction + attack.detach() + steered(parameters, dict(zip(parameters, gradients, strict=True)))
