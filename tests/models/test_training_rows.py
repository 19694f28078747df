import torch

from demo_core.models.training_rows import TrainingRows
from demo_core.sequences import Rows, pad

L = 3


def table(sequences: list[list[int]], length: int = L) -> TrainingRows:
    rows = TrainingRows(length)
    rows.fill(Rows.prefixes(sequences))
    return rows


def test_every_row_with_items_is_kept_and_grouped_by_target() -> None:
    rows = table([[1, 2, 3], [4, 3], [5]])
    assert len(rows.key) == 3, "1, 4 and 5 come first: nothing stands before them"
    first, number = rows.with_target(torch.tensor([1, 2, 3, 9]))
    assert number.tolist() == [0, 1, 2, 0]
    group = rows.history[int(first[2]) : int(first[2] + number[2])].tolist()
    assert sorted(group) == [[0, 0, 4], [0, 1, 2]]


def test_a_row_is_found_by_what_it_holds_and_another_one_is_not() -> None:
    sequences = [torch.randperm(40, generator=torch.Generator().manual_seed(s)).add(1).tolist() for s in range(30)]
    rows, source = table(sequences), Rows.prefixes(sequences)
    index = torch.arange(len(source))
    history, target = source.history(index, L), source.target
    at, known = rows.find(history, target)
    assert torch.equal(known, history.any(dim=1))
    assert torch.equal(rows.history[at[known]].long(), history[known])
    first, number = rows.with_target(target[known])
    assert bool(((at[known] >= first) & (at[known] < first + number)).all())
    assert not bool(rows.find(history.flip(1), target)[1].any()), "order and padding count"
    assert not bool(rows.find(history, torch.full_like(target, 41))[1].any())


def test_more_padding_or_older_items_change_nothing() -> None:
    rows = table([[1, 2, 3, 4, 5]])
    for history in ([[2, 3, 4]], [[1, 2, 3, 4]], [[0, 9, 2, 3, 4]]):
        _, known = rows.find(torch.tensor(history), torch.tensor([5]))
        assert bool(known.all())
    _, known = rows.find(pad([[1]], 9), torch.tensor([2]))
    assert bool(known.all())


def test_it_is_no_part_of_what_is_saved() -> None:
    assert not table([[1, 2, 3]]).state_dict()
