import pytest
import torch
from torch.nn import functional as F

from demo_core.datasets import toy_world
from demo_core.models.globaldiff import GlobalDiff, GlobalDiffConfig
from demo_core.models.item_knn import ItemKNN
from demo_core.models.slit import SLIT, SLITConfig
from demo_core.models.voters import VoterConfig, create_voter
from demo_core.models.voting import clip_and_divide
from demo_core.sequences import pad
from tests.models.judging import judged_by

HISTORY = pad([[1, 2, 3, 4], [7, 3], []], 6)


def test_a_host_names_its_voter_and_the_fields_that_it_has() -> None:
    voter = create_voter(VoterConfig(num_items=12, voter="slit", voter_neighbours=7, voter_ridge=5.0))
    assert isinstance(voter, SLIT)
    assert voter.config == SLITConfig(num_items=12, neighbours=7, ridge=5.0)
    assert type(create_voter(VoterConfig(num_items=12))) is ItemKNN
    with pytest.raises(ValueError, match="voter: expected one of item_knn, slit"):
        create_voter(VoterConfig(num_items=12, voter="oracle"))


def hosting(*settings: str) -> GlobalDiff:
    torch.manual_seed(0)
    config = GlobalDiffConfig(num_items=12, max_length=6, embedding_dim=8, hidden_dim=8).override(*settings)
    model = GlobalDiff(config).eval()
    if model.voter is not None:
        model.voter.count(toy_world())
    return model


def test_without_votes_globaldiff_holds_no_voter() -> None:
    assert hosting().voter is None
    assert not any("voter" in name or "vote_share" in name for name in hosting().state_dict())


def test_the_votes_make_up_their_share_of_the_global_voter() -> None:
    model = hosting("vote_share=0.25")
    given = model.explain(HISTORY).global_
    assert model.voter is not None
    votes = F.pad(clip_and_divide(model.voter.votes(HISTORY)[:, 1:]), (1, 0))
    model.vote_share.fill_(0.0)
    without = model.explain(HISTORY).global_
    torch.testing.assert_close(given, 0.75 * without + 0.25 * votes)
    assert given.sum(dim=1).tolist() == pytest.approx([1.0] * 3)


@pytest.mark.parametrize("start", ["votes", "average"])
def test_the_chain_can_start_where_the_votes_are(start: str) -> None:
    model = hosting(f"start={start}")
    told = model.explain(HISTORY)
    scores, context = model.context(HISTORY)
    assert model.voter is not None
    begin = F.pad(clip_and_divide(model.voter.votes(HISTORY)[:, 1:]), (1, 0))
    if start == "average":
        begin = (begin + scores.softmax(dim=1)) / 2
    restored = model.restore(begin / begin.amax(dim=1, keepdim=True), context, model.config.inference_steps)
    restored[:, 0] = -torch.inf
    torch.testing.assert_close(told.global_, (model.logit_scale * restored).softmax(dim=1))


def test_both_shares_are_chosen_on_validation() -> None:
    model = hosting("vote_share=None", "selection_voter=global")
    vote = model.phases()[-1]
    assert vote.prepare is not None

    vote.prepare(toy_world(), judged_by(lambda: -abs(float(model.vote_share) - 0.3) - abs(float(model.gamma) - 0.6)))
    assert float(model.vote_share) == pytest.approx(0.3)
    assert float(model.gamma) == pytest.approx(0.6)
