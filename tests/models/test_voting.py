import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from demo_core.models import voting
from demo_core.models.base import mask_padding
from demo_core.models.globaldiff_config import GlobalDiffConfig
from demo_core.models.voting import (
    SEEN,
    Ballot,
    Count,
    Voter,
    borda_fusion,
    choose_share,
    clip_and_divide,
    fuse,
    normalised,
    reciprocal_rank_fusion,
)
from tests.models.judging import judged_by


def seeded() -> torch.Generator:
    return torch.Generator().manual_seed(3)


# Equation 8


def test_borda_fusion_of_three_items_by_hand() -> None:
    personal, global_ = torch.tensor([0.5, 0.3, 0.2]), torch.tensor([0.1, 0.8, 0.1])
    # Ranks 3 2 1 and, with a tie that the smaller index wins, 2 3 1.
    expected = [0.7 * 3 * 0.5 + 0.3 * 2 * 0.1, 0.7 * 2 * 0.3 + 0.3 * 3 * 0.8, 0.7 * 1 * 0.2 + 0.3 * 1 * 0.1]
    assert borda_fusion(personal, global_, 0.7).tolist() == pytest.approx(expected)


@given(
    values=st.lists(st.tuples(st.floats(0, 1), st.floats(0, 1)), min_size=2, max_size=8),
    gamma=st.floats(0, 1),
    data=st.data(),
)
@settings(max_examples=80, deadline=None)
def test_more_votes_for_an_item_never_lower_its_score(
    values: list[tuple[float, float]], gamma: float, data: st.DataObject
) -> None:
    personal, global_ = (torch.tensor(column, dtype=torch.float64) for column in zip(*values, strict=True))
    item = data.draw(st.integers(0, len(values) - 1))
    raised = personal.clone()
    raised[item] += data.draw(st.floats(0, 1))
    before, after = (borda_fusion(voter, global_, gamma)[item] for voter in (personal, raised))
    assert float(after) >= float(before) - 1e-12


@pytest.mark.parametrize("gamma", [0.0, 1.0])
def test_a_voter_alone_keeps_its_own_order(gamma: float) -> None:
    personal, global_ = torch.rand(2, 5, 30, generator=seeded()).unbind()
    order = borda_fusion(personal, global_, gamma).argsort(dim=1)
    assert torch.equal(order, (personal if gamma else global_).argsort(dim=1))


FLOATS = st.floats(-1e4, 1e4, width=32) | st.sampled_from([0.0, -0.0, SEEN, 1.0])


@given(rows=st.lists(st.lists(FLOATS, min_size=5, max_size=5), min_size=1, max_size=4))
@settings(max_examples=100, deadline=None)
def test_ranks_found_by_sorting_integers_are_those_of_a_stable_sort(rows: list[list[float]]) -> None:
    """Single precision takes the fast way, double precision PyTorch's own sort. Equal values included."""
    fast, plain = (
        fuse(Voter(values), Voter(values), 1.0, "rrf") for values in (torch.tensor(rows), torch.tensor(rows).double())
    )
    assert torch.equal(fast.argsort(dim=1), plain.argsort(dim=1))
    torch.testing.assert_close(fast.double(), plain)


def test_the_released_vote_gives_the_released_numbers() -> None:
    """Numbers: the fusion of the released ``evaluate`` (XMUDM/GlobalDiff 2fc1de9), run on these scores with one item a
    row at -9999, normalised as in its SASRec and in its CBiT script.
    """
    global_ = torch.sin(1.7 * torch.arange(26.0)).view(2, 13) * 3
    personal = torch.cos(0.9 * torch.arange(26.0)).view(2, 13) * 4
    for scores in (global_, personal):
        scores[[0, 1], [2, 12]] = SEEN
    expected = {
        "softmax": [2.275038, 0.0, 0.001029248, 1.648975, 0.4189011, 0.07345696, 0.0],
        "l2": [0.002400239, 0.0, -0.0006394368, 0.001527717, 0.001068006, -0.0001421836, 0.0],
    }
    for rule, numbers in expected.items():
        first, second = (Voter(normalised(scores, rule), worst=0) for scores in (personal, global_))
        fused = fuse(first, second, 0.5, "borda")
        assert fused.flatten()[[0, 2, 3, 12, 13, 24, 25]].tolist() == pytest.approx(numbers, rel=1e-5)


# The plain alternatives


def test_reciprocal_ranks_by_hand() -> None:
    fused = reciprocal_rank_fusion(torch.tensor([0.5, 0.3, 0.2]), torch.tensor([0.1, 0.8, 0.1]), 0.25)
    expected = [0.25 / 61 + 0.75 / 62, 0.25 / 62 + 0.75 / 61, 0.25 / 63 + 0.75 / 63]
    assert fused.tolist() == pytest.approx(expected)


def test_the_sum_is_the_weighed_sum() -> None:
    fused = fuse(Voter(torch.tensor([0.5, 0.5])), Voter(torch.tensor([0.1, 0.9])), 0.25, "sum")
    assert fused.tolist() == pytest.approx([0.2, 0.8])


# Normalising


def test_clipping_leaves_a_distribution_of_the_positive_part() -> None:
    values = torch.tensor([[2.0, -1.0, 6.0], [-1.0, -2.0, 0.0]])
    assert clip_and_divide(values)[0].tolist() == pytest.approx([0.25, 0.0, 0.75])
    assert clip_and_divide(values)[1].tolist() == pytest.approx([1 / 3] * 3), "nothing is left to divide"


@pytest.mark.parametrize("rule", ["softmax", "clip", "l2"])
def test_what_is_no_candidate_gets_nothing(rule: str) -> None:
    voter = normalised(torch.tensor([[-torch.inf, 3.0, 4.0]]), rule)
    expected = {"softmax": [0.0, 1 / (1 + math.e), math.e / (1 + math.e)], "clip": [0.0, 3 / 7, 4 / 7]}
    assert voter[0].tolist() == pytest.approx(expected.get(rule, [0.0, 0.6, 0.8]))


# Gamma


@pytest.mark.parametrize("best", [0.0, 0.35, 1.0])
def test_gamma_is_the_best_on_validation(best: float) -> None:
    gamma = torch.tensor(0.5)
    choose_share(gamma, judged_by(lambda: -abs(float(gamma) - best)))
    assert float(gamma) == pytest.approx(best)


def test_without_a_gain_the_first_voter_alone_decides() -> None:
    gamma: Tensor = torch.tensor(0.5)
    choose_share(gamma, judged_by(lambda: 0.5))
    assert float(gamma) == 1.0


def test_every_share_is_asked_for_once_from_the_first_voter_alone_to_the_second_alone() -> None:
    gamma = torch.tensor(0.5)
    asked: list[float] = []

    def quality() -> float:
        asked.append(float(gamma))
        return 0.0

    choose_share(gamma, judged_by(quality), steps=4)
    assert asked == [1.0, 0.75, 0.5, 0.25, 0.0]


# Counting again


@pytest.mark.parametrize("change", [[], ["fusion=rrf"], ["fusion=sum"], ["rank_padding=True", "zero_based_ranks=True"]])
def test_a_ballot_counted_again_gives_what_a_new_count_gives(change: list[str]) -> None:
    config = GlobalDiffConfig(num_items=9, max_length=4).override(*change)
    scores, restored, votes = torch.randn(3, 5, 10, generator=seeded()).unbind()
    ballot = Ballot(mask_padding(scores), restored, torch.tensor(2.0), votes.softmax(dim=1))
    history = torch.randint(1, 10, (5, 4), generator=seeded())
    kept = Count(config, history, ballot)
    for gamma, share in ((1.0, 1.0), (0.3, 1.0), (0.3, 0.0), (0.6, 0.5), (0.0, 0.5)):
        shares = torch.tensor(gamma), torch.tensor(share)
        again, new = kept.with_shares(*shares), Count(config, history, ballot).with_shares(*shares)
        assert torch.equal(again.fused, new.fused) and torch.equal(again.global_, new.global_)
        assert again.gamma == pytest.approx(gamma)


def test_voters_are_sorted_once_for_all_gammas(monkeypatch: pytest.MonkeyPatch) -> None:
    rows: list[int] = []
    ascending = voting._ascending

    def watched(values: Tensor) -> Tensor:
        rows.append(len(values))
        return ascending(values)

    monkeypatch.setattr(voting, "_ascending", watched)
    config = GlobalDiffConfig(num_items=9, max_length=4)
    scores, restored = torch.randn(2, 5, 10, generator=seeded()).unbind()
    count = Count(config, torch.ones(5, 4, dtype=torch.int64), Ballot(scores, restored, torch.tensor(1.0)))
    for gamma in (0.2, 0.4, 0.8):
        count.with_shares(torch.tensor(gamma), None)
    assert rows == [5, 5]
