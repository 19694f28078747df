"""CBiT: what it adds to BERT4Rec's cloze task."""

import pytest
import torch

from demo_core.layers import nt_xent
from demo_core.models.cbit import CBiT, CBiTConfig, contrast_weight
from demo_core.sequences import Batch, pad

M, L = 9, 5


def model(*settings: str) -> CBiT:
    torch.manual_seed(0)
    built = CBiT(CBiTConfig(num_items=M, max_length=L, embedding_dim=8).override(*settings))
    torch.nn.init.normal_(built.item_embedding.weight)
    return built.eval()


def batch() -> Batch:
    history = pad([[3, 1, 4, 2], [5], [], [7, 8], [2, 4, 6]], L)
    return Batch(history, torch.tensor([2, 9, 1, 3, 5]), torch.ones(5, dtype=torch.bool))


def seeded() -> torch.Generator:
    return torch.Generator().manual_seed(1)


def test_the_contrastive_loss_sums_over_all_ordered_pairs_of_views_of_the_comparable_rows() -> None:
    cbit = model("views=3")
    sequence = cbit.sequence(batch())
    states = torch.randn(3 * 5, L, 8)
    flat = states.reshape(3, 5, -1)[:, [0, 1, 3, 4]]  # the third row holds one item alone
    expected = sum(float(nt_xent(flat[j], flat[k], 0.3)) for j in range(3) for k in range(3) if j != k)
    assert float(cbit.contrastive_loss(states, sequence)) == pytest.approx(expected, rel=1e-5)


def test_fewer_than_two_comparable_rows_leave_nothing_to_compare() -> None:
    cbit = model()
    sequence = pad([[1, 2], [3]], L)
    assert float(cbit.contrastive_loss(torch.randn(4, L, 8), sequence)) == 0.0


def test_the_loss_is_the_cloze_loss_of_all_views_plus_theta_times_the_contrastive_loss() -> None:
    cbit = model("views=3")
    cbit.get_buffer("theta").fill_(0.25)
    sequence = cbit.sequence(batch())
    shown, hidden = cbit.draw_cloze(sequence.repeat(3, 1), seeded())
    states = cbit.states(shown).detach()
    cloze = 3 * cbit.cloze_loss(states, hidden, sequence.repeat(3, 1))
    expected = cloze + 0.25 * cbit.contrastive_loss(states, sequence)
    assert float(cbit.loss(batch(), seeded()).detach()) == pytest.approx(float(expected.detach()), rel=1e-5)


def test_views_of_one_window_are_masked_differently() -> None:
    cbit = model("views=2", "last_masked_share=0.0")
    sequence = torch.tensor([[1, 2, 3, 4, 5]]).repeat(50, 1)
    shown, _ = cbit.draw_cloze(sequence.repeat(2, 1), seeded())
    assert not torch.equal(shown[:50], shown[50:])


def test_theta_follows_the_share_of_the_cloze_loss() -> None:
    theta = contrast_weight(torch.tensor(0.5), torch.tensor(6.0), torch.tensor(0.4), ratio=5.0, rate=0.1)
    assert float(theta) == pytest.approx(0.1 * 6 / 8 + 0.9 * 0.5)


def test_theta_moves_in_training_alone_and_before_it_is_used() -> None:
    cbit = model("dropout=0", "input_dropout=0")
    theta = cbit.get_buffer("theta")
    still = cbit.loss(batch(), seeded()).detach()
    assert float(theta) == 0.0, "evaluation leaves it alone"
    moved = cbit.train().loss(batch(), seeded()).detach()
    assert 0.0 < float(theta) <= 0.1
    assert float(moved) > float(still), "the contrastive loss counts from the first step on"


def test_a_single_view_is_refused() -> None:
    with pytest.raises(ValueError, match="at least 2"):
        model("views=1")
