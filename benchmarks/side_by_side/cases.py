"""What is measured: cells, shapes, modes, lengths. Imports no library that is measured, so that reports can be made without one."""

import itertools
import random
from dataclasses import dataclass

CELLS = ("lstm", "gru", "elman", "lstm-peephole", "gru-reset-before", "gru-simplified", "minimal-gated-unit")
MODES = ("infer", "train")
STEP = "step"
FULL, RAGGED = "full", "ragged"

Sizes = tuple[int, int, int, int]

GROUPS: dict[str, dict[str, Sizes]] = {
    "main": {f"h{units}": (128, 32, units, units) for units in (128, 256, 512)},
    "single": {f"single-h{units}": (128, 1, units, units) for units in (128, 256, 512)},
    "named": {
        "char-rnn": (50, 50, 128, 128),
        "torch-rnn": (50, 50, 512, 512),
        "ptb-small": (20, 20, 200, 200),
        "ptb-medium": (35, 20, 650, 650),
        "fastrnns": (100, 64, 512, 512),
        "deepbench-b1": (150, 1, 256, 256),
        "deepbench-b16": (25, 16, 512, 512),
        "seq-mnist": (784, 64, 1, 130),
        "activity": (128, 64, 9, 32),
        "streaming": (1, 1, 256, 256),
    },
}
"""Shapes by group, each `(T, B, I, H)`."""

STEPS: dict[str, Sizes] = {f"b{batch}-h{units}": (1, batch, units, units) for batch in (1, 4) for units in (64, 128, 256, 512)}
"""Shapes of single steps of a stream."""

SHAPES: dict[str, Sizes] = {name: sizes for group in GROUPS.values() for name, sizes in group.items()}

REAL_SHARE = 0.55
"""The share of real steps in a ragged batch."""


@dataclass(frozen=True)
class Case:
    """One row of a table. `mode` is `"infer"`, `"train"`, or `"step"` for one step of a stream."""

    cell: str
    shape: str
    steps: int
    batch: int
    inputs: int
    units: int
    mode: str
    lengths: str
    dtype: str

    @property
    def sizes(self) -> str:
        """`T,B,I,H`."""
        return f"{self.steps},{self.batch},{self.inputs},{self.units}"

    def __str__(self) -> str:
        return f"{self.cell} {self.shape} ({self.sizes}) {self.mode}, {self.lengths}, {self.dtype}"


def find_steps(asked: list[str]) -> dict[str, Sizes]:
    """The single steps that are asked for, all where none is named; `ValueError` for a name that is none of them."""
    names = [] if asked == ["main"] else asked
    if unknown := [name for name in names if name not in STEPS]:
        raise ValueError(f"There is no step {unknown[0]!r}. Choose from {', '.join(STEPS)}.")
    return {name: sizes for name, sizes in STEPS.items() if not names or name in names}


def find_shapes(names: list[str]) -> dict[str, Sizes]:
    """Shapes by name, group, `all`, or as `TxBxIxH`; `ValueError` for anything else."""
    found: dict[str, Sizes] = {}
    for name in names:
        if name == "all":
            found.update(SHAPES)
        elif name in GROUPS:
            found.update(GROUPS[name])
        elif name in SHAPES:
            found[name] = SHAPES[name]
        else:
            found[name] = _read_sizes(name)
    return found


def _read_sizes(text: str) -> Sizes:
    sizes = tuple(int(part) if part.isdecimal() else 0 for part in text.split("x"))
    if len(sizes) != 4 or min(sizes) < 1:
        known = ", ".join(("all", *GROUPS, *SHAPES))
        raise ValueError(f"There is no shape {text!r}. Choose from {known}, or write TxBxIxH, as in 128x32x256x256.")
    return sizes


def make_cases(cells: list[str], shapes: dict[str, Sizes], modes: list[str], lengths: list[str], dtype: str) -> list[Case]:
    """All combinations, but for ragged batches of one sequence or one step (nobody pads them) and training on one step."""
    cases = (
        Case(cell, shape, *sizes, mode, kind, dtype)
        for kind, mode, cell, (shape, sizes) in itertools.product(lengths, modes, cells, shapes.items())
    )
    return [c for c in cases if not (c.lengths == RAGGED and min(c.steps, c.batch) == 1) and not (c.mode == "train" and c.steps == 1)]


def draw_lengths(case: Case, seed: int = 0) -> list[int] | None:
    """A length from 1 to T for each sequence of a ragged batch, the longest being T; None where every step is real."""
    if case.lengths == FULL:
        return None
    drawn = random.Random(seed)
    lengths = [case.steps, *(drawn.randint(1, case.steps) for _ in range(case.batch - 1))]
    wanted = max(round(REAL_SHARE * case.steps * case.batch), case.steps + case.batch - 1)
    while (missing := wanted - sum(lengths)) != 0:
        row, change = drawn.randrange(1, case.batch), 1 if missing > 0 else -1
        lengths[row] = min(max(lengths[row] + change, 1), case.steps)
    return drawn.sample(lengths, len(lengths))
