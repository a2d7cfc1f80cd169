import pytest
import torch

import unrolled as un


@pytest.mark.parametrize("options", [{"fused": True}, {"foreach": True}, {}])
def test_weights_kept_for_inference_are_renewed_after_an_optimiser_step(options):
    layer = un.Recurrent("lstm", 3, 4)
    x = torch.randn(2, 1, 3)
    optimiser = torch.optim.AdamW(layer.parameters(), lr=0.1, **options)
    layer(x)[0].sum().backward()
    with torch.no_grad():
        before = layer(x)[0]
        optimiser.step()
        after = layer(x)[0]
    assert not torch.allclose(before, after)
    torch.testing.assert_close(after, layer(x)[0].detach(), atol=1e-6, rtol=0)
