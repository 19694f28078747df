"""One training loop for every model: phases, early stopping, weight averaging, resume. On ``accelerate``.

An interrupted ``fit`` that is started again with the same arguments, state file and number of processes ends in the
same weights as one that was never interrupted: every epoch leaves weights, optimiser, averages and the random states of
all processes behind. (A GPU adds in no fixed order, so that there the last digits differ, as between any two runs.)
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from accelerate import Accelerator
from accelerate.utils import broadcast
from torch import Generator, Tensor, nn
from tqdm.auto import tqdm

from demo_core.datasets import Dataset
from demo_core.evaluation import metrics_of, ranks_under
from demo_core.models.base import Phase, Recommender, RecommenderConfig, Validation
from demo_core.sequences import Batch
from demo_core.training_state import TrainingState

SELECTION_ROWS = 10_000
"""Validation rows that are enough to choose an epoch, at a standard error of half a point; YooChoose has 57,062."""


@dataclass(frozen=True)
class Epoch:
    """One epoch of a phase that is over: ``number`` of at most ``of``, its mean ``loss``, and the validation figure
    that chooses the epoch, now and at its ``best`` so far.
    """

    phase: str
    number: int
    of: int
    loss: float
    quality: float
    best: float


@dataclass(frozen=True)
class FitReport:
    """``epochs`` trained in all phases, ``seconds_per_epoch`` without validation, ``best`` validation NDCG@20 a
    phase.
    """

    epochs: int
    seconds_per_epoch: float
    best: dict[str, float]


def fit(
    model: Recommender,
    dataset: Dataset,
    *,
    seed: int,
    state_file: Path | None = None,
    skip: tuple[str, ...] = (),
    accelerator: Accelerator | None = None,
    progress: bool = True,
    watch: Callable[[Epoch], None] | None = None,
) -> FitReport:
    """Trains ``model`` in place through its phases and leaves it in evaluation mode with its best weights.

    ``skip`` names phases that are not needed (a backbone that was loaded). ``state_file`` makes the run resumable; it
    is removed at the end. ``watch`` is told of every epoch, in the main process. Raises ``ValueError`` when the loss is
    not finite, or when the state is another run's.
    """
    accelerator = accelerator or Accelerator(cpu=not torch.cuda.is_available())
    model.to(accelerator.device)
    # Its own GPU only: by default every process would set up all of them.
    with torch.random.fork_rng(devices=[accelerator.device] if accelerator.device.type == "cuda" else []):
        torch.manual_seed(seed + accelerator.process_index)
        origin = _origin(model, dataset, seed, skip, accelerator.num_processes)
        state = TrainingState.start(seed, accelerator.process_index, origin)
        if state_file is not None:
            state.require_same_origin(state_file)
        reached = TrainingState.phase_of(state_file)
        for number, phase in enumerate(model.phases()):
            done = reached is not None and reached > number
            if phase.name in skip or (done and phase.loss is not None):
                continue
            _Stage(model, dataset, phase, number, accelerator, state_file, progress, watch).run(state)
    accelerator.wait_for_everyone()
    if state_file is not None and accelerator.is_main_process:
        state_file.unlink(missing_ok=True)
    model.eval()
    return FitReport(state.epochs, state.seconds / max(state.epochs, 1), dict(state.best_by_phase))


def _origin(model: Recommender, dataset: Dataset, seed: int, skip: tuple[str, ...], processes: int) -> str:
    content = [type(model).__name__, model.config.to_dict(), dataset.hash, seed, skip, processes]
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def optimizer_of(phase: Phase, config: RecommenderConfig) -> torch.optim.AdamW:
    """For the parameters that the phase trains."""
    return torch.optim.AdamW(
        list(phase.parameters),
        lr=config.learning_rate,
        weight_decay=config.weight_decay,
        fused=True,  # one pass over every table instead of ten: a quarter of a small model's step on a CPU
    )


class _Stage:
    """One phase being trained."""

    def __init__(
        self,
        model: Recommender,
        dataset: Dataset,
        phase: Phase,
        number: int,
        accelerator: Accelerator,
        state_file: Path | None,
        progress: bool,
        watch: Callable[[Epoch], None] | None,
    ) -> None:
        self.model, self.dataset, self.phase, self.number = model, dataset, phase, number
        self.accelerator, self.state_file = accelerator, state_file
        self.config: RecommenderConfig = phase.config or model.config
        self.validate = Validation(self._qualities)
        self.show = progress and accelerator.is_main_process
        self.watch = watch if accelerator.is_main_process else None

    def run(self, state: TrainingState) -> None:
        if self.phase.prepare is not None:
            self.phase.prepare(self.dataset, self.validate)
        if self.phase.loss is None:
            return
        self._freeze_others()
        step, optimizer = self.accelerator.prepare(
            _LossModule(self.model, self.phase), optimizer_of(self.phase, self.config)
        )
        state.begin_phase(self.number, list(self.phase.parameters), self.model)
        if self.state_file is not None and TrainingState.phase_of(self.state_file) == self.number:
            state.load(self.state_file, self.model, optimizer)
        while state.epoch < self.config.max_epochs and state.waited < self.config.patience:
            self._epoch(step, optimizer, state)
            self._validate_and_keep(state)
            if self.state_file is not None:
                random = self.accelerator.gather(state.random_states(self.accelerator.device))
                if self.accelerator.is_main_process:
                    state.save(self.state_file, self.model, optimizer, random)
        state.restore_best(self.model)
        state.best_by_phase[self.phase.name] = state.best

    @torch.no_grad()
    def _qualities(self, settings: Sequence[Callable[[], object]]) -> list[float]:
        """What chooses the epoch: NDCG@20 on validation, on evenly spaced rows where there are very many.

        It is judged as the main process sees it: processes that judged for themselves (CARD's running RMS differs a
        little between them) could stop at different epochs and wait for each other for ever.
        """
        split, metric = self.config.selection
        rows = self.dataset.rows(split)
        if split == "validation":
            rows = rows.spaced(SELECTION_ROWS)
        own = [metrics_of(ranks)[metric] for ranks in ranks_under(self.model, rows, self.dataset.protocol, settings)]
        return broadcast(torch.tensor(own, dtype=torch.float64, device=self.accelerator.device)).tolist()

    def _freeze_others(self) -> None:
        trained = {id(parameter) for parameter in self.phase.parameters}
        for parameter in self.model.parameters():
            parameter.requires_grad_(id(parameter) in trained)

    def _epoch(self, step: nn.Module, optimizer: torch.optim.Optimizer, state: TrainingState) -> None:
        if self.phase.before_epoch is not None:
            self.phase.before_epoch(self.dataset, state.order)
        self.model.train()
        for group in optimizer.param_groups:
            group["lr"] = self.config.learning_rate_at(state.epoch)
        started, total, steps = time.perf_counter(), torch.zeros((), device=self.accelerator.device), 0
        bar = tqdm(
            self._index_batches(state.order),
            desc=f"{self.phase.name} {state.epoch + 1}",
            disable=not self.show,
            leave=False,
        )
        for index in bar:
            batch = self.dataset.train.batch(index, self.model.config.max_length).to(self.accelerator.device)
            loss = step(batch.history, batch.target, batch.is_last, state.noise)
            optimizer.zero_grad(set_to_none=True)
            self.accelerator.backward(loss)
            optimizer.step()
            if self.config.weight_average:
                state.average_weights(self.config.weight_average)
            total, steps = total + loss.detach(), steps + 1
        if not self.config.weight_average:
            state.average_weights(0.0)  # once is enough: what is kept is the last weights themselves
        state.loss = float(total) / max(steps, 1)
        if not torch.isfinite(total):
            raise ValueError(
                f"Training stopped: the loss of phase {self.phase.name!r} became {state.loss} in epoch "
                f"{state.epoch + 1}. A smaller learning_rate may help."
            )
        state.seconds += time.perf_counter() - started
        state.epoch, state.epochs = state.epoch + 1, state.epochs + 1

    def _validate_and_keep(self, state: TrainingState) -> None:
        with state.averaged():
            quality = self.validate()
            state.keep_if_better(quality, self.model)
        if self.watch is not None:
            name, most = self.phase.name, self.config.max_epochs
            self.watch(Epoch(name, state.epoch, most, state.loss, quality, state.best))
        if self.show:
            split, metric = self.config.selection
            figures = f"loss {state.loss:.4f}, {split} {metric} {quality:.4f} (best {state.best:.4f})"
            tqdm.write(f"{self.phase.name} epoch {state.epoch}: {figures}")

    def _index_batches(self, order: Generator) -> list[Tensor]:
        """This epoch's global batches, of which every process takes its own share."""
        rank, processes = self.accelerator.process_index, self.accelerator.num_processes
        if self.phase.rows is None:
            chosen = self.config.epoch_rows(len(self.dataset.train), order)
        else:
            rows = self.phase.rows(self.dataset)
            chosen = [rows[batch] for batch in self.config.epoch_rows(len(rows), order)]
        return [batch[rank::processes] for batch in chosen if len(batch) >= processes]


class _LossModule(nn.Module):
    """The phase's loss as a forward pass, which is where data-parallel training synchronises gradients."""

    def __init__(self, model: Recommender, phase: Phase) -> None:
        super().__init__()
        self.model, self.phase = model, phase

    def forward(self, history: Tensor, target: Tensor, is_last: Tensor, generator: Generator) -> Tensor:
        assert self.phase.loss is not None
        return self.phase.loss(Batch(history, target, is_last), generator)
