"""The file of reference runs, and ours beside them."""

import dataclasses
import json
from pathlib import Path
from typing import Any

import pytest

from demo_core.json_lines import append_line
from demo_core.reference import PLAIN, ReferenceRun, beside, markdown, read_references
from demo_core.runs import Run
from tests.runs import REFERENCE, run


def theirs(hr: float = 0.3, **others: Any) -> ReferenceRun:
    return dataclasses.replace(REFERENCE, test={"hr@20": hr, "ndcg@20": hr / 3}, **others)


def ours(hr: float, **others: Any) -> Run:
    values: dict[str, Any] = {"model": "sasrec", "dataset": "ml-1m", "protocol": "leave-one-out-full", **others}
    return run(hr=hr, **values)


def test_what_is_written_is_read_again(tmp_path: Path) -> None:
    runs = [theirs(seed=0), theirs(seed=1, changes=("hidden_size=128",))]
    for one in runs:
        append_line(tmp_path / "reference.jsonl", one.to_dict())
    assert read_references(tmp_path / "reference.jsonl") == runs
    assert read_references(tmp_path / "nothing.jsonl") == []


@pytest.mark.parametrize(
    "change, told",
    [
        ({"test": {"hr@20": 1.5}}, "fraction"),
        ({"test": {"hr@20": float("nan")}}, "fraction"),
        ({"validation": {}}, "metrics by name"),
        ({"best_epoch": 13}, "epoch 13 of 12"),
        ({"rows": 0}, "at least one row"),
        ({"seed": "0"}, "whole number"),
        ({"system": 3}, "a text"),
        ({"settings": []}, "settings"),
        ({"seconds_per_epoch": None}, "seconds"),
        ({"colour": "red"}, "unknown fields ['colour']"),
    ],
)
def test_a_line_that_is_no_run_is_named(tmp_path: Path, change: dict[str, Any], told: str) -> None:
    file = tmp_path / "reference.jsonl"
    file.write_text(json.dumps(REFERENCE.to_dict()) + "\n" + json.dumps({**REFERENCE.to_dict(), **change}) + "\n")
    with pytest.raises(ValueError, match=r"reference\.jsonl, line 2") as refused:
        read_references(file)
    assert told in str(refused.value)


def test_a_cut_off_line_is_named(tmp_path: Path) -> None:
    (tmp_path / "reference.jsonl").write_text('{"system": "Rec')
    with pytest.raises(ValueError, match="line 1: expected one reference run"):
        read_references(tmp_path / "reference.jsonl")


def test_both_are_means_over_their_seeds() -> None:
    (one,) = beside([theirs(0.2, seed=0), theirs(0.3, seed=1)], [ours(0.27, seed=seed) for seed in (0, 1, 2)])
    assert (one.their_seeds, one.our_seeds) == (2, 3)
    assert one.theirs["hr@20"] == pytest.approx(0.25) and one.ratio("hr@20") == pytest.approx(0.27 / 0.25)
    assert one.ratio("hr@50") is None


@pytest.mark.parametrize(
    "other",
    [
        {"data_hash": "9876543210"},
        {"preset": "released"},
        {"protocol": "long-term"},
        {"split": "validation"},
        {"variant": "dropout=0.5"},
        {"model": "gru4rec"},
    ],
)
def test_ours_is_the_default_on_the_same_data_and_test_rows(other: dict[str, Any]) -> None:
    (one,) = beside([theirs()], [ours(0.27, **other)])
    assert not one.ours and one.our_seeds == 0 and one.ratio("hr@20") is None
    assert "| SASRec | – / – | – / – | – / 30.00 | – / 10.00 | 0/1 |" in markdown([one])


def test_ours_without_averaged_weights_has_a_line_of_its_own() -> None:
    found = beside([theirs()], [ours(0.33), ours(0.27, variant=PLAIN)])
    assert [one.variant for one in found] == [None, PLAIN]
    assert [one.ratio("hr@20") for one in found] == [pytest.approx(1.1), pytest.approx(0.9)]


def test_of_the_same_model_the_newest_settings_count_and_a_seed_once() -> None:
    older = theirs(0.1, seed=1, settings={"hidden_size": 32})
    again = theirs(0.25, date="2026-03-01T00:00:00")
    newer = theirs(0.2, seed=2, date="2026-02-01T00:00:00")
    (one,) = beside([again, older, theirs(0.5), newer], [])
    assert one.their_seeds == 2 and one.theirs["hr@20"] == pytest.approx(0.225)


def test_the_table_says_what_it_is_of_and_marks_what_is_more_than_5_percent_below() -> None:
    changed = theirs(0.36, changes=("hidden_size=128",), settings={"hidden_size": 128})
    table = markdown(beside([theirs(), changed], [ours(0.33, data_hash=REFERENCE.data_hash)]))
    head, _, columns, rule, first, second = table.splitlines()
    assert "MovieLens 1M, leave-one-out-full, 5,180 test rows" in head and "RecBole 1.2.1" in head
    assert columns == "| model | HR@10 | NDCG@10 | HR@20 | NDCG@20 | seeds |"
    assert first == "| SASRec | – / – | – / – | 33.00 / 30.00 (1.10) | 11.00 / 10.00 (1.10) | 1/1 |"
    assert second.startswith("| SASRec, their hidden_size=128 |") and "33.00 / 36.00 (**0.92**)" in second
    assert len({line.count("|") for line in (columns, rule, first, second)}) == 1


def test_nothing_measured_makes_no_table() -> None:
    assert markdown(beside([], [ours(0.3)])) == ""
