from __future__ import annotations

import itertools
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from demo_core.axes import CORRELATION, Axis, close_up, logarithmic, round_step, symmetric, zero_based

values = st.lists(st.floats(0.001, 1000), min_size=1, max_size=8)


@given(values)
def test_every_value_stands_inside_its_axis(shown: list[float]) -> None:
    for axis in (zero_based(shown), close_up(shown), symmetric(shown), logarithmic(shown)):
        for value in shown:
            assert axis.ticks[0] <= value * (1 + 1e-9)
            assert value <= axis.ticks[-1] * (1 + 1e-9)
            assert axis.value(axis.at(value)) == pytest.approx(value, rel=1e-6, abs=1e-9)
        assert 2 <= len(axis.ticks) <= 12


@given(values)
def test_ticks_are_equally_far_apart(shown: list[float]) -> None:
    for axis in (zero_based(shown), close_up(shown), symmetric(shown), logarithmic(shown)):
        places = [axis.at(tick) for tick in axis.ticks]
        assert places[0] == 0
        assert places[-1] == 1
        steps = [after - before for before, after in itertools.pairwise(places)]
        assert max(steps) - min(steps) < 1e-6


def test_zero_based_starts_at_zero_whatever_it_shows() -> None:
    assert zero_based([2.57, 1.43]).ticks == (0, 0.5, 1, 1.5, 2, 2.5, 3)
    assert zero_based([]).ticks[0] == 0
    assert zero_based([0.0]).ticks[-1] >= 1


def test_a_close_up_does_not_reach_zero_unless_the_values_do() -> None:
    assert close_up([2.5, 2.7]).ticks[0] > 2
    assert not close_up([2.5, 2.7]).from_zero
    assert close_up([0.0, 2.7]).from_zero
    assert close_up([0.02, 2.7]).ticks[0] == 0, "a ratio has no values below 0"
    assert len(close_up([2.5]).ticks) >= 2


def test_symmetric_has_zero_in_its_middle() -> None:
    axis = symmetric([-0.12, 0.31])
    assert axis.at(0) == 0.5
    assert 0.0 in axis.ticks
    assert symmetric([0.0]).ticks[0] < 0 < symmetric([0.0]).ticks[-1]


def test_logarithmic_ticks_are_powers_of_ten() -> None:
    assert logarithmic([0.41, 20]).ticks == (0.1, 1, 10, 100)
    assert logarithmic([2.0]).ticks == (1, 10, 100)
    assert logarithmic([0.0]).ticks == (1, 10, 100), "a time of 0 has no place on it"
    assert logarithmic([1960, 1]).ticks[-1] == 10_000
    assert logarithmic([1, 100]).at(10) == pytest.approx(0.5)


def test_a_value_outside_is_held_at_the_end() -> None:
    assert CORRELATION.at(1.3) == 1
    assert Axis((1, 10, 100), log=True).at(0) == 0


@given(st.floats(1e-6, 1e6), st.integers(2, 9))
def test_a_round_step_is_the_smallest_that_covers(span: float, most: int) -> None:
    step = round_step(span, most)
    assert step * most >= span * (1 - 1e-12)
    assert step <= 2.5 * span / most
    mantissa = step / 10 ** math.floor(math.log10(step) + 1e-9)
    assert min(abs(mantissa - m) for m in (1, 2, 2.5, 5, 10)) < 1e-6
