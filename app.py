"""Turnpoint's page: loads the trained models of one data set and serves Explore and Benchmarks."""

from __future__ import annotations

import argparse
import contextlib
import ctypes
import os
import sys
from pathlib import Path

# Read by Gradio while it is imported.
os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"
os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")

import torch

from demo_core.engine import Shelf
from demo_core.engine.workshop import Workshop
from demo_core.ui import AddressError, OwnData, create_app, launch

HOME = Path(__file__).resolve().parent
CHECKPOINTS = HOME / "checkpoints"
THIS_MACHINE = ("127.0.0.1", "localhost", "::1")
OFF = ("off", "no", "false", "0")
M_ARENA_MAX = -8  # of malloc.h


def arguments() -> argparse.Namespace:
    """What the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--checkpoints", type=Path, default=CHECKPOINTS, help="folder of bundles, by data set")
    parser.add_argument("--dataset", default="movielens", help="data set to show (default: movielens)")
    parser.add_argument("--host", help="address to listen on (default: GRADIO_SERVER_NAME, else this machine only)")
    parser.add_argument("--port", type=int, help="port (default: GRADIO_SERVER_PORT, else the first free from 7860)")
    allowed = os.environ.get("TURNPOINT_OWN_DATA", "on").lower() not in OFF
    parser.add_argument(
        "--own-data",
        action=argparse.BooleanOptionalAction,
        default=allowed,
        help="whether visitors may bring their own data (default: yes, unless TURNPOINT_OWN_DATA is off)",
    )
    return parser.parse_args()


def own_data(shelf: Shelf, host: str | None) -> OwnData:
    """Trains in a process of its own; files of this machine may be named only by who sits at it."""
    spare = max(1, (os.cpu_count() or 2) - 1)  # a core is left to the page
    command = (sys.executable, "-m", "scripts.own_data", f"--threads={spare}")
    heard = host or os.environ.get("GRADIO_SERVER_NAME") or THIS_MACHINE[0]
    return OwnData(
        Workshop(shelf.checkpoints, command, shelf.forget, HOME),
        paths=heard in THIS_MACHINE and "SPACE_ID" not in os.environ,
    )


def keep_to_few_heaps() -> None:
    """glibc gives threads heaps of their own and takes none back: with forty threads, 20 MB that nobody uses."""
    with contextlib.suppress(OSError, AttributeError, TypeError):  # elsewhere there is no such choice, and no such need
        ctypes.CDLL(None).mallopt(M_ARENA_MAX, 2)


def main() -> None:
    """Load the models, then serve until stopped."""
    chosen = arguments()
    keep_to_few_heaps()
    # Requests run in threads of their own; splitting the small sums of one request as well only makes them wait.
    torch.set_num_threads(1)
    shelf = Shelf(chosen.checkpoints, chosen.dataset)
    own = own_data(shelf, chosen.host) if chosen.own_data else None
    try:
        launch(create_app(shelf, own), host=chosen.host, port=chosen.port)
    except AddressError as error:
        raise SystemExit(str(error)) from error
    finally:
        if own is not None:
            own.workshop.stop()


if __name__ == "__main__":
    main()
