"""AdaRanker: "Ada-Ranker: A Data Distribution Adaptive Ranking Paradigm for Sequential Recommendation" (Fan, Lian,
Zhao, Liu, Li, Xie, SIGIR 2022).

The idea: a ranker looks at the list that it is about to rank, sums it up in one vector z, and adapts to it: z moves
what its encoder reads and patches the weights of its output layers. A base model, trained first, recalls the list.

| equation | function |
| --- | --- |
| distribution of the candidates: z = mu + sigma eps | ``adaptive_layers.DistributionEncoder``, ``AdaRanker.draw`` |
| input modulation: gamma e + beta, both scalars of the row | ``modulate`` |
| patch of a parameter: softmax(z K^T) V | ``adaptive_layers.MemoryUnit`` |
| output layers with patched weights and biases | ``adaptive_layers.AdaptiveLayer`` |
| loss: binary cross-entropy of the target and sampled candidates | ``candidate_loss`` |

Departures of ``default``, with the reason:

| paper / released code | here | why |
| --- | --- | --- |
| a request brings 20 candidates, the answer among them | the base's top ``candidates`` | a request is a history alone |
| negatives from the target's category and others | from that list | there are no categories |
| everything is ranked | the rest stands below the list in the base's order | it was not looked at |
| the output layers make the score | add to the base's (``base_score``) | begins as the base |
| every target is learned | those in the list (``missed_targets``) | else a low place is a sign of the target |
| three ways: all at once; the base first, then all (``joint``); then the new parts alone | the last | the list stays |
| patches multiply, and start near 0 (``patch_from_zero``) | 1 + patch | what was trained is not erased |
| z drawn anew at evaluation (``noisy_evaluation``) | mu | the same list every time |
| sigmoid before ranking (``saturated_scores``) | logits | ties at 1.0 |
| padding is modulated and read (``modulated_padding``) | left out | it is no item |
| GRU4Rec and six other bases | SASRec, or GRU4Rec | the base of the other hosts |
| modulation starts at random | at gamma = 1, beta = 0 | begins as the base |
| item vectors from word2vec | the base's | one training for all models |
| base: binary cross-entropy through output layers | cross-entropy of all items, inner products | it makes the list |
| the next item is the target | for the base on Zhihu also items from around it (``presets.py``) | one of many as good |
| z of the vectors as they are | of normalised ones, beginning with little noise | short ones are lost in it |
| negatives without a person's own items | all of the list | where items may come again, it holds them |

On a SASRec gamma acts alone: beta is the same number in all D inputs, and a LayerNorm takes it away, as in theirs.
Fitted on the training rows, the base lists more targets of these than of others. With ``joint`` the base's own loss
goes on, since it makes the list. In training z sums up the sampled candidates, the target among them, as in the paper;
when ranking, the whole list. ``whole_catalogue`` is the control: one z for all.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Generator, Tensor, nn
from torch.nn import functional as F

from demo_core.datasets import Dataset
from demo_core.layers import Dropout, window, with_start
from demo_core.models.adaptive_layers import AdaptiveLayer, DistributionEncoder
from demo_core.models.base import Controls, Phase, Recommender, Validation, seeded
from demo_core.models.gru4rec import GRU4Rec
from demo_core.models.next_item_bases import NextItemHostConfig, create_base
from demo_core.models.sasrec import SASRec
from demo_core.sequences import PADDING, Batch


@dataclass(frozen=True, kw_only=True)
class AdaRankerConfig(NextItemHostConfig):
    """``backbone``: the base, "sasrec" or "gru4rec"; ``backbone_<field>`` are its settings, the others those of the
    second phase. ``candidates``: length of the list that is ranked again; ``sampled``: how many of them, the target
    included, a training row compares. ``patches``: slots of a memory unit. ``dropout`` acts on the inputs of the output
    layers and inside the distribution encoder. ``joint``: the base is trained on in the second phase. ``base_score``:
    the base's score is added to that of the output layers. ``missed_targets``: targets that are not in the list are put
    there in training. ``whole_catalogue``: z sums up all items, whatever the list.

    As released: ``patch_from_zero``, ``noisy_evaluation``, ``saturated_scores``, ``modulated_padding``; see the table
    above.
    """

    max_epochs: int = 10
    candidates: int = 100
    sampled: int = 20
    patches: int = 10
    dropout: float = 0.2
    joint: bool = False
    base_score: bool = True
    missed_targets: bool = False
    whole_catalogue: bool = False
    patch_from_zero: bool = False
    noisy_evaluation: bool = False
    saturated_scores: bool = False
    modulated_padding: bool = False

    BASES: ClassVar[tuple[str, ...]] = ("sasrec", "gru4rec")

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 2 <= self.sampled <= self.candidates:
            raise ValueError(f"sampled: expected 2 to candidates={self.candidates}, got {self.sampled}.")


def modulate(x: Tensor, scale: Tensor, shift: Tensor) -> Tensor:
    """gamma e + beta: (B, L, D) by one ``scale`` and one ``shift`` a row, (B, 1) each."""
    return scale[..., None] * x + shift[..., None]


def candidate_loss(logits: Tensor, counted: Tensor) -> Tensor:
    """Binary cross-entropy of (B, C) logits, column 0 the target, mean over the rows ``counted`` (B,) bool; 0 without
    any.
    """
    label = F.one_hot(logits.new_zeros(len(logits), dtype=torch.int64), logits.shape[1]).to(logits)
    losses = F.binary_cross_entropy_with_logits(logits, label, reduction="none").mean(dim=1)
    return (losses * counted).sum() / counted.sum().clamp(min=1)


class AdaRanker(Recommender):
    config: AdaRankerConfig
    adapted: Tensor  # () bool: the list is ranked again; before the second phase the base speaks alone

    def __init__(self, config: AdaRankerConfig) -> None:
        super().__init__(config)
        dim, start = config.embedding_dim, 0.0 if config.patch_from_zero else 1.0
        base = create_base(config)
        assert isinstance(base, SASRec | GRU4Rec)
        self.backbone: SASRec | GRU4Rec = base
        self.distribution = DistributionEncoder(dim, config.dropout)
        self.scale, self.shift = nn.Linear(dim, 1), nn.Linear(dim, 1)
        self.inner = AdaptiveLayer(2 * dim, dim, dim, config.patches, start)
        self.outer = AdaptiveLayer(dim, 1, dim, config.patches, start)
        self.dropout = Dropout(config.dropout)
        for layer, bias in ((self.scale, 1.0), (self.shift, 0.0)):
            nn.init.zeros_(layer.weight)
            nn.init.constant_(layer.bias, bias)
        self.register_buffer("adapted", torch.tensor(False))

    def phases(self) -> list[Phase]:
        below = list(self.backbone.parameters())
        known = {id(parameter) for parameter in below}
        own = [parameter for parameter in self.parameters() if id(parameter) not in known]
        own += below if self.config.joint else []
        base = self.config.backbone_config()
        return [
            Phase("backbone", self.backbone.loss, below, self._trust_base, config=base),
            Phase("adaptation", self.loss, own, self._adapt),
        ]

    def loss(self, batch: Batch, generator: Generator | None = None) -> Tensor:
        generator, history = seeded(generator), batch.history
        base, listed = self.recall(history)
        items, counted = self.sample(listed, batch.target, generator)
        mean, log_variance = self.summary(items)
        z = self.draw(mean, log_variance, torch.randn(mean.shape, generator=generator).to(mean))
        logits = self.rerank(history, items, z, base.gather(1, items))
        loss = candidate_loss(logits, counted)
        return loss + self.backbone.loss(batch, generator) if self.config.joint else loss

    @torch.no_grad()
    def recall(self, history: Tensor) -> tuple[Tensor, Tensor]:
        """The base as it is, unmodulated: its scores (B, M + 1) and its list (B, K), best first."""
        learning = self.backbone.training
        self.backbone.eval()
        scores = self.backbone.score(history)
        self.backbone.train(learning)
        return scores, scores.topk(min(self.config.candidates, self.config.num_items), dim=1).indices

    def sample(self, listed: Tensor, target: Tensor, generator: Generator) -> tuple[Tensor, Tensor]:
        """Lists (B, K), targets (B,) -> the target and random others of the list (B, C), and which rows count (B,)."""
        is_target = listed == target[:, None]
        chance = torch.rand(listed.shape, generator=generator).to(listed.device).masked_fill(is_target, -1)
        others = listed.gather(1, chance.topk(min(self.config.sampled, listed.shape[1]) - 1, dim=1).indices)
        counted = is_target.any(dim=1) | self.config.missed_targets
        return torch.cat([target[:, None], others], dim=1), counted

    def summary(self, items: Tensor) -> tuple[Tensor, Tensor]:
        """Mean and log variance of z, (B, D) each, of the candidates (B, C)."""
        if not self.config.whole_catalogue:
            mean, log_variance = self.distribution(self._vectors(items))
            return mean, log_variance
        mean, log_variance = self.distribution(self.backbone.embedding()[None, 1:])
        return mean.expand(len(items), -1), log_variance.expand(len(items), -1)

    def draw(self, mean: Tensor, log_variance: Tensor, noise: Tensor) -> Tensor:
        """z = mu + sigma eps, (B, D)."""
        return mean + (log_variance / 2).exp() * noise

    def encode(self, history: Tensor, z: Tensor) -> Tensor:
        """The base's state (B, D) of (B, L) ids, its inputs modulated by ``z`` (B, D)."""
        tokens = with_start(window(history, self.config.backbone_max_length or self.config.max_length), self._start)
        x = modulate(self.backbone.item_embedding(tokens), self.scale(z), self.shift(z))
        mask = torch.ones_like(tokens, dtype=torch.bool) if self.config.modulated_padding else tokens != PADDING
        state: Tensor = self.backbone.encoder(x, mask, last_only=True)
        return state

    def rerank(self, history: Tensor, items: Tensor, z: Tensor, base: Tensor) -> Tensor:
        """Logits (B, C) of ``items`` (B, C), whose scores by the base are ``base`` (B, C)."""
        state = self.encode(history, z)[:, None].expand(-1, items.shape[1], -1)
        hidden = torch.tanh(self.inner(self.dropout(torch.cat([state, self._vectors(items)], dim=2)), z))
        logits = self.outer(hidden, z)[..., 0]
        return logits + base if self.config.base_score else logits

    def score(self, history: Tensor, generator: Generator | None = None, controls: Controls | None = None) -> Tensor:
        base, listed = self.recall(history)
        if not bool(self.adapted):
            return base
        z, log_variance = self.summary(listed)
        if self.config.noisy_evaluation:
            noise = torch.randn(1, z.shape[1], generator=seeded(generator)).to(z)
            z = self.draw(z, log_variance, noise)
        of_list = base.gather(1, listed)
        logits = self.rerank(history, listed, z, of_list)
        if self.config.saturated_scores:
            logits = logits.sigmoid()
        below = base - of_list[:, -1:] + logits.min(dim=1, keepdim=True).values
        return below.scatter(1, listed, logits)

    def embedding(self) -> Tensor:
        """The base's."""
        return self.backbone.embedding()

    @property
    def _start(self) -> int:
        return self.config.num_items + 1

    def _vectors(self, items: Tensor) -> Tensor:
        vectors: Tensor = self.backbone.item_embedding(items)
        return vectors

    def _trust_base(self, dataset: Dataset, validate: Validation) -> None:
        self.adapted.fill_(False)
        prepare = self.backbone.phases()[0].prepare
        if prepare is not None:
            prepare(dataset, validate)

    def _adapt(self, dataset: Dataset, validate: Validation) -> None:
        self.adapted.fill_(True)
