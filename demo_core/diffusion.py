"""Diffusion: noise schedules, forward noising, reverse steps, guidance and the sampling loop.

Time runs t = 0..T-1. All schedules are computed in float64 and cast once. Forward process: x_t = sqrt(abar_t) x_0 +
sqrt(1 - abar_t) eps. Sources: DDPM (arXiv 2006.11239), DDIM (arXiv 2010.02502), DreamRec's schedules as used by the
CARD family, DiffRec's linear variance as used by GlobalDiff.

Letters: T steps, S steps that are walked, N noises, B batch, D width.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn


def linear_betas(T: int, start: float = 1e-4, end: float = 0.02) -> Tensor:
    """(T,) float64: equally spaced noise rates, whatever T is."""
    return torch.linspace(start, end, T, dtype=torch.float64)


def exp_betas(T: int) -> Tensor:
    """(T,) float64: 1 - exp(-0.1 / T - y 0.5 * 9.9 / T^2) with y equally spaced from 1 to 2T + 1."""
    position = torch.linspace(1, 2 * T + 1, T, dtype=torch.float64)
    return 1 - torch.exp(-0.1 / T - position * 0.5 * 9.9 / T**2)


def cosine_betas(T: int) -> Tensor:
    """(T,) float64 from abar(t) = cos^2((t / T + .008) / 1.008 * pi / 2), clipped to [1e-4, 0.9999]."""
    time = torch.arange(T + 1, dtype=torch.float64) / T
    return _betas_from(torch.cos((time + 0.008) / 1.008 * math.pi / 2) ** 2).clamp(1e-4, 0.9999)


def sqrt_betas(T: int) -> Tensor:
    """(T,) float64 from abar(s) = 1 - sqrt(s + 1e-4), capped at 0.999."""
    time = torch.arange(T + 1, dtype=torch.float64) / T
    return _betas_from(1 - torch.sqrt(time + 1e-4)).clamp(max=0.999)


def linear_variance_betas(
    T: int, scale: float = 0.01, low: float = 0.05, high: float = 0.5, first: float | None = 1e-5
) -> Tensor:
    """(T,) float64 whose total variance 1 - abar_t runs linearly from scale * low to scale * high, capped at 0.999.

    ``first`` replaces beta_0, as DiffRec and GlobalDiff do (``None`` keeps it), which shifts every abar.
    """
    variance = torch.linspace(scale * low, scale * high, T, dtype=torch.float64)
    betas = _betas_from(torch.cat([torch.ones(1, dtype=torch.float64), 1 - variance])).clamp(max=0.999)
    if first is not None:
        betas[0] = first
    return betas


def guided(conditional: Tensor, unconditional: Tensor, strength: float) -> Tensor:
    """Classifier-free guidance: (1 + w) f(x, g) - w f(x, phi); strength w = 0 is the conditional estimate itself."""
    return (1 + strength) * conditional - strength * unconditional


@dataclass(frozen=True)
class ReverseStep:
    """One step down: x <- ``of_clean`` * x_0 estimate + ``of_state`` * x + ``noise`` * eps.

    ``time`` is the number that the denoiser is told. The last step of a walk has (1, 0, 0): it is the estimate itself.
    """

    time: int
    of_clean: float
    of_state: float
    noise: float = 0.0


class NoiseSchedule(nn.Module):
    """The tables of one schedule, as buffers so that they follow the model to its device; rebuilt, never saved."""

    alpha_bar: Tensor  # (T,) share of the signal's power that is left at time t

    def __init__(self, betas: Tensor) -> None:
        super().__init__()
        if betas.dim() != 1 or not bool(((betas > 0) & (betas < 1)).all()):
            raise ValueError("NoiseSchedule: expected a vector of noise rates strictly between 0 and 1.")
        self.register_buffer("alpha_bar", torch.cumprod(1 - betas.double(), dim=0), persistent=False)
        self.levels: list[float] = self.alpha_bar.tolist()  # the same for Python: a GPU need not be waited for

    def __len__(self) -> int:
        return len(self.alpha_bar)

    def add_noise(self, clean: Tensor, time: Tensor, noise: Tensor) -> Tensor:
        """x_t (B, D) from x_0 ``clean`` (B, D), ``time`` (B,) and standard normal ``noise`` (B, D)."""
        left = self.alpha_bar[time][:, None]
        return left.sqrt().to(clean.dtype) * clean + (1 - left).sqrt().to(clean.dtype) * noise

    def posterior_coefficients(self, time: int) -> tuple[float, float, float]:
        """DDPM's q(x_{t-1} | x_t, x_0): weight of x_0, weight of x_t, variance. At t = 0 exactly (1, 0, 0)."""
        now, before = self._alpha_bar_at(time), self._alpha_bar_at(time - 1)
        beta = 1 - now / before
        return (
            math.sqrt(before) * beta / (1 - now),
            math.sqrt(now / before) * (1 - before) / (1 - now),
            beta * (1 - before) / (1 - now),
        )

    def ddim_coefficients(self, time: int, earlier: int) -> tuple[float, float]:
        """Deterministic DDIM (eta 0) from ``time`` to ``earlier``: weight of x_0, weight of x_t. earlier = -1: (1,
        0).
        """
        now, before = self._alpha_bar_at(time), self._alpha_bar_at(earlier)
        of_state = math.sqrt((1 - before) / (1 - now))
        return math.sqrt(before) - of_state * math.sqrt(now), of_state

    def spaced_times(self, steps: int) -> list[int]:
        """``steps`` times from T - 1 downwards, equally spaced towards 0, which is left out when steps < T."""
        if not 1 <= steps <= len(self):
            raise ValueError(f"Expected 1 to {len(self)} denoising steps, got {steps}.")
        if steps == len(self):
            return list(range(len(self) - 1, -1, -1))
        return [round((len(self) - 1) * (1 - k / steps)) for k in range(steps)]

    def ddim_steps(self, times: Sequence[int]) -> list[ReverseStep]:
        """Deterministic DDIM through ``times`` (falling) to x_0."""
        pairs = zip(times, [*times[1:], -1], strict=True)
        return [ReverseStep(time, *self.ddim_coefficients(time, earlier)) for time, earlier in pairs]

    def ddpm_steps(self) -> list[ReverseStep]:
        """Ancestral sampling (DDPM Algorithm 2) through all T times."""
        walk = [(time, *self.posterior_coefficients(time)) for time in range(len(self) - 1, -1, -1)]
        return [ReverseStep(time, clean, state, math.sqrt(variance)) for time, clean, state, variance in walk]

    def strided_steps(self, stride: int, late_time: bool = False, misindexed_noise: bool = False) -> list[ReverseStep]:
        """DDIM as TDM and CARD walk it: times n * stride - 1 for n = T // stride .. 1, then 0.

        Released slips: ``late_time`` tells the denoiser n * stride, one too many, so that it begins with T, which was
        never trained. ``misindexed_noise`` adds DDPM's posterior noise of time n where DDIM adds none.
        """
        if not 1 <= stride <= len(self):
            raise ValueError(f"Expected a stride from 1 to {len(self)}, got {stride}.")
        numbers = range(len(self) // stride, -1, -1)
        steps = self.ddim_steps([max(n * stride - 1, 0) for n in numbers])
        return [
            ReverseStep(
                n * stride if late_time else step.time,
                step.of_clean,
                step.of_state,
                math.sqrt(self.posterior_coefficients(min(n, len(self) - 1))[2]) if misindexed_noise and n > 0 else 0.0,
            )
            for n, step in zip(numbers, steps, strict=True)
        ]

    def _alpha_bar_at(self, time: int) -> float:
        return 1.0 if time < 0 else self.levels[time]


def sample(
    steps: Sequence[ReverseStep],
    estimate: Callable[[Tensor, int], Tensor],
    state: Tensor,
    draw: Callable[[], Tensor] | None = None,
    project: Callable[[Tensor], Tensor] | None = None,
    callback: Callable[[int, Tensor, Tensor], None] | None = None,
) -> Tensor:
    """Walks ``steps`` down from ``state`` = x_T; returns the last estimate of x_0.

    ``estimate(x_t, t)`` is the denoiser's x_0. ``draw()`` is standard normal noise for a step that adds some.
    ``project`` puts an estimate back among the possible x_0 (their length, say) before the next state is made of it;
    what is returned is not projected. ``callback(step, x_t, estimate)`` sees every step and changes nothing.
    """
    for number, step in enumerate(steps):
        clean = estimate(state, step.time)
        if callback is not None:
            callback(number, state, clean)
        state = step.of_clean * (clean if project is None else project(clean)) + step.of_state * state
        if step.noise:
            state = state + step.noise * _require(draw)()
    return clean


def sample_affine(
    steps: Sequence[ReverseStep],
    weight: Tensor,
    offsets: Tensor,
    state: Tensor,
    draw: Callable[[], Tensor] | None = None,
) -> tuple[Tensor, Tensor]:
    """:func:`sample` for every guidance at once, where the denoiser is affine: ``weight`` x + push + ``offsets[s]``.

    ``weight`` (D, D), ``offsets`` (S, D) one a step, ``state`` (N, D); ``push`` (D,) is what guidance adds, the same
    in all steps. The result is affine in the push: ``constant`` (N, D) + ``gain`` (D, D) push, both float64. Noises are
    drawn in the order of :func:`sample`.
    """
    number, dim = state.shape
    transposed = weight.double().T
    # Rows: the N states without a push, then the response to a push along each axis.
    rows = torch.cat([state.double(), state.new_zeros(dim, dim, dtype=torch.float64)])
    added = torch.cat([torch.zeros_like(rows[:number]), torch.eye(dim, dtype=torch.float64, device=state.device)])
    for step, offset in zip(steps, offsets.double(), strict=True):
        added[:number] = offset
        rows = step.of_clean * torch.addmm(added, rows, transposed) + step.of_state * rows
        if step.noise:
            rows[:number] += step.noise * _require(draw)().double()
    return rows[:number], rows[number:].T


def _require(draw: Callable[[], Tensor] | None) -> Callable[[], Tensor]:
    if draw is None:
        raise ValueError("These steps add noise: expected a draw function, got None.")
    return draw


def _betas_from(alpha_bar: Tensor) -> Tensor:
    return 1 - alpha_bar[1:] / alpha_bar[:-1]
