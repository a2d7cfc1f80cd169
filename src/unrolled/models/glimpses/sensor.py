"""What is seen of a picture in one glimpse: a small patch, and coarser ones of more of what is around it."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional


@dataclass(frozen=True)
class GlimpseSensor:
    """The retina of Mnih et al. (2014, "Recurrent models of visual attention"): `scales` square patches around one place.

    Patch number k, from 0, covers `size` · 2^k pixels a side and is seen as `size` × `size` means of 2^k × 2^k pixels. Outside of the picture there
    are zeros. A patch has half its pixels before its place and half from it on; of an odd number there is one more from it on.
    """

    size: int
    scales: int

    @property
    def numbers(self) -> int:
        """Those of one glimpse, for each channel of the picture."""
        return self.scales * self.size**2

    def blurred(self, pictures: Tensor) -> list[Tensor]:
        """Of pictures `[B, C, H, W]` the means that begin at each pixel, `[B, C, H', W']` for each scale, with the zeros around them.

        They are made once for all glimpses, each of which then only picks numbers out.
        """
        size, zooms = self.size, self._zooms
        before, after = _reach(size, zooms[-1])
        means, found = functional.pad(pictures, (before, after, before, after)), []
        height, width = pictures.shape[2:]
        for zoom in zooms:
            if half := zoom // 2:
                means = means[..., :-half, :] + means[..., half:, :]
                means = (means[..., :-half] + means[..., half:]) / 4
            first, more = before - _reach(size, zoom)[0], (size - 1) * zoom + 1
            found.append(means[..., first : first + height + more, first : first + width + more].contiguous())
        return found

    def glimpses(self, blurred: Sequence[Tensor], which: Tensor, pixels: Tensor) -> Tensor:
        """N glimpses `[N, scales * C * size²]`: of the pictures `which` `[N]`, at `pixels` `[N, 2]`, whole numbers of rows and columns from 0 to H and W."""
        parts = []
        for zoom, means in zip(self._zooms, blurred, strict=True):
            channels, height, width = means.shape[1:]
            planes = which[:, None] * channels + torch.arange(channels, device=means.device)
            first = (planes * height + pixels[:, :1]) * width + pixels[:, 1:]
            steps = torch.arange(self.size, device=means.device) * zoom
            places = first[..., None] + (steps[:, None] * width + steps).flatten()
            parts.append(means.flatten().index_select(0, places.flatten()).view(len(which), -1))
        return torch.cat(parts, 1) if len(parts) > 1 else parts[0]

    @property
    def _zooms(self) -> list[int]:
        return [2**scale for scale in range(self.scales)]


def _reach(size: int, zoom: int) -> tuple[int, int]:
    """Pixels of a patch before its place, and from it on."""
    before = size * zoom // 2
    return before, size * zoom - before
