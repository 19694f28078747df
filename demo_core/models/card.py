"""CARD, the counterfactual attention regulation diffusion model: "Enhancing guidance for missing data in
diffusion-based sequential recommendation" (ICASSP 2026, arXiv 2601.15673).

The idea: stable histories are thinned, turning ones are re-weighted by how much each item helps to predict.

| equation | function |
| --- | --- |
| Eq. 2, continuity | ``stability.continuity`` |
| Eq. 3, entropy, compared with lambda_stb | ``stability.continuity_entropy``, ``stability.evenness`` |
| Eq. 4, prediction error reduction (PER) | ``future_predictor.prediction_error_reduction`` |
| Eq. 5, weights 1 + tanh(PER / T) | ``future_predictor.importance_weights`` |

What departs from paper and released code, and why: the tables in ``card_config``, ``tdm`` (the removal) and
``guided_config`` (the diffusion).
"""

from __future__ import annotations

import torch
from torch import Generator, Tensor

from demo_core.datasets import Dataset
from demo_core.layers import window
from demo_core.models.auxiliary_task import AuxiliaryTask, Sight
from demo_core.models.base import Controls, Phase, RouteExplanation, Validation, seeded
from demo_core.models.card_config import CARDConfig
from demo_core.models.card_route import (
    at_slots,
    candidate_slots,
    numbered_slots,
    stable_rows,
    thin_at_inference,
    thin_in_training,
)
from demo_core.models.drop_one import EffectPredictor, drop_one_divergence, effect_weights, evaluating, sample_rows
from demo_core.models.future_predictor import (
    FuturePredictor,
    future_mean,
    importance_weights,
    prediction_error_reduction,
)
from demo_core.models.routed_diffusion import RoutedDiffusion
from demo_core.models.thinning import removal_chance
from demo_core.sequences import PADDING, Batch, batches

# The paper's own equations can be had from here, wherever they stand.
__all__ = ["CARD", "CARDConfig", "FuturePredictor", "future_mean", "importance_weights", "prediction_error_reduction"]


class CARD(RoutedDiffusion):
    config: CARDConfig
    per_scale: Tensor  # () root mean square of PER

    def __init__(self, config: CARDConfig) -> None:
        super().__init__(config)
        dim, length, released = config.embedding_dim, config.max_length, config.predictor == "released"
        self.predictor = FuturePredictor(
            *(dim, length),
            released=released,
            dropout=config.dropout if released else 0.0,
            input_scale=1.0 if released or config.raw_vectors else None,
        )
        self.task = AuxiliaryTask(config, self.item_embedding, self.predictor)
        self.effects = EffectPredictor(dim, length) if config.weights_from == "drop_one" else None
        self.register_buffer("per_scale", torch.tensor(0.1))

    def phases(self) -> list[Phase]:
        return [
            Phase("train", self.loss, list(self.parameters()), self.find_neighbours, self.set_threshold),
            Phase("calibrate", None, [], prepare=self._calibrate),
        ]

    def loss(self, batch: Batch, generator: Generator | None = None) -> Tensor:
        generator, config = seeded(generator), self.config
        history = self.training_history(batch, generator)
        has_task = bool(config.auxiliary_weight) or config.per_temperature_unit == "rms"
        sight = self.task.see(history) if has_task else None  # one pass serves the weights and the auxiliary loss
        loss = self.diffusion_loss(*self._prepare(history, generator, Controls(), sight), batch.target, generator)
        if sight is not None:
            loss = loss + config.auxiliary_weight * self._auxiliary(sight, batch.target)
        if self.effects is not None:
            loss = loss + self.effect_loss(batch, generator)
        return loss

    def auxiliary_loss(self, batch: Batch) -> Tensor:
        """Squared error of MLP_aux, the target being the last future item; in training it updates the RMS of PER."""
        return self._auxiliary(self.task.see(window(batch.history, self.config.max_length)), batch.target)

    def effect_loss(self, batch: Batch, generator: Generator | None = None) -> Tensor:
        """Squared error of the guessed drop-one effects on a few random rows, ``drop_one``. The true ones are those of
        the model as it is, without dropout and weights.
        """
        assert self.effects is not None
        generator = seeded(generator)
        history = sample_rows(window(batch.history, self.config.max_length), self.config.drop_one_rows, generator)
        if not len(history):
            return torch.zeros((), device=history.device)

        def answer(histories: Tensor) -> Tensor:
            vector = self.generate(self.guidance(histories, None), generator, Controls())
            return self.probabilities(self.rank(vector))

        with torch.no_grad(), evaluating(self):
            effect = drop_one_divergence(history, answer)
        return self.effects.loss(self.task.vectors(history), history != PADDING, effect)

    def prepare_history(
        self, history: Tensor, generator: Generator | None, controls: Controls
    ) -> tuple[Tensor, Tensor | None]:
        return self._prepare(history, generator, controls)

    @torch.no_grad()
    def explain(self, history: Tensor, controls: Controls | None = None) -> RouteExplanation:
        config, controls = self.config, controls or Controls()
        history = window(history, config.max_length)
        mask, steps = history != PADDING, self.read_steps(history)
        turning = self.turning(steps, controls)
        candidate, per = candidate_slots(config, steps, mask), self._per(history)
        log_effect = None if self.effects is None else self.effects(self.task.vectors(history), mask)
        weight = self._from_per(per) if log_effect is None else self._from_effect(log_effect, mask)
        weighed = candidate & self.weighed_rows(steps, turning)[:, None]
        return RouteExplanation(
            history=history,
            steps=steps,
            turning=turning,
            threshold=self.threshold_of(controls) if config.routing == "routed" else None,
            removal=removal_chance(config, steps, mask),
            candidate=candidate,
            per=per,
            weight=self.softened(torch.where(weighed, weight, 1.0), steps, controls),
            threshold_unit="evenness" if config.threshold_entropy is None else "entropy",
            padded=config.padded_entropy,
            weight_at_inference=config.weights_at_inference,
            effect=None if log_effect is None else log_effect.exp().masked_fill(~mask, 0.0),
        )

    @torch.no_grad()
    def _calibrate(self, dataset: Dataset, validate: Validation) -> None:
        """Threshold and RMS for the final weights; the RMS on validation histories, which MLP_aux has not seen."""
        self.set_threshold(dataset, torch.Generator().manual_seed(0))
        total, count = 0.0, 0
        for rows in batches(len(dataset.validation), self.config.threshold_sample):
            history = dataset.validation.history(rows, self.config.max_length).to(self.threshold.device)
            errors = self.task.errors(self.task.see(history))
            per = self.task.reduction(errors)[errors.has_future]
            total, count = total + float(per.double().square().sum()), count + len(per)
        if count:
            self.per_scale.fill_((total / count) ** 0.5)

    def _prepare(
        self, history: Tensor, generator: Generator | None, controls: Controls, sight: Sight | None = None
    ) -> tuple[Tensor, Tensor | None]:
        """``sight``: MLP_aux' pass over ``history``, where it is there already."""
        config, training, weights = self.config, self.training, None
        if not (training or config.weights_at_inference or config.thin_at_inference):
            return history, None
        steps = self.read_steps(history)
        turning = self.turning(steps, controls)
        if training or config.weights_at_inference:
            weighed = candidate_slots(config, steps, history != PADDING) & self.weighed_rows(steps, turning)[:, None]
            weights = self.softened(self._weights(history, weighed, sight), steps, controls)
        if training or config.thin_at_inference:
            edit = thin_in_training if training else thin_at_inference
            slots = numbered_slots(history)
            kept = edit(config, slots, steps, stable_rows(config, steps, turning), generator)
            history = at_slots(history, kept, PADDING)
            weights = None if weights is None else at_slots(weights, kept, 1.0)  # each stays with its item
        return history, weights

    def _weights(self, history: Tensor, weighed: Tensor, sight: Sight | None) -> Tensor:
        """Weights (B, L) of the ``weighed`` slots, 1 elsewhere; without a ``sight`` only they are read."""
        attached = self.config.weight_gradient
        with torch.set_grad_enabled(torch.is_grad_enabled() and attached):
            if sight is not None and self.effects is None and not attached:
                per = self.task.reduction(self.task.errors(sight))
                return torch.where(weighed, self._from_per(per), 1.0)
            rows = weighed.any(dim=1).nonzero().squeeze(1)
            chosen = history[rows]
            if self.effects is None:
                found = self._from_per(self._per(chosen, weighed[rows]))
            else:
                found = self._from_effect(self.effects(self.task.vectors(chosen), chosen != PADDING), chosen != PADDING)
            weights = torch.ones(history.shape, device=history.device, dtype=found.dtype)
            return weights.index_copy(0, rows, torch.where(weighed[rows], found, 1.0))

    def _from_per(self, per: Tensor) -> Tensor:
        return importance_weights(per, self._temperature(self.per_scale))

    def _from_effect(self, log_effect: Tensor, mask: Tensor) -> Tensor:
        assert self.effects is not None
        return effect_weights(log_effect, mask, self._temperature(self.effects.scale))

    def _temperature(self, scale: Tensor) -> float | Tensor:
        config = self.config
        return config.per_temperature * (scale.clamp(min=1e-8) if config.per_temperature_unit == "rms" else 1.0)

    def _per(self, history: Tensor, wanted: Tensor | None = None) -> Tensor:
        """PER (B, L) from the future inside the window, of the ``wanted`` (B, L) slots or of all."""
        return self.task.reduction(self.task.errors(self.task.see(history, self.config.weight_gradient, wanted)))

    def _auxiliary(self, sight: Sight, target: Tensor) -> Tensor:
        errors = self.task.errors(sight, target)
        if self.training:
            square = self.task.reduction(errors).detach().square().sum() / errors.has_future.sum().clamp(min=1)
            self.per_scale.lerp_(square.sqrt(), 0.02)
        return self.task.loss(errors)
