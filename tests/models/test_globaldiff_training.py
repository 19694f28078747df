"""One training step of GlobalDiff: what the network is told, and what it is asked for."""

from dataclasses import dataclass, field

import pytest
import torch
from torch import Generator, Tensor

from demo_core.models import globaldiff
from demo_core.models.global_structure import Ones
from demo_core.models.globaldiff import GlobalDiff
from demo_core.models.masking import MaskedRows
from demo_core.models.objectives import Restoration, row_losses
from demo_core.sequences import PADDING, Batch
from tests.models.test_globaldiff import BATCH, HISTORY, captured, counted, seeded

# The hidden items are 3, 9, 4 and, of an empty history, the target 5.
MASKED = MaskedRows(torch.cat([HISTORY, BATCH.target[:, None]], dim=1), torch.tensor([2, 4, 5, 6]))
TIME = torch.tensor([3, 0, 19, 7])
INWARD = torch.randn(4, 16, generator=seeded())


@dataclass
class Asked:
    """What a training step asked for."""

    restored: list[Restoration]
    drawn: list[tuple[Tensor, Tensor]] = field(default_factory=list)  # sequence and position whose ones they are
    noised: list[tuple[Ones, Tensor, str]] = field(default_factory=list)  # x_0, step, and what is seen of x_t


def decided(diffusion: GlobalDiff, monkeypatch: pytest.MonkeyPatch) -> Asked:
    """The masks are MASKED, the steps TIME and the projected x_t INWARD."""
    asked = Asked(captured(diffusion, monkeypatch))

    def draw(structure: object, sequence: Tensor, position: Tensor, *rest: object) -> Ones:
        asked.drawn.append((sequence, position))
        return Ones(torch.arange(4), MASKED.item, (4, 13))

    def noise(net: object, plan: object, ones: Ones, time: Tensor, kind: str, generator: Generator) -> Tensor:
        asked.noised.append((ones, time, kind))
        return INWARD

    monkeypatch.setattr(globaldiff, "mask_one_item", lambda *_: MASKED)
    monkeypatch.setattr(globaldiff, "draw_ones", draw)
    monkeypatch.setattr(globaldiff, "noised_input", noise)
    monkeypatch.setattr(diffusion.step_sampler, "draw", lambda rows, generator: (TIME, torch.ones(rows)))
    return asked


def restored(diffusion: GlobalDiff, inward: Tensor, sequence: Tensor) -> Tensor:
    """What the network makes of the steps TIME beside the backbone's states of ``sequence``."""
    context = torch.cat(diffusion.backbone.masked_context(sequence, MASKED.position), dim=1)
    return diffusion.approximator.outward(diffusion.approximator.hidden(inward, TIME, context))


@pytest.mark.parametrize("shown", [0.0, 1.0])
@pytest.mark.parametrize("backbone", ["sasrec", "srgnn", "bert4rec", "cbit"])
def test_the_hidden_item_is_restored_from_its_own_step_without_being_seen(
    backbone: str, shown: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    diffusion = counted(f"backbone={backbone}", "backbone_max_length=7", f"noisy_input_dropout={1 - shown}")
    asked = decided(diffusion, monkeypatch)
    diffusion.loss(BATCH, seeded())
    (given,), ((ones, time, kind),) = asked.restored, asked.noised
    another = MASKED.sequence.scatter(1, MASKED.position[:, None], 11)
    torch.testing.assert_close(given.restored, restored(diffusion, shown * INWARD, another))
    assert given.item.tolist() == [3, 9, 4, 5]
    assert ones is given.ones and torch.equal(time, TIME) and kind == "x_t"


def test_the_truth_is_drawn_for_the_place_of_the_hidden_item(monkeypatch: pytest.MonkeyPatch) -> None:
    diffusion = counted()
    asked = decided(diffusion, monkeypatch)
    diffusion.loss(BATCH, seeded())
    ((sequence, position),) = asked.drawn
    assert torch.equal(sequence, MASKED.sequence) and torch.equal(position, MASKED.position)


def test_altered_slots_are_what_the_backbone_reads_and_not_what_the_truth_is_drawn_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    diffusion = counted("extra_mask_rate=0.9", "noisy_input_dropout=1.0")
    asked = decided(diffusion, monkeypatch)
    shown = torch.where(MASKED.sequence == PADDING, PADDING, 7)
    monkeypatch.setattr(globaldiff, "altered", lambda *_: shown)
    diffusion.loss(BATCH, seeded())
    torch.testing.assert_close(asked.restored[0].restored, restored(diffusion, 0 * INWARD, shown))
    assert torch.equal(asked.drawn[0][0], MASKED.sequence)


@pytest.mark.parametrize("share", [0.0, 1.0])
def test_the_asked_share_of_the_samples_hides_the_newest_item(share: float, monkeypatch: pytest.MonkeyPatch) -> None:
    diffusion = counted(f"newest_masked_share={share}")
    seen = captured(diffusion, monkeypatch)
    diffusion.loss(Batch(HISTORY[:1].repeat(40, 1), torch.full((40,), 9), torch.ones(40, dtype=torch.bool)), seeded())
    assert bool((seen[0].item == 9).all()) is bool(share)


def test_a_loss_counts_by_the_chance_of_its_step_and_is_remembered_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    diffusion = counted("step_sampling=importance").train()
    seen, remembered = captured(diffusion, monkeypatch), list[tuple[Tensor, Tensor]]()
    weight = torch.tensor([0.5, 2.0, 1.0, 4.0])
    monkeypatch.setattr(diffusion.step_sampler, "draw", lambda rows, generator: (TIME, weight))
    monkeypatch.setattr(diffusion.step_sampler, "record", lambda time, loss: remembered.append((time, loss)))
    loss = diffusion.loss(BATCH, seeded())
    each = row_losses(seen[0], diffusion.config.objective, diffusion.config.error_weight)
    torch.testing.assert_close(loss, (each * weight).mean())
    ((time, told),) = remembered
    assert torch.equal(time, TIME)
    torch.testing.assert_close(told, each)
