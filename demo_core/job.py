"""One training of the grid: which model, with which settings, on which data."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from demo_core.models import preset
from demo_core.models.base import RecommenderConfig
from demo_core.runs import Run
from demo_core.trials import settings_of

AT_LEAST_ONE = (
    *("max_length", "embedding_dim", "hidden_dim", "layers", "heads", "blocks"),
    *("batch_size", "rows_per_epoch", "max_epochs", "diffusion_steps", "inference_steps"),
)
"""Settings that a model may lack, or leave to the data (``None``), and of which there can be no fewer."""


@dataclass(frozen=True)
class Job:
    """One training. ``variant``: ``None``, or an ablation or sweep value that needs a training of its own.

    ``backbone``: the model that GlobalDiff stands on; it is trained, or taken from the work folder, with the same seed.
    ``settings``: further "name=value" changes, which no variant names. ``protocol`` "long-term" splits the data set in
    another way than its own (``None``).
    """

    model: str
    preset: str
    dataset: str
    seed: int
    backbone: str | None = None
    variant: str | None = None
    settings: tuple[str, ...] = ()
    protocol: str | None = None

    @property
    def title(self) -> str:
        parts = [self.model, f"on {self.backbone}" if self.backbone else "", self.preset, self.variant or ""]
        place = f"{self.dataset} {self.protocol}" if self.protocol else self.dataset
        return f"{' '.join(part for part in parts if part)}, {place}, seed {self.seed}"

    def under(self, model: str, seed: int) -> Job:
        """The default ``model`` on the same data, which this job stands on or is held against."""
        return Job(model, "default", self.dataset, seed, protocol=self.protocol)

    def config(self, num_items: int) -> RecommenderConfig:
        """The settings that this job is trained with."""
        own = preset(self.model, self.preset, self.dataset, num_items)
        if self.backbone is not None:
            own = own.override(f"backbone={self.backbone}")
        changes = settings_of(self.variant, self.dataset) if self.variant else ()
        return changed(own, *changes, *self.settings)

    @property
    def folder(self) -> str:
        """The name of the folder with its weights."""
        place, recipe = (self.dataset, self.protocol), (self.model, self.backbone, self.preset, self.variant)
        names = (*place, *recipe, *self.settings, f"seed{self.seed}")
        return "-".join(name.replace("/", "_") for name in names if name)


def changed(config: RecommenderConfig, *settings: str) -> RecommenderConfig:
    """``config`` with "name=value" ``settings``; ``ValueError`` for one that it has not, for another number of items
    than that of its data set, and for none of :data:`AT_LEAST_ONE`.
    """
    own = config.override(*settings)
    for name in AT_LEAST_ONE:
        if getattr(own, name, None) is not None and getattr(own, name) < 1:
            raise ValueError(f"Expected {name} of 1 or more, got {getattr(own, name)}.")
    if own.num_items != config.num_items:
        raise ValueError(
            f"Expected settings without num_items, which is that of the data set, got num_items={own.num_items}. Leave "
            "it out."
        )
    return own


def time_left(jobs: Iterable[Job], runs: Iterable[Run], device: str) -> str:
    """How long ``jobs`` take on ``device`` at most, in words: each as long as the newest of ``runs`` with its model and
    data set there, one without such a run as long as those take on average.
    """
    known: dict[tuple[str, str], float] = {}
    for run in runs:
        if run.device != device or (run.epochs and not run.seconds_per_epoch):
            continue
        known[run.model, run.dataset] = run.epochs * run.seconds_per_epoch + 2 * run.inference_seconds
    if not known:
        return "time left not known yet"
    mean = sum(known.values()) / len(known)
    seconds = sum(known.get((job.model, job.dataset), mean) for job in jobs)
    return f"at most {seconds / 3600:.1f} h left" if seconds > 3600 else f"at most {seconds / 60:.0f} min left"
