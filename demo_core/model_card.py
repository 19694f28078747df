"""The README.md of a bundle, written from its runs; never edited by hand."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from demo_core.datasets import PROTOCOLS, Protocol
from demo_core.health import failures
from demo_core.models import MODELS
from demo_core.results import Run


@dataclass(frozen=True)
class Terms:
    """Under which licence a bundle may be passed on, as the Hub calls it, and what to say about its data."""

    licence: tuple[str, ...]
    data: str


MOVIELENS_SMALL = Terms(
    ("license: other", "license_name: movielens-latest-small"),
    "The catalogue comes from MovieLens (GroupLens); the bundle stays under its terms: acknowledge it, no "
    "commercial use without permission, no endorsement implied.",
)
TERMS = {
    "movielens": MOVIELENS_SMALL,
    "movielens-small": MOVIELENS_SMALL,
    "ml-1m": Terms(
        ("license: other", "license_name: movielens-1m"),
        "The catalogue comes from MovieLens 1M (GroupLens); the bundle stays under its terms: acknowledge it, neither "
        "redistribution nor commercial use without permission, no endorsement implied.",
    ),
    "zhihu": Terms(
        ("license: apache-2.0",), "Trained on the public Zhihu-1M sessions; the bundle holds item numbers only."
    ),
}
OWN_DATA = Terms(("license: apache-2.0",), "")


def model_card(name: str, preset: str, dataset: str, runs: Sequence[Run]) -> str:
    """Markdown with Hub front matter: what the model is, its measured figures with their protocol, its health."""
    title, terms = MODELS[name].title, TERMS.get(dataset, OWN_DATA)
    lines = [
        "---",
        "library_name: turnpoint",
        *terms.licence,
        "tags: [sequential-recommendation, diffusion, turnpoint]",
        "---",
        f"# {title} on {dataset}",
        "",
        f"Preset `{preset}` of `{name}`, trained and saved by Turnpoint. {terms.data}".strip(),
        "",
        "| split | protocol | rows | HR@20 | NDCG@20 | seed |",
        "| --- | --- | --- | --- | --- | --- |",
        *(_row(run) for run in runs),
        "",
        *(f"`{protocol.name}`: {protocol.description}." for protocol in _protocols(runs)),
        "",
        *(_health(run) for run in runs if run.split == "test"),
        "",
        "Intended for research and demonstration. The lists reflect the people in the data and their time.",
    ]
    return "\n".join(lines) + "\n"


def _row(run: Run) -> str:
    hit, gain = run.metrics["hr@20"], run.metrics["ndcg@20"]
    return f"| {run.split} | {run.protocol} | {run.rows} | {hit:.2%} | {gain:.2%} | {run.seed} |"


def _protocols(runs: Sequence[Run]) -> list[Protocol]:
    return [PROTOCOLS[name] for name in sorted({run.protocol for run in runs})]


def _health(run: Run) -> str:
    found = failures(run.health)
    verdict = "passes the health gate" if not found else "fails the health gate: " + "; ".join(found)
    health = run.health
    return (
        f"Health on test: {verdict}. Never-trained items fill {health['never_trained_share']:.1%} of the lists, which "
        f"hold {health['distinct_items']:,} different items; two lists share {health['list_overlap']:.1%}."
    )
