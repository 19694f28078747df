"""PDRec's settings, and what the presets change. The model and the table of departures: ``pdrec``."""

from __future__ import annotations

from dataclasses import dataclass

from demo_core.models.diffrec import DiffRecConfig
from demo_core.models.next_item_bases import NextItemHostConfig

LOSSES = ("cross_entropy", "binary")


@dataclass(frozen=True, kw_only=True)
class PDRecConfig(NextItemHostConfig):
    """``backbone``: the recommender, "sasrec", "srgnn" or "gru4rec"; ``backbone_<field>`` are its settings and those of
    its training, the others belong to the diffusion. ``backbone_neighbour_target_rate`` acts with ``loss``
    "cross_entropy" alone.

    Diffusion: ``hidden_dim``, ``input_dropout``, ``diffusion_steps``, ``noise_scale``, ``noise_low``, ``noise_high``
    and ``oldest_weight`` as in ``DiffRecConfig`` (``hidden_dim`` is its ``embedding_dim``).

    Positives: ``rank_share`` r in [0, 1] of their weights comes from their ranks; ``weight_ceiling`` c cuts the weights
    off, ``weight_scale`` s multiplies them. Unobserved positives: the ``coarse_positives`` items that the diffusion
    likes best, and of these the ``fine_positives`` that the backbone does, count ``positive_weight`` (lambda).
    Negatives, ``loss`` "binary" alone: drawn from between the shares ``low_from`` and ``low_to`` of the diffusion's
    list. ``loss``: "cross_entropy" or "binary" (the paper's, on cosines times ``cosine_scale`` tau).

    As released: ``observed_positives``: the sequence's own items stay among the unobserved positives.
    """

    hidden_dim: int = 200
    input_dropout: float = 0.5
    diffusion_steps: int = 10
    noise_scale: float = 0.01
    noise_low: float = 5e-4
    noise_high: float = 5e-3
    oldest_weight: float = 0.5
    learning_rate: float = 3e-3
    batch_size: int = 256
    rank_share: float = 0.1
    weight_ceiling: float = 1.0
    weight_scale: float = 1.0
    coarse_positives: int = 50
    fine_positives: int = 5
    positive_weight: float = 0.0125
    low_from: float = 0.9
    low_to: float = 0.99
    loss: str = "cross_entropy"
    cosine_scale: float = 5.0
    observed_positives: bool = False

    def __post_init__(self) -> None:
        super().__post_init__()
        self.require_one_of("loss", LOSSES)
        if not 1 <= self.fine_positives <= self.coarse_positives:
            raise ValueError(
                f"fine_positives: expected 1 to coarse_positives={self.coarse_positives}, got {self.fine_positives}."
            )
        if not 0 <= self.low_from < self.low_to <= 1:
            raise ValueError(
                f"low_from: expected 0 <= low_from < low_to <= 1, got {self.low_from} and low_to={self.low_to}."
            )

    def diffusion_config(self) -> DiffRecConfig:
        """Of the time-weighted DiffRec; what is not named here is as in DiffRec's ``default``."""
        return DiffRecConfig(
            num_items=self.num_items,
            max_length=self.max_length,
            embedding_dim=self.hidden_dim,
            input_dropout=self.input_dropout,
            diffusion_steps=self.diffusion_steps,
            noise_scale=self.noise_scale,
            noise_low=self.noise_low,
            noise_high=self.noise_high,
            oldest_weight=self.oldest_weight,
        )


BOOK = (
    *("hidden_dim=256", "noise_high=0.01", "oldest_weight=0.3", "backbone_learning_rate=1e-3", "cosine_scale=10.0"),
    *("weight_scale=4.0", "weight_ceiling=3.0", "rank_share=0.5", "low_from=0.8"),
    *("coarse_positives=100", "fine_positives=1", "positive_weight=0.01"),
)
TOY = (
    *("hidden_dim=1000", "backbone_learning_rate=5e-3", "cosine_scale=5.0"),
    *("weight_scale=4.0", "weight_ceiling=1.0", "rank_share=0.1", "low_from=0.9"),
    *("coarse_positives=50", "fine_positives=5", "positive_weight=0.05"),
)
TRAINING = (
    *("loss=binary", "learning_rate=5e-5", "weight_decay=0.5", "max_length=200", "backbone_heads=1"),
    *("max_epochs=200", "patience=10", "weight_average=0.0"),
    *("backbone_batch_size=128", "backbone_weight_decay=0.0", "backbone_weight_average=0.0"),
    *("backbone_epochs=200", "backbone_patience=10"),
)
# The authors' settings for SASRec: those of their Books where titles are many, those of their Toys elsewhere.
PAPER = {"beauty": (*TRAINING, *TOY), None: (*TRAINING, *BOOK)}
RELEASED = {dataset: (*settings, "observed_positives=True") for dataset, settings in PAPER.items()}
