import math

import pytest
import torch
from torch import Tensor

from demo_core import stability
from demo_core.datasets import toy_world
from demo_core.layers import unit
from demo_core.models.base import Controls
from demo_core.models.card import CARD
from demo_core.models.card_config import PAPER, RELEASED, CARDConfig
from demo_core.sequences import Batch, pad
from tests.models.judging import UNJUDGED

HISTORY = pad([[1, 2, 3, 4, 5, 6], [7, 3, 9, 1], [5, 5, 5], [2, 8], [4], []], 6)


def model(*settings: str, threshold: float = 0.5) -> CARD:
    """Random directions, so that no two steps are equal, and a PER that is not tiny."""
    torch.manual_seed(0)
    built = CARD(CARDConfig(num_items=12, max_length=6, embedding_dim=8).override(*settings)).eval()
    torch.nn.init.normal_(built.item_embedding.weight)
    if built.config.threshold_entropy is None:
        built.threshold.fill_(threshold)
    return built


def seeded() -> torch.Generator:
    return torch.Generator().manual_seed(3)


def errors_by_loop(card: CARD, row: list[int], target: int | None = None) -> list[tuple[float, float] | None]:
    """(error knowing, error not knowing) of each item of ``row``; ``None`` where neither ``row`` nor target follows."""
    read = unit(card.item_embedding.weight[row]).detach()
    following = unit(card.item_embedding.weight[row if target is None else [*row, target]]).detach()
    guess = card.predictor(read[None], torch.ones(1, len(row), dtype=torch.bool))
    told: list[tuple[float, float] | None] = []
    for n in range(len(row)):
        ahead = following[n + 1 : n + 1 + card.config.future_window]
        if not len(ahead):
            told.append(None)
            continue
        told_apart = (guess.knowing[n], guess.not_knowing[n])
        knowing, without = (((p - ahead.mean(dim=0)) ** 2).sum().detach() for p in told_apart)
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
    calibrate.prepare(world, UNJUDGED)
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


# The other readings, one field each


def noisy(card: CARD, *, rows: int = 200) -> tuple[Tensor, Tensor, Tensor]:
    """Training's histories, weights, and the histories they came from."""
    history = HISTORY.repeat(rows, 1)
    edited, weights = card.train().prepare_history(history, seeded(), Controls())
    assert weights is not None
    return edited, weights, history


@pytest.mark.parametrize(
    ("routing", "weighs", "thins"),
    [("routed", True, True), ("attention", True, False), ("removal", False, True), ("none", False, False)],
)
def test_the_ablations_send_every_history_the_same_way(routing: str, weighs: bool, thins: bool) -> None:
    card = model(f"routing={routing}", "removal_rate=0.9", "candidate_level=None")
    even = card.explain(HISTORY).steps.evenness[:3]
    card.threshold.fill_(float(even.sort().values[:2].mean()))
    told = card.explain(HISTORY)
    assert (told.threshold is None) == (routing != "routed"), "no threshold where nothing is compared with one"
    edited, weights, history = noisy(card)
    changed = (edited != history).any(dim=1).reshape(-1, 6).any(dim=0)
    assert bool((weights != 1).any()) == weighs and bool(changed.any()) == thins
    if routing == "attention":
        assert told.turning.tolist() == [True] * 3 + [False] * 3 and bool((weights[:3, :-1] != 1).any(dim=1).all())
    if routing == "removal":
        assert changed.tolist() == [True] * 4 + [False] * 2, "like TDM: whatever has a step can lose an item"


def test_an_absolute_threshold_is_compared_with_the_entropy_and_never_moves() -> None:
    card = model("threshold_entropy=1.2")
    told = card.explain(HISTORY)
    assert told.threshold == pytest.approx(1.2) and told.threshold_unit == "entropy"
    assert told.turning.tolist() == [e > 1.2 for e in told.steps.entropy.tolist()]
    assert 0 < int(told.turning.sum()) < 3
    card.set_threshold(toy_world(), seeded())
    assert float(card.threshold) == pytest.approx(1.2)
    other = Controls(threshold=float(told.steps.entropy[0]) + 1e-3)
    assert not bool(card.explain(HISTORY, other).turning[0])


def test_padding_turns_every_history_at_the_published_threshold() -> None:
    """On ten slots the padded entropy never falls below 1.72; real pairs reach 1.8893 with eight items at the least."""
    history = pad([list(range(1, n + 1)) for n in range(11)], 10)
    padded, real = (
        model("max_length=10", "trained_padding=True", "threshold_entropy=1.8893", setting).explain(history)
        for setting in ("padded_entropy=True", "padded_entropy=False")
    )
    assert bool(padded.turning.all()) and padded.padded
    assert not real.turning[:8].any() and not real.padded


def test_candidates_by_an_absolute_bound() -> None:
    card = model("candidate_threshold=0.19")
    told = card.explain(HISTORY)
    continuity = told.steps.continuity
    assert told.candidate is not None
    expected = [
        [False] + [real and c < 0.19 for c, real in zip(row, (continuity[n] > 0).tolist(), strict=True)]
        for n, row in enumerate(continuity.tolist())
    ]
    assert told.candidate.tolist() == expected and bool(told.candidate.any())


def test_the_unit_of_per_and_of_its_temperature() -> None:
    usual = model("candidate_level=None", threshold=0.0)
    mean = model("candidate_level=None", "per_mean=True", threshold=0.0)
    absolute = model("candidate_level=None", "per_temperature_unit=absolute", "per_temperature=0.3", threshold=0.0)
    per = usual.explain(HISTORY).per
    assert per is not None
    torch.testing.assert_close(mean.explain(HISTORY).per, per / 8)
    turning = usual.explain(HISTORY).turning[:, None]
    expected = torch.where(turning, 1 + torch.tanh(per / 0.3), 1.0)
    torch.testing.assert_close(weights_of(absolute, HISTORY), expected)


def test_raw_vectors_keep_their_length() -> None:
    card = model("raw_vectors=True", "padded_future=True", "future_window=1")
    doubled = model("raw_vectors=True", "padded_future=True", "future_window=1")
    with torch.no_grad():
        doubled.item_embedding.weight.mul_(2)
        for parameter in [*card.predictor.mlp[2].parameters(), *doubled.predictor.mlp[2].parameters()]:
            parameter.zero_()
    batch = Batch(HISTORY, torch.tensor([7, 2, 6, 9, 5, 3]), torch.ones(6, dtype=torch.bool))
    small, large = float(card.auxiliary_loss(batch).detach()), float(doubled.auxiliary_loss(batch).detach())
    assert large == pytest.approx(4 * small), "a guess of zero misses by the length of the future"


def test_the_padded_future_gives_the_newest_item_a_future_of_padding() -> None:
    card = model("padded_future=True", "raw_vectors=True", "trained_padding=True", "candidate_level=None")
    torch.nn.init.normal_(card.item_embedding.weight)
    per = card.explain(HISTORY).per
    assert per is not None
    assert float(per[1, -1]) != 0, "there are pads after the last of four items"
    assert float(per[5].abs().sum()) == 0, "an empty history has no PER"


def test_weights_of_training_alone_leave_recommending_to_the_plain_window() -> None:
    card = model("weights_at_inference=False", "candidate_level=None", threshold=0.0)
    told = card.explain(HISTORY)
    assert not told.weight_at_inference and bool((weights_of(card, HISTORY)[0] != 1).any())
    history, weights = card.prepare_history(HISTORY, seeded(), Controls())
    assert weights is None and torch.equal(history, HISTORY)
    _, weights, _ = noisy(card, rows=1)
    torch.testing.assert_close(weights, weights_of(card.eval(), HISTORY))


def test_thinning_at_inference_follows_the_seed_and_not_the_rows_beside() -> None:
    card = model("thin_at_inference=True", "removal_rate=0.5", threshold=2.0)
    first, weights = card.prepare_history(HISTORY, seeded(), Controls())
    assert weights is not None and not torch.equal(first, HISTORY)
    assert torch.equal(first, card.prepare_history(HISTORY, seeded(), Controls())[0])
    for row in range(6):
        alone, _ = card.prepare_history(HISTORY[row : row + 1], seeded(), Controls())
        assert torch.equal(alone[0], first[row])
    others = [card.prepare_history(HISTORY, torch.Generator().manual_seed(s), Controls())[0] for s in range(8)]
    assert any(not torch.equal(first, other) for other in others)
    by_seed = [card.score(HISTORY, torch.Generator().manual_seed(1)) for _ in range(2)]
    assert torch.equal(*by_seed)


def test_a_gradient_through_the_weights_reaches_predictor_and_embeddings() -> None:
    settings = ("auxiliary_weight=0.0", "per_temperature_unit=absolute", "candidate_level=None")
    for attached in (False, True):
        card = model(*settings, f"weight_gradient={attached}", threshold=0.0)
        _, weights, _ = noisy(card, rows=1)
        assert weights.requires_grad == attached
    weights.sum().backward()
    assert all(p.grad is not None for p in card.predictor.layer.parameters())
    assert card.item_embedding.weight.grad is not None and bool(card.item_embedding.weight.grad.any())


def test_a_training_step_weighs_as_the_explanation_does(monkeypatch: pytest.MonkeyPatch) -> None:
    """The one pass of MLP_aux that serves the weights and its own loss must give both what two passes would."""
    card = model("candidate_level=None", "removal_rate=0.0", threshold=0.0)
    seen: list[Tensor | None] = []
    inner = card.guidance

    def note(history: Tensor, weights: Tensor | None) -> Tensor:
        seen.append(weights)
        return inner(history, weights)

    monkeypatch.setattr(card, "guidance", note)
    batch = Batch(HISTORY, torch.tensor([7, 2, 6, 9, 5, 3]), torch.ones(6, dtype=torch.bool))
    expected = weights_of(card, HISTORY)
    card.loss(batch, seeded())
    assert seen[0] is not None
    torch.testing.assert_close(seen[0], expected)


# Numbers of the released code (yanqilong3321/CARD, commit 3f4090f): ``cacu_h`` in double precision, dropout off, L = 6,
# D = 4. Embeddings as in tests/test_stability.py; the parameters of its causal encoder and head, one after another, are
# 0.5 sin(0.9 k + n) for entry k of parameter n, plus 1 for the weights of the norms.

RELEASED_ROWS = [[1, 2, 3, 4, 5, 6], [7, 3, 8, 1], [4, 4, 2], [6, 8], [5], []]
RELEASED_READING = (
    *("encoder=released", "empty_history=nothing", "trained_padding=True", "padded_entropy=True"),
    *("predictor=released", "raw_vectors=True", "padded_future=True", "per_mean=True", "dropout=0.0"),
    *("per_temperature_unit=absolute", "auxiliary_weight=0.0", "weight_gradient=True", "weights_at_inference=False"),
)
RELEASED_WEIGHTS: dict[tuple[str, ...], list[list[float]]] = {
    ("threshold_entropy=1.0", "candidate_threshold=0.2", "future_window=3", "per_temperature=1.0"): [
        *([1.0, 1.0, 1.0, 1.032594, 0.947076, 1.053713], [1.0, 1.0, 1.051716, 1.0], [1.0, 1.0, 0.842859]),
        *([1.0, 0.945695], [1.0], []),
    ],
    ("threshold_entropy=1.0", "candidate_threshold=0.17", "future_window=2", "per_temperature=0.05"): [
        *([1.0, 1.0, 1.0, 1.592310, 0.221892, 1.791446], [1.0, 1.0, 1.747523, 1.0], [1.0, 1.0, 0.003529]),
        *([1.0, 0.204160], [1.0], []),
    ],
    ("threshold_entropy=1.58", "candidate_threshold=0.2", "future_window=3", "per_temperature=1.0"): [
        *([1.0] * 6, [1.0] * 4, [1.0] * 3, [1.0] * 2, [1.0], []),
    ],
}


def released_parameters(card: CARD) -> None:
    own, dim = dict(card.predictor.named_parameters()), 4
    shapes = [
        *((3 * dim, dim), (3 * dim,), (dim, dim), (dim,), (4 * dim, dim), (4 * dim,), (dim, 4 * dim), (dim,)),
        *((dim,), (dim,), (dim,), (dim,), (dim, dim), (dim,), (dim, dim), (dim,)),
    ]
    values = [
        0.5 * torch.sin(0.9 * torch.arange(math.prod(shape)) + n).reshape(shape) + (n in (8, 10))
        for n, shape in enumerate(shapes)
    ]
    stacked_weight, stacked_bias, *rest = values
    takers = [
        *("layer.attention.out", "layer.feed_forward.0", "layer.feed_forward.3"),
        *("layer.attention_norm", "layer.feed_forward_norm", "mlp.0", "mlp.2"),
    ]
    with torch.no_grad():
        for taker, value in zip(
            [f"{name}.{kind}" for name in takers for kind in ("weight", "bias")], rest, strict=True
        ):
            own[taker].copy_(value)
        for name, start, end in (("query", 0, dim), ("key_value", dim, 3 * dim)):
            own[f"layer.attention.{name}.weight"].copy_(stacked_weight[start:end])
            own[f"layer.attention.{name}.bias"].copy_(stacked_bias[start:end])


@pytest.mark.parametrize("settings", RELEASED_WEIGHTS)
def test_the_released_reading_gives_the_weights_of_the_released_code(settings: tuple[str, ...]) -> None:
    config = CARDConfig(num_items=8, max_length=6, embedding_dim=4).override(*RELEASED_READING, *settings)
    card = CARD(config).double().eval()
    released_parameters(card)
    entries = torch.arange(36).reshape(9, 4)
    with torch.no_grad():
        card.item_embedding.weight.copy_(torch.sin(1.7 * entries + 0.3 * (entries // 4) ** 2).roll(1, dims=0))
    history = pad(RELEASED_ROWS, 6)
    shown = weights_of(card, history)
    _, used = card.train().prepare_history(history, seeded(), Controls())
    assert used is not None
    for row, expected in enumerate(RELEASED_WEIGHTS[settings]):
        for weights in (shown, used.detach()):
            assert weights[row, 6 - len(expected) :].tolist() == pytest.approx(expected, abs=2e-6)


@pytest.mark.parametrize("preset", [RELEASED, PAPER])
def test_presets_are_complete_configs(preset: dict[str | None, tuple[str, ...]]) -> None:
    for settings in preset.values():
        config = CARDConfig(num_items=4).override(*settings)
        assert (config.threshold_entropy, config.future_window) == (1.8893, 3)
        assert (config.per_temperature, config.per_temperature_unit) == (1.0, "absolute")


def test_the_released_preset_routes_everything_and_trains_without_a_loss_of_its_own() -> None:
    settings = RELEASED["zhihu"]
    card = CARD(CARDConfig(num_items=12).override(*settings, "embedding_dim=8"))
    batch = Batch(pad([[1, 2, 3, 4], [5, 6], [7], []] * 16, 10), torch.arange(64) % 12 + 1, torch.ones(64).bool())
    told = card.eval().explain(batch.history)
    assert bool(told.turning.all()) and told.threshold_unit == "entropy" and told.padded
    card.train().loss(batch, seeded()).backward()
    assert any(p.grad is not None and bool(p.grad.any()) for p in card.predictor.parameters())
    assert float(card.per_scale) == pytest.approx(0.1), "nothing follows the usual size of PER"


@pytest.mark.parametrize("wrong", ["routing=both", "predictor=mine", "per_temperature_unit=nats", "weights_from=x"])
def test_unknown_choices_are_refused(wrong: str) -> None:
    with pytest.raises(ValueError, match=wrong.split("=", maxsplit=1)[0]):
        model(wrong)
