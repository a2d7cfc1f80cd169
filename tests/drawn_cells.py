"""Random cells that obey the language, and random problems for engines to agree on."""

import re
from dataclasses import dataclass, replace
from unittest.mock import patch

import torch
from hypothesis import strategies as st

from unrolled.compiler import make_plan
from unrolled.engines import ENGINES, Problem, WeightLayout, Weights, read_lengths
from unrolled.equations import Recurrence

numbers = st.sampled_from(["1", "2", "0.5", "0.1", "3", "1e-3"])
leaves = st.sampled_from(["x[t]", "h[t-1]", "c[t-1]", "a[t-1]", "b", "d", "W @ x[t]", "V @ x[t]", "R @ h[t-1]", "R @ c[t-1]", "x[t-1]", "t", "V @ x[t-1]"])
templates = st.sampled_from([
    "tanh({})", "sigmoid({})", "relu({})", "softplus({})", "abs({})", "exp(tanh({}))", "log(2 + abs({}))", "sqrt(1 + abs({}))", "(-{})",
    "({}) ** 2", "({}) ** 3", "(1.5 * {}) ** 2", "(1 + abs({})) ** -2", "(2 + 2 * abs({})) ** 0.5", "(1 + abs({})) ** -1.5",
    "sin({})", "cos({})", "erf({})", "log1p(abs({}))", "expm1(tanh({}))", "gelu({})", "silu({})", "hard_sigmoid({})", "elu({})", "elu({}, 0.5)",
    "leaky_relu({})", "sign({})", "step({})", "clip({}, -0.5, 0.7)", "({} > 0.1)", "norm({})", "rms_norm({} + h[t-1], 0.1)", "softmax({} - h[t-1])", "sum(tanh({}) * h[t-1])", "mean({} * x[t])", "cumsum(tanh({}) + b) / 9",
    "floor({})", "(({}) % 2)", "Q.T @ tanh({} * x[t])", "(R - 0.5 * P.T) @ tanh({} + h[t-1])", "-S @ Q @ tanh({} + x[t])",
    "blocks(K, 1) @ tanh({} + b)", "blocks(L, 3) @ tanh({} * x[t])", "where(t % 3 < 1, {}, h[t-1])", "norm({} + h[t-1])", "2 ** tanh({})", "1 / (1 + exp(-{}))", "R @ ({})", "Q @ ({} * x[t])", "Q @ tanh({})"])  # fmt: skip
pairs = st.sampled_from(
    [
        "({} + {})",
        "({} - {})",
        "({} * {})",
        "({}) / (1 + abs({}))",
        "(1 + abs({})) ** tanh({})",
        "tanh({} - 2 * ({}))",
        "max({}, {})",
        "min({}, {})",
        "where({} > {}, h[t-1], x[t])",
        "where(b < 0, {}, {})",
        "leaky_relu({}, {})",
        "clip({}, {}, 1)",
    ]
)
expressions = st.recursive(
    leaves,
    lambda inner: st.builds(str.format, templates, inner) | st.builds(str.format, pairs, inner, inner | numbers),
    max_leaves=8,
)


@st.composite
def texts(draw):
    """Three lines, each of which may also read the lines above it at [t]."""
    lines = []
    for name in draw(st.permutations(["a", "c", "h"])):
        value = draw(expressions)
        for earlier, _ in lines:
            if draw(st.booleans()):
                value = f"{value} * {earlier}[t]" if draw(st.booleans()) else f"({value}) - {earlier}[t]"
        lines.append((name, value))
    return "\n".join(f"{name}[t] = {value}" for name, value in lines)


@dataclass(frozen=True)
class Drawn:
    """What is drawn beside the text: sizes are numbers to choose from, everything else is made of the seed."""

    seed: int
    numbers: bool
    lengths: bool
    resets: bool
    reverse: bool
    masks: bool
    every_state: bool
    threads: int = 1
    cut: bool = False
    """Whether each thread has rows of its own; else all share the units of all rows."""


drawn = st.builds(Drawn, st.integers(0, 2**32 - 1), *[st.booleans()] * 6, st.integers(1, 3), st.booleans())


def with_matrices_of_their_own(text: str, seed: int) -> str:
    """The text with some matrices renamed, so that not all sizes have to be the same."""
    generator = torch.Generator().manual_seed(seed)
    return re.sub(r"\b([RQWV]) @", lambda m: f"{m[1]}_{torch.randint(4, (), generator=generator)} @", text)


def problem_of(recurrence: Recurrence, how: Drawn, scale: int = 1) -> Problem:
    """A small problem, or one so many times as large each way: every size label has a size of its own."""
    generator = torch.Generator().manual_seed(how.seed)
    number = lambda low, high: int(torch.randint(low, high, (), generator=generator))  # noqa: E731
    normal = lambda *shape: torch.randn(*shape, generator=generator, dtype=torch.float64) * 0.5  # noqa: E731
    sizes = {label: number(1, 1 + 18 * scale) for label in ("x", *recurrence.labels)}
    steps, batch = number(1, 1 + 5 * scale), number(1, 1 + 9 * scale)
    shapes = {p.name: (sizes[p.rows], sizes[p.columns]) if p.is_matrix else (sizes[p.rows],) for p in recurrence.parameters}
    stored = {name: (normal(*shape) / scale ** (0.5 * (len(shape) - 1))).requires_grad_() for name, shape in shapes.items()}
    rows = {p.name: sizes[p.rows] for p in recurrence.parameters}
    weights = Weights(WeightLayout({name: (name,) for name in stored}, rows), list(stored.values()))
    one_hot = how.numbers and not recurrence.reads_input_by_unit
    x = torch.randint(sizes["x"], (steps, batch), generator=generator) if one_hot else normal(steps, batch, sizes["x"]).requires_grad_()
    lengths = torch.randint(steps + 1, (batch,), generator=generator)
    resets = torch.rand(steps, batch, generator=generator) < 0.3
    widths = sorted(set(sizes.values()))
    return Problem(
        make_plan(recurrence),
        weights,
        x,
        tuple(normal(batch, sizes[recurrence.size_of(s)]).requires_grad_() for s in recurrence.states),
        read_lengths(lengths, steps, batch, x.device) if how.lengths else None,
        how.reverse,
        {n: (torch.rand(batch, n, generator=generator) < 0.7).double() / 0.7 for n in widths} if how.masks else None,
        how.every_state,
        resets if how.resets else None,
    )


def solve(problem: Problem, engine: str) -> list[torch.Tensor]:
    """Results and the gradients of a random linear function of them."""
    reason = ENGINES[engine].refuses(problem)
    assert not reason, reason
    found = ENGINES[engine].run(replace(problem))
    results = [*found.steps, *found.final]
    generator = torch.Generator().manual_seed(1)
    total = sum((r * torch.randn(r.shape, generator=generator).to(r.dtype)).sum() for r in results)
    inputs = [t for t in (problem.x, *problem.initial, *problem.weights.stored) if t.requires_grad]
    # What is always 0 depends on nothing.
    gradients = torch.autograd.grad(total, inputs, allow_unused=True) if total.requires_grad else [None] * len(inputs)
    return [*results, *(torch.zeros_like(i) if g is None else g for i, g in zip(inputs, gradients, strict=True))]


def shared_as(how: Drawn, problem: Problem):
    """Let so many threads share the work of the engine native."""
    shared = how.threads, how.threads if how.cut and problem.x.shape[1] >= how.threads else 1
    return patch("unrolled.engines.native.call.threads_for", lambda *work: shared)


def disagreement(problem: Problem, how: Drawn) -> str:
    """Where native and eager differ by more than rounding explains; empty where nothing does. None of a large number is looked at."""
    wanted = solve(problem, "eager")
    if not all(w.isfinite().all() and (w.abs() < 1e4).all() for w in wanted):
        return ""
    with shared_as(how, problem):
        found = solve(problem, "native")
    for number, (got, right) in enumerate(zip(found, wanted, strict=True)):
        scale = 1 + (float(right.detach().abs().max()) if right.numel() else 0.0)
        if not torch.allclose(got, right, rtol=0, atol=1e-9 * scale):
            wrong = ~torch.isclose(got, right, rtol=0, atol=1e-9 * scale)
            where = [tuple(w) for w in wrong.nonzero()[:3].tolist()]
            return f"result {number} {list(right.shape)}, at {where}: {got[wrong][:3].tolist()} where eager has {right[wrong][:3].tolist()}"
    return ""
