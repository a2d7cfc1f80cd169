import numpy as np
import pytest
import torch
from torch.nn import functional

from unrolled.cells import find_cell
from unrolled.data.batches import Batch
from unrolled.errors import ConfigError
from unrolled.models import Encoder, EncoderDecoder, EncoderDecoderOptions, EncoderOptions, InputSizes
from unrolled.models.grid import GridNetwork

SHAPE = (3, 20, 12)


def network(**changes):
    torch.manual_seed(0)
    return GridNetwork(SHAPE, 8, 5, 5, 0.0, **changes).double()


def by_hand(blocks, x):
    """Convolutions of 3 × 3 with a border of 0, normalised over groups of 8 channels, rectified."""
    for convolution, norm, _ in blocks:
        w, b = convolution.weight.detach().numpy(), convolution.bias.detach().numpy()
        stride, (_, high, wide) = convolution.stride[0], x.shape
        padded = np.pad(x, ((0, 0), (1, 1), (1, 1)))
        y = np.array(
            [[(padded[:, i : i + 3, j : j + 3] * w).sum((1, 2, 3)) + b for j in range(0, wide, stride)] for i in range(0, high, stride)]
        ).transpose(2, 0, 1)
        groups = y.reshape(norm.num_groups, -1)
        groups = (groups - groups.mean(1, keepdims=True)) / np.sqrt(groups.var(1, keepdims=True) + norm.eps)
        y = groups.reshape(y.shape) * norm.weight.detach().numpy()[:, None, None] + norm.bias.detach().numpy()[:, None, None]
        x = np.maximum(y, 0)
    return x


def test_each_place_is_its_channels_and_where_it_lies_row_by_row():
    layer, x = network(), torch.randn(1, 2, *SHAPE, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    found = layer(x).detach().numpy()
    assert layer.size == (5, 3) and found.shape == (15, 2, 5)
    weight, bias = layer.linear.weight.detach().numpy(), layer.linear.bias.detach().numpy()
    for picture in range(2):
        planes = by_hand(layer.blocks, x[0, picture].numpy())
        for row in range(5):
            for column in range(3):
                vector = np.concatenate([planes[:, row, column], [-1 + row * 2 / 4, -1 + column * 2 / 2]])
                np.testing.assert_allclose(found[row * 3 + column, picture], weight @ vector + bias, atol=1e-12)


def test_recurrent_layers_read_each_row_by_itself():
    layer = network(rows=find_cell("gru"))
    x = torch.randn(1, 1, *SHAPE, dtype=torch.float64)
    without_rows = network()
    without_rows.load_state_dict({name: value for name, value in layer.state_dict().items() if not name.startswith("rows.")})
    plain, found = without_rows(x), layer(x)
    assert layer.width == 6
    for row in range(5):
        expected, _ = layer.rows(plain[row * 3 : row * 3 + 3])
        torch.testing.assert_close(found[row * 3 : row * 3 + 3], expected)


def test_frames_follow_each_other_and_what_is_not_real_is_0():
    layer, x = network(), torch.randn(2, 2, *SHAPE, dtype=torch.float64)
    real = torch.tensor([[True, True], [True, False]])
    found = layer(x.masked_fill(~real[..., None, None, None], torch.nan), real)
    torch.testing.assert_close(found[:15], layer(x[:1]))
    torch.testing.assert_close(found[15:, :1], layer(x[1:, :1]))
    assert not found[15:, 1].any()


def test_an_encoder_has_as_many_outputs_as_places():
    encoder = Encoder(InputSizes(frames=SHAPE), EncoderOptions(layers=0, hidden=4, grid=5, bidirectional=False))
    lengths = torch.tensor([2, 1])
    outputs, final = encoder(Batch({"frames": torch.randn(2, 2, *SHAPE)}, lengths))
    assert outputs.shape == (30, 2, 4) and final == ()
    assert encoder.output_lengths(lengths).tolist() == [30, 15]
    assert not outputs[15:, 1].any() and outputs[15:, 0].any()


def test_nothing_is_read_beside_a_grid():
    with pytest.raises(ConfigError, match="`grid=5` makes many steps of a frame"):
        Encoder(InputSizes(frames=SHAPE, numbers=2), EncoderOptions(grid=5))


def captioner(**changes):
    torch.manual_seed(0)
    encoder = Encoder(InputSizes(frames=SHAPE), EncoderOptions(layers=0, hidden=4, grid=5, bidirectional=False, dropout=0.0))
    options = {"hidden": 3, "embedding": 2, "dropout": 0.0, "label_smoothing": 0.0, **changes}
    return EncoderDecoder(encoder, 6, EncoderDecoderOptions(**options)).double()


def pictures(seed=1):
    generator = torch.Generator().manual_seed(seed)
    targets = torch.tensor([[2, 3], [4, 1], [1, 0]])
    return Batch(
        {"frames": torch.randn(1, 2, *SHAPE, dtype=torch.float64, generator=generator)},
        torch.ones(2, dtype=torch.long),
        targets,
        torch.tensor([3, 2]),
    )


def test_a_decoder_begins_from_means_and_largest_of_what_has_no_recurrence():
    """In training standardised over the batch, later by what was seen on the way."""
    model, batch = captioner(), pictures()
    memory = model.read(batch)
    both = torch.cat([memory.outputs.mean(0), memory.outputs.amax(0)], -1)
    both = (both - both.mean(0)) / (both.var(0, correction=0) + 1e-5).sqrt()
    torch.testing.assert_close(memory.final[0][0], both)
    one = Batch({"frames": batch["frames"][:, :1]}, torch.ones(1, dtype=torch.long))
    torch.testing.assert_close(model.eval().read(one).final[0], model.read(batch).final[0][:, :1])
    model.train()
    told = functional.linear(both, model.bridge.map.weight, model.bridge.map.bias)
    state = torch.cat([part[0] for part in model.begin(memory).states], -1)
    torch.testing.assert_close(state, told)
    assert model.bridge.map.weight.grad is None
    model.loss(batch)[0].backward()
    assert all(p.grad is not None and p.grad.any() for p in (model.bridge.map.weight, model.encoder.inputs.frames.linear.weight))


def test_what_attention_passes_over_costs_in_training():
    plain, batch = captioner(), pictures()
    strict = captioner(doubly_stochastic=0.5)
    strict.load_state_dict(plain.state_dict())
    memory = plain.read(batch)
    weights = plain._teach(memory, batch.targets, batch.target_lengths)[0].weights.detach().numpy()
    missed = sum(
        (1 - sum(weights[t, b, s] for t in range(length))) ** 2 for b, length in enumerate((3, 2)) for s in range(weights.shape[2])
    )
    found = strict.loss(batch)[0] - plain.loss(batch)[0]
    assert found.item() == pytest.approx(0.5 * missed, abs=1e-9)
    plain.load_state_dict(strict.state_dict())
    assert strict.eval().loss(batch)[0].item() == pytest.approx(plain.eval().loss(batch)[0].item(), abs=1e-12)


def test_states_cannot_be_copied_from_what_has_none():
    with pytest.raises(ConfigError, match="`bridge='copy'` needs recurrent layers in the encoder, which has none"):
        captioner(bridge="copy")
