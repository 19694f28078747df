"""The paired bootstrap: exact means, sane intervals, refusals."""

from __future__ import annotations

import pytest
import torch

from demo_core.comparison import paired_difference
from demo_core.evaluation import hit_ratio, ndcg
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
    with pytest.raises(ValueError, match="'auc'"):
        paired_difference(torch.ones(4), torch.ones(4), rows_of([4]), "auc@20")
