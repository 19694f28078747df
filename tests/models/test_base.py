"""What every recommender inherits: ranking, exclusion and the scores of an embedding."""

from dataclasses import dataclass

import pytest
import torch
from torch import Generator, Tensor, nn

from demo_core.models.base import (
    Controls,
    PublishedConfig,
    Recommender,
    RecommenderConfig,
    item_scores,
    mask_padding,
    seeded,
)
from demo_core.sequences import Batch, pad


@dataclass(frozen=True, kw_only=True)
class FlatConfig(RecommenderConfig):
    pass


class Flat(Recommender):
    """All items are equally good, except those of ``better``."""

    def __init__(self, num_items: int, better: tuple[int, ...] = ()) -> None:
        super().__init__(FlatConfig(num_items=num_items))
        self.better = list(better)

    def loss(self, batch: Batch, generator: Generator | None = None) -> Tensor:
        return torch.zeros(())

    def score(self, history: Tensor, generator: Generator | None = None, controls: Controls | None = None) -> Tensor:
        scores = torch.zeros(len(history), self.config.num_items + 1)
        scores[:, self.better] = 1.0
        return mask_padding(scores)


def test_of_equally_good_items_the_smaller_ids_come_first() -> None:
    ids, scores = Flat(3000, better=(2500, 70)).recommend(pad([[1], [3, 2]], 4), 6)
    assert ids.tolist() == [[70, 2500, 2, 3, 4, 5], [70, 2500, 1, 4, 5, 6]]
    assert scores.tolist() == [[1.0, 1.0, 0.0, 0.0, 0.0, 0.0]] * 2


def test_seen_items_are_excluded_unless_asked_for() -> None:
    model = Flat(5, better=(4,))
    assert model.recommend(pad([[4]], 3), 2)[0].tolist() == [[1, 2]]
    assert model.recommend(pad([[4]], 3), 2, exclude_seen=False)[0].tolist() == [[4, 1]]


def test_a_model_that_says_nothing_else_has_one_phase_and_no_explanation() -> None:
    model = Flat(5)
    (phase,) = model.phases()
    assert (phase.loss, phase.prepare, phase.config) == (model.loss, None, None)
    assert model.explain(pad([[1]], 3)) is None


def test_item_scores_leave_out_padding_and_special_tokens() -> None:
    table = nn.Embedding(6, 3)
    state, bias = torch.randn(2, 3), torch.randn(5)
    scores = item_scores(state, table, num_items=4, bias=bias)
    assert scores.shape == (2, 5)
    assert torch.isneginf(scores[:, 0]).all()
    for item in range(1, 5):
        expected = (state * table.weight[item]).sum(dim=1) + bias[item]
        torch.testing.assert_close(scores[:, item], expected)


def test_without_a_generator_the_seed_is_zero() -> None:
    first, second = (torch.rand(3, generator=seeded(None)) for _ in range(2))
    assert torch.equal(first, second)
    assert torch.equal(first, torch.rand(3, generator=torch.Generator().manual_seed(0)))
    own = torch.Generator()
    assert seeded(own) is own


@pytest.mark.parametrize("heads", ["2", 2.0, None, True])
def test_a_config_is_as_strict_about_types_when_it_is_read(heads: object) -> None:
    values = FlatConfig(num_items=5).to_dict() | {"batch_size": heads}
    with pytest.raises(ValueError, match="batch_size"):
        FlatConfig.from_dict(values)


def test_an_epoch_is_all_rows_once_in_batches() -> None:
    config = RecommenderConfig(num_items=5, batch_size=4)
    chosen = config.epoch_rows(10, torch.Generator().manual_seed(0))
    assert [len(batch) for batch in chosen] == [4, 4, 2]
    assert sorted(torch.cat(chosen).tolist()) == list(range(10))
    fewer = config.override("rows_per_epoch=6").epoch_rows(10, torch.Generator().manual_seed(0))
    assert len(torch.cat(fewer).unique()) == 6


def test_released_batches_are_drawn_apart_and_an_incomplete_one_is_left_out() -> None:
    config = PublishedConfig(num_items=5, batch_size=256, independent_batches=True)
    chosen = config.epoch_rows(2700, torch.Generator().manual_seed(0))
    assert [len(batch) for batch in chosen] == [256] * 10
    assert all(len(batch.unique()) == 256 for batch in chosen), "without replacement within a batch"
    missed = 1 - len(torch.cat(chosen).unique()) / 2700
    assert 0.33 < missed < 0.43, "about (1 - 256 / 2700)^10 = 37 % of the rows are not seen"


def test_the_split_and_metric_that_choose_the_epoch_can_be_the_released_ones() -> None:
    assert RecommenderConfig(num_items=5).selection == ("validation", "ndcg@20")
    released = PublishedConfig(num_items=5, selection_split="test", selection_metric="hr@20")
    assert released.selection == ("test", "hr@20")
