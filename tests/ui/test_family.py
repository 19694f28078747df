from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from demo_core.engine import Engine
from demo_core.families import SYSTEMS
from demo_core.models import MODELS
from demo_core.ui.family import facts, look
from tests.runs import HEALTH, run, write_runs, zhihu_runs

ML1M: dict[str, Any] = {"dataset": "ml-1m", "protocol": "leave-one-out-full"}


@pytest.fixture(scope="module")
def checkpoints(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("checkpoints")
    runs = zhihu_runs()
    runs += [run("tdm", 0.02, health={"list_overlap": 0.9}), run("globaldiff", 0.03, variant="no_vote")]
    runs += [run("globaldiff", hr, seed, backbone="sasrec", **ML1M) for seed, hr in enumerate((0.3, 0.31))]
    runs += [run("globaldiff", 0.33, backbone="srgnn", **ML1M), run("sasrec", 0.29, **ML1M)]
    write_runs(folder, runs)
    return folder


def system(view: dict[str, Any], name: str) -> dict[str, Any]:
    found: dict[str, Any] = next(one for one in view["systems"] if one["name"] == name)
    return found


def test_every_system_is_there_and_the_answer_is_plain(checkpoints: Path) -> None:
    view = look(checkpoints, "zhihu", {})
    assert [one["name"] for one in view["systems"]] == list(SYSTEMS)
    assert {one["branch"] for one in view["systems"]} == {one["name"] for one in view["branches"]}
    assert json.loads(json.dumps(view)) == view


def test_the_verdict_counts_what_there_is(checkpoints: Path) -> None:
    view = look(checkpoints, "zhihu", {})
    assert view["verdict"].startswith("21 systems, 9 answers to gaps and noise in a history: CARD edits")
    assert view["reason"] == (
        "On Zhihu (HR@20, prefix-full) the defaults of 3 of the 21 are measured; 2 passed their health check; "
        "failed: TDM."
    )


def test_health_is_that_of_the_measured_default(checkpoints: Path) -> None:
    view = look(checkpoints, "zhihu", {})
    card, tdm = system(view, "card"), system(view, "tdm")
    assert (card["state"], card["health"], card["fill"]) == ("passed", "Passed its health check", "solid")
    assert (tdm["state"], tdm["fill"]) == ("failed", "half")
    assert tdm["health"] == "Failed its health check: two people's lists share 90%"
    assert (system(view, "popularity")["state"], system(view, "popularity")["fill"]) == ("baseline", "solid")


def test_what_was_not_measured_says_so_and_a_variant_is_no_measurement(checkpoints: Path) -> None:
    for name in ("globaldiff", "steam"):
        told = system(look(checkpoints, "zhihu", {}), name)
        assert (told["state"], told["health"], told["fill"]) == ("missing", "Not measured yet", "open")
        assert told["figures"] == []


def test_a_figure_comes_with_its_protocol_seeds_and_origin(checkpoints: Path) -> None:
    default, released = system(look(checkpoints, "zhihu", {}), "card")["figures"]
    assert (default["metric"], default["value"], default["spread"]) == (
        "HR@20",
        "2.70\N{NO-BREAK SPACE}%",
        "± .10, n 3",
    )
    assert default["protocol"] == "prefix-full" and "data 0123456" in default["origin"]
    assert (default["source"], released["source"]) == ("default", "as released")
    assert default["failures"] == []
    assert released["failures"][0] == "100% of its list slots are items that were never trained"
    assert released["spread"] == "n 1"


def test_of_several_backbones_the_one_with_most_seeds_speaks(checkpoints: Path) -> None:
    view = look(checkpoints, "zhihu", {"dataset": "ml-1m"})
    assert view["dataset"] == "ml-1m"
    assert [one["source"] for one in system(view, "globaldiff")["figures"]] == ["default on SASRec", "default on SRGNN"]


@pytest.mark.parametrize("asked", [None, [], {"dataset": "netflix"}, {"dataset": 3}, {"dataset": "kuairec"}])
def test_a_strange_question_shows_where_a_visitor_starts(checkpoints: Path, asked: object) -> None:
    view = look(checkpoints, "ml-1m", asked)
    assert view["dataset"] == "ml-1m"
    assert [one["title"] for one in view["datasets"]] == ["Zhihu", "MovieLens 1M"]


def test_a_data_set_without_results_gives_way_to_one_with_some(checkpoints: Path) -> None:
    assert look(checkpoints, "movielens", {})["dataset"] == "zhihu"


def test_without_any_run_the_tree_stands_all_the_same(tmp_path: Path) -> None:
    view = look(tmp_path, "movielens", {})
    assert view["dataset"] is None and view["datasets"] == []
    assert view["reason"] == "None of them was measured here yet."
    assert {one["health"] for one in view["systems"]} == {"Not measured yet"}


def test_a_run_without_health_is_not_called_healthy(tmp_path: Path) -> None:
    blank = run("sasrec")
    for name in HEALTH:
        blank.health.pop(name)
    write_runs(tmp_path, [blank])
    told = system(look(tmp_path, "zhihu", {}), "sasrec")
    assert (told["state"], told["fill"]) == ("unknown", "half")


def test_every_system_can_be_shown_in_the_lists_with_its_weights_or_with_the_command_that_trains_it(
    engine: Engine,
) -> None:
    told = facts(engine)
    assert told["live"] is True and set(told["models"]) == set(MODELS)
