"""What holds and what does not: the claims of the papers and ours, each as one difference with its interval."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from demo_core.benchmark_rows import dataset_title, model_title
from demo_core.comparison import Difference, difference_between
from demo_core.datasets import DATASETS
from demo_core.measure import RANKS
from demo_core.ranks import RankedRuns, RankFile, read_ranks
from demo_core.variants import PARTS, of_changed

METRIC = "hr@20"


@dataclass(frozen=True)
class Contender:
    """One recipe: model, preset, the backbone under it and the variant of it."""

    model: str
    preset: str = "default"
    backbone: str | None = None
    variant: str | None = None

    @classmethod
    def read(cls, text: str) -> Contender:
        """``"model"``, ``"model/preset"`` or ``"model/preset/backbone"``."""
        return cls(*text.split("/"))

    def runs(self, file: RankFile, dataset: str, variant: str | None = None) -> RankedRuns | None:
        """The ranks of its test runs on a data set; ``variant``: a further measurement of it."""
        protocol = DATASETS[dataset].protocol.name
        told = self.variant if variant is None else of_changed(self.variant, variant)
        return file.of((self.model, self.preset, self.backbone, dataset, protocol, "test", told))


@dataclass(frozen=True)
class Claim:
    """``words`` is what would hold if ``first`` were better than ``second``; ``lost``: better at losing less when that
    share of every history is deleted.
    """

    words: str
    first: Contender
    second: Contender
    lost: str | None = None


@dataclass(frozen=True)
class Finding:
    """A claim on one data set: the difference in HR@20, first minus second."""

    claim: Claim
    dataset: str
    difference: Difference

    @property
    def verdict(self) -> str:
        """``holds``, ``the opposite holds`` or ``not shown``; one seed shows nothing about another."""
        if not self.difference.is_clear:
            return "not shown"
        return "holds" if self.difference.low > 0 else "the opposite holds"

    @property
    def figures(self) -> str:
        """``+0.12 (−0.20 to +0.44), n 3`` in points; n counts the seeds."""
        ends = f"{_points(self.difference.low)} to {_points(self.difference.high)}"
        return f"{_points(self.difference.mean)} ({ends}), n {self.difference.seeds}"

    @property
    def place(self) -> str:
        return dataset_title(self.dataset)


SASREC, TDM, CARD = Contender("sasrec"), Contender("tdm"), Contender("card")
GAPS = Contender("card", variant="gaps_in_training")
GLOBALDIFF = Contender("globaldiff", backbone="sasrec")
SLIT_AVERAGE = Contender("knn_average", backbone="sasrec", variant="votes_of_slit")


def _of_backbone(name: str) -> tuple[Claim, Claim]:
    """GlobalDiff has to be above what it stands on, and above that averaged with item-kNN."""
    title, whole = model_title(name), Contender("globaldiff", backbone=name)
    average = Contender("knn_average", backbone=name)
    return (
        Claim(f"GlobalDiff ranks better than {title}, its backbone", whole, Contender(name)),
        Claim(f"GlobalDiff ranks better than {title} averaged with item-kNN", whole, average),
    )


def _of_slip(model: str, slip: str, backbone: str | None = None) -> Claim:
    """What the usual code of a model does has to cost something."""
    default, slipped = (Contender(model, backbone=backbone, variant=variant) for variant in (None, slip))
    return Claim(f"{model_title(model)} loses by {PARTS[slip]}", default, slipped)


CLAIMS = (
    Claim("CARD ranks better than TDM", CARD, TDM),
    Claim("CARD ranks better than SASRec", CARD, SASREC),
    Claim("TDM ranks better than SASRec", TDM, SASREC),
    Claim(
        "CARD gains by targets that are sometimes an item like the next one",
        CARD,
        Contender("card", variant="own_targets"),
    ),
    Claim(
        "SASRec gains by targets that are sometimes an item like the next one",
        SASREC,
        Contender("sasrec", variant="own_targets"),
    ),
    Claim("CARD needs its routing", CARD, Contender("card", variant="no_routing")),
    Claim("CARD needs its attention weights", CARD, Contender("card", variant="no_attention")),
    Claim("CARD needs either of the two", CARD, Contender("card", variant="neither")),
    Claim("CARD gains by its second guidance", CARD, Contender("card", variant="no_bag")),
    Claim(
        "CARD gains by weights from the drop-one effect in place of PER",
        Contender("card", variant="drop_one_weights"),
        CARD,
    ),
    Claim("CARD gains by a learned threshold", Contender("card", variant="learned_threshold"), CARD),
    Claim("CARD gains by random gaps in its training", GAPS, CARD),
    Claim("CARD with gaps in its training loses less with half of the items gone", GAPS, CARD, "deleted=0.5"),
    Claim("CARD loses less than SASRec with half of the items gone", CARD, SASREC, "deleted=0.5"),
    Claim("CARD loses less than TDM with half of the items gone", CARD, TDM, "deleted=0.5"),
    Claim("TDM loses less than SASRec with half of the items gone", TDM, SASREC, "deleted=0.5"),
    Claim("CARD ranks better than popularity", CARD, Contender("popularity")),
    Claim("CARD ranks better than item-kNN", CARD, Contender("item_knn")),
    Claim("CARD ranks better than SLIT", CARD, Contender("slit")),
    *_of_backbone("sasrec"),
    *_of_backbone("srgnn"),
    *_of_backbone("bert4rec"),
    *_of_backbone("cbit"),
    Claim("GlobalDiff ranks better than SASRec averaged with SLIT", GLOBALDIFF, SLIT_AVERAGE),
    Claim(
        "GlobalDiff gains by the votes of the history",
        GLOBALDIFF,
        Contender("globaldiff", backbone="sasrec", variant="no_votes"),
    ),
    Claim("GlobalDiff ranks better than SLIT alone", GLOBALDIFF, Contender("slit")),
    _of_slip("lightsans", "softmax_of_queries"),
    _of_slip("cl4srec", "damaged_rows"),
    _of_slip("pdrec", "own_positives", backbone="sasrec"),
    _of_slip("ssdrec", "random_insertion"),
)


def findings(checkpoints: Path) -> list[Finding]:
    """Every claim on every data set where both sides were measured with the same seeds."""
    file = read_ranks(checkpoints / RANKS)
    return [Finding(claim, name, found) for claim in CLAIMS for name, found in _differences(file, claim)]


def _differences(file: RankFile, claim: Claim) -> Iterator[tuple[str, Difference]]:
    for dataset in DATASETS:
        found = difference(file, claim.first, claim.second, dataset, METRIC, claim.lost)
        if found is not None:
            yield dataset, found


def difference(
    file: RankFile, first: Contender, second: Contender, dataset: str, metric: str, lost: str | None = None
) -> Difference | None:
    """First minus second on a data set, or how much less the first loses from whole histories to those of ``lost``.

    ``None`` where something was not measured, or never with the same seed.
    """
    variants = (None,) if lost is None else (None, lost)
    runs = [one.runs(file, dataset, variant) for one in (first, second) for variant in variants]
    return difference_between(runs, metric)


def as_table(found: Sequence[Finding]) -> str:
    """Markdown: one line a claim, one column a data set; a dash where it was not measured."""
    claims, places = claims_of(found), places_of(found)
    cells = {(one.claim.words, one.place): f"{one.verdict}: {one.figures}" for one in found}
    lines = [["difference in HR@20, points", *places], ["---"] * (1 + len(places))]
    lines += [[words, *(cells.get((words, place), "–") for place in places)] for words in claims]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def claims_of(found: Sequence[Finding]) -> list[str]:
    """The words of the claims, each once, in their order."""
    return list(dict.fromkeys(one.claim.words for one in found))


def places_of(found: Sequence[Finding]) -> list[str]:
    """The titles of the data sets that were measured, in the order of :data:`DATASETS`."""
    measured = {one.dataset for one in found}
    return [dataset_title(name) for name in DATASETS if name in measured]


def _points(fraction: float) -> str:
    return f"{100 * fraction:+.2f}".replace("-", "−")
