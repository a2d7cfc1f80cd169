import numpy as np
import pytest
import torch

from unrolled.cells import Cell
from unrolled.errors import ConfigError
from unrolled.layers import Recurrent
from unrolled.models import Bridge


def pair(bridge, encoder="lstm", decoder="lstm", hidden=3, units=3, layers=(1, 1), bidirectional=False):
    torch.manual_seed(0)
    reader = Recurrent(encoder, 2, hidden, layers[0], bidirectional=bidirectional, engine="eager")
    writer = Recurrent(decoder, 2, units, layers[1], engine="eager")
    final = reader(torch.randn(4, 5, 2))[1]
    return Bridge(bridge, reader, writer), final, writer


@pytest.mark.parametrize("cells", [("lstm", "gru"), ("gru", "lstm"), ("elman", "lstm-peephole"), ("lstm", "lstm")])
@pytest.mark.parametrize("layers", [(1, 1), (2, 1), (1, 3)])
@pytest.mark.parametrize("bidirectional", [False, True])
def test_every_state_is_a_map_of_every_state(cells, layers, bidirectional):
    bridge, final, writer = pair("map", *cells, 3, 4, layers, bidirectional)
    begun = bridge(final)
    assert [s.shape for s in begun] == [(layers[1], 5, 4)] * len(writer.cell.states)
    told = np.concatenate([state[place].numpy(force=True) for state in final for place in range(len(state))], 1)
    mapped = told @ bridge.map.weight.numpy(force=True).T + bridge.map.bias.numpy(force=True)
    units = 4 * len(writer.cell.states)
    for k, state in enumerate(begun):
        for layer in range(layers[1]):
            expected = mapped[:, layer * units + 4 * k : layer * units + 4 * k + 4]
            np.testing.assert_allclose(state[layer].numpy(force=True), expected, rtol=1e-5, atol=1e-6)
    writer(torch.randn(2, 5, 2), begun)


@pytest.mark.parametrize("layers", [1, 2])
@pytest.mark.parametrize("cells", [("lstm", "lstm"), ("lstm", "gru")])
def test_copies_of_both_directions_lie_side_by_side(cells, layers):
    bridge, final, writer = pair("copy", *cells, 3, 6, (layers, layers), True)
    for name, state in zip(writer.cell.states, bridge(final), strict=True):
        given = final[("h", "c").index(name)]
        for layer in range(layers):
            assert torch.equal(state[layer], torch.cat([given[2 * layer], given[2 * layer + 1]], 1))


def test_states_are_copied_by_name():
    text = "m[t] = m[t-1] / 2 + W_m @ x[t]\nc[t] = c[t-1] / 2 + W_c @ x[t]\nh[t] = tanh(R_h @ h[t-1] + m[t] + c[t])"
    three = Cell("three", text)
    bridge, final, _ = pair("copy", three, "lstm")
    begun = bridge(final)
    assert three.states != ("h", "c") and torch.equal(begun[0], final[0]) and torch.equal(begun[1], final[three.states.index("c")])
    assert not torch.equal(begun[1], final[1])


def test_a_copy_of_one_direction_is_the_state_itself():
    bridge, final, _ = pair("copy", layers=(2, 2))
    assert all(map(torch.equal, bridge(final), final))


def test_zeros_whatever_was_read():
    bridge, final, writer = pair("zeros", "gru", "lstm", 3, 4, (1, 2))
    begun = bridge(final)
    assert [s.shape for s in begun] == [(2, 5, 4)] * 2 and not any(s.any() for s in begun)
    assert not list(bridge.parameters())
    writer(torch.randn(2, 5, 2), begun)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"bridge": "stairs"}, "'stairs'"),
        ({"bridge": "copy", "encoder": "gru"}, "state 'c'"),
        ({"bridge": "copy", "layers": (1, 2)}, "got 1 and 2"),
        ({"bridge": "copy", "bidirectional": True}, "`decoder_hidden` equal to"),
    ],
)
def test_states_that_cannot_be_copied(options, said):
    with pytest.raises(ConfigError, match=said):
        pair(**options)
