"""Which diffusion step a training sample is noised to: uniform, or the steps that are hardest at present."""

from __future__ import annotations

import torch
from torch import Generator, Tensor, nn

REMEMBERED = 10
UNIFORM_SHARE = 0.001


class UniformSteps(nn.Module):
    """Every step is as likely."""

    def __init__(self, steps: int) -> None:
        super().__init__()
        self.steps = steps

    def draw(self, rows: int, generator: Generator) -> tuple[Tensor, Tensor]:
        """Steps (rows,) and the weight of their losses (rows,), on the CPU."""
        return torch.randint(self.steps, (rows,), generator=generator), torch.ones(rows)

    def record(self, time: Tensor, loss: Tensor) -> None:
        """Tells what the samples at ``time`` (B,) lost, (B,)."""


class ImportanceSteps(UniformSteps):
    """A step's chance follows the RMS of its last ten losses (0.1 % is spread evenly), as in the released code; the
    losses are weighed by the inverse. Uniform until every step has ten.
    """

    history: Tensor  # (T, 10) float64, newest last
    count: Tensor  # (T,) how many of them are there

    def __init__(self, steps: int) -> None:
        super().__init__(steps)
        self.register_buffer("history", torch.zeros(steps, REMEMBERED, dtype=torch.float64))
        self.register_buffer("count", torch.zeros(steps, dtype=torch.int64))

    def chances(self) -> Tensor:
        """(T,) float64, sums to 1."""
        if bool((self.count < REMEMBERED).any()):
            return torch.full((self.steps,), 1 / self.steps, dtype=torch.float64)
        size = self.history.cpu().square().mean(dim=1).sqrt()
        return (1 - UNIFORM_SHARE) * size / size.sum() + UNIFORM_SHARE / self.steps

    def draw(self, rows: int, generator: Generator) -> tuple[Tensor, Tensor]:
        chances = self.chances()
        time = torch.multinomial(chances, rows, replacement=True, generator=generator)
        return time, (1 / (chances[time] * self.steps)).to(torch.get_default_dtype())

    @torch.no_grad()
    def record(self, time: Tensor, loss: Tensor) -> None:
        for step in time.unique().tolist():
            newest = loss[time == step].double()
            kept = torch.cat([self.history[step], newest.to(self.history.device)])[-REMEMBERED:]
            self.history[step] = kept
            self.count[step] = min(int(self.count[step]) + len(newest), REMEMBERED)
