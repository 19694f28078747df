"""Claims become findings where both sides were measured, and a verdict needs an interval that leaves zero out."""

import dataclasses
from pathlib import Path

import pytest
import torch

from demo_core.experiments.claims import CARD, SASREC, Claim, Contender, Finding, as_table, findings
from demo_core.interval_charts import interval_chart
from demo_core.measure import RANKS
from demo_core.ranks import append_ranks
from demo_core.runs import Run
from demo_core.sequences import Rows
from tests.runs import run

ROWS = Rows.last_items([[1, 2, 3]] * 300)
GOOD = torch.where(torch.arange(300) < 90, 1, 51)
POOR = torch.where(torch.arange(300) < 30, 1, 51)


def write(folder: Path, one: Run, ranks: torch.Tensor, variant: str | None = None) -> None:
    append_ranks(folder / RANKS, dataclasses.replace(one, variant=variant), ranks, ROWS)


@pytest.fixture
def checkpoints(tmp_path: Path) -> Path:
    for seed in (0, 1):
        write(tmp_path, run("card", seed=seed), GOOD)
        write(tmp_path, run("sasrec", seed=seed), POOR)
        write(tmp_path, run("card", seed=seed), POOR, "deleted=0.5")
        write(tmp_path, run("sasrec", seed=seed), POOR, "deleted=0.5")
        write(tmp_path, run("card", seed=seed), GOOD, "no_routing")
        write(tmp_path, run("card", seed=seed), GOOD, "gaps_in_training")
        write(tmp_path, run("card", seed=seed), GOOD, "gaps_in_training/deleted=0.5")
    return tmp_path


def found(checkpoints: Path) -> dict[str, Finding]:
    return {finding.claim.words: finding for finding in findings(checkpoints)}


def test_a_clear_difference_holds(checkpoints: Path) -> None:
    finding = found(checkpoints)["CARD ranks better than SASRec"]
    assert (finding.verdict, finding.place) == ("holds", "Zhihu")
    assert finding.difference.mean == pytest.approx(0.2)
    assert finding.figures.startswith("+20.00 (+") and finding.figures.endswith("n 2")


def test_no_difference_is_not_shown_and_a_reversed_one_is_said(checkpoints: Path) -> None:
    assert found(checkpoints)["CARD needs its routing"].verdict == "not shown"
    loses = found(checkpoints)["CARD loses less than SASRec with half of the items gone"]
    assert loses.verdict == "the opposite holds"


def test_globaldiff_is_compared_with_the_backbone_that_it_stands_on(checkpoints: Path) -> None:
    write(checkpoints, run("bert4rec"), POOR)
    write(checkpoints, run("globaldiff", backbone="bert4rec"), GOOD)
    write(checkpoints, run("knn_average", backbone="bert4rec"), GOOD)
    of = found(checkpoints)
    assert of["GlobalDiff ranks better than BERT4Rec, its backbone"].verdict == "holds"
    assert of["GlobalDiff ranks better than BERT4Rec averaged with item-kNN"].verdict == "not shown"
    assert not any("SASRec, its backbone" in words for words in of), "SASRec is measured, GlobalDiff on it is not"


def test_what_a_changed_model_loses_is_its_own(checkpoints: Path) -> None:
    of = found(checkpoints)
    assert of["CARD gains by random gaps in its training"].verdict == "not shown"
    assert of["CARD with gaps in its training loses less with half of the items gone"].verdict == "holds"


def test_a_slip_of_the_usual_code_is_held_against_the_model_without_it(checkpoints: Path) -> None:
    for seed in (0, 1):
        write(checkpoints, run("pdrec", backbone="sasrec", seed=seed), GOOD)
        write(checkpoints, run("pdrec", backbone="sasrec", seed=seed), POOR, "own_positives")
    finding = found(checkpoints)["PDRec loses by own items among the extra positives, as released"]
    assert (finding.verdict, finding.place) == ("holds", "Zhihu")
    assert finding.difference.mean == pytest.approx(0.2)


def test_what_was_measured_on_one_side_only_is_no_finding(checkpoints: Path) -> None:
    assert "CARD ranks better than TDM" not in found(checkpoints)
    assert findings(checkpoints / "nowhere") == []


def test_runs_without_a_common_seed_are_no_finding(tmp_path: Path) -> None:
    write(tmp_path, run("card", seed=0), GOOD)
    write(tmp_path, run("sasrec", seed=1), POOR)
    assert findings(tmp_path) == []


def test_the_table_has_a_line_a_claim_and_a_column_a_data_set(checkpoints: Path) -> None:
    head, _, *lines = as_table(findings(checkpoints)).splitlines()
    assert head == "| difference in HR@20, points | Zhihu |"
    assert len(lines) == len(findings(checkpoints))
    assert "| CARD needs its routing | not shown: +0.00 (+0.00 to +0.00), n 2 |" in lines


def test_a_claim_that_was_not_measured_on_a_data_set_has_a_dash_there(checkpoints: Path) -> None:
    here = findings(checkpoints)
    elsewhere = dataclasses.replace(here[0], dataset="movielens")
    head, _, first, *rest = as_table([elsewhere, *here]).splitlines()
    assert head == "| difference in HR@20, points | MovieLens | Zhihu |"
    assert " – " not in first and all(line.count("| – |") == 1 for line in rest)


def test_the_chart_draws_every_finding_and_refuses_none(checkpoints: Path) -> None:
    drawn = interval_chart(findings(checkpoints)).to_dict()
    values = [record for records in drawn["datasets"].values() for record in records]
    assert [record["claim"] for record in values] == [one.claim.words for one in findings(checkpoints)]
    assert {record["place"] for record in values} == {"Zhihu"}
    assert {record["clear"] for record in values} == {True, False}
    with pytest.raises(ValueError, match="at least one"):
        interval_chart([])


def test_contenders_are_read_from_a_path() -> None:
    assert Contender.read("globaldiff/paper/cbit") == Contender("globaldiff", "paper", "cbit")
    assert Contender.read("card") == CARD and Claim("x", CARD, SASREC).lost is None
