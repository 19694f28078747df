"""The released network of the guided family at a small size, and what the authors' code made of it.

Five items, windows of four, width eight, all weights on sine waves; the figures come from running CARD.py and
DreamRec.py (yanqilong3321/CARD at 3f4090f, YangZhengyi98/DreamRec at 454133c) in float64 with the same weights.
"""

import math
from collections.abc import Callable

import torch
from torch import Tensor

from demo_core.models.dreamrec import DreamRec, DreamRecConfig
from demo_core.models.guidance_encoder import ReleasedEncoder
from demo_core.models.guided_config import RELEASED_GUIDED, RELEASED_STRIDED
from demo_core.sequences import pad

M, L, D = 5, 4, 8
HISTORY = pad([[1, 2, 3, 4], [5, 2], [3], []], L)
WEIGHTS = torch.tensor(
    [[0.5, 0.0, 2.0, 1.5], [1.0, 1.0, 1.7, 0.3], [1.0, 1.0, 1.0, 0.0], [1.0] * 4], dtype=torch.float64
)

GUIDANCE = [
    [0.161509839, -0.729733580, 0.131087754, 2.983897862, -0.419466697, -0.753387063, 0.109841007, -0.131241148],
    [0.058673117, -0.040159781, -0.926131389, -0.898327957, 1.537264954, -0.256345525, -0.247737366, -0.138909946],
    [0.219244245, -0.021979250, 0.397628644, 0.379435104, -2.347380449, 0.412326565, 0.356864393, -0.039487666],
    [-0.375493623, 0.217682680, 0.491953347, 0.045511208, -0.467604958, -0.295678765, 0.309417511, 0.461216408],
]
WEIGHED_GUIDANCE = [
    [0.328555571, -0.733458948, 0.195108589, 2.704932094, -1.216645455, -0.319353423, 0.084419615, -0.297493924],
    [0.436821064, -0.134270445, -1.174597899, -0.374447179, 1.073718896, -0.325846729, -0.195655802, -0.399758228],
    [0.839141090, 0.376571707, -1.159034572, -1.153878384, -0.550792709, -0.348875827, 0.460447680, -0.207232337],
    [-0.375493623, 0.217682680, 0.491953347, 0.045511208, -0.467604958, -0.295678765, 0.309417511, 0.461216408],
]
# The first two rows, with guidance strength 2 and noises 2 wave(100), 2 wave(101), ...: T = 1000 linear in strides of
# 100, and T = 20 exp.
STRIDED_WALK = [
    [-1.097501598, -1.048222611, -1.068341454, -1.744324009, -2.598644126, -2.765544847, -2.241455397, -1.879032346],
    [1.141633371, 1.427231440, 1.528463181, 0.853226777, -0.120986275, -0.522850780, -0.337883449, -0.402990868],
]
DDPM_WALK = [
    [-1.074294809, -1.053322853, -1.101511852, -1.804024018, -2.682101075, -2.868882711, -2.359874815, -2.007033518],
    [1.166384634, 1.423739003, 1.496889246, 0.795037745, -0.203087909, -0.625051937, -0.455437559, -0.530438319],
]
# The loss of the first two rows with targets 3 and 1 at times 700 and 30 and noise wave(60), and two of its gradients.
LOSS = 0.8330938815039313
GRADIENT_OF_ITEM_3 = [
    0.085589033,
    0.168554917,
    0.08970269,
    -0.02979863,
    -0.013444467,
    0.111959052,
    0.155698373,
    0.042873287,
]
GRADIENT_OF_ITEM_1 = [
    -0.234331327,
    -0.366789456,
    -0.133723949,
    0.133272921,
    0.060422005,
    -0.221462207,
    -0.269733833,
    0.02022848,
]
# info_nce_loss of wave(70) and wave(71), both (3, 8), at temperature 0.1.
CONTRASTIVE = 0.6618743484101398


def wave(number: int, *shape: int) -> Tensor:
    return (0.5 * torch.sin(1.3 * torch.arange(math.prod(shape), dtype=torch.float64) + number)).reshape(shape)


def network(*settings: str) -> DreamRec:
    """Strided with both slips, unless ``settings`` say otherwise; evaluation mode, float64."""
    small = (f"embedding_dim={D}", f"max_length={L}", "guidance_strength=2.0")
    config = DreamRecConfig(num_items=M).override(*RELEASED_GUIDED, *RELEASED_STRIDED, *small, *settings)
    model = DreamRec(config).double().eval()
    encoder, denoiser = model.encoder, model.denoiser
    assert isinstance(encoder, ReleasedEncoder)
    with torch.no_grad():
        for parameter, value in (
            (model.item_embedding.weight, 2 * wave(0, M + 1, D)),
            (encoder.position, wave(1, L, D)),
            *_linear(encoder.query, 2, 3),
            (encoder.key.weight, wave(4, D, D)),
            *_linear(encoder.value, 5, 6),
            *_norm(encoder.attention_norm, 7),
            *_norm(encoder.feed_forward_norm, 9),
            *_linear(encoder.feed_forward[0], 11, 12),
            *_linear(encoder.feed_forward[2], 13, 14),
            *_norm(encoder.residual_norm, 15),
            *_norm(encoder.norm, 17),
            *_linear(denoiser.step[0], 19, 20),
            *_linear(denoiser.step[2], 21, 22),
            *_linear(denoiser.mix, 23, 24, 0.4),
            (model.no_guidance, wave(25, D)),
        ):
            parameter.copy_(value)
    return model


def waves() -> Callable[..., Tensor]:
    """Stands in for ``torch.randn``: the noises of the walks above, one a call."""
    drawn = iter(range(100, 10_000))
    return lambda *shape, generator=None: (2 * wave(next(drawn), 1, D)).expand(shape)


def _linear(layer: torch.nn.Module, weight: int, bias: int, scale: float = 1.0) -> list[tuple[Tensor, Tensor]]:
    assert isinstance(layer, torch.nn.Linear)
    return [(layer.weight, scale * wave(weight, *layer.weight.shape)), (layer.bias, wave(bias, len(layer.bias)))]


def _norm(layer: torch.nn.LayerNorm, number: int) -> list[tuple[Tensor, Tensor]]:
    width = len(layer.weight)
    return [(layer.weight, 1 + wave(number, width)), (layer.bias, wave(number + 1, width))]
