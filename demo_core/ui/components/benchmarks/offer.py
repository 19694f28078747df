"""What can be chosen on the page, read from disk, and a visitor's choice among it.

The choice comes from a browser and is not trusted: whatever is not on offer is replaced by what is.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path

from demo_core.benchmark_rows import ALL_PROTOCOLS, MARKS, RELEASED_WINDOW, Row, model_title, rows
from demo_core.experiments.times import running_times
from demo_core.models import BASELINES
from demo_core.reference import REFERENCE, Beside, beside, read_references
from demo_core.results import TUNING, Result, collect, collect_tries, of_present_recipes, read_published, summarise
from demo_core.runs import Run
from demo_core.variants import DELETED, RELEASED_TEST, parse

DATASET_ORDER = ("movielens", "zhihu", "ml-1m", "beauty", "yoochoose", "kuairec")
METRIC_ORDER = ("hr@10", "hr@20", "hr@50", "ndcg@10", "ndcg@20", "ndcg@50")
DEFAULT_METRIC = "hr@20"


@dataclass(frozen=True)
class Choice:
    """What is shown.

    ``beside``: the data set's other protocols too, each on an axis of its own. ``models``: only these (none of them if
    empty), ``None`` for all. ``first``, ``second``: the rows that are compared, as :func:`row_name` calls them.
    """

    dataset: str
    protocol: str
    metric: str
    beside: bool = False
    models: tuple[str, ...] | None = None
    first: str | None = None
    second: str | None = None


@dataclass(frozen=True)
class Offer:
    """All results, and what can be chosen among them. ``results``: ranking metrics without a variant, and
    every model under GlobalDiff's released test, which is a protocol here; ``variants``:
    every metric of every variant; ``times``: seconds, with and without variants; ``tries``: validation figures of
    settings that were compared before any test; ``references``: a public implementation beside ours.
    """

    results: tuple[Result, ...]
    variants: tuple[Result, ...]
    times: tuple[Result, ...]
    tries: tuple[Result, ...]
    problems: tuple[str, ...]
    references: tuple[Beside, ...] = ()

    @classmethod
    def read(cls, checkpoints: Path) -> Offer:
        """Published and measured results as they are on disk now; read anew only when a file has changed."""
        single = [checkpoints / name for name in ("measured.jsonl", TUNING, REFERENCE)]
        files = [*single, *sorted(checkpoints.glob("*/*/metrics.json"))]
        state = tuple((path, path.stat().st_mtime_ns, path.stat().st_size) for path in files if path.exists())
        return _read(checkpoints, state)

    def datasets(self) -> list[str]:
        """Data sets in the order of the page."""
        names = {result.dataset for result in self.results}
        return [name for name in DATASET_ORDER if name in names] + sorted(names - set(DATASET_ORDER))

    def protocols(self, dataset: str) -> list[str]:
        """The data set's protocols, those we measured under first."""
        found = [result for result in self.results if result.dataset == dataset]
        measured = {result.protocol for result in found if result.source == "measured"}
        return sorted({result.protocol for result in found}, key=lambda name: (name not in measured, name))

    def metrics(self, dataset: str, protocol: str) -> list[str]:
        """The metrics known for that data set and protocol."""
        names = {r.metric for r in self.results if (r.dataset, r.protocol) == (dataset, protocol)}
        return [name for name in METRIC_ORDER if name in names]

    def models(self, dataset: str) -> list[str]:
        """The models that have a figure for the data set, under any protocol, in the order of the page."""
        found = {result.model for result in self.results if result.dataset == dataset}
        rest = sorted(found - set(MARKS) - set(BASELINES), key=lambda name: model_title(name).lower())
        return [name for name in (*MARKS, *rest, *BASELINES) if name in found]

    def chosen(self, results: Sequence[Result], choice: Choice, protocol: str | None = None) -> list[Result]:
        """Those of ``results`` that belong to the choice: its data set, its models, and ``protocol`` if given."""
        return [
            result
            for result in results
            if result.dataset == choice.dataset
            and (protocol is None or result.protocol == protocol)
            and (choice.models is None or result.model in choice.models)
        ]

    def rows(self, choice: Choice, protocol: str | None = None) -> list[Row]:
        """The rows of the chosen figure, under another protocol if one is given; none where nothing is chosen."""
        found = self.chosen(self.results, choice, protocol or choice.protocol)
        return rows(found, choice.metric) if found else []

    def deleted(self, whole: Result) -> dict[float, Result]:
        """The same models measured with a share of all items deleted, by that share."""
        same = [r for r in self.variants if (_family(r), r.metric) == (_family(whole), whole.metric)]
        return {v.value: r for r in same if (v := parse(r.variant or "")).name == DELETED and v.value is not None}

    def choose(self, asked: object, dataset: str) -> Choice:
        """The choice closest to what was asked; ``dataset`` is the page's own."""
        wishes = asked if isinstance(asked, dict) else {}
        name = _offered(wishes.get("dataset"), self.datasets(), dataset)
        protocol = _offered(wishes.get("protocol"), self.protocols(name), None)
        metric = _offered(wishes.get("metric"), self.metrics(name, protocol), DEFAULT_METRIC)
        beside = wishes.get("beside") is True and len(self.protocols(name)) > 1
        choice = Choice(name, protocol, metric, beside, self._models(wishes.get("models")))
        pair = [text if isinstance(text := wishes.get(key), str) else None for key in ("first", "second")]
        return Choice(name, protocol, metric, beside, choice.models, *compared(self.rows(choice), pair))

    def _models(self, wish: object) -> tuple[str, ...] | None:
        if not isinstance(wish, list):
            return None
        known = {result.model for result in self.results}
        models = tuple(dict.fromkeys(name for name in wish if isinstance(name, str) and name in known))
        return models if models or not wish else None


def _family(result: Result) -> tuple[object, ...]:
    return result.model, result.preset, result.backbone, result.dataset, result.protocol, result.source


def row_name(row: Row) -> str:
    """``card:default`` or ``globaldiff:default:sasrec``: how a link calls a measured row."""
    result = row.result
    return ":".join(part for part in (result.model, result.preset, result.backbone) if part)


def comparable(shown: Sequence[Row]) -> list[Row]:
    """The rows that were measured here, so that their ranks can be compared row by row."""
    return [row for row in shown if row.result.source == "measured"]


def compared(shown: Sequence[Row], wishes: Sequence[str | None]) -> tuple[str | None, str | None]:
    """The two rows to compare: those wished for, else the best two of different models that our page is about."""
    names = [row_name(row) for row in comparable(shown)]
    usual = sorted(
        (row for row in comparable(shown) if row.result.preset == "default" and row.result.model not in BASELINES),
        key=lambda row: -row.result.mean,
    )
    order = [*(row_name(row) for row in usual), *names]
    first = next((name for name in (wishes[0], *order) if name in names), None)
    second = next((name for name in (wishes[1], *order) if name in names and name != first), None)
    return first, second


def _offered(wish: object, offered: Sequence[str], default: str | None) -> str:
    """The wish if it is on offer, else the default if that is, else the first on offer (the papers' tables exist)."""
    return next(name for name in (wish, default, *offered) if isinstance(name, str) and name in offered)


@lru_cache(maxsize=4)
def _read(checkpoints: Path, state: tuple[object, ...]) -> Offer:
    """``state`` tells one content of the files from another."""
    measured = collect(checkpoints)
    known = of_present_recipes(measured.runs)
    runs = [run for run in known if run.split == "test" and run.protocol in ALL_PROTOCOLS and run.variant != ""]
    tried = collect_tries(checkpoints)
    results = [*read_published(), *(_by_protocol(result) for result in summarise(runs))]
    references, unread = _references(checkpoints, runs)
    return Offer(
        results=tuple(r for r in results if r.variant in (None, RELEASED_TEST) and r.metric in METRIC_ORDER),
        variants=tuple(r for r in results if r.variant not in (None, RELEASED_TEST)),
        times=(*(r for r in results if r.metric.endswith("_seconds")), *running_times(runs)),
        tries=tuple(r for r in summarise(tried.runs) if r.metric in METRIC_ORDER),
        problems=(*measured.problems, *tried.problems, *unread, *_left_out(measured.runs)),
        references=references,
    )


def _references(checkpoints: Path, runs: Sequence[Run]) -> tuple[tuple[Beside, ...], tuple[str, ...]]:
    """A public implementation beside ours, and what is wrong with its file."""
    try:
        return tuple(beside(read_references(checkpoints / REFERENCE), runs)), ()
    except (OSError, ValueError) as error:
        return (), (f"{REFERENCE} was left out: {error}",)


def _by_protocol(result: Result) -> Result:
    """What was measured as GlobalDiff's released code tests belongs beside what its paper prints."""
    return replace(result, protocol=RELEASED_WINDOW.name) if result.variant == RELEASED_TEST else result


def _left_out(runs: Sequence[Run]) -> list[str]:
    unknown = sorted({run.protocol for run in runs if run.split == "test"} - set(ALL_PROTOCOLS))
    named = [f"Runs under {name!r} were left out: no such protocol is known." for name in unknown]
    return named + (["Runs of a variant without a name were left out."] if any(r.variant == "" for r in runs) else [])
