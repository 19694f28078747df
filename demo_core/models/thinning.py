"""How TDM thins training histories, and CARD the stable ones: the settings, in the readings of text and released code.

The released removal is two decisions, whether a history is edited at all and which of its items go. Its departures from
the text are one field each; the table is in ``tdm.py``.
"""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from demo_core.models.guided_config import GuidedDiffusionConfig
from demo_core.stability import (
    StepReading,
    read_padded_steps,
    read_steps,
    removal_probability,
    remove,
    remove_shifting,
    window_removal_probability,
)

REMOVAL_SCALES = ("pairs", "window")


@dataclass(frozen=True, kw_only=True)
class ThinningConfig(GuidedDiffusionConfig):
    """``sequence_rate`` p_1: mean share of histories that are edited; ``stability_scaled``: the even ones of a batch
    more often. ``removal_rate`` p_2: an item goes with chance p_2 * con * ``removal_scale``, which is the number of
    "pairs" (then p_2 is the mean chance) or the length of the "window". ``padded_entropy``: continuity is shared among
    all pairs of the window, padding included. ``shifting_removal``: items move up while they are tested.
    """

    sequence_rate: float = 1.0
    removal_rate: float = 0.1
    padded_entropy: bool = False
    stability_scaled: bool = False
    removal_scale: str = "pairs"
    shifting_removal: bool = False

    def require_known_choices(self) -> None:
        super().require_known_choices()
        self.require_one_of("removal_scale", REMOVAL_SCALES)


def read_history(config: ThinningConfig, embeddings: Tensor, mask: Tensor) -> StepReading:
    """Embeddings (B, L, D) and their real slots (B, L) -> the steps as ``config`` reads them."""
    return read_padded_steps(embeddings, mask) if config.padded_entropy else read_steps(embeddings, mask)


def removal_chance(config: ThinningConfig, steps: StepReading, mask: Tensor) -> Tensor:
    """Chance that a test of slot n succeeds in an edited history, (B, L); 0 for the newest item and padding."""
    if config.removal_scale == "window":
        return window_removal_probability(steps.continuity, mask, config.removal_rate)
    return removal_probability(steps.continuity, mask, config.removal_rate)


def thin(config: ThinningConfig, history: Tensor, drawn: Tensor) -> Tensor:
    """``history`` (B, L) without the slots that were ``drawn`` (B, L), or those that the shift puts in their place."""
    return remove_shifting(history, drawn) if config.shifting_removal else remove(history, drawn)
