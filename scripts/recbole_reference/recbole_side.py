"""The half that runs in RecBole's environment: trains one of its models and ranks the held-out items.

python recbole_side.py request.json      # started by scripts.recbole_reference

It knows nothing of Turnpoint. The request names the exported rows, the model, RecBole's settings and the file of the
answer: the ranks of all held-out targets, RecBole's own metrics, epochs and seconds.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch
from recbole.config import Config  # type: ignore[import-not-found]
from recbole.data import create_dataset  # type: ignore[import-not-found]
from recbole.data.dataloader import FullSortEvalDataLoader, TrainDataLoader  # type: ignore[import-not-found]
from recbole.trainer import Trainer  # type: ignore[import-not-found]
from recbole.utils import get_model, init_seed  # type: ignore[import-not-found]
from torch import Tensor

NAME = "rows"
HELD_OUT = ("validation", "test")
FIXED = {
    "USER_ID_FIELD": "user_id",
    "ITEM_ID_FIELD": "item_id",
    "load_col": {"inter": ["user_id", "item_id", "item_id_list"], "item": ["item_id"]},
    "alias_of_item_id": ["item_id_list"],
    "benchmark_filename": ["train", *HELD_OUT],
    "train_neg_sample_args": None,
    "eval_args": {"split": {"LS": "valid_and_test"}, "group_by": "user", "order": "TO", "mode": "full"},
    "metrics": ["Hit", "NDCG"],
    "topk": [5, 10, 20],
    "valid_metric": "NDCG@20",
    "metric_decimal_place": 10,  # epochs are compared by what is rounded
    "eval_batch_size": 512,
    "show_progress": False,
    "use_gpu": torch.cuda.is_available(),
    "state": "WARNING",
}


class DrawnRows:
    """A training loader that reads ``rows`` of its rows an epoch (``None``: all), drawn anew."""

    def __init__(self, loader: Any, rows: int | None, seed: int) -> None:
        self.loader, self.number, self.batch_size = loader, len(loader.dataset), loader.config["train_batch_size"]
        self.rows = min(rows or self.number, self.number)
        self.generator = torch.Generator().manual_seed(seed)

    def __len__(self) -> int:
        return -(-self.rows // self.batch_size)

    def __iter__(self) -> Iterator[Any]:
        order = torch.randperm(self.number, generator=self.generator)[: self.rows]
        for index in order.split(self.batch_size):
            yield self.loader.collate_fn(index.tolist())


class ProtocolLoader(FullSortEvalDataLoader):
    """A loader of held-out rows that also says which items each of them has had: ``item[start[r]:start[r + 1]]``."""

    def __init__(self, config: Any, dataset: Any, start: np.ndarray, item: np.ndarray) -> None:
        self.start, self.item = start, item
        super().__init__(config, dataset, None)

    def collate_fn(self, index: list[int]) -> Any:
        interaction, _, row, target = super().collate_fn(index)
        items = [self.item[self.start[i] : self.start[i + 1]] for i in index]
        rows = np.repeat(np.arange(len(items)), [len(own) for own in items])
        return interaction, (torch.from_numpy(rows), torch.from_numpy(np.concatenate(items))), row, target


class BestKept(Trainer):
    """RecBole's trainer, with the best weights in memory instead of in a file, and the time that training takes."""

    trained, best_epoch, seconds = 0, 0, 0.0
    best: dict[str, Tensor]

    def _train_epoch(self, *arguments: Any, **options: Any) -> Any:
        started = time.perf_counter()
        loss = super()._train_epoch(*arguments, **options)
        self.seconds += time.perf_counter() - started
        self.trained += 1
        return loss

    def _save_checkpoint(self, epoch: int, verbose: bool = True, **options: Any) -> None:
        self.best = {name: tensor.detach().clone() for name, tensor in self.model.state_dict().items()}
        self.best_epoch = epoch + 1

    def tell(self, epoch: int, score: float) -> None:
        """What is seen of a training while it runs."""
        mean = self.seconds / self.trained
        print(f"  epoch {epoch + 1}: validation NDCG@20 {score:.4f}, {mean:.1f} s an epoch", flush=True)


def target_rank(scores: Tensor, target: Tensor) -> Tensor:
    """(B, M + 1) and (B,) -> rank of the target, 1 = best; of equals the smaller id is better."""
    own = scores.gather(1, target[:, None])
    smaller = torch.arange(scores.shape[1], device=scores.device) < target[:, None]
    return 1 + (scores > own).sum(dim=1) + ((scores == own) & smaller).sum(dim=1)


@torch.no_grad()
def ranks_of(trainer: BestKept, loader: ProtocolLoader, internal: Tensor) -> tuple[list[int], list[int]]:
    """Ranks and targets of all rows in our ids. ``internal`` (M + 1,): what RecBole calls them."""
    trainer.model.eval()
    ranks, targets, ours = [], [], internal.argsort().to(trainer.device)
    for batch in loader:
        _, scores, _, target = trainer._full_sort_batch_eval(batch)
        if bool(scores.isnan().any()):
            raise ValueError("Some scores are NaN; they cannot be ranked. A smaller learning_rate may help.")
        own = ours[target.to(trainer.device)]
        ranks += target_rank(scores[:, internal.to(trainer.device)], own).tolist()
        targets += own.tolist()
    return ranks, targets


def config_of(request: dict[str, Any]) -> Any:
    """RecBole's configuration. It would read the command line, too."""
    sys.argv = sys.argv[:1]
    settings = {name: value for name, value in request["settings"].items() if name != "rows_per_epoch"}
    places = {"data_path": request["rows"], "checkpoint_dir": "saved", "seed": request["seed"]}
    return Config(model=request["model"], dataset=NAME, config_dict={**FIXED, **settings, **places})


def loader_of(config: Any, part: Any, rows: Path, split: str, internal: Tensor) -> ProtocolLoader:
    """The held-out rows of ``split`` with what was exported of their histories."""
    start, item = (np.load(rows / "seen" / f"{split}_{name}.npy") for name in ("start", "item"))
    return ProtocolLoader(config, part, start, internal.numpy()[item])


def run(request: dict[str, Any]) -> dict[str, Any]:
    """Trains and ranks; what comes back is ready for JSON."""
    config = config_of(request)
    init_seed(config["seed"], config["reproducibility"])
    dataset = create_dataset(config)
    parts = dict(zip(("train", *HELD_OUT), dataset.build(), strict=True))
    tokens = [str(item) for item in range(1, dataset.item_num)]
    internal = torch.from_numpy(np.concatenate([[0], dataset.token2id("item_id", tokens)]))
    held_out = {split: loader_of(config, parts[split], Path(request["rows"]), split, internal) for split in HELD_OUT}
    loader = TrainDataLoader(config, parts["train"], None)
    model = get_model(config["model"])(config, parts["train"]).to(config["device"])
    trainer = BestKept(config, model)
    train = DrawnRows(loader, request["settings"]["rows_per_epoch"], config["seed"])
    trainer.fit(train, held_out["validation"], verbose=False, callback_fn=trainer.tell)
    model.load_state_dict(trainer.best)
    ranked = {split: ranks_of(trainer, loader, internal) for split, loader in held_out.items()}
    own = {split: trainer.evaluate(loader, load_best_model=False) for split, loader in held_out.items()}
    return {
        "device": f"CUDA: {torch.cuda.get_device_name()}" if config["device"].type == "cuda" else "CPU",
        "epochs": trainer.trained,
        "best_epoch": trainer.best_epoch,
        "seconds_per_epoch": trainer.seconds / trainer.trained,
        "train_rows": train.number,
        "ranks": {split: ranks for split, (ranks, _) in ranked.items()},
        "targets": {split: targets for split, (_, targets) in ranked.items()},
        "own_metrics": {
            split: {name.replace("hit", "hr"): float(value) for name, value in metrics.items()}
            for split, metrics in own.items()
        },
    }


if __name__ == "__main__":
    asked = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    if asked["threads"]:
        torch.set_num_threads(asked["threads"])
    answer = Path(asked["answer"])
    new = answer.with_name(answer.name + ".new")
    new.write_text(json.dumps(run(asked)), encoding="utf-8")
    os.replace(new, answer)
