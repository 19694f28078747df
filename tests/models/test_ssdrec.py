"""SSDRec: hard denoising on two levels, the curriculum, and every slip of the released code."""

import dataclasses

import pytest
import torch
from torch import Tensor

from demo_core.datasets import toy_world
from demo_core.models.base import next_item_loss
from demo_core.models.item_relations import ItemRelations
from demo_core.models.row_edits import Row
from demo_core.models.ssdrec import SSDRec, SSDRecConfig
from demo_core.sequences import PADDING, Batch, Rows, pad
from demo_core.slots import Slots
from tests.models.judging import UNJUDGED

M, L = 9, 5
ROWS = [[3, 1, 4, 2], [5], [], [7, 8, 9, 1, 2]]
OF_INSERTION = ["random_insertion", "raw_row_mask", "behind_newest"]
EVERY_SLIP = pytest.mark.parametrize(
    "slip", [*OF_INSERTION, "sigmoid_logits", "target_leak", "noise_at_inference", "plain_survivors"]
)


def model(*settings: str, undecided: bool = False) -> SSDRec:
    """With large weights, so that everything matters; ``undecided``: every item is noise with a chance of one half."""
    torch.manual_seed(0)
    built = SSDRec(SSDRecConfig(num_items=M, max_length=L, embedding_dim=8).override(*settings)).double()
    with torch.no_grad():
        built.item_embedding.weight[1:].normal_()
        built.relations.outer.weight.normal_()
        built.relations.fill([[1, 2, 3], [4, 5, 3]], torch.ones(M + 1), L, 0, 1.0)
        for level in (built.sequence_level, built.item_level):
            if undecided:
                level.weight.zero_()
                level.bias.zero_()
            else:
                level.weight.normal_()
                level.bias.zero_()
    return built.eval()


def batch() -> Batch:
    return Batch(pad(ROWS, L), torch.tensor([2, 9, 1, 3]), torch.ones(4, dtype=torch.bool))


def seeded(seed: int = 1) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def set_levels(ssdrec: SSDRec, sequence: float, item: float) -> None:
    """What both levels say of every item: logits of noise, those of keep are 0."""
    with torch.no_grad():
        for level, noise in ((ssdrec.sequence_level, sequence), (ssdrec.item_level, item)):
            level.weight.zero_()
            level.bias.copy_(torch.tensor([noise, 0.0]))


def kept_tokens(ssdrec: SSDRec, *rows: list[int]) -> list[list[int]]:
    return [[item for item in row if item] for row in ssdrec.survivors(pad(rows, L)).tokens.tolist()]


def test_an_item_goes_only_if_both_levels_call_it_noise() -> None:
    ssdrec = model()
    for sequence, item, expected in ((1, -1, [4, 2]), (-1, 1, [4, 2]), (-1, -1, [4, 2]), (1, 1, [2])):
        set_levels(ssdrec, sequence, item)
        assert kept_tokens(ssdrec, [4, 2]) == [expected], "the newest item stays in any case"


def test_both_levels_read_the_items_of_the_history() -> None:
    """Levels that call an item noise where the first number of its vector is positive."""
    ssdrec = model()
    set_levels(ssdrec, 0, 0)
    with torch.no_grad():
        for level in (ssdrec.sequence_level, ssdrec.item_level):
            level.weight[0, 8] = 1.0  # the second half of what is read is the item itself
    noise = ssdrec.table()[: M + 1, 0] > 0
    rows = [[3, 1, 4, 2], [7, 8, 9, 1, 2], [6]]
    expected = [[item for item in row if not noise[item]] or row[-1:] for row in rows]
    assert 0 < int(noise[1:].sum()) < M
    assert kept_tokens(ssdrec, *rows) == expected


def test_the_keep_probability_is_one_minus_the_product_of_both_chances() -> None:
    ssdrec = model()
    set_levels(ssdrec, 1.0, 2.0)
    found = ssdrec.keep_probability(pad([[4, 2]], L)).detach()
    expected = 1 - torch.sigmoid(torch.tensor(1.0)) * torch.sigmoid(torch.tensor(2.0))
    assert found.tolist() == [[0, 0, 0, *[pytest.approx(float(expected), abs=1e-6)] * 2]]
    ssdrec.epoch.fill_(11)  # temperature 0.1
    expected = 1 - torch.sigmoid(torch.tensor(10.0)) * torch.sigmoid(torch.tensor(20.0))
    assert float(ssdrec.keep_probability(pad([[4]], L))[0, -1].detach()) == pytest.approx(float(expected), abs=1e-6)


def test_scores_are_those_of_the_survivors_with_their_relations() -> None:
    ssdrec = model()
    set_levels(ssdrec, -1, -1)
    history = pad([[3, 1, 4]], L)
    state = ssdrec.encoder(ssdrec.table()[history], history != PADDING, last_only=True)
    torch.testing.assert_close(ssdrec.encode(history), state)


def test_the_reconstruction_error_is_that_of_reading_twice() -> None:
    ssdrec = model()
    row = ssdrec.row(pad([[3, 1]], L), ssdrec.table())
    once = ssdrec.rebuilt(torch.cat(ssdrec.rebuilder(row.items, row.mask), dim=2))
    twice = ssdrec.rebuilt(torch.cat(ssdrec.rebuilder(once, row.mask), dim=2))
    expected = (twice - row.items)[0, -2:].square().sum(dim=1).mean()
    torch.testing.assert_close(ssdrec.noise_logits(row, row.mean())[1], expected[None])


def test_temperature_and_the_share_left_out_fall_to_their_last_values() -> None:
    ssdrec = model("temperature=1.0", "last_temperature=0.01", "left_out=0.4", "curriculum_epochs=2")
    world, told = toy_world(num_items=M, num_sequences=5, length=4, seed=0), []
    for _ in range(4):
        ssdrec.begin_epoch(world, seeded())
        told.append(ssdrec.curriculum())
    assert told[0] == pytest.approx((1.0, 0.4)) and told[1] == pytest.approx((0.1, 0.2))
    assert told[2] == told[3] == pytest.approx((0.01, 0.0))


def test_rows_that_are_hard_to_reconstruct_are_left_out_at_first() -> None:
    ssdrec = model("insertion=False", "left_out=0.5")
    set_levels(ssdrec, -1e6, -1e6)
    row = ssdrec.row(batch().history, ssdrec.table())
    error = ssdrec.noise_logits(row, row.mean())[1]
    easy = error.argsort()[:2]
    state, target = ssdrec.encode(batch().history)[easy], batch().target[easy]
    expected = next_item_loss(state, target, ssdrec.item_embedding, M, ssdrec.item_bias) + error[easy].mean()
    torch.testing.assert_close(ssdrec.loss(batch(), seeded()), expected)


def test_a_decision_weighs_attention_with_its_gradient_and_not_with_its_value() -> None:
    ssdrec = model(undecided=True)
    row = ssdrec.row(batch().history, ssdrec.table())
    left, weight, _ = ssdrec.denoise(row, row.mean(), torch.full((2, 1, L), 0.6))  # above one half: all stay
    assert torch.equal(left.tokens, row.tokens) and torch.equal(weight, torch.ones_like(weight))
    (slope,) = torch.autograd.grad(weight.sum(), ssdrec.item_level.bias, retain_graph=True)
    assert not slope.any(), "the other level has not called them noise"
    weight = ssdrec.denoise(row, row.mean(), torch.tensor([0.4, 0.6])[:, None, None].expand(2, 1, L))[1]
    (slope,) = torch.autograd.grad(weight.sum(), ssdrec.item_level.bias)
    assert slope.tolist() == pytest.approx([-0.25 * 4 * L, 0.25 * 4 * L])


def test_gradients_of_the_hard_decisions_reach_both_levels_and_the_items() -> None:
    ssdrec = model(undecided=True)
    ssdrec.loss(batch(), seeded()).backward()
    for parameter in (*ssdrec.sequence_level.parameters(), *ssdrec.item_level.parameters(), ssdrec.augment.begin):
        assert parameter.grad is not None and bool(parameter.grad.any())
    gradient = ssdrec.item_embedding.weight.grad
    assert gradient is not None and not gradient[PADDING].any()


def test_nothing_is_inserted_at_inference_nor_where_it_is_switched_off(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> Row:
        raise AssertionError("inserted")

    for settings, training in (((), False), (("insertion=False",), True)):
        ssdrec = model(*settings)
        monkeypatch.setattr(ssdrec.augment, "forward", refuse)
        ssdrec.score(batch().history)
        if training:
            ssdrec.loss(batch(), seeded())
        else:
            with pytest.raises(AssertionError, match="inserted"):
                ssdrec.loss(batch(), seeded())


def test_the_insertion_chooses_among_trained_items_and_as_surely_as_the_epoch_asks(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    ssdrec = model("temperature=1.0", "last_temperature=0.01", "curriculum_epochs=2")
    ssdrec.epoch.fill_(2)  # half way: temperature 0.1
    ssdrec.known[3:] = False
    asked: list[float] = []
    slot, item = ssdrec.augment.choose_slot, ssdrec.augment.choose_item

    def choose_slot(row: Row, draw: Tensor, temperature: float) -> tuple[Tensor, Tensor, Tensor]:
        asked.append(temperature)
        return slot(row, draw, temperature)

    def choose_item(
        state: Tensor, table: Tensor, known: Tensor, draw: Tensor, temperature: float
    ) -> tuple[Tensor, Tensor]:
        asked.append(temperature)
        assert known.tolist() == [True] * 3 + [False] * 6
        return item(state, table, known, draw, temperature)

    monkeypatch.setattr(ssdrec.augment, "choose_slot", choose_slot)
    monkeypatch.setattr(ssdrec.augment, "choose_item", choose_item)
    ssdrec.loss(batch(), seeded())
    assert asked == pytest.approx([0.1] * 3), "one slot is lengthened, one may be taken back"


def test_what_is_known_of_the_items_is_counted_in_the_training_rows_as_the_settings_say() -> None:
    world = toy_world(num_items=M, num_sequences=50, length=6, seed=0)
    shown = [[item for item in sequence if item != M] for sequence in world.train.sequences()]
    data = dataclasses.replace(world, train=Rows.prefixes([items for items in shown if items]))
    ssdrec = model("max_length=3", "more_than=2", "popular_share=0.5")
    ssdrec.prepare(data, UNJUDGED)
    counts = data.train.target_counts(M)
    assert torch.equal(ssdrec.known, counts[1:] > 0) and not ssdrec.known[M - 1]
    expected = ItemRelations(M + 2, 8, 20)
    expected.fill(data.train.sequences(), counts, 3, 2, 0.5)
    assert torch.equal(ssdrec.relations.neighbour, expected.neighbour)
    torch.testing.assert_close(ssdrec.relations.share.float(), expected.share)


@pytest.mark.parametrize("slip", OF_INSERTION)
def test_a_slip_of_the_insertion_is_no_other(slip: str) -> None:
    augment = model(f"{slip}=True").augment
    assert [name for name in OF_INSERTION if getattr(augment, name)] == [slip]


def test_scores_as_logits_leave_every_level_in_doubt() -> None:
    ssdrec = model("sigmoid_logits=True")
    for noise in (-100.0, 100.0):
        set_levels(ssdrec, noise, noise)
        with torch.no_grad():
            for level in (ssdrec.sequence_level, ssdrec.item_level):
                level.bias[1] = -noise
        chance = 1 / (1 + torch.e ** (1 if noise < 0 else -1))  # 0.27 or 0.73
        assert float(ssdrec.keep_probability(pad([[4]], L))[0, -1].detach()) == pytest.approx(1 - chance**2)


def test_the_target_decides_what_is_noise_only_where_it_leaks() -> None:
    def losses(*settings: str) -> list[float]:
        ssdrec = model("insertion=False", "left_out=0.0", "reconstruction_weight=0.0", *settings)
        asked: list[Tensor] = []
        original = ssdrec.noise_logits

        def noise_logits(row: Row, whose: Tensor) -> tuple[Tensor, Tensor]:
            asked.append(whose.detach())
            return original(row, whose)

        ssdrec.noise_logits = noise_logits  # type: ignore[assignment, method-assign]
        ssdrec.loss(batch(), seeded())
        ssdrec.score(batch().history)
        expected = [ssdrec.table()[batch().target], ssdrec.row(batch().history, ssdrec.table()).mean()]
        return [float((whose - one).detach().abs().max()) for whose, one in zip(asked, expected, strict=True)]

    plain, leaking = losses(), losses("target_leak=True")
    assert plain[0] > 0.1 and plain[1] == 0
    assert leaking == [0, 0]


def test_noise_at_inference_makes_two_lists_of_one_history() -> None:
    quiet, noisy = model(undecided=True), model("noise_at_inference=True", undecided=True)
    history = batch().history
    assert torch.equal(quiet.score(history, seeded(1)), quiet.score(history, seeded(2)))
    assert not torch.equal(noisy.score(history, seeded(1)), noisy.score(history, seeded(2)))
    torch.testing.assert_close(noisy.score(history[:1], seeded(1)), noisy.score(history, seeded(1))[:1])


def test_plain_survivors_know_nothing_of_their_relations() -> None:
    ssdrec = model("plain_survivors=True")
    set_levels(ssdrec, -1, -1)
    history = pad([[3, 1, 4]], L)
    state = ssdrec.encoder(ssdrec.item_embedding(history), history != PADDING, last_only=True)
    torch.testing.assert_close(ssdrec.encode(history), state)


@EVERY_SLIP
def test_a_slip_changes_training_or_scores(slip: str) -> None:
    undecided = slip == "noise_at_inference"
    plain, slipped = (model(*settings, undecided=undecided) for settings in ((), (f"{slip}=True",)))
    losses = [[float(one.loss(batch(), seeded(seed)).detach()) for seed in range(8)] for one in (plain, slipped)]
    scores, slipped_scores = (one.score(pad(ROWS, L), seeded())[:, 1:] for one in (plain, slipped))
    assert losses[0] != losses[1] or not torch.allclose(scores, slipped_scores)


@EVERY_SLIP
def test_what_the_padding_row_holds_changes_nothing(slip: str) -> None:
    ssdrec = model(f"{slip}=True")
    told = ssdrec.score(pad(ROWS, L)).detach(), ssdrec.loss(batch(), seeded()).detach()
    with torch.no_grad():
        ssdrec.item_embedding.weight[PADDING] = 30.0
    torch.testing.assert_close((ssdrec.score(pad(ROWS, L)), ssdrec.loss(batch(), seeded())), told)


def test_computing_padding_too_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    ssdrec, history = model(), pad(ROWS, L)
    packed = ssdrec.score(history)
    monkeypatch.setattr(Slots, "of", lambda mask: Slots(tuple(mask.shape), None, None))
    torch.testing.assert_close(ssdrec.score(history), packed)


def test_the_loss_leaves_the_batch_alone() -> None:
    given = batch()
    model().loss(given, seeded())
    assert torch.equal(given.history, batch().history) and torch.equal(given.target, batch().target)


def test_masked_context_is_read_from_what_stands_before_the_position() -> None:
    ssdrec, at = model(), torch.tensor([3, 4])
    sequence = pad([[4, 8, 9, 8, 6], [1]], L)
    state, mean = ssdrec.masked_context(sequence, at)
    torch.testing.assert_close(state, ssdrec.encode(pad([[4, 8, 9], []], L)))
    torch.testing.assert_close(mean[1], state[1])
    changed = sequence.clone()
    changed[0, 3:], changed[1, 4:] = 7, 7
    torch.testing.assert_close(ssdrec.masked_context(changed, at), (state, mean))


@pytest.mark.parametrize("setting", ["last_temperature=0.0", "temperature=0.05", "left_out=1.0"])
def test_a_setting_that_means_nothing_is_refused(setting: str) -> None:
    with pytest.raises(ValueError, match="last_temperature"):
        SSDRec(SSDRecConfig(num_items=M).override(setting))
