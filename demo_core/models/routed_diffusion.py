"""What CARD knows about its histories before it weighs or thins them: how even each is, and where turning begins."""

from __future__ import annotations

import torch
from torch import Generator, Tensor

from demo_core.datasets import Dataset
from demo_core.models.base import Controls
from demo_core.models.card_config import CARDConfig
from demo_core.models.card_route import turning_rows
from demo_core.models.guided_diffusion import GuidedDiffusion
from demo_core.models.learned_threshold import LearnedThreshold, soften
from demo_core.models.thinning import read_history
from demo_core.sequences import PADDING
from demo_core.stability import StepReading


class RoutedDiffusion(GuidedDiffusion):
    """Abstract. Guided diffusion with a threshold between stable and turning histories."""

    config: CARDConfig
    threshold: Tensor  # () evenness (or entropy) above which a history is turning

    def __init__(self, config: CARDConfig) -> None:
        super().__init__(config)
        learned = (config.threshold_quantile, config.threshold_softness) if config.learned_threshold else None
        self.gate = None if learned is None else LearnedThreshold(*learned)
        fixed = config.threshold_entropy
        self.register_buffer("threshold", torch.tensor(1.0 if fixed is None else fixed))

    @torch.no_grad()
    def read_steps(self, history: Tensor) -> StepReading:
        """The steps of histories (B, L), as the model sees items now."""
        return read_history(self.config, self.item_embedding(history), history != PADDING)

    @torch.no_grad()
    def set_threshold(self, dataset: Dataset, generator: Generator) -> None:
        """The threshold becomes a quantile, given or learned, of the evenness of random training histories that have
        something to route; unless it is an entropy.
        """
        if self.config.threshold_entropy is not None:
            return
        rows = torch.randint(len(dataset.train), (self.config.threshold_sample,), generator=generator)
        steps = self.read_steps(dataset.train.history(rows, self.config.max_length).to(self.threshold.device))
        evenness = steps.evenness[steps.routed]
        if len(evenness) and self.gate is not None:
            self.gate.read(evenness)
            self.threshold.copy_(self.gate.threshold())
        elif len(evenness):
            self.threshold.copy_(evenness.quantile(self.config.threshold_quantile))

    def threshold_of(self, controls: Controls) -> float:
        """The threshold that was asked for, or the model's own."""
        own = self.threshold if self.gate is None else self.gate.threshold()
        return float(own) if controls.threshold is None else controls.threshold

    def turning(self, steps: StepReading, controls: Controls) -> Tensor:
        """(B,) bool: above the threshold."""
        return turning_rows(self.config, steps, self.threshold_of(controls))

    def weighed_rows(self, steps: StepReading, turning: Tensor) -> Tensor:
        """(B,) bool: the ``turning`` (B,) ones; with a learned threshold all that are routed, if only a little."""
        return turning if self.gate is None else steps.routed

    def softened(self, weights: Tensor, steps: StepReading, controls: Controls) -> Tensor:
        """Weights (B, L) as they count by a learned threshold; otherwise as they are."""
        if self.gate is None:
            return weights
        return soften(weights, self.gate.turning_share(steps.evenness, controls.threshold))
