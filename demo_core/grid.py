"""A grid of trainings and measurements that can be stopped and started again at any moment.

A job is one model trained with one seed; its measurements are the plain test, the released reading, lost and foreign
items, denoising steps and so on. What ``measured.jsonl`` already holds for the same code, settings and data is not done
again. Trained weights stay in a work folder (``work_folder``), not in the repository.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

import torch
from filelock import Timeout

from demo_core import datasets
from demo_core.checkpoint import Bundle
from demo_core.code_version import code_version
from demo_core.datasets import Dataset
from demo_core.job import Job, time_left
from demo_core.json_lines import DamagedLineError
from demo_core.measure import (
    Subject,
    config_hash,
    device_name,
    measure,
    record,
    require_recordable,
    reset_peak_memory,
)
from demo_core.models import backbone_name
from demo_core.models.base import Recommender
from demo_core.runs import Run, Split, read_runs
from demo_core.trials import Extra
from demo_core.variants import of_changed
from demo_core.work_folder import WorkFolder, device_for_jobs, module_of, new_model

OTHER = "sasrec"  # what other models are held against where two independently trained ones are needed


@dataclass(frozen=True)
class Grid:
    """Where results and weights lie. ``file``: ``measured.jsonl``; ``work``: trained bundles, one folder a job.

    ``splits``: only ("validation",) while settings are being chosen.
    """

    file: Path
    work: Path
    data: Path | None = None
    splits: tuple[Split, ...] = ("validation", "test")
    show: Callable[[str], None] = print

    def run(self, jobs: Iterable[Job], extras: tuple[Extra, ...] = ()) -> list[Job]:
        """Does every job's training and measurements that are missing; returns the jobs that failed.

        A job that another process has is left to it. One that cannot be trained or ranked (its numbers were not finite,
        its data cannot be read) says why and costs the others nothing. ``ValueError`` for ``extras``, which are
        measured on test, where that is not among ``splits``; ``NotRecordedError`` where ``file`` cannot be written,
        ``DamagedLineError`` where it or ``ranks.jsonl`` cannot be read.
        """
        self._require_test(extras)
        for file in require_recordable(self.file):
            self.show(f"{file}: the last line had been cut off while it was written; it is measured again.")
        waiting = list(jobs)
        failed: list[Job] = []
        for number, job in enumerate(waiting, start=1):
            left = time_left(waiting[number - 1 :], read_runs(self.file), device_name(device_for_jobs()))
            self.show(f"[{number}/{len(waiting)}] {job.title} · {left}")
            try:
                with self._weights.lock(job, timeout=0):
                    self._do(job, extras)
            except Timeout:
                self.show("  another process is at it")
            except DamagedLineError:  # no other job could be recorded either
                raise
            except ValueError as error:
                self.show(f"  failed: {error}")
                failed.append(job)
        return failed

    def lacking(self, jobs: Iterable[Job], extras: tuple[Extra, ...] = ()) -> Iterator[tuple[Job, list[str | None]]]:
        """What :meth:`run` would do, without doing it: of each job the variants that the file does not hold yet.

        ``ValueError`` for ``extras`` and ``DamagedLineError`` as there.
        """
        self._require_test(extras)
        runs, opened = read_runs(self.file), cache(self._dataset)
        for job in jobs:
            dataset = opened(job.dataset, job.protocol)
            plain, missing = self._missing(job, extras, new_model(job, dataset), dataset, runs)
            yield job, [*([job.variant] if plain else []), *(_variant(job, extra) for extra in missing)]

    @property
    def _weights(self) -> WorkFolder:
        return WorkFolder(self.work, self.show)

    def _require_test(self, extras: tuple[Extra, ...]) -> None:
        if extras and "test" not in self.splits:
            asked, names = ", ".join(self.splits), ", ".join(extra.variant for extra in extras)
            raise ValueError(f"Expected test among the splits for {names}, which are measured on it, got {asked}.")

    def _dataset(self, name: str, protocol: str | None) -> Dataset:
        return datasets.load(name, self.data, protocol)

    def _missing(
        self, job: Job, extras: tuple[Extra, ...], model: Recommender, dataset: Dataset, runs: Sequence[Run]
    ) -> tuple[bool, list[Extra]]:
        """Whether the plain measurement is missing in ``runs``, and which further ones are."""
        held = self._held(job, model, dataset, runs)
        wanted = [extra for extra in extras if extra.applies_to(model, dataset)]
        return job.variant not in held, [extra for extra in wanted if _variant(job, extra) not in held]

    def _do(self, job: Job, extras: tuple[Extra, ...]) -> None:
        dataset = self._dataset(job.dataset, job.protocol)
        model = new_model(job, dataset)
        plain, missing = self._missing(job, extras, model, dataset, read_runs(self.file))
        if not plain and not missing:
            self.show("  already measured")
            return
        for device in {torch.device("cpu"), device_for_jobs()}:  # weights from the work folder stay on the CPU
            reset_peak_memory(device)
        bundle = self._weights.trained(job, model, dataset)
        subject = _subject(job, bundle)
        if plain:
            for split in self.splits:
                measurement = measure(bundle.model, dataset, split, subject)
                record(measurement, dataset.rows(split), self.file)
                self.show(f"  {split} {_figures(measurement.run)}")
        for extra in missing:
            named = replace(subject, variant=_variant(job, extra))
            with extra.prepared(bundle.model):
                measurement = extra.measure(bundle.model, dataset, named, lambda: self._other(job, dataset))
            record(measurement, dataset.test, self.file)
            self.show(f"  {named.variant} {_figures(measurement.run)}")

    def _other(self, job: Job, dataset: Dataset) -> Recommender:
        """SASRec of the same seed, or of the next seed where the job is SASRec itself."""
        seed = job.seed + 1 if job.model == OTHER else job.seed
        return self._weights.shared(job.under(OTHER, seed), dataset)

    def _held(self, job: Job, model: Recommender, dataset: Dataset, runs: Sequence[Run]) -> set[str | None]:
        """The variants of which a run of this recipe, seed and code is among ``runs``."""
        wanted = (job.model, job.preset, job.dataset, job.seed, config_hash(model), dataset.hash, self.splits[-1])
        module = module_of(job.model)
        return {
            r.variant
            for r in runs
            if (r.model, r.preset, r.dataset, r.seed, r.config_hash, r.data_hash, r.split) == wanted
            and code_version(module, r.commit) == code_version(module)
        }


def _subject(job: Job, bundle: Bundle) -> Subject:
    return Subject(
        model=job.model,
        preset=job.preset,
        backbone=backbone_name(bundle.model),
        seed=job.seed,
        epochs=int(bundle.training["epochs"]),
        seconds_per_epoch=float(bundle.training["seconds_per_epoch"]),
        variant=job.variant,
        trained_on=bundle.training.get("device"),
    )


def _variant(job: Job, extra: Extra) -> str:
    """What a further measurement of the job's model is recorded as: never as one of the unchanged model."""
    return of_changed(job.variant, extra.variant)


def _figures(run: Run) -> str:
    if "hr@20" not in run.metrics:
        return ", ".join(f"{name} {value:.2f}" for name, value in run.metrics.items())
    return f"HR@20 {run.metrics['hr@20']:.2%}, NDCG@20 {run.metrics['ndcg@20']:.2%}"
