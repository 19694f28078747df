"""Schedules and steps, against the closed forms, Bayes' rule and the figures that are known of them."""

import math
from collections.abc import Callable

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from demo_core import diffusion
from demo_core.diffusion import NoiseSchedule, ReverseStep

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
    result = diffusion.sample(schedule.ddim_steps(times), lambda state, time: clean, start, callback=watch)
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
    result = diffusion.sample(schedule.ddim_steps([29, 19, 10]), lambda x, t: x @ weight + t / 30, start)
    torch.testing.assert_close(result, state)


def test_projection_shapes_the_next_state_and_not_the_result() -> None:
    schedule = NoiseSchedule(diffusion.linear_betas(10))
    inputs: list[Tensor] = []

    def estimate(state: Tensor, time: int) -> Tensor:
        inputs.append(state)
        return torch.full_like(state, 3.0)

    start = torch.zeros(1, 2, dtype=torch.float64)
    result = diffusion.sample(schedule.ddim_steps([9, 4]), estimate, start, project=lambda clean: clean / 3)
    of_clean, of_state = schedule.ddim_coefficients(9, 4)
    torch.testing.assert_close(inputs[1], of_clean * torch.ones_like(start) + of_state * start)
    assert result.tolist() == [[3.0, 3.0]]


def test_ddpm_steps_are_those_of_the_authors_code() -> None:
    """Figures of DreamRec.py (YangZhengyi98/DreamRec) with 20 exp steps in float64."""
    steps = NoiseSchedule(diffusion.exp_betas(20)).ddpm_steps()
    assert [step.time for step in steps] == list(range(19, -1, -1))
    released = {
        19: (0.0368272577, 0.7713916860, 0.6321229673),
        10: (0.1541618606, 0.8018285198, 0.4728074989),
        1: (0.7141854513, 0.2857202380, 0.1113962670),
    }
    for time, expected in released.items():
        step = steps[19 - time]
        assert (step.of_clean, step.of_state, step.noise) == pytest.approx(expected, abs=1e-9)
    assert steps[-1] == ReverseStep(0, 1.0, 0.0, 0.0)


def test_a_stride_of_one_has_the_slips_too() -> None:
    plan = NoiseSchedule(diffusion.linear_betas(10)).strided_steps(1, late_time=True, misindexed_noise=True)
    assert [step.time for step in plan] == list(range(10, -1, -1))
    assert plan[0].noise == plan[1].noise > 0, "there is no noise of the time after the last"


def test_strided_steps_with_both_slips_are_those_of_the_authors_code() -> None:
    """Figures of CARD.py (yanqilong3321/CARD), as in TDM.py, with 1000 linear steps in strides of 100 in float64."""
    steps = NoiseSchedule(diffusion.linear_betas(1000)).strided_steps(100, late_time=True, misindexed_noise=True)
    assert [step.time for step in steps] == list(range(1000, -1, -100)), "it begins one past the last trained time"
    clean = [0.0102372592, 0.0225630158, 0.0444279708, 0.0782061334, 0.1238761691, 0.1797501739]
    state = [0.9998825646, 0.9993711875, 0.9972751079, 0.9904312419, 0.9725697203, 0.9346119356]
    noise = [0.0160768038, 0.0154331470, 0.0147576831, 0.0140441052, 0.0132833497, 0.0124614741]
    clean += [0.2470676938, 0.3385921781, 0.5009581732, 0.9704365297, 1.0]
    state += [0.8659824158, 0.7515972101, 0.5495759098, 0.0311615927, 0.0]
    noise += [0.0115549529, 0.0105185323, 0.0092460324, 0.0073845702, 0.0]
    assert [step.of_clean for step in steps] == pytest.approx(clean, abs=1e-9)
    assert [step.of_state for step in steps] == pytest.approx(state, abs=1e-9)
    assert [step.noise for step in steps] == pytest.approx(noise, abs=1e-9)


def test_without_its_slips_the_strided_walk_is_ddim_on_the_same_times() -> None:
    schedule = NoiseSchedule(diffusion.linear_betas(250))
    assert schedule.strided_steps(100) == schedule.ddim_steps([199, 99, 0]), (
        "what the stride does not reach is left out"
    )
    late = schedule.strided_steps(100, late_time=True)
    assert [step.time for step in late] == [200, 100, 0]
    assert [step.noise for step in late] == [0.0, 0.0, 0.0]


@pytest.mark.parametrize("stride", [0, -1, 51])
def test_a_stride_that_leaves_the_schedule_is_refused(stride: int) -> None:
    with pytest.raises(ValueError, match="1 to 50"):
        NoiseSchedule(diffusion.linear_betas(50)).strided_steps(stride)


def test_ancestral_sampling_equals_a_loop_over_the_formula() -> None:
    schedule = NoiseSchedule(diffusion.exp_betas(7))
    noises = torch.randn(7, 2, 3, generator=torch.Generator().manual_seed(0)).double()
    state = noises[0]
    for number, time in enumerate(range(6, -1, -1)):
        of_clean, of_state, variance = schedule.posterior_coefficients(time)
        state = of_clean * (0.3 * state + time) + of_state * state
        state = state + (math.sqrt(variance) * noises[number + 1] if time else 0)
    draws = iter(noises[1:])
    result = diffusion.sample(schedule.ddpm_steps(), lambda x, t: 0.3 * x + t, noises[0], lambda: next(draws))
    torch.testing.assert_close(result, state)
    assert next(draws, None) is None, "one draw a step, none at the end"


def test_steps_with_noise_need_something_to_draw_from() -> None:
    schedule = NoiseSchedule(diffusion.exp_betas(7))
    with pytest.raises(ValueError, match="draw"):
        diffusion.sample(schedule.ddpm_steps(), lambda x, t: x, torch.ones(1, 2))


@pytest.mark.parametrize("walk", ["ddim", "ddpm", "strided"])
def test_an_affine_denoiser_is_sampled_at_once(walk: str) -> None:
    schedule = NoiseSchedule(diffusion.linear_betas(200))
    steps = {
        "ddim": schedule.ddim_steps([199, 120, 40]),
        "ddpm": schedule.ddpm_steps(),
        "strided": schedule.strided_steps(20, late_time=True, misindexed_noise=True),
    }[walk]
    generator = torch.Generator().manual_seed(0)
    weight = torch.randn(5, 5, generator=generator).double() / 5
    pushes = torch.randn(4, 5, generator=generator).double()
    offsets = torch.randn(len(steps), 5, generator=generator).double()
    start = torch.randn(3, 5, generator=generator).double()

    def draws() -> Callable[[], Tensor]:
        noise = torch.Generator().manual_seed(1)
        return lambda: torch.randn(3, 5, generator=noise).double()

    constant, gain = diffusion.sample_affine(steps, weight, offsets, start, draws())
    for push in pushes:
        at = iter(offsets)
        looped = diffusion.sample(steps, lambda x, _: x @ weight.T + push + next(at), start, draws())  # noqa: B023
        torch.testing.assert_close(constant + gain @ push, looped, atol=1e-10, rtol=0)


def test_the_tables_are_rebuilt_and_never_saved() -> None:
    assert not NoiseSchedule(diffusion.linear_betas(10)).state_dict()
