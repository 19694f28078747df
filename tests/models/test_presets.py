"""How models are made: presets, creation from a seed, a backbone that is already trained."""

import pytest
import torch

from demo_core.datasets import DATASETS
from demo_core.models import MODELS, create, entry, preset, with_backbone
from demo_core.models.presets import TUNED
from demo_core.models.sasrec import SASRec, SASRecConfig


@pytest.mark.parametrize("dataset", sorted(DATASETS))
@pytest.mark.parametrize("name", sorted(MODELS))
def test_every_model_has_a_default_for_every_data_set(name: str, dataset: str) -> None:
    config = preset(name, "default", dataset, num_items=9)
    assert isinstance(config, MODELS[name].config)
    assert config.num_items == 9


def test_tuned_values_belong_to_models_and_data_sets_that_exist_and_are_used() -> None:
    for (name, dataset), settings in TUNED.items():
        assert name in MODELS and dataset in DATASETS
        assert preset(name, "default", dataset, 9) == MODELS[name].config(num_items=9).override(*settings)


def test_an_unknown_preset_or_model_is_refused_with_the_known_ones() -> None:
    with pytest.raises(ValueError, match="default"):
        preset("card", "best", "toy", 9)
    with pytest.raises(ValueError, match="globaldiff"):
        entry("cards")


@pytest.mark.parametrize("setting", ["embedding_dim", "nonsense=1", "embedding_dim=wide", "max_length=", "heads=2.5"])
def test_a_setting_that_cannot_be_read_is_refused(setting: str) -> None:
    with pytest.raises(ValueError, match=setting.partition("=")[0]):
        SASRecConfig(num_items=9).override(setting)


def test_settings_are_read_with_their_types() -> None:
    config = SASRecConfig(num_items=9).override("dropout=0", "rows_per_epoch=None", "max_length=7")
    assert (config.dropout, config.rows_per_epoch, config.max_length) == (0.0, None, 7)
    assert isinstance(config.dropout, float), "an int is fine where a float is expected"


@pytest.mark.parametrize("name", sorted(MODELS))
def test_the_seed_alone_decides_the_initial_weights(name: str) -> None:
    config = preset(name, "default", "toy", 9).override("embedding_dim=8")
    torch.manual_seed(1)
    before = torch.get_rng_state()
    first = create(name, config, seed=4).state_dict()
    assert torch.equal(torch.get_rng_state(), before), "the global generator is left alone"
    torch.manual_seed(2)
    second = create(name, config, seed=4).state_dict()
    assert all(torch.equal(second[label], tensor) for label, tensor in first.items())


def test_a_trained_backbone_fits_into_the_globaldiff_made_for_it() -> None:
    torch.manual_seed(0)
    backbone = SASRec(SASRecConfig(num_items=9, max_length=7, embedding_dim=12, layers=1, heads=3, dropout=0.4))
    config = with_backbone(preset("globaldiff", "default", "toy", 9), backbone)
    model = create("globaldiff", config, seed=0)
    model.get_submodule("backbone").load_state_dict(backbone.state_dict(), strict=True)
    assert model.get_submodule("backbone").config == backbone.config


@pytest.mark.parametrize("name", ["card", "popularity"])
def test_only_a_model_that_takes_a_backbone_gets_one_and_only_an_encoder_is_one(name: str) -> None:
    with pytest.raises(ValueError, match="CARDConfig on SASRec"):
        with_backbone(preset("card", "default", "toy", 9), SASRec(SASRecConfig(num_items=9)))
    with pytest.raises(ValueError, match="GlobalDiffConfig on"):
        with_backbone(preset("globaldiff", "default", "toy", 9), create(name, preset(name, "default", "toy", 9), 0))
