"""``python -m scripts.own_data FILE --title "My films"``: a small set of models for your own interactions.

FILE is a .csv, .tsv or .parquet with the columns user, item, time and perhaps title. ``--check`` only says what is in
it. The bundles go to ``checkpoints/own-NAME``, where ``python app.py`` finds them; each is there as soon as it is
trained. ``--json`` prints one JSON object a line, as the page reads it.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import sys
from collections.abc import Callable, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

from demo_core.interactions import Interactions, read_interactions
from demo_core.own_data import EFFORTS, FEWEST, SMALL_SET, About, Kept, keep, slug
from demo_core.prepared import DataError

MOST_MEMORY = 4 * 2**30  # bytes, to read a table: one that unpacks to more is refused, and the machine lives on
Say = Callable[[str, dict[str, Any]], None]


def main(arguments: list[str] | None = None) -> int:
    """0 on success, 1 with the reason where the data or a training cannot be used."""
    chosen = _parser().parse_args(arguments)
    say = _as_json if chosen.json else _in_words
    try:
        with at_most(MOST_MEMORY):
            found = read_interactions(chosen.file)
            kept = keep(found, chosen.fewest, films=chosen.noun == "film")
        if chosen.check:
            say("found", what_is_in(found, kept))
        else:
            _train(chosen, About.of(chosen.title, chosen.noun, found, kept, chosen.fewest), kept, say)
    except MemoryError:
        say("problem", {"message": f"{chosen.file.name} is too large to be read here; bring a sample of the people."})
        return 1
    except (DataError, ValueError, OSError) as error:
        say("problem", {"message": str(error)})
        return 1
    return 0


def what_is_in(found: Interactions, kept: Kept) -> dict[str, Any]:
    """Counts, columns, notes and the first titles, as the page shows them."""
    told = {name: getattr(kept, name) for name in ("people", "items", "interactions", "people_before", "items_before")}
    told |= {"since": kept.since, "until": kept.until, "rows": found.rows, "columns": found.columns}
    return told | {"notes": list(found.notes), "examples": list(kept.sequences.titles[:3])}


@contextlib.contextmanager
def at_most(memory: int) -> Iterator[None]:
    """More memory than that, or than the limit that there is already, becomes a ``MemoryError``, where the system can
    say so.
    """
    try:
        import resource
    except ImportError:  # Windows
        yield
        return
    before = resource.getrlimit(resource.RLIMIT_AS)
    lowest = min([memory, *(limit for limit in before if limit != resource.RLIM_INFINITY)])
    resource.setrlimit(resource.RLIMIT_AS, (lowest, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_AS, before)


def _train(chosen: argparse.Namespace, about: About, kept: Kept, say: Say) -> None:
    # PyTorch takes seconds to import, which a look into the file can do without.
    import torch

    from demo_core.example_people import choose_examples, write_examples
    from demo_core.small_set import own_dataset, train_small_set

    if chosen.threads:
        torch.set_num_threads(chosen.threads)
    say("about", asdict(about))
    folder = chosen.checkpoints / slug(chosen.title)
    if folder.exists():
        raise DataError(f"There is an own data set {folder.name} already. Remove it, or choose another title.")
    dataset = own_dataset(about.name, about.title, about.noun, kept.sequences)
    about.write(folder)
    people = choose_examples(dataset.test, torch.Generator().manual_seed(chosen.seed))
    write_examples(people, folder / "examples.json")
    train_small_set(
        dataset,
        folder,
        chosen.models,
        chosen.effort,
        chosen.seed,
        lambda news: say(type(news).__name__.lower(), asdict(news)),
    )


def _as_json(kind: str, content: dict[str, Any]) -> None:
    print(json.dumps({"kind": kind, **content}), flush=True)  # ASCII: whatever the console can write


def _in_words(kind: str, content: dict[str, Any]) -> None:
    words = {"about": _data, "found": _found, "problem": lambda told: str(told["message"]), "planned": lambda told: ""}
    words |= {"began": _began, "learned": _learned, "trained": _trained}
    text = words[kind](content)
    if text:
        print(text, file=sys.stderr if kind == "problem" else sys.stdout, flush=True)


def _data(told: dict[str, Any]) -> str:
    counts = f"{told['people']:,} people, {told['items']:,} items, {told['interactions']:,} interactions"
    rule = f"with at least {told['fewest']} interactions a person and item"
    return "\n".join([f"{told['title']} ({told['name']}): {counts} {rule}", *told["notes"]])


def _found(told: dict[str, Any]) -> str:
    columns = ", ".join(f"{ours} from {theirs!r}" for ours, theirs in told["columns"].items())
    people = f"{told['people']:,} of {told['people_before']:,} people"
    items = f"{told['items']:,} of {told['items_before']:,} items"
    counts = f"{told['rows']:,} rows; {people} and {items} have enough: {told['interactions']:,} interactions"
    return "\n".join([counts, f"Columns: {columns}", *told["notes"], f"The first: {', '.join(told['examples'])}"])


def _began(told: dict[str, Any]) -> str:
    return f"{told['model']} …"


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
