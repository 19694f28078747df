"""DiffRec: rows of interactions, their loss and the reverse chain, computed by hand."""

import dataclasses
import math

import pytest
import torch
from torch import Tensor, nn

from demo_core.models import preset
from demo_core.models.base import Controls
from demo_core.models.diffrec import (
    PAPER,
    RELEASED,
    DiffRec,
    DiffRecConfig,
    RowDenoiser,
    interaction_row,
    step_weights,
    tiling_rows,
)
from demo_core.models.step_sampling import ImportanceSteps
from demo_core.sequences import Batch, Rows, pad
from tests.models.test_contract import steps, world

M = 6
TWO_STEPS = ("diffusion_steps=2", "noise_scale=1.0", "noise_low=0.1", "noise_high=0.5")  # abar = 0.9, 0.5


def model(*settings: str) -> DiffRec:
    torch.manual_seed(0)
    config = DiffRecConfig(num_items=M, max_length=4).override("embedding_dim=5", *settings)
    built = DiffRec(config).double().eval()
    nn.init.normal_(built.denoiser.outward.bias)
    nn.init.normal_(built.denoiser.step.bias)
    return built


def halving() -> DiffRec:
    """f(x, t) = x / 2."""
    built = model("embedding_dim=6", *TWO_STEPS)
    net = built.denoiser
    net.middle = nn.Sequential()
    for parameter in net.parameters():
        nn.init.zeros_(parameter)
    nn.init.eye_(net.inward.weight)
    nn.init.eye_(net.outward.weight)
    net.outward.weight.data.mul_(0.5)
    return built


def batch() -> Batch:
    history = pad([[1, 2, 3], [], [5, 5]], 4)
    return Batch(history, torch.tensor([4, 6, 2]), torch.ones(3, dtype=torch.bool))


def seeded() -> torch.Generator:
    return torch.Generator().manual_seed(1)


def test_a_row_has_a_one_for_every_item_and_none_for_padding() -> None:
    row = interaction_row(pad([[2, 5, 2], [], [6]], 4), M)
    assert row.tolist() == [[0, 1, 0, 0, 1, 0], [0] * 6, [0, 0, 0, 0, 0, 1]]


def test_with_recency_entries_rise_linearly_to_the_newest_item() -> None:
    row = interaction_row(pad([[2, 5, 6], [3, 1], [4], [1, 2, 1]], 5), M, oldest_weight=0.2)
    expected = [[0, 0.2, 0, 0, 0.6, 1], [1, 0, 0.2, 0, 0, 0], [0, 0, 0, 1, 0, 0], [1, 0.6, 0, 0, 0, 0]]
    torch.testing.assert_close(row, torch.tensor(expected))


def test_the_training_rows_tile_every_sequence_from_its_end() -> None:
    rows = Rows.prefixes([[1, 2, 3, 4, 5], [6], [1, 6, 2], [3, 4]])
    index = tiling_rows(rows, 2)
    covered = [[int(i) for i in row if i] for row in torch.cat([rows.history(index, 1), rows.target[index, None]], 1)]
    assert covered == [[1], [2, 3], [4, 5], [6], [1], [6, 2], [3, 4]]


def test_of_short_sequences_the_longest_row_is_trained_on() -> None:
    (phase,) = model("max_length=8").phases()
    assert phase.rows is not None
    chosen = phase.rows(world())
    assert torch.equal(chosen, world().train.is_last.nonzero().squeeze(1))


def test_the_variance_rises_linearly() -> None:
    schedule = model("diffusion_steps=5").noise_schedule
    expected = [0.01 * (0.001 + 0.00225 * t) for t in range(5)]
    assert (1 - schedule.alpha_bar).tolist() == pytest.approx(expected, rel=1e-9)


def test_steps_are_weighed_by_the_fall_of_the_signal_to_noise_ratio() -> None:
    assert step_weights(model(*TWO_STEPS).noise_schedule).tolist() == pytest.approx([1.0, 0.9 / 0.1 - 0.5 / 0.5])


def test_the_first_noise_rate_can_be_fixed_as_in_the_released_code() -> None:
    schedule = model(*TWO_STEPS, "fixed_first_rate=True").noise_schedule
    assert schedule.alpha_bar.tolist() == pytest.approx([1 - 1e-5, (1 - 1e-5) * 0.5 / 0.9])


def test_the_answer_is_the_last_estimate_after_the_posterior_means() -> None:
    """abar = 0.9, 0.5, so beta_1 = 4/9; x_1 is the row itself, and the posterior of step 0 is the estimate."""
    of_clean, of_state = math.sqrt(0.9) * (4 / 9) / 0.5, math.sqrt(5 / 9) * 0.1 / 0.5
    expected = 0.5 * (of_clean * 0.5 + of_state)
    restored = halving().restore(interaction_row(pad([[2, 5]], 4), M).double())
    assert restored.tolist()[0] == pytest.approx([0, expected, 0, 0, expected, 0], abs=1e-9)


def test_what_the_row_holds_is_restored_best_and_ranked_last() -> None:
    diffrec = model()
    for history in (pad([[2, 5]], 4), pad([[3, 3, 1]], 4), pad([[6, 1, 2, 3, 4]], 5)):
        scores = diffrec.score(history)[0]
        restored = diffrec.restore(interaction_row(history[:, -4:], M).double())[0]
        own = set(history[0, -4:].tolist()) - {0}
        others = [item for item in range(1, M + 1) if item not in own]
        assert set(scores.argsort()[1 : len(own) + 1].tolist()) == own  # behind padding alone
        assert torch.equal(scores[others], restored[[item - 1 for item in others]])
        assert scores[0] == -math.inf


def test_one_step_is_the_network_on_the_row_itself() -> None:
    diffrec, history = model("diffusion_steps=5", "noise_scale=50.0"), pad([[2, 5]], 4)
    expected = diffrec.denoiser(interaction_row(history, M).double(), torch.tensor([4]))
    others = [1, 3, 4, 6]  # those that the row does not hold
    read = [item - 1 for item in others]
    torch.testing.assert_close(diffrec.score(history, controls=Controls(steps=1))[:, others], expected[:, read])
    assert not torch.allclose(diffrec.score(history)[:, others], expected[:, read])


@pytest.mark.parametrize("settings", [(), ("outer_dim=9",), ("diffusion_steps=1",)])
def test_the_chain_in_the_hidden_dimension_is_the_chain_over_items(settings: tuple[str, ...]) -> None:
    """Bayes' rule on every step: q(x_{t-1} | x_0) and q(x_t | x_{t-1}) are Gaussians whose precisions add up."""
    diffrec = model("diffusion_steps=5", "noise_scale=1.0", "noise_low=0.05", "noise_high=0.6", *settings)
    row = torch.rand(3, M, dtype=torch.float64)
    left, state = [1.0, *diffrec.noise_schedule.alpha_bar.tolist()], row
    for t in range(len(left) - 2, -1, -1):
        clean = diffrec.denoiser(state, torch.tensor([t]))
        if t:
            alpha, before = left[t + 1] / left[t], left[t]
            precision = 1 / (1 - before) + alpha / (1 - alpha)
            state = (math.sqrt(before) / (1 - before) * clean + math.sqrt(alpha) / (1 - alpha) * state) / precision
    torch.testing.assert_close(diffrec.restore(row), clean, atol=1e-9, rtol=0)


def test_the_loss_of_a_row_is_its_squared_error_from_a_noised_state() -> None:
    clean, noise = torch.eye(M, dtype=torch.float64)[:2], torch.full((2, M), 0.1, dtype=torch.float64)
    losses = halving().row_losses(clean, torch.tensor([0, 1]), noise)
    expected = []
    for left in (0.9, 0.5):
        pushed = 0.1 * math.sqrt(1 - left)
        at_one, elsewhere = 0.5 * (math.sqrt(left) + pushed) - 1, 0.5 * pushed
        expected.append(at_one**2 + (M - 1) * elsewhere**2)
    assert losses.tolist() == pytest.approx(expected)


def test_the_slips_of_the_loss_weigh_steps_and_divide_by_the_items() -> None:
    clean, noise, time = torch.eye(M)[:2].double(), torch.zeros(2, M).double(), torch.tensor([0, 1])
    plain = model(*TWO_STEPS).row_losses(clean, time, noise)
    weighed = model(*TWO_STEPS, "snr_weights=True").row_losses(clean, time, noise)
    mean = model(*TWO_STEPS, "mean_error=True").row_losses(clean, time, noise)
    torch.testing.assert_close(weighed, plain * torch.tensor([1.0, 8.0]).double())
    torch.testing.assert_close(mean, plain / M)


def test_a_training_row_holds_history_and_target_and_the_batch_stays_as_it_was(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    diffrec, given, seen = model(), batch(), list[Tensor]()

    def row_losses(clean: Tensor, time: Tensor, noise: Tensor) -> Tensor:
        seen.append(clean)
        return clean.sum(dim=1)

    monkeypatch.setattr(diffrec, "row_losses", row_losses)
    assert float(diffrec.loss(given, seeded())) == pytest.approx((4 + 1 + 2) / 3)
    assert seen[0].tolist() == [[1, 1, 1, 1, 0, 0], [0, 0, 0, 0, 0, 1], [0, 1, 0, 0, 1, 0]]
    assert torch.equal(given.history, batch().history)


def test_hard_steps_are_drawn_more_often_and_count_less_with_importance_sampling() -> None:
    diffrec = model(*TWO_STEPS, "step_sampling=importance").float()
    sampler = diffrec.step_sampler
    assert isinstance(sampler, ImportanceSteps)
    diffrec.loss(batch(), seeded())
    assert sampler.count.tolist() == [0, 0], "evaluation records nothing"
    diffrec.train().loss(batch(), seeded())
    assert int(sampler.count.sum()) == 3
    sampler.record(torch.tensor([0] * 10 + [1] * 10), torch.tensor([1.0] * 10 + [3.0] * 10))
    time, rarity = sampler.draw(2000, seeded())
    assert float((time == 1).double().mean()) == pytest.approx(0.75, abs=0.03)
    assert float(rarity[time == 1][0]) == pytest.approx(1 / (2 * 0.75), rel=0.01)


def test_the_loss_of_a_row_counts_less_the_likelier_its_step_was() -> None:
    diffrec = model(*TWO_STEPS, "step_sampling=importance").float()
    diffrec.step_sampler.record(torch.tensor([0] * 10 + [1] * 10), torch.tensor([1.0] * 10 + [3.0] * 10))
    generator, few = seeded(), batch()
    given = Batch(few.history.repeat(4, 1), few.target.repeat(4), few.is_last.repeat(4))
    clean = interaction_row(torch.cat([given.history, given.target[:, None]], dim=1), M)
    time, rarity = diffrec.step_sampler.draw(12, generator)
    assert len(rarity.unique()) == 2
    losses = diffrec.row_losses(clean, time, torch.randn(clean.shape, generator=generator))
    torch.testing.assert_close(diffrec.loss(given, seeded()), (losses * rarity).mean())


def test_the_network_misses_half_of_the_row_in_training_alone() -> None:
    row, time = torch.ones(1, M, dtype=torch.float64), torch.tensor([0])
    net = RowDenoiser(M, 5, None, 0.5).double()
    assert not torch.equal(net.train()(row, time), net(row, time))
    assert torch.equal(net.eval()(row, time), net(row, time))
    assert torch.equal(model().score(batch().history), model("input_dropout=0.0").score(batch().history))


def test_an_empty_history_is_a_row_of_zeros_and_no_noise_is_drawn() -> None:
    diffrec = model()
    empty = diffrec.score(pad([[]], 4), torch.Generator().manual_seed(1))
    torch.testing.assert_close(empty[:, 1:], diffrec.restore(torch.zeros(1, M, dtype=torch.float64)))
    assert torch.equal(empty, diffrec.score(pad([[]], 4), torch.Generator().manual_seed(2)))
    assert diffrec.denoising(pad([[1]], 4)) is None


def test_only_the_window_is_read() -> None:
    diffrec = model()
    assert torch.equal(diffrec.score(pad([[6, 1, 2, 3, 4]], 5)), diffrec.score(pad([[1, 2, 3, 4]], 5)))


def test_an_items_vector_is_its_row_of_the_last_layer() -> None:
    diffrec = model("outer_dim=9")
    vectors = diffrec.embedding()
    assert vectors.shape == (M + 1, 9) and not vectors[0].any()
    assert torch.equal(vectors[1:], diffrec.denoiser.outward.weight)


@pytest.mark.parametrize(("oldest_weight", "least", "most"), [(1.0, 0.3, 0.7), (0.1, 0.85, 1.0)])
def test_a_set_has_two_ends_unless_its_newest_item_weighs_most(oldest_weight: float, least: float, most: float) -> None:
    """In the world of i, i + 1, ... a history is an arc of a circle of twelve."""
    torch.manual_seed(0)
    config = DiffRecConfig(num_items=12, max_length=8, embedding_dim=16, oldest_weight=oldest_weight, batch_size=128)
    diffrec = DiffRec(config)
    (phase,) = diffrec.phases()
    for _ in steps(phase, diffrec, world(), epochs=40):
        pass
    rows = world().test
    history = rows.history(torch.arange(len(rows)), 8)
    first = diffrec.eval().recommend(history, 1)[0][:, 0]
    oldest = history.gather(1, (history == 0).sum(dim=1, keepdim=True)).squeeze(1)
    after, before = first == rows.target, (oldest - first) % 12 == 1
    assert float((after | before).double().mean()) >= 0.9
    assert least <= float(after.double().mean()) <= most


@pytest.mark.parametrize("data", ["zhihu", "ml-1m", "beauty"])
def test_released_and_paper_differ_by_what_only_the_code_has(data: str) -> None:
    released, paper = (preset("diffrec", name, data, 9) for name in ("released", "paper"))
    assert isinstance(released, DiffRecConfig) and isinstance(paper, DiffRecConfig)
    assert dataclasses.replace(released, fixed_first_rate=False, mean_error=False) == paper
    assert released.fixed_first_rate and released.mean_error
    assert paper.snr_weights and paper.step_sampling == "importance"
    small = released.override("embedding_dim=4", "outer_dim=6" if released.outer_dim else "outer_dim=None")
    assert bool(DiffRec(small).train().loss(batch(), seeded()).isfinite())


def test_the_released_settings_are_those_of_the_data_set_most_like_it() -> None:
    assert set(RELEASED) == set(PAPER) == {"ml-1m", "movielens", "beauty", None}
    films, books, other = (preset("diffrec", "released", data, 9) for data in ("ml-1m", "beauty", "zhihu"))
    told = lambda c: (c.diffusion_steps, c.noise_scale, c.noise_low, c.noise_high, c.learning_rate)  # noqa: E731
    assert told(films) == (40, 0.005, 0.005, 0.01, 1e-3) and films.to_dict()["outer_dim"] == 600
    assert told(books) == (5, 1e-4, 5e-4, 5e-3, 5e-5)
    assert told(other) == (5, 0.01, 1e-3, 0.01, 1e-5)


@pytest.mark.parametrize(
    ("setting", "expected"), [("step_sampling=often", "importance"), ("oldest_weight=0.0", "oldest_weight")]
)
def test_settings_that_cannot_be_are_refused(setting: str, expected: str) -> None:
    with pytest.raises(ValueError, match=expected):
        model(setting)
