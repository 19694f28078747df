"""The cross-entropy that never holds all scores is the ordinary one, and so is its gradient."""

import pytest
import torch
from torch.nn import functional as F

from demo_core.models import ranking_loss
from demo_core.models.ranking_loss import full_cross_entropy


def parts(rows: int, with_bias: bool = True) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor | None]:
    generator = torch.Generator().manual_seed(rows)
    state, items = (torch.randn(n, 5, generator=generator, dtype=torch.float64) for n in (rows, 11))
    bias = torch.randn(11, generator=generator, dtype=torch.float64).requires_grad_() if with_bias else None
    target = torch.randint(11, (rows,), generator=generator)
    return state.requires_grad_(), items.requires_grad_(), target, bias


@pytest.mark.parametrize("with_bias", [True, False])
@pytest.mark.parametrize("rows", [1, 4, 9])
def test_loss_and_gradients_are_those_of_the_plain_cross_entropy(
    rows: int, with_bias: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ranking_loss, "ROWS_ON_CPU", 4)  # so that nine rows take three turns
    state, items, target, bias = parts(rows, with_bias)
    learned = [tensor for tensor in (state, items, bias) if tensor is not None]
    plain = F.cross_entropy(F.linear(state, items, bias), target)
    expected = torch.autograd.grad(plain, learned)
    loss = full_cross_entropy(state, items, target, bias)
    torch.testing.assert_close(loss, plain)
    torch.testing.assert_close(torch.autograd.grad(3 * loss, learned), tuple(3 * gradient for gradient in expected))


def test_only_what_wants_a_gradient_gets_one() -> None:
    state, items, target, bias = parts(3)
    full_cross_entropy(state, items.detach(), target, None if bias is None else bias.detach()).backward()
    assert state.grad is not None and items.grad is None


def test_scores_of_any_size_give_a_finite_loss() -> None:
    state, items = torch.tensor([[1e4]]), torch.tensor([[1.0], [-1.0]])
    assert full_cross_entropy(state, items, torch.tensor([1])) == pytest.approx(2e4)
    with torch.no_grad():
        assert full_cross_entropy(state, items, torch.tensor([0])) == 0


def test_it_learns_in_the_smaller_types_too() -> None:
    state = torch.randn(3, 4, generator=torch.Generator().manual_seed(0)).bfloat16().requires_grad_()
    loss = full_cross_entropy(state, torch.eye(4).bfloat16(), torch.tensor([0, 1, 2]))
    loss.backward()
    assert loss.isfinite() and state.grad is not None and state.grad.isfinite().all()
