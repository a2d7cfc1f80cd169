"""F4: engines run a plan on tensors. `eager` is the reference, `native` compiles C, `torch` uses torch's fused kernels where there is one."""

from unrolled.engines.choice import ENGINES, choose
from unrolled.engines.eager import values_of_step
from unrolled.engines.lengths import Lengths, read_lengths
from unrolled.engines.problem import Engine, Problem, Solution
from unrolled.engines.segments import run_in_segments
from unrolled.engines.stacks import stacks
from unrolled.engines.weights import Layout, Weights, lay_together

__all__ = [
    "ENGINES", "Engine", "Layout", "Lengths", "Problem", "Solution", "Weights", "choose", "lay_together", "read_lengths", "run_in_segments",
    "stacks", "values_of_step",
]  # fmt: skip
