"""AC-TSR: who learns from which loss, what the adversary does, and the authors' own numbers."""

import math

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from demo_core.models.actsr import ACTSR, ACTSRConfig, mask_penalty, steered
from demo_core.models.calibrated_attention import CalibratedLayer
from demo_core.sequences import PADDING, Batch, pad
from demo_core.slots import Slots

M, D, L, HEADS = 9, 4, 5, 2
FULL = [[3, 5, 3, 5, 7], [4, 8, 9, 1, 2]]
RAGGED = [[3, 5, 3, 5, 7], [2], [1, 1, 4], []]


def wave(shape: torch.Size | tuple[int, ...], place: int) -> Tensor:
    number = torch.arange(1, math.prod(shape) + 1, dtype=torch.float64)
    return torch.sin(number * (1 + 0.1 * place)).reshape(shape)


def waves(*settings: str, same_gate: bool = False) -> ACTSR:
    """A model whose parameters are sines, each with a frequency of its own. ``same_gate``: for all distances; else the
    places are numbered from the start of a full window.
    """
    torch.manual_seed(0)
    built = ACTSR(ACTSRConfig(num_items=M, max_length=L, embedding_dim=D).override(*settings)).double()
    places: list[tuple[int, Tensor]] = [(0, built.item_embedding.weight[: M + 1])]
    for number, layer in enumerate(built.encoder.layers):
        assert isinstance(layer, CalibratedLayer)
        attention, update = layer.attention, layer.feed_forward.update
        both, adversary = attention.key_value, attention.adversary
        parameters = [attention.query.weight, attention.query.bias, both.weight[:D], both.bias[:D]]
        parameters += [both.weight[D:], both.bias[D:], attention.order.weight, attention.order.bias]
        parameters += [attention.distance.weight, attention.distance.bias, attention.distance_scale]
        parameters += [adversary.query.weight, adversary.query.bias, adversary.key.weight]
        parameters += [torch.empty(0), attention.out.weight, attention.out.bias]  # a bias of the adversary's keys
        parameters += [*update[0].parameters(), *update[2].parameters(), attention.gate.weight, attention.gate.bias]
        places += [(30 * number + 1 + place, parameter) for place, parameter in enumerate(parameters)]
    with torch.no_grad():
        for place, parameter in places:
            parameter.copy_(wave(parameter.shape, place))
        for layer in built.encoder.layers:
            assert isinstance(layer, CalibratedLayer)
            for gate in (layer.attention.gate.weight, layer.attention.gate.bias):
                gate.copy_(gate[:1].expand_as(gate).clone() if same_gate else gate.flip(0))
        built.item_embedding.weight[PADDING] = 0
    return built.eval()


def untrained(*settings: str) -> ACTSR:
    torch.manual_seed(0)
    built = ACTSR(ACTSRConfig(num_items=M, max_length=L, embedding_dim=8).override(*settings)).double()
    torch.nn.init.normal_(built.item_embedding.weight)
    return built.eval()


def batch() -> Batch:
    return Batch(pad(RAGGED, L), torch.tensor([2, 9, 1, 3]), torch.ones(4, dtype=torch.bool))


def noise(rows: int = 4) -> Tensor:
    return torch.randn(rows, HEADS, 1, L, dtype=torch.float64, generator=torch.Generator().manual_seed(1))


RELEASED: dict[tuple[str, ...], tuple[tuple[float, ...], tuple[float, float], list[float], list[float]]] = {
    ("layers=1", "softmax_again=True"): (
        (
            *(0.40046276355098764, 1.0183978241817904, -1.7318012461066066, 1.2455638500606847, 0.1034915161656329),
            *(-1.3808569887710234, 1.7016852079045983, -0.8437343729585964, -0.5986820267291062),
        ),
        (3.1861497805756143, 3.024010566265141),
        [0.0017190952822885928, -0.0012423967257700786, -0.0005992025161690841, 0.0013773241205075467],
        [-0.00800717850368833, -0.016635201733194667, -0.007580560181204916, 0.009531964087814043],
    ),
    ("layers=2", "softmax_again=True"): (
        (
            *(0.8110535516333627, 0.7632964212751346, -1.8089012248223946, 1.60145707147993, -0.28466317289716114),
            *(-1.2293205373618805, 1.8917382273836028, -1.243724711984377, -0.26583277918556036),
        ),
        (3.131593376455501, 3.1241196615091336),
        [-9.83403658404908e-05, -1.391668101783401e-05, 3.938527962079959e-05, 3.393562150208679e-05],
        [-0.00030535941406550557, 0.00032872520404846143, 0.0006133858908121498, 0.0002460378275233894],
    ),
    ("layers=1", "softmax_again=False"): (
        (
            *(-0.44182752217397314, 1.4391764184485984, -1.4395894482585598, 0.44278050058495033, 0.8607481489582606),
            *(-1.5680255740584088, 1.189111678710303, 0.013515047491587717, -1.2067797278673933),
        ),
        (2.622291630371117, 2.760872891774438),
        [0.005676523309096839, -0.004419560682593386, -0.003690108385170465, 0.007166083532118309],
        [-0.2980394863703615, -0.10678791875329918, 0.19797564591157957, 0.29229769999537003],
    ),
    ("layers=2", "softmax_again=False"): (
        (
            *(0.7830783272467547, 0.7834017415398005, -1.8072094291086238, 1.5791400882630433, -0.2571802611776548),
            *(-1.24293161400142, 1.8820489025011375, -1.217446904545041, -0.29049609670910415),
        ),
        (3.124730508923704, 2.9832315056982583),
        [0.0004240815564870093, 0.0006727993318626378, -0.0006040396788459375, -0.0004545491896946351],
        [0.0065576225559038515, 0.0036976737890305257, -0.003092778925521375, -0.006595710763536995],
    ),
}


@pytest.mark.parametrize("settings", sorted(RELEASED))
def test_scores_losses_and_the_adversarys_gradients_are_those_of_the_released_code(settings: tuple[str, ...]) -> None:
    """Numbers of AIM-SE/AC-TSR (commit ced695e) for the same parameters and noise in float64, with the LayerNorms'
    epsilon at PyTorch's 1e-5: AttackRTransformerEncoder of layers.py, which AC-SASRec has, puts corrected weights
    through a softmax again, and that of transformer_layers.py, which AC-SSE-PT has, does not. With two layers the gates
    are the same for all places, since theirs count from the start and ours from the query.
    """
    scores, losses, of_query, of_key = RELEASED[settings]
    model = waves(*settings, "penalty_weight=0", same_gate="layers=2" in settings)
    torch.testing.assert_close(tuple(model.score(pad(FULL, L))[0, 1:].tolist()), scores, atol=1e-12, rtol=0)
    rows = Batch(pad(FULL, L), torch.tensor([2, 6]), torch.ones(2, dtype=torch.bool))
    prediction, attack = model.losses(rows, wave((2, HEADS, 1, L), 90), model.adversary())
    assert (float(prediction.detach()), -float(attack.detach())) == pytest.approx(losses, abs=1e-12)
    attack.backward()
    first = model.encoder.layers[0]
    assert isinstance(first, CalibratedLayer)
    for layer, expected in ((first.attention.adversary.query, of_query), (first.attention.adversary.key, of_key)):
        assert layer.weight.grad is not None
        torch.testing.assert_close(layer.weight.grad[0].tolist(), expected, atol=1e-12, rtol=1e-9)


def test_the_penalty_is_the_norm_of_what_is_not_spared_of_the_pairs_that_are_seen() -> None:
    spared = torch.zeros(2, 1, 2, 2)
    spared[0, 0] = torch.tensor([[1.0, 0.0], [0.6, 0.4]])
    spared[1, 0] = torch.tensor([[0.7, 0.3], [0.0, 1.0]])  # its first slot is padding
    mask = torch.tensor([[True, True], [False, True]])
    first = (0 + math.hypot(0.4, 0.6)) / 2
    assert float(mask_penalty(spared, mask, of_batch=False)) == pytest.approx((first + 0) / 2)
    newest = mask_penalty(spared[:, :, 1:], mask, of_batch=False)
    assert float(newest) == pytest.approx((math.hypot(0.4, 0.6) + 0) / 2), "of the queries that there are"


def test_the_penalty_of_a_batch_counts_unseen_pairs_and_grows_with_the_batch() -> None:
    spared = torch.tensor([[[[1.0, 0.0], [0.6, 0.4]]]])
    mask = torch.ones(1, 2, dtype=torch.bool)
    whole = math.sqrt(0 + 1 + 0.4**2 + 0.6**2)
    assert float(mask_penalty(spared, mask, of_batch=True)) == pytest.approx(whole)
    four, many = spared.expand(4, -1, -1, -1), mask.expand(4, -1)
    assert float(mask_penalty(four, many, of_batch=True)) == pytest.approx(2 * whole)
    once = float(mask_penalty(spared, mask, of_batch=False))
    assert float(mask_penalty(four, many, of_batch=False)) == pytest.approx(once)


def test_the_adversary_pays_for_its_masks_in_the_mean_over_all_layers() -> None:
    free, priced = untrained("penalty_weight=0"), untrained("penalty_weight=2")
    tokens = free.tokens(batch().history)
    mask = tokens != PADDING
    _, spared = free.encoder(free.item_embedding(tokens), mask)
    first, last = (mask_penalty(of_layer, mask, of_batch=False) for of_layer in spared)
    unpaid, paid = (model.losses(batch(), noise(), model.adversary())[1] for model in (free, priced))
    torch.testing.assert_close(paid - unpaid, first + last)  # twice their mean


@pytest.mark.parametrize("of_batch", [True, False])
def test_the_penalty_draws_a_mask_towards_even_shares(of_batch: bool) -> None:
    logits = torch.tensor([0.0, 3.0, -1.0, 1.0], requires_grad=True)
    mask, before = torch.ones(1, 4, dtype=torch.bool), float(logits.detach().softmax(dim=0).amax())
    for _ in range(200):
        spared = logits.softmax(dim=0).expand(1, 1, 1, 4)
        (gradient,) = torch.autograd.grad(mask_penalty(spared, mask, of_batch), logits)
        logits = (logits - gradient).detach().requires_grad_()
    assert before > 0.8 and float(logits.detach().softmax(dim=0).amax()) < 0.35


@pytest.mark.parametrize("settings", [(), ("softmax_again=True", "penalty_of_batch=True", "penalty_weight=0.3")])
def test_gradients_are_those_of_two_backward_passes_one_for_the_adversary_alone(settings: tuple[str, ...]) -> None:
    model = untrained(*settings)
    generator = torch.Generator().manual_seed(1)
    drawn = torch.randn(4, HEADS, 1, L, generator=torch.Generator().manual_seed(1)).double()
    value = model.loss(batch(), generator)
    value.backward()
    found = {name: parameter.grad for name, parameter in model.named_parameters()}
    prediction, attack = model.losses(batch(), drawn, model.adversary())
    torch.testing.assert_close(value, prediction + attack)
    for name, parameter in model.named_parameters():
        source = attack if ".adversary." in name else prediction
        (expected,) = torch.autograd.grad(source, parameter, retain_graph=True)
        torch.testing.assert_close(found[name], expected, msg=name)


def test_the_prediction_teaches_queries_and_keys_through_the_adversarys_mask_but_not_the_adversary() -> None:
    model = untrained()
    copies = {name: value.detach() for name, value in model.adversary().items()}
    prediction, _ = model.losses(batch(), noise(), copies)
    prediction.backward()
    assert all(parameter.grad is None for parameter in model.adversary().values())
    assert all(p.grad is not None for n, p in model.named_parameters() if ".adversary." not in n)


def test_a_steered_zero_has_the_gradients_that_it_was_given() -> None:
    parameters = {"a": torch.tensor([1.0, 2.0], requires_grad=True), "b": torch.tensor([[3.0]], requires_grad=True)}
    zero = steered(parameters, {"a": torch.tensor([5.0, -1.0]), "b": torch.tensor([[0.5]])})
    zero.backward()
    assert float(zero.detach()) == 0.0
    assert [parameter.grad.tolist() for parameter in parameters.values() if parameter.grad is not None] == [
        [5.0, -1.0],
        [[0.5]],
    ]


def test_an_adversary_that_learns_lowers_the_prediction() -> None:
    """The rest of the model stands still, and so does the noise."""
    model = untrained("penalty_weight=0")
    rows = Batch(torch.randint(1, M + 1, (64, L)), torch.randint(1, M + 1, (64,)), torch.ones(64, dtype=torch.bool))
    drawn, learning = noise(64), list(model.adversary().values())
    optimiser = torch.optim.Adam(learning, lr=1e-2)
    values = []
    for _ in range(60):
        _, attack = model.losses(rows, drawn, model.adversary())
        values.append(-float(attack.detach()))
        optimiser.zero_grad()
        attack.backward()
        optimiser.step()
    assert values[-1] > values[0] + 0.2, "the cross-entropy of the attacked prediction rises"
    assert all(after >= before - 0.02 for before, after in zip(values[::10], values[10::10], strict=False))


def test_a_larger_penalty_keeps_the_adversary_nearer_to_even_shares() -> None:
    rows, sharpest = batch(), []
    for weight in (0.0, 10.0):
        model = untrained(f"penalty_weight={weight}")
        optimiser = torch.optim.Adam(model.adversary().values(), lr=3e-2)
        for _ in range(60):
            optimiser.zero_grad()
            model.losses(rows, noise(), model.adversary())[1].backward()
            optimiser.step()
        tokens = model.tokens(rows.history)
        _, spared = model.encoder(model.item_embedding(tokens), tokens != PADDING)
        sharpest.append(float(spared[-1][0].detach().amax()))  # of the row with five items
    assert sharpest[0] > 0.8 and sharpest[1] < 0.5


def test_scores_are_calibrated_without_noise() -> None:
    model, history = untrained(), pad(RAGGED, L)
    tokens = model.tokens(history)
    read, _ = model.encoder(model.item_embedding(tokens), tokens != PADDING, noise=noise())
    assert read.attacked is not None and not torch.allclose(read.attacked, read.states)
    torch.testing.assert_close(model.rank(read.states), model.score(history, torch.Generator().manual_seed(3)))


@pytest.mark.parametrize("settings", [(), ("softmax_again=True",)])
def test_noise_at_padding_is_not_read(settings: tuple[str, ...]) -> None:
    model, drawn = untrained(*settings), noise()
    before = model.losses(batch(), drawn, model.adversary())
    padding = model.tokens(batch().history) == PADDING
    loud = torch.where(padding[:, None, None], 1e3, drawn)
    torch.testing.assert_close(model.losses(batch(), loud, model.adversary()), before)


@pytest.mark.parametrize("settings", [(), ("softmax_again=True",)])
def test_padding_changes_nothing_whatever_its_row_holds_and_whether_it_is_computed(
    settings: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    model, history, at = waves(*settings), pad(RAGGED, L), torch.tensor([4, 4, 3, 2])
    scores, context, losses = (
        model.score(history).detach(),
        model.masked_context(history, at),
        model.losses(batch(), noise(), model.adversary()),
    )
    with torch.no_grad():
        model.item_embedding.weight[PADDING] = 3.0
    torch.testing.assert_close(model.score(history), scores)
    monkeypatch.setattr(Slots, "of", lambda mask: Slots(tuple(mask.shape), None, None))
    torch.testing.assert_close(model.score(history), scores)
    torch.testing.assert_close(model.masked_context(history, at), context)
    torch.testing.assert_close(model.losses(batch(), noise(), model.adversary()), losses)


def test_the_newest_state_is_the_last_of_all_states() -> None:
    model = waves()
    tokens = model.tokens(pad(RAGGED, L))
    states = model.encoder(model.item_embedding(tokens), tokens != PADDING, last_only=False)[0].states
    torch.testing.assert_close(model.encode(pad(RAGGED, L)), states[:, -1])


def test_order_is_told_without_position_embeddings_and_the_window_is_kept() -> None:
    model = waves()
    assert not torch.allclose(model.score(pad([[1, 2, 3]], L))[:, 1:], model.score(pad([[2, 1, 3]], L))[:, 1:])
    longer = pad([[9, 8, 1, 2, 3, 4, 5]], 7)
    torch.testing.assert_close(model.score(longer), model.score(longer[:, -L:]))


def test_masked_context_is_read_from_what_stands_before_the_position() -> None:
    model, at = waves(), torch.tensor([3, 4])
    sequence = pad([[4, 8, 9, 8, 6], [1]], L)
    state, mean = model.masked_context(sequence, at)
    torch.testing.assert_close(state, model.encode(pad([[4, 8, 9], []], L)))
    changed = sequence.clone()
    changed[0, 3:], changed[1, 4:] = 7, 7
    torch.testing.assert_close(model.masked_context(changed, at), (state, mean))


def test_the_loss_needs_no_gradients_and_leaves_the_batch_alone() -> None:
    model, rows = untrained(), batch()
    before = rows.history.clone()
    with torch.no_grad():
        plain = model.loss(rows, torch.Generator().manual_seed(1))
    torch.testing.assert_close(model.loss(rows, torch.Generator().manual_seed(1)).detach(), plain)
    other = model.loss(rows, torch.Generator().manual_seed(2)).detach()
    assert not torch.equal(other, plain), "the noise is drawn from the generator"
    assert torch.equal(rows.history, before)
    expected = F.cross_entropy(model.score(rows.history)[:, 1:], rows.target - 1)
    torch.testing.assert_close(model.losses(rows, noise(), model.adversary())[0], expected)
