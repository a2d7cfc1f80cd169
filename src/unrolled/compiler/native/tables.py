"""The tables of a kernel: how many there are of what, and what lies where."""

from unrolled.compiler.native.gradients import most_operands
from unrolled.compiler.native.groups import MOST_GATES
from unrolled.compiler.native.phases import Tape
from unrolled.compiler.native.stage import StageWriter
from unrolled.compiler.native.writing import enum, table, wrapped
from unrolled.compiler.plan import Plan
from unrolled.equations.recurrence import now


def write_tables(plan: Plan, writer: StageWriter, tape: Tape, parameters: tuple[str, ...], row_vectors: tuple[str, ...]) -> str:
    """The numbers by which the other parts call sizes, parameters, states, masks, panels and columns of the tape."""
    recurrence, places = plan.recurrence, writer.places
    entries = lambda kind, symbols: [places.entry(kind, s) for s in symbols]  # noqa: E731
    states = [now(s) for s in recurrence.states]
    sizes = [places.size(label) for label in writer.sizes.labels]
    of_size = lambda labels: [f"SIZE_{places.size(label)}" for label in labels]  # noqa: E731
    lines = [
        "/* What a call has: its sizes, and what is given to it by number. */",
        enum(*(f"SIZE_{size}" for size in sizes), "LABELS"),
        enum(*entries("PARAMETER", parameters), "PARAMETERS"),
        enum(*entries("STATE", states), "STATES"),
        enum(*entries("ROW_VECTOR", row_vectors), "ROW_VECTORS"),
        table("parameter_size", of_size(recurrence.parameter(p).rows for p in parameters)),
        table("state_size", of_size(recurrence.size_of(s) for s in recurrence.states)),
        table("row_vector_size", of_size(recurrence.parameter(r).rows for r in row_vectors)),
        "/* All sizes, whether a function needs each of them or not. */",
        f"#define SIZES const long {', '.join(f'{s} = call->size[SIZE_{s}]' for s in sizes)}; {' '.join(f'(void){s};' for s in sizes)}",
        "/* Packed matrices, by what they are applied to, or by what flows back through them. */",
        enum(*(f"PANEL_{group.name}" for group in writer.groups), "PANELS"),
        f"#define MOST_GATES {MOST_GATES} /* of one panel */",
        f"#define OPERANDS {most_operands(plan)} /* that the flow back to one product can meet */",
        "/* The columns of the tape. A value may lie where another one lay that is no longer read. */",
        enum(*(f"{places.entry('AT', s)} = {c}" for s, c in tape.column.items())),
        f"#define COLUMNS_FORWARD {tape.forward} /* without gradients */",
        f"#define COLUMNS {len(tape.labels)}",
        "#define COLUMNS_ALL COLUMNS",
        table("column_size", of_size(tape.labels)),
        table("state_column", entries("AT", states)),
        "/* Where the adjoint of a state is kept as it arrives, for what is read later; -1 for nowhere. */",
        table("arriving_column", [str(tape.column.get(s, -1)) for _, s in plan.adjoint.arriving]),
    ]
    return wrapped("\n".join(line for line in lines if line)) + "\n"
