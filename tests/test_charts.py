from __future__ import annotations

import dataclasses
import json
import re
from typing import Any
from xml.etree import ElementTree

import pytest

from demo_core.benchmark_rows import Row, rows
from demo_core.charts import TOKENS, Theme, benchmark_chart, export, health_chart
from demo_core.results import read_published, summarise
from tests.runs import run, zhihu_runs


def zhihu_rows(metric: str = "hr@20") -> list[Row]:
    printed = [r for r in read_published() if (r.dataset, r.variant) == ("zhihu", None)]
    return rows(printed + summarise(zhihu_runs()), metric)


def specification(theme: Theme = "light") -> dict[str, Any]:
    return json.loads(benchmark_chart(zhihu_rows(), theme).to_json())


def records(theme: Theme = "light") -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = {}

    def walk(node: Any) -> None:
        if isinstance(node, dict):
            if isinstance(node.get("values"), list):
                found.update({v["label"]: v for v in node["values"] if isinstance(v, dict) and "label" in v})
            for value in node.values():
                walk(value)
        elif isinstance(node, list):
            for value in node:
                walk(value)

    walk(specification(theme))
    return found


def test_svg_names_every_row_with_its_value_and_what_the_metric_means() -> None:
    shown = zhihu_rows()
    drawing = ElementTree.fromstring(export(benchmark_chart(shown), "svg"))
    spoken = {e.get("aria-label") for e in drawing.iter() if e.get("aria-roledescription") == "point"}
    assert len(spoken) == len(shown)
    for row in shown:
        assert any(text and text.startswith(f"{row.title}, {row.source}: {row.value}") for text in spoken)
    assert all(text and "among the 20 best" in text for text in spoken)


def test_the_drawn_axis_starts_at_zero() -> None:
    drawing = export(benchmark_chart(zhihu_rows()), "svg").decode()
    assert "for a linear scale with values from 0 to 3" in drawing


def test_marks_stand_where_the_values_are() -> None:
    drawing = ElementTree.fromstring(export(benchmark_chart(zhihu_rows()), "svg"))
    at = {}
    for element in drawing.iter():
        place = re.match(r"translate\(([\d.]+),", element.get("transform") or "")
        if element.get("aria-roledescription") == "point" and place:
            at[(element.get("aria-label") or "").partition(":")[0]] = float(place[1])
    assert at["CARD, published"] / at["Popularity, baseline"] == pytest.approx(2.57 / 1.43, rel=1e-3)


def test_bars_are_one_standard_deviation() -> None:
    record = records()["CARD · published"]
    assert record["high"] - record["mean"] == pytest.approx(0.05)
    assert record["mean"] - record["low"] == pytest.approx(0.05)


def test_published_and_measured_marks_differ_by_their_fill() -> None:
    light = TOKENS["light"]
    found = records()
    assert (found["CARD · published"]["inside"], found["CARD · published"]["half"]) == (light["panel"], "")
    assert found["CARD · as released"]["half"] != ""
    assert found["CARD · default"]["inside"] == light["card"]


def test_models_differ_by_shape_as_well_as_by_colour() -> None:
    found = records()
    kinds = {
        (found[label]["shape"], found[label]["colour"])
        for label in ("CARD · default", "TDM · published", "SASRec · default")
    }
    assert len({shape for shape, _ in kinds}) == len({colour for _, colour in kinds}) == 3


def test_chart_says_data_set_protocol_and_origin_on_a_transparent_ground() -> None:
    spec = specification()
    assert spec["title"]["text"] == "HR@20 on Zhihu, prefix-full"
    assert "CARD paper, Table 1" in spec["title"]["subtitle"]
    assert "data 0123456, commit fedcba9, CPU, seeds 0, 1, 2" in spec["title"]["subtitle"]
    assert spec["config"]["background"] == "transparent"


def test_dark_and_light_share_no_ink() -> None:
    assert not set(TOKENS["light"].values()) & set(TOKENS["dark"].values())
    drawing = export(benchmark_chart(zhihu_rows(), "dark"), "svg").decode()
    assert TOKENS["dark"]["card"] in drawing
    assert not [colour for colour in TOKENS["light"].values() if colour in drawing]


def test_two_protocols_never_share_a_chart() -> None:
    other = rows(summarise([run(protocol="long-term")]), "hr@20")
    for draw in (benchmark_chart, health_chart):
        with pytest.raises(ValueError, match="protocol"):
            draw([*zhihu_rows(), *other])


def test_two_metrics_never_share_a_chart() -> None:
    with pytest.raises(ValueError, match="metric"):
        benchmark_chart([*zhihu_rows("hr@20"), *zhihu_rows("ndcg@20")])


def test_no_rows_are_refused_with_a_message() -> None:
    with pytest.raises(ValueError, match="no rows"):
        benchmark_chart([])


def test_health_chart_shows_only_rows_that_state_their_health() -> None:
    chart = health_chart(zhihu_rows())
    assert chart is not None
    drawing = export(chart, "svg").decode()
    assert "CARD · default" in drawing
    assert "CARD · published" not in drawing


def test_published_figures_alone_have_no_health_chart() -> None:
    assert health_chart([row for row in zhihu_rows() if row.result.source == "published"]) is None


def test_png_is_a_picture_of_twice_the_size() -> None:
    content = export(benchmark_chart(zhihu_rows()), "png")
    width, height = int.from_bytes(content[16:20], "big"), int.from_bytes(content[20:24], "big")
    assert content.startswith(b"\x89PNG")
    assert width > 1200
    assert height > 900


def test_vega_lite_carries_its_own_data_and_asks_for_no_other() -> None:
    spec = json.loads(export(benchmark_chart(zhihu_rows()), "json"))
    assert spec["$schema"].startswith("https://vega.github.io/schema/vega-lite/v6")
    assert '"url"' not in json.dumps(spec)


def test_markup_in_a_name_stays_text() -> None:
    name = "<img src=x onerror=alert(1)>"
    shown = [dataclasses.replace(row, title=name) for row in zhihu_rows()[:1]]
    drawing = export(benchmark_chart(shown), "svg").decode()
    assert "<img" not in drawing
    assert "&lt;img" in drawing
