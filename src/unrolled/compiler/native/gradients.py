"""The C function of a kernel that sums the gradients of its parameters over steps and sequences."""

import sympy as sp

from unrolled.compiler.native.stage import StageWriter
from unrolled.compiler.plan import Gradient, Plan
from unrolled.equations.recurrence import INPUT


def most_operands(plan: Plan) -> int:
    """How many operands can meet one flow at most; 1 where there are no products, since C has no empty arrays."""
    return len({g.operand for g in plan.adjoint.gradients if g.operand is not None}) or 1


def write_gradients(plan: Plan, writer: StageWriter, without: tuple[str, ...]) -> str:
    """Gradients of matrices, together as far as none adds to another, then those of vectors; none for the parameters in `without`."""
    return _Gradients(plan, writer).text([g for g in plan.adjoint.gradients if g.parameter not in without])


class _Gradients:
    def __init__(self, plan: Plan, writer: StageWriter) -> None:
        self.recurrence, self.writer = plan.recurrence, writer

    def text(self, wanted: list[Gradient]) -> str:
        """The whole function."""
        seen: set[str] = set()
        lines: list[str] = []
        for is_matrix in (True, False):
            for some in _without_repetition([g for g in wanted if (g.operand is not None) == is_matrix]):
                again = bool(seen & {g.parameter for g in some})
                # Another thread may have written what is now added to.
                lines += ["    wait_for_all(&team->barrier, parts);"] if again else []
                lines += self._outer(some, again=again) if is_matrix else self._sums(some, again=again)
                seen |= {g.parameter for g in some}
        head = ["/* Gradients of the parameters, summed over steps and sequences. */"]
        head += ["static void gradients(const Run *run, Team *team, long part, long parts)", "{"]
        return "\n".join(
            [*head, "    const Call *call = run->call;", "    SIZES", "    (void)team, (void)part, (void)parts;", *lines, "}", ""]
        )

    def _out(self, gradient: Gradient) -> str:
        return f"call->d_parameter[PARAMETER_{self.writer.names(gradient.parameter)}]"

    def _sums(self, gradients: list[Gradient], *, again: bool) -> list[str]:
        units = lambda g: self.writer.size(self.recurrence.parameter(g.parameter).rows)  # noqa: E731
        return [
            f"    sum_rows({self._out(g)}, call->tape + {self.writer.column(g.delta)}, run->stride, {units(g)}, run->slots, {int(again)}, part, parts);"
            for g in gradients
        ]

    def _outer(self, gradients: list[Gradient], *, again: bool) -> list[str]:
        operands = list(dict.fromkeys(g.operand for g in gradients if g.operand is not None))
        inputs = {g.operand: self.writer.size(self.recurrence.parameter(g.parameter).columns) for g in gradients}
        places = [self._operand(operand, number) for number, operand in enumerate(operands)]
        listed = ", ".join(f"{{{rows}, {inputs[operand]}}}" for (_, rows), operand in zip(places, operands, strict=True))
        lines = [line for made, _ in places for line in made]
        lines += [f"const Operand operands[] = {{{listed}}};", "const Flow flows[] = {"]
        flows = dict.fromkeys(g.delta for g in gradients)
        for delta in flows:
            met = {g.operand: g for g in gradients if g.delta == delta}
            units = self.writer.size(self.recurrence.parameter(next(iter(met.values())).parameter).rows)
            outs = ", ".join(self._out(met[o]) if o in met else "NULL" for o in operands)
            lines.append(f"    {{{self.writer.column(delta)}, {units}, {{{outs}}}}},")
        counts = f"flows, {len(flows)}, operands, {len(operands)}"
        lines += ["};", f"outer_products({counts}, call->tape, run->stride, run->slots, {int(again)}, part, parts);"]
        if INPUT in operands:
            where = f"flows, {len(flows)}, {operands.index(INPUT)}, call->tape, run->stride, run->id, {inputs[INPUT]}, run->slots"
            lines += ["if (call->ids)", f"    add_to_columns({where}, part, parts);"]
        lines += [f"free({rows});" for made, rows in places if made]
        return ["    {", *(f"        {line}" for line in lines), "    }"]

    def _operand(self, operand: sp.Symbol, number: int) -> tuple[list[str], str]:
        """What makes pointers to the rows of an operand where there are none yet, and what they are called."""
        if operand == INPUT:
            return [], "call->ids ? NULL : run->x"
        if operand in self.writer.before:
            return [], f"run->before[{self.writer.before[operand]}]"
        name = f"operand_{number}"
        place = f"call->tape + {self.writer.column(operand)}, run->stride"
        if operand in self.writer.vectors:
            place = f"{self.writer.parameter(str(operand))}, 0"
        return [f"const real **{name} = malloc((size_t)run->slots * sizeof *{name});", f"point({name}, {place}, run->slots);"], name


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
