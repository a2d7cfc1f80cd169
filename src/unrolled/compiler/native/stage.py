"""One C function for each phase of a kernel."""

import re
from collections.abc import Iterable
from dataclasses import dataclass

import sympy as sp

from unrolled.compiler.native.expressions import to_c
from unrolled.compiler.native.names import Names
from unrolled.compiler.native.phases import Phase, Sizes, Tape, Term
from unrolled.compiler.plan import Assignment, Plan
from unrolled.equations.recurrence import INPUT, MEAN, before

MOST_GATES = 6
"""Products that read one operand and are computed side by side in a tile; sums of more would not fit into registers."""


@dataclass(frozen=True)
class ProductGroup:
    """Products computed from one packed panel.

    They lie side by side where they read one operand, and are added up (`symbols` has one value) where they flow back through several
    matrices. `panel` is the panel's number, `label` the size of the values, `wide` the vectors of units in a block; `many_steps` says that
    they do not wait for the step before.
    """

    panel: int
    symbols: tuple[sp.Symbol, ...]
    terms: tuple[Term, ...]
    label: str
    transposed: bool
    wide: int
    many_steps: bool

    @property
    def gates(self) -> int:
        """The values that lie side by side."""
        return len(self.symbols)


class StageWriter:
    """Writes phases one after the other; `groups` collects the panels that they read, `stored` what they left on the tape."""

    def __init__(self, plan: Plan, sizes: Sizes, tape: Tape, names: Names, row_vectors: tuple[str, ...]) -> None:
        self.sizes, self.tape, self.names, self.recurrence = sizes, tape, names, plan.recurrence
        self.row_vectors = {sp.Symbol(r): i for i, r in enumerate(row_vectors)}
        self.vectors = {sp.Symbol(p.name) for p in plan.recurrence.parameters if not p.is_matrix} - self.row_vectors.keys()
        self.before = {before(s): i for i, s in enumerate(plan.recurrence.states)}
        self.arriving = {symbol: i for i, (_, symbol) in enumerate(plan.adjoint.arriving)}
        self.state = {s: i for i, s in enumerate(plan.recurrence.states)}
        self.groups: list[ProductGroup] = []
        self.stored: set[sp.Symbol] = set()

    def size(self, label: str) -> str:
        """A size, as functions call it."""
        return self.names.of_size(label)

    def parameter(self, name: str) -> str:
        """A parameter in a call."""
        return f"call->parameter[PARAMETER_{self.names(name)}]"

    def column(self, symbol: sp.Symbol) -> str:
        """Where a value's column begins."""
        return f"run->column[AT_{self.names(symbol)}]"

    def write(self, phase: Phase, title: str) -> str:
        """The function of one phase."""
        body = "\n".join(_Stage(self, phase).body())
        self.stored |= set(phase.defined)
        head = [f"/* {title} */", f"static void {phase.name}(const Run *run, const Span *span)", "{", "    const Call *call = run->call;"]
        for label in self.sizes.labels:
            if _mentions(body, size := self.size(label)):
                head.append(f"    const long {size} = call->size[SIZE_{size}];")
        if _mentions(body, "tape"):
            head += ["    const long rows = span->rows, stride = run->stride;", "    real *const tape = call->tape + span->home * stride;"]
        else:
            head.append("    const long rows = span->rows;")
        return "\n".join([*head, body, "}", ""])


class _Stage:
    def __init__(self, writer: StageWriter, phase: Phase) -> None:
        self.w, self.phase, self.names = writer, phase, writer.names
        self.means: dict[Term, str] = {}
        self.pointers: dict[sp.Symbol, str] = {}
        self.head: list[str] = []

    def body(self) -> list[str]:
        """Pointers to rows and means first, then a loop over blocks of units for each size."""
        labels = [self.w.sizes.of(s) for s in self.phase.defined]
        labels += [self.w.recurrence.size_of(s) for s, _ in self.phase.leaving]
        labels += ["x"] if self.phase.into_input is not None else []
        self._take_means()
        blocks = [line for label in dict.fromkeys(labels) for line in self._block(label)]
        only_input = self.phase.into_input is not None and not any(map(self._is_left, self.phase.defined))
        return [*(["    if (!call->d_x)", "        return;"] if only_input else []), *self.head, *blocks]

    def _take_means(self) -> None:
        terms = dict.fromkeys(t for _, ts in self.phase.products for t in ts if t[0] == MEAN)
        for number, term in enumerate(terms, 1):
            name = self.means[term] = f"mean_{number}"
            size = self.w.size(self.w.sizes.of(term[1]))
            rows = self._pointers(term[1])
            self.head.append(f"    real {name}[MOST_ROWS];\n    row_means({name}, {rows}, rows, {size});")

    def _pointers(self, operand: sp.Symbol) -> str:
        """An array of pointers to the rows of an operand."""
        if operand == INPUT:
            return "run->x + span->slot"
        if operand in self.w.before:
            return f"run->before[{self.w.before[operand]}] + span->slot"
        if operand in self.w.row_vectors:
            return f"run->row_vector[{self.w.row_vectors[operand]}] + span->slot"
        if operand not in self.pointers:
            name = self.pointers[operand] = f"{self.names(operand)}_rows"
            place = (self.w.parameter(str(operand)), "0") if operand in self.w.vectors else (f"tape + {self.w.column(operand)}", "stride")
            self.head.append(f"    const real *{name}[MOST_ROWS];\n    point({name}, {place[0]}, {place[1]}, rows);")
        return self.pointers[operand]

    def _groups(self, label: str) -> list[ProductGroup]:
        """The products whose values have this size, as panels."""
        mine = [
            (s, ts) for s, terms in self.phase.products if (ts := tuple(t for t in terms if t[0] != MEAN)) and self.w.sizes.of(s) == label
        ]
        if self.phase.transposed:
            sets = [((symbol,), terms) for symbol, terms in mine]
        else:
            by_operand: dict[sp.Symbol, list[tuple[sp.Symbol, Term]]] = {}
            for symbol, (term,) in mine:
                by_operand.setdefault(term[1], []).append((symbol, term))
            sets = [(tuple(s for s, _ in part), tuple(t for _, t in part)) for many in by_operand.values() for part in _parts(many)]
        wide = max(1, 4 // max((len(symbols) for symbols, _ in sets), default=4))
        start, transposed, many_steps = len(self.w.groups), self.phase.transposed, self.phase.name.startswith(("prologue", "epilogue"))
        return [ProductGroup(start + i, symbols, terms, label, transposed, wide, many_steps) for i, (symbols, terms) in enumerate(sets)]

    def _block(self, label: str) -> list[str]:
        """All values of one size: block after block of units where there are products, row after row where there are none."""
        groups = self._groups(label)
        self.w.groups += groups
        inside = self._point_by_point(label, groups)
        units = self.w.size(label)
        lines: list[str] = []
        if not groups:
            lines += [
                "        for (long row = 0; row < rows; row++)",
                f"            FOR_BLOCKS({units}, 1, span->part, span->parts)",
                "            {",
            ]
            lines += ["                const long at = first;", *(f"                {line}" for line in inside)]
            return ["    {", *lines, "            }", "    }"]
        lines += [f"        vec sums_{g.panel}[MOST_ROWS * {g.gates * g.wide}];" for g in groups]
        lines += [self._maps(g) for g in groups if not g.transposed]
        lines += [f"        FOR_BLOCKS({units}, {groups[0].wide}, span->part, span->parts)", "        {"]
        # The products take long enough to bring what the rest will touch into the first cache.
        lines += [f"            {line}" for line in self._fetch(label)]
        for group in groups:
            lines += self._multiply(group)
        lines += [
            "            for (long row = 0; row < rows; row++)",
            "                for (long vector = 0; vector < vectors; vector++) {",
        ]
        lines += [f"                    {line}" for line in ("const long at = first + vector * LANES;", *inside)]
        return ["    {", *lines, "                }", "        }", "    }"]

    def _multiply(self, group: ProductGroup) -> list[str]:
        sums, panel = f"sums_{group.panel}", f"run->panel[{group.panel}]"
        if group.transposed:
            columns = ", ".join(self.w.column(delta) for _, delta in group.terms)
            depths = ", ".join(self.w.size(self.w.recurrence.parameter(matrix).rows) for matrix, _ in group.terms)
            n = len(group.terms)
            return [
                f"            tape_times_panel(vectors, {sums}, tape, stride, rows, {n}, (const long[]){{{columns}}},",
                f"                             (const long[]){{{depths}}}, {panel}, first);",
            ]
        product = f"rows_times_maps({sums}, {self._pointers(group.terms[0][1])}, rows, &maps_{group.panel}, first, vectors);"
        if group.terms[0][1] != INPUT:
            return [f"            {product}"]
        return [
            "            if (call->ids)",
            f"                numbers_times_maps({sums}, run->id + span->slot, rows, &maps_{group.panel}, first, vectors);",
            "            else",
            f"                {product}",
        ]

    def _maps(self, group: ProductGroup) -> str:
        """The matrices of products that lie side by side."""
        depth = self.w.size(self.w.recurrence.parameter(group.terms[0][0]).columns)
        matrices = ", ".join(self.w.parameter(m) for m, _ in group.terms)
        return f"        const Maps maps_{group.panel} = {{run->panel[{group.panel}], {group.gates}, {self.w.size(group.label)}, {depth}, {{{matrices}}}}};"

    def _of(self, label: str) -> tuple[list[sp.Symbol], list[Assignment], list[tuple[str, sp.Expr]], sp.Expr | None, list[sp.Symbol]]:
        """What has this size: the values computed, by what assignments; what leaves, also into the input; and all that these read."""
        mine = [s for s in self.phase.defined if self.w.sizes.of(s) == label]
        assignments = [a for a in self.phase.assignments if a.symbol in mine]
        leaving = [(s, e) for s, e in self.phase.leaving if self.w.recurrence.size_of(s) == label]
        into_input = self.phase.into_input if label == "x" else None
        expressions = [a.expression for a in assignments] + [e for _, e in leaving] + ([] if into_input is None else [into_input])
        return mine, assignments, leaving, into_input, sorted(set().union(*(e.free_symbols for e in expressions)), key=str)

    def _fetch(self, label: str) -> list[str]:
        mine, _, _, _, read = self._of(label)
        columns = {self.w.tape.column[s]: s for s in (*(s for s in read if s not in mine), *mine) if s in self.w.tape.column}
        lines = [f"fetch_rows(run->before[{self.w.before[s]}] + span->slot, rows, first, vectors);" for s in read if s in self.w.before]
        if columns:
            offsets = ", ".join(self._column(s) for s in columns.values())
            lines.append(f"fetch(tape + first, stride, rows, vectors, {len(columns)}, (const long[]){{{offsets}}});")
        return lines

    def _point_by_point(self, label: str, groups: list[ProductGroup]) -> list[str]:
        """What is done for one vector of units of one row: read, compute, leave."""
        mine, assignments, leaving, into_input, read = self._of(label)
        products = {s: line for s in mine if (line := self._product(s, groups)) and (s in read or self._is_left(s))}
        # Everything is read before anything is written, since a value may take another's place.
        loads = {s: self._place(s) for s in read if s not in mine}
        lines = [f"const vec {self.names(s)} = {self._load(s, place)};" for s, place in loads.items()]
        lines += [f"const vec {self.names(s)} = {line};" for s, line in products.items()]
        lines += [f"const vec {self.names(a.symbol)} = {to_c(a.expression, self.names)};" for a in assignments]
        left = {s: self._tape(s) for s in mine if self._is_left(s)}
        lines += [f"store({place}, {self.names(s)});" for s, place in left.items()]
        outs = [(self.w.state[s], to_c(e, self.names)) for s, e in leaving]
        lines += [f"const vec leaving_{i} = {text};" for i, text in outs]
        lines += [f"store({self._arriving(i)}, leaving_{i});" for i, _ in outs]
        if into_input is not None:
            place = "call->d_x + run->place[span->slot + row] * inputs + at"
            lines += ["if (call->d_x)", f"    store_some({place}, {to_c(into_input, self.names)}, inputs - at);"]
        return lines

    def _is_left(self, symbol: sp.Symbol) -> bool:
        """Whether a value is left on the tape, here for the first time."""
        return symbol in self.w.tape.column and symbol not in self.w.stored

    def _product(self, symbol: sp.Symbol, groups: list[ProductGroup]) -> str:
        """A product's value out of the sums and means; empty for what is no product."""
        terms = next((ts for s, ts in self.phase.products if s == symbol), ())
        parts = [f"splat({self.means[t]}[row])" for t in terms if t in self.means]
        for group in groups:
            if symbol in group.symbols:
                parts.append(f"sums_{group.panel}[(row * {group.gates} + {group.symbols.index(symbol)}) * vectors + vector]")
        return " + ".join(parts)

    def _load(self, symbol: sp.Symbol, place: str) -> str:
        if symbol == INPUT or symbol in self.w.vectors:
            # What the caller gives is not padded to whole vectors.
            return f"load_some({place}, {self.w.size(self.w.sizes.of(symbol))} - at)"
        return f"load({place})"

    def _place(self, symbol: sp.Symbol) -> str:
        """Where a vector of a value that is not computed here lies."""
        if symbol == INPUT:
            return "run->x[span->slot + row] + at"
        if symbol in self.w.before:
            return f"run->before[{self.w.before[symbol]}][span->slot + row] + at"
        if symbol in self.w.arriving and self.phase.name.startswith("backward"):
            return self._arriving(self.w.arriving[symbol])
        if symbol in self.w.row_vectors:
            return f"run->row_vector[{self.w.row_vectors[symbol]}][span->slot + row] + at"
        if symbol in self.w.vectors:
            return f"{self.w.parameter(str(symbol))} + at"
        return self._tape(symbol)

    def _arriving(self, state: int) -> str:
        """Where a vector of the adjoint of a state lies."""
        name = list(self.w.state)[state]
        return f"span->arriving[{state}] + row * PADDED({self.w.size(self.w.recurrence.size_of(name))}) + at"

    def _tape(self, symbol: sp.Symbol) -> str:
        """Where a vector of a value lies on the tape."""
        return f"tape + row * stride + {self._column(symbol)} + at"

    def _column(self, symbol: sp.Symbol) -> str:
        """Where its column begins, as a variable of the function."""
        name = self.names(f"at {symbol}")
        line = f"    const long {name} = {self.w.column(symbol)};"
        if line not in self.head:
            self.head.append(line)
        return name


def _mentions(text: str, name: str) -> bool:
    return bool(re.search(rf"\b{name}\b", text))


def _parts(many: list[tuple[sp.Symbol, Term]]) -> Iterable[list[tuple[sp.Symbol, Term]]]:
    """At most `MOST_GATES` at a time, as evenly as it goes."""
    count = -(-len(many) // MOST_GATES)
    return (many[len(many) * i // count : len(many) * (i + 1) // count] for i in range(count))
