"""SSDRec's second stage: which slot is chosen, what is inserted around it, and what is taken back."""

import pytest
import torch
from torch import Tensor

from demo_core.models.row_edits import Row
from demo_core.models.self_augmentation import SelfAugmentation
from demo_core.sequences import PADDING, pad

M, D, L = 9, 4, 6
KNOWN = torch.ones(M, dtype=torch.bool)
START = M + 1
ROWS = [[3, 1, 4, 2], [5, 6], [], [7, 8, 9, 1, 2, 3]]


def augmentation(
    random_insertion: bool = False, raw_row_mask: bool = False, behind_newest: bool = False
) -> SelfAugmentation:
    torch.manual_seed(0)
    return SelfAugmentation(D, random_insertion, raw_row_mask, behind_newest).double()


def table() -> Tensor:
    return torch.randn(M + 2, D, dtype=torch.float64, generator=torch.Generator().manual_seed(3))


def row(rows: list[list[int]], vectors: Tensor) -> Row:
    tokens = pad([items or [START] for items in rows], L)
    return Row(tokens, torch.nn.functional.embedding(tokens, vectors))


def seeded(seed: int = 1) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def test_the_context_of_a_slot_is_what_stands_before_and_behind_it() -> None:
    stage, vectors = augmentation(), table()
    before, after = stage.context(row([[3, 1, 4, 2]], vectors))
    changed = vectors.clone()
    changed[1] += 1
    moved, behind = stage.context(row([[3, 1, 4, 2]], changed))
    assert (before != moved).any(dim=2)[0, 2:].tolist() == [False, False, True, True]
    assert (after != behind).any(dim=2)[0, 2:].tolist() == [True, False, False, False]
    assert torch.equal(before[0, 2], stage.begin) and torch.equal(after[0, 5], stage.end)


def test_inconsistency_is_minus_the_logs_of_both_shares() -> None:
    """Three items; fits 2, 1, 0 by the context, dot products 1 between the first two and -1 with the last: clipped."""
    vectors = torch.tensor([[0.0, 0.0], [1.0, 0.0], [1.0, 0.0], [-1.0, 0.0]])
    short = Row(torch.tensor([[0, 1, 2, 3]]), vectors[None])
    before = torch.tensor([[[9.0, 9.0], [2.0, 0.0], [1.0, 0.0], [0.0, 0.0]]])
    found = SelfAugmentation(2).inconsistency(short, before, torch.ones(1, 4, 2))
    fit = torch.tensor([2.0, 1.0, 0.0]).log_softmax(dim=0)
    alike = torch.tensor([1.0, 1.0, 0.0]).log_softmax(dim=0)
    torch.testing.assert_close(found[0, 1:], -fit - alike)
    assert found[0, 0] == -torch.inf
    found = SelfAugmentation(2, random_insertion=True).inconsistency(short, before, torch.ones(1, 4, 2))
    torch.testing.assert_close(found[0, 1:], 1 - (fit + alike).exp())
    assert found[0, 0] == 1


def chosen(stage: SelfAugmentation, temperature: float) -> tuple[Row, Tensor]:
    many = row([[3, 1]] * 4000, table())
    return many, stage.choose_slot(many, torch.rand(4000, generator=seeded()), temperature)[0]


def test_padding_is_never_chosen_unless_insertion_is_random() -> None:
    many, slot = chosen(augmentation(), 1.0)
    assert bool(many.mask.gather(1, slot[:, None]).all())
    many, slot = chosen(augmentation(random_insertion=True), 1.0)
    padded = 1 - float(many.mask.gather(1, slot[:, None]).double().mean())
    assert padded == pytest.approx(4 / 6, abs=0.07), "as often as an even draw chooses it"


def test_the_lower_the_temperature_the_surer_the_least_fitting_slot_is_chosen() -> None:
    stage = augmentation()
    many = row([[3, 1]], table())
    worst = int(stage.inconsistency(many, *stage.context(many)).argmax())
    shares = [float((chosen(stage, temperature)[1] == worst).double().mean()) for temperature in (1.0, 0.1, 0.001)]
    assert 0.5 <= shares[0] <= shares[1] <= shares[2] == 1.0


def test_items_are_chosen_by_their_product_with_the_state() -> None:
    stage, vectors = augmentation(), table()
    state = 50 * vectors[[4, 9]]
    best = (state @ vectors[1 : M + 1].T).argmax(dim=1) + 1
    item, vector = stage.choose_item(state, vectors, KNOWN, torch.tensor([0.3, 0.9]), 1.0)
    assert torch.equal(item, best)
    torch.testing.assert_close(vector, vectors[best])
    draws = torch.linspace(0, 1, 500)[:-1]
    item, _ = stage.choose_item(torch.zeros(499, D, dtype=torch.float64), vectors, KNOWN, draws, 1.0)
    assert sorted(set(item.tolist())) == list(range(1, M + 1)), "no padding, no [start]"


def test_the_temperature_sharpens_the_gradient_and_not_what_is_inserted() -> None:
    stage, vectors, draws = augmentation(), table(), torch.linspace(0, 1, 500)[:-1]
    state = vectors[[4]].expand(499, -1)
    warm, cold = (stage.choose_item(state, vectors, KNOWN, draws, temperature)[0] for temperature in (1.0, 0.01))
    assert torch.equal(warm, cold) and len(warm.unique()) > 1


def test_only_known_items_are_inserted() -> None:
    stage, vectors, known = augmentation(), table(), torch.arange(1, M + 1) % 2 == 0
    state = 50 * vectors[1:4:2].repeat(100, 1)  # those of unknown items
    item, vector = stage.choose_item(state, vectors, known, torch.rand(200), 0.1)
    assert not (item % 2).any() and not vector.isnan().any()


def test_rows_get_items_left_and_right_of_one_slot_or_lose_one_of_the_three_again() -> None:
    stage, vectors, lengths = augmentation(behind_newest=True), table(), set()
    for seed in range(30):
        found = stage(row(ROWS, vectors), vectors, KNOWN, 1.0, seeded(seed))
        assert found.tokens.shape == (4, L + 2)
        assert found.tokens[2].tolist() == [PADDING] * (L + 1) + [START]
        for number in (0, 1, 3):
            own, longer = ROWS[number], [item for item in found.tokens[number].tolist() if item != PADDING]
            lengths.add(len(longer) - len(own))
            assert any(longer in made_of(own, slot, longer) for slot in range(len(own)))
        torch.testing.assert_close(found.items[found.mask], vectors[found.tokens[found.mask]])
    assert lengths == {1, 2}


def test_the_newest_item_stays_the_newest() -> None:
    stage, vectors, more = augmentation(), table(), set()
    for seed in range(30):
        found = stage(row(ROWS, vectors), vectors, KNOWN, 1.0, seeded(seed))
        for number in (0, 1, 3):
            own, longer = ROWS[number], [item for item in found.tokens[number].tolist() if item != PADDING]
            assert longer[-1] == own[-1]
            more.add((len(own), len(longer) - len(own)))
        torch.testing.assert_close(found.items[found.mask], vectors[found.tokens[found.mask]])
    assert {extra for _, extra in more} == {0, 1, 2}, "0: an item in front of the newest was taken back"
    assert all(extra < 2 for length, extra in more if length == 1)


def made_of(own: list[int], slot: int, longer: list[int]) -> list[list[int]]:
    """What ``own`` may become around ``slot``, the inserted ones taken from where they would stand in ``longer``."""
    front, middle, rest = own[:slot], own[slot], own[slot + 1 :]
    extra = len(longer) - len(own)
    if extra == 2:
        return [[*front, longer[slot], middle, longer[slot + 2], *rest]]
    first, second = longer[slot], longer[slot + 1]
    return [[*front, first, middle, *rest], [*front, middle, second, *rest], [*front, first, second, *rest]]


def test_a_lengthened_row_loses_its_two_newest_items_as_released() -> None:
    stage, vectors = augmentation(behind_newest=True), table()
    as_released = augmentation(raw_row_mask=True, behind_newest=True)
    for seed in range(10):
        whole = stage(row(ROWS, vectors), vectors, KNOWN, 1.0, seeded(seed)).tokens
        cut = as_released(row(ROWS, vectors), vectors, KNOWN, 1.0, seeded(seed)).tokens
        for number in (0, 3):  # long enough for something to be left
            items = [item for item in whole[number].tolist() if item != PADDING]
            left = [item for item in cut[number].tolist() if item != PADDING]
            assert items[: len(left)] == left and len(left) in (len(ROWS[number]) - 1, len(ROWS[number]))
        assert cut[2].tolist() == whole[2].tolist()


def test_gradients_reach_all_items_and_what_chooses() -> None:
    stage, vectors = augmentation(), table().requires_grad_()
    found = stage(row(ROWS[:1], vectors), vectors, KNOWN, 1.0, seeded())
    found.items.square().sum().backward()
    assert vectors.grad is not None and bool((vectors.grad[1 : M + 1] != 0).any(dim=1).all())
    assert all(parameter.grad is not None and bool(parameter.grad.any()) for parameter in stage.parameters())


@pytest.mark.parametrize("random_insertion", [False, True])
def test_what_the_padding_row_holds_changes_nothing(random_insertion: bool) -> None:
    stage, vectors = augmentation(random_insertion), table()
    before = stage(row(ROWS, vectors), vectors, KNOWN, 1.0, seeded())
    vectors[PADDING] = 50.0
    after = stage(row(ROWS, vectors), vectors, KNOWN, 1.0, seeded())
    assert torch.equal(before.tokens, after.tokens)
    torch.testing.assert_close(before.items[before.mask], after.items[after.mask])
