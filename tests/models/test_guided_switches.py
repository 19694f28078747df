"""Every switch of the guided family alone: what it changes, and that it works on its own."""

import math

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from demo_core.layers import unit
from demo_core.models.base import Controls
from demo_core.models.dreamrec import DreamRec, DreamRecConfig
from demo_core.models.guided_config import CHOICES, PAPER_GUIDED, PAPER_STRIDED, RELEASED_GUIDED, RELEASED_STRIDED
from demo_core.models.guided_diffusion import contrastive_loss
from demo_core.sequences import Batch, pad
from tests.models.released_network import CONTRASTIVE, wave

HISTORY = pad([[1, 2, 3], [7], [], [4, 5, 6, 7, 8, 9, 10]], 6)
BATCH = Batch(HISTORY, torch.tensor([4, 8, 1, 11]), torch.ones(4, dtype=torch.bool))
SMALL = ("max_length=6", "embedding_dim=8", "diffusion_steps=50", "stride=10")
ALONE = [
    *(f"{field}={value}" for field, known in CHOICES.items() for value in known),
    *("exact_zero_masks=True", "initial_scale=1.0", "trained_padding=True", "item_bias=False", "target_gradient=True"),
    *("ranking_weight=0.0", "error_weight=0.0", "guidance_ranking_weight=1.0", "contrastive_weight=0.1"),
    *("missing_rate=0.5", "bag_guidance=True", "neighbour_target_rate=0.5"),
    *("late_time=True", "misindexed_noise=True", "project_estimates=False", "trained_items_only=True"),
]
READINGS = {
    "default": (),
    "released": (*RELEASED_GUIDED, *RELEASED_STRIDED, *SMALL),
    "paper": (*PAPER_GUIDED, *PAPER_STRIDED, *SMALL),
}


def model(*settings: str) -> DreamRec:
    torch.manual_seed(0)
    return DreamRec(DreamRecConfig(num_items=12).override(*SMALL, *settings)).eval()


def seeded(seed: int = 3) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def loss(built: DreamRec) -> Tensor:
    return built.loss(BATCH, seeded()).detach()


@pytest.mark.parametrize("setting", ALONE)
@pytest.mark.parametrize("reading", READINGS)
def test_a_switch_works_alone(reading: str, setting: str) -> None:
    built = model(*READINGS[reading], setting)
    for _ in range(2):
        built.train()
        value = built.loss(BATCH, seeded())
        if value.requires_grad:  # with no term left it is the constant 0
            value.backward()
        assert torch.isfinite(value)
        with torch.inference_mode():
            scores = built.eval().score(HISTORY, seeded())
        assert torch.isfinite(scores[:, 1:]).all() and torch.isneginf(scores[:, 0]).all()


@pytest.mark.parametrize("field", sorted(CHOICES))
def test_an_unknown_choice_is_refused_with_the_known_ones(field: str) -> None:
    with pytest.raises(ValueError, match=f"{field}.*{CHOICES[field][0]}.*zigzag"):
        model(f"{field}=zigzag")


def test_initial_scale_is_that_of_items_null_guidance_and_positions() -> None:
    built = DreamRec(DreamRecConfig(num_items=2000).override("initial_scale=3.0", "encoder=released"))
    spread = built.item_embedding.weight[1:].detach().std()
    assert float(spread) == pytest.approx(3.0, rel=0.02)
    for tensor in (built.no_guidance, built.get_parameter("encoder.position")):
        assert float(tensor.detach().std()) == pytest.approx(3.0, rel=0.3)


def test_padding_is_zero_and_no_candidate_unless_it_is_an_ordinary_row() -> None:
    plain, ordinary = model(), model("trained_padding=True", "initial_scale=1.0")
    assert not plain.item_embedding.weight[0].any() and ordinary.item_embedding.weight[0].all()
    assert torch.isneginf(plain.score_with_padding(HISTORY)[:, 0]).all()
    with_padding, without = ordinary.score_with_padding(HISTORY), ordinary.score(HISTORY)
    assert torch.isfinite(with_padding[:, 0]).all()
    assert torch.equal(with_padding[:, 1:], without[:, 1:]) and torch.isneginf(without[:, 0]).all()


def test_an_empty_history_is_a_learned_item_or_nothing() -> None:
    start, nothing = model(), model("empty_history=nothing")
    assert len(start.item_embedding.weight) == 14 and len(nothing.item_embedding.weight) == 13
    empty = pad([[]], 6)
    before = nothing.guidance(empty, None)
    with torch.no_grad():
        start.item_embedding.weight[13] = start.item_embedding.weight[5]
        nothing.item_embedding.weight[1:] += 1
    torch.testing.assert_close(start.guidance(empty, None), start.guidance(pad([[5]], 6), None))
    torch.testing.assert_close(nothing.guidance(empty, None), before)


def test_weights_on_the_input_multiply_item_and_position_before_the_encoder() -> None:
    built = model("weights_on=input")
    weights = torch.rand(4, 6, generator=seeded()) * 2
    position = built.get_parameter("encoder.position")
    expected = weights[..., None] * (built.item_embedding(HISTORY) + position.flip(0))
    seen: list[Tensor] = []
    dropout = built.get_submodule("encoder.input_dropout")
    dropout.register_forward_hook(lambda module, inputs, output: seen.append(output))
    built.guidance(HISTORY, weights)
    real = HISTORY != 0
    torch.testing.assert_close(torch.cat([row[None] for row in expected[real]]), seen[0][_kept(real)])


def test_weights_on_the_embedding_are_weights_of_the_item() -> None:
    built = model("weights_on=embedding", "empty_history=nothing")
    weights = torch.rand(4, 6, generator=seeded()) * 2
    expected = built.encoder(weights[..., None] * built.item_embedding(HISTORY), HISTORY != 0, None, last_only=True)
    torch.testing.assert_close(built.guidance(HISTORY, weights), expected)


def test_the_target_is_the_embedding_with_or_without_its_gradient() -> None:
    constant, attached = (
        model("diffusion_target=embedding"),
        model("diffusion_target=embedding", "target_gradient=True"),
    )
    target = torch.tensor([3, 12])
    torch.testing.assert_close(constant.target_vector(target), constant.item_embedding.weight[[3, 12]].detach())
    assert not constant.target_vector(target).requires_grad and attached.target_vector(target).requires_grad
    direction = model("target_gradient=True").target_vector(target)
    assert direction.requires_grad
    assert direction.norm(dim=1).tolist() == pytest.approx([0.05 * math.sqrt(8)] * 2)


def test_errors_of_vectors_differ_by_the_width() -> None:
    estimate, clean = wave(1, 5, 8), wave(2, 5, 8)
    squared = (estimate - clean).square().sum(dim=1).mean()
    torch.testing.assert_close(model("error=squared_norm").error(estimate, clean), squared)
    torch.testing.assert_close(model("error=mean_square").error(estimate, clean), squared / 8)
    directions = (unit(estimate) - unit(clean)).square().sum(dim=1).mean()
    torch.testing.assert_close(model().error(estimate, clean), directions)


def test_the_contrastive_loss_is_that_of_the_authors_code() -> None:
    """A figure of CARD.py, strategy ``cl``."""
    assert float(contrastive_loss(wave(70, 3, 8), wave(71, 3, 8), 0.1)) == pytest.approx(CONTRASTIVE, abs=1e-9)


def test_contrast_is_made_with_the_guidance_that_the_denoiser_got() -> None:
    settings = ("unconditional_rate=0.4", "ranking_weight=0.0", "error_weight=0.0")
    built = model(*settings, "contrastive_weight=0.5", "contrastive_temperature=0.2")
    clean = built.target_vector(BATCH.target)
    _, given = built.denoise_training(clean, built.guidance(HISTORY, None), seeded())
    assert 0 < int((given == built.no_guidance).all(dim=1).sum()) < 4, "both kinds of row are in the batch"
    expected = 0.5 * F.cross_entropy(unit(given) @ unit(clean).T / 0.2, torch.arange(4))
    torch.testing.assert_close(loss(built), expected.detach())


@pytest.mark.parametrize("slip", ["late_time=True", "misindexed_noise=True"])
def test_a_slip_of_the_strided_walk_changes_what_is_generated(slip: str) -> None:
    for denoiser in ("linear", "mlp"):
        settings = ("sampler=strided", f"denoiser={denoiser}", "noise_samples=1")
        assert not torch.allclose(
            model(*settings).score(HISTORY, seeded())[:, 1:], model(*settings, slip).score(HISTORY, seeded())[:, 1:]
        )


@pytest.mark.parametrize("strength", [0.0, 2.5])
@pytest.mark.parametrize("sampler", CHOICES["sampler"])
def test_sampling_at_once_equals_the_steps(sampler: str, strength: float) -> None:
    """float32, with the same noises; watched, the steps are taken one by one."""
    slips = ("late_time=True", "misindexed_noise=True") if sampler == "strided" else ()
    settings = ("denoiser=linear", "project_estimates=False", f"guidance_strength={strength}", "noise_samples=3")
    built = model(f"sampler={sampler}", "inference_steps=7", *settings, *slips)
    guidance = torch.randn(5, 8, generator=seeded(8))
    with torch.inference_mode():
        once = built.generate(guidance, seeded(), Controls())
        stepwise = built.generate(guidance, seeded(), Controls(), lambda step, state, clean: None)
    torch.testing.assert_close(once, stepwise, atol=1e-5, rtol=1e-5)
    exact = built.double()
    with torch.inference_mode():
        once = exact.generate(guidance.double(), seeded(), Controls())
        stepwise = exact.generate(guidance.double(), seeded(), Controls(), lambda step, state, clean: None)
    torch.testing.assert_close(once, stepwise, atol=1e-10, rtol=0)


def test_projected_steps_are_never_taken_at_once() -> None:
    """They are not affine: an estimate is brought to the length of a target before the next step."""
    settings = ("denoiser=linear", "inference_steps=5", "noise_samples=1")
    projected, free = model(*settings), model(*settings, "project_estimates=False")
    guidance = torch.randn(5, 8, generator=seeded(8))
    first, second = (built.generate(guidance, seeded(), Controls()) for built in (projected, free))
    assert not torch.allclose(first, second)


def test_likeness_is_inner_product_cosine_or_distance() -> None:
    vector = torch.randn(3, 8, generator=seeded())
    for scoring in CHOICES["scoring"]:
        built = model(f"scoring={scoring}", "initial_scale=1.0")
        nn.init.normal_(built.get_parameter("item_bias"))
        items = built.item_embedding.weight.detach()[:13]
        by_hand = {
            "inner": vector @ items.T,
            "cosine": F.cosine_similarity(vector[:, None], items[None], dim=2),
            "distance": -(vector[:, None] - items[None]).norm(dim=2),
        }[scoring]
        torch.testing.assert_close(built.rank(vector)[:, 1:], (by_hand + built.get_parameter("item_bias"))[:, 1:])


def test_items_that_were_never_a_target_come_last_if_they_may_not_lead() -> None:
    built = model("trained_items_only=True")
    built.train()
    built.loss(BATCH, seeded())
    built.eval()
    built.loss(Batch(HISTORY, torch.tensor([9, 9, 9, 9]), BATCH.is_last), seeded())
    scores = built.score(HISTORY, seeded())
    trained = [1, 4, 8, 11]
    never = [item for item in range(1, 13) if item not in trained]
    assert torch.isfinite(scores[:, 1:]).all()
    assert bool((scores[:, trained].amin(dim=1) > scores[:, never].amax(dim=1)).all())
    plain = model()
    torch.testing.assert_close(scores[:, trained], plain.score(HISTORY, seeded())[:, trained])


def _kept(real: Tensor) -> Tensor:
    """Which of the packed slots are real: rows without an item keep their newest slot."""
    packed = real.clone()
    packed[:, -1] |= ~real.any(dim=1)
    return real[packed]


def test_histories_lose_items_while_training_and_never_when_they_are_measured() -> None:
    built = model("missing_rate=0.9")
    batch = Batch(HISTORY.repeat(50, 1), BATCH.target.repeat(50), BATCH.is_last.repeat(50))
    assert torch.equal(built.eval().training_history(batch, seeded()), batch.history)
    shown = built.train().training_history(batch, seeded())
    lost = 1 - float((shown != 0).sum() / (batch.history != 0).sum())
    assert lost == pytest.approx(0.45, abs=0.06), "half of the rate, on average"
    assert torch.equal(model().train().training_history(batch, seeded()), batch.history)
