"""What AdaRanker adapts itself with."""

import torch

from demo_core.models.adaptive_layers import AdaptiveLayer, DistributionEncoder, MemoryUnit

D = 8


def test_a_patch_is_a_mixture_of_the_slots_by_their_likeness_to_z() -> None:
    unit = MemoryUnit(2, 2, 3)
    unit.index.data = torch.tensor([[1.0, 0.0], [0.0, 1.0]]).log1p() / torch.tensor(2.0).log()  # the unit vectors
    unit.array.data = torch.tensor([[4.0, 0.0, 8.0], [0.0, 4.0, 8.0]])
    z = torch.tensor([[torch.tensor(3.0).log(), 0.0]])  # softmax: 3/4 and 1/4
    torch.testing.assert_close(unit(z), torch.tensor([[3.0, 1.0, 8.0]]))


def test_a_row_has_its_own_weights_and_bias() -> None:
    layer = AdaptiveLayer(2, 1, 1, 1, start=1.0)
    layer.layer.weight.data, layer.layer.bias.data = torch.tensor([[2.0, 5.0]]), torch.tensor([1.0])
    layer.of_weight.array.data, layer.of_bias.array.data = torch.tensor([[0.5, -1.0]]), torch.tensor([[10.0]])
    x = torch.tensor([[[1.0, 1.0], [2.0, 7.0]]])
    # weight 2 * 1.5, 5 * 0; bias 1 + 10
    torch.testing.assert_close(layer(x, torch.zeros(1, 1)), torch.tensor([[[14.0], [17.0]]]))


def test_rows_with_different_lists_are_ranked_with_different_weights() -> None:
    layer = AdaptiveLayer(3, 2, D, 4, start=1.0)
    x, z = torch.randn(1, 5, 3).expand(2, -1, -1), torch.randn(2, D) * 5
    assert not torch.allclose(layer(x, z)[0], layer(x, z)[1])
    torch.testing.assert_close(layer(x, z)[1:], layer(x[1:], z[1:]))


def test_the_order_of_the_candidates_and_how_often_the_list_is_told_do_not_matter() -> None:
    encoder, items = DistributionEncoder(D, 0.2).eval(), torch.randn(3, 6, D)
    mean, log_variance = encoder(items)
    for same in (items.flip(1), torch.cat([items, items], dim=1)):
        torch.testing.assert_close(encoder(same)[0], mean)
        torch.testing.assert_close(encoder(same)[1], log_variance)
    assert not torch.allclose(encoder(items[:, 1:])[0], mean)


def test_short_vectors_say_as_much_about_a_list_as_long_ones_and_z_begins_with_less_noise_than_lists_differ() -> None:
    torch.manual_seed(0)
    encoder, items = DistributionEncoder(D, 0.0), torch.randn(3, 5, D)
    mean, log_variance = encoder(items)
    torch.testing.assert_close(encoder(0.1 * items)[0], mean, atol=1e-3, rtol=0)
    assert float((log_variance / 2).exp().mean().detach()) < float(mean.std(dim=0).mean().detach())
