"""Which histories CARD weighs and which it thins, and which of their items may be turning points."""

from __future__ import annotations

import torch
from torch import Generator, Tensor

from demo_core.models.base import seeded
from demo_core.models.card_config import CARDConfig
from demo_core.models.thinning import removal_chance, thin
from demo_core.sequences import PADDING
from demo_core.stability import StepReading, below, below_average, draw_removal, sequence_probability


def turning_rows(config: CARDConfig, steps: StepReading, threshold: float) -> Tensor:
    """(B,) bool: the history is weighed. ``threshold`` is an evenness, or an entropy if the config gives one."""
    if config.routing == "routed":
        value = steps.evenness if config.threshold_entropy is None else steps.entropy
        return steps.routed & (value > threshold)
    return steps.routed & (config.routing == "attention")


def stable_rows(config: CARDConfig, steps: StepReading, turning: Tensor) -> Tensor:
    """(B,) bool: the history is thinned. "removal" is TDM, which thins histories of two items as well."""
    if config.routing == "removal":
        return torch.ones_like(turning)
    return steps.routed & ~turning & (config.routing == "routed")


def candidate_slots(config: CARDConfig, steps: StepReading, mask: Tensor) -> Tensor:
    """(B, L) bool: potential turning points."""
    if config.candidate_threshold is not None:
        return below(steps.continuity, mask, config.candidate_threshold)
    if config.candidate_level is None:
        return mask
    return below_average(steps.continuity, mask, config.candidate_level, steps.pairs)


def numbered_slots(history: Tensor) -> Tensor:
    """(B, L) -> (B, L): the numbers 1..L of the slots in place of their items, padding as it is."""
    numbers = torch.arange(1, history.shape[1] + 1, device=history.device).expand_as(history)
    return numbers.masked_fill(history == PADDING, PADDING)


def at_slots(values: Tensor, slots: Tensor, empty: float) -> Tensor:
    """(B, L) -> (B, L): the ``values`` of the numbered ``slots``, ``empty`` where there is none."""
    return values.gather(1, (slots - 1).clamp(min=0)).masked_fill(slots == PADDING, empty)


def thin_in_training(
    config: CARDConfig, history: Tensor, steps: StepReading, stable: Tensor, generator: Generator | None
) -> Tensor:
    """(B, L) -> (B, L): the ``stable`` rows (B,) with some of their items gone."""
    chosen = stable[:, None]
    if config.sequence_rate < 1 or config.stability_scaled:
        edited = sequence_probability(steps.entropy, config.sequence_rate, config.stability_scaled)
        chosen = chosen & draw_removal(edited[:, None], generator)
    drawn = draw_removal(removal_chance(config, steps, history != PADDING), generator)
    return thin(config, history, drawn & chosen)


def thin_at_inference(
    config: CARDConfig, history: Tensor, steps: StepReading, stable: Tensor, generator: Generator | None
) -> Tensor:
    """The same with common draws for all rows, and without the softmax over the batch: a list may not depend on the
    rows beside it.
    """
    common = torch.rand(1, 1 + history.shape[1], generator=seeded(generator)).to(history.device)
    chosen = stable[:, None] & (common[:, :1] < config.sequence_rate)
    drawn = common[:, 1:] < removal_chance(config, steps, history != PADDING)
    return thin(config, history, drawn & chosen)
