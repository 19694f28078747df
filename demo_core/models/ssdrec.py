"""SSDRec: "SSDRec: Self-Augmented Sequence Denoising for Sequential Recommendation" (Zhang et al., ICDE 2024, arXiv
2403.04278).

Three stages in front of a SASRec: items hear of the items that follow, precede and avoid them in all of the training
data; in training, two items are inserted around the one that fits its history least; what two levels of denoising both
call noise is taken out, for good, and the rest is read.

| stage, equation | function |
| --- | --- |
| 1: relation graphs of the items, and their layer | ``item_relations.py``, ``SSDRec.table`` |
| 2: inconsistency of a slot, by the sequence and by the other items | ``self_augmentation.py``: ``inconsistency`` |
| 2: which slot, which items left and right of it | ``choose_slot``, ``choose_item``, ``row_edits.insert_around`` |
| 3: a false insertion is taken back | ``SelfAugmentation.forward`` |
| 3: sequence level (reconstruction) and item level (attention), hard decisions | ``noise_logits``, ``denoise`` |
| loss with curriculum: rows that cannot be reconstructed come last | ``SSDRec.loss`` |

Departures of ``default``, with the reason:

| paper / released code | here | why |
| --- | --- | --- |
| user graphs, table and BPR loss | a user is the mean of the history, in training the lengthened one | no users here |
| graphs from test inputs (code) | from training sequences, within the window | nothing of a test may be known |
| neighbours: all that were seen more than 10 times | the 20 strongest, seen more than once | smaller data; bundles |
| an item's relations take its place | are added to it, from zero on | else all items are alike at first |
| sigmoid in the last map of stage 1 | less its mean over all items | what they share would grow till they look alike |
| decisions scale the vectors that are left | weigh them in attention | LayerNorm: a scale says little |
| slot scores in (0, 1): the noise decides (code) | logs; ``random_insertion`` | the least fitting one is wanted |
| temperature of the gradient alone | of slots and noise, too: they end near the best | inference takes the best |
| any item is inserted | one that was trained | nothing taught the others where they belong |
| scores in (0, 1) as logits (code) | plain logits; ``sigmoid_logits`` | 7 to 53 % of the items go otherwise |
| the target says what is noise in its history (code) | never; ``target_leak`` | it is not there at inference |
| noise at inference (code) | a threshold; ``noise_at_inference`` | one history, one list |
| the recommender reads plain items (code) | enriched ones; ``plain_survivors`` | that is what stage 1 is for |
| lengthened rows lose the two newest items (code) | nothing; ``raw_row_mask`` | those say most |
| the newest item may be an inserted one (``behind_newest``) | it stays the newest | it asks the question |
| full windows are not augmented | two slots more for all | a window of 10 is full in most data |
| LSTMs; a map over positions with BatchNorm | GRUs; a map of each slot | any length, the same in any batch |
| Gumbel noise | one uniform draw a choice | the same chances |
| items learn to be reconstructed | to reconstruct others alone | small ones would be the easiest |
| a row may lose everything | else the newest item stays; the keep logit begins at 1 | something has to be read |
| the next item is the target | on Zhihu also items from around it (``neighbour_target_rate``) | one of many as good |
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Generator, Tensor, nn
from torch.nn import functional as F

from demo_core.datasets import Dataset
from demo_core.layers import CausalEncoder, embedding_table, items_before, window, with_start
from demo_core.models.base import Controls, Phase, SequenceEncoder, Validation, next_item_loss, seeded
from demo_core.models.item_relations import ItemRelations
from demo_core.models.neighbour_targets import LearnsFromNeighbours, NeighbourTargetsConfig
from demo_core.models.row_edits import BothWays, Row, closing_order, keep, newest_if_none, straight_through
from demo_core.models.self_augmentation import SelfAugmentation
from demo_core.sequences import Batch


@dataclass(frozen=True, kw_only=True)
class SSDRecConfig(NeighbourTargetsConfig):
    """``layers`` Transformer layers of ``heads`` heads with ``dropout``; ``input_dropout`` acts on what they read.

    ``neighbours`` of each kind an item hears of, among pairs seen ``more_than`` times; the ``popular_share`` of the
    items may be incompatible. ``insertion``: rows are lengthened in training. ``temperature`` of the choices goes to
    ``last_temperature``, and the share of each batch left out, ``left_out``, to 0, within ``curriculum_epochs``.
    ``reconstruction_weight`` of that loss.

    As released: ``random_insertion``: padding is a slot like others, and scores between 0.9 and 1 are drowned in noise.
    ``raw_row_mask``: a lengthened row loses its two newest items. ``behind_newest``: an item may be inserted behind the
    newest one, which may be taken back. ``sigmoid_logits``: each level calls an item noise with a chance of 27 to 73 %.
    ``target_leak``: in training the item level asks the target, at inference the history. ``noise_at_inference``:
    decisions are drawn, the same draw for all rows. ``plain_survivors``: the recommender reads the items without their
    relations, so that these decide on noise alone.
    """

    layers: int = 2
    heads: int = 2
    dropout: float = 0.2
    input_dropout: float = 0.2
    neighbours: int = 20
    more_than: int = 1
    popular_share: float = 0.2
    insertion: bool = True
    temperature: float = 1.0
    last_temperature: float = 0.1
    left_out: float = 0.2
    curriculum_epochs: int = 10
    reconstruction_weight: float = 1.0
    random_insertion: bool = False
    raw_row_mask: bool = False
    behind_newest: bool = False
    sigmoid_logits: bool = False
    target_leak: bool = False
    noise_at_inference: bool = False
    plain_survivors: bool = False


class SSDRec(LearnsFromNeighbours, SequenceEncoder):
    config: SSDRecConfig
    epoch: Tensor  # () int64, epochs of training begun
    known: Tensor  # (M,) bool: the training rows ask for it

    def __init__(self, config: SSDRecConfig) -> None:
        super().__init__(config)
        if not 0 < config.last_temperature <= config.temperature or not 0 <= config.left_out < 1:
            raise ValueError(
                "Expected 0 < last_temperature <= temperature and left_out in [0, 1), got "
                f"{config.last_temperature}, {config.temperature} and {config.left_out}."
            )
        dim, tokens = config.embedding_dim, config.num_items + 2
        self.item_embedding = embedding_table(tokens, dim)  # last row: [start]
        self.item_bias = nn.Parameter(torch.zeros(config.num_items + 1))
        self.relations = ItemRelations(tokens, dim, config.neighbours)
        self.augment = SelfAugmentation(dim, config.random_insertion, config.raw_row_mask, config.behind_newest)
        self.rebuilder = BothWays(dim)
        self.rebuilt = nn.Linear(2 * dim, dim)
        self.sequence_level, self.item_level = nn.Linear(2 * dim, 2), nn.Linear(2 * dim, 2)
        for level in (self.sequence_level, self.item_level):
            level.bias.detach().copy_(torch.tensor([0.0, 1.0]))  # noise, keep
        self.encoder = CausalEncoder(
            dim, config.max_length + 2, config.layers, config.heads, config.dropout, config.input_dropout
        )
        self.register_buffer("epoch", torch.tensor(0))
        self.register_buffer("known", torch.ones(config.num_items, dtype=torch.bool), persistent=False)

    def phases(self) -> list[Phase]:
        return [Phase("train", self.loss, list(self.parameters()), self.prepare, self.begin_epoch)]

    def prepare(self, dataset: Dataset, validate: Validation) -> None:
        config = self.config
        self.find_neighbours(dataset, validate)
        popularity = dataset.train.target_counts(config.num_items)
        self.known = (popularity[1:] > 0).to(self.known.device)
        sequences = dataset.train.sequences()
        self.relations.fill(sequences, popularity, config.max_length, config.more_than, config.popular_share)

    def begin_epoch(self, dataset: Dataset, generator: Generator) -> None:
        self.epoch += 1

    def curriculum(self) -> tuple[float, float]:
        """Temperature, and share of a batch that is left out, in this epoch."""
        config = self.config
        done = min(max(int(self.epoch) - 1, 0) / max(config.curriculum_epochs, 1), 1.0)
        return config.temperature * (config.last_temperature / config.temperature) ** done, config.left_out * (1 - done)

    def table(self) -> Tensor:
        """Stage 1: all items with what their relations tell, (M + 2, D)."""
        enriched: Tensor = self.relations(self.item_embedding.weight)
        return enriched

    def row(self, history: Tensor, table: Tensor) -> Row:
        tokens = with_start(window(history, self.config.max_length), self.config.num_items + 1)
        return Row(tokens, F.embedding(tokens, table))

    def noise_logits(self, row: Row, asked: Tensor) -> tuple[Tensor, Tensor]:
        """Stage 3: logits for noise and keep of both levels, (2, B, L, 2), and how badly each row is reconstructed,
        (B,). ``asked`` (B, D): whose history it is.
        """
        items, mask, rebuilt = row.items, row.mask, row.items
        for _ in range(2):
            rebuilt = self.rebuilt(torch.cat(self.rebuilder(rebuilt, mask), dim=2))
        error = (rebuilt - items.detach()).square().sum(dim=2)
        attention = (items @ asked[..., None]).squeeze(2) / math.sqrt(items.shape[2])
        weight = attention.masked_fill(~mask, -torch.inf).softmax(dim=1)
        readout = (weight[:, None] @ items).expand_as(items)
        levels = [
            self.sequence_level(torch.cat([rebuilt, items], dim=2)),
            self.item_level(torch.cat([readout * items, items], dim=2)),
        ]
        return torch.stack(levels), (error * mask).sum(dim=1) / mask.sum(dim=1)

    def noise_chance(self, logits: Tensor) -> Tensor:
        """(2, B, L, 2) logits -> the chance with which each level calls a slot noise, (2, B, L)."""
        if self.config.sigmoid_logits:
            return logits.sigmoid().softmax(dim=3)[..., 0]
        return (logits / self.curriculum()[0]).softmax(dim=3)[..., 0]

    def denoise(self, row: Row, asked: Tensor, draw: Tensor | None) -> tuple[Row, Tensor, Tensor]:
        """Stage 3: what is left of (B, L), moved to the right end, its weights in attention (B, L), all of them 1 but
        with the gradient of the decisions, and the error of reconstruction (B,). ``draw`` (2, B or 1, L) decides;
        ``None``: what is more likely than not.
        """
        logits, error = self.noise_logits(row, asked)
        chance = self.noise_chance(logits)
        called = chance > 0.5 if draw is None else draw.to(chance) < chance
        noise = straight_through(called.to(chance), chance).prod(dim=0)
        stays = straight_through(torch.ones_like(noise), -noise)
        items = self.item_embedding(row.tokens) if self.config.plain_survivors else row.items
        kept = newest_if_none(~called.all(dim=0), row.mask)
        return keep(Row(row.tokens, items), kept), stays.gather(1, closing_order(kept)), error

    def survivors(self, history: Tensor, generator: Generator | None = None) -> Row:
        """What of (B, any) ids is read at inference, (B, L)."""
        row = self.row(history, self.table())
        draw = None
        if self.config.noise_at_inference:
            shape = (2, 1, row.tokens.shape[1])
            draw = torch.rand(shape, generator=seeded(generator)).to(history.device)
        return self.denoise(row, row.mean(), draw)[0]

    def keep_probability(self, history: Tensor) -> Tensor:
        """(B, any) ids -> the chance of each slot of the window not to be called noise by both levels; 0 at padding."""
        row = self.row(history, self.table())
        return (1 - self.noise_chance(self.noise_logits(row, row.mean())[0]).prod(dim=0)) * row.mask

    def encode(self, history: Tensor, generator: Generator | None = None) -> Tensor:
        row = self.survivors(history, generator)
        return self.encoder(row.items, row.mask, last_only=True)

    def score(self, history: Tensor, generator: Generator | None = None, controls: Controls | None = None) -> Tensor:
        return self.rank(self.encode(history, generator))

    def masked_context(self, sequence: Tensor, position: Tensor) -> tuple[Tensor, Tensor]:
        """Only what stands before the position is read, and of that only what is left."""
        row = self.survivors(items_before(sequence, position))
        states = self.encoder(row.items, row.mask)
        return states[:, -1], states.sum(dim=1) / row.mask.sum(dim=1, keepdim=True)

    def loss(self, batch: Batch, generator: Generator | None = None) -> Tensor:
        """Cross-entropy and reconstruction of the rows of the batch that are not left out."""
        config, drawn, table = self.config, seeded(generator), self.table()
        row = self.row(batch.history, table)
        asked = F.embedding(batch.target, table) if config.target_leak else None
        if config.insertion:
            row = self.augment(row, table, self.known, self.curriculum()[0], drawn)
        draw = torch.rand(2, *row.tokens.shape, generator=drawn).to(row.tokens.device)
        row, weight, error = self.denoise(row, row.mean() if asked is None else asked, draw)
        state = self.encoder(row.items, row.mask, weight, last_only=True)
        target = self.training_target(batch.target, drawn)
        learnt = error.argsort()[: max(1, len(error) - int(self.curriculum()[1] * len(error)))]
        ranked = next_item_loss(state[learnt], target[learnt], self.item_embedding, config.num_items, self.item_bias)
        return ranked + config.reconstruction_weight * error[learnt].mean()
