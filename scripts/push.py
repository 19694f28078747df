"""Push a bundle to the Hugging Face Hub, in one commit, with a card written from its figures.

python -m scripts.push checkpoints/movielens/card --repo OWNER/NAME [--private] [--tag v1] [--pin]

The token is read from HF_TOKEN or the login of the machine (hf auth login).
"""

from __future__ import annotations

import argparse
from pathlib import Path

from demo_core.bundle_index import INDEX_FILE, check_repository, pin, read_index
from demo_core.checkpoint import BundleError
from demo_core.hub import HubError
from demo_core.publishing import publish
from demo_core.runs import read_runs
from scripts.messages import as_message

MEASURED = Path("checkpoints/measured.jsonl")


def main() -> None:
    """The command line."""
    arguments = _parser().parse_args()
    with as_message(BundleError, HubError, ValueError):
        check(arguments.repo, arguments)
        push(arguments.folder.resolve(), arguments.repo, arguments)


def check(repository: str, options: argparse.Namespace) -> None:
    """``ValueError`` for what would fail after the work is done: a name that is none, an index or runs that cannot be
    read.
    """
    check_repository(repository)
    read_runs(options.measured)
    if options.pin is not None:
        read_index(options.pin)


def push(folder: Path, repository: str, options: argparse.Namespace) -> None:
    """Pushes, pins if asked for, and says where the bundle is now."""
    done = publish(
        folder,
        repository,
        measured=read_runs(options.measured),
        private=options.private,
        tag=options.tag,
        parent=options.parent,
    )
    print(f"{'Pushed' if done.pushed.changed else 'Unchanged'}: {repository} at {done.pushed.commit}")
    print(f"Shown by: TURNPOINT_BUNDLES={repository}@{done.pushed.commit} python app.py")
    if options.pin is not None:
        pin(options.pin, done.entry)
        print(f"Pinned in {options.pin / INDEX_FILE}")


def add_options(parser: argparse.ArgumentParser) -> None:
    """What can be asked of a push, wherever it is started from."""
    parser.add_argument("--private", action="store_true", help="a new repository is seen by its owner alone")
    parser.add_argument("--tag", help="name for this commit, such as v1")
    parser.add_argument("--parent", metavar="COMMIT", help="refuse if the repository stands anywhere else")
    parser.add_argument(
        "--measured", type=Path, default=MEASURED, help=f"runs of other seeds, for the card (default: {MEASURED})"
    )
    parser.add_argument(
        "--pin",
        type=Path,
        nargs="?",
        const=Path("checkpoints"),
        metavar="CHECKPOINTS",
        help="name the commit in the index of this folder, so that its app shows it (default: checkpoints)",
    )


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description="Push a bundle to the Hugging Face Hub.")
    parser.add_argument("folder", type=Path, help="bundle, such as checkpoints/movielens/card")
    parser.add_argument("--repo", required=True, metavar="OWNER/NAME")
    add_options(parser)
    return parser


if __name__ == "__main__":
    main()
