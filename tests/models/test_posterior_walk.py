"""DDPM's posterior through all steps or some of them, by Bayes' rule."""

import dataclasses
import math

import pytest

from demo_core.diffusion import NoiseSchedule
from demo_core.models.diffurec import truncated_linear_betas
from demo_core.models.posterior_walk import posterior_steps


def test_walking_all_times_is_ancestral_sampling() -> None:
    schedule = NoiseSchedule(truncated_linear_betas(32))
    for step, expected in zip(posterior_steps(schedule, 32), schedule.ddpm_steps(), strict=True):
        assert dataclasses.astuple(step) == pytest.approx(dataclasses.astuple(expected), abs=1e-9)


def test_more_steps_than_there_are_are_all_of_them() -> None:
    schedule = NoiseSchedule(truncated_linear_betas(32))
    assert posterior_steps(schedule, 100) == posterior_steps(schedule, 32)


def test_a_stride_follows_bayes_rule_over_the_times_left_out() -> None:
    schedule = NoiseSchedule(truncated_linear_betas(32))
    first, second, last = posterior_steps(schedule, 3)
    assert [step.time for step in (first, second, last)] == schedule.spaced_times(3)
    now, before = float(schedule.alpha_bar[first.time]), float(schedule.alpha_bar[second.time])
    precision = 1 / (1 - before) + (now / before) / (1 - now / before)
    assert first.noise == pytest.approx(precision**-0.5)
    assert first.of_clean == pytest.approx(math.sqrt(before) / (1 - before) / precision)
    assert (last.of_clean, last.of_state, last.noise) == (1.0, 0.0, 0.0)


def test_as_released_a_step_adds_the_noise_of_the_forward_process() -> None:
    schedule, betas = NoiseSchedule(truncated_linear_betas(32)), truncated_linear_betas(32).tolist()
    walk, plain = posterior_steps(schedule, 32, forward_noise=True), posterior_steps(schedule, 32)
    assert [step.noise for step in walk[:-1]] == pytest.approx([math.sqrt(beta) for beta in betas[:0:-1]])
    assert walk[-1].noise == 0.0, "the last step is the estimate"
    assert [dataclasses.replace(step, noise=0.0) for step in walk] == [
        dataclasses.replace(step, noise=0.0) for step in plain
    ]
