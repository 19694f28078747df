"""``python -m scripts.static_space FOLDER``: the app's page as a static site, with everything on it computed before.

FOLDER/index.html can be opened from a disk; the folder can be pushed to a static Space as it is. An earlier site in
FOLDER is replaced; a folder that holds anything else is refused.
"""

from __future__ import annotations

import argparse
import os
from pathlib import Path

# Read by Gradio while it is imported: its components are used, and nothing of them may ask anywhere.
os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"
os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")

import torch

from demo_core.ui.static_site import PEOPLE, FolderError, SiteError, write_site
from scripts.messages import as_message

MEGABYTE = 1_000_000


def main(arguments: list[str] | None = None) -> None:
    """Writes the site and says how large it is."""
    parser = argparse.ArgumentParser(prog="python -m scripts.static_space", description=__doc__)
    parser.add_argument("folder", type=Path, help="where the site is written")
    parser.add_argument("--dataset", default="movielens", help="data set to show (default: movielens)")
    parser.add_argument("--checkpoints", type=Path, default=Path("checkpoints"), help="folder of bundles, by data set")
    parser.add_argument("--people", type=int, default=PEOPLE, help=f"example people, at most (default: {PEOPLE})")
    chosen = parser.parse_args(arguments)
    torch.set_num_threads(1)  # the sums are small: more threads only wait for each other
    with as_message(FolderError, SiteError):
        size = write_site(
            chosen.checkpoints, chosen.dataset, chosen.folder, chosen.people, say=lambda words: print(words, flush=True)
        )
    print(f"{chosen.folder / 'index.html'}: {size / MEGABYTE:.1f} MB in all.")


if __name__ == "__main__":
    main()
