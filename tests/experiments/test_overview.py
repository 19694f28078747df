from demo_core.experiments.overview import System, overview, overview_tables
from demo_core.experiments.times import running_times
from demo_core.results import summarise
from demo_core.runs import Run
from tests.runs import run

SICK = {"never_trained_share": 0.9, "list_overlap": 0.95, "distinct_items": 30, "popularity_share": 0.1}


def systems(*runs: Run) -> list[System]:
    return overview(summarise(runs), running_times(runs), "zhihu", "prefix-full")


def test_the_best_comes_first_and_only_plain_defaults_count() -> None:
    found = systems(
        run("sasrec", 0.02),
        run("card", 0.03),
        run("card", 0.09, preset="released"),
        run("card", 0.09, variant="neither"),
        run("tdm", 0.09, dataset="movielens", protocol="leave-one-out-full"),
        run("globaldiff", 0.025, backbone="sasrec"),
    )
    assert [one.title for one in found] == ["CARD", "GlobalDiff on SASRec", "SASRec"]


def test_times_are_those_of_the_device_of_the_figures_and_a_counted_model_has_no_epoch() -> None:
    slow = run("card", seed=0, device="CPU", seconds_per_epoch=9.0)
    fast = run("card", seed=1, device="CUDA: X", seconds_per_epoch=1.0)
    (card,) = systems(slow, fast)
    assert card.training is not None and card.training.mean == 9.0
    (popularity,) = systems(run("popularity", seconds_per_epoch=0.0))
    assert popularity.training is None and popularity.health == "no gate for a baseline"


def test_a_model_that_fails_its_health_check_says_with_what() -> None:
    (card,) = systems(run("card", health=SICK, parameters=1_234_567))
    assert card.failures and card.health != "passed" and card.texts[-2:] == ("1,234,567", card.health)


def test_a_table_names_its_protocol_and_a_data_set_without_figures_has_none() -> None:
    known = [run("card", 0.03, seed=0), run("card", 0.04, seed=1)]
    told = overview_tables(summarise(known), running_times(known), ["zhihu", "beauty"])
    assert told.startswith("Zhihu, prefix-full, 7,911 test rows:\n\n| model |")
    assert "| CARD | 3.50 ± .71 |" in told and "Beauty" not in told
