"""What every entry of MODELS has to do, on a world where item i is always followed by i + 1."""

import functools
import itertools
import json
import typing
from collections.abc import Iterator

import pytest
import torch
from torch import Tensor

from demo_core.datasets import Dataset, toy_world
from demo_core.models import MODELS
from demo_core.models.base import Controls, Phase, Recommender, RecommenderConfig
from demo_core.sequences import batches, pad
from tests.models.judging import UNJUDGED

# Models that do not look at the order of the items, so that they cannot learn what follows what; what they do instead
# is tested in their own files.
CANNOT_LEARN_THE_ORDER = {
    "popularity": "ranks by counts alone, the same for everybody",
    "repeat_last": "has only the history's own items to offer",
    "diffrec": "restores a set: what comes after it and what came before it are alike",
}
# A world of 200 sequences needs no large samples.
QUICKER = {"diffuasr": ("generated_items=2",), "card": ("threshold_sample=500",), "globaldiff": ("hidden_dim=32",)}
M = 12
EPOCHS = 20
EVERY_MODEL = pytest.mark.parametrize("name", sorted(MODELS))


def small_config(name: str) -> RecommenderConfig:
    config = MODELS[name].config(num_items=M).override("embedding_dim=16", "max_length=6", "batch_size=128")
    return config.override(*QUICKER.get(name, ()))


def untrained(name: str) -> Recommender:
    torch.manual_seed(0)
    return MODELS[name].model(small_config(name))


def steps(phase: Phase, model: Recommender, world: Dataset, epochs: int) -> Iterator[None]:
    """One optimiser step of ``phase`` at a time; whatever the phase does not train is frozen."""
    if phase.prepare is not None:
        phase.prepare(world, UNJUDGED)
    if phase.loss is None:
        return
    trained = {id(parameter) for parameter in phase.parameters}
    for parameter in model.parameters():
        parameter.requires_grad_(id(parameter) in trained)
    generator = torch.Generator().manual_seed(0)
    optimiser = torch.optim.Adam(phase.parameters, lr=1e-2)
    for _ in range(epochs):
        model.train()
        if phase.before_epoch is not None:
            phase.before_epoch(world, generator)
        for index in batches(len(world.train), model.config.batch_size, generator):
            optimiser.zero_grad()
            phase.loss(world.train.batch(index, model.config.max_length), generator).backward()
            yield
            optimiser.step()


@functools.cache
def world() -> Dataset:
    return toy_world(num_items=M, num_sequences=200, length=8, seed=0)


@functools.cache
def trained(name: str) -> Recommender:
    model = untrained(name)
    for phase in model.phases():
        for _ in steps(phase, model, world(), EPOCHS):
            pass
    return model.eval()


def histories() -> Tensor:
    """(90, 8): every length from 0 to 8, so that rows of all length groups stand in one batch."""
    generator = torch.Generator().manual_seed(4)
    rows = [torch.randint(1, M + 1, (length,), generator=generator).tolist() for length in range(9) for _ in range(10)]
    return pad(rows, 8)


def seeded() -> torch.Generator:
    return torch.Generator().manual_seed(7)


@pytest.mark.parametrize("name", sorted(set(MODELS) - set(CANNOT_LEARN_THE_ORDER)))
def test_it_learns_what_follows_what(name: str) -> None:
    rows = world().test
    history = rows.history(torch.arange(len(rows)), 8)
    first, _ = trained(name).recommend(history, 1)
    assert float((first[:, 0] == rows.target).double().mean()) >= 0.95


@EVERY_MODEL
def test_scores_are_finite_for_every_item_and_minus_infinity_for_padding(name: str) -> None:
    scores = trained(name).score(histories(), seeded())
    assert scores.shape == (90, M + 1)
    assert torch.isfinite(scores[:, 1:]).all()
    assert torch.isneginf(scores[:, 0]).all()


@EVERY_MODEL
def test_an_empty_history_and_a_history_of_one_item_repeated_have_finite_scores(name: str) -> None:
    scores = trained(name).score(pad([[], [3] * 6, [3]], 6))
    assert torch.isfinite(scores[:, 1:]).all()


@EVERY_MODEL
def test_a_row_scores_the_same_alone_as_in_a_batch(name: str) -> None:
    together = trained(name).score(histories(), seeded())
    for row in range(0, 90, 7):
        alone = trained(name).score(histories()[row : row + 1], seeded())
        torch.testing.assert_close(alone[0, 1:], together[row, 1:], atol=1e-4, rtol=1e-4)


@EVERY_MODEL
def test_more_padding_on_the_left_changes_nothing(name: str) -> None:
    rows = [[1, 2, 3], [9], [], [4, 5, 6, 7, 8, 9]]
    short, long = (trained(name).score(pad(rows, length), seeded()) for length in (6, 15))
    torch.testing.assert_close(short, long, atol=1e-5, rtol=1e-5)


@EVERY_MODEL
def test_the_same_seed_gives_the_same_list(name: str) -> None:
    first = trained(name).recommend(histories(), 5, generator=seeded())
    second = trained(name).recommend(histories(), 5, generator=seeded())
    assert torch.equal(first[0], second[0]) and torch.equal(first[1], second[1])
    default = trained(name).recommend(histories(), 5)
    assert torch.equal(default[0], trained(name).recommend(histories(), 5)[0]), "without a generator, seed 0 is used"


@EVERY_MODEL
def test_recommended_items_are_new_distinct_and_best_first(name: str) -> None:
    ids, scores = trained(name).recommend(histories(), 5)
    assert bool((scores.diff(dim=1) <= 0).all())
    for row, history in zip(ids.tolist(), histories().tolist(), strict=True):
        assert len(set(row)) == 5 and 0 not in row
        assert not set(row) & set(history)


@EVERY_MODEL
def test_seen_items_may_come_back_where_the_protocol_allows_it(name: str) -> None:
    ids, _ = trained(name).recommend(histories(), M, exclude_seen=False)
    assert all(sorted(row) == list(range(1, M + 1)) for row in ids.tolist())


@EVERY_MODEL
@pytest.mark.parametrize("k", [0, M + 1])
def test_more_items_than_there_are_cannot_be_asked_for(name: str, k: int) -> None:
    with pytest.raises(ValueError, match=rf"1\.\.{M}"):
        trained(name).recommend(histories(), k)


@EVERY_MODEL
def test_every_parameter_is_trained_in_some_phase(name: str) -> None:
    model = untrained(name)
    names = {id(parameter): label for label, parameter in model.named_parameters()}
    without_gradient = set(names.values())
    for phase in model.phases():
        # Layers that start at zero pass a gradient on only after their first step, hence a few.
        for _ in itertools.islice(steps(phase, model, world(), epochs=2), 8):
            for parameter in phase.parameters:
                if parameter.grad is not None and bool(parameter.grad.any()):
                    without_gradient.discard(names[id(parameter)])
    assert not without_gradient


@EVERY_MODEL
def test_a_phase_leaves_alone_what_it_does_not_train(name: str) -> None:
    model = untrained(name)
    for phase in model.phases():
        before = {label: parameter.detach().clone() for label, parameter in model.named_parameters()}
        for _ in itertools.islice(steps(phase, model, world(), epochs=1), 3):
            pass
        inside = {id(parameter) for parameter in phase.parameters}
        for label, parameter in model.named_parameters():
            assert id(parameter) in inside or torch.equal(parameter, before[label]), label


@EVERY_MODEL
def test_the_loss_is_one_number_that_its_generator_fixes(name: str) -> None:
    model = trained(name)
    batch = world().train.batch(torch.arange(40), model.config.max_length)
    untouched = torch.get_rng_state()
    first, second = (model.loss(batch, seeded()).detach() for _ in range(2))
    assert first.shape == () and bool(torch.isfinite(first)) and torch.equal(first, second)
    assert torch.equal(torch.get_rng_state(), untouched), "no draw from the global generator"


@EVERY_MODEL
def test_scoring_leaves_the_model_as_it_was(name: str) -> None:
    model = trained(name)
    before = {label: value.clone() for label, value in model.state_dict().items()}
    untouched = torch.get_rng_state()
    model.score(histories())
    model.explain(histories())
    assert all(torch.equal(value, before[label]) for label, value in model.state_dict().items())
    assert not any(module.training for module in model.modules())
    assert torch.equal(torch.get_rng_state(), untouched), "no draw from the global generator"


@EVERY_MODEL
def test_weights_and_config_alone_rebuild_the_model(name: str) -> None:
    model = trained(name)
    torch.manual_seed(99)
    twin = MODELS[name].model(MODELS[name].config.from_dict(model.config.to_dict()))
    twin.load_state_dict(model.state_dict(), strict=True)
    torch.testing.assert_close(twin.eval().score(histories()), model.score(histories()), atol=0, rtol=0)


@EVERY_MODEL
def test_a_config_survives_json(name: str) -> None:
    config = small_config(name)
    assert MODELS[name].config.from_dict(json.loads(json.dumps(config.to_dict()))) == config


@EVERY_MODEL
@pytest.mark.parametrize(
    "change", [{"surprise": 1}, {"embedding_dim": "16"}, {"embedding_dim": 16.5}, {"learning_rate": True}]
)
def test_a_config_with_a_wrong_field_is_refused(name: str, change: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=next(iter(change))):
        MODELS[name].config.from_dict(small_config(name).to_dict() | change)


@EVERY_MODEL
def test_a_config_with_a_missing_field_is_refused(name: str) -> None:
    values = small_config(name).to_dict()
    del values["max_length"]
    with pytest.raises(ValueError, match="max_length"):
        MODELS[name].config.from_dict(values)


@EVERY_MODEL
def test_explain_returns_what_it_declares(name: str) -> None:
    model = trained(name)
    declared = typing.get_type_hints(type(model).explain)["return"]
    told = model.explain(histories())
    if type(model).explain is Recommender.explain:
        assert told is None
    else:
        assert isinstance(told, declared)


@EVERY_MODEL
def test_its_title_is_not_empty(name: str) -> None:
    assert MODELS[name].title.strip()


@EVERY_MODEL
@pytest.mark.parametrize("number", [None, 3])
def test_sampling_step_by_step_ends_in_the_score(name: str, number: int | None) -> None:
    model, controls = trained(name), Controls(steps=number)
    told = model.denoising(histories(), torch.Generator().manual_seed(5), controls)
    if type(model).denoising is Recommender.denoising:
        assert told is None
        return
    assert told is not None
    if number is not None:
        assert len(told) == number + 1, "what it begins with, and every step"
    score = model.score(histories(), torch.Generator().manual_seed(5), controls)
    torch.testing.assert_close(told[-1].scores, score.detach(), atol=1e-5, rtol=1e-5)
    for step in told:
        assert step.vector.shape == (len(histories()), model.config.embedding_dim)
        assert bool(step.scores[:, 1:].isfinite().all()) and bool(step.scores[:, 0].isneginf().all())
