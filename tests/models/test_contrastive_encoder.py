"""What CL4SRec and DuoRec share."""

import math

import pytest
import torch
from torch import Tensor

from demo_core.models import MODELS, create
from demo_core.models.contrastive_encoder import ContrastiveEncoder, nt_xent_of_products
from demo_core.models.duorec import DuoRec, DuoRecConfig
from demo_core.models.sasrec import SASRec, SASRecConfig
from demo_core.sequences import Batch, pad

M, L = 9, 5


def by_hand(first: list[list[float]], second: list[list[float]], temperature: float) -> float:
    """Row by row: -log of the share that the other view has of all others."""
    views = first + second
    total = 0.0
    for i, own in enumerate(views):
        weight = [math.exp(sum(a * b for a, b in zip(own, other, strict=True)) / temperature) for other in views]
        total -= math.log(weight[(i + len(first)) % len(views)] / (sum(weight) - weight[i]))
    return total / len(views)


def two_views(rows: int) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(3)
    first, second = torch.randn(2, rows, 4, generator=generator)
    return first, second


def all_of(rows: int) -> Tensor:
    return torch.ones(rows, dtype=torch.bool)


def test_three_rows_by_hand_with_inner_products_of_states_that_are_no_unit_vectors() -> None:
    first = torch.tensor([[1.0, 0.0], [0.0, 2.0], [1.0, 1.0]])
    second = torch.tensor([[2.0, 0.0], [0.0, 1.0], [0.0, 1.0]])
    assert float(nt_xent_of_products(first, second, all_of(3), 1.0)) == pytest.approx(
        by_hand(first.tolist(), second.tolist(), 1.0), rel=1e-6
    )
    # The first row alone: products 2 with its other view; 0, 1 in its own view and 0, 0 in the other.
    alone = -math.log(math.exp(2) / (math.exp(2) + 1 + math.e + 1 + 1))
    views = torch.cat([first, second])
    logits = (views @ views.T)[0, 1:]
    assert float(-logits.log_softmax(dim=0)[2]) == pytest.approx(alone, rel=1e-6)


@pytest.mark.parametrize("temperature", [0.5, 1.0, 3.0])
def test_any_temperature_divides_the_products(temperature: float) -> None:
    first, second = two_views(5)
    found = float(nt_xent_of_products(first, second, all_of(5), temperature))
    assert found == pytest.approx(by_hand(first.tolist(), second.tolist(), temperature), rel=1e-5)


def test_longer_states_count_for_more() -> None:
    first, second = two_views(5)
    short, long = (float(nt_xent_of_products(s * first, s * second, all_of(5), 1.0)) for s in (0.1, 1.0))
    assert short != pytest.approx(long, rel=1e-2), "cosines would give the same"


def test_a_single_row_has_nothing_to_tell_apart() -> None:
    first, second = two_views(1)
    assert float(nt_xent_of_products(first, second, all_of(1), 1.0)) == 0.0


def test_rows_that_are_not_compared_are_neither_asked_nor_negatives_and_get_no_gradient() -> None:
    first, second = (view.requires_grad_() for view in two_views(5))
    compared = torch.tensor([True, False, True, True, False])
    loss = nt_xent_of_products(first, second, compared, 1.0)
    some = nt_xent_of_products(first[compared], second[compared], all_of(3), 1.0)
    assert float(loss.detach()) == pytest.approx(float(some.detach()), rel=1e-6)
    for view in (first, second):
        (gradient,) = torch.autograd.grad(loss, view, retain_graph=True)
        assert bool(gradient.isfinite().all())
        assert gradient.abs().sum(dim=1).gt(0).tolist() == compared.tolist()


@pytest.mark.parametrize("number", [0, 1])
def test_fewer_than_two_compared_rows_give_zero(number: int) -> None:
    first, second = two_views(4)
    assert float(nt_xent_of_products(first, second, torch.arange(4) < number, 1.0)) == 0.0


def test_the_encoder_is_that_of_sasrec() -> None:
    settings = ("max_length=5", "embedding_dim=8")
    duorec = DuoRec(DuoRecConfig(num_items=M).override(*settings)).eval()
    torch.nn.init.normal_(duorec.item_embedding.weight)
    sasrec = SASRec(SASRecConfig(num_items=M).override(*settings)).eval()
    sasrec.load_state_dict(duorec.state_dict(), strict=True)
    history = pad([[3, 1, 4], [5], [], [9, 8, 7, 6, 5, 4, 3]], 7)
    torch.testing.assert_close(duorec.score(history), sasrec.score(history))
    position = torch.tensor([6, 6, 6, 3])
    torch.testing.assert_close(duorec.masked_context(history, position), sasrec.masked_context(history, position))


@pytest.mark.parametrize("name", ["duorec", "cl4srec"])
def test_without_a_contrast_it_learns_what_sasrec_learns(name: str) -> None:
    config = MODELS[name].config(num_items=M).override("contrast_weight=0.0")
    model, sasrec = create(name, config, 0), SASRec(SASRecConfig(num_items=M)).eval()
    assert isinstance(model, ContrastiveEncoder)
    state = model.state_dict()
    sasrec.load_state_dict({**state, "item_embedding.weight": state["item_embedding.weight"][: M + 2]})
    batch = Batch(pad([[3, 1, 4], [5], []], 10), torch.tensor([2, 8, 1]), torch.ones(3, dtype=torch.bool))
    one, other = model.eval().loss(batch), sasrec.loss(batch)
    torch.testing.assert_close(one, other)
    for own, expected in zip(
        torch.autograd.grad(one, list(model.encoder.parameters())),
        torch.autograd.grad(other, list(sasrec.encoder.parameters())),
        strict=True,
    ):
        torch.testing.assert_close(own, expected)
