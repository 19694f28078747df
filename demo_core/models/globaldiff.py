"""GlobalDiff: "Enhancing Sequential Recommendation with Global Diffusion" (Luo, Li, Lin, AAAI 2025).

The idea: a frozen sequential backbone sees one history; a diffusion model on top of it learns to restore, for a masked
item, the 0/1 vector of items that are globally like it. Both rank the items, a Borda vote fuses them.

| equation | function |
| --- | --- |
| Step 1, item-item cosine A | ``item_similarity`` |
| Eq. 2, 3: row of A, raised near the mask | ``position_adjusted`` |
| Eq. 5, 6: reverse process | ``GlobalDiff.restore`` (in the hidden dimension) |
| Eq. 8: Borda vote | ``borda_fusion`` |

Departures of ``default``, with the reason:

| # | paper / released code | here | why |
| --- | --- | --- | --- |
| 1 | A from all history / last 10 items | ``similarity_window`` (10) | a dozen ones can be learned, hundreds cannot |
| 2 | items without support: 0/0 / zero diagonal | diagonal 1 | every item is like itself |
| 3 | several masks / one in the last 10 | one, anywhere in history or its newest item | all history teaches |
| 4 | x_t as input / its sign, by a slip | x_t, left out of half of the rows | a network that sees x_t copies it |
| 5 | a U-Net on a shuffled vector | residual MLP with linear ends | no image here, and the chain becomes exact in H |
| 6 | squared error / cross-entropy of the item | multinomial cross-entropy + error | error alone learns the mean |
| 7 | softmax y as x_T / raw logits | y scaled to maximum 1 | the range of a 0/1 vector |
| 8 | reverse mean (Eq. 6) / with noise | DDIM without noise, 2 of 20 steps | the same answer each time, and cheap |
| 9 | backbone in every step | once | its answer does not depend on t |
| 10 | "normalise" / softmax or L2 | softmax | both voters are distributions |
| 11 | gamma 0.5 | chosen on validation, 1 (backbone alone) included | fusion must not hurt |
| 12 | SASRec read at a mask it never learned | at the newest item | the state that predicts the mask |
| 13 | window items at -9999 before the vote | seen items leave after it, by protocol | -9999 distorts the norm |
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Generator, Tensor, nn
from torch.nn import functional as F

from demo_core.datasets import Dataset
from demo_core.diffusion import NoiseSchedule, cosine_betas, linear_variance_betas
from demo_core.layers import window
from demo_core.models.approximator import Approximator
from demo_core.models.base import Controls, Phase, Recommender, RecommenderConfig, VoteExplanation, mask_padding, seeded
from demo_core.models.global_structure import item_similarity, mask_one_item, position_adjusted
from demo_core.models.sasrec import SASRec, SASRecConfig
from demo_core.sequences import Batch


@dataclass(frozen=True, kw_only=True)
class GlobalDiffConfig(RecommenderConfig):
    """``backbone_*``: the SASRec underneath. ``similarity_window``: newest training items per sequence that make A
    (``None``: all). ``zeta``, ``delta``: Eq. 3. ``noisy_input_dropout``: share of training rows that do not see x_t.
    ``newest_masked_share``: of training rows whose newest item is masked rather than a random one.
    ``schedule``: "linear-variance" (``noise_scale`` times 0.05 to 0.5) or "cosine". ``logit_scale``: start value of the
    learned scale from the restored 0/1 vector to log probabilities. ``error_weight`` weighs the squared error.
    """

    hidden_dim: int = 128
    blocks: int = 2
    dropout: float = 0.1
    schedule: str = "linear-variance"
    noise_scale: float = 1.0
    diffusion_steps: int = 20
    inference_steps: int = 2
    similarity_window: int | None = 10
    zeta: float = 1.5
    delta: float = 1.0
    noisy_input_dropout: float = 0.5
    newest_masked_share: float = 0.0
    logit_scale: float = 10.0
    error_weight: float = 0.1
    backbone_layers: int = 2
    backbone_heads: int = 2
    backbone_dropout: float = 0.2
    backbone_input_dropout: float = 0.2
    backbone_learning_rate: float = 1e-3
    backbone_epochs: int = 20
    backbone_rows_per_epoch: int | None = None

    def backbone(self) -> SASRecConfig:
        return SASRecConfig(
            num_items=self.num_items,
            max_length=self.max_length,
            embedding_dim=self.embedding_dim,
            layers=self.backbone_layers,
            heads=self.backbone_heads,
            dropout=self.backbone_dropout,
            input_dropout=self.backbone_input_dropout,
            learning_rate=self.backbone_learning_rate,
            max_epochs=self.backbone_epochs,
            rows_per_epoch=self.backbone_rows_per_epoch,
        )


def borda_fusion(personal: Tensor, global_: Tensor, gamma: float | Tensor) -> Tensor:
    """Borda vote (Eq. 8): gamma r(y) y + (1 - gamma) r(x) x over the last axis, where the best of N has rank N.

    ``personal`` y and ``global_`` x (..., N) are non-negative (distributions). Equal values: the smaller index ranks
    better.
    """
    return gamma * _borda_points(personal) * personal + (1 - gamma) * _borda_points(global_) * global_


def _borda_points(values: Tensor) -> Tensor:
    order = values.argsort(dim=-1, descending=True, stable=True)
    number = values.shape[-1]
    points = torch.arange(number, 0, -1, device=values.device, dtype=values.dtype)
    return torch.empty_like(values).scatter_(-1, order, points.expand_as(values))


class GlobalDiff(Recommender):
    config: GlobalDiffConfig
    gamma: Tensor  # () share of the personal voter
    similarity: Tensor  # (M + 1, M + 1), only there while training: rebuilt from the data, never saved

    def __init__(self, config: GlobalDiffConfig) -> None:
        super().__init__(config)
        self.backbone = SASRec(config.backbone())
        self.approximator = Approximator(
            config.num_items + 1, 2 * config.embedding_dim, config.hidden_dim, config.blocks, config.dropout
        )
        self.logit_scale = nn.Parameter(torch.tensor(config.logit_scale))
        self.noise_schedule = NoiseSchedule(_betas(config))
        self.register_buffer("gamma", torch.tensor(0.5))
        # Not a buffer: every process of a parallel training makes its own, and none needs to be sent.
        self.similarity = torch.empty(0)

    def phases(self) -> list[Phase]:
        own = [*self.approximator.parameters(), self.logit_scale]
        return [
            Phase(
                "backbone",
                self.backbone.loss,
                list(self.backbone.parameters()),
                prepare=self._trust_backbone,
                config=self.config.backbone(),
            ),
            Phase("diffusion", self.loss, own, prepare=self._count),
            Phase("vote", None, [], prepare=self._choose_gamma),
        ]

    def loss(self, batch: Batch, generator: Generator | None = None) -> Tensor:
        """Multinomial cross-entropy and squared error of the restored 0/1 vector, at a random step."""
        generator = seeded(generator)
        masked = mask_one_item(
            window(batch.history, self.config.max_length), batch.target, generator, self.config.newest_masked_share
        )
        likely = position_adjusted(
            self.similarity[masked.item], masked.sequence, masked.position, self.config.zeta, self.config.delta
        )
        clean = (_rand(likely.shape, generator, likely.device) < likely).to(likely.dtype)
        restored = self._denoise_training(clean, self.context(masked.prefix)[1], generator)
        logits = mask_padding(self.logit_scale * restored)
        share = clean / clean.sum(dim=1, keepdim=True).clamp(min=1)
        ranking = -(share[:, 1:] * logits.log_softmax(dim=1)[:, 1:]).sum(dim=1).mean()
        return ranking + self.config.error_weight * (restored - clean).square().sum(dim=1).mean()

    @torch.no_grad()
    def context(self, history: Tensor) -> tuple[Tensor, Tensor]:
        """The frozen backbone, run once: next-item log scores (B, M + 1) and c = [newest state ; mean state] (B,
        2D).
        """
        self.backbone.eval()  # dropout stays off while the rest trains
        states, mask = self.backbone.states(history)
        newest = states[:, -1]
        mean = (states * mask[..., None]).sum(dim=1) / mask.sum(dim=1, keepdim=True)
        return self.backbone.rank(newest), torch.cat([newest, mean], dim=1)

    def restore(self, start: Tensor, context: Tensor, steps: int) -> Tensor:
        """Reverse process (Eq. 5, 6) from x_T = ``start`` (B, M + 1): the restored vector x_0 (B, M + 1).

        Deterministic DDIM steps, run on u = W_in x: W_in x_0 = (W_in W_out) h + W_in b needs H x H, not M x H, numbers.
        Exact, because both ends of the approximator are linear.
        """
        net = self.approximator
        u = start @ net.inward.weight.T
        matrix, offset = net.inward.weight @ net.outward.weight, net.inward.weight @ net.outward.bias
        times = self.noise_schedule.spaced_times(steps)
        h = u
        for time, earlier in zip(times, [*times[1:], -1], strict=True):
            h = net.hidden(u, torch.full((1,), time, device=u.device), context)
            of_clean, of_state = self.noise_schedule.ddim_coefficients(time, earlier)
            u = of_clean * (h @ matrix.T + offset) + of_state * u
        return net.outward(h)

    def vote(self, history: Tensor, controls: Controls | None = None) -> VoteExplanation:
        """Both voters and their fusion for (B, L) histories."""
        asked = (controls or Controls()).steps
        steps = self.config.inference_steps if asked is None else asked
        scores, context = self.context(window(history, self.config.max_length))
        personal = scores.softmax(dim=1)
        start = personal / personal.amax(dim=1, keepdim=True)
        restored = mask_padding(self.logit_scale * self.restore(start, context, steps))
        global_ = restored.softmax(dim=1)
        fused = F.pad(borda_fusion(personal[:, 1:], global_[:, 1:], self.gamma), (1, 0), value=-torch.inf)
        return VoteExplanation(personal, global_, fused, float(self.gamma))

    def score(self, history: Tensor, generator: Generator | None = None, controls: Controls | None = None) -> Tensor:
        return self.vote(history, controls).fused

    @torch.inference_mode()
    def explain(self, history: Tensor, controls: Controls | None = None) -> VoteExplanation:
        return self.vote(history, controls)

    def _denoise_training(self, clean: Tensor, context: Tensor, generator: Generator) -> Tensor:
        rows, device = len(clean), clean.device
        time = torch.randint(len(self.noise_schedule), (rows,), generator=generator).to(device)
        left = self.noise_schedule.alpha_bar[time][:, None].to(clean.dtype)
        # W_in eps is Gaussian too, but its covariance changes with every update, so eps itself is drawn.
        noise = torch.randn(clean.shape, generator=generator).to(device)
        seen = (torch.rand(rows, 1, generator=generator) >= self.config.noisy_input_dropout).to(clean)
        inward = self.approximator.inward(seen * (left.sqrt() * clean + (1 - left).sqrt() * noise))
        return self.approximator.outward(self.approximator.hidden(inward, time, context))

    def _trust_backbone(self, dataset: Dataset, validate: Callable[[], float]) -> None:
        """While the backbone trains, its own list is what validation sees."""
        self.gamma.fill_(1.0)

    def _count(self, dataset: Dataset, validate: Callable[[], float]) -> None:
        similarity = item_similarity(dataset.train.sequences(), self.config.num_items, self.config.similarity_window)
        self.similarity = similarity.to(self.gamma.device)
        self.gamma.fill_(0.0)  # the diffusion model is chosen by its own list

    def _choose_gamma(self, dataset: Dataset, validate: Callable[[], float]) -> None:
        best, best_gamma = -math.inf, 1.0
        for step in range(20, -1, -1):
            self.gamma.fill_(step / 20)
            quality = validate()
            if quality > best:
                best, best_gamma = quality, step / 20
        self.gamma.fill_(best_gamma)


def _rand(shape: torch.Size, generator: Generator, device: torch.device) -> Tensor:
    return torch.rand(shape, generator=generator).to(device)


def _betas(config: GlobalDiffConfig) -> Tensor:
    if config.schedule == "cosine":
        return cosine_betas(config.diffusion_steps)
    if config.schedule == "linear-variance":
        return linear_variance_betas(config.diffusion_steps, config.noise_scale, 0.05, 0.5)
    raise ValueError(f'schedule: expected "linear-variance" or "cosine", got {config.schedule!r}.')
