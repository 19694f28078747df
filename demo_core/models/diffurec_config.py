"""Settings of DiffuRec (``diffurec``): its departures from paper and released code, and the presets.

Departures of ``default``, one field each where there is one, with the reason:

| paper / released code | here | why |
| --- | --- | --- |
| ``elementwise_share`` (code): a lambda for every number of a vector | one an item | as the paper says |
| ``forward_noise`` (code): steps add noise of variance beta_t | the posterior's | as the forward process asks |
| ``padding_as_item`` (code): padding is a key to all items, its vector is trained | hidden, zero | it says nothing |
| ``rank_padding`` (code): padding is among the answers | the M items alone | only they can be recommended |
| ``inference_steps`` 32 | 4 | the list is the same |
| 4 blocks, 4 heads, width 128 | 2, 2, 64 | all models have the same width |
| ``initial_scale`` 1 | 0.02 | what is never trained stays long and leads every list |
| ``decay_every`` 100 epochs | constant rate, averaged weights | minutes, not days |
| no row without a history | one learned item, [start] | an empty history has to be answered |
| the next item is the target | on Zhihu also items from around it (``neighbour_target_rate``) | one of many as good |
| noises and lambdas of sampling for each row | shared by all rows | an answer does not depend on its neighbours |
| up to 20 steps the schedule ends at another rate | refused | half of the signal would be left in x_T |
| feed-forward with the approximate GELU; frequencies 10000^(-2k / D) | shared ``layers`` | no difference |

An empty history in ``released`` is a window of padding. In the released code padding's own queries see everything
evenly; so they do here. The steps of training are uniform there too: its loss-aware sampler is never told of a loss.
The best epoch is the last one at which any of six validation metrics had a record; here NDCG@20 decides. ``paper`` has
the released settings without what only the code has.
"""

from __future__ import annotations

from dataclasses import dataclass

from demo_core.models.config import PublishedConfig
from demo_core.models.neighbour_targets import NeighbourTargetsConfig

LEAST_STEPS = 21


@dataclass(frozen=True, kw_only=True)
class DiffuRecConfig(PublishedConfig, NeighbourTargetsConfig):
    """The Transformer has ``layers`` blocks of ``heads`` heads, ``dropout`` inside, after each block and at the end;
    ``input_dropout`` acts on the items' embeddings, whose initial standard deviation is ``initial_scale``.

    ``diffusion_steps`` T >= 21, of which ``inference_steps`` are walked at inference. ``noise_share`` delta: mean and
    standard deviation of lambda, the share of the noised target in every item; ``elementwise_share``: one for every
    number of an item's vector. ``forward_noise``: steps of sampling add noise of variance beta_t in place of the
    posterior's. ``padding_as_item``: padding is read like an item, with a trained vector. With
    ``rank_padding`` it is among the answers of training as well. ``decay_every``: epochs after which the learning rate
    falls to a tenth (``None``: never).
    """

    layers: int = 2
    heads: int = 2
    dropout: float = 0.1
    input_dropout: float = 0.3
    initial_scale: float = 0.02
    diffusion_steps: int = 32
    inference_steps: int = 4
    noise_share: float = 0.001
    elementwise_share: bool = False
    forward_noise: bool = False
    padding_as_item: bool = False
    decay_every: int | None = None

    def learning_rate_at(self, epoch: int) -> float:
        if self.decay_every is None:
            return self.learning_rate
        return self.learning_rate * 0.1 ** (epoch // self.decay_every)


PAPER_SETTINGS = (
    *("embedding_dim=128", "max_length=50", "layers=4", "heads=4", "dropout=0.1", "input_dropout=0.3"),
    *("initial_scale=1.0", "diffusion_steps=32", "inference_steps=32", "noise_share=0.001"),
    *("learning_rate=1e-3", "decay_every=100", "weight_decay=0.0", "weight_average=0.0", "batch_size=512"),
    *("max_epochs=500", "patience=100"),
)
PAPER: dict[str | None, tuple[str, ...]] = {None: PAPER_SETTINGS}
RELEASED: dict[str | None, tuple[str, ...]] = {
    None: (
        *PAPER_SETTINGS,
        *("elementwise_share=True", "forward_noise=True"),
        *("padding_as_item=True", "rank_padding=True", "exclusion=nothing"),
    )
}
