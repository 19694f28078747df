from functools import partial

import pytest
import torch
from torch import Tensor

from demo_core.datasets import toy_world
from demo_core.models.knn_average import KNNAverage, KNNAverageConfig
from demo_core.sequences import pad
from demo_core.training import fit
from tests.models.judging import UNJUDGED, judged_by

HISTORY = pad([[1, 2, 3, 4, 5, 6], [7, 3, 9, 1], [4], []], 6)


def model(*settings: str) -> KNNAverage:
    torch.manual_seed(0)
    config = KNNAverageConfig(num_items=12, max_length=6, embedding_dim=8).override(*settings)
    return KNNAverage(config).eval()


def counted(*settings: str) -> KNNAverage:
    built = model(*settings)
    prepare = built.phases()[1].prepare
    assert prepare is not None
    prepare(toy_world(), UNJUDGED)
    return built


def test_the_score_is_the_average_of_two_distributions() -> None:
    average = counted()
    average.gamma.fill_(0.25)
    told = average.explain(HISTORY)
    torch.testing.assert_close(told.personal, average.backbone.score(HISTORY).softmax(dim=1))
    knn = average.voter.score(HISTORY)[:, 1:]
    torch.testing.assert_close(told.global_[:, 1:], knn / knn.sum(dim=1, keepdim=True))
    assert told.global_.sum(dim=1).tolist() == pytest.approx([1.0] * 4)
    torch.testing.assert_close(average.score(HISTORY)[:, 1:], 0.25 * told.personal[:, 1:] + 0.75 * told.global_[:, 1:])


@pytest.mark.parametrize("gamma", [0.0, 1.0])
def test_one_voter_alone_ranks_as_it_does(gamma: float) -> None:
    average = counted()
    average.gamma.fill_(gamma)
    alone = average.backbone if gamma else average.voter
    expected = alone.score(HISTORY)[:, 1:].argsort(dim=1, stable=True)
    assert torch.equal(average.score(HISTORY)[:, 1:].argsort(dim=1, stable=True), expected)


def distance_to_085(gamma: Tensor) -> float:
    return -abs(float(gamma) - 0.85)


def test_the_share_is_the_best_on_validation_or_a_fixed_one() -> None:
    free, fixed = counted(), counted("gamma=0.5")
    for average in (free, fixed):
        prepare = average.phases()[-1].prepare
        assert prepare is not None
        prepare(toy_world(), judged_by(partial(distance_to_085, average.gamma)))
    assert float(free.gamma) == pytest.approx(0.85) and float(fixed.gamma) == 0.5


def test_scores_are_probabilities_whatever_is_taken_out() -> None:
    scores = counted().score(HISTORY).scatter(1, HISTORY, -torch.inf)
    likely = counted().probabilities(scores)
    assert likely.sum(dim=1).tolist() == pytest.approx([1.0] * 4) and not likely[:, 0].any()
    assert not likely.gather(1, HISTORY).any()


def test_it_trains_in_three_phases_and_takes_any_backbone() -> None:
    average = model("backbone=srgnn", "backbone_epochs=2", "batch_size=64")
    report = fit(average, toy_world(num_sequences=60), seed=0, progress=False)
    assert report.epochs == 2 and set(report.best) == {"backbone"}
    assert bool(average.voter.similarity.any())
