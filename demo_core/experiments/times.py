"""Running times: seconds per training epoch and for scoring a split, never averaged over two kinds of devices."""

from __future__ import annotations

import statistics
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from demo_core.benchmark_rows import Row, rows
from demo_core.results import Result, summarise
from demo_core.runs import Run

TRAINING, SCORING = "train_seconds", "inference_seconds"


@dataclass(frozen=True)
class Timing:
    """One model with one preset on one device; seconds. ``None`` where nothing is trained or nothing is stated."""

    row: Row
    device: str | None
    training: Result | None
    scoring: Result | None


def running_times(runs: Iterable[Run]) -> list[Result]:
    """Mean, deviation and number of runs of both times, for every device apart.

    Only runs with the settings and data of the newest count, whatever it ran on: otherwise a device that was not used
    since would show what an older recipe took. A model that is only counted has no training epoch and no such figure.
    """
    groups: dict[tuple[object, ...], list[Run]] = defaultdict(list)
    for run in runs:
        groups[run.model, run.preset, run.backbone, run.dataset, run.protocol, run.variant].append(run)
    results = []
    for same in (one for group in groups.values() for one in _by_device(group)):
        summary = next(iter(summarise(same)), None)
        if summary is None:
            continue
        for metric, values in (
            (TRAINING, [run.seconds_per_epoch for run in same if run.seconds_per_epoch > 0]),
            (SCORING, [run.inference_seconds for run in same]),
        ):
            if values:
                results.append(_time_of(summary, metric, values))
    return results


def _by_device(group: Sequence[Run]) -> list[list[Run]]:
    newest = max(group, key=lambda run: run.date)
    devices: dict[str, list[Run]] = defaultdict(list)
    for run in group:
        if (run.config_hash, run.data_hash) == (newest.config_hash, newest.data_hash):
            devices[run.device].append(run)
    return list(devices.values())


def timings(results: Sequence[Result]) -> list[Timing]:
    """Both times beside each other, models in the order of the benchmark figure, printed ones first.

    ``results`` are of one data set and protocol; variants are left out.
    """
    plain = [result for result in results if result.variant is None and result.metric in (TRAINING, SCORING)]
    found: dict[tuple[object, ...], dict[str, Row]] = defaultdict(dict)
    for metric in (TRAINING, SCORING):
        if any(result.metric == metric for result in plain):
            for row in rows(plain, metric):
                result = row.result
                found[result.model, result.preset, result.backbone, result.device][metric] = row
    made = []
    for both in found.values():
        training, scoring = both.get(TRAINING), both.get(SCORING)
        row = training or both[SCORING]
        made.append(
            Timing(row, row.result.device, training.result if training else None, scoring.result if scoring else None)
        )
    return _in_order(made)


def _in_order(made: Sequence[Timing]) -> list[Timing]:
    """By model as the scoring times are; a model that has none comes last."""
    order = {timing.row.result.model: i for i, timing in reversed(list(enumerate(made)))}
    return sorted(made, key=lambda timing: order[timing.row.result.model])


def _time_of(summary: Result, metric: str, values: Sequence[float]) -> Result:
    deviation = statistics.stdev(values) if len(values) > 1 else None
    return replace(summary, metric=metric, mean=statistics.fmean(values), sd=deviation, n=len(values))
