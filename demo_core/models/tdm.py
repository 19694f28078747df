"""TDM: recommendation under missing data by continuity-guided removal (SIGIR 2025, arXiv 2505.12283).

The idea: items that merely continue the taste before them can go. Training histories are thinned by chance, the more
readily the more continuous a step is, so that the diffusion model learns to guess a taste that is only partly seen.

Equations: continuity -> ``stability.continuity``; its entropy -> ``stability.continuity_entropy``; which histories are
edited, by G(sta, p_1) -> ``stability.sequence_probability``; which items go, by L(con, p_2) ->
``stability.removal_probability``; reverse process (Algorithm 2) -> ``diffusion.sample``. TDM reads a high entropy as
*stable*. The full text was not available: the algorithm follows the published figure, the summary in the CARD paper
and the released code.

Departures of ``default``, one field each, with the reason:

| field | released code (paper where it differs) | default | why |
| --- | --- | --- | --- |
| ``padded_entropy`` | over all slots with padding (paper: real pairs) | real pairs | padding says nothing about taste |
| ``sequence_rate`` | p_1 = 0.1 | 1 | p_1 = p_2 = 0.1 takes 0.7 % of the items |
| ``stability_scaled`` | chance scaled by a softmax over the batch | no | depends on the rows beside it |
| ``removal_scale`` | p_2 * con * window length (paper: open) | pairs | then p_2 is the mean chance |
| ``shifting_removal`` | items move up while they are tested (paper: not) | no | slip: it tests the wrong item |

By the shift the last item can go, and a history can end before its last item; both are otherwise impossible. All else,
the collapse of the lists included: ``guided_config``. ``released`` are the settings of the repository's instructions,
``None`` standing for those of KuaiRec; ``paper`` has the same, without the slips.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Generator, Tensor

from demo_core.layers import window
from demo_core.models.base import Controls, RouteExplanation
from demo_core.models.guided_config import PAPER_GUIDED, PAPER_STRIDED, RELEASED_GUIDED, RELEASED_STRIDED
from demo_core.models.guided_diffusion import GuidedDiffusion
from demo_core.models.thinning import ThinningConfig, read_history, removal_chance, thin
from demo_core.sequences import PADDING
from demo_core.stability import StepReading, draw_removal, sequence_probability

SETTINGS: dict[str | None, tuple[str, ...]] = {
    "zhihu": ("diffusion_steps=1000", "learning_rate=0.01", "guidance_strength=6.0"),
    "yoochoose": ("diffusion_steps=2000", "learning_rate=1e-4", "guidance_strength=0.0"),
    None: ("diffusion_steps=2000", "learning_rate=5e-5", "guidance_strength=2.0", "max_epochs=30"),
}
PAPER_THINNING = ("sequence_rate=0.1", "removal_rate=0.1", "stability_scaled=True")
RELEASED_THINNING = (*PAPER_THINNING, "padded_entropy=True", "removal_scale=window", "shifting_removal=True")
RELEASED = {
    dataset: (*RELEASED_GUIDED, *RELEASED_STRIDED, *RELEASED_THINNING, "evaluation_dropout=True", *settings)
    for dataset, settings in SETTINGS.items()
}
PAPER = {dataset: (*PAPER_GUIDED, *PAPER_STRIDED, *PAPER_THINNING, *settings) for dataset, settings in SETTINGS.items()}


@dataclass(frozen=True, kw_only=True)
class TDMConfig(ThinningConfig):
    """No field of its own: how histories are thinned is all that TDM adds."""


class TDM(GuidedDiffusion):
    config: TDMConfig

    def prepare_history(
        self, history: Tensor, generator: Generator | None, controls: Controls
    ) -> tuple[Tensor, Tensor | None]:
        if not self.training:
            return history, None
        config = self.config
        steps, removal = self._read(history)
        edited = sequence_probability(steps.entropy, config.sequence_rate, config.stability_scaled)
        drawn = draw_removal(edited[:, None], generator)
        return thin(config, history, draw_removal(removal, generator) & drawn), None

    @torch.inference_mode()
    def explain(self, history: Tensor, controls: Controls | None = None) -> RouteExplanation:
        history = window(history, self.config.max_length)
        steps, removal = self._read(history)
        return RouteExplanation(
            history=history,
            steps=steps,
            turning=torch.zeros_like(steps.routed),
            threshold=None,
            removal=removal,
            candidate=None,
            per=None,
            weight=None,
            padded=self.config.padded_entropy,
        )

    @torch.no_grad()
    def _read(self, history: Tensor) -> tuple[StepReading, Tensor]:
        """The steps of (B, L), and the chance that each slot is removed in an edited history, (B, L)."""
        mask = history != PADDING
        steps = read_history(self.config, self.item_embedding(history), mask)
        return steps, removal_chance(self.config, steps, mask)
