import math

import pytest
import torch

from demo_core.models.learned_threshold import LEVELS, LearnedThreshold, soften


def threshold(start: float = 0.5, softness: float = 0.1, low: float = 0.9, high: float = 1.0) -> LearnedThreshold:
    """The evenness of the training histories is spread evenly from ``low`` to ``high``."""
    built = LearnedThreshold(start, softness)
    built.read(torch.linspace(low, high, 1001))
    return built


def test_a_place_is_the_share_of_training_histories_that_are_less_even() -> None:
    places = threshold().place(torch.tensor([0.0, 0.9, 0.925, 0.95, 0.9999, 1.0, 2.0]))
    assert places.tolist() == pytest.approx([0.0, 0.0, 0.25, 0.5, 0.999, 1.0, 1.0], abs=1e-3)


def test_it_starts_at_the_quantile_it_is_given() -> None:
    built = threshold(start=0.3)
    assert float(built.quantile.detach()) == pytest.approx(0.3)
    assert float(built.threshold()) == pytest.approx(0.93, abs=1e-4)


@pytest.mark.parametrize("start", [1e-6, 1 - 1e-6])
def test_a_threshold_at_either_end_is_the_most_or_least_even_history(start: float) -> None:
    assert float(threshold(start=start).threshold()) == pytest.approx(0.9 if start < 0.5 else 1.0, abs=1e-4)


def test_the_turning_share_is_the_sigmoid_of_the_distance_in_places() -> None:
    share = threshold(start=0.4, softness=0.2).turning_share(torch.tensor([0.9, 0.94, 1.0])).detach()
    expected = [1 / (1 + math.exp(-(place - 0.4) / 0.2)) for place in (0.0, 0.4, 1.0)]
    assert share.tolist() == pytest.approx(expected, abs=1e-3)


def test_a_threshold_from_outside_takes_the_place_of_the_learned_one() -> None:
    built = threshold(start=0.1)
    assert float(built.turning_share(torch.tensor([0.97]), threshold=0.97).detach()) == pytest.approx(0.5, abs=1e-4)


def test_the_scale_of_the_evenness_does_not_matter() -> None:
    narrow, wide = threshold(low=0.99), threshold(low=0.5)
    first, second = narrow.turning_share(torch.tensor([0.9925])), wide.turning_share(torch.tensor([0.625]))
    assert float(first.detach()) == pytest.approx(float(second.detach()), abs=1e-3)


def test_a_history_among_many_equally_even_ones_has_a_finite_place() -> None:
    built = LearnedThreshold(0.5, 0.1)
    built.read(torch.ones(10))
    assert bool(built.place(torch.tensor([0.0, 1.0, 2.0])).isfinite().all()) and len(built.levels) == LEVELS


def test_weights_that_help_pull_the_threshold_down() -> None:
    built = threshold()
    weights = soften(torch.full((1, 4), 1.5), built.turning_share(torch.tensor([0.95])))
    (-weights.sum()).backward()  # the more weight the better
    assert built.logit.grad is not None and float(built.logit.grad) > 0, "a step of descent lowers the quantile"


def test_soft_weights_run_from_one_to_the_weight_itself() -> None:
    weights = soften(torch.tensor([[0.2, 1.0, 1.8]]).expand(3, 3), torch.tensor([0.0, 0.5, 1.0]))
    torch.testing.assert_close(weights, torch.tensor([[1.0, 1.0, 1.0], [0.6, 1.0, 1.4], [0.2, 1.0, 1.8]]))


@pytest.mark.parametrize(("start", "softness"), [(0.0, 0.1), (1.0, 0.1), (0.5, 0.0)])
def test_a_place_or_width_that_cannot_be_is_refused(start: float, softness: float) -> None:
    with pytest.raises(ValueError, match="threshold"):
        LearnedThreshold(start, softness)
