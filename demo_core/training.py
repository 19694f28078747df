"""One training loop for every model: phases, early stopping, weight averaging, resume. On ``accelerate``.

An interrupted ``fit`` that is started again with the same arguments, state file and number of processes ends in the
same weights as one that was never interrupted: every epoch leaves weights, optimiser, averages and the random states of
all processes behind. (A GPU adds in no fixed order, so that there the last digits differ, as between any two runs.)

Several processes share each global batch of ``batch_size`` rows, and their gradients count by their rows: for a loss
that is a mean over rows it is the step of one process, but for the last digits and for what each of them draws (noise,
dropout). What compares rows of a batch with each other (CBiT's and CARD's contrastive terms) or averages over something
else than rows (items hidden by BERT4Rec and CBiT, items with a future in CARD's auxiliary loss) does so within a share.
"""

from __future__ import annotations

import hashlib
import json
import math
import os
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import torch
from accelerate import Accelerator, DistributedDataParallelKwargs
from torch import Generator, Tensor, nn
from tqdm.auto import tqdm

from demo_core.datasets import Dataset
from demo_core.evaluation import metrics_of, ranks_under
from demo_core.models.base import Phase, Recommender, RecommenderConfig, Validation
from demo_core.sequences import Batch
from demo_core.sharding import Share, warn_if_alone
from demo_core.training_report import Epoch, FitReport
from demo_core.training_state import TrainingState

__all__ = ["Epoch", "FitReport", "accelerator_for", "fit", "optimizer_of", "share_of"]

SELECTION_ROWS = 10_000
"""Validation rows that are enough to choose an epoch, at a standard error of half a point; YooChoose has 57,062."""


def accelerator_for(cpu: bool = False) -> Accelerator:
    """What :func:`fit` runs on: the GPU where there is one, unless ``cpu``, and as many processes as were started.

    A parameter may be left out by a batch (one with nothing to weigh), in one process and not in another.
    """
    exchange = DistributedDataParallelKwargs(find_unused_parameters=True)
    accelerator = Accelerator(cpu=cpu or not torch.cuda.is_available(), kwargs_handlers=[exchange])
    warn_if_alone(accelerator.num_processes, os.environ)
    return accelerator


def share_of(accelerator: Accelerator) -> Share:
    """What this process has to do of the work of all."""
    return Share(accelerator.process_index, accelerator.num_processes, accelerator.device)


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
    is removed at the end; of several processes only the main one reads and writes it. ``accelerator``: one of
    :func:`accelerator_for`, where there is one already. ``watch`` is told of every epoch, in the main process. Raises
    ``ValueError`` when the loss is not finite, when the state is another run's, or when the processes differ in
    something else than their number.
    """
    accelerator = accelerator or accelerator_for()
    share = share_of(accelerator)
    model.to(accelerator.device)
    # Its own GPU only: by default every process would set up all of them.
    with torch.random.fork_rng(devices=[accelerator.device] if accelerator.device.type == "cuda" else []):
        torch.manual_seed(seed + share.process)
        origin = _origin(model, dataset, seed, skip, share.processes)
        share.require_same(origin, "model, configuration, data set and seed")
        state = TrainingState.start(seed, share.process, origin)
        left = share.file_of_main(state_file)
        state.require_same_origin(left, state_file)
        reached = TrainingState.phase_of(left)
        for number, phase in enumerate(model.phases()):
            done = reached is not None and reached > number
            if phase.name in skip or (done and phase.loss is not None):
                continue
            stage = _Stage(model, dataset, phase, number, accelerator, state_file, progress, watch)
            stage.run(state, left if reached == number else None)
        share.from_main(*model.state_dict().values())
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
        self.accelerator, self.share, self.state_file = accelerator, share_of(accelerator), state_file
        self.config: RecommenderConfig = phase.config or model.config
        self.validate = Validation(self._qualities)
        self.show = progress and accelerator.is_main_process
        self.watch = watch if accelerator.is_main_process else None

    def run(self, state: TrainingState, left: bytes | None) -> None:
        """``left``: the state file of a run that was broken off in this phase."""
        if self.phase.prepare is not None:
            self.phase.prepare(self.dataset, self.validate)
        self.share.from_main(*self.model.state_dict().values())
        if self.phase.loss is None:
            return
        self._freeze_others()
        step, optimizer = self.accelerator.prepare(
            _LossModule(self.model, self.phase), optimizer_of(self.phase, self.config)
        )
        state.begin_phase(self.number, list(self.phase.parameters), self.model)
        if left is not None:
            state.load(left, self.model, optimizer)
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

        All processes judge the same model, each some of the rows, and what the main one makes of the ranks counts: if
        their arithmetic differed in a digit, they could stop at different epochs and wait for each other for ever.
        """
        split, metric = self.config.selection
        rows = self.dataset.rows(split)
        if split == "validation":
            rows = rows.spaced(SELECTION_ROWS)
        self.share.same_buffers(self.model)
        ranks = ranks_under(self.model, rows, self.dataset.protocol, settings, share=self.share)
        qualities = torch.tensor([metrics_of(own)[metric] for own in ranks], dtype=torch.float64)
        self.share.from_main(qualities)
        return qualities.tolist()

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
        started, device = time.perf_counter(), self.accelerator.device
        total, rows = torch.zeros((), dtype=torch.float64, device=device), 0
        bar = tqdm(
            self._global_batches(state.order),
            desc=f"{self.phase.name} {state.epoch + 1}",
            disable=not self.show,
            leave=False,
        )
        for chosen in bar:
            index, counting = self.share.rows(chosen)
            batch = self.dataset.train.batch(index, self.model.config.max_length).to(device)
            loss = step(batch.history, batch.target, batch.is_last, state.noise)
            optimizer.zero_grad(set_to_none=True)
            # The mean over the processes that is taken of these gradients is the global batch's mean over its rows.
            self.accelerator.backward(loss * (counting * self.share.processes / len(chosen)))
            optimizer.step()
            if self.config.weight_average:
                state.average_weights(self.config.weight_average)
            total, rows = total + loss.detach().double() * counting, rows + counting
        if not self.config.weight_average:
            state.average_weights(0.0)  # once is enough: what is kept is the last weights themselves
        total, counted = self.share.summed(torch.stack([total, total.new_tensor(rows)])).tolist()
        state.loss = total / max(counted, 1)
        if not math.isfinite(total):
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

    def _global_batches(self, order: Generator) -> list[Tensor]:
        """The rows of this epoch's batches, in every process the same."""
        rows = None if self.phase.rows is None else self.phase.rows(self.dataset)
        number = len(self.dataset.train) if rows is None else len(rows)
        batches = [batch for batch in self.config.epoch_rows(number, order) if len(batch)]
        return batches if rows is None else [rows[batch] for batch in batches]


class _LossModule(nn.Module):
    """The phase's loss as a forward pass, which is where data-parallel training synchronises gradients."""

    def __init__(self, model: Recommender, phase: Phase) -> None:
        super().__init__()
        self.model, self.phase = model, phase
        self.left_out = nn.Parameter(torch.zeros(()))  # never used; looking for such in vain gives a warning

    def named_buffers(self, *arguments: Any, **options: Any) -> Iterator[tuple[str, Tensor]]:
        """None: they would be sent at every step, flags of other processes lost. ``Share.same_buffers`` is enough."""
        return iter(())

    def forward(self, history: Tensor, target: Tensor, is_last: Tensor, generator: Generator) -> Tensor:
        assert self.phase.loss is not None
        return self.phase.loss(Batch(history, target, is_last), generator)
