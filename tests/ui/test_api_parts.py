"""The parts of a stream, between Gradio's way of sending them and its client's way of putting them together."""

from __future__ import annotations

import inspect
import json
from collections.abc import Iterator
from typing import Any, get_type_hints

import orjson
import pytest
from gradio.utils import diff
from gradio_client.utils import apply_diff
from hypothesis import given
from hypothesis import strategies as st

from demo_core.ui.api_parts import in_whole_parts, whole

FEWER = (
    {"items": [{"genres": ["Drama"]}, {"genres": ["War", "Crime"]}, {"genres": ["War", "Crime"]}]},
    {"items": [{"genres": []}, {"genres": ["Crime"]}, {"genres": []}]},
)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abc"), inner, max_size=3),
    max_leaves=8,
)
PARTS = st.dictionaries(st.sampled_from(["kind", "items", "a"]), VALUES, max_size=3)


def received(before: dict[str, Any], part: dict[str, Any]) -> Any:
    """What a client that has ``before`` makes of the difference that is sent for ``part``."""
    return apply_diff(before, orjson.loads(orjson.dumps(diff(whole(before), whole(part)))))


class Streams:
    def __init__(self) -> None:
        self.ended = False

    def tell(self, number: int, k: int = 2) -> Iterator[dict[str, Any]]:
        """Tells a number."""
        try:
            for step in range(k):
                yield {"number": number, "step": step}
        finally:
            self.ended = True


def test_gradio_itself_loses_count_where_lists_within_a_list_get_shorter() -> None:
    before, after = FEWER
    try:
        wrong = apply_diff(before, diff(before, after)) != after
    except IndexError:
        wrong = True
    assert wrong, "Gradio sends right differences by now: demo_core/ui/api_parts.py is not needed any more."
    assert received(before, after) == after


@given(PARTS, PARTS)
def test_any_part_after_any_other_is_received_as_it_was_told(before: dict[str, Any], part: dict[str, Any]) -> None:
    # As text, for in Python True is 1.
    assert json.dumps(received(before, part), sort_keys=True) == json.dumps(part, sort_keys=True)


def test_a_stream_keeps_its_name_its_text_its_parameters_and_its_hints() -> None:
    plain = Streams().tell
    streamed = in_whole_parts(plain)
    assert inspect.isgeneratorfunction(streamed)
    assert (streamed.__name__, streamed.__doc__) == (plain.__name__, plain.__doc__)
    assert inspect.signature(streamed) == inspect.signature(plain)
    assert get_type_hints(streamed) == get_type_hints(plain)
    assert orjson.loads(orjson.dumps(list(streamed(7, k=2)))) == [{"number": 7, "step": 0}, {"number": 7, "step": 1}]


def test_whoever_leaves_a_stream_ends_its_work() -> None:
    streams = Streams()
    parts = in_whole_parts(streams.tell)(7, 9)
    next(parts)
    parts.close()
    assert streams.ended


@pytest.mark.parametrize("function", [len, FEWER[0].get])
def test_what_does_not_stream_stays_what_it_is(function: Any) -> None:
    assert in_whole_parts(function) is function
