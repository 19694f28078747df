from __future__ import annotations

import dataclasses

import pytest

from demo_core.experiments.curves import axis_note, curves, settings, unmoved, vertical_axis
from demo_core.experiments.times import SCORING, running_times
from demo_core.results import Result, summarise
from demo_core.runs import Run
from tests.runs import run

RUNS = [
    *(run("card", hr, seed) for seed, hr in enumerate((0.026, 0.027, 0.028))),
    *(run("card", hr, seed, variant="deleted=0.5") for seed, hr in enumerate((0.020, 0.021, 0.022))),
    *(run("card", hr, seed, variant="deleted=0.1") for seed, hr in enumerate((0.025, 0.026, 0.027))),
    run("sasrec", 0.0262),
    run("sasrec", 0.0232, variant="deleted=0.5"),
    run("tdm", 0.0262),
]


def results(runs: list[Run]) -> list[Result]:
    return summarise(runs)


def test_points_go_from_nothing_missing_to_the_largest_share() -> None:
    card, sasrec = curves(results(RUNS), "deleted", "hr@20")
    assert [point.x for point in card.points] == [0.0, 0.1, 0.5]
    assert [point.result.mean for point in card.points] == pytest.approx([0.027, 0.026, 0.021])
    assert [point.result.n for point in card.points] == [3, 3, 3]
    assert (card.row.title, card.row.shape) == ("CARD", "circle")
    assert [point.x for point in sasrec.points] == [0.0, 0.5]


def test_a_model_without_the_variant_has_no_curve() -> None:
    assert [curve.row.result.model for curve in curves(results(RUNS), "deleted", "hr@20")] == ["card", "sasrec"]
    assert curves(results(RUNS), "inserted", "hr@20") == []


def test_a_model_with_a_changed_part_is_a_curve_of_its_own() -> None:
    changed = [
        run("card", 0.024, variant="gaps_in_training"),
        run("card", 0.023, variant="gaps_in_training/deleted=0.5"),
        run("card", 0.029, variant="future_window=1/deleted=0.5"),
    ]
    found = [curve for curve in curves(results(RUNS + changed), "deleted", "hr@20") if curve.row.title == "CARD"]
    told = {curve.row.source: [(point.x, point.result.mean) for point in curve.points] for curve in found}
    assert told["default, trained on histories with gaps too"] == [(0.0, 0.024), (0.5, 0.023)]
    assert told["default, future window 1"] == [(0.5, 0.029)]
    assert len(told["default"]) == 3


def test_presets_are_curves_of_their_own() -> None:
    runs = [run(preset=preset, variant="deleted=0.1") for preset in ("released", "default")]
    assert [curve.row.source for curve in curves(results(runs), "deleted", "hr@20")] == ["as released", "default"]


def test_the_plain_run_stands_at_the_value_of_its_preset() -> None:
    plain = results([run("card")])[0]
    assert unmoved("threshold_quantile", plain) == 0.5
    assert unmoved("steps", plain) == 2.0
    assert unmoved("threshold_quantile", results([run("sasrec")])[0]) is None
    assert unmoved("steps", results([run("no-such-model")])[0]) is None
    assert unmoved("steps", dataclasses.replace(plain, preset="no-such-preset")) is None
    assert unmoved("schedule", plain) is None, "a word has no place on an axis"


def test_all_steps_are_those_the_model_was_trained_with() -> None:
    (curve,) = curves(results([run("tdm", variant="steps=all"), run("tdm", variant="steps=5")]), "steps", "hr@20")
    assert [point.x for point in curve.points] == [5.0, 1000.0]


def test_a_measured_value_wins_over_the_plain_run() -> None:
    runs = [run("card", 0.027), run("card", 0.03, variant="threshold_quantile=0.5")]
    (curve,) = curves(results(runs), "threshold_quantile", "hr@20")
    assert [point.result.mean for point in curve.points] == [0.03]


def test_two_protocols_never_share_a_figure() -> None:
    mixed = results([*RUNS, run("card", protocol="long-term", variant="deleted=0.1")])
    with pytest.raises(ValueError, match="one protocol"):
        curves(mixed, "deleted", "hr@20")


def test_settings_are_the_swept_ones_in_the_order_of_the_page() -> None:
    runs = [
        run(variant=variant)
        for variant in (
            "zeta=1",
            "per_temperature=4",
            "threshold_quantile=0.3",
            "deleted=0.1",
            "clusters=100",
            "neither",
        )
    ]
    assert settings(results(runs)) == ["threshold_quantile", "per_temperature", "zeta"]


def test_times_of_two_devices_are_two_curves() -> None:
    runs = [
        run("tdm", variant=f"steps={steps}", seed=seed, inference_seconds=seconds, device=device)
        for seed, (steps, seconds, device) in enumerate(
            [(1, 0.5, "CPU"), (50, 9.0, "CPU"), (1, 0.02, "CUDA: X"), (50, 0.3, "CUDA: X")]
        )
    ]
    found = curves(running_times(runs), "steps", SCORING)
    assert sorted((c.points[0].result.device, [p.result.mean for p in c.points]) for c in found) == [
        ("CPU", [0.5, 9.0]),
        ("CUDA: X", [0.02, 0.3]),
    ]
    assert vertical_axis(found).log
    assert axis_note(vertical_axis(found)) == "Equal steps upwards are equal ratios."


def test_an_axis_that_does_not_start_at_zero_says_so() -> None:
    axis = vertical_axis(curves(results(RUNS), "deleted", "hr@20"))
    assert axis.ticks[0] > 0
    assert axis_note(axis) == f"Axis starts at {axis.ticks[0]:g} %, not at 0."
    assert axis.ticks[0] <= 100 * (0.021 - 0.001)
    assert axis.ticks[-1] >= 100 * (0.027 + 0.001)
