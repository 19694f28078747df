"""Turnpoint's page: loads the trained models of one data set and serves Explore and Benchmarks."""

from __future__ import annotations

import argparse
import os
from pathlib import Path

# Read by Gradio while it is imported.
os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"
os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")

import torch

from demo_core.engine import Shelf
from demo_core.ui import AddressError, create_app, launch

CHECKPOINTS = Path(__file__).resolve().parent / "checkpoints"


def arguments() -> argparse.Namespace:
    """What the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--checkpoints", type=Path, default=CHECKPOINTS, help="folder of bundles, by data set")
    parser.add_argument("--dataset", default="movielens", help="data set to show (default: movielens)")
    parser.add_argument("--host", help="address to listen on (default: GRADIO_SERVER_NAME, else this machine only)")
    parser.add_argument("--port", type=int, help="port (default: GRADIO_SERVER_PORT, else the first free from 7860)")
    return parser.parse_args()


def main() -> None:
    """Load the models, then serve until stopped."""
    chosen = arguments()
    # Requests run in threads of their own; splitting the small sums of one request as well only makes them wait.
    torch.set_num_threads(1)
    try:
        launch(create_app(Shelf(chosen.checkpoints, chosen.dataset)), host=chosen.host, port=chosen.port)
    except AddressError as error:
        raise SystemExit(str(error)) from error


if __name__ == "__main__":
    main()
