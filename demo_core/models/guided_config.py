"""Settings of the guided family (DreamRec, TDM, CARD), and what their papers and released codes have in common.

All three released codes share one network: https://github.com/YangZhengyi98/DreamRec, https://github.com/maowenyu-11/TDM
and https://github.com/yanqilong3321/CARD.

Departures of ``default``, one field each, with the reason:

| field | released code (paper where it differs) | default | why |
| --- | --- | --- | --- |
| ``encoder`` | one layer, one head, ReLU, positions from the oldest item | two pre-norm layers | ranks better |
| ``exact_zero_masks`` | padding is what sums to exactly 0 (paper: padding) | ids | hides 8 % of real queries at first |
| ``empty_history`` | the last LayerNorm's bias | one learned item | attention never sees only padding |
| ``initial_scale`` | 1 | 0.02 | what is never trained stays long and leads every list |
| ``trained_padding`` | an ordinary row of the table | zero | padding is no item |
| ``item_bias`` | none | learned | popularity need not be part of the direction |
| ``weights_on`` | item + position (CARD's paper: the item) | its attention | a LayerNorm undoes the former |
| ``bag_guidance`` | no | by data set | an item as a cause need not look like it as an effect |
| ``denoiser`` | one linear map | a correction of the guidance | starts as the encoder's own ranking |
| ``noisy_input_scale`` | 1 | by data set | what x_t gives away is not sought in the guidance |
| ``unconditional_rate`` | 0.1 | by data set | at strength 0 the null is never asked for |
| ``diffusion_target`` | the item's embedding | its direction at a fixed length | length is popularity |
| ``target_gradient`` | yes | no | all targets shrink to one point |
| ``error`` | mean square (paper: squared norm) | of directions | as the target |
| ``ranking_weight`` | 0 | 1 | nothing else keeps items apart |
| ``error_weight`` | 1 | 0.1 | the ranking leads |
| ``guidance_ranking_weight`` | 0 | by data set | else the noise slows the encoder down |
| ``neighbour_target_rate`` | 0 | by data set | the next item is one of many as good |
| ``missing_rate`` | 0 | 0 | what is met at test time may be met before |
| ``sampler`` | DDPM (DreamRec), strided DDIM (TDM, CARD) | DDIM, two steps | more steps only cost |
| ``late_time`` | the step's number is one too high (paper: not) | no | slip; step T was never trained |
| ``misindexed_noise`` | noise of another step (paper: none) | no | slip |
| ``project_estimates`` | no | yes | the length is known |
| ``noise_samples`` | 1 | 8 | less chance in the list |
| ``guidance_strength`` | 0 to 6 | 0 | more only cost |

In one thing every preset departs: the noises of sampling are shared by all rows, so that an answer does not depend on
the rows beside it (released: own noise a row).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from torch import Tensor

from demo_core.diffusion import cosine_betas, exp_betas, linear_betas, sqrt_betas
from demo_core.models.base import PublishedConfig
from demo_core.models.neighbour_targets import NeighbourTargetsConfig

SCHEDULES: dict[str, Callable[[int], Tensor]] = {
    "linear": linear_betas,
    "exp": exp_betas,
    "cosine": cosine_betas,
    "sqrt": sqrt_betas,
}

CHOICES: dict[str, tuple[str, ...]] = {
    "schedule": tuple(SCHEDULES),
    "encoder": ("transformer", "released"),
    "empty_history": ("start", "nothing"),
    "weights_on": ("attention", "embedding", "input"),
    "denoiser": ("residual", "linear", "mlp"),
    "diffusion_target": ("direction", "embedding"),
    "error": ("direction", "mean_square", "squared_norm"),
    "sampler": ("ddim", "ddpm", "strided"),
    "scoring": ("inner", "cosine", "distance"),
}


@dataclass(frozen=True, kw_only=True)
class GuidedDiffusionConfig(PublishedConfig, NeighbourTargetsConfig):
    """Shared fields of the guided family; :data:`CHOICES` lists the values of those that are names.

    Reading the history: ``encoder`` "transformer" (``layers``, ``heads``) or "released" (always one of each), with
    ``exact_zero_masks`` (see ``guidance_encoder``). ``empty_history`` is read as a learned item ("start") or as
    "nothing" at all. ``initial_scale``: standard deviation of the initial embeddings. ``trained_padding``: the padding
    row is an ordinary one. ``weights_on``: an item's weight multiplies its "attention", its "embedding", or the
    "input", which is embedding + position. ``bag_guidance``: a second encoder, ``bag_encoder``, adds to the guidance;
    ``bag_dropout``: share of the items that it misses in training.

    Diffusion: ``unconditional_rate``: share of training rows whose guidance is replaced by a learned null.
    ``target_scale``: length of a "direction" per sqrt(D); small values hide the target in the noise, so that the
    denoiser has to use the guidance. ``noisy_input_scale`` multiplies x_t on its way into the denoiser.

    Loss: the weights of cross-entropy, error (summed over D for "direction" and "squared_norm"), cross-entropy of the
    guidance itself, and contrast of guidance and target within the batch at ``contrastive_temperature``.
    ``missing_rate``: every training history first loses a share of its items at random, uniform between 0 and this.

    Sampling, from ``noise_samples`` common noises whose results are averaged: "ddim" walks ``inference_steps`` of
    ``diffusion_steps``, "ddpm" all of them with noise, "strided" is DDIM on every ``stride``-th, with the slips
    ``late_time`` and ``misindexed_noise`` (``diffusion.strided_steps``). ``guidance_strength`` w >= 0 (0: conditional
    only). ``project_estimates`` to the length of a target before each next step.

    Scoring: "inner" product, "cosine" or negative Euclidean "distance". ``trained_items_only``: an item that was never
    a training target ranks below all others.
    """

    layers: int = 2
    heads: int = 2
    dropout: float = 0.2
    input_dropout: float = 0.2
    encoder: str = "transformer"
    exact_zero_masks: bool = False
    empty_history: str = "start"
    initial_scale: float = 0.02
    trained_padding: bool = False
    item_bias: bool = True
    weights_on: str = "attention"
    bag_guidance: bool = False
    bag_dropout: float = 0.5
    schedule: str = "linear"
    diffusion_steps: int = 1000
    denoiser: str = "residual"
    noisy_input_scale: float = 1.0
    diffusion_target: str = "direction"
    target_gradient: bool = False
    target_scale: float = 0.05
    unconditional_rate: float = 0.1
    error: str = "direction"
    ranking_weight: float = 1.0
    error_weight: float = 0.1
    guidance_ranking_weight: float = 0.0
    missing_rate: float = 0.0
    contrastive_weight: float = 0.0
    contrastive_temperature: float = 0.1
    sampler: str = "ddim"
    inference_steps: int = 2
    stride: int = 100
    late_time: bool = False
    misindexed_noise: bool = False
    project_estimates: bool = True
    noise_samples: int = 8
    guidance_strength: float = 0.0
    scoring: str = "inner"
    trained_items_only: bool = False

    def require_known_choices(self) -> None:
        """``ValueError`` naming the field and the known values where a name is none of :data:`CHOICES`."""
        for field, known in CHOICES.items():
            self.require_one_of(field, known)


# The network and its training, as released and as the papers have it. What the papers leave open is as released.
SHARED_NETWORK = (
    *("embedding_dim=64", "max_length=10", "encoder=released", "layers=1", "heads=1"),
    *("dropout=0.1", "input_dropout=0.1", "empty_history=nothing", "initial_scale=1.0", "item_bias=False"),
    *("denoiser=linear", "diffusion_target=embedding", "target_gradient=True", "unconditional_rate=0.1"),
    *("ranking_weight=0.0", "error_weight=1.0", "project_estimates=False", "noise_samples=1"),
    *("batch_size=256", "weight_decay=0.0", "weight_average=0.0", "max_epochs=1000", "patience=1000"),
)

# Common to the released codes. CARD measures in evaluation mode, DreamRec and TDM with dropout on
# (``evaluation_dropout``). CARD keeps the epoch with the best test HR@20. The other two print test figures all along
# and keep none; what they published is the level of such a best one, so it is selected in the same way.
RELEASED_GUIDED = (
    *SHARED_NETWORK,
    *("exact_zero_masks=True", "trained_padding=True", "weights_on=input", "error=mean_square"),
    *("independent_batches=True", "evaluation_batch=100", "rank_padding=True", "exclusion=nothing"),
    *("selection_split=test", "selection_metric=hr@20"),
)
# How TDM and CARD sample.
RELEASED_STRIDED = ("sampler=strided", "stride=100", "late_time=True", "misindexed_noise=True")

# As the papers say: a squared norm, weights on the item, no slip; chosen on validation, every row measured.
PAPER_GUIDED = (*SHARED_NETWORK, "weights_on=embedding", "error=squared_norm")
# TDM's Algorithm 2: the same steps without the slips.
PAPER_STRIDED = ("sampler=strided", "stride=100")
