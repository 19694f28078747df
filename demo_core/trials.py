"""What is measured beside the plain test: ablations and sweeps that need a training of their own, and extra
measurements of a model that is trained already (lost or foreign items, denoising steps, the released reading, voters).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from torch import Tensor

from demo_core.datasets import Dataset, swapped_test
from demo_core.evaluation import Reading
from demo_core.measure import Measurement, Subject, Trial, measure
from demo_core.models.base import Controls, PublishedConfig, Recommender
from demo_core.models.presets import voter_settings
from demo_core.perturbation import with_items_deleted, with_items_inserted
from demo_core.variants import ALL_STEPS, AS_RELEASED, DELETED, INSERTED, RELEASED_TEST, SLIT_VOTES, STEPS

DRAWS = 3  # random deletions or insertions a share; the same for every model
SHARES = (0.1, 0.2, 0.3, 0.5)
STEP_COUNTS = (1, 2, 5, 10, 20, 50, 100)
GUIDANCE_STRENGTHS = (0.5, 1.0, 2.0, 4.0)
RELEASED_BATCH = 256
ABLATIONS = {
    "no_routing": ("routing=attention",),
    "no_attention": ("routing=removal",),
    "neither": ("routing=none",),
    "own_targets": ("neighbour_target_rate=0.0",),
    "gaps_in_training": ("missing_rate=0.5",),
    "no_bag": ("bag_guidance=False",),
    "drop_one_weights": ("weights_from=drop_one",),
    "learned_threshold": ("learned_threshold=True",),
    "no_votes": ("vote_share=0.0", "start=scaled-softmax"),
    "unet2d": ("network=unet2d",),
    "mlp1": ("network=mlp1",),
    "mlp2": ("network=mlp2",),
    "context_state": ("guidance=state",),
    "context_none": ("guidance=none",),
    "softmax_of_queries": ("softmax_axis=queries",),
    "damaged_rows": ("in_place=True",),
    "own_positives": ("observed_positives=True",),
    "random_insertion": ("random_insertion=True",),
}


def settings_of(variant: str, dataset: str) -> tuple[str, ...]:
    """What a variant with its own training changes: a named ablation, or settings "name=value", comma-separated.

    Another voter comes as it is tuned on ``dataset``. ``ValueError`` for a name that is neither.
    """
    if variant == SLIT_VOTES:
        return ("voter=slit", *voter_settings("slit", dataset))
    if variant in ABLATIONS:
        return ABLATIONS[variant]
    changes = tuple(variant.split(","))
    if not all("=" in change for change in changes):
        raise ValueError(f"Expected one of {sorted([*ABLATIONS, SLIT_VOTES])} or name=value, got {variant!r}.")
    return changes


@dataclass(frozen=True)
class Extra:
    """A measurement of a trained model. ``trials`` makes the passes over the test rows, none where it does not apply.

    ``gamma``: GlobalDiff's vote while it is measured; ``None`` leaves it.
    """

    variant: str
    trials: Callable[[Recommender, Dataset], list[Trial]]
    gamma: float | None = None

    def applies_to(self, model: Recommender, dataset: Dataset) -> bool:
        """Whether there is anything to measure."""
        if self.gamma is not None and not isinstance(getattr(model, "gamma", None), Tensor):
            return False
        return bool(self.trials(model, dataset))

    @contextmanager
    def prepared(self, model: Recommender) -> Iterator[None]:
        """Within it the model votes with ``gamma``."""
        if self.gamma is None:
            yield
            return
        gamma = model.get_buffer("gamma")
        own = gamma.clone()
        gamma.fill_(self.gamma)
        try:
            yield
        finally:
            gamma.copy_(own)

    def measure(
        self, model: Recommender, dataset: Dataset, subject: Subject, other: Callable[[], Recommender]
    ) -> Measurement:
        """The mean over the trials, on the test split. ``other()``: an independently trained model of the same seed."""
        return measure(model, dataset, "test", subject, self.trials(model, dataset))


def no_trials(model: Recommender, dataset: Dataset) -> list[Trial]:
    """For a measurement that makes no passes of this kind and says itself where it applies."""
    return []


def missing() -> tuple[Extra, ...]:
    """A share of every history's items lost at random at test time."""

    def lost(share: float) -> Callable[[Recommender, Dataset], list[Trial]]:
        return lambda model, data: [
            Trial(with_items_deleted(data.test, share, draw), seen=data.test) for draw in range(DRAWS)
        ]

    return tuple(Extra(f"{DELETED}={share}", lost(share)) for share in SHARES)


def foreign() -> tuple[Extra, ...]:
    """Random items inserted into every history at test time."""

    def added(share: float) -> Callable[[Recommender, Dataset], list[Trial]]:
        return lambda model, data: [
            Trial(with_items_inserted(data.test, share, data.catalogue.num_items, draw), seen=data.test)
            for draw in range(DRAWS)
        ]

    return tuple(Extra(f"{INSERTED}={share}", added(share)) for share in SHARES)


def steps() -> tuple[Extra, ...]:
    """1, 2, 5, ... denoising steps."""
    return tuple(Extra(f"{STEPS}={count}", _walked(count)) for count in STEP_COUNTS)


def all_steps() -> tuple[Extra, ...]:
    """Every step that the diffusion was trained with: a thousand of them take minutes."""
    return (Extra(ALL_STEPS, _walked(None)),)


def _walked(count: int | None) -> Callable[[Recommender, Dataset], list[Trial]]:
    def trials(model: Recommender, data: Dataset) -> list[Trial]:
        most = getattr(model.config, "diffusion_steps", 0)
        asked = most if count is None else count
        return [Trial(data.test, Controls(steps=asked))] if 0 < asked <= most else []

    return trials


def guidance() -> tuple[Extra, ...]:
    """Classifier-free guidance at inference, on weights trained without knowing of it."""

    def guided(strength: float) -> Callable[[Recommender, Dataset], list[Trial]]:
        def trials(model: Recommender, data: Dataset) -> list[Trial]:
            known = hasattr(model.config, "guidance_strength")
            return [Trial(data.test, Controls(guidance_strength=strength))] if known else []

        return trials

    return tuple(Extra(f"guidance_strength={strength:g}", guided(strength)) for strength in GUIDANCE_STRENGTHS)


def released() -> tuple[Extra, ...]:
    """As the model's authors measured it; and, on leave-one-out data, every model under GlobalDiff's released test."""

    def own(model: Recommender, data: Dataset) -> list[Trial]:
        reading, config = Reading.of(model.config), model.config
        swapped = isinstance(config, PublishedConfig) and config.swapped_test and data.protocol.exclude_history
        if (reading == Reading() and not swapped) or len(data.test) < (reading.complete_batches_of or 0):
            return []
        return [Trial(swapped_test(data) if swapped else data.test, reading=reading)]

    def swapped_for_all(model: Recommender, data: Dataset) -> list[Trial]:
        if not data.protocol.exclude_history or len(data.test) < RELEASED_BATCH:
            return []
        reading = Reading(exclusion="window", complete_batches_of=RELEASED_BATCH)
        return [Trial(swapped_test(data), reading=reading)]

    return Extra(AS_RELEASED, own), Extra(RELEASED_TEST, swapped_for_all)


def voters() -> tuple[Extra, ...]:
    """GlobalDiff's two voters, each alone."""

    def plain(model: Recommender, data: Dataset) -> list[Trial]:
        return [Trial(data.test)]

    return Extra("personal_voter", plain, gamma=1.0), Extra("global_voter", plain, gamma=0.0)


EXTRAS: dict[str, Callable[[], tuple[Extra, ...]]] = {
    "missing": missing,
    "foreign": foreign,
    "steps": steps,
    "all_steps": all_steps,
    "guidance": guidance,
    "released": released,
    "voters": voters,
}
