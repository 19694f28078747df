"""What a visitor may turn at inference, and what a model can tell about a history."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from demo_core.stability import StepReading


@dataclass(frozen=True)
class Controls:
    """What a visitor may turn at inference; ``None`` keeps the model's own value, and a model ignores what it lacks.

    ``threshold``: evenness above which CARD calls a history turning (or entropy, if that is its
    :attr:`RouteExplanation.threshold_unit`). ``steps``: denoising steps.
    ``guidance_strength``: classifier-free guidance, 0 = conditional only.
    """

    threshold: float | None = None
    steps: int | None = None
    guidance_strength: float | None = None


@dataclass(frozen=True)
class RouteExplanation:
    """How CARD or TDM reads B histories. Slots are the L columns of ``history``; pair n joins slots n and n + 1.

    ``history`` (B, L) the window that was read, ids. ``steps``: cosine, continuity, pairs, entropy, evenness, routed.
    ``turning`` (B,) bool: routed and evenness above ``threshold``. ``removal`` (B, L): chance that the slot is
    dropped when the history is thinned in training. The last three are ``None`` for a model without PER:
    ``candidate`` (B, L) bool: a below-average step leads to this slot; ``per`` (B, L): prediction error reduction, 0
    without a future item in the window; ``weight`` (B, L) in (0, 2): what the attention really uses.

    What differs between the readings of CARD and TDM: ``threshold_unit`` "evenness" or "entropy" (nats). ``padded``:
    continuity is shared among all L - 1 pairs, so that columns of padding have some too. ``weight_at_inference``:
    otherwise the weights are those of training, and recommending reads the plain window. ``effect`` (B, L): guessed
    change of the answer without the item (KL, nats), where the weights are made of that and not of PER.
    """

    history: Tensor
    steps: StepReading
    turning: Tensor
    threshold: float | None
    removal: Tensor
    candidate: Tensor | None
    per: Tensor | None
    weight: Tensor | None
    threshold_unit: str = "evenness"
    padded: bool = False
    weight_at_inference: bool = True
    effect: Tensor | None = None


@dataclass(frozen=True)
class VoteExplanation:
    """Two voters, all (B, M + 1): ``personal`` and ``global_`` sum to 1 over candidates, ``fused`` ranks.

    They are what is fused: GlobalDiff's reading "l2" has two directions there, with negative values, and no
    probabilities. ``gamma`` in [0, 1] is the personal voter's share.
    """

    personal: Tensor
    global_: Tensor
    fused: Tensor
    gamma: float


@dataclass(frozen=True)
class DenoisingStep:
    """What a model expects to find at one step of its sampling, for B histories.

    ``vector`` (B, D): where that lies among the item embeddings. ``scores`` (B, M + 1): how items would be ranked if
    sampling ended here; column 0 is -inf.
    """

    vector: Tensor
    scores: Tensor


Explanation = RouteExplanation | VoteExplanation
