"""The sections below the benchmark figure, as the plain values that the page draws."""

from __future__ import annotations

import base64
import csv
import dataclasses
import io
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch

from demo_core.experiments.honesty import WEIGHT_KL
from demo_core.json_lines import append_line
from demo_core.measure import RANKS
from demo_core.ranks import append_ranks
from demo_core.results import TUNING, Run, append_run
from demo_core.sequences import Rows
from demo_core.ui.benchmarks import difference, exported, figures, shown
from demo_core.ui.components.benchmarks.difference import NO_RANKS
from demo_core.ui.components.benchmarks.view import NOTHING_CHOSEN
from tests.runs import REFERENCE, experiment_runs, run, write_runs, zhihu_runs

SECTIONS = [
    "released",
    "difference",
    "parts",
    "settings",
    "missing",
    "ahead",
    "steps",
    "overview",
    "reference",
    "times",
    "health",
    "honesty",
    "tried",
]


@pytest.fixture(scope="module")
def checkpoints(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("checkpoints")
    write_runs(folder, [*zhihu_runs(), *experiment_runs()])
    tried = [run("card", value, seed=seed, variant="dropout=0.3,layers=1") for seed, value in ((0, 0.03), (1, 0.04))]
    theirs = dataclasses.replace(REFERENCE, dataset="zhihu", protocol="prefix-full", test={"hr@20": 0.03})
    append_line(folder / "reference.jsonl", theirs.to_dict())
    for one in [*tried, run("sasrec", 0.031, variant="dropout=0.3")]:
        append_run(folder / TUNING, dataclasses.replace(one, split="validation"))
    return folder


def sections(checkpoints: Path, **asked: Any) -> dict[str, dict[str, Any]]:
    return {section["name"]: section for section in shown(checkpoints, "zhihu", asked)["sections"]}


def words(text: str) -> str:
    return text.replace("\N{NO-BREAK SPACE}", " ")


def lines(block: dict[str, Any]) -> list[tuple[str, str, str]]:
    return [(row["name"], row["source"], row["cells"][0]["value"]) for row in block["rows"]]


def test_where_nothing_was_measured_every_section_says_so(tmp_path: Path) -> None:
    found = sections(tmp_path, dataset="beauty")
    assert list(found) == SECTIONS
    empty = [name for name in SECTIONS if found[name]["empty"]]
    assert empty == [name for name in SECTIONS if name != "parts"], "the paper prints clusters"
    assert found["missing"]["empty"] == "Not measured yet on Amazon Beauty, released-window."
    assert all(not found[name]["blocks"] for name in empty)


def test_measured_sections_have_something_to_draw(checkpoints: Path) -> None:
    found = sections(checkpoints)
    assert list(found) == SECTIONS
    assert all(section["blocks"] and section["empty"] is None and section["text"] for section in found.values())


def test_the_story_tells_only_figures_from_the_data(checkpoints: Path) -> None:
    (block,) = sections(checkpoints)["released"]["blocks"]
    tiles = [(words(tile["number"]), tile["label"]) for tile in block["tiles"]]
    assert tiles == [
        ("2.57 %", "printed, prefix-full"),
        ("1.97 %", "trained for 20 epochs, chosen and measured as released"),
        ("100 %", "of those list slots hold an item that was never trained"),
        ("1.84 %", "the same weights under prefix-full"),
        ("2.70 %", "our default"),
        ("1.43 %", "popularity"),
    ]
    assert "Run as released: 1.97 %. Those lists hold 31 different items" in words(block["text"])
    assert block["command"] == "python -m scripts.experiments released"


def test_ablations_stand_beside_the_printed_ones_on_an_axis_from_zero(checkpoints: Path) -> None:
    block = sections(checkpoints)["parts"]["blocks"][0]
    assert ("no routing: attention for all", "published", "2.28") in lines(block)
    assert ("no routing: attention for all", "default", "2.66") in lines(block)
    assert block["protocol"]["name"] == "prefix-full"
    assert block["scales"][0]["ticks"][0] == {"at": 0.0, "text": "0"}
    for row in block["rows"]:
        cell = row["cells"][0]
        assert 0 <= cell["at"] <= 1
        assert cell["n"].startswith("n ")


def test_each_block_holds_one_protocol(checkpoints: Path) -> None:
    blocks = sections(checkpoints, dataset="ml-1m")["parts"]["blocks"]
    assert [block["protocol"]["name"] for block in blocks] == ["leave-one-out-full", "released-window"]
    assert {source for _, source, _ in lines(blocks[0])} == {"default on CBiT"}
    assert {source for _, source, _ in lines(blocks[1])} == {"published on CBiT", "published"}


def test_curves_have_a_table_and_say_where_their_axis_starts(checkpoints: Path) -> None:
    found = sections(checkpoints)
    missing = found["missing"]["blocks"][0]
    assert missing["figure"] == "deleted"
    assert [head["text"] for head in missing["heads"]] == ["Model", "Source", "0 %", "10 %", "50 %"]
    assert [[cell["text"] for cell in row] for row in missing["rows"]] == [
        ["CARD", "default", "2.70 ± .10, n 3", "2.60, n 1", "2.10, n 1"],
        ["SASRec", "default", "2.65 ± .03, n 3", "–", "2.30, n 1"],
    ]
    assert missing["note"].startswith("Axis starts at ")
    assert [block["figure"] for block in found["steps"]["blocks"]] == ["steps", "time:steps"]
    assert [block["figure"] for block in found["settings"]["blocks"]] == ["setting:threshold_quantile"]


def test_every_system_stands_in_one_table_with_what_it_takes_and_its_gate(checkpoints: Path) -> None:
    (block,) = sections(checkpoints)["overview"]["blocks"]
    lines = [[cell["text"] for cell in row] for row in block["rows"]]
    assert len(lines[0]) == len(block["heads"]) and [line[0] for line in lines][:2] == ["CARD", "SASRec"]
    assert lines[0] == ["CARD", "2.70 ± .10", "0.90 ± .03", "3", "3.5", "2.0", "–", "passed"]
    only = sections(checkpoints, models=["sasrec"])["overview"]["blocks"]
    assert [row[0]["text"] for block in only for row in block["rows"]] == ["SASRec"]


def test_a_public_implementation_stands_beside_ours_and_what_is_far_below_it_is_marked(checkpoints: Path) -> None:
    (block,) = sections(checkpoints)["reference"]["blocks"]
    (line,) = block["rows"]
    texts = ["SASRec", "RecBole 1.2.1", "–", "–", "2.65", "3.00", "0.88", "0.88", "–", "–", "3 / 1"]
    assert [cell["text"] for cell in line] == texts and len(block["heads"]) == len(texts)
    assert [cell["bad"] for cell in line].index(True) == 6
    assert not sections(checkpoints, models=["card"])["reference"]["blocks"]


def test_a_file_of_references_that_is_damaged_takes_nothing_else_with_it(tmp_path: Path) -> None:
    write_runs(tmp_path, zhihu_runs())
    (tmp_path / "reference.jsonl").write_text("no run\n", encoding="utf-8")
    answer = shown(tmp_path, "zhihu", {})
    assert "reference.jsonl was left out" in str(answer)
    assert next(section for section in answer["sections"] if section["name"] == "overview")["blocks"]


def test_times_name_their_device(checkpoints: Path) -> None:
    (block,) = sections(checkpoints)["times"]["blocks"]
    card = [(row["source"], row["cells"][0]["value"]) for row in block["rows"] if row["name"] == "CARD"]
    assert card == [("published · RTX 4090", "13.0 s"), ("as released · CPU", "3.50 s"), ("default · CPU", "3.50 s")]


def test_times_of_two_devices_are_two_lines_that_are_not_to_be_compared(tmp_path: Path) -> None:
    where: dict[str, Any] = {"dataset": "yoochoose", "inference_seconds": 1.0}
    cpu = [run("sasrec", 0.02, seconds_per_epoch=6.0, **where), run("tdm", seconds_per_epoch=7.0, **where)]
    write_runs(tmp_path, cpu)

    def times() -> dict[str, Any]:
        found = shown(tmp_path, "yoochoose", {})["sections"]
        (block,) = next(section["blocks"] for section in found if section["name"] == "times")
        return dict(block)

    assert "one device" not in times()["note"]
    write_runs(tmp_path, [run("sasrec", 0.04, seed=n, seconds_per_epoch=2, device="CUDA: X", **where) for n in (1, 2)])
    lines = [(line["source"], *(line["cells"][0][key] for key in ("value", "n"))) for line in times()["rows"]]
    assert lines[1:] == [("default · CPU", "6.00 s", "n 1"), ("default · CUDA: X", "2.00 s", "n 2")]
    assert times()["note"] == "Compare times only on one device."
    bars = shown(tmp_path, "yoochoose", {})["charts"][0]["rows"]
    hits = next(row for row in bars if (row["title"], row["source"]) == ("SASRec", "default"))
    assert hits["value"] == "3.33" and "CPU and CUDA: X, seeds 0, 1, 2" in hits["origin"]


def test_health_says_who_passes_and_why_not(checkpoints: Path) -> None:
    (block,) = sections(checkpoints)["health"]["blocks"]
    heads = [head["text"] for head in block["heads"]]
    table = {(row[0]["text"], row[1]["text"]): dict(zip(heads, row, strict=True)) for row in block["rows"]}
    assert ("CARD", "published") not in table
    assert table["CARD", "default"]["gate"] == {"text": "passes", "bad": False}
    assert table["CARD", "as released"]["gate"]["bad"]
    assert "never trained" in table["CARD", "as released"]["gate"]["text"]
    assert table["CARD", "as released"]["never trained"]["text"] == "100.0 %"
    assert table["Popularity", "baseline"]["gate"]["text"] == "no gate for a baseline"


def test_pers_honesty_is_a_dot_with_its_n(checkpoints: Path) -> None:
    (block,) = sections(checkpoints)["honesty"]["blocks"]
    (row,) = block["rows"]
    assert row["source"] == "CARD · default, 7,911 histories"
    assert (row["cells"][0]["value"], row["cells"][0]["n"], row["cells"][0]["at"]) == ("−.06", "n 1", 0.47)


def test_only_the_chosen_models_are_shown_and_the_verdict_says_so(checkpoints: Path) -> None:
    page = shown(checkpoints, "zhihu", {"models": ["card", "tdm"]})
    assert {row["title"] for row in page["charts"][0]["rows"]} == {"CARD", "TDM"}
    assert page["choice"]["models"] == ["card", "tdm"]
    assert page["reason"].startswith(f"2 of {len(page['models'])} models are shown. ")
    for section in page["sections"]:
        for block in section["blocks"]:
            named = [row["name"] for row in block.get("rows", []) if isinstance(row, dict) and "name" in row]
            assert "SASRec" not in named
    (story,) = (block for s in page["sections"] if s["name"] == "released" for block in s["blocks"])
    assert story["tiles"][-1]["label"] == "popularity", "the bar stays"


@pytest.mark.parametrize("models", [["no-such-model"], "card", 7, [3, None], {"card": 1}])
def test_models_that_do_not_exist_leave_all_of_them(checkpoints: Path, models: object) -> None:
    assert shown(checkpoints, "zhihu", {"models": models})["choice"]["models"] is None


@pytest.mark.parametrize(("dataset", "models"), [("zhihu", []), ("kuairec", ["item_knn"])])
def test_no_model_gives_a_sentence_and_no_error(checkpoints: Path, dataset: str, models: list[str]) -> None:
    asked = {"dataset": dataset, "models": models}
    page = shown(checkpoints, "zhihu", asked)
    assert page["message"] == NOTHING_CHOSEN
    assert page["charts"][0]["rows"] == []
    assert figures(checkpoints, "zhihu", asked) == {"drawings": []}
    assert "no such figure" in exported(checkpoints, "zhihu", asked | {"format": "png"})["message"]
    assert difference(checkpoints, "zhihu", asked) == {}


def test_a_curve_figure_is_drawn_and_exported_under_its_own_name(checkpoints: Path) -> None:
    asked = {"figure": "setting:threshold_quantile"}
    (drawing,) = figures(checkpoints, "zhihu", asked)["drawings"]
    assert drawing.startswith("<svg") and "CARD" in drawing
    file = exported(checkpoints, "zhihu", asked | {"format": "csv"})
    assert file["name"] == "turnpoint-zhihu-prefix-full-hr20-setting-threshold_quantile.csv"
    table = list(csv.DictReader(io.StringIO(base64.b64decode(file["base64"]).decode())))
    assert [line["variant"] for line in table] == ["threshold_quantile=0.3", "", "threshold_quantile=0.7"]
    picture = exported(checkpoints, "zhihu", asked | {"format": "svg"})
    assert b"Axis starts at" in base64.b64decode(picture["base64"]), "alone it must say so itself"


@pytest.mark.parametrize("figure", ["no-such-figure", "setting:", "../x"])
def test_an_unknown_figure_is_not_drawn(checkpoints: Path, figure: str) -> None:
    assert figures(checkpoints, "zhihu", {"figure": figure}) == {"drawings": []}
    assert "no such figure" in exported(checkpoints, "zhihu", {"figure": figure, "format": "csv"})["message"]


def test_without_ranks_no_difference_is_claimed(checkpoints: Path) -> None:
    answer = difference(checkpoints, "zhihu", {})
    assert (answer["first"], answer["second"]) == ("card:default", "sasrec:default")
    assert (answer["text"], answer["block"]) == (NO_RANKS, None)


def ranked(checkpoints: Path, hits: list[tuple[Run, float]]) -> None:
    rows = Rows.prefixes([[1, 2, 3, 4]] * 60)
    write_runs(checkpoints, [one for one, _ in hits])
    for one, share in hits:
        draw = torch.rand(len(rows), generator=torch.Generator().manual_seed(one.seed))
        append_ranks(checkpoints / RANKS, one, torch.where(draw < share, 1, 60), rows)


def test_a_difference_comes_with_its_interval_and_what_it_means(tmp_path: Path) -> None:
    cut = [run("card", variant="deleted=0.5"), run("sasrec", variant="deleted=0.5")]
    ranked(tmp_path, [(run("card"), 0.9), (run("sasrec"), 0.3), (cut[0], 0.4), (cut[1], 0.3)])
    asked = {"first": "sasrec:default", "second": "card:default"}
    answer = difference(tmp_path, "zhihu", asked)
    assert answer["text"].startswith("CARD (default) is ahead: the whole interval is on its side of 0. 95 % interval −")
    whole, lost = answer["block"]["rows"]
    assert whole["name"] == "SASRec (default) − CARD (default)"
    assert whole["cells"][0]["high"] < answer["block"]["scales"][0]["level"]["at"] == 0.5
    assert (lost["name"], lost["cells"][0]["low"] > 0.5) == ("lost less with 50 % deleted", True)


def test_an_interval_that_holds_zero_names_no_winner(tmp_path: Path) -> None:
    ranked(tmp_path, [(run("card"), 0.5), (run("sasrec"), 0.5)])
    assert difference(tmp_path, "zhihu", {})["text"].startswith("The interval holds 0: neither is shown to be ahead.")


@pytest.mark.parametrize(
    "asked", [{"first": "<script>", "second": 4}, {"first": "card:default", "second": "card:default"}]
)
def test_unknown_or_equal_rows_are_replaced(tmp_path: Path, asked: dict[str, object]) -> None:
    write_runs(tmp_path, [run("card"), run("sasrec")])
    answer = difference(tmp_path, "zhihu", asked)
    assert {answer["first"], answer["second"]} == {"card:default", "sasrec:default"}


def test_runs_under_globaldiffs_released_test_stand_beside_what_its_paper_prints(tmp_path: Path) -> None:
    where: dict[str, Any] = {"dataset": "ml-1m", "protocol": "leave-one-out-full"}
    write_runs(tmp_path, [run("sasrec", 0.25, **where), run("sasrec", 0.26, variant="released_test", **where)])
    page = shown(tmp_path, "ml-1m", {"protocol": "released-window"})
    found = {(row["title"], row["source"]): row["value"] for row in page["charts"][0]["rows"]}
    assert (found["SASRec", "published"], found["SASRec", "default"]) == ("17.61", "26.00")
    (honest,) = shown(tmp_path, "ml-1m", {})["charts"][0]["rows"]
    assert honest["value"] == "25.00"


def test_provenance_names_seeds_date_data_commit_and_device(checkpoints: Path) -> None:
    rows = shown(checkpoints, "zhihu", {})["charts"][0]["rows"]
    origin = next(row["origin"] for row in rows if (row["title"], row["source"]) == ("CARD", "default"))
    assert origin == "data 0123456, commit fedcba9, CPU, seeds 0, 1, 2, 2026-01-01"


def test_a_run_with_a_nameless_variant_is_left_out_and_named(tmp_path: Path) -> None:
    write_runs(tmp_path, [run("card"), run("card", 0.9, variant="")])
    page = shown(tmp_path, "zhihu", {})
    assert page["problems"] == ["Runs of a variant without a name were left out."]


def test_coefficients_are_no_ranking_metric(tmp_path: Path) -> None:
    write_runs(tmp_path, [dataclasses.replace(run("card", variant="per_honesty"), metrics={WEIGHT_KL: 0.1})])
    page = shown(tmp_path, "zhihu", {})
    assert [metric["name"] for metric in page["metrics"]] == ["hr@20", "ndcg@20"]


def test_the_page_starts_without_the_libraries_of_its_figures() -> None:
    program = "import sys, demo_core.ui; print(sorted({'altair', 'vl_convert', 'scipy.stats'} & set(sys.modules)))"
    told = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=120)
    assert told.stdout.strip().splitlines()[-1] == "[]"


def test_what_was_tried_on_validation_is_told_by_model_with_its_spread(checkpoints: Path) -> None:
    (block,) = sections(checkpoints)["tried"]["blocks"]
    told = [[words(cell["text"]) for cell in row] for row in block["rows"]]
    assert told == [
        ["CARD", "dropout = 0.3, layers = 1", "3.50 ± .71", "2", run("card", 0.03).date[:10]],
        ["SASRec", "dropout = 0.3", "3.10", "1", run("sasrec", 0.03).date[:10]],
    ]
    assert "validation" in block["heads"][2]["text"]
    assert [bool(cell.get("words")) for cell in block["rows"][0]] == [False, True, False, False, False], "they wrap"
    (alone,) = sections(checkpoints, models=["sasrec"])["tried"]["blocks"]
    assert len(alone["rows"]) == 1, "only the chosen models"


def test_a_try_that_looked_at_the_test_is_left_out_and_named(tmp_path: Path) -> None:
    write_runs(tmp_path, zhihu_runs())
    append_run(tmp_path / TUNING, run("card", 0.03, variant="dropout=0.3"))
    page = shown(tmp_path, "zhihu", {})
    assert any("1 runs on the test split were left out" in problem for problem in page["problems"])
    assert next(s for s in page["sections"] if s["name"] == "tried")["empty"]


def test_tries_that_cannot_be_read_are_named_and_take_nothing_with_them(tmp_path: Path) -> None:
    write_runs(tmp_path, zhihu_runs())
    (tmp_path / TUNING).write_text("{not json\n", encoding="utf-8")
    page = shown(tmp_path, "zhihu", {})
    assert any(TUNING in problem for problem in page["problems"])
    assert page["charts"][0]["rows"]
