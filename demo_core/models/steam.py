"""STEAM: "A Self-Correcting Sequential Recommender" (Lin, Wang, Chen, Ren, Xin, Yan, de Rijke, Cheng, Ren, WWW 2023,
arXiv 2303.02297).

A corrector decides whether an item of a history stays, goes, or lacks something before it, and what; it learns from
sequences that were broken at random. A recommender learns to guess hidden items of raw and of corrected sequences.

| part of the paper | function |
| --- | --- |
| random deletions and insertions, and what undoes them | ``sequence_edits.damage`` |
| item encoder, shared by all | ``STEAM.encoder`` |
| corrector: keep, delete or insert; L1 | ``STEAM.decide``, ``correction_loss`` |
| reverse generator: what is inserted, from an item backwards; L2 | ``generate``, ``insertion_loss`` |
| corrected sequence | ``STEAM.correct``, ``sequence_edits.mended`` |
| recommender: masked items of raw (L3) and corrected (L4) sequences | ``STEAM.states``, ``cloze_loss`` |
| L1 + L2 + L3 + L4 in one step | ``STEAM.loss`` |

In training a newest item is never removed and nothing is put behind it: the corrector has no example of a wrong one.
Six items in ten are broken, far more than real histories lack.

Departures of ``default``, with the reason:

| paper / released code | here | why |
| --- | --- | --- |
| generator at every position | where something is missing | the loss uses no other: same numbers, a tenth of the time |
| ``repeated_positions`` (code): decoding adds the positions again at each step | once | as it was trained |
| ``special_answers`` (code): end and [mask] are among the recommender's answers | the M items | only they exist |
| pieces of random start and length | first items of windows of L + 1 | all models have the same window |
| no hiding of the newest item alone | ``last_masked_share`` of the rows | inference asks that |
| each item is hidden with chance 0.5, maybe none | 0.2, at least one (``mask_rate``) | windows are short |
| items added before one: any number | up to three | one in ten thousand lacks a fourth |
| a sequence of which nothing is left: the end token | raw in training, [mask] alone at inference | one guess at least |
| post-norm blocks, 1 head, dropout 0.5 | pre-norm, 2 heads, dropout per data set (``presets.py``) | as in all models |
| positions count from the start | from the end | more padding changes nothing |
| a corrected sequence has L slots | L + 5 | room for what is inserted |
| clipped gradients, best epoch by six metrics together | neither; NDCG@20 | one training for what is compared |
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Generator, Tensor, nn
from torch.nn import functional as F

from demo_core.augment import choose_hidden, hide
from demo_core.datasets import Dataset
from demo_core.layers import CausalEncoder, EncoderLayer, attention_logits, embedding_table, items_before, window
from demo_core.models.base import Phase, RecommenderConfig, SequenceEncoder, item_scores, next_item_loss, seeded
from demo_core.models.diffrec import tiling_rows
from demo_core.models.sequence_edits import INSERT, MOST_INSERTED, Damaged, mended, random_damage, random_piece
from demo_core.sequences import PADDING, Batch
from demo_core.slots import Slots


@dataclass(frozen=True, kw_only=True)
class STEAMConfig(RecommenderConfig):
    """The shared encoder has ``layers`` blocks, generator and recommender one each, all of ``heads`` heads with
    ``dropout``; ``input_dropout`` acts on the embedded items.

    ``keep_rate`` and ``delete_rate``: what becomes of an item when a sequence is broken; with what is left of 1
    something is added before it. ``mask_rate``: chance that an item is hidden from the recommender in training;
    ``last_masked_share``: rows that hide the newest item alone. ``correct_at_inference``: lists come from the corrected
    history, else from the raw one.

    Of the released code: ``repeated_positions``: each step of decoding adds the positions once more to what was there.
    ``special_answers``: end and [mask] are among the recommender's answers in training; they are never recommended.
    """

    batch_size: int = 128
    max_epochs: int = 100
    layers: int = 1
    heads: int = 2
    dropout: float = 0.2
    input_dropout: float = 0.2
    keep_rate: float = 0.4
    delete_rate: float = 0.5
    mask_rate: float = 0.2
    last_masked_share: float = 0.5
    correct_at_inference: bool = True
    repeated_positions: bool = False
    special_answers: bool = False

    def __post_init__(self) -> None:
        keep, delete = self.keep_rate, self.delete_rate
        if min(keep, delete) < 0 or keep + delete > 1:
            raise ValueError(f"keep_rate, delete_rate: expected shares that sum to 1 at most, got {keep} and {delete}.")


class RecommenderBlock(nn.Module):
    """The recommender's own block behind the encoder's states (B, W, D), whose real slots are ``mask`` (B, W)."""

    def __init__(self, dim: int, heads: int, dropout: float) -> None:
        super().__init__()
        self.layer = EncoderLayer(dim, heads, dropout)
        self.norm = nn.LayerNorm(dim)

    def forward(self, x: Tensor, mask: Tensor, last_only: bool = False) -> Tensor:
        """(B, W, D), zero at padding, or (B, D) of the newest slot."""
        slots = Slots.of(mask)
        out = self.norm(self.layer(slots.pack(x), attention_logits(mask, x.dtype, causal=False), slots, last_only))
        return out if last_only else slots.pad(out) * mask[..., None]


class STEAM(SequenceEncoder):
    config: STEAMConfig

    def __init__(self, config: STEAMConfig) -> None:
        super().__init__(config)
        dim, heads, dropout = config.embedding_dim, config.heads, config.dropout
        self.end, self.mask_token = config.num_items + 1, config.num_items + 2
        self.corrected_length = config.max_length + MOST_INSERTED
        self.item_embedding = embedding_table(config.num_items + 3, dim)  # last rows: end, [mask]
        self.item_bias = None
        most = self.corrected_length + 1
        self.encoder = CausalEncoder(dim, most, config.layers, heads, dropout, config.input_dropout, causal=False)
        self.corrector = nn.Linear(dim, 3)
        self.generator = CausalEncoder(dim, MOST_INSERTED, 1, heads, dropout)
        self.recommender = RecommenderBlock(dim, heads, dropout)

    def phases(self) -> list[Phase]:
        return [Phase("train", self.loss, list(self.parameters()), rows=self._rows)]

    def _rows(self, dataset: Dataset) -> Tensor:
        """Rows whose windows of L + 1 items tile the sequences: no item is repeated for being in many prefixes."""
        return tiling_rows(dataset.train, self.config.max_length + 1)

    def loss(self, batch: Batch, generator: Generator | None = None) -> Tensor:
        """L1 + L2 + L3 + L4."""
        drawn = seeded(generator)
        whole = torch.cat([window(batch.history, self.config.max_length), batch.target[:, None]], dim=1)
        raw = random_piece(whole, drawn)
        broken = self.draw_damage(raw, drawn)
        corrected = self.corrected_as_it_is(raw)
        return self.correction_loss(broken) + self.cloze_loss(raw, drawn) + self.cloze_loss(corrected, drawn)

    def draw_damage(self, sequence: Tensor, generator: Generator) -> Damaged:
        """Breaks (B, S) sequences, S <= L + 1, at random."""
        config, length = self.config, self.corrected_length + 1
        rates = config.keep_rate, config.delete_rate
        return random_damage(sequence, config.num_items, *rates, self.end, length, generator)

    def encoded(self, tokens: Tensor) -> Tensor:
        """(B, W) ids, W <= L + 6 -> what corrector, generator and recommender read, (B, W, D)."""
        states: Tensor = self.encoder(self.item_embedding(tokens), tokens != PADDING)
        return states

    def correction_loss(self, broken: Damaged) -> Tensor:
        """L1 + L2, (): how badly corrector and generator know what would mend a sequence."""
        real = (broken.items != PADDING).flatten().nonzero().squeeze(1)
        states = self.encoded(broken.items).flatten(0, 1)
        decision = self.corrector(states.index_select(0, real))
        loss = F.cross_entropy(decision, broken.labels.flatten().index_select(0, real))
        lacking = (broken.labels == INSERT).flatten().nonzero().squeeze(1)
        if not len(lacking):
            return loss
        targets = broken.removed.flatten(0, 1).index_select(0, lacking)
        return loss + self.insertion_loss(states.index_select(0, lacking), targets)

    def insertion_loss(self, states: Tensor, targets: Tensor) -> Tensor:
        """L2, (): cross-entropy of ``targets`` (N, R), 0 where there is none, before items of ``states`` (N, D)."""
        asked = (targets != PADDING).flatten().nonzero().squeeze(1)
        answers = self.insertion_states(states, targets[:, :-1]).flatten(0, 1).index_select(0, asked)
        return next_item_loss(answers, targets.flatten().index_select(0, asked), self.item_embedding, self.end)

    def insertion_states(self, states: Tensor, inserted: Tensor, step: int | None = None) -> Tensor:
        """What guesses the 1st to R-th insertion, (N, R, D), from the item's state (N, D) and the ids ``inserted`` (N,
        R - 1) nearer to it. A guess depends on those before it alone. ``step``: which one is being decoded, by which
        ``repeated_positions`` counts.
        """
        x = torch.cat([states[:, None], self.item_embedding(inserted)], dim=1)
        if self.config.repeated_positions and step is not None:
            times = (step - torch.arange(MOST_INSERTED, device=x.device)).clamp(min=0)  # beyond the first
            x = x + times[:, None] * self.generator.position.flip(0)
        out: Tensor = self.generator(x, torch.ones(x.shape[:2], dtype=torch.bool, device=x.device))
        return out

    def generate(self, states: Tensor) -> Tensor:
        """Greedy decoding: (N, D) states of items -> what to insert before them, (N, R) ids, nearest first, then 0."""
        tokens = torch.zeros(len(states), MOST_INSERTED, dtype=torch.int64, device=states.device)
        open_ended = torch.ones(len(states), dtype=torch.bool, device=states.device)
        if not len(states):
            return tokens
        for step in range(MOST_INSERTED):
            answer = self.insertion_states(states, tokens[:, :-1], step)[:, step]
            best = item_scores(answer, self.item_embedding, self.end).argmax(dim=1)
            open_ended = open_ended & (best != self.end)
            tokens[:, step] = best.masked_fill(~open_ended, PADDING)
            if not bool(open_ended.any()):
                break
        return tokens

    def decide(self, history: Tensor) -> tuple[Tensor, Tensor]:
        """(B, W) ids -> KEEP, DELETE or INSERT of each slot, (B, W), without meaning at padding; and the states (B, W,
        D) that decided.
        """
        states = self.encoded(history)
        return self.corrector(states).argmax(dim=2), states

    def correct(self, history: Tensor) -> Tensor:
        """(B, W) ids, W <= L + 1 -> the corrected history (B, L + 5), padded on the left; all of it may be deleted."""
        decision, states = self.decide(history)
        lacking = ((decision == INSERT) & (history != PADDING)).flatten().nonzero().squeeze(1)
        found = self.generate(states.flatten(0, 1).index_select(0, lacking))
        insertions = found.new_zeros(history.numel(), MOST_INSERTED).index_copy(0, lacking, found)
        return mended(history, decision, insertions.unflatten(0, history.shape), self.corrected_length)

    @torch.no_grad()
    def corrected_as_it_is(self, sequence: Tensor) -> Tensor:
        """:meth:`correct` without dropout and gradient; a sequence of which nothing is left stays raw."""
        training = self.training
        corrected = self.eval().correct(sequence)
        self.train(training)
        gone = (corrected == PADDING).all(dim=1, keepdim=True)
        return torch.where(gone, window(sequence, self.corrected_length), corrected)

    def states(self, tokens: Tensor) -> Tensor:
        """(B, W) ids, [mask] among them -> the recommender's states of all slots (B, W, D), zero at padding."""
        out: Tensor = self.recommender(self.encoded(tokens), tokens != PADDING)
        return out

    def cloze_loss(self, sequence: Tensor, generator: Generator) -> Tensor:
        """L3 or L4, (): cross-entropy of hidden items of (B, W) sequences."""
        config = self.config
        hidden = choose_hidden(sequence, config.mask_rate, config.last_masked_share, generator)
        states = self.states(hide(sequence, hidden, self.mask_token, generator, 0.0, 0.0)).flatten(0, 1)
        at = hidden.flatten().nonzero().squeeze(1)
        answers = self.mask_token if config.special_answers else config.num_items
        asked = sequence.flatten().index_select(0, at)
        return next_item_loss(states.index_select(0, at), asked, self.item_embedding, answers)

    def encode(self, history: Tensor) -> Tensor:
        read = window(history, self.config.max_length)
        if self.config.correct_at_inference:
            read = self.correct(read)
        tokens = torch.cat([read, torch.full_like(read[:, :1], self.mask_token)], dim=1)
        out: Tensor = self.recommender(self.encoded(tokens), tokens != PADDING, last_only=True)
        return out

    def masked_context(self, sequence: Tensor, position: Tensor) -> tuple[Tensor, Tensor]:
        """Both sides of the hidden slot are read, uncorrected; the mean includes the state of [mask] itself."""
        length = self.corrected_length + 1
        shown = sequence.scatter(1, position[:, None], self.mask_token)
        end = (position + length).clamp(max=sequence.shape[1])
        tokens = window(items_before(shown, end), length)
        states = self.states(tokens)
        count = (tokens != PADDING).sum(dim=1, keepdim=True)
        at = length - (end - position)
        return states[torch.arange(len(states), device=states.device), at], states.sum(dim=1) / count
