"""The C source of a kernel, and what its caller must know of it."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from unrolled.compiler.native.constants import with_constants_in_place
from unrolled.compiler.native.gradients import most_operands, write_gradients
from unrolled.compiler.native.names import Names, defined_names
from unrolled.compiler.native.phases import Phase, Sizes, lay_tape, make_phases
from unrolled.compiler.native.stage import MOST_GATES, ProductGroup, StageWriter
from unrolled.compiler.plan import Plan
from unrolled.equations.recurrence import INPUT, MEAN, now

_GROUND = ("vectors.h", "functions.h", "memory.h", "threads.h", "products.h")
"""Parts that are the same for all kernels and know nothing of any: what follows them is made for one, its tables and tiles."""

_BATCH = ("sequences.h", "panels.h", "dots.h", "tiles.h", "gradients.h")
"""Parts that need the tables: what the stages call."""

_PASSES = ("passes.h",)
"""Parts that call the stages."""

_USE = "    const Call *call = run->call;\n    SIZES"
_PACK = f"static void pack_{{}}(Run *run, long part, long parts)\n{{{{\n{_USE}\n    (void)part, (void)parts;"

WIDTH = 120
"""The longest line of generated text."""


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
        self.parameters = tuple(p.name for p in self.recurrence.parameters if p.name not in row_vectors)
        plain = [*(now(e.name) for e in self.recurrence.equations), *(p.name for p in self.recurrence.parameters)]
        self.names = Names(plain, defined_names(_runtime((*_GROUND, *_BATCH, *_PASSES))), one_size=len(self.sizes.labels) == 2)
        self.writer = StageWriter(plan, self.sizes, self.tape, self.names, row_vectors)
        self.stages = [self.writer.write(phase, _title(phase)) for phase in self.phases.all]

    def kernel(self) -> Kernel:
        """All parts, in the order in which C needs them."""
        text = _wrapped(
            "\n".join([*self.stages, self._stage_lists(), self._packing(), write_gradients(self.plan, self.writer, self.row_vectors)])
        )
        parts = [_runtime(_GROUND), self._undefined(), self._counts(), self._tiles(), _runtime(_BATCH), text, _runtime(_PASSES)]
        return Kernel(
            f"{self._counts()}\n{text}",
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

    def _counts(self) -> str:
        """How many there are of what, and which comes where."""
        states = self.recurrence.states
        counts = {
            "LABELS": len(self.sizes.labels),
            "PARAMETERS": len(self.parameters),
            "STATES": len(states),
            "ROW_VECTORS": len(self.row_vectors),
        }
        counts |= {
            "MOST_GATES": MOST_GATES,
            "COLUMNS": len(self.tape.labels),
            "PANELS": len(self.writer.groups),
            "OPERANDS": most_operands(self.plan),
        }
        lines = [f"#define {name} {count}" for name, count in counts.items()]
        lines += ["#define COLUMNS_ALL COLUMNS", f"#define COLUMNS_FORWARD {self.tape.forward}"]
        sizes = [self.names.of_size(label) for label in self.sizes.labels]
        lines.append(_enum(f"SIZE_{size}" for size in sizes))
        # Every function begins with all sizes, whether it needs each of them or not.
        lines.append(
            f"#define SIZES const long {', '.join(f'{s} = call->size[SIZE_{s}]' for s in sizes)}; {' '.join(f'(void){s};' for s in sizes)}"
        )
        lines.append(_enum(f"PARAMETER_{self.names(p)}" for p in self.parameters))
        lines.append(_enum(f"AT_{self.names(s)} = {c}" for s, c in self.tape.column.items()))
        size = lambda labels: [f"SIZE_{self.names.of_size(label)}" for label in labels]  # noqa: E731
        lines += [
            _table("column_size", size(self.tape.labels)),
            _table("state_size", size(self.recurrence.size_of(s) for s in states)),
            _table("row_vector_size", size(self.recurrence.parameter(r).rows for r in self.row_vectors)),
            _table("state_column", [f"AT_{self.names(now(s))}" for s in states]),
            _table("arriving_column", [str(self.tape.column.get(s, -1)) for _, s in self.plan.adjoint.arriving]),
        ]
        return _wrapped("\n".join(line for line in lines if line)) + "\n"

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

    def _packing(self) -> str:
        """The memory of all panels, and how they are filled."""
        passes: dict[bool, list[ProductGroup]] = {True: [], False: []}
        for group in self.writer.groups:
            passes[group.transposed].append(group)
        return "\n".join([self._pack_forward(passes[False]), self._pack_backward(passes[True])])

    def _pack_forward(self, groups: list[ProductGroup]) -> str:
        """Matrices whose panels may be kept from call to call; not those in which numbers are looked up, which can be large and little read."""
        rooms, allocate, fill = [], [], []
        for group in groups:
            depth, units = self.writer.size(self.sizes.depth(group.terms[0], transposed=False)), self.writer.size(group.label)
            sizes, read = f"{group.gates}, {units}, {depth}", group.terms[0][1] == INPUT
            # Where few weights are read again, packing all would be more work than reading them as they lie.
            wanted = f"worth_packing(run, {int(group.many_steps)})"
            wanted = f"call->ids ? {depth} <= 4 * run->slots : {wanted}" if read else wanted
            rooms.append(f"    room += {'call->ids ? 0 : ' if read else ''}panel_room({sizes});")
            allocate.append(f"    lay_panel(run, {group.panel}, {wanted}, {'call->ids ? &none : ' if read else ''}&kept, {sizes});")
            panel, call = f"run->panel[{group.panel}]", f"{self._matrices(group)}, {sizes}, {group.wide}, part, parts"
            fill.append(f"    if ({panel})\n        pack({panel}, run->seen[{group.panel}], {call});")
        measure = ["static size_t forward_room(const Call *call)\n{\n    SIZES\n    size_t room = 0;", *rooms, "    return room;\n}\n"]
        head = (
            f"static void allocate_forward(Run *run)\n{{\n{_USE}\n    char *kept = call->kept, *none = NULL;\n    (void)kept, (void)none;"
        )
        return "\n".join([*measure, head, *allocate, "}\n", _PACK.format("forward"), *fill, "}\n"])

    def _pack_backward(self, groups: list[ProductGroup]) -> str:
        allocate, fill = [], []
        for group in groups:
            depths = [self.writer.size(self.sizes.depth(term, transposed=True)) for term in group.terms]
            units, total, panel = self.writer.size(group.label), f"({' + '.join(depths)})", f"run->panel[{group.panel}]"
            allocate.append(f"    {panel} = reserve(&run->memory, (size_t)(PADDED({units}) * {total}) * sizeof(weight));")
            rows = f"(const long[]){{{', '.join(depths)}}}, {len(depths)}"
            fill.append(f"    pack_transposed({panel}, {self._matrices(group)}, {rows}, {units}, {total}, {group.wide}, part, parts);")
        head = f"static void allocate_backward(Run *run)\n{{\n{_USE}"
        return "\n".join([head, *allocate, "}\n", _PACK.format("backward"), *fill, "}\n"])

    def _matrices(self, group: ProductGroup) -> str:
        return f"(const real *[]){{{', '.join(self.writer.parameter(m) for m, _ in group.terms)}}}"


def _title(phase: Phase) -> str:
    kind, number = phase.name.rsplit("_", 1)
    when = {
        "prologue": "Before the loop, for many steps at once",
        "forward": "Every step",
        "backward": "Back through every step",
        "epilogue": "After the loop, for many steps at once",
    }[kind]
    products = [
        " + ".join(f"mean of {o}" if m == MEAN else f"{m}{'^T' if phase.transposed else ''} @ {o}" for m, o in terms)
        for _, terms in phase.products
    ]
    then = [str(a.symbol) for a in phase.assignments]
    parts = [", ".join(part) for part in (products, then) if part]
    return f"{when}, stage {number}: {'; then '.join(parts) or 'what leaves'}."


def _wrapped(text: str) -> str:
    """No line longer than `WIDTH`, where it can be broken: after a comma, or else at a blank."""
    lines = []
    for line in text.split("\n"):
        rest = line
        indent = " " * (len(line) - len(line.lstrip()) + (3 if line.startswith("/*") else 4))
        mark = " \\" if line.startswith("#define") else ""
        while len(rest) > WIDTH and (
            cut := max(rest.rfind(", ", len(indent) + 20, WIDTH) + 1 or rest.rfind(" ", len(indent) + 20, WIDTH), 0)
        ):
            lines.append(rest[:cut] + mark)
            rest = indent + rest[cut + 1 :]
        lines.append(rest)
    return "\n".join(lines)


def _enum(items: Iterable[str]) -> str:
    text = ", ".join(items)
    return f"enum {{ {text} }};" if text else ""


def _table(name: str, items: list[str]) -> str:
    return f"static const int {name}[] = {{{', '.join(items) or '0'}}};"


def _runtime(names: Iterable[str]) -> str:
    folder = files("unrolled.compiler.native").joinpath("runtime")
    return "\n".join(folder.joinpath(name).read_text(encoding="utf-8") for name in names)
