import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from demo_core import stability
from demo_core.datasets import toy_world
from demo_core.layers import unit
from demo_core.models.base import Controls
from demo_core.models.card import (
    CARD,
    CARDConfig,
    FuturePredictor,
    future_mean,
    importance_weights,
    prediction_error_reduction,
)
from demo_core.sequences import Batch, pad

HISTORY = pad([[1, 2, 3, 4, 5, 6], [7, 3, 9, 1], [5, 5, 5], [2, 8], [4], []], 6)


def model(*settings: str, threshold: float = 0.5) -> CARD:
    """Random directions, so that no two steps are equal, and a PER that is not tiny."""
    torch.manual_seed(0)
    built = CARD(CARDConfig(num_items=12, max_length=6, embedding_dim=8).override(*settings)).eval()
    torch.nn.init.normal_(built.item_embedding.weight)
    built.threshold.fill_(threshold)
    return built


def seeded() -> torch.Generator:
    return torch.Generator().manual_seed(3)


# Equations


def test_per_is_the_error_without_the_item_minus_the_error_with_it() -> None:
    per = prediction_error_reduction(torch.tensor([0.9, 0.4]), torch.tensor([0.5, 0.6]))
    assert per.tolist() == pytest.approx([0.4, -0.2]), "positive: knowing the item helps"


@given(per=st.floats(-50, 50), temperature=st.floats(0.01, 10))
def test_weights_stay_between_zero_and_two_and_follow_the_sign_of_per(per: float, temperature: float) -> None:
    weight = float(importance_weights(torch.tensor(per, dtype=torch.float64), temperature))
    assert weight == pytest.approx(1 + math.tanh(per / temperature), abs=1e-12)
    assert 0 <= weight <= 2
    assert (weight > 1) == (1 + math.tanh(per / temperature) > 1)


def test_an_item_without_effect_has_weight_one() -> None:
    assert importance_weights(torch.zeros(3), 0.1).tolist() == [1.0, 1.0, 1.0]


@given(lengths=st.lists(st.integers(0, 6), min_size=1, max_size=4), window=st.integers(1, 8), seed=st.integers(0, 1000))
@settings(max_examples=50, deadline=None)
def test_the_future_is_the_mean_of_the_next_items_that_exist(lengths: list[int], window: int, seed: int) -> None:
    vectors = torch.randn(len(lengths), 6, 3, generator=torch.Generator().manual_seed(seed))
    mask = torch.arange(6) >= 6 - torch.tensor(lengths)[:, None]
    mean, has_future = future_mean(vectors, mask, window)
    for row, length in enumerate(lengths):
        for slot in range(6):
            ahead = [vectors[row, later] for later in range(slot + 1, min(slot + window, 5) + 1) if mask[row, later]]
            real = slot >= 6 - length
            assert bool(has_future[row, slot]) == (real and bool(ahead))
            if real:
                expected = torch.stack(ahead).mean(dim=0) if ahead else torch.zeros(3)
                torch.testing.assert_close(mean[row, slot], expected)


# The auxiliary predictor


def test_the_prediction_before_an_item_does_not_know_it_or_anything_newer() -> None:
    torch.manual_seed(0)
    predictor = FuturePredictor(dim=8, max_length=6)
    mask = torch.tensor([[False, True, True, True, True]])
    directions = unit(torch.randn(1, 5, 8))
    changed = directions.clone()
    changed[:, 3:] = unit(torch.randn(1, 2, 8))
    after, before = predictor(directions, mask)
    after_changed, before_changed = predictor(changed, mask)
    torch.testing.assert_close(before_changed[:, 1:4], before[:, 1:4])
    torch.testing.assert_close(after_changed[:, 1:3], after[:, 1:3])
    assert not torch.allclose(after_changed[:, 3], after[:, 3])


def test_before_the_first_item_nothing_is_known() -> None:
    torch.manual_seed(0)
    predictor = FuturePredictor(dim=8, max_length=6)
    torch.nn.init.normal_(predictor.before_any)
    directions = unit(torch.randn(2, 5, 8))
    mask = torch.tensor([[True] * 5, [False, False, True, True, True]])
    after, before = predictor(directions, mask)
    nothing = predictor.mlp(predictor.before_any)
    torch.testing.assert_close(before[0, 0], nothing)
    torch.testing.assert_close(before[1, 2], nothing)
    torch.testing.assert_close(before[0, 1:], after[0, :-1])
    torch.testing.assert_close(before[1, 3:], after[1, 2:-1])


def errors_by_loop(card: CARD, row: list[int], target: int | None = None) -> list[tuple[float, float] | None]:
    """(error knowing, error not knowing) of each item of ``row``; ``None`` where neither ``row`` nor target follows."""
    read = unit(card.item_embedding.weight[row]).detach()
    following = unit(card.item_embedding.weight[row if target is None else [*row, target]]).detach()
    after, before = card.predictor(read[None], torch.ones(1, len(row), dtype=torch.bool))
    told: list[tuple[float, float] | None] = []
    for n in range(len(row)):
        ahead = following[n + 1 : n + 1 + card.config.future_window]
        if not len(ahead):
            told.append(None)
            continue
        knowing, without = (((p[0, n] - ahead.mean(dim=0)) ** 2).sum().detach() for p in (after, before))
        told.append((float(knowing), float(without)))
    return told


def test_the_auxiliary_loss_is_the_mean_squared_error_with_the_target_as_future() -> None:
    card = model("future_window=2")
    rows, targets = [[3, 1, 4], [5], []], [2, 6, 7]
    batch = Batch(pad(rows, 6), torch.tensor(targets), torch.ones(3, dtype=torch.bool))
    errors = [
        error
        for row, target in zip(rows, targets, strict=True)
        for pair in errors_by_loop(card, row, target)
        if pair is not None
        for error in pair
    ]
    assert len(errors) == 8, "four items have a future, each with two predictions"
    assert float(card.auxiliary_loss(batch).detach()) == pytest.approx(sum(errors) / 8, rel=1e-4)


def test_only_the_auxiliary_loss_trains_the_predictor_and_it_moves_no_embedding() -> None:
    batch = Batch(HISTORY, torch.tensor([7, 2, 6, 9, 5, 3]), torch.ones(6, dtype=torch.bool))
    silent = model("auxiliary_weight=0.0").train()
    silent.loss(batch, seeded()).backward()
    assert all(p.grad is None or not p.grad.any() for p in silent.predictor.parameters())
    card = model().train()
    card.auxiliary_loss(batch).backward()
    assert all(p.grad is not None and bool(p.grad.any()) for p in card.predictor.parameters())
    assert card.item_embedding.weight.grad is None


def test_training_follows_the_usual_size_of_per_and_evaluation_leaves_it_alone() -> None:
    batch = Batch(HISTORY, torch.tensor([7, 2, 6, 9, 5, 3]), torch.ones(6, dtype=torch.bool))
    card = model()
    before = float(card.per_scale)
    card.auxiliary_loss(batch)
    assert float(card.per_scale) == before
    reductions = [
        pair[1] - pair[0]
        for row, target in zip(HISTORY.tolist(), batch.target.tolist(), strict=True)
        for pair in errors_by_loop(card, [item for item in row if item], target)
        if pair is not None
    ]
    rms = math.sqrt(sum(per**2 for per in reductions) / len(reductions))
    card.train().auxiliary_loss(batch)
    assert float(card.per_scale) == pytest.approx(before + 0.02 * (rms - before), rel=1e-4)


# The route


def test_the_explanation_equals_a_loop_over_the_films() -> None:
    card = model("candidate_level=1.0", "per_temperature=2.0", "removal_rate=0.2", threshold=0.5)
    told = card.explain(HISTORY)
    for row, padded in enumerate(HISTORY.tolist()):
        items = [item for item in padded if item]
        first, pairs = 6 - len(items), max(len(items) - 1, 0)
        vectors = card.item_embedding.weight.detach()[items].double()
        cosines = [
            float(torch.dot(vectors[n], vectors[n + 1]) / vectors[n].norm() / vectors[n + 1].norm())
            for n in range(pairs)
        ]
        total = sum(math.exp(c) for c in cosines)
        shares = [math.exp(c) / total for c in cosines]
        entropy = -sum(s * math.log(s) for s in shares)
        even = entropy / math.log(pairs) if pairs >= 2 else 0.0
        turning = pairs >= 2 and even > 0.5
        assert told.steps.cosine[row].tolist() == pytest.approx([0.0] * (5 - pairs) + cosines, abs=1e-5)
        assert float(told.steps.entropy[row]) == pytest.approx(entropy, abs=1e-5)
        assert float(told.steps.evenness[row]) == pytest.approx(even, abs=1e-5)
        assert bool(told.turning[row]) == turning
        errors = errors_by_loop(card, items)
        assert told.candidate is not None and told.per is not None and told.weight is not None
        for n in range(len(items)):
            pair = errors[n]
            per = 0.0 if pair is None else pair[1] - pair[0]
            below = n > 0 and shares[n - 1] * pairs < 1 - 1e-6
            weight = 1 + math.tanh(per / (2.0 * float(card.per_scale))) if turning and below and pair else 1.0
            assert bool(told.candidate[row, first + n]) == below
            assert float(told.per[row, first + n]) == pytest.approx(per, abs=1e-5)
            assert float(told.weight[row, first + n]) == pytest.approx(weight, abs=1e-4)
            removal = min(1.0, 0.2 * pairs * shares[n]) if n < pairs else 0.0
            assert float(told.removal[row, first + n]) == pytest.approx(removal, abs=1e-5)
        assert bool((told.weight[row, :first] == 1).all()) and not told.per[row, :first].any()


def test_the_newest_item_has_no_future_and_weight_one() -> None:
    told = model("candidate_level=None", threshold=0.0).explain(HISTORY)
    assert told.weight is not None and told.per is not None
    assert told.weight[:, -1].tolist() == [1.0] * 6
    assert told.per[:, -1].tolist() == [0.0] * 6
    assert bool((told.weight[0, :-1] != 1).all()), "without a level every other film of a turning history is weighed"


def test_moving_the_threshold_moves_the_route_and_what_is_recommended() -> None:
    card = model()
    evenness = float(card.explain(HISTORY).steps.evenness[0])
    low, high = Controls(threshold=evenness - 1e-3), Controls(threshold=evenness + 1e-3)
    assert bool(card.explain(HISTORY, low).turning[0]) and not bool(card.explain(HISTORY, high).turning[0])
    assert card.explain(HISTORY, low).threshold == pytest.approx(evenness - 1e-3)
    weighed, whole = (card.score(HISTORY[:1], seeded(), controls) for controls in (low, high))
    assert not torch.allclose(weighed[:, 1:], whole[:, 1:]), "the weights that are shown are used"


def test_histories_of_fewer_than_three_items_take_no_route() -> None:
    told = model(threshold=-1.0).explain(HISTORY)
    assert told.steps.routed.tolist() == [True, True, True, False, False, False]
    assert told.turning.tolist() == [True, True, True, False, False, False]


def test_a_stable_history_is_read_whole_at_inference() -> None:
    card = model("removal_rate=1.0", threshold=2.0)
    history, weights = card.prepare_history(HISTORY, None, Controls())
    assert torch.equal(history, HISTORY)
    assert weights is not None and bool((weights == 1).all())


def test_training_thins_stable_histories_and_weighs_turning_ones() -> None:
    card = model("removal_rate=0.9", "candidate_level=None").train()
    even = card.explain(HISTORY).steps.evenness
    card.threshold.fill_(float(even[:2].mean()))
    rows = HISTORY[[0, 1, 3, 4, 5]].repeat(200, 1)
    turning = card.explain(rows).turning
    assert 0 < int(turning[:2].sum()) < 2, "one of the two long histories takes each route"
    edited, weights = card.prepare_history(rows, seeded(), Controls())
    assert weights is not None
    untouched = (edited == rows).all(dim=1)
    stable = card.explain(rows).steps.routed & ~turning
    assert bool(untouched[~stable].all()), "turning and unrouted histories keep every item"
    assert float(untouched[stable].double().mean()) < 0.2
    assert bool((weights[stable] == 1).all())
    assert bool((weights[turning] != 1).any())


def test_the_threshold_is_the_quantile_of_the_training_histories_that_have_a_route() -> None:
    world = toy_world()
    card = model("threshold_quantile=0.3")
    card.set_threshold(world, seeded())
    history = world.train.history(torch.arange(len(world.train)), 6)
    steps = stability.read_steps(card.item_embedding(history).detach(), history != 0)
    above = (steps.evenness[steps.routed] > card.threshold).double().mean()
    assert float(above) == pytest.approx(0.7, abs=0.1)


def test_calibration_measures_per_on_validation_histories() -> None:
    world = toy_world()
    card = model()
    calibrate = card.phases()[-1]
    assert calibrate.loss is None and calibrate.prepare is not None
    calibrate.prepare(world, lambda: 0.0)
    history = world.validation.history(torch.arange(len(world.validation)), 6)
    reductions = [
        pair[1] - pair[0]
        for row in history.tolist()
        for pair in errors_by_loop(card, [item for item in row if item])
        if pair is not None
    ]
    assert float(card.per_scale) == pytest.approx(math.sqrt(sum(p**2 for p in reductions) / len(reductions)), rel=1e-3)


def weights_of(card: CARD, history: Tensor) -> Tensor:
    told = card.explain(history)
    assert told.weight is not None
    return told.weight


def test_a_weight_changes_how_much_its_film_is_attended_to() -> None:
    card = model(threshold=0.0)
    weights = weights_of(card, HISTORY)
    assert bool((weights[0] != 1).any())
    by_hand = card.rank(card.generate(card.guidance(HISTORY, weights), seeded(), Controls()))
    torch.testing.assert_close(card.score(HISTORY, seeded()), by_hand)
