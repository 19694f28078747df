from __future__ import annotations

import base64
import csv
import html
import io
import json
from collections.abc import Iterator
from pathlib import Path

import gradio as gr
import pytest
import torch
from playwright.sync_api import Page

from demo_core.benchmark_rows import rows
from demo_core.charts import TOKENS
from demo_core.engine import Shelf
from demo_core.results import read_published, summarise
from demo_core.ui import launch
from demo_core.ui.benchmarks import build, exported, figures, shown
from demo_core.ui.components.benchmarks.verdict import MORE, ONE_SEED, verdict
from demo_core.ui.components.benchmarks.view import SIDE_BY_SIDE
from scripts.serving import free_port
from tests.runs import run, write_runs, zhihu_runs
from tests.ui.pages import Watched

ML1M_RUN = run("sasrec", 0.2, dataset="ml-1m", protocol="leave-one-out-full")


@pytest.fixture(scope="module")
def checkpoints(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("checkpoints")
    write_runs(folder, [*zhihu_runs(), ML1M_RUN])
    return folder


def percent(text: str) -> str:
    return text.replace("\N{NO-BREAK SPACE}", " ")


def test_a_visitor_starts_with_the_pages_data_set_and_hr_at_20(checkpoints: Path) -> None:
    assert shown(checkpoints, "zhihu", {})["choice"] == {
        "dataset": "zhihu",
        "protocol": "prefix-full",
        "metric": "hr@20",
        "beside": False,
        "models": None,
        "first": "card:default",
        "second": "sasrec:default",
    }


def test_without_runs_the_papers_figures_are_shown_and_said_to_be_printed(tmp_path: Path) -> None:
    page = shown(tmp_path, "zhihu", {})
    assert percent(page["verdict"]) == "Printed: CARD, 2.57 %. Not measured here."
    assert "mean of 5 runs, as printed in the CARD paper, Table 1" in page["reason"]
    assert {row["fill"] for row in page["charts"][0]["rows"]} == {"open"}


@pytest.mark.parametrize(
    "asked",
    [
        None,
        [],
        "zhihu",
        {"dataset": 7, "protocol": ["x"], "metric": {"a": 1}, "beside": "yes"},
        {"dataset": "../../etc", "protocol": "<script>", "metric": "hr@20; drop"},
        {"dataset": "zhihu", "protocol": "released-window", "metric": "hr@10"},
    ],
)
def test_what_is_not_on_offer_is_replaced_by_what_is(checkpoints: Path, asked: object) -> None:
    page = shown(checkpoints, "zhihu", asked)
    assert (page["choice"]["dataset"], page["choice"]["protocol"]) == ("zhihu", "prefix-full")
    assert page["choice"]["metric"] == "hr@20"
    assert page["choice"]["beside"] is False


def test_a_starting_data_set_without_figures_falls_back(checkpoints: Path) -> None:
    assert shown(checkpoints, "no-such-data", {})["choice"]["dataset"] == "zhihu"


def test_each_chart_holds_one_protocol_even_side_by_side(checkpoints: Path) -> None:
    alone = shown(checkpoints, "ml-1m", {})
    assert [chart["protocol"] for chart in alone["charts"]] == ["leave-one-out-full"]
    assert alone["message"] is None
    both = shown(checkpoints, "ml-1m", {"beside": True})
    assert [chart["protocol"] for chart in both["charts"]] == ["leave-one-out-full", "released-window"]
    assert both["message"] == SIDE_BY_SIDE
    for chart in both["charts"]:
        sources = {row["source"] for row in chart["rows"]}
        assert ("default" in sources) == (chart["protocol"] == "leave-one-out-full")


def test_every_value_comes_with_its_n_its_origin_and_the_protocol_in_words(checkpoints: Path) -> None:
    chart = shown(checkpoints, "zhihu", {})["charts"][0]
    assert all(row["n"].startswith("n ") and row["origin"] for row in chart["rows"])
    assert "ranked among all items" in chart["description"]
    assert "Zhihu, 7,911 test rows" in chart["caption"]
    assert any("as released: as the released code chooses it" in part for part in chart["caption"])
    assert "data 0123456, commit fedcba9, CPU" in chart["caption"]


def test_new_runs_show_at_the_next_look(tmp_path: Path) -> None:
    assert "Printed" in shown(tmp_path, "zhihu", {})["verdict"]
    write_runs(tmp_path, [run("popularity", 0.0143)])
    assert "Highest mean: Popularity" in shown(tmp_path, "zhihu", {})["verdict"]


def test_an_unreadable_file_is_reported_and_the_rest_is_shown(tmp_path: Path) -> None:
    (tmp_path / "measured.jsonl").write_text("not json\n")
    page = shown(tmp_path, "zhihu", {})
    assert "measured.jsonl was left out" in page["problems"][0]
    assert page["charts"][0]["rows"]


def test_runs_under_an_unknown_protocol_are_left_out_and_named(tmp_path: Path) -> None:
    write_runs(tmp_path, [run(protocol="best-of-ten")])
    page = shown(tmp_path, "zhihu", {"protocol": "best-of-ten"})
    assert page["problems"] == ["Runs under 'best-of-ten' were left out: no such protocol is known."]
    assert [entry["name"] for entry in page["protocols"]] == ["prefix-full"]


def test_the_highest_mean_is_named_with_seeds_protocol_and_distance() -> None:
    runs = [run("card", hr, seed) for seed, hr in enumerate((0.0268, 0.027, 0.0272))]
    headline, reason = verdict(rows(summarise([*runs, run("item_knn", 0.0176), run("popularity", 0.0143)]), "hr@20"))
    assert percent(headline) == "Highest mean: CARD 2.70 %. Item-kNN 1.76 %, popularity 1.43 %."
    assert reason == (
        f"HR@20 on Zhihu, prefix-full, 7,911 test rows, mean of 3 seeds. Item-kNN is .94 points lower. {MORE}"
    )


def test_no_winner_is_named_without_an_interval() -> None:
    headline, reason = verdict(rows(summarise(zhihu_runs()), "hr@20"))
    assert percent(headline).startswith("Highest means: CARD 2.70 %, SASRec 2.65 %.")
    assert reason.endswith(MORE)


def test_one_seed_is_said_to_be_one_seed() -> None:
    _, reason = verdict(rows(summarise([run("card", 0.03), run("popularity", 0.0143)]), "hr@20"))
    assert reason.endswith(ONE_SEED)


def test_a_baseline_that_wins_is_named_first_with_the_best_model_after_it() -> None:
    runs = [run("item_knn", 0.04), run("card", 0.02), run("popularity", 0.0143)]
    headline, _ = verdict(rows(summarise(runs), "hr@20"))
    assert percent(headline) == "Highest means: Item-kNN 4.00 %, CARD 2.00 %. Popularity 1.43 %."


def test_what_the_paper_prints_stands_beside_what_was_measured() -> None:
    printed = [r for r in read_published() if (r.dataset, r.variant) == ("zhihu", None)]
    runs = [run("card", hr, seed) for seed, hr in enumerate((0.0268, 0.027, 0.0272))]
    _, reason = verdict(rows([*printed, *summarise([*runs, run("popularity", 0.0143)])], "hr@20"))
    assert percent(reason).endswith("Printed for CARD: 2.57 % (CARD paper, Table 1).")


def test_no_rows_give_a_sentence_and_no_error() -> None:
    assert verdict([])[0] == "No figures here yet."


def test_figures_fit_theme_and_width_and_show_health_where_it_is_known(checkpoints: Path) -> None:
    measured = figures(checkpoints, "zhihu", {})["drawings"]
    assert len(measured) == 2
    assert all(drawing.startswith("<svg") for drawing in measured)
    assert TOKENS["light"]["card"] in measured[0]
    assert TOKENS["dark"]["card"] in figures(checkpoints, "zhihu", {"dark": True})["drawings"][0]
    compact = figures(checkpoints, "zhihu", {"compact": True})["drawings"]
    assert "2.57 ± .05, n 5</text>" in measured[0]
    assert "2.57 ± .05, n 5</text>" not in compact[0]
    assert len(figures(checkpoints, "zhihu", {"dataset": "kuairec"})["drawings"]) == 1


def test_exports_are_what_their_names_say(checkpoints: Path) -> None:
    files = {
        name: exported(checkpoints, "zhihu", {"format": name}) for name in ("png", "svg", "pdf", "csv", "vega-lite")
    }
    content = {name: base64.b64decode(file["base64"]) for name, file in files.items()}
    assert files["csv"]["name"] == "turnpoint-zhihu-prefix-full-hr20.csv"
    assert content["png"].startswith(b"\x89PNG")
    assert content["svg"].startswith(b"<svg")
    assert content["pdf"].startswith(b"%PDF")
    told = html.unescape(content["svg"].decode())
    assert "Zhihu, prefix-full" in told and ", seeds 0, 1" in told and "commit " in told, "the caption goes with it"
    assert "vega-lite" in json.loads(content["vega-lite"])["$schema"]
    lines = list(csv.DictReader(io.StringIO(content["csv"].decode())))
    assert len(lines) == len(shown(checkpoints, "zhihu", {})["charts"][0]["rows"])


@pytest.mark.parametrize("wanted", [None, "exe", 3, ["png"]])
def test_an_unknown_export_format_gets_a_message(checkpoints: Path, wanted: object) -> None:
    assert "Expected a format" in exported(checkpoints, "zhihu", {"format": wanted})["message"]


@pytest.fixture(scope="module")
def address(checkpoints: Path) -> Iterator[str]:
    with gr.Blocks(analytics_enabled=False) as app:
        build(Shelf(checkpoints, "zhihu", torch.device("cpu")))
    try:
        yield launch(app, host="127.0.0.1", port=free_port(), block=False)
    finally:
        app.close()


def opened(watched: Watched, address: str, width: int = 1280, theme: str = "light") -> Page:
    size = {"width": width, "height": 900}
    return watched.open(f"{address}?__theme={theme}", size, ready="#benchmarks-page .drawing svg")


@pytest.mark.parametrize(("width", "theme"), [(1280, "light"), (1280, "dark"), (390, "light")])
def test_the_page_draws_every_row_in_its_width_and_asks_no_other_host(
    watched: Watched, address: str, checkpoints: Path, tmp_path: Path, width: int, theme: str
) -> None:
    page = opened(watched, address, width, theme)
    chart = shown(checkpoints, "zhihu", {})["charts"][0]
    marks = page.locator("#benchmarks-page .chart svg[role=img]")
    assert marks.count() == len(chart["rows"])
    assert (marks.first.get_attribute("aria-label") or "").startswith("CARD, published: HR@20 2.57 %")
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    page.screenshot(path=tmp_path / f"benchmarks-{theme}-{width}.png", full_page=True)


def test_switches_table_and_download_work_from_the_keyboard(watched: Watched, address: str) -> None:
    page = opened(watched, address)
    page.get_by_role("button", name="NDCG@20", exact=True).focus()
    page.keyboard.press("Enter")
    page.wait_for_selector("button[data-name='ndcg@20'][aria-pressed=true]")
    assert page.evaluate("document.activeElement.textContent") == "NDCG@20"
    page.locator(".charts summary").focus()
    page.keyboard.press("Enter")
    cells = page.get_by_role("row").filter(has_text="CARD").first.get_by_role("cell").all_inner_texts()
    assert cells[:4] == ["published", "0.83", ".02", "5"]
    with page.expect_download() as download:
        page.get_by_role("button", name="CSV", exact=True).press("Enter")
    assert download.value.suggested_filename == "turnpoint-zhihu-prefix-full-ndcg20.csv"


def test_side_by_side_draws_two_charts_under_the_warning(watched: Watched, address: str) -> None:
    page = opened(watched, address)
    page.get_by_role("group", name="Data set").get_by_role("button", name="MovieLens 1M").click()
    page.get_by_role("button", name="Show them side by side").click()
    page.wait_for_selector("#benchmarks-page .several")
    assert page.locator("#benchmarks-page .notice").inner_text() == SIDE_BY_SIDE
    assert page.locator("#benchmarks-page .chart").count() == 2


def test_markup_in_what_was_measured_is_shown_as_text(watched: Watched, address: str, checkpoints: Path) -> None:
    name = "<img src=x onerror=alert(1)>"
    write_runs(checkpoints, [run(name, 0.01, dataset="toy", protocol="leave-one-out-full")])
    page = opened(watched, address)
    page.get_by_role("group", name="Data set").get_by_role("button").last.click()
    page.wait_for_function("document.querySelector('#benchmarks-page .model')?.textContent.includes('onerror')")
    assert page.locator("#benchmarks-page img").count() == 0
