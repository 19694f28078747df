"""Every figure that Turnpoint shows: measured runs, the papers' printed tables, and one table that joins them.

Measured runs come from ``checkpoints/measured.jsonl`` (one run a line) and from the ``metrics.json`` of each bundle;
the papers' tables were typed in once, into ``published.csv``. All quality metrics are fractions in [0, 1].
"""

from __future__ import annotations

import csv
import json
import logging
import statistics
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from demo_core.runs import Run, append_run, belongs_to, read_runs

__all__ = [
    "TUNING",
    "Measured",
    "Result",
    "Run",
    "append_run",
    "collect",
    "collect_tries",
    "of_present_recipes",
    "read_published",
    "read_runs",
    "summarise",
    "table",
]

log = logging.getLogger(__name__)

TUNING = "tuning.jsonl"
PUBLISHED = Path(__file__).with_name("published.csv")

Source = Literal["published", "measured"]


@dataclass(frozen=True)
class Result:
    """One figure: a metric of a model on a data set under a protocol, printed in a paper or the mean of our runs.

    ``mean`` and ``sd`` (sample standard deviation over seeds) are fractions, or seconds for ``train_seconds`` and
    ``inference_seconds``; ``sd`` is ``None`` with one run or where a paper prints none, ``n`` is ``None`` where a paper
    does not say. ``health`` holds the means of the runs' scalar health figures; ``None`` for a paper. ``origin`` is the
    paper and table, or data, commit and device. ``rows`` is how many test rows were scored, if known; ``seeds`` and
    ``date`` (of the newest run) are those of our runs, ``config_hash`` is their recipe; ``device`` is where it ran, if
    known. ``parameters``: how many trained numbers the model has, if they were counted; ``epochs``: of the longest run.
    """

    dataset: str
    protocol: str
    model: str
    preset: str
    backbone: str | None
    source: Source
    metric: str
    mean: float
    sd: float | None
    n: int | None
    health: dict[str, float] | None
    origin: str
    variant: str | None = None
    rows: int | None = None
    seeds: tuple[int, ...] = ()
    date: str | None = None
    device: str | None = None
    config_hash: str | None = None
    parameters: int | None = None
    epochs: int | None = None


@dataclass(frozen=True)
class Measured:
    """Runs found in a checkpoints folder, and one message for every file that could not be read."""

    runs: tuple[Run, ...]
    problems: tuple[str, ...]


def read_published() -> list[Result]:
    """The tables of the CARD and GlobalDiff papers, ablations included (``variant``), preset ``"published"``.

    Rows that a second table of the same paper repeats are left out. The GlobalDiff paper states no number of runs and
    no deviations; its figures count as one run.
    """
    with PUBLISHED.open(encoding="utf-8", newline="") as file:
        return [_published(row) for row in csv.DictReader(file)]


def _published(row: Mapping[str, str]) -> Result:
    return Result(
        dataset=row["dataset"],
        protocol=row["protocol"],
        model=row["model"],
        preset="published",
        backbone=row["backbone"] or None,
        source="published",
        metric=row["metric"],
        mean=float(row["value"]),
        sd=float(row["sd"]) if row["sd"] else None,
        n=int(row["n"]) if row["n"] else None,
        health=None,
        origin=f"{row['paper']} {'repository' if row['table'].endswith('log') else 'paper'}, {row['table']}",
        variant=row["variant"] or None,
        device=row["device"] or None,
    )


def collect(checkpoints: Path) -> Measured:
    """All runs of ``measured.jsonl`` and of every bundle's ``metrics.json`` below ``checkpoints``.

    The same model, preset, backbone, data set, protocol, split, variant and seed counts once, the newest date wins.
    A file that cannot be read becomes a message and takes nothing else with it.
    """
    return _newest(checkpoints, [checkpoints / "measured.jsonl", *sorted(checkpoints.glob("*/*/metrics.json"))])


def collect_tries(checkpoints: Path) -> Measured:
    """The validation runs of ``tuning.jsonl``, in which settings were compared; none where there is no such file."""
    file = checkpoints / TUNING
    found = _newest(checkpoints, [file] if file.exists() else [])
    tests = sum(run.split != "validation" for run in found.runs)
    foreign = (f"{TUNING}: {tests} runs on the test split were left out; settings are chosen without it.",) * bool(
        tests
    )
    return Measured(tuple(run for run in found.runs if run.split == "validation"), (*found.problems, *foreign))


def _newest(checkpoints: Path, paths: Iterable[Path]) -> Measured:
    runs: dict[tuple[object, ...], Run] = {}
    problems: list[str] = []
    for path in paths:
        try:
            found = read_runs(path) if path.suffix == ".jsonl" else _bundle_runs(path)
        except (OSError, ValueError, TypeError, KeyError) as error:
            problems.append(f"{path.relative_to(checkpoints)} was left out: {error}")
            continue
        for run in found:
            key = (*_key(run), run.seed)
            if key not in runs or runs[key].date <= run.date:
                runs[key] = run
    return Measured(tuple(runs.values()), tuple(problems))


def _bundle_runs(path: Path) -> list[Run]:
    return [Run.from_dict(values) for values in json.loads(path.read_text(encoding="utf-8"))["runs"]]


def _key(run: Run) -> tuple[object, ...]:
    return run.model, run.preset, run.backbone, run.dataset, run.protocol, run.split, run.variant


def summarise(runs: Iterable[Run]) -> list[Result]:
    """Mean, sample standard deviation and number of seeds, for every metric that all runs of a group have.

    A group shares model, preset, backbone, data set, protocol, split and variant. Seeds of different settings or data
    are no sample: only the runs with the configuration and data of the group's newest run count.
    """
    groups: dict[tuple[object, ...], list[Run]] = defaultdict(list)
    for run in runs:
        groups[_key(run)].append(run)
    results = []
    for group in groups.values():
        newest = max(group, key=lambda run: run.date)
        same = [r for r in group if (r.config_hash, r.data_hash) == (newest.config_hash, newest.data_hash)]
        common = [name for name in newest.metrics if all(name in run.metrics for run in same)]
        results += [_mean_of(same, newest, metric) for metric in common]
    return results


def of_present_recipes(runs: Sequence[Run]) -> list[Run]:
    """``runs`` without the variants of a recipe that its model no longer has: they would stand beside a row that they
    do not depart from.
    """
    plain: dict[tuple[object, ...], list[tuple[str, str]]] = defaultdict(list)
    for run in runs:
        if run.variant is None:
            plain[_key(run)].append((run.config_hash, run.date))
    return [
        run
        for run in runs
        if run.variant is None or belongs_to(plain[(*_key(run)[:-1], None)], run.config_hash, run.date)
    ]


def _mean_of(runs: Sequence[Run], newest: Run, metric: str) -> Result:
    values = [run.metrics[metric] for run in runs]
    return Result(
        dataset=newest.dataset,
        protocol=newest.protocol,
        model=newest.model,
        preset=newest.preset,
        backbone=newest.backbone,
        source="measured",
        metric=metric,
        mean=statistics.fmean(values),
        sd=statistics.stdev(values) if len(values) > 1 else None,
        n=len(values),
        health=_mean_health(runs),
        origin=f"data {newest.data_hash[:7]}, commit {_different(_short(run.commit) for run in runs)}, "
        + _different(run.device for run in runs),
        variant=newest.variant,
        rows=newest.rows,
        seeds=tuple(sorted(run.seed for run in runs)),
        date=newest.date,
        device=_different(run.device for run in runs),
        config_hash=newest.config_hash,
        parameters=next((run.parameters for run in runs if run.parameters is not None), None),
        epochs=max(run.epochs for run in runs),
    )


def _short(commit: str) -> str:
    """Seven digits, and the ``+`` that says files differed from it."""
    return commit[:7] + ("+" if commit.endswith("+") else "")


def _different(names: Iterable[str]) -> str:
    return " and ".join(dict.fromkeys(names))


def _mean_health(runs: Sequence[Run]) -> dict[str, float]:
    columns: dict[str, list[float]] = defaultdict(list)
    for run in runs:
        for name, value in run.health.items():
            if isinstance(value, int | float):
                columns[name].append(float(value))
    return {name: statistics.fmean(values) for name, values in columns.items() if len(values) == len(runs)}


def table(checkpoints: Path) -> list[Result]:
    """The default table: every published figure that is no ablation, and every test run that is no variant.

    What could not be read is logged.
    """
    measured = collect(checkpoints)
    for problem in measured.problems:
        log.warning("%s", problem)
    plain = summarise(run for run in measured.runs if run.split == "test" and run.variant is None)
    return [result for result in read_published() if result.variant is None] + plain
