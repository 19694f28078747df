"""SR-GNN: the session graph, the gated update, the session vector, and the authors' own numbers."""

import itertools
import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from demo_core.models.srgnn import SRGNN, SRGNNConfig, gated_update, session_graph
from demo_core.sequences import PADDING, Batch, pad
from demo_core.slots import Slots

M, D, L = 9, 3, 6
SEQUENCES = [[3, 5, 3, 5, 7], [2], [1, 1, 4], [4, 8, 9, 8, 9, 6]]


def wave(shape: torch.Size, frequency: float) -> Tensor:
    number = torch.arange(1, math.prod(shape) + 1, dtype=torch.float64)
    return torch.sin(number * frequency).reshape(shape)


def waves(steps: int = 1) -> SRGNN:
    """A model whose parameters are sines. Their frequency is 1 + 0.1 times the place that the parameter has in the
    released code (11 and 12 are never used there).
    """
    torch.manual_seed(0)
    built = SRGNN(SRGNNConfig(num_items=M, max_length=L, embedding_dim=D, steps=steps)).double()
    graph = built.graph
    places = [
        *[(0, built.item_embedding.weight[: M + 1]), (1, graph.message_gates.weight), (2, graph.state_gates.weight)],
        *[(3, graph.message_gates.bias), (4, graph.state_gates.bias)],
        *[(5, graph.message_bias[:D]), (6, graph.message_bias[D:])],
        *[(7, graph.edge.weight[:D]), (8, graph.edge.bias[:D]), (9, graph.edge.weight[D:]), (10, graph.edge.bias[D:])],
        *[(13, built.query.weight), (14, built.query.bias), (15, built.key.weight), (16, built.key.bias)],
        *[(17, built.attention.weight), (18, built.fuse.weight), (19, built.fuse.bias)],
    ]
    with torch.no_grad():
        for place, parameter in places:
            parameter.copy_(wave(parameter.shape, 1 + 0.1 * place))
    return built.eval()


def test_the_graph_of_a_small_history() -> None:
    nodes, alias, incoming, outgoing = session_graph(pad([[3, 5, 3, 5, 7]], 6))
    assert nodes.tolist() == [[0, 3, 5, 0, 0, 7]], "an item's node stands where it occurs first"
    assert alias.tolist() == [[0, 1, 2, 1, 2, 5]]
    # Edges 3 -> 5 (twice, counted once), 5 -> 3, 5 -> 7.
    expected_in, expected_out = torch.zeros(6, 6), torch.zeros(6, 6)
    expected_in[2, 1] = expected_in[1, 2] = expected_in[5, 2] = 1.0
    expected_out[1, 2] = 1.0
    expected_out[2, 1] = expected_out[2, 5] = 0.5
    assert torch.equal(incoming[0], expected_in)
    assert torch.equal(outgoing[0], expected_out)


@settings(max_examples=50, deadline=None)
@given(st.lists(st.lists(st.integers(1, 4), max_size=7), min_size=1, max_size=5))
def test_the_graph_agrees_with_one_built_edge_by_edge(sequences: list[list[int]]) -> None:
    history = pad(sequences, 7)
    nodes, alias, incoming, outgoing = session_graph(history)
    assert torch.equal(nodes.gather(1, alias), history)
    for row, sequence in enumerate(sequences):
        slot = {item: nodes[row].tolist().index(item) for item in sequence}
        assert sorted(x for x in nodes[row].tolist() if x != PADDING) == sorted(slot)
        edges = set(itertools.pairwise(sequence))
        in_degree = {v: sum(end == v for _, end in edges) for v in slot}
        out_degree = {u: sum(begin == u for begin, _ in edges) for u in slot}
        expected_in, expected_out = torch.zeros(7, 7), torch.zeros(7, 7)
        for u, v in edges:
            expected_in[slot[v], slot[u]] = 1 / in_degree[v]
            expected_out[slot[u], slot[v]] = 1 / out_degree[u]
        torch.testing.assert_close(incoming[row], expected_in)
        torch.testing.assert_close(outgoing[row], expected_out)


def test_the_gated_update_is_a_gru_cell() -> None:
    torch.manual_seed(0)
    cell = torch.nn.GRUCell(8, 4).double()
    message, state = torch.randn(5, 8, dtype=torch.float64), torch.randn(5, 4, dtype=torch.float64)
    message_gates = message @ cell.weight_ih.T + cell.bias_ih
    state_gates = state @ cell.weight_hh.T + cell.bias_hh
    torch.testing.assert_close(gated_update(message_gates, state_gates, state), cell(message, state))


def test_scores_are_those_of_the_released_code() -> None:
    """Numbers of CRIPAC-DIG/SR-GNN (commit e21cfa4, pytorch_code) for the same parameters in float64, padded on the
    right with its own graphs.
    """
    first = [-2.3063075436199414, 1.9364186364162514, -1.5277722970387684, 1.088547584748564, -0.6275355851484631]
    first += [0.1539634565449329, 0.3226902516881585, -0.7928853123397049, 1.2472107680738584]
    third = [-1.5707002290874612, 1.2068221008219207, -0.8187894200031143, 0.41436866337590694, -0.0016543151338929275]
    third += [-0.4110931442367738, 0.8156125715304745, -1.2038075076595538, 1.5679082283380086]
    scores = waves().score(pad(SEQUENCES, L)).detach()[[0, 2], 1:]
    torch.testing.assert_close(scores, torch.tensor([first, third], dtype=torch.float64), atol=1e-12, rtol=0)


def test_two_steps_are_the_same_round_twice() -> None:
    tokens = pad(SEQUENCES, L)
    model, once = waves(steps=2), waves()
    nodes, alias, incoming, outgoing = session_graph(tokens)
    slots = Slots.of(nodes != PADDING)
    packed = slots.pack(once.item_embedding(nodes))
    for _ in range(2):
        packed = once.graph(packed, slots, incoming, outgoing)
    expected = slots.pad(packed).gather(1, alias[..., None].expand(-1, -1, D))
    torch.testing.assert_close(model.states(tokens), expected * (tokens != PADDING)[..., None])
    assert not torch.allclose(model.states(tokens), once.states(tokens))


def test_attention_weights_are_not_a_softmax() -> None:
    model = waves()
    with torch.no_grad():
        model.attention.weight.fill_(10.0)
        model.key.weight.zero_()
        model.query.weight.zero_()
        model.key.bias.fill_(50.0)  # every sigmoid is 1: every weight is 10 D
    tokens = pad([[1, 2, 3]], L)
    states = model.states(tokens).detach()
    total = 10 * D * states[0].sum(dim=0)
    expected = model.fuse(torch.cat([total, states[0, -1]]))
    torch.testing.assert_close(model.encode(tokens)[0], expected)


def test_the_order_of_the_items_matters_and_those_outside_the_window_do_not() -> None:
    model = waves()
    assert not torch.allclose(model.score(pad([[1, 2, 3]], L))[:, 1:], model.score(pad([[2, 1, 3]], L))[:, 1:])
    longer = pad([[9, 8, 1, 2, 3, 4, 5, 6]], 8)
    torch.testing.assert_close(model.score(longer), model.score(longer[:, -L:]))


def test_an_empty_history_is_the_start_node_alone() -> None:
    model = waves()
    before = model.score(pad([[], [3]], L)).detach()
    with torch.no_grad():
        model.item_embedding.weight[M + 1] += torch.randn(D)
    after = model.score(pad([[], [3]], L)).detach()
    assert not torch.allclose(before[0, 1:], after[0, 1:])
    torch.testing.assert_close(before[1], after[1])


@pytest.mark.parametrize("on_items", [True, False])
def test_dropout_acts_on_the_item_vectors_and_on_the_session_vector(on_items: bool) -> None:
    torch.manual_seed(0)
    on, off = ("input_dropout", "dropout") if on_items else ("dropout", "input_dropout")
    config = SRGNNConfig(num_items=M, max_length=L, embedding_dim=8).override(f"{on}=0.5", f"{off}=0.0")
    model = SRGNN(config).train()
    torch.nn.init.normal_(model.item_embedding.weight)
    tokens = pad(SEQUENCES, L)
    assert torch.equal(model.states(tokens), model.states(tokens)) is not on_items
    vector = model.encode(tokens)
    assert not torch.equal(vector, model.encode(tokens))
    assert bool((vector == 0).any()) is not on_items


def test_masked_context_is_the_session_before_the_position() -> None:
    model = waves()
    sequence = pad([[4, 8, 9, 8, 9, 6], [1, 2, 3]], L)
    state, mean = model.masked_context(sequence, torch.tensor([4, 3]))
    visible = pad([[4, 8, 9, 8], []], L)
    torch.testing.assert_close(state, model.encode(visible))
    states = model.states(visible[:1])[0, -4:]
    torch.testing.assert_close(mean[0], states.mean(dim=0))
    assert bool(torch.isfinite(mean[1]).all()), "nothing stands before the first item"
    changed = sequence.clone()
    changed[0, 4:], changed[1, 3:] = 7, 7
    torch.testing.assert_close(model.masked_context(changed, torch.tensor([4, 3])), (state, mean))


def test_computing_padding_too_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """As on an accelerator, where nothing is packed."""
    model, history = waves(), pad([*SEQUENCES, []], L)
    packed, context = model.score(history), model.masked_context(history, torch.tensor([4, 5, 4, 2, 5]))
    monkeypatch.setattr(Slots, "of", lambda mask: Slots(tuple(mask.shape), None, None))
    torch.testing.assert_close(model.score(history), packed)
    torch.testing.assert_close(model.masked_context(history, torch.tensor([4, 5, 4, 2, 5])), context)


def test_the_loss_is_the_cross_entropy_over_the_items_without_padding() -> None:
    model = waves()
    batch = Batch(pad([[3, 1, 4], []], L), torch.tensor([2, 9]), torch.tensor([True, True]))
    rows = model.score(batch.history).tolist()
    expected = [
        math.log(sum(math.exp(score) for score in row[1:])) - row[target]
        for row, target in zip(rows, batch.target.tolist(), strict=True)
    ]
    assert float(model.loss(batch).detach()) == pytest.approx(sum(expected) / 2, rel=1e-9)
