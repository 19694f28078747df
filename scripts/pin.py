"""Name a bundle and the sha256 of its weights in the index of an app.

python -m scripts.pin checkpoints/movielens/card          # as it lies in its folder
python -m scripts.pin OWNER/NAME@v1                       # on the Hub, at the commit that v1 stands at now
python -m scripts.pin --check                             # does everything lie there as the index says?
"""

from __future__ import annotations

import argparse
from pathlib import Path

from demo_core.bundle_index import INDEX_FILE, Entry, IndexFileError, Source, pin_folder, read_index, weights_hash
from demo_core.checkpoint import WEIGHTS_FILE, BundleError
from demo_core.hub import HubError
from demo_core.publishing import pin_source
from scripts.messages import as_message


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description="Name bundles in the index of an app.")
    parser.add_argument("bundles", nargs="*", metavar="FOLDER or OWNER/NAME@REVISION")
    parser.add_argument("--checkpoints", type=Path, default=Path("checkpoints"), help="where the index lies")
    parser.add_argument("--check", action="store_true", help="compare the folders with the index")
    arguments = parser.parse_args()
    if not arguments.bundles and not arguments.check:
        parser.error("expected a bundle to pin, or --check")
    with as_message(BundleError, HubError, IndexFileError, ValueError, OSError):
        for name in arguments.bundles:
            folder = Path(name)
            entry = (
                pin_folder(_inside(folder.resolve(), arguments.checkpoints.resolve()))
                if folder.is_dir()
                else pin_source(arguments.checkpoints, Source.parse(name))
            )
            print(f"{entry.dataset}/{entry.model}: {entry.source or entry.folder}, weights {str(entry.sha256)[:12]}")
        if arguments.check:
            _check(arguments.checkpoints)


def _check(checkpoints: Path) -> None:
    """Ends with a line for each folder that is not as the index says; else says how many are."""
    if not (checkpoints / INDEX_FILE).is_file():
        raise SystemExit(f"{checkpoints}: expected an {INDEX_FILE} to compare with, found no file.")
    entries = read_index(checkpoints)
    folders = [entry.folder for entry in entries if entry.folder is not None]
    wrong = [problem for entry in entries if (problem := _problem(entry, checkpoints))]
    if wrong:
        raise SystemExit("\n".join(wrong))
    elsewhere = sum(entry.source is not None for entry in entries)
    left = f"; {elsewhere} on the Hub, which were not compared" if elsewhere else ""
    print(f"{len(folders)} bundles in folders, all as the index says{left}")


def _inside(folder: Path, checkpoints: Path) -> Path:
    if folder.parent.parent != checkpoints:
        raise ValueError(f"{folder}: expected a bundle in {checkpoints}/DATASET/MODEL (or another --checkpoints).")
    return folder


def _problem(entry: Entry, checkpoints: Path) -> str | None:
    """What is wrong with the folder of ``entry``, if it has one and anything is."""
    if entry.folder is None:
        return None
    folder = checkpoints / entry.folder
    if not folder.is_dir():
        return f"{entry.folder}: the folder is missing."
    try:
        found = weights_hash(folder)
    except OSError as error:
        return f"{entry.folder}: expected its weights in {WEIGHTS_FILE}, got: {error.strerror}."
    return None if found == entry.sha256 else f"{entry.folder}: other weights than the index names."


if __name__ == "__main__":
    main()
