"""The reverse walk of DiffRec and DiffuRec: DDPM's posterior, through all steps or some of them."""

from __future__ import annotations

from dataclasses import replace

import torch

from demo_core.diffusion import NoiseSchedule, ReverseStep


def posterior_steps(schedule: NoiseSchedule, number: int, forward_noise: bool = False) -> list[ReverseStep]:
    """Ancestral sampling through ``number`` of the T times, at most all, as if there were no others: what they leave of
    the signal is a schedule of its own. The noise is the posterior's, or with ``forward_noise`` as much as the forward
    process adds there; the last step has none.
    """
    times = schedule.spaced_times(min(number, len(schedule)))
    left = torch.tensor([schedule.levels[time] for time in times[::-1]], dtype=torch.float64)
    betas = 1 - left / torch.cat([left.new_ones(1), left[:-1]])
    steps = [replace(step, time=time) for step, time in zip(NoiseSchedule(betas).ddpm_steps(), times, strict=True)]
    if not forward_noise:
        return steps
    sizes = betas.sqrt().flip(0).tolist()
    return [*(replace(step, noise=size) for step, size in zip(steps[:-1], sizes[:-1], strict=True)), steps[-1]]
