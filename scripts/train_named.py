"""Train what the index of an app names and nobody has trained here yet, one model after the other.

python -m scripts.train_named --dataset movielens                    # all of them
python -m scripts.train_named --dataset movielens gru4rec duorec     # only these

The folders lie beside those that came with the app, which then shows them. It can be stopped at any moment: the model
in work goes on where it was when the same command is given again. Options of ``scripts.train`` count for each of them.
"""

from __future__ import annotations

import argparse
from collections.abc import Collection, Sequence
from pathlib import Path

from demo_core.bundle_index import IndexFileError, read_index
from demo_core.checkpoint import WEIGHTS_FILE
from scripts import train
from scripts.messages import as_message


def main(words: Sequence[str] | None = None) -> None:
    """The command line, or ``words`` in place of it."""
    parser = argparse.ArgumentParser(description="Train what the index names and nobody has trained here yet.")
    parser.add_argument("models", nargs="*", metavar="MODEL", help="only these (default: all)")
    parser.add_argument("--checkpoints", type=Path, default=Path("checkpoints"), help="where the index lies")
    train.add_options(parser)
    arguments = parser.parse_intermixed_args(words)
    with as_message(IndexFileError, ValueError):
        missing = to_train(arguments.checkpoints, arguments.dataset, arguments.models)
    for number, model in enumerate(missing, start=1):
        print(f"[{number}/{len(missing)}] {model}")
        out = arguments.checkpoints / arguments.dataset / model
        train.train(argparse.Namespace(**{**vars(arguments), "model": model, "out": out}))
    if not missing:
        print("Everything that the index names is there.")


def to_train(checkpoints: Path, dataset: str, only: Collection[str] = ()) -> list[str]:
    """The models that the index only names for ``dataset`` and that have no weights in their folder, ``only`` these
    where some are given. ``ValueError`` for one of these, or a data set, that the index does not name.
    """
    named = [entry for entry in read_index(checkpoints) if entry.dataset == dataset]
    if not named:
        raise ValueError(
            f"The index of {checkpoints} names no bundle of {dataset}; python -m scripts.train trains any."
        )
    unknown = sorted(set(only) - {entry.model for entry in named})
    if unknown:
        raise ValueError(f"The index names no {', '.join(unknown)} for {dataset}; python -m scripts.train trains any.")
    wanted = [entry.model for entry in named if entry.only_named and (not only or entry.model in only)]
    return [model for model in wanted if not (checkpoints / dataset / model / WEIGHTS_FILE).is_file()]


if __name__ == "__main__":
    main()
