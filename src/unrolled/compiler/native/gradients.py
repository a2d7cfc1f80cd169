"""The C function of a kernel that sums the gradients of its parameters over steps and sequences."""

import sympy as sp

from unrolled.compiler.native.places import Places
from unrolled.compiler.plan import Gradient, Plan
from unrolled.equations.recurrence import INPUT


def most_operands(plan: Plan) -> int:
    """How many operands can meet one flow at most; 1 where there are no products, since C has no empty arrays."""
    return len({g.operand for g in plan.adjoint.gradients if g.operand is not None}) or 1


def write_gradients(plan: Plan, places: Places, without: tuple[str, ...]) -> str:
    """Gradients of matrices, together as far as none adds to another, then those of vectors; none for the parameters in `without`."""
    return _Gradients(plan, places, without).text()


class _Gradients:
    def __init__(self, plan: Plan, places: Places, without: tuple[str, ...]) -> None:
        self.places = places
        wanted = [g for g in plan.adjoint.gradients if g.parameter not in without]
        self.outer, self.sums = (_without_repetition([g for g in wanted if (g.operand is not None) == matrix]) for matrix in (True, False))

    def text(self) -> str:
        """The memory that is needed, and the function that does it."""
        seen: set[str] = set()
        lines: list[str] = []
        for groups, write in ((self.outer, self._outer), (self.sums, self._sums)):
            for some in groups:
                again = bool(seen & {g.parameter for g in some})
                # Another thread may have written what is now added to.
                lines += ["    wait_for_all(&team->barrier, parts);"] if again else []
                lines += write(some, again=again)
                seen |= {g.parameter for g in some}
        use = ["    const Call *call = run->call;", "    SIZES"]
        head = ["/* Gradients of the parameters, summed over steps and sequences. */"]
        head += [
            "static void gradients(const Run *run, Team *team, long part, long parts)",
            "{",
            *use,
            "    (void)team, (void)part, (void)parts;",
        ]
        room = ["/* The numbers that a thread needs room for to sum gradients. */", "static long gradient_room(const Run *run)", "{", *use]
        return "\n".join([*room, "    long most = 0;", *map(self._room, self.outer), "    return most;", "}\n", *head, *lines, "}\n"])

    def _room(self, gradients: list[Gradient]) -> str:
        padded = [f"(call->ids ? 0 : PADDED({n}))" if o == INPUT else f"PADDED({n})" for o, n in self._inputs(gradients).items()]
        return f"    most = MOST(most, outer_room({' + '.join(padded)}));"

    def _inputs(self, gradients: list[Gradient]) -> dict[sp.Symbol, str]:
        """The operands and how many inputs they have."""
        return {g.operand: self.places.columns(g.parameter) for g in gradients if g.operand is not None}

    def _out(self, gradient: Gradient) -> str:
        return f"call->d_parameter[{self.places.entry('PARAMETER', gradient.parameter)}]"

    def _sums(self, gradients: list[Gradient], *, again: bool) -> list[str]:
        add = "ADD" if again else "FRESH"
        places = [(self._out(g), self.places.column(g.delta), self.places.rows(g.parameter)) for g in gradients]
        return [f"    sum_rows(run, {out}, {column}, {units}, {add}, part, parts);" for out, column, units in places]

    def _outer(self, gradients: list[Gradient], *, again: bool) -> list[str]:
        operands = self._inputs(gradients)
        lines = ["const Operand operands[] = {", *(f"    {{{self._rows(o)}, .inputs = {n}}}," for o, n in operands.items()), "};"]
        lines.append("const Flow flows[] = {")
        flows = dict.fromkeys(g.delta for g in gradients)
        for delta in flows:
            met = {g.operand: g for g in gradients if g.delta == delta}
            units = self.places.rows(next(iter(met.values())).parameter)
            outs = ", ".join(self._out(met[o]) if o in met else "NULL" for o in operands)
            lines.append(f"    {{{self.places.column(delta)}, {units}, {{{outs}}}}},")
        lines += ["};", f"outer_products(run, flows, COUNT(flows), operands, COUNT(operands), {'ADD' if again else 'FRESH'}, part, parts);"]
        if INPUT in operands:
            number = list(operands).index(INPUT)
            lines += ["if (call->ids)", f"    add_to_columns(run, flows, COUNT(flows), {number}, {operands[INPUT]}, part, parts);"]
        return ["    {", *(f"        {line}" for line in lines), "    }"]

    def _rows(self, operand: sp.Symbol) -> str:
        """Where the rows of an operand lie."""
        if operand == INPUT:
            return ".rows = call->ids ? NULL : run->x"
        if rows := self.places.by_slot(operand):
            return f".rows = {rows}"
        if operand in self.places.vectors:
            return f".first = {self.places.parameter(str(operand))}"
        return f".first = call->tape + {self.places.column(operand)}, .stride = run->stride"


def _without_repetition(gradients: list[Gradient]) -> list[list[Gradient]]:
    """Groups in which no parameter comes twice, and no two gradients are of the same flow and operand."""
    groups: list[list[Gradient]] = []
    for gradient in gradients:
        for group in groups:
            if all(gradient.parameter != g.parameter and (gradient.delta, gradient.operand) != (g.delta, g.operand) for g in group):
                group.append(gradient)
                break
        else:
            groups.append([gradient])
    return groups
