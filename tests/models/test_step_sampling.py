import pytest
import torch

from demo_core.models.step_sampling import REMEMBERED, ImportanceSteps, UniformSteps


def seeded() -> torch.Generator:
    return torch.Generator().manual_seed(0)


def test_uniform_steps_are_all_as_likely_and_weigh_the_same() -> None:
    time, weight = UniformSteps(4).draw(8000, seeded())
    assert (torch.bincount(time, minlength=4) / 8000).tolist() == pytest.approx([0.25] * 4, abs=0.02)
    assert torch.equal(weight, torch.ones(8000))


def test_importance_is_uniform_until_every_step_has_ten_losses() -> None:
    steps = ImportanceSteps(2)
    steps.record(torch.zeros(50, dtype=torch.int64), torch.ones(50))
    steps.record(torch.ones(9, dtype=torch.int64), torch.full((9,), 5.0))
    assert steps.chances().tolist() == [0.5, 0.5]
    steps.record(torch.ones(1, dtype=torch.int64), torch.full((1,), 5.0))
    assert steps.chances()[1] > 0.8


def test_chances_are_the_authors() -> None:
    """Numbers: ``sample_timesteps`` of XMUDM/GlobalDiff 2fc1de9 with this history."""
    steps = ImportanceSteps(4)
    for step in range(4):
        steps.record(torch.full((10,), step), torch.tensor([1 + step + 0.1 * j for j in range(10)]))
    expected = [0.1246961269, 0.2079258303, 0.2917071295, 0.3756709133]
    assert steps.chances().tolist() == pytest.approx(expected, abs=1e-7)


def test_only_the_last_ten_losses_of_a_step_count_oldest_first() -> None:
    steps = ImportanceSteps(2)
    steps.record(torch.tensor([0, 1, 0, 1] * 4), torch.arange(16.0))
    steps.record(torch.tensor([0, 0, 0]), torch.tensor([100.0, 101.0, 102.0]))
    assert steps.history[0].tolist() == [2.0, 4.0, 6.0, 8.0, 10.0, 12.0, 14.0, 100.0, 101.0, 102.0]
    assert steps.count.tolist() == [REMEMBERED, 8]


def test_the_weights_make_up_for_the_chances() -> None:
    """The weighed mean of any function of the step is its plain mean over the steps."""
    steps = ImportanceSteps(3)
    for step in range(3):
        steps.record(torch.full((10,), step), torch.full((10,), 1.0 + 2 * step))
    time, weight = steps.draw(60000, seeded())
    value = torch.tensor([3.0, -1.0, 7.0])
    assert float((weight * value[time]).mean()) == pytest.approx(3.0, abs=0.1)
    assert torch.bincount(time).argmax() == 2
