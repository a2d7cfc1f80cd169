"""F4: engines run a plan on tensors. `eager` is the reference, `native` compiles C, `torch` uses torch's fused kernels where there is one."""

from unrolled.engines.choice import ENGINES, choose
from unrolled.engines.eager import values_of_step
from unrolled.engines.lengths import Lengths, beside, read_lengths
from unrolled.engines.maps import Convolutions
from unrolled.engines.problem import Engine, Problem, Solution, solve_nothing
from unrolled.engines.segments import run_in_segments
from unrolled.engines.stacks import stacks
from unrolled.engines.watched import are_plain
from unrolled.engines.weights import WeightLayout, Weights

__all__ = [
    "ENGINES", "Convolutions", "Engine", "Lengths", "Problem", "Solution", "WeightLayout", "Weights", "are_plain", "beside", "choose", "read_lengths",
    "run_in_segments", "solve_nothing", "stacks", "values_of_step",
]  # fmt: skip
