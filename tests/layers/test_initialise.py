import math

import pytest
import torch

import unrolled as un

LAYERS = {
    "lstm": lambda **o: un.LSTM(7, 16, 2, **o),
    "gru": lambda **o: un.GRU(7, 16, 2, **o),
    "rnn": lambda **o: un.RNN(7, 16, 2, **o),
    "peephole": lambda **o: un.Recurrent("lstm-peephole", 7, 16, 2, **o),
}


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.bfloat16])
@pytest.mark.parametrize("kind", LAYERS)
def test_recurrent_maps_begin_orthogonal_and_input_maps_after_glorot(kind, dtype):
    layer = LAYERS[kind](bidirectional=True, dtype=dtype)
    seen = []
    for place in ((0, False), (0, True), (1, False), (1, True)):
        for parameter in layer.cell.recurrence.parameters:
            value = layer.block(parameter.name, *place).double()
            if parameter.kind == "recurrent map":
                near = 0.02 if dtype == torch.bfloat16 else 1e-5
                torch.testing.assert_close(value @ value.T, torch.eye(16, dtype=torch.float64), atol=near, rtol=0)
            elif parameter.kind == "input map":
                bound = math.sqrt(6 / sum(value.shape))
                assert 0.8 * bound < value.abs().max() <= bound * 1.01
                assert value.std() == pytest.approx(bound / math.sqrt(3), rel=0.3)
            else:
                assert (value == (1 if parameter.name == "b_f" else 0)).all()
                continue
            seen.append(value)
    assert all(a.shape != b.shape or not torch.equal(a, b) for i, a in enumerate(seen) for b in seen[:i])


def test_the_same_seed_begins_the_same():
    first, second = (torch.manual_seed(2) and un.LSTM(3, 4) for _ in range(2))
    assert all(torch.equal(a, b) for a, b in zip(first.parameters(), second.parameters(), strict=True))


def test_reset_makes_everything_new_and_learned_states_zero():
    layer = un.GRU(3, 4, initial_state="learned")
    before = {n: p.detach().clone() for n, p in layer.named_parameters()}
    with torch.no_grad():
        layer.h_0_l0.fill_(3)
    for scheme in ("torch", "unrolled"):
        layer.reset_parameters(scheme)
        assert not torch.equal(layer.weight_ih_l0, before["weight_ih_l0"])
        assert not layer.h_0_l0.any()


def test_torch_scheme_of_any_cell_is_uniform():
    layer = un.Recurrent("lstm-peephole", 30, 100)
    layer.reset_parameters("torch")
    for parameter in layer.parameters():
        assert 0.08 < parameter.abs().max() <= 0.1


def test_an_unknown_scheme_is_an_error():
    with pytest.raises(un.errors.ConfigError, match="'unrolled' or 'torch'"):
        un.GRU(3, 4).reset_parameters("best")


def test_code_that_flattens_parameters_runs_unchanged():
    layer = un.GRU(3, 4)
    before = {name: value.clone() for name, value in layer.state_dict().items()}
    layer.flatten_parameters()
    assert all(torch.equal(value, before[name]) for name, value in layer.state_dict().items())
