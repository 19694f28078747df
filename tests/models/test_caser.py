"""Caser: its two kinds of filters by hand, its targets, and the switches of the released code."""

import math

import pytest
import torch
from torch import Generator, Tensor, nn
from torch.nn import functional as F

from demo_core.models.caser import Caser, CaserConfig, binary_cross_entropy, horizontal_features, vertical_features
from demo_core.sequences import PADDING, Batch, pad
from tests.models.test_contract import steps, world

M, D, L = 9, 4, 6


def model(*settings: str) -> Caser:
    torch.manual_seed(0)
    built = Caser(CaserConfig(num_items=M, max_length=L, embedding_dim=D, vertical_filters=2).override(*settings))
    with torch.no_grad():
        for table in (built.item_embedding, built.image_embedding):
            if table is not None:
                table.weight[1:].normal_()
        built.item_bias.normal_()
    return built.eval()


def batch() -> Batch:
    history = pad([[3, 1, 4], [5], [], [7, 8, 2, 6, 1, 4]], L)
    return Batch(history, torch.tensor([2, 9, 1, 3]), torch.ones(4, dtype=torch.bool))


def filters(*weights: list[list[list[float]]], bias: float = 0.0) -> list[nn.Linear]:
    """One layer for each height: ``weights[height - 1][filter][row]`` are the D numbers of a row."""
    made = []
    for of_height in weights:
        rows = torch.tensor(of_height)  # (n_h, height, D)
        layer = nn.Linear(rows[0].numel(), len(rows))
        with torch.no_grad():
            layer.weight.copy_(rows.flatten(1))
            layer.bias.fill_(bias)
        made.append(layer)
    return made


def row_filter(*weights: list[float], bias: float = 0.0) -> nn.Linear:
    layer = nn.Linear(len(weights[0]), len(weights))
    with torch.no_grad():
        layer.weight.copy_(torch.tensor(weights))
        layer.bias.fill_(bias)
    return layer


def everywhere(image: Tensor) -> Tensor:
    return torch.ones(image.shape[:2], dtype=torch.bool)


def seeded(seed: int = 1) -> Generator:
    return Generator().manual_seed(seed)


# The filters


def test_an_image_of_two_numbers() -> None:
    image = torch.tensor([[[1.0], [-2.0]]])
    found = horizontal_features(image, everywhere(image), filters([[[1.0]]], [[[1.0], [1.0]]]))
    assert found.tolist() == [[1.0, 0.0]], "max(1, 0) of height 1; ReLU(1 - 2) of height 2"
    assert vertical_features(image, row_filter([0.5, 0.5])).tolist() == [[-0.5]], "no activation"


def test_a_horizontal_filter_of_two_rows_slides_over_a_window_of_three_items() -> None:
    image = torch.tensor([[[1.0, 2.0], [3.0, -1.0], [-2.0, 4.0]]])
    height_two = [[[1.0, 0.0], [0.0, 1.0]], [[-1.0, 1.0], [2.0, 0.0]]]
    found = horizontal_features(
        image, everywhere(image), filters([[[1.0, 1.0]]] * 2, height_two, [[[0.0, 0.0]] * 3] * 2, bias=0.5)
    )
    # First filter: 1 * 1 + 1 * -1 = 0, then 1 * 3 + 1 * 4 = 7. Second: -1 + 2 + 2 * 3 = 7, then -3 - 1 + 2 * -2 = -8.
    assert found[0, 2:4].tolist() == [7.5, 7.5]
    assert found[0, :2].tolist() == [3.5, 3.5], "height 1: the sums of the rows are 3, 2, 2"
    assert found[0, 4:].tolist() == [0.5, 0.5], "height 3: the bias alone"


def test_vertical_filters_weigh_the_rows_of_every_column() -> None:
    image = torch.tensor([[[1.0, 2.0], [3.0, -1.0], [-2.0, 4.0]]])
    found = vertical_features(image, row_filter([1.0, 0.5, 0.25], [0.0, 0.0, 1.0], bias=1.0))
    assert found.unflatten(1, (2, 2)).tolist() == [[[3.0, -1.0], [3.5, 5.0]]], "(D, n_v)"


def test_horizontal_filters_are_convolutions_as_wide_as_the_image() -> None:
    torch.manual_seed(0)
    image, layers = torch.randn(5, L, D), [nn.Linear(height * D, 3) for height in range(1, L + 1)]
    found = horizontal_features(image, everywhere(image), layers)
    for height, layer in enumerate(layers, start=1):
        kernel = layer.weight.view(3, 1, height, D)
        expected = F.conv2d(image[:, None], kernel, layer.bias).squeeze(3).relu().amax(dim=2)
        torch.testing.assert_close(found[:, 3 * (height - 1) : 3 * height], expected)


def test_windows_of_padding_alone_do_not_count() -> None:
    image, seen = torch.tensor([[[0.0], [0.0], [-1.0]]]), torch.tensor([[False, False, True]])
    layers = filters([[[1.0]]], [[[1.0], [1.0]]], [[[1.0]] * 3], bias=2.0)
    assert horizontal_features(image, seen, layers).tolist() == [[1.0, 1.0, 1.0]], "not 2, the bias alone"
    assert horizontal_features(image, everywhere(image), layers).tolist() == [[2.0, 2.0, 1.0]]


def test_only_filters_higher_than_one_and_vertical_ones_notice_the_order() -> None:
    caser, one, other = model(), pad([[3, 1, 4, 2]], L), pad([[4, 3, 2, 1]], L)
    features = []
    for tokens in (one, other):
        image = caser.image(tokens)
        features.append((horizontal_features(image, tokens != PADDING, caser.horizontal), image))
    (first, first_image), (second, second_image) = features
    number = caser.config.horizontal_filters
    torch.testing.assert_close(first[:, :number], second[:, :number])
    assert not torch.allclose(first[:, number : 2 * number], second[:, number : 2 * number])
    assert not torch.allclose(
        vertical_features(first_image, caser.vertical), vertical_features(second_image, caser.vertical)
    )
    assert not torch.allclose(caser.encode(one), caser.encode(other))


# The model


def test_a_state_is_a_linear_map_of_what_both_kinds_found() -> None:
    caser, tokens = model(), pad([[3, 1, 4, 2]], L)
    assert caser.image_embedding is not None
    image = caser.image_embedding(tokens)
    found = [horizontal_features(image, tokens != PADDING, caser.horizontal), vertical_features(image, caser.vertical)]
    torch.testing.assert_close(caser.encode(tokens), caser.fuse(torch.cat(found, dim=1)))


def test_items_are_scored_by_a_table_of_their_own() -> None:
    caser, asked = model(), pad([[3, 1], [2]], L)
    state = caser.encode(asked)
    torch.testing.assert_close(
        caser.score(asked)[:, 1:], state @ caser.item_embedding.weight[1 : M + 1].T + caser.item_bias[1:]
    )
    with torch.no_grad():
        caser.item_embedding.weight.normal_()
    torch.testing.assert_close(caser.encode(asked), state)


def test_one_table_serves_both_where_the_output_is_tied() -> None:
    caser, asked = model("tied_output=True"), pad([[3, 1], [2]], L)
    assert caser.image_embedding is None
    before = caser.encode(asked)
    with torch.no_grad():
        caser.item_embedding.weight[3] += 1.0
    changed = (caser.encode(asked) - before).abs().amax(dim=1) > 0
    assert changed.tolist() == [True, False]


def test_a_final_relu_cuts_off_what_is_negative() -> None:
    asked = pad([[3, 1], [2], []], L)
    free, cut = model().encode(asked), model("final_relu=True").encode(asked)
    assert bool((free < 0).any())
    torch.testing.assert_close(cut, free.relu())


@pytest.mark.parametrize("tied", [False, True])
def test_padding_is_read_only_where_it_is_trained(tied: bool) -> None:
    asked = pad([[3, 1], [], [5, 4, 4, 2, 1, 9]], L)
    for setting, reads in (("trained_padding=False", False), ("trained_padding=True", True)):
        caser = model(setting, f"tied_output={tied}")
        table = caser.item_embedding if caser.image_embedding is None else caser.image_embedding
        before = caser.encode(asked)
        with torch.no_grad():
            table.weight[PADDING] = 3.0
        after = caser.encode(asked)
        changed = ((after - before).abs().amax(dim=1) > 1e-6).tolist()
        assert changed == ([True, True, False] if reads else [False] * 3)
        after.sum().backward()
        assert table.weight.grad is not None and bool(table.weight.grad[PADDING].any()) is reads


def test_a_trained_padding_still_knows_no_more_of_a_longer_one() -> None:
    caser = model("trained_padding=True")
    torch.testing.assert_close(caser.score(pad([[3, 1], []], L)), caser.score(pad([[3, 1], []], 3 * L)))


def test_a_hidden_item_is_told_of_by_what_stands_before_it() -> None:
    caser = model()
    sequence, position = pad([[2, 7, 5, 1], [8, 3]], L), torch.tensor([4, 4])
    state, mean = caser.masked_context(sequence, position)
    first, second = caser.encode(pad([[2]], L)), caser.encode(pad([[2, 7]], L))
    torch.testing.assert_close(state, torch.cat([second, caser.encode(pad([[]], L))]))
    torch.testing.assert_close(mean[:1], (first + second) / 2)
    torch.testing.assert_close(mean[1], state[1])


# The losses


def test_several_targets_take_the_newest_items_out_of_the_image() -> None:
    caser = model("targets=3")
    assert caser.config.image_length == 4
    history, targets = caser.split(batch())
    assert history.tolist() == [[0, 0, 0, 3], [0] * 4, [0] * 4, [7, 8, 2, 6]]
    assert targets.tolist() == [[1, 4, 2], [0, 5, 9], [0, 0, 1], [1, 4, 3]]


def test_cross_entropy_is_the_mean_over_all_real_targets() -> None:
    caser = model("targets=3")
    log_chance = caser.score(pad([[3], [], [], [7, 8, 2, 6]], 4))[:, 1:].log_softmax(dim=1).detach()
    pairs = [(0, 1), (0, 4), (0, 2), (1, 5), (1, 9), (2, 1), (3, 1), (3, 4), (3, 3)]
    expected = -sum(float(log_chance[row, item - 1]) for row, item in pairs) / len(pairs)
    assert caser.loss(batch()).item() == pytest.approx(expected, rel=1e-5)


def test_binary_cross_entropy_by_hand() -> None:
    target, negative = torch.tensor([[2.0, 5.0], [-1.0, 0.0]]), torch.tensor([[0.5], [300.0]])
    counts = torch.tensor([[True, False], [True, True]])
    found = binary_cross_entropy(target, counts, negative, torch.tensor([[True], [False]]))
    positive = sum(math.log(1 + math.exp(-x)) for x in (2.0, -1.0, 0.0)) / 3
    assert float(found) == pytest.approx(positive + math.log(1 + math.exp(0.5)), rel=1e-6)
    both = binary_cross_entropy(target, counts, negative, torch.ones(2, 1, dtype=torch.bool))
    assert float(both) == pytest.approx(positive + (math.log(1 + math.exp(0.5)) + 300) / 2, rel=1e-6), "not infinite"


def test_negatives_out_of_the_row_itself_do_not_count(monkeypatch: pytest.MonkeyPatch) -> None:
    caser, asked = model("loss=bce"), batch()
    drawn = torch.tensor([[9, 3, 2], [6, 6, 6], [1, 1, 1], [5, 9, 4]])
    monkeypatch.setattr(caser, "draw_negatives", lambda rows, generator: drawn)
    unknown = [[True, False, False], [True] * 3, [False] * 3, [True, True, False]]
    scores = caser.score(asked.history)
    expected = binary_cross_entropy(
        scores.gather(1, asked.target[:, None]),
        torch.ones(4, 1, dtype=torch.bool),
        scores.gather(1, drawn),
        torch.tensor(unknown),
    )
    torch.testing.assert_close(caser.loss(asked), expected)


def test_every_target_has_negatives_of_its_own_unless_they_are_shared() -> None:
    assert model("loss=bce", "targets=3").draw_negatives(5, seeded()).shape == (5, 9)
    drawn = model("loss=bce", "targets=3", "shared_negatives=True").draw_negatives(2000, seeded())
    assert drawn.shape == (2000, 3) and drawn.unique().tolist() == list(range(1, M + 1))


def test_the_sampled_loss_follows_its_generator_and_leaves_the_batch_alone() -> None:
    caser, asked = model("loss=bce", "targets=2"), batch()
    before = [asked.history.clone(), asked.target.clone()]
    assert torch.equal(caser.loss(asked, seeded()), caser.loss(asked, seeded()))
    assert not torch.equal(caser.loss(asked, seeded(1)), caser.loss(asked, seeded(2)))
    assert torch.equal(asked.history, before[0]) and torch.equal(asked.target, before[1])


def test_binary_cross_entropy_learns_what_follows_what() -> None:
    torch.manual_seed(0)
    caser, rows = Caser(CaserConfig(num_items=12, max_length=6, embedding_dim=16, loss="bce")), world().test
    for _ in steps(caser.phases()[0], caser, world(), 20):
        pass
    first, _ = caser.eval().recommend(rows.history(torch.arange(len(rows)), 6), 1)
    assert float((first[:, 0] == rows.target).double().mean()) >= 0.95


@pytest.mark.parametrize(("setting", "told"), [("loss=hinge", "cross_entropy, bce"), ("targets=7", "max_length = 6")])
def test_a_setting_that_means_nothing_is_refused(setting: str, told: str) -> None:
    with pytest.raises(ValueError, match=told):
        model(setting)
