"""GRU4Rec: "Recurrent Neural Networks with Top-k Gains for Session-based Recommendations" (Hidasi & Karatzoglou, CIKM
2018, arXiv 1706.03847; first form: Hidasi et al., ICLR 2016, arXiv 1511.06939).

A gated recurrent unit reads the history item by item; its newest state scores every item by the inner product with the
same table that the items are read from, plus a bias of the item.

| equation | function |
| --- | --- |
| 2016, Eq. 2-5: update gate, candidate, reset gate, new state | ``gated_recurrent.gru_step`` |
| scores: tied table and item bias | ``base.item_scores`` |
| 2018: candidates of a step, the batch's targets and a popularity sample | ``GRU4Rec.candidates`` |
| 2018: cross-entropy over the candidates | ``cross_entropy`` |
| logQ correction of the candidates' scores | ``GRU4Rec.correction`` |
| 2018: BPR-max with score regularisation | ``bpr_max`` |

Departures of ``default``, with the reason:

| paper / released code | here | why |
| --- | --- | --- |
| 2,048 sampled negatives and the batch's targets | all M items (``negatives``) | M is small enough |
| sessions side by side, a state that lives on from step to step | one training row a prefix | as for other models |
| gradient of the newest step alone | of all steps (``one_step_gradient``) | the older ones are at hand |
| dropout on the state that is carried on, too | on what is told (``carried_dropout``) | the state forgets otherwise |
| a negative may be the target itself | left out (``own_target_as_negative``) | it cannot be right and wrong |
| paper: reset gate before the product with U | after it (as in the code) | one product a step |
| tables uniform in +-sqrt(6 / (M + D)) | small normal values | the start of all other models |
| Adagrad with momentum, loss summed over the batch | AdamW, mean | the training of all other models |
| the next item is the target | on Zhihu also items from around it (``neighbour_target_rate``) | one of many as good |
| a session has at least two items | an empty history is one learned item [start] | 15 % of Zhihu rows are empty |

Later tables mostly mean another form (no item bias, a wider GRU without biases, a linear map back): it is not built.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Generator, Tensor, nn
from torch.nn import functional as F

from demo_core.datasets import Dataset
from demo_core.layers import embedding_table
from demo_core.models.base import Phase, Validation, next_item_loss, seeded
from demo_core.models.gated_recurrent import RecurrentEncoder
from demo_core.models.neighbour_targets import LearnsFromNeighbours, NeighbourTargetsConfig
from demo_core.models.start_encoder import StartEncoder
from demo_core.sequences import Batch

LOSSES = ("cross_entropy", "bpr_max")


@dataclass(frozen=True, kw_only=True)
class GRU4RecConfig(NeighbourTargetsConfig):
    """``layers`` GRU layers of width D. ``input_dropout`` acts on the item embeddings, ``dropout`` on what each layer
    tells. ``loss``: "cross_entropy" or "bpr_max".

    ``negatives``: items drawn a batch in proportion to count^``popularity_power`` (alpha), with which and with the
    batch's other targets every target is compared; ``None``: with all items. ``logq`` in [0, 1]: how much of the log of
    their popularity is taken off the scores of sampled candidates, "cross_entropy" alone. ``score_penalty`` and
    ``elu`` (0: none) are the score regularisation and the activation of the scores of "bpr_max".

    As released: ``one_step_gradient``: no gradient flows into the state before the newest item.
    ``carried_dropout``: ``dropout`` acts on the state that is carried on. ``own_target_as_negative``: what was drawn or
    is another row's target counts as a negative even where it is the row's own target.
    """

    layers: int = 1
    dropout: float = 0.0
    input_dropout: float = 0.25
    loss: str = "cross_entropy"
    negatives: int | None = None
    popularity_power: float = 0.5
    logq: float = 0.0
    score_penalty: float = 1.0
    elu: float = 0.5
    one_step_gradient: bool = False
    carried_dropout: bool = False
    own_target_as_negative: bool = False


def cross_entropy(scores: Tensor, own: Tensor, excluded: Tensor) -> Tensor:
    """-log softmax of the target among the candidates, mean over the rows, (). ``scores`` (B, C); column ``own`` (B,)
    is the row's target; ``excluded`` (B, C) bool are no negatives.
    """
    target = scores.gather(1, own[:, None])
    return (torch.cat([target, scores.masked_fill(excluded, -torch.inf)], dim=1).logsumexp(dim=1) - target[:, 0]).mean()


def bpr_max(scores: Tensor, own: Tensor, excluded: Tensor, score_penalty: float) -> Tensor:
    """-log sum_j s_j sigmoid(r_target - r_j) + ``score_penalty`` sum_j s_j r_j^2 with s the softmax of the negatives'
    scores, mean over the rows, (). Arguments as for :func:`cross_entropy`; a row without a negative is compared with
    itself.
    """
    excluded = excluded & ~excluded.all(dim=1, keepdim=True)
    log_weight = scores.masked_fill(excluded, -torch.inf).log_softmax(dim=1)
    ahead = F.logsigmoid(scores.gather(1, own[:, None]) - scores)
    penalty = (log_weight.exp() * scores.square()).sum(dim=1)
    return (score_penalty * penalty - (log_weight + ahead).logsumexp(dim=1)).mean()


class GRU4Rec(LearnsFromNeighbours, StartEncoder):
    config: GRU4RecConfig
    item_bias: nn.Parameter
    counts: Tensor  # (M + 1,) how often an item is a training target; needed for sampling alone, no part of the state

    def __init__(self, config: GRU4RecConfig) -> None:
        super().__init__(config)
        config.require_one_of("loss", LOSSES)
        self.item_embedding = embedding_table(config.num_items + 2, config.embedding_dim)  # last row: [start]
        self.item_bias = nn.Parameter(torch.zeros(config.num_items + 1))
        self.encoder = RecurrentEncoder(
            config.embedding_dim,
            config.layers,
            config.dropout,
            config.input_dropout,
            config.one_step_gradient,
            config.carried_dropout,
        )
        self.register_buffer("counts", torch.ones(config.num_items + 1), persistent=False)

    def phases(self) -> list[Phase]:
        return [Phase("train", self.loss, list(self.parameters()), prepare=self.prepare)]

    def prepare(self, dataset: Dataset, validate: Validation) -> None:
        """How popular the items are in the training rows, and which are alike."""
        self.find_neighbours(dataset, validate)
        self.counts.copy_(dataset.train.target_counts(self.config.num_items))

    def loss(self, batch: Batch, generator: Generator | None = None) -> Tensor:
        config, state, drawn = self.config, self.encode(batch.history), seeded(generator)
        target = self.training_target(batch.target, drawn)
        if config.loss == "cross_entropy" and config.negatives is None:
            return next_item_loss(state, target, self.item_embedding, config.num_items, self.item_bias)
        items, own = self.candidates(target, drawn)
        scores = state @ self.item_embedding(items).T + self.item_bias[items]
        is_own = torch.arange(len(items), device=items.device) == own[:, None]
        excluded = is_own if config.own_target_as_negative else items == target[:, None]
        if config.loss == "cross_entropy":
            return cross_entropy(scores - self.correction(items, len(own)), own, excluded)
        return bpr_max(F.elu(scores, config.elu) if config.elu else scores, own, excluded, config.score_penalty)

    def candidates(self, target: Tensor, generator: Generator) -> tuple[Tensor, Tensor]:
        """Targets (B,) -> the items (C,) whose scores a step compares, and each row's own target among them, (B,): the
        batch's targets and ``negatives`` drawn ones, or all items.
        """
        if self.config.negatives is None:
            return torch.arange(1, self.config.num_items + 1, device=target.device), target - 1
        up_to = self.counts[1:].double().pow(self.config.popularity_power).cumsum(dim=0)
        draw = torch.rand(self.config.negatives, generator=generator).to(target.device) * up_to[-1]
        drawn = torch.searchsorted(up_to, draw, right=True) + 1
        return torch.cat([target, drawn]), torch.arange(len(target), device=target.device)

    def correction(self, items: Tensor, rows: int) -> Tensor:
        """Candidates (C,), the first ``rows`` of which are the batch's targets -> ``logq`` times the log of their
        count, for drawn ones of their count^alpha, (C,); 0 where nothing is sampled.
        """
        if self.config.negatives is None or not self.config.logq:
            return torch.zeros(len(items), device=items.device)
        power = torch.full((len(items),), self.config.popularity_power, device=items.device)
        power[:rows] = 1
        return self.config.logq * power * self.counts[items].clamp(min=1).log()
