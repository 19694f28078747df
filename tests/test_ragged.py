"""Tables without the zeros at the end of their rows: smaller, and the same when they come back."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from demo_core.ragged import pack, unpack

SPARSE = torch.tensor([[3.0, 0.0, -2.0, 0.0], [0.0, 0.0, 0.0, 0.0], [1.0, 0.0, 0.0, 0.0]])
FULL = torch.arange(1, 13).view(3, 4)


def test_zeros_at_the_end_are_left_out_and_those_between_are_kept() -> None:
    packed = pack({"table": SPARSE})
    assert packed["table"].tolist() == [3.0, 0.0, -2.0, 1.0]
    assert packed["table.filled"].tolist() == [3, 0, 1]


def test_what_would_not_shrink_stays_as_it_is() -> None:
    tensors = {"full": FULL, "vector": torch.zeros(9), "number": torch.tensor(0.0), "empty": torch.zeros(0, 4)}
    packed = pack(tensors)
    assert set(packed) == set(tensors) and all(packed[name] is tensor for name, tensor in tensors.items())


@given(st.lists(st.lists(st.sampled_from([0, 0, 0, 1, -7]), min_size=5, max_size=5), min_size=1, max_size=6))
def test_every_table_comes_back(rows: list[list[int]]) -> None:
    for table in (torch.tensor(rows, dtype=torch.int16), torch.tensor(rows).half()):
        back = unpack(pack({"t": table, "full": FULL}), {"t": table.shape, "full": FULL.shape})
        assert set(back) == {"t", "full"} and back["t"].dtype == table.dtype
        assert torch.equal(back["t"], table) and torch.equal(back["full"], FULL)


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        ({"table.filled": torch.tensor([3, 0, 2])}, "count 4 elements"),
        ({"table.filled": torch.tensor([5, 0, -1])}, "at most 4"),
        ({"table.filled": torch.tensor([[4]])}, "at most 4"),
        ({"table.filled": torch.tensor([3, 0, 1, 0])}, "in 3 rows"),
        ({"other.filled": torch.tensor([1])}, "no table 'other'"),
    ],
)
def test_what_does_not_fit_is_refused(damage: dict[str, torch.Tensor], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        unpack({**pack({"table": SPARSE}), **damage}, {"table": SPARSE.shape})
