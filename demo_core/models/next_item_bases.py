"""Base models that a host trains on or reads through: those that learn from the next item alone.

The backbones of GlobalDiff without the masked ones, and GRU4Rec.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import ClassVar

from demo_core.models.backbones import HostConfig, create_backbone
from demo_core.models.base import RecommenderConfig, SequenceEncoder
from demo_core.models.gru4rec import GRU4Rec, GRU4RecConfig


@dataclass(frozen=True, kw_only=True)
class NextItemHostConfig(HostConfig):
    """``backbone`` is one of ``BASES``. GRU4Rec takes of ``backbone_<field>`` what SASRec would get, as far as it has
    such a field.
    """

    BASES: ClassVar[tuple[str, ...]] = ("sasrec", "srgnn", "gru4rec")

    def __post_init__(self) -> None:
        self.require_one_of("backbone", self.BASES)

    def backbone_config(self) -> RecommenderConfig:
        if self.backbone != "gru4rec":
            return super().backbone_config()
        given = dataclasses.replace(self, backbone="sasrec").backbone_config().to_dict()
        known = GRU4RecConfig(num_items=self.num_items).to_dict()
        return GRU4RecConfig.from_dict(known | {name: value for name, value in given.items() if name in known})


def create_base(config: NextItemHostConfig) -> SequenceEncoder:
    """A new base with PyTorch's current random state."""
    own = config.backbone_config()
    return GRU4Rec(own) if isinstance(own, GRU4RecConfig) else create_backbone(config)
