"""Turnpoint's page: loads the trained models of a data set, and of others when they are asked for, and serves them."""

from __future__ import annotations

import argparse
import contextlib
import ctypes
import os
import signal
import sys
from pathlib import Path

# Read by Gradio while it is imported.
os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"
os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")

from demo_core.zero_gpu import LEND  # before PyTorch

# isort: split
import torch

from demo_core.engine import Serving, Shelf
from demo_core.engine.borrowing import QUESTIONS, Loan
from demo_core.engine.workshop import Workshop
from demo_core.precision import FLOAT32, PRECISIONS
from demo_core.ui import AddressError, OwnData, create_app, launch

HOME = Path(__file__).resolve().parent
CHECKPOINTS = HOME / "checkpoints"
OFF = ("off", "no", "false", "0")
M_ARENA_MAX = -8  # of malloc.h


def arguments() -> argparse.Namespace:
    """What the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--checkpoints", type=Path, default=CHECKPOINTS, help="folder of bundles, by data set")
    parser.add_argument("--dataset", default="movielens", help="data set to show (default: movielens)")
    parser.add_argument("--host", help="address to listen on (default: GRADIO_SERVER_NAME, else this machine only)")
    parser.add_argument("--port", type=int, help="port (default: GRADIO_SERVER_PORT, else the first free from 7860)")
    parser.add_argument(
        "--own-data",
        action=argparse.BooleanOptionalAction,
        default=on_here("TURNPOINT_OWN_DATA"),
        help="whether visitors may bring their own data (default: TURNPOINT_OWN_DATA, on or off; else on a Space no)",
    )
    parser.add_argument(
        "--own-paths",
        action="store_true",
        help="let visitors name a file of this machine as their table; only where nobody else can open the page",
    )
    parser.add_argument(
        "--precision",
        choices=list(PRECISIONS),
        default=os.environ.get("TURNPOINT_PRECISION", FLOAT32),
        help="linear layers in half precision, for models whose lists stay the same (default: float32)",
    )
    parser.add_argument(
        "--throughput",
        action="store_true",
        help="for many visitors: calls that wait for the same model are answered as one batch",
    )
    parser.add_argument(
        "--borrow-for",
        choices=list(QUESTIONS),
        default=os.environ.get("TURNPOINT_BORROW_FOR", "long"),
        help="where a GPU is lent (ZeroGPU): for what takes the CPU seconds, or for all (default: long)",
    )
    parser.add_argument(
        "--hub-box",
        action=argparse.BooleanOptionalAction,
        default=on_here("TURNPOINT_HUB_BOX"),
        help="whether visitors may name models of the Hub (default: TURNPOINT_HUB_BOX, on or off; else on a Space no)",
    )
    parser.add_argument(
        "--bundles",
        default=os.environ.get("TURNPOINT_BUNDLES", ""),
        metavar="OWNER/NAME@REVISION,...",
        help="models of the Hub to show as well (default: TURNPOINT_BUNDLES)",
    )
    return environment_checked(parser, parser.parse_args())


def on_here(name: str) -> bool:
    """Whether the environment says on to ``name``; where it says nothing, on a Space, which is anybody's, it is off."""
    return os.environ.get(name, "off" if "SPACE_ID" in os.environ else "on").lower() not in OFF


def environment_checked(parser: argparse.ArgumentParser, chosen: argparse.Namespace) -> argparse.Namespace:
    """``chosen``. argparse checks only what is typed: what the environment holds and is no choice ends here."""
    for name, value, known in (
        ("TURNPOINT_PRECISION", chosen.precision, PRECISIONS),
        ("TURNPOINT_BORROW_FOR", chosen.borrow_for, QUESTIONS),
    ):
        if value not in known:
            parser.error(f"{name}: expected one of {', '.join(known)}, got {value!r}")
    return chosen


def own_data(shelf: Shelf, paths: bool) -> OwnData:
    """Trains in a process of its own, with a core left to the page."""
    spare = max(1, (os.cpu_count() or 2) - 1)
    command = (sys.executable, "-m", "scripts.own_data", f"--threads={spare}")
    return OwnData(Workshop(shelf.checkpoints, command, shelf.forget, HOME), paths)


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
    serving = Serving(chosen.precision, chosen.throughput)
    loan = None if LEND is None else Loan(LEND, chosen.borrow_for)
    shelf = Shelf(chosen.checkpoints, chosen.dataset, serving=serving, loan=loan, open_to_bundles=chosen.hub_box)
    shelf.additions.add_all(chosen.bundles)
    own = own_data(shelf, chosen.own_paths) if chosen.own_data else None
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))  # as a container is stopped: tidy up first
    try:
        launch(create_app(shelf, own), host=chosen.host, port=chosen.port)
    except AddressError as error:
        raise SystemExit(str(error)) from error
    finally:
        if own is not None:
            own.workshop.close()


if __name__ == "__main__":
    main()
