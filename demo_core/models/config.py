"""What fixes a model and its training: flat, frozen, strict, and the same in a file as in memory."""

from __future__ import annotations

import ast
import dataclasses
import types
import typing
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Self

import torch
from torch import Generator, Tensor


def later(default: Any) -> Any:
    """A field that came after figures had been published. At ``default``, which has to mean "as before", it is no part
    of the recipe: checkpoints may lack it, and their figures stay those of the same model.
    """
    return dataclasses.field(default=default, metadata={"later": True})


@dataclass(frozen=True, kw_only=True)
class RecommenderConfig:
    """Everything that fixes a model and its training, except the seed. All rates are per optimiser step.

    ``max_length`` is the window: older items are not read. ``rows_per_epoch`` draws that many training rows at random
    an epoch (``None``: all of them, once). ``weight_average`` is the decay of the exponential average of the weights
    that is evaluated and saved (0: none). ``patience`` counts evaluations without a better validation NDCG@20.
    """

    num_items: int
    max_length: int = 10
    embedding_dim: int = 64
    learning_rate: float = 1e-3
    weight_decay: float = 0.01
    batch_size: int = 512
    max_epochs: int = 20
    rows_per_epoch: int | None = None
    patience: int = 8
    weight_average: float = 0.99

    @property
    def selection(self) -> tuple[str, str]:
        """Split and metric that choose the epoch."""
        return "validation", "ndcg@20"

    def learning_rate_at(self, epoch: int) -> float:
        """Learning rate of epoch 0, 1, ... of a phase."""
        return self.learning_rate

    def epoch_rows(self, rows: int, order: Generator) -> list[Tensor]:
        """One epoch: the indices of ``rows`` training rows in batches."""
        return list(torch.randperm(rows, generator=order)[: self.rows_per_epoch or rows].split(self.batch_size))

    def require_one_of(self, field: str, known: Iterable[object]) -> None:
        """``ValueError`` naming ``field`` and the ``known`` values where its value is none of them."""
        value, known = getattr(self, field), tuple(known)
        if value not in known:
            raise ValueError(f"{field}: expected one of {', '.join(map(str, known))}, got {value!r}.")

    def override(self, *settings: str) -> Self:
        """``config.override("embedding_dim=32", "dropout=0.1")``: a new config; names and types are checked."""
        return dataclasses.replace(self, **dict(self._parse(setting) for setting in settings))

    def to_dict(self) -> dict[str, Any]:
        return dataclasses.asdict(self)

    def recipe(self) -> dict[str, Any]:
        """:meth:`to_dict` without the :func:`later` fields that stand at their default."""
        left_out = {f.name for f in dataclasses.fields(self) if _is_later(f) and getattr(self, f.name) == f.default}
        return {name: value for name, value in self.to_dict().items() if name not in left_out}

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> Self:
        """The inverse of :meth:`to_dict`; an unknown or wrongly typed field, and a missing one that is not
        :func:`later`, raise ``ValueError``.
        """
        known = {field.name for field in dataclasses.fields(cls)}
        required = {field.name for field in dataclasses.fields(cls) if not _is_later(field)}
        if not required <= set(values) <= known:
            unknown, missing = sorted(set(values) - known), sorted(required - set(values))
            raise ValueError(
                f"{cls.__name__}: unknown fields {unknown}, missing fields {missing}; known: {sorted(known)}."
            )
        return cls(**{name: cls._checked(name, value) for name, value in values.items()})

    @classmethod
    def _parse(cls, setting: str) -> tuple[str, Any]:
        name, equals, text = setting.partition("=")
        known = {field.name for field in dataclasses.fields(cls)}
        if not equals or name not in known:
            raise ValueError(f"Expected name=value with a name out of {sorted(known)}, got {setting!r}.")
        try:
            value = ast.literal_eval(text)
        except (ValueError, SyntaxError):
            value = text
        return name, cls._checked(name, value)

    @classmethod
    def _checked(cls, name: str, value: Any) -> Any:
        annotation = typing.get_type_hints(cls)[name]
        is_union = isinstance(annotation, types.UnionType)
        allowed = typing.get_args(annotation) if is_union else (annotation,)
        if float in allowed and isinstance(value, int) and not isinstance(value, bool):
            value = float(value) if int not in allowed else value
        if type(value) not in allowed:
            raise ValueError(
                f"{cls.__name__}.{name}: expected {annotation}, got {value!r} of type {type(value).__name__}."
            )
        return value


def _is_later(field: dataclasses.Field[Any]) -> bool:
    return bool(field.metadata.get("later"))


@dataclass(frozen=True, kw_only=True)
class PublishedConfig(RecommenderConfig):
    """A model whose authors trained and measured it in their own way; every departure from ours is one field.

    Training: ``selection_split``, ``selection_metric`` choose the epoch ("test": the best of all looks at the test
    split); every epoch is looked at, under the protocol whatever the fields of measuring say.
    ``independent_batches``: every batch is drawn from all rows anew and an incomplete one is left out, so that an epoch
    misses a third of the rows.

    Measuring, read by ``evaluation.Reading``: ``evaluation_dropout``: dropout stays on. ``evaluation_batch``: rows of
    an incomplete last batch of that size are not scored (``None``: all are). ``rank_padding``: the padding id is a
    candidate. ``exclusion``: which items are no candidates: "protocol", "window" (those read last) or "nothing".
    ``swapped_test``: the test context holds the last item and the target is the one before it.
    """

    selection_split: str = "validation"
    selection_metric: str = "ndcg@20"
    independent_batches: bool = False
    evaluation_dropout: bool = False
    evaluation_batch: int | None = None
    rank_padding: bool = False
    exclusion: str = "protocol"
    swapped_test: bool = False

    @property
    def selection(self) -> tuple[str, str]:
        return self.selection_split, self.selection_metric

    def epoch_rows(self, rows: int, order: Generator) -> list[Tensor]:
        if not self.independent_batches:
            return super().epoch_rows(rows, order)
        number = (self.rows_per_epoch or rows) // self.batch_size
        return [torch.randperm(rows, generator=order)[: self.batch_size] for _ in range(number)]
