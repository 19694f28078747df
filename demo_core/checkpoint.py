"""Bundles: a trained model as a folder, the same on disk and on the Hub.

``model.safetensors`` weights; ``config.json`` format, model, preset, data set, protocol, settings, training,
catalogue hash; ``catalogue.json`` titles in id order; ``metrics.json`` its runs; ``README.md`` the model card,
written from the others; ``.eval_results`` the same figures for the Hub. Loading is strict: nothing is
guessed, dropped or unpickled. Saving is atomic.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor

from demo_core.allowance import Allowance
from demo_core.json_files import read_json, write_json
from demo_core.model_card import EVAL_RESULTS, Card
from demo_core.models import MODELS
from demo_core.models.base import Recommender
from demo_core.ragged import pack, unpack
from demo_core.results import Run
from demo_core.sequences import Catalogue

T = TypeVar("T")

FORMAT = 1
WEIGHTS_FILE, CONFIG_FILE, METRICS_FILE = "model.safetensors", "config.json", "metrics.json"
FILES = (WEIGHTS_FILE, CONFIG_FILE, "catalogue.json", METRICS_FILE, "README.md")
BESIDE = (".being-saved", ".replaced")
"""Endings of folders in which a bundle is being written, or was until a moment ago; nobody names copies so."""
PROBE_LENGTH = 20
SAME_LISTS = 0.99


class BundleError(ValueError):
    """A folder that cannot be used as a bundle: says which, what was expected, what came."""


@dataclass(frozen=True)
class Bundle:
    """A model in evaluation mode with all that is needed to use and judge it. ``runs`` are of these weights, ``others``
    of the same recipe with other seeds; ``training``: seed, epochs, commit, date.
    """

    model: Recommender
    name: str
    preset: str
    dataset: str
    protocol: str
    catalogue: Catalogue
    runs: tuple[Run, ...] = ()
    training: dict[str, Any] = field(default_factory=dict)
    others: tuple[Run, ...] = ()


def save(bundle: Bundle, folder: Path, probe: Tensor | None = None) -> None:
    """Writes the bundle beside ``folder`` and swaps it in, so that an interrupted save leaves the old one.

    With ``probe`` (R, L) histories the weights are stored in float16 if at least 99 % of them keep the same 20 best
    items, else in float32; single numbers (a threshold) are never rounded. Raises as :func:`require_place`.
    """
    require_place(folder)
    beside, old = (folder.with_name(folder.name + ending) for ending in BESIDE)
    shutil.rmtree(beside, ignore_errors=True)
    beside.mkdir(parents=True)
    save_file(pack(_weights(bundle.model, probe)), beside / WEIGHTS_FILE)
    (beside / WEIGHTS_FILE).chmod(0o644)  # safetensors leaves it private, which a served Space cannot read
    write_json(beside / "config.json", _config(bundle))
    write_json(beside / "catalogue.json", bundle.catalogue.to_dict())
    _describe(bundle, beside)
    shutil.rmtree(old, ignore_errors=True)
    try:
        if folder.exists():
            folder.rename(old)
        beside.rename(folder)
    except BaseException:
        if old.exists() and not folder.exists():
            old.rename(folder)
        raise
    shutil.rmtree(old, ignore_errors=True)


def require_place(folder: Path) -> None:
    """:class:`BundleError` where something else than a bundle stands at ``folder``, which saving would remove."""
    empty = folder.is_dir() and not any(folder.iterdir())
    if folder.exists() and not empty and not (folder / CONFIG_FILE).is_file():
        raise BundleError(f"{folder}: expected a bundle, an empty folder or none, got others. Choose another place.")


def describe(bundle: Bundle, folder: Path) -> None:
    """Writes the figures and the card of the bundle in ``folder`` anew, and leaves its weights alone."""
    beside = folder.with_name(folder.name + BESIDE[0])
    shutil.rmtree(beside, ignore_errors=True)
    _describe(bundle, beside)
    for path in [path for path in beside.rglob("*") if path.is_file()]:
        target = folder / path.relative_to(beside)
        target.parent.mkdir(exist_ok=True)
        path.replace(target)
    shutil.rmtree(beside)


def load(folder: Path, device: torch.device | None = None) -> Bundle:
    """Reads a bundle folder onto ``device`` (CPU if ``None``). Raises :class:`BundleError` naming what is wrong."""
    for name in FILES:
        if not (folder / name).is_file():
            raise BundleError(f"{folder}: expected a bundle folder with {', '.join(FILES)}; {name} is missing.")
    config = _json(folder / "config.json")
    if config.get("format") != FORMAT:
        raise BundleError(
            f"{folder}: expected bundle format {FORMAT}, got {config.get('format')!r}. Save it again with this version."
        )
    catalogue = _checked(folder, "catalogue.json", lambda: _catalogue(_json(folder / "catalogue.json")))
    if catalogue.hash != config.get("catalogue_hash"):
        raise BundleError(f"{folder}: catalogue.json is not the catalogue that the weights were trained with.")
    runs = _checked(folder, METRICS_FILE, lambda: _runs(_json(folder / METRICS_FILE)["runs"]))
    others = _checked(folder, METRICS_FILE, lambda: _runs(_json(folder / METRICS_FILE).get("other_seeds", [])))
    model = _model(folder, config, catalogue.num_items, device or torch.device("cpu"))
    return Bundle(
        model=model,
        name=config["model"],
        preset=config["preset"],
        dataset=config["dataset"],
        protocol=config["protocol"],
        catalogue=catalogue,
        runs=runs,
        others=others,
        training=config["training"],
    )


def _model(folder: Path, config: dict[str, Any], num_items: int, device: torch.device) -> Recommender:
    missing = {"model", "preset", "dataset", "protocol", "config", "training"} - set(config)
    if missing:
        raise BundleError(f"{folder}: config.json lacks {sorted(missing)}.")
    for name in ("preset", "dataset", "protocol"):
        if not isinstance(config[name], str):
            raise BundleError(f"{folder}: config.json: expected {name} as a text, got {config[name]!r:.60}.")
    if not isinstance(config["training"], dict):
        raise BundleError(f"{folder}: config.json: expected training as an object, got {config['training']!r}.")
    if not isinstance(config["model"], str) or config["model"] not in MODELS:
        raise BundleError(f"{folder}: unknown model {config['model']!r}; known: {', '.join(MODELS)}.")
    entry = MODELS[config["model"]]
    settings = _checked(folder, CONFIG_FILE, lambda: entry.config.from_dict(config["config"]))
    if settings.num_items != num_items:  # before a table of that size is made
        raise BundleError(f"{folder}: the weights are for {settings.num_items} items, the catalogue has {num_items}.")
    file, place = folder / WEIGHTS_FILE, "cpu" if device.type == "cpu" else str(device)  # it knows no "cpu:0"
    with Allowance(file.stat().st_size, num_items):
        model = _checked(folder, CONFIG_FILE, lambda: entry.model(settings))
    own = model.to(device).state_dict()
    shapes = {name: tensor.shape for name, tensor in own.items()}
    weights = _checked(folder, file.name, lambda: unpack(load_file(file, device=place), shapes))
    for name in sorted(set(own) ^ set(weights)):
        problem = "lacks" if name in own else "has the unknown"
        raise BundleError(
            f"{folder}: model.safetensors {problem} tensor {name!r}; the weights do not fit {config['model']}."
        )
    for name, tensor in weights.items():
        if tensor.shape != shapes[name]:
            raise BundleError(f"{folder}: tensor {name!r} should be {tuple(shapes[name])}, is {tuple(tensor.shape)}.")
        if tensor.is_floating_point() and not bool(torch.isfinite(tensor).all()):
            raise BundleError(f"{folder}: tensor {name!r} holds values that are not finite.")
    model.load_state_dict(weights, strict=True)
    return model.eval()


def _describe(bundle: Bundle, folder: Path) -> None:
    (folder / EVAL_RESULTS).parent.mkdir(parents=True)
    figures = {"runs": bundle.runs} | ({"other_seeds": bundle.others} if bundle.others else {})
    write_json(folder / METRICS_FILE, {name: [run.to_dict() for run in runs] for name, runs in figures.items()})
    card = Card(
        bundle.name,
        bundle.preset,
        bundle.dataset,
        bundle.protocol,
        bundle.runs,
        bundle.others,
        bundle.training,
        bundle.catalogue.num_items,
        sum(parameter.numel() for parameter in bundle.model.parameters()),
        bundle.model.config.selection,
    )
    (folder / "README.md").write_text(card.text(), encoding="utf-8")
    (folder / EVAL_RESULTS).write_text(card.eval_results(), encoding="utf-8")


def _weights(model: Recommender, probe: Tensor | None) -> dict[str, Tensor]:
    full = {name: _compact(tensor.detach().cpu().contiguous().clone()) for name, tensor in model.state_dict().items()}
    if probe is None:
        return full
    # Single numbers (a threshold, a scale) cost nothing whole, and rounding one moves every history that is near it.
    half = {name: t.half() if t.is_floating_point() and t.dim() else t for name, t in full.items()}
    whole = _best_items(model, probe)
    model.load_state_dict(half)
    same = (_best_items(model, probe) == whole).all(dim=1).double().mean()
    model.load_state_dict(full)
    return half if same >= SAME_LISTS else full


def _compact(tensor: Tensor) -> Tensor:
    """Whole numbers in the smallest type that holds them all; loading brings them back into the model's own."""
    if tensor.is_floating_point() or tensor.dtype == torch.bool or not tensor.numel():
        return tensor
    low, high = int(tensor.min()), int(tensor.max())
    types = (torch.int8, torch.int16, torch.int32, torch.int64)
    return tensor.to(next(kind for kind in types if torch.iinfo(kind).min <= low and high <= torch.iinfo(kind).max))


def _best_items(model: Recommender, probe: Tensor) -> Tensor:
    """(R, 20) the best items of each history, in the order of their ids."""
    ids, _ = model.recommend(probe, min(PROBE_LENGTH, model.config.num_items))
    return ids.sort(dim=1).values


def _config(bundle: Bundle) -> dict[str, Any]:
    return {
        "format": FORMAT,
        "model": bundle.name,
        "preset": bundle.preset,
        "dataset": bundle.dataset,
        "protocol": bundle.protocol,
        "config": bundle.model.config.to_dict(),
        "training": bundle.training,
        "catalogue_hash": bundle.catalogue.hash,
    }


def _runs(values: list[Any]) -> tuple[Run, ...]:
    return tuple(map(Run.from_dict, values))


def _catalogue(values: dict[str, Any]) -> Catalogue:
    genres = tuple(tuple(names) for names in values["genres"])
    texts = [*values["titles"], values["noun"], *(name for names in genres for name in names)]
    whole = [*values["counts"], *(year for year in values["years"] if year is not None)]
    if not all(isinstance(text, str) for text in texts) or not all(type(number) is int for number in whole):
        raise ValueError("expected titles, genres and noun as texts, counts and years as whole numbers")
    if any(count < 0 for count in values["counts"]):
        raise ValueError("expected counts of 0 or more")
    return Catalogue(tuple(values["titles"]), tuple(values["years"]), genres, tuple(values["counts"]), values["noun"])


def _checked(folder: Path, name: str, read: Callable[[], T]) -> T:
    try:
        return read()
    except (ValueError, LookupError, TypeError, AttributeError, ArithmeticError, SafetensorError, RuntimeError) as why:
        raise BundleError(f"{folder}: {name} cannot be used: {why}") from why


def _json(path: Path) -> dict[str, Any]:
    try:
        return read_json(path)
    except ValueError as error:
        raise BundleError(str(error)) from error
