"""DiffuASR: what is generated before a history, and what is learned from it."""

import dataclasses
import math

import pytest
import torch
from torch import Generator, Tensor
from torch.nn import functional as F

from demo_core.datasets import Dataset, toy_world
from demo_core.models.base import Controls
from demo_core.models.diffuasr import DiffuASR, DiffuASRConfig, nearest_items, velocity
from demo_core.sequences import PADDING, Batch, Rows, pad
from tests.models.judging import UNJUDGED

M, L = 12, 8


def model(*settings: str) -> DiffuASR:
    torch.manual_seed(0)
    config = DiffuASRConfig(num_items=M, max_length=L, embedding_dim=16, hidden_dim=32)
    built = DiffuASR(config.override("generated_items=3", *settings))
    for sasrec in (built.raw, built.recommender):
        torch.nn.init.normal_(sasrec.item_embedding.weight[1:])
    torch.nn.init.normal_(built.no_guide)
    return built.eval()


def lengthening(*settings: str) -> DiffuASR:
    built = model(*settings)
    built.lengthening.fill_(1)
    return built


def world() -> Dataset:
    return toy_world(num_items=M, num_sequences=60, length=L, seed=0)


def seeded(seed: int = 1) -> Generator:
    return torch.Generator().manual_seed(seed)


def histories() -> Tensor:
    return pad([[3, 1, 4], [5], [], [7, 8, 9, 10, 11, 12, 1, 2], [2, 4, 6, 8, 10, 12]], L)


def test_places_next_to_the_history_choose_first_among_new_items() -> None:
    table = torch.tensor([[0.0, 0.0], [1.0, 0.0], [3.0, 3.0], [0.0, 1.0], [-1.0, 0.0]])
    wanted = torch.tensor([[[0.9, 0.1], [5.0, 0.2], [0.1, 2.0]]])
    assert nearest_items(wanted, table, torch.tensor([[0, 0]]), independent=True).tolist() == [[1, 1, 3]]
    assert nearest_items(wanted, table, torch.tensor([[0, 0]])).tolist() == [[2, 1, 3]]
    assert nearest_items(wanted, table, torch.tensor([[0, 3]])).tolist() == [[4, 1, 2]], "3 stands in the history"
    assert nearest_items(wanted, table, torch.tensor([[3, 1]])).tolist() == [[0, 4, 2]], "and then none is left"


@pytest.mark.parametrize("predicts", ["noise", "velocity"])
def test_a_denoiser_that_knows_the_noise_restores_the_first_items(
    predicts: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    asr = model(f"predicts={predicts}")
    first, history = torch.tensor([[3, 7, 1], [9, 2, 12]]), pad([[4, 5], [6]], L)
    clean = asr.vectors(first).flatten(1)

    def truth(noisy: Tensor, time: Tensor, guide: Tensor, strength: float) -> Tensor:
        left = asr.noise_schedule.alpha_bar[time][:, None].float()
        noise = (noisy - left.sqrt() * clean) / (1 - left).sqrt()
        return noise if predicts == "noise" else velocity(left, clean, noise)

    monkeypatch.setattr(asr, "guided_prediction", truth)
    for steps in (1, 5, 50):
        assert torch.equal(asr.generate(history, asr.draw_noise(2, seeded()), Controls(steps=steps)), first)


def test_velocity_and_what_is_seen_give_both_ends() -> None:
    """x_t and v are x_0 and the noise, turned: 0.6 and 0.8 are cosine and sine."""
    clean, noise, left = torch.tensor([[2.0, 0.0]]), torch.tensor([[0.0, 5.0]]), torch.tensor([[0.36]])
    assert velocity(left, clean, noise).tolist()[0] == pytest.approx([-1.6, 3.0])
    noisy = 0.6 * clean + 0.8 * noise
    torch.testing.assert_close(0.6 * noisy - 0.8 * velocity(left, clean, noise), clean)


def test_a_network_that_predicts_nothing_leaves_velocity_a_small_estimate_and_noise_an_enormous_one() -> None:
    """Where no signal is left: what is missed of the noise is divided by sqrt(abar), about .006 at T - 1."""
    noise = model().draw_noise(4, seeded())
    size = {}
    for predicts in ("velocity", "noise"):
        asr = model(f"predicts={predicts}")
        torch.nn.init.zeros_(asr.denoiser.get_parameter("outward.weight"))
        torch.nn.init.zeros_(asr.denoiser.get_parameter("outward.bias"))
        size[predicts] = float(asr.clean(noise, 999, torch.zeros(4, 16), 0.0).std().detach())
    assert size["velocity"] < 0.01 and size["noise"] > 100


def test_the_noise_of_a_history_is_its_own_and_always_the_same() -> None:
    asr, history = model(), histories()
    together = asr.noise_of(history, seeded())
    assert torch.equal(together, torch.cat([asr.noise_of(row[None], seeded()) for row in history]))
    assert len(together.unique(dim=0)) == len(history)
    assert torch.equal(together, asr.noise_of(pad(histories().tolist(), L + 2), seeded())), "more padding, same noise"


def test_only_free_slots_are_filled_and_by_the_items_nearest_to_the_history() -> None:
    asr, history = lengthening(), histories()
    made = asr.generate(history, asr.noise_of(history, seeded()))
    read = asr.augment(history, seeded())
    assert read.shape == (5, L)
    assert read[0].tolist() == [0, 0, *made[0].tolist(), 3, 1, 4]
    assert read[1].tolist() == [0, 0, 0, 0, *made[1].tolist(), 5]
    assert not read[2].any(), "nothing is known before an empty history"
    assert torch.equal(read[3], history[3]), "a full window stays"
    assert read[4].tolist() == [*made[4, -2:].tolist(), 2, 4, 6, 8, 10, 12]


def test_what_is_generated_are_new_items_each_once() -> None:
    asr, generator = lengthening("generated_items=5"), seeded()
    history = pad([[int(x) for x in torch.randperm(M, generator=generator)[: n % 6 + 1] + 1] for n in range(60)], L)
    for row, given in zip(asr.generate(history, asr.draw_noise(60, seeded())).tolist(), history.tolist(), strict=True):
        assert len(set(row)) == 5 and not set(row) & set(given) and min(row) >= 1 and max(row) <= M


def test_pieces_are_the_first_items_and_what_follows_where_enough_follow() -> None:
    history = pad([[1, 2, 3, 4, 5], [6, 7, 8, 9], [3, 4, 5, 6, 7, 8, 9, 10]], L)
    batch = Batch(history, torch.tensor([6, 10, 11]), torch.ones(3, dtype=torch.bool))
    first, given = model().pieces(batch)
    assert first.tolist() == [[1, 2, 3], [3, 4, 5]], "five items are too few"
    assert [[x for x in row if x] for row in given.tolist()] == [[4, 5, 6], [6, 7, 8, 9, 10, 11]]


def test_the_guide_is_the_mean_of_vectors_of_one_length() -> None:
    asr = model()
    one, other = (asr.raw.item_embedding.weight[i] / asr.raw.item_embedding.weight[i].norm() for i in (3, 5))
    torch.testing.assert_close(asr.guide(pad([[3, 5]], L))[0], math.sqrt(16) * (one + other) / 2)


def test_guidance_moves_away_from_the_unguided_noise_and_strength_0_is_the_conditional_one() -> None:
    asr = model()
    noisy, time, guide = torch.randn(4, 48), torch.arange(4), torch.randn(4, 16)
    conditional = asr.denoiser(noisy, time, guide)
    unconditional = asr.denoiser(noisy, time, asr.no_guide.expand(4, -1))
    assert torch.equal(asr.guided_prediction(noisy, time, guide, 0.0), conditional)
    torch.testing.assert_close(asr.guided_prediction(noisy, time, guide, 2.0), 3 * conditional - 2 * unconditional)


def test_every_step_of_sampling_is_guided_by_the_history_as_strongly_as_is_asked(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asr, history = model("guidance_strength=2.0"), pad([[4, 5], [6]], L)
    told: list[tuple[Tensor, float]] = []

    def nothing(noisy: Tensor, time: Tensor, guide: Tensor, strength: float) -> Tensor:
        told.append((guide, strength))
        return torch.zeros_like(noisy)

    monkeypatch.setattr(asr, "guided_prediction", nothing)
    noise = asr.draw_noise(2, seeded())
    asr.generate(history, noise)
    asr.generate(history, noise, Controls(guidance_strength=0.5))
    assert [strength for _, strength in told] == [2.0] * 5 + [0.5] * 5
    for guide, _ in told:
        torch.testing.assert_close(guide, asr.guide(history))


def test_by_default_the_denoiser_learns_the_velocity() -> None:
    asr = model("unguided_share=0.0")
    first, given, drawn = torch.tensor([[1, 2, 3], [4, 5, 6]]), pad([[5], [9]], L), seeded()
    half = torch.randint(1000, (1,), generator=drawn)
    time, noise = torch.cat([half, 999 - half]), asr.draw_noise(2, drawn)
    clean, left = asr.vectors(first).flatten(1), asr.noise_schedule.alpha_bar[time][:, None].float()
    answer = asr.denoiser(left.sqrt() * clean + (1 - left).sqrt() * noise, time, asr.guide(given))
    expected = F.mse_loss(answer, velocity(left, clean, noise))
    torch.testing.assert_close(asr.denoising_loss(first, given, seeded()), expected)


@pytest.mark.parametrize("inside", [False, True])
def test_guidance_in_the_loss_makes_the_mixture_learn_the_noise(inside: bool) -> None:
    settings = (f"guidance_in_loss={inside}", "guidance_strength=2.0", "unguided_share=0.0", "predicts=noise")
    asr = model(*settings)
    first, given = torch.tensor([[1, 2, 3], [4, 5, 6], [7, 8, 9]]), pad([[5], [9, 8], [2]], L)
    drawn = seeded()
    half = torch.randint(1000, (2,), generator=drawn)
    time = torch.tensor([*half.tolist(), 999 - int(half[0])])
    noise = asr.draw_noise(3, drawn)
    noisy = asr.noise_schedule.add_noise(asr.vectors(first).flatten(1), time, noise)
    answer = asr.guided_prediction(noisy, time, asr.guide(given), 2.0 if inside else 0.0)
    torch.testing.assert_close(asr.denoising_loss(first, given, seeded()), F.mse_loss(answer, noise))


def test_rows_without_a_guide_are_denoised_with_the_learned_one() -> None:
    asr = model("unguided_share=1.0")
    first = torch.tensor([[1, 2, 3], [4, 5, 6]])
    one, other = (asr.denoising_loss(first, pad([[a], [b]], L), seeded()) for a, b in ((7, 8), (9, 10)))
    assert float(one.detach()) == float(other.detach())


def test_a_batch_without_a_long_row_has_no_denoising_error() -> None:
    asr = model()
    batch = Batch(pad([[1, 2]], L), torch.tensor([3]), torch.ones(1, dtype=torch.bool))
    assert float(asr.denoising_loss(*asr.pieces(batch), seeded()).detach()) == 0


@pytest.mark.parametrize("of_denoiser", [False, True])
def test_who_teaches_the_item_vectors(of_denoiser: bool) -> None:
    asr = model(f"vectors_of_denoiser={of_denoiser}")
    table = asr.raw.item_embedding.weight
    error = asr.denoising_loss(torch.tensor([[1, 2, 3]]), pad([[4]], L), seeded())
    (gradient,) = torch.autograd.grad(error, [table], allow_unused=True)
    assert (gradient is not None) == of_denoiser
    trained = {id(parameter) for parameter in asr.phases()[0].parameters}
    assert id(table) in trained and (id(asr.raw.item_bias) in trained) != of_denoiser
    batch = world().train.batch(world().train.is_last.nonzero().squeeze(1), L)
    loss, alone = asr.augmenter_loss(batch, seeded()), asr.denoising_loss(*asr.pieces(batch), seeded())
    assert torch.equal(loss, alone) == of_denoiser


def test_scores_are_the_raw_ones_until_the_second_phase() -> None:
    asr, history = model(), histories()
    assert torch.equal(asr.score(history), asr.raw.score(history))
    asr.lengthen(world(), UNJUDGED)
    expected = asr.recommender.score(asr.augment(history, seeded()))
    assert torch.equal(asr.score(history, seeded()), expected)
    twin = model()
    twin.load_state_dict(asr.state_dict())
    assert torch.equal(twin.score(history, seeded()), expected), "a saved model knows its phase"


def test_without_augmentation_at_inference_the_history_is_read_as_it_is() -> None:
    asr = lengthening("augment_at_inference=False")
    assert torch.equal(asr.score(histories()), asr.recommender.score(histories()))


def test_training_rows_are_lengthened_from_their_own_items() -> None:
    asr, data = model(), world()
    asr.lengthen(data, UNJUDGED)
    rows = data.train.batch(torch.arange(40), L)
    at, known = asr.rows.find(rows.history, rows.target)
    assert torch.equal(known, (rows.history != PADDING).any(dim=1))
    history = asr.lengthened(rows.history, asr.generated[at].long() * known[:, None])
    short = ((rows.history == PADDING).sum(dim=1) >= 3) & known
    assert torch.equal((history != PADDING).sum(dim=1)[short], (rows.history != PADDING).sum(dim=1)[short] + 3)
    expected = asr.recommender.loss(Batch(history, rows.target, rows.is_last), seeded())
    before = rows.history.clone()
    assert torch.equal(asr.loss(rows, seeded()), expected) and torch.equal(rows.history, before)


def test_a_training_history_is_lengthened_when_asked_as_it_was_in_training() -> None:
    asr, data = model(), world()
    asr.lengthen(data, UNJUDGED)
    rows = data.train.batch(torch.arange(40), L)
    at, known = asr.rows.find(rows.history, rows.target)
    trained = asr.lengthened(rows.history, asr.generated[at].long() * known[:, None])
    assert not torch.equal(trained, rows.history)
    assert torch.equal(asr.augment(rows.history), trained)


def test_nothing_of_validation_and_test_is_looked_at() -> None:
    one, other, data = model(), model(), world()
    swapped = Rows(data.test.items % M + 1, data.test.start, data.test.target_at, data.test.is_last)
    one.lengthen(data, UNJUDGED)
    other.lengthen(dataclasses.replace(data, validation=swapped, test=swapped), UNJUDGED)
    assert bool(one.generated.any()) and torch.equal(one.generated, other.generated)


def test_another_seed_generates_something_else_and_the_same_one_the_same() -> None:
    asr, history = lengthening(), histories()
    assert torch.equal(asr.augment(history, seeded()), asr.augment(history, seeded()))
    assert not torch.equal(asr.augment(history, seeded(1)), asr.augment(history, seeded(2)))


def test_whatever_vector_padding_has_changes_nothing() -> None:
    asr, history = lengthening(), histories()
    before = asr.score(history, seeded())
    longer = F.pad(history, (4, 0))
    torch.testing.assert_close(asr.score(longer, seeded()), before)
    given = asr.vectors(torch.tensor([PADDING]))
    assert not given.any(), "the guide of padding is nothing"


@pytest.mark.parametrize("setting", ["network=cnn", "generated_items=0"])
def test_a_wrong_setting_is_refused(setting: str) -> None:
    with pytest.raises(ValueError, match=setting.split("=")[0]):
        model(setting)
