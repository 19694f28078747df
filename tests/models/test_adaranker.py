"""AdaRanker: what the list does to the ranker, and the released slips."""

import pytest
import torch
from torch import Tensor, nn

from demo_core.models.adaranker import AdaRanker, AdaRankerConfig, candidate_loss, modulate
from demo_core.models.gru4rec import GRU4Rec, GRU4RecConfig
from demo_core.sequences import Batch, pad

M, L, D = 30, 5, 8
EVERY_BASE = pytest.mark.parametrize("base", ["sasrec", "gru4rec"])
HISTORY = pad([[1, 2, 3], [7, 3, 9, 1, 4], [], [5]], L)


def config(*settings: str) -> AdaRankerConfig:
    return AdaRankerConfig(num_items=M, max_length=L, embedding_dim=D, candidates=10, sampled=4).override(*settings)


def model(*settings: str, moved: bool = True) -> AdaRanker:
    """In its second phase; ``moved``: modulation and patches are away from where they start."""
    torch.manual_seed(0)
    built = AdaRanker(config(*settings))
    nn.init.normal_(built.backbone.item_embedding.weight)
    with torch.no_grad():
        built.backbone.item_embedding.weight[0] = 0
    if moved:
        for layer in (built.scale, built.shift):
            nn.init.normal_(layer.weight)
        for adaptive in (built.inner, built.outer):
            for memory in (adaptive.of_weight, adaptive.of_bias):
                nn.init.normal_(memory.index)
                nn.init.normal_(memory.array)
    built.adapted.fill_(True)
    return built.eval()


def batch(target: Tensor | None = None) -> Batch:
    return Batch(HISTORY, torch.tensor([4, 8, 1, 2]) if target is None else target, torch.ones(4, dtype=torch.bool))


def seeded(seed: int = 1) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def test_every_input_of_a_row_is_scaled_and_shifted_alike() -> None:
    x = torch.arange(8.0).reshape(2, 2, 2)
    moved = modulate(x, torch.tensor([[2.0], [1.0]]), torch.tensor([[1.0], [-4.0]]))
    assert moved.tolist() == [[[1, 3], [5, 7]], [[0, 1], [2, 3]]]


def test_z_is_the_mean_plus_as_many_deviations_as_the_noise_says() -> None:
    z = model().draw(
        torch.tensor([[1.0, 2.0]]), torch.tensor([[0.0, 2.0]]).mul(torch.tensor(3.0).log()), torch.ones(1, 2)
    )
    torch.testing.assert_close(z, torch.tensor([[2.0, 5.0]]))


@EVERY_BASE
def test_without_modulation_and_patches_it_is_the_base_with_plain_output_layers(base: str) -> None:
    ranker = model(f"backbone={base}", moved=False)
    for adaptive in (ranker.inner, ranker.outer):
        nn.init.zeros_(adaptive.of_weight.array)
        nn.init.zeros_(adaptive.of_bias.array)
    z, items = torch.randn(4, D), torch.randint(1, M + 1, (4, 3))
    state = ranker.backbone.encode(HISTORY)
    torch.testing.assert_close(ranker.encode(HISTORY, z), state)
    pair = torch.cat([state[:, None].expand(-1, 3, -1), ranker.backbone.item_embedding(items)], dim=2)
    plain = ranker.outer.layer(torch.tanh(ranker.inner.layer(pair)))[..., 0]
    torch.testing.assert_close(ranker.rerank(HISTORY, items, z, torch.zeros(4, 3)), plain)
    torch.testing.assert_close(ranker.rerank(HISTORY, items, z, torch.ones(4, 3)), plain + 1)


@EVERY_BASE
def test_z_moves_what_the_encoder_reads(base: str) -> None:
    ranker = model(f"backbone={base}")
    first, second = (ranker.encode(HISTORY, torch.full((4, D), value)) for value in (0.1, 0.5))
    assert not torch.allclose(first, second)


def test_the_base_s_list_is_ranked_again_and_the_rest_stands_below_it_in_the_base_s_order() -> None:
    ranker = model()
    base, scores = ranker.backbone.score(HISTORY), ranker.score(HISTORY)
    listed = base.topk(10, dim=1).indices
    before, after = (x.argsort(dim=1, descending=True) for x in (base, scores))
    assert torch.equal(after[:, :10].sort(dim=1).values, listed.sort(dim=1).values)
    assert not torch.equal(after[:, :10], before[:, :10])
    assert torch.equal(after[:, 10:], before[:, 10:])


def test_z_sums_up_the_row_s_own_list_when_it_is_ranked_again() -> None:
    ranker = model()
    base = ranker.backbone.score(HISTORY)
    listed = base.topk(10, dim=1).indices
    z, _ = ranker.distribution(ranker.backbone.item_embedding(listed))
    expected = ranker.rerank(HISTORY, listed, z, base.gather(1, listed))
    torch.testing.assert_close(ranker.score(HISTORY).gather(1, listed), expected)


def test_in_training_z_is_drawn_from_all_sampled_candidates_which_keep_the_base_s_scores() -> None:
    ranker, generator = model("missed_targets=True"), seeded()
    base, listed = ranker.recall(HISTORY)
    items, counted = ranker.sample(listed, batch().target, generator)
    mean, log_variance = ranker.distribution(ranker.backbone.item_embedding(items))
    z = mean + (log_variance / 2).exp() * torch.randn(mean.shape, generator=generator)
    logits = ranker.rerank(HISTORY, items, z, base.gather(1, items))
    torch.testing.assert_close(ranker.loss(batch(), seeded()), candidate_loss(logits, counted))


def test_before_the_second_phase_the_base_speaks_alone() -> None:
    ranker = model()
    ranker.adapted.fill_(False)
    assert torch.equal(ranker.score(HISTORY), ranker.backbone.score(HISTORY))


def test_a_row_compares_its_target_with_others_of_its_list() -> None:
    ranker = model()
    listed = torch.arange(1, 11).repeat(300, 1)
    items, counted = ranker.sample(listed, torch.tensor([4, 25]).repeat(150), seeded())
    assert items.shape == (300, 4) and items[:2, 0].tolist() == [4, 25]
    assert counted.tolist() == [True, False] * 150, "25 is not in the list"
    others = items[::2, 1:]
    assert set(others.unique().tolist()) == set(range(1, 11)) - {4}
    assert all(len(set(row)) == 3 for row in others.tolist())


def test_targets_that_are_not_in_the_list_may_be_put_there() -> None:
    listed = model().recall(HISTORY)[1]
    missed = torch.tensor([next(item for item in range(1, M + 1) if item not in row) for row in listed])
    assert float(model().loss(batch(missed), seeded()).detach()) == 0.0
    assert float(model("missed_targets=True").loss(batch(missed), seeded()).detach()) > 0.0


def test_the_loss_is_the_binary_cross_entropy_of_the_rows_that_count() -> None:
    logits = torch.tensor([[3.0, 0.0], [100.0, 100.0]])
    p = torch.sigmoid(torch.tensor(3.0))
    expected = (-p.log() - torch.tensor(0.5).log()) / 2
    torch.testing.assert_close(candidate_loss(logits, torch.tensor([True, False])), expected)
    assert float(candidate_loss(logits, torch.tensor([False, False]))) == 0.0


def test_the_base_is_frozen_unless_it_learns_too_and_then_keeps_its_own_loss() -> None:
    def trained(ranker: AdaRanker) -> set[str]:
        inside = {id(parameter) for parameter in ranker.phases()[1].parameters}
        return {name for name, parameter in ranker.named_parameters() if id(parameter) in inside}

    frozen, joint = model(), model("joint=True")
    everything = {name for name, _ in frozen.named_parameters()}
    assert trained(frozen) == {name for name in everything if not name.startswith("backbone.")}
    assert trained(joint) == everything
    with torch.no_grad():
        more = joint.backbone.loss(batch())
        torch.testing.assert_close(joint.loss(batch(), seeded()), frozen.loss(batch(), seeded()) + more)


def test_the_list_is_recalled_without_dropout_and_the_base_learns_on_as_before() -> None:
    ranker = model().train()
    first, second = (ranker.recall(HISTORY)[0] for _ in range(2))
    assert torch.equal(first, second) and ranker.backbone.training


def test_for_the_control_every_row_has_one_z() -> None:
    ranker = model("whole_catalogue=True")
    mean, _ = ranker.summary(ranker.recall(HISTORY)[1])
    expected, _ = ranker.distribution(ranker.backbone.item_embedding.weight[None, 1 : M + 1])
    torch.testing.assert_close(mean, expected.expand(4, -1))
    personal, _ = model().summary(ranker.recall(HISTORY)[1])
    assert not torch.allclose(personal[0], personal[1])


def test_released_patches_start_near_zero_and_erase_the_output_layers() -> None:
    ours, released = (model(*slip, moved=False).inner for slip in ((), ("patch_from_zero=True",)))
    z, x = torch.randn(4, D), torch.randn(4, 3, 2 * D)
    torch.testing.assert_close(ours(x, z) - released(x, z), x @ ours.layer.weight.T)
    assert float(released.of_weight(z).detach().mean().abs()) < 0.05


def test_released_scores_change_with_the_seed() -> None:
    noisy, still = model("noisy_evaluation=True"), model()
    assert torch.equal(still.score(HISTORY, seeded(1)), still.score(HISTORY, seeded(2)))
    assert not torch.equal(noisy.score(HISTORY, seeded(1)), noisy.score(HISTORY, seeded(2)))
    torch.testing.assert_close(noisy.score(HISTORY[1:2], seeded(1)), noisy.score(HISTORY, seeded(1))[1:2])


def test_released_sigmoids_tie_where_logits_do_not() -> None:
    plain, saturated = model(), model("saturated_scores=True")
    for ranker in (plain, saturated):
        nn.init.constant_(ranker.outer.layer.bias, 100.0)
    best, tied = (ranker.score(HISTORY)[:, 1:].topk(10, dim=1).values for ranker in (plain, saturated))
    assert bool((best[:, 0] > best[:, 9]).all()) and bool((tied == 1).all())


@EVERY_BASE
def test_released_encoders_read_modulated_padding_ours_do_not(base: str) -> None:
    z, one = torch.randn(1, D).expand(2, -1), pad([[5], [5]], L)
    for slip, alike in (("modulated_padding=False", True), ("modulated_padding=True", False)):
        ranker = model(f"backbone={base}", slip)
        with torch.no_grad():
            before = ranker.encode(one, z)
            ranker.backbone.item_embedding.weight[0] = torch.arange(D)  # no constant, which a LayerNorm takes away
            assert torch.allclose(before, ranker.encode(one, z)) == alike


def test_more_padding_changes_nothing() -> None:
    ranker = model()
    longer = torch.cat([torch.zeros(4, 3, dtype=torch.int64), HISTORY], dim=1)
    torch.testing.assert_close(ranker.score(longer), ranker.score(HISTORY))


def test_gru4rec_as_the_base_takes_what_the_host_says() -> None:
    ranker = model("backbone=gru4rec", "backbone_dropout=0.4", "backbone_layers=3", "backbone_epochs=7")
    own = ranker.phases()[0].config
    assert isinstance(ranker.backbone, GRU4Rec) and isinstance(own, GRU4RecConfig)
    assert (own.dropout, own.layers, own.max_epochs, own.max_length) == (0.4, 3, 7, L)


@pytest.mark.parametrize("setting", ["backbone=bert4rec", "backbone=srgnn", "sampled=1", "sampled=11"])
def test_what_cannot_be_is_refused(setting: str) -> None:
    with pytest.raises(ValueError, match=setting.partition("=")[0]):
        config(setting)
