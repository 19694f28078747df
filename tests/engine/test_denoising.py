"""The steps of a model's sampling as the page gets them."""

from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path

import pytest
import torch

from demo_core.engine import Engine
from demo_core.engine.answers import InputError
from demo_core.engine.control_remarks import guidance_remark, steps_remark
from demo_core.engine.denoising import begins_with
from demo_core.engine.denoising_answers import DenoisingFrame, DenoisingModel, DenoisingNotes
from demo_core.models.globaldiff_config import GlobalDiffConfig

HISTORY = (1, 3, 5, 7, 11)


@pytest.fixture(scope="module")
def engine(film_checkpoints: Path) -> Engine:
    return Engine(film_checkpoints, "movielens", torch.device("cpu"))


def by_model(told: Iterable[object]) -> dict[str, list[DenoisingFrame]]:
    found: dict[str, list[DenoisingFrame]] = defaultdict(list)
    for one in told:
        if isinstance(one, DenoisingFrame):
            found[one.model].append(one)
    return found


def test_models_come_first_then_their_steps_together_then_the_notes(engine: Engine) -> None:
    told = list(engine.denoise(HISTORY, steps=3))
    kinds = [type(one) for one in told]
    assert kinds == [DenoisingModel] * 3 + [DenoisingFrame] * 12 + [DenoisingNotes]
    frames = [one for one in told if isinstance(one, DenoisingFrame)]
    assert [(one.model, one.step) for one in frames[:6]] == [
        *((name, 0) for name in ("tdm", "card", "globaldiff")),
        *((name, 1) for name in ("tdm", "card", "globaldiff")),
    ]


@pytest.mark.parametrize("steps", [None, 4])
def test_the_last_list_is_the_models_list(engine: Engine, steps: int | None) -> None:
    frames = by_model(engine.denoise(HISTORY, steps=steps, k=6, seed=5, truth=12, off=(2,)))
    compared = engine.compare(HISTORY, k=6, seed=5, truth=12, off=(2,))
    for one in compared.lists:
        last = frames[one.model][-1]
        if steps is None:
            assert [item.id for item in last.items] == [shown.item.id for shown in one.items]
            assert last.truth_rank == one.truth_rank
        else:
            assert last.step == 4 and len(last.items) == 6


def test_models_begin_with_the_same_noise_and_say_what_they_begin_with(engine: Engine) -> None:
    told = list(engine.denoise(HISTORY, steps=2, seed=1))
    begin = {one.model: one.begins_with for one in told if isinstance(one, DenoisingModel)}
    assert begin["tdm"] == begin["card"] == "noise"
    other = by_model(engine.denoise(HISTORY, steps=2, seed=2))
    assert other["card"][0].place != by_model(told)["card"][0].place


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ((), "its backbone’s list"),
        (("start=noise",), "noise"),
        (("start=votes", "voter=slit"), "SLIT’s list"),
        (("start=average", "voter=slit"), "the average of its backbone’s list and SLIT’s"),
        (("start=average", "voter=item_knn"), "the average of its backbone’s list and Item-kNN’s"),
    ],
)
def test_what_a_walk_begins_with_names_the_voter_it_has(settings: tuple[str, ...], words: str) -> None:
    assert begins_with(GlobalDiffConfig(num_items=4).override(*settings)) == words


def test_a_stage_has_places_for_items_and_history(engine: Engine) -> None:
    stages = [one for one in engine.denoise(HISTORY, off=(1,)) if isinstance(one, DenoisingModel)]
    for one in stages:
        assert one.error is None and 0 < one.variance <= 1
        assert len(one.around) == 16 and len(one.history) == 4


def test_more_steps_than_a_model_was_trained_with_are_as_many_as_it_has(engine: Engine) -> None:
    stages = {one.model: one.steps for one in engine.denoise(HISTORY, steps=50) if isinstance(one, DenoisingModel)}
    assert stages["card"] == 50 and stages["globaldiff"] <= 50


def test_a_model_that_does_not_sample_says_so_and_takes_nothing_with_it(engine: Engine) -> None:
    told = list(engine.denoise(HISTORY, ("popularity", "card"), steps=2))
    first = told[0]
    assert isinstance(first, DenoisingModel) and first.error is not None and "does not sample" in first.error
    assert set(by_model(told)) == {"card"}


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ({"steps": 0}, "the number of steps to be a whole number from 1 to 50, got 0"),
        ({"steps": 2.5}, "whole number from 1 to 50"),
        ({"guidance_strength": 7}, "the guidance strength from 0 to 6, got 7"),
        ({"guidance_strength": float("nan")}, "the guidance strength from 0 to 6"),
        ({"models": ("crad",)}, "Expected one of the models"),
    ],
)
def test_bad_wishes_are_refused_before_anything_is_sampled(
    engine: Engine, asked: dict[str, object], message: str
) -> None:
    with pytest.raises(InputError, match=message):
        engine.denoise(HISTORY, **asked)  # type: ignore[arg-type]


def test_remarks_say_what_controls_change_and_where_they_change_nothing(engine: Engine) -> None:
    notes = list(engine.denoise(HISTORY, steps=5))[-1]
    assert isinstance(notes, DenoisingNotes)
    assert len(notes.remarks) == 2 and notes.provenance
    assert guidance_remark({"TDM": 10, "CARD": 10}, 10, "film") == (
        "Guidance changes nothing here. From 0 to 6, TDM and CARD keep the same 10 films."
    )
    assert guidance_remark({"CARD": 10}, 10, "film").endswith("CARD keeps the same 10 films.")
    assert guidance_remark({"TDM": 2, "CARD": 0}, 10, "film") == (
        "Guidance from 0 to 6 leaves TDM 2, CARD 0 of the 10 films."
    )
    assert steps_remark({"CARD": 10}, 10, "film").startswith("The number of steps changes nothing here")
    assert "CARD 9, TDM 8 of the 10 films stay" in steps_remark({"CARD": 9, "TDM": 8}, 10, "film")


def test_remarks_count_a_short_list_as_it_is(engine: Engine) -> None:
    notes = list(engine.denoise(tuple(range(1, 15)), steps=3))[-1]
    assert isinstance(notes, DenoisingNotes)
    assert all("2 films" in remark for remark in notes.remarks)
