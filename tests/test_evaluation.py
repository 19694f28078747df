"""Metrics against ten-line loops, and the ranking of a model whose scores are known."""

import math
from dataclasses import dataclass

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Generator, Tensor

from demo_core.datasets import PROTOCOLS
from demo_core.evaluation import Reading, evaluate, hit_ratio, ndcg, ranks_under, target_rank
from demo_core.models.base import Controls, PublishedConfig, Recommender, RecommenderConfig
from demo_core.perturbation import with_items_deleted
from demo_core.sequences import Batch, Rows

EVERYTHING, UNSEEN = PROTOCOLS["prefix-full"], PROTOCOLS["leave-one-out-full"]
SEQUENCES = [[1, 2, 3, 4, 5], [5, 4], [6, 1, 2], [3, 3, 2, 6], [2, 6, 5, 4, 3, 1], [4, 1], [1, 5]]


@dataclass(frozen=True, kw_only=True)
class TableConfig(RecommenderConfig):
    pass


class Table(Recommender):
    """Scores are a fixed row for each newest item."""

    table: Tensor  # (M + 1, M + 1)

    def __init__(self, num_items: int = 6, max_length: int = 3) -> None:
        super().__init__(TableConfig(num_items=num_items, max_length=max_length))
        table = torch.rand(num_items + 1, num_items + 1, generator=Generator().manual_seed(0))
        table[:, 0] = -torch.inf
        self.register_buffer("table", table)
        self.seen_lengths: set[int] = set()

    def loss(self, batch: Batch, generator: Generator | None = None) -> Tensor:
        return self.table.sum()

    def score(self, history: Tensor, generator: Generator | None = None, controls: Controls | None = None) -> Tensor:
        assert not self.training
        self.seen_lengths.add(history.shape[1])
        return self.table[history[:, -1]].clone()


def rank_by_loop(table: Tensor, history: list[int], target: int, exclude: bool) -> int:
    scores = table[history[-1] if history else 0].tolist()
    seen = set(history) if exclude else set()
    order = sorted(range(1, 7), key=lambda item: (item in seen, -scores[item], item))
    return order.index(target) + 1


@given(ranks=st.lists(st.integers(1, 60), min_size=1, max_size=30), k=st.integers(1, 50))
def test_hit_ratio_and_ndcg_equal_a_loop_over_the_rows(ranks: list[int], k: int) -> None:
    hits, gains = 0, 0.0
    for rank in ranks:
        if rank <= k:
            hits += 1
            gains += 1 / math.log2(rank + 1)
    assert hit_ratio(torch.tensor(ranks), k) == pytest.approx(hits / len(ranks))
    assert ndcg(torch.tensor(ranks), k) == pytest.approx(gains / len(ranks))


def test_the_first_place_counts_fully_and_the_place_after_the_last_not_at_all() -> None:
    assert hit_ratio(torch.tensor([1, 11]), 10) == 0.5
    assert ndcg(torch.tensor([1]), 10) == 1.0
    assert ndcg(torch.tensor([3]), 10) == pytest.approx(0.5)
    assert ndcg(torch.tensor([11]), 10) == 0.0


@pytest.mark.parametrize("ranks", [[], [0], [-1, 3], [math.nan], [math.inf]])
@pytest.mark.parametrize("metric", [hit_ratio, ndcg])
def test_what_is_not_a_rank_is_refused(metric: object, ranks: list[float]) -> None:
    with pytest.raises(ValueError, match="ranks"):
        metric(torch.tensor(ranks), 10)  # type: ignore[operator]


@given(
    rows=st.lists(st.lists(st.integers(0, 3), min_size=6, max_size=6), min_size=1, max_size=5), target=st.integers(1, 6)
)
@settings(deadline=None)
def test_of_equal_scores_the_smaller_id_ranks_better(rows: list[list[int]], target: int) -> None:
    scores = torch.tensor([[-math.inf, *row] for row in rows])
    ranks = target_rank(scores, torch.full((len(rows),), target))
    for row, rank in zip(rows, ranks.tolist(), strict=True):
        order = sorted(range(1, 7), key=lambda item: (-row[item - 1], item))
        assert rank == order.index(target) + 1


@pytest.mark.parametrize("protocol", [EVERYTHING, UNSEEN], ids=lambda p: p.name)
@pytest.mark.parametrize("batch_size", [1, 4, 100])
def test_every_row_is_ranked_as_a_loop_ranks_it(protocol: object, batch_size: int) -> None:
    model, rows = Table(), Rows.prefixes(SEQUENCES)
    assert protocol in (EVERYTHING, UNSEEN)
    exclude = protocol is UNSEEN
    result = evaluate(model, rows, UNSEEN if exclude else EVERYTHING, batch_size=batch_size)
    expected = [
        rank_by_loop(model.table, sequence[:n], sequence[n], exclude)
        for sequence in SEQUENCES
        for n in range(len(sequence))
        if not (exclude and sequence[n] in sequence[:n])
    ]
    repeats = [exclude and s[n] in s[:n] for s in SEQUENCES for n in range(len(s))]
    ranks = [rank for rank, repeat in zip(result.ranks.tolist(), repeats, strict=True) if not repeat]
    assert ranks == expected
    assert len(result.ranks) == sum(map(len, SEQUENCES)), "the last, smaller batch counts too"
    assert model.seen_lengths == {3}, "the model gets its window"


@pytest.mark.parametrize("batch_size", [2, 100])
def test_ranks_under_several_settings_are_those_of_one_evaluation_each(batch_size: int) -> None:
    model, rows = Table(), Rows.prefixes(SEQUENCES)
    order: list[float] = []
    tables = [model.table.clone(), -model.table.clone().masked_fill(model.table.isinf(), torch.inf)]

    def use(number: int) -> None:
        order.append(number)
        model.table.copy_(tables[number])

    ranks = ranks_under(model, rows, UNSEEN, [lambda: use(0), lambda: use(1)], batch_size=batch_size)
    for number, own in enumerate(ranks):
        use(number)
        assert torch.equal(own, evaluate(model, rows, UNSEEN).ranks)
    batches = math.ceil(len(rows) / batch_size)
    assert order[:-2] == [0, 1] * batches, "a batch is asked for under all settings before the next one"


def test_the_whole_history_is_excluded_and_not_only_the_window() -> None:
    model = Table(max_length=2)
    rows = Rows.last_items([[1, 2, 3, 4, 5, 6]])
    result = evaluate(model, rows, UNSEEN)
    assert result.ranks.tolist() == [1], "all but the target have been seen"
    assert result.top[0, 0] == 6


def test_the_lists_are_the_best_items_first() -> None:
    model, rows = Table(), Rows.last_items(SEQUENCES)
    result = evaluate(model, rows, EVERYTHING, top=3)
    for sequence, row in zip(SEQUENCES, result.top.tolist(), strict=True):
        scores = model.table[sequence[-2]].tolist()
        assert row == sorted(range(1, 7), key=lambda item: -scores[item])[:3]


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_scores_that_are_not_finite_raise_instead_of_counting(value: float) -> None:
    model = Table()
    model.table[4, 2] = value
    with pytest.raises(ValueError, match="NaN or infinite"):
        evaluate(model, Rows.last_items(SEQUENCES), UNSEEN)


@pytest.mark.parametrize("training", [True, False])
def test_the_model_is_scored_in_evaluation_mode_and_left_as_it_was(training: bool) -> None:
    model = Table().train(training)
    evaluate(model, Rows.last_items(SEQUENCES), UNSEEN)
    assert model.training is training


def test_metrics_are_fractions_under_the_names_of_the_results() -> None:
    metrics = evaluate(Table(), Rows.last_items(SEQUENCES), UNSEEN).metrics()
    assert sorted(metrics) == sorted(f"{name}@{k}" for name in ("hr", "ndcg") for k in (10, 20, 50))
    assert metrics["hr@10"] == 1.0, "there are only six items"
    assert 0 < metrics["ndcg@10"] < 1


def test_the_same_seed_gives_the_same_metrics_in_batches_of_any_size() -> None:
    class Noisy(Table):
        def score(
            self, history: Tensor, generator: Generator | None = None, controls: Controls | None = None
        ) -> Tensor:
            return super().score(history) + torch.rand(1, 7, generator=generator)

    rows = Rows.prefixes(SEQUENCES)
    first, second, other = (
        evaluate(Noisy(), rows, EVERYTHING, seed=seed, batch_size=size).ranks.tolist()
        for seed, size in ((1, 2), (1, 50), (2, 50))
    )
    assert first == second
    assert first != other


def test_a_window_reading_excludes_only_what_was_read() -> None:
    model, rows = Table(max_length=2), Rows.last_items(SEQUENCES)
    result = evaluate(model, rows, UNSEEN, reading=Reading(exclusion="window"))
    for rank, sequence in zip(result.ranks.tolist(), SEQUENCES, strict=True):
        scores = model.table[sequence[-2]].tolist()
        order = sorted(range(1, 7), key=lambda item: (item in sequence[-3:-1], -scores[item], item))
        assert rank == order.index(sequence[-1]) + 1


def test_a_reading_may_exclude_nothing_whatever_the_protocol() -> None:
    model, rows = Table(), Rows.last_items(SEQUENCES)
    nothing = evaluate(model, rows, UNSEEN, reading=Reading(exclusion="nothing"))
    assert torch.equal(nothing.ranks, evaluate(model, rows, EVERYTHING).ranks)


def test_an_incomplete_last_batch_can_be_left_out() -> None:
    rows = Rows.last_items(SEQUENCES)
    whole = evaluate(Table(), rows, UNSEEN)
    part = evaluate(Table(), rows, UNSEEN, reading=Reading(complete_batches_of=3))
    assert torch.equal(part.ranks, whole.ranks[:6])


class Controlled(Table):
    """Remembers what is asked of it."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[Controls | None] = []

    def score(self, history: Tensor, generator: Generator | None = None, controls: Controls | None = None) -> Tensor:
        self.asked.append(controls)
        return super().score(history)


@pytest.mark.parametrize("controls", [None, Controls(steps=3)])
def test_what_is_asked_of_a_model_reaches_it_with_every_batch(controls: Controls | None) -> None:
    model = Controlled()
    evaluate(model, Rows.last_items(SEQUENCES), UNSEEN, controls=controls, batch_size=3)
    assert model.asked == [controls] * 3


class DropsOut(Table):
    """Says whether its parts and itself are in training mode while it scores."""

    def __init__(self) -> None:
        super().__init__()
        self.part = torch.nn.Dropout(0.5)
        self.modes: set[tuple[bool, bool]] = set()

    def score(self, history: Tensor, generator: Generator | None = None, controls: Controls | None = None) -> Tensor:
        self.modes.add((self.training, self.part.training))
        return super().score(history)


def test_released_dropout_stays_on_in_the_parts_but_histories_are_read_as_they_are() -> None:
    model = DropsOut().eval()
    evaluate(model, Rows.last_items(SEQUENCES), UNSEEN, reading=Reading(dropout=True))
    assert model.modes == {(False, True)}
    assert not model.training and not model.part.training, "left as it was"


class RanksPadding(Table):
    def score_with_padding(
        self, history: Tensor, generator: Generator | None = None, controls: Controls | None = None
    ) -> Tensor:
        scores = self.score(history)
        scores[:, 0] = 2.0
        return scores


def test_padding_as_a_candidate_takes_a_place_in_every_list() -> None:
    rows = Rows.last_items(SEQUENCES)
    plain = evaluate(RanksPadding(), rows, EVERYTHING)
    padded = evaluate(RanksPadding(), rows, EVERYTHING, reading=Reading(rank_padding=True))
    assert torch.equal(padded.ranks, plain.ranks + 1)
    assert (padded.top[:, 0] == 0).all()


def test_lost_items_stay_excluded_when_the_whole_histories_are_given() -> None:
    rows = Rows.last_items(SEQUENCES)
    lost = with_items_deleted(rows, 0.9, seed=0)
    kept_out = evaluate(Table(), lost, UNSEEN, seen=rows)
    for row, sequence in enumerate(SEQUENCES):
        seen = set(sequence[:-1])
        best = kept_out.top[row][: 6 - len(seen)].tolist()
        assert not seen & set(best)


def test_the_reading_of_a_config_is_what_its_authors_did() -> None:
    config = PublishedConfig(num_items=6, evaluation_dropout=True, evaluation_batch=100, exclusion="window")
    assert Reading.of(config) == Reading(dropout=True, complete_batches_of=100, exclusion="window")
    assert Reading.of(TableConfig(num_items=6)) == Reading()
    with pytest.raises(ValueError, match="exclusion"):
        Reading(exclusion="some")
