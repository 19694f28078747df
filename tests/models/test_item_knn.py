import math

import pytest
import torch

from demo_core.datasets import Dataset, toy_world
from demo_core.models.item_knn import ItemKNN, ItemKNNConfig, item_cosine
from demo_core.models.item_votes import largest_entries
from demo_core.sequences import pad
from tests.models.judging import UNJUDGED

SEQUENCES = [[1, 2, 3, 2], [2, 3], [5], [1, 5, 3]]


def counted(world: Dataset, **settings: float | int) -> ItemKNN:
    model = ItemKNN(ItemKNNConfig(num_items=12).override(*(f"{name}={value}" for name, value in settings.items())))
    for phase in model.phases():
        assert phase.prepare is not None and phase.loss is None, "there is nothing to train"
        phase.prepare(world, UNJUDGED)
    return model.eval()


def loop_cosine(sequences: list[list[int]], a: int, b: int) -> float:
    has_a = [a in sequence for sequence in sequences]
    has_b = [b in sequence for sequence in sequences]
    together = sum(x and y for x, y in zip(has_a, has_b, strict=True))
    norm = math.sqrt(sum(has_a) * sum(has_b))
    return together / norm if norm else 0.0


def test_cosine_counts_the_sequences_that_hold_both_items_once_each() -> None:
    cosine = item_cosine(SEQUENCES, num_items=6).toarray()
    for a in range(1, 7):
        for b in range(1, 7):
            assert cosine[a, b] == pytest.approx(loop_cosine(SEQUENCES, a, b)), (a, b)
    assert not cosine[0].any() and not cosine[:, 0].any(), "padding is similar to nothing"


def test_scores_add_up_decayed_cosines_of_the_window() -> None:
    world = toy_world(seed=1)
    model = counted(world, recency_decay=0.5, max_length=3)
    sequences = world.train.sequences()
    history = [9, 2, 6, 4]
    scores = model.score(pad([history], 8))[0]
    for item in range(1, 13):
        votes = [loop_cosine(sequences, seen, item) if seen != item else 0.0 for seen in history[-3:]]
        expected = sum(vote * 0.5**age for age, vote in enumerate(reversed(votes)))
        assert float(scores[item]) == pytest.approx(expected, abs=2e-6), item


def test_only_the_most_similar_neighbours_are_kept() -> None:
    world = toy_world(seed=1)
    sequences = world.train.sequences()
    model = counted(world, neighbours=2)
    for item in range(1, 13):
        ranked = sorted((loop_cosine(sequences, item, other) for other in range(1, 13) if other != item), reverse=True)
        assert model.similarity[item].tolist() == pytest.approx(ranked[:2], abs=1e-6)


def test_the_largest_entries_are_those_of_every_row_of_a_large_matrix() -> None:
    """Rows are read 1,024 at a time."""
    matrix = torch.rand(1500, 30, generator=torch.Generator().manual_seed(3))
    blocks = list(largest_entries(matrix, 3))
    expected = matrix.topk(3, dim=1)
    assert torch.equal(torch.cat([item for _, item, _ in blocks]), expected.indices)
    assert torch.equal(torch.cat([value for _, _, value in blocks]), expected.values)


def test_an_empty_history_gets_popularity() -> None:
    world = toy_world(seed=3)
    counts = world.train.target_counts(12)[1:]
    ids, _ = counted(world).recommend(pad([[]], 4), 12)
    assert ids[0].tolist() == (counts.sort(descending=True, stable=True).indices + 1).tolist()
    assert torch.isfinite(counted(world).score(pad([[]], 4))[0, 1:]).all()
