"""DiffRec: "Diffusion Recommender Model" (Wang, Xu, Feng, Lin, He, Chua, SIGIR 2023, arXiv 2304.04971).

The idea: a history is a 0/1 row over all items; a network learns to restore it after a little noise was added, and what
it restores where nothing stood are the recommendations. The order of the items is not looked at. This is not DreamRec,
which generates the embedding of one next item.

| equation | function |
| --- | --- |
| interaction row x_0 | ``interaction_row`` |
| schedule: 1 - abar_t linear in t | ``diffusion.linear_variance_betas`` |
| forward process q(x_t, x_0) | ``NoiseSchedule.add_noise`` |
| network x_0(x_t, t) | ``RowDenoiser`` |
| loss: squared error, weighed by the fall of the signal-to-noise ratio | ``DiffRec.row_losses``, ``step_weights`` |
| importance sampling of the steps | ``step_sampling.ImportanceSteps`` |
| inference: the posterior means from x_T, the row itself, down to x_0 | ``DiffRec.restore``, ``posterior_walk`` |
| what the row holds is not recommended: it comes last | ``DiffRec.score`` |

The reverse chain runs in the hidden dimension: u = W_in x is all that the network needs of x, and both ends of it are
linear, so that only the last step touches the M items. It draws nothing: this model does not sample.

Departures of ``default``, one field each where there is one, with the reason:

| paper / released code | here | why |
| --- | --- | --- |
| ``snr_weights``: as above | 1 | step 0, which makes the answer, is left with a thousandth of the weight or less |
| ``step_sampling`` importance | uniform | made for those weights |
| ``fixed_first_rate`` (code): beta_0 is 1e-5 | as the schedule says | else the variance is not linear in t |
| ``mean_error`` (code): mean over the items | their sum | else gradients come near the epsilon of AdamW |
| one row a user | rows of at most L + 1 items that tile the sequences | all models have the same window |
| H = 1000, or 200 between layers of 600 (``outer_dim``) | 200 | a fifth of the time |
| learning rate 1e-5 to 1e-3, batches of 400 | a rate per data set (``presets.py``), 256 | up to 100 epochs, not 1,000 |
| T-DiffRec: older items weigh less (``oldest_weight`` < 1) | all weigh 1 | the base variant |
| step embedding goes through a layer of its own | straight into the hidden layer | two linear maps are one |
| its frequencies are 10000^(-k / 5) | 10000^(-k / 4) | the shared ``layers.step_embedding`` |
| biases start at random, deviation 0.001 | at 0 | no difference |
| the row may be noised before the reverse steps | never | no released run does |

T-DiffRec's weights of one sequence run over its row of L + 1 items; a repeated item keeps its newest weight (released:
their sum), a single one weighs 1 (released: as the oldest). L- and LT-DiffRec (clusters of items, a VAE) are left out.

``released``: the settings of the authors' inference script, those of MovieLens 1M and Amazon-book where the data are of
that kind, otherwise Yelp's. Some of its checkpoints are named as if trained without the weights, but were not: the
option ``--reweight 0`` is true, being a text that is not empty. The test rows of the released evaluation lack the
validation items, which ours hold in every preset. ``paper`` is the same without what only the code has.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Generator, Tensor, nn
from torch.nn import functional as F

from demo_core.datasets import Dataset
from demo_core.diffusion import NoiseSchedule, linear_variance_betas
from demo_core.layers import Dropout, step_embedding, window
from demo_core.models.base import Controls, Phase, PublishedConfig, Recommender, mask_padding, seeded
from demo_core.models.posterior_walk import posterior_steps
from demo_core.models.step_sampling import ImportanceSteps, UniformSteps
from demo_core.sequences import PADDING, Batch, Rows

STEP_WIDTH = 10
FIRST_RATE = 1e-5
STEP_SAMPLERS = {"uniform": UniformSteps, "importance": ImportanceSteps}


@dataclass(frozen=True, kw_only=True)
class DiffRecConfig(PublishedConfig):
    """``embedding_dim`` H is the width of the hidden layer; ``outer_dim``: of one more on either side of it (``None``:
    none). ``input_dropout``: share of the noised row that the network does not get to see in training.

    ``diffusion_steps`` T; the variance 1 - abar_t runs linearly from ``noise_scale`` * ``noise_low`` to ``noise_scale``
    * ``noise_high``, and with ``fixed_first_rate`` beta_0 is 1e-5 whatever that says. ``oldest_weight`` in (0, 1]: the
    oldest item's entry in the row; entries rise linearly to the newest one's, 1. Loss: ``snr_weights`` weighs step t by
    SNR(t - 1) - SNR(t), step 0 by 1; ``mean_error`` divides by M; ``step_sampling`` "uniform" or "importance".
    """

    embedding_dim: int = 200
    learning_rate: float = 3e-3
    batch_size: int = 256
    outer_dim: int | None = None
    input_dropout: float = 0.5
    diffusion_steps: int = 5
    noise_scale: float = 0.01
    noise_low: float = 0.001
    noise_high: float = 0.01
    oldest_weight: float = 1.0
    fixed_first_rate: bool = False
    snr_weights: bool = False
    mean_error: bool = False
    step_sampling: str = "uniform"

    def __post_init__(self) -> None:
        self.require_one_of("step_sampling", STEP_SAMPLERS)
        if not 0 < self.oldest_weight <= 1:
            raise ValueError(f"oldest_weight: expected a number above 0, at most 1, got {self.oldest_weight}.")


SETTINGS: dict[str | None, tuple[str, ...]] = {
    **dict.fromkeys(
        ("ml-1m", "movielens"),
        (
            *("diffusion_steps=40", "noise_scale=0.005", "noise_low=0.005", "noise_high=0.01"),
            *("learning_rate=1e-3", "embedding_dim=200", "outer_dim=600"),
        ),
    ),
    "beauty": (
        *("diffusion_steps=5", "noise_scale=1e-4", "noise_low=5e-4", "noise_high=5e-3"),
        *("learning_rate=5e-5", "embedding_dim=1000"),
    ),
    None: (
        *("diffusion_steps=5", "noise_scale=0.01", "noise_low=1e-3", "noise_high=0.01"),
        *("learning_rate=1e-5", "embedding_dim=1000"),
    ),
}
PAPER_TRAINING = (
    *("snr_weights=True", "step_sampling=importance", "input_dropout=0.5", "max_length=1000", "weight_decay=0.0"),
    *("weight_average=0.0", "batch_size=400", "max_epochs=1000", "patience=20", "selection_metric=hr@20"),
)
RELEASED_TRAINING = (*PAPER_TRAINING, "fixed_first_rate=True", "mean_error=True")
RELEASED = {dataset: (*RELEASED_TRAINING, *settings) for dataset, settings in SETTINGS.items()}
PAPER = {dataset: (*PAPER_TRAINING, *settings) for dataset, settings in SETTINGS.items()}


def interaction_row(items: Tensor, num_items: int, oldest_weight: float = 1.0) -> Tensor:
    """x_0 (B, M) of (B, L) ids, column j for item j + 1: ``oldest_weight`` to 1 where an item stands, linear in its
    place among the real ones and 1 for the newest, else 0.
    """
    real = items != PADDING
    after = real.flip(1).cumsum(dim=1).flip(1) - 1  # how many items came later
    share = after / (real.sum(dim=1, keepdim=True) - 1).clamp(min=1)
    weight = (1 - (1 - oldest_weight) * share) * real
    row = weight.new_zeros(len(items), num_items + 1)
    return row.scatter_reduce(1, items, weight, "amax")[:, 1:]


def step_weights(schedule: NoiseSchedule) -> Tensor:
    """(T,) float64: SNR(t - 1) - SNR(t) with SNR(t) = abar_t / (1 - abar_t); 1 at t = 0."""
    ratio = schedule.alpha_bar / (1 - schedule.alpha_bar)
    return torch.cat([ratio.new_ones(1), ratio[:-1] - ratio[1:]])


def tiling_rows(rows: Rows, length: int) -> Tensor:
    """The rows (R,) whose last ``length`` items, the target included, tile their sequences from the end: every item
    stands in exactly one. Of a sequence of at most ``length`` items that is its longest row.
    """
    _, sequence = rows.start.unique(return_inverse=True)
    end = torch.zeros_like(rows.start).scatter_reduce(0, sequence, rows.target_at, "amax")[sequence]
    return ((end - rows.target_at) % length == 0).nonzero().squeeze(1)


class RowDenoiser(nn.Module):
    """x_0 (B, M) = W_out h(W_in x_t, t) + b with tanh between the layers; ``middle`` lies between W_in and W_out."""

    def __init__(self, items: int, hidden: int, outer: int | None, dropout: float) -> None:
        super().__init__()
        width = hidden if outer is None else outer
        self.dropout = Dropout(dropout)
        self.inward = nn.Linear(items, width, bias=False)
        self.step = nn.Linear(STEP_WIDTH, width)
        self.middle = nn.Sequential(nn.Tanh())
        if outer is not None:
            self.middle.extend([nn.Linear(outer, hidden), nn.Tanh(), nn.Linear(hidden, outer), nn.Tanh()])
        self.outward = nn.Linear(width, items)
        for layer in self.modules():
            if isinstance(layer, nn.Linear):
                nn.init.xavier_normal_(layer.weight)
                if layer.bias is not None:
                    nn.init.zeros_(layer.bias)

    def forward(self, noisy: Tensor, time: Tensor) -> Tensor:
        """x_t (B, M) at ``time`` (B,) or (1,) -> (B, M)."""
        return self.outward(self.hidden(self.inward(self.dropout(noisy)), time))

    def hidden(self, inward: Tensor, time: Tensor) -> Tensor:
        """u = W_in x_t (B, W) -> what W_out is applied to, (B, W)."""
        return self.middle(inward + self.step(step_embedding(time, STEP_WIDTH).to(inward.dtype)))


class DiffRec(Recommender):
    config: DiffRecConfig

    def __init__(self, config: DiffRecConfig) -> None:
        super().__init__(config)
        self.denoiser = RowDenoiser(config.num_items, config.embedding_dim, config.outer_dim, config.input_dropout)
        first = FIRST_RATE if config.fixed_first_rate else None
        scale, low, high = config.noise_scale, config.noise_low, config.noise_high
        self.noise_schedule = NoiseSchedule(linear_variance_betas(config.diffusion_steps, scale, low, high, first))
        self.step_sampler = STEP_SAMPLERS[config.step_sampling](config.diffusion_steps)

    def phases(self) -> list[Phase]:
        return [Phase("train", self.loss, list(self.parameters()), rows=self._rows)]

    def loss(self, batch: Batch, generator: Generator | None = None) -> Tensor:
        """How badly the rows of history and target are restored from random steps."""
        generator, config = seeded(generator), self.config
        items = torch.cat([window(batch.history, config.max_length), batch.target[:, None]], dim=1)
        clean = interaction_row(items, config.num_items, config.oldest_weight)
        time, rarity = self.step_sampler.draw(len(clean), generator)
        time = time.to(clean.device)
        noise = torch.randn(clean.shape, generator=generator).to(clean)
        losses = self.row_losses(clean, time, noise)
        if self.training:
            self.step_sampler.record(time, losses)
        return (losses * rarity.to(losses)).mean()

    def row_losses(self, clean: Tensor, time: Tensor, noise: Tensor) -> Tensor:
        """(B,): weighed squared errors of x_0 (B, M) restored from steps ``time`` (B,), made of ``noise`` (B, M)."""
        restored = self.denoiser(self.noise_schedule.add_noise(clean, time, noise), time)
        squared = (restored - clean).square()
        errors = squared.mean(dim=1) if self.config.mean_error else squared.sum(dim=1)
        return errors * step_weights(self.noise_schedule)[time].to(errors) if self.config.snr_weights else errors

    def restore(self, row: Tensor, number: int | None = None) -> Tensor:
        """x_T (B, M) -> the last estimate of x_0 (B, M), posterior means in between: ``number`` steps, or all T."""
        asked = len(self.noise_schedule) if number is None else number
        net, steps = self.denoiser, posterior_steps(self.noise_schedule, asked)
        matrix, offset = net.inward.weight @ net.outward.weight, net.inward.weight @ net.outward.bias
        u = row @ net.inward.weight.T
        for step in steps[:-1]:
            clean = net.hidden(u, self._time(step.time, row)) @ matrix.T + offset  # W_in x_0
            u = step.of_clean * clean + step.of_state * u
        return net.outward(net.hidden(u, self._time(steps[-1].time, row)))

    def score(self, history: Tensor, generator: Generator | None = None, controls: Controls | None = None) -> Tensor:
        """What the row itself holds is restored best and comes last: it is no recommendation."""
        items = window(history, self.config.max_length)
        row = interaction_row(items, self.config.num_items, self.config.oldest_weight)
        restored = self.restore(row.to(self.denoiser.inward.weight), None if controls is None else controls.steps)
        lowest = restored.amin(dim=1, keepdim=True) - 1
        return mask_padding(F.pad(restored, (1, 0)).scatter(1, items, lowest.expand_as(items)))

    def embedding(self) -> Tensor:
        """An item's vector is what the last hidden layer is compared with: the rows of W_out."""
        return F.pad(self.denoiser.outward.weight, (0, 0, 1, 0))

    def _time(self, step: int, like: Tensor) -> Tensor:
        return torch.full((1,), step, device=like.device)

    def _rows(self, dataset: Dataset) -> Tensor:
        return tiling_rows(dataset.train, self.config.max_length + 1)
