"""Settings of CARD, in the readings of paper, released code and ``default``.

Released code: https://github.com/yanqilong3321/CARD. Departures of ``default``, one field each, with the reason:

| field | released code (paper where it differs) | default | why |
| --- | --- | --- | --- |
| ``padded_entropy`` | over padded slots (paper: real pairs) | real pairs | it measured padding |
| ``threshold_entropy`` | lambda_stb 1.8893 (paper: 0.5 to 2.0) | quantile of the evenness | one route got everything |
| ``routing`` | both routes (Table 2: one for all) | both routes | the others are ablations |
| ``candidate_threshold`` | con < 0.1 (paper: turning points, not defined) | below average | 0.1 is near 1/9 by chance |
| ``predictor`` | no positions, h_0 = 0 (paper: open) | own | PER is to be a matter of the order too |
| ``raw_vectors`` | embeddings | their directions | length is popularity |
| ``padded_future`` | mean over W slots (paper: open) | mean of the items there are | pads are not the future |
| ``auxiliary_weight`` | 0 (paper: a task without a formula) | 1 | else PER is no error: it drifts to 10^6 |
| ``weight_gradient`` | through the weights (paper: open) | none | they would learn to be large, not right |
| ``per_mean`` | mean over D (paper: squared norm) | squared norm | as the paper; T takes care of the unit |
| ``per_temperature_unit`` | T = 1 | multiples of PER's usual size (RMS) | all weights were 0, 1 or 2 |
| ``weights_on`` | see ``guided_config`` | its attention | the first LayerNorm undoes a factor |
| ``weights_at_inference`` | no (paper: open) | yes | the page shows what is used |
| ``thin_at_inference`` | no (paper: open) | no | lists stay the same |
| ``learned_threshold`` | no | no | a variant of ours: ``learned_threshold.py`` |
| ``weights_from`` | PER | PER | "drop_one" is a variant of ours: ``drop_one.py`` |

Where PER is undefined, since no future item is in the window, it is 0 and the weight 1. On real pairs a history of
fewer than three items takes no route: there is nothing to be more or less even. Thinning: ``tdm.py``.

``released`` are the settings of the repository's instructions, ``None`` standing for those of KuaiRec; there are none
for YooChoose, which has TDM's. ``paper`` weighs every item of a turning history (Eq. 5) and takes the published
threshold, which on real pairs says "eight items or more".
"""

from __future__ import annotations

from dataclasses import dataclass

from demo_core.models.config import later
from demo_core.models.guided_config import PAPER_GUIDED, PAPER_STRIDED, RELEASED_GUIDED, RELEASED_STRIDED
from demo_core.models.tdm import PAPER_THINNING, RELEASED_THINNING, SETTINGS
from demo_core.models.thinning import ThinningConfig

CHOICES: dict[str, tuple[str, ...]] = {
    "routing": ("routed", "attention", "removal", "none"),
    "predictor": ("own", "released"),
    "per_temperature_unit": ("rms", "absolute"),
    "weights_from": ("per", "drop_one"),
}


@dataclass(frozen=True, kw_only=True)
class CARDConfig(ThinningConfig):
    """The thinning is that of stable histories.

    ``routing``: by evenness ("routed"), or the same for every history: "attention" weighs all (Table 2's w/o Routing),
    "removal" thins all (w/o Attention), "none" does neither. ``threshold_quantile`` of the training histories' evenness
    is the threshold, found on ``threshold_sample`` of them; ``threshold_entropy`` (nats) is an absolute one in place of
    it, on the entropy. ``learned_threshold``: training moves the quantile from where ``threshold_quantile`` puts it,
    and a history is turning by degrees, ``threshold_softness`` wide.

    ``candidate_level``: a step below this multiple of the average continuity makes its item a potential turning point,
    the only ones that are weighed (``None``: every item is); ``candidate_threshold`` is an absolute bound in place of
    it.

    ``future_window`` W: items whose mean MLP_aux predicts; ``padded_future`` takes W slots whatever they hold.
    ``raw_vectors``: it reads and predicts embeddings, not directions. ``predictor``: "own" or "released".
    ``auxiliary_weight`` weighs its loss; ``weight_gradient``: it also learns through the weights.

    ``per_temperature`` T in multiples of PER's root mean square, or "absolute". ``per_mean``: PER is divided by D.
    ``weights_from`` "per" or "drop_one" (then T counts in multiples of that effect's spread, and ``drop_one_rows`` of
    a batch show the true one). ``weights_at_inference``, ``thin_at_inference``: recommending does so too; the draws
    then follow from the seed and are the same for all rows.
    """

    routing: str = "routed"
    threshold_quantile: float = 0.5
    threshold_entropy: float | None = None
    threshold_sample: int = 20000
    candidate_level: float | None = 1.0
    candidate_threshold: float | None = None
    future_window: int = 3
    padded_future: bool = False
    raw_vectors: bool = False
    predictor: str = "own"
    auxiliary_weight: float = 1.0
    weight_gradient: bool = False
    per_temperature: float = 2.0
    per_temperature_unit: str = "rms"
    per_mean: bool = False
    weights_from: str = "per"
    drop_one_rows: int = 16
    weights_at_inference: bool = True
    thin_at_inference: bool = False
    learned_threshold: bool = later(False)
    threshold_softness: float = later(0.1)

    def require_known_choices(self) -> None:
        super().require_known_choices()
        for field, known in CHOICES.items():
            self.require_one_of(field, known)
        if self.learned_threshold and (self.routing != "routed" or self.threshold_entropy is not None):
            raise ValueError(
                f'learned_threshold: expected routing "routed" and no threshold_entropy, got {self.routing!r} and '
                f"{self.threshold_entropy!r}."
            )


PUBLISHED = ("threshold_entropy=1.8893", "future_window=3", "per_temperature=1.0", "per_temperature_unit=absolute")
RELEASED_CARD = (
    *(*RELEASED_GUIDED, *RELEASED_STRIDED, *RELEASED_THINNING, *PUBLISHED),
    *("candidate_threshold=0.1", "predictor=released", "raw_vectors=True", "padded_future=True"),
    *("auxiliary_weight=0.0", "weight_gradient=True", "per_mean=True", "weights_at_inference=False"),
)
PAPER_CARD = (
    *(*PAPER_GUIDED, *PAPER_STRIDED, *PAPER_THINNING, *PUBLISHED),
    *("candidate_level=None", "raw_vectors=True"),
)
RELEASED = {dataset: (*RELEASED_CARD, *settings) for dataset, settings in SETTINGS.items()}
PAPER = {dataset: (*PAPER_CARD, *settings) for dataset, settings in SETTINGS.items()}
