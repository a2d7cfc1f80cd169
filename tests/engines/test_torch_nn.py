import pytest
import torch

import unrolled as un

PAIRS = [(un.LSTM, torch.nn.LSTM, {}), (un.LSTM, torch.nn.LSTM, {"proj_size": 5}), (un.GRU, torch.nn.GRU, {}), (un.RNN, torch.nn.RNN, {}),
         (un.RNN, torch.nn.RNN, {"nonlinearity": "relu"})]  # fmt: skip


@pytest.mark.filterwarnings("ignore:LSTM with projections")
@pytest.mark.parametrize("engine", ["eager", "torch"])
@pytest.mark.parametrize(("ours", "theirs", "options"), PAIRS)
@pytest.mark.parametrize("more", [{}, {"num_layers": 2, "bidirectional": True}, {"bias": False, "batch_first": True}])
def test_outputs_and_gradients_equal_torch(ours, theirs, options, more, engine):
    torch.manual_seed(0)
    reference = theirs(7, 9, **options, **more)
    layer = ours(7, 9, engine=engine, **options, **more)
    layer.load_state_dict(reference.state_dict())
    x = torch.randn(5, 3, 7)
    y, state = layer(x)
    y_reference, state_reference = reference(x)
    torch.testing.assert_close(y, y_reference, atol=1e-6, rtol=0)
    torch.testing.assert_close(state, state_reference, atol=1e-6, rtol=0)
    cotangent = torch.randn_like(y)
    (y * cotangent).sum().backward()
    (y_reference * cotangent).sum().backward()
    for name in ("weight_ih_l0", "weight_hh_l0"):
        torch.testing.assert_close(layer.get_parameter(name).grad, reference.get_parameter(name).grad, atol=1e-5, rtol=1e-5)
