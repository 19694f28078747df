"""Settings of GlobalDiff, in the readings of paper, released code and ``default``.

Departures, each one field (its value in the class first; what ``default`` changes per data set is in ``presets``), with
the reason:

| # | field | paper | released code | why |
| --- | --- | --- | --- | --- |
| 3 | ``similarity_window`` 10 | all | last 10 | a dozen ones can be learned, hundreds cannot |
| 4 | ``zero_support_diagonal`` | 0/0 | zero | every item is like itself |
| 5 | ``position_adjustment`` | Eq. 3 | distance + 1, repeats multiply | the formula |
| 6 | ``mask_window`` random, ``masks_per_sequence`` 1 | several masks | 1, in the last 10 | all history teaches |
| 7 | ``extra_mask_rate`` 0 | no | 0.15, as BERT | inference hides one item |
| 8 | ``network_input`` x_t, ``noisy_input_dropout`` 0.5 | x_t | sign, by a slip | fully shown, x_t is copied |
| 9 | ``network`` mlp | U-Net | 2-d U-Net on a shuffled vector | no image here; exact chain in H |
| 10 | ``schedule``, ``noise_scale`` 1 | - | linear-variance, 0.01 | noise that can be seen |
| 11 | ``objective`` multinomial+error | mse | ce (README), nmse (script) | error alone learns the mean |
| 12 | ``step_sampling`` uniform | uniform | importance | simple |
| 13 | ``halve_rate_every`` None | - | 15 on CBiT and SRGNN | averaged weights |
| 14 | ``train_mode_epochs`` None | - | 1 or 0, by a slip | dropout and batch statistics at work |
| 15 | ``start`` scaled-softmax (``default``: average), ``start_step`` | softmax y at T' | raw logits | range of x_0 |
| - | ``vote_share`` 0 (``default``: chosen on validation) | 0 | 0 | direct ties add what the backbone lacks |
| - | ``newest_masked_share`` 0 (dense data: 1) | random | random | recommending hides the newest |
| 16 | ``reverse`` ddim, ``inference_steps`` 2 of 20 | mean | with noise | the same answer each time, and cheap |
| 17, 19 | ``voter_normalisation`` softmax | "normalise" | softmax, or l2 of raw scores | distributions |
| 18 | ``zero_based_ranks`` no | M..1 | M..0 | the formula |
| 20 | ``seen_before_vote`` no, ``exclusion`` | - | window at -9999 | -9999 distorts the norm |
| 21 | ``rank_padding`` no | - | yes | padding is no item |
| 22 | ``guidance`` both | both | session vector on SRGNN | Figure 4 |
| - | ``guidance_dropout`` 0 | - | 0.3 on SASRec and BERT4Rec | ``mlp`` drops in its blocks |
| 23 | ``untrained_mask`` no | - | SASRec read at an unknown token | a state that was trained |
| 24 | ``clusters`` None, ``cluster_rule`` | K x M | commented out | exact is cheaper |
| 26 | ``selection_voter`` global, ``selection_metric`` | - | fused HR@10 | the diffusion model by its own list |
| - | ``gamma`` None: chosen on validation, 1 included | 0.5 | 0.5 | fusion must not hurt |

1, 2 (``swapped_test``, ``evaluation_batch``) are how the released code measures. The backbone is run once, not in every
step: its answer does not depend on t.

In two more things every preset departs. The mean state of the context is that of the real slots, on SASRec and SR-GNN
of those until the mask (released: of all ten positions, padding and what follows the mask too). The noises of sampling
are shared by all rows, so that an answer does not depend on the rows beside it (released: own noise a row).
"""

from __future__ import annotations

from dataclasses import dataclass

from demo_core.models.voters import VoterConfig

SCHEDULES = ("linear-variance", "linear", "binomial", "cosine")
CHOICES: dict[str, tuple[object, ...]] = {
    "schedule": SCHEDULES,
    "cluster_rule": ("centroid", "representative"),
    "position_adjustment": ("paper", "released"),
    "mask_window": ("random", "last"),
    "network": ("mlp", "mlp1", "mlp2", "unet2d"),
    "network_input": ("x_t", "sign", "l2"),
    "guidance": ("both", "state", "none"),
    "objective": ("multinomial+error", "mse", "nmse", "mce", "bce", "ce"),
    "step_sampling": ("uniform", "importance"),
    "start": ("scaled-softmax", "softmax", "logits", "noise", "votes", "average"),
    "reverse": ("ddim", "posterior", "posterior-noise"),
    "voter_normalisation": ("softmax", "clip", "l2"),
    "fusion": ("borda", "sum", "rrf"),
    "selection_voter": ("global", "fused"),
}


@dataclass(frozen=True, kw_only=True)
class GlobalDiffConfig(VoterConfig):
    """Similarity: ``similarity_window``: newest training items per sequence that make A (``None``: all).
    ``zero_support_diagonal``: an item in no sequence is like itself. ``clusters`` K: similarity to K clusters of items
    (``None``: to items), by ``cluster_rule``.

    Samples: ``zeta``, ``delta``, ``position_adjustment``: Eq. 3. ``mask_window`` "random": every prefix is a sequence;
    "last": one sequence a person, the newest ``max_length`` + 1 training items; each is masked ``masks_per_sequence``
    times an epoch. ``newest_masked_share``: of samples whose newest item is masked rather than a random one.
    ``extra_mask_rate``: chance of any other slot to be altered. ``untrained_mask``: SASRec is read at a token that it
    never learned (SASRec only).

    Network: ``network`` with ``blocks`` ("mlp") and ``dropout``, of width ``hidden_dim``; ``network_input``: what it
    sees of x_t; ``guidance``: which states of the backbone; ``guidance_dropout`` ("unet2d", "mlp1", "mlp2").
    ``noisy_input_dropout``: share of training samples that do not see x_t at all.

    Diffusion: ``schedule`` over ``diffusion_steps`` T, from ``noise_scale`` times ``noise_low`` to ``noise_high``.
    ``objective``; ``logit_scale``: scale from the restored vector to log probabilities, learned by
    "multinomial+error", whose squared error ``error_weight`` weighs. ``step_sampling``. ``train_mode_epochs``: dropout
    (the backbone's too) and batch statistics are in training mode for so many epochs only (``None``: for all, without
    the backbone's). ``halve_rate_every``: epochs after which the learning rate is halved, down to 1e-4.

    Inference: ``start``: x_T made of the backbone's answer y, of the "votes" of the history's items, or of the
    "average" of the two; ``start_step`` T' < T: y stands at step T' (1-based, 0: as x_0) and is noised from there.
    ``vote_share``: how much of the global voter those votes make up (``None``: chosen on validation); ``voter``: where
    they come from. ``reverse`` walks ``inference_steps``. ``voter_normalisation``, ``fusion``,
    ``gamma`` (``None``: chosen on validation); ``zero_based_ranks``: the worst has rank 0. ``seen_before_vote``: the
    window's items get -9999 from both voters. ``selection_voter``: whose list chooses the epoch.
    """

    hidden_dim: int = 128
    blocks: int = 2
    dropout: float = 0.1
    schedule: str = "linear-variance"
    noise_scale: float = 1.0
    noise_low: float = 0.05
    noise_high: float = 0.5
    diffusion_steps: int = 20
    inference_steps: int = 2
    similarity_window: int | None = 10
    zero_support_diagonal: bool = True
    clusters: int | None = None
    cluster_rule: str = "centroid"
    zeta: float = 1.5
    delta: float = 1.0
    position_adjustment: str = "paper"
    mask_window: str = "random"
    masks_per_sequence: int = 1
    newest_masked_share: float = 0.0
    extra_mask_rate: float = 0.0
    untrained_mask: bool = False
    network: str = "mlp"
    network_input: str = "x_t"
    noisy_input_dropout: float = 0.5
    guidance: str = "both"
    guidance_dropout: float = 0.0
    objective: str = "multinomial+error"
    logit_scale: float = 10.0
    error_weight: float = 0.1
    step_sampling: str = "uniform"
    train_mode_epochs: int | None = None
    halve_rate_every: int | None = None
    start: str = "scaled-softmax"
    start_step: int | None = None
    vote_share: float | None = 0.0
    reverse: str = "ddim"
    voter_normalisation: str = "softmax"
    fusion: str = "borda"
    gamma: float | None = None
    zero_based_ranks: bool = False
    seen_before_vote: bool = False
    selection_voter: str = "global"

    def require_known_choices(self) -> None:
        """``ValueError`` naming the first field whose value is none of :data:`CHOICES`, or that does not fit."""
        for name, allowed in CHOICES.items():
            self.require_one_of(name, allowed)
        if self.untrained_mask and self.backbone != "sasrec":
            raise ValueError(f"untrained_mask: only SASRec has no mask token of its own, got {self.backbone!r}.")
        if self.start_step is not None and not 0 <= self.start_step <= self.diffusion_steps:
            raise ValueError(f"start_step: expected 0 to {self.diffusion_steps}, got {self.start_step}.")

    @property
    def has_votes(self) -> bool:
        """Whether the items of the history vote."""
        return self.vote_share != 0 or self.start in ("votes", "average")

    def learning_rate_at(self, epoch: int) -> float:
        if self.halve_rate_every is None:
            return self.learning_rate
        return max(self.learning_rate * 0.5 ** (epoch // self.halve_rate_every), 1e-4)


# What README and scripts of the released code run, with SASRec as the backbone.
_RELEASED_COMMON = (
    *("max_length=9", "learning_rate=1e-3", "weight_decay=0", "batch_size=256", "max_epochs=100", "patience=100"),
    *("weight_average=0", "rows_per_epoch=None", "similarity_window=10", "zero_support_diagonal=False"),
    *("position_adjustment=released", "mask_window=last", "extra_mask_rate=0.15"),
    *("network=unet2d", "network_input=sign", "noisy_input_dropout=0", "noise_scale=0.01", "inference_steps=20"),
    *("objective=ce", "logit_scale=1", "step_sampling=importance", "start=logits", "reverse=posterior-noise"),
    *("gamma=0.5", "zero_based_ranks=True", "seen_before_vote=True", "rank_padding=True", "selection_voter=fused"),
    *("selection_metric=hr@10", "exclusion=nothing", "evaluation_batch=256", "swapped_test=True"),
)
RELEASED_ON: dict[str, tuple[str, ...]] = {
    "sasrec": (
        *("backbone=sasrec", "embedding_dim=128", "hidden_dim=128", "backbone_dropout=0.3"),
        *("backbone_input_dropout=0.3", "untrained_mask=True", "guidance_dropout=0.3", "train_mode_epochs=1"),
        *("voter_normalisation=softmax", "backbone_max_length=10", "halve_rate_every=None", "guidance=both"),
    ),
    "bert4rec": (
        *("backbone=bert4rec", "embedding_dim=256", "hidden_dim=256", "backbone_heads=4", "backbone_max_length=10"),
        *("backbone_mask_rate=0.15", "untrained_mask=False", "guidance_dropout=0.3", "train_mode_epochs=1"),
        *("voter_normalisation=softmax", "halve_rate_every=None", "guidance=both"),
    ),
    "cbit": (
        *("backbone=cbit", "embedding_dim=256", "hidden_dim=256", "backbone_heads=4", "backbone_max_length=10"),
        *("backbone_mask_rate=0.15", "backbone_views=8", "untrained_mask=False", "guidance_dropout=0"),
        *("train_mode_epochs=1", "voter_normalisation=l2", "halve_rate_every=15", "guidance=both"),
    ),
    "srgnn": (
        *("backbone=srgnn", "embedding_dim=256", "hidden_dim=256", "backbone_max_length=9", "untrained_mask=False"),
        *("guidance_dropout=0", "train_mode_epochs=0", "voter_normalisation=l2", "halve_rate_every=15"),
        *("guidance=state", "learning_rate=2.5e-4", "max_epochs=160", "patience=160"),
    ),
}
_PAPER_COMMON = (
    *("max_length=9", "learning_rate=1e-3", "weight_decay=0", "batch_size=256", "max_epochs=100", "patience=100"),
    *("weight_average=0", "rows_per_epoch=None", "similarity_window=None", "mask_window=last", "masks_per_sequence=5"),
    *("network=unet2d", "noisy_input_dropout=0", "noise_scale=0.01", "inference_steps=20", "objective=mse"),
    *("logit_scale=1", "start=softmax", "reverse=posterior", "voter_normalisation=clip", "gamma=0.5"),
    *("selection_voter=fused", "backbone_max_length=10"),
)
# How long and on which rows the backbone learns is not part of either reading: as for SASRec itself.
_SPARSE = ("backbone_learning_rate=1e-3", "backbone_epochs=12")
_DENSE = ("backbone_learning_rate=4e-3", "backbone_epochs=40", "backbone_rows_per_epoch=40000")
_BY_DATA: dict[str | None, tuple[str, ...]] = {
    "zhihu": _SPARSE,
    "beauty": _SPARSE,
    "movielens": _DENSE,
    "ml-1m": _DENSE,
    None: (),
}
RELEASED = {data: (*_RELEASED_COMMON, *RELEASED_ON["sasrec"], *own) for data, own in _BY_DATA.items()}
PAPER = {data: (*_PAPER_COMMON, *own) for data, own in _BY_DATA.items()}
