"""One C function for each phase of a kernel."""

import re

import sympy as sp

from unrolled.compiler.native.areas import along
from unrolled.compiler.native.expressions import to_c
from unrolled.compiler.native.groups import ProductGroup, group_products
from unrolled.compiler.native.names import Names
from unrolled.compiler.native.phases import Phase, Sizes, Tape, Term
from unrolled.compiler.native.places import Places
from unrolled.compiler.native.titles import title
from unrolled.compiler.native.writing import enum
from unrolled.compiler.plan import Assignment, Plan
from unrolled.equations.recurrence import INPUT, OverUnits

_OVER_UNITS: dict[str, str] = {OverUnits.MEAN: "means", OverUnits.SUM: "sums", OverUnits.LARGEST: "largest"}
"""The functions of tiles.h that take one number of all units."""


class StageWriter:
    """Writes phases one after the other; `groups` collects the panels that they read, `stored` what they left on the tape."""

    def __init__(self, plan: Plan, sizes: Sizes, tape: Tape, names: Names, row_vectors: tuple[str, ...]) -> None:
        self.sizes, self.tape, self.names, self.recurrence = sizes, tape, names, plan.recurrence
        self.places, self.panels = Places(plan, sizes, names, row_vectors), Names()
        self.groups: list[ProductGroup] = []
        self.stored: set[sp.Symbol] = set()

    def write(self, phase: Phase, count: int) -> str:
        """The function of one phase, which is one of `count` of its kind."""
        body = "\n".join(_Stage(self, phase).body())
        self.stored |= set(phase.defined)
        head = [
            title(phase, count),
            f"static void {phase.name}(const Run *run, const Span *span)",
            "{",
            "    const Call *call = run->call;",
        ]
        for label in self.sizes.labels:
            if _mentions(body, size := self.places.size(label)):
                head.append(f"    const long {size} = call->size[SIZE_{size}];")
        if _mentions(body, "tape"):
            head += ["    const long rows = span->rows, stride = run->stride;", "    real *const tape = call->tape + span->home * stride;"]
        else:
            head.append("    const long rows = span->rows;")
        return "\n".join([*head, body, "}", ""])


class _Stage:
    def __init__(self, writer: StageWriter, phase: Phase) -> None:
        self.w, self.phase, self.names, self.places = writer, phase, writer.names, writer.places
        self.means: dict[Term, str] = {}
        self.along: dict[Term, str] = {}
        self.pointers: dict[sp.Symbol, str] = {}
        self.head: list[str] = []

    def body(self) -> list[str]:
        """Pointers to rows and means first, then a loop over blocks of units for each size."""
        labels = [self.w.sizes.of(s) for s in self.phase.defined]
        labels += [self.w.recurrence.size_of(s) for s, _ in self.phase.leaving]
        labels += ["x"] if self.phase.into_input is not None else []
        self._take_means()
        self._read_areas()
        blocks = [line for label in dict.fromkeys(labels) for line in self._block(label)]
        return [*(["    if (!call->d_x)", "        return;"] if self.only_input else []), *self.head, *blocks]

    @property
    def only_input(self) -> bool:
        """Whether nothing comes of the phase but the adjoint of the input."""
        return self.phase.into_input is not None and not any(map(self._is_left, self.phase.defined))

    def _take_means(self) -> None:
        terms = dict.fromkeys(t for _, ts in self.phase.products for t in ts if isinstance(t[0], OverUnits))
        for term in terms:
            name, size = self.names(f"{_OVER_UNITS[term[0]]} of {term[1]}"), self.places.units(term[1])
            self.means[term] = name
            rows = self._pointers(term[1])
            self.head.append(f"    real {name}[MOST_ROWS];\n    row_{_OVER_UNITS[term[0]]}({name}, {rows}, rows, {size});")

    def _read_areas(self) -> None:
        """How entries are read along the rows or columns of matrices, as calls of areas.h that still need a row and a unit."""
        recurrence, size = self.w.recurrence, self.places.size
        for matrix, operand in dict.fromkeys(t for _, ts in self.phase.products for t in ts):
            if made := along(recurrence, matrix):
                parameter = recurrence.parameter(matrix)
                ends = (parameter.rows, parameter.columns)
                area, vector = ends if made.role in ("repeat", "tile") else ends[::-1]
                sizes = f"{size(area)}, {size(vector)}, {made.heads}"
                role = made.transposed.role if self.phase.transposed else made.role
                self.along[matrix, operand] = f"{role}(({self._pointers(operand)})[row], at, {sizes})"

    def _pointers(self, operand: sp.Symbol) -> str:
        """An array of pointers to the rows of an operand."""
        if rows := self.places.by_slot(operand):
            return f"{rows} + span->slot"
        if operand not in self.pointers:
            name = self.pointers[operand] = f"{self.names(operand)}_rows"
            is_vector = operand in self.places.vectors
            place = (self.places.parameter(str(operand)), "0") if is_vector else (f"tape + {self.places.column(operand)}", "stride")
            self.head.append(f"    const real *{name}[MOST_ROWS];\n    point({name}, {place[0]}, {place[1]}, rows);")
        return self.pointers[operand]

    def _block(self, label: str) -> list[str]:
        """All values of one size: block after block of units where there are products, row after row where there are none."""
        groups = group_products(self.phase, label, self.w.sizes, self.w.panels)
        self.w.groups += groups
        inside = self._point_by_point(label, groups)
        units = self.places.size(label)
        lines: list[str] = []
        if not groups:
            lines += [
                "        for (long row = 0; row < rows; row++)",
                f"            FOR_BLOCKS({units}, 1, span->part, span->parts)",
                "            {",
            ]
            lines += ["                const long at = first;", *(f"                {line}" for line in inside)]
            return ["    {", *lines, "            }", "    }"]
        for group in groups:
            lines += self._sums(group)
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

    def _sums(self, group: ProductGroup) -> list[str]:
        """The array of the sums, what lies where in it, and the matrices of products that lie side by side."""
        wide = f" * {group.wide}" if group.wide > 1 else ""
        gates = f" * GATES_{group.name}" if group.gates > 1 else ""
        entries = [self.places.entry("GATE", s) for s in group.symbols]
        lines = [f"        {enum(*entries, f'GATES_{group.name}')}"] if gates else []
        lines.append(f"        vec {group.sums}[MOST_ROWS{gates}{wide}];")
        if group.transposed:
            return lines
        depth, matrices = self.places.columns(group.terms[0][0]), ", ".join(self.places.parameter(m) for m, _ in group.terms)
        sizes = f"{f'GATES_{group.name}' if gates else 1}, {self.places.size(group.label)}, {depth}"
        return [*lines, f"        const Maps {group.maps} = {{{group.panel}, {sizes}, {{{matrices}}}}};"]

    def _multiply(self, group: ProductGroup) -> list[str]:
        if group.transposed:
            columns = ", ".join(self.places.column(delta) for _, delta in group.terms)
            depths = ", ".join(self.places.rows(matrix) for matrix, _ in group.terms)
            flows = f"{len(group.terms)}, (const long[]){{{columns}}}"
            depths = f"(const long[]){{{depths}}}"
            return [f"            tape_times_panel(vectors, {group.sums}, tape, stride, rows, {flows}, {depths}, {group.panel}, first);"]
        operand = group.terms[0][1]
        product = f"rows_times_maps({group.sums}, {self._pointers(operand)}, rows, &{group.maps}, first, vectors);"
        if operand != INPUT:
            return [f"            {product}"]
        return [
            "            if (call->ids)",
            f"                numbers_times_maps({group.sums}, run->id + span->slot, rows, &{group.maps}, first, vectors);",
            "            else",
            f"                {product}",
        ]

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
        states = [rows for s in read if (rows := self.places.by_slot(s)).startswith("run->before")]
        lines = [f"fetch_rows({rows} + span->slot, rows, first, vectors);" for rows in states]
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
        lines += [f"const vec {self.names(f'leaving {s}')} = {to_c(e, self.names)};" for s, e in leaving]
        lines += [f"store({self.places.adjoint(s)}, {self.names(f'leaving {s}')});" for s, _ in leaving]
        if into_input is not None:
            place = "call->d_x + run->place[span->slot + row] * inputs + at"
            write = f"store_some({place}, {to_c(into_input, self.names)}, inputs - at);"
            lines += [write] if self.only_input else ["if (call->d_x)", f"    {write}"]
        return lines

    def _is_left(self, symbol: sp.Symbol) -> bool:
        """Whether a value is left on the tape, here for the first time."""
        return symbol in self.w.tape.column and symbol not in self.w.stored

    def _product(self, symbol: sp.Symbol, groups: list[ProductGroup]) -> str:
        """A product's value out of the sums and means; empty for what is no product."""
        terms = next((ts for s, ts in self.phase.products if s == symbol), ())
        parts = [f"splat({self.means[t]}[row])" for t in terms if t in self.means]
        parts += [self.along[t] for t in terms if t in self.along]
        for group in groups:
            if symbol in group.symbols:
                alone = f"{group.sums}[row * vectors + vector]"
                parts.append(f"SUM({group.name}, {self.names(symbol)})" if group.gates > 1 else alone)
        return " + ".join(parts)

    def _load(self, symbol: sp.Symbol, place: str) -> str:
        if symbol == INPUT or symbol in self.places.vectors:
            # What the caller gives is not padded to whole vectors.
            return f"load_some({place}, {self.places.units(symbol)} - at)"
        return f"load({place})"

    def _place(self, symbol: sp.Symbol) -> str:
        """Where a vector of a value that is not computed here lies."""
        if rows := self.places.by_slot(symbol):
            return f"{rows}[span->slot + row] + at"
        if symbol in self.places.arriving and self.phase.name.startswith("backward"):
            return self.places.adjoint(self.places.arriving[symbol])
        if symbol in self.places.vectors:
            return f"{self.places.parameter(str(symbol))} + at"
        return self._tape(symbol)

    def _tape(self, symbol: sp.Symbol) -> str:
        """Where a vector of a value lies on the tape."""
        return f"tape + row * stride + {self._column(symbol)} + at"

    def _column(self, symbol: sp.Symbol) -> str:
        """Where its column begins, as a variable of the function."""
        name = self.names(f"at {symbol}")
        line = f"    const long {name} = {self.places.column(symbol)};"
        if line not in self.head:
            self.head.append(line)
        return name


def _mentions(text: str, name: str) -> bool:
    return bool(re.search(rf"\b{name}\b", text))
