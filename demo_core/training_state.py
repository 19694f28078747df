"""What an interrupted training needs to go on: weights, averages, optimiser, random states. safetensors only."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

import torch
from safetensors.torch import load as tensors_of
from safetensors.torch import save_file
from torch import Generator, Tensor, nn

from demo_core.whole_files import written_beside


@dataclass
class TrainingState:
    """The moving parts of :func:`training.fit`. ``order`` shuffles (the same in every process), ``noise`` feeds
    losses, its own in every process (number ``process``). ``origin`` names the model, configuration, data, seed and
    number of processes that it belongs to.
    """

    order: Generator
    noise: Generator
    process: int
    origin: str
    phase: int = 0
    epoch: int = 0
    epochs: int = 0
    seconds: float = 0.0
    waited: int = 0
    best: float = -1.0
    loss: float = 0.0
    best_by_phase: dict[str, float] = field(default_factory=dict)
    parameters: list[nn.Parameter] = field(default_factory=list)
    average: list[Tensor] = field(default_factory=list)
    best_weights: dict[str, Tensor] = field(default_factory=dict)

    COUNTERS = ("origin", "phase", "epoch", "epochs", "seconds", "waited", "best", "loss", "best_by_phase")

    @classmethod
    def start(cls, seed: int, process: int, origin: str) -> Self:
        noise = Generator().manual_seed(seed + 1000003 * (process + 1))
        return cls(Generator().manual_seed(seed), noise, process, origin)

    def require_same_origin(self, content: bytes | None, path: Path | None) -> None:
        """Raises ``ValueError`` when ``content``, the file ``path``, was left by another run than this one."""
        if content is not None and _counters(content).get("origin") != self.origin:
            raise ValueError(
                f"{path} was left by a training with another model, configuration, data set, seed or number of "
                "processes. Start that one again to finish it, or delete the file."
            )

    def begin_phase(self, number: int, parameters: list[nn.Parameter], model: nn.Module) -> None:
        self.phase, self.epoch, self.waited, self.best = number, 0, 0, -1.0
        self.parameters = parameters
        self.average = [parameter.detach().clone() for parameter in parameters]
        self.best_weights = _copy(model.state_dict())

    @torch.no_grad()
    def average_weights(self, decay: float) -> None:
        """Exponential moving average of the trained parameters; decay 0 is the parameters themselves."""
        torch._foreach_lerp_(self.average, [parameter.detach() for parameter in self.parameters], 1 - decay)

    @contextmanager
    def averaged(self) -> Iterator[None]:
        """Within it the model has its averaged weights."""
        own = [parameter.detach().clone() for parameter in self.parameters]
        _assign(self.parameters, self.average)
        try:
            yield
        finally:
            _assign(self.parameters, own)

    def keep_if_better(self, quality: float, model: nn.Module) -> None:
        """Remembers the model's present weights when ``quality`` is the best so far, else counts the wait."""
        if quality > self.best:
            self.best, self.waited, self.best_weights = quality, 0, _copy(model.state_dict())
        else:
            self.waited += 1

    def restore_best(self, model: nn.Module) -> None:
        model.load_state_dict(self.best_weights)

    def random_states(self, device: torch.device) -> dict[str, Tensor]:
        """The random states that are this process's own, each as a row (1, bytes) on ``device``: dropout's on the CPU
        and on the GPU, and ``noise``.
        """
        states = {"global": torch.get_rng_state(), "noise": self.noise.get_state()}
        if device.type == "cuda":
            states["cuda"] = torch.cuda.get_rng_state(device)
        return {name: state[None].to(device) for name, state in states.items()}

    def save(
        self, path: Path, model: nn.Module, optimizer: torch.optim.Optimizer, random: Mapping[str, Tensor]
    ) -> None:
        """Writes everything beside ``path`` and renames it; ``random``: :meth:`random_states`, a row per process."""
        tensors = {
            **_prefixed("model", model.state_dict()),
            **_prefixed("best", self.best_weights),
            **_prefixed("average", {str(i): tensor for i, tensor in enumerate(self.average)}),
            **_prefixed("optimizer", _optimizer_tensors(optimizer)),
            **_prefixed("random", random),
            "order": self.order.get_state(),
        }
        counters = json.dumps({name: getattr(self, name) for name in self.COUNTERS})
        owned = {name: tensor.contiguous().cpu().clone() for name, tensor in tensors.items()}
        with written_beside(path) as file:
            save_file(owned, file, {"counters": counters})

    def load(self, content: bytes, model: nn.Module, optimizer: torch.optim.Optimizer) -> None:
        """The inverse of :meth:`save`, for the same model and phase, from what the file holds."""
        tensors = tensors_of(content)
        for name, value in _counters(content).items():
            setattr(self, name, value)
        model.load_state_dict(_under("model", tensors))
        self.best_weights = _under("best", tensors)
        _assign(self.average, [_under("average", tensors)[str(i)] for i in range(len(self.average))])
        _restore_optimizer(optimizer, _under("optimizer", tensors))
        self.order.set_state(tensors["order"])
        # Generators read a state's storage from its beginning, so that a row has to be a tensor of its own.
        random = {name: states[self.process].clone() for name, states in _under("random", tensors).items()}
        torch.set_rng_state(random["global"])
        self.noise.set_state(random["noise"])
        device = next(model.parameters()).device
        if device.type == "cuda" and "cuda" in random:
            torch.cuda.set_rng_state(random["cuda"], device)

    @staticmethod
    def phase_of(content: bytes | None) -> int | None:
        """The phase that was being trained when the file was written; ``None`` where there is no such file."""
        return None if content is None else int(_counters(content)["phase"])


def _counters(content: bytes) -> dict:
    """A safetensors file begins with the length of its header, 8 bytes, and the header, which is JSON."""
    end = 8 + int.from_bytes(content[:8], "little")
    return json.loads(json.loads(content[8:end])["__metadata__"]["counters"])


def _copy(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    return {name: tensor.detach().clone() for name, tensor in tensors.items()}


def _prefixed(prefix: str, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    return {f"{prefix}.{name}": tensor for name, tensor in tensors.items()}


def _under(prefix: str, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    return {name[len(prefix) + 1 :]: tensor for name, tensor in tensors.items() if name.startswith(prefix + ".")}


@torch.no_grad()
def _assign(targets: list[nn.Parameter] | list[Tensor], values: list[Tensor]) -> None:
    for target, value in zip(targets, values, strict=True):
        target.copy_(value)


def _optimizer_tensors(optimizer: torch.optim.Optimizer) -> dict[str, Tensor]:
    states = optimizer.state_dict()["state"]
    return {
        f"{index}.{name}": torch.as_tensor(value) for index, state in states.items() for name, value in state.items()
    }


def _restore_optimizer(optimizer: torch.optim.Optimizer, tensors: dict[str, Tensor]) -> None:
    content = optimizer.state_dict()
    states: dict[int, dict[str, Tensor]] = {}
    for key, tensor in tensors.items():
        index, name = key.split(".", 1)
        states.setdefault(int(index), {})[name] = tensor
    optimizer.load_state_dict({**content, "state": states})
