"""The experiments behind the Benchmarks page, as lines of ``scripts.benchmark``; what is measured already is left out.

python -m scripts.experiments --list
python -m scripts.experiments card-table-1 sweeps      # only these; without names: all of them, in this order
python -m scripts.experiments --missing                # what is not measured yet
python -m scripts.experiments --threads 1              # started twice, it uses two cores

All of them take some days on a laptop. Everything may be stopped at any moment and started again.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from demo_core.results import TUNING
from scripts import benchmark
from scripts.messages import count
from scripts.tried_settings import TRIED

COUNTED = "--models popularity repeat_last item_knn slit --datasets zhihu movielens ml-1m beauty yoochoose"
GUIDED = "--models sasrec dreamrec tdm card"
HOSTS = "--models knn_average globaldiff --backbones sasrec"
HOLES = "--extras missing foreign"
SYSTEMS = (
    "--models gru4rec caser srgnn lightsans bert4rec cbit cl4srec duorec actsr adaranker steam ssdrec diffuasr pdrec"
    " diffrec diffurec"
)
BEST = (  # of them, among the five best
    "--models actsr lightsans adaranker --datasets ml-1m --seeds 0-2",
    "--models actsr lightsans cl4srec --datasets beauty --seeds 0-2",
)
TRIES = f"--validation-only --file checkpoints/{TUNING}"
REFERENCE = "--models gru4rec sasrec bert4rec caser lightsans srgnn"

EXPERIMENTS: dict[str, tuple[str, tuple[str, ...]]] = {
    "card-table-1": (
        "the defaults beside Table 1 of CARD",
        (
            f"{COUNTED} {HOLES}",
            f"{GUIDED} --datasets zhihu --seeds 0-9 {HOLES}",
            f"{GUIDED} --datasets movielens --seeds 0-4 {HOLES}",
            f"{GUIDED} --datasets ml-1m beauty --seeds 0-2 {HOLES}",
            "--models sasrec --datasets yoochoose --seeds 0-2",
            "--models dreamrec tdm card --datasets yoochoose --seeds 0-1",
        ),
    ),
    "globaldiff": (
        "GlobalDiff, and its backbone averaged with item-kNN and with SLIT",
        (
            f"{HOSTS} --datasets zhihu --seeds 0-9 {HOLES} voters",
            f"{HOSTS} --datasets movielens --seeds 0-4 {HOLES} voters released",
            f"{HOSTS} --datasets ml-1m beauty --seeds 0-2 {HOLES} voters released",
            "--models knn_average --backbones sasrec --datasets yoochoose --seeds 0-2",
            "--models globaldiff --backbones sasrec --datasets yoochoose --seeds 0-1",
            "--models knn_average --backbones sasrec --variants votes_of_slit --datasets zhihu --seeds 0-9",
            "--models knn_average --backbones sasrec --variants votes_of_slit --datasets movielens --seeds 0-4",
            "--models knn_average --backbones sasrec --variants votes_of_slit --datasets ml-1m beauty --seeds 0-2",
        ),
    ),
    "released": (
        "the released codes, stopped after 30 epochs",
        (
            "--models dreamrec tdm card --presets released --datasets zhihu --seeds 0-4 --set max_epochs=30"
            " --extras released missing",
            "--models dreamrec tdm card --presets released --datasets yoochoose --set max_epochs=10 --extras released",
            "--models globaldiff --presets released --backbones sasrec --datasets ml-1m beauty --set max_epochs=30"
            " --extras released voters",
        ),
    ),
    "paper": (
        "what the papers say",
        (
            "--models dreamrec tdm card --presets paper --datasets zhihu --seeds 0-2 --set max_epochs=30",
            "--models globaldiff --presets paper --backbones sasrec --datasets ml-1m beauty --set max_epochs=30"
            " --extras released voters",
        ),
    ),
    "card-table-2": (
        "CARD without its parts, and with ours left out",
        (
            "--models card --datasets zhihu movielens --seeds 0-2 --variants no_routing no_attention neither",
            "--models sasrec card --datasets zhihu --seeds 0-2 --variants own_targets",
            "--models card --datasets movielens --seeds 0-2 --variants no_bag",
            "--models card --datasets zhihu movielens --seeds 0-2 --variants drop_one_weights gaps_in_training"
            " --extras missing",
            "--models card --datasets zhihu movielens --seeds 0-2 --variants learned_threshold",
            "--models globaldiff --backbones sasrec --datasets zhihu movielens --seeds 0-2 --variants no_votes",
        ),
    ),
    "sweeps": (
        "threshold, window and temperature of PER, guidance, denoising steps",
        (
            "--models card --datasets zhihu --variants threshold_quantile=0.1 threshold_quantile=0.25"
            " threshold_quantile=0.75 threshold_quantile=0.9",
            "--models card --datasets zhihu --variants future_window=1 future_window=2 future_window=5"
            " per_temperature=0.5 per_temperature=1.0 per_temperature=4.0",
            "--models dreamrec tdm card --datasets zhihu movielens --extras steps guidance",
            "--models globaldiff --backbones sasrec --datasets zhihu movielens --extras steps",
            "--models tdm card --datasets zhihu --extras all_steps",
        ),
    ),
    "honesty": (
        "PER against what leaving an item out does",
        (
            "--models sasrec tdm card --datasets zhihu movielens --seeds 0-2 --extras honesty",
            "--models dreamrec tdm card --presets released --datasets zhihu --seeds 0-4 --set max_epochs=30"
            " --extras honesty",
            "--models dreamrec tdm card --presets paper --datasets zhihu --seeds 0-2 --set max_epochs=30"
            " --extras honesty",
        ),
    ),
    "globaldiff-table-2": (
        "GlobalDiff on its four backbones",
        (
            "--models srgnn bert4rec cbit --datasets ml-1m beauty --extras released",
            "--models knn_average globaldiff --backbones srgnn bert4rec cbit --datasets ml-1m beauty"
            " --extras released voters",
            "--models knn_average globaldiff --backbones bert4rec --datasets movielens --seeds 0-2",
        ),
    ),
    "globaldiff-parts": (
        "Table 3 and Figures 4 and 6 of GlobalDiff: clusters, contexts, networks, diffusion steps",
        (
            "--models globaldiff --backbones sasrec --datasets beauty"
            " --variants clusters=100 clusters=500 clusters=1000",
            "--models globaldiff --backbones sasrec --datasets ml-1m --variants context_state context_none unet2d"
            " mlp1 mlp2 diffusion_steps=100 diffusion_steps=200",
        ),
    ),
    "systems-tuning": (
        "settings a system, on validation: the training that all share, the other rate, and on Zhihu one of its own,"
        " mostly its authors' dropout, mask rate or weight",
        (
            f"{SYSTEMS} --datasets zhihu movielens {TRIES}",
            *(f"--models {models} --datasets {data} {TRIES} --variants {told}" for data, models, told in TRIED),
        ),
    ),
    "systems": (
        "every other system of the two papers, under the same protocol, and what some released slips cost",
        (
            f"{SYSTEMS} --datasets zhihu movielens --seeds 0-2 {HOLES}",
            f"{SYSTEMS} --datasets ml-1m beauty",
            *BEST,
            "--models lightsans --datasets zhihu --seeds 0-2 --variants softmax_of_queries",
            "--models cl4srec --datasets zhihu --seeds 0-2 --variants damaged_rows",
            "--models pdrec --datasets zhihu --seeds 0-2 --variants own_positives",
            "--models ssdrec --datasets zhihu --seeds 0-2 --variants random_insertion",
            f"{REFERENCE} --datasets ml-1m --variants weight_average=0",
        ),
    ),
    "long-term": (
        "Figure 3 of GlobalDiff: the next four items",
        (
            "--models sasrec --datasets ml-1m beauty --protocol long-term --extras foresight",
            f"{HOSTS} --datasets ml-1m beauty --protocol long-term --extras foresight",
        ),
    ),
}


def main() -> bool:
    """The command line; whether all data sets can be read and no job failed."""
    parser = _parser()
    arguments = parser.parse_args()
    unknown = sorted(set(arguments.names) - set(EXPERIMENTS))
    if unknown:
        parser.error(f"expected experiments out of {', '.join(EXPERIMENTS)}, got {', '.join(unknown)}")
    complete = True
    for name in arguments.names or EXPERIMENTS:
        about, lines = EXPERIMENTS[name]
        print(f"{name}: {about}")
        for line in lines:
            print(f"  python -m scripts.benchmark {line}")
            if not arguments.list:
                complete &= benchmark.main([*line.split(), *_passed_on(arguments, line)])
    return complete


def _passed_on(arguments: argparse.Namespace, line: str) -> list[str]:
    """What is said to ``line`` too; settings that are only tried stay in a file of their own."""
    file = arguments.file
    said = {
        "--file": file.with_name(TUNING) if file and TRIES in line else file,
        "--work": arguments.work,
        "--data": arguments.data,
        "--threads": arguments.threads,
    }
    words = [word for option, value in said.items() if value is not None for word in (option, str(value))]
    return [*words, *(["--missing"] if arguments.missing else [])]


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description="Run the experiments behind the Benchmarks page.")
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"out of {', '.join(EXPERIMENTS)} (default: all)")
    parser.add_argument("--list", action="store_true", help="only say what would be run")
    parser.add_argument("--missing", action="store_true", help="only say what is not measured yet")
    parser.add_argument(
        "--file",
        type=Path,
        help=f"where runs are added (default: checkpoints/measured.jsonl); what is only tried: {TUNING} beside it",
    )
    parser.add_argument("--work", type=Path, help="trained weights (default: benchmark in the data folder)")
    parser.add_argument("--data", type=Path, help="data folder (default: $TURNPOINT_DATA or the cache folder)")
    parser.add_argument("--threads", type=count, help="CPU threads (default: PyTorch's choice)")
    return parser


if __name__ == "__main__":
    sys.exit(not main())
