"""Settings of DiffuASR (``diffuasr``): its departures from paper and released code.

Departures of ``default``, with the reason:

| paper / released code | here | why |
| --- | --- | --- |
| ``guidance_in_loss`` (code): the guided mixture learns the noise | guidance at sampling; \
a tenth of the rows is unguided | the network learns to undo it |
| ``vectors_of_denoiser`` (code): item vectors learn from the denoising error | from next items | nothing else keeps \
them apart |
| ``predicts`` "noise" | "velocity" (Salimans & Ho 2022, arXiv 2202.00512) | a narrow network cannot hand on all the \
noise, and at t = T - 1 what it misses is magnified 150 times |
| ``independent_rounding`` (code): repeats, items of the history | new items, each once | repeats add nothing |
| guidance by a classifier's gradient | classifier-free alone | in the code it is a part of the noise to learn |
| a sequence's first m items | those of each training row's window | all models have the same window |
| m = 10 | 5, into free slots, none before an empty history | windows are short |
| a sequence is lengthened once, all its items the guide | each prefix from itself | its targets would guide |
| test histories get what was generated in training | when asked; ``augment_at_inference`` | the same for new ones |
| vectors of any length; the guide is their sum | of length sqrt(D); their mean | noise of variance 1 hides short ones |
| ``network`` "unet": 8 x 8 images with m channels | "mlp" | neighbours in such an image have no meaning |
| five steps from t = 800 | from T - 1 | sampling begins where no signal is left |
| denoiser for 3,000 epochs | as long as the first SASRec, whose NDCG@20 chooses the epoch | one training loop |
| the next item is the target | on Zhihu also items from around it (``neighbour_target_rate``) | one of many as good |
"""

from __future__ import annotations

from dataclasses import dataclass

from demo_core.models.sasrec import SASRecConfig
from demo_core.models.sequence_denoisers import DENOISERS

PREDICTED = ("velocity", "noise")


@dataclass(frozen=True, kw_only=True)
class DiffuASRConfig(SASRecConfig):
    """The fields of :class:`SASRecConfig` are those of both SASRecs.

    ``generated_items`` m: at most so many are put before a history. ``diffusion_steps`` T >= 21, of which
    ``inference_steps`` are walked; ``guidance_strength`` of sampling (0: conditional); ``unguided_share`` of the
    training rows have no guide. ``predicts`` "velocity" or "noise". ``network`` "mlp" of width ``hidden_dim``, or
    "unet", for a width D of 16, 64, 256...
    ``augment_at_inference``: asked histories are lengthened too.

    Of the released code: ``guidance_in_loss``: the guided mixture predicts the noise in training, and no guide is left
    out. ``vectors_of_denoiser``: the first phase is the denoising error alone, and item vectors learn from it.
    Nothing else of the first SASRec is trained then, and still its NDCG@20 chooses the epoch.
    ``independent_rounding``: a generated place takes the nearest item of all, whatever stands elsewhere.
    """

    generated_items: int = 5
    diffusion_steps: int = 1000
    inference_steps: int = 5
    guidance_strength: float = 1.0
    unguided_share: float = 0.1
    predicts: str = "velocity"
    network: str = "mlp"
    hidden_dim: int = 256
    augment_at_inference: bool = True
    guidance_in_loss: bool = False
    vectors_of_denoiser: bool = False
    independent_rounding: bool = False

    def __post_init__(self) -> None:
        self.require_one_of("network", DENOISERS)
        self.require_one_of("predicts", PREDICTED)
        if self.generated_items < 1:
            raise ValueError(f"generated_items: expected at least 1, got {self.generated_items}.")
