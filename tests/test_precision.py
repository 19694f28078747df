import pytest
import torch
from torch import Tensor, nn

from demo_core.models import MODELS, create
from demo_core.models.base import Recommender
from demo_core.models.sasrec import SASRecConfig
from demo_core.precision import FLOAT32, HalfLinear, lower, same_lists
from tests.models.test_contract import trained


def histories() -> Tensor:
    """(120, 6) left-padded, of one to six items."""
    generator = torch.Generator().manual_seed(3)
    ids = torch.randint(1, 13, (120, 6), generator=generator)
    return ids * (torch.arange(6) >= torch.arange(120)[:, None] % 6)


def linear_layers(model: Recommender) -> list[nn.Linear]:
    return [module for module in model.modules() if isinstance(module, nn.Linear)]


def test_a_half_layer_multiplies_in_half_and_keeps_the_trained_weights() -> None:
    torch.manual_seed(0)
    layer = nn.Linear(8, 4)
    half = HalfLinear(layer, torch.float16)
    x = torch.randn(5, 8)
    expected = (x.half().double() @ layer.weight.half().double().T).float() + layer.bias
    assert half(x).dtype == torch.float32
    assert torch.allclose(half(x), expected, atol=2e-3) and not torch.equal(half(x), layer(x))
    assert torch.equal(half.weight, layer.weight)
    assert set(half.state_dict()) == set(layer.state_dict()), "what is saved is what was trained"


@pytest.mark.parametrize("precision", ["float16", "bfloat16"])
@pytest.mark.parametrize("name", sorted(MODELS))
def test_a_lowered_model_keeps_the_lists_of_99_in_100_histories_or_stays_as_it_is(name: str, precision: str) -> None:
    model, asked = trained(name), histories()
    before = {key: tensor.clone() for key, tensor in model.state_dict().items()}
    found = lower(model, precision, asked)
    assert found.rows == len(asked) and found.asked == precision
    if found.precision == precision:
        assert found.same >= 0.99
        assert all(isinstance(layer, HalfLinear) for layer in linear_layers(found.model))
        assert same_lists(model, found.model, asked) == found.same
    else:
        assert found.precision == FLOAT32 and found.same < 0.99
        assert found.model is model
    assert found.note is not None and precision in found.note and f"{found.same:.1%}" in found.note
    assert all(torch.equal(before[key], tensor) for key, tensor in model.state_dict().items()), "the model is untouched"


def test_a_model_whose_lists_change_stays_in_float32() -> None:
    """Weights so large that float16 has no numbers for them."""
    model = create("sasrec", SASRecConfig(num_items=60, max_length=6, embedding_dim=8), 0).eval()
    with torch.no_grad():
        for layer in linear_layers(model):
            layer.weight[0] *= 1e6
    found = lower(model, "float16", 5 * histories() % 61)
    assert found.same < 0.99 and found.precision == FLOAT32 and found.model is model
    assert found.note is not None and found.note.startswith("float32, since in float16 only")


def test_float32_is_the_model_itself_and_says_nothing() -> None:
    model = trained("sasrec")
    found = lower(model, FLOAT32, histories())
    assert found.model is model and found.note is None


def test_an_unknown_precision_and_no_history_are_refused() -> None:
    with pytest.raises(ValueError, match="Expected a precision of float32, float16, bfloat16, got 'int8'"):
        lower(trained("sasrec"), "int8", histories())
    with pytest.raises(ValueError, match="expected histories"):
        lower(trained("sasrec"), "float16", histories()[:0])
