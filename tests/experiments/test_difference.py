from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import pytest
import torch

from demo_core.experiments.difference import interval_between, losses_between
from demo_core.measure import RANKS
from demo_core.ranks import append_ranks
from demo_core.results import Result, Run, summarise
from demo_core.sequences import Rows
from tests.runs import run

ROWS = Rows.prefixes([[1, 2, 3, 4]] * 60)


def ranks_with(hits: float, seed: int) -> torch.Tensor:
    draw = torch.rand(len(ROWS), generator=torch.Generator().manual_seed(seed))
    return torch.where(draw < hits, 1, 60)


def recorded(checkpoints: Path, hits: list[tuple[Run, float]]) -> list[Result]:
    """The HR@20 of each run, whose ranks are kept."""
    for one, share in hits:
        append_ranks(checkpoints / RANKS, one, ranks_with(share, one.seed), ROWS)
    return [result for one, _ in hits for result in summarise([one]) if result.metric == "hr@20"]


def test_the_interval_comes_from_the_ranks_that_were_kept(tmp_path: Path) -> None:
    first, second = recorded(tmp_path, [(run("card"), 0.9), (run("sasrec"), 0.3)])
    difference = interval_between(tmp_path, first, second)
    assert difference is not None
    assert difference.mean == pytest.approx(
        float((ranks_with(0.9, 0) <= 20).double().mean() - (ranks_with(0.3, 0) <= 20).double().mean())
    )
    assert 0 < difference.low < difference.mean < difference.high
    assert (difference.seeds, difference.sequences) == (1, 60)
    back = interval_between(tmp_path, second, first)
    assert back is not None and back.mean == pytest.approx(-difference.mean)


def test_without_ranks_there_is_no_interval(tmp_path: Path) -> None:
    first, second = (summarise([run(model)])[0] for model in ("card", "sasrec"))
    assert interval_between(tmp_path, first, second) is None
    recorded(tmp_path, [(run("card"), 0.9)])
    assert interval_between(tmp_path, first, second) is None


def test_ranks_of_another_recipe_do_not_stand_in(tmp_path: Path) -> None:
    first, _ = recorded(tmp_path, [(run("card"), 0.9), (run("sasrec", config_hash="old"), 0.3)])
    assert interval_between(tmp_path, first, summarise([run("sasrec", config_hash="new")])[0]) is None


def test_runs_without_a_common_seed_are_not_compared(tmp_path: Path) -> None:
    first, second = recorded(tmp_path, [(run("card", seed=0), 0.9), (run("sasrec", seed=1), 0.3)])
    assert interval_between(tmp_path, first, second) is None


def test_runs_on_other_rows_are_not_compared(tmp_path: Path) -> None:
    first = recorded(tmp_path, [(run("card"), 0.9)])[0]
    other = run("sasrec", data_hash="other data")
    append_ranks(tmp_path / RANKS, other, torch.ones(3, dtype=torch.long), Rows.prefixes([[1, 2, 3]]))
    assert interval_between(tmp_path, first, summarise([other])[0]) is None


def test_two_metrics_are_refused(tmp_path: Path) -> None:
    hr, ndcg = summarise([run()])
    with pytest.raises(ValueError, match="one metric"):
        interval_between(tmp_path, hr, ndcg)


def test_a_damaged_file_is_named(tmp_path: Path) -> None:
    (tmp_path / RANKS).write_text("not json\n")
    first, second = (summarise([run(model)])[0] for model in ("card", "sasrec"))
    with pytest.raises(ValueError, match=r"ranks\.jsonl, line 1"):
        interval_between(tmp_path, first, second)


def test_losses_are_positive_where_the_first_loses_less(tmp_path: Path) -> None:
    robust, fragile = run("card"), run("sasrec")
    robust_cut, fragile_cut = run("card", variant="deleted=0.5"), run("sasrec", variant="deleted=0.5")
    results = recorded(tmp_path, [(robust, 0.9), (robust_cut, 0.85), (fragile, 0.9), (fragile_cut, 0.3)])
    saved = losses_between(tmp_path, (results[0], results[1]), (results[2], results[3]))
    assert saved is not None
    assert saved.low > 0


def test_a_run_under_a_variant_is_found_under_the_protocol_of_its_data_set(tmp_path: Path) -> None:
    where: dict[str, Any] = {"dataset": "ml-1m", "protocol": "leave-one-out-full", "variant": "released_test"}
    runs = [run("card", **where), run("sasrec", **where)]
    results = recorded(tmp_path, [(runs[0], 0.9), (runs[1], 0.3)])
    shown = [dataclasses.replace(result, protocol="released-window") for result in results]
    assert interval_between(tmp_path, shown[0], shown[1]) is not None
