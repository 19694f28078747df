"""The terms that a bundle's card states. Its figures: ``test_checkpoint.py``."""

import pytest

from demo_core.model_card import model_card


@pytest.mark.parametrize("dataset", ["movielens", "movielens-small", "ml-1m"])
def test_a_bundle_with_titles_of_movielens_stays_under_its_terms(dataset: str) -> None:
    card = model_card("card", "default", dataset, ())
    assert "license: other" in card and "apache" not in card
    assert "MovieLens" in card and "commercial use without permission" in card


def test_a_bundle_of_item_numbers_is_free() -> None:
    assert "license: apache-2.0" in model_card("card", "default", "zhihu", ())
