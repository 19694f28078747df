"""All recommenders. ``MODELS`` is the only list of them; ``create`` and ``preset`` are how they are made."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import torch

from demo_core.models.base import Recommender, RecommenderConfig
from demo_core.models.card import CARD, CARDConfig
from demo_core.models.globaldiff import GlobalDiff, GlobalDiffConfig
from demo_core.models.item_knn import ItemKNN, ItemKNNConfig
from demo_core.models.popularity import Popularity, PopularityConfig
from demo_core.models.presets import TUNED
from demo_core.models.repeat_last import RepeatLast, RepeatLastConfig
from demo_core.models.sasrec import SASRec, SASRecConfig
from demo_core.models.tdm import TDM, TDMConfig


@dataclass(frozen=True)
class ModelEntry:
    """One recommender: its class, its config class, and how it is called on the page.

    ``presets``: what "released" and "paper" change per data set, ``None`` standing for every other one; "default" is
    tuned in ``presets.py``.
    """

    model: type[Recommender]
    config: type[RecommenderConfig]
    title: str
    presets: Mapping[str, Mapping[str | None, tuple[str, ...]]] = field(default_factory=dict)


MODELS: dict[str, ModelEntry] = {
    "popularity": ModelEntry(Popularity, PopularityConfig, "Popularity"),
    "item_knn": ModelEntry(ItemKNN, ItemKNNConfig, "Item-kNN"),
    "repeat_last": ModelEntry(RepeatLast, RepeatLastConfig, "Repeat last"),
    "sasrec": ModelEntry(SASRec, SASRecConfig, "SASRec"),
    "tdm": ModelEntry(TDM, TDMConfig, "TDM"),
    "card": ModelEntry(CARD, CARDConfig, "CARD"),
    "globaldiff": ModelEntry(GlobalDiff, GlobalDiffConfig, "GlobalDiff"),
}


def entry(name: str) -> ModelEntry:
    """The entry called ``name``; ``ValueError`` naming the known ones otherwise."""
    if name not in MODELS:
        raise ValueError(f"Unknown model {name!r}; known: {', '.join(MODELS)}.")
    return MODELS[name]


def preset(name: str, preset_name: str, dataset: str, num_items: int) -> RecommenderConfig:
    """The config of model ``name`` for a data set: class defaults, then what that preset changes.

    ``ValueError`` for a preset that the model does not have.
    """
    known = entry(name)
    settings: Mapping[str | None, tuple[str, ...]]
    if preset_name == "default":
        settings = {data: changes for (model, data), changes in TUNED.items() if model == name}
    elif preset_name in known.presets:
        settings = known.presets[preset_name]
    else:
        raise ValueError(
            f"{known.title} has no preset {preset_name!r}; known: {', '.join(['default', *known.presets])}."
        )
    changes = settings.get(dataset, settings.get(None, ()))
    return known.config(num_items=num_items).override(*changes)


def create(name: str, config: RecommenderConfig, seed: int) -> Recommender:
    """A new model whose initial weights follow from ``seed`` alone."""
    with torch.random.fork_rng(devices=[]):  # weights are made on the CPU; GPUs need not even be set up
        torch.default_generator.manual_seed(seed)
        return entry(name).model(config)


def backbone_name(model: Recommender) -> str | None:
    """Which recommender stands frozen inside ``model``, as :data:`MODELS` calls it; ``None`` where there is none."""
    inner = dict(model.named_children()).get("backbone")
    return next((name for name, known in MODELS.items() if type(inner) is known.model), None)


def with_backbone(config: RecommenderConfig, backbone: Recommender) -> RecommenderConfig:
    """A GlobalDiff config for this trained backbone; ``ValueError`` when one cannot carry the other."""
    if not isinstance(config, GlobalDiffConfig) or not isinstance(backbone, SASRec):
        raise ValueError(f"Expected GlobalDiff on SASRec, got {type(config).__name__} on {type(backbone).__name__}.")
    own = backbone.config
    return replace(
        config,
        num_items=own.num_items,
        max_length=own.max_length,
        embedding_dim=own.embedding_dim,
        backbone_layers=own.layers,
        backbone_heads=own.heads,
        backbone_dropout=own.dropout,
        backbone_input_dropout=own.input_dropout,
        backbone_learning_rate=own.learning_rate,
        backbone_epochs=own.max_epochs,
        backbone_rows_per_epoch=own.rows_per_epoch,
    )
