"""``python -m scripts.own_data FILE --title "My films"``: a small set of models for your own interactions.

FILE is a .csv, .tsv or .parquet with the columns user, item, time and perhaps title. ``--check`` only says what is in
it. The bundles go to ``checkpoints/own-NAME``, where ``python app.py`` finds them; each is there as soon as it is
trained. ``--json`` prints one JSON object a line, as the page reads it.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
from torch import Generator

from demo_core.example_people import choose_examples, write_examples
from demo_core.interactions import read_interactions
from demo_core.models import MODELS
from demo_core.own_data import FEWEST, About, keep, own_dataset, slug
from demo_core.prepared import DataError
from demo_core.small_set import EFFORTS, SMALL_SET, News, train_small_set


def main(arguments: list[str] | None = None) -> int:
    """0 on success, 1 with the reason where the data or a training cannot be used."""
    chosen = _parser().parse_args(arguments)
    if chosen.threads:
        torch.set_num_threads(chosen.threads)
    say: Callable[[str, dict[str, Any]], None] = _as_json if chosen.json else _in_words
    try:
        found = read_interactions(chosen.file)
        kept = keep(found, chosen.fewest, films=chosen.noun == "film")
        about = About.of(chosen.title, chosen.noun, found, kept, chosen.fewest)
        say("about", asdict(about))
        if chosen.check:
            return 0
        folder = chosen.checkpoints / slug(chosen.title)
        if folder.exists():
            raise DataError(f"There is an own data set {folder.name} already. Remove it, or choose another title.")
        dataset = own_dataset(about.name, chosen.title, chosen.noun, kept.sequences)
        about.write(folder)
        write_examples(choose_examples(dataset.test, Generator().manual_seed(chosen.seed)), folder / "examples.json")
        train_small_set(
            dataset, folder, chosen.models, chosen.effort, chosen.seed, lambda news: say(_kind(news), asdict(news))
        )
    except (DataError, ValueError, OSError) as error:
        say("problem", {"message": str(error)})
        return 1
    return 0


def _kind(news: News) -> str:
    return type(news).__name__.lower()


def _as_json(kind: str, content: dict[str, Any]) -> None:
    print(json.dumps({"kind": kind, **content}, ensure_ascii=False), flush=True)


def _in_words(kind: str, content: dict[str, Any]) -> None:
    words = {"about": _data, "problem": lambda told: str(told["message"]), "planned": lambda told: ""}
    words |= {"began": _began, "learned": _learned, "trained": _trained}
    text = words[kind](content)
    if text:
        print(text, file=sys.stderr if kind == "problem" else sys.stdout, flush=True)


def _data(told: dict[str, Any]) -> str:
    counts = f"{told['people']:,} people, {told['items']:,} items, {told['interactions']:,} interactions"
    rule = f"with at least {told['fewest']} interactions a person and item"
    return "\n".join([f"{told['title']} ({told['name']}): {counts} {rule}", *told["notes"]])


def _began(told: dict[str, Any]) -> str:
    return f"{MODELS[told['model']].title} …"


def _learned(told: dict[str, Any]) -> str:
    epoch = told["epoch"]
    return f"  {epoch['phase']} {epoch['number']} of {epoch['of']}: validation NDCG@20 {epoch['quality']:.2%}"


def _trained(told: dict[str, Any]) -> str:
    hit, gain = told["metrics"]["hr@20"], told["metrics"]["ndcg@20"]
    return f"  test: HR@20 {hit:.2%}, NDCG@20 {gain:.2%} ({told['protocol']}, {told['rows']:,} rows)"


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m scripts.own_data", description="Train on your own interactions.")
    parser.add_argument("file", type=Path, help=".csv, .tsv or .parquet: user, item, time and perhaps title")
    parser.add_argument("--title", default="My data", help="how the data set is called on the page")
    parser.add_argument("--noun", default="item", help="what one item is called: film, book, song ...")
    parser.add_argument(
        "--fewest",
        type=int,
        default=5,
        help=f"interactions that every person and item has at least, {FEWEST[0]} to {FEWEST[-1]} (default: 5)",
    )
    parser.add_argument("--models", nargs="+", default=list(SMALL_SET), choices=SMALL_SET)
    parser.add_argument("--effort", default="quick", choices=list(EFFORTS))
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--checkpoints", type=Path, default=Path("checkpoints"), help="folder of bundles, by data set")
    parser.add_argument("--threads", type=int, help="CPU threads (default: PyTorch's choice)")
    parser.add_argument("--check", action="store_true", help="only say what is in the file")
    parser.add_argument("--json", action="store_true", help="print one JSON object a line")
    return parser


if __name__ == "__main__":
    sys.exit(main())
