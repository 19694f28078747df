"""Starts the half that knows RecBole, and makes of its ranks what is kept: a run whose metrics our code computed."""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import torch
from filelock import FileLock

from demo_core.datasets import Dataset
from demo_core.evaluation import hit_ratio, ndcg
from demo_core.json_files import read_json
from demo_core.reference import ReferenceRun
from scripts.recbole_reference.export import HELD_OUT, export, exported_rows
from scripts.recbole_reference.mapping import COUNTERPARTS, Settings

SIDE = Path(__file__).with_name("recbole_side.py")
REQUIREMENTS = Path(__file__).with_name("requirements.txt")
CUTOFFS = (5, 10, 20)
TOLERANCE = 0.002
"""How far RecBole's own metrics may lie from ours: it orders items with equal scores in another way."""


class RecBoleError(RuntimeError):
    """The reference could not be asked, or its answer is not one to what was asked; the message says what to do."""


@dataclass(frozen=True)
class Place:
    """Where it is done. ``python``: that of RecBole's environment; ``work``: exported rows and what RecBole writes."""

    python: Path
    work: Path
    threads: int | None = None

    def environment(self) -> dict[str, str]:
        """Of the process that is started; our own packages are none of its business."""
        own = {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "PYTHONHOME")}
        own["PYTHONWARNINGS"] = "ignore::FutureWarning"  # RecBole is older than its libraries
        return own | ({"OMP_NUM_THREADS": str(self.threads)} if self.threads else {})


def installed(python: Path) -> str:
    """``"RecBole 1.2.1"``, the release in that environment; :class:`RecBoleError` where there is none."""
    ask = "from importlib import metadata; print(metadata.version('recbole'))"
    try:
        asked = subprocess.run([python, "-c", ask], capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError) as error:
        raise RecBoleError(
            f"Expected RecBole in the environment of {python}, found none. To make one (Python 3.10 or 3.11):\n"
            "  python3.11 -m venv .venv-recbole\n"
            f"  .venv-recbole/bin/python -m pip install -r {os.path.relpath(REQUIREMENTS)}\n"
            "and name it with --python .venv-recbole/bin/python."
        ) from error
    return f"RecBole {asked.stdout.strip()}"


def reference_run(
    place: Place, system: str, model: str, dataset: Dataset, seed: int, settings: Settings, changes: Sequence[str]
) -> ReferenceRun:
    """Trains RecBole's ``model`` on ``dataset`` and measures it; :class:`RecBoleError` where that fails."""
    window = settings["MAX_ITEM_LIST_LENGTH"]
    if not isinstance(window, int):
        raise RecBoleError(f"MAX_ITEM_LIST_LENGTH: expected a whole number, got {window!r}.")
    rows = place.work / f"{dataset.name}-{dataset.hash[:12]}-{window}"
    try:
        with FileLock(rows.with_name(rows.name + ".lock")):
            export(dataset, window, rows)
    except ValueError as error:
        raise RecBoleError(str(error)) from error
    request = {
        "rows": str(rows.absolute()),
        "model": COUNTERPARTS[model].name,
        "settings": settings,
        "seed": seed,
        "threads": place.threads,
    }
    answer = ask(place, request)
    require_answer(answer, dataset)
    metrics = {split: metrics_of(answer["ranks"][split]) for split in HELD_OUT}
    require_agreement(metrics, answer["own_metrics"])
    return ReferenceRun(
        system=system,
        model=model,
        dataset=dataset.name,
        protocol=dataset.protocol.name,
        data_hash=dataset.hash,
        seed=seed,
        settings=settings,
        changes=tuple(changes),
        epochs=answer["epochs"],
        best_epoch=answer["best_epoch"],
        seconds_per_epoch=round(answer["seconds_per_epoch"], 3),
        validation=metrics["validation"],
        test=metrics["test"],
        rows=len(dataset.test),
        device=answer["device"],
        date=datetime.now(UTC).isoformat(timespec="seconds"),
    )


def ask(place: Place, request: Mapping[str, Any]) -> dict[str, Any]:
    """Has the other half do ``request`` in a folder of its own; what it prints is shown as it comes."""
    with tempfile.TemporaryDirectory(dir=place.work) as folder:
        written, answer = Path(folder).absolute() / "request.json", Path(folder).absolute() / "answer.json"
        written.write_text(json.dumps({**request, "answer": str(answer)}), encoding="utf-8")
        command = [place.python.absolute(), SIDE, written]
        ended = subprocess.run(command, cwd=folder, env=place.environment(), check=False)
        if ended.returncode or not answer.exists():
            raise RecBoleError(
                f"RecBole's {request['model']} ended with exit code {ended.returncode}; why stands above. The "
                f"versions that are known to work stand in {os.path.relpath(REQUIREMENTS)}. Then start the same "
                "command again: what was measured is left out."
            )
        return read_json(answer)


def require_answer(answer: Mapping[str, Any], dataset: Dataset) -> None:
    """:class:`RecBoleError` unless the ranks are those of our held-out rows, in order, after training on our rows."""
    wanted = exported_rows(dataset.train)
    if answer["train_rows"] != wanted:
        raise RecBoleError(f"Expected RecBole to read {wanted} training rows, it read {answer['train_rows']}.")
    for split in HELD_OUT:
        targets = dataset.rows(split).target.tolist()
        if answer["targets"][split] != targets or len(answer["ranks"][split]) != len(targets):
            raise RecBoleError(f"Expected ranks of our {len(targets)} {split} targets in order, RecBole asked others.")


def metrics_of(ranks: Sequence[int]) -> dict[str, float]:
    """HR and NDCG at 5, 10 and 20 of ranks, 1 = best, as :mod:`demo_core.evaluation` has them."""
    measures = {"hr": hit_ratio, "ndcg": ndcg}
    return {f"{name}@{k}": measure(torch.tensor(ranks), k) for name, measure in measures.items() for k in CUTOFFS}


def require_agreement(ours: Mapping[str, Mapping[str, float]], own: Mapping[str, Mapping[str, float]]) -> None:
    """:class:`RecBoleError` where RecBole's own metrics of the same scores are others than those from the ranks."""
    for split in HELD_OUT:
        for name, value in own[split].items():
            if abs(value - ours[split][name]) > TOLERANCE:
                raise RecBoleError(
                    f"{split} {name}: {ours[split][name]:.4f} from the ranks, {value:.4f} by RecBole's own count. They "
                    "have to agree but for items with equal scores; compare recbole_side.ranks_of with this release."
                )
