import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from demo_core.models.global_structure import Ones
from demo_core.models.objectives import OBJECTIVES, Restoration, row_losses

ITEM = torch.tensor([4, 11])


def given(scale: float = 1.0, padding: bool = True, restored: Tensor | None = None) -> Restoration:
    """Two rows over 13 columns; x_0 is 1 where a cosine is above 0.4."""
    x = torch.sin(torch.arange(26.0)).view(2, 13) if restored is None else restored
    clean = (torch.cos(2.0 * torch.arange(26.0)).view(2, 13) > 0.4).float()
    row, item = clean.nonzero(as_tuple=True)
    return Restoration(x, Ones(row, item, (2, 13)), ITEM, torch.tensor(scale), padding)


@pytest.mark.parametrize(("objective", "expected"), [("nmse", 6.7653756), ("mse", 12.4412708), ("ce", 3.6230145)])
def test_released_losses_are_the_authors(objective: str, expected: float) -> None:
    """Numbers: ``p_losses`` of XMUDM/GlobalDiff 2fc1de9, whose names for them are "mse", "l2" and "ce"."""
    assert float(row_losses(given(), objective, 0.0).mean()) == pytest.approx(expected, rel=1e-6)


def test_multinomial_cross_entropy_asks_for_each_one_alike() -> None:
    case = given(scale=2.0, padding=False)
    clean = case.ones.dense()
    log_likely = (2.0 * case.restored[:, 1:]).log_softmax(dim=1)
    # Column 0 is a one in both rows here, which real data never has: its logit still counts as such.
    total = (2.0 * case.restored[:, 1:]).logsumexp(dim=1)
    in_zero = 2.0 * case.restored[:, 0] - total
    expected = -((clean[:, 1:] * log_likely).sum(dim=1) + in_zero) / clean.sum(dim=1)
    torch.testing.assert_close(row_losses(case, "mce", 0.0), expected)


def test_binary_cross_entropy_is_that_of_every_item() -> None:
    expected = F.binary_cross_entropy_with_logits(given().restored, given().ones.dense(), reduction="none").sum(dim=1)
    torch.testing.assert_close(row_losses(given(), "bce", 0.0), expected)


@pytest.mark.parametrize("padding", [True, False])
def test_the_default_is_the_sum_of_two_and_so_is_its_gradient(padding: bool) -> None:
    def gradients(objective: str) -> list[Tensor]:
        x = torch.sin(torch.arange(26.0, dtype=torch.float64)).view(2, 13).requires_grad_()
        scale = torch.tensor(3.0, dtype=torch.float64, requires_grad=True)
        case = given(padding=padding, restored=x)
        case = Restoration(x, case.ones, ITEM, scale, padding)
        if objective == "both":
            loss = row_losses(case, "mce", 0.0) + 0.25 * row_losses(case, "mse", 0.0)
        else:
            loss = row_losses(case, objective, 0.25)
        weighed = (loss * torch.tensor([0.3, 1.7])).sum()
        return [loss.detach(), *torch.autograd.grad(weighed, [x, scale])]

    for fast, plain in zip(gradients("multinomial+error"), gradients("both"), strict=True):
        torch.testing.assert_close(fast, plain, atol=1e-9, rtol=1e-7)


@pytest.mark.parametrize("objective", [*OBJECTIVES, "multinomial+error"])
def test_a_vector_without_ones_has_a_finite_loss(objective: str) -> None:
    nothing = torch.zeros(0, dtype=torch.int64)
    x = torch.randn(2, 13, requires_grad=True)
    loss = row_losses(Restoration(x, Ones(nothing, nothing, (2, 13)), ITEM, torch.tensor(1.0), False), objective, 0.1)
    loss.sum().backward()
    assert torch.isfinite(loss).all() and x.grad is not None and torch.isfinite(x.grad).all()
    if objective == "mce":
        assert not loss.any()


def test_padding_is_no_answer_unless_it_is_a_candidate() -> None:
    raised = given().restored.clone()
    raised[:, 0] = 50.0
    for padding, changes in ((True, True), (False, False)):
        before, after = (row_losses(given(1.0, padding, x), "ce", 0.0) for x in (None, raised))
        assert torch.equal(before, after) is not changes
