"""What one process has to do where several train or evaluate together, and how they tell each other what they found.

Rows are dealt out, results come back in row order, and what the main process has is given to all. A process that is
alone does everything itself and sends nothing. Tensors are exchanged as they are; nothing is pickled.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

import torch
from torch import Tensor, distributed, nn

from demo_core.sequences import batches


@dataclass(frozen=True)
class Share:
    """Process number ``process`` of ``processes``, 0 being the main one. ``device``: where the others can be reached
    (a GPU's processes by NCCL, which knows no other memory).

    Every method but the first three has to be called by all processes together.
    """

    process: int = 0
    processes: int = 1
    device: torch.device = field(default_factory=lambda: torch.device("cpu"))

    @property
    def is_main(self) -> bool:
        return self.process == 0

    def rows(self, batch: Tensor) -> tuple[Tensor, int]:
        """This process's rows of a global batch (N,) that is not empty, and how many of them count.

        Where there are fewer rows than processes some get the first row, and it does not count: they have to take part
        in the exchange of gradients all the same.
        """
        own = batch[self.process :: self.processes]
        return (own, len(own)) if len(own) else (batch[:1], 0)

    def batches(self, number: int, size: int) -> Iterator[Tensor]:
        """Of ``number`` rows in batches of ``size`` those that this process scores. A batch is never cut up, so that
        each row is scored beside the same rows, to the same bit, by however many processes.
        """
        return islice(batches(number, size), self.process, None, self.processes)

    def summed(self, values: Tensor) -> Tensor:
        """The sum over all processes, in each of them the same."""
        if self.processes == 1 or not values.numel():
            return values
        total = values.to(self.device, copy=True)
        distributed.all_reduce(total)
        return total.to(values.device)

    def gathered(self, found: Tensor, times: Tensor) -> Tensor:
        """Everybody's results in row order. ``found``: this process's integers in their places, 0 in all others;
        ``times`` (R,): how often it scored each row. ``RuntimeError`` unless each was scored exactly once by somebody.
        """
        wrong = self.summed(times) != 1
        if bool(wrong.any()):
            raise RuntimeError(
                f"Expected each of {len(times)} rows to be scored once, {int(wrong.sum())} were not; "
                f"this is process {self.process + 1} of {self.processes}."
            )
        return self.summed(found)

    @torch.no_grad()
    def from_main(self, *tensors: Tensor) -> None:
        """Overwrites ``tensors`` by those of the main process; shapes and types have to be the same everywhere."""
        if self.processes == 1 or not tensors:
            return
        parts = [tensor.detach().contiguous().reshape(-1).view(torch.uint8).to(self.device) for tensor in tensors]
        sent = torch.cat(parts)
        distributed.broadcast(sent, src=0)
        if not self.is_main:
            for tensor, part in zip(tensors, sent.split([len(part) for part in parts]), strict=True):
                tensor.copy_(part.clone().view(tensor.dtype).view(tensor.shape))

    def same_buffers(self, module: nn.Module) -> None:
        """What the processes noted beside the weights becomes the same: a flag is set that any of them has set, of the
        rest (running averages, tables) the main process's counts.
        """
        if self.processes == 1:
            return
        flags = [buffer for buffer in module.buffers() if buffer.dtype == torch.bool]
        self.from_main(*(buffer for buffer in module.buffers() if buffer.dtype != torch.bool))
        for flag in flags:
            flag.copy_(self.summed(flag.int()) > 0)

    def wait(self) -> None:
        """Until all processes are here."""
        int(self.summed(torch.ones(1, dtype=torch.int64)))

    def require_same(self, text: str, what: str) -> None:
        """``ValueError`` in every process when ``text`` is not the main one's; it has to be as long. ``what``: it is,
        for the message.
        """
        own = torch.frombuffer(bytearray(text.encode()), dtype=torch.uint8)
        main = own.clone()
        self.from_main(main)
        others = int(self.summed(torch.tensor(int(not torch.equal(own, main)))))
        if others:
            raise ValueError(
                f"Expected {what} to be the same in all {self.processes} processes; {others} differ from the main one. "
                "Start every machine with the same command, code and prepared data."
            )

    def file_of_main(self, path: Path | None) -> bytes | None:
        """What ``path`` holds on the main process's machine; ``None`` where there is no such file."""
        content = path.read_bytes() if self.is_main and path is not None and path.exists() else None
        if self.processes == 1:
            return content
        size = torch.tensor(-1 if content is None else len(content))
        self.from_main(size)
        if int(size) < 0:
            return None
        filled = torch.zeros(int(size), dtype=torch.uint8)
        if content is not None:
            filled = torch.frombuffer(bytearray(content), dtype=torch.uint8)
        self.from_main(filled)
        return filled.numpy().tobytes()


ALONE = Share()
"""One process that has everything to do."""


def warn_if_alone(processes: int, environment: Mapping[str, str]) -> None:
    """Says so when ``accelerate launch --num_processes 2`` has started a single process, as it does without GPUs."""
    # Its launcher for one process names a meeting point only if more were asked for.
    if processes == 1 and "ACCELERATE_MIXED_PRECISION" in environment and "MASTER_PORT" in environment:
        warnings.warn(
            "accelerate launch was asked for several processes and started one, as it does without a GPU. Give it "
            "--config_file scripts/accelerate/two_cpu_processes.yaml, or --multi_gpu, for as many as you want.",
            stacklevel=2,
        )
