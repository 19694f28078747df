from __future__ import annotations

import csv
import dataclasses
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from demo_core.benchmark_rows import (
    Row,
    axis_ticks,
    definition,
    model_title,
    points,
    popularity,
    protocol,
    rows,
    table_csv,
)
from demo_core.results import Result, read_published, summarise
from tests.runs import run, zhihu_runs


def zhihu_results() -> list[Result]:
    printed = [r for r in read_published() if (r.dataset, r.variant) == ("zhihu", None)]
    return printed + summarise(zhihu_runs())


def row_with(mean: float, sd: float | None = None) -> Row:
    (row,) = rows([dataclasses.replace(summarise([run()])[0], mean=mean, sd=sd)], "hr@20")
    return row


def test_rows_are_grouped_by_model_and_ordered_published_released_default() -> None:
    shown = [(row.result.model, row.source) for row in rows(zhihu_results(), "hr@20")]
    assert shown[:5] == [
        ("card", "published"),
        ("card", "as released"),
        ("card", "default"),
        ("tdm", "published"),
        ("sasrec", "published"),
    ]
    assert shown[-2:] == [("item_knn", "baseline"), ("popularity", "baseline")]
    groups = [model for i, (model, _) in enumerate(shown) if i == 0 or shown[i - 1][0] != model]
    assert len(groups) == len(set(groups))


def test_ink_tells_the_evidence() -> None:
    fills = {(row.result.model, row.source): row.fill for row in rows(zhihu_results(), "hr@20")}
    assert fills["card", "published"] == "open"
    assert fills["card", "as released"] == "half"
    assert fills["card", "default"] == "solid"
    assert fills["sasrec", "published"] == "open"
    assert fills["popularity", "baseline"] == "solid"


def test_an_unhealthy_default_is_not_drawn_solid_and_says_why() -> None:
    (row,) = rows(summarise([run(health={"never_trained_share": 0.9})]), "hr@20")
    assert row.fill == "half"
    assert "never trained" in row.failures[0]


def test_health_without_a_figure_the_gate_needs_does_not_pass() -> None:
    one = run()
    one = dataclasses.replace(one, health={"distinct_items": 1000.0})
    (row,) = rows(summarise([one]), "hr@20")
    assert row.fill == "half"
    assert "not stated" in row.failures[0]


def test_baselines_are_not_blamed_for_giving_everyone_one_list() -> None:
    (row,) = rows(summarise([run("popularity", health={"distinct_items": 20, "list_overlap": 1.0})]), "hr@20")
    assert row.failures == ()


def test_shape_and_colour_belong_to_the_model() -> None:
    marks = {row.result.model: (row.shape, row.colour) for row in rows(zhihu_results(), "hr@20")}
    assert marks["card"] == ("circle", "card")
    assert marks["tdm"] == ("square", "tdm")
    assert marks["dreamrec"] == ("capsule", "muted")


def test_two_protocols_are_refused() -> None:
    mixed = [*zhihu_results(), *summarise([run(protocol="long-term")])]
    with pytest.raises(ValueError, match="one protocol"):
        rows(mixed, "hr@20")


def test_two_data_sets_are_refused() -> None:
    with pytest.raises(ValueError, match="one data set"):
        rows([*zhihu_results(), *summarise([run(dataset="kuairec")])], "hr@20")


def test_the_backbone_is_named() -> None:
    (row,) = rows(summarise([run("globaldiff", backbone="sasrec")]), "hr@20")
    assert (row.title, row.source, row.shape) == ("GlobalDiff", "default on SASRec", "triangle")


def test_a_value_is_never_without_its_number_of_runs() -> None:
    assert row_with(0.0257, 0.0005).value == "2.57 ± .05, n 1"
    printed = [r for r in read_published() if r.variant == "no_routing" and r.dataset == "zhihu"]
    assert rows(printed, "hr@20")[0].value == "2.28, n not stated"


@given(st.floats(1e-6, 1.0), st.floats(0.0, 0.3))
def test_the_axis_starts_at_zero_and_holds_every_bar(mean: float, sd: float) -> None:
    ticks = axis_ticks([row_with(mean, sd)])
    assert ticks[0] == 0
    assert ticks[-1] >= 100 * (mean + sd)
    assert ticks[-1] <= 100 * (mean + sd) * 2
    assert 3 <= len(ticks) <= 9


def test_the_axis_of_zhihu_has_round_ticks() -> None:
    assert axis_ticks(rows(zhihu_results(), "hr@20")) == [0, 0.5, 1, 1.5, 2, 2.5, 3]


def test_deviations_lose_their_leading_zero_and_large_ones_keep_their_digits() -> None:
    assert [points(0.0005), points(0.0123), points(0.123)] == [".05", "1.23", "12.30"]


def test_popularity_is_found_or_absent() -> None:
    shown = rows(zhihu_results(), "hr@20")
    assert popularity(shown) == pytest.approx(0.0143)
    assert popularity([row for row in shown if row.result.model != "popularity"]) is None


def test_every_model_of_the_papers_has_a_title_and_every_protocol_a_description() -> None:
    for result in read_published():
        assert model_title(result.model) != result.model
        assert len(protocol(result.protocol).description) > 20
    with pytest.raises(ValueError, match="released-window"):
        protocol("leave-none-out")


def test_metrics_are_defined_with_their_cut() -> None:
    assert "10 best" in definition("hr@10")
    assert "log2" in definition("ndcg@20")
    assert "HR@20" in definition("ndcg@20")


def test_csv_holds_every_row_as_fractions() -> None:
    shown = rows(zhihu_results(), "hr@20")
    read = list(csv.DictReader(io.StringIO(table_csv(shown))))
    assert [float(line["mean"]) for line in read] == [row.result.mean for row in shown]
    assert {line["protocol"] for line in read} == {"prefix-full"}
    assert read[0]["origin"] == "CARD paper, Table 1"
