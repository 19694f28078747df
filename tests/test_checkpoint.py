"""Bundles: what is saved comes back, what does not fit is refused with a reason, and an old bundle survives."""

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

from demo_core import checkpoint
from demo_core.checkpoint import FILES, Bundle, BundleError
from demo_core.datasets import toy_world
from demo_core.models import MODELS, create, preset
from demo_core.results import Run
from demo_core.sequences import Catalogue, pad

HISTORY = pad([[1, 2, 3], [7], [], [4, 5, 6, 7, 8, 9]], 6)
RUN = Run(
    model="card",
    preset="default",
    backbone=None,
    dataset="toy",
    protocol="leave-one-out-full",
    split="test",
    seed=3,
    variant=None,
    metrics={"hr@20": 0.25, "ndcg@20": 0.125},
    rows=200,
    health={
        "never_trained_share": 0.0,
        "never_trained_catalogue_share": 0.0,
        "distinct_items": 12,
        "list_overlap": 0.5,
        "popularity_share": 0.5,
        "weight_quantiles": [0.5, 0.9, 1.0, 1.2, 1.8],
    },
    epochs=4,
    seconds_per_epoch=1.5,
    inference_seconds=0.1,
    peak_memory_mb=100.0,
    config_hash="a",
    data_hash="b",
    commit="c",
    device="CPU",
    date="2026-01-01T00:00:00+00:00",
)


def bundle(name: str = "card", seed: int = 0) -> Bundle:
    """An untrained model with random values everywhere, statistics included."""
    torch.manual_seed(seed)
    model = MODELS[name].model(
        MODELS[name].config(num_items=12).override("embedding_dim=8", "max_length=6", "batch_size=32")
    )
    for tensor in model.state_dict().values():
        if tensor.is_floating_point():
            tensor.copy_(torch.rand(tensor.shape))
    training = {"seed": 3, "epochs": 4, "commit": "c", "date": "2026-01-01"}
    return Bundle(
        model.eval(),
        name,
        "default",
        "toy",
        "leave-one-out-full",
        toy_world().catalogue,
        (replace(RUN, model=name),),
        training,
    )


def half_changes_the_list() -> Bundle:
    """Item 21 of 40 is the twentieth best, above item 20 by less than half precision can tell."""
    model = create("popularity", preset("popularity", "default", "toy", 40), 0)
    counts = model.get_buffer("counts")
    counts[1:] = torch.arange(40).flip(0) * 100.0
    counts[20:22] = torch.tensor([2000.0, 2000.25])
    return Bundle(model.eval(), "popularity", "default", "toy", "leave-one-out-full", Catalogue.untitled([1] * 40))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    checkpoint.save(bundle(), tmp_path / "card")
    return tmp_path / "card"


def edit(folder: Path, name: str, change: Callable[[dict[str, Any]], object]) -> None:
    content = json.loads((folder / name).read_text(encoding="utf-8"))
    change(content)
    (folder / name).write_text(json.dumps(content), encoding="utf-8")


def edit_weights(folder: Path, change: Callable[[dict[str, Tensor]], object]) -> None:
    tensors = load_file(folder / "model.safetensors")
    change(tensors)
    save_file(tensors, folder / "model.safetensors")


# Round trips


def test_neighbours_that_an_item_does_not_have_take_no_room(tmp_path: Path) -> None:
    saved = bundle("item_knn")
    for name in ("neighbour", "similarity"):
        saved.model.get_buffer(name)[:, 2:] = 0
    checkpoint.save(saved, tmp_path / "item_knn")
    stored = load_file(tmp_path / "item_knn" / "model.safetensors")
    assert stored["neighbour"].numel() < saved.model.get_buffer("neighbour").numel()
    loaded = checkpoint.load(tmp_path / "item_knn").model
    assert all(torch.equal(loaded.state_dict()[name], own) for name, own in saved.model.state_dict().items())
    edit_weights(tmp_path / "item_knn", lambda tensors: tensors["neighbour.filled"].add_(1))
    with pytest.raises(BundleError, match=r"neighbour\.filled"):
        checkpoint.load(tmp_path / "item_knn")


@pytest.mark.parametrize("name", sorted(MODELS))
def test_a_saved_model_comes_back_with_the_same_scores(name: str, tmp_path: Path) -> None:
    saved = bundle(name)
    checkpoint.save(saved, tmp_path / name)
    loaded = checkpoint.load(tmp_path / name)
    assert torch.equal(loaded.model.score(HISTORY), saved.model.score(HISTORY))
    assert loaded.model.config == saved.model.config
    assert not any(module.training for module in loaded.model.modules())
    for field in ("name", "preset", "dataset", "protocol", "catalogue", "runs", "training"):
        assert getattr(loaded, field) == getattr(saved, field), field


def test_a_bundle_is_five_files_and_its_figures_for_the_hub_and_nothing_is_left_beside_it(folder: Path) -> None:
    checkpoint.save(bundle(seed=1), folder)
    assert sorted(path.name for path in folder.iterdir()) == sorted([*FILES, ".eval_results"])
    assert [path.name for path in folder.parent.iterdir()] == ["card"]


def test_a_copy_that_somebody_keeps_beside_a_bundle_stays(folder: Path) -> None:
    copies = [folder.with_name(f"card{ending}") for ending in (".old", ".new", ".bak", "-old")]
    for copy in copies:
        shutil.copytree(folder, copy)
    checkpoint.save(bundle(seed=1), folder)
    checkpoint.describe(bundle(seed=1), folder)
    assert all((copy / FILES[0]).is_file() for copy in copies)


def test_the_model_card_tells_the_figures_with_their_protocol(folder: Path) -> None:
    text = (folder / "README.md").read_text(encoding="utf-8")
    assert text.startswith("---\n")
    for word in ("CARD", "leave-one-out-full", "25.00%", "12.50%", "200"):
        assert word in text, word


def test_weights_are_halved_when_no_list_changes(tmp_path: Path) -> None:
    saved = bundle()
    before = {name: tensor.clone() for name, tensor in saved.model.state_dict().items()}
    checkpoint.save(saved, tmp_path / "card", probe=HISTORY)
    assert all(torch.equal(tensor, before[name]) for name, tensor in saved.model.state_dict().items())
    weights = load_file(tmp_path / "card" / "model.safetensors")
    loaded = checkpoint.load(tmp_path / "card").model
    ids = saved.model.recommend(HISTORY, 5)[0]
    assert weights["item_embedding.weight"].dtype == torch.float16
    assert torch.equal(loaded.recommend(HISTORY, 5)[0], ids)
    assert loaded.get_parameter("item_embedding.weight").dtype == torch.float32


def test_a_threshold_is_never_rounded(tmp_path: Path) -> None:
    saved = bundle()
    saved.model.get_buffer("threshold").fill_(0.98765)
    checkpoint.save(saved, tmp_path / "card", probe=HISTORY)
    assert float(checkpoint.load(tmp_path / "card").model.get_buffer("threshold")) == pytest.approx(0.98765, abs=1e-7)


def test_weights_stay_whole_when_a_list_would_change(tmp_path: Path) -> None:
    saved = half_changes_the_list()
    checkpoint.save(saved, tmp_path / "popularity", probe=torch.zeros(3, 5, dtype=torch.int64))
    assert load_file(tmp_path / "popularity" / "model.safetensors")["counts"].dtype == torch.float32
    loaded = checkpoint.load(tmp_path / "popularity").model
    assert 21 in loaded.recommend(torch.zeros(1, 5, dtype=torch.int64), 20)[0]


def test_one_changed_list_in_two_hundred_does_not_cost_half_of_the_space(tmp_path: Path) -> None:
    saved = half_changes_the_list()
    probe = torch.zeros(200, 2, dtype=torch.int64)
    probe[1:] = torch.tensor([20, 21])  # whoever has seen both is not affected
    checkpoint.save(saved, tmp_path / "popularity", probe=probe)
    assert load_file(tmp_path / "popularity" / "model.safetensors")["counts"].dtype == torch.float16


# What is refused


def test_training_facts_that_are_no_object_are_refused(folder: Path) -> None:
    edit(folder, "config.json", lambda content: content.update(training=3))
    with pytest.raises(BundleError, match="training as an object, got 3"):
        checkpoint.load(folder)


def refused(folder: Path, *words: str) -> None:
    with pytest.raises(BundleError) as raised:
        checkpoint.load(folder)
    for word in (folder.name, *words):
        assert word in str(raised.value), f"{word!r} is not in {str(raised.value)!r}"


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    refused(tmp_path / "nowhere", "model.safetensors")


@pytest.mark.parametrize("name", FILES)
def test_a_missing_file_is_named(folder: Path, name: str) -> None:
    (folder / name).unlink()
    refused(folder, name)


@pytest.mark.parametrize("name", ["config.json", "catalogue.json", "metrics.json"])
@pytest.mark.parametrize("content", ["", '{"format": 1, "mod', "[]", "null", "\x80"])
def test_a_file_that_is_not_a_json_object_is_named(folder: Path, name: str, content: str) -> None:
    (folder / name).write_text(content, encoding="latin-1")
    refused(folder, name)


@pytest.mark.parametrize(
    "field", ["model", "preset", "dataset", "protocol", "config", "training", "catalogue_hash", "format"]
)
def test_a_config_without_a_field_is_refused(folder: Path, field: str) -> None:
    edit(folder, "config.json", lambda config: config.pop(field))
    refused(folder)


def test_another_format_is_refused_by_number(folder: Path) -> None:
    edit(folder, "config.json", lambda config: config.update(format=2))
    refused(folder, "format 1", "2")


def test_an_unknown_model_is_refused_with_the_known_ones(folder: Path) -> None:
    edit(folder, "config.json", lambda config: config.update(model="cards"))
    refused(folder, "'cards'", "globaldiff")


def test_a_model_that_is_not_a_name_is_refused(folder: Path) -> None:
    edit(folder, "config.json", lambda config: config.update(model=["card"]))
    refused(folder, "['card']")


@pytest.mark.parametrize(
    "change", [{"surprise": 1}, {"embedding_dim": "8"}, {"heads": 3}, {"heads": 0}, {"schedule": "zigzag"}]
)
def test_a_setting_that_does_not_fit_is_refused(folder: Path, change: dict[str, object]) -> None:
    edit(folder, "config.json", lambda config: config["config"].update(change))
    refused(folder, "config.json")


@pytest.mark.parametrize(
    "change", [{"embedding_dim": 10**7}, {"max_length": 10**10}, {"layers": 10**6}, {"diffusion_steps": 10**10}]
)
def test_a_model_that_is_larger_than_its_weights_is_refused_before_it_takes_memory(
    folder: Path, change: dict[str, object]
) -> None:
    edit(folder, "config.json", lambda config: config["config"].update(change))
    refused(folder, "config.json", "as its weights are")


def test_a_missing_setting_is_refused(folder: Path) -> None:
    edit(folder, "config.json", lambda config: config["config"].pop("heads"))
    refused(folder, "config.json", "heads")


def test_another_catalogue_than_the_trained_one_is_refused(folder: Path) -> None:
    edit(folder, "catalogue.json", lambda catalogue: catalogue["titles"].__setitem__(3, "Another film"))
    refused(folder, "catalogue.json")


def test_a_catalogue_of_another_size_than_the_weights_is_refused(folder: Path) -> None:
    other = replace(bundle(), catalogue=toy_world(num_items=13).catalogue)
    checkpoint.save(other, folder)
    refused(folder, "12", "13")


@pytest.mark.parametrize(
    "change",
    [{"surprise": 1}, {"metrics": {"hr@20": float("nan")}}, {"metrics": [1]}, {"health": [1]}, {"split": "train"}],
)
def test_runs_that_are_not_runs_are_refused(folder: Path, change: dict[str, object]) -> None:
    edit(folder, "metrics.json", lambda metrics: metrics["runs"][0].update(change))
    refused(folder, "metrics.json")


@pytest.mark.parametrize("size", [0, 7, 200, -4])
def test_cut_off_weights_are_refused(folder: Path, size: int) -> None:
    content = (folder / "model.safetensors").read_bytes()
    (folder / "model.safetensors").write_bytes(content[:size])
    refused(folder, "model.safetensors")


def test_a_pickle_is_not_opened(folder: Path) -> None:
    # The opcodes of a pickle that would call print("opened"), as a file of torch.save begins.
    (folder / "model.safetensors").write_bytes(b"\x80\x04c__builtin__\nprint\n(X\x06\x00\x00\x00openedtR.")
    refused(folder, "model.safetensors")


@pytest.mark.parametrize(
    ("change", "word"),
    [
        (lambda tensors: tensors.pop("item_bias"), "item_bias"),
        (lambda tensors: tensors.update(surprise=torch.zeros(2)), "surprise"),
        (lambda tensors: tensors.update(item_bias=torch.zeros(12)), "(13,)"),
        (lambda tensors: tensors["item_bias"].fill_(float("nan")), "item_bias"),
        (lambda tensors: tensors["item_bias"].fill_(float("inf")), "item_bias"),
    ],
    ids=["missing", "unknown", "another shape", "nan", "infinite"],
)
def test_weights_that_do_not_fit_are_refused_by_name(
    folder: Path, change: Callable[[dict[str, Tensor]], object], word: str
) -> None:
    edit_weights(folder, change)
    refused(folder, "model.safetensors" if word == "surprise" else word, word)


# Saving


def test_figures_that_are_not_finite_are_not_saved_and_the_old_bundle_stays(folder: Path) -> None:
    bad = replace(bundle(seed=1), training={"seed": float("nan")})
    with pytest.raises(ValueError, match="NaN"):
        checkpoint.save(bad, folder)
    assert torch.equal(checkpoint.load(folder).model.score(HISTORY), bundle().model.score(HISTORY))


@pytest.mark.parametrize(
    ("step", "calls"), [("save_file", 1), *(("write_text", n) for n in (1, 2, 3, 4)), ("rename", 1), ("rename", 2)]
)
def test_an_interrupted_save_leaves_the_old_bundle(
    folder: Path, monkeypatch: pytest.MonkeyPatch, step: str, calls: int
) -> None:
    owner: Any = checkpoint if step == "save_file" else Path
    original, count = getattr(owner, step), 0

    def interrupt(*arguments: object, **options: object) -> object:
        nonlocal count
        count += 1
        if count == calls:
            raise KeyboardInterrupt
        return original(*arguments, **options)

    with monkeypatch.context() as patched:
        patched.setattr(owner, step, interrupt)
        with pytest.raises(KeyboardInterrupt):
            checkpoint.save(bundle(seed=1), folder)
    assert torch.equal(checkpoint.load(folder).model.score(HISTORY), bundle().model.score(HISTORY))
    checkpoint.save(bundle(seed=1), folder)
    assert torch.equal(checkpoint.load(folder).model.score(HISTORY), bundle(seed=1).model.score(HISTORY))
    assert [path.name for path in folder.parent.iterdir()] == ["card"], "what was left over is gone"


def test_a_folder_with_something_else_is_not_replaced(tmp_path: Path) -> None:
    checkpoint.save(bundle(), tmp_path / "toy" / "card")
    with pytest.raises(BundleError, match="expected a bundle, an empty folder or none"):
        checkpoint.save(bundle(), tmp_path / "toy")
    assert checkpoint.load(tmp_path / "toy" / "card").name == "card"
    (tmp_path / "empty").mkdir()
    checkpoint.save(bundle(), tmp_path / "empty")


def test_a_bundle_may_be_moved(folder: Path, tmp_path: Path) -> None:
    shutil.move(folder, tmp_path / "elsewhere" / "card")
    assert checkpoint.load(tmp_path / "elsewhere" / "card").name == "card"
