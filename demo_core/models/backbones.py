"""Recommenders that can stand frozen inside another one: which there are, and how the host says what it wants."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any, Self

import torch
from torch import Tensor

from demo_core.layers import items_before, window
from demo_core.models.base import PublishedConfig, RecommenderConfig, SequenceEncoder
from demo_core.models.bert4rec import BERT4Rec, BERT4RecConfig
from demo_core.models.cbit import CBiT, CBiTConfig
from demo_core.models.sasrec import SASRec, SASRecConfig
from demo_core.models.srgnn import SRGNN, SRGNNConfig
from demo_core.sequences import PADDING

BACKBONES: dict[str, tuple[type[SequenceEncoder], type[RecommenderConfig]]] = {
    "sasrec": (SASRec, SASRecConfig),
    "srgnn": (SRGNN, SRGNNConfig),
    "bert4rec": (BERT4Rec, BERT4RecConfig),
    "cbit": (CBiT, CBiTConfig),
}
_SHARED = ("num_items", "embedding_dim")  # host and backbone have one value
_OWN_NAMES = {"max_epochs": "backbone_epochs"}


@dataclass(frozen=True, kw_only=True)
class HostConfig(PublishedConfig):
    """The config of a model with a backbone. ``backbone``: its name in :data:`BACKBONES`.

    ``backbone_<field>`` is that field of the backbone's own config; ``None`` leaves it at its default, and a backbone
    ignores what it lacks. ``backbone_max_length`` ``None``: the host's window.
    """

    backbone: str = "sasrec"
    backbone_max_length: int | None = None
    backbone_layers: int = 2
    backbone_heads: int = 2
    backbone_steps: int | None = None
    backbone_dropout: float = 0.2
    backbone_input_dropout: float = 0.2
    backbone_mask_rate: float | None = None
    backbone_last_masked_share: float | None = None
    backbone_random_share: float | None = None
    backbone_kept_share: float | None = None
    backbone_views: int | None = None
    backbone_temperature: float | None = None
    backbone_contrast_ratio: float | None = None
    backbone_contrast_rate: float | None = None
    backbone_learning_rate: float = 1e-3
    backbone_weight_decay: float | None = None
    backbone_batch_size: int | None = None
    backbone_epochs: int = 20
    backbone_rows_per_epoch: int | None = None
    backbone_patience: int | None = None
    backbone_weight_average: float | None = None
    backbone_neighbour_target_rate: float | None = None

    def backbone_config(self) -> RecommenderConfig:
        """Of the backbone alone; ``ValueError`` for a name that is not in :data:`BACKBONES`."""
        self.require_one_of("backbone", BACKBONES)
        config = BACKBONES[self.backbone][1]
        values: dict[str, Any] = {name: getattr(self, name) for name in _SHARED}
        values["max_length"] = self.backbone_max_length or self.max_length
        for field in dataclasses.fields(config):
            value = getattr(self, _OWN_NAMES.get(field.name, f"backbone_{field.name}"), None)
            if field.name not in values and value is not None:
                values[field.name] = value
        return config(**values)

    def hosting(self, backbone: SequenceEncoder) -> Self:
        """The same config for this trained backbone: all that its recipe says is taken over, and what that leaves out
        stays unsaid, so that a field that a backbone got later does not make another recipe of its hosts.
        """
        own, said = backbone.config, backbone.config.recipe()
        changes: dict[str, Any] = {name: getattr(own, name) for name in _SHARED}
        changes["backbone"] = name_of(backbone)
        changes["backbone_max_length"] = None if own.max_length == self.max_length else own.max_length
        known = {field.name for field in dataclasses.fields(self)}
        for field in dataclasses.fields(own):
            name = _OWN_NAMES.get(field.name, f"backbone_{field.name}")
            if name in known and name not in changes:
                changes[name] = said.get(field.name)
        return dataclasses.replace(self, **changes)


def name_of(backbone: object) -> str | None:
    """The name of a backbone in :data:`BACKBONES`, or ``None``."""
    return next((name for name, (model, _) in BACKBONES.items() if type(backbone) is model), None)


def create_backbone(config: HostConfig) -> SequenceEncoder:
    """A new backbone with PyTorch's current random state."""
    own = config.backbone_config()
    return BACKBONES[config.backbone][0](own)


def read_untrained_mask(
    backbone: SASRec, sequence: Tensor, position: Tensor, embedding: Tensor
) -> tuple[Tensor, Tensor]:
    """:meth:`SASRec.masked_context` as released GlobalDiff has it: the state is read at a mask token (id M + 1) whose
    ``embedding`` (D,) SASRec never met in its training. The mean ends with it (released: over all ten positions).
    """
    mask_token = backbone.config.num_items + 1
    shown = sequence.scatter(1, position[:, None], mask_token)
    tokens = window(items_before(shown, position + 1), backbone.config.max_length)
    mask = tokens != PADDING
    embedded = torch.where((tokens == mask_token)[..., None], embedding, backbone.item_embedding(tokens))
    states = backbone.encoder(embedded, mask)
    return states[:, -1], (states * mask[..., None]).sum(dim=1) / mask.sum(dim=1, keepdim=True)
