"""STEAM: the corrector, the generator and what is learned from corrected sequences."""

import functools

import pytest
import torch
from torch import Tensor

from demo_core.datasets import toy_world
from demo_core.models.sequence_edits import DELETE, INSERT, MOST_INSERTED, random_piece
from demo_core.models.steam import STEAM, STEAMConfig
from demo_core.sequences import PADDING, Batch, pad

M, L = 12, 8


def model(*settings: str) -> STEAM:
    torch.manual_seed(0)
    config = STEAMConfig(num_items=M, max_length=L, embedding_dim=16).override(*settings)
    built = STEAM(config)
    torch.nn.init.normal_(built.item_embedding.weight[1:])
    return built.eval()


def batch() -> Batch:
    history = pad([[3, 1, 4, 2], [5], [], [7, 8], [2, 4, 6, 8, 10, 12, 1, 3]], L)
    return Batch(history, torch.tensor([5, 9, 1, 3, 5]), torch.ones(5, dtype=torch.bool))


def seeded() -> torch.Generator:
    return torch.Generator().manual_seed(1)


WHOLE = [[(start + k) % 8 + 1 for k in range(5)] for start in range(8)]


@functools.cache
def trained() -> STEAM:
    """On a world of 8 items in which i is followed by i + 1, with gaps that are mostly one item wide."""
    torch.manual_seed(0)
    settings = ("keep_rate=0.75", "delete_rate=0.2", "dropout=0.0", "input_dropout=0.0")
    steam = STEAM(STEAMConfig(num_items=8, max_length=6, embedding_dim=32).override(*settings))
    sequences = torch.tensor([[(start + k) % 8 + 1 for k in range(7)] for start in range(8)] * 8)
    rows = Batch(sequences[:, :-1], sequences[:, -1], torch.ones(64, dtype=torch.bool))
    generator = seeded()
    optimiser = torch.optim.Adam(steam.parameters(), lr=5e-3)
    for _ in range(150):
        optimiser.zero_grad()
        steam.loss(rows, generator).backward()
        optimiser.step()
    return steam.eval()


def newest_corrected(*items: int) -> list[int]:
    """The five newest items of the corrected history: what went before the oldest one cannot be known."""
    found: list[int] = trained().correct(pad([list(items)], 6))[0, -5:].tolist()
    return found


def test_the_corrector_leaves_whole_histories_alone() -> None:
    assert all(newest_corrected(*whole) == whole for whole in WHOLE)


def test_the_corrector_restores_a_deleted_item() -> None:
    restored = [newest_corrected(*whole[:at], *whole[at + 1 :]) == whole for whole in WHOLE for at in (1, 2, 3)]
    assert sum(restored) >= 0.9 * len(restored)


def test_decoding_step_by_step_says_what_teacher_forcing_on_its_answer_says() -> None:
    steam, states = model(), torch.randn(40, 16)
    found = steam.generate(states)
    answers = steam.insertion_states(states, found[:, :-1]) @ steam.item_embedding.weight[1 : M + 2].T
    best = answers.argmax(dim=2) + 1
    before_end = (best == steam.end).long().cumsum(dim=1) == 0
    assert torch.equal(found, best * before_end)
    assert bool((found == 0).any()) and bool((found != 0).any()), "some end and some go on"


def test_a_guess_depends_on_nearer_insertions_alone() -> None:
    steam, states = model(), torch.randn(3, 16)
    one = steam.insertion_states(states, torch.tensor([[1, 2, 3, 4]] * 3))
    other = steam.insertion_states(states, torch.tensor([[1, 2, 9, 9]] * 3))
    torch.testing.assert_close(one[:, :3], other[:, :3])
    assert not torch.allclose(one[:, 3], other[:, 3])


def test_repeated_positions_add_the_ith_slots_positions_once_more_at_each_step_of_decoding_alone() -> None:
    steam = model("repeated_positions=True")
    states, inserted = torch.randn(3, 16), torch.tensor([[1, 2, 3, 4]] * 3)
    seen: list[Tensor] = []
    steam.generator.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0]))
    steam.insertion_states(states, inserted)
    steam.insertion_states(states, inserted, step=2)
    difference = (seen[1] - seen[0])[0]
    positions = steam.generator.position.flip(0)  # the encoder itself adds them once
    expected = torch.stack([2 * positions[0], positions[1], *positions.new_zeros(MOST_INSERTED - 2, 16)])
    torch.testing.assert_close(difference, expected, atol=1e-6, rtol=1e-5)


def test_the_end_is_never_inserted_and_ids_are_those_of_items() -> None:
    steam = model()
    with torch.no_grad():
        steam.corrector.bias.copy_(torch.eye(3)[INSERT] * 100)
    found = steam.correct(pad([[3, 1, 4], [], [5]], L))
    assert int(found.max()) <= M and not found[1].any()
    assert bool((found[:, -1] == torch.tensor([4, 0, 5])).all()), "nothing is ever put behind the newest item"


def test_in_training_the_corrected_sequence_is_read_wherever_something_is_left_of_it() -> None:
    steam, sequence = model(), pad([[3, 1, 4], [5]], L)
    with torch.no_grad():
        steam.corrector.bias.copy_(torch.eye(3)[INSERT] * 100)
    corrected = steam.correct(sequence)
    assert not torch.equal(corrected[:, -L:], sequence)
    assert torch.equal(steam.corrected_as_it_is(sequence), corrected)


def test_a_history_that_is_deleted_entirely_is_answered_like_an_empty_one() -> None:
    steam = model()
    with torch.no_grad():
        steam.corrector.bias.copy_(torch.eye(3)[DELETE] * 100)
    scores = steam.score(pad([[3, 1, 4], []], L))
    assert bool(scores[:, 1:].isfinite().all())
    torch.testing.assert_close(scores[0], scores[1])
    sequence = pad([[3, 1, 4]], L)
    assert torch.equal(steam.corrected_as_it_is(sequence)[:, -L:], sequence), "in training it stays raw"


def test_without_correction_at_inference_the_raw_history_is_read() -> None:
    steam, raw = model(), model("correct_at_inference=False")
    history = pad([[3, 1, 4, 2]], L)
    assert not torch.equal(steam.correct(history)[:, -L:], history)
    state, _ = raw.masked_context(pad([[3, 1, 4, 2, 9]], L), torch.tensor([L - 1]))
    torch.testing.assert_close(raw.encode(history), state)
    assert not torch.allclose(steam.score(history)[:, 1:], raw.score(history)[:, 1:])


def test_special_answers_are_two_more_candidates_of_the_cloze_task() -> None:
    sequence = pad([[3, 1, 4, 2], [5]], L)
    usual, special = model("last_masked_share=1.0"), model("last_masked_share=1.0", "special_answers=True")
    shown = sequence.clone()
    shown[:, -1] = M + 2
    logits = usual.states(shown)[:, -1] @ usual.item_embedding.weight[1:].T  # items, end, [mask]
    target = sequence[:, -1] - 1
    for steam, answers in ((usual, logits[:, :M]), (special, logits)):
        expected = torch.nn.functional.cross_entropy(answers, target)
        torch.testing.assert_close(steam.cloze_loss(sequence, seeded()), expected)
        assert steam.score(sequence).shape == (2, M + 1), "they are never recommended"


def test_the_loss_is_the_sum_of_four_and_the_batch_stays_as_it_was() -> None:
    steam, rows = model(), batch()
    whole = torch.cat([rows.history, rows.target[:, None]], dim=1)
    kept, drawn = rows.history.clone(), seeded()
    raw = random_piece(whole, drawn)
    broken = steam.draw_damage(raw, drawn)
    fixing = steam.correction_loss(broken)
    expected = fixing + steam.cloze_loss(raw, drawn) + steam.cloze_loss(steam.corrected_as_it_is(raw), drawn)
    torch.testing.assert_close(steam.loss(rows, seeded()), expected)
    assert torch.equal(rows.history, kept)


def test_what_is_lacking_costs_the_mean_over_all_insertions_that_are_asked_for() -> None:
    steam, states = model(), torch.randn(2, 16)
    end = steam.end
    targets = torch.tensor([[3, 1, end, 0, 0], [5, end, 0, 0, 0]])
    answers = steam.insertion_states(states, targets[:, :-1]) @ steam.item_embedding.weight[1 : M + 2].T
    log_share = answers.log_softmax(dim=2)
    asked = [(0, 0, 3), (0, 1, 1), (0, 2, end), (1, 0, 5), (1, 1, end)]
    expected = -torch.stack([log_share[row, place, item - 1] for row, place, item in asked]).mean()
    torch.testing.assert_close(steam.insertion_loss(states, targets), expected)


def test_a_batch_in_which_nothing_is_lacking_teaches_the_three_decisions_alone() -> None:
    steam = model("keep_rate=1.0", "delete_rate=0.0")
    sequence = pad([[3, 1, 4, 2]], L)
    broken = steam.draw_damage(sequence, seeded())
    assert torch.equal(broken.items[:, -L:], sequence) and not broken.labels.any()
    logits = steam.corrector(steam.encoded(broken.items))[0, -4:]
    expected = torch.nn.functional.cross_entropy(logits, torch.zeros(4, dtype=torch.int64))
    torch.testing.assert_close(steam.correction_loss(broken), expected)


def test_training_leaves_its_mode_and_corrects_without_dropout() -> None:
    steam = model("dropout=0.5", "input_dropout=0.5").train()
    sequence = batch().history
    assert torch.equal(steam.corrected_as_it_is(sequence), steam.corrected_as_it_is(sequence))
    assert all(module.training for module in steam.modules())


def test_whatever_vector_padding_has_changes_nothing() -> None:
    steam, history = model(), batch().history
    before, edited = steam.score(history), steam.correct(history)
    with torch.no_grad():
        steam.item_embedding.weight[PADDING] = 7.0
    torch.testing.assert_close(steam.score(history), before)
    assert torch.equal(steam.correct(history), edited)


def test_an_epoch_is_made_of_windows_that_tile_the_sequences() -> None:
    world = toy_world(num_items=M, num_sequences=30, length=L, seed=0)
    (phase,) = model().phases()
    assert phase.rows is not None
    assert torch.equal(phase.rows(world), world.train.is_last.nonzero().squeeze(1)), "short ones: their longest rows"


@pytest.mark.parametrize("settings", [("keep_rate=0.6", "delete_rate=0.5"), ("delete_rate=-0.1",)])
def test_rates_that_are_no_shares_are_refused(settings: tuple[str, ...]) -> None:
    with pytest.raises(ValueError, match="sum to 1"):
        model(*settings)
