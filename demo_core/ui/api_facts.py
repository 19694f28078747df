"""Endpoints that tell what is known without asking a model. Docstrings and type hints are the published schema."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from demo_core.engine import Shelf
from demo_core.engine.questions import check_name
from demo_core.results import table
from demo_core.ui.api_inputs import messages_for_clients, text

BENCHMARK_FIELDS = ("model", "preset", "backbone", "source", "protocol", "metric", "mean", "sd", "n", "origin", "date")


class FactEndpoints:
    """One method an endpoint. Bad input raises ``gr.Error`` with a message."""

    def __init__(self, shelf: Shelf) -> None:
        self._shelf = shelf

    def search_items(self, query: str, k: int = 8, dataset: str | None = None) -> dict[str, Any]:
        """
        Find items by title, also misspelt, by the beginning of a title, or by id ("17" or "#17").
        Parameters:
            query: a title as far as it is known, at most 200 characters
            k: the most suggestions wanted, 1 to 50
            dataset: a name from /datasets; null: the first
        Returns:
            query, suggestions (each an item and near_miss: only spelt alike), and a message when there are none
        """
        with messages_for_clients():
            return asdict(self._shelf.engine(dataset).search(text("query", query), k))

    def datasets(self) -> list[dict[str, Any]]:
        """
        The data sets that models were trained on, the first of which is meant where none is named.
        Returns:
            for each its name, its title, and whether somebody brought it (own)
        """
        return [asdict(one) for one in self._shelf.datasets()]

    def models(self, dataset: str | None = None) -> list[dict[str, Any]]:
        """
        The models, whether they passed the health gate, and their measured runs.
        Parameters:
            dataset: a name from /datasets; null: the first
        Returns:
            for each model its name, title, preset, data set, health figures, what is wrong with it, error, and runs
        """
        with messages_for_clients():
            return [asdict(status) for status in self._shelf.engine(dataset).models()]

    def benchmarks(self, dataset: str | None = None, metric: str = "hr@20") -> list[dict[str, Any]]:
        """
        Published and measured test figures, each with its protocol.
        Parameters:
            dataset: movielens, ml-1m, beauty, zhihu, yoochoose or kuairec; null: the one the page shows
            metric: hr@10, hr@20, hr@50, ndcg@10, ndcg@20 or ndcg@50
        Returns:
            for each figure its model, preset, backbone, source, protocol, mean and sd over n seeds (fractions), and
            where it is from
        """
        with messages_for_clients():
            name = self._shelf.first.dataset if dataset is None else text("dataset", dataset)
            figures = table(self._shelf.checkpoints)
            check_name("the data set", name, sorted({one.dataset for one in figures}))
            found = [one for one in figures if one.dataset == name]
            check_name("the metric", metric, sorted({one.metric for one in found}))
            return [{field: getattr(one, field) for field in BENCHMARK_FIELDS} for one in found if one.metric == metric]
