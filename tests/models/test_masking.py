import torch

from demo_core.models.masking import MaskedRows, altered, mask_one_item
from demo_core.sequences import pad

HISTORY = pad([[1, 2, 3, 4, 5, 6], [7, 3, 9, 1], [4], []], 6)
TARGET = torch.tensor([9, 8, 2, 5])


def seeded() -> torch.Generator:
    return torch.Generator().manual_seed(3)


def test_every_slot_is_masked_about_equally_often_and_the_prefix_is_what_stands_before_it() -> None:
    history, target = HISTORY.repeat(300, 1), TARGET.repeat(300)
    masked = mask_one_item(history, target, seeded())
    counts = {length: [0] * length for length in (7, 5, 2, 1)}
    for row in range(1200):
        sequence = [item for item in [*history[row].tolist(), int(target[row])] if item]
        at = int(masked.position[row]) - (7 - len(sequence))
        assert int(masked.item[row]) == sequence[at]
        assert masked.prefix[row].tolist() == pad([sequence[:at]], 6)[0].tolist()
        counts[len(sequence)][at] += 1
    for length, hits in counts.items():
        assert min(hits) > 0.5 * 300 / length


def test_the_newest_item_can_be_the_one_that_is_always_masked() -> None:
    masked = mask_one_item(HISTORY, TARGET, seeded(), newest_share=1.0)
    assert torch.equal(masked.item, TARGET)
    assert torch.equal(masked.prefix, HISTORY)


def test_other_slots_are_altered_as_bert_does_it() -> None:
    """Of the altered slots 80 % show the mask, 10 % a random item; a random item can be the slot's own."""
    sequence = torch.tensor([[0, 3, 4, 5, 6]]).repeat(8000, 1)
    masked = MaskedRows(sequence, torch.full((8000,), 2))
    shown = altered(masked, 0.5, mask_token=21, generator=seeded())
    assert torch.equal(shown[:, 0], sequence[:, 0]), "padding stays padding"
    assert torch.equal(shown[:, 2], sequence[:, 2]), "the masked slot is the backbone's business"
    others, before = shown[:, [1, 3, 4]], sequence[:, [1, 3, 4]]
    assert abs(float((others == 21).double().mean()) - 0.5 * 0.8) < 0.02
    random_item = (others != 21) & (others != before)
    assert abs(float(random_item.double().mean()) - 0.5 * 0.1 * 19 / 20) < 0.01
    assert int(shown.max()) == 21 and int(others.min()) >= 1


def test_nothing_is_altered_at_rate_0() -> None:
    masked = mask_one_item(HISTORY, TARGET, seeded())
    assert torch.equal(altered(masked, 0.0, 13, seeded()), masked.sequence)
