"""Caser: "Personalized Top-N Sequential Recommendation via Convolutional Sequence Embedding" (Tang & Wang, WSDM 2018,
arXiv 1809.07426).

The newest L items form an image with L rows and D columns. Horizontal filters, as wide as the image and 1 to L items
high, look for patterns of neighbouring items wherever they stand; vertical filters, one item wide, are weighted sums of
the rows.

| equation | function |
| --- | --- |
| image of the last L items, zero where there is none | ``Caser.image`` |
| horizontal filters, ReLU, the largest value over their windows | ``horizontal_features`` |
| vertical filters | ``vertical_features`` |
| z: a linear map of both | ``Caser.state`` |
| scores: an output table of its own, with a bias | ``base.item_scores`` |
| next T items as targets of one window (skip behaviours) | ``Caser.split`` |
| binary cross-entropy with sampled negatives | ``binary_cross_entropy`` |

Departures of ``default``, with the reason:

| paper / released code | here | why |
| --- | --- | --- |
| a vector of the user beside z | z alone | a history is all that is known of whoever asks |
| ReLU on z | none (``final_relu``) | z alone would score from half of the space |
| binary cross-entropy with 3 negatives a target | cross-entropy over all items (``loss``) | as for other models |
| code: those 3 for all T targets together | for each (``shared_negatives``) | the paper says so |
| T = 3 targets | 1 (``targets``) | the question at inference |
| L = 5 items in the image | 10, less one for each further target | all models have the same window |
| negatives that the user never had | that are not in the row's window | a row knows no more of its user |
| code: padding is an item that filters see | zero, no window of it alone (``trained_padding``) | it is no taste |
| code: padding is ranked among the items | never | only items can be recommended |
| tables normal with deviation 1 / D | 0.02 | the scale of all other models |
| a window of a sequence too short has padding among its targets | the real ones count | as above |
| an empty history does not occur | one learned item [start] | 15 % of Zhihu rows are empty |
| L2 penalty, dropout on the features alone | weight decay, also on the items (``input_dropout``) | small data |
| the next item is the target | on Zhihu also items from around it (``neighbour_target_rate``) | one of many as good |

RecBole's form is ``tied_output`` with ``final_relu`` (and one more layer, for the user): one table for the image and
the scores, of whose space half is then out of reach.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import torch
from torch import Generator, Tensor, nn
from torch.nn import functional as F

from demo_core.layers import Dropout, embedding_table, items_before, window, with_start
from demo_core.models.base import SequenceEncoder, next_item_loss, seeded
from demo_core.models.neighbour_targets import LearnsFromNeighbours, NeighbourTargetsConfig
from demo_core.sequences import PADDING, Batch

LOSSES = ("cross_entropy", "bce")


@dataclass(frozen=True, kw_only=True)
class CaserConfig(NeighbourTargetsConfig):
    """``horizontal_filters`` of each height and ``vertical_filters`` in all. ``dropout`` acts on what they found,
    ``input_dropout`` on the item embeddings.

    ``targets`` T >= 1: in training the newest T - 1 items of the history are targets beside the next one. The image has
    the L = ``max_length`` - T + 1 items before them. ``loss``: "cross_entropy" or "bce", which draws ``negatives`` for
    each target. ``neighbour_target_rate`` acts with "cross_entropy" alone.

    As released: ``final_relu`` on z; ``trained_padding``: padding is a trained row of the image; ``shared_negatives``:
    the targets of a window have ``negatives`` together. RecBole: ``tied_output``: one table for image and output.
    """

    horizontal_filters: int = 16
    vertical_filters: int = 4
    dropout: float = 0.4
    input_dropout: float = 0.0
    targets: int = 1
    loss: str = "cross_entropy"
    negatives: int = 3
    final_relu: bool = False
    trained_padding: bool = False
    shared_negatives: bool = False
    tied_output: bool = False

    @property
    def image_length(self) -> int:
        """L, the rows of the image."""
        return self.max_length - self.targets + 1


def horizontal_features(image: Tensor, seen: Tensor, filters: Iterable[nn.Module]) -> Tensor:
    """(B, L, D) -> (B, L n_h), not negative: what the n_h filters of height 1, ..., L, maps of ``height`` D numbers,
    find at most in a window.

    Windows count that touch a slot of ``seen`` (B, L): the others would say how large a filter's bias is. Padding
    stands on the left, so that a window touches a real slot when its newest one is real.
    """
    dim, flat, best = image.shape[2], image.flatten(1), []
    for height, found in enumerate(filters, start=1):
        windows = flat.unfold(1, height * dim, dim)  # (B, L - height + 1, height D)
        touches = seen[:, height - 1 :, None]
        best.append(found(windows).masked_fill(~touches, -torch.inf).amax(dim=1))
    return torch.cat(best, dim=1).relu()  # ReLU and maximum may change places


def vertical_features(image: Tensor, filters: nn.Linear) -> Tensor:
    """(B, L, D) -> (B, D n_v): sums of the rows, weighted by the n_v ``filters``, maps of L numbers; no activation."""
    found: Tensor = filters(image.transpose(1, 2))
    return found.flatten(1)


def binary_cross_entropy(target: Tensor, is_target: Tensor, negative: Tensor, is_negative: Tensor) -> Tensor:
    """Mean of -log sigmoid of the ``target`` scores (B, T) plus mean of -log(1 - sigmoid) of the ``negative`` scores
    (B, N), (). The masks of both, bool, say which of them count.
    """
    positive = (F.softplus(-target) * is_target).sum() / is_target.sum().clamp(min=1)
    return positive + (F.softplus(negative) * is_negative).sum() / is_negative.sum().clamp(min=1)


class Caser(LearnsFromNeighbours, SequenceEncoder):
    config: CaserConfig
    item_bias: nn.Parameter

    def __init__(self, config: CaserConfig) -> None:
        super().__init__(config)
        config.require_one_of("loss", LOSSES)
        length, dim = config.image_length, config.embedding_dim
        if not 1 <= length <= config.max_length:
            raise ValueError(f"targets: expected 1 to max_length = {config.max_length}, got {config.targets}.")
        rows = config.num_items + 2  # last row of the image's table: [start]
        self.item_embedding = embedding_table(rows, dim, trained_padding=config.trained_padding and config.tied_output)
        self.item_bias = nn.Parameter(torch.zeros(config.num_items + 1))
        self.image_embedding = (
            None if config.tied_output else embedding_table(rows, dim, trained_padding=config.trained_padding)
        )
        self.horizontal = nn.ModuleList(
            nn.Linear(height * dim, config.horizontal_filters) for height in range(1, length + 1)
        )
        self.vertical = nn.Linear(length, config.vertical_filters)
        self.fuse = nn.Linear(config.horizontal_filters * length + config.vertical_filters * dim, dim)
        self.dropout, self.input_dropout = Dropout(config.dropout), Dropout(config.input_dropout)

    def image(self, tokens: Tensor) -> Tensor:
        """(B, L) ids -> (B, L, D)."""
        table = self.item_embedding if self.image_embedding is None else self.image_embedding
        rows: Tensor = self.input_dropout(table(tokens))
        return rows if self.config.trained_padding else rows * (tokens != PADDING)[..., None]

    def state(self, tokens: Tensor) -> Tensor:
        """(B, L) ids, L = ``image_length`` -> z (B, D)."""
        image, seen = self.image(tokens), tokens != PADDING
        if self.config.trained_padding:
            seen = torch.ones_like(seen)
        found = [horizontal_features(image, seen, self.horizontal), vertical_features(image, self.vertical)]
        state: Tensor = self.fuse(self.dropout(torch.cat(found, dim=1)))
        return state.relu() if self.config.final_relu else state

    def tokens(self, history: Tensor) -> Tensor:
        """(B, any) ids -> the image's (B, L)."""
        return with_start(window(history, self.config.image_length), self.config.num_items + 1)

    def encode(self, history: Tensor) -> Tensor:
        return self.state(self.tokens(history))

    def masked_context(self, sequence: Tensor, position: Tensor) -> tuple[Tensor, Tensor]:
        """Only what stands before the position is read. Caser has one state a history: the mean runs over those of the
        histories that end at each slot.
        """
        tokens = self.tokens(items_before(sequence, position))
        length, mask = tokens.shape[1], tokens != PADDING
        histories = F.pad(tokens, (length - 1, 0), value=PADDING).unfold(1, length, 1)  # (B, L, L)
        states = self.state(histories.flatten(0, 1)).unflatten(0, mask.shape) * mask[..., None]
        return states[:, -1], states.sum(dim=1) / mask.sum(dim=1, keepdim=True)

    def split(self, batch: Batch) -> tuple[Tensor, Tensor]:
        """Training rows -> what is read (B, ``max_length`` - T + 1) and the T targets (B, T), padding where a history
        has fewer items.
        """
        sequence = torch.cat([window(batch.history, self.config.max_length), batch.target[:, None]], dim=1)
        return sequence[:, : -self.config.targets], sequence[:, -self.config.targets :]

    def loss(self, batch: Batch, generator: Generator | None = None) -> Tensor:
        history, targets = self.split(batch)
        state, real, drawing = self.encode(history), targets != PADDING, seeded(generator)
        if self.config.loss == "bce":
            drawn = self.draw_negatives(len(targets), drawing).to(targets.device)
            unknown = (drawn[:, :, None] != torch.cat([history, targets], dim=1)[:, None]).all(dim=2)
            return binary_cross_entropy(self.scores_of(state, targets), real, self.scores_of(state, drawn), unknown)
        each = state[:, None].expand(-1, targets.shape[1], -1)[real]
        wanted = self.training_target(targets[real], drawing)
        return next_item_loss(each, wanted, self.item_embedding, self.config.num_items, self.item_bias)

    def draw_negatives(self, rows: int, generator: Generator) -> Tensor:
        """(B, N) random ids: ``negatives`` for each target, or for all targets of a row together."""
        number = self.config.negatives * (1 if self.config.shared_negatives else self.config.targets)
        return torch.randint(1, self.config.num_items + 1, (rows, number), generator=generator)

    def scores_of(self, state: Tensor, items: Tensor) -> Tensor:
        """z (B, D) and ids (B, N) -> their scores (B, N)."""
        return torch.einsum("bd,bnd->bn", state, self.item_embedding(items)) + self.item_bias[items]
