from __future__ import annotations

import csv
import dataclasses
import json
import math
import statistics
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from demo_core.results import (
    PUBLISHED,
    Result,
    Run,
    append_run,
    collect,
    of_present_recipes,
    read_published,
    read_runs,
    summarise,
    table,
)
from tests.runs import RUN, run, write_bundle_metrics, write_runs

# Improvements in per cent as the papers print them: HR@20, NDCG@20 on KuaiRec, then Zhihu (CARD paper, Table 1).
CARD_IMPROVEMENTS = {
    ("kuairec", "hr@20"): 4.52,
    ("kuairec", "ndcg@20"): 4.15,
    ("zhihu", "hr@20"): 10.30,
    ("zhihu", "ndcg@20"): 5.06,
}
# HR@10, HR@20, NDCG@10, NDCG@20 on ML-1M, KuaiRec and Beauty (GlobalDiff paper, Table 2).
GLOBALDIFF_IMPROVEMENTS = {
    "srgnn": [2.12, -0.69, 1.57, 0.00, 6.35, 1.81, 7.03, 4.79, 20.09, 6.27, 11.81, 6.21],
    "sasrec": [26.85, 12.21, 21.94, 14.08, 12.67, 7.43, 16.13, 12.75, 27.88, 16.53, 25.00, 17.83],
    "bert4rec": [8.90, 14.90, 7.22, 11.07, 6.59, 5.55, 5.70, 5.44, 20.80, 21.43, 7.25, 8.58],
    "cbit": [6.23, 5.39, 5.58, 5.32, 5.16, 5.29, 4.79, 4.98, 7.14, 6.84, 2.82, 2.56],
}
GLOBALDIFF_COLUMNS = [
    (dataset, metric)
    for dataset in ("ml-1m", "kuairec", "beauty")
    for metric in ("hr@10", "hr@20", "ndcg@10", "ndcg@20")
]


def published(dataset: str, protocol: str, metric: str) -> list[Result]:
    return [
        result
        for result in read_published()
        if (result.dataset, result.protocol, result.metric) == (dataset, protocol, metric) and result.variant is None
    ]


def test_run_survives_json_unchanged() -> None:
    assert Run.from_dict(json.loads(json.dumps(RUN.to_dict()))) == RUN


def test_a_run_of_before_parameters_were_counted_has_none() -> None:
    values = RUN.to_dict()
    del values["parameters"]
    assert Run.from_dict(values).parameters is None
    with pytest.raises(ValueError, match="parameters: expected a whole number"):
        Run.from_dict(values | {"parameters": "many"})


def test_run_refuses_unknown_and_missing_fields_by_name() -> None:
    values = RUN.to_dict()
    values["colour"] = values.pop("device")
    with pytest.raises(ValueError, match=r"unknown fields \['colour'\], missing fields \['device'\]"):
        Run.from_dict(values)


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf, "0.1", None, True])
def test_run_refuses_a_metric_that_is_no_finite_number(value: object) -> None:
    with pytest.raises(ValueError, match=r"hr@20.*finite"):
        Run.from_dict(RUN.to_dict() | {"metrics": {"hr@20": value}})


def test_run_refuses_health_that_json_cannot_hold() -> None:
    with pytest.raises(ValueError, match=r"list_overlap.*finite"):
        Run.from_dict(RUN.to_dict() | {"health": {"list_overlap": math.nan}})


def test_run_refuses_an_unknown_split_and_no_rows() -> None:
    with pytest.raises(ValueError, match="split"):
        Run.from_dict(RUN.to_dict() | {"split": "train"})
    with pytest.raises(ValueError, match="rows"):
        Run.from_dict(RUN.to_dict() | {"rows": 0})


def test_runs_are_read_in_the_order_they_were_appended(tmp_path: Path) -> None:
    runs = [run(seed=seed) for seed in range(4)]
    write_runs(tmp_path / "new" / "folder", runs)
    assert read_runs(tmp_path / "new" / "folder" / "measured.jsonl") == runs


def test_a_missing_file_holds_no_runs(tmp_path: Path) -> None:
    assert read_runs(tmp_path / "measured.jsonl") == []


def test_a_broken_line_is_named_with_its_file_and_number(tmp_path: Path) -> None:
    path = tmp_path / "measured.jsonl"
    append_run(path, RUN)
    path.write_text(path.read_text() + '{"model": "card"\n')
    with pytest.raises(ValueError, match=r"measured\.jsonl, line 2"):
        read_runs(path)


def test_many_writers_lose_no_line(tmp_path: Path) -> None:
    path = tmp_path / "measured.jsonl"
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda seed: append_run(path, run(seed=seed)), range(40)))
    assert sorted(one.seed for one in read_runs(path)) == list(range(40))


def test_summary_is_mean_sample_deviation_and_number_of_seeds() -> None:
    values = [0.02, 0.025, 0.03]
    hr, ndcg = summarise(run(hr=value, seed=seed) for seed, value in enumerate(values))
    assert (hr.metric, ndcg.metric) == ("hr@20", "ndcg@20")
    assert hr.mean == pytest.approx(0.025)
    assert hr.sd == pytest.approx(math.sqrt(sum((v - 0.025) ** 2 for v in values) / 2))
    assert (hr.n, hr.source, hr.rows) == (3, "measured", 7911)


def test_one_seed_has_no_deviation() -> None:
    assert [(result.sd, result.n) for result in summarise([run()])] == [(None, 1), (None, 1)]


@pytest.mark.parametrize(
    "difference",
    [
        {"model": "tdm"},
        {"preset": "paper"},
        {"backbone": "sasrec"},
        {"dataset": "movielens"},
        {"protocol": "long-term"},
        {"split": "validation"},
        {"variant": "no_routing"},
    ],
)
def test_runs_that_differ_in_what_they_measure_are_never_averaged(difference: dict[str, str]) -> None:
    other = dataclasses.replace(run(seed=1), **difference)  # type: ignore[arg-type]
    assert {result.n for result in summarise([run(), other])} == {1}


def test_seeds_of_older_settings_do_not_enter_the_mean() -> None:
    old = [dataclasses.replace(run(hr=0.9, seed=seed), config_hash="old") for seed in (0, 1)]
    (hr, _) = summarise([*old, run(hr=0.02, seed=2, date="2026-02-01")])
    assert (hr.mean, hr.n) == (0.02, 1)


def test_scalar_health_is_averaged_and_the_rest_left_to_the_runs() -> None:
    runs = [run(seed=seed, health={"distinct_items": items}) for seed, items in enumerate((1000, 1200))]
    runs = [dataclasses.replace(one, health=one.health | {"weight_quantiles": [0.5, 1.0]}) for one in runs]
    health = summarise(runs)[0].health
    assert health is not None
    assert health["distinct_items"] == 1100
    assert "weight_quantiles" not in health


def test_the_newest_of_two_equal_runs_wins_wherever_it_lies(tmp_path: Path) -> None:
    write_runs(tmp_path, [run(hr=0.01, date="2026-01-01"), run(hr=0.02, seed=1, date="2026-03-01")])
    write_bundle_metrics(tmp_path, "card", [run(hr=0.03, date="2026-02-01"), run(hr=0.04, seed=1, date="2026-02-01")])
    assert {one.seed: one.metrics["hr@20"] for one in collect(tmp_path).runs} == {0: 0.03, 1: 0.02}


@pytest.mark.parametrize("content", ["", "[]", '{"runs": [{"model": "card"}]}', '{"runs": 3}', "{}"])
def test_a_broken_bundle_file_is_reported_and_takes_nothing_else_with_it(tmp_path: Path, content: str) -> None:
    write_runs(tmp_path, [run()])
    write_bundle_metrics(tmp_path, "tdm", [run("tdm")])
    (tmp_path / "zhihu" / "tdm" / "metrics.json").write_text(content)
    measured = collect(tmp_path)
    assert [one.model for one in measured.runs] == ["card"]
    assert len(measured.problems) == 1
    assert measured.problems[0].startswith("zhihu/tdm/metrics.json was left out")


def test_the_default_table_holds_tests_without_variants_and_the_papers_rows(tmp_path: Path) -> None:
    hidden = [
        dataclasses.replace(run("tdm"), split="validation"),
        dataclasses.replace(run("tdm"), variant="no_routing"),
    ]
    write_runs(tmp_path, [run(), *hidden])
    results = table(tmp_path)
    assert {r.model for r in results if r.source == "measured"} == {"card"}
    assert sum(r.source == "published" for r in results) > 200
    assert all(r.variant is None for r in results)


def test_what_the_table_is_made_without_is_logged(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "measured.jsonl").write_text('{"model": "card"\n')
    table(tmp_path)
    assert "measured.jsonl was left out: " in caplog.text and "line 1" in caplog.text


def test_without_any_run_the_table_is_what_the_papers_print(tmp_path: Path) -> None:
    assert {result.source for result in table(tmp_path)} == {"published"}


def test_published_figures_are_fractions_with_one_row_a_figure() -> None:
    results = read_published()
    keys = [(r.dataset, r.protocol, r.model, r.backbone, r.variant, r.metric) for r in results]
    assert len(keys) == len(set(keys))
    quality = [r for r in results if "@" in r.metric]
    assert all(0 < r.mean < 1 and (r.sd is None or 0 < r.sd < r.mean / 2) for r in quality)
    assert all(r.mean.is_integer() and r.mean >= 1 for r in results if r.metric.endswith("seconds"))


def test_every_ndcg_lies_below_its_hit_ratio() -> None:
    results = {(r.dataset, r.protocol, r.model, r.backbone, r.variant, r.metric): r.mean for r in read_published()}
    pairs = [
        (value, results[(*key[:5], key[5].replace("ndcg", "hr"))]) for key, value in results.items() if "ndcg" in key[5]
    ]
    assert len(pairs) == 130
    assert all(ndcg < hr for ndcg, hr in pairs)


@pytest.mark.parametrize("column", CARD_IMPROVEMENTS)
def test_card_improvements_recomputed_from_the_columns_are_the_printed_ones(column: tuple[str, str]) -> None:
    values = {result.model: result.mean for result in published(column[0], "prefix-full", column[1])}
    runner_up = max(value for model, value in values.items() if model != "card")
    assert len(values) == 12
    assert 100 * (values["card"] / runner_up - 1) == pytest.approx(CARD_IMPROVEMENTS[column], abs=0.1)


@pytest.mark.parametrize("backbone", GLOBALDIFF_IMPROVEMENTS)
def test_globaldiff_improvements_recomputed_from_the_columns_are_the_printed_ones(backbone: str) -> None:
    recomputed = []
    for dataset, metric in GLOBALDIFF_COLUMNS:
        column = published(dataset, "released-window", metric)
        plain = next(r.mean for r in column if r.model == backbone)
        with_diffusion = next(r.mean for r in column if r.model == "globaldiff" and r.backbone == backbone)
        recomputed.append(100 * (with_diffusion / plain - 1))
    assert recomputed == pytest.approx(GLOBALDIFF_IMPROVEMENTS[backbone], abs=0.1)


def test_cbit_with_globaldiff_is_best_and_plain_cbit_second_in_every_column_of_its_table() -> None:
    for dataset, metric in GLOBALDIFF_COLUMNS:
        ranked = sorted(published(dataset, "released-window", metric), key=lambda result: -result.mean)
        assert len(ranked) == 15
        assert [(r.model, r.backbone) for r in ranked[:2]] == [("globaldiff", "cbit"), ("cbit", None)]


def test_ablations_are_worse_than_card_and_leave_it_at_tdms_level_without_attention() -> None:
    results = {(r.dataset, r.metric, r.model, r.variant): r.mean for r in read_published()}
    for dataset in ("kuairec", "zhihu"):
        full = results[dataset, "hr@20", "card", None]
        for variant in ("no_routing", "no_attention"):
            assert results[dataset, "hr@20", "card", variant] < full
        without = results[dataset, "hr@20", "card", "no_attention"]
        assert without == pytest.approx(results[dataset, "hr@20", "tdm", None], abs=0.0002)


def test_the_globaldiff_tables_stand_under_a_protocol_of_their_own() -> None:
    with PUBLISHED.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert {row["protocol"] for row in rows if row["paper"] == "GlobalDiff"} == {"released-window"}
    assert {row["protocol"] for row in rows if row["paper"] == "CARD"} == {"prefix-full"}


def test_more_clusters_bring_globaldiff_closer_to_single_items() -> None:
    results = {
        r.variant: r.mean
        for r in read_published()
        if r.dataset == "beauty" and r.metric == "hr@10" and r.backbone == "cbit"
    }
    ordered = [results[name] for name in ("clusters=100", "clusters=500", "clusters=1000", None)]
    assert ordered == sorted(ordered)
    assert statistics.fmean(ordered) == pytest.approx(0.04955)


def test_variants_of_a_recipe_that_is_gone_are_not_shown_beside_the_present_one() -> None:
    def at(day: int, config: str, variant: str | None = None) -> Run:
        date = f"2026-01-{day:02}T00:00:00+00:00"
        return dataclasses.replace(run("card", variant=variant), config_hash=config, date=date)

    old = [at(1, "old"), at(2, "old", "deleted=0.5"), at(3, "old without routing", "no_routing")]
    assert of_present_recipes(old) == old
    new = [at(5, "new"), at(6, "new", "deleted=0.5"), at(7, "new without routing", "no_routing")]
    kept = of_present_recipes([*old, *new])
    assert kept == [old[0], *new], "the figures of the old recipe stay with it"
    assert of_present_recipes([*old, new[0]]) == [old[0], new[0]]
    alone = at(1, "any", "deleted=0.1")
    assert of_present_recipes([alone]) == [alone], "nothing is known that it could contradict"
