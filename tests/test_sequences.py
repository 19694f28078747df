import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from demo_core.sequences import PADDING, Catalogue, Rows, batches, pad

ids = st.integers(1, 30)
any_sequences = st.lists(st.lists(ids, max_size=9), max_size=8)
full_sequences = st.lists(st.lists(ids, min_size=1, max_size=9), min_size=1, max_size=8)
windows = st.integers(1, 12)


def padded(history: list[int], length: int) -> list[int]:
    row = [PADDING] * length
    for back, item in enumerate(reversed(history), start=1):
        if back <= length:
            row[-back] = item
    return row


@given(st.lists(st.lists(ids, max_size=12), max_size=5), windows)
def test_pad_keeps_the_newest_items_on_the_right(histories: list[list[int]], length: int) -> None:
    result = pad(histories, length)
    assert result.shape == (len(histories), length)
    assert result.dtype == torch.int64
    assert result.tolist() == [padded(history, length) for history in histories]


@given(any_sequences, windows)
def test_prefix_rows_equal_a_loop_over_every_prefix(sequences: list[list[int]], length: int) -> None:
    expected = [(s[:i], item, i == len(s) - 1) for s in sequences for i, item in enumerate(s)]
    rows = Rows.prefixes(sequences)
    assert len(rows) == sum(len(s) for s in sequences)
    batch = rows.batch(torch.arange(len(rows)), length)
    assert batch.history.shape == (len(rows), length)
    assert batch.history.tolist() == [padded(history, length) for history, _, _ in expected]
    assert batch.target.tolist() == [target for _, target, _ in expected]
    assert batch.is_last.tolist() == [last for _, _, last in expected]


@given(full_sequences, windows)
def test_last_item_rows_equal_a_loop_over_the_sequences(sequences: list[list[int]], length: int) -> None:
    rows = Rows.last_items(sequences)
    everything = torch.arange(len(rows))
    assert rows.target.tolist() == [s[-1] for s in sequences]
    assert rows.history(everything, length).tolist() == [padded(s[:-1], length) for s in sequences]
    assert rows.is_last.all()


@given(any_sequences, windows, st.data())
def test_a_row_does_not_depend_on_the_rows_asked_with_it(
    sequences: list[list[int]], length: int, data: st.DataObject
) -> None:
    rows = Rows.prefixes(sequences)
    whole = rows.history(torch.arange(len(rows)), length)
    index = torch.tensor(
        data.draw(st.lists(st.integers(0, len(rows) - 1), max_size=6)) if len(rows) else [], dtype=torch.int64
    )
    assert rows.history(index, length).equal(whole[index])


@given(any_sequences, st.data())
def test_seen_pairs_are_the_whole_history_of_each_row(sequences: list[list[int]], data: st.DataObject) -> None:
    rows = Rows.prefixes(sequences)
    histories = [s[:i] for s in sequences for i in range(len(s))]
    chosen = data.draw(st.lists(st.integers(0, len(rows) - 1), max_size=6)) if len(rows) else []
    row, item = rows.seen(torch.tensor(chosen, dtype=torch.int64))
    expected = [(at, seen) for at, r in enumerate(chosen) for seen in histories[r]]
    assert list(zip(row.tolist(), item.tolist(), strict=True)) == expected


@given(any_sequences)
def test_the_whole_sequences_can_be_read_back(sequences: list[list[int]]) -> None:
    kept = [s for s in sequences if s]
    assert Rows.prefixes(sequences).sequences() == kept
    assert Rows.last_items(kept).sequences() == kept


@given(any_sequences)
def test_target_counts_count_every_item_of_prefix_rows(sequences: list[list[int]]) -> None:
    flat = [item for s in sequences for item in s]
    counts = Rows.prefixes(sequences).target_counts(30)
    assert counts.tolist() == [flat.count(item) for item in range(31)]


def test_last_items_refuses_an_empty_sequence() -> None:
    with pytest.raises(ValueError, match="got an empty one"):
        Rows.last_items([[1, 2], []])


def test_no_sequences_give_no_rows() -> None:
    for rows in (Rows.prefixes([]), Rows.last_items([])):
        assert len(rows) == 0
        assert rows.history(torch.arange(0), 4).shape == (0, 4)
        assert rows.sequences() == []


@given(st.integers(0, 40), st.integers(1, 12))
def test_batches_without_a_generator_keep_the_order(number: int, size: int) -> None:
    parts = list(batches(number, size))
    assert torch.cat(parts).tolist() == list(range(number))
    assert all(len(part) <= size for part in parts)
    assert all(len(part) == size for part in parts[:-1])


def test_batches_with_a_generator_are_shuffled_alike_for_one_seed() -> None:
    first, again, other = (torch.cat(list(batches(50, 8, torch.Generator().manual_seed(seed)))) for seed in (3, 3, 4))
    assert first.equal(again)
    assert not first.equal(other)
    assert first.sort().values.tolist() == list(range(50))


def test_batch_moves_every_tensor() -> None:
    moved = Rows.prefixes([[1, 2]]).batch(torch.arange(2), 3).to(torch.device("meta"))
    assert {moved.history.device.type, moved.target.device.type, moved.is_last.device.type} == {"meta"}


def test_catalogue_needs_one_entry_per_item_in_every_field() -> None:
    with pytest.raises(ValueError, match=r"\[1, 2\]"):
        Catalogue(titles=("a", "b"), years=(1999,), genres=((), ()), counts=(1, 2))


def test_catalogue_hash_changes_with_any_content() -> None:
    base = Catalogue(titles=("a",), years=(None,), genres=(("Drama",),), counts=(1,))
    others = [
        Catalogue(titles=("b",), years=(None,), genres=(("Drama",),), counts=(1,)),
        Catalogue(titles=("a",), years=(1999,), genres=(("Drama",),), counts=(1,)),
        Catalogue(titles=("a",), years=(None,), genres=((),), counts=(1,)),
        Catalogue(titles=("a",), years=(None,), genres=(("Drama",),), counts=(2,)),
        Catalogue(titles=("a",), years=(None,), genres=(("Drama",),), counts=(1,), noun="film"),
    ]
    assert len({base.hash, *(other.hash for other in others)}) == 6
    assert base.hash == Catalogue(titles=("a",), years=(None,), genres=(("Drama",),), counts=(1,)).hash


def test_untitled_items_are_called_by_their_id() -> None:
    catalogue = Catalogue.untitled([4, 0])
    assert catalogue.titles == ("Item 1", "Item 2")
    assert catalogue.counts == (4, 0)
    assert catalogue.num_items == 2


def test_very_many_rows_are_thinned_evenly_and_few_are_not() -> None:
    rows = Rows.last_items([[1, number] for number in range(10)])
    assert rows.spaced(10) is rows
    assert rows.spaced(4).target.tolist() == [0, 2, 5, 7]
