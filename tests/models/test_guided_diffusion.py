"""What TDM and CARD share, seen through TDM, which at inference adds nothing of its own."""

import math

import pytest
import torch
from torch import Tensor

from demo_core.layers import CausalEncoder, Dropout, unit
from demo_core.models import create, preset
from demo_core.models.base import Controls
from demo_core.models.guided_diffusion import GuidedDiffusion
from demo_core.models.tdm import TDM, TDMConfig
from demo_core.sequences import PADDING, Batch, pad

HISTORY = pad([[1, 2, 3], [7], [], [4, 5, 6, 7, 8, 9, 10]], 6)
BATCH = Batch(HISTORY, torch.tensor([4, 8, 1, 11]), torch.ones(4, dtype=torch.bool))


def model(*settings: str, awake: bool = True) -> TDM:
    """``awake``: the denoiser's last layer, which starts at zero, gets random values."""
    torch.manual_seed(0)
    built = TDM(TDMConfig(num_items=12, max_length=6, embedding_dim=8, diffusion_steps=50).override(*settings)).eval()
    torch.nn.init.normal_(built.item_embedding.weight)
    if awake:
        torch.nn.init.normal_(built.get_parameter("denoiser.mix.2.weight"), std=0.5)
    return built


def seeded(seed: int = 3) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def test_the_diffusion_target_is_the_items_direction_at_a_fixed_length_without_gradient() -> None:
    tdm = model("target_scale=0.3")
    target = tdm.target_vector(torch.tensor([1, 12]))
    assert not target.requires_grad, "with a gradient all targets collapse to one point"
    assert target.norm(dim=1).tolist() == pytest.approx([0.3 * math.sqrt(8)] * 2)
    torch.testing.assert_close(unit(target), unit(tdm.item_embedding.weight[[1, 12]].detach()))


def test_an_untrained_denoiser_returns_the_guidance_whatever_the_noise() -> None:
    tdm = model(awake=False)
    expected = tdm.rank(tdm.guidance(HISTORY, None))
    for seed in (1, 2):
        torch.testing.assert_close(tdm.score(HISTORY, seeded(seed)), expected)


def test_sampling_equals_a_loop_over_noises_rows_and_steps() -> None:
    tdm = model("inference_steps=3", "noise_samples=2", "guidance_strength=0.7")
    with torch.no_grad():
        guidance = tdm.guidance(HISTORY, None)
        noises = torch.randn(2, 1, 8, generator=seeded())
        level = tdm.noise_schedule.alpha_bar
        times = tdm.noise_schedule.spaced_times(3)
        for row in range(4):
            total = torch.zeros(8)
            for noise in noises:
                state = noise
                for time, earlier in zip(times, [*times[1:], -1], strict=True):
                    at = torch.tensor([time])
                    knowing = tdm.denoiser(state, guidance[row : row + 1], at)
                    blind = tdm.denoiser(state, tdm.no_guidance[None], at)
                    clean = 1.7 * knowing - 0.7 * blind
                    shaped = clean / clean.norm() * tdm.config.target_scale * math.sqrt(8)
                    now = float(level[time])
                    before = float(level[earlier]) if earlier >= 0 else 1.0
                    rest = (state - math.sqrt(now) * shaped) / math.sqrt(1 - now)
                    state = math.sqrt(before) * shaped + math.sqrt(1 - before) * rest
                total += clean[0]
            torch.testing.assert_close(
                tdm.generate(guidance, seeded(), Controls())[row], total / 2, atol=1e-4, rtol=1e-4
            )


def test_guidance_strength_zero_is_the_conditional_answer() -> None:
    plain = model("guidance_strength=0.0").score(HISTORY, seeded())
    torch.testing.assert_close(
        model("guidance_strength=4.0").score(HISTORY, seeded(), Controls(guidance_strength=0.0)), plain
    )
    assert not torch.allclose(model("guidance_strength=4.0").score(HISTORY, seeded())[:, 1:], plain[:, 1:])


def test_the_steps_of_a_visitor_replace_those_of_the_config() -> None:
    torch.testing.assert_close(
        model("inference_steps=2").score(HISTORY, seeded(), Controls(steps=7)),
        model("inference_steps=7").score(HISTORY, seeded()),
    )
    every = model().score(HISTORY, seeded(), Controls(steps=50))
    torch.testing.assert_close(model().score(HISTORY, seeded(), Controls(steps=51)), every, msg="all there are")
    with pytest.raises(ValueError, match="1 to 50"):
        model().score(HISTORY, seeded(), Controls(steps=0))


def test_another_seed_is_another_noise() -> None:
    tdm = model("noise_samples=1")
    assert not torch.allclose(tdm.score(HISTORY, seeded(1))[:, 1:], tdm.score(HISTORY, seeded(2))[:, 1:])


def test_the_loss_adds_up_ranking_error_and_guidance_ranking_as_weighed() -> None:
    tdm = model("ranking_weight=1.0", "error_weight=0.0")
    parts: list[Tensor] = []
    for weights in ((1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0), (0.5, 2.0, 3.0)):
        names = ("ranking_weight", "error_weight", "guidance_ranking_weight")
        tdm = model(*(f"{name}={weight}" for name, weight in zip(names, weights, strict=True)))
        parts.append(tdm.loss(BATCH, seeded()).detach())
    torch.testing.assert_close(0.5 * parts[0] + 2.0 * parts[1] + 3.0 * parts[2], parts[3])


def test_the_loss_equals_a_loop_over_the_rows() -> None:
    tdm = model("unconditional_rate=0.4", "error_weight=0.3")
    generator = seeded()
    with torch.no_grad():
        guidance, clean = tdm.guidance(HISTORY, None), tdm.target_vector(BATCH.target)
        time = torch.randint(50, (4,), generator=generator)
        noise = torch.randn(4, 8, generator=generator)
        dropped = torch.rand(4, 1, generator=generator)[:, 0] < 0.4
        bias, total = tdm.get_parameter("item_bias"), 0.0
        for row, target in enumerate(BATCH.target.tolist()):
            left = float(tdm.noise_schedule.alpha_bar[time[row]])
            noisy = math.sqrt(left) * clean[row] + math.sqrt(1 - left) * noise[row]
            given = tdm.no_guidance if dropped[row] else guidance[row]
            estimate = tdm.denoiser(noisy[None], given[None], time[row][None])[0]
            scores = [float(estimate @ tdm.item_embedding.weight[item] + bias[item]) for item in range(1, 13)]
            total += math.log(sum(math.exp(score) for score in scores)) - scores[target - 1]
            total += 0.3 * float((estimate / estimate.norm() - clean[row] / clean[row].norm()).square().sum())
        assert 0 < int(dropped.sum()) < 4, "both kinds of row are in the batch"
        assert float(tdm.loss(BATCH, seeded())) == pytest.approx(total / 4, rel=1e-4)


def test_the_guidance_itself_ranks_in_every_row_even_where_the_denoiser_goes_without() -> None:
    settings = ("ranking_weight=0.0", "error_weight=0.0", "guidance_ranking_weight=1.0", "unconditional_rate=1.0")
    tdm = model(*settings)
    expected = tdm.ranking_loss(tdm.guidance(HISTORY, None), BATCH.target)
    torch.testing.assert_close(tdm.loss(BATCH, seeded()), expected)


def share_missing_in_training(name: str, monkeypatch: pytest.MonkeyPatch, *settings: str) -> float:
    """Of the items of a full window, in what a training step of the model reads."""
    config = preset(name, "default", "toy", 12).override("embedding_dim=8", "max_length=6", *settings)
    built = create(name, config, seed=0)
    assert isinstance(built, GuidedDiffusion)
    inner, read = built.guidance, list[Tensor]()

    def note(history: Tensor, weights: Tensor | None) -> Tensor:
        read.append(history)
        return inner(history, weights)

    monkeypatch.setattr(built, "guidance", note)
    rows = 300
    history = pad([[1, 2, 3, 4, 5, 6]], 6).repeat(rows, 1)
    built.train().loss(Batch(history, torch.full((rows,), 9), torch.ones(rows, dtype=torch.bool)), seeded())
    return float((read[0] == PADDING).sum()) / (6 * rows)


@pytest.mark.parametrize("name", ["tdm", "card"])
def test_a_training_step_reads_thinned_histories(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """All of them are stable before the first epoch."""
    missing = share_missing_in_training(name, monkeypatch, "removal_rate=0.3")
    assert missing == pytest.approx(0.3 * 5 / 6, abs=0.03)


@pytest.mark.parametrize(("name", "settings"), [("dreamrec", ()), ("card", ("routing=none",))])
def test_a_training_step_reads_histories_with_gaps(
    name: str, settings: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    missing = share_missing_in_training(name, monkeypatch, "missing_rate=0.6", *settings)
    assert missing == pytest.approx(0.3, abs=0.04), "half of the rate, on average"


def causal_encoder(*settings: str) -> tuple[TDM, CausalEncoder]:
    tdm = model(*settings)
    assert isinstance(tdm.encoder, CausalEncoder)
    return tdm, tdm.encoder


def test_an_older_item_knows_nothing_of_a_newer_one() -> None:
    tdm, encoder = causal_encoder()
    rows = pad([[4, 5, 6, 7, 8, 9], [4, 5, 6, 7, 8, 1]], 6)
    states = encoder(tdm.item_embedding(rows), rows != PADDING)
    torch.testing.assert_close(states[0, :-1], states[1, :-1])
    assert not torch.allclose(states[0, -1], states[1, -1])


def test_each_rate_of_dropout_goes_where_it_belongs() -> None:
    _, encoder = causal_encoder("dropout=0.4", "input_dropout=0.1")
    rates = {name: part.rate for name, part in encoder.named_modules() if isinstance(part, Dropout)}
    assert rates.pop("input_dropout") == 0.1
    assert rates and set(rates.values()) == {0.4}


def test_an_unknown_schedule_is_refused_by_name() -> None:
    with pytest.raises(ValueError, match="zigzag"):
        model("schedule=zigzag")
