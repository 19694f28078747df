"""Schedules and steps, against the closed forms, Bayes' rule and the figures that are known of them."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from demo_core import diffusion
from demo_core.diffusion import NoiseSchedule

SCHEDULES = {
    "linear": diffusion.linear_betas,
    "exp": diffusion.exp_betas,
    "cosine": diffusion.cosine_betas,
    "sqrt": diffusion.sqrt_betas,
    "linear variance": diffusion.linear_variance_betas,
}


def left_at_the_end(betas: Tensor) -> float:
    return math.prod(1 - beta for beta in betas.tolist())


@pytest.mark.parametrize(("steps", "left"), [(200, 0.132), (500, 6.4e-3), (1000, 4.0e-5), (2000, 1.6e-9)])
def test_linear_schedule_leaves_the_known_share_of_signal(steps: int, left: float) -> None:
    assert left_at_the_end(diffusion.linear_betas(steps)) == pytest.approx(left, rel=0.02)


@pytest.mark.parametrize("steps", [200, 500, 2000])
def test_exp_schedule_ends_alike_whatever_the_number_of_steps(steps: int) -> None:
    assert left_at_the_end(diffusion.exp_betas(steps)) == pytest.approx(6.4e-3, rel=0.03)


def test_cosine_schedule_follows_the_squared_cosine_until_it_is_clipped() -> None:
    alpha_bar = NoiseSchedule(diffusion.cosine_betas(100)).alpha_bar.tolist()
    squared = [math.cos((t / 100 + 0.008) / 1.008 * math.pi / 2) ** 2 for t in range(101)]
    # Betas below 1e-4 do not occur with 100 steps; only the last one is clipped from above.
    assert alpha_bar[:-1] == pytest.approx([value / squared[0] for value in squared[1:-1]], rel=1e-9)
    assert alpha_bar[-1] == pytest.approx(alpha_bar[-2] * 1e-4, rel=1e-9)


def test_sqrt_schedule_follows_one_minus_root_until_it_is_capped() -> None:
    betas = diffusion.sqrt_betas(50).tolist()
    levels = [1 - math.sqrt(t / 50 + 1e-4) for t in range(51)]
    for t, beta in enumerate(betas):
        assert beta == pytest.approx(min(1 - levels[t + 1] / levels[t], 0.999), rel=1e-12)


def test_linear_variance_schedule_has_the_released_figures() -> None:
    betas = diffusion.linear_variance_betas(20)
    assert betas[0] == 1e-5
    assert float(betas[1]) == pytest.approx(0.00023696, abs=5e-9)
    assert float(betas[19]) == pytest.approx(0.00023798, abs=5e-9)
    assert left_at_the_end(betas) == pytest.approx(0.995488, abs=5e-7)


def test_linear_variance_schedule_without_the_first_beta_is_linear_in_the_variance() -> None:
    schedule = NoiseSchedule(diffusion.linear_variance_betas(10, scale=1.0, low=0.05, high=0.5, first=None))
    variance = [0.05 + 0.05 * t for t in range(10)]
    assert (1 - schedule.alpha_bar).tolist() == pytest.approx(variance, rel=1e-12)


@pytest.mark.parametrize("name", SCHEDULES)
def test_every_schedule_is_float64_and_only_adds_noise(name: str) -> None:
    betas = SCHEDULES[name](40)
    assert betas.dtype == torch.float64 and betas.shape == (40,)
    alpha_bar = NoiseSchedule(betas).alpha_bar
    assert alpha_bar.dtype == torch.float64
    assert bool((alpha_bar.diff() < 0).all()) and 0 < float(alpha_bar[-1]) < float(alpha_bar[0]) < 1


@pytest.mark.parametrize("betas", [[0.0, 0.1], [0.1, 1.0], [-0.1], [[0.1]], [math.nan]])
def test_rates_outside_zero_to_one_are_refused(betas: list[float]) -> None:
    with pytest.raises(ValueError, match="between 0 and 1"):
        NoiseSchedule(torch.tensor(betas))


def test_noising_mixes_signal_and_noise_row_by_row() -> None:
    schedule = NoiseSchedule(diffusion.linear_betas(100))
    clean, noise, time = torch.randn(3, 4), torch.randn(3, 4), torch.tensor([0, 50, 99])
    noised = schedule.add_noise(clean, time, noise)
    assert noised.dtype == torch.float32
    for row, t in enumerate(time.tolist()):
        left = math.prod(1 - beta for beta in diffusion.linear_betas(100).tolist()[: t + 1])
        torch.testing.assert_close(noised[row], math.sqrt(left) * clean[row] + math.sqrt(1 - left) * noise[row])


@pytest.mark.parametrize("name", SCHEDULES)
@pytest.mark.parametrize("time", [1, 7, 39])
def test_posterior_equals_bayes_rule(name: str, time: int) -> None:
    betas = SCHEDULES[name](40).tolist()
    before = math.prod(1 - beta for beta in betas[:time])
    alpha = 1 - betas[time]
    # q(x_{t-1} | x_0) and q(x_t | x_{t-1}) are Gaussians in x_{t-1}: their precisions add up.
    precision = 1 / (1 - before) + alpha / betas[time]
    expected = (math.sqrt(before) / (1 - before) / precision, math.sqrt(alpha) / betas[time] / precision, 1 / precision)
    assert NoiseSchedule(SCHEDULES[name](40)).posterior_coefficients(time) == pytest.approx(expected, rel=1e-6)


@given(time=st.integers(1, 39), name=st.sampled_from(sorted(SCHEDULES)))
@settings(max_examples=40, deadline=None)
def test_posterior_of_a_noiseless_state_stays_noiseless(time: int, name: str) -> None:
    schedule = NoiseSchedule(SCHEDULES[name](40))
    of_clean, of_state, _ = schedule.posterior_coefficients(time)
    now, before = schedule.alpha_bar[time].item(), schedule.alpha_bar[time - 1].item()
    assert of_clean + of_state * math.sqrt(now) == pytest.approx(math.sqrt(before), rel=1e-9)


def test_the_last_posterior_step_returns_the_estimate_itself() -> None:
    assert NoiseSchedule(diffusion.linear_betas(1000)).posterior_coefficients(0) == (1.0, 0.0, 0.0)


@given(time=st.integers(1, 39), earlier=st.integers(-1, 38), name=st.sampled_from(sorted(SCHEDULES)))
@settings(max_examples=60, deadline=None)
def test_ddim_keeps_the_same_noise_at_the_earlier_level(time: int, earlier: int, name: str) -> None:
    earlier = min(earlier, time - 1)
    schedule = NoiseSchedule(SCHEDULES[name](40))
    of_clean, of_state = schedule.ddim_coefficients(time, earlier)
    now = schedule.alpha_bar[time].item()
    before = schedule.alpha_bar[earlier].item() if earlier >= 0 else 1.0
    assert of_clean + of_state * math.sqrt(now) == pytest.approx(math.sqrt(before), abs=1e-9)
    assert of_state * math.sqrt(1 - now) == pytest.approx(math.sqrt(1 - before), abs=1e-9)


def test_ddim_to_the_end_is_the_estimate_itself() -> None:
    assert NoiseSchedule(diffusion.linear_betas(1000)).ddim_coefficients(500, -1) == (1.0, 0.0)


def test_guidance_of_strength_zero_is_the_conditional_estimate() -> None:
    conditional, unconditional = torch.tensor([1.0, 2.0]), torch.tensor([0.0, 4.0])
    assert torch.equal(diffusion.guided(conditional, unconditional, 0.0), conditional)
    assert diffusion.guided(conditional, unconditional, 2.0).tolist() == [3.0, -2.0]


def test_spaced_times_fall_from_the_top_in_equal_steps() -> None:
    schedule = NoiseSchedule(diffusion.linear_betas(1000))
    assert schedule.spaced_times(1) == [999]
    assert schedule.spaced_times(2) in ([999, 499], [999, 500])
    assert schedule.spaced_times(1000) == list(range(999, -1, -1))
    times = schedule.spaced_times(20)
    gaps = [a - b for a, b in zip(times, [*times[1:], 0], strict=True)]
    assert times[0] == 999 and min(gaps) >= 49 and max(gaps) <= 51


@given(total=st.integers(1, 60), data=st.data())
@settings(deadline=None)
def test_spaced_times_never_repeat_or_leave_the_schedule(total: int, data: st.DataObject) -> None:
    schedule = NoiseSchedule(diffusion.linear_betas(total))
    times = schedule.spaced_times(data.draw(st.integers(1, total)))
    assert times == sorted(set(times), reverse=True)
    assert times[0] == total - 1 and times[-1] >= 0


@pytest.mark.parametrize("steps", [0, -1, 11])
def test_more_steps_than_the_schedule_has_are_refused(steps: int) -> None:
    with pytest.raises(ValueError, match="1 to 10"):
        NoiseSchedule(diffusion.linear_betas(10)).spaced_times(steps)


@pytest.mark.parametrize("steps", [1, 3, 50])
def test_sampling_with_a_perfect_denoiser_walks_down_the_forward_path(steps: int) -> None:
    schedule = NoiseSchedule(diffusion.linear_betas(50))
    generator = torch.Generator().manual_seed(0)
    clean, noise = torch.randn(4, 6, generator=generator).double(), torch.randn(4, 6, generator=generator).double()
    times = schedule.spaced_times(steps)
    seen: list[int] = []

    def watch(step: int, state: Tensor, estimate: Tensor) -> None:
        seen.append(times[step])
        expected = schedule.add_noise(clean, torch.full((4,), times[step]), noise)
        torch.testing.assert_close(state, expected)
        assert torch.equal(estimate, clean)

    start = schedule.add_noise(clean, torch.full((4,), times[0]), noise)
    result = diffusion.sample(schedule, lambda state, time: clean, start, times, callback=watch)
    torch.testing.assert_close(result, clean)
    assert seen == times


def test_sampling_equals_a_loop_over_the_ddim_formula() -> None:
    schedule = NoiseSchedule(diffusion.linear_betas(30))
    weight = torch.randn(5, 5, generator=torch.Generator().manual_seed(1)).double() / 3
    start = torch.randn(2, 5, generator=torch.Generator().manual_seed(2)).double()
    levels = [math.prod(1 - b for b in diffusion.linear_betas(30).tolist()[: t + 1]) for t in range(30)]
    state = start
    for time, earlier in ((29, 19), (19, 10), (10, -1)):
        clean = state @ weight + time / 30
        before = levels[earlier] if earlier >= 0 else 1.0
        noise = (state - math.sqrt(levels[time]) * clean) / math.sqrt(1 - levels[time])
        state = math.sqrt(before) * clean + math.sqrt(1 - before) * noise
    result = diffusion.sample(schedule, lambda x, t: x @ weight + t / 30, start, [29, 19, 10])
    torch.testing.assert_close(result, state)


def test_projection_shapes_the_next_state_and_not_the_result() -> None:
    schedule = NoiseSchedule(diffusion.linear_betas(10))
    inputs: list[Tensor] = []

    def estimate(state: Tensor, time: int) -> Tensor:
        inputs.append(state)
        return torch.full_like(state, 3.0)

    start = torch.zeros(1, 2, dtype=torch.float64)
    result = diffusion.sample(schedule, estimate, start, [9, 4], project=lambda clean: clean / 3)
    of_clean, of_state = schedule.ddim_coefficients(9, 4)
    torch.testing.assert_close(inputs[1], of_clean * torch.ones_like(start) + of_state * start)
    assert result.tolist() == [[3.0, 3.0]]


def test_the_tables_are_rebuilt_and_never_saved() -> None:
    assert not NoiseSchedule(diffusion.linear_betas(10)).state_dict()
