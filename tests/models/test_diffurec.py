"""DiffuRec: its schedule, its uncertain items and its sampling, computed by hand."""

import math

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from demo_core.diffusion import NoiseSchedule
from demo_core.models import preset
from demo_core.models.base import Controls
from demo_core.models.diffurec import (
    DiffuRec,
    blend,
    queries_of_padding,
    truncated_linear_betas,
)
from demo_core.models.diffurec_config import DiffuRecConfig
from demo_core.models.posterior_walk import posterior_steps
from demo_core.sequences import Batch, pad
from tests.models.test_contract import histories, trained

M, L, D = 9, 5, 8
PADDED = ("padding_as_item=True", "rank_padding=True")


def model(*settings: str) -> DiffuRec:
    torch.manual_seed(0)
    built = DiffuRec(DiffuRecConfig(num_items=M, max_length=L, embedding_dim=D).override(*settings)).double().eval()
    with torch.no_grad():
        built.item_embedding.weight[1:].normal_()
    return built


def batch() -> Batch:
    history = pad([[3, 1, 4, 2], [5], [], [7, 8]], L)
    return Batch(history, torch.tensor([2, 9, 1, 3]), torch.ones(4, dtype=torch.bool))


def seeded(seed: int = 1) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def test_the_schedule_has_the_released_figures() -> None:
    betas = truncated_linear_betas(32)
    assert betas[0].item() == pytest.approx(0.013125) and betas[31].item() == pytest.approx(0.635)
    left = NoiseSchedule(betas).alpha_bar
    assert float(left[-1]) == pytest.approx(9.9e-7, rel=0.01)
    assert math.sqrt(1 - float(left[0])) == pytest.approx(0.1146, abs=1e-4), "noise of the first step"


def test_too_few_steps_for_the_schedule_are_refused() -> None:
    assert float(truncated_linear_betas(21)[-1]) < 1
    with pytest.raises(ValueError, match="at least 21"):
        model("diffusion_steps=20")


def test_an_item_gets_its_share_of_the_noised_target() -> None:
    items = torch.tensor([[[1.0, 2.0], [3.0, 4.0]]])
    push = torch.tensor([[10.0, 20.0]])
    assert blend(items, torch.tensor([[[0.1], [0.0]]]), push).tolist() == [[[2.0, 4.0], [3.0, 4.0]]]
    assert blend(items, torch.tensor([[[0.1, 0.0], [0.0, 0.5]]]), push).tolist() == [[[2.0, 2.0], [3.0, 14.0]]]


@pytest.mark.parametrize(("settings", "width"), [((), 1), (("elementwise_share=True",), D)])
def test_shares_are_drawn_for_every_item_or_every_number_of_it(settings: tuple[str, ...], width: int) -> None:
    shares = model("noise_share=0.01", *settings).draw_shares(4000, seeded())
    assert shares.shape == (4000, L, width)
    assert float(shares.mean()) == pytest.approx(0.01, abs=5e-4) and float(shares.std()) == pytest.approx(
        0.01, rel=0.05
    )


def test_the_released_noise_changes_what_is_sampled() -> None:
    released = model("forward_noise=True", "noise_share=0.5").score(batch().history)
    assert not torch.allclose(released[:, 1:], model("noise_share=0.5").score(batch().history)[:, 1:])


def test_sampling_feeds_the_estimate_back_with_new_noise_and_new_shares() -> None:
    diffurec = model("noise_share=0.5", "inference_steps=3")
    history, generator = batch().history, seeded()
    reading, schedule = diffurec.read(history), diffurec.noise_schedule
    state = torch.randn(1, D, generator=generator).double().expand(4, -1)
    for step in posterior_steps(schedule, 3):
        shares = diffurec.draw_shares(1, generator).double()
        clean = diffurec.approximate(reading, state, torch.tensor([step.time]), shares)
        state = step.of_clean * clean + step.of_state * state
        if step.noise:
            state = state + step.noise * torch.randn(1, D, generator=generator).double()
    expected = clean @ diffurec.item_embedding.weight[1 : M + 1].T
    torch.testing.assert_close(diffurec.score(history, seeded())[:, 1:], expected)


def test_the_network_is_told_the_step_as_one_of_a_thousand(monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[Tensor] = []

    def watch(time: Tensor, dim: int) -> Tensor:
        told.append(time)
        return torch.zeros(len(time), dim)

    monkeypatch.setattr("demo_core.models.diffurec.step_embedding", watch)
    diffurec = model()
    diffurec.approximate(diffurec.read(batch().history), torch.zeros(4, D).double(), torch.tensor([16]), torch.ones(1))
    assert told[0].tolist() == [500.0]


def test_the_answer_is_the_same_whatever_the_noise_since_so_little_of_it_is_read() -> None:
    diffurec = trained("diffurec")
    asked = histories()
    first, second = (diffurec.recommend(asked, 3, generator=seeded(seed))[0] for seed in (1, 2))
    assert float((first == second).double().mean()) >= 0.97
    few, many = (diffurec.recommend(asked, 3, controls=Controls(steps=steps))[0] for steps in (1, 32))
    assert float((few == many).double().mean()) >= 0.97


def test_the_target_learns_as_an_answer_and_as_what_is_noised() -> None:
    diffurec = model("noise_share=0.5")
    clean = diffurec.item_embedding(torch.tensor([9]))
    reading = diffurec.read(pad([[1, 2]], L))
    restored = diffurec.approximate(reading, clean, torch.tensor([3]), diffurec.draw_shares(1, seeded()).double())
    restored[0, 0].backward()
    gradient = diffurec.item_embedding.weight.grad
    assert gradient is not None and bool(gradient[9].any()), "through x_t, without any answer"


@pytest.mark.parametrize("settings", [(), PADDED])
def test_the_loss_is_the_cross_entropy_over_the_items_or_padding_as_well(settings: tuple[str, ...]) -> None:
    diffurec, given, generator = model("noise_share=0.1", *settings), batch(), seeded()
    clean = diffurec.item_embedding(given.target)
    time = torch.randint(32, (4,), generator=generator)
    noise = torch.randn(4, D, generator=generator).double()
    left = diffurec.noise_schedule.alpha_bar[time][:, None]
    noisy = left.sqrt() * clean + (1 - left).sqrt() * noise
    shares = diffurec.draw_shares(4, generator).double()
    scores = diffurec.rank(diffurec.approximate(diffurec.read(given.history), noisy, time, shares))
    expected = F.cross_entropy(scores, given.target) if settings else F.cross_entropy(scores[:, 1:], given.target - 1)
    torch.testing.assert_close(diffurec.loss(given, seeded()), expected)


def test_older_items_are_a_set_and_the_newest_one_stands_out() -> None:
    diffurec = model("noise_share=0.0")
    plain, shuffled, moved = diffurec.score(pad([[1, 2, 3, 4], [3, 1, 2, 4], [4, 1, 2, 3]], L))
    torch.testing.assert_close(plain, shuffled)
    assert not torch.allclose(plain[1:], moved[1:])


@pytest.mark.parametrize("padded", [False, True])
def test_padding_is_read_only_where_it_is_an_item(padded: bool) -> None:
    diffurec = model(*(PADDED if padded else ()))
    before = diffurec.score(pad([[1, 2]], L))
    nn.init.normal_(diffurec.item_embedding.weight[0])
    after = diffurec.score(pad([[1, 2]], L))
    assert torch.allclose(before[:, 1:], after[:, 1:]) != padded
    assert torch.equal(diffurec.score(pad([[1, 2]], 3 * L)), after), "the window is as long, whatever was given"


def test_as_released_padding_looks_at_everything_evenly_and_is_seen() -> None:
    logits = queries_of_padding(torch.tensor([[False, True]]), torch.float32)
    similarity = torch.tensor([[5.0, -3.0], [math.log(3.0), 0.0]])
    assert (similarity + logits[0, 0]).softmax(dim=1).flatten().tolist() == pytest.approx([0.5, 0.5, 0.75, 0.25])


def test_an_empty_history_is_a_learned_item_or_as_released_a_window_of_padding() -> None:
    plain, padded = model(), model(*PADDED)
    assert plain.item_embedding.num_embeddings == M + 2 and padded.item_embedding.num_embeddings == M + 1
    plain.loss(Batch(pad([[]], L), torch.tensor([1]), torch.tensor([True])), seeded()).backward()
    gradient = plain.item_embedding.weight.grad
    assert gradient is not None and bool(gradient[M + 1].any())
    assert bool(padded.score(pad([[]], L))[:, 1:].isfinite().all())


def test_padding_is_a_candidate_only_where_it_is_an_item() -> None:
    assert bool(model().score_with_padding(batch().history)[:, 0].isneginf().all())
    padded = model(*PADDED)
    scores = padded.score_with_padding(batch().history)
    assert bool(scores[:, 0].isfinite().all())
    assert torch.equal(scores[:, 1:], padded.score(batch().history)[:, 1:])


def test_every_step_of_sampling_is_shown_from_noise_that_all_rows_share() -> None:
    diffurec = model("noise_share=0.5")
    told = diffurec.denoising(batch().history, seeded())
    assert len(told) == 1 + diffurec.config.inference_steps
    assert torch.equal(told[0].vector, told[0].vector[:1].expand(4, -1))
    assert torch.equal(told[0].vector[0].float(), torch.randn(1, D, generator=seeded())[0])
    assert not torch.equal(told[-1].vector[0], told[-1].vector[1])
    assert len(diffurec.denoising(batch().history, seeded(), Controls(steps=100))) == 33, "there are no more"


def test_the_learning_rate_falls_to_a_tenth_where_the_config_says_so() -> None:
    config = DiffuRecConfig(num_items=M, learning_rate=1e-3, decay_every=100)
    assert [config.learning_rate_at(epoch) for epoch in (0, 99, 100, 250)] == pytest.approx([1e-3, 1e-3, 1e-4, 1e-5])
    assert DiffuRecConfig(num_items=M).learning_rate_at(250) == 1e-3


def test_released_and_paper_differ_by_what_only_the_code_has() -> None:
    released, paper = (preset("diffurec", name, "zhihu", M) for name in ("released", "paper"))
    assert isinstance(released, DiffuRecConfig) and isinstance(paper, DiffuRecConfig)
    slips = ("elementwise_share", "forward_noise", "padding_as_item", "rank_padding")
    assert released.override("exclusion=protocol", *(f"{slip}=False" for slip in slips)) == paper
    assert all(getattr(released, slip) for slip in slips)
    assert (paper.layers, paper.heads, paper.embedding_dim, paper.max_length) == (4, 4, 128, 50)
    for config in (released, paper):
        small = DiffuRec(config.override("embedding_dim=8", "max_length=5"))
        assert bool(small.train().loss(batch(), seeded()).isfinite())
        assert bool(small.eval().score(batch().history)[:, 1:].isfinite().all())
