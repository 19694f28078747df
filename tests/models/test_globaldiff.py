import math
from functools import partial

import pytest
import torch
from torch import Tensor

from demo_core.datasets import toy_world
from demo_core.evaluation import ranks_under
from demo_core.models import globaldiff
from demo_core.models.base import Controls, Validation
from demo_core.models.global_structure import Ones, SparseRows
from demo_core.models.globaldiff import GlobalDiff, GlobalDiffConfig, borda_fusion, item_similarity
from demo_core.models.objectives import Restoration, row_losses
from demo_core.models.sasrec import SASRec
from demo_core.models.voting import SEEN
from demo_core.sequences import Batch, pad
from demo_core.training import fit
from tests.models.judging import UNJUDGED, judged_by

HISTORY = pad([[1, 2, 3, 4, 5, 6], [7, 3, 9, 1], [4], []], 6)
BATCH = Batch(HISTORY, torch.tensor([9, 8, 2, 5]), torch.ones(4, dtype=torch.bool))


def model(*settings: str) -> GlobalDiff:
    """Weights large enough that every part of the network shows in the result."""
    torch.manual_seed(0)
    config = GlobalDiffConfig(num_items=12, max_length=6, embedding_dim=8, hidden_dim=16)
    built = GlobalDiff(config.override(*settings)).eval()
    torch.nn.init.normal_(built.backbone.item_embedding.weight)
    with torch.no_grad():
        built.backbone.item_embedding.weight[0] = 0.0
    torch.nn.init.normal_(built.approximator.inward.weight, std=0.5)
    torch.nn.init.normal_(built.approximator.outward.weight, std=0.3)
    torch.nn.init.normal_(built.approximator.outward.bias, std=0.3)
    return built


def counted(*settings: str) -> GlobalDiff:
    built = model(*settings)
    prepare = built.phases()[1].prepare
    assert prepare is not None
    prepare(toy_world(), UNJUDGED)
    return built


def seeded(seed: int = 3) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


# The vote


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


@pytest.mark.parametrize("backbone", ["sasrec", "srgnn", "bert4rec", "cbit"])
def test_the_personal_voter_is_the_backbones_own_answer(backbone: str) -> None:
    diffusion = model(f"backbone={backbone}")
    told = diffusion.explain(HISTORY)
    expected = diffusion.backbone.score(HISTORY).softmax(dim=1)
    torch.testing.assert_close(told.personal, expected, atol=1e-6, rtol=1e-4)


def test_the_context_is_the_newest_state_and_the_mean_of_the_real_states() -> None:
    diffusion = model()
    assert isinstance(diffusion.backbone, SASRec)
    _, context = diffusion.context(HISTORY)
    states, mask = diffusion.backbone.states(HISTORY)
    for row in range(4):
        real = [states[row, slot] for slot in range(6) if mask[row, slot]]
        torch.testing.assert_close(context[row], torch.cat([real[-1], torch.stack(real).mean(dim=0)]))


@pytest.mark.parametrize(("guidance", "part"), [("state", slice(0, 8)), ("none", slice(0, 0))])
def test_guidance_can_be_left_out_in_part(guidance: str, part: slice) -> None:
    whole, partly = model(), model(f"guidance={guidance}")
    partly.backbone.load_state_dict(whole.backbone.state_dict())
    torch.testing.assert_close(partly.context(HISTORY)[1], whole.context(HISTORY)[1][:, part])


def test_the_number_of_steps_changes_the_answer_and_no_seed_does() -> None:
    diffusion = model()
    diffusion.gamma.fill_(0.0)
    one, many = (diffusion.score(HISTORY, controls=Controls(steps=steps)) for steps in (1, 20))
    assert not torch.allclose(one[:, 1:], many[:, 1:])
    assert torch.equal(diffusion.score(HISTORY, seeded(1)), diffusion.score(HISTORY, seeded(2)))


NOISY = ["reverse=posterior-noise", "start=noise", "start_step=4"]


@pytest.mark.parametrize("setting", NOISY)
def test_a_reading_that_draws_is_fixed_by_its_seed_in_any_batch(setting: str) -> None:
    diffusion = model(setting, "inference_steps=20")
    diffusion.gamma.fill_(0.0)
    same, other = diffusion.score(HISTORY, seeded(1)), diffusion.score(HISTORY, seeded(2))
    assert torch.equal(diffusion.score(HISTORY, seeded(1)), same) and not torch.equal(same, other)
    torch.testing.assert_close(diffusion.score(HISTORY[1:2], seeded(1)), same[1:2], atol=1e-4, rtol=1e-4)
    assert torch.equal(diffusion.score(HISTORY), diffusion.score(HISTORY)), "without a generator, seed 0 is used"


def test_clipping_makes_a_distribution_of_the_restored_vector_and_leaves_the_backbones() -> None:
    told, plain = (model(f"voter_normalisation={rule}").explain(HISTORY) for rule in ("clip", "softmax"))
    torch.testing.assert_close(told.personal, plain.personal)
    assert told.global_.sum(dim=1).tolist() == pytest.approx([1.0] * 4)
    assert bool((told.global_ == 0).any(dim=1).all()), "negative values were there"


def test_l2_makes_directions_of_raw_scores() -> None:
    told = model("voter_normalisation=l2").explain(HISTORY)
    raw = model().backbone.score(HISTORY)[:, 1:]
    torch.testing.assert_close(told.personal[:, 1:], raw / raw.norm(dim=1, keepdim=True))
    assert told.global_.norm(dim=1).tolist() == pytest.approx([1.0] * 4)


@pytest.mark.parametrize("fusion", ["sum", "rrf"])
def test_other_ways_to_fuse(fusion: str) -> None:
    diffusion = model(f"fusion={fusion}")
    told = diffusion.explain(HISTORY)
    if fusion == "sum":
        torch.testing.assert_close(told.fused[:, 1:], (told.personal + told.global_)[:, 1:] / 2)
    else:
        places = [voter[:, 1:].argsort(descending=True).argsort() + 1.0 for voter in (told.personal, told.global_)]
        torch.testing.assert_close(told.fused[:, 1:], 0.5 / (60 + places[0]) + 0.5 / (60 + places[1]))


def test_padding_takes_part_only_where_it_is_a_candidate() -> None:
    released = model("rank_padding=True", "zero_based_ranks=True")
    told = released.explain(HISTORY)
    assert bool((told.personal[:, 0] > 0).all()) and bool((told.global_[:, 0] > 0).all())
    torch.testing.assert_close(told.fused, borda_fusion(told.personal, told.global_, 0.5, worst=0))
    assert torch.equal(released.score_with_padding(HISTORY), told.fused)
    assert torch.equal(released.score(HISTORY)[:, 1:], told.fused[:, 1:])
    assert bool(released.score(HISTORY)[:, 0].isneginf().all())
    assert bool(model().score_with_padding(HISTORY)[:, 0].isneginf().all())


def test_seen_items_can_be_put_last_in_both_voters_before_they_are_normalised() -> None:
    told = model("seen_before_vote=True", "voter_normalisation=l2").explain(HISTORY)
    raw = model().backbone.score(HISTORY)[0]
    raw[HISTORY[0]], raw[0] = SEEN, 0.0
    torch.testing.assert_close(told.personal[0], raw / raw.norm())
    soft = model("seen_before_vote=True").explain(HISTORY)
    assert not soft.personal.gather(1, HISTORY).any() and not soft.global_.gather(1, HISTORY).any()
    assert bool((soft.personal[3, 1:] > 0).all()), "an empty history has seen nothing"


def test_probabilities_are_shares_of_the_points() -> None:
    diffusion = model()
    scores = diffusion.score(HISTORY).scatter(1, HISTORY, -torch.inf)
    likely = diffusion.probabilities(scores)
    assert likely.sum(dim=1).tolist() == pytest.approx([1.0] * 4)
    assert not likely[:, 0].any() and not likely.gather(1, HISTORY).any()
    assert torch.equal(likely.argsort(dim=1), scores.clamp(min=0).argsort(dim=1))


def test_the_backbone_can_be_read_at_a_token_that_it_never_met() -> None:
    slipped, plain = model("untrained_mask=True"), model()
    plain.load_state_dict({k: v for k, v in slipped.state_dict().items() if k != "mask_embedding"})
    assert not torch.allclose(slipped.context(HISTORY)[0], plain.context(HISTORY)[0])
    assert torch.equal(plain.backbone.score(HISTORY), slipped.backbone.score(HISTORY)), "its own list is as before"


def test_a_voter_without_a_say_is_not_asked_and_its_absence_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    diffusion = model()
    diffusion.gamma.fill_(1.0)
    expected = diffusion.explain(HISTORY).fused
    monkeypatch.setattr(diffusion, "restore", None)
    assert torch.equal(diffusion.score(HISTORY), expected)


# Training


def captured(diffusion: GlobalDiff, monkeypatch: pytest.MonkeyPatch) -> list[Restoration]:
    """What the objective is given."""
    seen: list[Restoration] = []

    def record(given: Restoration, objective: str, error_weight: float) -> Tensor:
        seen.append(given)
        return row_losses(given, objective, error_weight)

    monkeypatch.setattr(globaldiff, "row_losses", record)
    return seen


def test_the_loss_is_multinomial_cross_entropy_plus_weighed_squared_error(monkeypatch: pytest.MonkeyPatch) -> None:
    diffusion = counted("error_weight=0.25", "logit_scale=2.0")
    seen = captured(diffusion, monkeypatch)
    loss = diffusion.loss(BATCH, seeded())
    restored, clean = seen[0].restored.detach(), seen[0].ones.dense()
    total = 0.0
    for row in range(4):
        logits = [2.0 * float(value) for value in restored[row, 1:]]
        norm = math.log(sum(math.exp(value) for value in logits))
        ones = clean[row, 1:].tolist()
        total += sum(one * (norm - logit) for one, logit in zip(ones, logits, strict=True)) / sum(ones)
        total += 0.25 * float((restored[row] - clean[row]).square().sum())
    assert float(loss.detach()) == pytest.approx(total / 4, rel=1e-4)


def test_the_truth_holds_each_item_as_often_as_it_is_alike(monkeypatch: pytest.MonkeyPatch) -> None:
    diffusion, rows = counted(), 4000
    seen = captured(diffusion, monkeypatch)
    # One item and no history: the target itself is masked, and Eq. 3 has no neighbour to raise.
    batch = Batch(torch.zeros(rows, 6, dtype=torch.int64), torch.full((rows,), 4), torch.ones(rows, dtype=torch.bool))
    diffusion.loss(batch, seeded())
    share = seen[0].ones.dense().double().mean(dim=0)
    expected = item_similarity(toy_world().train.sequences(), 12, 10)[4]
    assert share.tolist() == pytest.approx(expected.tolist(), abs=0.03)
    assert float(share[4]) == 1.0 and float(share[0]) == 0.0


OTHERS = [
    *(f"objective={name}" for name in ("mse", "nmse", "mce", "bce", "ce")),
    *(f"network={name}" for name in ("mlp1", "mlp2", "unet2d")),
    *("network_input=sign", "network_input=l2", "step_sampling=importance", "position_adjustment=released"),
    *("extra_mask_rate=0.3", "guidance=state", "guidance=none", "untrained_mask=True", "clusters=3"),
    *("backbone=srgnn", "backbone=bert4rec", "backbone=cbit", "train_mode_epochs=1", "schedule=linear"),
]


@pytest.mark.parametrize("setting", OTHERS)
def test_every_reading_trains_its_network_and_scores(setting: str) -> None:
    diffusion = counted(setting).train()
    before, after = diffusion.phases()[1].before_epoch, diffusion.phases()[1].parameters
    assert before is not None
    before(toy_world(), seeded())
    diffusion.loss(BATCH, seeded()).backward()
    without = [parameter for parameter in after if parameter.grad is None or not bool(parameter.grad.any())]
    # A convolution's bias is taken out again by the batch normalisation that follows it.
    assert len(without) <= (2 * 3 if setting == "network=unet2d" else 0)
    assert all(parameter.grad is None for parameter in diffusion.backbone.parameters())
    scores = diffusion.eval().score(HISTORY)
    assert scores.shape == (4, 13) and bool(torch.isfinite(scores[:, 1:]).all())


def test_a_network_that_sees_no_noised_vector_does_not_depend_on_it(monkeypatch: pytest.MonkeyPatch) -> None:
    blind, seeing = (counted(f"noisy_input_dropout={rate}") for rate in (1.0, 0.0))
    for diffusion, expected in ((blind, False), (seeing, True)):
        loss = diffusion.loss(BATCH, seeded())
        (gradient,) = torch.autograd.grad(loss, diffusion.approximator.inward.weight)
        assert bool(gradient.any()) is expected


def test_the_diffusion_trains_no_part_of_the_backbone_and_hears_no_dropout_of_it() -> None:
    diffusion = counted("backbone_dropout=0.9", "dropout=0.0").train()
    first, second = (diffusion.loss(BATCH, seeded()) for _ in range(2))
    assert float(first.detach()) == float(second.detach())
    first.backward()
    assert all(parameter.grad is None for parameter in diffusion.backbone.parameters())


def test_in_the_released_reading_dropout_is_on_in_the_first_epoch_alone_and_the_backbones_too() -> None:
    diffusion = counted("train_mode_epochs=1", "dropout=0.5", "backbone_dropout=0.5")
    begin = diffusion.phases()[1].before_epoch
    assert begin is not None
    for expected in (True, False, False):
        begin(toy_world(), seeded())
        diffusion.train()
        diffusion.loss(BATCH, seeded())
        assert diffusion.approximator.training is expected and diffusion.backbone.training is expected


def test_importance_sampling_hears_of_losses_in_training_only() -> None:
    diffusion = counted("step_sampling=importance")
    diffusion.loss(BATCH, seeded())
    counts = diffusion.get_buffer("step_sampler.count")
    assert int(counts.sum()) == 0
    diffusion.train().loss(BATCH, seeded())
    assert int(counts.sum()) == 4


def test_without_its_similarity_nothing_can_be_learned() -> None:
    with pytest.raises(RuntimeError, match="prepared"):
        model().loss(BATCH, seeded())


# Phases


def test_the_backbone_trains_with_settings_of_its_own() -> None:
    phase = model("backbone_learning_rate=0.5", "backbone_epochs=7", "learning_rate=0.001").phases()[0]
    assert phase.config is not None
    assert (phase.config.learning_rate, phase.config.max_epochs) == (0.5, 7)


def test_while_the_backbone_trains_the_list_is_its_own() -> None:
    diffusion = model()
    prepare = diffusion.phases()[0].prepare
    assert prepare is not None
    prepare(toy_world(), UNJUDGED)
    own = diffusion.backbone.score(HISTORY).argsort(dim=1, descending=True)
    assert torch.equal(diffusion.score(HISTORY).argsort(dim=1, descending=True), own)


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ([], 0.0),
        (["selection_voter=fused"], 0.5),
        (["selection_voter=fused", "gamma=0.8"], 0.8),
        (["gamma=0.8"], 0.0),
    ],
)
def test_the_epoch_is_chosen_by_the_diffusion_alone_or_by_the_vote(settings: list[str], expected: float) -> None:
    assert float(counted(*settings).gamma) == pytest.approx(expected)


def distance_to_035(gamma: Tensor) -> float:
    return -abs(float(gamma) - 0.35)


def test_gamma_comes_from_validation_or_is_fixed() -> None:
    for settings, expected in ((["gamma=0.5"], 0.5), ([], 0.35)):
        diffusion = model(*settings)
        prepare = diffusion.phases()[-1].prepare
        assert prepare is not None
        gamma = diffusion.gamma
        prepare(toy_world(), judged_by(partial(distance_to_035, gamma)))
        assert float(diffusion.gamma) == pytest.approx(expected)


@pytest.mark.parametrize(("settings", "times"), [([], 1), (["masks_per_sequence=3"], 3)])
def test_every_prefix_is_masked_so_many_times_an_epoch(settings: list[str], times: int) -> None:
    rows = model(*settings).phases()[1].rows
    assert rows is not None
    counts = torch.bincount(rows(toy_world()))
    assert len(counts) == len(toy_world().train) and bool((counts == times).all())


def test_with_the_last_window_a_person_is_one_sequence() -> None:
    rows, world = model("mask_window=last", "masks_per_sequence=2").phases()[1].rows, toy_world()
    assert rows is not None
    chosen = rows(world)
    assert len(chosen) == 2 * 200 and bool(world.train.is_last[chosen].all())


def test_a_released_run_sees_every_person_once_an_epoch_at_a_rate_that_is_halved() -> None:
    diffusion = model("mask_window=last", "halve_rate_every=15", "learning_rate=0.001", "max_epochs=1")
    rates = [diffusion.config.learning_rate_at(epoch) for epoch in (0, 14, 15, 30, 45, 60, 75)]
    assert rates == pytest.approx([1e-3, 1e-3, 5e-4, 2.5e-4, 1.25e-4, 1e-4, 1e-4])
    seen: list[int] = []
    original = diffusion.loss

    def counting(batch: Batch, generator: torch.Generator | None = None) -> Tensor:
        seen.append(len(batch.target))
        return original(batch, generator)

    diffusion.__dict__["loss"] = counting
    fit(diffusion, toy_world(), seed=0, progress=False, skip=("backbone",))
    assert sum(seen) == 200


def test_the_similarity_is_no_part_of_a_bundle() -> None:
    diffusion = counted()
    assert isinstance(diffusion.structure, SparseRows)
    assert diffusion.state_dict().keys() == model().state_dict().keys()


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ("schedule=zigzag", "zigzag"),
        ("network=cnn", "unet2d"),
        ("start_step=21", "0 to 20"),
        ("objective=hinge", "hinge"),
    ],
)
def test_an_unknown_reading_is_refused_by_name(setting: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        model(setting)


def test_only_sasrec_can_be_read_at_an_untrained_mask() -> None:
    with pytest.raises(ValueError, match="untrained_mask"):
        model("untrained_mask=True", "backbone=srgnn")


def test_ones_stay_sparse() -> None:
    """A training step on many items must not hold vectors over all of them before the network's last layer."""
    assert set(Ones.__dataclass_fields__) == {"row", "item", "shape"}


def test_shares_chosen_batch_by_batch_are_those_of_one_pass_over_all_rows_each() -> None:
    world = toy_world()

    def quality(ranks: Tensor) -> float:
        return float((1 / ranks.double()).mean())

    def chosen(together: bool) -> tuple[float, float]:
        diffusion = counted("vote_share=None", "start=average", "selection_voter=global")
        ranks = partial(ranks_under, diffusion, world.validation, world.protocol, batch_size=64)
        one_pass = Validation(lambda settings: [quality(own) for own in ranks(settings)])
        pass_each = Validation(lambda settings: [quality(ranks([setting])[0]) for setting in settings])
        diffusion.choose_shares(world, one_pass if together else pass_each)
        return float(diffusion.gamma), float(diffusion.vote_share)

    assert chosen(together=True) == chosen(together=False)


def test_a_vote_after_the_shares_were_chosen_is_a_new_one() -> None:
    diffusion = counted("vote_share=None", "start=average", "selection_voter=global")

    def quality() -> float:
        diffusion.score(HISTORY)
        return -abs(float(diffusion.gamma) - 0.5)

    diffusion.choose_shares(toy_world(), judged_by(quality))
    before = diffusion.score(HISTORY)
    with torch.no_grad():
        diffusion.backbone.item_embedding.weight.mul_(-1)
    assert not torch.equal(diffusion.score(HISTORY), before)
