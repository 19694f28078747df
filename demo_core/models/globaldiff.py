"""GlobalDiff: "Enhancing Sequential Recommendation with Global Diffusion" (Luo, Li, Lin, AAAI 2025).

The idea: a frozen sequential backbone sees one history; a diffusion model on top of it learns to restore, for a masked
item, the 0/1 vector of items that are globally like it. Both rank the items, a Borda vote fuses them.

| equation | function |
| --- | --- |
| Step 1, item-item cosine A | ``item_similarity`` |
| Eq. 2, 3: row of A, raised near the mask | ``position_adjusted``, ``draw_ones`` |
| Eq. 5, 6: reverse process | ``Chain`` (in the hidden dimension, where that is exact) |
| Eq. 7: loss | ``objectives.squared_error`` and its other readings |
| Eq. 8: Borda vote | ``borda_fusion`` |

The departures from paper and released code, and why: the table in ``globaldiff_config``.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Generator, Tensor, nn

from demo_core.datasets import Dataset
from demo_core.diffusion import NoiseSchedule
from demo_core.layers import window
from demo_core.models.approximator import create_approximator
from demo_core.models.backbones import create_backbone, read_untrained_mask
from demo_core.models.base import Controls, Phase, Validation, on_device, seeded
from demo_core.models.borda_vote import BordaVote
from demo_core.models.global_structure import GlobalStructure, Ones, draw_ones, item_similarity, position_adjusted
from demo_core.models.globaldiff_config import PAPER, RELEASED, GlobalDiffConfig
from demo_core.models.item_clusters import global_structure
from demo_core.models.masking import MaskedRows, altered, mask_one_item
from demo_core.models.objectives import Restoration, row_losses
from demo_core.models.restoration import Chain, noise_rates, noised_input, reverse_steps, start_state
from demo_core.models.sasrec import SASRec
from demo_core.models.step_sampling import ImportanceSteps, UniformSteps
from demo_core.models.voting import Ballot, borda_fusion
from demo_core.sequences import PADDING, Batch

__all__ = [
    "PAPER",
    "RELEASED",
    "GlobalDiff",
    "GlobalDiffConfig",
    "borda_fusion",
    "item_similarity",
    "position_adjusted",
]


class GlobalDiff(BordaVote):
    config: GlobalDiffConfig
    mask_embedding: Tensor  # (D,) only with ``untrained_mask``
    epochs: Tensor  # () of the diffusion phase so far, only with ``train_mode_epochs``

    def __init__(self, config: GlobalDiffConfig) -> None:
        super().__init__(config)
        config.require_known_choices()
        self.backbone = create_backbone(config)
        self.approximator = create_approximator(config)
        self.logit_scale = nn.Parameter(torch.tensor(config.logit_scale))
        self.noise_schedule = NoiseSchedule(noise_rates(config))
        sampler = ImportanceSteps if config.step_sampling == "importance" else UniformSteps
        self.step_sampler = sampler(config.diffusion_steps)
        if config.untrained_mask:
            self.register_buffer("mask_embedding", torch.randn(config.embedding_dim) * 0.02)
        if config.train_mode_epochs is not None:
            self.register_buffer("epochs", torch.tensor(0))
        # Only there while training. Not a buffer: every process makes its own, and none needs to be sent or saved.
        self.structure: GlobalStructure | None = None

    def phases(self) -> list[Phase]:
        config = self.config
        own = list(self.approximator.parameters())
        own += [self.logit_scale] if config.objective == "multinomial+error" else []
        below = list(self.backbone.parameters())
        return [
            Phase("backbone", self.backbone.loss, below, self._trust_backbone, config=config.backbone_config()),
            Phase("diffusion", self.loss, own, self._count, self._begin_epoch, rows=self._rows),
            Phase("vote", None, [], self.choose_shares),
        ]

    def loss(self, batch: Batch, generator: Generator | None = None) -> Tensor:
        """How badly the 0/1 vector of a masked item is restored from a random step, by the chosen objective."""
        generator, config = seeded(generator), self.config
        history = window(batch.history, config.max_length)
        masked = mask_one_item(history, batch.target, generator, config.newest_masked_share)
        ones = self._draw(masked, generator)
        time, weight = self.step_sampler.draw(len(history), generator)
        time = time.to(history.device)
        context = self._training_context(masked, generator)
        seen = torch.rand(len(history), 1, generator=generator) >= config.noisy_input_dropout
        large = on_device(generator, history.device)
        net = self.approximator
        inward = noised_input(net, self.noise_schedule, ones, time, config.network_input, large)
        restored = net.outward(net.hidden(seen.to(inward) * inward, time, context))
        given = Restoration(restored, ones, masked.item, self.logit_scale, config.rank_padding)
        losses = row_losses(given, config.objective, config.error_weight)
        if self.training:
            self.step_sampler.record(time, losses)
        return (losses * weight.to(losses)).mean()

    def context(self, history: Tensor) -> tuple[Tensor, Tensor]:
        """The frozen backbone on (B, L) ids, run once: next-item log scores (B, M + 1), and what guides the diffusion,
        c = [state of the next item ; mean state] (B, 2D) or what ``guidance`` leaves of it.
        """
        next_slot = torch.zeros_like(history[:, :1])
        position = torch.full_like(history[:, 0], history.shape[1])
        state, guidance = self._read(torch.cat([history, next_slot], dim=1), position, training=False)
        with torch.no_grad():
            return self.backbone.rank(state), guidance

    def restore(
        self,
        start: Tensor,
        context: Tensor,
        steps: int,
        generator: Generator | None = None,
        watch: Callable[[Tensor], None] | None = None,
    ) -> Tensor:
        """Reverse process (Eq. 5, 6) from x_T = ``start`` (B, M + 1): the restored vector x_0 (B, M + 1). ``watch`` is
        shown the estimate of every step.
        """
        walk = reverse_steps(self.noise_schedule, steps, self.config.reverse)
        chain = Chain(self.approximator, context, walk, self._drawing(start, generator))
        kind = self.config.network_input
        return chain.in_hidden_dimension(start, watch) if kind == "x_t" else chain.over_items(start, kind, watch)

    def ballot(
        self,
        history: Tensor,
        controls: Controls,
        generator: Generator | None,
        both: bool,
        watch: Callable[[Tensor], None] | None = None,
    ) -> Ballot:
        config, generator = self.config, seeded(generator)
        scores, context = self.context(history)
        if config.rank_padding:
            scores[:, PADDING] = 0.0  # the padding row of every backbone is zero
        votes = self.votes(history) if both else None
        restored = torch.zeros_like(scores)
        if both:
            asked = config.inference_steps if controls.steps is None else controls.steps
            steps = min(asked, config.diffusion_steps)
            start = start_state(config, self.noise_schedule, scores, votes, self._drawing(scores, generator))
            if watch is not None:
                watch(start)
            restored = self.restore(start, context, steps, generator, watch)
        return Ballot(scores, restored, self.logit_scale, votes)

    def embedding(self) -> Tensor:
        """The backbone's."""
        return self.backbone.embedding()

    @torch.no_grad()
    def _read(self, sequence: Tensor, position: Tensor, training: bool) -> tuple[Tensor, Tensor]:
        self.backbone.train(training)
        if self.config.untrained_mask:
            assert isinstance(self.backbone, SASRec)
            state, mean = read_untrained_mask(self.backbone, sequence, position, self.mask_embedding)
        else:
            state, mean = self.backbone.masked_context(sequence, position)
        parts = {"both": (state, mean), "state": (state,), "none": (state[:, :0],)}[self.config.guidance]
        return state, torch.cat(parts, dim=1)

    def _draw(self, masked: MaskedRows, generator: Generator) -> Ones:
        config = self.config
        if self.structure is None:
            raise RuntimeError('GlobalDiff: the "diffusion" phase has to be prepared before its loss can be computed.')
        equation = (config.zeta, config.delta, config.position_adjustment)
        sample = (self.structure, masked.sequence, masked.position, config.num_items + 1)
        return draw_ones(*sample, generator, *equation)

    def _training_context(self, masked: MaskedRows, generator: Generator) -> Tensor:
        config, sequence, in_training = self.config, masked.sequence, False
        if config.extra_mask_rate:
            sequence = altered(masked, config.extra_mask_rate, config.num_items + 1, generator)
        if config.train_mode_epochs is not None and self.training:
            in_training = int(self.epochs) <= config.train_mode_epochs
            self.approximator.train(in_training)
        return self._read(sequence, masked.position, in_training)[1]

    def _drawing(self, like: Tensor, generator: Generator | None) -> Callable[[], Tensor]:
        source = seeded(generator)
        return lambda: torch.randn(1, like.shape[1], generator=source).to(like)

    def _trust_backbone(self, dataset: Dataset, validate: Validation) -> None:
        """While the backbone trains, its own list is what validation sees."""
        self.gamma.fill_(1.0)
        prepare = self.backbone.phases()[0].prepare
        if prepare is not None:
            prepare(dataset, validate)

    def _count(self, dataset: Dataset, validate: Validation) -> None:
        config = self.config
        self.structure = global_structure(dataset.train.sequences(), config).to(self.gamma.device)
        if self.voter is not None:
            self.voter.count(dataset)
            self.vote_share.fill_(config.vote_share or 0.0)
        fixed = 0.5 if config.gamma is None else config.gamma
        self.gamma.fill_(0.0 if config.selection_voter == "global" else fixed)

    def _begin_epoch(self, dataset: Dataset, generator: Generator) -> None:
        if self.config.train_mode_epochs is not None:
            self.epochs += 1

    def _rows(self, dataset: Dataset) -> Tensor:
        rows = torch.arange(len(dataset.train))
        if self.config.mask_window == "last":
            rows = rows[dataset.train.is_last]
        return rows.repeat(self.config.masks_per_sequence)
