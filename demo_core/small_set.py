"""A small set of models for somebody's own data: trained one after the other, saved as each is done, told as it goes.

The settings are those of the public data set that is most alike in length of history.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from demo_core.checkpoint import Bundle
from demo_core.datasets import LEAVE_ONE_OUT_FULL, Dataset, DatasetEntry, assemble
from demo_core.health import failures
from demo_core.measure import Subject
from demo_core.models import backbone_name, create, preset, with_backbone
from demo_core.models.backbones import HostConfig
from demo_core.models.base import Recommender, RecommenderConfig
from demo_core.models.item_knn import ItemKNNConfig
from demo_core.models.popularity import PopularityConfig
from demo_core.own_data import EFFORTS, SMALL_SET
from demo_core.prepared import Sequences
from demo_core.shipping import ship, training_record
from demo_core.training import Epoch, fit

LONG_HISTORY = 40
"""Training rows a person from which a data set is like MovieLens; below it is like Amazon Beauty."""


@dataclass(frozen=True)
class Planned:
    """What comes, in order: each model with its epochs at most, 0 where it only counts."""

    epochs: dict[str, int]


@dataclass(frozen=True)
class Began:
    """A model's turn has come."""

    model: str


@dataclass(frozen=True)
class Learned:
    """A model has finished an epoch."""

    model: str
    epoch: Epoch


@dataclass(frozen=True)
class Trained:
    """A model is saved: its figures on the held-out last items, and what is wrong with its lists."""

    model: str
    protocol: str
    rows: int
    metrics: dict[str, float]
    problems: tuple[str, ...]


News = Planned | Began | Learned | Trained


def train_small_set(
    dataset: Dataset,
    folder: Path,
    models: Sequence[str],
    effort: str,
    seed: int,
    tell: Callable[[News], None],
) -> None:
    """Trains ``models`` out of :data:`SMALL_SET` and saves each as ``folder / name``.

    ``ValueError`` for an unknown model or effort, or when a loss is not finite.
    """
    unknown = [name for name in models if name not in SMALL_SET]
    if unknown or not models or effort not in EFFORTS:
        wrong = unknown or ([effort] if models else "nothing")
        raise ValueError(
            f"Expected models out of {', '.join(SMALL_SET)} and an effort out of {', '.join(EFFORTS)}, got {wrong}."
        )
    configs = {name: recipe(name, dataset, effort) for name in SMALL_SET if name in models}
    tell(Planned({name: _epochs(config, "sasrec" in configs) for name, config in configs.items()}))
    backbone: Recommender | None = None
    for name, config in configs.items():
        tell(Began(name))
        host = backbone if isinstance(config, HostConfig) else None
        model = create(name, config if host is None else with_backbone(config, host), seed)
        if host is not None:
            model.get_submodule("backbone").load_state_dict(host.state_dict())
        skip = () if host is None else ("backbone",)
        tell(_trained(name, model, dataset, folder / name, effort, seed, skip, tell))
        backbone = model if name == "sasrec" else backbone


def own_dataset(name: str, title: str, noun: str, sequences: Sequences) -> Dataset:
    """Each person's last item for the test, the one before it for validation; ranked as on the public data sets."""
    return assemble(name, sequences, known=DatasetEntry(title, noun, LEAVE_ONE_OUT_FULL, None))


def recipe(name: str, dataset: Dataset, effort: str) -> RecommenderConfig:
    """The settings of ``name``: tuned on the public data set that is most alike, shortened to the ``effort``."""
    like = "movielens" if len(dataset.train) / max(len(dataset.test), 1) >= LONG_HISTORY else "beauty"
    config = preset(name, "default", like, dataset.catalogue.num_items)
    limits = EFFORTS[effort]
    changes = []
    for part in ("", "backbone_"):
        for field, most in ((f"{part}rows_per_epoch", limits.rows), (_epochs_field(part), limits.epochs)):
            value = getattr(config, field, None)
            if most is not None and hasattr(config, field):
                changes.append(f"{field}={most if value is None else min(most, value)}")
    return config.override(*changes)


def _epochs(config: RecommenderConfig, has_backbone: bool) -> int:
    """How many epochs a training has at most; models that only count have none."""
    if isinstance(config, PopularityConfig | ItemKNNConfig):
        return 0
    own = config.backbone_epochs if isinstance(config, HostConfig) and not has_backbone else 0
    return config.max_epochs + own


def _epochs_field(part: str) -> str:
    return f"{part}epochs" if part else "max_epochs"


def _trained(
    name: str,
    model: Recommender,
    dataset: Dataset,
    folder: Path,
    effort: str,
    seed: int,
    skip: tuple[str, ...],
    tell: Callable[[News], None],
) -> Trained:
    report = fit(
        model,
        dataset,
        seed=seed,
        skip=skip,
        progress=False,
        watch=lambda epoch: tell(Learned(name, epoch)),
    )
    bundle = Bundle(
        model,
        name,
        effort,
        dataset.name,
        dataset.protocol.name,
        dataset.catalogue,
        training=training_record(report, seed, model.config),
    )
    subject = Subject(name, effort, backbone_name(model), seed, report.epochs, report.seconds_per_epoch)
    shipped = ship(bundle, dataset, subject, folder)
    run = next(run for run in shipped.runs if run.split == "test")
    return Trained(name, run.protocol, run.rows, run.metrics, failures(run.health))
