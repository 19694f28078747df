"""The Run your own page in a real browser."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

from playwright.sync_api import Page, expect

from demo_core.engine import Engine
from tests.ui.pages import PHONE, Watched

ROOT = Path(__file__).parents[2]
DONE = re.compile(r"over (\d+) of \1 people")


def opened(watched: Watched, address: str, rest: str = "", **how: object) -> Page:
    return watched.open(f"{address}?view=run{rest}", ready=".run .boxes input", **how)  # type: ignore[arg-type]


def test_a_run_fills_the_chart_and_ends_with_the_engines_figures(
    watched: Watched, address: str, engine: Engine, tmp_path: Path
) -> None:
    page = opened(watched, address)
    for name in ("TDM", "GlobalDiff"):
        page.get_by_role("checkbox", name=name).uncheck()
    page.get_by_role("checkbox", name="Popularity").check()
    page.locator('.run [data-part="metric"]').select_option("ndcg@20")
    page.locator('.run [data-part="slice"]').select_option("short")
    page.get_by_role("button", name="Start").click()
    expect(page.locator(".run .chart circle")).to_have_count(2)
    expect(page.locator(".run .verdict")).to_have_text(DONE, timeout=60_000)
    told = list(engine.run_benchmark(("card", "popularity"), "short", "ndcg@20"))[-1]
    for at, row in enumerate(told.rows):
        assert row.mean is not None and row.standard_error is not None
        words = f"{100 * row.mean:.1f} ± {100 * row.standard_error:.1f}"
        expect(page.locator(".run .chart .value").nth(at)).to_have_text(words)
    assert "run=card,popularity" in page.url and "runslice=short" in page.url and "runmetric=ndcg@20" in page.url
    expect(page.locator(".run .kept li")).to_have_count(1)
    with page.expect_download() as download:
        page.get_by_role("button", name="JSON").click()
    download.value.save_as(tmp_path / "run.json")
    kept = json.loads((tmp_path / "run.json").read_text())
    assert [row["mean"] for row in kept["rows"]] == [row.mean for row in told.rows]


def test_the_command_gives_the_same_json(watched: Watched, address: str) -> None:
    page = opened(watched, address, "&run=popularity&runslice=long&runlost=30&runseed=2")
    expect(page.locator(".run .verdict")).to_have_text(DONE, timeout=60_000)
    expect(page.locator(".run .kept li")).to_have_count(1)  # the end, whose words would replace those below
    page.locator('.run [data-part="slice"]').select_option("short")  # for another run than the one that is shown
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.get_by_role("button", name="Copy the command").click()
    expect(page.locator(".run .live")).to_have_text("Command copied.")
    command = page.evaluate("navigator.clipboard.readText()").split()
    assert command[:3] == ["python", "-m", "scripts.run_benchmark"]
    done = subprocess.run([sys.executable, *command[1:]], cwd=ROOT, capture_output=True, text=True, timeout=120)
    told = json.loads(done.stdout)
    assert (told["slice"], told["lost"], told["seed"]) == ("long", 0.3, 2)
    value = page.locator(".run .chart .value").first
    expect(value).to_contain_text(f"{100 * told['rows'][0]['mean']:.1f}")


def test_stop_keeps_what_was_measured(watched: Watched, address: str) -> None:
    page = opened(watched, address)
    page.get_by_role("button", name="Start").click()
    expect(page.locator(".run .chart circle").first).to_be_visible(timeout=30_000)
    page.get_by_role("button", name="Stop").click()
    expect(page.get_by_role("button", name="Start")).to_be_visible()
    expect(page.locator(".run .kept li")).to_have_count(1)
    expect(page.locator(".run .kept li")).to_contain_text(re.compile(r"\d+ of \d+ people"))


def test_a_kept_result_is_a_link_that_runs_again(watched: Watched, address: str) -> None:
    page = opened(watched, address, "&run=popularity&runmetric=hr@50")
    expect(page.locator(".run .verdict")).to_have_text(DONE, timeout=60_000)
    first = page.locator(".run .verdict").inner_text()
    page.locator(".run .kept a").click()
    expect(page.locator(".run .kept li")).to_have_count(2, timeout=60_000)
    expect(page.locator(".run .verdict")).to_have_text(first)


def test_a_run_over_all_people_joins_the_benchmarks_marked_as_run_here(watched: Watched, address: str) -> None:
    page = opened(watched, address, "&run=popularity&runmetric=hr@20")
    expect(page.locator(".run .verdict")).to_have_text(DONE, timeout=60_000)
    value = (page.locator(".run .chart .value").first.text_content() or "").split()[0]
    page.get_by_role("tab", name="Benchmarks").click()
    here = page.locator("#benchmarks-page .source", has_text="run here")
    expect(here).to_have_count(1, timeout=30_000)  # the first answer reads all that was measured
    expect(here).to_contain_text("200 people")
    row = page.locator("#benchmarks-page .wide .value", has_text="one standard error")
    expect(row).to_contain_text(value)
    expect(page.locator("#benchmarks-page .legend").first).to_contain_text("run here, few people")
    page.get_by_text("Models: all").click()
    page.get_by_role("button", name="None", exact=True).click()
    expect(page.locator("#benchmarks-page .notice")).to_be_visible()
    expect(here).to_have_count(0)


def test_a_phone_has_room_for_the_wishes(watched: Watched, address: str) -> None:
    page = opened(watched, address, size=PHONE, dark=True)
    assert page.evaluate("document.documentElement.scrollWidth") == PHONE["width"]
