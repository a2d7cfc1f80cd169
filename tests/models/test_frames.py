"""Frames as vectors."""

import pytest
import torch

from unrolled.models.frames import FrameNetwork


@pytest.mark.parametrize(("row", "column"), [(0, 0), (0, 4), (2, 1), (4, 3)])
def test_points_say_where_the_mass_of_each_plane_lies(row, column):
    network = FrameNetwork((1, 5, 5), 2, 3, "points", 0.0)
    planes = torch.zeros(1, 2, 5, 5)
    planes[0, 1, row, column] = 50
    wanted = torch.tensor([[0, row / 2 - 1, 0, column / 2 - 1, 0, 2]])
    torch.testing.assert_close(network._pooled(planes), wanted.float(), atol=1e-6, rtol=0)
