"""Trained models of a grid: one bundle a job in a folder outside the repository. They are used again while code and
settings mean the same.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch
from filelock import FileLock

from demo_core import checkpoint
from demo_core.checkpoint import Bundle, BundleError
from demo_core.code_version import code_version
from demo_core.datasets import Dataset
from demo_core.job import Job
from demo_core.measure import config_hash, device_name
from demo_core.models import create, entry, with_backbone
from demo_core.models.base import Recommender
from demo_core.shipping import training_record
from demo_core.training import fit


@dataclass(frozen=True)
class WorkFolder:
    """The folder ``path``; ``show`` is told what is trained again."""

    path: Path
    show: Callable[[str], None] = print

    def lock(self, job: Job, timeout: float = -1) -> FileLock:
        """What one process holds while it trains or measures ``job``; another waits ``timeout`` seconds for it, or as
        long as it takes, and then raises ``filelock.Timeout``.
        """
        folder = self.path / job.folder
        folder.parent.mkdir(parents=True, exist_ok=True)
        return FileLock(folder.with_name(folder.name + ".lock"), timeout=timeout)

    def trained(self, job: Job, model: Recommender, dataset: Dataset) -> Bundle:
        """The weights of ``job`` from the folder, or by training ``model`` (which goes on where it was stopped).

        Raises ``ValueError`` as ``training.fit`` does.
        """
        folder = self.path / job.folder
        kept = self._kept(job, model, folder)
        if kept is not None:
            return kept
        skip: tuple[str, ...] = ()
        if job.backbone is not None:
            under = self.shared(job.under(job.backbone, job.seed), dataset)
            model.get_submodule("backbone").load_state_dict(under.state_dict())
            skip = ("backbone",)
        state = folder.with_name(folder.name + ".training.safetensors")
        report = fit(model, dataset, seed=job.seed, state_file=state, skip=skip, progress=False)
        training = training_record(report, job.seed, model.config) | {
            "seconds_per_epoch": report.seconds_per_epoch,
            "device": device_name(device_for_jobs()),
            "code": code_version(module_of(job.model)),
        }
        protocol = dataset.protocol.name
        bundle = Bundle(model, job.model, job.preset, job.dataset, protocol, dataset.catalogue, (), training)
        checkpoint.save(bundle, folder)
        return bundle

    def shared(self, under: Job, dataset: Dataset) -> Recommender:
        """A default model that several jobs stand on; the first that needs it trains it, the others wait."""
        with self.lock(under):
            return self.trained(under, new_model(under, dataset), dataset).model

    def _kept(self, job: Job, model: Recommender, folder: Path) -> Bundle | None:
        try:
            bundle = checkpoint.load(folder) if folder.exists() else None
        except BundleError as error:
            self.show(f"  trained again: {error}")
            return None
        if bundle is None or bundle.training.get("code") != code_version(module_of(job.model)):
            return None
        return bundle if config_hash(bundle.model) == config_hash(model) else None


def new_model(job: Job, dataset: Dataset) -> Recommender:
    """The model of ``job`` with its first weights, on a backbone of first weights where it stands on one."""
    config = job.config(dataset.catalogue.num_items)
    if job.backbone is None:
        return create(job.model, config, job.seed)
    under = job.under(job.backbone, job.seed)
    backbone = create(under.model, under.config(dataset.catalogue.num_items), under.seed)
    return create(job.model, with_backbone(config, backbone), job.seed)


def device_for_jobs() -> torch.device:
    """What a job is trained on."""
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def module_of(model: str) -> str:
    """The module that ``model`` is written in, whose code its figures depend on."""
    return entry(model).model.__module__
