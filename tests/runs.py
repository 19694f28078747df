"""Hand-made runs for the tests of results, charts and the Benchmarks page."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

from demo_core.ranks import KEY, RunKey
from demo_core.reference import ReferenceRun
from demo_core.results import Run, append_run

HEALTH = {
    "never_trained_share": 0.0,
    "never_trained_catalogue_share": 0.1,
    "distinct_items": 1400,
    "list_overlap": 0.07,
    "popularity_share": 0.15,
    "turning_share": 0.6,
    "stable_share": 0.35,
    "unrouted_share": 0.05,
    "saturated_weight_share": 0.0,
}
RUN = Run(
    model="card",
    preset="default",
    backbone=None,
    dataset="zhihu",
    protocol="prefix-full",
    split="test",
    seed=0,
    variant=None,
    metrics={"hr@20": 0.025, "ndcg@20": 0.009},
    rows=7911,
    health=dict(HEALTH),
    epochs=20,
    seconds_per_epoch=3.5,
    inference_seconds=2.0,
    peak_memory_mb=300.0,
    config_hash="c0ffee",
    data_hash="0123456789",
    commit="fedcba9876",
    device="CPU",
    date="2026-01-01T00:00:00",
)
REFERENCE = ReferenceRun(
    system="RecBole 1.2.1",
    model="sasrec",
    dataset="ml-1m",
    protocol="leave-one-out-full",
    data_hash="0123456789",
    seed=0,
    settings={"hidden_size": 64, "learner": "adamw", "rows_per_epoch": None},
    changes=(),
    epochs=12,
    best_epoch=4,
    seconds_per_epoch=3.5,
    validation={"hr@20": 0.31},
    test={"hr@20": 0.3, "ndcg@20": 0.1},
    rows=5180,
    device="CPU",
    date="2026-01-01T00:00:00",
)


def run(
    model: str = "card",
    hr: float = 0.025,
    seed: int = 0,
    preset: str = "default",
    backbone: str | None = None,
    dataset: str = "zhihu",
    protocol: str = "prefix-full",
    date: str = RUN.date,
    health: dict[str, float] | None = None,
    variant: str | None = None,
    **others: Any,
) -> Run:
    """A run like :data:`RUN`; ``hr`` is its HR@20, and NDCG@20 is a third of it. ``others``: further fields of it."""
    return dataclasses.replace(
        RUN,
        model=model,
        preset=preset,
        backbone=backbone,
        dataset=dataset,
        protocol=protocol,
        seed=seed,
        date=date,
        metrics={"hr@20": hr, "ndcg@20": hr / 3},
        health=dict(HEALTH | (health or {})),
        variant=variant,
        **others,
    )


def run_key(one: Run) -> RunKey:
    """What its ranks are found by."""
    return tuple(getattr(one, name) for name in KEY)


def zhihu_runs() -> list[Run]:
    """CARD and SASRec with three seeds, an unhealthy released CARD, and two baselines."""
    released = {"never_trained_share": 1.0, "distinct_items": 31, "list_overlap": 0.91}
    return [
        *(run("card", hr, seed) for seed, hr in enumerate((0.026, 0.027, 0.028))),
        *(run("sasrec", hr, seed) for seed, hr in enumerate((0.0262, 0.0268, 0.0265))),
        run("card", 0.0184, preset="released", health=released),
        run("item_knn", 0.0176, health={"distinct_items": 2977, "list_overlap": 0.03}),
        run("popularity", 0.0143, health={"distinct_items": 20, "list_overlap": 1.0}),
    ]


def write_runs(checkpoints: Path, runs: list[Run]) -> None:
    """``measured.jsonl`` with these runs."""
    for one in runs:
        append_run(checkpoints / "measured.jsonl", one)


def write_bundle_metrics(checkpoints: Path, model: str, runs: list[Run]) -> None:
    """The ``metrics.json`` of one bundle of the first run's data set."""
    folder = checkpoints / runs[0].dataset / model
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "metrics.json").write_text(json.dumps({"runs": [one.to_dict() for one in runs]}), encoding="utf-8")


def experiment_runs() -> list[Run]:
    """On Zhihu one of each kind of variant, and GlobalDiff's voters on MovieLens 1M; one seed each."""
    released = {"never_trained_share": 1.0, "distinct_items": 31, "list_overlap": 0.91}
    ml1m: dict[str, Any] = {"backbone": "cbit", "dataset": "ml-1m", "protocol": "leave-one-out-full"}
    honest = dataclasses.replace(run("card", variant="per_honesty"), metrics={"spearman_weight_kl": -0.06})
    return [
        run("card", 0.0197, preset="released", variant="as_released", health=released),
        run("card", 0.0266, variant="no_routing"),
        run("card", 0.0263, variant="threshold_quantile=0.3"),
        run("card", 0.0261, variant="threshold_quantile=0.7"),
        run("card", 0.026, variant="deleted=0.1"),
        run("card", 0.021, variant="deleted=0.5"),
        run("sasrec", 0.023, variant="deleted=0.5"),
        run("card", 0.025, variant="inserted=0.1"),
        run("card", 0.024, variant="direct=2"),
        run("card", 0.022, variant="rollout=2"),
        run("card", 0.026, variant="steps=1", inference_seconds=0.5),
        run("card", 0.025, variant="steps=20", inference_seconds=7.0),
        honest,
        run("globaldiff", 0.257, **ml1m),
        run("globaldiff", 0.19, variant="global_voter", **ml1m),
    ]
