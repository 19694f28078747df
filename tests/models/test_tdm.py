import pytest
import torch

from demo_core import stability
from demo_core.models.base import Controls, RouteExplanation
from demo_core.models.tdm import PAPER, RELEASED, TDM, TDMConfig
from demo_core.sequences import pad

# Items 1, 2, 3 point the same way, 4 the opposite way: the step from 3 to 4 is the only steep one.
ROW = [1, 2, 3, 4]


def model(*settings: str) -> TDM:
    torch.manual_seed(0)
    built = TDM(TDMConfig(num_items=4, max_length=6, embedding_dim=8).override(*settings)).eval()
    with torch.no_grad():
        direction = torch.randn(8)
        built.item_embedding.weight[1:5] = torch.stack([direction, 2 * direction, 3 * direction, -direction])
    return built


def thinned(tdm: TDM, rows: int, seed: int = 0) -> torch.Tensor:
    tdm.train()
    history = pad([ROW] * rows, 6)
    edited, weights = tdm.prepare_history(history, torch.Generator().manual_seed(seed), Controls())
    assert weights is None, "TDM removes items and weighs none"
    return edited


def test_at_inference_the_history_is_read_whole() -> None:
    history = pad([ROW], 6)
    assert torch.equal(model("removal_rate=1.0").prepare_history(history, None, Controls())[0], history)


def test_items_go_as_often_as_their_step_is_continuous_and_the_last_never() -> None:
    tdm = model("removal_rate=0.3")
    continuity = torch.tensor([1.0, 1.0, -1.0]).softmax(dim=0)
    edited = thinned(tdm, rows=20_000)
    for slot, item in enumerate(ROW[:3]):
        gone = 1 - float((edited == item).any(dim=1).double().mean())
        assert gone == pytest.approx(min(1.0, 0.3 * 3 * float(continuity[slot])), abs=0.015)
    assert bool((edited[:, -1] == 4).all())


def test_what_is_left_keeps_its_order_on_the_right() -> None:
    for row in thinned(model("removal_rate=0.5"), rows=200).tolist():
        kept = [item for item in row if item]
        assert row == [0] * (6 - len(kept)) + kept
        assert kept == sorted(kept) and len(set(kept)) == len(kept)


def test_only_the_chosen_share_of_histories_is_edited() -> None:
    tdm = model("removal_rate=1.0", "sequence_rate=0.25")
    changed = (thinned(tdm, rows=20_000) != pad([ROW], 6)).any(dim=1)
    assert float(changed.double().mean()) == pytest.approx(0.25, abs=0.015)
    assert not (thinned(model("removal_rate=1.0", "sequence_rate=0.0"), rows=50) != pad([ROW], 6)).any()


def test_the_same_generator_thins_the_same_items() -> None:
    tdm = model("removal_rate=0.4")
    assert torch.equal(thinned(tdm, 100, seed=1), thinned(tdm, 100, seed=1))
    assert not torch.equal(thinned(tdm, 100, seed=1), thinned(tdm, 100, seed=2))


def test_the_explanation_holds_the_chance_of_removal_and_no_weights() -> None:
    tdm = model("removal_rate=0.2")
    history = pad([ROW, [2], []], 6)
    told = tdm.explain(history)
    assert isinstance(told, RouteExplanation)
    mask = history != 0
    continuity = stability.continuity(tdm.item_embedding(history).detach(), mask)
    torch.testing.assert_close(told.removal, stability.removal_probability(continuity, mask, 0.2))
    assert not told.removal[1:].any(), "a single item and an empty history have nothing to thin"
    assert told.weight is None and told.per is None and told.candidate is None
    assert not told.turning.any() and told.threshold is None


def test_a_history_longer_than_the_window_is_explained_by_its_newest_items() -> None:
    told = model().explain(pad([[4, 4, 1, 2, 3, 4, 1, 2]], 8))
    assert told.history.tolist() == [[1, 2, 3, 4, 1, 2]]


# The readings of the released code


def test_padding_takes_its_share_of_the_continuity_only_in_the_released_reading() -> None:
    history = pad([ROW], 6)
    plain, padded = model(), model("padded_entropy=True")
    assert float(plain.explain(history).steps.continuity[0, -3:].sum()) == pytest.approx(1.0)
    told = padded.explain(history)
    assert told.padded and float(told.steps.continuity.sum()) == pytest.approx(1.0)
    assert float(told.steps.continuity[0, -3:].sum()) < 0.8
    assert told.steps.pairs.tolist() == [5]


def test_the_chance_of_removal_is_scaled_by_the_window_in_the_released_reading() -> None:
    history = pad([ROW], 6)
    pairs, window = model("removal_rate=0.1"), model("removal_rate=0.1", "removal_scale=window")
    torch.testing.assert_close(window.explain(history).removal, pairs.explain(history).removal * 6 / 3)
    with pytest.raises(ValueError, match="removal_scale"):
        model("removal_scale=batch")


def test_the_shift_loses_newest_items_that_are_otherwise_kept() -> None:
    newest = [
        (thinned(model("removal_rate=0.9", *shift), rows=500)[:, -1] == 4).double().mean()
        for shift in ((), ("shifting_removal=True",))
    ]
    assert newest[0] == 1 and newest[1] < 0.9


def test_stability_scaled_editing_prefers_even_histories_of_the_batch() -> None:
    tdm = model("removal_rate=1.0", "sequence_rate=0.5", "stability_scaled=True").train()
    even, uneven = [1, 2, 1, 2], [1, 4, 4, 1]
    history = pad([even, uneven] * 4000, 6)
    entropy = tdm.explain(history[:2]).steps.entropy.double()
    edited, _ = tdm.prepare_history(history, torch.Generator().manual_seed(0), Controls())
    changed = (edited != history).any(dim=1).double().reshape(-1, 2).mean(dim=0)
    expected = entropy.softmax(dim=0)  # times 0.5 times two rows
    assert float(entropy[0]) > float(entropy[1]) + 0.05
    # An edited history is left as it is only where the draws of all its items fail.
    chance = tdm.explain(history[:2]).removal.double()
    visible = 1 - (1 - chance).prod(dim=1)
    torch.testing.assert_close(changed, expected * visible, atol=0.02, rtol=0)


@pytest.mark.parametrize("preset", [RELEASED, PAPER])
def test_presets_are_complete_configs(preset: dict[str | None, tuple[str, ...]]) -> None:
    for settings in preset.values():
        config = TDMConfig(num_items=4).override(*settings)
        assert config.sequence_rate == config.removal_rate == 0.1 and config.stability_scaled
        assert config.sampler == "strided" and config.diffusion_steps % config.stride == 0
    zhihu = TDMConfig(num_items=4).override(*preset["zhihu"])
    assert (zhihu.learning_rate, zhihu.guidance_strength, zhihu.diffusion_steps) == (0.01, 6.0, 1000)


def test_the_slips_are_in_the_released_preset_alone() -> None:
    released, paper = (TDMConfig(num_items=4).override(*preset["zhihu"]) for preset in (RELEASED, PAPER))
    for field in ("padded_entropy", "shifting_removal", "evaluation_dropout", "late_time", "misindexed_noise"):
        assert getattr(released, field) and not getattr(paper, field), field
