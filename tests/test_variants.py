from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from demo_core.results import read_published
from demo_core.trials import ABLATIONS, EXTRAS
from demo_core.variants import AXES, PARTS, axis_title, changed, is_part, is_setting, of_changed, parse, title


def test_a_number_after_the_equals_sign_is_the_value() -> None:
    assert parse("deleted=0.1") == ("deleted", 0.1)
    assert parse("guidance_strength=-0.3") == ("guidance_strength", -0.3)
    assert parse("no_routing") == ("no_routing", None)


@pytest.mark.parametrize("variant", ["network=unet2d", "steps=all", "a=1,b=2", "x=nan", "x=inf", "x="])
def test_what_is_no_finite_number_stays_in_the_name(variant: str) -> None:
    assert parse(variant) == (variant, None)


@pytest.mark.parametrize("variant", ["", " ", "=1"])
def test_a_variant_has_a_name(variant: str) -> None:
    with pytest.raises(ValueError, match="name=value"):
        parse(variant)


@given(st.sampled_from(sorted(AXES)), st.floats(allow_nan=False, allow_infinity=False))
def test_names_and_values_survive_being_written(name: str, value: float) -> None:
    assert parse(f"{name}={value}") == (name, value)


def test_titles_are_words_with_their_number() -> None:
    assert title("clusters=1000") == "1,000 item clusters"
    assert title("no_routing") == "no routing: attention for all"
    assert title("something_new=2") == "something new 2"
    assert title("network=unet2d") == "network unet2d"
    assert axis_title("steps") == "denoising steps"
    assert axis_title("something_new") == "something new"


def test_every_variant_has_one_place_on_the_page() -> None:
    assert is_part("no_attention") and is_part("clusters=100") and is_part("something_new")
    assert is_setting("threshold_quantile=0.3") and is_setting("something_new=2")
    for elsewhere in (
        "no_routing/deleted=0.1",
        "future_window=1/steps=5",
        "deleted=0.1",
        "inserted=0.5",
        "steps=5",
        "steps=all",
        "as_released",
        "per_honesty",
    ):
        assert not is_part(elsewhere)
        assert not is_setting(elsewhere)
    for name in PARTS:
        assert not is_setting(f"{name}=2")


def test_what_can_be_measured_has_a_title_of_its_own() -> None:
    extras = [extra.variant for group in EXTRAS.values() for extra in group()]
    parts = [variant for variant in (*ABLATIONS, *extras) if is_part(variant)]
    assert {"no_routing", "personal_voter"} <= set(parts)
    assert set(parts) <= set(PARTS)


def test_every_printed_variant_is_written_as_a_measured_one() -> None:
    printed = {result.variant for result in read_published() if result.variant is not None}
    assert {"clusters=100", "clusters=500", "clusters=1000", "no_routing", "no_attention"} <= printed
    assert {parse(variant).name for variant in printed if is_part(variant)} <= set(PARTS)


@pytest.mark.parametrize("part", [None, "no_routing", "future_window=1"])
def test_a_measurement_of_a_changed_model_says_both(part: str | None) -> None:
    assert changed(of_changed(part, "deleted=0.1")) == (part, "deleted=0.1")
