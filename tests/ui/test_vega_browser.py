"""Figures taken away as Vega-Lite, in a real browser: their values are the engine's, and they can be drawn anew."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from itertools import accumulate
from pathlib import Path
from typing import Any

import altair
import pytest
import vl_convert
from playwright.sync_api import Page, expect

from demo_core.engine import Engine
from demo_core.engine.denoising_answers import DenoisingFrame, DenoisingModel
from demo_core.rendering import VEGA_LITE
from demo_core.ui.theme import LIGHT
from tests.ui.pages import PHONE, Watched, link

Spec = dict[str, Any]
Taken = Callable[[Page, str], tuple[Spec, str]]
WALKED, CURVED = ".denoise .settled b", ".lab .legend li:nth-child(3)"


def said(spec: object, keys: tuple[str, ...]) -> Iterator[str]:
    """Every text under one of ``keys``, however deep."""
    if isinstance(spec, list):
        for each in spec:
            yield from said(each, keys)
    elif isinstance(spec, dict):
        for key, value in spec.items():
            if key in keys and isinstance(value, str):
                yield value
            yield from said(value, keys)


def values(spec: Spec, field: str) -> list[dict[str, Any]]:
    """The rows of the data set with that field, wherever in the chart it stands."""
    found: list[list[dict[str, Any]]] = []

    def walk(part: object) -> None:
        if isinstance(part, dict):
            rows = part.get("data", {}).get("values") if isinstance(part.get("data"), dict) else None
            if rows and field in rows[0]:
                found.append(rows)
        for each in part.values() if isinstance(part, dict) else part if isinstance(part, list) else ():
            walk(each)

    walk(spec)
    return found[0]


@pytest.fixture
def taken(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> Taken:
    """Downloads a figure and draws it without a browser; a chart that is not sound Vega-Lite fails."""

    def take(page: Page, group: str) -> tuple[Spec, str]:
        with page.expect_download() as download:
            page.get_by_role("group", name=group).get_by_role("button", name="Vega-Lite").click()
        assert download.value.suggested_filename.endswith(".vl.json")
        download.value.save_as(tmp_path / "figure.vl.json")
        spec = json.loads((tmp_path / "figure.vl.json").read_text(encoding="utf-8"))
        assert spec["$schema"].split("/")[-1].startswith(f"v{VEGA_LITE.split('.')[0]}")
        altair.Chart.from_dict(spec)  # raises for what the schema does not know
        assert not list(said(spec, ("url", "href"))), "nothing is fetched"
        capfd.readouterr()
        drawn = vl_convert.vegalite_to_svg(spec, vl_version=VEGA_LITE, show_warnings=True)
        assert "WARN" not in "".join(capfd.readouterr())
        assert "NaN" not in drawn and "undefined" not in drawn
        return spec, re.sub("<[^>]+>", "\n", drawn)

    return take


def caption(spec: Spec) -> str:
    return " ".join(spec["title"]["subtitle"])


def check_caption(spec: Spec, provenance: tuple[str, ...]) -> None:
    """All of it but the last part, the time taken, which is another one at every call."""
    assert "leave-one-out-full" in caption(spec) and "commit" in caption(spec) and "seed 0" in caption(spec)
    assert not [part for part in provenance[:-1] if part not in caption(spec)]


def test_the_line_as_vega_lite_has_the_routes_values(
    watched: Watched, address: str, films: list[int], engine: Engine, taken: Taken
) -> None:
    told = engine.compare(films, truth=1128, threshold=0.97, off=[2])
    assert told.route is not None and told.route.outcome == "turning"
    page = watched.open(link(address, films, "&next=1128&threshold=.97&off=2"))
    spec, drawn = taken(page, "Download the line")
    rows = values(spec, "cosine")
    assert [row["state"] for row in rows] == ["read", "off", "read", "read", "read", "read", "next"]
    read = [row for row in rows if row["state"] == "read"]
    stations = told.route.stations
    assert [row["title"] for row in read] == [f"{one.item.title} ({one.item.year})" for one in stations]
    assert [row["below_average"] for row in read] == [one.candidate for one in stations]
    for field, name in {
        "cosine": "cosine",
        "per": "per",
        "weight": "weight",
        "tdm_drops": "removal",
        "share_of_steps": "continuity",
    }.items():
        assert [row[field] for row in read] == pytest.approx([getattr(one, name) for one in stations]), field
    falls = accumulate(0 if one.cosine is None else 1 - one.cosine for one in stations)
    assert [row["height"] for row in read] == pytest.approx(list(falls))
    assert rows[1]["height"] == pytest.approx(read[1]["height"] / 2), "it lies on the line that passes it by"
    marks = {row["what"]: row["evenness"] for row in (values(layer, "what")[0] for layer in marked(spec))}
    assert marks["this history"] == pytest.approx(told.route.evenness)
    assert marks["the threshold"] == 0.97 and marks["the threshold as trained"] == told.route.trained_threshold
    assert told.route.histogram is not None
    assert tuple(row["histories"] for row in values(spec, "histories")) == told.route.histogram.counts
    assert "★ next" in drawn and "Turning" in drawn and told.route.verdict in " ".join(spec["title"]["text"])
    check_caption(spec, told.provenance)


def marked(spec: Spec) -> list[Spec]:
    return [layer for layer in spec["hconcat"][1]["layer"] if "what" in layer["data"]["values"][0]]


def test_the_path_as_vega_lite_has_the_places_of_every_step(
    watched: Watched, address: str, films: list[int], engine: Engine, taken: Taken
) -> None:
    told = list(engine.denoise(films, steps=4, truth=1128))
    stage = next(one for one in told if isinstance(one, DenoisingModel) and one.model == "card")
    frames = [one for one in told if isinstance(one, DenoisingFrame) and one.model == "card"]
    page = watched.open(link(address, films, "&next=1128&view=denoise&steps=4"), ready=WALKED)
    spec, drawn = taken(page, "Download the path")
    rows = values(spec, "step")
    assert [(row["model"], row["step"]) for row in rows] == [("CARD", step) for step in range(5)]
    for row, frame in zip(rows, frames, strict=True):
        assert (row["x"], row["y"]) == pytest.approx(frame.place)
        assert row["cosine"] == pytest.approx(frame.likeness) and row["nearest"].startswith(frame.nearest.title)
        assert row["true_rank"] == frame.truth_rank
    numbered, history = values(spec, "number"), stage.history
    assert [row["x"] for row in numbered] == pytest.approx([x for x, _ in history])
    assert [row["y"] for row in numbered] == pytest.approx([y for _, y in history])
    assert spec["params"][0]["value"] == 4 and "near " in drawn
    assert LIGHT["card"] in json.dumps(spec["layer"])
    check_caption(spec, ("Top 10 of 3,674 films", ""))


def test_the_settling_list_as_vega_lite_has_every_rank_and_stars_the_true_next_one(
    watched: Watched, address: str, films: list[int], engine: Engine, taken: Taken
) -> None:
    truth = engine.compare(films, ["card"]).lists[0].items[4].item
    told = engine.denoise(films, steps=4, truth=truth.id)
    frames = [one for one in told if isinstance(one, DenoisingFrame) and one.model == "card"]
    page = watched.open(link(address, films, f"&next={truth.id}&view=denoise&steps=4"), ready=WALKED)
    spec, drawn = taken(page, "Download the list settling")
    rows = values(spec, "final_rank")
    for row in rows:
        at_step = [f"{item.title} ({item.year})" for item in frames[row["step"]].items]
        assert row["rank"] == (at_step.index(row["title"]) + 1 if row["title"] in at_step else None)
    last = [row for row in rows if row["step"] == 4]
    assert [row["title"] for row in last] == [f"{item.title} ({item.year})" for item in frames[-1].items]
    assert [row["title"] for row in last if row["true_next"]] == [f"{truth.title} ({truth.year})"]
    assert "★ " in drawn and LIGHT["truth"] in json.dumps(spec)
    check_caption(spec, ("Top 10 of 3,674 films", ""))


def test_the_curve_as_vega_lite_has_every_share_with_its_quartiles(
    watched: Watched, address: str, films: list[int], engine: Engine, taken: Taken
) -> None:
    page = watched.open(link(address, films, "&next=1128&view=missing&lost=40&draw=2"), ready=CURVED)
    expect(page.locator(".lab tbody tr")).to_have_count(7 * 3, timeout=60_000)
    spec, drawn = taken(page, "Download the curve")
    rows = values(spec, "kept_low")
    assert len(rows) == 7 * 3
    told = engine.lab_curve(films, "lost", 0.3, truth=1128)
    shown = [row for row in rows if row["share"] == 0.3]
    assert [(row["kept"], row["kept_low"], row["kept_high"], row["found"]) for row in shown] == [
        (point.kept, point.low, point.high, point.found) for point in told
    ]
    drawing = engine.lab(films, "lost", 0.4, draw=2, truth=1128)
    assert [row["kept"] for row in values(spec, "draw")] == [sum(one.kept) for one in drawing.lists]
    scale = spec["layer"][1]["encoding"]["color"]["scale"]
    assert dict(zip(scale["domain"], scale["range"], strict=True)) == {
        "TDM": LIGHT["tdm"],
        "CARD": LIGHT["card"],
        "GlobalDiff": LIGHT["gd"],
    }
    assert "share of the films lost" in drawn and "GlobalDiff" in drawn
    check_caption(spec, drawing.provenance)


def test_the_two_lines_as_vega_lite_have_the_cosines_before_and_after_the_loss(
    watched: Watched, address: str, films: list[int], engine: Engine, taken: Taken
) -> None:
    told = engine.lab(films, "lost", 0.4, draw=2)
    page = watched.open(link(address, films, "&view=missing&lost=40&draw=2"), ready=CURVED)
    spec, drawn = taken(page, "Download the line")
    assert told.whole is not None and told.route is not None
    for name, route in (("whole", told.whole), ("read now", told.route)):
        cosines = [row["cosine"] for row in values(spec, "cosine") if row["line"] == name]
        assert cosines == pytest.approx([one.cosine for one in route.stations])
    assert "Draw 2." in caption(spec) and "oldest first" in drawn
    check_caption(spec, told.provenance)


def test_a_run_as_vega_lite_has_means_and_standard_errors(
    watched: Watched, address: str, engine: Engine, taken: Taken
) -> None:
    told = list(engine.run_benchmark(("card", "popularity"), "short", "ndcg@20", lost=0.3))[-1]
    page = watched.open(
        f"{address}?view=run&run=card,popularity&runslice=short&runmetric=ndcg@20&runlost=30",
        ready=".run .chart circle",
    )
    expect(page.locator(".run .verdict")).to_have_text(re.compile(r"over (\d+) of \1 people"), timeout=60_000)
    spec, drawn = taken(page, "Download the chart")
    rows = values(spec, "mean")
    assert [row["model"] for row in rows] == ["CARD", "Popularity"]
    for row, one in zip(rows, told.rows, strict=True):
        assert (row["mean"], row["standard_error"]) == pytest.approx((one.mean, one.standard_error))
        assert (row["people"], row["lost"], row["seed"], row["metric"]) == (told.total, 0.3, 0, "ndcg@20")
        assert one.mean is not None and f"{100 * one.mean:.1f} ± " in drawn
    assert "30 % of every history went missing" in caption(spec)
    check_caption(spec, told.provenance)


def test_a_title_stands_in_values_and_never_in_an_expression(
    watched: Watched, address: str, films: list[int], engine: Engine, taken: Taken
) -> None:
    page = watched.open(link(address, films, "&next=1128"))
    spec, _ = taken(page, "Download the line")
    run = list(said(spec, ("calculate", "filter", "test", "expr", "labelExpr", "signal")))
    assert run and not [text for text in run for id in films if engine.item(id).title in text]


def test_a_file_has_the_light_colours_when_the_page_is_dark(
    watched: Watched, address: str, films: list[int], taken: Taken
) -> None:
    page = watched.open(link(address, films, "&next=1128"), dark=True)
    spec, _ = taken(page, "Download the line")
    assert spec["background"] == LIGHT["panel"] and spec["config"]["title"]["color"] == LIGHT["ink"]
    assert LIGHT["turn"] in json.dumps(spec)


def test_where_nothing_is_drawn_every_button_says_so_below_itself(watched: Watched, address: str) -> None:
    page = watched.open(f"{address}?view=missing", ready=".lab .verdict")
    group, problem = page.get_by_role("group", name="Download the curve"), page.locator(".export-problem:visible")
    for kind in ("SVG", "PNG", "PDF", "Vega-Lite", "CSV"):
        group.get_by_role("button", name=kind).click()
        expect(problem).to_have_text(f"{kind} could not be made. Nothing is drawn yet.")
    expect(page.locator('.lab [data-part="curve-words"]')).to_have_text("")  # nothing is being computed either


@pytest.mark.parametrize(
    ("view", "ready"),
    [
        ("explore", ".list.shown .row"),
        ("denoise", WALKED),
        ("missing", CURVED),
        ("run&run=popularity&runslice=short", ".run .chart circle"),
    ],
    ids=["explore", "denoise", "missing", "run"],
)
def test_all_kinds_of_file_can_be_reached_on_a_phone(
    watched: Watched, address: str, films: list[int], view: str, ready: str
) -> None:
    page = watched.open(link(address, films, f"&view={view}"), size=PHONE, ready=ready)
    groups = page.locator(".tp-view .exports:visible")
    assert groups.count()
    for group in groups.all():
        expect(group.get_by_role("button")).to_have_text(["SVG", "PNG", "PDF", "Vega-Lite", "CSV"])
        assert group.evaluate("node => node.scrollWidth <= node.clientWidth"), "the frame cuts nothing off"
        box, panel = group.bounding_box(), group.locator("xpath=ancestor::section").bounding_box()
        assert box and panel and box["x"] + box["width"] <= panel["x"] + panel["width"]
    assert page.evaluate("document.documentElement.scrollWidth") == PHONE["width"]
