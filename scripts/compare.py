"""Is one model better than another? Differences over the seeds that both have, with 95 % intervals, from ranks.jsonl.

python -m scripts.compare card sasrec                             # every data set that both were measured on
python -m scripts.compare globaldiff/default/sasrec sasrec        # model/preset/backbone
python -m scripts.compare card sasrec --losing deleted=0.3        # who loses less when items go missing

Sequences and seeds are drawn (paired bootstrap, 5,000 draws). A difference whose interval holds zero is none.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from demo_core.comparison import Difference, compare, compare_losses
from demo_core.datasets import DATASETS
from demo_core.measure import RANKS
from demo_core.ranks import RankedRuns, RankFile, read_ranks


@dataclass(frozen=True)
class Contender:
    """``model/preset/backbone``; preset and backbone may be left out."""

    model: str
    preset: str = "default"
    backbone: str | None = None

    def runs(self, file: RankFile, dataset: str, variant: str | None = None) -> RankedRuns | None:
        """Its test ranks on a data set."""
        protocol = DATASETS[dataset].protocol.name
        return file.of((self.model, self.preset, self.backbone, dataset, protocol, "test", variant))


def main() -> None:
    """The command line."""
    arguments = _parser().parse_args()
    file = read_ranks(arguments.checkpoints / RANKS)
    first, second = (Contender(*text.split("/")) for text in (arguments.first, arguments.second))
    for dataset in arguments.datasets:
        for metric in arguments.metrics:
            for found in _difference(file, first, second, dataset, metric, arguments.losing):
                print(f"{dataset:<12} {metric:<8} {arguments.first} - {arguments.second}: {_text(found)}")


def _difference(
    file: RankFile, first: Contender, second: Contender, dataset: str, metric: str, losing: str | None
) -> Iterator[Difference]:
    whole = first.runs(file, dataset), second.runs(file, dataset)
    if whole[0] is None or whole[1] is None:
        return
    if losing is None:
        yield compare(whole[0], whole[1], metric)
        return
    changed = first.runs(file, dataset, losing), second.runs(file, dataset, losing)
    if changed[0] is not None and changed[1] is not None:
        yield compare_losses((whole[0], changed[0]), (whole[1], changed[1]), metric)


def _text(difference: Difference) -> str:
    interval = f"{100 * difference.low:+.2f}..{100 * difference.high:+.2f}"
    verdict = "clear" if difference.is_clear else "may be chance"
    counts = f"{difference.seeds} seeds, {difference.sequences} sequences"
    return f"{100 * difference.mean:+.2f} points ({interval}, {counts}) {verdict}"


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description="Differences between two models with their 95 % intervals.")
    parser.add_argument("first", help="model, or model/preset, or model/preset/backbone")
    parser.add_argument("second")
    parser.add_argument("--datasets", nargs="+", default=list(DATASETS), choices=list(DATASETS))
    parser.add_argument("--metrics", nargs="+", default=["hr@20", "ndcg@20"])
    parser.add_argument("--losing", metavar="VARIANT", help="compare what is lost from whole histories to this variant")
    parser.add_argument("--checkpoints", type=Path, default=Path("checkpoints"), help="folder with ranks.jsonl")
    return parser


if __name__ == "__main__":
    main()
