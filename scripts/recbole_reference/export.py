"""Our rows as RecBole reads them: files of its "atomic" format, split already, so that it splits nothing itself.

``rows/rows.train.inter`` and so on hold a line a row: the person, the target, and the window that is read, oldest item
first. ``seen`` holds the whole history of every held-out row, which may be longer: none of it can be recommended.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch

from demo_core.datasets import LEAVE_ONE_OUT_FULL, Dataset
from demo_core.sequences import PADDING, Rows, batches

NAME = "rows"
HELD_OUT = ("validation", "test")
SPLITS = ("train", *HELD_OUT)
SEEN = "seen"
CHUNK = 50_000


def export(dataset: Dataset, window: int, folder: Path) -> None:
    """Writes ``dataset`` into ``folder`` with histories of at most ``window`` items, unless it stands there already.

    Training rows with an empty history are left out: RecBole knows none. ``ValueError`` for a data set that is not
    leave-one-out, for a person without a training row, for a held-out row without a history, and for a window that no
    history fills, to which RecBole would not pad.
    """
    require_exportable(dataset, window)
    if folder.exists():
        return
    new = folder.with_name(folder.name + ".new")
    shutil.rmtree(new, ignore_errors=True)
    (new / NAME).mkdir(parents=True)
    for split in SPLITS:
        with (new / NAME / f"{NAME}.{split}.inter").open("w", encoding="utf-8") as file:
            file.write("user_id:token\titem_id:token\titem_id_list:token_seq\n")
            file.writelines(_lines(dataset.rows(split), window))
    items = "".join(f"{item}\n" for item in range(1, dataset.catalogue.num_items + 1))
    (new / NAME / f"{NAME}.item").write_text(f"item_id:token\n{items}", encoding="utf-8")
    (new / SEEN).mkdir()
    for split in HELD_OUT:
        start, item = seen(dataset.rows(split))
        np.save(new / SEEN / f"{split}_start.npy", start)
        np.save(new / SEEN / f"{split}_item.npy", item)
    new.replace(folder)


def require_exportable(dataset: Dataset, window: int) -> None:
    """``ValueError`` unless RecBole can be asked the same as we ask on ``dataset``; see :func:`export`."""
    if dataset.protocol != LEAVE_ONE_OUT_FULL:
        raise ValueError(
            f"{dataset.title}: expected the protocol {LEAVE_ONE_OUT_FULL.name}, got {dataset.protocol.name}."
        )
    people = {split: len(dataset.rows(split).start.unique()) for split in SPLITS}
    if len(set(people.values())) != 1:
        raise ValueError(
            f"{dataset.title}: expected the same people in all splits, at least 3 items each, got {people}."
        )
    for split in HELD_OUT:
        rows = dataset.rows(split)
        empty = int((rows.target_at == rows.start).sum())
        if empty:
            raise ValueError(f"{dataset.title}: {empty} {split} rows have no history, which RecBole cannot read.")
    longest = int((dataset.test.target_at - dataset.test.start).max())
    if not 1 <= window <= longest:
        raise ValueError(
            f"MAX_ITEM_LIST_LENGTH: expected 1 to {longest}, the longest history of {dataset.title}, got {window}."
        )


def exported_rows(rows: Rows) -> int:
    """How many of ``rows`` are written: those with a history."""
    return int((rows.target_at > rows.start).sum())


def _lines(rows: Rows, window: int) -> Iterator[str]:
    person = rows.start.unique(return_inverse=True)[1]
    for index in batches(len(rows), CHUNK):
        read = zip(
            person[index].tolist(), rows.target[index].tolist(), rows.history(index, window).tolist(), strict=True
        )
        for who, target, history in read:
            items = " ".join(str(item) for item in history if item != PADDING)
            if items:
                yield f"{who}\t{target}\t{items}\n"


def seen(rows: Rows) -> tuple[np.ndarray, np.ndarray]:
    """``start`` (R + 1,) and ``item`` (P,): the whole history of row r is ``item[start[r]:start[r + 1]]``."""
    row, item = rows.seen(torch.arange(len(rows)))
    counts = torch.bincount(row, minlength=len(rows))
    return np.concatenate([[0], counts.cumsum(0).numpy()]).astype(np.int64), item.numpy()
