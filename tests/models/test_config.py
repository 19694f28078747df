from dataclasses import dataclass

import pytest

from demo_core.models.config import RecommenderConfig, later


@dataclass(frozen=True, kw_only=True)
class Grown(RecommenderConfig):
    width: int = 3
    added: bool = later(False)


def test_a_later_field_at_its_default_is_no_part_of_the_recipe() -> None:
    assert "added" not in Grown(num_items=5).recipe()
    assert Grown(num_items=5, added=True).recipe()["added"] is True
    assert Grown(num_items=5).recipe()["width"] == 3, "other defaults are"


def test_a_checkpoint_without_a_later_field_can_be_read() -> None:
    values = Grown(num_items=5, width=4).to_dict()
    del values["added"]
    assert Grown.from_dict(values) == Grown(num_items=5, width=4)


def test_a_checkpoint_without_another_field_is_refused() -> None:
    values = Grown(num_items=5).to_dict()
    del values["width"]
    with pytest.raises(ValueError, match="width"):
        Grown.from_dict(values)


def test_a_choice_that_is_not_known_is_refused_with_those_that_are() -> None:
    config = Grown(num_items=5, width=4)
    config.require_one_of("width", (2, 4))
    with pytest.raises(ValueError, match=r"width: expected one of 2, 8, got 4\."):
        config.require_one_of("width", {2: "narrow", 8: "wide"})
