"""The relation graphs of a small world counted by hand, and the layer that reads them."""

import dataclasses

import pytest
import torch
from scipy import sparse
from torch import Tensor

from demo_core.datasets import toy_world
from demo_core.models.base import Recommender
from demo_core.models.item_relations import AFTER, BEFORE, INCOMPATIBLE, ItemRelations, incompatible, transitions
from demo_core.models.ssdrec import SSDRec, SSDRecConfig
from demo_core.sequences import Rows
from tests.models.judging import UNJUDGED

SEQUENCES = [[1, 2, 3, 4], [1, 2], [5, 3, 2]]


def relations() -> ItemRelations:
    torch.manual_seed(0)
    built = ItemRelations(rows=7, dim=4, neighbours=3)
    popularity = torch.tensor([0.0, 2, 3, 2, 1, 1])
    built.fill(SEQUENCES, popularity, window=10, more_than=0, popular_share=1.0)
    return built.double()


def entries(matrix: sparse.csr_array) -> dict[tuple[int, int], float]:
    found = matrix.tocoo()
    return {(int(i), int(j)): float(v) for i, j, v in zip(found.row, found.col, found.data, strict=True) if v}


def test_a_pair_counts_the_more_the_nearer_it_stands() -> None:
    found = transitions(SEQUENCES, 5, window=10)
    expected = {(1, 2): 3 / 4 + 1 / 2, (1, 3): 2 / 4, (1, 4): 1 / 4, (2, 3): 3 / 4, (2, 4): 2 / 4, (3, 4): 3 / 4}
    expected |= {(5, 3): 2 / 3, (5, 2): 1 / 3, (3, 2): 2 / 3}
    assert entries(found.weight) == pytest.approx(expected)
    assert entries(found.count) == {pair: 2 if pair == (1, 2) else 1 for pair in expected}


def test_pairs_further_apart_than_the_window_do_not_count() -> None:
    found = transitions([[1, 2, 3, 4]], 5, window=2)
    assert entries(found.weight) == pytest.approx({(1, 2): 0.5, (2, 3): 0.5, (3, 4): 0.5})


def test_an_item_does_not_follow_itself_and_sequences_do_not_run_into_each_other() -> None:
    assert entries(transitions([[1, 1], [2], []], 5, window=10).count) == {}
    assert entries(transitions([], 5, window=10).count) == {}


def test_items_that_are_never_read_together_but_with_the_same_others_are_incompatible() -> None:
    """1 was seen with 2 twice and with 3 once, 5 with each of them once: 3 + 2. 4 was seen with 2 and 3 once each."""
    count = transitions(SEQUENCES, 5, window=10).count
    found = entries(incompatible(count, torch.tensor([0.0, 2, 3, 2, 1, 1]), more_than=0, popular_share=1.0))
    assert found == {(1, 5): 5, (5, 1): 5, (4, 5): 4, (5, 4): 4}


def test_only_edges_seen_often_and_items_much_read_make_items_incompatible() -> None:
    count = transitions([[1, 2], [1, 2], [3, 2], [3, 2], [4, 2], [4, 2]], 5, window=10).count
    popularity = torch.tensor([0.0, 9, 1, 8, 2, 0])
    assert entries(incompatible(count, popularity, 1, popular_share=0.4)) == {(1, 3): 4, (3, 1): 4}
    assert entries(incompatible(count, popularity, 2, popular_share=0.4)) == {}


def test_the_strongest_neighbours_are_kept_and_their_shares_sum_to_one() -> None:
    built = relations()
    assert built.neighbour[AFTER, 1].tolist() == [2, 3, 4]
    torch.testing.assert_close(built.share[AFTER, 1], torch.tensor([1.25, 0.5, 0.25], dtype=torch.float64) / 2)
    assert built.neighbour[BEFORE, 2].tolist() == [1, 3, 5]
    assert built.neighbour[INCOMPATIBLE, 5].tolist() == [1, 4, 0]
    assert built.neighbour[:, 0].tolist() == built.neighbour[:, 6].tolist() == [[0, 0, 0]] * 3
    total = built.share.sum(dim=2)
    torch.testing.assert_close(total, (total > 0).double())


def test_means_are_those_of_the_neighbours() -> None:
    built, items = relations(), torch.randn(7, 4, dtype=torch.float64)
    means = built.neighbour_means(items)
    torch.testing.assert_close(means[AFTER, 1], (1.25 * items[2] + 0.5 * items[3] + 0.25 * items[4]) / 2)
    torch.testing.assert_close(means[INCOMPATIBLE, 5], (5 * items[1] + 4 * items[4]) / 9)
    assert not means[:, 6].any()


def test_of_both_directions_the_one_that_agrees_more_counts_more() -> None:
    built = relations()
    with torch.no_grad():
        built.agreement.weight.copy_(torch.eye(4))
    items = torch.tensor([[2.0, 0, 0, 0]], dtype=torch.float64)
    before, after = torch.zeros_like(items), items / 4  # agreement 0 and 1, over sqrt(4)
    share = torch.tensor([0.0, 0.5], dtype=torch.float64).softmax(dim=0)[1]
    torch.testing.assert_close(built.directed(items, before, after), share * after)


def test_items_begin_as_they_are_and_then_hear_of_their_neighbours_alone() -> None:
    built, items = relations(), torch.randn(7, 4, dtype=torch.float64)
    assert torch.equal(built(items), items)
    torch.nn.init.normal_(built.outer.weight)

    def told(items: Tensor) -> Tensor:
        """Beside what the last item, which has no neighbour, is told: what all share depends on all."""
        added = built(items) - items
        return added - added[6]

    for item in (4, 5):  # 5 avoids 4, the others precede it; 2 and 3 follow 5, 1 and 4 avoid it
        changed = items.clone()
        changed[item] += 1
        moved = ((told(changed) - told(items)).abs() > 1e-9).any(dim=1)
        assert moved.tolist() == [False, True, True, True, True, True, False]


def test_what_all_items_would_be_told_is_told_to_none() -> None:
    """Else it grows beyond what tells them apart, and a Transformer that reads them sees one item everywhere."""
    built, items = relations(), torch.randn(7, 4, dtype=torch.float64)
    torch.nn.init.normal_(built.outer.weight)
    for kind in built.kind:
        torch.nn.init.constant_(kind.get_parameter("bias"), 5.0)
    torch.testing.assert_close((built(items) - items)[1:].mean(dim=0), torch.zeros(4, dtype=torch.float64))


def test_the_graphs_know_nothing_of_validation_and_test() -> None:
    world = toy_world(num_items=12, num_sequences=50, length=8, seed=0)
    poisoned = Rows.last_items([[12, 1], [7, 7, 1]])
    models: list[Recommender] = []
    for data in (world, dataclasses.replace(world, validation=poisoned, test=poisoned)):
        torch.manual_seed(0)
        models.append(SSDRec(SSDRecConfig(num_items=12, embedding_dim=8)))
        prepare = models[-1].phases()[0].prepare
        assert prepare is not None
        prepare(data, UNJUDGED)
    first, second = (model.get_submodule("relations").state_dict() for model in models)
    assert first["neighbour"].any() and all(torch.equal(first[name], second[name]) for name in first)
