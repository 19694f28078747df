"""CARD, the counterfactual attention regulation diffusion model: "Enhancing guidance for missing data in
diffusion-based sequential recommendation" (ICASSP 2026, arXiv 2601.15673).

The idea: stable histories are thinned, turning ones are re-weighted by how much each item helps to predict.

| equation | function |
| --- | --- |
| Eq. 2, continuity | ``stability.continuity`` |
| Eq. 3, entropy, compared with lambda_stb | ``stability.continuity_entropy``, ``stability.evenness`` |
| Eq. 4, prediction error reduction (PER) | ``prediction_error_reduction`` |
| Eq. 5, weights 1 + tanh(PER / T) | ``importance_weights`` |

Departures of ``default``, with the reason:

| # | paper / released code | here | why |
| --- | --- | --- | --- |
| 1 | entropy over padded slots (code) | real pairs only, divided by ln(pairs) | it measured padding and length |
| 2 | lambda_stb 0.5 to 2.0 | median evenness of the training histories | one route got everything |
| 3 | no auxiliary loss | squared error on detached targets, own loss | PER drifted to 10^6 |
| 4 | future mean over W slots, pads included (code) | mean of the items there are | pads are not the future |
| 5 | PER where no future item exists: undefined | PER 0, weight 1 | nothing to reduce |
| 6 | T = 1 | ``per_temperature`` times the usual size (RMS) of PER | all weights were 0, 1 or 2 |
| 7 | only turning points; con < 0.1 (code) | con below the average 1 / pairs | 0.1 is next to 1/9 only by chance |
| 8 | the weight multiplies the item vector | it multiplies its attention | the first LayerNorm undoes the former |
| 9 | route and weights in training only (code) | weights at inference too | the page shows what is used |
| 10 | thinning in training | the same; at inference a stable history is read whole | lists stay the same |

TDM's removal and its departures: ``tdm.py``; the diffusion: ``guided_diffusion.py``.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Generator, Tensor, nn

from demo_core.datasets import Dataset
from demo_core.layers import EncoderLayer, attention_logits, unit, window
from demo_core.models.base import Controls, Phase, RouteExplanation
from demo_core.models.guided_diffusion import GuidedDiffusion, GuidedDiffusionConfig
from demo_core.sequences import PADDING, Batch, batches
from demo_core.slots import Slots
from demo_core.stability import below_average, draw_removal, read_steps, removal_probability, remove


@dataclass(frozen=True, kw_only=True)
class CARDConfig(GuidedDiffusionConfig):
    """``removal_rate``: mean chance that a slot of a stable history is thinned out. ``future_window`` W: items whose
    mean MLP_aux predicts. ``per_temperature``: T in multiples of PER's root mean square. ``candidate_level``: a step
    below this multiple of the average continuity makes its item a potential turning point (``None``: every item is
    weighed). ``threshold_quantile`` of the training histories' evenness is the threshold. ``auxiliary_weight`` weighs
    MLP_aux' loss.
    """

    removal_rate: float = 0.1
    future_window: int = 3
    per_temperature: float = 2.0
    candidate_level: float | None = 1.0
    threshold_quantile: float = 0.5
    auxiliary_weight: float = 1.0
    threshold_sample: int = 20000


def prediction_error_reduction(loss_without: Tensor, loss_with: Tensor) -> Tensor:
    """PER (CARD Eq. 4): squared error of the prediction without the item minus with it; positive: the item helps."""
    return loss_without - loss_with


def importance_weights(per: Tensor, temperature: float | Tensor) -> Tensor:
    """Weights (CARD Eq. 5): 1 + tanh(PER / T) in (0, 2), 1 where PER is 0. ``temperature`` > 0, in PER's unit."""
    return 1 + torch.tanh(per / temperature)


def future_mean(vectors: Tensor, mask: Tensor, window_size: int) -> tuple[Tensor, Tensor]:
    """m_n: mean of the up to ``window_size`` real items after slot n. (B, L, D), (B, L) -> (B, L, D), has-a-future
    (B, L).

    Slots without a future item get the zero vector and ``False``.
    """
    masked = vectors * mask[..., None]
    total, count = torch.zeros_like(masked), torch.zeros_like(mask, dtype=vectors.dtype)
    for ahead in range(1, min(window_size, mask.shape[1] - 1) + 1):
        total[:, :-ahead] += masked[:, ahead:]
        count[:, :-ahead] += mask[:, ahead:]
    return total / count.clamp(min=1)[..., None], (count > 0) & mask


class FuturePredictor(nn.Module):
    """MLP_aux on a causal encoding: after each slot, the mean direction of what follows. Sees embeddings as
    constants.
    """

    def __init__(self, dim: int, max_length: int) -> None:
        super().__init__()
        self.position = nn.Parameter(torch.randn(max_length, dim) * 0.02)
        self.layer = EncoderLayer(dim, heads=1, dropout=0.0)
        self.norm = nn.LayerNorm(dim)
        self.before_any = nn.Parameter(torch.zeros(dim))  # the state h_0 before the first item
        self.mlp = nn.Sequential(nn.Linear(dim, dim), nn.GELU(), nn.Linear(dim, dim))

    def forward(self, directions: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
        """(B, L, D) unit vectors, (B, L) -> predictions knowing slot n, and knowing only the slots before it."""
        x = 0.25 * directions.shape[-1] ** 0.5 * directions + self.position[: mask.shape[1]].flip(0)
        slots = Slots.of(mask)
        states = slots.pad(self.norm(self.layer(slots.pack(x), attention_logits(mask, x.dtype), slots)))
        after = self.mlp(states)
        is_first = mask & ~torch.cat([torch.zeros_like(mask[:, :1]), mask[:, :-1]], dim=1)
        before = torch.where(is_first[..., None], self.mlp(self.before_any), after.roll(1, dims=1))
        return after, before


class CARD(GuidedDiffusion):
    config: CARDConfig
    threshold: Tensor  # () evenness above which a history is turning
    per_scale: Tensor  # () root mean square of PER

    def __init__(self, config: CARDConfig) -> None:
        super().__init__(config)
        self.predictor = FuturePredictor(config.embedding_dim, config.max_length)
        self.register_buffer("threshold", torch.tensor(1.0))
        self.register_buffer("per_scale", torch.tensor(0.1))

    def phases(self) -> list[Phase]:
        return [
            Phase("train", self.loss, list(self.parameters()), before_epoch=self.set_threshold),
            Phase("calibrate", None, [], prepare=self._calibrate),
        ]

    def loss(self, batch: Batch, generator: Generator | None = None) -> Tensor:
        return super().loss(batch, generator) + self.config.auxiliary_weight * self.auxiliary_loss(batch)

    def auxiliary_loss(self, batch: Batch) -> Tensor:
        """Squared error of MLP_aux, mean over the slots that have a future; both predictions learn. Updates the RMS."""
        errors = self._errors(window(batch.history, self.config.max_length), batch.target)
        count = errors.has_future.sum().clamp(min=1)
        total = torch.where(errors.has_future, errors.knowing + errors.not_knowing, 0.0).sum() / (2 * count)
        if self.training:
            per = prediction_error_reduction(errors.not_knowing, errors.knowing).detach()
            square = torch.where(errors.has_future, per, 0.0).square().sum() / count
            self.per_scale.lerp_(square.sqrt(), 0.02)
        return total

    def prepare_history(
        self, history: Tensor, generator: Generator | None, controls: Controls
    ) -> tuple[Tensor, Tensor | None]:
        told = self._read(history, controls)
        assert told.weight is not None
        if not self.training:
            return history, told.weight
        stable = (told.steps.routed & ~told.turning)[:, None]
        return remove(history, draw_removal(told.removal, generator) & stable), told.weight

    def explain(self, history: Tensor, controls: Controls | None = None) -> RouteExplanation:
        return self._read(window(history, self.config.max_length), controls or Controls())

    @torch.no_grad()
    def set_threshold(self, dataset: Dataset, generator: Generator) -> None:
        """The threshold becomes a quantile of the evenness of random training histories that have something to
        route.
        """
        rows = torch.randint(len(dataset.train), (self.config.threshold_sample,), generator=generator)
        history = dataset.train.history(rows, self.config.max_length).to(self.threshold.device)
        steps = read_steps(self.item_embedding(history), history != PADDING)
        if bool(steps.routed.any()):
            self.threshold.copy_(steps.evenness[steps.routed].quantile(self.config.threshold_quantile))

    def _calibrate(self, dataset: Dataset, validate: Callable[[], float]) -> None:
        """Threshold and RMS for the final weights; the RMS on validation histories, which MLP_aux has not seen."""
        self.set_threshold(dataset, torch.Generator().manual_seed(0))
        total, count = 0.0, 0
        for rows in batches(len(dataset.validation), self.config.threshold_sample):
            history = dataset.validation.history(rows, self.config.max_length).to(self.threshold.device)
            with torch.no_grad():
                errors = self._errors(history)
            per = prediction_error_reduction(errors.not_knowing, errors.knowing)[errors.has_future]
            total, count = total + float(per.double().square().sum()), count + len(per)
        if count:
            self.per_scale.fill_((total / count) ** 0.5)

    @torch.no_grad()
    def _read(self, history: Tensor, controls: Controls) -> RouteExplanation:
        threshold = float(self.threshold) if controls.threshold is None else controls.threshold
        mask = history != PADDING
        steps = read_steps(self.item_embedding(history), mask)
        turning = steps.routed & (steps.evenness > threshold)
        errors = self._errors(history)
        per = prediction_error_reduction(errors.not_knowing, errors.knowing).masked_fill(~errors.has_future, 0.0)
        level = self.config.candidate_level
        candidate = mask if level is None else below_average(steps.continuity, mask, level)
        weighed = candidate & errors.has_future & turning[:, None]
        weight = importance_weights(per, self.config.per_temperature * self.per_scale.clamp(min=1e-8))
        return RouteExplanation(
            history=history,
            steps=steps,
            turning=turning,
            threshold=threshold,
            removal=removal_probability(steps.continuity, mask, self.config.removal_rate),
            candidate=candidate,
            per=per,
            weight=torch.where(weighed, weight, torch.ones_like(weight)),
        )

    def _errors(self, history: Tensor, target: Tensor | None = None) -> FutureErrors:
        """Squared errors of MLP_aux over ``history`` (B, L). The future is what the window holds and, in training, the
        ``target`` (B,) as one more item after it."""
        sequence = history if target is None else torch.cat([history, target[:, None]], dim=1)
        directions, mask = unit(self.item_embedding(sequence).detach()), sequence != PADDING
        future, has_future = future_mean(directions, mask, self.config.future_window)
        length = history.shape[1]
        directions, mask, future, has_future = (x[:, :length] for x in (directions, mask, future, has_future))
        after, before = self.predictor(directions, mask)
        squared = lambda prediction: (prediction - future).square().sum(dim=-1)  # noqa: E731
        return FutureErrors(squared(after), squared(before), has_future)


@dataclass(frozen=True)
class FutureErrors:
    """Squared error of the predicted future ``knowing`` slot n and ``not_knowing`` it, and ``has_future``, all (B,
    L).
    """

    knowing: Tensor
    not_knowing: Tensor
    has_future: Tensor
