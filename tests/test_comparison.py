"""The paired bootstrap: exact means, sane intervals, refusals."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from demo_core.comparison import compare, compare_losses, paired_difference
from demo_core.evaluation import hit_ratio, ndcg
from demo_core.ranks import RankedRuns
from demo_core.sequences import Rows


def rows_of(lengths: list[int]) -> Rows:
    return Rows.prefixes([[1] * length for length in lengths])


def test_the_mean_is_the_difference_of_the_two_metrics(generator: torch.Generator) -> None:
    rows = rows_of([3] * 50)
    first, second = torch.randint(1, 60, (2, len(rows)), generator=generator)
    for metric, measure in (("hr@20", hit_ratio), ("ndcg@20", ndcg)):
        difference = paired_difference(first, second, rows, metric)
        assert difference.mean == pytest.approx(measure(first, 20) - measure(second, 20), abs=1e-12)
        assert difference.low <= difference.mean <= difference.high


def test_equal_ranks_differ_by_exactly_nothing() -> None:
    ranks = torch.arange(1, 41)
    difference = paired_difference(ranks, ranks, rows_of([4] * 10), "hr@10")
    assert (difference.mean, difference.low, difference.high) == (0.0, 0.0, 0.0)


def test_the_interval_of_a_clear_win_excludes_zero() -> None:
    rows = rows_of([1] * 400)
    second = torch.full((400,), 30)
    first = second.clone()
    first[:100] = 1
    difference = paired_difference(first, second, rows, "hr@20")
    assert difference.mean == pytest.approx(0.25)
    # 400 independent rows with share 1/4: standard error 0.0217, so about 0.21 to 0.29.
    assert difference.low == pytest.approx(0.2076, abs=0.01)
    assert difference.high == pytest.approx(0.2924, abs=0.01)


def test_rows_of_one_session_count_as_one_draw() -> None:
    """Copies of a row in the same session tell nothing new, so the interval does not shrink with them."""
    short, long = rows_of([1] * 100), rows_of([10] * 100)
    second = torch.full((100,), 30)
    first = torch.where(torch.arange(100) < 50, 1, 30)
    narrow = paired_difference(first, second, short, "hr@20")
    copied = paired_difference(first.repeat_interleave(10), second.repeat_interleave(10), long, "hr@20")
    assert copied.high - copied.low == pytest.approx(narrow.high - narrow.low, abs=0.02)


def test_ranks_of_other_rows_are_refused() -> None:
    with pytest.raises(ValueError, match="same 12 rows"):
        paired_difference(torch.ones(12), torch.ones(11), rows_of([4] * 3), "hr@20")


def test_an_unknown_metric_is_named() -> None:
    with pytest.raises(ValueError, match="'auc@20'"):
        paired_difference(torch.ones(4), torch.ones(4), rows_of([4]), "auc@20")


@pytest.mark.parametrize("metric", ["hr", "hr@", "hr@x", "hr@0", "@20"])
def test_a_metric_is_a_name_and_how_far_it_looks(metric: str) -> None:
    with pytest.raises(ValueError, match=r"NAME@K with a name out of \['hr', 'ndcg'\], got"):
        paired_difference(torch.ones(4), torch.ones(4), rows_of([4]), metric)


def test_a_metric_that_looks_further_than_ranks_are_kept_is_refused() -> None:
    kept = runs_of({0: torch.full((10,), 51)}, [1] * 10)
    assert compare(kept, kept, "hr@50").mean == 0
    for metric in ("hr@51", "ndcg@100"):
        with pytest.raises(ValueError, match=f"at 50 or less, as ranks are kept no further, got '{metric}'"):
            compare(kept, kept, metric)
        with pytest.raises(ValueError, match="at 50 or less"):
            compare_losses((kept, kept), (kept, kept), metric)
    whole = torch.full((12,), 60)
    assert paired_difference(whole, whole + 60, rows_of([4] * 3), "hr@100").mean == 1.0, "these were not kept"


def runs_of(ranks: dict[int, Tensor], lengths: list[int]) -> RankedRuns:
    sequence = torch.repeat_interleave(torch.arange(len(lengths)), torch.tensor(lengths))
    return RankedRuns({seed: torch.atleast_2d(values) for seed, values in ranks.items()}, sequence)


def test_seeds_that_disagree_widen_the_interval() -> None:
    """One seed wins by ten points, the other loses by ten: whatever the rows, nobody is better."""
    lengths, poor = [1] * 2000, torch.full((2000,), 30)
    better = torch.where(torch.arange(2000) < 200, 1, 30)
    none = runs_of({0: poor, 1: poor}, lengths)
    same = compare(runs_of({0: better, 1: better}, lengths), none, "hr@20")
    mixed = compare(runs_of({0: better, 1: poor}, lengths), runs_of({0: poor, 1: better}, lengths), "hr@20")
    assert same.is_clear and same.mean == pytest.approx(0.1)
    assert mixed.mean == pytest.approx(0.0) and not mixed.is_clear
    assert mixed.low == pytest.approx(-0.1, abs=0.02) and mixed.high == pytest.approx(0.1, abs=0.02)


def test_only_common_seeds_are_compared() -> None:
    good, bad = torch.ones(30), torch.full((30,), 51)
    difference = compare(runs_of({0: good, 7: bad}, [3] * 10), runs_of({0: bad, 3: good}, [3] * 10), "hr@20")
    assert (difference.mean, difference.seeds, difference.sequences) == (1.0, 1, 10)
    with pytest.raises(ValueError, match="seed that both have"):
        compare(runs_of({1: good}, [3] * 10), runs_of({0: good}, [3] * 10), "hr@20")
    with pytest.raises(ValueError, match="same rows"):
        compare(runs_of({0: good}, [3] * 10), runs_of({0: good}, [5] * 6), "hr@20")


def test_draws_of_changed_histories_are_averaged() -> None:
    half = torch.stack([torch.ones(10), torch.full((10,), 51)])
    difference = compare(runs_of({0: half}, [1] * 10), runs_of({0: torch.full((10,), 51)}, [1] * 10), "hr@20")
    assert difference.mean == pytest.approx(0.5)


def test_who_loses_less_is_positive() -> None:
    whole, gone = torch.ones(50), torch.full((50,), 51)
    lost_half = torch.where(torch.arange(50) < 25, 51, 1)
    make = lambda ranks: runs_of({0: ranks}, [1] * 50)  # noqa: E731
    difference = compare_losses((make(whole), make(lost_half)), (make(whole), make(gone)), "hr@20")
    assert difference.mean == pytest.approx(0.5) and difference.is_clear
    with pytest.raises(ValueError, match="changed histories"):
        compare_losses((make(whole), runs_of({1: gone}, [1] * 50)), (make(whole), make(gone)), "hr@20")


def test_a_model_without_seeds_is_compared_with_every_seed_of_the_other() -> None:
    counted = RankedRuns({0: torch.full((1, 30), 51)}, torch.arange(30), seedless=True)
    trained = RankedRuns({seed: torch.ones(1, 30) for seed in (1, 2, 5)}, torch.arange(30))
    difference = compare(trained, counted, "hr@20")
    assert (difference.mean, difference.seeds) == (1.0, 3)
    assert compare(counted, counted, "hr@20").seeds == 1
