import pytest
import torch
from torch import Generator, Tensor

from demo_core.datasets import LONG_TERM, PROTOCOLS, Protocol, assemble, load, long_term, toy_sequences
from demo_core.long_term import evaluate_long_term, targets
from demo_core.models.base import Controls, Recommender, RecommenderConfig
from demo_core.prepared import DataError, Sequences
from demo_core.sequences import Batch

SEQUENCES = [[1, 2, 3, 4, 5, 6, 7], [9, 8, 7, 6, 5]]
EVERYTHING = Protocol("everything", "", exclude_history=False)


class After(Recommender):
    """Ranks what follows the newest item first: item i + 1, then i + 2, and so on; forgets everything else."""

    def __init__(self, num_items: int = 12) -> None:
        super().__init__(RecommenderConfig(num_items=num_items, max_length=3))

    def loss(self, batch: Batch, generator: Generator | None = None) -> Tensor:
        raise NotImplementedError

    def score(self, history: Tensor, generator: Generator | None = None, controls: Controls | None = None) -> Tensor:
        items = torch.arange(self.config.num_items + 1)
        distance = (items - history[:, -1:] - 1) % self.config.num_items
        return (-distance.float()).masked_fill(items == 0, -torch.inf)


def world(*items: tuple[int, ...]) -> Sequences:
    titles = tuple(str(i) for i in range(12))
    return Sequences(items, ("all",) * len(items), titles, (None,) * 12, ((),) * 12)


# The split


def test_the_last_five_items_are_held_out() -> None:
    train, validation, test = long_term(SEQUENCES)
    assert train.sequences() == [[1, 2]], "five items leave nothing to train on"
    assert validation.target.tolist() == [3, 9]
    assert validation.history(torch.arange(2), 3).tolist() == [[0, 1, 2], [0, 0, 0]]
    assert test.target.tolist() == [4, 8]
    assert test.history(torch.arange(2), 3).tolist() == [[1, 2, 3], [0, 0, 9]], "the context ends with validation"
    assert targets(test).tolist() == [[4, 5, 6, 7], [8, 7, 6, 5]]
    assert bool(test.is_last.all())


def test_a_sequence_of_four_is_too_short() -> None:
    with pytest.raises(ValueError, match="at least 5 items, got 4"):
        long_term([[1, 2, 3, 4]])


def test_a_data_set_can_be_loaded_under_the_long_term_protocol() -> None:
    dataset = assemble("movielens", world((1, 2, 3, 4, 5, 6, 7), (3, 4, 5, 6, 7, 8)), "long-term")
    assert dataset.protocol == LONG_TERM and len(dataset.test) == 2
    assert dataset.catalogue.counts[:3] == (1, 1, 1), "only what is trained on counts"
    plain = assemble("movielens", world((1, 2, 3, 4, 5, 6, 7), (3, 4, 5, 6, 7, 8)))
    assert plain.protocol.name == "leave-one-out-full" and plain.hash != dataset.hash


@pytest.mark.parametrize("protocol", ["prefix-full", "next-year"])
def test_another_protocol_is_refused(protocol: str) -> None:
    with pytest.raises(DataError, match=protocol):
        assemble("movielens", world((1, 2, 3, 4, 5, 6)), protocol)


def test_sessions_that_are_split_already_have_no_long_term_protocol() -> None:
    split = Sequences(((1, 2), (3, 4), (5, 6)), ("train", "validation", "test"), ("a",) * 6, (None,) * 6, ((),) * 6)
    with pytest.raises(DataError, match="Zhihu"):
        assemble("zhihu", split, "long-term")


def test_the_own_protocol_may_be_named() -> None:
    assert load("toy", protocol="leave-one-out-full").hash == load("toy").hash


# The two modes


def test_direct_holds_one_list_against_all_four_targets() -> None:
    rows = long_term([[1, 2, 3, 4, 5, 6, 7], [9, 9, 3, 5, 4, 9, 2]])[2]
    result = evaluate_long_term(After(), rows, EVERYTHING, "direct")
    assert result.ranks.tolist() == [[1, 2, 3, 4], [2, 1, 6, 11]]


def test_direct_leaves_out_the_whole_history_even_what_no_window_holds() -> None:
    rows = long_term([[4, 9, 1, 2, 3, 5, 6, 4, 7]])[2]
    (ranks,) = evaluate_long_term(After(), rows, LONG_TERM, "direct").ranks.tolist()
    assert ranks[:2] == [1, 2] and ranks[3] == 3, "4 was seen long ago and is no candidate"
    assert ranks[2] > 7, "a target that was seen before cannot be found"


def test_rollout_reads_its_own_first_item_and_never_names_it_again() -> None:
    rows = long_term([[1, 2, 3, 4, 6, 5, 9]])[2]
    (ranks,) = evaluate_long_term(After(), rows, LONG_TERM, "rollout").ranks.tolist()
    # It foresees 4, 5, 6, 7; at P = 3 it has taken 4 and 5 for read and looks on from 5.
    assert ranks[:2] == [1, 2]
    assert ranks[2] > 8, "5 was taken for read at P = 2"
    assert ranks[3] == 3, "from 6: 7, 8, 9"


def test_without_exclusion_a_rollout_may_repeat_itself() -> None:
    rows = long_term([[1, 2, 3, 4, 6, 5, 9]])[2]
    (ranks,) = evaluate_long_term(After(), rows, EVERYTHING, "rollout").ranks.tolist()
    assert ranks == [1, 2, 12, 3]


def test_a_world_that_goes_on_and_on_is_foreseen_by_rollout_and_not_by_one_list() -> None:
    sequences = [s for s in toy_sequences(12, 300, 8).items if len(s) >= 5]
    rows = long_term(sequences)[2]
    for mode, expected in (("rollout", [1.0] * 4), ("direct", [1.0, 0.5, 1 / 3, 0.25])):
        ranks = evaluate_long_term(After(), rows, LONG_TERM, mode).ranks
        assert (1 / ranks.double()).mean(dim=0).tolist() == pytest.approx(expected)


def test_batches_of_any_size_give_the_same_ranks() -> None:
    rows = long_term([s for s in toy_sequences(12, 60, 8).items if len(s) >= 5])[2]
    first, second = (
        evaluate_long_term(After(), rows, PROTOCOLS["long-term"], "rollout", batch_size=size).ranks for size in (7, 512)
    )
    assert torch.equal(first, second)


def test_an_unknown_mode_is_refused_with_the_known_ones() -> None:
    with pytest.raises(ValueError, match="rollout"):
        evaluate_long_term(After(), long_term(SEQUENCES)[2], LONG_TERM, "greedy")


def test_scores_that_are_not_finite_are_refused_and_the_model_is_left_as_it_was() -> None:
    class Broken(After):
        def score(
            self, history: Tensor, generator: Generator | None = None, controls: Controls | None = None
        ) -> Tensor:
            return super().score(history) * torch.nan

    with pytest.raises(ValueError, match="NaN"):
        evaluate_long_term(Broken(), long_term(SEQUENCES)[2], LONG_TERM, "direct")
    model = After().train()
    evaluate_long_term(model, long_term(SEQUENCES)[2], LONG_TERM, "direct")
    assert model.training
