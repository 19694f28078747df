"""CL4SRec: its three operators, and what altering in place does."""

import itertools

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from demo_core.datasets import LEAVE_ONE_OUT_FULL, Dataset
from demo_core.models.base import next_item_loss
from demo_core.models.cl4srec import (
    CROP,
    MASK,
    REORDER,
    CL4SRec,
    CL4SRecConfig,
    crop,
    draw_operators,
    mask_items,
    reorder,
)
from demo_core.models.contrastive_encoder import nt_xent_of_products
from demo_core.sequences import PADDING, Batch, Catalogue, Rows, pad
from tests.models.judging import UNJUDGED

M, L = 9, 7
TOKEN = M + 2
FIVE = [1, 2, 3, 4, 5]


def model(*changes: str) -> CL4SRec:
    torch.manual_seed(0)
    built = CL4SRec(CL4SRecConfig(num_items=M, max_length=L, embedding_dim=8).override(*changes))
    torch.nn.init.normal_(built.item_embedding.weight)
    return built.eval()


def seeded(seed: int = 1) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def many(sequence: list[int], rows: int = 6000) -> Tensor:
    return pad([sequence], L).expand(rows, -1)


def shares(found: Tensor) -> dict[tuple[int, ...], float]:
    """Which rows there are, without their padding on the left, and how often."""
    rows, times = found.unique(dim=0, return_counts=True)
    return {
        tuple(row[next((i for i, item in enumerate(row) if item != PADDING), len(row)) :]): count / len(found)
        for row, count in zip(rows.tolist(), times.tolist(), strict=True)
    }


def about(share: float) -> object:
    return pytest.approx(share, abs=0.02)


def test_a_crop_of_five_keeps_three_consecutive_items_wherever_they_stand() -> None:
    found = shares(crop(many(FIVE), 0.6, seeded()))
    assert found == {part: about(1 / 3) for part in [(1, 2, 3), (2, 3, 4), (3, 4, 5)]}


def test_a_mask_of_five_hides_exactly_one_item() -> None:
    found = shares(mask_items(many(FIVE), 0.3, TOKEN, seeded()))
    expected = {tuple(TOKEN if item == hidden else item for item in FIVE): about(0.2) for hidden in FIVE}
    assert found == expected


def test_reordering_five_shuffles_three_neighbours_and_leaves_what_is_around_them() -> None:
    found = shares(reorder(many(FIVE), 0.6, seeded()))
    expected: dict[tuple[int, ...], float] = {}
    for first in range(3):
        for part in itertools.permutations(FIVE[first : first + 3]):
            whole = (*FIVE[:first], *part, *FIVE[first + 3 :])
            expected[whole] = expected.get(whole, 0.0) + 1 / 18
    assert found == {whole: about(share) for whole, share in expected.items()}


def test_two_items_are_enough_for_every_operator() -> None:
    pair = many([8, 9])
    assert shares(crop(pair, 0.6, seeded())) == {(8,): about(0.5), (9,): about(0.5)}
    assert shares(mask_items(pair, 0.3, TOKEN, seeded())) == {(8, TOKEN): about(0.5), (TOKEN, 9): about(0.5)}
    assert shares(reorder(pair, 0.6, seeded())) == {(8, 9): about(0.5), (9, 8): about(0.5)}


@pytest.mark.parametrize("operator", [CROP, MASK, REORDER])
def test_a_history_of_one_item_or_none_stays_as_it_is(operator: int) -> None:
    history = pad([[4], []], L)
    assert torch.equal(model().altered(history, torch.tensor([operator] * 2), seeded()), history)


@given(
    st.lists(st.lists(st.integers(1, M), min_size=2, max_size=L), min_size=1, max_size=20),
    st.integers(0, 99),
)
@settings(max_examples=60, deadline=None)
def test_padding_is_never_touched_and_never_counted(sequences: list[list[int]], seed: int) -> None:
    history = pad(sequences, L)
    number = (history != PADDING).sum(dim=1)
    cropped = crop(history, 0.6, seeded(seed))
    assert (cropped != PADDING).sum(dim=1).tolist() == [max(1, 6 * n // 10) for n in number.tolist()]
    for row, own in zip(cropped.tolist(), history.tolist(), strict=True):
        part = [item for item in row if item != PADDING]
        assert row == [PADDING] * (L - len(part)) + part
        assert any(own[i : i + len(part)] == part for i in range(L))
    masked = mask_items(history, 0.3, TOKEN, seeded(seed))
    assert (masked == TOKEN).sum(dim=1).tolist() == [max(1, 3 * n // 10) for n in number.tolist()]
    shuffled = reorder(history, 0.6, seeded(seed))
    assert torch.equal(shuffled.sort(dim=1).values, history.sort(dim=1).values)
    for altered in (masked, shuffled):
        assert torch.equal(altered == PADDING, history == PADDING)


def test_two_operators_are_drawn_independently_or_distinct() -> None:
    pairs = shares(draw_operators(9000, False, seeded()).T + 1)
    assert pairs == {(a, b): about(1 / 9) for a in (1, 2, 3) for b in (1, 2, 3)}
    distinct = shares(draw_operators(9000, True, seeded()).T + 1)
    assert distinct == {(a, b): about(1 / 6) for a in (1, 2, 3) for b in (1, 2, 3) if a != b}


def test_each_row_is_altered_by_its_own_operator() -> None:
    found = model().altered(pad([FIVE] * 3, L), torch.tensor([CROP, MASK, REORDER]), seeded())
    assert (found != PADDING).sum(dim=1).tolist() == [3, 5, 5]
    assert (found == TOKEN).sum(dim=1).tolist() == [0, 1, 0]


def batch() -> Batch:
    history = pad([FIVE, [5, 4], [6], [], [9, 8, 7, 6]], L)
    return Batch(history, torch.tensor([6, 3, 1, 9, 5]), torch.ones(5, dtype=torch.bool))


def test_the_loss_is_that_of_the_clean_history_plus_that_of_the_views_of_two_items_or_more() -> None:
    rec = model("contrast_weight=0.3", "temperature=2.0")
    first, second = rec.views(batch().history, seeded())
    assert not torch.equal(first, second)
    states = [rec.encode(history) for history in (batch().history, first, second)]
    expected = next_item_loss(states[0], batch().target, rec.item_embedding, M, rec.item_bias)
    several = torch.tensor([True, True, False, False, True])
    expected = expected + 0.3 * nt_xent_of_products(states[1], states[2], several, 2.0)
    torch.testing.assert_close(rec.loss(batch(), seeded()), expected)


def test_the_gradient_of_the_contrast_reaches_both_views_and_the_mask_token() -> None:
    rec = model()
    history = pad([FIVE, [9, 8, 7, 6]], L)
    views = (history, mask_items(history, 0.3, rec.mask_token, seeded()))
    states = [rec.encode(view) for view in views]
    loss = nt_xent_of_products(states[0], states[1], torch.ones(2, dtype=torch.bool), 1.0)
    (gradient,) = torch.autograd.grad(loss, [rec.item_embedding.weight], retain_graph=True)
    assert bool(gradient[TOKEN].any())
    assert all(bool(one.any()) for one in torch.autograd.grad(loss, states))


def test_neither_special_token_is_an_answer() -> None:
    rec = model()
    assert len(rec.item_embedding.weight) == M + 3
    assert rec.score(batch().history).shape == (5, M + 1)


def test_more_padding_does_not_change_the_loss() -> None:
    wide = Batch(torch.nn.functional.pad(batch().history, (4, 0)), batch().target, batch().is_last)
    torch.testing.assert_close(model().loss(wide, seeded()), model().loss(batch(), seeded()))


@pytest.mark.parametrize("change", ["crop_share=0.0", "mask_share=1.1", "reorder_share=-0.1"])
def test_a_share_that_is_none_is_refused(change: str) -> None:
    with pytest.raises(ValueError, match=r"in \(0, 1\]"):
        model(change)


# In place


def world(sequences: list[list[int]], items: int) -> Dataset:
    rows = Rows.last_items(sequences)
    return Dataset("own", "Own", Catalogue.untitled([1] * items), LEAVE_ONE_OUT_FULL, rows, rows, rows)


def damaging(*changes: str) -> CL4SRec:
    rec = model("in_place=True", *changes)
    rec.prepare(world([[*FIVE, 6], [5, 4, 3], [6, 1], [9, 8, 7, 6, 5]], M), UNJUDGED)
    return rec.train()


@pytest.mark.parametrize("in_place", [False, True])
def test_the_loss_leaves_its_batch_as_it_was(in_place: bool) -> None:
    asked, rec = batch(), damaging() if in_place else model().train()
    for seed in range(5):
        rec.loss(asked, seeded(seed)).backward()
    assert torch.equal(asked.history, batch().history) and torch.equal(asked.target, batch().target)


def test_in_place_the_next_item_is_predicted_from_the_damaged_row_and_for_good(monkeypatch: pytest.MonkeyPatch) -> None:
    rec = damaging("mask_share=0.5")
    read: list[tuple[Tensor, ...]] = []
    original = rec.encode

    def encode(history: Tensor) -> Tensor:
        read.append(history.chunk(3))
        return original(history)

    monkeypatch.setattr(rec, "encode", encode)
    for seed in range(12):
        rec.loss(batch(), seeded(seed))
    hidden = [int((clean == TOKEN).sum()) for clean, _, _ in read]
    assert hidden == sorted(hidden) and hidden[-1] > hidden[0], "what is masked stays masked"
    at, known = rec.stored.find(batch().history, batch().target)
    assert known.tolist() == [True, True, True, False, True]
    assert torch.equal(rec.stored.history[at[known]].long(), read[-1][0][known])
    assert torch.equal(read[-1][0][2:4], batch().history[2:4]), "fewer than two items: nothing to alter"


def test_in_place_only_a_crop_is_a_copy() -> None:
    for seed in range(60):
        rec = damaging("distinct_operators=True")
        operators = draw_operators(5, True, seeded(seed)).T.tolist()
        rows, *views = rec.damage(batch().history, batch().target, seeded(seed))
        for row in (0, 1, 4):
            for operator, view in zip(operators[row], views, strict=True):
                assert torch.equal(view[row], rows[row]) == (operator != CROP)


def test_in_place_the_training_rows_decay_as_those_of_the_released_copy_do() -> None:
    """Measured on its own function with 2,000 rows of 5 to 39 items: 18 % of all items are the mask token after one
    epoch, 64 % after five, 87 % after ten.
    """
    generator, rows = seeded(), 2000
    lengths = torch.randint(5, 40, (rows,), generator=generator).tolist()
    sequences = [torch.randint(1, 500, (n + 1,), generator=generator).tolist() for n in lengths]
    config = CL4SRecConfig(num_items=500, max_length=40, in_place=True, distinct_operators=True)
    rec = CL4SRec(config)
    data = world(sequences, 500)
    rec.prepare(data, UNJUDGED)
    whole = data.train.batch(torch.arange(rows), 40)
    masked, same = [], 0.0
    for _ in range(10):
        found, first, second = rec.damage(whole.history, whole.target, generator)
        masked.append(float((found == rec.mask_token).sum() / (found != PADDING).sum()))
        same += float((first == second).all(dim=1).double().mean()) / 10
    assert [masked[epoch] for epoch in (0, 4, 9)] == pytest.approx([0.18, 0.64, 0.87], abs=0.02)
    assert same == pytest.approx(1 / 3, abs=0.03), "mask and reorder: both views are the stored row"


def test_nothing_is_damaged_by_default_or_outside_of_training() -> None:
    rec = damaging().eval()
    kept = rec.stored.history.clone()
    first, second = (rec.loss(batch(), seeded()) for _ in range(2))
    assert torch.equal(first, second) and torch.equal(rec.stored.history, kept)
    copying = model()
    copying.prepare(world([FIVE], M), UNJUDGED)
    assert not len(copying.stored.key), "and nothing is kept"
