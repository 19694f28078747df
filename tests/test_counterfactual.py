"""Leaving items out, against loops; agreement, against scipy and hand cases."""

import math
from collections.abc import Callable
from dataclasses import replace

import pytest
import torch
from torch import Generator, Tensor

from demo_core import counterfactual
from demo_core.counterfactual import Agreement, DropOne
from demo_core.models import MODELS
from demo_core.models.base import Controls, Recommender, RecommenderConfig, mask_padding
from demo_core.models.card import CARD
from demo_core.models.card_config import CARDConfig
from demo_core.sequences import Batch, pad

HISTORY = pad([[1, 2, 3, 4, 5, 6, 7], [7, 3, 9, 1], [5, 5, 5], [2, 8], [4], []], 7)
TARGET = torch.tensor([7, 2, 6, 9, 5, 3])


class Counter(Recommender):
    """Scores an item by how often it stands in the window, plus a noise that all rows share."""

    calls = 0

    def loss(self, batch: Batch, generator: Generator | None = None) -> Tensor:
        raise NotImplementedError

    def score(self, history: Tensor, generator: Generator | None = None, controls: Controls | None = None) -> Tensor:
        self.calls += 1
        read = history[:, -self.config.max_length :]
        counts = torch.nn.functional.one_hot(read, self.config.num_items + 1).sum(dim=1).float()
        return mask_padding(counts + torch.rand(counts.shape[1], generator=generator))


def counter() -> Counter:
    return Counter(RecommenderConfig(num_items=12, max_length=4))


def card() -> CARD:
    torch.manual_seed(0)
    built = CARD(CARDConfig(num_items=12).override("max_length=7", "embedding_dim=8", "candidate_level=None"))
    torch.nn.init.normal_(built.item_embedding.weight)
    built.threshold.fill_(0.0)
    return built.eval()


@pytest.mark.parametrize("chunk", [1, 20, 512])
@pytest.mark.parametrize("build", [counter, card])
def test_the_effects_equal_a_loop_that_scores_one_history_at_a_time(
    build: Callable[[], Recommender], chunk: int
) -> None:
    model = build()
    effect = counterfactual.drop_one(model, HISTORY, TARGET, seed=5, chunk=chunk)
    assert effect.log_probability_change is not None and effect.rank_change is not None

    def answer(items: list[int]) -> tuple[Tensor, Tensor]:
        scores = model.score(pad([items], 7), Generator().manual_seed(5)).detach()
        return model.probabilities(scores)[0].double(), scores[0]

    for row, padded in enumerate(HISTORY.tolist()):
        items, target = [item for item in padded if item], int(TARGET[row])
        whole, scores = answer(items)
        for at in range(7 - len(items)):
            assert effect.kl[row, at] == effect.log_probability_change[row, at] == effect.rank_change[row, at] == 0
        for at in range(len(items)):
            without, scores_without = answer(items[:at] + items[at + 1 :])
            slot = 7 - len(items) + at
            kl = sum(float(p) * math.log(float(p) / float(q)) for p, q in zip(whole[1:], without[1:], strict=True))
            assert float(effect.kl[row, slot]) == pytest.approx(kl, abs=2e-6)
            change = math.log(float(whole[target])) - math.log(float(without[target]))
            assert float(effect.log_probability_change[row, slot]) == pytest.approx(change, abs=2e-5)
            rank = [int((s > s[target]).sum()) + 1 for s in (scores_without, scores)]
            assert float(effect.rank_change[row, slot]) == rank[0] - rank[1]


def test_a_history_and_its_variants_are_one_batch() -> None:
    model = counter()
    counterfactual.drop_one(model, HISTORY)
    assert model.calls == 1
    counterfactual.drop_one(model, HISTORY, chunk=16)
    assert model.calls == 1 + 3, "two histories of seven slots and their variants at a time"


def test_items_out_of_the_window_have_no_effect_and_an_older_one_moves_in() -> None:
    effect = counterfactual.drop_one(counter(), HISTORY[:1], TARGET[:1])
    assert not effect.kl[0, :3].any() and bool((effect.kl[0, 3:] > 0).all())
    assert effect.log_probability_change is not None
    assert float(effect.log_probability_change[0, 6]) > 0, "the target is the newest item: without it, it is forgotten"


def test_without_a_target_there_is_the_divergence_alone() -> None:
    effect = counterfactual.drop_one(counter(), HISTORY)
    assert effect.log_probability_change is None and effect.rank_change is None


@pytest.mark.parametrize("name", sorted(MODELS))
def test_every_model_has_finite_effects(name: str) -> None:
    torch.manual_seed(0)
    config = MODELS[name].config(num_items=12).override("max_length=6", "embedding_dim=8")
    effect = counterfactual.drop_one(MODELS[name].model(config).eval(), HISTORY, TARGET)
    assert effect.log_probability_change is not None and effect.rank_change is not None
    for values in (effect.kl, effect.log_probability_change, effect.rank_change):
        assert values.shape == HISTORY.shape and bool(torch.isfinite(values).all()) and not values[HISTORY == 0].any()
    assert bool((effect.kl >= 0).all())


def test_spearman_follows_the_order_and_takes_the_chosen_slots_alone() -> None:
    first, second = torch.tensor([[1.0, 2.0, 3.0, 9.0]]), torch.tensor([[1.0, 8.0, 27.0, -5.0]])
    slots = torch.tensor([[True, True, True, False]])
    told = counterfactual.spearman(first, second, slots)
    assert told.rho == pytest.approx(1.0) and told.slots == 3
    assert counterfactual.spearman(first, -second, slots).rho == pytest.approx(-1.0)
    assert counterfactual.spearman(first, second, slots | True).rho == pytest.approx(-0.2)


def test_spearman_of_a_constant_or_of_two_items_is_undefined() -> None:
    values = torch.tensor([[1.0, 2.0, 3.0]])
    assert counterfactual.spearman(torch.ones(1, 3), values, torch.ones(1, 3).bool()) == Agreement(None, 3)
    assert counterfactual.spearman(values, values, torch.tensor([[True, True, False]])) == Agreement(None, 2)


def test_agreement_compares_each_figure_over_the_items_it_speaks_of() -> None:
    model = card()
    route = model.explain(HISTORY)
    assert route.per is not None and route.weight is not None
    kl = torch.rand(HISTORY.shape, generator=Generator().manual_seed(1)) * (HISTORY != 0)
    effect, other = DropOne(kl, kl - 0.3, 4 * kl), DropOne(-kl, None, None)
    found = counterfactual.agreement(HISTORY, effect, route, other)
    names = ("kl", "log_probability", "rank", "size")
    expected = {f"spearman_{figure}_{name}" for figure in ("recency", "weight", "per") for name in names}
    assert set(found) == expected | {"spearman_kl_between_models"}
    items = int((HISTORY[:4] != 0).sum())
    assert found["spearman_recency_kl"].slots == items, "an only item has nothing to be compared with"
    assert found["spearman_per_kl"].slots == items - 4, "the newest item has no future"
    assert found["spearman_weight_kl"].slots == int((route.weight != 1).sum()) > 0
    assert found["spearman_kl_between_models"].rho == pytest.approx(-1.0)
    told = counterfactual.agreement(HISTORY, effect, replace(route, per=None, weight=kl + 2, effect=kl))
    assert told["spearman_weight_kl"].rho == told["spearman_guess_kl"].rho == pytest.approx(1.0)


def test_recency_is_highest_for_the_newest_item() -> None:
    assert counterfactual.recency(HISTORY[:2]).tolist() == [[-6, -5, -4, -3, -2, -1, 0]] * 2
