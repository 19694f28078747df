"""Which of our settings is which of RecBole's, and what has no counterpart.

| RecBole 1.2.1, all models | ours |
| --- | --- |
| MAX_ITEM_LIST_LENGTH | max_length |
| train_batch_size, learning_rate, epochs | batch_size, learning_rate, max_epochs |
| learner = adamw, weight_decay | AdamW, weight_decay |
| rows_per_epoch (no key of RecBole: rows are drawn for it as we draw them) | rows_per_epoch |
| stopping_step + 1, valid_metric = NDCG@20 | patience, selection |
| loss_type = CE, no negatives | cross-entropy over all items |

| model | RecBole's own keys | ours |
| --- | --- | --- |
| gru4rec | embedding_size and hidden_size; num_layers; dropout_prob | embedding_dim; layers; input_dropout |
| sasrec, bert4rec, lightsans | hidden_size; inner_size | embedding_dim; four times that |
| | n_layers, n_heads; hidden_dropout_prob and attn_dropout_prob | layers, heads; dropout |
| bert4rec | mask_ratio, ft_ratio | mask_rate, last_masked_share |
| lightsans | k_interests | interests |
| caser | embedding_size, nh, nv, dropout_prob | embedding_dim, horizontal_filters, vertical_filters, dropout |
| | reg_weight = 0 | none: weight_decay is the only penalty |
| srgnn | embedding_size, step | embedding_dim, steps |

What is left as it is, as the other side has nothing like it:

| model | RecBole | ours |
| --- | --- | --- |
| all | padding is one of the softmax's answers | weight_average, neighbour_target_rate |
| | rows with an empty history are left out | they are one learned item [start] |
| | tables of their own scale: Xavier, N(0, 1 / D), uniform in +-1 / sqrt(D) | N(0, 0.02) |
| gru4rec | GRU without biases, a linear map behind it | biases, a bias of each item, dropout behind the GRU |
| sasrec, bert4rec | post-norm, positions from the oldest item | pre-norm, positions from the newest, an item bias |
| sasrec, bert4rec, lightsans | one dropout for all (our dropout) | input_dropout on the items |
| bert4rec | hides items of the history alone, never the row's target | history and target are one window |
| | at most mask_ratio times the window are asked for; half of the *batches* hide the newest | no bound; rows |
| caser | a vector of the person, who is known from training | the history alone |
| | one table for image and scores, ReLU on the state, no bias | two tables, no ReLU, an item bias; input_dropout |
| lightsans | softmax over the queries, padding is pooled and attended to | over the keys, padding is left out |
| srgnn | no dropout | dropout, input_dropout |
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from demo_core.models.base import RecommenderConfig
from demo_core.models.bert4rec import BERT4RecConfig
from demo_core.models.caser import CaserConfig
from demo_core.models.gru4rec import GRU4RecConfig
from demo_core.models.lightsans import LightSANsConfig
from demo_core.models.sasrec import SASRecConfig
from demo_core.models.srgnn import SRGNNConfig
from demo_core.reference import Setting

Settings = dict[str, Setting]


@dataclass(frozen=True)
class Counterpart:
    """A model of RecBole: the name of its class, and its own keys from our config."""

    name: str
    settings: Callable[[Any], Settings]


def _gru4rec(config: GRU4RecConfig) -> Settings:
    return {
        "embedding_size": config.embedding_dim,
        "hidden_size": config.embedding_dim,
        "num_layers": config.layers,
        "dropout_prob": config.input_dropout,
    }


def _transformer(config: SASRecConfig | BERT4RecConfig | LightSANsConfig) -> Settings:
    return {
        "hidden_size": config.embedding_dim,
        "inner_size": 4 * config.embedding_dim,
        "n_layers": config.layers,
        "n_heads": config.heads,
        "hidden_dropout_prob": config.dropout,
        "attn_dropout_prob": config.dropout,
        "hidden_act": "gelu",
    }


def _bert4rec(config: BERT4RecConfig) -> Settings:
    return {**_transformer(config), "mask_ratio": config.mask_rate, "ft_ratio": config.last_masked_share}


def _caser(config: CaserConfig) -> Settings:
    return {
        "embedding_size": config.embedding_dim,
        "nh": config.horizontal_filters,
        "nv": config.vertical_filters,
        "dropout_prob": config.dropout,
        "reg_weight": 0.0,
    }


def _lightsans(config: LightSANsConfig) -> Settings:
    return {**_transformer(config), "k_interests": config.interests}


def _srgnn(config: SRGNNConfig) -> Settings:
    return {"embedding_size": config.embedding_dim, "step": config.steps}


COUNTERPARTS: dict[str, Counterpart] = {
    "gru4rec": Counterpart("GRU4Rec", _gru4rec),
    "sasrec": Counterpart("SASRec", _transformer),
    "bert4rec": Counterpart("BERT4Rec", _bert4rec),
    "caser": Counterpart("Caser", _caser),
    "lightsans": Counterpart("LightSANs", _lightsans),
    "srgnn": Counterpart("SRGNN", _srgnn),
}


def settings_of(model: str, config: RecommenderConfig, changes: Sequence[str] = ()) -> Settings:
    """RecBole's settings for our ``config`` of ``model``, and what ``changes`` ("name=value") puts in their place.

    ``ValueError`` for a change of a setting that is not among them.
    """
    settings: Settings = {
        "MAX_ITEM_LIST_LENGTH": config.max_length,
        "train_batch_size": config.batch_size,
        "learning_rate": config.learning_rate,
        "learner": "adamw",
        "weight_decay": config.weight_decay,
        "epochs": config.max_epochs,
        "stopping_step": config.patience - 1,  # RecBole stops at the first epoch beyond it
        "rows_per_epoch": config.rows_per_epoch,
        "loss_type": "CE",
        **COUNTERPARTS[model].settings(config),
    }
    for change in changes:
        name, equals, text = change.partition("=")
        if not equals or name not in settings:
            raise ValueError(f"Expected name=value with a name out of {sorted(settings)}, got {change!r}.")
        settings[name] = _value(text)
    return settings


def _value(text: str) -> Setting:
    try:
        value = ast.literal_eval(text)
    except (ValueError, SyntaxError):
        return text
    return value if isinstance(value, bool | int | float | str | None) else text
