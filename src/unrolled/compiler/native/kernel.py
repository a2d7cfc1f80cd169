"""The C source of a kernel, and what its caller must know of it."""

from dataclasses import dataclass
from functools import cache

from unrolled.compiler.native.areas import along
from unrolled.compiler.native.constants import with_constants_in_place
from unrolled.compiler.native.gradients import write_gradients
from unrolled.compiler.native.names import Names, defined_names
from unrolled.compiler.native.packing import write_packing
from unrolled.compiler.native.phases import Sizes, lay_tape, make_phases
from unrolled.compiler.native.stage import StageWriter
from unrolled.compiler.native.tables import write_tables
from unrolled.compiler.native.titles import head
from unrolled.compiler.native.writing import runtime, wrapped
from unrolled.compiler.plan import Plan
from unrolled.equations.recurrence import now

_GROUND = ("vectors.h", "functions.h", "memory.h", "threads.h", "products.h")
"""Parts that are the same for all kernels and know nothing of any: what follows them is made for one, its tables and tiles."""

_BATCH = ("sequences.h", "panels.h", "dots.h", "tiles.h", "areas.h", "gradients.h")
"""Parts that need the tables: what the stages call."""

_PASSES = ("passes.h",)
"""Parts that call the stages."""


@dataclass(frozen=True)
class Kernel:
    """A kernel's source and the order of what is handed to it.

    `text` is what was made for this plan; `source` has the fixed parts around it. `sizes`, `parameters`, `states` and `row_vectors` name
    the entries of the arrays in `Call` (runtime/sequences.h). `columns` has the size label of each column of the tape, of which the
    first `forward_columns` are all that a pass without gradients needs. Parameters that are not in `with_gradient` do not matter to any
    state; nor does the input if not `reaches_input`, and then nothing is written to its adjoint.
    """

    text: str
    source: str
    sizes: tuple[str, ...]
    parameters: tuple[str, ...]
    states: tuple[str, ...]
    row_vectors: tuple[str, ...]
    columns: tuple[str, ...]
    forward_columns: int
    with_gradient: frozenset[str]
    reaches_input: bool


@cache
def make_kernel(plan: Plan, row_vectors: tuple[str, ...] = ()) -> Kernel:
    """The kernel of a plan. The vectors named in `row_vectors` differ from row to row of a batch, and get no gradient."""
    return _Source(with_constants_in_place(plan), row_vectors).kernel()


class _Source:
    def __init__(self, plan: Plan, row_vectors: tuple[str, ...]) -> None:
        self.plan, self.recurrence, self.row_vectors = plan, plan.recurrence, row_vectors
        self.phases = make_phases(plan)
        self.sizes = Sizes(self.recurrence, self.phases)
        self.tape = lay_tape(plan, self.phases, self.sizes)
        stored = (p.name for p in self.recurrence.parameters if p.name not in row_vectors)
        self.parameters = tuple(name for name in stored if along(self.recurrence, name) is None)
        plain = [*(now(e.name) for e in self.recurrence.equations), *(p.name for p in self.recurrence.parameters)]
        self.names = Names(plain, defined_names(runtime((*_GROUND, *_BATCH, *_PASSES))), one_size=len(self.sizes.labels) == 2)
        self.writer = StageWriter(plan, self.sizes, self.tape, self.names, row_vectors)
        kinds = (self.phases.prologue, self.phases.forward, self.phases.backward, self.phases.epilogue)
        self.stages = [self.writer.write(phase, len(kind)) for kind in kinds for phase in kind]

    def kernel(self) -> Kernel:
        """All parts, in the order in which C needs them."""
        tables = write_tables(self.plan, self.writer, self.tape, self.parameters, self.row_vectors)
        packing = write_packing(self.writer.groups, self.writer.places, self.sizes)
        gradients = write_gradients(self.plan, self.writer.places, self.row_vectors)
        text = wrapped("\n".join([*self.stages, self._stage_lists(), packing, gradients]))
        parts = [runtime(_GROUND), self._undefined(), tables, self._tiles(), runtime(_BATCH), text, runtime(_PASSES)]
        return Kernel(
            "\n".join([head(self.plan), tables, text]),
            "\n".join(parts),
            self.sizes.labels,
            self.parameters,
            self.recurrence.states,
            self.row_vectors,
            self.tape.labels,
            self.tape.forward,
            frozenset(g.parameter for g in self.plan.adjoint.gradients),
            self.plan.adjoint.input is not None,
        )

    def _undefined(self) -> str:
        """No name of the cell is a macro, whatever the headers of the system define."""
        return "".join(f"#undef {name}\n" for name in self.names.given)

    def _tiles(self) -> str:
        """Products in the widths that the stages need; in one where there are no products, since C has no empty choice."""
        widths = sorted({g.gates * v for g in self.writer.groups for v in range(1, g.wide + 1)}) or [1]
        cases = "\n".join(
            f"    case {w}:\n        rows_times_panel_{w}(sum, from, rows, first, depth, panel, fresh);\n        break;" for w in widths
        )
        head = (
            "static __attribute__((unused)) void some_times_panel(long columns, vec *sum, const real *const *from, long rows, long first,"
        )
        made = "\n".join(f"ROWS_TIMES_PANEL({w})" for w in widths)
        return f"{made}\n\n{head}\n    long depth, const weight *panel, int fresh)\n{{\n    switch (columns) {{\n{cases}\n    }}\n}}\n"

    def _stage_lists(self) -> str:
        kinds = {
            "prologue": self.phases.prologue,
            "forward": self.phases.forward,
            "backward": self.phases.backward,
            "epilogue": self.phases.epilogue,
        }
        return "".join(
            f"#define {kind.upper()}_STAGES {len(phases)}\nstatic Stage *const {kind}_stages[] = {{{', '.join(p.name for p in phases) or 'NULL'}}};\n"
            for kind, phases in kinds.items()
        )
