"""What the released code and the paper say, as settings; and that the default is what it was."""

import pytest
import torch

from demo_core.datasets import DATASETS, toy_world
from demo_core.models import preset
from demo_core.models.globaldiff import GlobalDiff, GlobalDiffConfig
from demo_core.models.globaldiff_config import RELEASED_ON
from demo_core.training import fit

SMALL = ["embedding_dim=8", "hidden_dim=8", "backbone_epochs=1", "max_epochs=1", "batch_size=64"]


def configured(name: str, dataset: str = "ml-1m") -> GlobalDiffConfig:
    config = preset("globaldiff", name, dataset, 30)
    assert isinstance(config, GlobalDiffConfig)
    return config


@pytest.mark.parametrize("dataset", sorted(DATASETS))
@pytest.mark.parametrize("name", ["released", "paper", "default"])
def test_every_preset_is_complete_for_every_data_set(name: str, dataset: str) -> None:
    config = configured(name, dataset)
    config.require_known_choices()
    assert config.backbone_config().num_items == 30


def test_released_is_the_released_column_of_the_table_of_departures() -> None:
    config = configured("released")
    told = {
        "swapped_test": True,  # 1
        "evaluation_batch": 256,  # 2
        "similarity_window": 10,  # 3
        "zero_support_diagonal": False,  # 4
        "position_adjustment": "released",  # 5
        "mask_window": "last",  # 6
        "masks_per_sequence": 1,
        "extra_mask_rate": 0.15,  # 7
        "network_input": "sign",  # 8
        "noisy_input_dropout": 0.0,
        "network": "unet2d",  # 9
        "schedule": "linear-variance",  # 10
        "noise_scale": 0.01,
        "objective": "ce",  # 11
        "step_sampling": "importance",  # 12
        "weight_decay": 0.0,  # 13
        "learning_rate": 1e-3,
        "batch_size": 256,
        "train_mode_epochs": 1,  # 14
        "start": "logits",  # 15
        "reverse": "posterior-noise",  # 16
        "inference_steps": 20,
        "voter_normalisation": "softmax",  # 17
        "zero_based_ranks": True,  # 18
        "seen_before_vote": True,  # 20
        "exclusion": "nothing",
        "rank_padding": True,  # 21
        "untrained_mask": True,  # 23
        "selection": ("validation", "hr@10"),  # 26
        "selection_voter": "fused",
        "gamma": 0.5,
        "fusion": "borda",
        "diffusion_steps": 20,  # 29
    }
    assert {name: getattr(config, name) for name in told} == told
    # Ten slots: nine items and the hidden one.
    assert (config.max_length, config.backbone_config().max_length) == (9, 10)


def test_each_released_script_has_what_only_it_does() -> None:
    on = {name: configured("released").override(*settings) for name, settings in RELEASED_ON.items()}
    for name, config in on.items():
        config.require_known_choices()
        assert config.backbone == name
    assert {name: config.voter_normalisation for name, config in on.items()} == {
        **dict.fromkeys(["sasrec", "bert4rec"], "softmax"),
        **dict.fromkeys(["cbit", "srgnn"], "l2"),
    }
    assert on["srgnn"].guidance == "state" and on["srgnn"].train_mode_epochs == 0
    assert [on[name].halve_rate_every for name in ("sasrec", "bert4rec", "cbit", "srgnn")] == [None, None, 15, 15]
    assert on["cbit"].hidden_dim == 256 and on["sasrec"].hidden_dim == 128


def test_paper_has_no_slip_of_the_released_code() -> None:
    config, default = configured("paper"), GlobalDiffConfig(num_items=30)
    for name in ("position_adjustment", "zero_support_diagonal", "extra_mask_rate", "network_input", "step_sampling"):
        assert getattr(config, name) == getattr(default, name), name
    for name in ("swapped_test", "evaluation_batch", "rank_padding", "exclusion", "seen_before_vote", "guidance"):
        assert getattr(config, name) == getattr(default, name), name
    assert (config.similarity_window, config.objective, config.start, config.reverse) == (
        None,
        "mse",
        "softmax",
        "posterior",
    )
    assert config.gamma == 0.5 and config.noisy_input_dropout == 0.0 and config.masks_per_sequence > 1


@pytest.mark.parametrize("name", ["released", "paper"])
def test_a_preset_trains_and_ranks(name: str) -> None:
    world = toy_world(num_sequences=40)
    torch.manual_seed(0)
    config = preset("globaldiff", name, "ml-1m", 12).override(*SMALL, "backbone_rows_per_epoch=None")
    model = GlobalDiff(config)  # type: ignore[arg-type]
    fit(model, world, seed=0, progress=False)
    history = world.test.history(torch.arange(20), config.max_length)
    assert bool(torch.isfinite(model.score(history)[:, 1:]).all())
    assert float(model.gamma) == 0.5
