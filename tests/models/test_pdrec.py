"""PDRec: how what the diffusion says changes the recommender's loss."""

import dataclasses

import pytest
import torch
from torch import Tensor, nn

from demo_core.datasets import Dataset
from demo_core.models import preset
from demo_core.models.gru4rec import GRU4Rec
from demo_core.models.pdrec import PDRec, PDRecConfig, masked_mean, one_of
from demo_core.sequences import PADDING, Batch, Rows, pad
from tests.models.judging import UNJUDGED
from tests.models.test_contract import world

M, L, D = 12, 6, 8


def model(*settings: str, prepared: bool = True) -> PDRec:
    torch.manual_seed(0)
    built = PDRec(PDRecConfig(num_items=M, max_length=L, embedding_dim=D).override("hidden_dim=16", *settings))
    nn.init.normal_(built.backbone.item_embedding.weight)
    if prepared:
        prepare = built.phases()[1].prepare
        assert prepare is not None
        prepare(world(), UNJUDGED)
    return built.eval()


def batch() -> Batch:
    return world().train.batch(torch.arange(40), L)


def seeded(seed: int = 1) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def states() -> Tensor:
    return torch.randn(3, D, generator=seeded(9))


def test_the_loss_weighs_the_target_and_adds_the_likely_items_as_labels() -> None:
    pdrec, state = model("positive_weight=0.3"), states()
    target, weight = torch.tensor([1, 5, 12]), torch.tensor([2.0, 0.5, 1.0])
    likely = torch.tensor([[2, 3], [4, PADDING], [PADDING, PADDING]])
    loss = -pdrec.backbone.score(pad([[1]], L)).new_zeros(())
    log_share = pdrec.backbone.rank(state)[:, 1:].log_softmax(dim=1)
    for row in range(3):
        loss = loss - weight[row] * log_share[row, target[row] - 1] / 3
    loss = loss - 0.3 * (log_share[0, 1] + log_share[0, 2] + log_share[1, 3]) / 3
    torch.testing.assert_close(pdrec.full_loss(state, target, weight, likely), loss)


def test_the_binary_loss_has_four_parts() -> None:
    pdrec, state = model("loss=binary", "positive_weight=0.3", "cosine_scale=5.0"), states()
    history, target = pad([[1], [2], [3]], L), torch.tensor([4, 5, 6])
    likely = torch.tensor([[2, 3], [7, PADDING], [PADDING, PADDING]])
    low, weight = torch.tensor([[9], [10], [PADDING]]), torch.tensor([2.0, 0.5, 1.0])
    rows = Batch(history, target, torch.ones(3, dtype=torch.bool))
    random = torch.randint(1, M + 1, (3, 1), generator=seeded())[:, 0]
    vectors = pdrec.backbone.item_embedding.weight
    cos = 5 * nn.functional.cosine_similarity(state[:, None], vectors[None, : M + 1], dim=2)
    plus, minus = -cos.sigmoid().log(), -(1 - cos.sigmoid()).log()
    row = torch.arange(3)
    free = [r for r in range(3) if int(random[r]) not in (int(history[r, -1]), int(target[r]))]
    expected = (
        (weight * plus[row, target]).mean()
        + 0.3 * (plus[0, 2] + plus[0, 3] + plus[1, 7]) / 3
        + sum(minus[r, random[r]] for r in free) / max(len(free), 1) / 2
        + (minus[0, 9] + minus[1, 10]) / 4
    )
    found = pdrec.binary_loss(state, rows, weight, likely, low, seeded())
    torch.testing.assert_close(found, expected, atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize("loss", ["cross_entropy", "binary"])
def test_what_the_diffusion_says_reaches_the_loss(loss: str) -> None:
    plain = model(f"loss={loss}", "rank_share=0.0", "positive_weight=0.0", "weight_scale=1.0")
    with torch.no_grad():
        before = plain.loss(batch(), seeded())
        plain.advice.weight.mul_(2)
        assert float(plain.loss(batch(), seeded())) > float(before)
        augmented = model(f"loss={loss}", "rank_share=0.0", "positive_weight=0.5", "weight_scale=1.0")
        assert float(augmented.loss(batch(), seeded())) > float(before)


def test_likely_items_are_the_pool_s_and_negatives_the_low_scored_ones() -> None:
    pdrec, rows, generator = model("loss=binary", "positive_weight=0.3"), batch(), seeded()
    told = pdrec.advice.find(rows.history, rows.target, generator)
    state = pdrec.backbone.encode(rows.history)
    likely = pdrec.fine_positives(state, told.pool)
    expected = pdrec.binary_loss(state, rows, told.weight, likely, told.low, generator)
    torch.testing.assert_close(pdrec.loss(rows, seeded()), expected)


def test_the_diffusion_learns_and_restores_rows_whose_recent_items_weigh_more() -> None:
    pdrec, row = model("oldest_weight=0.2", prepared=False), torch.zeros(1, M)
    row[0, [1, 4, 5]] = torch.tensor([0.2, 0.6, 1.0])
    restored = pdrec._restored(pad([[2, 5, 6]], L + 1))
    torch.testing.assert_close(restored[:, 1:], pdrec.diffusion.restore(row))
    assert pdrec.diffusion.config.oldest_weight == 0.2


def test_with_weights_of_one_and_nothing_added_it_is_the_backbone_s_own_loss() -> None:
    pdrec = model("positive_weight=0.0")
    pdrec.advice.weight.fill_(1.0)
    with torch.no_grad():
        torch.testing.assert_close(pdrec.loss(batch(), seeded()), pdrec.backbone.loss(batch(), seeded()))


def test_of_the_pool_the_recommender_takes_what_it_likes_itself() -> None:
    pdrec, state = model("fine_positives=2"), states()
    pool = torch.tensor([[1, 2, 3, 4], [5, 6, 7, PADDING], [9, PADDING, PADDING, PADDING]])
    found, scores = pdrec.fine_positives(state, pool), pdrec.backbone.rank(state).detach()
    for row in range(2):
        items = [item for item in pool[row].tolist() if item]
        assert found[row].tolist() == sorted(items, key=lambda item: -float(scores[row, item]))[:2]
    assert found[2].tolist() == [9, PADDING]


def test_the_batch_and_the_tables_are_left_as_they_were() -> None:
    pdrec, rows = model("loss=binary"), batch()
    history, pool = rows.history.clone(), pdrec.advice.pool.clone()
    pdrec.loss(rows, seeded())
    assert torch.equal(rows.history, history) and torch.equal(pdrec.advice.pool, pool)


def test_the_advice_does_not_know_validation_and_test() -> None:
    def poisoned(rows: Rows) -> Rows:
        return dataclasses.replace(rows, items=torch.full_like(rows.items, M))

    real = world()
    other = dataclasses.replace(real, validation=poisoned(real.validation), test=poisoned(real.test))

    def tables(dataset: Dataset) -> dict[str, Tensor]:
        pdrec = model(prepared=False)
        prepare = pdrec.phases()[1].prepare
        assert prepare is not None
        prepare(dataset, UNJUDGED)
        return dict(pdrec.advice.named_buffers())

    first, second = tables(real), tables(other)
    assert len(first["key"]) == len(real.train)
    assert all(torch.equal(second[name], table) for name, table in first.items())


def test_released_pools_hold_what_the_sequence_holds_ours_do_not() -> None:
    def own_share(pdrec: PDRec) -> float:
        rows = batch()
        told = pdrec.advice.find(rows.history, rows.target, seeded())
        return float((told.pool == rows.target[:, None]).any(dim=1).double().mean())

    assert own_share(model("coarse_positives=12")) == 0.0
    assert own_share(model("coarse_positives=12", "observed_positives=True")) == 1.0


def test_first_the_diffusion_ranks_without_what_it_has_read_and_then_the_backbone_alone() -> None:
    pdrec, history = model(), pad([[1, 2, 3], [], [5]], L)
    assert torch.equal(pdrec.score(history), pdrec.backbone.score(history))
    begin = pdrec.phases()[0].prepare
    assert begin is not None
    begin(world(), UNJUDGED)
    scores = pdrec.score(history)
    assert torch.equal(scores, pdrec.diffusion.score(history))
    assert set(scores[0, 1:].topk(3, largest=False).indices.add(1).tolist()) == {1, 2, 3}


def test_the_binary_loss_ranks_by_cosines_and_trains_no_item_bias() -> None:
    pdrec = model("loss=binary", "cosine_scale=5.0")
    scores = pdrec.score(pad([[1, 2, 3]], L))[:, 1:]
    assert float(scores.detach().abs().max()) <= 5.0
    bias = pdrec.backbone.item_bias
    assert all(parameter is not bias for parameter in pdrec.phases()[1].parameters)


def test_each_phase_trains_its_own_half_in_its_own_way() -> None:
    pdrec = model("learning_rate=0.5", "backbone_learning_rate=0.25", "backbone_epochs=7")
    diffusion, recommender = pdrec.phases()
    assert {id(p) for p in diffusion.parameters} == {id(p) for p in pdrec.diffusion.parameters()}
    assert {id(p) for p in recommender.parameters} == {id(p) for p in pdrec.backbone.parameters()}
    assert recommender.config is not None
    assert (recommender.config.learning_rate, recommender.config.max_epochs) == (0.25, 7)
    assert pdrec.config.learning_rate == 0.5


@pytest.mark.parametrize("name", ["sasrec", "srgnn", "gru4rec"])
def test_it_is_a_plug_in_for_every_backbone_that_learns_from_the_next_item(name: str) -> None:
    pdrec = model(f"backbone={name}")
    pdrec.loss(batch(), seeded()).backward()
    assert pdrec.backbone.item_embedding.weight.grad is not None
    assert isinstance(pdrec.backbone, GRU4Rec) == (name == "gru4rec")


def test_targets_from_around_the_next_item_go_on_if_the_backbone_has_them() -> None:
    pdrec = model("backbone_neighbour_target_rate=1.0").train()
    target = pdrec._target(batch().target, seeded())
    assert not torch.equal(target, batch().target)


@pytest.mark.parametrize(
    "setting", ["backbone=bert4rec", "loss=hinge", "fine_positives=51", "low_from=0.99", "low_to=1.5"]
)
def test_what_cannot_be_is_refused(setting: str) -> None:
    with pytest.raises(ValueError, match=setting.partition("=")[0]):
        PDRecConfig(num_items=M).override(setting)


def test_released_and_paper_differ_in_the_own_items_alone() -> None:
    for dataset in ("beauty", "zhihu"):
        released, paper = (preset("pdrec", name, dataset, M) for name in ("released", "paper"))
        assert paper == released.override("observed_positives=False") != released
        assert paper.to_dict()["loss"] == "binary"


def test_means_and_draws_leave_padding_out() -> None:
    assert float(masked_mean(torch.tensor([[1.0, torch.inf]]), torch.tensor([[True, False]]))) == 1.0
    assert float(masked_mean(torch.ones(2), torch.zeros(2, dtype=torch.bool))) == 0.0
    items = torch.tensor([[0, 4, 0, 7], [0, 0, 0, 0]]).repeat(50, 1)
    drawn = one_of(items, seeded())
    assert set(drawn[::2].flatten().tolist()) == {4, 7} and not drawn[1::2].any()
