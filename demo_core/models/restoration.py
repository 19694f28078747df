"""GlobalDiff's diffusion over 0/1 vectors of items: schedules, forward process, reverse chain (Eq. 5, 6).

Letters: S steps that are walked.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from demo_core.diffusion import NoiseSchedule, ReverseStep, cosine_betas, linear_betas, linear_variance_betas
from demo_core.models.approximator import Approximator, ReleasedApproximator
from demo_core.models.global_structure import Ones
from demo_core.models.globaldiff_config import GlobalDiffConfig

FIRST_BETA = 1e-5
# A Gaussian in H dimensions is made from its covariance where that is well-conditioned and cheaper than M columns.
MINIMUM_ITEMS_PER_HIDDEN = 4


def noise_rates(config: GlobalDiffConfig) -> Tensor:
    """(T,) float64 betas. All but "cosine" begin with 1e-5, as in DiffRec and the released code.

    There "cosine" does so too and is capped at 0.999; here it lies between 1e-4 and 0.9999. No preset takes it.
    """
    T, scale = config.diffusion_steps, config.noise_scale
    if config.schedule == "cosine":
        return cosine_betas(T)
    if config.schedule == "linear-variance":
        return linear_variance_betas(T, scale, config.noise_low, config.noise_high, FIRST_BETA)
    if config.schedule == "linear":
        betas = linear_betas(T, scale * config.noise_low, scale * config.noise_high)
    else:  # binomial
        betas = 1 / (T - torch.arange(T, dtype=torch.float64) + 1)
    betas[0] = FIRST_BETA
    return betas


def reverse_steps(schedule: NoiseSchedule, steps: int, rule: str) -> list[ReverseStep]:
    """``steps`` of the T times from T - 1 down to x_0. ``rule`` "ddim" (eta 0), "posterior" (Eq. 6's mean alone) or
    "posterior-noise" (with its noise).
    """
    times = schedule.spaced_times(steps)
    if rule == "ddim":
        return schedule.ddim_steps(times)
    pairs = zip(times, [*times[1:], -1], strict=True)
    walk = [(time, *posterior_coefficients(schedule, time, earlier)) for time, earlier in pairs]
    noisy = rule == "posterior-noise"
    return [ReverseStep(time, clean, state, math.sqrt(var) if noisy else 0.0) for time, clean, state, var in walk]


def posterior_coefficients(schedule: NoiseSchedule, time: int, earlier: int) -> tuple[float, float, float]:
    """q(x_s | x_t, x_0) for s = ``earlier`` < t = ``time``: weight of x_0, weight of x_t, variance (Eq. 6 for s = t -
    1). s = -1: (1, 0, 0).
    """
    now = float(schedule.alpha_bar[time])
    before = 1.0 if earlier < 0 else float(schedule.alpha_bar[earlier])
    lost = 1 - now / before
    return (
        math.sqrt(before) * lost / (1 - now),
        math.sqrt(now / before) * (1 - before) / (1 - now),
        lost * (1 - before) / (1 - now),
    )


def seen_input(x: Tensor, kind: str) -> Tensor:
    """What the network sees of x_t (B, M + 1): "x_t" itself, its "sign", or its direction "l2".

    The released code normalises over an axis of length 1, which leaves the sign; the direction was probably meant.
    """
    if kind == "sign":
        return x.sign()
    return F.normalize(x, dim=1) if kind == "l2" else x


@dataclass(frozen=True)
class Chain:
    """A reverse process with network and context fixed. ``draw()``: one standard normal vector (1, M + 1) that all
    rows share, so that a row's answer does not depend on its neighbours.
    """

    network: Approximator | ReleasedApproximator
    context: Tensor
    steps: list[ReverseStep]
    draw: Callable[[], Tensor]

    def over_items(self, start: Tensor, kind: str, watch: Callable[[Tensor], None] | None = None) -> Tensor:
        """From x_T = ``start`` (B, M + 1) to x_0 (B, M + 1), for a network that sees ``kind`` of x_t. ``watch`` is
        shown the estimate of x_0 at every step.
        """
        net, state = self.network, start
        for step in self.steps:
            u = net.inward(seen_input(state, kind))
            clean = net.outward(net.hidden(u, self._time(step), self.context))
            if watch is not None:
                watch(clean)
            state = step.of_clean * clean + step.of_state * state
            if step.noise:
                state = state + step.noise * self.draw()
        return clean

    def in_hidden_dimension(self, start: Tensor, watch: Callable[[Tensor], None] | None = None) -> Tensor:
        """The same for a network that sees x_t itself, on u = W_in x: W_in x_0 = (W_in W_out) h + W_in b needs H x H,
        not M x H, numbers a step. Exact, because both ends of the network are linear.
        """
        net = self.network
        u = start @ net.inward.weight.T
        matrix, offset = net.inward.weight @ net.outward.weight, net.inward.weight @ net.outward.bias
        h = u
        for step in self.steps:
            h = net.hidden(u, self._time(step), self.context)
            if watch is not None:
                watch(net.outward(h))
            u = step.of_clean * (h @ matrix.T + offset) + step.of_state * u
            if step.noise:
                u = u + step.noise * (self.draw() @ net.inward.weight.T)
        return net.outward(h)

    def _time(self, step: ReverseStep) -> Tensor:
        return torch.full((1,), step.time, device=self.context.device)


def projected_noise(weight: Tensor, rows: int, generator: torch.Generator) -> Tensor:
    """W eps for ``rows`` standard normal eps of M + 1 numbers each: (rows, H), with gradient to ``weight`` W (H, M +
    1).

    W eps is Gaussian with covariance W W^T; where M is much larger than H it is drawn as such (by Cholesky), at a cost
    that hardly grows with the rows.
    """
    hidden, items = weight.shape
    if items < MINIMUM_ITEMS_PER_HIDDEN * hidden:
        return torch.randn(rows, items, generator=generator, device=weight.device) @ weight.T
    covariance = weight @ weight.T
    jitter = 1e-6 * covariance.detach().diagonal().mean() * torch.eye(hidden, device=weight.device)
    factor = torch.linalg.cholesky_ex(covariance + jitter).L
    return torch.randn(rows, hidden, generator=generator, device=weight.device) @ factor.T


def noised_input(
    network: Approximator | ReleasedApproximator,
    schedule: NoiseSchedule,
    ones: Ones,
    time: Tensor,
    kind: str,
    generator: torch.Generator,
) -> Tensor:
    """W_in of what the network sees of x_t ~ q(x_t | x_0), (B, H), at ``time`` (B,); ``generator`` is of its device."""
    weight, left = network.inward.weight, schedule.alpha_bar[time][:, None]
    signal, spread = left.sqrt().to(weight.dtype), (1 - left).sqrt().to(weight.dtype)
    if kind == "x_t":
        return signal * ones.project(weight) + spread * projected_noise(weight, len(time), generator)
    noise = torch.randn(ones.shape, generator=generator, device=weight.device)
    return network.inward(seen_input(signal * ones.dense() + spread * noise, kind))


def start_state(
    config: GlobalDiffConfig,
    schedule: NoiseSchedule,
    scores: Tensor,
    votes: Tensor | None,
    draw: Callable[[], Tensor],
) -> Tensor:
    """x_T (B, M + 1) from the backbone's log scores (B, M + 1) and the history's ``votes``, rows that sum to 1;
    ``draw()`` as in :class:`Chain`.
    """
    if config.start == "noise":
        return draw().expand_as(scores)
    if config.start == "logits":
        start = scores.masked_fill(scores.isneginf(), 0.0)
    else:
        start = scores.softmax(dim=1)
        if votes is not None and config.start in ("votes", "average"):
            start = votes if config.start == "votes" else (start + votes) / 2
        start = start if config.start == "softmax" else start / start.amax(dim=1, keepdim=True)
    if config.start_step is None or config.start_step == config.diffusion_steps:
        return start
    reached = 1.0 if config.start_step == 0 else float(schedule.alpha_bar[config.start_step - 1])
    left = float(schedule.alpha_bar[-1]) / reached
    return math.sqrt(left) * start + math.sqrt(1 - left) * draw()
