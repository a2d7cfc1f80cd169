"""Fewer steps beside torch's convolutions by hand, at the ends of rows and in streams."""

import pytest
import torch

from unrolled.data.batches import Batch
from unrolled.errors import ConfigError
from unrolled.models import NUMBERS, EachStep, Encoder, EncoderOptions, InputSizes, Softmax
from unrolled.models.subsampling import KERNEL, Subsampling

LENGTHS = torch.tensor([13, 8, 5])


def drawn(ahead, halvings=2):
    torch.manual_seed(1)
    layer = Subsampling(3, 4, halvings, ahead, 0.0)
    for norm in layer.normalisations:
        norm.running_mean.normal_()
        norm.running_var.uniform_(0.5, 2)
    return layer.eval()


def by_hand(layer, x):
    """Of one row `[T, I]`, output by output."""
    for convolution, norm in zip(layer.convolutions, layer.normalisations, strict=True):
        first, outputs = 2 if layer.ahead else 3, []
        for j in range(-(-len(x) // 2)):
            total = convolution.bias.clone()
            for k in range(KERNEL):
                if 0 <= (at := 2 * j + k - first) < len(x):
                    total = total + convolution.weight[:, :, k] @ x[at]
            outputs.append(((total - norm.running_mean) / (norm.running_var + norm.eps).sqrt() * norm.weight + norm.bias).relu())
        x = torch.stack(outputs)
    return x


@pytest.mark.parametrize("ahead", [True, False])
def test_each_row_is_what_the_sums_say_whatever_stands_beside_it(ahead):
    layer, x = drawn(ahead), torch.randn(13, 3, 3)
    x = x * (torch.arange(13)[:, None] < LENGTHS)[..., None]
    y, _ = layer(x, lengths=LENGTHS)
    assert layer.lengths(LENGTHS).tolist() == [4, 2, 2]
    for row, (steps, outputs) in enumerate(zip(LENGTHS.tolist(), [4, 2, 2], strict=True)):
        assert torch.allclose(y[:outputs, row], by_hand(layer, x[:steps, row]), atol=1e-6)
        assert not y[outputs:, row].any()


@pytest.mark.parametrize("ends", [[4, 12], [8], [4, 8, 12]])
def test_a_stream_goes_on_where_it_was(ends):
    layer, x = drawn(ahead=False), torch.randn(13, 1, 3)
    whole, _ = layer(x)
    carried, parts = layer.begin(1, x), []
    for part in torch.tensor_split(x, ends):
        y, carried = layer(part, carried)
        parts.append(y)
    assert torch.allclose(torch.cat(parts), whole, atol=1e-6)


def test_batches_are_standardised_over_real_steps_alone():
    layer = drawn(ahead=True, halvings=1).train()
    x = torch.randn(8, 2, 3)
    x[4:, 1] = 0
    y, _ = layer(x, lengths=torch.tensor([8, 4]))
    z = torch.nn.functional.conv1d(
        torch.nn.functional.pad(x.permute(1, 2, 0), (2, 2)), layer.convolutions[0].weight, layer.convolutions[0].bias, 2
    )
    real = torch.cat([z[0].T, z[1, :, :2].T])
    expected = ((real - real.mean(0)) / (real.var(0, unbiased=False) + 1e-5).sqrt()).relu()
    assert torch.allclose(torch.cat([y[:, 0], y[:2, 1]]), expected, atol=1e-5)


def test_an_encoder_carries_its_layers_and_its_convolutions():
    torch.manual_seed(0)
    options = EncoderOptions(bidirectional=False, hidden=5, layers=2, subsampling=4)
    encoder = Encoder(InputSizes(numbers=3), options).eval()
    x = torch.randn(23, 1, 3)
    whole, _ = encoder(Batch({NUMBERS: x}))
    state, parts = encoder.begin(1), []
    for part in torch.tensor_split(x, [4, 16]):
        y, state = encoder(Batch({NUMBERS: part}), state)
        parts.append(y)
    assert len(whole) == 6 and torch.allclose(torch.cat(parts), whole, atol=1e-6)


def test_where_each_step_has_an_answer_none_may_be_lost():
    with pytest.raises(ConfigError, match="`subsampling` makes one step of several"):
        EachStep(Encoder(InputSizes(numbers=3), EncoderOptions(hidden=5, subsampling=2)), Softmax(2))
    with pytest.raises(ConfigError, match="`subsampling` must be one of 1, 2, 4, 8, 16, got 3"):
        EncoderOptions(subsampling=3)
