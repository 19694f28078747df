import pytest
import torch

from demo_core.datasets import Dataset, toy_world
from demo_core.models import slit
from demo_core.models.slit import SLIT, SLITConfig, design, transitions
from demo_core.sequences import Batch, pad


def counted(world: Dataset, *settings: str) -> SLIT:
    model = SLIT(SLITConfig(num_items=12).override(*settings))
    model.count(world)
    return model.eval()


def test_the_rows_of_x_are_histories_weighted_by_recency_and_those_of_t_the_next_item() -> None:
    history = pad([[3, 1, 3], []], 4)
    past, following = design(Batch(history, torch.tensor([2, 1]), torch.tensor([True, True])), 5, recency_decay=0.5)
    assert past.toarray().tolist() == [[0, 0.5, 0, 1.25, 0], [0] * 5]
    assert following.toarray().tolist() == [[0, 0, 1, 0, 0], [0, 1, 0, 0, 0]]


def test_the_matrix_is_the_ridge_regression_of_the_next_item() -> None:
    """The gradient of |T - X B|^2 + lambda |B|^2 vanishes."""
    world = toy_world(seed=2)
    matrix = transitions(world, 12, max_length=5, recency_decay=0.7, ridge=3.0).double()
    past, following = (
        torch.from_numpy(x.toarray()).double()
        for x in design(world.train.batch(torch.arange(len(world.train)), 5), 13, 0.7)
    )
    gradient = past.T @ (past @ matrix - following) + 3.0 * matrix
    assert float(gradient.abs().max()) < 1e-3
    assert not matrix[0].any() and not matrix[:, 0].any(), "padding has no ties"


def test_rows_may_be_counted_in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    world = toy_world(seed=2)
    whole = transitions(world, 12, max_length=5, recency_decay=0.7, ridge=3.0)
    monkeypatch.setattr(slit, "ROWS_AT_ONCE", 100)
    parts = transitions(world, 12, max_length=5, recency_decay=0.7, ridge=3.0)
    torch.testing.assert_close(parts, whole, atol=1e-4, rtol=1e-4)


def test_it_learns_what_follows_what() -> None:
    """In the toy world an item is followed by its successor, which a symmetric likeness cannot tell from the item
    before it.
    """
    world = toy_world(seed=0)
    model = counted(world)
    batch = world.test.batch(torch.arange(len(world.test)), 10)
    ids, _ = model.recommend(batch.history, 1, exclude_seen=False)
    popular = world.train.target_counts(12).max() / len(world.train)
    assert float((ids[:, 0] == batch.target).double().mean()) > 3 * float(popular)


def test_the_largest_ties_are_kept_whatever_their_sign() -> None:
    world = toy_world(seed=1)
    whole, cut = counted(world, "neighbours=12"), counted(world, "neighbours=3")
    for item in range(1, 13):
        expected = sorted(whole.similarity[item].abs().tolist(), reverse=True)[:3]
        assert cut.similarity[item].abs().tolist() == pytest.approx(expected)
    assert bool((cut.similarity < 0).any())


@pytest.mark.parametrize("ridge", [0.0, -1.0])
def test_a_ridge_that_leaves_ties_open_is_refused(ridge: float) -> None:
    with pytest.raises(ValueError, match="ridge: expected a number above 0"):
        SLITConfig(num_items=12, ridge=ridge)
