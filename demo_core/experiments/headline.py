"""The table that sums everything up: what is printed, what the released code reaches, what our default reaches."""

from __future__ import annotations

from collections.abc import Sequence

from demo_core.benchmark_rows import dataset_title, model_title, points
from demo_core.datasets import DATASETS
from demo_core.results import Result

METRICS = ("hr@20", "ndcg@20")
STORY = "zhihu"  # the data set on which all three readings exist
MODELS = (
    *(("popularity", None), ("item_knn", None), ("slit", None), ("sasrec", None), ("dreamrec", None)),
    *(("tdm", None), ("card", None), ("globaldiff", "sasrec"), ("knn_average", "sasrec")),
)
TITLES = {"globaldiff": "GlobalDiff on SASRec", "knn_average": "SASRec averaged with item-kNN"}


def headline_table(results: Sequence[Result]) -> str:
    """Markdown: a line a model; HR@20 / NDCG@20 in per cent on test rows, mean ± sd over n seeds.

    Of the ``results`` those without a variant count. A data set without a measured default is no column.
    """
    results = [result for result in results if result.variant is None]
    measured = {result.dataset for result in results if result.preset == "default"}
    data = [name for name in DATASETS if name in measured]
    story = dataset_title(STORY)
    heads = ["model", f"{story}, printed", f"{story}, as released", "of its lists' items never trained"]
    heads += [f"{dataset_title(name)}, default" for name in data]
    lines = [heads, ["---"] * len(heads)]
    for model, backbone in MODELS:
        own = [r for r in results if (r.model, r.backbone) == (model, backbone)]
        told = [_figures(own, STORY, preset) for preset in ("published", "released")]
        row = [*told, _never_trained(own), *(_figures(own, name, "default") for name in data)]
        if any(row):
            lines.append([TITLES.get(model, model_title(model)), *row])
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _figures(results: Sequence[Result], dataset: str, preset: str) -> str:
    protocol = DATASETS[dataset].protocol.name
    found = {r.metric: r for r in results if (r.dataset, r.preset, r.protocol) == (dataset, preset, protocol)}
    if not all(metric in found for metric in METRICS):
        return ""
    figures = " / ".join(_percent(found[metric], preset == "published") for metric in METRICS)
    return figures if preset == "published" else f"{figures}, n {found[METRICS[0]].n}"


def _percent(result: Result, plain: bool) -> str:
    spread = "" if result.sd is None or plain else f" ± {points(result.sd)}"
    return f"{100 * result.mean:.2f}{spread}"


def _never_trained(results: Sequence[Result]) -> str:
    for result in results:
        share = (result.health or {}).get("never_trained_share")
        if (result.dataset, result.preset) == (STORY, "released") and share is not None:
            return f"{100 * share:.0f} %"
    return ""
