from __future__ import annotations

import dataclasses

from demo_core.experiments.honesty import (
    KL_BETWEEN_MODELS,
    RECENCY_KL,
    TITLES,
    WEIGHT_KL,
    agreements,
    title,
)
from demo_core.results import Run, summarise
from tests.runs import run


def honest(model: str, metrics: dict[str, float]) -> Run:
    return dataclasses.replace(run(model, variant="per_honesty"), metrics=metrics)


def test_coefficients_go_by_what_is_compared_and_then_by_model() -> None:
    runs = [
        honest("tdm", {RECENCY_KL: 0.2}),
        honest("card", {KL_BETWEEN_MODELS: 0.6, RECENCY_KL: 0.25, WEIGHT_KL: -0.06}),
    ]
    found = [(agreement.name, agreement.row.result.model) for agreement in agreements(summarise(runs))]
    assert found == [
        (TITLES[WEIGHT_KL], "card"),
        (TITLES[RECENCY_KL], "card"),
        (TITLES[RECENCY_KL], "tdm"),
        (TITLES[KL_BETWEEN_MODELS], "card"),
    ]


def test_other_runs_and_other_metrics_are_no_agreement() -> None:
    assert agreements(summarise([run(), run(variant="per_honesty")])) == []


def test_an_unknown_coefficient_is_told_by_its_name() -> None:
    assert title("spearman_weight_loss") == "weight loss"
    assert all(name.startswith("spearman_") for name in TITLES)
