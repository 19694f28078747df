"""DuoRec: histories that led to the same item, and what is compared with what."""

from dataclasses import replace

import pytest
import torch
from torch import Tensor

from demo_core.datasets import LEAVE_ONE_OUT_FULL, Dataset
from demo_core.models.base import next_item_loss
from demo_core.models.contrastive_encoder import nt_xent_of_products
from demo_core.models.duorec import DuoRec, DuoRecConfig
from demo_core.sequences import PADDING, Batch, Catalogue, Rows, pad
from tests.models.judging import UNJUDGED

M, L = 9, 4
# 7 follows three histories, 8 one, 6 an empty one and a real one.
SEQUENCES = [[1, 2, 7], [3, 7], [4, 5, 2, 7], [1, 8], [6, 9], [2, 6]]


def world() -> Dataset:
    train, held = Rows.prefixes(SEQUENCES), Rows.last_items([[1, 2]])
    return Dataset("own", "Own", Catalogue.untitled([1] * M), LEAVE_ONE_OUT_FULL, train, held, held)


def model(*settings: str, prepared: bool = True) -> DuoRec:
    torch.manual_seed(0)
    built = DuoRec(DuoRecConfig(num_items=M, max_length=L, embedding_dim=8).override(*settings))
    torch.nn.init.normal_(built.item_embedding.weight)
    if prepared:
        built.prepare(world(), UNJUDGED)
    return built.eval()


def seeded(seed: int = 1) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def batch() -> Batch:
    history = pad([[1, 2], [3], [4, 5, 2], [1], []], L)
    return Batch(history, torch.tensor([7, 7, 7, 8, 6]), torch.ones(5, dtype=torch.bool))


def partners(history: list[int], target: int, rows: int = 6000) -> dict[tuple[int, ...], float]:
    """How often each history is drawn."""
    drawn = model().same_target(pad([history], L).expand(rows, -1), torch.full((rows,), target), seeded())
    found, times = drawn.unique(dim=0, return_counts=True)
    return {
        tuple(item for item in row if item != PADDING): count / rows
        for row, count in zip(found.tolist(), times.tolist(), strict=True)
    }


@pytest.mark.parametrize("own", [[1, 2], [3], [4, 5, 2]])
def test_a_partner_has_the_same_target_and_is_any_other_row_with_equal_chance(own: list[int]) -> None:
    others = [tuple(history) for history in ([1, 2], [3], [4, 5, 2]) if history != own]
    assert partners(own, 7) == {other: pytest.approx(0.5, abs=0.03) for other in others}


def test_a_row_without_another_of_its_target_is_its_own_partner() -> None:
    assert partners([1], 8) == {(1,): 1.0}
    assert partners([1, 2, 3], 4) == {(1, 2, 3): 1.0}, "4 is the target of an empty history alone"


def test_an_empty_history_is_nobodys_partner_and_gets_a_real_one() -> None:
    assert partners([2], 6) == {(2,): 1.0}
    assert partners([], 6) == {(2,): 1.0}


def test_a_row_that_is_no_training_row_gets_any_of_its_target() -> None:
    assert partners([9, 8], 7) == {other: pytest.approx(1 / 3, abs=0.03) for other in [(1, 2), (3,), (4, 5, 2)]}


def test_of_two_rows_with_the_same_history_one_stands_for_itself_and_one_for_another() -> None:
    duorec = model()
    duorec.rows.fill(Rows.prefixes([[1, 7], [1, 7], [2, 7]]))
    drawn = duorec.same_target(pad([[1]], L).expand(6000, -1), torch.full((6000,), 7), seeded())
    assert float((drawn[:, -1] == 1).double().mean()) == pytest.approx(0.5, abs=0.03)


def test_partners_come_from_the_training_rows_alone() -> None:
    duorec, poisoned = model(), model(prepared=False)
    held = Rows.last_items([[3, 4, 7], [5, 7]])
    poisoned.prepare(replace(world(), validation=held, test=held), UNJUDGED)
    assert torch.equal(duorec.rows.key, poisoned.rows.key)
    assert torch.equal(duorec.rows.history, poisoned.rows.history)


def test_more_padding_changes_neither_partners_nor_the_loss() -> None:
    duorec, narrow = model(), batch()
    wide = Batch(torch.nn.functional.pad(narrow.history, (3, 0)), narrow.target, narrow.is_last)
    torch.testing.assert_close(duorec.loss(wide, seeded()), duorec.loss(narrow, seeded()))


@pytest.mark.parametrize(
    ("pairs", "compared"), [("us_x", [(1, 2)]), ("un", [(0, 1)]), ("su", [(0, 2)]), ("us", [(0, 1), (0, 2)])]
)
def test_the_loss_is_that_of_the_first_pass_plus_that_of_the_pairs(
    pairs: str, compared: list[tuple[int, int]], monkeypatch: pytest.MonkeyPatch
) -> None:
    duorec, asked, passes = model(f"pairs={pairs}", "contrast_weight=0.3", "temperature=2.0"), [], torch.randn(3, 5, 8)

    def encode(history: Tensor) -> Tensor:
        asked.append(history)
        return passes.flatten(0, 1)

    monkeypatch.setattr(duorec, "encode", encode)
    loss = duorec.loss(batch(), seeded())
    first, second, partner = asked[0].chunk(3)
    assert torch.equal(first, batch().history) and torch.equal(second, batch().history)
    assert torch.equal(partner, duorec.same_target(batch().history, batch().target, seeded()))
    expected = next_item_loss(passes[0], batch().target, duorec.item_embedding, M, duorec.item_bias)
    is_real = torch.tensor([True, True, True, True, False])
    for one, other in compared:
        expected = expected + 0.3 * nt_xent_of_products(passes[one], passes[other], is_real, 2.0)
    torch.testing.assert_close(loss, expected)


def test_two_passes_of_one_row_differ_by_dropout_alone() -> None:
    history = batch().history.repeat(2, 1)
    first, second = model().encode(history).chunk(2)
    torch.testing.assert_close(first, second)
    first, second = model().train().encode(history).chunk(2)
    assert not torch.allclose(first, second)


def test_the_gradient_of_the_contrast_reaches_both_views() -> None:
    """Item 8 is in no history of the batch: only a partner can bring it."""
    duorec = model("contrast_weight=1.0")
    duorec.rows.fill(Rows.prefixes([[1, 7], [8, 7], [2, 6], [3, 6]]))
    asked = Batch(pad([[1], [2]], L), torch.tensor([7, 6]), torch.ones(2, dtype=torch.bool))
    passes = duorec.encode(torch.cat([asked.history, duorec.same_target(asked.history, asked.target, seeded())]))
    contrast = nt_xent_of_products(passes[:2], passes[2:], torch.ones(2, dtype=torch.bool), 1.0)
    (gradient,) = torch.autograd.grad(contrast, [duorec.item_embedding.weight])
    assert gradient.abs().sum(dim=1).gt(0).nonzero().flatten().tolist() == [1, 2, 3, 8]


def test_the_loss_leaves_its_batch_as_it_was() -> None:
    asked, duorec = batch(), model().train()
    kept = duorec.rows.history.clone()
    duorec.loss(asked, seeded()).backward()
    assert torch.equal(asked.history, batch().history) and torch.equal(asked.target, batch().target)
    assert torch.equal(duorec.rows.history, kept)


def test_unknown_pairs_are_refused() -> None:
    with pytest.raises(ValueError, match="us_x, un, su, us"):
        model("pairs=all")
