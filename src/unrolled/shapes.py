"""The shape legend, and one way to say that a shape is wrong.

| letter | meaning |
|---|---|
| T | time steps |
| B | sequences in a mini-batch |
| I | input columns |
| H | hidden units |
| P | units of the output state, where a projection makes them differ from H |
| V | vocabulary size |
| L | layers |
| D | directions: 1, or 2 when bidirectional |

Sequences are `[T, B, I]`; a state is one tensor per named state, each `[L * D, B, H]`, output state first.
"""

from collections.abc import Sequence

from unrolled.errors import ShapeError


def expect_shape(what: str, got: Sequence[int], letters: str, sizes: Sequence[int], cure: str) -> None:
    """Raise a `ShapeError` unless `got` equals `sizes`; `letters` names them, as in "[L*D, B, H]"."""
    if tuple(got) != tuple(sizes):
        raise ShapeError(f"`{what}` must have shape {letters} = {list(sizes)}, got {list(got)}. {cure}")
