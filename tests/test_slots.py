"""Packing of real slots, against plain indexing."""

import torch

from demo_core.slots import Slots

MASK = torch.tensor([[0, 0, 1, 1], [1, 1, 1, 1], [0, 0, 0, 0], [0, 0, 0, 1]], dtype=torch.bool)
X = torch.arange(4 * 4 * 2, dtype=torch.float32).reshape(4, 4, 2)


def test_packing_keeps_the_real_slots_row_by_row_and_one_of_an_empty_row() -> None:
    slots = Slots.of(MASK)
    expected = torch.cat([X[0, 2:], X[1], X[2, 3:], X[3, 3:]])
    assert torch.equal(slots.pack(X), expected)
    assert torch.equal(slots.newest(slots.pack(X)), X[:, -1])


def test_padding_puts_slots_back_and_zeros_elsewhere() -> None:
    slots = Slots.of(MASK)
    restored = slots.pad(slots.pack(X))
    assert torch.equal(restored[MASK], X[MASK])
    assert not restored[0, :2].any() and not restored[2, :3].any()


def test_full_rows_need_no_index() -> None:
    slots = Slots.of(torch.ones(2, 3, dtype=torch.bool))
    assert slots.index is None
    x = X[:2, :3]
    assert torch.equal(slots.pad(slots.pack(x)), x)
    assert torch.equal(slots.newest(slots.pack(x)), x[:, -1])


def test_gradients_pass_through_packing_and_padding() -> None:
    x = X.clone().requires_grad_()
    slots = Slots.of(MASK)
    slots.pad(slots.pack(x)).sum().backward()
    assert x.grad is not None
    assert x.grad[MASK].eq(1).all() and x.grad[0, :2].eq(0).all()


def test_some_of_the_slots_are_found_among_them() -> None:
    slots, full = Slots.of(MASK), Slots.of(torch.ones(4, 4, dtype=torch.bool))
    part = Slots.of(MASK & (torch.arange(4) > 2))
    for whole in (slots, full):
        assert torch.equal(whole.pack(X)[whole.find(part, X.device)], part.pack(X))
    assert torch.equal(full.find(full, X.device), torch.arange(16))
