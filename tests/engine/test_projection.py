import pytest
import torch

from demo_core.engine.projection import Projection
from demo_core.layers import unit


def test_two_axes_hold_everything_where_directions_differ_in_two() -> None:
    angle = torch.linspace(0.3, 1.2, 9)
    items = torch.stack([angle.cos(), angle.sin(), torch.full_like(angle, 0.5)], dim=1) * torch.arange(1, 10)[:, None]
    found = Projection.of(items)
    assert found.share == pytest.approx(1.0)
    places = torch.tensor(found.places(items))
    torch.testing.assert_close(torch.cdist(places, places), torch.cdist(unit(items), unit(items)), atol=1e-5, rtol=1e-4)


def test_the_share_is_that_of_the_variance_of_directions() -> None:
    items = torch.randn(200, 6, generator=torch.Generator().manual_seed(0))
    centred = unit(items).double() - unit(items).double().mean(dim=0)
    found = Projection.of(items)
    flat = torch.tensor(found.places(items))
    assert found.share == pytest.approx(float(flat.square().sum() / centred.square().sum()), rel=1e-4)
    assert found.share >= float(centred.square().sum(dim=0).topk(2).values.sum() / centred.square().sum())


def test_only_directions_count_and_axes_have_a_fixed_sense() -> None:
    items = torch.randn(50, 4, generator=torch.Generator().manual_seed(1))
    first, second = Projection.of(items), Projection.of(3 * items)
    torch.testing.assert_close(torch.tensor(first.places(items)), torch.tensor(second.places(5 * items)))
    assert all(bool(axis[axis.abs().argmax()] > 0) for axis in first.axes)
