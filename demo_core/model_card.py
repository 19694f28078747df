"""The README.md of a bundle and its figures for the Hub, written from its runs; never edited by hand.

The Hub reads figures in two forms: ``model-index`` in the front matter, and files in ``.eval_results``. Neither has a
field for a spread, so that both say mean, sd and seeds in their names and notes; the runs themselves are in
``metrics.json``.
"""

from __future__ import annotations

import statistics
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import yaml

from demo_core.datasets import DATASETS, PROTOCOLS
from demo_core.health import failures
from demo_core.measure import NO_COMMIT
from demo_core.models import BASELINES, MODELS
from demo_core.results import Run

EVAL_RESULTS = ".eval_results/turnpoint.yaml"
SHOWN = ("hr@10", "hr@20", "hr@50", "ndcg@10", "ndcg@20", "ndcg@50")
TAGS = ["recommender-system", "sequential-recommendation", "diffusion", "turnpoint"]


@dataclass(frozen=True)
class Terms:
    """Under which licence a bundle may be passed on, as the Hub calls it, and what to say about its data."""

    licence: dict[str, str]
    data: str


MOVIELENS_SMALL = Terms(
    {"license": "other", "license_name": "movielens-latest-small"},
    "The catalogue comes from MovieLens (GroupLens); the bundle stays under its terms: acknowledge it, no "
    "commercial use without permission, no endorsement implied.",
)
TERMS = {
    "movielens": MOVIELENS_SMALL,
    "movielens-small": MOVIELENS_SMALL,
    "ml-1m": Terms(
        {"license": "other", "license_name": "movielens-1m"},
        "The catalogue comes from MovieLens 1M (GroupLens); the bundle stays under its terms: acknowledge it, neither "
        "redistribution nor commercial use without permission, no endorsement implied.",
    ),
    "zhihu": Terms(
        {"license": "apache-2.0"}, "Trained on the public Zhihu-1M sessions; the bundle holds item numbers only."
    ),
}
OWN_DATA = Terms({"license": "apache-2.0"}, "")


@dataclass(frozen=True)
class Card:
    """What a bundle's card is written from. ``runs`` are of these weights, ``others`` of the same recipe trained with
    other seeds; ``training`` as in the bundle; ``parameters`` counts those that were trained or counted; ``selection``:
    split and metric that chose the epoch.
    """

    name: str
    preset: str
    dataset: str
    protocol: str
    runs: Sequence[Run] = ()
    others: Sequence[Run] = ()
    training: dict[str, Any] = field(default_factory=dict)
    num_items: int = 0
    parameters: int = 0
    selection: tuple[str, str] = ("validation", "ndcg@20")

    @property
    def title(self) -> str:
        return f"{MODELS[self.name].title} on {self._data}"

    def text(self) -> str:
        """Markdown with the Hub's front matter."""
        sections = (self._about(), self._figures(), self._health(), self._training(), self._use(), self._source())
        return f"---\n{self._front()}---\n\n# {self.title}\n\n" + "\n\n".join(part for part in sections if part) + "\n"

    def eval_results(self) -> str:
        """The YAML of ``.eval_results``, one entry a metric of the test split."""
        entries = [
            {
                "dataset": {"id": self.dataset, "task_id": f"{self.protocol}/{metric}"},
                "value": mean,
                **({"date": test.date} if (test := self._test()) else {}),
                "notes": notes,
            }
            for metric, mean, notes in self._summary()
        ]
        return str(yaml.safe_dump(entries, sort_keys=False, allow_unicode=True))

    def _front(self) -> str:
        terms = TERMS.get(self.dataset, OWN_DATA)
        front: dict[str, Any] = {"library_name": "turnpoint", **terms.licence, "tags": TAGS}
        metrics = [
            {"type": metric, "name": f"{metric.upper()} ({notes})", "value": round(mean, 6)}
            for metric, mean, notes in self._summary()
        ]
        if metrics:
            task = {"type": "recommendation", "name": "Next-item recommendation"}
            data = {"type": self.dataset, "name": self._data, "split": "test"}
            result = {"task": task, "dataset": data, "metrics": metrics}
            front["model-index"] = [{"name": self.title, "results": [result]}]
        return str(yaml.safe_dump(front, sort_keys=False, allow_unicode=True))

    def _about(self) -> str:
        size = f" {self.num_items:,} items, {self.parameters:,} parameters." if self.num_items else ""
        return (
            f"Preset `{self.preset}` of `{self.name}`, trained and saved by Turnpoint.{size} "
            f"{TERMS.get(self.dataset, OWN_DATA).data}"
        ).strip()

    def _figures(self) -> str:
        if not self.runs:
            return ""
        protocols = [PROTOCOLS[name] for name in sorted({run.protocol for run in self.runs})]
        lines = [
            "## Figures",
            "",
            "All items are ranked for every row. These weights:",
            "",
            "| split | protocol | rows | HR@20 | NDCG@20 | seed |",
            "| --- | --- | --- | --- | --- | --- |",
            *(_row(run) for run in self.runs),
        ]
        if len(self._seeds()) > 1:
            means = ", ".join(f"{metric.upper()} {_spread(self._values(metric))}" for metric in ("hr@20", "ndcg@20"))
            lines += ["", f"The same recipe on test over {self._notes()}: {means}."]
        return "\n".join([*lines, "", *(f"`{protocol.name}`: {protocol.description}." for protocol in protocols)])

    def _health(self) -> str:
        test = self._test()
        if test is None or not {"never_trained_share", "distinct_items", "list_overlap"} <= set(test.health):
            return ""
        found, health = failures(test.health), test.health
        verdict = "it passes the health gate" if not found else "it fails the health gate: " + "; ".join(found)
        if self.name in BASELINES:
            verdict = "there is no health gate for a baseline"
        return (
            f"## Health\n\nOn test {verdict}. Never-trained items fill {health['never_trained_share']:.1%} of the "
            f"lists, which hold {health['distinct_items']:,} different items; two lists share "
            f"{health['list_overlap']:.1%}."
        )

    def _training(self) -> str:
        known = {name: self.training.get(name) for name in ("seed", "epochs", "commit", "date")}
        told = ", ".join(f"{name} {value}" for name, value in known.items() if value not in (None, NO_COMMIT))
        split, metric = self.selection
        place = "the test split itself, as the authors' code does" if split == "test" else split
        chosen = f" The epoch was chosen by {metric.upper()} on {place}." if known["epochs"] else ""
        return f"## Training\n\n{told[:1].upper()}{told[1:]}.{chosen}" if told else ""

    def _use(self) -> str:
        return "\n".join(
            [
                "## Use",
                "",
                "`TURNPOINT_BUNDLES=OWNER/NAME@COMMIT python app.py` shows it beside other models. In Python:",
                "",
                "```python",
                'fetched = fetch_bundle(Source.parse("OWNER/NAME@COMMIT"))  # demo_core.hub, demo_core.bundle_index',
                "model = checkpoint.load(fetched.folder).model",
                "ids, scores = model.recommend(history, k=20)  # (B, L) ids, left-padded with 0, as in catalogue.json",
                "```",
                "",
                "Intended for research, teaching and demonstration.",
                "",
                "## Limits",
                "",
                "The lists reflect the people in the data and their time, and know no item that came later. Figures "
                "hold for this protocol alone. Nobody's taste should be decided by them.",
            ]
        )

    def _source(self) -> str:
        about = (sys.modules[MODELS[self.name].model.__module__].__doc__ or "").strip().split("\n\n")[0]
        return f"## Source\n\n{' '.join(about.split())}"

    @property
    def _data(self) -> str:
        return DATASETS[self.dataset].title if self.dataset in DATASETS else self.dataset

    def _test(self) -> Run | None:
        return next((run for run in self.runs if run.split == "test"), None)

    def _seeds(self) -> dict[int, Run]:
        """The test run of every seed, these weights' own first."""
        test = self._test()
        runs = [*([test] if test else []), *(run for run in self.others if run.split == "test")]
        return {run.seed: run for run in reversed(runs)}

    def _values(self, metric: str) -> list[float]:
        return [run.metrics[metric] for run in self._seeds().values() if metric in run.metrics]

    def _notes(self) -> str:
        seeds = sorted(self._seeds())
        return f"{len(seeds)} seeds ({', '.join(map(str, seeds))})" if len(seeds) > 1 else f"seed {seeds[0]}"

    def _summary(self) -> list[tuple[str, float, str]]:
        """Metric, mean over the seeds, and what to say of it."""
        found = []
        for metric in SHOWN:
            values = self._values(metric)
            if values:
                spread = f", {_spread(values)}" if len(values) > 1 else ""
                found.append((metric, statistics.fmean(values), f"{self.protocol}, {self._notes()}{spread}"))
        return found


def _row(run: Run) -> str:
    hit, gain = run.metrics["hr@20"], run.metrics["ndcg@20"]
    return f"| {run.split} | {run.protocol} | {run.rows} | {hit:.2%} | {gain:.2%} | {run.seed} |"


def _spread(values: Sequence[float]) -> str:
    return f"{statistics.fmean(values):.2%} ± {statistics.stdev(values):.2%}"
