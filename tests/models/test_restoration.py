"""GlobalDiff's diffusion. Numbers marked as the authors' come from running XMUDM/GlobalDiff 2fc1de9."""

import math
from collections.abc import Iterator
from functools import partial

import pytest
import torch
from torch import Tensor

from demo_core.diffusion import NoiseSchedule
from demo_core.models.approximator import Approximator
from demo_core.models.global_structure import Ones
from demo_core.models.globaldiff_config import GlobalDiffConfig
from demo_core.models.restoration import (
    Chain,
    noise_rates,
    noised_input,
    posterior_coefficients,
    projected_noise,
    reverse_steps,
    start_state,
)
from tests.models.test_approximator import AT, released, released_inputs


def seeded(seed: int = 3) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def config(*settings: str) -> GlobalDiffConfig:
    return GlobalDiffConfig(num_items=12).override(*settings)


def schedule(*settings: str) -> NoiseSchedule:
    return NoiseSchedule(noise_rates(config(*settings)))


RELEASED = "noise_scale=0.01"


# Schedules and coefficients


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("linear-variance", [1e-05, 0.00023696058555600086, 0.00023746701846971696, 0.00023797562071981027]),
        ("linear", [1e-05, 0.00073684210526315792, 0.0028684210526315791, 0.005]),
        ("binomial", [1e-05, 0.05, 0.090909090909090912, 0.5]),
    ],
)
def test_noise_rates_are_the_authors(kind: str, expected: list[float]) -> None:
    betas = noise_rates(config(f"schedule={kind}", RELEASED))
    assert betas.dtype == torch.float64
    assert betas[[0, 1, 10, 19]].tolist() == pytest.approx(expected, rel=1e-12)


def test_released_noise_hardly_disturbs_and_its_end_does_not_depend_on_the_number_of_steps() -> None:
    ends = [float(schedule(RELEASED, f"diffusion_steps={T}").alpha_bar[-1]) for T in (20, 100, 200)]
    assert ends == pytest.approx([0.995488, 0.995488, 0.995488], abs=3e-4)


@pytest.mark.parametrize(
    ("time", "expected"),
    [
        (0, (1.0, 0.0, 0.0)),
        (1, (0.959512117621, 0.0404878820831, 9.59516915213e-06)),
        (2, (0.489728112412, 0.510271880269, 0.000120957317566)),
        (19, (0.0526275546903, 0.947372317846, 0.000225478346163)),
    ],
)
def test_posterior_coefficients_are_the_authors(time: int, expected: tuple[float, float, float]) -> None:
    assert posterior_coefficients(schedule(RELEASED), time, time - 1) == pytest.approx(expected, rel=1e-9)
    assert schedule(RELEASED).posterior_coefficients(time) == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize(("time", "earlier"), [(19, 9), (10, 0), (3, 2)])
def test_a_long_posterior_step_keeps_mean_and_variance_of_the_forward_process(time: int, earlier: int) -> None:
    """x_s made of x_t ~ q(x_t | x_0) and x_0 has to be distributed as q(x_s | x_0)."""
    plan = schedule()
    now, before = float(plan.alpha_bar[time]), float(plan.alpha_bar[earlier])
    of_clean, of_state, variance = posterior_coefficients(plan, time, earlier)
    assert of_clean + of_state * math.sqrt(now) == pytest.approx(math.sqrt(before))
    assert of_state**2 * (1 - now) + variance == pytest.approx(1 - before)


@pytest.mark.parametrize("rule", ["ddim", "posterior", "posterior-noise"])
@pytest.mark.parametrize("steps", [1, 3, 20])
def test_a_walk_ends_with_the_estimate_itself(rule: str, steps: int) -> None:
    walk = reverse_steps(schedule(), steps, rule)
    assert len(walk) == steps and walk[0].time == 19
    assert (walk[-1].of_clean, walk[-1].of_state, walk[-1].noise) == pytest.approx((1.0, 0.0, 0.0))
    assert any(step.noise for step in walk) == (rule == "posterior-noise" and steps > 1)


# Chains


def network() -> Approximator:
    torch.manual_seed(0)
    built = Approximator(13, 16, 8, 2, 0.0).double().eval()
    for weight in (built.inward.weight, built.outward.weight, built.outward.bias):
        torch.nn.init.normal_(weight, std=0.4)
    return built


def noises() -> Iterator[Tensor]:
    source = seeded(5)
    while True:
        yield torch.randn(1, 13, generator=source, dtype=torch.float64)


@pytest.mark.parametrize("rule", ["ddim", "posterior", "posterior-noise"])
@pytest.mark.parametrize("steps", [1, 2, 20])
def test_the_chain_in_the_hidden_dimension_equals_the_chain_over_all_items(rule: str, steps: int) -> None:
    start = torch.rand(4, 13, generator=seeded(), dtype=torch.float64)
    context = torch.randn(4, 16, generator=seeded(), dtype=torch.float64)
    walk, net, results = reverse_steps(schedule(), steps, rule), network(), []
    for naive in (True, False):
        draws = noises()
        chain = Chain(net, context, walk, partial(next, draws))
        results.append(chain.over_items(start, "x_t") if naive else chain.in_hidden_dimension(start))
    torch.testing.assert_close(results[0], results[1], atol=1e-10, rtol=1e-10)


@torch.no_grad()
@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("unet2d", [-0.0298316, 0.3235967, -0.0298530, 0.1491843, 0.3235673]),
        ("mlp1", [0.0444117, 0.3691036, 0.0234943, 0.2062117, 0.4217249]),
        ("mlp2", [0.1171598, 0.1413791, 0.1178476, -0.0285431, 0.1413556]),
    ],
)
def test_the_released_chain_gives_the_authors_numbers(kind: str, expected: list[float]) -> None:
    """Their ``p_sample`` of all 20 steps from raw scores, ``sampling_noise`` off."""
    x, _, context = released_inputs()
    chain = Chain(released(kind), context, reverse_steps(schedule(RELEASED), 20, "posterior"), lambda: x[:1])
    assert chain.over_items(x, "sign").flatten()[AT].tolist() == pytest.approx(expected, abs=1e-5)


# Forward


def test_projected_noise_has_the_covariance_of_projected_vectors() -> None:
    weight = torch.randn(4, 40, generator=seeded())
    noise = projected_noise(weight, 60000, seeded())
    torch.testing.assert_close(torch.cov(noise.T), weight @ weight.T, atol=1.0, rtol=0.03)
    assert float(noise.mean(dim=0).abs().max()) < 0.1


def test_projected_noise_of_few_items_is_made_of_the_vectors_themselves() -> None:
    """A covariance of more dimensions than items has no Cholesky factor."""
    weight = torch.randn(8, 5, generator=seeded())
    vectors = torch.randn(6, 5, generator=seeded(1))
    torch.testing.assert_close(projected_noise(weight, 6, seeded(1)), vectors @ weight.T)


def test_the_gradient_of_projected_noise_is_right_on_average() -> None:
    """d/dW of E |W eps|^2 = 2 W."""
    weight = torch.randn(3, 30, generator=seeded(), requires_grad=True)
    rows = 20000
    (gradient,) = torch.autograd.grad(projected_noise(weight, rows, seeded()).square().sum() / rows, weight)
    torch.testing.assert_close(gradient, 2 * weight.detach(), atol=0.15, rtol=0.0)


@pytest.mark.parametrize("kind", ["x_t", "sign", "l2"])
def test_the_noised_input_is_the_projection_of_what_the_network_sees(kind: str) -> None:
    """At a time without any noise to speak of, and at one with nothing but noise."""
    net = Approximator(13, 0, 8, 1, 0.0)
    ones = Ones(torch.tensor([0, 0, 1]), torch.tensor([3, 5, 2]), (2, 13))
    nearly_clean = NoiseSchedule(torch.tensor([1e-12, 0.999]))
    seen = noised_input(net, nearly_clean, ones, torch.zeros(2, dtype=torch.int64), kind, seeded())
    expected = ones.dense() if kind == "x_t" else ones.dense() / ones.dense().norm(dim=1, keepdim=True)
    if kind != "sign":
        torch.testing.assert_close(seen, expected @ net.inward.weight.T, atol=1e-4, rtol=1e-3)
    else:
        noise = torch.randn(2, 13, generator=seeded())
        torch.testing.assert_close(seen, torch.where(ones.dense() > 0, 1.0, noise.sign()) @ net.inward.weight.T)


@pytest.mark.parametrize("items", [13, 60])
def test_signal_and_noise_of_the_input_are_those_of_the_forward_process(items: int) -> None:
    """0.6 x_0 + 0.8 eps; 13 items are noised themselves, 60 by their covariance."""
    torch.manual_seed(0)
    net, rows, plan = Approximator(items, 0, 8, 1, 0.0), 30_000, NoiseSchedule(torch.tensor([0.1, 0.6]))
    assert float(plan.alpha_bar[1]) == pytest.approx(0.36)
    torch.nn.init.normal_(net.inward.weight)
    ones = Ones(torch.arange(rows).repeat_interleave(2), torch.tensor([3, 5]).repeat(rows), (rows, items))
    seen = noised_input(net, plan, ones, torch.ones(rows, dtype=torch.int64), "x_t", seeded()).detach()
    weight = net.inward.weight.detach()
    torch.testing.assert_close(seen.mean(dim=0), 0.6 * (weight[:, 3] + weight[:, 5]), atol=0.15, rtol=0)
    torch.testing.assert_close(torch.cov(seen.T), 0.64 * weight @ weight.T, atol=0.03 * items, rtol=0)


# The start


def scores() -> Tensor:
    made = torch.randn(3, 13, generator=seeded())
    made[:, 0] = -torch.inf
    return made


def never() -> Tensor:
    raise AssertionError("nothing is drawn")


def test_each_start_state_is_made_of_the_backbones_answer() -> None:
    plan, given = schedule(), scores()
    y = given.softmax(dim=1)
    torch.testing.assert_close(start_state(config("start=softmax"), plan, given, None, never), y)
    highest = start_state(config("start=scaled-softmax"), plan, given, None, never)
    torch.testing.assert_close(highest, y / y.amax(dim=1, keepdim=True))
    raw = start_state(config("start=logits"), plan, given, None, never)
    assert torch.equal(raw[:, 1:], given[:, 1:]) and not raw[:, 0].any()
    noise = torch.ones(1, 13)
    assert torch.equal(start_state(config("start=noise"), plan, given, None, lambda: noise), torch.ones(3, 13))


@pytest.mark.parametrize("step", [0, 1, 7, 20])
def test_the_forward_process_goes_on_from_the_start_step(step: int) -> None:
    """The variance of x_T, given that of q at step T', is that of q at T."""
    plan, noise = schedule(), torch.full((1, 13), 2.0)
    levels = [1.0, *plan.alpha_bar.tolist()]
    made = start_state(config("start=softmax", f"start_step={step}"), plan, scores(), None, lambda: noise)
    kept = levels[20] / levels[step]
    torch.testing.assert_close(made, math.sqrt(kept) * scores().softmax(dim=1) + math.sqrt(1 - kept) * noise)
    if step == 20:
        torch.testing.assert_close(made, start_state(config("start=softmax"), plan, scores(), None, never))
