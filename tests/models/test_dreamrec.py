"""DreamRec, and with it the released reading of the whole family, against the authors' code."""

import dataclasses

import pytest
import torch

from demo_core.datasets import DATASETS
from demo_core.diffusion import ReverseStep
from demo_core.models import MODELS, preset
from demo_core.models.base import Controls
from demo_core.models.dreamrec import DreamRec, DreamRecConfig
from demo_core.sequences import Batch
from tests.models.released_network import (
    DDPM_WALK,
    GRADIENT_OF_ITEM_1,
    GRADIENT_OF_ITEM_3,
    GUIDANCE,
    HISTORY,
    LOSS,
    STRIDED_WALK,
    M,
    network,
    wave,
    waves,
)

DDPM = ("sampler=ddpm", "diffusion_steps=20", "schedule=exp")


@pytest.mark.parametrize("watched", [False, True])
@pytest.mark.parametrize(("settings", "expected"), [((), STRIDED_WALK), (DDPM, DDPM_WALK)])
def test_it_generates_what_the_authors_code_generates(
    settings: tuple[str, ...], expected: list[list[float]], watched: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Figures of CARD.py and DreamRec.py with the same noises; a callback takes the steps one by one."""
    model = network(*settings)
    guidance = torch.tensor(GUIDANCE[:2], dtype=torch.float64)
    seen: list[int] = []
    monkeypatch.setattr(torch, "randn", waves())
    callback = (lambda step, state, clean: seen.append(step)) if watched else None
    generated = model.generate(guidance, None, Controls(), callback)
    assert len(seen) == (len(model.reverse_steps()) if watched else 0)
    torch.testing.assert_close(generated, torch.tensor(expected, dtype=torch.float64), atol=1e-7, rtol=0)


def test_its_loss_and_gradient_are_those_of_the_authors_code(monkeypatch: pytest.MonkeyPatch) -> None:
    """Figures of CARD.py: the target's embedding has a gradient, through the error and through the noisy input."""
    model = network("unconditional_rate=0.0")
    monkeypatch.setattr(torch, "randint", lambda *_, generator=None: torch.tensor([700, 30]))
    monkeypatch.setattr(torch, "randn", lambda *_, generator=None: wave(60, 2, 8))
    target = torch.tensor([3, 1])
    clean = model.target_vector(target)
    guidance = torch.tensor(GUIDANCE[:2], dtype=torch.float64)
    estimate, given = model.denoise_training(clean, guidance, torch.Generator())
    assert torch.equal(given, guidance)
    loss = model.error(estimate, clean)
    loss.backward()
    assert loss.item() == pytest.approx(LOSS, abs=1e-9)
    gradient = model.item_embedding.weight.grad
    assert gradient is not None
    assert gradient[3].tolist() == pytest.approx(GRADIENT_OF_ITEM_3, abs=1e-8)
    assert gradient[1].tolist() == pytest.approx(GRADIENT_OF_ITEM_1, abs=1e-8)


def test_the_loss_is_the_error_alone() -> None:
    model = network()
    batch = Batch(HISTORY, torch.tensor([3, 1, 2, 5]), torch.ones(4, dtype=torch.bool))
    generator = torch.Generator().manual_seed(3)
    clean = model.target_vector(batch.target)
    estimate, _ = model.denoise_training(clean, model.guidance(HISTORY, None), generator)
    expected = (estimate - clean).square().mean()
    torch.testing.assert_close(model.loss(batch, torch.Generator().manual_seed(3)), expected)


def test_items_and_padding_are_ranked_by_inner_product_with_the_generated_vector(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    model = network()
    monkeypatch.setattr(torch, "randn", waves())
    with torch.no_grad():
        scores = model.score_with_padding(HISTORY[:2])
    expected = torch.tensor(STRIDED_WALK, dtype=torch.float64) @ model.item_embedding.weight.detach().T
    torch.testing.assert_close(scores, expected, atol=1e-6, rtol=0)
    assert scores.shape == (2, M + 1)
    assert torch.isneginf(model.score(HISTORY)[:, 0]).all(), "the protocol has no padding to rank"


def test_the_released_sampler_depends_on_the_data_set_as_in_the_instructions() -> None:
    zhihu, yoochoose, other = (preset("dreamrec", "released", name, 9) for name in ("zhihu", "yoochoose", "beauty"))
    told = lambda c: (c.diffusion_steps, c.schedule, c.learning_rate, c.guidance_strength)  # noqa: E731
    assert told(zhihu) == (500, "linear", 0.01, 4.0)
    assert told(yoochoose) == (500, "exp", 0.001, 2.0)
    assert told(other) == (2000, "cosine", 5e-5, 2.0)


@pytest.mark.parametrize("dataset", sorted(DATASETS))
def test_the_paper_has_no_slip_and_an_honest_measure(dataset: str) -> None:
    paper = preset("dreamrec", "paper", dataset, 9)
    assert isinstance(paper, DreamRecConfig)
    slips = ("exact_zero_masks", "late_time", "misindexed_noise", "evaluation_dropout", "rank_padding")
    assert not any(getattr(paper, slip) for slip in slips)
    assert paper.selection == ("validation", "ndcg@20") and paper.evaluation_batch is None
    assert not paper.independent_batches and paper.exclusion == "protocol"


def test_ancestral_sampling_takes_all_steps_whatever_a_visitor_asks() -> None:
    model = DreamRec(DreamRecConfig(num_items=9).override(*DDPM))
    steps = model.reverse_steps(3)
    assert len(steps) == 20 and steps[-1] == ReverseStep(0, 1.0, 0.0, 0.0)


def test_default_is_the_shared_recipe_and_nothing_else() -> None:
    """What TDM and CARD are measured against differs from TDM's recipe by the removal alone."""
    for dataset in ("zhihu", "movielens"):
        dreamrec, tdm = (preset(name, "default", dataset, 9) for name in ("dreamrec", "tdm"))
        for field in dataclasses.fields(DreamRecConfig):
            assert getattr(dreamrec, field.name) == getattr(tdm, field.name), field.name
    assert not set(vars(MODELS["dreamrec"].config(num_items=9))) - set(vars(MODELS["tdm"].config(num_items=9)))
