"""All recommenders. ``MODELS`` is the only list of them; ``create`` and ``preset`` are how they are made."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import torch

from demo_core.models import card_config, diffrec, diffurec_config, dreamrec, globaldiff, pdrec, tdm
from demo_core.models.actsr import ACTSR, ACTSRConfig
from demo_core.models.adaranker import AdaRanker, AdaRankerConfig
from demo_core.models.backbones import BACKBONES, HostConfig, name_of
from demo_core.models.base import Recommender, RecommenderConfig, SequenceEncoder
from demo_core.models.bert4rec import BERT4Rec, BERT4RecConfig
from demo_core.models.card import CARD, CARDConfig
from demo_core.models.caser import Caser, CaserConfig
from demo_core.models.cbit import CBiT, CBiTConfig
from demo_core.models.cl4srec import CL4SRec, CL4SRecConfig
from demo_core.models.diffrec import DiffRec, DiffRecConfig
from demo_core.models.diffuasr import DiffuASR, DiffuASRConfig
from demo_core.models.diffurec import DiffuRec
from demo_core.models.diffurec_config import DiffuRecConfig
from demo_core.models.dreamrec import DreamRec, DreamRecConfig
from demo_core.models.duorec import DuoRec, DuoRecConfig
from demo_core.models.globaldiff import GlobalDiff, GlobalDiffConfig
from demo_core.models.gru4rec import GRU4Rec, GRU4RecConfig
from demo_core.models.item_knn import ItemKNN, ItemKNNConfig
from demo_core.models.knn_average import KNNAverage, KNNAverageConfig
from demo_core.models.lightsans import LightSANs, LightSANsConfig
from demo_core.models.pdrec import PDRec, PDRecConfig
from demo_core.models.popularity import Popularity, PopularityConfig
from demo_core.models.presets import TUNED
from demo_core.models.repeat_last import RepeatLast, RepeatLastConfig
from demo_core.models.sasrec import SASRec, SASRecConfig
from demo_core.models.slit import SLIT, SLITConfig
from demo_core.models.srgnn import SRGNN, SRGNNConfig
from demo_core.models.ssdrec import SSDRec, SSDRecConfig
from demo_core.models.steam import STEAM, STEAMConfig
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
    "slit": ModelEntry(SLIT, SLITConfig, "SLIT"),
    "repeat_last": ModelEntry(RepeatLast, RepeatLastConfig, "Repeat last"),
    "gru4rec": ModelEntry(GRU4Rec, GRU4RecConfig, "GRU4Rec"),
    "caser": ModelEntry(Caser, CaserConfig, "Caser"),
    "sasrec": ModelEntry(SASRec, SASRecConfig, "SASRec"),
    "srgnn": ModelEntry(SRGNN, SRGNNConfig, "SRGNN"),
    "bert4rec": ModelEntry(BERT4Rec, BERT4RecConfig, "BERT4Rec"),
    "cbit": ModelEntry(CBiT, CBiTConfig, "CBiT"),
    "cl4srec": ModelEntry(CL4SRec, CL4SRecConfig, "CL4SRec"),
    "duorec": ModelEntry(DuoRec, DuoRecConfig, "DuoRec"),
    "lightsans": ModelEntry(LightSANs, LightSANsConfig, "LightSANs"),
    "actsr": ModelEntry(ACTSR, ACTSRConfig, "AC-TSR"),
    "adaranker": ModelEntry(AdaRanker, AdaRankerConfig, "AdaRanker"),
    "ssdrec": ModelEntry(SSDRec, SSDRecConfig, "SSDRec"),
    "steam": ModelEntry(STEAM, STEAMConfig, "STEAM"),
    "diffuasr": ModelEntry(DiffuASR, DiffuASRConfig, "DiffuASR"),
    "diffrec": ModelEntry(DiffRec, DiffRecConfig, "DiffRec", {"released": diffrec.RELEASED, "paper": diffrec.PAPER}),
    "diffurec": ModelEntry(
        DiffuRec, DiffuRecConfig, "DiffuRec", {"released": diffurec_config.RELEASED, "paper": diffurec_config.PAPER}
    ),
    "dreamrec": ModelEntry(
        DreamRec, DreamRecConfig, "DreamRec", {"released": dreamrec.RELEASED, "paper": dreamrec.PAPER}
    ),
    "tdm": ModelEntry(TDM, TDMConfig, "TDM", {"released": tdm.RELEASED, "paper": tdm.PAPER}),
    "card": ModelEntry(CARD, CARDConfig, "CARD", {"released": card_config.RELEASED, "paper": card_config.PAPER}),
    "globaldiff": ModelEntry(
        GlobalDiff, GlobalDiffConfig, "GlobalDiff", {"released": globaldiff.RELEASED, "paper": globaldiff.PAPER}
    ),
    "pdrec": ModelEntry(PDRec, PDRecConfig, "PDRec", {"released": pdrec.RELEASED, "paper": pdrec.PAPER}),
    "knn_average": ModelEntry(KNNAverage, KNNAverageConfig, "kNN average"),
}

BASELINES = ("slit", "item_knn", "repeat_last", "popularity")
"""Made by counting: any seed would give the same, and the health gate is not for them."""


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
    return name_of(dict(model.named_children()).get("backbone"))


def with_backbone(config: RecommenderConfig, backbone: Recommender) -> RecommenderConfig:
    """The config of a model that takes a backbone, for this trained one; ``ValueError`` when they do not fit."""
    if not isinstance(config, HostConfig) or not isinstance(backbone, SequenceEncoder) or name_of(backbone) is None:
        raise ValueError(
            f"Expected a model that takes a backbone on one of {', '.join(BACKBONES)}, got {type(config).__name__} on "
            f"{type(backbone).__name__}."
        )
    return config.hosting(backbone)
