"""DreamRec: sequential recommendation by guided diffusion ("Generate What You Prefer: Reshaping Sequential
Recommendation via Guided Diffusion", NeurIPS 2023, arXiv 2310.20453).

The idea: nobody classifies candidates; from the history, a diffusion model generates the embedding of the item that
would be ideal, and the real items next to it are recommended. TDM and CARD are this model plus an idea of how the
history is read, so it is what theirs are measured against.

| algorithm | function |
| --- | --- |
| 1, training | ``GuidedDiffusion.loss``, ``denoise_training`` |
| 2, generation (DDPM, classifier-free guidance of strength w) | ``diffusion.ddpm_steps``, ``guided``, ``sample`` |

Departures: none beyond the table in ``guided_config``. ``released`` are the settings of the repository's instructions,
``None`` standing for those of KuaiRec; the text gives search ranges that hold them, so ``paper`` has them as well. It
leaves the depth of the encoder and of the denoiser open: as released.
"""

from __future__ import annotations

from dataclasses import dataclass

from torch import Generator, Tensor

from demo_core.models.base import Controls
from demo_core.models.guided_config import PAPER_GUIDED, RELEASED_GUIDED, GuidedDiffusionConfig
from demo_core.models.guided_diffusion import GuidedDiffusion

SETTINGS: dict[str | None, tuple[str, ...]] = {
    "zhihu": ("diffusion_steps=500", "schedule=linear", "learning_rate=0.01", "guidance_strength=4.0"),
    "yoochoose": ("diffusion_steps=500", "schedule=exp", "learning_rate=0.001", "guidance_strength=2.0"),
    None: ("diffusion_steps=2000", "schedule=cosine", "learning_rate=5e-5", "guidance_strength=2.0"),
}
RELEASED = {
    dataset: (*RELEASED_GUIDED, "evaluation_dropout=True", "sampler=ddpm", *settings)
    for dataset, settings in SETTINGS.items()
}
PAPER = {dataset: (*PAPER_GUIDED, "sampler=ddpm", *settings) for dataset, settings in SETTINGS.items()}


@dataclass(frozen=True, kw_only=True)
class DreamRecConfig(GuidedDiffusionConfig):
    """No field of its own."""


class DreamRec(GuidedDiffusion):
    config: DreamRecConfig

    def prepare_history(
        self, history: Tensor, generator: Generator | None, controls: Controls
    ) -> tuple[Tensor, Tensor | None]:
        return history, None
