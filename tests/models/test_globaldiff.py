import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from demo_core.datasets import toy_world
from demo_core.models.base import Controls
from demo_core.models.global_structure import mask_one_item
from demo_core.models.globaldiff import GlobalDiff, GlobalDiffConfig, borda_fusion, item_similarity, position_adjusted
from demo_core.sequences import Batch, pad

SEQUENCES = [[1, 2, 3, 2], [2, 3], [5], [1, 5, 3]]
HISTORY = pad([[1, 2, 3, 4, 5, 6], [7, 3, 9, 1], [4], []], 6)


def model(*settings: str) -> GlobalDiff:
    """Weights large enough that every part of the network shows in the result."""
    torch.manual_seed(0)
    config = GlobalDiffConfig(num_items=12, max_length=6, embedding_dim=8, hidden_dim=16)
    built = GlobalDiff(config.override(*settings)).eval()
    torch.nn.init.normal_(built.backbone.item_embedding.weight)
    torch.nn.init.normal_(built.approximator.inward.weight, std=0.5)
    torch.nn.init.normal_(built.approximator.outward.weight, std=0.3)
    torch.nn.init.normal_(built.approximator.outward.bias, std=0.3)
    return built


def counted(*settings: str) -> GlobalDiff:
    built = model(*settings)
    prepare = built.phases()[1].prepare
    assert prepare is not None
    prepare(toy_world(), lambda: 0.0)
    return built


def seeded(seed: int = 3) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


# Step 1: what is globally alike


@pytest.mark.parametrize("window", [None, 2, 1])
def test_similarity_is_the_cosine_over_the_newest_items_of_each_sequence(window: int | None) -> None:
    cut = [set(sequence if window is None else sequence[-window:]) for sequence in SEQUENCES]
    similarity = item_similarity(SEQUENCES, 6, window)
    for a in range(1, 7):
        for b in range(1, 7):
            together = sum(a in s and b in s for s in cut)
            norm = math.sqrt(sum(a in s for s in cut) * sum(b in s for s in cut))
            expected = 1.0 if a == b else together / norm if norm else 0.0
            assert float(similarity[a, b]) == pytest.approx(expected), (a, b)
    assert not similarity[0].any() and not similarity[:, 0].any(), "padding is like nothing"


def test_an_item_that_nobody_has_is_like_itself_alone() -> None:
    similarity = item_similarity([[1, 2]], 3)
    assert similarity[3].tolist() == [0.0, 0.0, 0.0, 1.0]


# Equations 2 and 3


def test_neighbours_of_the_mask_are_raised_by_their_distance() -> None:
    row = torch.full((13,), 0.1)
    history = torch.arange(1, 11)
    adjusted = position_adjusted(row, history, 0)
    assert float(adjusted[2]) == pytest.approx(0.25), "distance 1: zeta / 1 + delta = 2.5"
    assert float(adjusted[10]) == pytest.approx(0.1 * (1.5 / 9 + 1)), "distance 9"
    assert float(adjusted[1]) == pytest.approx(0.1), "the masked item is left alone"
    assert adjusted[11:].tolist() == pytest.approx([0.1, 0.1]), "items outside the sequence too"


@given(
    rows=st.lists(st.lists(st.integers(1, 8), min_size=1, max_size=6), min_size=1, max_size=4),
    data=st.data(),
    seed=st.integers(0, 1000),
)
@settings(max_examples=60, deadline=None)
def test_adjusted_rows_equal_a_loop_over_the_sequence(rows: list[list[int]], data: st.DataObject, seed: int) -> None:
    similarity = torch.rand(len(rows), 9, generator=torch.Generator().manual_seed(seed))
    history = pad(rows, 6)
    position = torch.tensor([data.draw(st.integers(6 - len(row), 5)) for row in rows])
    adjusted = position_adjusted(similarity, history, position)
    for r in range(len(rows)):
        masked = int(history[r, position[r]])
        for item in range(9):
            distances = [abs(j - int(position[r])) for j in range(6) if int(history[r, j]) == item and item]
            factor = 1.5 / min(distances) + 1.0 if distances and item != masked else 1.0
            assert float(adjusted[r, item]) == pytest.approx(min(1.0, factor * float(similarity[r, item])), rel=1e-5)


# Equation 8


def test_borda_fusion_of_three_items_by_hand() -> None:
    personal, global_ = torch.tensor([0.5, 0.3, 0.2]), torch.tensor([0.1, 0.8, 0.1])
    # Ranks 3 2 1 and, with a tie that the smaller index wins, 2 3 1.
    expected = [0.7 * 3 * 0.5 + 0.3 * 2 * 0.1, 0.7 * 2 * 0.3 + 0.3 * 3 * 0.8, 0.7 * 1 * 0.2 + 0.3 * 1 * 0.1]
    assert borda_fusion(personal, global_, 0.7).tolist() == pytest.approx(expected)


@given(
    values=st.lists(st.tuples(st.floats(0, 1), st.floats(0, 1)), min_size=2, max_size=8),
    gamma=st.floats(0, 1),
    data=st.data(),
)
@settings(max_examples=80, deadline=None)
def test_more_votes_for_an_item_never_lower_its_score(
    values: list[tuple[float, float]], gamma: float, data: st.DataObject
) -> None:
    personal, global_ = (torch.tensor(column, dtype=torch.float64) for column in zip(*values, strict=True))
    item = data.draw(st.integers(0, len(values) - 1))
    raised = personal.clone()
    raised[item] += data.draw(st.floats(0, 1))
    before, after = (borda_fusion(voter, global_, gamma)[item] for voter in (personal, raised))
    assert float(after) >= float(before) - 1e-12


@pytest.mark.parametrize("gamma", [0.0, 1.0])
def test_a_voter_alone_keeps_its_own_order(gamma: float) -> None:
    personal, global_ = torch.rand(2, 5, 30, generator=seeded()).unbind()
    order = borda_fusion(personal, global_, gamma).argsort(dim=1)
    assert torch.equal(order, (personal if gamma else global_).argsort(dim=1))


# The reverse process and the vote


@pytest.mark.parametrize("steps", [1, 2, 20])
def test_the_chain_in_the_hidden_dimension_equals_the_chain_over_all_items(steps: int) -> None:
    diffusion = model().double()
    diffusion.noise_schedule.alpha_bar = model().noise_schedule.alpha_bar
    start = torch.rand(4, 13, generator=seeded(), dtype=torch.float64)
    context = torch.randn(4, 16, generator=seeded(), dtype=torch.float64)
    levels = diffusion.noise_schedule.alpha_bar.tolist()
    times = diffusion.noise_schedule.spaced_times(steps)
    state, clean = start, start
    for time, earlier in zip(times, [*times[1:], -1], strict=True):
        net = diffusion.approximator
        clean = net.outward(net.hidden(net.inward(state), torch.tensor([time]), context))
        before = levels[earlier] if earlier >= 0 else 1.0
        noise = (state - math.sqrt(levels[time]) * clean) / math.sqrt(1 - levels[time])
        state = math.sqrt(before) * clean + math.sqrt(1 - before) * noise
    torch.testing.assert_close(diffusion.restore(start, context, steps), clean)


def test_both_voters_are_distributions_over_the_items_and_fuse_by_borda() -> None:
    diffusion = model()
    diffusion.gamma.fill_(0.3)
    told = diffusion.explain(HISTORY)
    for voter in (told.personal, told.global_):
        assert voter.sum(dim=1).tolist() == pytest.approx([1.0] * 4, rel=1e-5)
        assert not voter[:, 0].any() and bool((voter[:, 1:] > 0).all())
    assert told.gamma == pytest.approx(0.3)
    torch.testing.assert_close(told.fused[:, 1:], borda_fusion(told.personal[:, 1:], told.global_[:, 1:], 0.3))
    torch.testing.assert_close(diffusion.score(HISTORY), told.fused)


def test_the_personal_voter_is_the_backbones_own_answer() -> None:
    diffusion = model()
    told = diffusion.explain(HISTORY)
    torch.testing.assert_close(told.personal, diffusion.backbone.score(HISTORY).softmax(dim=1))


def test_the_context_is_the_newest_state_and_the_mean_of_the_real_states() -> None:
    diffusion = model()
    _, context = diffusion.context(HISTORY)
    states, mask = diffusion.backbone.states(HISTORY)
    for row in range(4):
        real = [states[row, slot] for slot in range(6) if mask[row, slot]]
        torch.testing.assert_close(context[row], torch.cat([real[-1], torch.stack(real).mean(dim=0)]))


def test_the_number_of_steps_changes_the_answer_and_no_seed_does() -> None:
    diffusion = model()
    diffusion.gamma.fill_(0.0)
    one, many = (diffusion.score(HISTORY, controls=Controls(steps=steps)) for steps in (1, 20))
    assert not torch.allclose(one[:, 1:], many[:, 1:])
    assert torch.equal(diffusion.score(HISTORY, seeded(1)), diffusion.score(HISTORY, seeded(2)))


# Training


def test_a_masked_row_shows_the_backbone_only_what_came_before_the_mask() -> None:
    batch = Batch(HISTORY.repeat(300, 1), torch.tensor([9, 8, 2, 5] * 300), torch.ones(1200, dtype=torch.bool))
    masked = mask_one_item(batch.history, batch.target, seeded())
    counts = {length: [0] * length for length in (7, 5, 2, 1)}
    for row in range(1200):
        sequence = [item for item in [*batch.history[row].tolist(), int(batch.target[row])] if item]
        at = int(masked.position[row]) - (7 - len(sequence))
        assert int(masked.item[row]) == sequence[at]
        assert [item for item in masked.prefix[row].tolist() if item] == sequence[:at]
        assert masked.prefix[row].tolist() == pad([sequence[:at]], 6)[0].tolist()
        counts[len(sequence)][at] += 1
    for length, hits in counts.items():
        assert min(hits) > 0.5 * 300 / length, "every slot is masked about equally often"


def test_the_newest_item_can_be_the_one_that_is_always_masked() -> None:
    target = torch.tensor([9, 8, 2, 5])
    masked = mask_one_item(HISTORY, target, seeded(), newest_share=1.0)
    assert torch.equal(masked.item, target)
    assert torch.equal(masked.prefix, HISTORY)


def test_the_loss_is_multinomial_cross_entropy_plus_weighed_squared_error(monkeypatch: pytest.MonkeyPatch) -> None:
    diffusion = counted("error_weight=0.25", "logit_scale=2.0")
    seen: list[Tensor] = []
    restored = torch.randn(4, 13, generator=seeded())

    def denoise(clean: Tensor, context: Tensor, generator: torch.Generator) -> Tensor:
        seen.append(clean)
        return restored

    monkeypatch.setattr(diffusion, "_denoise_training", denoise)
    loss = diffusion.loss(Batch(HISTORY, torch.tensor([9, 8, 2, 5]), torch.ones(4, dtype=torch.bool)), seeded())
    total = 0.0
    for row, clean in enumerate(seen[0].tolist()):
        logits = [2.0 * float(value) for value in restored[row, 1:]]
        norm = math.log(sum(math.exp(value) for value in logits))
        total += sum(one * (norm - logit) for one, logit in zip(clean[1:], logits, strict=True)) / sum(clean)
        total += 0.25 * sum((float(value) - one) ** 2 for value, one in zip(restored[row], clean, strict=True))
    assert float(loss.detach()) == pytest.approx(total / 4, rel=1e-4)


def test_the_restored_vector_holds_each_item_as_often_as_it_is_alike(monkeypatch: pytest.MonkeyPatch) -> None:
    diffusion = counted()
    seen: list[Tensor] = []

    def denoise(clean: Tensor, context: Tensor, generator: torch.Generator) -> Tensor:
        seen.append(clean)
        return torch.zeros_like(clean)

    monkeypatch.setattr(diffusion, "_denoise_training", denoise)
    rows = 4000
    # One item and no history: the target itself is masked, and Eq. 3 has no neighbour to raise.
    batch = Batch(torch.zeros(rows, 6, dtype=torch.int64), torch.full((rows,), 4), torch.ones(rows, dtype=torch.bool))
    diffusion.loss(batch, seeded())
    share = seen[0].double().mean(dim=0)
    assert share.tolist() == pytest.approx(diffusion.similarity[4].tolist(), abs=0.03)
    assert float(share[4]) == 1.0 and float(share[0]) == 0.0


def test_the_diffusion_trains_no_part_of_the_backbone_and_hears_no_dropout_of_it() -> None:
    diffusion = counted("backbone_dropout=0.9", "dropout=0.0").train()
    batch = Batch(HISTORY, torch.tensor([9, 8, 2, 5]), torch.ones(4, dtype=torch.bool))
    first, second = (diffusion.loss(batch, seeded()) for _ in range(2))
    assert float(first.detach()) == float(second.detach())
    first.backward()
    assert all(parameter.grad is None for parameter in diffusion.backbone.parameters())


def test_the_backbone_trains_with_settings_of_its_own() -> None:
    phase = model("backbone_learning_rate=0.5", "backbone_epochs=7", "learning_rate=0.001").phases()[0]
    assert phase.config is not None
    assert (phase.config.learning_rate, phase.config.max_epochs) == (0.5, 7)


def test_while_the_backbone_trains_the_list_is_its_own() -> None:
    diffusion = model()
    prepare = diffusion.phases()[0].prepare
    assert prepare is not None
    prepare(toy_world(), lambda: 0.0)
    own = diffusion.backbone.score(HISTORY).argsort(dim=1, descending=True)
    assert torch.equal(diffusion.score(HISTORY).argsort(dim=1, descending=True), own)


@pytest.mark.parametrize("best", [0.0, 0.35, 1.0])
def test_gamma_is_the_best_on_validation(best: float) -> None:
    diffusion = model()
    prepare = diffusion.phases()[-1].prepare
    assert prepare is not None
    prepare(toy_world(), lambda: -abs(float(diffusion.gamma) - best))
    assert float(diffusion.gamma) == pytest.approx(best)


def test_without_a_gain_the_backbone_alone_decides() -> None:
    diffusion = model()
    prepare = diffusion.phases()[-1].prepare
    assert prepare is not None
    prepare(toy_world(), lambda: 0.5)
    assert float(diffusion.gamma) == 1.0


def test_an_unknown_schedule_is_refused_by_name() -> None:
    with pytest.raises(ValueError, match="zigzag"):
        model("schedule=zigzag")
