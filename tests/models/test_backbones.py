import pytest
import torch

from demo_core.models import MODELS, backbone_name, create, with_backbone
from demo_core.models.backbones import BACKBONES, create_backbone, name_of, read_untrained_mask
from demo_core.models.base import SequenceEncoder
from demo_core.models.globaldiff_config import GlobalDiffConfig
from demo_core.models.sasrec import SASRec
from demo_core.sequences import pad

HISTORY = pad([[1, 2, 3, 4, 5, 6], [7, 3, 9, 1], [4], []], 6)
EVERY_BACKBONE = pytest.mark.parametrize("name", sorted(BACKBONES))


def host(name: str, *settings: str) -> GlobalDiffConfig:
    config = GlobalDiffConfig(num_items=9, max_length=6, embedding_dim=8)
    return config.override(f"backbone={name}", *settings)


@EVERY_BACKBONE
def test_backbones_are_models_of_the_list(name: str) -> None:
    assert (MODELS[name].model, MODELS[name].config) == BACKBONES[name]


@EVERY_BACKBONE
def test_the_host_says_what_its_backbone_is_like(name: str) -> None:
    config = host(name, "backbone_epochs=7", "backbone_dropout=0.4", "backbone_max_length=5", "dropout=0.3")
    own = config.backbone_config()
    assert isinstance(own, BACKBONES[name][1])
    assert (own.num_items, own.embedding_dim, own.max_length, own.max_epochs) == (9, 8, 5, 7)
    assert own.to_dict()["dropout"] == 0.4
    assert own.batch_size == BACKBONES[name][1](num_items=9).batch_size, "what the host does not say stays"


def test_settings_of_one_backbone_do_not_disturb_another() -> None:
    cloze = ["backbone_mask_rate=0.3", "backbone_views=3", "backbone_steps=2"]
    assert host("sasrec", *cloze).backbone_config() == host("sasrec").backbone_config()
    assert host("bert4rec", *cloze).backbone_config().to_dict()["mask_rate"] == 0.3
    assert host("cbit", *cloze).backbone_config().to_dict()["views"] == 3
    assert host("srgnn", *cloze).backbone_config().to_dict()["steps"] == 2


@EVERY_BACKBONE
def test_a_field_that_a_backbone_got_later_makes_no_other_recipe_of_its_host(name: str) -> None:
    own = host(name).backbone_config()
    later = set(own.to_dict()) - set(own.recipe())
    hosted = with_backbone(host(name), BACKBONES[name][0](own)).to_dict()
    assert {hosted[f"backbone_{field}"] for field in later} <= {None}
    if later:
        changed = own.override("neighbour_target_rate=0.3")
        said = with_backbone(host(name), BACKBONES[name][0](changed))
        assert isinstance(said, GlobalDiffConfig)
        assert said.backbone_config() == changed
        assert with_backbone(said, BACKBONES[name][0](own)).to_dict() == hosted, "nothing of an earlier one stays"


def test_an_unknown_backbone_is_refused_with_the_known_ones() -> None:
    with pytest.raises(ValueError, match="bert4rec"):
        host("gru4rec").backbone_config()


@EVERY_BACKBONE
def test_a_trained_backbone_fits_into_a_host_made_for_it(name: str) -> None:
    torch.manual_seed(1)
    settings = ["max_length=7", "embedding_dim=12", "dropout=0.4", "weight_decay=0.5", "rows_per_epoch=99"]
    settings += {"srgnn": ["steps=2"], "sasrec": ["layers=1", "heads=3"]}.get(name, ["mask_rate=0.4", "layers=1"])
    model, config = BACKBONES[name]
    backbone = model(config(num_items=9).override(*settings))
    whole = create("globaldiff", with_backbone(host("sasrec"), backbone), seed=0)
    inside = whole.get_submodule("backbone")
    assert inside.config == backbone.config
    inside.load_state_dict(backbone.state_dict(), strict=True)
    assert backbone_name(whole) == name


@EVERY_BACKBONE
def test_the_context_of_the_next_item_is_what_the_backbone_itself_ranks_by(name: str) -> None:
    torch.manual_seed(0)
    backbone = create_backbone(host(name)).eval()
    torch.nn.init.normal_(backbone.item_embedding.weight)
    slot = torch.full_like(HISTORY[:, :1], 3)  # whatever stands there is not looked at
    position = torch.full((4,), 6)
    state, mean = backbone.masked_context(torch.cat([HISTORY, slot], dim=1), position)
    assert state.shape == mean.shape == (4, 8)
    torch.testing.assert_close(backbone.rank(state), backbone.score(HISTORY), atol=1e-5, rtol=1e-5)


def test_only_backbones_have_a_name() -> None:
    assert name_of(create("popularity", MODELS["popularity"].config(num_items=9), 0)) is None
    assert name_of(None) is None


def test_at_an_untrained_mask_sasrec_is_read_behind_the_history_with_that_vector_as_its_newest_item() -> None:
    torch.manual_seed(0)
    backbone = create_backbone(host("sasrec", "backbone_max_length=7")).eval()
    assert isinstance(backbone, SASRec)
    sequence = torch.cat([HISTORY, torch.zeros_like(HISTORY[:, :1])], dim=1)
    position = torch.full((4,), 6)
    item = 5
    vector = backbone.item_embedding.weight[item].detach().clone()
    state, mean = read_untrained_mask(backbone, sequence, position, vector)
    states, mask = backbone.states(torch.cat([HISTORY, torch.full_like(HISTORY[:, :1], item)], dim=1))
    torch.testing.assert_close(state, states[:, -1])
    torch.testing.assert_close(mean[0], states[0][mask[0]].mean(dim=0))
    other, _ = read_untrained_mask(backbone, sequence, position, vector + 1)
    assert not torch.allclose(other, state)


def test_an_untrained_mask_in_the_middle_hides_what_comes_after() -> None:
    torch.manual_seed(0)
    backbone = create_backbone(host("sasrec")).eval()
    assert isinstance(backbone, SASRec)
    vector = torch.ones(8)
    sequence = torch.tensor([[0, 2, 3, 4, 5]])
    changed = torch.tensor([[0, 2, 3, 9, 1]])
    one, two = (read_untrained_mask(backbone, ids, torch.tensor([3]), vector)[0] for ids in (sequence, changed))
    torch.testing.assert_close(one, two)


@EVERY_BACKBONE
def test_backbones_are_sequence_encoders(name: str) -> None:
    assert issubclass(BACKBONES[name][0], SequenceEncoder)
