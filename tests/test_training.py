"""The training loop, on models whose course is known, and resumed runs of the real ones."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest
import torch
from torch import Generator, Tensor, nn

from demo_core import training
from demo_core.datasets import Dataset, Protocol, toy_world
from demo_core.models import MODELS
from demo_core.models.base import Controls, Phase, Recommender, RecommenderConfig, Validation, mask_padding
from demo_core.sequences import Batch, Rows
from demo_core.sharding import Share
from demo_core.training import Epoch, fit

RATE = 0.125


@dataclass(frozen=True, kw_only=True)
class ClockConfig(RecommenderConfig):
    """``turns_bad_after``: steps after which the ranking is upside down."""

    turns_bad_after: float = math.inf


class Clock(Recommender):
    """Its only parameter grows by the learning rate at every step, so that it tells how many steps were made."""

    config: ClockConfig

    def __init__(self, config: ClockConfig) -> None:
        super().__init__(config)
        self.time = nn.Parameter(torch.zeros(()))
        self.untouched = nn.Parameter(torch.ones(()))
        self.targets: list[int] = []
        self.was_training: list[bool] = []
        self.steps = 0

    @property
    def ticks(self) -> float:
        return float(self.time.detach()) / self.config.learning_rate

    def loss(self, batch: Batch, generator: Generator | None = None) -> Tensor:
        self.targets += batch.target.tolist()
        self.was_training.append(self.training)
        self.steps += 1
        return -self.time

    def score(self, history: Tensor, generator: Generator | None = None, controls: Controls | None = None) -> Tensor:
        following = history[:, -1] % self.config.num_items + 1
        scores = nn.functional.one_hot(following, self.config.num_items + 1).float()
        return mask_padding(scores if self.ticks <= self.config.turns_bad_after + 1e-3 else -scores)

    def phases(self) -> list[Phase]:
        return [Phase("train", self.loss, [self.time])]


def clock(**settings: float | int | None) -> Clock:
    """One row a batch is one tick; no weight average unless asked for."""
    base = ClockConfig(num_items=12, learning_rate=RATE, weight_decay=0.0, batch_size=8, weight_average=0.0)
    return Clock(base.override(*(f"{name}={value}" for name, value in settings.items())))


@pytest.fixture(scope="module")
def world() -> Dataset:
    return toy_world(num_sequences=40)


def weights(model: Recommender) -> dict[str, Tensor]:
    return {name: tensor.clone() for name, tensor in model.state_dict().items()}


def assert_same_bits(model: Recommender, expected: dict[str, Tensor]) -> None:
    for name, tensor in model.state_dict().items():
        assert torch.equal(tensor, expected[name]), name


# Epochs, selection, averages


def test_every_row_is_seen_once_an_epoch(world: Dataset) -> None:
    model = clock(max_epochs=2)
    report = fit(model, world, seed=0, progress=False)
    once = sorted(world.train.target.tolist())
    rows = len(world.train)
    assert sorted(model.targets[:rows]) == once and sorted(model.targets[rows:]) == once
    assert model.targets[:rows] != model.targets[rows:], "in another order"
    assert report.epochs == 2


def test_rows_per_epoch_draws_that_many_rows(world: Dataset) -> None:
    model = clock(max_epochs=3, rows_per_epoch=20)
    fit(model, world, seed=0, progress=False)
    assert len(model.targets) == 60


def test_training_stops_when_validation_has_not_improved_for_patience_epochs(world: Dataset) -> None:
    report = fit(clock(max_epochs=50, patience=3), world, seed=0, progress=False)
    assert report.epochs == 1 + 3, "the first epoch is the best there is"


def test_the_best_weights_are_kept_and_not_the_last(world: Dataset) -> None:
    per_epoch = math.ceil(len(world.train) / 8)
    model = clock(max_epochs=6, turns_bad_after=2 * per_epoch)
    report = fit(model, world, seed=0, progress=False)
    assert model.steps == 6 * per_epoch
    assert model.ticks == pytest.approx(per_epoch, rel=1e-3), "the first of the equally good epochs"
    assert report.best["train"] == pytest.approx(1.0)


def test_the_evaluated_weights_are_the_exponential_average(world: Dataset) -> None:
    model = clock(max_epochs=1, weight_average=0.9)
    fit(model, world, seed=0, progress=False)
    average = 0.0
    for step in range(1, model.steps + 1):
        average = 0.9 * average + 0.1 * step
    assert model.ticks == pytest.approx(average, rel=1e-3)


def test_only_the_parameters_of_the_phase_are_trained(world: Dataset) -> None:
    model = clock(max_epochs=1)
    fit(model, world, seed=0, progress=False)
    assert float(model.untouched) == 1.0
    assert all(model.was_training), "losses are computed in training mode"
    assert not model.training, "and the model comes back in evaluation mode"


def test_a_phase_with_a_config_follows_it(world: Dataset) -> None:
    class TwoStages(Clock):
        def phases(self) -> list[Phase]:
            short = self.config.override("max_epochs=1")
            return [
                Phase("first", self.loss, [self.time], config=short),
                Phase("second", self.loss, [self.untouched, self.time]),
            ]

    model = TwoStages(clock(max_epochs=3).config)
    report = fit(model, world, seed=0, progress=False)
    assert report.epochs == 1 + 3
    assert sorted(report.best) == ["first", "second"]
    assert fit(TwoStages(model.config), world, seed=0, skip=("first",), progress=False).epochs == 3


def test_an_epoch_is_chosen_on_as_many_rows_as_are_asked_for(world: Dataset, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []
    ranks_under = training.ranks_under

    def counted(
        model: Recommender, rows: Rows, protocol: Protocol, settings: Sequence[Callable[[], object]], share: Share
    ) -> Tensor:
        asked.append(len(rows))
        return ranks_under(model, rows, protocol, settings, share=share)

    monkeypatch.setattr(training, "SELECTION_ROWS", 7)
    monkeypatch.setattr(training, "ranks_under", counted)
    fit(clock(max_epochs=2), world, seed=0, progress=False)
    assert asked == [7, 7] and len(world.validation) > 7


def test_preparation_runs_once_before_its_phase_and_can_validate(world: Dataset) -> None:
    calls: list[tuple[str, float]] = []

    class Prepared(Clock):
        def phases(self) -> list[Phase]:
            def note(name: str) -> Callable[[Dataset, Validation], None]:
                return lambda dataset, validate: calls.append((name, validate()))

            train = Phase("train", self.loss, [self.time], prepare=note("train"))
            return [train, Phase("count", None, [], prepare=note("count"))]

    fit(Prepared(clock(max_epochs=2).config), world, seed=0, progress=False)
    assert calls == [("train", 1.0), ("count", 1.0)]


def test_every_epoch_begins_with_its_hook(world: Dataset) -> None:
    steps: list[int] = []

    class Hooked(Clock):
        def phases(self) -> list[Phase]:
            note = lambda dataset, generator: steps.append(self.steps)  # noqa: E731
            return [Phase("train", self.loss, [self.time], before_epoch=note)]

    model = Hooked(clock(max_epochs=3, rows_per_epoch=16).config)
    fit(model, world, seed=0, progress=False)
    assert steps == [0, 2, 4]


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_a_loss_that_is_not_finite_stops_the_training(world: Dataset, value: float, tmp_path: Path) -> None:
    class Broken(Clock):
        def loss(self, batch: Batch, generator: Generator | None = None) -> Tensor:
            loss = super().loss(batch, generator)
            return loss * value if self.steps > 20 else loss

    state = tmp_path / "state.safetensors"
    with pytest.raises(ValueError, match=r"loss of phase 'train' became (nan|inf|-inf) in epoch"):
        fit(Broken(clock(max_epochs=5).config), world, seed=0, state_file=state, progress=False)


def test_training_leaves_the_global_generator_alone(world: Dataset) -> None:
    before = torch.get_rng_state()
    fit(clock(max_epochs=1), world, seed=0, progress=False)
    assert torch.equal(torch.get_rng_state(), before)


def test_the_loss_of_an_epoch_is_the_mean_over_its_rows(world: Dataset) -> None:
    """The last batch, which is smaller, counts by its rows."""

    class Counts(Clock):
        def loss(self, batch: Batch, generator: Generator | None = None) -> Tensor:
            return super().loss(batch, generator) * 0 + batch.target.float().mean()

    epochs: list[Epoch] = []
    model = Counts(clock(max_epochs=1).config)
    fit(model, world, seed=0, progress=False, watch=epochs.append)
    assert len(world.train) % 8, "there is a smaller batch"
    assert epochs[0].loss == pytest.approx(float(world.train.target.double().mean()))


# Seeds and resumption, on real models


def real(name: str, *settings: str) -> Recommender:
    torch.manual_seed(0)
    config = MODELS[name].config(num_items=12, max_length=6, embedding_dim=8, batch_size=32, max_epochs=3)
    config = config.override("rows_per_epoch=96", "learning_rate=0.01", "weight_average=0.9", *settings)
    if name == "globaldiff":
        config = config.override("backbone_epochs=2", "backbone_rows_per_epoch=96", "hidden_dim=16")
    return MODELS[name].model(config)


@pytest.mark.parametrize("name", ["sasrec", "card"])
def test_the_seed_decides_the_weights(name: str, world: Dataset) -> None:
    first, second, other = real(name), real(name), real(name)
    for model, seed in ((first, 1), (second, 1), (other, 2)):
        fit(model, world, seed=seed, progress=False)
    assert_same_bits(second, weights(first))
    assert any(not torch.equal(tensor, weights(first)[key]) for key, tensor in weights(other).items())


def interrupt_after(model: Recommender, losses: int) -> None:
    """The run is broken off by Ctrl-C in the loss number ``losses + 1``, wherever that is."""
    count = 0

    def breaking(original: Callable[[Batch, Generator | None], Tensor]) -> Callable[..., Tensor]:
        def loss(batch: Batch, generator: Generator | None = None) -> Tensor:
            nonlocal count
            count += 1
            if count > losses:
                raise KeyboardInterrupt
            return original(batch, generator)

        return loss

    for part in model.modules():
        if isinstance(part, Recommender):  # GlobalDiff's backbone is one too
            part.__dict__["loss"] = breaking(part.loss)


@pytest.mark.parametrize(
    ("name", "losses"),
    [(name, losses) for name in ("sasrec", "tdm", "card") for losses in (1, 4, 8)]
    + [("globaldiff", losses) for losses in (1, 2, 4, 8)],
)
def test_an_interrupted_run_ends_in_the_same_bits(name: str, losses: int, world: Dataset, tmp_path: Path) -> None:
    """Three losses an epoch: broken off in the first, second or third. GlobalDiff: in either of its phases."""
    whole = real(name)
    report = fit(whole, world, seed=5, state_file=tmp_path / "whole", progress=False)
    broken = real(name)
    interrupt_after(broken, losses)
    state = tmp_path / "state"
    with pytest.raises(KeyboardInterrupt):
        fit(broken, world, seed=5, state_file=state, progress=False)
    resumed = real(name)
    again = fit(resumed, world, seed=5, state_file=state, progress=False)
    assert_same_bits(resumed, weights(whole))
    assert again.best == report.best and again.epochs == report.epochs
    assert not state.exists(), "a finished run leaves no state behind"


@pytest.mark.parametrize(("seed", "setting"), [(6, "max_epochs=3"), (5, "dropout=0.4")])
def test_the_state_of_another_run_is_not_taken_up(world: Dataset, tmp_path: Path, seed: int, setting: str) -> None:
    broken = real("sasrec")
    interrupt_after(broken, 4)
    state = tmp_path / "state"
    with pytest.raises(KeyboardInterrupt):
        fit(broken, world, seed=5, state_file=state, progress=False)
    with pytest.raises(ValueError, match="another"):
        fit(real("sasrec", setting), world, seed=seed, state_file=state, progress=False)
    assert state.exists(), "it can still be finished"


def test_a_run_that_is_broken_off_while_its_state_is_written_can_be_resumed(
    world: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = real("sasrec")
    fit(whole, world, seed=5, progress=False)
    written = 0

    def replace(source: Path, target: Path) -> Path:
        nonlocal written
        written += 1
        if written > 1:
            raise KeyboardInterrupt
        return source.rename(target)

    with monkeypatch.context() as patched:
        patched.setattr(Path, "replace", replace)
        with pytest.raises(KeyboardInterrupt):
            fit(real("sasrec"), world, seed=5, state_file=tmp_path / "state", progress=False)
    resumed = real("sasrec")
    fit(resumed, world, seed=5, state_file=tmp_path / "state", progress=False)
    assert_same_bits(resumed, weights(whole))
