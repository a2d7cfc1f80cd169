"""Long sequences in pieces."""

import numpy as np
import pytest

from unrolled.tasks.sequences.pieces import pieces


@pytest.mark.parametrize(("total", "window", "overlap"), [(10, 4, 0), (10, 4, 2), (4, 4, 3), (1, 3, 1), (9, 2, 5)])
def test_windows_decide_every_step_once_and_see_their_neighbours(total, window, overlap):
    decided = []
    for span, inside in pieces(total, window, overlap):
        steps = np.arange(total)[span]
        chosen = steps[inside]
        decided += chosen.tolist()
        assert chosen[0] - steps[0] == min(overlap, chosen[0])
        assert steps[-1] - chosen[-1] == min(overlap, total - 1 - chosen[-1])
    assert decided == list(range(total))
