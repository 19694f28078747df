"""The ranks of every test row, kept so that any two measured models can be compared later: ``ranks.jsonl``.

A line is one run (its key, and a byte a row: the target's rank, 51 for all beyond the 50 that metrics look at) or the
sequences that the rows of a data set belong to, once. Bytes are LZMA-compressed and in base85 behind "lzma:"; lines
without that word are older: zlib and base64, a quarter longer.
"""

from __future__ import annotations

import base64
import logging
import lzma
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from demo_core.json_lines import TAKEN_OUT, append_line, drop_partial_line, read_lines
from demo_core.models import BASELINES
from demo_core.runs import Run, belongs_to
from demo_core.sequences import Rows

log = logging.getLogger(__name__)

BEYOND = 51
LZMA = "lzma:"
FILTERS = [{"id": lzma.FILTER_LZMA2, "preset": 9, "lc": 0, "pb": 0}]  # bytes that have little to do with each other
KEY = ("model", "preset", "backbone", "dataset", "protocol", "split", "variant")

RunKey = tuple[str | None, ...]


@dataclass(frozen=True)
class RankedRuns:
    """All seeds of one recipe on the same rows. ``ranks``: seed -> (draws, R) ranks 1..51, one draw unless histories
    were changed at random. ``sequence`` (R,): which sequence each row belongs to. ``seedless``: any seed is the same.
    """

    ranks: Mapping[int, Tensor]
    sequence: Tensor
    seedless: bool = False

    def with_seed(self, seed: int) -> Tensor:
        """The ranks of one seed, (draws, R); ``KeyError`` for a seed that was not measured, unless none matters."""
        return next(iter(self.ranks.values())) if self.seedless else self.ranks[seed]


def common_seeds(*runs: RankedRuns) -> list[int]:
    """Seeds that all of them were measured with; where no seed matters, those that were."""
    seeded = [set(one.ranks) for one in runs if not one.seedless]
    return sorted(set.intersection(*(seeded or [set(one.ranks) for one in runs])))


@dataclass
class RankFile:
    """What a ``ranks.jsonl`` holds. The newest line of a key, seed and recipe counts."""

    lines: dict[RunKey, dict[int, dict[str, Any]]] = field(default_factory=dict)
    sequences: dict[tuple[str, str], Tensor] = field(default_factory=dict)

    def of(self, key: RunKey, config_hash: str | None = None) -> RankedRuns | None:
        """The runs with that key (fields :data:`KEY`) and the settings of the newest, or those of ``config_hash``.

        A variant of a recipe that the model no longer has counts as not measured: ``None``, as where there are none.
        """
        at = KEY.index("variant")
        plain = self.lines.get((*key[:at], None, *key[at + 1 :]), {}).values()
        recipe = [(line["config_hash"], line["date"]) for line in plain]
        lines = {
            seed: line
            for seed, line in self.lines.get(key, {}).items()
            if key[at] is None or belongs_to(recipe, line["config_hash"], line["date"])
        }
        if not lines:
            return None
        newest = max(lines.values(), key=lambda line: line["date"])
        wanted = (config_hash or newest["config_hash"], newest["data_hash"])
        same = {seed: line for seed, line in lines.items() if (line["config_hash"], line["data_hash"]) == wanted}
        split = str(key[KEY.index("split")])
        sequence = self.sequences.get((newest["data_hash"], split))
        if not same or sequence is None:
            return None
        ranks = {seed: _ranks(line, len(sequence)) for seed, line in sorted(same.items())}
        return RankedRuns(ranks, sequence, seedless=key[KEY.index("model")] in BASELINES)


def append_ranks(path: Path, run: Run, ranks: Tensor, rows: Rows) -> None:
    """Adds the ``ranks`` (R,) or (draws, R) of ``run`` on ``rows``, and the rows' sequences where they are new.

    ``NotRecordedError`` where the file cannot be written, ``DamagedLineError`` where it cannot be read.
    """
    if drop_partial_line(path):
        log.warning(TAKEN_OUT, path)
    if read_ranks(path).sequences.get((run.data_hash, run.split)) is None:
        _, lengths = rows.start.unique_consecutive(return_counts=True)
        packed = _pack(lengths.numpy().astype("<u4"))
        append_line(path, {"data_hash": run.data_hash, "split": run.split, "sequence_lengths": packed})
    line = {name: getattr(run, name) for name in (*KEY, "seed", "config_hash", "data_hash", "date")}
    clipped = torch.atleast_2d(ranks).clamp(max=BEYOND).numpy().astype(np.uint8)
    append_line(path, {**line, "ranks": _pack(clipped)})


def read_ranks(path: Path, dataset: str | None = None) -> RankFile:
    """The file's content, or that of one data set; a file that does not exist holds nothing.

    A damaged line raises ``DamagedLineError``, a ``ValueError`` naming it.
    """
    content = RankFile()
    read_lines(path, lambda line: _take(content, line, dataset), "ranks")
    return content


def _take(content: RankFile, line: dict[str, Any], dataset: str | None) -> None:
    if "sequence_lengths" in line:
        lengths = torch.from_numpy(_unpack(line["sequence_lengths"], "<u4").astype(np.int64))
        sequence = torch.repeat_interleave(torch.arange(len(lengths)), lengths)
        content.sequences[line["data_hash"], line["split"]] = sequence
        return
    key = tuple(line[name] for name in KEY)
    if dataset is None or line["dataset"] == dataset:
        content.lines.setdefault(key, {})[line["seed"]] = line


def _ranks(line: Mapping[str, Any], rows: int) -> Tensor:
    return torch.from_numpy(_unpack(line["ranks"], "u1").astype(np.int64)).reshape(-1, rows)


def _pack(values: np.ndarray) -> str:
    compressed = lzma.compress(values.tobytes(), format=lzma.FORMAT_RAW, filters=FILTERS)
    return LZMA + base64.b85encode(compressed).decode("ascii")


def _unpack(text: str, kind: str) -> np.ndarray:
    """The inverse of :func:`_pack`, and of what older lines hold; ``ValueError`` for anything else."""
    try:
        if text.startswith(LZMA):
            compressed = base64.b85decode(text.removeprefix(LZMA))
            return np.frombuffer(lzma.decompress(compressed, format=lzma.FORMAT_RAW, filters=FILTERS), dtype=kind)
        return np.frombuffer(zlib.decompress(base64.b64decode(text)), dtype=kind)
    except (lzma.LZMAError, zlib.error) as error:
        raise ValueError(f"Its bytes cannot be unpacked: {error}.") from error
