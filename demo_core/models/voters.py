"""Recommenders of counted ties that can stand beside a backbone: which there are, and how a host names them."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

from demo_core.models.backbones import HostConfig
from demo_core.models.item_knn import ItemKNN, ItemKNNConfig
from demo_core.models.item_votes import ItemVotes, ItemVotesConfig
from demo_core.models.slit import SLIT, SLITConfig

VOTERS: dict[str, tuple[type[ItemVotes], type[ItemVotesConfig]]] = {
    "item_knn": (ItemKNN, ItemKNNConfig),
    "slit": (SLIT, SLITConfig),
}


@dataclass(frozen=True, kw_only=True)
class VoterConfig(HostConfig):
    """The config of a model with a backbone and with votes of the history's items. ``voter``: a name in
    :data:`VOTERS`; ``voter_<field>`` is that field of its own config, where it has one.
    """

    voter: str = "item_knn"
    voter_neighbours: int = 500
    voter_recency_decay: float = 0.8
    voter_ridge: float = 100.0

    def voter_config(self) -> ItemVotesConfig:
        """Of the voter alone; ``ValueError`` for a name that is not in :data:`VOTERS`."""
        self.require_one_of("voter", VOTERS)
        config = VOTERS[self.voter][1]
        names = {field.name for field in dataclasses.fields(config)}
        own = {name: getattr(self, f"voter_{name}") for name in names if hasattr(self, f"voter_{name}")}
        return config(num_items=self.num_items, max_length=self.max_length, **own)


def create_voter(config: VoterConfig) -> ItemVotes:
    """A new voter; nothing of it is trained."""
    own = config.voter_config()
    model: type[ItemVotes] = VOTERS[config.voter][0]
    return model(own)
