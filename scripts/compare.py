"""Is one model better than another? Differences over the seeds that both have, with 95 % intervals, from ranks.jsonl.

python -m scripts.compare card sasrec                             # every data set that both were measured on
python -m scripts.compare globaldiff/default/sasrec sasrec        # model/preset/backbone
python -m scripts.compare card sasrec --losing deleted=0.5        # who loses less when half of the items go missing

All claims of the README at once, as a table and as a chart, are made by ``scripts.readme_tables``.
Sequences and seeds are drawn (paired bootstrap, 5,000 draws). A difference whose interval holds zero is none.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from demo_core.comparison import MEASURES, Difference
from demo_core.datasets import DATASETS
from demo_core.evaluation import CUTOFFS
from demo_core.experiments.claims import Contender, difference
from demo_core.measure import RANKS
from demo_core.models import MODELS
from demo_core.ranks import KEY, RankFile, common_seeds, read_ranks
from scripts.messages import as_message

METRICS = [f"{name}@{k}" for name in MEASURES for k in CUTOFFS]


def main() -> None:
    """The command line."""
    arguments = _parser().parse_args()
    with as_message(ValueError):
        file = read_ranks(arguments.checkpoints / RANKS)
    first, second = Contender.read(arguments.first), Contender.read(arguments.second)
    measured = False
    for dataset in arguments.datasets:
        for metric in arguments.metrics:
            one = difference(file, first, second, dataset, metric, arguments.losing)
            if one is not None:
                measured = True
                print(f"{dataset:<12} {metric:<8} {arguments.first} - {arguments.second}: {_text(one)}", flush=True)
    if not measured:
        raise SystemExit(_nothing(file, arguments, first, second))


def _nothing(file: RankFile, arguments: argparse.Namespace, first: Contender, second: Contender) -> str:
    """What is missing, and what there is instead."""
    losing = f" with and without {arguments.losing}" if arguments.losing else ""
    missing = (
        f"Expected ranks of {arguments.first} and {arguments.second}{losing} of one seed on one data set, "
        f"found none in {arguments.checkpoints / RANKS}. "
    )
    known = _both_have(file, first, second, arguments.datasets) if arguments.losing else []
    if known:
        return f"{missing}Both have them for {', '.join(known)}."
    return f"{missing}Measure both: python -m scripts.benchmark"


def _both_have(file: RankFile, first: Contender, second: Contender, names: Sequence[str]) -> list[str]:
    """The variants that losses can be compared to on one of the data sets."""

    def have(dataset: str, variant: str) -> bool:
        runs = [one.runs(file, dataset, told) for one in (first, second) for told in (None, variant)]
        found = [one for one in runs if one is not None]
        return len(found) == len(runs) and bool(common_seeds(*found))

    variants = sorted({variant for key in file.lines if (variant := key[KEY.index("variant")])})
    return [variant for variant in variants if any(have(dataset, variant) for dataset in names)]


def _recipe(text: str) -> str:
    """What :meth:`Contender.read` reads; ``ArgumentTypeError`` for a model that there is not."""
    parts = text.split("/")
    if parts[0] not in MODELS or len(parts) > 3:
        raise argparse.ArgumentTypeError(
            f"expected MODEL, MODEL/PRESET or MODEL/PRESET/BACKBONE with a model out of {', '.join(MODELS)}, got {text}"
        )
    return text


def _text(one: Difference) -> str:
    interval = f"{100 * one.low:+.2f}..{100 * one.high:+.2f}"
    verdict = "clear" if one.is_clear else "may be chance"
    return f"{100 * one.mean:+.2f} points ({interval}, {one.seeds} seeds, {one.sequences} sequences) {verdict}"


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description="Differences between two models with their 95 % intervals.")
    parser.add_argument("first", type=_recipe, help="model, model/preset or model/preset/backbone")
    parser.add_argument("second", type=_recipe)
    parser.add_argument("--datasets", nargs="+", default=list(DATASETS), choices=list(DATASETS))
    parser.add_argument("--metrics", nargs="+", default=["hr@20", "ndcg@20"], choices=METRICS)
    parser.add_argument("--losing", metavar="VARIANT", help="compare what is lost from whole histories to this variant")
    parser.add_argument("--checkpoints", type=Path, default=Path("checkpoints"), help="folder with ranks.jsonl")
    return parser


if __name__ == "__main__":
    main()
